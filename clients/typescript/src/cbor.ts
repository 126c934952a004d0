/**
 * Deterministic CBOR, of the kinds that COSE and attestation statements use: shortest heads only,
 * keys of a map sorted by their encoding, none twice. Anything else is Malformed.
 *
 * Source: RFC 8949, 4.2.1
 */

import { Malformed } from "./errors.js";
import { fromUtf8, join, type Octets, utf8 } from "./octets.js";

export class Tagged {
  readonly tag: number;
  readonly value: Cbor;
  constructor(tag: number, value: Cbor) {
    this.tag = tag;
    this.value = value;
  }
}
export type Cbor =
  | number
  | string
  | boolean
  | null
  | Octets
  | readonly Cbor[]
  | ReadonlyMap<Cbor, Cbor>
  | Tagged;

const DEEPEST = 16;

function head(major: number, n: number): Octets {
  const first = major << 5;
  if (n < 24) return Uint8Array.of(first | n);
  const size = n < 0x100 ? 1 : n < 0x10000 ? 2 : n < 0x100000000 ? 4 : 8;
  const octets = new Uint8Array(1 + size);
  octets[0] = first | (24 + Math.log2(size));
  let rest = n;
  for (let at = size; at > 0; at -= 1) {
    octets[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return octets;
}

function order(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length);
  for (let i = 0; i < shared; i += 1) {
    const difference = (one[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** The deterministic encoding of `value`. */
export function encodeCbor(value: Cbor): Octets {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Malformed("a number is not an integer");
    return value >= 0 ? head(0, value) : head(1, -1 - value);
  }
  if (typeof value === "string") {
    const octets = utf8(value);
    return join(head(3, octets.length), octets);
  }
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === "boolean") return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (value instanceof Uint8Array) return join(head(2, value.length), value);
  if (value instanceof Tagged) return join(head(6, value.tag), encodeCbor(value.value));
  if (value instanceof Map) return encodedMap(value as ReadonlyMap<Cbor, Cbor>);
  const items = value as readonly Cbor[];
  return join(head(4, items.length), ...items.map(encodeCbor));
}

function encodedMap(map: ReadonlyMap<Cbor, Cbor>): Octets {
  const pairs = [...map].map(([name, value]) => [encodeCbor(name), encodeCbor(value)] as const);
  pairs.sort(([one], [other]) => order(one, other));
  pairs.forEach(([name], at) => {
    const before = pairs[at - 1];
    if (before && order(before[0], name) === 0) throw new Malformed("a key stands twice");
  });
  return join(head(5, pairs.length), ...pairs.flat());
}

class Reader {
  #at = 0;
  readonly #octets: Octets;

  constructor(octets: Octets) {
    this.#octets = octets;
  }

  get ended(): boolean {
    return this.#at === this.#octets.length;
  }

  #take(count: number): Octets {
    if (count > this.#octets.length - this.#at) throw new Malformed("octets are missing");
    const found = this.#octets.slice(this.#at, this.#at + count);
    this.#at += count;
    return found;
  }

  #head(): [number, number, number] {
    const first = this.#take(1)[0] ?? 0;
    const info = first & 31;
    if (info < 24) return [first >> 5, info, info];
    if (info > 27) throw new Malformed("a length that is not stated");
    const size = 1 << (info - 24);
    const n = this.#take(size).reduce((sum, octet) => sum * 256 + octet, 0);
    const least = size === 1 ? 24 : 256 ** (size / 2);
    if (n < least || !Number.isSafeInteger(n)) throw new Malformed("not the shortest head");
    return [first >> 5, n, info];
  }

  item(depth = 0): Cbor {
    if (depth > DEEPEST) throw new Malformed("nested too deep");
    const [major, n, info] = this.#head();
    switch (major) {
      case 0:
        return n;
      case 1:
        return -1 - n;
      case 2:
        return this.#take(n);
      case 3:
        return fromUtf8(this.#take(n));
      case 4: {
        const items: Cbor[] = [];
        for (let i = 0; i < n; i += 1) items.push(this.item(depth + 1));
        return items;
      }
      case 5:
        return this.#map(n, depth);
      case 6:
        return new Tagged(n, this.item(depth + 1));
      default:
        if (info === 20 || info === 21) return info === 21;
        if (info === 22) return null;
        throw new Malformed("a kind of value that is not used here");
    }
  }

  #map(count: number, depth: number): ReadonlyMap<Cbor, Cbor> {
    const found = new Map<Cbor, Cbor>();
    let before: Octets | undefined;
    for (let i = 0; i < count; i += 1) {
      const name = this.item(depth + 1);
      const encoded = encodeCbor(name);
      if (before && order(before, encoded) >= 0) throw new Malformed("keys are not in order");
      before = encoded;
      found.set(name, this.item(depth + 1));
    }
    return found;
  }
}

/** The one value in `octets`. */
export function decodeCbor(octets: Octets): Cbor {
  const reader = new Reader(octets);
  const value = reader.item();
  if (!reader.ended) throw new Malformed("octets are left over");
  return value;
}
