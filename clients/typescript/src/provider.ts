/**
 * A provider as an app knows it: an address, a name, and the root key that the app has pinned.
 *
 *     const provider = new Provider({ url, name, origin, root });
 *     await provider.enrol(keystore, { activation, code, description });   // once
 *     const wallet = provider.wallet(keystore);                            // then pay
 *
 * Source: docs/protocol/overview.md; docs/protocol/key-list.md; docs/protocol/enrolment.md
 */

import { type ApprovalParts, Approvals } from "./approvals.js";
import {
  canonical,
  exactly,
  id,
  natural,
  object,
  readCanonical,
  readJson,
  string,
} from "./canonical.js";
import { random, verify, type VerifyKey } from "./crypto.js";
import { Expired, NotAuthentic, UpgradeRequired } from "./errors.js";
import { keysChallenge, type Prove } from "./evidence.js";
import { authenticate, type AuthenticatedProvider, greet, type Purpose } from "./handshake.js";
import { HYBRID, type Kem, kemsAtHand, type Suite } from "./kems.js";
import {
  type KeyList,
  keysInForce,
  listAddress,
  tallyKeysInForce,
  verifyKeyList,
} from "./keylist.js";
import { splitJws } from "./jws.js";
import type { DeviceKeystore, Identity } from "./keystore.js";
import type { AppClaim, Attestation, Description } from "./messages.js";
import type { MlKem } from "./mlkem.js";
import { base64url, type Octets } from "./octets.js";
import { type OfflineRequest, readOffline } from "./offline.js";
import { Own } from "./own.js";
import { Session } from "./session.js";
import { FetchTransport, JSON_TYPE, refusal, type Transport } from "./transport.js";
import { Wallet } from "./wallet.js";
import { Wiper } from "./wiping.js";

const LIST_AGE_MS = 3_600_000;
const listShape = object({ key_list: string });
const certificateShape = object({
  v: exactly(1),
  id: id("crt"),
  provider: string,
  device: id("dev"),
  customer: id("cus"),
  possession: string,
  consent: string,
  attested: string,
  not_before: natural,
  not_after: natural,
});

export interface ProviderAt {
  readonly url: string;
  readonly name: string;
  /** The name of its tally. */
  readonly origin: string;
  /** The provider root that the app has pinned; with two halves it takes no list of one signature. */
  readonly root: VerifyKey;
  /** The application that runs here, as enrolment and each session say it. */
  readonly app?: AppClaim;
  readonly now?: () => number;
  readonly transport?: Transport;
  /** What may be offered, best first; whatever is at hand if left out. */
  readonly suites?: readonly Suite[];
  /** For the hybrid suite, where the platform has no ML-KEM-768 of its own. */
  readonly mlKem?: MlKem;
  readonly pause?: (seconds: number) => Promise<void>;
}

export interface Enrolling {
  readonly activation: string;
  readonly code: string;
  readonly description: Description;
  readonly shown?: string;
  /** Is given the challenge, and what vouches for both keys; without it none is offered. */
  readonly attest?: (challenge: Octets, keys: Octets) => Promise<Attestation>;
}

export class Provider {
  readonly transport: Transport;
  readonly #at: ProviderAt;
  readonly #now: () => number;
  #kems: Promise<readonly Kem[]> | null = null;
  #list: { readonly found: KeyList; readonly fetchedAt: number } | null = null;

  constructor(at: ProviderAt) {
    this.#at = at;
    this.#now = at.now ?? Date.now;
    this.transport = at.transport ?? new FetchTransport(at.url);
  }

  /** The keys for `purpose`, by kid; the list is fetched anew when an hour old, or `fresh`. */
  async #keys(
    purpose: Parameters<typeof keysInForce>[1],
    keystore: DeviceKeystore,
    fresh = false,
  ): Promise<ReadonlyMap<string, VerifyKey>> {
    return keysInForce(await this.#keyList(keystore, fresh), purpose, this.#now());
  }

  async #keyList(keystore: DeviceKeystore, fresh: boolean): Promise<KeyList> {
    const [now, held] = [this.#now(), this.#list];
    const young = held !== null && now - held.fetchedAt < LIST_AGE_MS && now >= held.fetchedAt;
    if (held !== null && young && now < held.found.expires_at && !fresh) return held.found;
    const reply = await this.transport.get(listAddress(this.#at.root));
    if (reply.status !== 200) throw refusal(reply);
    const { key_list: signed } = listShape(readJson(reply.body));
    const last = Math.max(held?.found.version ?? 0, keystore.memory().keyListVersion);
    const found = await verifyKeyList(signed, this.#at.root, this.#at.name, now, last);
    if (found.version > last) await keystore.remember({ keyListVersion: found.version });
    this.#list = { found, fetchedAt: now };
    return found;
  }

  /** The request in a QR code that was verified without a network: see `offline.ts`. */
  async offlineRequest(
    signed: string,
    keystore: DeviceKeystore,
    account: string,
  ): Promise<OfflineRequest> {
    const keys = await this.#keys("session-signature", keystore);
    return readOffline(signed, keys, this.#now(), account);
  }

  /** The keys that may have signed the tally's checkpoints, the newest first. */
  async tallyKeys(keystore: DeviceKeystore): Promise<readonly VerifyKey[]> {
    return tallyKeysInForce(await this.#keyList(keystore, false), this.#now());
  }

  /** The provider, authenticated by its answer to a fresh hello. */
  async authenticated(purpose: Purpose, keystore: DeviceKeystore): Promise<AuthenticatedProvider> {
    const keys = await this.#keys("session-signature", keystore);
    try {
      return await this.#greeted(purpose, keys, keystore);
    } catch (error) {
      // The provider may have a key that is newer than the list at hand.
      if (!(error instanceof NotAuthentic)) throw error;
    }
    const newest = await this.#keys("session-signature", keystore, true);
    return this.#greeted(purpose, newest, keystore);
  }

  /**
   * The KEMs to offer, best first. Whoever was met with the hybrid suite is offered nothing less:
   * neither an answer, nor a platform without ML-KEM, nor another setting of the app leads back.
   */
  async #offer(keystore: DeviceKeystore): Promise<readonly Kem[]> {
    this.#kems ??= kemsAtHand(this.#at.mlKem);
    const atHand = await this.#kems;
    const wanted = this.#at.suites ?? atHand.map((one) => one.suite);
    const offered = wanted
      .filter((suite) => suite === HYBRID || !keystore.memory().hybrid)
      .flatMap((suite) => atHand.filter((one) => one.suite === suite));
    if (offered.length === 0) {
      throw new UpgradeRequired("this app has none of the suites that it may offer", {
        remedy: "give it an ML-KEM-768: the platform has none",
      });
    }
    return offered;
  }

  async #greeted(
    purpose: Purpose,
    keys: ReadonlyMap<string, VerifyKey>,
    keystore: DeviceKeystore,
  ): Promise<AuthenticatedProvider> {
    const offered = await this.#offer(keystore);
    const kems = await Promise.all(offered.map((one) => one.generate()));
    const greeting = greet(purpose, kems, random(32));
    const reply = await this.transport.post("/v1/sessions", greeting.body, JSON_TYPE);
    if (reply.status < 200 || reply.status > 299) throw refusal(reply);
    const found = await authenticate(greeting, reply.body, this.#at.name, keys);
    if (found.suite === HYBRID && !keystore.memory().hybrid) {
      await keystore.remember({ hybrid: true });
    }
    return found;
  }

  /** Binds the keys of `keystore` to the customer whose activation code was entered. */
  async enrol(keystore: DeviceKeystore, asked: Enrolling): Promise<Identity> {
    const provider = await this.authenticated("enrolment", keystore);
    const none = async (): Promise<Attestation> => ({ format: "none", statement: "" });
    const shown = asked.shown ?? "enrol this device";
    const [possession, consent] = [
      await keystore.possessionPublic(),
      await keystore.consentPublic(),
    ];
    const challenge = await provider.attestationChallenge();
    const keys = await keysChallenge(challenge, possession, consent);
    const attestation = await (asked.attest ?? none)(challenge, keys);
    const pending = await provider.proveEnrolment({
      activation: asked.activation,
      code: asked.code,
      possession: [possession, (message) => keystore.possessionSign(message)],
      consent: [consent, (message) => keystore.consentSign(message, shown)],
      attestation,
      description: { ...(this.#at.app ? { app: this.#at.app } : {}), ...asked.description },
      share: random(32),
    });
    const path = `/v1/enrolments/${pending.session}`;
    const reply = await this.transport.post(path, pending.body, JSON_TYPE);
    if (!reply.sealed) throw refusal(reply);
    const accepted = await pending.confirm(reply.status, reply.body);
    const certified = await this.#certified(accepted.certificate, keystore);
    const right =
      certified.device === accepted.device &&
      certified.customer === accepted.customer &&
      certified.possession === base64url(possession) &&
      certified.consent === base64url(consent);
    if (!right) throw new NotAuthentic("the certificate is not for this device");
    const identity: Identity = {
      provider: this.#at.name,
      device: accepted.device,
      customer: accepted.customer,
      accounts: accepted.accounts,
      certificateId: certified.id,
      certificate: accepted.certificate,
    };
    await keystore.remember({ identity, pairs: [pending.pair] });
    return identity;
  }

  async #certified(
    jws: string,
    keystore: DeviceKeystore,
  ): Promise<ReturnType<typeof certificateShape>> {
    const parts = splitJws(jws);
    for (const [kid, ca] of await this.#keys("device-ca", keystore)) {
      if (parts.header !== canonical({ alg: "ES256", kid, typ: "tallystick-device" })) continue;
      await verify(ca, parts.signature, parts.signed);
      const found = certificateShape(readCanonical(parts.payload));
      if (found.provider !== this.#at.name) break;
      if (this.#now() >= found.not_after) throw new Expired("the certificate is past its time");
      return found;
    }
    throw new NotAuthentic("the certificate is not of this provider");
  }

  /**
   * A session of an enrolled device; it is established at its first use. `prove` answers where the
   * provider asks for a fresh proof of the device.
   */
  session(keystore: DeviceKeystore, prove?: Prove): Session {
    const authenticated = () => this.authenticated("session", keystore);
    const { app } = this.#at;
    const reached = { transport: this.transport, now: this.#now, authenticated, app, prove };
    return new Session(reached, keystore);
  }

  /** The wallet of an enrolled device, over `session` or one of its own. */
  wallet(keystore: DeviceKeystore, session: Session = this.session(keystore)): Wallet {
    return new Wallet({
      session,
      keystore,
      transport: this.transport,
      tallyKeys: () => this.tallyKeys(keystore),
      origin: this.#at.origin,
      now: this.#now,
      ...(this.#at.pause ? { pause: this.#at.pause } : {}),
    });
  }

  /** The requests of an enrolled device, over `session`; its receipts are verified by `wallet`. */
  approvals(
    keystore: DeviceKeystore,
    session: Session,
    how: Pick<ApprovalParts, "company"> & { readonly wallet?: Wallet } = {},
  ): Approvals {
    const wallet = how.wallet ?? this.wallet(keystore, session);
    const company = how.company ? { company: how.company } : {};
    return new Approvals({ session, keystore, wallet, now: this.#now, ...company });
  }

  /** Asks for the wipe of a device that is over, and obeys it. */
  wiper(keystore: DeviceKeystore): Wiper {
    return new Wiper({
      transport: this.transport,
      keystore,
      signatureKeys: () => this.#keys("session-signature", keystore),
      provider: this.#at.name,
      now: this.#now,
    });
  }

  /** What a person does about their own devices, sessions, factors, notices and terms. */
  own(keystore: DeviceKeystore, session: Session): Own {
    return new Own(session, keystore, this.#now);
  }
}
