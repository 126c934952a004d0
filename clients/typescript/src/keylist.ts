/**
 * The provider's signed key list, checked under the pinned root: the only way to any other key.
 *
 * Source: docs/protocol/key-list.md; RFC 7515
 */

import { canonical, exactly, id, list, matching, natural, object, readCanonical } from "./canonical.js";
import { type Algorithm, DUAL, SIZES, verify, type VerifyKey } from "./crypto.js";
import { Conflict, Expired, Malformed, NotAuthentic, NotFound, TallystickError } from "./errors.js";
import { splitJws } from "./jws.js";
import { fromBase64url } from "./octets.js";

export type Purpose =
  | "session-signature"
  | "device-ca"
  | "tally"
  | "time-stamp"
  | "app-signing";

export interface KeyEntry {
  readonly kid: string;
  readonly purpose: string;
  readonly algorithm: string;
  readonly public: string;
  readonly not_before: number;
  readonly not_after: number;
}

export interface KeyList {
  readonly provider: string;
  readonly version: number;
  readonly issued_at: number;
  readonly expires_at: number;
  readonly entries: readonly KeyEntry[];
}

const CLOCK_TOLERANCE_MS = 5 * 60_000;
const ALLOWED: Readonly<Record<Purpose, readonly string[]>> = {
  "session-signature": ["ES256", "EdDSA"],
  "device-ca": ["ES256"],
  tally: ["EdDSA", DUAL],
  "time-stamp": ["ES256"],
  "app-signing": ["ES256"],
};

const word = matching(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/);
const shape = object({
  v: exactly(1),
  provider: matching(/^[^]{1,200}$/),
  version: natural,
  issued_at: natural,
  expires_at: natural,
  entries: list(
    object({
      kid: id("key"),
      purpose: word,
      algorithm: word,
      public: matching(/^[A-Za-z0-9_-]+$/),
      not_before: natural,
      not_after: natural,
    }),
  ),
});

function checkEntries(found: KeyList): void {
  if (new Set(found.entries.map((entry) => entry.kid)).size !== found.entries.length) {
    throw new Malformed("the key list names a key twice");
  }
  if (found.expires_at <= found.issued_at) throw new Malformed("the list ends before it begins");
  for (const entry of found.entries) {
    const allowed = Object.hasOwn(ALLOWED, entry.purpose) ? ALLOWED[entry.purpose as Purpose] : [];
    const octets = fromBase64url(entry.public);
    const sizes: Readonly<Record<string, number>> = SIZES;
    const size = sizes[entry.algorithm] ?? octets.length;
    if (!allowed.includes(entry.algorithm) || entry.not_after <= entry.not_before) {
      throw new Malformed("an entry does not fit its purpose");
    }
    if (octets.length !== size) throw new Malformed("a public key has another length");
  }
}

/** Where the list is that whoever pins `root` takes. */
export function listAddress(root: VerifyKey): string {
  return root.algorithm === DUAL ? "/v1/dual-keys" : "/v1/keys";
}

/**
 * The list in `jws`: signed by `root`, for `provider`, in force at `now` and not older than
 * `lastVersion`. NotAuthentic for whatever form or signer; Conflict for an older version; Expired.
 */
export async function verifyKeyList(
  jws: string,
  root: VerifyKey,
  provider: string,
  now: number,
  lastVersion: number,
): Promise<KeyList> {
  let found: KeyList;
  try {
    const parts = splitJws(jws);
    if (parts.header !== canonical({ alg: root.algorithm, typ: "tallystick-keylist" })) {
      throw new Malformed("another header");
    }
    await verify(root, parts.signature, parts.signed);
    found = shape(readCanonical(parts.payload));
    checkEntries(found);
    if (found.provider !== provider) throw new Malformed("another provider");
  } catch (error) {
    if (!(error instanceof TallystickError)) throw error;
    throw new NotAuthentic("the key list does not verify", {
      remedy: "fetch it again; report if it stays",
    });
  }
  if (found.version < lastVersion) {
    throw new Conflict(`the key list has version ${found.version}, ${lastVersion} was seen before`, {
      remedy: "do not use it; report it to the provider",
    });
  }
  if (found.issued_at > now + CLOCK_TOLERANCE_MS) {
    throw new Expired("the key list is not yet in force", { remedy: "check the clock" });
  }
  if (now >= found.expires_at) {
    throw new Expired("the key list is past its time", { remedy: "fetch the newest list" });
  }
  return found;
}

/** The keys for `purpose` that are in their time at `now`, by kid, the newest first. */
export function keysInForce(
  found: KeyList,
  purpose: Purpose,
  now: number,
): ReadonlyMap<string, VerifyKey> {
  const inForce = found.entries
    .filter((one) => one.purpose === purpose && one.not_before <= now && now < one.not_after)
    .sort((one, other) => other.not_before - one.not_before);
  if (inForce.length === 0) {
    throw new NotFound(`the key list has no ${purpose} key in force`, {
      remedy: "fetch the newest list",
    });
  }
  return new Map(
    inForce.map((one) => [
      one.kid,
      { algorithm: one.algorithm as Algorithm, octets: fromBase64url(one.public) },
    ]),
  );
}

/** Every device has a list after an hour, and a service signs with a new key five minutes later. */
const TAKEN_OVER_MS = 2 * 3_600_000;

/**
 * The keys that may have signed the tally's checkpoints at `now`, the newest first. Once a key of two
 * halves has had time to take over, none of one half counts any more.
 */
export function tallyKeysInForce(found: KeyList, now: number): readonly VerifyKey[] {
  const keys = keysInForce(found, "tally", now);
  const dual = found.entries.filter((one) => one.purpose === "tally" && one.algorithm === DUAL);
  const over = dual.some((one) => now - one.not_before > TAKEN_OVER_MS && keys.has(one.kid));
  const all = [...keys.values()];
  return over ? all.filter((one) => one.algorithm === DUAL) : all;
}
