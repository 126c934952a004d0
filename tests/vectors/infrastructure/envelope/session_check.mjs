// Reads vectors/session.json and vectors/envelope.json and checks them with WebCrypto alone, written
// from docs/protocol. Prints {opened, verified, refused}, or fails with the first difference.
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";

const { subtle } = webcrypto;
const text = new TextEncoder();
const hex = (h) => Uint8Array.from(h.match(/../g) ?? [], (x) => parseInt(x, 16));
const toHex = (u) => Buffer.from(u).toString("hex");
const b64 = (s) => new Uint8Array(Buffer.from(s, "base64url"));
const cat = (...parts) => new Uint8Array(Buffer.concat(parts.map((p) => Buffer.from(p))));
const label = (words) => text.encode(`tallystick/1 ${words}\0`);
const sha256 = async (...parts) => new Uint8Array(await subtle.digest("SHA-256", cat(...parts)));
const counts = { opened: 0, verified: 0, refused: 0 };

function same(what, one, two) {
  const [a, b] = [one, two].map((v) => (typeof v === "string" ? v : toHex(v)));
  if (a !== b) throw new Error(`${what}: ${a} is not ${b}`);
  counts.verified += 1;
}

// RFC 8785 for what these messages hold: strings, integers, booleans, arrays, objects.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((n) => `${JSON.stringify(n)}:${canonical(value[n])}`).join(",")}}`;
}

async function hmac(key, ...parts) {
  const k = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", k, cat(...parts)));
}
async function expand(prk, info, length) {
  let out = new Uint8Array(), block = new Uint8Array();
  for (let i = 1; out.length < length; i += 1) {
    block = await hmac(prk, block, info, Uint8Array.of(i));
    out = cat(out, block);
  }
  return out.slice(0, length);
}
const extract = (salt, ikm) => hmac(salt.length ? salt : new Uint8Array(32), ikm);
const hkdf = async (ikm, salt, info, length) => expand(await extract(salt, ikm), info, length);

async function gcmOpen(key, iv, aad, sealed) {
  const k = await subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad }, k, sealed));
}

// RFC 9180, base mode, HKDF-SHA256, AES-256-GCM.
const KEMS = {
  "hpke-x25519": { id: [0, 0x20], enc: 32, algorithm: { name: "X25519" },
    pkcs8: "302e020100300506032b656e04220420", usage: "X25519" },
  "hpke-p256": { id: [0, 0x10], enc: 65, algorithm: { name: "ECDH", namedCurve: "P-256" }, usage: "ECDH" },
};
async function privateKey(kem, secret, publicKey) {
  if (kem.usage === "X25519") {
    return subtle.importKey("pkcs8", cat(hex(kem.pkcs8), secret), kem.algorithm, false, ["deriveBits"]);
  }
  const u = (a, b) => Buffer.from(publicKey.slice(a, b)).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", d: Buffer.from(secret).toString("base64url"), x: u(1, 33), y: u(33, 65) };
  return subtle.importKey("jwk", jwk, kem.algorithm, false, ["deriveBits"]);
}
async function hpkeOpen(suite, secret, publicKey, info, message) {
  const kem = KEMS[suite];
  const [enc, sealed] = [message.slice(0, kem.enc), message.slice(kem.enc)];
  const peer = await subtle.importKey("raw", enc, kem.algorithm, false, []);
  const mine = await privateKey(kem, secret, publicKey);
  const dh = new Uint8Array(await subtle.deriveBits({ name: kem.usage, public: peer }, mine, 256));
  const v1 = text.encode("HPKE-v1");
  const lExtract = (id, salt, name, ikm) => extract(salt, cat(v1, id, text.encode(name), ikm));
  const lExpand = (id, prk, name, inf, length) =>
    expand(prk, cat(Uint8Array.of(length >> 8, length & 255), v1, id, text.encode(name), inf), length);
  const kemId = cat(text.encode("KEM"), kem.id);
  const none = new Uint8Array();
  const shared = await lExpand(kemId, await lExtract(kemId, none, "eae_prk", dh), "shared_secret",
    cat(enc, publicKey), 32);
  const id = cat(text.encode("HPKE"), kem.id, [0, 1], [0, 2]);
  const context = cat([0], await lExtract(id, none, "psk_id_hash", none),
    await lExtract(id, none, "info_hash", info));
  const prk = await lExtract(id, shared, "secret", none);
  const key = await lExpand(id, prk, "key", context, 32);
  const nonce = await lExpand(id, prk, "base_nonce", context, 12);
  return gcmOpen(key, nonce, none, sealed);
}

async function verifyEs256(publicHex, signature, message) {
  const key = await subtle.importKey("raw", hex(publicHex), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  if (!(await subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, message))) {
    throw new Error("a signature does not verify");
  }
  counts.verified += 1;
}

// CBOR: heads up to 32 bits, byte strings, text, arrays, maps, unsigned integers, tag 16.
function cborRead(octets) {
  let at = 0;
  const item = () => {
    const first = octets[at++];
    let n = first & 31;
    if (n > 23) {
      const size = 1 << (n - 24);
      n = 0;
      for (let i = 0; i < size; i += 1) n = n * 256 + octets[at++];
    }
    const major = first >> 5;
    if (major === 0) return n;
    if (major === 2) return octets.slice(at, (at += n));
    if (major === 4) return Array.from({ length: n }, item);
    if (major === 5) return new Map(Array.from({ length: n }, () => [item(), item()]));
    if (major === 6 && n === 16) return item();
    throw new Error("unexpected CBOR");
  };
  const value = item();
  if (at !== octets.length) throw new Error("octets left over");
  return value;
}
function head(major, n) {
  if (n < 24) return [(major << 5) | n];
  if (n < 256) return [(major << 5) | 24, n];
  if (n < 65536) return [(major << 5) | 25, n >> 8, n & 255];
  return [(major << 5) | 26, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
}
const bstr = (octets) => cat(head(2, octets.length), octets);
const tstr = (words) => cat(head(3, words.length), text.encode(words));
const external = (...items) =>
  cat(head(4, items.length), ...items.map((i) => (typeof i === "string" ? tstr(i) : head(0, i))));

async function coseOpen(octets, key, contextIv, bound) {
  const [protectedOctets, unprotected, sealed] = cborRead(octets);
  const header = cborRead(protectedOctets);
  if (unprotected.size !== 0 || header.get(1) !== 3) throw new Error("not of this protocol");
  let iv = header.get(5);
  if (contextIv) {
    iv = Uint8Array.from(contextIv);
    const partial = header.get(6);
    partial.forEach((octet, i) => { iv[12 - partial.length + i] ^= octet; });
  }
  const aad = cat([0x83], tstr("Encrypt0"), bstr(protectedOctets), bstr(external("tallystick/1", ...bound)));
  const plaintext = await gcmOpen(key, iv, aad, sealed);
  counts.opened += 1;
  return { kid: header.get(4), plaintext };
}

function kidOf(session) {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  let n = 0n;
  for (const c of session.slice(4)) n = n * 32n + BigInt(alphabet.indexOf(c));
  return hex(n.toString(16).padStart(32, "0"));
}

async function macUnder(share, at, words, identity) {
  const key = await hkdf(share, at, label(words), 32);
  return hmac(key, label(words), at, text.encode(identity));
}

async function checkHandshake(file, c, purpose) {
  const m2 = JSON.parse(c.m2), m1 = JSON.parse(c.m1), m3 = JSON.parse(c.m3);
  same("m1 is canonical", c.m1, canonical(m1));
  same("m2 is canonical", c.m2, canonical(m2));
  same("m3 is canonical", c.m3, canonical(m3));
  if (m1.purpose !== purpose) throw new Error("another purpose");
  const t1 = await sha256(label("hello"), text.encode(c.m1));
  same("T1", t1, c.t1);
  const core = text.encode(canonical(m2.core));
  const at = await sha256(label("answer"), t1, core);
  same("Tcore", at, c.t_core);
  await verifyEs256(file.session_signature_public, b64(m2.signature), cat(label("answer signature"), at));
  same("provider MAC", await macUnder(hex(c.provider_share), at, "answer mac", file.provider), b64(m2.mac));
  const t2 = await sha256(label("answered"), at, b64(m2.signature), b64(m2.mac));
  same("T2", t2, c.t2);
  if (c.suite in KEMS) {
    const share = await hpkeOpen(c.suite, hex(c.device_kem_private), b64(m1.kem_public[c.suite]),
      cat(label("answer sealed"), t1), b64(m2.core.sealed));
    same("provider share", b64(JSON.parse(Buffer.from(share)).secret), c.provider_share);
    const opened = await hpkeOpen(c.suite, hex(c.provider_kem_private), b64(m2.core.kem_public),
      cat(label(`${purpose} sealed`), t2), b64(m3.sealed));
    same("m3 opened", Buffer.from(opened).toString(), c.m3_opened);
    counts.opened += 2;
  }
  const proof = JSON.parse(c.m3_opened);
  const claimAt = await sha256(label(`${purpose} claim`), t2, text.encode(canonical(proof.claim)));
  const shares = cat(hex(c.provider_share), b64(proof.claim.secret));
  const enrolling = purpose === "enrolment";
  const identity = enrolling ? proof.claim.possession : proof.claim.device;
  same("device MAC", await macUnder(shares, claimAt, `${purpose} mac`, identity), b64(proof.mac));
  const signatures = enrolling ? [proof.possession_signature, proof.consent_signature] : [proof.signature];
  if (enrolling) {
    await verifyEs256(file.possession_public, b64(signatures[0]), cat(label("enrolment possession signature"), claimAt));
    await verifyEs256(file.consent_public, b64(signatures[1]), cat(label("enrolment consent signature"), claimAt));
    same("challenge", await sha256(label("enrolment attestation challenge"), t2), c.attestation_challenge);
  } else {
    await verifyEs256(file.possession_public, b64(signatures[0]), cat(label("session signature"), claimAt));
  }
  const t3 = await sha256(label("proved"), claimAt, ...signatures.map(b64), b64(proof.mac));
  const keys = {
    request: await hkdf(shares, t3, label("request key"), 32),
    reply: await hkdf(shares, t3, label("reply key"), 32),
    iv: await hkdf(shares, t3, label("request iv"), 12),
  };
  same("session keys", cat(keys.request, keys.reply, keys.iv), c.keys);
  const counter = enrolling ? 1 : c.renewal_proposed;
  const eight = (n) => hex(BigInt(n).toString(16).padStart(16, "0"));
  const exporter = await hkdf(shares, t3, label("exporter"), 32);
  const renewal = await hkdf(exporter, new Uint8Array(), cat(label("renewal secret"), eight(counter)), 32);
  same("renewal secret", renewal, c.renewal_secret);
  for (const [i, pair] of (c.renewal_pairs ?? []).entries()) {
    const shown = await hmac(hex(pair.secret), label("renewal proof"), eight(pair.counter), t2);
    same("renewal proof", shown, b64(proof.claim.presented[i].proof));
  }
  const operation = enrolling ? "enrolment.complete" : "session.establish";
  const m4 = await coseOpen(hex(c.m4), keys.reply, null, [operation, 0, c.m4_status]);
  same("m4", Buffer.from(m4.plaintext).toString(), c.m4_opened);
  same("kid", m4.kid, kidOf(c.session));
  if (enrolling) await checkCertificate(file, JSON.parse(c.m4_opened).certificate, proof.claim);
  return { keys, kid: m4.kid };
}

async function checkCertificate(file, jws, claim) {
  const [header, payload, signature] = jws.split(".");
  await verifyEs256(file.device_ca_public, b64(signature), text.encode(`${header}.${payload}`));
  const certificate = JSON.parse(Buffer.from(payload, "base64url"));
  same("certified possession key", certificate.possession, claim.possession);
  same("certified consent key", certificate.consent, claim.consent);
}

async function refused(action) {
  try { await action(); } catch { counts.refused += 1; return; }
  throw new Error("an invalid message was accepted");
}

const file = JSON.parse(readFileSync(process.argv[2], "utf8"));
for (const c of file.sessions) {
  const { keys, kid } = await checkHandshake(file, c, "session");
  const request = await coseOpen(hex(c.request), keys.request, keys.iv, [c.operation]);
  same("request", Buffer.from(request.plaintext).toString(), c.request_plaintext);
  same("request kid", request.kid, kid);
  const reply = await coseOpen(hex(c.reply), keys.reply, null, [c.operation, c.sequence, c.status]);
  same("reply", Buffer.from(reply.plaintext).toString(), c.reply_plaintext);
  await refused(() => coseOpen(hex(c.request), keys.request, keys.iv, ["another.operation"]));
  await refused(() => coseOpen(hex(c.reply), keys.reply, null, [c.operation, c.sequence + 1, c.status]));
}
for (const c of file.enrolments) await checkHandshake(file, c, "enrolment");

const envelope = JSON.parse(readFileSync(process.argv[3], "utf8"));
for (const c of envelope.requests) {
  const key = hex(envelope.request_key), iv = hex(envelope.request_iv);
  const opened = await coseOpen(hex(c.sealed), key, iv, [c.operation]);
  same("plaintext", opened.plaintext, c.plaintext);
  same("kid", opened.kid, envelope.kid);
}
for (const c of envelope.replies) {
  const bound = [c.operation, c.sequence, c.status];
  const opened = await coseOpen(hex(c.sealed), hex(envelope.reply_key), null, bound);
  same("plaintext", opened.plaintext, c.plaintext);
}
for (const c of envelope.invalid_requests.filter((one) => one.error === "not-authentic")) {
  if (c.what === "session changed") continue; // refused by the kid, not by the key
  await refused(() => coseOpen(hex(c.sealed), hex(envelope.request_key), hex(envelope.request_iv), [c.operation]));
}
process.stdout.write(JSON.stringify(counts));
