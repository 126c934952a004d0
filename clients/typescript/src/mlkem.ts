/**
 * ML-KEM-768, which this package does not compute itself: the platform's, where its WebCrypto has
 * it, else what the app hands in, such as `mlKemOf(ml_kem768)` of @noble/post-quantum.
 *
 * Source: FIPS 203; WICG Modern Algorithms in the Web Cryptography API, ML-KEM
 */

import { subtle } from "./crypto.js";
import { Malformed } from "./errors.js";
import type { Octets } from "./octets.js";

export const MLKEM_PUBLIC = 1184;
export const MLKEM_CIPHERTEXT = 1088;
const SHARED = 32;

/** What came of encapsulating: 32 octets, and the 1,088 that give them to whoever has the key. */
export interface Encapsulated {
  readonly shared: Octets;
  readonly ciphertext: Octets;
}

export interface MlKemPair {
  /** 1,184 octets. */
  readonly publicOctets: Octets;
  /** The 32 octets in a ciphertext of 1,088; others, in the same time, for one that is not ours. */
  decapsulate(ciphertext: Octets): Promise<Octets>;
}

/** ML-KEM-768. Both functions draw their random octets themselves. */
export interface MlKem {
  generate(): Promise<MlKemPair>;
  /** Rejects with any error for a key that FIPS 203, 7.2, does not take. */
  encapsulate(publicOctets: Octets): Promise<Encapsulated>;
}

/** ML-KEM-768 of a library in the shape that most have, @noble/post-quantum among them. */
export interface MlKemLibrary {
  keygen(): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
  encapsulate(publicKey: Uint8Array): {
    readonly cipherText: Uint8Array;
    readonly sharedSecret: Uint8Array;
  };
  decapsulate(cipherText: Uint8Array, secretKey: Uint8Array): Uint8Array;
}

const NAME = "ML-KEM-768";

/** What the types of today's compilers do not know of WebCrypto yet. */
interface Encapsulating {
  encapsulateBits?(
    name: string,
    publicKey: CryptoKey,
  ): Promise<{ readonly sharedKey: ArrayBuffer; readonly ciphertext: ArrayBuffer }>;
  decapsulateBits(name: string, privateKey: CryptoKey, ciphertext: Octets): Promise<ArrayBuffer>;
  generateKey(name: string, extractable: boolean, uses: readonly string[]): Promise<CryptoKeyPair>;
  importKey(
    form: string,
    octets: Octets,
    name: string,
    extractable: boolean,
    uses: readonly string[],
  ): Promise<CryptoKey>;
  exportKey(form: string, one: CryptoKey): Promise<ArrayBuffer>;
}

const platform = subtle as unknown as Encapsulating;

async function platformPair(): Promise<MlKemPair> {
  const pair = await platform.generateKey(NAME, false, ["encapsulateBits", "decapsulateBits"]);
  return {
    publicOctets: new Uint8Array(await platform.exportKey("raw-public", pair.publicKey)),
    decapsulate: async (ciphertext) =>
      new Uint8Array(await platform.decapsulateBits(NAME, pair.privateKey, ciphertext)),
  };
}

/** The platform's own, or null where its WebCrypto has none. */
export async function platformMlKem(): Promise<MlKem | null> {
  const encapsulate = platform.encapsulateBits?.bind(platform);
  if (encapsulate === undefined) return null;
  try {
    await platformPair();
  } catch {
    return null;
  }
  return {
    generate: platformPair,
    encapsulate: async (octets) => {
      const known = await platform.importKey("raw-public", octets, NAME, false, [
        "encapsulateBits",
      ]);
      const made = await encapsulate(NAME, known);
      return {
        shared: new Uint8Array(made.sharedKey),
        ciphertext: new Uint8Array(made.ciphertext),
      };
    },
  };
}

/** What a library of the usual shape gives, as this package takes it. */
export function mlKemOf(library: MlKemLibrary): MlKem {
  return {
    generate: async () => {
      const { publicKey, secretKey } = library.keygen();
      return {
        publicOctets: Uint8Array.from(publicKey),
        decapsulate: async (ciphertext) =>
          Uint8Array.from(library.decapsulate(ciphertext, secretKey)),
      };
    },
    encapsulate: async (publicOctets) => {
      const { cipherText, sharedSecret } = library.encapsulate(publicOctets);
      return {
        shared: Uint8Array.from(sharedSecret),
        ciphertext: Uint8Array.from(cipherText),
      };
    },
  };
}

function sized(octets: Octets, length: number): Octets {
  if (octets.length !== length) throw new Malformed("what was handed in is not ML-KEM-768");
  return octets;
}

/** `mlKem`, every length of it looked at: one of another strength is refused and not padded. */
export function checked(mlKem: MlKem): MlKem {
  return {
    generate: async () => {
      const pair = await mlKem.generate();
      return {
        publicOctets: sized(pair.publicOctets, MLKEM_PUBLIC),
        decapsulate: async (ciphertext) => sized(await pair.decapsulate(ciphertext), SHARED),
      };
    },
    encapsulate: async (publicOctets) => {
      const made = await mlKem.encapsulate(publicOctets);
      return {
        shared: sized(made.shared, SHARED),
        ciphertext: sized(made.ciphertext, MLKEM_CIPHERTEXT),
      };
    },
  };
}
