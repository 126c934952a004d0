/**
 * HPKE in base mode, one message, no additional data: DHKEM(X25519) or DHKEM(P-256), HKDF-SHA256,
 * AES-256-GCM. The hybrid with ML-KEM-768 is not offered: WebCrypto has no ML-KEM, and a copy of it
 * in script would promise more than it keeps.
 *
 * Source: RFC 9180, 4.1; 5.1; 6.1
 */

import { EMPTY, expand, extract, gcmOpen, gcmSeal, subtle } from "./crypto.js";
import { Malformed, NotAuthentic } from "./errors.js";
import { join, type Octets, utf8 } from "./octets.js";

export type Suite = "hpke-x25519" | "hpke-p256";

interface Kem {
  readonly id: readonly [number, number];
  readonly enc: number;
  readonly generate: EcKeyImportParams | { readonly name: "X25519" };
  readonly derive: "X25519" | "ECDH";
}

const KEMS: Readonly<Record<Suite, Kem>> = {
  "hpke-x25519": { id: [0, 0x20], enc: 32, generate: { name: "X25519" }, derive: "X25519" },
  "hpke-p256": {
    id: [0, 0x10],
    enc: 65,
    generate: { name: "ECDH", namedCurve: "P-256" },
    derive: "ECDH",
  },
};

/** A key pair of a suite; its private half cannot leave WebCrypto. */
export interface KemPair {
  readonly suite: Suite;
  readonly privateKey: CryptoKey;
  readonly publicOctets: Octets;
}

export async function generateKem(suite: Suite): Promise<KemPair> {
  const how = KEMS[suite].generate;
  const pair = (await subtle.generateKey(how, false, ["deriveBits"])) as CryptoKeyPair;
  const octets = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  return { suite, privateKey: pair.privateKey, publicOctets: octets };
}

/** The suites that this platform can do, best first. */
export async function offeredSuites(): Promise<readonly Suite[]> {
  try {
    await generateKem("hpke-x25519");
    return ["hpke-x25519", "hpke-p256"];
  } catch {
    return ["hpke-p256"];
  }
}

const V1 = utf8("HPKE-v1");
const NONE = EMPTY;

function labeledExtract(id: Octets, salt: Octets, name: string, ikm: Octets): Promise<Octets> {
  return extract(salt, join(V1, id, utf8(name), ikm));
}

function labeledExpand(
  id: Octets,
  prk: Octets,
  name: string,
  info: Octets,
  length: number,
): Promise<Octets> {
  return expand(prk, join([length >> 8, length & 255], V1, id, utf8(name), info), length);
}

async function agreed(suite: Suite, mine: CryptoKey, theirs: Octets): Promise<Octets> {
  const kem = KEMS[suite];
  let peer: CryptoKey;
  try {
    peer = await subtle.importKey("raw", theirs, kem.generate, false, []);
  } catch {
    throw new Malformed("a public key is not one");
  }
  try {
    const how = { name: kem.derive, public: peer };
    const dh = new Uint8Array(await subtle.deriveBits(how, mine, 256));
    if (dh.some((octet) => octet !== 0)) return dh;
  } catch {
    // A point of small order is refused here by some platforms, below by others.
  }
  throw new NotAuthentic("the message does not open");
}

async function context(
  suite: Suite,
  dh: Octets,
  enc: Octets,
  recipient: Octets,
  info: Octets,
): Promise<{ secret: Octets; nonce: Octets }> {
  const kem = KEMS[suite];
  const kemId = join(utf8("KEM"), kem.id);
  const eae = await labeledExtract(kemId, NONE, "eae_prk", dh);
  const shared = await labeledExpand(kemId, eae, "shared_secret", join(enc, recipient), 32);
  const id = join(utf8("HPKE"), kem.id, [0, 1], [0, 2]);
  const schedule = join(
    [0],
    await labeledExtract(id, NONE, "psk_id_hash", NONE),
    await labeledExtract(id, NONE, "info_hash", info),
  );
  const prk = await labeledExtract(id, shared, "secret", NONE);
  return {
    secret: await labeledExpand(id, prk, "key", schedule, 32),
    nonce: await labeledExpand(id, prk, "base_nonce", schedule, 12),
  };
}

/** The encapsulated key and the ciphertext, side by side. */
export async function seal(
  suite: Suite,
  recipient: Octets,
  info: Octets,
  content: Octets,
): Promise<Octets> {
  const fresh = await generateKem(suite);
  const dh = await agreed(suite, fresh.privateKey, recipient);
  const { secret, nonce } = await context(suite, dh, fresh.publicOctets, recipient, info);
  return join(fresh.publicOctets, await gcmSeal(secret, nonce, NONE, content));
}

/** What was sealed to `mine` with `info`; NotAuthentic for whatever cause. */
export async function open(mine: KemPair, info: Octets, message: Octets): Promise<Octets> {
  const size = KEMS[mine.suite].enc;
  const [enc, sealed] = [message.slice(0, size), message.slice(size)];
  if (enc.length < size || sealed.length < 16) throw new Malformed("the sealed text is too short");
  const dh = await agreed(mine.suite, mine.privateKey, enc);
  const { secret, nonce } = await context(mine.suite, dh, enc, mine.publicOctets, info);
  return gcmOpen(secret, nonce, NONE, sealed);
}
