#!/usr/bin/env node
/**
 * Lets the conformance kit drive this client: a JSON object a line on standard input, an answer a
 * line on standard output. The keystore's user agrees to everything.
 *
 * Source: docs/protocol/conformance.md
 */

import { join } from "node:path";
import { createInterface } from "node:readline";

import { type Json } from "./canonical.js";
import { type Quote, warningsOf } from "./consent.js";
import { type Algorithm, type VerifyKey } from "./crypto.js";
import { Malformed, NotFound, Refusal, TallystickError, Unavailable } from "./errors.js";
import { proveDevice } from "./evidence.js";
import { kemsAtHand } from "./kems.js";
import type { SoftwareKeystore } from "./keystore.js";
import type { Attestation } from "./messages.js";
import { type MlKem, mlKemOf } from "./mlkem.js";
import { openFileKeystore } from "./node.js";
import { base64url, fromBase64url, type Octets } from "./octets.js";
import { Provider } from "./provider.js";
import type { Session } from "./session.js";
import { type Receipt, verifyReceipt } from "./tally.js";
import type { Order, Paid, Seen, Wallet } from "./wallet.js";

interface Asked {
  readonly id: number;
  readonly do: string;
  readonly [member: string]: unknown;
}

interface Device {
  readonly provider: Provider;
  readonly keystore: SoftwareKeystore;
  readonly session: Session;
  readonly wallet: Wallet;
}

function text(asked: Asked, member: string): string {
  const found = asked[member];
  if (typeof found !== "string") throw new Malformed(`the member ${member} is missing`);
  return found;
}

function count(asked: Asked, member: string): number {
  const found = asked[member];
  if (typeof found !== "number") throw new Malformed(`the member ${member} is missing`);
  return found;
}

function verifyKeyIn(value: unknown): VerifyKey {
  const { algorithm, public: octets } = value as { algorithm: Algorithm; public: string };
  return { algorithm, octets: fromBase64url(octets) };
}

/** What this program hands in: @noble/post-quantum, where it is installed. */
async function lattice(): Promise<MlKem | undefined> {
  try {
    return mlKemOf((await import("@noble/post-quantum/ml-kem.js")).ml_kem768);
  } catch {
    return undefined;
  }
}

class Driven {
  #ahead = 0;
  #device: Device | null = null;
  #order: Order | null = null;
  #store = "";

  get #held(): Device {
    if (this.#device === null) throw new Malformed("nothing was started");
    return this.#device;
  }

  async does(asked: Asked): Promise<object> {
    switch (asked.do) {
      case "start":
        return this.#start(asked);
      case "enrol":
        return this.#enrol(asked);
      case "open":
        return { session: (await this.#held.session.establish()).session };
      case "account":
        return { available_minor: (await this.#held.wallet.account()).available_minor };
      case "pay":
        return this.#pay(asked);
      case "again":
        if (this.#order === null) throw new Malformed("nothing was ordered");
        return this.#paid(await this.#held.wallet.place(this.#order), this.#order.quote);
      case "approve":
        return this.#approve(asked);
      case "prove":
        return { trust: await this.#prove() };
      case "verify":
        return this.#verify(asked);
      case "later":
        this.#ahead += count(asked, "seconds") * 1000;
        return {};
      default:
        throw new Malformed("an unknown word");
    }
  }

  async #start(asked: Asked): Promise<object> {
    const mlKem = await lattice();
    const provider = new Provider({
      ...(mlKem === undefined ? {} : { mlKem }),
      url: text(asked, "url"),
      name: text(asked, "provider"),
      origin: text(asked, "origin"),
      root: verifyKeyIn(asked["root"]),
      now: () => Date.now() + this.#ahead,
    });
    const file = join(text(asked, "state"), "keystore.json");
    const keystore = await openFileKeystore(file, async () => {});
    const session = provider.session(keystore);
    this.#device = { provider, keystore, session, wallet: provider.wallet(keystore, session) };
    this.#store = typeof asked["store"] === "string" ? asked["store"] : "";
    const vouches = ["play-integrity"];
    const suites = (await kemsAtHand(mlKem)).map((one) => one.suite);
    return { client: "@tallystick/client", suites, vouches, approves: true };
  }

  /** What the kit's store says for 32 octets. */
  async #said(told: Octets): Promise<string> {
    const body = JSON.stringify({ request_hash: base64url(told) });
    const headers = { "content-type": "application/json" };
    const reply = await fetch(`${this.#store}/verdict`, { method: "POST", headers, body });
    if (!reply.ok) throw new Unavailable("the store says nothing");
    return ((await reply.json()) as { verdict: string }).verdict;
  }

  async #attested(keys: Octets): Promise<Attestation> {
    const bare = { format: "none", statement: "" };
    try {
      return { ...bare, verdict: await this.#said(keys) };
    } catch (error) {
      if (error instanceof Unavailable) return bare;
      throw error;
    }
  }

  #prove(): Promise<string> {
    const { session, keystore } = this.#held;
    return proveDevice(session, keystore, async (told) => ({
      format: "play-integrity",
      statement: await this.#said(told),
    }));
  }

  async #enrol(asked: Asked): Promise<object> {
    const { provider, keystore } = this.#held;
    const { device, customer } = await provider.enrol(keystore, {
      activation: text(asked, "activation"),
      code: text(asked, "code"),
      ...(this.#store === "" ? {} : { attest: async (_, keys) => this.#attested(keys) }),
      description: {
        platform: "web",
        model: "driven by the conformance kit",
        app_version: "1",
        protection: keystore.protection,
      },
    });
    return { device, customer };
  }

  async #pay(asked: Asked): Promise<object> {
    const { wallet } = this.#held;
    const quoted = await wallet.quote({
      kind: "p2p",
      payee: text(asked, "payee"),
      amountMinor: count(asked, "amount_minor"),
      currency: text(asked, "currency"),
    });
    this.#order = await wallet.consent(quoted, quoted.quote.warnings);
    return this.#paid(await wallet.place(this.#order), quoted.quote);
  }

  async #approve(asked: Asked): Promise<object> {
    const { provider, keystore, session, wallet } = this.#held;
    const approvals = provider.approvals(keystore, session, { wallet });
    const found = await approvals.poll();
    const item = found.find((one) => one.state.approval === text(asked, "approval"));
    if (item === undefined) throw new NotFound("there is no such request");
    const seen = asked["seen"] as readonly Seen[];
    const shown = warningsOf(item, seen).map((one) => one.name);
    const said = asked["agrees"] === true ? shown : [];
    const { state } = await approvals.approve(item, text(asked, "number"), said, seen);
    return { stage: state.stage, shown };
  }

  #paid(paid: Paid, quote: Quote): object {
    const { payee_name, amount_minor, fee_minor, currency } = quote;
    return {
      order: quote.order,
      receipt: paid.receipt,
      balance_minor: paid.balanceMinor,
      shown: { payee_name, amount_minor, fee_minor, currency },
    };
  }

  async #verify(asked: Asked): Promise<object> {
    const receipt = asked["receipt"] as Json;
    await verifyReceipt(receipt, verifyKeyIn(asked["tally_key"]), text(asked, "origin"));
    return {};
  }
}

function refused(error: unknown): { error: string; detail: string; receipt?: Receipt } {
  if (error instanceof Refusal) {
    return { error: error.code, detail: error.message, receipt: error.receipt };
  }
  if (error instanceof TallystickError) return { error: error.code, detail: error.message };
  return { error: "crashed", detail: String(error) };
}

async function main(): Promise<void> {
  const driven = new Driven();
  for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line) as Asked;
    let answer: object;
    try {
      answer = { ok: await driven.does(asked) };
    } catch (error) {
      answer = refused(error);
    }
    process.stdout.write(`${JSON.stringify({ id: asked.id, ...answer })}\n`);
  }
}

await main();
