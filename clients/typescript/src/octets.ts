/** Octets, texts and their one spelling. Source: RFC 4648, 5; RFC 3629 */

import { Malformed } from "./errors.js";

export type Octets = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Octets {
  return encoder.encode(text);
}

export function fromUtf8(octets: Uint8Array): string {
  try {
    return decoder.decode(octets);
  } catch {
    throw new Malformed("the text is not UTF-8");
  }
}

export function join(...parts: readonly ArrayLike<number>[]): Octets {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two octet strings are equal; the time depends on their length alone. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i += 1) difference |= (one[i] ?? 0) ^ (other[i] ?? 0);
  return difference === 0;
}

export function base64(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return btoa(text);
}

/** Padded base64, canonical spelling only. */
export function fromBase64(text: string): Octets {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new Malformed("not canonical base64");
  }
  let raw: string;
  try {
    raw = atob(text);
  } catch {
    throw new Malformed("not canonical base64");
  }
  const octets = Uint8Array.from(raw, (character) => character.charCodeAt(0));
  if (base64(octets) !== text) throw new Malformed("not canonical base64");
  return octets;
}

export function base64url(octets: Uint8Array): string {
  return base64(octets).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Unpadded base64url, canonical spelling only. */
export function fromBase64url(text: string): Octets {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Malformed("not canonical base64url");
  const padded = text.replace(/-/g, "+").replace(/_/g, "/");
  return fromBase64(padded + "=".repeat((4 - (padded.length % 4)) % 4));
}

export function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text: string): Octets {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Malformed("not hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
}

/** Eight octets, big end first. */
export function u64(n: number): Octets {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, BigInt(n));
  return octets;
}

/** The ASCII text `tallystick/1 words` and one zero octet. */
export function label(words: string): Octets {
  return utf8(`tallystick/1 ${words}\0`);
}
