"use strict";
(() => {
  const data = JSON.parse(document.getElementById("trace-data").textContent);
  const place = document.getElementById("chooser");
  const [RISK, CONTROL, ROW, CHECK, FINDING] = [0, 1, 2, 3, 4];
  const kinds = [data.risks, data.chains, data.rows, data.checks, data.findings];
  const known = kinds.map((things) => new Map(things.map((one) => [one[0], one])));
  const headings = ["Risks", "Controls", "Policy rows", "Checks", "Findings"];
  // Where a chain names things of each kind: risks, itself, rows, checks, findings.
  const inChain = (chain) => [chain[3], [chain[0]], chain[4], chain[5], chain[6]];
  const make = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const detail = (kind, one) => {
    if (kind === CONTROL) return `${one[1]} (${one[2]})`;
    if (kind === RISK) return `${one[1]}; risk bare ${one[2]}`;
    return one[2] ? `${one[2]}: ${one[1]}` : one[1];
  };
  const hanging = (kind, name) => {
    const chains = data.chains.filter((chain) => inChain(chain)[kind].includes(name));
    const found = kinds.map(() => new Set());
    for (const chain of chains) {
      inChain(chain).forEach((names, at) => names.forEach((one) => found[at].add(one)));
    }
    found[kind] = new Set([name]);
    // Of a check only its own rows hang on it, of a finding only its own checks.
    const bears = (check, row) => known[CHECK].get(check)[3].includes(row);
    if (kind === CHECK) found[FINDING] = new Set([...found[FINDING]].filter((row) => bears(name, row)));
    if (kind === FINDING) found[CHECK] = new Set([...found[CHECK]].filter((one) => bears(one, name)));
    return found;
  };
  const select = make("select", "", {id: "choice"});
  kinds.forEach((things, kind) => {
    const group = make("optgroup", "", {label: `${headings[kind]} (${things.length})`});
    for (const one of things) group.append(make("option", one[0], {value: `${kind} ${one[0]}`}));
    select.append(group);
  });
  const chain = make("div", "", {class: "chain"});
  const told = make("p", "", {role: "status", class: "soft"});
  const show = (kind, name, focus) => {
    select.value = `${kind} ${name}`;
    chain.replaceChildren(...hanging(kind, name).map((names, at) => {
      const column = make("div");
      const heading = make("h3", `${headings[at]} `);
      heading.append(make("span", `${names.size} of ${kinds[at].length}`));
      const list = make("ul", "", {"aria-label": headings[at]});
      for (const one of kinds[at].filter((thing) => names.has(thing[0]))) {
        const item = make("li"), button = make("button", one[0], {type: "button"});
        if (at === kind) button.setAttribute("aria-current", "true");
        button.append(make("small", detail(at, one)));
        button.addEventListener("click", () => show(at, one[0], true));
        item.append(button);
        list.append(item);
      }
      column.append(heading, list);
      if (!names.size) column.append(make("p", "nothing", {class: "soft small"}));
      if (at === ROW && kind === CONTROL) {
        const words = known[CONTROL].get(name)[7].join(", ");
        column.append(make("p", `The pack: ${words || "nothing named"}`, {class: "soft small"}));
      }
      return column;
    }));
    told.textContent = `${name}: what hangs on it.`;
    if (focus) chain.querySelector("[aria-current]").focus();
  };
  select.addEventListener("change", () => {
    const [kind, ...name] = select.value.split(" ");
    show(Number(kind), name.join(" "), false);
  });
  place.className = "chooser";
  place.append(make("label", "Choose a risk, a control, a policy row, a check or a finding:",
    {for: "choice"}), select, told, chain);
  place.hidden = false;
  if (data.chains.length) show(CONTROL, data.chains[0][0], false);
  const folded = document.querySelectorAll("details");
  document.querySelector("#trace details").open = false;
  addEventListener("beforeprint", () => folded.forEach((one) => { one.open = true; }));
  // A link into a folded table opens it.
  const reveal = () => {
    const aim = location.hash && document.getElementById(location.hash.slice(1));
    const inside = aim && aim.closest("details");
    if (inside) { inside.open = true; aim.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
