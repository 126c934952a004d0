/**
 * Receipts: leaf, inclusion, checkpoint, disclosures; and that one checkpoint continues another.
 *
 * Source: docs/protocol/tally.md; RFC 9162, 2.1.3.2 and 2.1.4.2; C2SP signed-note, tlog-checkpoint
 */

import {
  canonical,
  exactly,
  integer,
  type Json,
  list,
  matching,
  natural,
  object,
  readCanonical,
  scalar,
  string,
} from "./canonical.js";
import { DUAL, halves, sha256, verify, verifyLattice, type VerifyKey } from "./crypto.js";
import { Malformed, NotAuthentic } from "./errors.js";
import { base64url, fromBase64, fromBase64url, join, type Octets, same, utf8 } from "./octets.js";

export interface Disclosure {
  readonly field: string;
  readonly salt: string;
  readonly value: string | number;
}

export interface Receipt {
  readonly v: 1;
  readonly leaf: string;
  readonly index: number;
  readonly proof: string;
  readonly checkpoint: string;
  readonly disclosures?: readonly Disclosure[];
}

export interface Leaf {
  readonly v: 1;
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly stage: string;
  readonly provider: string;
  readonly policy: number;
  readonly p: Readonly<Record<string, string | number>>;
  readonly c: Readonly<Record<string, string>>;
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Octets;
}

/** What a receipt proves; `disclosed` is null-prototyped, by field. */
export interface Verified {
  readonly leaf: Leaf;
  readonly disclosed: ReadonlyMap<string, string | number>;
  readonly checkpoint: Checkpoint;
}

const FIELD = /^[a-z][a-z0-9_]{0,39}$/;
const fieldName = matching(FIELD);

export const receiptShape = object(
  { v: exactly(1), leaf: string, index: natural, proof: string, checkpoint: string },
  { disclosures: list(object({ field: fieldName, salt: string, value: scalar })) },
);

function named<T>(check: (value: Json) => T): (value: Json) => Readonly<Record<string, T>> {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Malformed("an object is missing");
    }
    const members = Object.entries(value as Readonly<Record<string, Json>>);
    return Object.fromEntries(members.map(([name, one]) => [fieldName(name), check(one)]));
  };
}

const leafShape = object({
  v: exactly(1),
  id: string,
  at: natural,
  kind: string,
  stage: string,
  provider: string,
  policy: natural,
  p: named(scalar),
  c: named(matching(/^[A-Za-z0-9_-]{43}$/)),
});

function readLeaf(octets: Octets): Leaf {
  const leaf = leafShape(readCanonical(octets));
  if (Object.keys(leaf.p).some((name) => Object.hasOwn(leaf.c, name))) {
    throw new Malformed("a field is both in clear and committed");
  }
  return leaf;
}

interface Note {
  readonly text: string;
  readonly signatures: readonly { name: string; keyId: Octets; octets: Octets }[];
}

function parseNote(note: string): Note {
  // eslint-disable-next-line no-control-regex
  if (note.length > 16_385 || /[\x00-\x09\x0b-\x1f]|\p{Surrogate}/u.test(note)) {
    throw new Malformed("the checkpoint is not a note");
  }
  const gap = note.lastIndexOf("\n\n");
  if (gap <= 0 || !note.endsWith("\n")) throw new Malformed("the checkpoint is not a note");
  const lines = note.slice(gap + 2, -1).split("\n");
  if (lines.length > 32) throw new Malformed("the checkpoint has too many signatures");
  const signatures = lines.map((line) => {
    const [, name, text] = /^\u2014 ([^\s+]{1,200}) (\S+)$/u.exec(line) ?? [];
    if (name === undefined || text === undefined) throw new Malformed("not a signature line");
    const octets = fromBase64(text);
    if (octets.length < 5) throw new Malformed("a signature is too short");
    return { name, keyId: octets.slice(0, 4), octets: octets.slice(4) };
  });
  return { text: note.slice(0, gap + 1), signatures };
}

const BESIDE = join([0xff], utf8("tallystick/ml-dsa-65\n"));

/** Returns only if each line of `note` that claims `stated` is good for `check`, and one does. */
async function checkLines(
  note: Note,
  origin: string,
  stated: Octets,
  check: (signature: Octets, text: Octets) => Promise<void>,
): Promise<void> {
  const keyId = (await sha256(join(utf8(`${origin}\n`), stated))).slice(0, 4);
  const claimed = note.signatures.filter((one) => one.name === origin && same(one.keyId, keyId));
  if (claimed.length === 0) throw new NotAuthentic("the checkpoint is not signed by this log");
  for (const one of claimed) await check(one.octets, utf8(note.text));
}

/** The checkpoint in `note`, of the log `origin`, signed by `tallyKey`; of two halves by both. */
export async function verifyCheckpoint(
  note: string,
  tallyKey: VerifyKey,
  origin: string,
): Promise<Checkpoint> {
  const parsed = parseNote(note);
  const [found, size, root, ...more] = parsed.text.slice(0, -1).split("\n");
  if (found === undefined || size === undefined || root === undefined) {
    throw new Malformed("a checkpoint has a name, a size and a root");
  }
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || more.includes("") || found === "") {
    throw new Malformed("a checkpoint has a name, a size and a root");
  }
  const checkpoint = { origin: found, size: integer(Number(size)), root: fromBase64(root) };
  if (checkpoint.root.length !== 32) throw new Malformed("the root has another length");
  if (found !== origin) throw new NotAuthentic("the checkpoint is of another log");
  const twice = tallyKey.algorithm === DUAL ? halves(tallyKey) : null;
  const first = twice?.first ?? tallyKey;
  if (first.algorithm !== "EdDSA") throw new Malformed("a tally key is an EdDSA key");
  await checkLines(parsed, origin, join([1], first.octets), (signature, text) =>
    verify(first, signature, text),
  );
  if (twice !== null) {
    await checkLines(parsed, origin, join(BESIDE, twice.second), (signature, text) =>
      verifyLattice(twice.second, signature, text),
    );
  }
  return checkpoint;
}

const node = (left: Octets, right: Octets): Promise<Octets> => sha256(Uint8Array.of(1), left, right);
const half = (n: number): number => Math.floor(n / 2);

/** Returns only if `proof` leads from a leaf's hash at `index` to the root of `checkpoint`. */
export async function checkInclusion(
  index: number,
  leafHash: Octets,
  proof: readonly Octets[],
  checkpoint: Checkpoint,
): Promise<void> {
  let at = index;
  let last = checkpoint.size - 1;
  let computed = leafHash;
  let holds = index <= last;
  for (const sibling of proof) {
    holds &&= last !== 0;
    if (!holds) break;
    if (at % 2 === 1 || at === last) {
      computed = await node(sibling, computed);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      computed = await node(computed, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  if (!holds || last !== 0 || !same(computed, checkpoint.root)) {
    throw new NotAuthentic("the event is not in the record that the checkpoint states");
  }
}

/** Returns only if `newer` continues `older`; of equal sizes the roots must be equal. */
export async function checkConsistency(
  older: Checkpoint,
  newer: Checkpoint,
  proof: readonly Octets[],
): Promise<void> {
  const refused = new NotAuthentic("the provider shows two histories", {
    remedy: "keep both and report",
  });
  if (older.size === newer.size) {
    if (proof.length === 0 && same(older.root, newer.root)) return;
    throw refused;
  }
  if (older.size === 0 || older.size > newer.size || proof.length === 0) throw refused;
  const power = Number.isInteger(Math.log2(older.size));
  const path = power ? [older.root, ...proof] : proof;
  let [first, last] = [older.size - 1, newer.size - 1];
  while (first % 2 === 1) [first, last] = [half(first), half(last)];
  let [oldRoot, newRoot] = [path[0] as Octets, path[0] as Octets];
  for (const one of path.slice(1)) {
    if (last === 0) throw refused;
    if (first % 2 === 1 || first === last) {
      oldRoot = await node(one, oldRoot);
      newRoot = await node(one, newRoot);
      while (first % 2 === 0 && first !== 0) [first, last] = [half(first), half(last)];
    } else {
      newRoot = await node(newRoot, one);
    }
    [first, last] = [half(first), half(last)];
  }
  if (last !== 0 || !same(oldRoot, older.root) || !same(newRoot, newer.root)) throw refused;
}

/** Hashes that stand one after the other, in base64url; at most 64. */
export function splitHashes(text: string): readonly Octets[] {
  const octets = fromBase64url(text);
  if (octets.length % 32 !== 0 || octets.length > 32 * 64) throw new Malformed("not a proof");
  const hashes: Octets[] = [];
  for (let at = 0; at < octets.length; at += 32) hashes.push(octets.slice(at, at + 32));
  return hashes;
}

/** The commitment to a field under a salt of 16 octets. */
export async function commitment(
  salt: Octets,
  field: string,
  value: string | number,
): Promise<string> {
  const opened = join(utf8("tallystick-field-v1\0"), salt, utf8(canonical([field, value])));
  return base64url(await sha256(opened));
}

async function opened(
  leaf: Leaf,
  disclosures: readonly Disclosure[],
): Promise<Map<string, string | number>> {
  const disclosed = new Map<string, string | number>();
  for (const { field, salt, value } of disclosures) {
    const octets = fromBase64url(salt);
    const right =
      octets.length === 16 && Object.hasOwn(leaf.c, field) && !disclosed.has(field)
        ? (await commitment(octets, field, value)) === leaf.c[field]
        : false;
    if (!right) throw new NotAuthentic(`the field ${field} is not the one that was recorded`);
    disclosed.set(field, value);
  }
  return disclosed;
}

/** What `receipt` proves under the key and the name of a log, both from another source. */
export async function verifyReceipt(
  receipt: Json | Receipt,
  tallyKey: VerifyKey,
  origin: string,
): Promise<Verified> {
  const whole = receiptShape(receipt as Json);
  const checkpoint = await verifyCheckpoint(whole.checkpoint, tallyKey, origin);
  const octets = fromBase64url(whole.leaf);
  const leaf = readLeaf(octets);
  const hash = await sha256(Uint8Array.of(0), octets);
  await checkInclusion(whole.index, hash, splitHashes(whole.proof), checkpoint);
  return { leaf, disclosed: await opened(leaf, whole.disclosures ?? []), checkpoint };
}
