// One device: reads what it knows on standard input, enrols if it is told a code, pays, says what came.
import { readFileSync } from "node:fs";

import { fromBase64url, Provider } from "../dist/index.js";
import { openFileKeystore } from "../dist/node.js";
import { noble } from "./keys.mjs";

const asked = JSON.parse(readFileSync(0, "utf8"));
const shown = [];
const keystore = await openFileKeystore(asked.state, async (terms) => void shown.push(terms));
let said;
try {
  const provider = new Provider({
    url: asked.url,
    name: asked.provider,
    origin: asked.origin,
    root: { algorithm: asked.root.algorithm, octets: fromBase64url(asked.root.public) },
    mlKem: noble,
    now: () => Date.now() + (asked.ahead ?? 0),
    ...(asked.suites ? { suites: asked.suites } : {}),
  });
  if (asked.code) {
    const { protection } = keystore;
    const description = { platform: "web", model: "Node", app_version: "1", protection };
    await provider.enrol(keystore, { ...asked, description });
  }
  const wallet = provider.wallet(keystore);
  const { payee, amount: amountMinor } = asked;
  const paid = await wallet.pay({ kind: "p2p", payee, amountMinor, currency: "KES" });
  let refused = "";
  try {
    const [text, lines] = paid.receipt.checkpoint.split("\n\n");
    const checkpoint = `${text}\n\n${lines.split("\n")[0]}\n`; // all but the first signature is cut off
    await wallet.verified({ ...paid.receipt, checkpoint });
  } catch (error) {
    refused = error.code;
  }
  said = {
    order: paid.verified.leaf.id,
    balance: paid.balanceMinor,
    receipt: paid.receipt,
    refused,
  };
} catch (error) {
  said = { error: error.code ?? String(error), detail: error.message };
}
process.stdout.write(JSON.stringify({ ...said, shown, hybrid: keystore.memory().hybrid }));
