/**
 * The few primitives, all WebCrypto's: SHA-256, HMAC, HKDF, AES-256-GCM, ES256, EdDSA.
 *
 * The second of two signatures, ML-DSA-65, is the platform's, or the optional package's
 * @noble/post-quantum; with neither whoever pins a key of two halves is told so, and nothing passes.
 *
 * Source: RFC 5869; RFC 8032; FIPS 186-5; FIPS 204; NIST SP 800-38D
 */

import { Malformed, NotAuthentic } from "./errors.js";
import { join, type Octets } from "./octets.js";

export const subtle: SubtleCrypto = globalThis.crypto.subtle;
export const EMPTY: Octets = new Uint8Array();

export const DUAL = "EdDSA-ML-DSA-65";
export type Algorithm = "ES256" | "EdDSA" | typeof DUAL;

/** Octets of a public key by its algorithm; of two halves the first has 32. */
export const SIZES: Readonly<Record<Algorithm, number>> = { ES256: 65, EdDSA: 32, [DUAL]: 1984 };

/** A public key that verifies, by the name of its algorithm. */
export interface VerifyKey {
  readonly algorithm: Algorithm;
  readonly octets: Octets;
}

export function random(count: number): Octets {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

export async function sha256(...parts: readonly Uint8Array[]): Promise<Octets> {
  return new Uint8Array(await subtle.digest("SHA-256", join(...parts)));
}

export async function hmac(secret: Octets, ...parts: readonly Uint8Array[]): Promise<Octets> {
  const use = { name: "HMAC", hash: "SHA-256" };
  const imported = await subtle.importKey("raw", secret, use, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, join(...parts)));
}

export function extract(salt: Octets, secret: Octets): Promise<Octets> {
  return hmac(salt.length ? salt : new Uint8Array(32), secret);
}

export async function expand(prk: Octets, info: Octets, length: number): Promise<Octets> {
  let out = EMPTY;
  let block = EMPTY;
  for (let i = 1; out.length < length; i += 1) {
    block = await hmac(prk, block, info, Uint8Array.of(i));
    out = join(out, block);
  }
  return out.slice(0, length);
}

export async function hkdf(
  secret: Octets,
  salt: Octets,
  info: Octets,
  length: number,
): Promise<Octets> {
  return expand(await extract(salt, secret), info, length);
}

async function gcm(secret: Octets, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return subtle.importKey("raw", secret, "AES-GCM", false, [use]);
}

export async function gcmSeal(
  secret: Octets,
  iv: Octets,
  bound: Octets,
  content: Octets,
): Promise<Octets> {
  const how = { name: "AES-GCM", iv, additionalData: bound };
  return new Uint8Array(await subtle.encrypt(how, await gcm(secret, "encrypt"), content));
}

/** The content; NotAuthentic for whatever cause. */
export async function gcmOpen(
  secret: Octets,
  iv: Octets,
  bound: Octets,
  sealed: Octets,
): Promise<Octets> {
  const how = { name: "AES-GCM", iv, additionalData: bound };
  try {
    return new Uint8Array(await subtle.decrypt(how, await gcm(secret, "decrypt"), sealed));
  } catch {
    throw new NotAuthentic("the message does not open");
  }
}

const ES256 = { name: "ECDSA", namedCurve: "P-256" } as const;
export const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

function imported(verifier: VerifyKey): Promise<CryptoKey> {
  const how = verifier.algorithm === "ES256" ? ES256 : { name: "Ed25519" };
  return subtle.importKey("raw", verifier.octets, how, false, ["verify"]);
}

/** The two halves of a key: that of Ed25519 as a key of its own, and the octets of ML-DSA-65. */
export function halves(verifier: VerifyKey): { readonly first: VerifyKey; readonly second: Octets } {
  if (verifier.algorithm !== DUAL || verifier.octets.length !== SIZES[DUAL]) {
    throw new Malformed("the key has not two halves");
  }
  const [first, second] = [verifier.octets.slice(0, 32), verifier.octets.slice(32)];
  return { first: { algorithm: "EdDSA", octets: first }, second };
}

const LATTICE = "ML-DSA-65";

/** Whether the platform finds it good; null where it has no ML-DSA-65. */
async function platformVerifies(
  lattice: Octets,
  signature: Octets,
  message: Octets,
): Promise<boolean | null> {
  let known: CryptoKey;
  try {
    known = await subtle.importKey("raw-public" as "raw", lattice, LATTICE, false, ["verify"]);
  } catch {
    return null;
  }
  return subtle.verify(LATTICE, known, signature, message);
}

/** Returns only if `signature`, of ML-DSA-65 alone, is that of the public key `lattice`. */
export async function verifyLattice(
  lattice: Octets,
  signature: Octets,
  message: Octets,
): Promise<void> {
  const found = signature.length === 3309 && (await platformVerifies(lattice, signature, message));
  if (found === true) return;
  if (found === false) throw new NotAuthentic("a signature does not verify");
  let right = false;
  try {
    const { ml_dsa65: library } = await import("@noble/post-quantum/ml-dsa.js");
    right = library.verify(signature, message, lattice);
  } catch (error) {
    throw error instanceof TypeError || (error as { code?: string }).code === "ERR_MODULE_NOT_FOUND"
      ? new NotAuthentic("@noble/post-quantum is not installed, so nothing is verified")
      : new NotAuthentic("a signature does not verify");
  }
  if (!right) throw new NotAuthentic("a signature does not verify");
}

/** Returns only if `signature` is that of `verifier` over `message`; of two halves both. */
export async function verify(
  verifier: VerifyKey,
  signature: Octets,
  message: Octets,
): Promise<void> {
  if (verifier.algorithm === DUAL) {
    const { first, second } = halves(verifier);
    await verify(first, signature.slice(0, 64), message);
    return verifyLattice(second, signature.slice(64), message);
  }
  let known: CryptoKey;
  try {
    known = await imported(verifier);
  } catch (error) {
    const missing = error instanceof DOMException && error.name === "NotSupportedError";
    throw missing
      ? new NotAuthentic("this platform does not know the algorithm, so nothing is verified")
      : new Malformed("a public key is not one");
  }
  const how = verifier.algorithm === "ES256" ? SIGNING : { name: "Ed25519" };
  const right = signature.length === 64 && (await subtle.verify(how, known, signature, message));
  if (!right) throw new NotAuthentic("a signature does not verify");
}

/** A fresh ES256 pair whose private half cannot leave WebCrypto unless `extractable`. */
export function generateSigningPair(extractable = false): Promise<CryptoKeyPair> {
  return subtle.generateKey(ES256, extractable, ["sign", "verify"]);
}

export async function publicOctets(pair: CryptoKeyPair): Promise<Octets> {
  return new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
}

export async function sign(pair: CryptoKeyPair, message: Octets): Promise<Octets> {
  return new Uint8Array(await subtle.sign(SIGNING, pair.privateKey, message));
}
