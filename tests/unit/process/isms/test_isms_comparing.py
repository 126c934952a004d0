"""What a partner lacks is named: requirements that do not hold there, certificates worth less."""

import pytest

from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.catalogue import Party, catalogue
from tallystick.process.conformance.findings import Finding, Reason, State
from tallystick.process.isms.certificates import EvaluationCertificate
from tallystick.process.isms.comparing import lacking_findings, lacking_strength
from tallystick.process.yamltext.quantities import day_ms

NOW = Instant(day_ms("2026-11-26"))
SHARED = "MFS-6.2.1-01"
OWN = "MFS-6.1-01"
MODULE = EvaluationCertificate(
    id="ours-1", component="module", scheme="cc", level="EAL5", van="AVA_VAN.5",
    valid_from=NOW - DAY_MS, valid_to=NOW + DAY_MS,
)  # fmt: skip


def finding(requirement: str, state: State, says: str = "seen") -> Finding:
    return Finding(
        requirement=requirement, state=state, reason=next(iter(Reason)), underneath=state,
        says=says, until=0, observations=(),
    )  # fmt: skip


def test_the_rows_are_of_the_sorts_that_the_tests_need() -> None:
    rows = catalogue().requirements
    assert set(rows[OWN].performers) == {Party.MFSP}
    assert set(rows[SHARED].performers) != {Party.MFSP}


@pytest.mark.requirement("MFS-6.1-05")
@pytest.mark.parametrize(
    ("ours", "theirs", "lacking"),
    [
        (State.SATISFIED, State.SATISFIED, False),
        (State.SATISFIED, State.EXCEPTED, False),
        (State.SATISFIED, State.NOT_SATISFIED, True),
        (State.EXCEPTED, State.STALE, True),
        (State.SATISFIED, State.NOT_APPLICABLE, True),
        (State.NOT_SATISFIED, State.NOT_SATISFIED, False),
    ],
)
def test_what_holds_with_us_and_not_with_them_is_lacking(
    ours: State, theirs: State, lacking: bool
) -> None:
    us = [finding(OWN, State.SATISFIED), finding(SHARED, ours)]
    them = [finding(OWN, State.NOT_SATISFIED), finding(SHARED, theirs, "why not")]
    found = lacking_findings(us, them, catalogue())
    assert [(one.subject, one.theirs, one.says) for one in found] == (
        [(SHARED, theirs.value, "why not")] if lacking else []
    )


def test_what_nobody_looked_at_is_lacking() -> None:
    (one,) = lacking_findings([finding(SHARED, State.SATISFIED)], [], catalogue())
    assert one.theirs == "not looked at"


@pytest.mark.requirement("MFS-9.4-01")
def test_a_component_that_is_worth_less_with_them_is_lacking() -> None:
    weaker = replace(MODULE, id="theirs-1", level="EAL2", van="AVA_VAN.2")
    (one,) = lacking_strength([MODULE], [weaker], NOW)
    assert (one.subject, one.ours) == ("module", "iso_18045_high")
    assert one.theirs.startswith("iso_18045_")
    assert "theirs-1" in one.says
    assert lacking_strength([weaker], [MODULE], NOW) == ()
    assert lacking_strength([MODULE], [weaker, MODULE], NOW) == (), "their best one counts"
    (ended,) = lacking_strength([MODULE], [replace(MODULE, valid_to=NOW)], NOW)
    assert ended.theirs == "none"
    (none,) = lacking_strength([MODULE], [], NOW)
    assert "no certificate" in none.says
