/**
 * Checks the receipt in the page with verifyReceipt, and says step by step what was found.
 *
 * Source: ISO/TS 12812-2:2017, 7.3.3; RFC 9162, 2.1.3.2
 */
"use strict";
(async () => {
  const place = document.getElementById("proof");
  if (!place) return;
  const given = JSON.parse(document.getElementById("receipt").textContent);
  const found = await verifyReceipt(given.receipt, given.key, given.origin);
  const says = document.createElement("p"), list = document.createElement("ol");
  says.className = found.ok ? "good" : "bad";
  says.textContent = found.ok
    ? "Verified in this browser: the event is in the signed log." : `Not verified: ${found.reason}`;
  list.className = "steps";
  for (const step of found.steps) {
    const item = document.createElement("li");
    item.className = step.ok ? "" : "bad";
    item.textContent = step.detail || step.name;
    list.append(item);
  }
  place.replaceChildren(says, list);
  place.dataset.verdict = found.ok ? "fits" : "parted";
})();
