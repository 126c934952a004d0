/**
 * The messages of the handshake and of enrolment, as they are read.
 *
 * Source: docs/protocol/session.md; docs/protocol/enrolment.md
 */

import { boolean, exactly, id, list, matching, natural, object, string } from "./canonical.js";
import type { Octets } from "./octets.js";

/** A renewal pair as the device remembers it; `secret` is 32 octets. */
export interface RenewalPair {
  readonly counter: number;
  readonly secret: Octets;
}

/** The application that the device runs, in its own words; `digest` is SHA-256 of its package, hex. */
export interface AppClaim {
  readonly platform: "android" | "ios";
  readonly package: string;
  readonly version: number;
  readonly digest: string;
}

/** What is to be told about the application; `at` is when that becomes less (ms, 0: not set). */
export interface AppNotice {
  readonly may: string;
  readonly says: string;
  readonly because: string;
  readonly at: number;
  readonly offered: number;
}

export interface SessionAccepted {
  readonly session: string;
  readonly open: boolean;
  readonly counter: number;
  readonly expires_idle_s: number;
  readonly expires_at: number;
  readonly policy_version: number;
  readonly server_time: number;
  /** Only where there is something to tell. */
  readonly app?: AppNotice;
}

export interface EnrolmentAccepted {
  readonly device: string;
  readonly customer: string;
  readonly accounts: readonly string[];
  readonly certificate: string;
  readonly counter: number;
  readonly server_time: number;
}

export interface Attestation {
  readonly format: string;
  readonly statement: string;
  /** What an app store says of the app: a compact JWE for `keysChallenge`. */
  readonly verdict?: string;
}

export interface Description {
  readonly platform: string;
  readonly model: string;
  readonly app_version: string;
  readonly protection: string;
  readonly app?: AppClaim;
}

const url = matching(/^[A-Za-z0-9_-]+$/);
export const answerShape = object({
  core: object({
    version: natural,
    suite: string,
    session: id("ses"),
    provider: string,
    kid: string,
    kem_public: url,
    sealed: url,
  }),
  signature: url,
  mac: url,
  cookie: url,
});
export const shareShape = object({
  key_list_version: natural,
  secret: matching(/^[A-Za-z0-9_-]{43}$/),
});
export const acceptedShape = object(
  {
    session: id("ses"),
    open: boolean,
    counter: natural,
    expires_idle_s: natural,
    expires_at: natural,
    policy_version: natural,
    server_time: natural,
  },
  {
    app: object({
      may: matching(/^(?:run|warn|limit)$/),
      says: string,
      because: string,
      at: natural,
      offered: natural,
    }),
  },
);
export const enrolledShape = object({
  device: id("dev"),
  customer: id("cus"),
  accounts: list(id("acc")),
  certificate: string,
  counter: exactly(1),
  server_time: natural,
});
