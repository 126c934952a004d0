"""What a report is made from: programme, pack, analysis, findings, policy, history.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.process.catalogue import Catalogue
from tallystick.process.conformance.checks import Check, Observation
from tallystick.process.conformance.findings import Finding, State
from tallystick.process.policy.language.model import Policy
from tallystick.process.programme.model import Programme
from tallystick.process.reports.model import HistoryPoint, Versions
from tallystick.process.risk.analysis import Analysis
from tallystick.process.risk.model import LossCurve, Pack
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.residual import EVERYWHERE, ControlState, Seen
from tallystick.process.risk.residual import Observation as RiskObservation


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that the numbers follow from.

    `findings` are one for each row that applies, with every check needed for it in `checks` and the
    newest answers in `answers`. `policy` is None where none is known. `curves` has the loss of the
    three states by their names. `history` is what earlier reports left, the oldest first.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """

    versions: Versions
    programme: Programme
    pack: Pack
    catalogue: Catalogue
    analysis: Analysis
    scenes: Scenes
    observation: RiskObservation
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    answers: Mapping[str, Observation]
    policy: Policy | None
    curves: Mapping[str, LossCurve]
    history: tuple[HistoryPoint, ...]

    def chosen(self) -> frozenset[str]:
        """The controls of the choice.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return frozenset(one.control for one in self.analysis.selection.chosen)

    def there(self) -> frozenset[str]:
        """The controls that were seen at work everywhere.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return controls_there(self.observation)


def controls_there(observation: RiskObservation) -> frozenset[str]:
    """The controls that `observation` saw at work for everybody.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return frozenset(
        name for name, one in observation.states.items() if one.share(EVERYWHERE) >= Decimal(1)
    )


def seen_by_findings(pack: Pack, findings: Iterable[Finding]) -> RiskObservation:
    """What findings say of controls: one is at work if every row that it serves is satisfied.

    One of whose rows some are satisfied or were observed once is stale, any other unknown; neither
    counts. A control that serves no row is unknown. No device class is taken to be shut out.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    by_row = {one.requirement: one for one in findings}
    states: dict[str, ControlState] = {}
    for control in pack.controls.values():
        served = [by_row[row] for row in _rows(control.requirements, control.mandatory, by_row)]
        if served and all(one.state is State.SATISFIED for one in served):
            seen = Seen.ENFORCED
        else:
            seen = Seen.STALE if any(one.observations for one in served) else Seen.UNKNOWN
        shares = {EVERYWHERE: Decimal(1)} if seen is Seen.ENFORCED else {}
        states[control.id] = ControlState(control=control.id, seen=seen, shares=shares)
    return RiskObservation(states=states, shut_out=())


def _rows(served: Iterable[str], mandatory: Iterable[str], known: Iterable[str]) -> list[str]:
    return sorted({*served, *mandatory} & set(known))
