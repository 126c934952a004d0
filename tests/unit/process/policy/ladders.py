"""A ladder for agents, short enough to be climbed in a test."""

from tests.unit.process.policy.policy_texts import demo_text

LADDER = """
incentives:
  - id: agents
    subject: agent
    when: {kind: [cash-in, cash-out], channel: [app, agent]}
    least: 10_000
    within: P30D
    each_at_most: 2
    because: a record earns trust
    steps:
      - per_payment: 1_000_000
        windows: [{window: PT24H, amount: 5_000_000}]
        commission: {flat: 100, basis_points: 20, cap: 2_000}
        because: a new agent
      - per_payment: 5_000_000
        windows: [{window: PT24H, amount: 50_000_000}]
        commission: {flat: 100, basis_points: 30, cap: 5_000}
        evidence: {settled-payments: {at_least: 4}, distinct-customers: {at_least: 3}}
        dwell: P1D
        because: known for a day
      - per_payment: 9_000_000
        windows: [{window: PT24H, amount: 90_000_000}]
        commission: {flat: 200, basis_points: 30, cap: 9_000}
        evidence:
          settled-payments: {at_least: 8}
          distinct-customers: {at_least: 4}
          reversed-permille: {at_most: 20}
        dwell: P7D
        because: known for a week
    findings:
      - {id: given-back, on: reversed-payments, at_least: 1, drops: 1, because: one was given back}
      - {id: untrained, on: training-days, at_most: 0, drops: 2, because: training ended}
"""

DEVICES = """
  - id: software-phones
    subject: device-class
    of: software
    when: {kind: [p2p]}
    least: 1_000
    within: P30D
    each_at_most: 5
    because: a class of devices earns trust as well
    steps:
      - per_payment: 100_000
        windows: []
        because: keys that can be copied
      - per_payment: 400_000
        windows: []
        evidence: {settled-payments: {at_least: 1}, copies: {at_most: 0}}
        dwell: P1D
        because: no copy was found
    findings:
      - {id: copied, on: copies, at_least: 1, drops: 1, because: a copy was found}
"""

VENDOR = """
  - id: gateway
    subject: vendor
    of: ussd-gateway
    when: {channel: [ussd], kind: [p2p]}
    within: P30D
    because: what a vendor carries follows what was verified of it
    steps:
      - per_payment: 100_000
        windows: []
        because: not verified
      - per_payment: 500_000
        windows: []
        evidence: {verified-days: {at_least: 1}, service-level: {at_least: 1}}
        dwell: P1D
        because: verified, and it keeps what was agreed
    findings:
      - {id: unverified, on: verified-days, at_most: 0, drops: 1, because: no verification counts}
"""


def with_ladders(*more: str, ladder: str = LADDER) -> str:
    """The demonstration policy with the agents' ladder and `more`."""
    return demo_text() + ladder + "".join(more)


def ladder_with(old: str, new: str) -> str:
    """The policy with one passage of the agents' ladder replaced; it stands there once."""
    assert LADDER.count(old) == 1, old
    return with_ladders(ladder=LADDER.replace(old, new))
