/** A device of a Tallystick provider. See README.md and docs/protocol. */

export { openBrowserKeystore } from "./browser.js";
export { canonical, type Json, readCanonical } from "./canonical.js";
export { type Cbor, decodeCbor, encodeCbor, Tagged } from "./cbor.js";
export { type Algorithm, type VerifyKey } from "./crypto.js";
export * from "./errors.js";
export { type DeviceProof, keysChallenge, proofChallenge, proveDevice } from "./evidence.js";
export type { Attestation, Description, RenewalPair, SessionAccepted } from "./handshake.js";
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
export { type MlKem, type MlKemLibrary, mlKemOf, type MlKemPair, platformMlKem } from "./mlkem.js";
export { base64url, fromBase64, fromBase64url, fromHex, hex, type Octets } from "./octets.js";
export { type Enrolling, Provider, type ProviderAt } from "./provider.js";
export { type Exchanged, Session } from "./session.js";
export {
  checkConsistency,
  type Checkpoint,
  type Receipt,
  type Verified,
  verifyCheckpoint,
  verifyReceipt,
} from "./tally.js";
export { FetchTransport, type Reply, type Transport } from "./transport.js";
export { type Account, type Asked, money, type Order, type Paid, type Quoted, Wallet } from "./wallet.js";
