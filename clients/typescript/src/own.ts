/**
 * What an app does about its person's own devices, sessions, factors, notices, terms and recoveries.
 *
 * A refusal that more would overcome is StepUpRequired: its `suffices` names what, its `remedy` and
 * `because` are for the person to read.
 *
 * Source: docs/protocol/factors.md; docs/protocol/enrolment.md, Recovery
 */

import { boolean, id, type Json, list, matching, natural, object, string } from "./canonical.js";
import { signedByDevice } from "./jws.js";
import { type DeviceKeystore, identityOf } from "./keystore.js";
import type { Session } from "./session.js";

const emptyShape = object({});
const challengeShape = object({ question: matching(/^[0-9]{8}$/) });
const factorsShape = object({ factors: list(string), at: natural });
const deviceShape = object({
  device: id("dev"),
  this: boolean,
  status: string,
  because: string,
  trust: string,
  attested: string,
  enrolled_at: natural,
  used_at: natural,
  since: natural,
  wipe: string,
  deleted_at: natural,
  may: list(string),
});
const sessionShape = object({
  session: string,
  channel: string,
  device: string,
  established_at: natural,
  last_seen: natural,
  own: boolean,
});
const noticeShape = object({ at: natural, kind: string, text: string });
const guidanceShape = object({
  language: string,
  version: natural,
  topics: list(object({ name: string, title: string, text: string })),
  never_contact: list(string),
  complaints: list(string),
  terms_version: natural,
  terms: string,
  digest: string,
  accepted: natural,
  known: natural,
});
const cardShape = object({ policy: natural, lines: list(string) });
const recoveryShape = object({
  recovery: id("rcv"),
  kind: string,
  state: string,
  opener: string,
  opened_at: natural,
  ready_at: natural,
  expires_at: natural,
});

export type OwnDevice = ReturnType<typeof deviceShape>;
export type OwnSession = ReturnType<typeof sessionShape>;
export type OwnNotice = ReturnType<typeof noticeShape>;
export type Guidance = ReturnType<typeof guidanceShape>;
export type ProtectionCard = ReturnType<typeof cardShape>;
export type Recovery = ReturnType<typeof recoveryShape>;
export type FactorsGiven = ReturnType<typeof factorsShape>;
export type Steering = "suspend" | "resume" | "lose" | "steal" | "hand-on" | "deactivate";
export type RecoveryKind = "lost-phone" | "new-phone" | "number-change" | "dormant";

/** Asks over one session; every method throws what the provider refuses with. */
export class Own {
  readonly #session: Session;
  readonly #keystore: DeviceKeystore;
  readonly #now: () => number;

  constructor(session: Session, keystore: DeviceKeystore, now: () => number) {
    this.#session = session;
    this.#keystore = keystore;
    this.#now = now;
  }

  #ask<T>(operation: string, path: string, asked: Json, read: (value: Json) => T): Promise<T> {
    return this.#session.ask(operation, path, asked, read, { resend: false });
  }

  /** One's devices, all that is kept of them, and what may be done about each from here (`may`). */
  async devices(): Promise<readonly OwnDevice[]> {
    const read = object({ devices: list(deviceShape) });
    return (await this.#ask("device.list", "/v1/devices/list", {}, read)).devices;
  }

  /** Suspends, resumes or ends a device of one's own. What cannot be taken back takes a factor. */
  async steer(device: string, act: Steering): Promise<void> {
    await this.#ask("device.steer", "/v1/devices/steer", { device, act }, emptyShape);
  }

  async removeDevice(device: string): Promise<void> {
    await this.#ask("device.remove", "/v1/devices/remove", { device }, emptyShape);
  }

  /** Says that the consent key is void, since what unlocks it was changed; enrol again then. */
  async reportVoidKey(because: "biometrics-changed" | "lock-removed"): Promise<void> {
    await this.#ask("device.key-void", "/v1/devices/key-void", { because }, emptyShape);
  }

  /** Says what the app notices of its own phone, by the names of the signals. */
  async report(signals: readonly string[]): Promise<void> {
    const told = { signals: [...new Set(signals)].sort() };
    await this.#ask("device.report", "/v1/devices/signals", told, emptyShape);
  }

  /** One's live sessions over all channels, oldest first. */
  async sessions(): Promise<readonly OwnSession[]> {
    const read = object({ sessions: list(sessionShape) });
    return (await this.#ask("session.list", "/v1/session/list", {}, read)).sessions;
  }

  /** Ends one other session, or all others. */
  async endOthers(session = ""): Promise<void> {
    await this.#ask("session.end-others", "/v1/session/end-others", { session }, emptyShape);
  }

  /** A question to type into an authenticator that answers. */
  async challenge(): Promise<string> {
    const path = "/v1/factors/challenge";
    return (await this.#ask("factor.challenge", path, {}, challengeShape)).question;
  }

  /** Gives a one-time code; with the one `following` it the authenticator is synchronised. */
  giveCode(code: string, following = ""): Promise<FactorsGiven> {
    return this.#ask("factor.code", "/v1/factors/code", { code, following }, factorsShape);
  }

  givePin(pin: string): Promise<FactorsGiven> {
    return this.#ask("factor.pin", "/v1/factors/pin", { pin }, factorsShape);
  }

  /** Chooses a new PIN; takes a factor that was just given. */
  async changePin(pin: string): Promise<void> {
    await this.#ask("pin.change", "/v1/pin", { pin }, emptyShape);
  }

  /** Confirms a payee; takes a factor that was just given. */
  async addPayee(payee: string): Promise<void> {
    await this.#ask("payee.add", "/v1/payees", { payee }, emptyShape);
  }

  /** The newest warnings to one's number, which somebody else may have now; newest first. */
  async notices(): Promise<readonly OwnNotice[]> {
    const read = object({ notices: list(noticeShape) });
    return (await this.#ask("notice.list", "/v1/notices", {}, read)).notices;
  }

  /** Everything that customers are told, the terms and where to complain; in their language. */
  guidance(language: "" | "en" | "fr" | "sw" = ""): Promise<Guidance> {
    return this.#ask("education.read", "/v1/education", { language }, guidanceShape);
  }

  /** Accepts the terms as they were `read`. */
  acceptTerms(read: Guidance): Promise<void> {
    return this.#acknowledge("terms", read.terms_version, read.language, read.digest);
  }

  /** Says that the topics were `read`. */
  acknowledgeTopics(read: Guidance): Promise<void> {
    return this.#acknowledge("topics", read.version, read.language, "");
  }

  async #acknowledge(
    what: string,
    version: number,
    language: string,
    digest: string,
  ): Promise<void> {
    const asked = { what, version, language, digest };
    await this.#ask("education.acknowledge", "/v1/education/acknowledge", asked, emptyShape);
  }

  /** What protects one's account, under the policy in force. */
  protection(): Promise<ProtectionCard> {
    return this.#ask("protection.card", "/v1/protection", {}, cardShape);
  }

  /** What runs on one's account, or ended lately. */
  async recoveries(): Promise<readonly Recovery[]> {
    const read = object({ recoveries: list(recoveryShape) });
    return (await this.#ask("recovery.list", "/v1/recoveries/list", {}, read)).recoveries;
  }

  /** Says no to a recovery of one's account. */
  async cancelRecovery(recovery: string): Promise<void> {
    await this.#ask("recovery.cancel", "/v1/recoveries/cancel", { recovery }, emptyShape);
  }

  /** Opens a recovery of one's own account; `lost` is a device of one's own that is gone. */
  openRecovery(
    kind: RecoveryKind,
    about: { readonly lost?: string; readonly newNumber?: string } = {},
  ): Promise<Recovery> {
    return this.#recovery("open", kind, about.lost ?? "", about.newNumber ?? "");
  }

  finishRecovery(kind: RecoveryKind): Promise<Recovery> {
    return this.#recovery("finish", kind, "", "");
  }

  async #recovery(does: string, kind: string, lost: string, newNumber: string): Promise<Recovery> {
    const { device } = identityOf(this.#keystore);
    const said = { v: 1, does, kind, number: "", lost, new_number: newNumber, evidence: "" };
    const payload = { ...said, zone: "", at: this.#now() };
    const shown = `${does} a recovery (${kind}) of your own account?`;
    const act = await signedByDevice("tallystick-recovery", device, payload, (message) =>
      this.#keystore.consentSign(message, shown),
    );
    return this.#ask("recovery.sign", "/v1/recoveries", { act }, recoveryShape);
  }
}
