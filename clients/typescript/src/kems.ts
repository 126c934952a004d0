/**
 * The key encapsulations of the suites: DHKEM(X25519), DHKEM(P-256), and ML-KEM-768 beside X25519,
 * which stays secret while either of its halves does.
 *
 * Source: RFC 9180, 4.1; docs/protocol/overview.md, Suites; FIPS 203
 */

import { EMPTY, expand, extract, subtle } from "./crypto.js";
import { Malformed, NotAuthentic, TallystickError } from "./errors.js";
import {
  checked,
  MLKEM_CIPHERTEXT,
  MLKEM_PUBLIC,
  type MlKem,
  type MlKemPair,
  platformMlKem,
} from "./mlkem.js";
import { join, type Octets, utf8 } from "./octets.js";
import { sha3 } from "./sha3.js";

export const HYBRID = "hpke-mlkem768-x25519";
export type Suite = typeof HYBRID | "hpke-x25519" | "hpke-p256";

/** A fresh key of a suite; its private half is in the closure of `decapsulate`. */
export interface KemPair {
  readonly kem: Kem;
  readonly publicOctets: Octets;
  /** The secret that `enc` carries. NotAuthentic or Malformed for what cannot be one. */
  decapsulate(enc: Octets): Promise<Octets>;
}

export interface Kem {
  readonly suite: Suite;
  readonly id: readonly [number, number];
  /** Octets of the encapsulated key. */
  readonly enc: number;
  generate(): Promise<KemPair>;
  /** A fresh secret for `recipient`. Malformed for a public key that is not one. */
  encapsulate(recipient: Octets): Promise<{ readonly secret: Octets; readonly enc: Octets }>;
}

const V1 = utf8("HPKE-v1");

export function labeledExtract(
  id: Octets,
  salt: Octets,
  name: string,
  ikm: Octets,
): Promise<Octets> {
  return extract(salt, join(V1, id, utf8(name), ikm));
}

export function labeledExpand(
  id: Octets,
  prk: Octets,
  name: string,
  info: Octets,
  length: number,
): Promise<Octets> {
  return expand(prk, join([length >> 8, length & 255], V1, id, utf8(name), info), length);
}

interface Curve {
  readonly suite: Suite;
  readonly id: readonly [number, number];
  readonly enc: number;
  readonly how: EcKeyImportParams | { readonly name: "X25519" };
  readonly derive: "X25519" | "ECDH";
}

/** A KEM out of a Diffie-Hellman agreement. */
export class Agreement implements Kem {
  readonly suite: Suite;
  readonly id: readonly [number, number];
  readonly enc: number;
  readonly #curve: Curve;

  constructor(curve: Curve) {
    this.suite = curve.suite;
    this.id = curve.id;
    this.enc = curve.enc;
    this.#curve = curve;
  }

  /** A pair whose private half cannot leave WebCrypto. */
  async fresh(): Promise<{ readonly privateKey: CryptoKey; readonly publicOctets: Octets }> {
    const pair = await subtle.generateKey(this.#curve.how, false, ["deriveBits"]);
    const { privateKey, publicKey } = pair as CryptoKeyPair;
    return { privateKey, publicOctets: new Uint8Array(await subtle.exportKey("raw", publicKey)) };
  }

  /** The bare agreement of both. */
  async agreed(mine: CryptoKey, theirs: Octets): Promise<Octets> {
    let peer: CryptoKey;
    try {
      peer = await subtle.importKey("raw", theirs, this.#curve.how, false, []);
    } catch {
      throw new Malformed("a public key is not one");
    }
    try {
      const how = { name: this.#curve.derive, public: peer };
      const dh = new Uint8Array(await subtle.deriveBits(how, mine, 256));
      if (dh.some((octet) => octet !== 0)) return dh;
    } catch {
      // A point of small order is refused here by some platforms, below by others.
    }
    throw new NotAuthentic("the message does not open");
  }

  async #secret(dh: Octets, enc: Octets, recipient: Octets): Promise<Octets> {
    const id = join(utf8("KEM"), this.id);
    const eae = await labeledExtract(id, EMPTY, "eae_prk", dh);
    return labeledExpand(id, eae, "shared_secret", join(enc, recipient), 32);
  }

  pair(privateKey: CryptoKey, publicOctets: Octets): KemPair {
    const decapsulate = async (enc: Octets): Promise<Octets> =>
      this.#secret(await this.agreed(privateKey, enc), enc, publicOctets);
    return { kem: this, publicOctets, decapsulate };
  }

  async generate(): Promise<KemPair> {
    const { privateKey, publicOctets } = await this.fresh();
    return this.pair(privateKey, publicOctets);
  }

  async encapsulate(recipient: Octets): Promise<{ secret: Octets; enc: Octets }> {
    const { privateKey, publicOctets: enc } = await this.fresh();
    const dh = await this.agreed(privateKey, recipient);
    return { secret: await this.#secret(dh, enc, recipient), enc };
  }
}

export const X25519 = new Agreement({
  suite: "hpke-x25519",
  id: [0, 0x20],
  enc: 32,
  how: { name: "X25519" },
  derive: "X25519",
});
export const P256 = new Agreement({
  suite: "hpke-p256",
  id: [0, 0x10],
  enc: 65,
  how: { name: "ECDH", namedCurve: "P-256" },
  derive: "ECDH",
});

const MIXED = utf8("\\.//^\\");

/** The secret of both halves, over the curve's ciphertext and public key. */
function mixed(lattice: Octets, curve: Octets, ciphertext: Octets, recipient: Octets): Octets {
  return sha3(join(lattice, curve, ciphertext, recipient, MIXED));
}

/** ML-KEM-768 beside X25519, over an ML-KEM-768 of the platform or the app. */
export class Hybrid implements Kem {
  readonly suite = HYBRID;
  readonly id = [0x64, 0x7a] as const;
  readonly enc = MLKEM_CIPHERTEXT + X25519.enc;
  readonly #mlKem: MlKem;

  constructor(mlKem: MlKem) {
    this.#mlKem = checked(mlKem);
  }

  pair(lattice: MlKemPair, curve: Awaited<ReturnType<Agreement["fresh"]>>): KemPair {
    const decapsulate = async (enc: Octets): Promise<Octets> => {
      const [first, second] = [enc.slice(0, MLKEM_CIPHERTEXT), enc.slice(MLKEM_CIPHERTEXT)];
      const agreed = await X25519.agreed(curve.privateKey, second);
      return mixed(await lattice.decapsulate(first), agreed, second, curve.publicOctets);
    };
    const publicOctets = join(lattice.publicOctets, curve.publicOctets);
    return { kem: this, publicOctets, decapsulate };
  }

  async generate(): Promise<KemPair> {
    return this.pair(await this.#mlKem.generate(), await X25519.fresh());
  }

  async encapsulate(recipient: Octets): Promise<{ secret: Octets; enc: Octets }> {
    if (recipient.length !== MLKEM_PUBLIC + X25519.enc) {
      throw new Malformed("a public key is not one");
    }
    const [lattice, curve] = [recipient.slice(0, MLKEM_PUBLIC), recipient.slice(MLKEM_PUBLIC)];
    const { shared, ciphertext } = await this.#latticed(lattice);
    const { privateKey, publicOctets: enc } = await X25519.fresh();
    const agreed = await X25519.agreed(privateKey, curve);
    return { secret: mixed(shared, agreed, enc, curve), enc: join(ciphertext, enc) };
  }

  async #latticed(recipient: Octets): ReturnType<MlKem["encapsulate"]> {
    try {
      return await this.#mlKem.encapsulate(recipient);
    } catch (error) {
      throw error instanceof TallystickError ? error : new Malformed("a public key is not one");
    }
  }
}

/** What this platform can do, best first; `mlKem` serves where the platform has none of its own. */
export async function kemsAtHand(mlKem?: MlKem): Promise<readonly Kem[]> {
  try {
    await X25519.fresh();
  } catch {
    return [P256];
  }
  const lattice = (await platformMlKem()) ?? mlKem;
  return lattice === undefined ? [X25519, P256] : [new Hybrid(lattice), X25519, P256];
}
