/**
 * Where a device keeps its two keys and what it must remember between sessions.
 *
 * `SoftwareKeystore` is software, with no hardware protection: whoever runs script in its page or
 * process can use its keys, though WebCrypto does not let them be copied where its memory says so.
 *
 * Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.5; 8.1.2
 */

import { generateSigningPair, publicOctets, sign } from "./crypto.js";
import { NotAuthentic, NotFound } from "./errors.js";
import type { RenewalPair } from "./messages.js";
import type { Octets } from "./octets.js";

export interface Identity {
  readonly provider: string;
  readonly device: string;
  readonly customer: string;
  readonly accounts: readonly string[];
  readonly certificateId: string;
  readonly certificate: string;
}

/** How often the user's verification failed: all since enrolment, and in a row. */
export interface Tries {
  readonly failed: number;
  readonly inRow: number;
}

/** What a device remembers; one record, so that what belongs together is stored together. */
export interface Memory {
  readonly identity: Identity | null;
  readonly pairs: readonly RenewalPair[];
  readonly checkpoint: string;
  readonly tries: Tries;
  readonly keyListVersion: number;
  /** Whether the provider was met with the hybrid suite: nothing less is offered from then on. */
  readonly hybrid: boolean;
}

export const NOTHING: Memory = {
  identity: null,
  pairs: [],
  checkpoint: "",
  tries: { failed: 0, inRow: 0 },
  keyListVersion: 0,
  hybrid: false,
};

/** The keys of a device and its small memory. */
export interface DeviceKeystore {
  readonly protection: string;
  possessionPublic(): Promise<Octets>;
  consentPublic(): Promise<Octets>;
  /** ES256 without asking. */
  possessionSign(message: Octets): Promise<Octets>;
  /** ES256 after the user was verified for what is `shown`. */
  consentSign(message: Octets, shown: string): Promise<Octets>;
  memory(): Memory;
  /** Changes some members; durable when it resolves. */
  remember(changed: Partial<Memory>): Promise<void>;
}

export function identityOf(keystore: DeviceKeystore): Identity {
  const { identity } = keystore.memory();
  if (identity === null) {
    throw new NotFound("the device is not enrolled", { remedy: "enrol it with a code" });
  }
  return identity;
}

export interface Pairs {
  readonly possession: CryptoKeyPair;
  readonly consent: CryptoKeyPair;
}

/** Writes keys and memory durably; resolves when it is done. */
export type Save = (pairs: Pairs, memory: Memory) => Promise<void>;

/**
 * Asks the person for what is shown. Throws NotAuthentic for whoever is not the user, which is
 * counted, and NotPermitted where the user says no, which is not.
 */
export type VerifyUser = (shown: string) => Promise<void>;

export class SoftwareKeystore implements DeviceKeystore {
  readonly protection = "software, no hardware protection";
  readonly #pairs: Pairs;
  readonly #verifyUser: VerifyUser;
  readonly #save: Save;
  #memory: Memory;
  #saving: Promise<void> = Promise.resolve();

  constructor(pairs: Pairs, memory: Memory, verifyUser: VerifyUser, save: Save) {
    this.#pairs = pairs;
    this.#memory = memory;
    this.#verifyUser = verifyUser;
    this.#save = save;
  }

  /** Fresh keys in this process alone, unless `save` keeps them. */
  static async create(
    verifyUser: VerifyUser,
    save: Save = async () => {},
    extractable = false,
  ): Promise<SoftwareKeystore> {
    const pairs = {
      possession: await generateSigningPair(extractable),
      consent: await generateSigningPair(extractable),
    };
    await save(pairs, NOTHING);
    return new SoftwareKeystore(pairs, NOTHING, verifyUser, save);
  }

  possessionPublic(): Promise<Octets> {
    return publicOctets(this.#pairs.possession);
  }

  consentPublic(): Promise<Octets> {
    return publicOctets(this.#pairs.consent);
  }

  possessionSign(message: Octets): Promise<Octets> {
    return sign(this.#pairs.possession, message);
  }

  async consentSign(message: Octets, shown: string): Promise<Octets> {
    const { failed, inRow } = this.#memory.tries;
    try {
      await this.#verifyUser(shown);
    } catch (error) {
      if (error instanceof NotAuthentic) {
        await this.remember({ tries: { failed: failed + 1, inRow: inRow + 1 } });
      }
      throw error;
    }
    if (inRow) await this.remember({ tries: { failed, inRow: 0 } });
    return sign(this.#pairs.consent, message);
  }

  memory(): Memory {
    return this.#memory;
  }

  /** One after the other: what two changes are about is kept of both, in the order they came. */
  remember(changed: Partial<Memory>): Promise<void> {
    const saved = this.#saving.then(async () => {
      const memory = { ...this.#memory, ...changed };
      await this.#save(this.#pairs, memory);
      this.#memory = memory;
    });
    this.#saving = saved.catch(() => {});
    return saved;
  }
}
