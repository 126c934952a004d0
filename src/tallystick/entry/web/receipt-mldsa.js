/**
 * Verifies signatures of ML-DSA-65, the second half of a dual tally key, which browsers' WebCrypto
 * does not have. Load it before receipt-verify.js; without it that script takes no dual key.
 *
 * verifyMlDsa65(publicKey, signature, message) is true or false; all three are Uint8Array. Only the
 * pure form with an empty context is known. It holds no secret, so nothing here is constant in time.
 *
 * Source: FIPS 204, 6.3; 7.1; 7.2; 7.3; 7.4; 7.5; FIPS 202, 3; 6.2
 */
(function (root) {
  "use strict";

  const Q = 8380417;
  const N = 256;
  const ROWS = 6;
  const COLUMNS = 5;
  const DROPPED = 13;
  const ONES = 49;
  const GAMMA1 = 2 ** 19;
  const GAMMA2 = (Q - 1) / 32;
  const BETA = 196;
  const MOST_HINTS = 55;
  const CHALLENGE = 48;
  const PUBLIC = 32 + ROWS * 320;
  const SIGNATURE = CHALLENGE + COLUMNS * 640 + MOST_HINTS + ROWS;

  // ---- SHAKE ------------------------------------------------------------------------------------

  const ROUND_HIGH = [];
  const ROUND_LOW = [];
  const TURNS = [];
  const PLACES = [];

  (function constants() {
    let bits = 1;
    const next = () => {
      const bit = bits & 1;
      bits = bits & 0x80 ? ((bits << 1) ^ 0x171) & 0xff : bits << 1;
      return bit;
    };
    for (let round = 0; round < 24; round += 1) {
      let [high, low] = [0, 0];
      for (let j = 0; j <= 6; j += 1) {
        if (!next()) continue;
        const place = 2 ** j - 1;
        if (place < 32) low |= 1 << place;
        else high |= 1 << (place - 32);
      }
      ROUND_HIGH.push(high);
      ROUND_LOW.push(low);
    }
    let [x, y] = [1, 0];
    for (let t = 0; t < 24; t += 1) {
      TURNS.push((((t + 1) * (t + 2)) / 2) % 64);
      [x, y] = [y, (2 * x + 3 * y) % 5];
      PLACES.push(x + 5 * y);
    }
  })();

  function turned(high, low, by) {
    if (by === 0) return [high, low];
    if (by === 32) return [low, high];
    if (by > 32) return turned(low, high, by - 32);
    return [(high << by) | (low >>> (32 - by)), (low << by) | (high >>> (32 - by))];
  }

  /** Keccak-f[1600] on 25 lanes of two 32-bit halves, low first. */
  function permute(state) {
    const sums = new Int32Array(10);
    for (let round = 0; round < 24; round += 1) {
      for (let half = 0; half < 10; half += 1) {
        sums[half] =
          state[half] ^ state[half + 10] ^ state[half + 20] ^ state[half + 30] ^ state[half + 40];
      }
      for (let x = 0; x < 5; x += 1) {
        const [before, after] = [2 * ((x + 4) % 5), 2 * ((x + 1) % 5)];
        const [high, low] = turned(sums[after + 1], sums[after], 1);
        for (let y = 0; y < 50; y += 10) {
          state[y + 2 * x] ^= sums[before] ^ low;
          state[y + 2 * x + 1] ^= sums[before + 1] ^ high;
        }
      }
      let [low, high] = [state[2], state[3]];
      for (let t = 0; t < 24; t += 1) {
        const place = 2 * PLACES[t];
        const kept = [state[place], state[place + 1]];
        [state[place + 1], state[place]] = turned(high, low, TURNS[t]);
        [low, high] = kept;
      }
      for (let y = 0; y < 50; y += 10) {
        const row = state.slice(y, y + 10);
        for (let half = 0; half < 10; half += 1) {
          state[y + half] = row[half] ^ (~row[(half + 2) % 10] & row[(half + 4) % 10]);
        }
      }
      state[0] ^= ROUND_LOW[round];
      state[1] ^= ROUND_HIGH[round];
    }
  }

  /** A function that gives the next octet of SHAKE with `rate` octets a block over `parts`. */
  function shake(rate, ...parts) {
    const state = new Int32Array(50);
    let at = 0;
    const mix = (octet, place) => {
      state[place >> 2] ^= octet << (8 * (place & 3));
    };
    for (const part of parts) {
      for (const octet of part) {
        mix(octet, at);
        at += 1;
        if (at === rate) {
          permute(state);
          at = 0;
        }
      }
    }
    mix(0x1f, at);
    mix(0x80, rate - 1);
    at = rate;
    return () => {
      if (at === rate) {
        permute(state);
        at = 0;
      }
      const octet = (state[at >> 2] >>> (8 * (at & 3))) & 0xff;
      at += 1;
      return octet;
    };
  }

  function shake256(length, ...parts) {
    const next = shake(136, ...parts);
    return Uint8Array.from({ length }, next);
  }

  // ---- polynomials ------------------------------------------------------------------------------

  const modulo = (value) => ((value % Q) + Q) % Q;

  const ZETAS = (function zetas() {
    const powers = [1];
    for (let k = 1; k < N; k += 1) powers.push((powers[k - 1] * 1753) % Q);
    const reversed = (k) => parseInt(k.toString(2).padStart(8, "0").split("").reverse().join(""), 2);
    return powers.map((_, k) => powers[reversed(k)]);
  })();

  function transformed(poly) {
    const w = Float64Array.from(poly, modulo);
    let m = 0;
    for (let length = 128; length >= 1; length /= 2) {
      for (let start = 0; start < N; start += 2 * length) {
        m += 1;
        for (let j = start; j < start + length; j += 1) {
          const t = (ZETAS[m] * w[j + length]) % Q;
          w[j + length] = modulo(w[j] - t);
          w[j] = (w[j] + t) % Q;
        }
      }
    }
    return w;
  }

  function restored(poly) {
    const w = Float64Array.from(poly);
    let m = N;
    for (let length = 1; length < N; length *= 2) {
      for (let start = 0; start < N; start += 2 * length) {
        m -= 1;
        for (let j = start; j < start + length; j += 1) {
          const t = w[j];
          w[j] = (t + w[j + length]) % Q;
          w[j + length] = ((Q - ZETAS[m]) * modulo(t - w[j + length])) % Q;
        }
      }
    }
    return w.map((one) => (one * 8347681) % Q);
  }

  function matrixEntry(rho, row, column) {
    const next = shake(168, rho, [column, row]);
    const found = new Float64Array(N);
    for (let at = 0; at < N; ) {
      const value = next() | (next() << 8) | ((next() & 0x7f) << 16);
      if (value < Q) {
        found[at] = value;
        at += 1;
      }
    }
    return found;
  }

  function challengePoly(seed) {
    const next = shake(136, seed);
    const signs = Array.from({ length: 8 }, next);
    const found = new Float64Array(N);
    for (let at = N - ONES; at < N; at += 1) {
      let place = next();
      while (place > at) place = next();
      found[at] = found[place];
      const sign = at + ONES - N;
      found[place] = (signs[sign >> 3] >> (sign & 7)) & 1 ? -1 : 1;
    }
    return found;
  }

  // ---- encodings --------------------------------------------------------------------------------

  function unpacked(octets, bits) {
    const found = new Float64Array(N);
    let [held, count, at] = [0, 0, 0];
    for (const octet of octets) {
      held |= octet << count;
      count += 8;
      while (count >= bits) {
        found[at] = held & (2 ** bits - 1);
        at += 1;
        held >>>= bits;
        count -= bits;
      }
    }
    return found;
  }

  /** The hints by row, or null where they are not in their one form. */
  function hints(octets) {
    const found = [];
    let at = 0;
    for (let row = 0; row < ROWS; row += 1) {
      const end = octets[MOST_HINTS + row];
      if (end < at || end > MOST_HINTS) return null;
      const first = at;
      const marked = new Set();
      for (; at < end; at += 1) {
        if (at > first && octets[at - 1] >= octets[at]) return null;
        marked.add(octets[at]);
      }
      found.push(marked);
    }
    return octets.slice(at, MOST_HINTS).every((one) => one === 0) ? found : null;
  }

  function highBits(value, hinted) {
    let low = value % (2 * GAMMA2);
    if (low > GAMMA2) low -= 2 * GAMMA2;
    let high = (value - low) / (2 * GAMMA2);
    if (value - low === Q - 1) {
      high = 0;
      low -= 1;
    }
    if (!hinted) return high;
    return (high + (low > 0 ? 1 : 15)) % 16;
  }

  // ---- the whole --------------------------------------------------------------------------------

  function same(a, b) {
    return a.length === b.length && a.every((octet, at) => octet === b[at]);
  }

  function rowOf(rho, row, z, challenge, t1) {
    const sum = new Float64Array(N);
    for (let column = 0; column < COLUMNS; column += 1) {
      const entry = matrixEntry(rho, row, column);
      for (let at = 0; at < N; at += 1) sum[at] = (sum[at] + entry[at] * z[column][at]) % Q;
    }
    const scaled = transformed(t1.map((one) => one * 2 ** DROPPED));
    for (let at = 0; at < N; at += 1) sum[at] = modulo(sum[at] - ((challenge[at] * scaled[at]) % Q));
    return restored(sum);
  }

  function verifyMlDsa65(publicKey, signature, message) {
    if (publicKey.length !== PUBLIC || signature.length !== SIGNATURE) return false;
    const rho = publicKey.slice(0, 32);
    const seed = signature.slice(0, CHALLENGE);
    const hinted = hints(signature.slice(CHALLENGE + COLUMNS * 640));
    if (hinted === null) return false;
    const z = [];
    for (let column = 0; column < COLUMNS; column += 1) {
      const start = CHALLENGE + column * 640;
      const poly = unpacked(signature.slice(start, start + 640), 20).map((one) => GAMMA1 - one);
      if (poly.some((one) => Math.abs(one) >= GAMMA1 - BETA)) return false;
      z.push(transformed(poly));
    }
    const named = shake256(64, publicKey);
    const mu = shake256(64, named, [0, 0], message);
    const challenge = transformed(challengePoly(seed));
    const packed = [];
    for (let row = 0; row < ROWS; row += 1) {
      const t1 = unpacked(publicKey.slice(32 + row * 320, 32 + (row + 1) * 320), 10);
      const w = rowOf(rho, row, z, challenge, t1);
      for (let at = 0; at < N; at += 2) {
        const [one, two] = [at, at + 1].map((j) => highBits(w[j], hinted[row].has(j)));
        packed.push(one | (two << 4));
      }
    }
    return same(shake256(CHALLENGE, mu, packed), seed);
  }

  root.verifyMlDsa65 = verifyMlDsa65;
  if (typeof module === "object" && module !== null && module.exports) {
    module.exports = { verifyMlDsa65 };
  }
})(globalThis);
