/**
 * A device without a network: it verifies the request in a QR code and answers it by OCRA.
 *
 * Source: docs/protocol/approvals.md, Without a network; RFC 6287, 5; RFC 4226, 5.3
 */

import {
  canonical,
  canonicalOctets,
  exactly,
  id,
  type Json,
  list,
  matching,
  natural,
  object,
  readCanonical,
  string,
} from "./canonical.js";
import { approvalText, quoteShape, warningShape } from "./consent.js";
import { hmac, sha256, verify, type VerifyKey } from "./crypto.js";
import { Expired, NotAuthentic } from "./errors.js";
import { splitJws } from "./jws.js";
import { fromHex, hex, type Octets, u64, utf8 } from "./octets.js";

const SUITE = "OCRA-1:HOTP-SHA256-8:C-QH64";
const QUESTION = 128;

const requestShape = object(
  {
    v: exactly(1),
    approval: id("apr"),
    asked_by: string,
    text: string,
    quote: quoteShape,
    question: matching(/^[0-9A-F]{64}$/),
    expires_at: natural,
  },
  { shown: list(warningShape) },
);

export type OfflineRequest = ReturnType<typeof requestShape>;

/**
 * The request in a QR code, if one of `keys` (session signature keys, by kid) signed it and it is
 * for `account`. NotAuthentic for anything else, Expired past its time. The warnings of
 * `warningsOf(request)` are shown before its text; the digits acknowledge those that are bound.
 */
export async function readOffline(
  signed: string,
  keys: ReadonlyMap<string, VerifyKey>,
  now: number,
  account: string,
): Promise<OfflineRequest> {
  const parts = splitJws(signed);
  const known = [...keys].find(
    ([kid, { algorithm: alg }]) =>
      parts.header === canonical({ alg, kid, typ: "tallystick-approval" }),
  );
  if (known === undefined) throw new NotAuthentic("the provider did not sign this");
  await verify(known[1], parts.signature, parts.signed);
  const asked = requestShape(readCanonical(parts.payload));
  const digest = hex(await sha256(canonicalOctets(asked.quote as unknown as Json))).toUpperCase();
  if (asked.question !== digest || asked.quote.payer !== account) {
    throw new NotAuthentic("the request is not what it says, or not for this account");
  }
  if (asked.text !== approvalText(asked.quote, asked.asked_by)) {
    throw new NotAuthentic("the text is not what the quote says");
  }
  if (now > asked.expires_at) throw new Expired("the request is past its time");
  return asked;
}

/**
 * The eight digits for `asked`. `seed` is the authenticator's; `counter` is used once and moves on,
 * durably, before the digits are shown.
 */
export async function answerOffline(
  asked: OfflineRequest,
  seed: Octets,
  counter: number,
): Promise<string> {
  const question = new Uint8Array(QUESTION);
  question.set(fromHex(asked.question.toLowerCase()));
  const mac = await hmac(seed, utf8(SUITE), Uint8Array.of(0), u64(counter), question);
  const at = (mac[mac.length - 1] ?? 0) & 15;
  const chosen = new DataView(mac.buffer).getUint32(at) & 0x7fffffff;
  return String(chosen % 100_000_000).padStart(8, "0");
}
