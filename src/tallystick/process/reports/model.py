"""The numbers of a report, figure by figure; the page shows these and no others.

Shares and chances are decimal fractions in text, instants are milliseconds, risks go from 1 to 25.

Source: ISO/TS 12812-2:2017, 5; 6.1; A
"""

from collections.abc import Mapping
from decimal import Decimal

from tallystick.kernel.model import Record
from tallystick.kernel.money import Money
from tallystick.process.loop.model import LoopLine

FORMAT = 1
"""The version of the shape of these numbers."""


class Versions(Record, frozen=True, kw_only=True):
    """What the report is of: names, versions, and digests (SHA-256, hex; empty for what is not).

    Source: ISO/TS 12812-2:2017, 6.1
    """

    programme: str
    owner: str
    programme_digest: str
    pack: str
    pack_digest: str
    policy_version: int
    policy_digest: str
    catalogue_digest: str
    engine: str
    basis: str
    profile: str
    made_at: int


class Placed(Record, frozen=True, kw_only=True):
    """One sort of things on a layer, with their names.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    sort: str
    names: tuple[str, ...]


class LayerStanding(Record, frozen=True, kw_only=True):
    """A layer: what of the deployment is on it, its controls, its rows by state.

    `seen` counts the chosen controls that were seen at work. `rows` are those that apply here; one
    that is met on two layers counts on both.
    Source: ISO/TS 12812-2:2017, 6.2
    """

    layer: str
    parts: tuple[Placed, ...]
    chosen: int
    seen: int
    rows: int
    states: Mapping[str, int]
    inherent: int
    designed: int
    observed: int


class ClauseStanding(Record, frozen=True, kw_only=True):
    """A clause: the worst state of its rows, and how many rows are in which state.

    `inferred` says that its kind is inferred. `rows` apply, of `of` that the catalogue has.
    Source: ISO/TS 12812-2:2017, 5
    """

    number: str
    title: str
    kind: str
    inferred: bool
    state: str
    rows: int
    of: int
    states: Mapping[str, int]


class DeviceStanding(Record, frozen=True, kw_only=True):
    """A class of telephones: the part of the customers who have one, and what its paths resist.

    `points` are of the weakest path on it in the three states, -1 where there is none. `strength`
    is what the chosen controls resist. `shut_out` by the choice, `refused` as seen now.
    Source: ISO/TS 12812-2:2017, 8.1.1
    """

    id: str
    os: str
    environment: str
    share: Decimal
    customers: int
    shut_out: bool
    refused: bool
    points: tuple[int, int, int]
    strength: str


class Rung(Record, frozen=True, kw_only=True):
    """One factor of a path: its points bare and with the chosen controls, and which lift it.

    Source: ISO/IEC 18045, B.4
    """

    factor: str
    bare: int
    lifted: int
    by: tuple[str, ...]


class Ladder(Record, frozen=True, kw_only=True):
    """One path against what is required of it, bare and with the chosen controls.

    `picked` says why it is shown: `worst` has the highest risk bare, `tightest` the least to spare
    with the controls. `capped` are the controls that lower what is required.
    Source: ISO/TS 12812-2:2017, A; ISO/IEC 18045, B.4
    """

    picked: str
    path: str
    label: str
    threat: str
    table: str
    required: tuple[int, int]
    points: tuple[int, int]
    rungs: tuple[Rung, ...]
    capped: tuple[str, ...]


class Cell(Record, frozen=True, kw_only=True):
    """A cell of the matrix: how many places are in it in each of the three states.

    Source: ISO/TS 12812-2:2017, A
    """

    likelihood: int
    impact: int
    inherent: int
    designed: int
    observed: int


class Move(Record, frozen=True, kw_only=True):
    """How many places move alike: cells (likelihood, impact) bare, as designed, as observed.

    A cell of (0, 0) says that nobody is served there.
    Source: ISO/TS 12812-2:2017, A
    """

    inherent: tuple[int, int]
    designed: tuple[int, int]
    observed: tuple[int, int]
    places: int


class Curve(Record, frozen=True, kw_only=True):
    """A curve of yearly loss: each amount with the chance that a year loses at least as much.

    Source: ISO/TS 12812-2:2017, A
    """

    state: str
    mean: Money
    p95: Money
    points: tuple[tuple[Money, Decimal], ...]


class Losses(Record, frozen=True, kw_only=True):
    """The curves of the three states, what is tolerated, and what each control saves a year.

    Source: ISO/TS 12812-2:2017, A
    """

    years: int
    seed: str
    tolerated: Money
    curves: tuple[Curve, ...]
    saved: tuple[tuple[str, Money], ...]
    assumptions: Mapping[str, str]


class Choice(Record, frozen=True, kw_only=True):
    """One set of controls that is enough: cost, friction, and in what it differs from the chosen.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    cost: int
    friction: int
    controls: int
    chosen: bool
    adds: tuple[str, ...]
    drops: tuple[str, ...]
    shut_out: tuple[str, ...]


class Chain(Record, frozen=True, kw_only=True):
    """What hangs on a chosen control: risks before it; policy rows, checks, findings behind it.

    `enforced` are the words by which the pack says what enforces it. `rows` are ids of the policy.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """

    control: str
    label: str
    layer: str
    seen: str
    enforced: tuple[str, ...]
    risks: tuple[str, ...]
    rows: tuple[str, ...]
    checks: tuple[str, ...]
    findings: tuple[str, ...]


class Traced(Record, frozen=True, kw_only=True):
    """A thing of the trace that is no control: its name, what it says, its state.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    id: str
    says: str
    state: str
    bears: tuple[str, ...] = ()


class Trace(Record, frozen=True, kw_only=True):
    """Everything from risk to finding.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """

    chains: tuple[Chain, ...]
    risks: tuple[Traced, ...]
    rows: tuple[Traced, ...]
    checks: tuple[Traced, ...]
    findings: tuple[Traced, ...]


class HistoryPoint(Record, frozen=True, kw_only=True):
    """What one observation came to: open places and yearly loss in the three states, rows by state.

    One line of the provider's history; `v` is the version of the line.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """

    v: int = 1
    at: int
    programme_digest: str
    pack_digest: str
    policy_version: int
    basis: str
    places: int
    open: tuple[int, int, int]
    risk: tuple[int, int, int]
    p95: tuple[Money, Money, Money]
    tolerated: Money
    controls: int
    seen: int
    rows: int
    states: Mapping[str, int]


class FlowProtection(Record, frozen=True, kw_only=True):
    """A flow: what protects it on which layer (7 to 1, as text), and what to ask about.

    Source: ISO/TS 12812-2:2017, 6.2.3; ISO/IEC 7498-1, 6
    """

    flow: str
    carries: tuple[str, ...]
    bearer: str
    layers: Mapping[str, str]
    gap: str


class Stricter(Record, frozen=True, kw_only=True):
    """A tightening by the service, or one beyond its caps that waited (`proposed`); times in ms.

    `until` is 0 while it is in force. Counts are 0 where nobody counted; `cohort` is empty for all.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """

    entry: str
    cohort: str
    since: int
    until: int
    ended: str
    proposed: bool
    customers: int
    of_customers: int
    value_minor: int


class FleetDayStanding(Record, frozen=True, kw_only=True):
    """Active devices of a day (`YYYY-MM-DD`) by trust, and the event of the log that has them.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """

    day: str
    attested: int
    software: int
    unproven: int
    event: int


class LessStanding(Record, frozen=True, kw_only=True):
    """People who may pay less in one kind of payment than with a proven device; `by` which clause.

    Source: ISO/TS 12812-2:2017, 7.3.3; 8.1.1
    """

    trust: str
    tier: int
    devices: int
    customers: int
    kind: str
    most_minor: int
    full_minor: int
    by: str


class SignalStanding(Record, frozen=True, kw_only=True):
    """A signal of the last day: by how many devices, by how many that are trusted for long.

    It makes the threats that it `presses` so many `steps` more likely than they were rated.
    Source: ISO/TS 12812-2:2017, 8.1.3; A
    """

    signal: str
    devices: int
    established: int
    presses: tuple[str, ...]
    steps: int


class FleetStanding(Record, frozen=True, kw_only=True):
    """The devices that are there, as counted when the report was made.

    `watched` are those that are trusted for more than 30 days.
    Source: ISO/TS 12812-2:2017, 7.2.6; 8.1.1
    """

    devices: int
    by_trust: Mapping[str, int]
    watched: int
    days: tuple[FleetDayStanding, ...]
    less: tuple[LessStanding, ...]
    signals: tuple[SignalStanding, ...]


class Report(Record, frozen=True, kw_only=True):
    """All numbers of a report.

    `counts` are those of the analysis, `states` the rows by state, `services` what is offered,
    `loop` the rounds that changed something, `tightenings` what the service made stricter itself,
    `fleet` the devices of a provider.
    Source: ISO/TS 12812-2:2017, 5; 6.1; A
    """

    format: int
    versions: Versions
    summary: tuple[str, ...]
    services: tuple[str, ...]
    customers: int
    counts: Mapping[str, int]
    states: Mapping[str, int]
    rows: int
    cost: int
    friction: int
    friction_budget: int
    optimal: bool
    shut_out_share: Decimal
    layers: tuple[LayerStanding, ...]
    clauses: tuple[ClauseStanding, ...]
    population: tuple[DeviceStanding, ...]
    ladders: tuple[Ladder, ...]
    matrix: tuple[Cell, ...]
    moves: tuple[Move, ...]
    losses: Losses
    front: tuple[Choice, ...]
    trace: Trace
    history: tuple[HistoryPoint, ...]
    loop: tuple[LoopLine, ...] = ()
    protection: tuple[FlowProtection, ...] = ()
    tightenings: tuple[Stricter, ...] = ()
    fleet: FleetStanding | None = None
