/**
 * How far an order has come, and how that is said to its person: what is accepted is not paid.
 *
 * Source: docs/protocol/payments.md, Reply and receipt
 */

import { Malformed } from "./errors.js";
import type { Verified } from "./tally.js";

export const LANGUAGES = ["en", "fr", "sw"] as const;
export type Language = (typeof LANGUAGES)[number];

const SAID = {
  accepted: {
    en: "Under way, not paid yet. Do not order it again.",
    fr: "En cours, pas encore payé. Ne le refaites pas.",
    sw: "Inashughulikiwa, bado haijalipwa. Usirudie.",
  },
  settled: { en: "Paid", fr: "Payé", sw: "Imelipwa" },
  refused: { en: "Not paid", fr: "Non payé", sw: "Haikulipwa" },
  unknown: {
    en: "We are finding out whether it was paid. Do not order it again.",
    fr: "Nous vérifions si c'est payé. Ne le refaites pas.",
    sw: "Tunachunguza kama imelipwa. Usirudie.",
  },
  returned: {
    en: "Paid, and given back",
    fr: "Payé, puis rendu",
    sw: "Ililipwa, kisha ikarudishwa",
  },
} as const;

export type Stage = keyof typeof SAID;

/** Whether nothing but a reversal changes an order of this stage any more. */
export function isFinal(stage: Stage): boolean {
  return stage !== "accepted" && stage !== "unknown";
}

/** The stage that a verified receipt proves. Throws Malformed for one that no order has. */
export function stageOf(verified: Verified): Stage {
  const { stage } = verified.leaf;
  if (!Object.hasOwn(SAID, stage)) throw new Malformed("an unknown stage of an order");
  return stage as Stage;
}

/** What a person is told of an order of this stage; `settled` alone is "paid". */
export function stageSaid(stage: Stage, language: Language = "en"): string {
  return SAID[stage][language];
}
