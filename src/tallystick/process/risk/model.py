"""The types of a risk analysis: tables, rules and controls as data, and what comes out of a run.

Source: ISO/TS 12812-2:2017, 3.3; A; ISO/IEC 18045, B.4
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.process.catalogue import Layer
from tallystick.process.programme.words import Impact, Strength
from tallystick.process.yamltext.position import Position


class ScoringTable(Record, frozen=True, kw_only=True):
    """Points of an attack by factor and word, and the sum from which each strength is reached.

    `factors` maps a factor to its words, weakest first, each with its points; `thresholds` maps a
    strength to the least sum that something with this strength resists.
    Source: ISO/IEC 18045, B.4
    """

    id: str
    label: str
    factors: Mapping[str, Mapping[str, int]]
    thresholds: Mapping[Strength, int]


class Harm(StrEnum):
    """Which property of the asset an attack breaks.

    Source: ISO/TS 12812-2:2017, A
    """

    CONFIDENTIALITY = "confidentiality"
    INTEGRITY = "integrity"
    AVAILABILITY = "availability"


class Over(StrEnum):
    """What a threat rule looks at; each match is an instance of the threat.

    FLOW binds a flow, an asset that it carries and, where the flow has an end on telephones, each
    device class there. NODE binds a node and an asset kept there or read there. DEVICE binds a
    device class and an asset on a node that runs on it. PARTY binds a party and an asset that its
    nodes read. ASSET binds an asset alone.
    Source: ISO/TS 12812-2:2017, A; D
    """

    FLOW = "flow"
    NODE = "node"
    DEVICE = "device"
    PARTY = "party"
    ASSET = "asset"


class Condition(Record, frozen=True, kw_only=True):
    """`subject.field` is one of `words` (a closed list of fields; see matching), or is not.

    Source: ISO/TS 12812-2:2017, A
    """

    subject: str
    field: str
    words: tuple[str | int | bool, ...]
    negated: bool
    at: Position


class ControlUse(Record, frozen=True, kw_only=True):
    """How one control hinders one step: factor to the word it is lifted to; empty takes its own.

    Source: ISO/IEC 18045, B.4
    """

    control: str
    lifts: Mapping[str, str]


class Step(Record, frozen=True, kw_only=True):
    """Something an attacker must do: how hard it is bare, and what makes it harder.

    Source: ISO/IEC 18045, B.4
    """

    id: str
    text: str
    rating: Mapping[str, str]
    controls: tuple[ControlUse, ...]


class Gate(StrEnum):
    """Whether all branches of a tree are needed, or any one is enough.

    Source: ISO/TS 12812-2:2017, A
    """

    ALL = "all"
    ANY = "any"


class Tree(Record, frozen=True, kw_only=True):
    """An attack as branches under a gate; a branch is a step or a smaller tree.

    Source: ISO/TS 12812-2:2017, A
    """

    gate: Gate
    steps: tuple[Step, ...]
    trees: tuple["Tree", ...]


class ThreatRule(Record, frozen=True, kw_only=True):
    """A catalogued threat as a rule over the programme: where it arises and how it is carried out.

    `scales` is true when one attack reaches many victims from afar. `gain_share` is what it yields
    as parts of the largest payment, for the correction by motivation. `table` names the scoring.
    Source: ISO/TS 12812-2:2017, A; D
    """

    id: str
    threat: str
    label: str
    layer: Layer
    over: Over
    when: tuple[Condition, ...]
    harm: Harm
    table: str
    tree: Tree
    scales: bool
    gain_share: Decimal
    tags: tuple[str, ...]
    references: tuple[str, ...]


class Control(Record, frozen=True, kw_only=True):
    """Something that can be done: what it costs, whom it troubles, what it lifts, what it needs.

    `cost` is points a year, `friction` points for the customers (0 to 10). `caps` bounds the
    impact (a limit on amounts). `environments` are the device environments that can have it (empty
    for a control that no device carries); a device outside is not helped by it. `mandatory` names
    the requirements that make it part of the minimum set. `enforced_by` are words that the policy
    derivation understands; `observed_by` are registered probes that see it at work, none if none
    does.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3; 7.4
    """

    id: str
    label: str
    layer: Layer
    requirements: tuple[str, ...]
    mandatory: tuple[str, ...]
    cost: int
    friction: int
    lifts: Mapping[str, str]
    caps: Impact | None
    environments: tuple[str, ...]
    needs: tuple[str, ...]
    excludes: tuple[str, ...]
    enforced_by: tuple[str, ...]
    observed_by: tuple[str, ...]


class Pack(Record, frozen=True, kw_only=True):
    """Tables, controls and rules of one version, with the hash of the texts they came from.

    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    digest: str
    tables: Mapping[str, ScoringTable]
    required: Mapping[Impact, Strength]
    controls: Mapping[str, Control]
    rules: Mapping[str, ThreatRule]


class Instance(Record, frozen=True, kw_only=True):
    """A threat at one place of the programme; `id` is `rule@place@asset[@device]` and stable.

    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    rule: str
    place: str
    asset: str
    device: str
    impact: Impact
    required: Strength


class AttackPath(Record, frozen=True, kw_only=True):
    """One minimal way through an instance's tree, rated without controls.

    `lifts` maps each control that helps here to the words it lifts factors to; a path is as hard
    per factor as its hardest step. `caps` maps controls to the impact that remains under them.
    Source: ISO/TS 12812-2:2017, A; ISO/IEC 18045, B.4
    """

    id: str
    instance: str
    table: str
    steps: tuple[str, ...]
    rating: Mapping[str, str]
    lifts: Mapping[str, Mapping[str, str]]
    caps: Mapping[str, Impact]


class Verdict(Record, frozen=True, kw_only=True):
    """Where one path stands under a set of controls: sum of points, strength, likelihood, risk.

    `gap` is how many points are missing to what is required, 0 or less when it is enough.
    Source: ISO/TS 12812-2:2017, A
    """

    path: str
    points: int
    strength: Strength
    impact: Impact
    required_points: int
    gap: int
    likelihood: int
    risk: int


class Choice(Record, frozen=True, kw_only=True):
    """Why a control is in the set: the requirements or the paths that fall without it.

    `robust` is true when it stays chosen with every rating moved one word either way.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    control: str
    mandatory: tuple[str, ...]
    paths: tuple[str, ...]
    robust: bool


class Rejection(Record, frozen=True, kw_only=True):
    """Why a control is not in the set: nothing needs it, or `substitutes` do the same for less.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    control: str
    substitutes: tuple[str, ...]
    dearer_by: int


class Selection(Record, frozen=True, kw_only=True):
    """The cheapest set that is enough, or the best one with its open paths.

    `bound` is a proven lower bound of `objective`; equal to it when `optimal`. `shut_out` are the
    device classes that get no service, `shut_out_share` the part of the customers behind them.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    chosen: tuple[Choice, ...]
    rejected: tuple[Rejection, ...]
    shut_out: tuple[str, ...]
    shut_out_share: Decimal
    cost: int
    friction: int
    objective: int
    bound: int
    optimal: bool
    open_paths: tuple[str, ...]
    rounds: int


class LossCurve(Record, frozen=True, kw_only=True):
    """Yearly loss over many simulated years: mean, percentiles and points of the exceedance curve.

    Source: ISO/TS 12812-2:2017, A
    """

    years: int
    seed: str
    mean: Money
    percentiles: Mapping[str, Money]
    exceedance: tuple[tuple[Money, Decimal], ...]
    by_actor: Mapping[str, Money]
