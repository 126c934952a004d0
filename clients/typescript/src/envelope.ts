/**
 * Sealed messages: COSE_Encrypt0 of a fixed shape.
 *
 * Source: docs/protocol/envelope.md; RFC 9052, 5.2 and 5.3
 */

import { type Cbor, decodeCbor, encodeCbor, Tagged } from "./cbor.js";
import { gcmOpen, gcmSeal } from "./crypto.js";
import { Malformed, NotAuthentic, TooLarge } from "./errors.js";
import { fromHex, join, type Octets, same } from "./octets.js";

export const MAX_SEQUENCE = 2 ** 32 - 1;
const MAX_CONTENT = 65_536;
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

export interface SessionKeys {
  readonly kid: Octets;
  readonly request: Octets;
  readonly reply: Octets;
  readonly requestIv: Octets;
}

/** The 16 octets of a `ses_` identifier. */
export function kidOf(session: string): Octets {
  if (!/^ses_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(session)) {
    throw new Malformed("not a session identifier");
  }
  let n = 0n;
  for (const digit of session.slice(4)) n = n * 32n + BigInt(DIGITS.indexOf(digit));
  return fromHex(n.toString(16).padStart(32, "0"));
}

function partialIv(sequence: number): Octets {
  if (!Number.isSafeInteger(sequence) || sequence < 1 || sequence > MAX_SEQUENCE) {
    throw new Malformed("the numbers of the session are used up");
  }
  const digits = sequence.toString(16);
  return fromHex(digits.length % 2 ? `0${digits}` : digits);
}

function nonceOf(iv: Octets, partial: Octets): Octets {
  const nonce = iv.slice();
  partial.forEach((octet, at) => {
    const place = nonce.length - partial.length + at;
    nonce[place] = (nonce[place] ?? 0) ^ octet;
  });
  return nonce;
}

function bound(protectedHeader: Octets, external: readonly Cbor[]): Octets {
  return encodeCbor(["Encrypt0", protectedHeader, encodeCbor(["tallystick/1", ...external])]);
}

function message(protectedHeader: Octets, sealed: Octets): Octets {
  return encodeCbor(new Tagged(16, [protectedHeader, new Map(), sealed]));
}

/** Request `sequence` with `content`, sealed for `operation`. */
export async function sealRequest(
  keys: SessionKeys,
  operation: string,
  sequence: number,
  content: Octets,
): Promise<Octets> {
  if (content.length > MAX_CONTENT) throw new TooLarge("the message is too large");
  const partial = partialIv(sequence);
  const header = encodeCbor(new Map<Cbor, Cbor>([[1, 3], [4, keys.kid], [6, partial]]));
  const nonce = nonceOf(keys.requestIv, partial);
  return message(header, await gcmSeal(keys.request, nonce, bound(header, [operation]), content));
}

/** The content of the reply to request `sequence`, which came with HTTP `status`. */
export async function openReply(
  keys: SessionKeys,
  operation: string,
  sequence: number,
  status: number,
  octets: Octets,
): Promise<Octets> {
  if (octets.length > MAX_CONTENT + 64) throw new TooLarge("the reply is too large");
  const header = octets.slice(4, 39);
  const iv = header.slice(23);
  const expected = encodeCbor(new Map<Cbor, Cbor>([[1, 3], [4, keys.kid], [5, iv]]));
  const outer = decodeCbor(octets);
  const parts = outer instanceof Tagged && outer.tag === 16 ? outer.value : null;
  if (!Array.isArray(parts) || parts.length !== 3) throw new Malformed("not a sealed reply");
  const sealed = (parts as readonly Cbor[])[2];
  if (!(sealed instanceof Uint8Array) || iv.length !== 12) throw new Malformed("not a sealed reply");
  if (!same(join(message(expected, sealed as Octets)), octets)) {
    throw new NotAuthentic("the reply is of another session or shape");
  }
  return gcmOpen(keys.reply, iv, bound(header, [operation, sequence, status]), sealed as Octets);
}
