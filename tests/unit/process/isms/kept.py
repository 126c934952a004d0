"""Registers of a small provider, in order at NOW; tests change a text and look what follows."""

from tallystick.kernel.time import Instant
from tallystick.process.isms.model import Registers
from tallystick.process.isms.reading import read_registers
from tallystick.process.yamltext.quantities import day_ms

NOW = Instant(day_ms("2026-11-26"))
OPERATOR = "opr_06f1c2d3e4f5a6b7c8d9e0f1a2"

TEXTS = {
    "parties": """
  house: {role: mfsp, party: house, contact: ciso, system: iso27001, certifier: A CB,
    system_until: 2027-06-01}
  telco: {role: mno, party: mno1, contact: noc, contract: msa-12, system: iso27001,
    system_until: 2027-03-31}
  cloud: {role: vendor, party: cloud1, contact: support, contract: c-1, system: soc2,
    system_until: 2027-01-31, consumes: [order, personal]}
  phones: {role: oem, party: makers, contact: products, why: certificates stand for it}
  shop: {role: agent, party: shops, contact: agents desk, why: trained and supervised by us}
""",
    "responsibilities": """
  all: {accountable: ciso}
  "7.4.2": {accountable: key-custodian, consulted: [auditor]}
  MFS-7.4.2-01: {accountable: head-of-keys, performers: [vault-team]}
  MFS-7.4.3-05: {accountable: ciso, performers: [telco]}
  MFS-8.1.4-02: {accountable: ciso, performers: [telco]}
""",
    "objectives": """
  security-policy: {owner: ciso, document: policy}
  organisation: {owner: ciso, document: policy}
  asset-management: {owner: coo, until: 2027-02-01}
  human-resources: {owner: hr, until: 2027-02-01}
  physical: {owner: coo, chosen: false, why: everything is hosted}
  communications: {owner: cto, until: 2027-02-01}
  access-control: {owner: cto, until: 2027-02-01}
  development: {owner: cto, until: 2027-02-01}
  incidents: {owner: ciso, document: policy}
  continuity: {owner: coo, until: 2027-02-01}
  compliance: {owner: ciso, document: policy}
""",
    "assets": """
  ledger: {kind: value, owner: cfo, confidentiality: moderate, integrity: severe,
    availability: major, covers: [database]}
  keys: {kind: key, owner: ciso, confidentiality: severe, integrity: severe,
    availability: major, covers: ["key:tally"]}
""",
    "vendors": """
  sms-house:
    contract: msa-7
    contract_until: 2027-05-01
    delivers: short messages
    requirements: [MFS-7.2.3-01]
    security_level: basic
    verified: 2026-06-01
    verify_every: P365D
    verified_by: ciso
    service_level: 99.5 % delivered within a minute
    service_level_met: true
""",
    "people": f"""
  ann: {{kind: staff, operator: {OPERATOR}, course: fraud and keys, trained: 2026-03-01,
    valid_for: P365D}}
  shop-7: {{kind: agent, customer: cus_7, course: handling of codes, trained: 2026-05-01,
    valid_for: P365D}}
""",
    "documents": """
  policy: {title: Security policy, version: "3", owner: ciso, approved_by: board,
    reviewed: 2026-02-01, review_every: P365D, place: shared drive}
""",
    "incidents": "",
    "continuity": """
  payments: {owner: coo, rto: PT4H, rpo: PT0S, tested: 2026-10-01, test_every: P90D,
    tested_by: cto, took: PT2H, lost: PT0S}
""",
    "sites": """
  office: {place: Main street, owner: coo, holds: [paper], controls: [badge],
    access_reviewed: 2026-06-01, review_every: P365D}
""",
    "components": f"""
  gateway: {{version: "1.4", owner: cto, digest: "{"a" * 64}", strength: none,
    requirements: [MFS-7.2.5-04]}}
  hsm: {{version: "2", owner: cto, strength: enhanced-basic, certificate: CMVP-4711}}
""",
    "exceptions": """
  e-1: {subject: MFS-9.3-01, why: report comes in January, asked_by: cto, approved_by: ciso,
    until: 2027-02-01}
""",
    "requests": """
  r-1: {asker: central bank, standing: supervisor, asked: "2026-11-20T09:00Z",
    what: last audit, answer_within: P10D}
""",
    "penetration-tests": """
  autumn: {subject: gateway, tester: A Lab, independent: true, tested: 2026-09-01,
    test_every: P365D, report: r-9, grave: 2, grave_closed: 1, close_by: 2026-12-15}
""",
    "rogue-apps": """
  free: {name: Wallet Free, platform: android, place: a store, found: "2026-11-20T09:00Z",
    report_within: PT24H, gone_within: P60D, reported: "2026-11-20T12:00Z"}
""",
    "secure-devices": """
  hsm-1: {kind: module, serial: "4711", state: in-use, place: office,
    custodians: [ciso, coo], received: 2026-01-10, received_from: maker,
    inspected: 2026-09-01, inspect_every: P180D}
""",
}
"""The entries of each register; `text` adds the head."""

INCIDENT = """
  outage:
    title: payments stood still
    owner: ciso
    regimes: [gdpr, dora]
    aware: "2026-11-20T00:00Z"
"""


def text(name: str, entries: str | None = None, reviewed: str = "2026-10-01") -> str:
    """The text of a register, with other entries where they are given."""
    body = TEXTS[name] if entries is None else entries
    held = f"entries:\n{body}" if body.strip() else "entries: {}\n"
    return f"register: {name}\nowner: ciso\nreviewed: {reviewed}\n{held}"


def kept(**changed: str) -> Registers:
    """All registers, some with other entries."""
    return read_registers({name: text(name, changed.get(name)) for name in TEXTS})
