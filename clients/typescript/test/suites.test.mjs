// Two signatures of which both count: vectors/suites.json by this package's code and @noble's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { verify } from "../dist/crypto.js";
import { keysInForce, listAddress, tallyKeysInForce, verifyKeyList } from "../dist/keylist.js";
import { fromBase64url } from "../dist/octets.js";
import { verifyCheckpoint } from "../dist/tally.js";

const file = new URL("../../../vectors/suites.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8"));
const keyOf = (half) => ({ algorithm: half.algorithm, octets: fromBase64url(half.public) });
const refused = { code: "not-authentic" };

test("key lists of two signatures and of one", async () => {
  const { now, provider, root, first_half: first, ...lists } = vectors.key_list;
  const both = await verifyKeyList(lists.dual_list, keyOf(root), provider, now, 3);
  const one = await verifyKeyList(lists.classical_list, keyOf(first), provider, now, 3);
  assert.deepEqual(
    both.entries.map((entry) => entry.algorithm),
    ["EdDSA", "EdDSA-ML-DSA-65"],
  );
  assert.deepEqual(
    one.entries.map((entry) => entry.algorithm),
    ["EdDSA", "EdDSA"],
  );
  assert.equal(listAddress(keyOf(root)), "/v1/dual-keys");
  assert.equal(listAddress(keyOf(first)), "/v1/keys");
  assert.equal(lists.refused_under_both_halves.length, 7);
  for (const { jws } of lists.refused_under_both_halves) {
    await assert.rejects(verifyKeyList(jws, keyOf(root), provider, now, 3), refused);
  }
  await assert.rejects(verifyKeyList(lists.dual_list, keyOf(first), provider, now, 3), refused);
});

test("a key of two halves takes over from those of one", async () => {
  const { now, provider, root, dual_list: list } = vectors.key_list;
  const found = await verifyKeyList(list, keyOf(root), provider, now, 3);
  const entry = found.entries.find((one) => one.purpose === "tally");
  const before = { ...entry, kid: `key_${"0".repeat(26)}`, algorithm: "EdDSA", public: "A".repeat(43) };
  const older = { ...found, entries: [...found.entries, { ...before, not_before: 1 }] };
  assert.equal(keysInForce(older, "tally", now).size, 2);
  assert.deepEqual(
    tallyKeysInForce(older, now).map((one) => one.algorithm),
    ["EdDSA-ML-DSA-65"],
  );
  assert.equal(tallyKeysInForce(older, entry.not_before + 60_000).length, 2);
});

test("checkpoints of two lines", async () => {
  const { origin, key, note, refused: wrong } = vectors.checkpoint;
  assert.equal((await verifyCheckpoint(note, keyOf(key), origin)).size, 7);
  const first = { algorithm: "EdDSA", octets: keyOf(key).octets.slice(0, 32) };
  assert.equal((await verifyCheckpoint(note, first, origin)).size, 7);
  assert.equal(wrong.length, 5);
  for (const one of wrong) {
    await assert.rejects(verifyCheckpoint(one.note, keyOf(key), origin), refused);
  }
});

test("both halves of a signature are checked", async () => {
  const { root, dual_list: list } = vectors.key_list;
  const [header, payload, mark] = list.split(".");
  const message = new TextEncoder().encode(`${header}.${payload}`);
  const signature = fromBase64url(mark);
  await verify(keyOf(root), signature, message);
  for (const at of [0, 63, 64, 3372]) {
    const spoilt = signature.slice();
    spoilt[at] ^= 1;
    await assert.rejects(verify(keyOf(root), spoilt, message), refused);
  }
});
