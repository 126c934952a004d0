/**
 * The wallet: quote, what the person sees, consent, order, receipt.
 *
 * Retry contract: an order that may or may not have arrived (`Unavailable`) is sent again as it is,
 * whose id makes that safe. `OutOfReach` is an answer. After `Expired` or `Conflict`: a new quote.
 *
 * Source: docs/protocol/payments.md
 */

import {
  canonicalOctets,
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
import {
  demandAcknowledged,
  type Quote,
  quoteShape,
  shownTerms,
  signConsent,
  type Warned,
  warningShape,
  warningsOf,
} from "./consent.js";
import type { VerifyKey } from "./crypto.js";
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
import type { DeviceKeystore } from "./keystore.js";
import type { Exchanged, Session } from "./session.js";
import { isFinal, type Stage, stageOf } from "./stages.js";
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
const FIRST_LOOK_S = 1;
const LONGEST_LOOK_S = 30;
const LOOKS = 20;
export type PaymentKind = "p2p" | "merchant" | "salary" | "cash-in" | "cash-out" | "refund";
export type Seen = "screen-shared" | "remote-tool" | "urgency";

const quoteReplyShape = object(
  { quote: quoteShape, proof: matching(/^[A-Za-z0-9_-]{43}$/) },
  { shown: list(warningShape) },
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

/** Shows warnings to the person; gives the names of those that were acknowledged. */
export type Acknowledge = (warnings: readonly Warned[]) => Promise<readonly string[]>;

/** An order that was taken: paid if its `stage` is `settled`, and to be followed if it is not final. */
export interface Paid {
  readonly receipt: Receipt;
  readonly verified: Verified;
  readonly stage: Stage;
  readonly balanceMinor: number;
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
  #checkpoint: Promise<unknown> = Promise.resolve();

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

  /**
   * Asks the person and signs exactly the terms that were shown, the warnings among them.
   *
   * `acknowledged` names the warnings that the person said yes to, one by one. Throws NotPermitted,
   * and signs nothing, where one is missing that is part of the terms: see `warningsOf`.
   */
  async consent(quoted: Quoted, acknowledged: readonly string[] = []): Promise<Order> {
    const { quote, proof } = quoted;
    const warnings = warningsOf(quoted);
    demandAcknowledged(warnings, acknowledged);
    const shown = [...warnings.map((one) => one.text), shownTerms(quote)].join(" ");
    const consent = await signConsent(quote, this.#parts.keystore, this.#parts.now(), shown);
    return { quote, consent, proof };
  }

  /** Sends `order` until it is answered and verifies the receipt. Throws `Refusal` for good. */
  async place(order: Order): Promise<Paid> {
    try {
      return await this.#placed(order);
    } catch (error) {
      if (!(await this.#parts.session.proved(error))) throw error;
    }
    return this.#placed(order);
  }

  async #placed(order: Order): Promise<Paid> {
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
    const stage = stageOf(verified);
    return { receipt, verified, stage, balanceMinor: paid.balance_minor };
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

  /** Quotes, asks the person, places; `acknowledge` has the warnings acknowledged, by name. */
  async pay(asked: Asked, acknowledge: Acknowledge = async () => []): Promise<Paid> {
    const quoted = await this.quote(asked);
    const warnings = warningsOf(quoted);
    const said = warnings.length === 0 ? [] : await acknowledge(warnings);
    return this.place(await this.consent(quoted, said));
  }

  /** The verified receipt of an order that this customer paid or received. */
  async receipt(order: string): Promise<Verified> {
    const found = await this.#ask("payment.receipt", "/v1/receipts", { order }, receiptReplyShape);
    const verified = await this.verified(found.receipt as Receipt);
    this.#ofOrder(verified, order, false);
    return verified;
  }

  /**
   * The receipt of `order` once it proves a final stage, else that of the last of `looks` at it, at
   * pauses that grow to half a minute. `heard` gets each receipt that proves another stage than the
   * one before it.
   */
  async follow(
    order: string,
    heard: (verified: Verified) => void = () => {},
    looks = LOOKS,
  ): Promise<Verified> {
    let [last, told] = [await this.receipt(order), ""];
    for (let look = 1; ; look += 1) {
      const stage = stageOf(last);
      if (stage !== told) heard(last);
      told = stage;
      if (isFinal(stage) || look >= looks) return last;
      await this.#pause(Math.min(FIRST_LOOK_S * 2 ** (look - 1), LONGEST_LOOK_S));
      last = await this.receipt(order);
    }
  }

  account(): Promise<Account> {
    return this.#ask("account.read", "/v1/account", {}, accountShape);
  }

  /** `receipt` after every check, its checkpoint one that continues the last one seen. */
  async verified(receipt: Receipt): Promise<Verified> {
    const found = await this.#byTally((tally) => verifyReceipt(receipt, tally, this.#parts.origin));
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

  /** One after the other, so that the checkpoint that is kept never goes back. */
  #continued(note: string): Promise<void> {
    const mine = this.#checkpoint.then(() => this.#continues(note));
    this.#checkpoint = mine.catch(() => {});
    return mine;
  }

  async #continues(note: string): Promise<void> {
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
