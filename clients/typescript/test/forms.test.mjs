// What is read has one spelling: canonical JSON, CBOR, base64url.
import assert from "node:assert/strict";
import { test } from "node:test";

import { canonical, canonicalOctets, readCanonical } from "../dist/canonical.js";
import { decodeCbor, encodeCbor, Tagged } from "../dist/cbor.js";
import { fromBase64, fromBase64url, fromHex, hex, utf8 } from "../dist/octets.js";
import { errorOf, OutOfReach, Unavailable } from "../dist/errors.js";
import { NOTHING, SoftwareKeystore } from "../dist/keystore.js";
import { FetchTransport } from "../dist/transport.js";
import { money, warningsOf } from "../dist/consent.js";
import { isFinal, LANGUAGES, stageOf, stageSaid } from "../dist/stages.js";

const malformed = { code: "malformed" };

test("canonical JSON", () => {
  const names = { "\u20ac": 1, "\r": 2, "\ufb33": 3, 1: 4, "\u{1f600}": 5, "\u0080": 6, ö: 7 };
  const order = '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}';
  assert.equal(canonical(names), order); // the names of RFC 8785, 3.2.3
  for (const text of [
    '{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', "1.0", "1e3", "-0", "9007199254740993", "1.5",
    '"\\u0041"', '"\\/"', " 1", "1\n", '"\\ud800"', "[1,]", "", "\ufeff1",
  ]) {
    assert.throws(() => readCanonical(utf8(text)), malformed, text);
  }
  assert.throws(() => readCanonical(fromHex("22ff22")), malformed);
  assert.throws(() => canonical({ a: "\ud800" }), malformed);
  const fine = { a: [true, null, "\u2028", -1], __proto__: "no" };
  assert.deepEqual(readCanonical(canonicalOctets(fine)), { a: fine.a });
});

test("CBOR: the examples of RFC 8949, appendix A, that are of this kind", () => {
  for (const [value, encoded] of [
    [0, "00"], [23, "17"], [24, "1818"], [1000, "1903e8"], [1000000, "1a000f4240"],
    [1000000000000, "1b000000e8d4a51000"], [-1, "20"], [-1000, "3903e7"], [false, "f4"],
    [true, "f5"], [null, "f6"], [fromHex("01020304"), "4401020304"], ["IETF", "6449455446"],
    ["\u6c34", "63e6b0b4"], [[1, [2, 3], [4, 5]], "8301820203820405"],
    [new Map([[1, 2], [3, 4]]), "a201020304"], [new Tagged(1, 1363896240), "c11a514b67b0"],
  ]) {
    assert.equal(hex(encodeCbor(value)), encoded);
    assert.deepEqual(decodeCbor(fromHex(encoded)), value);
  }
  for (const encoded of [
    "1817", "190001", "1a0000ffff", "1b00000000ffffffff", "a2030401ff", "a203040102", "a201020103",
    "9f01ff", "5f4101ff", "f97e00", "f7", "4401", "0000", "62c328", "1bffffffffffffffff", "",
    "81".repeat(40) + "00",
  ]) {
    assert.throws(() => decodeCbor(fromHex(encoded)), malformed, encoded);
  }
});

test("base64 has one spelling", () => {
  for (const text of ["QQ==", "QR", "Q", "Q Q", "QQ\n", "+_"]) {
    assert.throws(() => fromBase64url(text), malformed, text);
  }
  for (const text of ["QR==", "QQ=", "QQ", "=QQ="]) {
    assert.throws(() => fromBase64(text), malformed, text);
  }
});

test("errors have types; unknown codes and names of objects are the root", () => {
  assert.ok(errorOf("out-of-reach", "") instanceof OutOfReach);
  assert.ok(errorOf("out-of-reach", "") instanceof Unavailable);
  assert.ok(errorOf("service-suspended", "") instanceof OutOfReach);
  assert.equal(errorOf("constructor", "").code, "error");
});

test("plain http is for loopback only", () => {
  assert.throws(() => new FetchTransport("http://192.0.2.1:80"), malformed);
  assert.throws(() => new FetchTransport("ftp://127.0.0.1"), malformed);
  new FetchTransport("http://127.0.0.1:1");
});

test("amounts in words", () => {
  assert.equal(money(5, "KES"), "KES 0.05");
  assert.equal(money(123456789, "KES"), "KES 1,234,567.89");
  assert.equal(money(1234, "JPY"), "JPY 1,234");
});

test("an amount below nothing has its sign once", () => {
  assert.equal(money(-5, "KES"), "KES -0.05");
  assert.equal(money(-123_456, "KES"), "KES -1,234.56");
});

test("warnings are in the protocol's order, each once, however a device saw them", () => {
  const quoted = { quote: { warnings: ["new-payee"] }, shown: ["new-payee", "first-large-amount"] };
  const found = warningsOf(quoted, ["urgency", "remote-tool", "urgency"]);
  assert.deepEqual(
    found.map(({ name, bound }) => [name, bound]),
    [
      ["new-payee", true],
      ["first-large-amount", false],
      ["remote-tool", true],
      ["urgency", true],
    ],
  );
});

test("of all stages, settled alone is said to be paid, in each language", () => {
  const stages = ["accepted", "settled", "refused", "unknown", "returned"];
  for (const language of LANGUAGES) {
    const said = stages.map((stage) => stageSaid(stage, language));
    assert.equal(new Set(said).size, stages.length);
    assert.deepEqual(said.filter((one) => /^(Paid|Payé|Imelipwa)$/.test(one)), [said[1]]);
  }
  assert.deepEqual(stages.filter((stage) => !isFinal(stage)), ["accepted", "unknown"]);
  assert.throws(() => stageOf({ leaf: { stage: "toString" } }), { code: "malformed" });
});

test("a keystore keeps what two changes at once are about, and the last of it", async () => {
  const kept = [];
  const waits = [0, 30, 0]; // of the two at once the first is the slower one
  const save = async (_, memory) => {
    await new Promise((done) => setTimeout(done, waits.shift() ?? 0));
    if (memory.keyListVersion === 13) throw new Error("the store failed");
    kept.push(memory);
  };
  const held = await SoftwareKeystore.create(async () => {}, save);
  const pair = { counter: 2, secret: new Uint8Array(32) };
  await Promise.all([held.remember({ pairs: [pair] }), held.remember({ checkpoint: "newest" })]);
  await assert.rejects(held.remember({ keyListVersion: 13 }), /the store failed/);
  await held.remember({ hybrid: true });
  assert.deepEqual(held.memory(), {
    ...NOTHING,
    pairs: [pair],
    checkpoint: "newest",
    hybrid: true,
  });
  assert.deepEqual(kept.at(-1), held.memory());
});
