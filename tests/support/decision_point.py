"""A decision point for the certification scenario of AuthZEN, and how it is asked.

The scenario's subjects, actions and records are mapped to facts of our own by names; its eight
decisions then follow from rows as any other.
"""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.served import Served
from tests.unit.process.policy.policy_texts import demo_text

from tallystick.protocol.authzen import EVALUATE

NAMES = """
names:
  - entity: resource
    attribute: type
    word: record
    facts:
      account_status: active
      channel: app
      device_trust: software
      factors: [possession, knowledge]
  - {entity: action, attribute: name, word: read, facts: {operation: inquire}}
  - {entity: action, attribute: name, word: write,
     facts: {operation: change-profile, factor_age_ms: 0}}
  - {entity: action, attribute: name, word: delete,
     facts: {operation: manage-device, factor_age_ms: 0}}
  - {entity: action, attribute: soft, word: true, facts: {payee_known: true}}
  - {entity: subject, attribute: id, word: alice, facts: {tier: 2}}
  - {entity: subject, attribute: id, word: bob, facts: {tier: 1}}
  - {entity: subject, attribute: role, word: admin, facts: {tier: 3}}
  - {entity: resource, attribute: status, word: archived, facts: {account_status: dormant}}
"""

ROWS = """
  - id: read
    when: {operation: inquire}
    outcome: allow
    because: everybody reads
  - id: unlock
    when: {operation: change-profile, account_status: dormant, tier: 3}
    outcome: allow
    because: an administrator
  - id: write
    when: {operation: change-profile, account_status: active, tier: [2, 3]}
    outcome: allow
    because: may write
  - id: wipe
    when: {operation: manage-device, payee_known: true, tier: [2, 3]}
    outcome: allow
    because: can be undone
"""


def scenario_policy() -> str:
    """The demonstration's frame around the rows of the scenario."""
    head, _, rest = demo_text().partition("decisions:\n")
    return f"{head}decisions:{ROWS}{rest[rest.index(chr(10) + 'default:') :]}"


@dataclass
class Answered:
    """A status, the headers in lower case, and the JSON of the body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


def ask(
    provider: Served,
    path: str,
    body: bytes | dict[str, Any],
    *,
    role: str = "partner",
    headers: dict[str, str] | None = None,
    signed: bool = True,
) -> Answered:
    """POST a question, signed by an operator of `role`."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json"} | (headers or {})
    if signed and "authorization" not in sent:
        sent["authorization"] = f"Bearer {provider.operators[role][0].signature(EVALUATE, octets)}"
    return exchange(provider, "POST", path, octets, sent)


def exchange(
    provider: Served, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> Answered:
    parts = urlsplit(provider.url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        link.request(method, path, body=body, headers=headers)
        reply = link.getresponse()
        octets = reply.read()
        found = {name.lower(): value for name, value in reply.getheaders()}
        return Answered(reply.status, found, json.loads(octets) if octets else None)
    finally:
        link.close()
