/**
 * What a platform or an app store is asked to vouch for, and the proof of an enrolled device.
 *
 * A verdict of Play Integrity answers, as its request hash in base64url, what both functions give:
 * one at enrolment, beside the attestation; one when the provider asks for a fresh proof.
 */
import { natural, object, string } from "./canonical.js";
import { sha256 } from "./crypto.js";
import { StepUpRequired } from "./errors.js";
import { type DeviceKeystore, identityOf } from "./keystore.js";
import { fromBase64url, label, type Octets, utf8 } from "./octets.js";
import type { Session } from "./session.js";

const challengeShape = object({ challenge: string, expires_at: natural });
const takenShape = object({ trust: string, proved_at: natural });

export interface DeviceProof {
  /** `play-integrity`, `android-key` or `apple-app-attest`. */
  readonly format: string;
  readonly statement: string;
}

/** The platform's answer to 32 octets. */
export type Prove = (told: Octets) => Promise<DeviceProof>;

/** Whether `error` says that a fresh proof of the device would be enough. */
export function asksForEvidence(error: unknown): boolean {
  return (
    error instanceof StepUpRequired && error.suffices.some((one) => one.startsWith("evidence:"))
  );
}

/** What vouches for both keys of a new device: 32 octets. */
export function keysChallenge(
  challenge: Octets,
  possession: Octets,
  consent: Octets,
): Promise<Octets> {
  return sha256(label("enrolment attested keys"), challenge, possession, consent);
}

/** What a proof of `device` answers that was asked with `challenge`: 32 octets. */
export function proofChallenge(challenge: Octets, device: string): Promise<Octets> {
  return sha256(label("device proof"), challenge, utf8(device));
}

/** Asks what to answer, has the platform answer it; gives how far the device is trusted now. */
export async function proveDevice(
  session: Session,
  keystore: DeviceKeystore,
  prove: Prove,
): Promise<string> {
  const path = "/v1/devices/challenges";
  const asked = await session.ask("device.challenge", path, {}, challengeShape);
  const told = await proofChallenge(fromBase64url(asked.challenge), identityOf(keystore).device);
  const proof = { ...(await prove(told)) };
  const taken = await session.ask("device.prove", "/v1/devices/proofs", proof, takenShape);
  return taken.trust;
}
