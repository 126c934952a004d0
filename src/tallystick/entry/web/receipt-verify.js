/**
 * Verifies a Tallystick receipt with nothing but the provider's public tally key.
 *
 * Works as <script src="receipt-verify.js"> in a page (globalThis.verifyReceipt) and in Node 20 or
 * later (require). Uses WebCrypto for SHA-256 and Ed25519, and receipt-mldsa.js, loaded before it,
 * for the second signature of a dual tally key. Nothing is sent anywhere.
 *
 * verifyReceipt(receipt, tallyKeyB64, origin) resolves to
 *   { ok, reason, steps: [{ name, ok, detail }], event, disclosed }
 * ok is true only if every step was carried out and passed. `receipt` is the parsed JSON object,
 * `tallyKeyB64` the key in base64 or base64url, `origin` the name of the log. The key has 32 bytes
 * (Ed25519), or 1984 with the ML-DSA-65 key behind them; then both signatures have to be there. With
 * 32 a second signature is passed over, and the step says so.
 *
 * Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 9162, 2.1.3.2; C2SP signed-note
 */
(function (root) {
  "use strict";

  const MAX_PROOF_HASHES = 64;
  const MAX_NOTE_CHARACTERS = 16385;
  const MAX_SIGNATURES = 32;
  const CLASSICAL_KEY = 32;
  const DUAL_KEY = CLASSICAL_KEY + 1952;
  const LATTICE_SIGNATURE = 3309;
  const LATTICE = "tallystick/ml-dsa-65\n";
  const FIELD = /^[a-z][a-z0-9_]{0,39}$/;
  const COMMITMENT = /^[A-Za-z0-9_-]{43}$/;
  const LEAF_FIELDS = ["at", "c", "id", "kind", "p", "policy", "provider", "stage", "v"];
  const RECEIPT_FIELDS = ["checkpoint", "disclosures", "index", "leaf", "proof", "v"];
  const DOMAIN = "tallystick-field-v1\u0000";
  const encoder = new TextEncoder();

  class Refused extends Error {}

  function demand(condition, reason) {
    if (!condition) throw new Refused(reason);
  }

  // ---- bytes ------------------------------------------------------------------------------------

  function concat(...parts) {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  function same(a, b) {
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let i = 0; i < a.length; i += 1) difference |= a[i] ^ b[i];
    return difference === 0;
  }

  function toBase64(octets) {
    let text = "";
    for (const octet of octets) text += String.fromCharCode(octet);
    return btoa(text);
  }

  /** Padded standard base64 in its one canonical spelling. */
  function fromBase64(text, what) {
    demand(/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, what);
    let raw;
    try {
      raw = atob(text);
    } catch {
      throw new Refused(what);
    }
    const octets = Uint8Array.from(raw, (character) => character.charCodeAt(0));
    demand(toBase64(octets) === text, what);
    return octets;
  }

  /** Unpadded base64url in its one canonical spelling. */
  function fromBase64Url(text, what) {
    demand(typeof text === "string" && /^[A-Za-z0-9_-]*$/.test(text), what);
    const padded = text.replace(/-/g, "+").replace(/_/g, "/");
    return fromBase64(padded + "=".repeat((4 - (padded.length % 4)) % 4), what);
  }

  function toBase64Url(octets) {
    return toBase64(octets).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  async function sha256(octets) {
    return new Uint8Array(await subtle().digest("SHA-256", octets));
  }

  function subtle() {
    const found = root.crypto && root.crypto.subtle;
    demand(found, "this browser offers no WebCrypto here: open the page over https");
    return found;
  }

  // ---- shapes -----------------------------------------------------------------------------------

  function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }

  function hasExactly(value, names) {
    const found = Object.keys(value).sort();
    return found.length === names.length && found.every((name, at) => name === names[at]);
  }

  function isNatural(value) {
    return Number.isSafeInteger(value) && value >= 0;
  }

  /** A lone surrogate would be replaced in UTF-8, so that two texts would hash alike. */
  function isText(value) {
    return typeof value === "string" && !/\p{Surrogate}/u.test(value);
  }

  function isScalar(value) {
    return isText(value) || Number.isSafeInteger(value);
  }

  /** RFC 8785 for what a leaf holds: objects, texts, integers. */
  function canonical(value) {
    if (!isObject(value)) return JSON.stringify(value);
    const members = Object.keys(value)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
    return `{${members.join(",")}}`;
  }

  function checkReceiptShape(receipt) {
    const what = "the receipt does not have the form of one";
    demand(isObject(receipt), what);
    const whole = { disclosures: [], ...receipt };
    demand(hasExactly(whole, RECEIPT_FIELDS) && whole.v === 1, what);
    demand(isNatural(whole.index) && typeof whole.checkpoint === "string", what);
    demand(Array.isArray(whole.disclosures), what);
    for (const one of whole.disclosures) {
      demand(isObject(one) && hasExactly(one, ["field", "salt", "value"]), what);
      demand(typeof one.field === "string" && FIELD.test(one.field), what);
      demand(isScalar(one.value), what);
    }
    return whole;
  }

  function readLeaf(octets) {
    const what = "the recorded event does not have the form of one";
    let text;
    let leaf;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
      leaf = JSON.parse(text);
    } catch {
      throw new Refused(what);
    }
    demand(isObject(leaf) && hasExactly(leaf, LEAF_FIELDS) && leaf.v === 1, what);
    demand(isNatural(leaf.at) && isNatural(leaf.policy), what);
    demand([leaf.id, leaf.kind, leaf.provider, leaf.stage].every(isText), what);
    demand(isObject(leaf.p) && isObject(leaf.c), what);
    for (const [name, value] of Object.entries(leaf.p)) {
      demand(FIELD.test(name) && isScalar(value) && !Object.hasOwn(leaf.c, name), what);
    }
    for (const [name, value] of Object.entries(leaf.c)) {
      demand(FIELD.test(name) && typeof value === "string" && COMMITMENT.test(value), what);
    }
    demand(canonical(leaf) === text, what);
    return leaf;
  }

  // ---- checkpoint -------------------------------------------------------------------------------

  function parseNote(note) {
    const what = "the checkpoint does not have the form of one";
    demand(note.length <= MAX_NOTE_CHARACTERS && isText(note), what);
    // eslint-disable-next-line no-control-regex
    demand(!/[\x00-\x09\x0b-\x1f]/.test(note) && note.endsWith("\n"), what);
    const gap = note.lastIndexOf("\n\n");
    demand(gap > 0, what);
    const text = note.slice(0, gap + 1);
    const lines = note.slice(gap + 2, -1).split("\n");
    demand(lines.length <= MAX_SIGNATURES, what);
    const signatures = lines.map((line) => {
      const parts = /^\u2014 ([^\s+]{1,200}) (\S+)$/u.exec(line);
      demand(parts, what);
      const octets = fromBase64(parts[2], what);
      demand(octets.length >= 5, what);
      return { name: parts[1], keyId: octets.slice(0, 4), octets: octets.slice(4) };
    });
    return { text, signatures };
  }

  function parseCheckpoint(text) {
    const what = "the checkpoint does not have the form of one";
    const lines = text.slice(0, -1).split("\n");
    demand(lines.length >= 3 && lines.every((line) => line !== ""), what);
    demand(/^(?:0|[1-9][0-9]{0,15})$/.test(lines[1]), what);
    const size = Number(lines[1]);
    const rootHash = fromBase64(lines[2], what);
    demand(isNatural(size) && rootHash.length === 32, what);
    return { origin: lines[0], size, rootHash };
  }

  async function importTallyKey(octets) {
    try {
      return await subtle().importKey("raw", octets, { name: "Ed25519" }, false, ["verify"]);
    } catch (error) {
      if (error instanceof Refused) throw error;
      const missing = error && error.name === "NotSupportedError";
      throw new Refused(
        missing
          ? "this browser cannot check Ed25519 signatures, so nothing is verified: use a newer one"
          : "the tally key cannot be used",
      );
    }
  }

  /** The signature lines that claim a key: its kind and octets, under the name of the log. */
  async function claimed(note, origin, ...keyParts) {
    const id = await sha256(concat(encoder.encode(`${origin}\n`), ...keyParts));
    const keyId = id.slice(0, 4);
    return note.signatures.filter((one) => one.name === origin && same(one.keyId, keyId));
  }

  /** Gives what was checked, in words for people. */
  async function checkSignature(note, origin, keyOctets) {
    const what = "the checkpoint does not carry a valid signature of the expected key";
    const classical = keyOctets.slice(0, CLASSICAL_KEY);
    const key = await importTallyKey(classical);
    const lines = await claimed(note, origin, Uint8Array.of(1), classical);
    demand(lines.length > 0, what);
    const message = encoder.encode(note.text);
    for (const one of lines) {
      demand(one.octets.length === 64, what);
      demand(await subtle().verify({ name: "Ed25519" }, key, one.octets, message), what);
    }
    if (keyOctets.length === DUAL_KEY) {
      await checkSecond(note, origin, keyOctets.slice(CLASSICAL_KEY), message);
      return "signed with Ed25519 and ML-DSA-65";
    }
    const beside = note.signatures.some(
      (one) => one.name === origin && one.octets.length === LATTICE_SIGNATURE,
    );
    return beside
      ? "signed with Ed25519; a signature of ML-DSA-65 stands beside it and was NOT checked: give the whole key"
      : "signed with Ed25519";
  }

  async function checkSecond(note, origin, lattice, message) {
    const verify = root.verifyMlDsa65;
    demand(verify, "the tally key is dual, and receipt-mldsa.js is not there to check its second half");
    const parts = [Uint8Array.of(0xff), encoder.encode(LATTICE), lattice];
    const lines = await claimed(note, origin, ...parts);
    demand(lines.length > 0, "the checkpoint lacks the second signature that its key promises");
    for (const one of lines) {
      const holds = verify(lattice, one.octets, message);
      demand(holds, "the second signature of the checkpoint is not of the expected key");
    }
  }

  // ---- Merkle tree ------------------------------------------------------------------------------

  function nodeHash(left, right) {
    return sha256(concat(Uint8Array.of(1), left, right));
  }

  /** RFC 9162, 2.1.3.2; divisions instead of shifts, since sizes go to 2^53. */
  async function checkInclusion(index, size, leafHash, proof, rootHash) {
    const what = "the event is not in the provider's record that the checkpoint states";
    demand(index < size, what);
    let node = index;
    let last = size - 1;
    let computed = leafHash;
    const up = () => {
      node = Math.floor(node / 2);
      last = Math.floor(last / 2);
    };
    for (const sibling of proof) {
      demand(last !== 0, what);
      if (node % 2 === 1 || node === last) {
        computed = await nodeHash(sibling, computed);
        while (node % 2 === 0 && node !== 0) up();
      } else {
        computed = await nodeHash(computed, sibling);
      }
      up();
    }
    demand(last === 0 && same(computed, rootHash), what);
  }

  function splitProof(text) {
    const what = "the receipt's proof does not have the form of one";
    const octets = fromBase64Url(text, what);
    demand(octets.length % 32 === 0 && octets.length <= 32 * MAX_PROOF_HASHES, what);
    const hashes = [];
    for (let at = 0; at < octets.length; at += 32) hashes.push(octets.slice(at, at + 32));
    return hashes;
  }

  // ---- disclosures ------------------------------------------------------------------------------

  async function checkDisclosures(leaf, disclosures) {
    const disclosed = {};
    for (const { field, salt, value } of disclosures) {
      const what = `the field ${field} shown on the receipt is not the one that was recorded`;
      demand(!Object.hasOwn(disclosed, field), `the receipt shows the field ${field} twice`);
      const octets = fromBase64Url(salt, what);
      demand(octets.length === 16 && Object.hasOwn(leaf.c, field), what);
      const opened = concat(
        encoder.encode(DOMAIN),
        octets,
        encoder.encode(JSON.stringify([field, value])),
      );
      demand(toBase64Url(await sha256(opened)) === leaf.c[field], what);
      disclosed[field] = value;
    }
    return disclosed;
  }

  // ---- the whole --------------------------------------------------------------------------------

  async function verifyReceipt(receipt, tallyKeyB64, origin) {
    const steps = [];
    const result = { ok: false, reason: "", steps, event: null, disclosed: null };
    async function step(name, act) {
      const entry = { name, ok: false, detail: "" };
      steps.push(entry);
      const value = await act(entry);
      entry.ok = true;
      return value;
    }
    try {
      const whole = await step("receipt has the right form", () => checkReceiptShape(receipt));
      const key = await step("tally key has the right form", () => {
        const what = "the tally key is 32 or 1984 bytes in base64 or base64url";
        demand(typeof tallyKeyB64 === "string", what);
        const url = tallyKeyB64.replace(/=+$/, "").replace(/\+/g, "-").replace(/\//g, "_");
        const octets = fromBase64Url(url, what);
        demand([CLASSICAL_KEY, DUAL_KEY].includes(octets.length), what);
        return octets;
      });
      const checkpoint = await step("checkpoint is of the provider's log", (entry) => {
        const note = parseNote(whole.checkpoint);
        const parsed = { note, ...parseCheckpoint(note.text) };
        demand(
          parsed.origin === origin,
          "the checkpoint is of another log than the provider's",
        );
        entry.detail = `${parsed.origin}, ${parsed.size} events`;
        return parsed;
      });
      await step("checkpoint is signed with the tally key", async (entry) => {
        entry.detail = await checkSignature(checkpoint.note, origin, key);
      });
      const octets = fromBase64Url(whole.leaf, "the recorded event does not have the form of one");
      const leaf = await step("event has the right form", () => readLeaf(octets));
      await step("event is in the signed record", async (entry) => {
        const proof = splitProof(whole.proof);
        const hash = await sha256(concat(Uint8Array.of(0), octets));
        await checkInclusion(whole.index, checkpoint.size, hash, proof, checkpoint.rootHash);
        entry.detail = `event ${whole.index} of ${checkpoint.size}`;
      });
      const disclosed = await step("shown fields are the recorded ones", (entry) => {
        const closed = Object.keys(leaf.c).length - whole.disclosures.length;
        entry.detail = `${whole.disclosures.length} shown, ${closed} kept closed`;
        return checkDisclosures(leaf, whole.disclosures);
      });
      return { ...result, ok: true, event: leaf, disclosed };
    } catch (error) {
      const reason =
        error instanceof Refused ? error.message : "the receipt could not be checked";
      const last = steps[steps.length - 1];
      if (last && !last.ok) last.detail = reason;
      return { ...result, reason };
    }
  }

  root.verifyReceipt = verifyReceipt;
  if (!root.verifyMlDsa65 && typeof require === "function") require("./receipt-mldsa.js");
  if (typeof module === "object" && module !== null && module.exports) {
    module.exports = { verifyReceipt };
  }
})(globalThis);
