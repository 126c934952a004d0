/**
 * A device's session: established when needed, requests sealed and numbered, replies opened.
 *
 * Source: docs/protocol/session.md; docs/protocol/envelope.md; docs/protocol/factors.md
 */

import { canonicalOctets, type Json, object, readCanonical } from "./canonical.js";
import { random } from "./crypto.js";
import { MAX_SEQUENCE, openReply, sealRequest, type SessionKeys } from "./envelope.js";
import {
  Conflict,
  Expired,
  NotAuthentic,
  type TallystickError,
  Unauthenticated,
  Unavailable,
} from "./errors.js";
import { asksForEvidence, type Prove, proveDevice } from "./evidence.js";
import type { AuthenticatedProvider } from "./handshake.js";
import { type DeviceKeystore, identityOf } from "./keystore.js";
import type { AppClaim, SessionAccepted } from "./messages.js";
import type { Octets } from "./octets.js";
import { JSON_TYPE, problemOf, refusal, SEALED_TYPE, type Transport } from "./transport.js";

export interface Exchanged {
  readonly status: number;
  readonly body: Octets;
}

/** How a request is sent. */
export interface Sending {
  /** Whether it may be sent once more in a new session; false for what would then be done twice. */
  readonly resend?: boolean;
  /** For how many seconds the provider was asked to wait before it answers. */
  readonly waitS?: number;
}

interface Live {
  readonly keys: SessionKeys;
  readonly accepted: SessionAccepted;
  readonly until: number;
  sequence: number;
  last: number;
  reported: string;
}

const ATTEMPTS = 4;
const NO_TRIES = "0/0";
const PROVING = ["device.challenge", "device.prove"];

export interface Reached {
  readonly transport: Transport;
  readonly now: () => number;
  /** The provider, authenticated by its answer to a fresh hello for a session. */
  readonly authenticated: () => Promise<AuthenticatedProvider>;
  /** Answers where the provider asks for a fresh proof of the device. */
  readonly prove?: Prove | undefined;
  /** The application that each session names. */
  readonly app?: AppClaim | undefined;
}

export class Session {
  readonly #reached: Reached;
  readonly #keystore: DeviceKeystore;
  #live: Live | null = null;
  #establishing: Promise<Live> | null = null;

  constructor(reached: Reached, keystore: DeviceKeystore) {
    this.#reached = reached;
    this.#keystore = keystore;
  }

  get accepted(): SessionAccepted | null {
    return this.#live?.accepted ?? null;
  }

  /** A new session, whatever there was. */
  async establish(): Promise<SessionAccepted> {
    return (await this.#replaced(this.#live)).accepted;
  }

  /** Forgets the keys. */
  close(): void {
    this.#live = null;
  }

  /** Ends the session at the provider, where there is one, and forgets the keys. */
  async end(): Promise<void> {
    const live = this.#live;
    try {
      if (live === null || !this.#usable(live)) return;
      await this.ask("session.end", "/v1/session/end", {}, object({}), { resend: false });
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error; // it was over already
    } finally {
      this.close();
    }
  }

  /**
   * The authentic reply to `body`. A session that the provider no longer knows is replaced and the
   * request sent once more under a new number, unless it says no `resend`: what changes state
   * carries an id that makes that safe, or is not sent again, and the next request opens a session.
   */
  async exchange(
    operation: string,
    path: string,
    body: Octets,
    how: Sending = {},
  ): Promise<Exchanged> {
    let live = await this.#open();
    try {
      await this.#reportTries(live);
      return await this.#once(live, operation, path, body, how.waitS);
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      if (how.resend === false) {
        if (this.#live === live) this.close();
        throw error;
      }
    }
    live = await this.#replaced(live);
    await this.#reportTries(live);
    return this.#once(live, operation, path, body, how.waitS);
  }

  /**
   * What `read` makes of the answer to `asked`; a sealed refusal is thrown. Where a fresh proof of
   * the device is asked for, and the session can give one, it is given and the request sent again.
   */
  async ask<T>(
    operation: string,
    path: string,
    asked: Json,
    read: (value: Json) => T,
    how: Sending = {},
  ): Promise<T> {
    try {
      return await this.#asked(operation, path, asked, read, how);
    } catch (error) {
      if (PROVING.includes(operation) || !(await this.proved(error))) throw error;
    }
    return this.#asked(operation, path, asked, read, how);
  }

  /** Gives a fresh proof of the device if `error` asks for one; whether it did. */
  async proved(error: unknown): Promise<boolean> {
    const { prove } = this.#reached;
    if (prove === undefined || !asksForEvidence(error)) return false;
    await proveDevice(this, this.#keystore, prove);
    return true;
  }

  async #asked<T>(
    operation: string,
    path: string,
    asked: Json,
    read: (value: Json) => T,
    how: Sending,
  ): Promise<T> {
    const { status, body } = await this.exchange(operation, path, canonicalOctets(asked), how);
    if (status !== 200) throw problemOf(body).error;
    return read(readCanonical(body));
  }

  async #reportTries(live: Live): Promise<void> {
    const { failed, inRow } = this.#keystore.memory().tries;
    const said = `${failed}/${inRow}`;
    if (said === live.reported) return;
    const body = canonicalOctets({ failed, in_row: inRow });
    await this.#once(live, "device.tries", "/v1/devices/tries", body);
    live.reported = said;
  }

  async #once(
    live: Live,
    operation: string,
    path: string,
    body: Octets,
    waitS = 0,
  ): Promise<Exchanged> {
    live.sequence += 1;
    const sequence = live.sequence;
    live.last = this.#reached.now();
    const sealed = await sealRequest(live.keys, operation, sequence, body);
    const reply = await this.#reached.transport.post(path, sealed, SEALED_TYPE, waitS);
    if (!reply.sealed) throw refusal(reply);
    const content = await openReply(live.keys, operation, sequence, reply.status, reply.body);
    if (reply.status === 401) {
      const { error } = problemOf(content);
      if (error instanceof Unauthenticated) throw error;
    }
    return { status: reply.status, body: content };
  }

  async #open(): Promise<Live> {
    const live = this.#live;
    return live !== null && this.#usable(live) ? live : this.#replaced(live);
  }

  #usable(live: Live): boolean {
    const idle = live.last + live.accepted.expires_idle_s * 1000;
    return this.#reached.now() < Math.min(idle, live.until) && live.sequence < MAX_SEQUENCE;
  }

  /** A session in place of `dead`; whoever asks meanwhile gets the same. */
  async #replaced(dead: Live | null): Promise<Live> {
    if (this.#live !== dead && this.#live !== null) return this.#live;
    this.#establishing ??= this.#established().finally(() => {
      this.#establishing = null;
    });
    return this.#establishing;
  }

  async #established(): Promise<Live> {
    this.#live = null;
    let again = true;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        const live = await this.#handshake();
        if (live !== null) {
          this.#live = live;
          return live;
        }
      } catch (error) {
        if (!(error instanceof RefusedInClear)) throw error;
        if (error.refusal instanceof Conflict) continue;
        if (!again) throw error.refusal;
        again = false;
      }
    }
    throw new Unavailable("no session could be established", { remedy: "try again later" });
  }

  /** The open session; null where the provider said which pair is in force and opened none. */
  async #handshake(): Promise<Live | null> {
    const identity = identityOf(this.#keystore);
    const provider = await this.#reached.authenticated();
    const pending = await provider.proveSession({
      device: identity.device,
      certificate: identity.certificateId,
      sign: (message) => this.#keystore.possessionSign(message),
      pairs: this.#keystore.memory().pairs,
      share: random(32),
      app: this.#reached.app,
    });
    await this.#keystore.remember({ pairs: pending.remembered });
    const path = `/v1/sessions/${pending.session}`;
    const reply = await this.#reached.transport.post(path, pending.body, JSON_TYPE);
    if (!reply.sealed) {
      const refused = refusal(reply);
      const mayPass = [NotAuthentic, Expired, Conflict].some((one) => refused instanceof one);
      throw mayPass ? new RefusedInClear(refused) : refused;
    }
    const [accepted, pair] = await pending.confirm(reply.status, reply.body);
    await this.#keystore.remember({ pairs: [pair] });
    if (!accepted.open) return null;
    const now = this.#reached.now();
    const until = now + Math.max(0, accepted.expires_at - accepted.server_time);
    return { keys: pending.keys, accepted, until, sequence: 0, last: now, reported: NO_TRIES };
  }
}

/** A refusal that a new handshake may not meet: it was said in clear, and the process may be new. */
class RefusedInClear extends Error {
  readonly refusal: TallystickError;
  constructor(refused: TallystickError) {
    super(refused.message);
    this.refusal = refused;
  }
}
