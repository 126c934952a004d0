"""What a report is made from: programme, pack, analysis, findings, policy, history.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.process.catalogue import Catalogue
from tallystick.process.conformance.checks import Check, Observation
from tallystick.process.conformance.findings import Finding
from tallystick.process.loop.model import LoopLine
from tallystick.process.policy.language.model import Policy
from tallystick.process.programme.model import Programme
from tallystick.process.reports.model import FleetStanding, HistoryPoint, Stricter, Versions
from tallystick.process.risk.analysis import Analysis
from tallystick.process.risk.model import LossCurve, Pack
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.residual import EVERYWHERE
from tallystick.process.risk.residual import Observation as RiskObservation


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that the numbers follow from.

    `findings` are one for each row that applies, with every check needed for it in `checks` and the
    newest answers in `answers`. `policy` is None where none is known. `curves` has the loss of the
    three states by their names. `history` is what earlier reports left, `loop` what its rounds
    changed, `tightenings` what the service made stricter by itself, each the oldest first.
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
    loop: tuple[LoopLine, ...] = ()
    tightenings: tuple[Stricter, ...] = ()
    fleet: FleetStanding | None = None

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
