/**
 * What can go wrong, as typed errors. `code` is the last part of the problem's `type`; a program
 * decides on the class or the code, never on the text.
 *
 * Source: RFC 9457; docs/reference/errors.md
 */

import type { Receipt } from "./tally.js";

export interface Told {
  readonly remedy?: string;
  readonly because?: string;
  readonly retryAfterS?: number;
  readonly suffices?: readonly string[];
}

/** The root of every error of this package. */
export class TallystickError extends Error {
  readonly code: string = "error";
  /** Whether the same request with the same id may be sent again and can then succeed. */
  readonly again: boolean = false;
  readonly remedy: string;
  readonly because: string;
  readonly retryAfterS: number;
  readonly suffices: readonly string[];

  constructor(detail: string, told: Told = {}) {
    super(detail);
    this.name = new.target.name;
    this.remedy = told.remedy ?? "";
    this.because = told.because ?? "";
    this.retryAfterS = told.retryAfterS ?? 0;
    this.suffices = told.suffices ?? [];
  }
}

export class Malformed extends TallystickError {
  override readonly code: string = "malformed";
}
export class TooLarge extends TallystickError {
  override readonly code: string = "too-large";
}
export class Unauthenticated extends TallystickError {
  override readonly code: string = "unauthenticated";
}
export class NotAuthentic extends TallystickError {
  override readonly code: string = "not-authentic";
}
export class StepUpRequired extends TallystickError {
  override readonly code: string = "step-up-required";
}
export class NotPermitted extends TallystickError {
  override readonly code: string = "not-permitted";
}
export class NotFound extends TallystickError {
  override readonly code: string = "not-found";
}
export class Conflict extends TallystickError {
  override readonly code: string = "conflict";
}
export class Replayed extends TallystickError {
  override readonly code: string = "replayed";
}
export class Expired extends TallystickError {
  override readonly code: string = "expired";
}
export class InsufficientFunds extends TallystickError {
  override readonly code: string = "insufficient-funds";
}
export class LimitExceeded extends TallystickError {
  override readonly code: string = "limit-exceeded";
}
export class RateLimited extends TallystickError {
  override readonly code: string = "rate-limited";
  override readonly again: boolean = true;
}
/** The app may not do this: altered, withdrawn, too old, or without what the provider asks for. */
export class UpgradeRequired extends TallystickError {
  override readonly code: string = "upgrade-required";
}
/** Nobody answered, or the service cannot: whether anything was done is not known. */
export class Unavailable extends TallystickError {
  override readonly code: string = "unavailable";
  override readonly again: boolean = true;
}
/** Answered, and held back: nothing was done, the same id is good later. */
export class OutOfReach extends Unavailable {
  override readonly code: string = "out-of-reach";
}
/** Operators suspended this service for everybody: nothing was done, the same id is good later. */
export class ServiceSuspended extends OutOfReach {
  override readonly code: string = "service-suspended";
}
export class Broken extends TallystickError {
  override readonly code: string = "broken";
}

/** A refusal that the provider remembers, with the verified receipt that proves it. */
export class Refusal extends TallystickError {
  override readonly code: string;
  readonly error: TallystickError;
  readonly receipt: Receipt;

  constructor(error: TallystickError, receipt: Receipt) {
    super(error.message);
    this.code = error.code;
    this.error = error;
    this.receipt = receipt;
  }
}

const KINDS: Readonly<Record<string, new (detail: string, told?: Told) => TallystickError>> = {
  malformed: Malformed,
  "too-large": TooLarge,
  unauthenticated: Unauthenticated,
  "not-authentic": NotAuthentic,
  "step-up-required": StepUpRequired,
  "not-permitted": NotPermitted,
  "not-found": NotFound,
  conflict: Conflict,
  replayed: Replayed,
  expired: Expired,
  "insufficient-funds": InsufficientFunds,
  "limit-exceeded": LimitExceeded,
  "rate-limited": RateLimited,
  "upgrade-required": UpgradeRequired,
  unavailable: Unavailable,
  "out-of-reach": OutOfReach,
  "service-suspended": ServiceSuspended,
  broken: Broken,
};

/** The error that a code stands for; a code that nobody knows is the root. */
export function errorOf(code: string, detail: string, told: Told = {}): TallystickError {
  const kind = Object.hasOwn(KINDS, code) ? KINDS[code] : undefined;
  return new (kind ?? TallystickError)(detail, told);
}
