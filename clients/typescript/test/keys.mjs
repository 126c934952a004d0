// Private keys of the vectors, as this package takes them.
import { createHash } from "node:crypto";

import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

import { Hybrid, P256, X25519 } from "../dist/kems.js";
import { mlKemOf } from "../dist/mlkem.js";
import { base64url, fromHex, join } from "../dist/octets.js";

const { subtle } = globalThis.crypto;

export const noble = mlKemOf(ml_kem768);
export const hybrid = new Hybrid(noble);

/** ML-KEM-768 whose next key comes from `seed`, of 64 octets. */
export const seeded = (seed) => mlKemOf({ ...ml_kem768, keygen: () => ml_kem768.keygen(seed) });

function curvePrivate(secret) {
  const pkcs8 = join(fromHex("302e020100300506032b656e04220420"), secret);
  return subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
}

/** The pair of a suite out of its 32 private octets. */
export async function pairOf(suite, secret, publicOctets) {
  if (suite === "hpke-x25519") return X25519.pair(await curvePrivate(secret), publicOctets);
  if (suite === "hpke-p256") {
    const [x, y] = [publicOctets.slice(1, 33), publicOctets.slice(33)].map(base64url);
    const jwk = { kty: "EC", crv: "P-256", d: base64url(secret), x, y };
    const how = { name: "ECDH", namedCurve: "P-256" };
    return P256.pair(await subtle.importKey("jwk", jwk, how, false, ["deriveBits"]), publicOctets);
  }
  const expanded = createHash("shake256", { outputLength: 96 }).update(secret).digest();
  const lattice = await seeded(Uint8Array.from(expanded.subarray(0, 64))).generate();
  const privateKey = await curvePrivate(Uint8Array.from(expanded.subarray(64)));
  return hybrid.pair(lattice, { privateKey, publicOctets: publicOctets.slice(1184) });
}
