/** A device of a Tallystick provider. See README.md and docs/protocol. */

export {
  type ApprovalBegun,
  type ApprovalItem,
  Approvals,
  type ApprovalState,
  type Approved,
  type Beginning,
  type Company,
  type DeclineReason,
} from "./approvals.js";
export { openBrowserKeystore } from "./browser.js";
export { canonical, type Json, readCanonical } from "./canonical.js";
export { type Cbor, decodeCbor, encodeCbor, Tagged } from "./cbor.js";
export { money, type Quote, type Warned, type Warning, warningsOf } from "./consent.js";
export { type Algorithm, type VerifyKey } from "./crypto.js";
export * from "./errors.js";
export {
  type DeviceProof,
  keysChallenge,
  proofChallenge,
  type Prove,
  proveDevice,
} from "./evidence.js";
export { HYBRID, type Suite } from "./kems.js";
export { type KeyList, verifyKeyList } from "./keylist.js";
export {
  type DeviceKeystore,
  type Identity,
  type Memory,
  NOTHING,
  type Pairs,
  type Save,
  SoftwareKeystore,
  type VerifyUser,
} from "./keystore.js";
export type {
  AppClaim,
  AppNotice,
  Attestation,
  Description,
  RenewalPair,
  SessionAccepted,
} from "./messages.js";
export { type MlKem, type MlKemLibrary, mlKemOf, type MlKemPair, platformMlKem } from "./mlkem.js";
export { base64url, fromBase64, fromBase64url, fromHex, hex, type Octets } from "./octets.js";
export { answerOffline, type OfflineRequest, readOffline } from "./offline.js";
export {
  type FactorsGiven,
  type Guidance,
  Own,
  type OwnDevice,
  type OwnNotice,
  type OwnSession,
  type ProtectionCard,
  type Recovery,
  type RecoveryKind,
  type Steering,
} from "./own.js";
export { type Enrolling, Provider, type ProviderAt } from "./provider.js";
export { type Exchanged, Session } from "./session.js";
export { isFinal, type Language, LANGUAGES, type Stage, stageOf, stageSaid } from "./stages.js";
export {
  checkConsistency,
  type Checkpoint,
  type Receipt,
  type Verified,
  verifyCheckpoint,
  verifyReceipt,
} from "./tally.js";
export { FetchTransport, type Reply, type Transport } from "./transport.js";
export {
  type Account,
  type Acknowledge,
  type Asked,
  type Order,
  type Paid,
  type Quoted,
  type Seen,
  Wallet,
} from "./wallet.js";
export { Wiper, type WipeOrder } from "./wiping.js";
