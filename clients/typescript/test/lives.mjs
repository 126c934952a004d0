// One device that stays: reads a JSON object a line, does what `do` says, answers a line.
import { createInterface } from "node:readline";

import { fromBase64url, hex, Provider, warningsOf } from "../dist/index.js";
import { openFileKeystore } from "../dist/node.js";
import { noble } from "./keys.mjs";

const shown = [];
let ahead = 0;
let at;

const words = {
  async start({ state, root, ...asked }) {
    const keystore = await openFileKeystore(state, async (terms) => void shown.push(terms));
    const rootKey = { algorithm: root.algorithm, octets: fromBase64url(root.public) };
    const now = () => Date.now() + ahead;
    const provider = new Provider({ ...asked, root: rootKey, mlKem: noble, now });
    const description = {
      platform: "web",
      model: "Node",
      app_version: "1",
      protection: "software",
    };
    const platform =
      asked.platform &&
      (async (what, about) => {
        const posted = { method: "POST", body: JSON.stringify(about) };
        return (await fetch(`${asked.platform}/${what}`, posted)).json();
      });
    const attest = async (challenge) =>
      platform("attest", {
        challenge: hex(challenge),
        possession: hex(await keystore.possessionPublic()),
        consent: hex(await keystore.consentPublic()),
      });
    await provider.enrol(keystore, { ...asked, description, ...(platform ? { attest } : {}) });
    const prove = platform && ((told) => platform("prove", { told: hex(told) }));
    const session = provider.session(keystore, prove);
    const wallet = provider.wallet(keystore, session);
    const noticed = { remoteAccess: false, onCall: false };
    const approvals = provider.approvals(keystore, session, { wallet, company: () => noticed });
    at = {
      provider,
      keystore,
      session,
      wallet,
      approvals,
      noticed,
      own: provider.own(keystore, session),
    };
    return { ...keystore.memory().identity, app: (await session.establish()).app ?? null };
  },
  quote: ({ asked }) => at.wallet.quote(asked),
  async pay({ asked, acknowledged }) {
    const quoted = await at.wallet.quote(asked);
    const order = await at.wallet.consent(quoted, acknowledged);
    const { verified } = await at.wallet.place(order);
    return { order: verified.leaf.id, consent: order.consent, warnings: warningsOf(quoted) };
  },
  async silenced({ asked }) {
    const { quote, ...quoted } = await at.wallet.quote(asked);
    const { warnings: _, ...terms } = quote;
    return at.wallet.place(await at.wallet.consent({ ...quoted, quote: terms, shown: [] }));
  },
  warnings: async ({ item, seen }) => warningsOf(item, seen),
  poll: async ({ wait_s: waitS }) => at.approvals.poll(waitS),
  async approve({ item, number, company, acknowledged, seen }) {
    Object.assign(at.noticed, company);
    const { state, receipt } = await at.approvals.approve(item, number, acknowledged, seen);
    Object.assign(at.noticed, { remoteAccess: false, onCall: false });
    return { state, paid: receipt?.disclosed.get("amount_minor") ?? null };
  },
  decline: ({ approval, reason }) => at.approvals.decline(approval, reason),
  begin: ({ asked }) => at.approvals.begin(asked),
  cancel: ({ approval, because }) => at.approvals.cancel(approval, because),
  async own({ ask, given }) {
    return (await at.own[ask](...(given ?? []))) ?? {};
  },
  async acceptTerms() {
    await at.own.acceptTerms(await at.own.guidance());
    await at.own.acknowledgeTopics(await at.own.guidance());
    return at.own.guidance();
  },
  later: async ({ ms }) => ((ahead += ms), {}),
  open: () => at.session.establish(),
  async end() {
    await at.session.end();
    return {};
  },
  async wipe() {
    let erased = false;
    const order = await at.provider.wiper(at.keystore).obey(async () => void (erased = true));
    return { erased, device: order.device };
  },
  shown: async () => shown.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: word, ...asked } = JSON.parse(line);
  let said;
  try {
    said = { ok: await words[word](asked) };
  } catch (error) {
    const { code, message, because, suffices } = error;
    said = { error: code ?? String(error), detail: message, because, suffices };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
