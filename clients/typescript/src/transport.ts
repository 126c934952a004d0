/**
 * Carries octets to the provider and back, over `fetch`. Nothing depends on it for secrecy.
 *
 * Source: RFC 9110; ISO/TS 12812-2:2017, 7.2.3
 */

import { readJson, type Json, list, natural, object, string } from "./canonical.js";
import { errorOf, Malformed, type TallystickError, Unavailable } from "./errors.js";
import type { Octets } from "./octets.js";
import { type Receipt, receiptShape } from "./tally.js";

export const JSON_TYPE = "application/json";
export const SEALED_TYPE = 'application/cose; cose-type="cose-encrypt0"';
const MAX_REPLY = 4 * 1024 * 1024;
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

export interface Reply {
  readonly status: number;
  readonly sealed: boolean;
  readonly body: Octets;
}

export interface Transport {
  /** `waitS` is how much longer than usual the answer may take. */
  post(path: string, body: Octets, contentType: string, waitS?: number): Promise<Reply>;
  get(path: string): Promise<Reply>;
}

export class FetchTransport implements Transport {
  readonly #url: string;
  readonly #timeoutMs: number;

  /** `http:` is for loopback only. */
  constructor(url: string, timeoutMs = 10_000) {
    const parsed = new URL(url);
    const plain = parsed.protocol === "http:" && LOOPBACK.includes(parsed.hostname);
    if (!plain && parsed.protocol !== "https:") throw new Malformed("http is for loopback only");
    this.#url = parsed.origin;
    this.#timeoutMs = timeoutMs;
  }

  post(path: string, body: Octets, contentType: string, waitS = 0): Promise<Reply> {
    const headers = { "content-type": contentType };
    return this.#exchange(path, { method: "POST", body, headers }, waitS);
  }

  get(path: string): Promise<Reply> {
    return this.#exchange(path, { method: "GET" });
  }

  async #exchange(path: string, how: RequestInit, waitS = 0): Promise<Reply> {
    const signal = AbortSignal.timeout(this.#timeoutMs + waitS * 1000);
    try {
      const reply = await fetch(this.#url + path, {
        ...how,
        signal,
        redirect: "error",
        credentials: "omit",
        cache: "no-store",
      });
      const body = new Uint8Array(await reply.arrayBuffer());
      if (body.length > MAX_REPLY) throw new Malformed("the provider's reply is too large");
      const type = reply.headers.get("content-type") ?? "";
      return { status: reply.status, sealed: type.startsWith("application/cose"), body };
    } catch (error) {
      if (error instanceof Malformed) throw error;
      throw new Unavailable("the provider did not answer", {
        remedy: "try again with the same order id",
      });
    }
  }
}

const problemShape = object(
  { type: string, title: string, status: natural, detail: string },
  {
    remedy: string,
    because: string,
    retry_after_s: natural,
    suffices: list(string),
    receipt: (value: Json) => (value === null ? null : (receiptShape(value) as Receipt)),
  },
);

export interface Problem {
  readonly error: TallystickError;
  readonly receipt: Receipt | null;
}

/** The error that a problem document stands for, and the receipt that proves it if it is final. */
export function problemOf(body: Octets): Problem {
  const found = problemShape(readJson(body));
  const error = errorOf(found.type.replace(/^urn:tallystick:problem:/, ""), found.detail, {
    remedy: found.remedy ?? "",
    because: found.because ?? "",
    retryAfterS: found.retry_after_s ?? 0,
    suffices: found.suffices ?? [],
  });
  return { error, receipt: found.receipt ?? null };
}

/** The error that a reply in clear stands for: it is not authentic, and nothing rests on it. */
export function refusal(reply: Reply): TallystickError {
  try {
    return problemOf(reply.body).error;
  } catch {
    return new Unavailable(`the provider answered ${reply.status}`, { remedy: "try again" });
  }
}
