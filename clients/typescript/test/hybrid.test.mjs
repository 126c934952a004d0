// The hybrid suite: its hash, its halves under the vectors of others, and no way back from it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ml_kem512 } from "@noble/post-quantum/ml-kem.js";

import { open, seal } from "../dist/hpke.js";
import { Hybrid, HYBRID, kemsAtHand, X25519 } from "../dist/kems.js";
import { NOTHING, SoftwareKeystore } from "../dist/keystore.js";
import { mlKemOf, platformMlKem } from "../dist/mlkem.js";
import { fromHex, join, utf8 } from "../dist/octets.js";
import { Provider } from "../dist/provider.js";
import { sha3 } from "../dist/sha3.js";
import { hybrid, noble, seeded } from "./keys.mjs";

const INFO = utf8("context");
const malformed = { code: "malformed" };
const unopened = { code: "not-authentic" };

test("SHA3-256 as OpenSSL has it, around each block", () => {
  for (let length = 0; length < 420; length += 1) {
    const content = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 255);
    const expected = createHash("sha3-256").update(content).digest();
    assert.deepEqual(sha3(content), Uint8Array.from(expected), String(length));
  }
});

test("what is sealed opens, and nothing that is altered in either half", async () => {
  const mine = await hybrid.generate();
  assert.equal(mine.publicOctets.length, 1216);
  const sealed = await seal(hybrid, mine.publicOctets, INFO, utf8("text"));
  assert.deepEqual(await open(mine, INFO, sealed), utf8("text"));
  await assert.rejects(open(mine, utf8("another"), sealed), unopened);
  for (const at of [0, 500, 1087, 1088, 1100, 1120, sealed.length - 1]) {
    const altered = sealed.slice();
    altered[at] ^= 1;
    await assert.rejects(open(mine, INFO, altered), unopened, String(at));
  }
  await assert.rejects(open(mine, INFO, join(sealed.slice(0, 1088), new Uint8Array(60))), unopened);
  await assert.rejects(open(mine, INFO, sealed.slice(0, 1130)), malformed);
});

test("nothing is sealed to what is no public key", async () => {
  const { publicOctets } = await hybrid.generate();
  const beyond = publicOctets.slice();
  beyond.fill(255, 0, 3); // two coefficients that are not below 3,329
  for (const octets of [beyond, publicOctets.slice(1), publicOctets.slice(0, 1184)]) {
    await assert.rejects(seal(hybrid, octets, INFO, utf8("text")), malformed);
  }
  const lowOrder = join(publicOctets.slice(0, 1184), new Uint8Array(32));
  await assert.rejects(seal(hybrid, lowOrder, INFO, utf8("text")), unopened);
});

test("an ML-KEM of another strength is refused", async () => {
  const weaker = new Hybrid(mlKemOf(ml_kem512));
  await assert.rejects(weaker.generate(), malformed);
  const { publicOctets } = await hybrid.generate();
  const cut = {
    ...noble,
    encapsulate: async () => ({ shared: new Uint8Array(16), ciphertext: new Uint8Array(1088) }),
  };
  await assert.rejects(seal(new Hybrid(cut), publicOctets, INFO, utf8("text")), malformed);
});

const wycheproof = process.env.TALLYSTICK_WYCHEPROOF ?? "";
test("Wycheproof's ML-KEM-768 beside X25519", { skip: wycheproof === "" }, async () => {
  const file = JSON.parse(readFileSync(`${wycheproof}/mlkem_768_test.json`, "utf8"));
  const curve = await X25519.fresh();
  const seen = { valid: 0, invalid: 0 };
  for (const one of file.testGroups.flatMap((group) => group.tests)) {
    const alone = new Hybrid(seeded(fromHex(one.seed)));
    let found = "invalid";
    try {
      const lattice = await seeded(fromHex(one.seed)).generate();
      const mine = alone.pair(lattice, curve);
      const other = await X25519.fresh();
      const secret = await mine.decapsulate(join(fromHex(one.c), other.publicOctets));
      const dh = await X25519.agreed(other.privateKey, curve.publicOctets);
      const mixed = join(
        fromHex(one.K ?? ""),
        dh,
        other.publicOctets,
        curve.publicOctets,
        utf8("\\.//^\\"),
      );
      if (Buffer.from(createHash("sha3-256").update(mixed).digest()).equals(secret))
        found = "valid";
    } catch {
      // A seed or a ciphertext of another length.
    }
    assert.equal(found, one.result, `case ${one.tcId}: ${one.comment}`);
    seen[found] += 1;
  }
  assert.ok(seen.valid > 20 && seen.invalid > 2, JSON.stringify(seen));
});

test("what is offered: the hybrid first where there is an ML-KEM, and not without", async () => {
  const names = (kems) => kems.map((one) => one.suite);
  const own = (await platformMlKem()) !== null;
  const classical = ["hpke-x25519", "hpke-p256"];
  assert.deepEqual(names(await kemsAtHand(noble)), [HYBRID, ...classical]);
  assert.deepEqual(names(await kemsAtHand()), own ? [HYBRID, ...classical] : classical);
});

test(
  "the platform's ML-KEM and the library's open each other's",
  { skip: !(await platformMlKem()) },
  async () => {
    const own = new Hybrid(await platformMlKem());
    for (const [one, other] of [
      [own, hybrid],
      [hybrid, own],
    ]) {
      const mine = await one.generate();
      assert.deepEqual(
        await open(mine, INFO, await seal(other, mine.publicOctets, INFO, INFO)),
        INFO,
      );
    }
    const beyond = (await own.generate()).publicOctets.fill(255, 0, 3);
    await assert.rejects(seal(own, beyond, INFO, INFO), malformed);
  },
);

test("whoever was met with the hybrid is offered nothing less", async () => {
  const list = JSON.parse(
    readFileSync(new URL("../../../vectors/suites.json", import.meta.url)),
  ).key_list;
  const offers = [];
  const transport = {
    get: async () => ({
      status: 200,
      sealed: false,
      body: utf8(JSON.stringify({ key_list: list.classical_list })),
    }),
    post: async (_, body) => {
      offers.push(JSON.parse(new TextDecoder().decode(body)).suites);
      return { status: 403, sealed: false, body: utf8("{}") };
    },
  };
  const root = {
    algorithm: list.first_half.algorithm,
    octets: Uint8Array.from(Buffer.from(list.first_half.public, "base64url")),
  };
  const greet = async (hybridMet, more) => {
    const keystore = await SoftwareKeystore.create(async () => {});
    await keystore.remember({ ...NOTHING, hybrid: hybridMet });
    const provider = new Provider({
      url: "http://127.0.0.1:1",
      name: list.provider,
      origin: "o",
      root,
      transport,
      now: () => list.now,
      ...more,
    });
    await provider.authenticated("session", keystore);
  };
  const classical = ["hpke-x25519", "hpke-p256"];
  await assert.rejects(greet(false, { mlKem: noble }), { code: "unavailable" });
  assert.deepEqual(offers.splice(0), [[HYBRID, ...classical]]);
  await assert.rejects(greet(true, { mlKem: noble }), { code: "unavailable" });
  assert.deepEqual(offers.splice(0), [[HYBRID]]);
  await assert.rejects(greet(true, { mlKem: noble, suites: classical }), {
    code: "upgrade-required",
  });
  if (!(await platformMlKem())) await assert.rejects(greet(true, {}), { code: "upgrade-required" });
  assert.deepEqual(offers, []);
});
