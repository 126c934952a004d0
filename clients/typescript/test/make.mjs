// Makes what another implementation is to check: reads {recipients} on standard input, writes JSON.
import { readFileSync } from "node:fs";

import { canonical } from "../dist/canonical.js";
import { encodeCbor, Tagged } from "../dist/cbor.js";
import { sealRequest } from "../dist/envelope.js";
import { renewalProof, renewalSecret, sessionKeys } from "../dist/handshake.js";
import { seal } from "../dist/hpke.js";
import { NOTHING, SoftwareKeystore } from "../dist/keystore.js";
import { base64url, fromHex, hex, utf8 } from "../dist/octets.js";
import { commitment } from "../dist/tally.js";
import { P256, X25519 } from "../dist/kems.js";
import { shownTerms, signConsent } from "../dist/consent.js";
import { hybrid } from "./keys.mjs";

const { recipients, quotes, device, values } = JSON.parse(readFileSync(0, "utf8"));
const session = `ses_7${"z".repeat(25)}`;
const shares = fromHex("11".repeat(64));
const t3 = fromHex("22".repeat(32));
const keys = await sessionKeys(session, shares, t3);

const sealed = [];
for (const { suite, public: octets } of recipients) {
  const info = utf8("made by another");
  const kem = [hybrid, X25519, P256].find((one) => one.suite === suite);
  sealed.push({ suite, octets: hex(await seal(kem, fromHex(octets), info, utf8(suite))) });
}
const requests = [];
for (const sequence of [1, 255, 256, 65536, 2 ** 32 - 1]) {
  const content = utf8("x".repeat(sequence % 300));
  const operation = "payment.order";
  const octets = await sealRequest(keys, operation, sequence, content);
  requests.push({ sequence, operation, content: hex(content), octets: hex(octets) });
}
const keystore = await SoftwareKeystore.create(async () => {});
await keystore.remember({ ...NOTHING, identity: { device } });
const consents = [];
for (const text of quotes) {
  const quote = JSON.parse(text);
  consents.push(await signConsent(quote, keystore, 1767225605000, shownTerms(quote)));
}
const counted = { counter: 5, secret: await renewalSecret(shares, t3, 5) };
process.stdout.write(
  JSON.stringify({
    session,
    sealed,
    requests,
    consent_public: hex(await keystore.consentPublic()),
    consents,
    renewal: { secret: hex(counted.secret), proof: hex(await renewalProof(counted, t3)) },
    canonical: values.map((value) => canonical(value)),
    commitment: await commitment(fromHex("33".repeat(16)), "amount_minor", 1250),
    attestation: hex(
      encodeCbor(
        new Map([
          ["possession", fromHex("3001")],
          ["consent", fromHex("3002")],
          ["above", [fromHex("3003")]],
        ]),
      ),
    ),
    tagged: hex(encodeCbor(new Tagged(16, [base64url(keys.kid), new Map(), null]))),
  }),
);
