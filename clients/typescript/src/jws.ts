/**
 * JWS in compact form, under headers that are compared and never interpreted.
 *
 * Source: RFC 7515, 3.1; 7.1; RFC 8725, 3.11
 */

import { canonical, type Json } from "./canonical.js";
import { Malformed } from "./errors.js";
import { base64url, fromBase64url, fromUtf8, type Octets, utf8 } from "./octets.js";

export interface Jws {
  readonly header: string;
  readonly payload: Octets;
  readonly signature: Octets;
  readonly signed: Octets;
}

/** A JWS in compact form, taken apart; nothing of it is believed yet. */
export function splitJws(text: string): Jws {
  const [header, payload, signature, ...more] = text.split(".");
  if (header === undefined || payload === undefined || signature === undefined || more.length) {
    throw new Malformed("not a JWS in compact form");
  }
  return {
    header: fromUtf8(fromBase64url(header)),
    payload: fromBase64url(payload),
    signature: fromBase64url(signature),
    signed: utf8(`${header}.${payload}`),
  };
}

/** `payload` under the header of `typ` for `device`, as one of its keys signed it. */
export async function signedByDevice(
  typ: string,
  device: string,
  payload: Json,
  sign: (message: Octets) => Promise<Octets>,
): Promise<string> {
  const header = canonical({ alg: "ES256", kid: device, typ });
  const signed = `${base64url(utf8(header))}.${base64url(utf8(canonical(payload)))}`;
  return `${signed}.${base64url(await sign(utf8(signed)))}`;
}
