/**
 * A keystore in a file, for programs under Node. The file has the private keys in clear and is made
 * for its owner alone: for machines that are protected otherwise, and for tests.
 *
 * Source: ISO/TS 12812-2:2017, 8.1.2
 */

import { open, readFile, rename } from "node:fs/promises";

import { subtle } from "./crypto.js";
import { Malformed } from "./errors.js";
import { type Memory, type Pairs, type Save, SoftwareKeystore, type VerifyUser } from "./keystore.js";
import { base64url, fromBase64url } from "./octets.js";

interface KeptPair {
  readonly privateKey: JsonWebKey;
  readonly publicKey: JsonWebKey;
}
interface Kept {
  readonly possession: KeptPair;
  readonly consent: KeptPair;
  readonly memory: Omit<Memory, "pairs"> & {
    readonly pairs: readonly { readonly counter: number; readonly secret: string }[];
  };
}

const P256 = { name: "ECDSA", namedCurve: "P-256" };

async function exported(pair: CryptoKeyPair): Promise<KeptPair> {
  return {
    privateKey: await subtle.exportKey("jwk", pair.privateKey),
    publicKey: await subtle.exportKey("jwk", pair.publicKey),
  };
}

async function imported(kept: KeptPair): Promise<CryptoKeyPair> {
  return {
    privateKey: await subtle.importKey("jwk", kept.privateKey, P256, true, ["sign"]),
    publicKey: await subtle.importKey("jwk", kept.publicKey, P256, true, ["verify"]),
  };
}

function saving(path: string): Save {
  return async (pairs, memory) => {
    const kept: Kept = {
      possession: await exported(pairs.possession),
      consent: await exported(pairs.consent),
      memory: {
        ...memory,
        pairs: memory.pairs.map(({ counter, secret }) => ({ counter, secret: base64url(secret) })),
      },
    };
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(JSON.stringify(kept));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  };
}

/** The keystore in the file at `path`; it is made with fresh keys where there is none. */
export async function openFileKeystore(
  path: string,
  verifyUser: VerifyUser,
): Promise<SoftwareKeystore> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return SoftwareKeystore.create(verifyUser, saving(path), true);
  }
  let kept: Kept;
  try {
    kept = JSON.parse(text) as Kept;
  } catch {
    throw new Malformed("the keystore's file is not one");
  }
  const pairs: Pairs = {
    possession: await imported(kept.possession),
    consent: await imported(kept.consent),
  };
  const memory: Memory = {
    ...kept.memory,
    pairs: kept.memory.pairs.map(({ counter, secret }) => ({
      counter,
      secret: fromBase64url(secret),
    })),
  };
  return new SoftwareKeystore(pairs, memory, verifyUser, saving(path));
}
