/**
 * Canonical JSON: one spelling of each value, and nothing else is read. Numbers are integers within
 * 2^53; a text has no lone surrogate, since UTF-8 would replace it.
 *
 * Source: RFC 8785
 */

import { Malformed } from "./errors.js";
import { fromUtf8, type Octets, utf8 } from "./octets.js";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

function text(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw new Malformed("a text has half a character");
  return JSON.stringify(value);
}

/** The canonical spelling of `value`. */
export function canonical(value: Json): string {
  if (typeof value === "string") return text(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new Malformed("a number is not an integer within 2^53");
    }
    return String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((name) => `${text(name)}:${canonical(value[name] ?? null)}`);
  return `{${members.join(",")}}`;
}

export function canonicalOctets(value: Json): Octets {
  return utf8(canonical(value));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(source: string): Json {
  try {
    return JSON.parse(source) as Json;
  } catch {
    throw new Malformed("not JSON");
  }
}

/** The value in `octets`; Malformed unless they are its canonical encoding. */
export function readCanonical(octets: Uint8Array): Json {
  const source = fromUtf8(octets);
  const value = parsed(source);
  if (canonical(value) !== source) throw new Malformed("not canonical JSON");
  return value;
}

/** The value in `octets`, in whatever spelling: for what is verified in another way. */
export function readJson(octets: Uint8Array): Json {
  return parsed(fromUtf8(octets));
}

type Check<T> = (value: Json) => T;
type Shape = Readonly<Record<string, Check<unknown>>>;
type Found<S extends Shape> = { readonly [K in keyof S]: S[K] extends Check<infer T> ? T : never };

/** Reads an object that has the members of `shape` and no others; `optional` may be left out. */
export function object<S extends Shape, O extends Shape = Record<never, never>>(
  shape: S,
  optional?: O,
): Check<Found<S> & Partial<Found<O>>> {
  const may: Shape = optional ?? {};
  return (value) => {
    if (!isObject(value)) throw new Malformed("an object is missing");
    const found: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      const check = Object.hasOwn(shape, name)
        ? shape[name]
        : Object.hasOwn(may, name)
          ? may[name]
          : undefined;
      if (check === undefined) throw new Malformed("an unknown member");
      found[name] = check(value[name] ?? null);
    }
    for (const name of Object.keys(shape)) {
      if (!Object.hasOwn(found, name)) throw new Malformed(`the member ${name} is missing`);
    }
    return found as Found<S> & Partial<Found<O>>;
  };
}

export function string(value: Json): string {
  if (typeof value !== "string") throw new Malformed("a text is missing");
  return value;
}

export function matching(pattern: RegExp): Check<string> {
  return (value) => {
    const found = string(value);
    if (!pattern.test(found)) throw new Malformed("a text does not have its form");
    return found;
  };
}

export function integer(value: Json): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new Malformed("an integer is missing");
  }
  return value;
}

export function natural(value: Json): number {
  const found = integer(value);
  if (found < 0) throw new Malformed("a number is below zero");
  return found;
}

export function boolean(value: Json): boolean {
  if (typeof value !== "boolean") throw new Malformed("a truth value is missing");
  return value;
}

export function exactly<T extends Json>(expected: T): Check<T> {
  return (value) => {
    if (value !== expected) throw new Malformed("a member has another value");
    return expected;
  };
}

export function list<T>(check: Check<T>): Check<readonly T[]> {
  return (value) => {
    if (!isList(value)) throw new Malformed("a list is missing");
    return value.map(check);
  };
}

export function scalar(value: Json): string | number {
  return typeof value === "string" ? (text(value), value) : integer(value);
}

export const id = (letters: string): Check<string> =>
  matching(new RegExp(`^${letters}_[0-9a-hjkmnp-tv-z]{26}$`));
