/**
 * SHA3-256, which few platforms have in WebCrypto: the hybrid suite mixes its two halves with it.
 * No branch and no place in memory depends on what is hashed.
 *
 * Source: FIPS 202, 3.2; 6.1
 */

import type { Octets } from "./octets.js";

const RATE = 136;
const ROUNDS = 24;

/** Where each lane goes in rho and pi, in the order of one walk: place, and bits to turn. */
const WALK: readonly (readonly [number, number])[] = walk();
/** The constants of iota, low and high halves. */
const CONSTANTS: readonly (readonly [number, number])[] = constants();

function walk(): [number, number][] {
  const found: [number, number][] = [];
  let [x, y] = [1, 0];
  for (let t = 0; t < ROUNDS; t += 1) {
    found.push([x + 5 * y, (((t + 1) * (t + 2)) / 2) % 64]);
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return found;
}

function constants(): [number, number][] {
  const found: [number, number][] = [];
  let register = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    let [low, high] = [0, 0];
    for (let j = 0; j <= 6; j += 1) {
      const place = 2 ** j - 1;
      if (register & 1 && place < 32) low |= 1 << place;
      if (register & 1 && place >= 32) high |= 1 << (place - 32);
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
    }
    found.push([low, high]);
  }
  return found;
}

/** A lane of 64 bits turned left, as its two halves. */
function turned(low: number, high: number, by: number): [number, number] {
  const [a, b] = by >= 32 ? [high, low] : [low, high];
  const rest = by % 32;
  if (rest === 0) return [a, b];
  return [(a << rest) | (b >>> (32 - rest)), (b << rest) | (a >>> (32 - rest))];
}

function permute(state: Int32Array): void {
  const at = (index: number): number => state[index] ?? 0;
  const row = new Int32Array(10);
  for (const [low, high] of CONSTANTS) {
    for (let half = 0; half < 10; half += 1) {
      row[half] = at(half) ^ at(half + 10) ^ at(half + 20) ^ at(half + 30) ^ at(half + 40);
    }
    for (let x = 0; x < 5; x += 1) {
      const [next, before] = [2 * ((x + 1) % 5), 2 * ((x + 4) % 5)];
      const [l, h] = turned(row[next] ?? 0, row[next + 1] ?? 0, 1);
      for (let place = 2 * x; place < 50; place += 10) {
        state[place] = at(place) ^ l ^ (row[before] ?? 0);
        state[place + 1] = at(place + 1) ^ h ^ (row[before + 1] ?? 0);
      }
    }
    let carried: [number, number] = [at(2), at(3)];
    for (let step = 0; step < ROUNDS; step += 1) {
      const by = (WALK[step] ?? [0, 0])[1];
      const [to] = WALK[(step + 1) % ROUNDS] ?? [0, 0];
      const left: [number, number] = [at(2 * to), at(2 * to + 1)];
      [state[2 * to], state[2 * to + 1]] = turned(carried[0], carried[1], by);
      carried = left;
    }
    for (let y = 0; y < 50; y += 10) {
      row.set(state.subarray(y, y + 10));
      for (let half = 0; half < 10; half += 1) {
        const [one, two] = [row[(half + 2) % 10] ?? 0, row[(half + 4) % 10] ?? 0];
        state[y + half] = (row[half] ?? 0) ^ (~one & two);
      }
    }
    state[0] = at(0) ^ low;
    state[1] = at(1) ^ high;
  }
}

/** The 32 octets of SHA3-256 over `content`. */
export function sha3(content: Uint8Array): Octets {
  const padded = new Uint8Array((Math.floor(content.length / RATE) + 1) * RATE);
  padded.set(content);
  padded[content.length] = 0x06;
  padded[padded.length - 1] = (padded[padded.length - 1] ?? 0) | 0x80;
  const view = new DataView(padded.buffer);
  const state = new Int32Array(50);
  for (let block = 0; block < padded.length; block += RATE) {
    for (let word = 0; word < RATE / 4; word += 1) {
      state[word] = (state[word] ?? 0) ^ view.getInt32(block + 4 * word, true);
    }
    permute(state);
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let word = 0; word < 8; word += 1) out.setInt32(4 * word, state[word] ?? 0, true);
  return digest;
}
