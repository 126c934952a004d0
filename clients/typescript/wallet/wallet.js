// A wallet in a browser over @tallystick/client. It says "paid" once a verified receipt proves that.
import {
  fromBase64url,
  isFinal,
  LANGUAGES,
  money,
  NotFound,
  NotPermitted,
  openBrowserKeystore,
  OutOfReach,
  Provider,
  Refusal,
  stageOf,
  stageSaid,
  TallystickError,
  warningsOf,
} from "./dist/index.js";

const at = (id) => document.getElementById(id);
const ACTS = {
  suspend: "Stop it for now",
  resume: "Let it act again",
  lose: "It is lost",
  steal: "It was stolen",
  "hand-on": "I gave it away",
  deactivate: "End it",
};
const REASONS = {
  "changed-mind": "I changed my mind",
  "wrong-terms": "These terms are wrong",
  "not-me": "I did not begin this",
  other: "Another reason",
};
const ORDER = "tallystick order";
const FOLLOWED = "tallystick followed";
let currency = "";

function element(name, text = "", more = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, more);
}

/** Says what came of something, of `order` where it was one. */
function say(text, wrong = false, order = "") {
  at("said").textContent = text;
  at("said").dataset.order = order;
  at("said").toggleAttribute("data-wrong", wrong);
}

/** A stage in the page's language, `fr-CM` as `fr`; in English where there are no words for it. */
const inWords = (stage) => {
  const [language] = document.documentElement.lang.split("-");
  return stageSaid(stage, LANGUAGES.includes(language) ? language : "en");
};

/** What a verified receipt proves of its order. */
function proved(verified, unit) {
  const stage = stageOf(verified);
  const amount = money(verified.disclosed.get("amount_minor"), unit);
  const receipt = stage === "settled" ? " (receipt verified)" : "";
  return `${amount} to ${verified.disclosed.get("payee_name")}: ${inWords(stage)}${receipt}`;
}

/** Runs what a person asked for and says what came of it, never twice at once. */
async function doing(work) {
  if (document.body.ariaBusy === "true") return;
  document.body.ariaBusy = "true";
  try {
    await work();
  } catch (error) {
    const refused = error instanceof Refusal ? inWords("refused") : "";
    say([refused, error.message, error.remedy].filter(Boolean).join(": "), true);
  } finally {
    document.body.ariaBusy = "false";
  }
}

/** What a person answers in a dialog: true for yes, false for no and for closing it. */
function answered(dialog) {
  return new Promise((resolve) => {
    let said = false;
    for (const button of dialog.querySelectorAll("button")) {
      button.onclick = () => {
        said = button.value === "yes";
        dialog.close();
      };
    }
    dialog.onclose = () => resolve(said);
    dialog.showModal();
  });
}

/** Puts the words before the person who signs them. */
async function verifyUser(shown) {
  at("asked-text").textContent = shown;
  if (!(await answered(at("asked")))) throw new NotPermitted("nothing was signed");
}

/** Shows every warning; one that the consent will repeat is acknowledged by a tick of its own. */
async function acknowledge(warnings) {
  if (warnings.length === 0) return [];
  const go = at("warned").querySelector('button[value="yes"]');
  const ticks = [];
  const rows = warnings.map(({ name, text, bound }) => {
    const row = element("li");
    row.append(element("span", text, { className: "warning" }));
    if (bound) {
      const label = element("label", "", { className: "tick" });
      const tick = element("input", "", { type: "checkbox", name });
      tick.onchange = () => (go.disabled = !ticks.every((one) => one.checked));
      ticks.push(tick);
      label.append(tick, "I read this, and want to pay");
      row.append(label);
    }
    return row;
  });
  at("warnings").replaceChildren(...rows);
  go.disabled = ticks.length > 0;
  if (!(await answered(at("warned")))) throw new NotPermitted("nothing was paid");
  return ticks.filter((one) => one.checked).map((one) => one.name);
}

/** Minor units of a typed amount: exact, never rounded. */
function minorOf(text, places) {
  const [whole, part = ""] = text.split(".");
  if (!/^[0-9]+$/.test(whole) || part.length > places) throw new NotPermitted("not an amount");
  return Number(whole + part.padEnd(places, "0"));
}

const config = await (await fetch("provider.json")).json();
const keystore = await openBrowserKeystore("wallet", verifyUser);
const provider = new Provider({
  url: location.origin,
  name: config.name,
  origin: config.origin,
  root: { algorithm: config.root.algorithm, octets: fromBase64url(config.root.public) },
});
const session = provider.session(keystore);
const wallet = provider.wallet(keystore, session);
const approvals = provider.approvals(keystore, session, { wallet });
const own = provider.own(keystore, session);
const waiting = new Map();
const rows = new Map();
const following = new Set();

const followed = () => JSON.parse(localStorage.getItem(FOLLOWED) ?? "[]");
const unfollow = (order) =>
  localStorage.setItem(FOLLOWED, JSON.stringify(followed().filter((one) => one.order !== order)));

/** Says how far an order has come; where it has not ended it is followed, over a restart as well. */
function toldOf(verified, unit) {
  const order = verified.leaf.id;
  say(proved(verified, unit), stageOf(verified) === "refused", order);
  if (isFinal(stageOf(verified))) return;
  unfollow(order);
  localStorage.setItem(FOLLOWED, JSON.stringify([...followed(), { order, unit }]));
}

/**
 * Asks after an order until it ended, for some minutes at a time: again with each look. Its row, and
 * what was said of it, tell each stage.
 */
async function follow({ order, unit }) {
  if (following.has(order)) return;
  following.add(order);
  try {
    const last = await wallet.follow(order, (verified) => {
      if (!rows.has(order)) rows.set(order, element("li"));
      rows.get(order).textContent = proved(verified, unit);
      at("orders").replaceChildren(...rows.values());
      at("under-way").hidden = false;
      if (at("said").dataset.order === order) toldOf(verified, unit);
    });
    if (!isFinal(stageOf(last))) return;
    unfollow(order);
    await balance();
  } catch (error) {
    if (error instanceof NotFound) unfollow(order); // an approver's, of another's account
  } finally {
    following.delete(order);
  }
}

async function balance() {
  const account = await wallet.account();
  currency = account.currency;
  at("balance").textContent = money(account.available_minor, currency);
}

function request(item) {
  const row = element("li");
  row.append(element("p", item.text));
  if (item.warning) row.append(element("p", item.warning, { className: "warning" }));
  const label = element("label", "The number shown where it began");
  const number = element("input", "", { inputMode: "numeric", maxLength: 2, autocomplete: "off" });
  label.append(number);
  const hurry = element("label", "", { className: "tick" });
  const hurried = element("input", "", { type: "checkbox" });
  hurry.append(hurried, "Somebody called and asks me to approve now");
  const approve = element("button", "Approve", { type: "button" });
  approve.onclick = () =>
    doing(async () => {
      const seen = hurried.checked ? ["urgency"] : [];
      const said = await acknowledge(warningsOf(item, seen));
      const { state, receipt } = await approvals.approve(item, number.value.trim(), said, seen);
      if (receipt !== null) toldOf(receipt, item.quote.currency);
      else say(`The request is ${state.stage}, signed by ${state.signed} of ${state.needed}.`);
      await lookAfter();
    });
  const why = element("select", "", { ariaLabel: "Why not" });
  why.append(...Object.entries(REASONS).map(([value, text]) => element("option", text, { value })));
  const decline = element("button", "Decline", { type: "button", className: "quiet" });
  decline.onclick = () =>
    doing(async () => {
      const state = await approvals.decline(item.state.approval, why.value);
      say(`The request is ${state.stage}.`);
      await lookAfter();
    });
  const first = element("div", "", { className: "choice" });
  const second = element("div", "", { className: "choice" });
  first.append(label, hurry, approve);
  second.append(why, decline);
  row.append(first, second);
  return row;
}

function deviceRow(one) {
  const row = element("li");
  const name = one.this
    ? "This browser"
    : `A device bound on ${new Date(one.enrolled_at).toDateString()}`;
  row.append(
    element("p", `${name}: ${one.status}`),
    element("p", one.because, { className: "soft" }),
  );
  const choice = element("div", "", { className: "choice" });
  for (const act of one.may.filter((may) => Object.hasOwn(ACTS, may))) {
    const button = element("button", ACTS[act], { type: "button", className: "quiet" });
    button.dataset.act = act;
    button.onclick = () =>
      doing(async () => {
        if (!["suspend", "resume"].includes(act)) await verifyUser(`${ACTS[act]}: for good?`);
        await own.steer(one.device, act);
        say("Done.");
        await lookAfter();
      });
    choice.append(button);
  }
  row.append(choice);
  return row;
}

function noticeRow(one) {
  const row = element("li");
  row.append(
    element("p", one.text),
    element("p", new Date(one.at).toLocaleString(), { className: "soft" }),
  );
  return row;
}

function listed(id, rows) {
  at(id).replaceChildren(
    ...(rows.length ? rows : [element("li", "Nothing.", { className: "soft" })]),
  );
}

async function look() {
  await balance();
  const guidance = await own.guidance();
  at("terms").hidden = guidance.accepted >= guidance.terms_version;
  at("terms-text").textContent = guidance.terms;
  at("accept").onclick = () =>
    doing(async () => {
      await own.acceptTerms(guidance);
      say("The terms are accepted.");
      await lookAfter();
    });
  for (const item of await approvals.poll()) waiting.set(item.state.approval, item);
  const pending = [...waiting.values()].filter((one) => one.state.stage === "pending");
  listed("requests", pending.map(request));
  listed("notices", (await own.notices()).map(noticeRow));
  listed("devices", (await own.devices()).map(deviceRow));
  at("balance").hidden = at("home").hidden = false;
  at("enrol").hidden = true;
  for (const one of followed()) void follow(one);
}

/** Looks again after something was done. Where that fails, what was said of it stands all the same. */
async function lookAfter() {
  try {
    await look();
  } catch {
    at("said").textContent += " What is shown below may be old.";
  }
}

/**
 * Places the order that is kept, over a restart as well, until it is answered: the same one, since a
 * new one would be paid beside it. Whether there was one.
 */
async function placed() {
  const kept = localStorage.getItem(ORDER);
  if (kept === null) return false;
  const order = JSON.parse(kept);
  let paid;
  try {
    paid = await wallet.place(order);
  } catch (error) {
    const over = error instanceof TallystickError && !error.again;
    if (over || error instanceof OutOfReach) localStorage.removeItem(ORDER);
    throw error;
  }
  toldOf(paid.verified, order.quote.currency);
  localStorage.removeItem(ORDER);
  return true;
}

async function begin() {
  const kept = localStorage.getItem(ORDER) !== null;
  try {
    await placed();
  } finally {
    await (kept ? lookAfter() : look());
  }
}

at("enrol").onsubmit = (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  doing(async () => {
    const { protection } = keystore;
    const description = { platform: "web", model: "browser", app_version: "1", protection };
    await provider.enrol(keystore, {
      activation: given.get("activation").trim(),
      code: given.get("code").trim(),
      description,
      shown: `Bind this browser to your account at ${config.name}?`,
    });
    say("This browser is bound.");
    await look();
  });
};

at("pay").onsubmit = (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  doing(async () => {
    const places = money(0, currency).split(".")[1]?.length ?? 0;
    const asked = {
      kind: "p2p",
      payee: given.get("payee").trim(),
      amountMinor: minorOf(given.get("amount").trim(), places),
      currency,
      ...(given.get("urgency") === null ? {} : { seen: ["urgency"] }),
    };
    say("");
    if (!(await placed())) {
      const quoted = await wallet.quote(asked);
      const order = await wallet.consent(quoted, await acknowledge(warningsOf(quoted)));
      localStorage.setItem(ORDER, JSON.stringify(order));
      await placed();
      at("pay").reset();
    }
    await lookAfter();
  });
};
at("again").onclick = () => doing(begin);

at("provider").textContent = config.name;
if (keystore.memory().identity === null) at("enrol").hidden = false;
else await doing(begin);
document.body.dataset.ready = "yes";
