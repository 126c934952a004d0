/**
 * The device's side of the handshake. What says who the device is takes an `AuthenticatedProvider`,
 * which only `authenticate` makes.
 *
 * Source: docs/protocol/session.md; docs/protocol/enrolment.md; ISO/IEC 9798-3
 */

import { canonical, canonicalOctets, type Json, readCanonical } from "./canonical.js";
import { EMPTY, hkdf, hmac, sha256, verify, type VerifyKey } from "./crypto.js";
import { kidOf, openReply, type SessionKeys } from "./envelope.js";
import { Malformed, NotAuthentic } from "./errors.js";
import { open, seal } from "./hpke.js";
import type { Kem, KemPair, Suite } from "./kems.js";
import {
  acceptedShape,
  answerShape,
  type AppClaim,
  type Attestation,
  type Description,
  type EnrolmentAccepted,
  enrolledShape,
  type RenewalPair,
  type SessionAccepted,
  shareShape,
} from "./messages.js";
import { base64url, fromBase64url, join, label, type Octets, same, u64, utf8 } from "./octets.js";

export type Purpose = "session" | "enrolment";
const MAX_MESSAGE = 24 * 1024;
const REMEMBERED = 4;

export type Sign = (message: Octets) => Promise<Octets>;

function transcript(words: string, ...parts: readonly Octets[]): Promise<Octets> {
  return sha256(label(words), ...parts);
}

async function macUnder(shares: Octets, at: Octets, words: string, who: string): Promise<Octets> {
  const secret = await hkdf(shares, at, label(words), 32);
  return hmac(secret, label(words), at, utf8(who));
}

/** The session keys out of both shares and T3. */
export async function sessionKeys(
  session: string,
  shares: Octets,
  t3: Octets,
): Promise<SessionKeys> {
  return {
    kid: kidOf(session),
    request: await hkdf(shares, t3, label("request key"), 32),
    reply: await hkdf(shares, t3, label("reply key"), 32),
    requestIv: await hkdf(shares, t3, label("request iv"), 12),
  };
}

export async function renewalSecret(shares: Octets, t3: Octets, counter: number): Promise<Octets> {
  const exporter = await hkdf(shares, t3, label("exporter"), 32);
  return hkdf(exporter, EMPTY, join(label("renewal secret"), u64(counter)), 32);
}

export function renewalProof(pair: RenewalPair, t2: Octets): Promise<Octets> {
  return hmac(pair.secret, label("renewal proof"), u64(pair.counter), t2);
}

export interface Greeting {
  readonly purpose: Purpose;
  readonly body: Octets;
  readonly kems: readonly KemPair[];
}

/** m1: every key fresh, best suite first, `nonce` 32 random octets. */
export function greet(purpose: Purpose, kems: readonly KemPair[], nonce: Octets): Greeting {
  const body = canonicalOctets({
    versions: [1],
    suites: kems.map((one) => one.kem.suite),
    kem_public: Object.fromEntries(kems.map((one) => [one.kem.suite, base64url(one.publicOctets)])),
    nonce: base64url(nonce),
    purpose,
  });
  return { purpose, body, kems };
}

function described({ app, ...said }: Description): Json {
  return app === undefined ? said : { ...said, app: { ...app } };
}

const MINT = Symbol("made by authenticate");

/** A provider whose signature and MAC over this very handshake verified. */
export class AuthenticatedProvider {
  readonly session: string;
  readonly keyListVersion: number;
  readonly suite: Suite;
  readonly #made: Made;

  constructor(mint: symbol, made: Made) {
    if (mint !== MINT) throw new NotAuthentic("a provider is authenticated by its answer");
    this.session = made.session;
    this.keyListVersion = made.keyListVersion;
    this.suite = made.kem.suite;
    this.#made = made;
  }

  /** What the platform is asked to put into the attestation of the keys. */
  attestationChallenge(): Promise<Octets> {
    return transcript("enrolment attestation challenge", this.#made.t2);
  }

  async #sealed(info: string, content: Json): Promise<Octets> {
    const { kem, kemPublic, t2, cookie } = this.#made;
    const sealed = await seal(kem, kemPublic, join(label(info), t2), canonicalOctets(content));
    return canonicalOctets({ cookie, sealed: base64url(sealed) });
  }

  #for(purpose: Purpose): void {
    if (this.#made.purpose !== purpose) throw new Malformed("begun for another purpose");
  }

  /** m3 of a session; store `remembered` durably before `body` is sent. */
  async proveSession(asked: {
    readonly device: string;
    readonly certificate: string;
    readonly sign: Sign;
    readonly pairs: readonly RenewalPair[];
    readonly share: Octets;
    readonly app?: AppClaim | undefined;
  }): Promise<PendingSession> {
    this.#for("session");
    const { t2 } = this.#made;
    const newest = asked.pairs[0];
    if (newest === undefined) throw new Malformed("there is no renewal pair: enrol first");
    const proposed = asked.pairs.length >= REMEMBERED ? 0 : newest.counter + 1;
    const presented: Json[] = [];
    for (const pair of asked.pairs) {
      presented.push({ counter: pair.counter, proof: base64url(await renewalProof(pair, t2)) });
    }
    const claim = {
      secret: base64url(asked.share),
      device: asked.device,
      certificate: asked.certificate,
      presented,
      proposed,
      ...(asked.app === undefined ? {} : { app: { ...asked.app } }),
    };
    const shares = join(this.#made.share, asked.share);
    const at = await transcript("session claim", t2, canonicalOctets(claim));
    const signature = await asked.sign(join(label("session signature"), at));
    const mac = await macUnder(shares, at, "session mac", asked.device);
    const t3 = await transcript("proved", at, signature, mac);
    const fresh =
      proposed === 0
        ? []
        : [{ counter: proposed, secret: await renewalSecret(shares, t3, proposed) }];
    const proof = { claim, signature: base64url(signature), mac: base64url(mac) };
    return new PendingSession(
      this.session,
      await this.#sealed("session sealed", proof),
      [...fresh, ...asked.pairs],
      await sessionKeys(this.session, shares, t3),
    );
  }

  /** m3 of an enrolment: the code, and both new keys proving themselves. */
  async proveEnrolment(asked: {
    readonly activation: string;
    readonly code: string;
    readonly possession: readonly [Octets, Sign];
    readonly consent: readonly [Octets, Sign];
    readonly attestation: Attestation;
    readonly description: Description;
    readonly share: Octets;
  }): Promise<PendingEnrolment> {
    this.#for("enrolment");
    const possession = base64url(asked.possession[0]);
    const claim = {
      secret: base64url(asked.share),
      activation: asked.activation,
      code: asked.code,
      possession,
      consent: base64url(asked.consent[0]),
      attestation: { ...asked.attestation },
      description: described(asked.description),
    };
    const shares = join(this.#made.share, asked.share);
    const at = await transcript("enrolment claim", this.#made.t2, canonicalOctets(claim));
    const one = await asked.possession[1](join(label("enrolment possession signature"), at));
    const other = await asked.consent[1](join(label("enrolment consent signature"), at));
    const mac = await macUnder(shares, at, "enrolment mac", possession);
    const t3 = await transcript("proved", at, one, other, mac);
    const proof = {
      claim,
      possession_signature: base64url(one),
      consent_signature: base64url(other),
      mac: base64url(mac),
    };
    return new PendingEnrolment(
      this.session,
      await this.#sealed("enrolment sealed", proof),
      await sessionKeys(this.session, shares, t3),
      { counter: 1, secret: await renewalSecret(shares, t3, 1) },
    );
  }
}

interface Made {
  readonly session: string;
  readonly keyListVersion: number;
  readonly purpose: Purpose;
  readonly cookie: string;
  readonly kem: Kem;
  readonly kemPublic: Octets;
  readonly share: Octets;
  readonly t2: Octets;
}

/** The provider that answered `greeting` with the m2 in `body`. */
export async function authenticate(
  greeting: Greeting,
  body: Octets,
  provider: string,
  keys: ReadonlyMap<string, VerifyKey>,
): Promise<AuthenticatedProvider> {
  if (body.length > MAX_MESSAGE) throw new Malformed("the answer is too large");
  const answer = answerShape(readCanonical(body));
  const core = answer.core;
  const pair = greeting.kems.find((one) => one.kem.suite === core.suite);
  if (pair === undefined || core.version !== 1) {
    throw new NotAuthentic("the provider chose what was not offered");
  }
  const known = keys.get(core.kid);
  if (known === undefined || core.provider !== provider) {
    throw new NotAuthentic("the provider is not the expected one", {
      remedy: "renew the key list",
    });
  }
  const t1 = await transcript("hello", greeting.body);
  const at = await transcript("answer", t1, utf8(canonical({ ...core })));
  const signature = fromBase64url(answer.signature);
  const mac = fromBase64url(answer.mac);
  await verify(known, signature, join(label("answer signature"), at));
  const sealed = fromBase64url(core.sealed);
  const opened = await open(pair, join(label("answer sealed"), t1), sealed);
  const share = shareShape(readCanonical(opened));
  const secret = fromBase64url(share.secret);
  if (!same(await macUnder(secret, at, "answer mac", provider), mac)) {
    throw new NotAuthentic("the provider's proof does not hold");
  }
  return new AuthenticatedProvider(MINT, {
    session: core.session,
    keyListVersion: share.key_list_version,
    purpose: greeting.purpose,
    cookie: answer.cookie,
    kem: pair.kem,
    kemPublic: fromBase64url(core.kem_public),
    share: secret,
    t2: await transcript("answered", at, signature, mac),
  });
}

/** m3 as octets, and the pairs to remember durably before it is sent. */
export class PendingSession {
  readonly session: string;
  readonly body: Octets;
  readonly remembered: readonly RenewalPair[];
  readonly keys: SessionKeys;

  constructor(
    session: string,
    body: Octets,
    remembered: readonly RenewalPair[],
    keys: SessionKeys,
  ) {
    this.session = session;
    this.body = body;
    this.remembered = remembered;
    this.keys = keys;
  }

  /** What m4 says, and the one pair to keep; the remembered pairs stay if it does not hold. */
  async confirm(status: number, sealed: Octets): Promise<[SessionAccepted, RenewalPair]> {
    const opened = await openReply(this.keys, "session.establish", 0, status, sealed);
    const accepted = acceptedShape(readCanonical(opened));
    const kept = this.remembered.find((pair) => pair.counter === accepted.counter);
    if (accepted.session !== this.session || kept === undefined) {
      throw new NotAuthentic("the provider accepted another session");
    }
    return [accepted, kept];
  }
}

/** m3 of an enrolment as octets. */
export class PendingEnrolment {
  readonly session: string;
  readonly body: Octets;
  readonly keys: SessionKeys;
  readonly pair: RenewalPair;

  constructor(session: string, body: Octets, keys: SessionKeys, pair: RenewalPair) {
    this.session = session;
    this.body = body;
    this.keys = keys;
    this.pair = pair;
  }

  async confirm(status: number, sealed: Octets): Promise<EnrolmentAccepted> {
    const opened = await openReply(this.keys, "enrolment.complete", 0, status, sealed);
    return enrolledShape(readCanonical(opened));
  }
}
