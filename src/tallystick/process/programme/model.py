"""The programme of one provider: what it runs, for whom, with whom, and what it fears.

One text (`mfs.yaml`) holds the facts; decisions about them (acceptances, exceptions, approvals)
stand in another text with another owner. Everything has an id that is a slug and unique among its
kind; other parts name it by that id.

Source: ISO/TS 12812-2:2017, 6.1; 6.2; A
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.process.catalogue import Service
from tallystick.process.programme.words import (
    AssetClass,
    Bearer,
    Duty,
    Environment,
    Equipment,
    Expertise,
    Impact,
    Knowledge,
    Motivation,
    NodeKind,
    Role,
    Strength,
)
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import Spread


class Objectives(Record, frozen=True, kw_only=True):
    """What the service promises: p95 of a decision, availability (0 to 1), RTO and RPO, in ms.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    decision_p95_ms: int
    availability: Decimal
    rto_ms: int
    rpo_ms: int


class Offer(Record, frozen=True, kw_only=True):
    """The service as a whole: whose it is, in which currency, and how much of it there is.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    owner: str
    currency: str
    customers: int
    payments_per_year: int
    average_payment: Money
    largest_payment: Money
    objectives: Objectives


class Jurisdiction(Record, frozen=True, kw_only=True):
    """A country with the regimes that bind there and where personal data may live.

    Source: ISO/TS 12812-2:2017, 14.1
    """

    id: str
    country: str
    regimes: tuple[str, ...]
    residency: tuple[str, ...]
    at: Position


class SecuritySystem(Record, frozen=True, kw_only=True):
    """A party's management system for information security and the day (ms) to which it is proven.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    standard: str
    valid_to: int


class PartyEntry(Record, frozen=True, kw_only=True):
    """Somebody who takes part: role, contract, what was delegated, and how it proves its security.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    role: Role
    contract: str
    delegated: tuple[str, ...]
    system: SecuritySystem | None
    at: Position


class Post(Record, frozen=True, kw_only=True):
    """A post of the organisation: to whom it reports (`board` at the top) and what it may do.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    reports_to: str
    duties: tuple[Duty, ...]
    at: Position


class Certificate(Record, frozen=True, kw_only=True):
    """An evaluation: scheme, level, vulnerability analysis, profile, and the day (ms) it ends.

    Source: ISO/TS 12812-2:2017, 9
    """

    id: str
    scheme: str
    level: str
    van: str
    protection_profile: str
    valid_to: int


class SecureEnvironment(Record, frozen=True, kw_only=True):
    """Where keys live on a device, how it is hardened, and what was evaluated about it.

    Source: ISO/TS 12812-2:2017, 8.1
    """

    id: str
    kind: Environment
    hardening: tuple[str, ...]
    certificates: tuple[Certificate, ...]
    at: Position


class DeviceClass(Record, frozen=True, kw_only=True):
    """Telephones that are alike; `share` is the part of the customers who have one.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.1
    """

    id: str
    os: str
    max_patch_age_ms: int
    secure_env: str
    share: Decimal
    at: Position


class Zone(Record, frozen=True, kw_only=True):
    """A part of the world that is trusted alike, from 0 (anybody's) to 100.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    id: str
    trust: int
    at: Position


class NodeEntry(Record, frozen=True, kw_only=True):
    """Something that sends, carries, keeps or answers; `party` runs it, the provider if empty.

    Source: ISO/TS 12812-2:2017, 6.2; 7.1
    """

    id: str
    kind: NodeKind
    zone: str
    party: str
    runs_on: tuple[str, ...]
    certificates: tuple[Certificate, ...]
    at: Position


class Asset(Record, frozen=True, kw_only=True):
    """Something of value: what its loss of confidentiality, integrity, availability would mean.

    `kept_at` names the nodes where it rests. Lengths of time in ms, 0 where there is no bound.
    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    kind: AssetClass
    confidentiality: Impact
    integrity: Impact
    availability: Impact
    owner: str
    kept_at: tuple[str, ...]
    max_life_ms: int
    retention_ms: int
    personal: bool
    at: Position

    def impact(self) -> Impact:
        """The worst of the three.

        Source: ISO/TS 12812-2:2017, A
        """
        return max(self.confidentiality, self.integrity, self.availability)


class FlowEntry(Record, frozen=True, kw_only=True):
    """What passes between two nodes, over what, and which nodes see it in clear (`reads`).

    Source: ISO/TS 12812-2:2017, 3.9; 7.1; 7.2.3
    """

    id: str
    source: str
    target: str
    via: tuple[str, ...]
    bearer: Bearer
    protocol: str
    party: str
    carries: tuple[str, ...]
    end_to_end: bool
    reads: tuple[str, ...]
    at: Position

    def nodes(self) -> tuple[str, ...]:
        """Every node that it touches, in the order of the way.

        Source: ISO/TS 12812-2:2017, 7.1
        """
        return (self.source, *self.via, self.target)


class Behaviour(Record, frozen=True, kw_only=True):
    """What a typical customer does, against which deviation is a risk.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    payments_per_week: Spread
    hours: str
    new_payees_per_month: Spread


class Surroundings(Record, frozen=True, kw_only=True):
    """How the service is used: connectivity, and shares of shared phones and assisted payments.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    connectivity: str
    shared_phones: Decimal
    agent_assisted: Decimal


class Actor(Record, frozen=True, kw_only=True):
    """Who attacks: what they know and have, how long they would take, how often they try.

    Source: ISO/TS 12812-2:2017, 3.3; A
    """

    id: str
    motivation: Motivation
    expertise: Expertise
    knowledge: Knowledge
    equipment: Equipment
    budget_ms: int
    attempts_per_year: Spread
    at: Position


class Appetite(Record, frozen=True, kw_only=True):
    """How much the provider is willing to risk; `resistance` overrides the default of an asset.

    `friction_budget` bounds the sum of friction points of the chosen controls (0: no bound).
    `inclusion_weight` is what shutting out one per cent of the customers costs, in cost points.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """

    annual_loss_p95: Money
    reputational: Impact
    legal: Impact
    resistance: Mapping[str, Strength]
    friction_budget: int
    inclusion_weight: int


class ControlsWanted(Record, frozen=True, kw_only=True):
    """What the provider says of controls: in place already, not to be had, and its own costs.

    `in_place` are chosen whatever they cost; `not_available` maps a control to the reason.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    in_place: tuple[str, ...]
    not_available: Mapping[str, str]
    costs: Mapping[str, int]


class Programme(Record, frozen=True, kw_only=True):
    """The whole programme, every reference in it resolved.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    offer: Offer
    uses: tuple[str, ...]
    services: tuple[Service, ...]
    jurisdictions: Mapping[str, Jurisdiction]
    parties: Mapping[str, PartyEntry]
    organisation: Mapping[str, Post]
    devices: Mapping[str, DeviceClass]
    secure_envs: Mapping[str, SecureEnvironment]
    zones: Mapping[str, Zone]
    nodes: Mapping[str, NodeEntry]
    assets: Mapping[str, Asset]
    flows: Mapping[str, FlowEntry]
    behaviour: Behaviour
    surroundings: Surroundings
    actors: Mapping[str, Actor]
    appetite: Appetite
    controls: ControlsWanted

    def devices_at(self, node: str) -> tuple[DeviceClass, ...]:
        """The device classes on which `node` runs, in the order of the text.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        return tuple(self.devices[one] for one in self.nodes[node].runs_on)


class DecisionKind(StrEnum):
    """What somebody decided: to accept a risk, to deviate from a requirement, or to approve.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """

    ACCEPTANCE = "acceptance"
    EXCEPTION = "exception"
    NOT_APPLICABLE = "not-applicable"
    APPROVAL = "approval"


class Decision(Record, frozen=True, kw_only=True):
    """One decision about `subject` (a risk, requirement or control): who, why, until when (ms).

    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: str
    kind: DecisionKind
    subject: str
    who: str
    approved_by: str
    why: str
    since: int
    until: int

    def holds_at(self, now: int) -> bool:
        """Whether it counts at `now` (ms).

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.since <= now < self.until
