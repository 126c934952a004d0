/**
 * HPKE in base mode, one message, no additional data, over any KEM of the suites: HKDF-SHA256,
 * AES-256-GCM.
 *
 * Source: RFC 9180, 5.1; 6.1
 */

import { EMPTY, gcmOpen, gcmSeal } from "./crypto.js";
import { Malformed } from "./errors.js";
import { type Kem, type KemPair, labeledExpand, labeledExtract } from "./kems.js";
import { join, type Octets, utf8 } from "./octets.js";

async function schedule(
  kem: Kem,
  shared: Octets,
  info: Octets,
): Promise<{ secret: Octets; nonce: Octets }> {
  const id = join(utf8("HPKE"), kem.id, [0, 1], [0, 2]);
  const context = join(
    [0],
    await labeledExtract(id, EMPTY, "psk_id_hash", EMPTY),
    await labeledExtract(id, EMPTY, "info_hash", info),
  );
  const prk = await labeledExtract(id, shared, "secret", EMPTY);
  return {
    secret: await labeledExpand(id, prk, "key", context, 32),
    nonce: await labeledExpand(id, prk, "base_nonce", context, 12),
  };
}

/** The encapsulated key and the ciphertext, side by side. */
export async function seal(
  kem: Kem,
  recipient: Octets,
  info: Octets,
  content: Octets,
): Promise<Octets> {
  const { secret: shared, enc } = await kem.encapsulate(recipient);
  const { secret, nonce } = await schedule(kem, shared, info);
  return join(enc, await gcmSeal(secret, nonce, EMPTY, content));
}

/** What was sealed to `mine` with `info`; NotAuthentic for whatever cause. */
export async function open(mine: KemPair, info: Octets, message: Octets): Promise<Octets> {
  const size = mine.kem.enc;
  const [enc, sealed] = [message.slice(0, size), message.slice(size)];
  if (enc.length < size || sealed.length < 16) throw new Malformed("the sealed text is too short");
  const { secret, nonce } = await schedule(mine.kem, await mine.decapsulate(enc), info);
  return gcmOpen(secret, nonce, EMPTY, sealed);
}
