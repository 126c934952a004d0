// The vectors of vectors/, by this package's own code. Run after `npm run build`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { canonical, readCanonical } from "../dist/canonical.js";
import { openReply, sealRequest } from "../dist/envelope.js";
import { keysChallenge, proofChallenge } from "../dist/evidence.js";
import { authenticate } from "../dist/handshake.js";
import { base64url, fromBase64, fromBase64url, fromHex, hex, join, utf8 } from "../dist/octets.js";
import * as tally from "../dist/tally.js";
import { approvalText, shownTerms, signConsent, warningsOf } from "../dist/consent.js";
import { answerOffline, readOffline } from "../dist/offline.js";
import { Wiper } from "../dist/wiping.js";
import { pairOf } from "./keys.mjs";

const vectors = new URL("../../../vectors/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, vectors), "utf8"));

const session = read("session");
const known = new Map([
  [session.kid, { algorithm: "ES256", octets: fromHex(session.session_signature_public) }],
]);

async function authenticated(one, purpose) {
  const offered = fromBase64url(JSON.parse(one.m1).kem_public[one.suite]);
  const kem = await pairOf(one.suite, fromHex(one.device_kem_private), offered);
  const greeting = { purpose, body: utf8(one.m1), kems: [kem] };
  const wrong = { ...greeting, body: utf8(one.m1.replace("nonce", "nonse")) };
  await assert.rejects(authenticate(wrong, utf8(one.m2), session.provider, known), {
    code: "not-authentic",
  });
  await assert.rejects(authenticate(greeting, utf8(one.m2), "Another Pay", known), {
    code: "not-authentic",
  });
  return authenticate(greeting, utf8(one.m2), session.provider, known);
}

const keysHex = (keys) => hex(join(keys.request, keys.reply, keys.requestIv));

for (const one of session.sessions) {
  test(`a session under ${one.suite}`, async () => {
    const provider = await authenticated(one, "session");
    const proof = JSON.parse(one.m3_opened);
    const pending = await provider.proveSession({
      device: proof.claim.device,
      certificate: proof.claim.certificate,
      sign: async () => fromBase64url(proof.signature),
      pairs: one.renewal_pairs.map((pair) => ({ ...pair, secret: fromHex(pair.secret) })),
      share: fromBase64url(proof.claim.secret),
    });
    assert.equal(keysHex(pending.keys), one.keys);
    assert.equal(pending.remembered[0].counter, one.renewal_proposed);
    assert.equal(hex(pending.remembered[0].secret), one.renewal_secret);
    const [accepted, kept] = await pending.confirm(one.m4_status, fromHex(one.m4));
    assert.equal(canonical(accepted), one.m4_opened);
    assert.equal(kept.counter, accepted.counter);
    await assert.rejects(pending.confirm(one.m4_status + 1, fromHex(one.m4)));
    const request = utf8(one.request_plaintext);
    const sealed = await sealRequest(pending.keys, one.operation, one.sequence, request);
    assert.equal(hex(sealed), one.request);
    const reply = fromHex(one.reply);
    const opened = await openReply(pending.keys, one.operation, one.sequence, one.status, reply);
    assert.deepEqual(opened, utf8(one.reply_plaintext));
    for (const [operation, sequence, status] of [
      ["another.operation", one.sequence, one.status],
      [one.operation, one.sequence + 1, one.status],
      [one.operation, one.sequence, one.status + 1],
    ]) {
      await assert.rejects(openReply(pending.keys, operation, sequence, status, reply), {
        code: "not-authentic",
      });
    }
  });
}

test("answers that are not the provider's to this hello", async () => {
  for (const one of session.sessions) {
    const offered = fromBase64url(JSON.parse(one.m1).kem_public[one.suite]);
    const kem = await pairOf(one.suite, fromHex(one.device_kem_private), offered);
    const greeting = { purpose: "session", body: utf8(one.m1), kems: [kem] };
    for (const { what, body, error } of session.invalid.filter(({ message }) => message === "m2")) {
      const refused = authenticate(greeting, utf8(body), session.provider, known);
      await assert.rejects(refused, { code: error }, what);
    }
  }
});

test("an enrolment", async () => {
  for (const one of session.enrolments) {
    const provider = await authenticated(one, "enrolment");
    assert.equal(hex(await provider.attestationChallenge()), one.attestation_challenge);
    const { claim, ...proof } = JSON.parse(one.m3_opened);
    const pending = await provider.proveEnrolment({
      ...claim,
      possession: [
        fromBase64url(claim.possession),
        async () => fromBase64url(proof.possession_signature),
      ],
      consent: [fromBase64url(claim.consent), async () => fromBase64url(proof.consent_signature)],
      share: fromBase64url(claim.secret),
    });
    assert.equal(keysHex(pending.keys), one.keys);
    assert.equal(hex(pending.pair.secret), one.renewal_secret);
    const accepted = await pending.confirm(one.m4_status, fromHex(one.m4));
    assert.equal(canonical(accepted), one.m4_opened);
  }
});

test("the envelope: the same octets, and only its own replies", async () => {
  const file = read("envelope");
  const keys = {
    kid: fromHex(file.kid),
    request: fromHex(file.request_key),
    reply: fromHex(file.reply_key),
    requestIv: fromHex(file.request_iv),
  };
  for (const one of file.requests) {
    const content = fromHex(one.plaintext);
    assert.equal(hex(await sealRequest(keys, one.operation, one.sequence, content)), one.sealed);
  }
  for (const one of file.replies) {
    const sealed = fromHex(one.sealed);
    const opened = await openReply(keys, one.operation, one.sequence, one.status, sealed);
    assert.equal(hex(opened), one.plaintext);
  }
  const { operation, sequence, status, sealed } = file.replies[0];
  const octets = fromHex(sealed);
  for (let at = 0; at < octets.length; at += 1) {
    const altered = octets.slice();
    altered[at] ^= 1;
    await assert.rejects(openReply(keys, operation, sequence, status, altered));
  }
});

test("quotes, what is shown, and consents", async () => {
  for (const one of read("payments").accepted) {
    const quote = readCanonical(utf8(one.quote));
    const [, , signature] = one.jws.split(".");
    const consent = JSON.parse(one.consent);
    const keystore = {
      memory: () => ({ identity: { device: consent.device } }),
      consentSign: async () => fromBase64url(signature),
    };
    const jws = await signConsent(quote, keystore, consent.consented_at, shownTerms(quote));
    assert.equal(jws, one.jws);
  }
  for (const one of read("approvals").cases) {
    assert.equal(approvalText(JSON.parse(one.quote), one.asked_by), one.text);
  }
});

test("receipts, good and bad", async () => {
  const file = read("tally");
  const tallyKey = { algorithm: "EdDSA", octets: fromBase64(file.tally_key) };
  const good = [...file.receipts, { receipt: file.cosigned_receipt }];
  for (const one of good) {
    const found = await tally.verifyReceipt(one.receipt, tallyKey, file.origin);
    if (one.disclosed) assert.deepEqual([...found.disclosed.keys()].sort(), one.disclosed.sort());
  }
  for (const one of file.invalid_receipts) {
    const key = one.tally_key ? { ...tallyKey, octets: fromBase64(one.tally_key) } : tallyKey;
    await assert.rejects(
      tally.verifyReceipt(one.receipt, key, one.origin ?? file.origin),
      (error) => ["not-authentic", "malformed"].includes(error.code),
      one.case,
    );
  }
  const other = { algorithm: "EdDSA", octets: fromBase64(file.other_key) };
  await assert.rejects(tally.verifyReceipt(good[0].receipt, other, file.origin), {
    code: "not-authentic",
  });
  for (const one of file.commitments) {
    const made = await tally.commitment(fromBase64url(one.salt), one.field, one.value);
    assert.equal(made, one.commitment);
  }
});

test("consistency of every pair of checkpoints that the vectors have", async () => {
  const file = read("tally");
  const tallyKey = { algorithm: "EdDSA", octets: fromBase64(file.tally_key) };
  const bySize = new Map();
  for (const one of file.checkpoints) {
    const found = await tally.verifyCheckpoint(one.note, tallyKey, file.origin);
    assert.equal(hex(found.root), one.root);
    bySize.set(one.size, found);
  }
  for (const one of file.consistency) {
    const [older, newer] = [bySize.get(one.old_size), bySize.get(one.new_size)];
    const proof = one.proof.map(fromHex);
    await tally.checkConsistency(older, newer, proof);
    const altered = { ...older, root: older.root.map((octet, at) => (at ? octet : octet ^ 1)) };
    await assert.rejects(tally.checkConsistency(altered, newer, proof));
    if (proof.length) {
      await assert.rejects(tally.checkConsistency(older, newer, proof.slice(1)));
    }
    await assert.rejects(tally.checkConsistency(older, newer, [...proof, newer.root]));
  }
});

test("what an app store is asked with", async () => {
  const one = read("store-verdicts");
  const told = fromHex(one.challenge);
  const keys = [fromBase64url(one.possession), fromBase64url(one.consent)];
  const hashes = one.request_hash;
  assert.equal(base64url(await keysChallenge(told, ...keys)), hashes.enrolment);
  assert.equal(base64url(await proofChallenge(told, one.device)), hashes.on_demand);
  assert.notEqual(base64url(await keysChallenge(told, keys[1], keys[0])), hashes.enrolment);
});

test("requests without a network: read, refused, answered", async () => {
  const file = read("approvals");
  const keys = new Map([
    [file.kid, { algorithm: "ES256", octets: fromHex(file.provider_key) }],
  ]);
  for (const one of file.cases) {
    const { payer } = JSON.parse(one.quote);
    const asked = await readOffline(one.signed, keys, file.now, payer);
    assert.equal(asked.text, one.text);
    assert.equal(asked.question, one.question);
    for (const [counter, digits] of one.answers.entries()) {
      assert.equal(await answerOffline(asked, fromHex(file.seed), counter), digits);
    }
    const refused = { code: "not-authentic" };
    await assert.rejects(readOffline(one.signed, keys, file.now, `acc_${"0".repeat(26)}`), refused);
    await assert.rejects(readOffline(one.signed, new Map(), file.now, payer), refused);
    const late = asked.expires_at + 1;
    await assert.rejects(readOffline(one.signed, keys, late, payer), { code: "expired" });
    const altered = one.signed.slice(0, -4) + (one.signed.endsWith("AAAA") ? "BBBB" : "AAAA");
    await assert.rejects(readOffline(altered, keys, file.now, payer));
  }
});

test("orders to wipe a device: for this one, and for no other", async () => {
  const file = read("device-wipe");
  const wiper = new Wiper({
    keystore: { memory: () => ({ identity: { device: file.device } }) },
    signatureKeys: async () =>
      new Map([[file.kid, { algorithm: "ES256", octets: fromBase64url(file.provider_public) }]]),
    provider: file.provider,
  });
  for (const { name, jws, taken } of file.orders) {
    if (taken) assert.equal((await wiper.read(jws)).order, file.order);
    else await assert.rejects(wiper.read(jws), { code: "not-authentic" }, name);
  }
});

test("warnings keep the provider's order, and those of the terms are bound", () => {
  const quote = { warnings: ["new-payee", "urgency"] };
  const names = (quoted) => warningsOf(quoted).map(({ name, bound }) => [name, bound]);
  assert.deepEqual(names({ quote, shown: ["new-payee", "remote-tool"] }), [
    ["new-payee", true],
    ["remote-tool", false],
    ["urgency", true],
  ]);
  assert.deepEqual(names({ quote: {} }), []);
});
