/**
 * The wallet: quote, what the person sees, consent, order, receipt.
 *
 * Retry contract: an order that may or may not have arrived (`Unavailable`) is sent again as it is,
 * whose id makes that safe. `OutOfReach` is an answer. After `Expired` or `Conflict`: a new quote.
 *
 * Source: docs/protocol/payments.md
 */

import {
  canonical,
  canonicalOctets,
  exactly,
  id,
  integer,
  type Json,
  list,
  matching,
  natural,
  object,
  readCanonical,
  readJson,
  string,
} from "./canonical.js";
import { sha256, type VerifyKey } from "./crypto.js";
import {
  Malformed,
  NotAuthentic,
  NotFound,
  OutOfReach,
  Refusal,
  RateLimited,
  TallystickError,
  Unavailable,
} from "./errors.js";
import { type DeviceKeystore, identityOf } from "./keystore.js";
import { base64url, utf8 } from "./octets.js";
import type { Exchanged, Session } from "./session.js";
import {
  checkConsistency,
  type Receipt,
  receiptShape,
  splitHashes,
  type Verified,
  verifyCheckpoint,
  verifyReceipt,
} from "./tally.js";
import { problemOf, refusal, type Reply, type Transport } from "./transport.js";

const ATTEMPTS = 12;
const FIRST_PAUSE_S = 0.1;
const LONGEST_PAUSE_S = 5;
const WARNINGS = ["new-payee", "first-large-amount", "screen-shared", "remote-tool", "urgency"];

export type PaymentKind = "p2p" | "merchant" | "salary" | "cash-in" | "cash-out" | "refund";
export type Seen = "screen-shared" | "remote-tool" | "urgency";

const warning = (value: Json): string => {
  const found = string(value);
  if (!WARNINGS.includes(found)) throw new Malformed("an unknown warning");
  return found;
};

const quoteShape = object(
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
  { warnings: list(warning) },
);
const quoteReplyShape = object(
  { quote: quoteShape, proof: matching(/^[A-Za-z0-9_-]{43}$/) },
  { shown: list(warning) },
);
const paidShape = object({ receipt: receiptShape, balance_minor: integer });
const receiptReplyShape = object({ receipt: receiptShape });
const consistencyShape = object({ old: natural, new: natural, proof: string });
const accountShape = object({
  account: id("acc"),
  currency: string,
  available_minor: integer,
  reserved_minor: integer,
  device: id("dev"),
});

export type Quote = ReturnType<typeof quoteShape>;
export type Quoted = ReturnType<typeof quoteReplyShape>;
export type Account = ReturnType<typeof accountShape>;

export interface Asked {
  readonly kind: PaymentKind;
  readonly payee: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly original?: string;
  readonly seen?: readonly Seen[];
}

/** A signed order; sending it twice is sending it once. */
export interface Order {
  readonly quote: Quote;
  readonly consent: string;
  readonly proof: string;
}

export interface Paid {
  readonly receipt: Receipt;
  readonly verified: Verified;
  readonly balanceMinor: number;
}

/** An amount of minor units in words: `KES 12.50`. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const places = format.resolvedOptions().maximumFractionDigits ?? 2;
  const digits = String(minor).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(?:\d{3})+$)/g, ",");
  return `${currency} ${whole}${places ? `.${digits.slice(-places)}` : ""}`;
}

/** What the person reads before they agree: payee, amount, fee. */
export function shownTerms(quote: Quote): string {
  const [amount, fee] = [quote.amount_minor, quote.fee_minor].map((one) =>
    money(one, quote.currency),
  );
  return `Pay ${amount} to ${quote.payee_name}, fee ${fee}?`;
}

/** The consent to exactly the terms of `quote`: a compact JWS by the consent key. */
export async function signConsent(
  quote: Quote,
  keystore: DeviceKeystore,
  now: number,
  shown: string,
): Promise<string> {
  const { device } = identityOf(keystore);
  const digest = await sha256(canonicalOctets(quote as unknown as Json));
  const consent = {
    ...quote,
    quote_hash: base64url(digest),
    device,
    grade: "device-signed",
    consented_at: now,
  };
  const header = canonical({ alg: "ES256", kid: device, typ: "tallystick-consent" });
  const payload = canonical(consent as unknown as Json);
  const signed = `${base64url(utf8(header))}.${base64url(utf8(payload))}`;
  return `${signed}.${base64url(await keystore.consentSign(utf8(signed), shown))}`;
}

export interface WalletParts {
  readonly session: Session;
  readonly keystore: DeviceKeystore;
  readonly transport: Transport;
  readonly tallyKeys: () => Promise<readonly VerifyKey[]>;
  readonly origin: string;
  readonly now: () => number;
  readonly pause?: (seconds: number) => Promise<void>;
}

export class Wallet {
  readonly #parts: WalletParts;
  readonly #pause: (seconds: number) => Promise<void>;

  constructor(parts: WalletParts) {
    this.#parts = parts;
    this.#pause =
      parts.pause ?? ((seconds) => new Promise((done) => setTimeout(done, seconds * 1000)));
  }

  /** The provider's terms; refused unless they are those that were asked for. */
  async quote(asked: Asked): Promise<Quoted> {
    const request: Record<string, Json> = {
      kind: asked.kind,
      payee: asked.payee,
      amount_minor: asked.amountMinor,
      currency: asked.currency,
      original: asked.original ?? "",
    };
    if (asked.seen?.length) request["seen"] = [...asked.seen];
    const found = await this.#ask("payment.quote", "/v1/quotes", request, quoteReplyShape);
    const { quote } = found;
    const right =
      quote.kind === asked.kind &&
      quote.amount_minor === asked.amountMinor &&
      quote.currency === asked.currency &&
      quote.original === (asked.original ?? "");
    if (!right) throw new Malformed("the provider quoted other terms than were asked for");
    return found;
  }

  /** Asks the person and signs exactly the terms that were shown. */
  async consent(quoted: Quoted): Promise<Order> {
    const { quote, proof } = quoted;
    const words = [...new Set([...(quoted.shown ?? []), ...(quote.warnings ?? [])])];
    const shown = [...words.map((word) => `Warning: ${word}.`), shownTerms(quote)].join(" ");
    const consent = await signConsent(quote, this.#parts.keystore, this.#parts.now(), shown);
    return { quote, consent, proof };
  }

  /** Sends `order` until it is answered and verifies the receipt. Throws `Refusal` for good. */
  async place(order: Order): Promise<Paid> {
    const body = canonicalOctets({ consent: order.consent, proof: order.proof });
    const { status, body: content } = await this.#untilAnswered(() => this.#sent(body));
    if (status !== 200) {
      const { error, receipt } = problemOf(content);
      if (receipt === null) throw error;
      this.#ofOrder(await this.verified(receipt), order.quote.order, false);
      throw new Refusal(error, receipt);
    }
    const paid = paidShape(readCanonical(content));
    const receipt = paid.receipt as Receipt;
    const verified = await this.verified(receipt);
    this.#ofOrder(verified, order.quote.order, true);
    return { receipt, verified, balanceMinor: paid.balance_minor };
  }

  #ofOrder(verified: Verified, order: string, done: boolean): void {
    const { id: recorded, stage } = verified.leaf;
    if (recorded !== order || (done && !["settled", "accepted", "unknown"].includes(stage))) {
      throw new NotAuthentic("the receipt is of another order");
    }
  }

  async #sent(body: ReturnType<typeof canonicalOctets>): Promise<Exchanged> {
    const exchanged = await this.#parts.session.exchange("payment.order", "/v1/payments", body);
    if (exchanged.status === 503) throw problemOf(exchanged.body).error;
    return exchanged;
  }

  async pay(asked: Asked): Promise<Paid> {
    return this.place(await this.consent(await this.quote(asked)));
  }

  /** The verified receipt of an order that this customer paid or received. */
  async receipt(order: string): Promise<Verified> {
    const found = await this.#ask(
      "payment.receipt",
      "/v1/receipts",
      { order },
      receiptReplyShape,
    );
    const verified = await this.verified(found.receipt as Receipt);
    this.#ofOrder(verified, order, false);
    return verified;
  }

  account(): Promise<Account> {
    return this.#ask("account.read", "/v1/account", {}, accountShape);
  }

  /** `receipt` after every check, its checkpoint one that continues the last one seen. */
  async verified(receipt: Receipt): Promise<Verified> {
    const found = await this.#byTally((tally) =>
      verifyReceipt(receipt, tally, this.#parts.origin),
    );
    await this.#continued(receipt.checkpoint);
    return found;
  }

  async #byTally<T>(check: (tally: VerifyKey) => Promise<T>): Promise<T> {
    let refused: unknown = new NotAuthentic("there is no tally key");
    for (const tally of await this.#parts.tallyKeys()) {
      try {
        return await check(tally);
      } catch (error) {
        refused = error;
      }
    }
    throw refused;
  }

  async #continued(note: string): Promise<void> {
    const { keystore, origin, transport } = this.#parts;
    const kept = keystore.memory().checkpoint;
    if (kept === "") return keystore.remember({ checkpoint: note });
    const [fresh, last] = [
      await this.#byTally((tally) => verifyCheckpoint(note, tally, origin)),
      await this.#byTally((tally) => verifyCheckpoint(kept, tally, origin)),
    ];
    const ahead = fresh.size >= last.size;
    const [older, newer] = ahead ? [last, fresh] : [fresh, last];
    if (older.size === newer.size) return checkConsistency(older, newer, []);
    const path = `/v1/tally/consistency?old=${older.size}&new=${newer.size}`;
    const fetched = async (): Promise<Reply> => {
      const reply = await transport.get(path);
      if (reply.status !== 200) throw refusal(reply);
      return reply;
    };
    // Another machine of the provider may not know yet what one of them has signed.
    const reply = await this.#untilAnswered(fetched, (error) => error instanceof NotFound);
    const { proof } = consistencyShape(readJson(reply.body));
    await checkConsistency(older, newer, splitHashes(proof));
    if (ahead) await keystore.remember({ checkpoint: note });
  }

  #ask<T>(operation: string, path: string, asked: Json, read: (value: Json) => T): Promise<T> {
    return this.#untilAnswered(() => this.#parts.session.ask(operation, path, asked, read));
  }

  async #untilAnswered<T>(
    ask: () => Promise<T>,
    also: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS - 1; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        const unanswered =
          (error instanceof Unavailable && !(error instanceof OutOfReach)) ||
          error instanceof RateLimited;
        if (!unanswered && !also(error)) throw error;
        const asked = error instanceof TallystickError ? error.retryAfterS : 0;
        const pause = Math.max(asked, FIRST_PAUSE_S * 2 ** attempt);
        await this.#pause(Math.min(pause, LONGEST_PAUSE_S));
      }
    }
    return ask();
  }
}
