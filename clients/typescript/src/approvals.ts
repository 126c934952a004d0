/**
 * Requests that were begun elsewhere: the inbox, approving, declining, beginning.
 *
 * An item is checked before anybody sees it: its text is what its quote says, and the quote's hash
 * is what will be signed. Approving twice is approving once.
 *
 * Source: docs/protocol/approvals.md
 */

import { boolean, id, type Json, list, matching, natural, object, string } from "./canonical.js";
import {
  approvalText,
  demandAcknowledged,
  quoteShape,
  signConsent,
  type Warning,
  warningShape,
  warningsOf,
} from "./consent.js";
import { Malformed, NotAuthentic } from "./errors.js";
import type { DeviceKeystore } from "./keystore.js";
import type { Session } from "./session.js";
import { type Receipt, receiptShape, type Verified } from "./tally.js";
import type { PaymentKind, Seen, Wallet } from "./wallet.js";

const LONGEST_WAIT_S = 25;

const stateShape = object({
  approval: id("apr"),
  order: id("ord"),
  stage: matching(/^(?:pending|approved|declined|expired|cancelled)$/),
  reason: string,
  outcome: string,
  needed: natural,
  signed: natural,
  paused_until: natural,
  expires_at: natural,
  receipt: (value: Json) => (value === null ? null : (receiptShape(value) as Receipt)),
});
const itemShape = object(
  {
    cursor: natural,
    state: stateShape,
    text: string,
    quote: quoteShape,
    proof: matching(/^[A-Za-z0-9_-]{43}$/),
    asked_by: string,
    channel: string,
    own: boolean,
    warning: string,
  },
  { shown: list(warningShape) },
);
const inboxShape = object({ items: list(itemShape), cursor: natural });
const begunShape = object({
  approval: id("apr"),
  order: id("ord"),
  number: matching(/^[1-9][0-9]$/),
  needed: natural,
  expires_at: natural,
});

export type ApprovalState = ReturnType<typeof stateShape>;
export type ApprovalItem = ReturnType<typeof itemShape>;
/** What was begun; `number` is shown here and nowhere else. */
export type ApprovalBegun = ReturnType<typeof begunShape>;
export type DeclineReason = "not-me" | "changed-mind" | "wrong-terms" | "other";

/** What the device notices of others at this moment. */
export interface Company {
  /** The screen is shared, or the device is steered from elsewhere. */
  readonly remoteAccess: boolean;
  readonly onCall: boolean;
}

export interface Beginning {
  readonly payer: string;
  readonly kind: PaymentKind;
  readonly payee: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly askedBy: string;
  /** Narrows who may approve to these devices. */
  readonly devices?: readonly string[];
}

export interface Approved {
  readonly state: ApprovalState;
  /** The verified receipt of the order, once it was paid. */
  readonly receipt: Verified | null;
}

export interface ApprovalParts {
  readonly session: Session;
  readonly keystore: DeviceKeystore;
  readonly wallet: Wallet;
  readonly now: () => number;
  /** What the device notices; a device that notices nobody, if left out. */
  readonly company?: () => Company;
}

function check(item: ApprovalItem): void {
  if (item.text !== approvalText(item.quote, item.asked_by)) {
    throw new NotAuthentic("the text of a request is not what its quote says");
  }
  if (item.state.order !== item.quote.order) {
    throw new NotAuthentic("the request is for another order than its quote");
  }
}

export class Approvals {
  readonly #parts: ApprovalParts;
  #cursor = 0;

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
  }

  /** Where the inbox goes on. */
  get cursor(): number {
    return this.#cursor;
  }

  /**
   * What changed since the last time, oldest first; the provider waits up to `waitS` seconds, at
   * most 25, for a change. NotAuthentic for an item whose text or order is not what it says.
   */
  async poll(waitS = 0): Promise<readonly ApprovalItem[]> {
    if (!(waitS >= 0 && waitS <= LONGEST_WAIT_S)) throw new Malformed("wait up to 25 seconds");
    const asked = { after: this.#cursor, wait_s: waitS };
    const path = "/v1/approvals/inbox";
    const how = { waitS };
    const found = await this.#parts.session.ask("approval.inbox", path, asked, inboxShape, how);
    found.items.forEach(check);
    this.#cursor = Math.max(this.#cursor, found.cursor);
    return found.items;
  }

  /**
   * Signs exactly what `item` says, after the person read its text, and sends the consent with the
   * two digits that they typed. Without an answer approve the same item again. `seen` is what the
   * device notices, or its person said. The warnings of `warningsOf(item, seen)` are shown, and those
   * that are bound acknowledged, as with a payment of one's own; what is acknowledged beyond the
   * terms is in the consent.
   */
  async approve(
    item: ApprovalItem,
    number: string,
    acknowledged: readonly string[] = [],
    seen: readonly Seen[] = [],
  ): Promise<Approved> {
    check(item);
    const warnings = warningsOf(item, seen);
    demandAcknowledged(warnings, acknowledged);
    const shown = [...warnings.map((one) => one.text), item.text].join(" ");
    const terms: readonly Warning[] = item.quote.warnings ?? [];
    const names = warnings.map((one) => one.name);
    const beyond = names.filter((one) => !terms.includes(one) && acknowledged.includes(one));
    const { session, keystore, wallet, now, company } = this.#parts;
    const noticed = company?.() ?? { remoteAccess: false, onCall: false };
    const asked = {
      approval: item.state.approval,
      number,
      consent: await signConsent(item.quote, keystore, now(), shown, beyond),
      proof: item.proof,
      remote_access: noticed.remoteAccess,
      on_call: noticed.onCall,
      ...(seen.length === 0 ? {} : { seen: [...seen] }),
    };
    const path = "/v1/approvals/approve";
    const state = await session.ask("approval.approve", path, asked, stateShape);
    if (state.receipt === null) return { state, receipt: null };
    const receipt = await wallet.verified(state.receipt);
    if (receipt.leaf.id !== item.quote.order) {
      throw new NotAuthentic("the receipt is of another order");
    }
    return { state, receipt };
  }

  /** Ends a request; `not-me` stops whatever else others began for this person. */
  decline(approval: string, reason: DeclineReason): Promise<ApprovalState> {
    const asked = { approval, reason };
    const path = "/v1/approvals/decline";
    return this.#parts.session.ask("approval.decline", path, asked, stateShape);
  }

  /** Begins an order that somebody else approves, or oneself on another device. */
  begin(asked: Beginning): Promise<ApprovalBegun> {
    const body = {
      payer: asked.payer,
      kind: asked.kind,
      payee: asked.payee,
      amount_minor: asked.amountMinor,
      currency: asked.currency,
      asked_by: asked.askedBy,
      devices: [...(asked.devices ?? [])],
    };
    const once = { resend: false };
    const path = "/v1/approvals/begin";
    return this.#parts.session.ask("approval.begin", path, body, begunShape, once);
  }

  /** Takes back what one began. */
  cancel(approval: string, because: string): Promise<ApprovalState> {
    const asked = { approval, because };
    const path = "/v1/approvals/cancel";
    return this.#parts.session.ask("approval.cancel", path, asked, stateShape);
  }

  /** Lets a push service wake this device under `name`; empty for not at all. */
  async wakeBy(name: string): Promise<void> {
    const path = "/v1/approvals/wake";
    await this.#parts.session.ask("approval.wake", path, { name }, object({}));
  }
}
