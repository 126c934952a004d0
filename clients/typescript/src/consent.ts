/**
 * What a person agrees to: the terms of a quote, the warnings beside them, and the consent signed.
 *
 * Source: docs/protocol/payments.md, Quote, Warnings and Consent; docs/protocol/approvals.md
 */

import {
  canonicalOctets,
  exactly,
  id,
  type Json,
  list,
  matching,
  natural,
  object,
  string,
} from "./canonical.js";
import { sha256 } from "./crypto.js";
import { Malformed, NotPermitted } from "./errors.js";
import { signedByDevice } from "./jws.js";
import { type DeviceKeystore, identityOf } from "./keystore.js";
import { base64url } from "./octets.js";

/** Every warning there is, and how it is said to the person. */
const WARNINGS = {
  "new-payee": "You never paid them before.",
  "first-large-amount": "This is a large first payment to them.",
  "screen-shared": "Somebody may see your screen.",
  "remote-tool": "Somebody may steer this phone.",
  urgency: "Does somebody hurry you? Hang up.",
} as const;

export type Warning = keyof typeof WARNINGS;

/** A warning as it is put before the person. */
export interface Warned {
  readonly name: Warning;
  readonly text: string;
  /** Whether it is part of the terms: the person acknowledges it, and the consent repeats it. */
  readonly bound: boolean;
}

export const warningShape = (value: Json): Warning => {
  const found = string(value);
  if (!Object.hasOwn(WARNINGS, found)) throw new Malformed("an unknown warning");
  return found as Warning;
};

export const quoteShape = object(
  {
    v: exactly(1),
    provider: string,
    order: id("ord"),
    kind: string,
    payer: id("acc"),
    payee: id("acc"),
    payee_name: string,
    amount_minor: natural,
    fee_minor: natural,
    currency: matching(/^[A-Z]{3}$/),
    original: matching(/^(?:|ord_[0-9a-hjkmnp-tv-z]{26})$/),
    policy: natural,
    issued_at: natural,
    expires_at: natural,
  },
  { warnings: list(warningShape) },
);

export type Quote = ReturnType<typeof quoteShape>;

/**
 * The warnings to show with a quote, in the protocol's order; those of its terms are `bound`. For an
 * order that somebody else began `seen` is what this device notices, or its person said: `bound` too.
 */
export function warningsOf(
  quoted: { readonly quote: Quote; readonly shown?: readonly Warning[] },
  seen: readonly Warning[] = [],
): readonly Warned[] {
  const bound = [...(quoted.quote.warnings ?? []), ...seen];
  const found = new Set([...(quoted.shown ?? []), ...bound]);
  const names = (Object.keys(WARNINGS) as Warning[]).filter((name) => found.has(name));
  return names.map((name) => ({ name, text: WARNINGS[name], bound: bound.includes(name) }));
}

/** Returns only if every warning that is part of the terms was `acknowledged`; NotPermitted else. */
export function demandAcknowledged(
  warnings: readonly Warned[],
  acknowledged: readonly string[],
): void {
  const missing = warnings.find((one) => one.bound && !acknowledged.includes(one.name));
  if (missing === undefined) return;
  throw new NotPermitted("a warning was not acknowledged", {
    because: missing.name,
    remedy: "show it, and have the person acknowledge it",
  });
}

/** An amount of minor units in words: `KES 12.50`. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const places = format.resolvedOptions().maximumFractionDigits ?? 2;
  const digits = String(Math.abs(minor)).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(?:\d{3})+$)/g, ",");
  return `${currency} ${minor < 0 ? "-" : ""}${whole}${places ? `.${digits.slice(-places)}` : ""}`;
}

/** What the person reads before they agree: payee, amount, fee. */
export function shownTerms(quote: Quote): string {
  const [amount, fee] = [quote.amount_minor, quote.fee_minor].map((one) =>
    money(one, quote.currency),
  );
  return `Pay ${amount} to ${quote.payee_name}, fee ${fee}?`;
}

/** What an approver reads, one spelling for every quote: who is paid, how much, who asks. */
export function approvalText(quote: Quote, askedBy: string): string {
  const [amount, fee] = [quote.amount_minor, quote.fee_minor].map((one) =>
    money(one, quote.currency),
  );
  return `Pay ${amount} to ${quote.payee_name}, fee ${fee}. Asked by ${askedBy}.`;
}

/**
 * The consent to exactly the terms of `quote`: a compact JWS by the consent key. `acknowledged` are
 * warnings beyond those of the quote to which the person said yes.
 */
export async function signConsent(
  quote: Quote,
  keystore: DeviceKeystore,
  now: number,
  shown: string,
  acknowledged: readonly Warning[] = [],
): Promise<string> {
  const { device } = identityOf(keystore);
  const digest = await sha256(canonicalOctets(quote as unknown as Json));
  const consent = {
    ...quote,
    quote_hash: base64url(digest),
    device,
    grade: "device-signed",
    consented_at: now,
    ...(acknowledged.length === 0 ? {} : { acknowledged }),
  };
  return signedByDevice("tallystick-consent", device, consent as unknown as Json, (message) =>
    keystore.consentSign(message, shown),
  );
}
