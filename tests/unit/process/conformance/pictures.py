"""A picture of a provider of whom some things were observed, some failed and most never seen."""

from functools import cache

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.catalogue import Service, catalogue
from tallystick.process.conformance.checks import Check, CheckKind, LogPoint, Observation, check_of
from tallystick.process.conformance.effectiveness import effectiveness
from tallystick.process.conformance.findings import (
    Decision,
    Exempted,
    Ground,
    findings,
)
from tallystick.process.conformance.needs import needs
from tallystick.process.conformance.oscal.picture import Held, Picture, rows_for

NOW = 1_767_225_600_000
SERVICES = (Service.REMOTE_PAYMENT, Service.E_MONEY)
LOG = LogPoint(origin="test/tally/1", size=9, root="ab" * 32, first=2, last=4)
EVIDENCE = b'{"v":1}'
PROBES = (
    check_of("pin.wrong", CheckKind.NEGATIVE, ("MFS-7.3.2-01", "MFS-7.3.2-02"), "it is refused"),
    check_of("keys.life", CheckKind.STATIC, ("MFS-7.4.2-01",), "every key is within its life"),
    check_of("replay", CheckKind.NEGATIVE, ("MFS-7.3.3-02",), "a replayed message is refused"),
)


def saw(check: Check, verdict: Verdict = Verdict.PASS, *, ago: int = HOUR_MS) -> Observation:
    return Observation(
        check=check.id,
        kind=check.kind,
        attempts=check.attempts,
        requirements=check.requirements,
        verdict=verdict,
        observed_at=NOW - ago,
        fresh_until=NOW - ago + check.freshness_ms,
        summary=f"{check.says}\n3 of 3",
        measured={"tried": 3, "row": "huge-payments"},
        environment="test/tally/1",
        log=LOG,
        records=(2, 4),
    )


def ground() -> Ground:
    rows = [one.id for one in rows_for(catalogue(), SERVICES)]
    wanted = needs(catalogue(), PROBES, only=rows)
    checks = {check.id: check for need in wanted for check in need.checks}
    seen = [saw(checks[name]) for name in list(checks)[:60] if not name.startswith("probe/")]
    seen = [one for one in seen if one.check != "replay"]
    return Ground(
        needs=wanted,
        history=(
            *(saw(one) for one in PROBES[:2]),
            *(saw(checks[f"build/{row}"]) for row in PROBES[0].requirements),
            *seen,
            saw(PROBES[2], Verdict.FAIL),
        ),
        decisions=(
            Decision(requirement="MFS-6.1-02", who="board", why="no third parties", since=1),
        ),
        exceptions=(
            Exempted(
                requirement="MFS-7.4.2-03",
                who="board",
                why="module on order",
                since=1,
                until=NOW + 30 * DAY_MS,
            ),
        ),
    )


@cache
def picture() -> Picture:
    basis = ground()
    checks = {check.id: check for need in basis.needs for check in need.checks}
    return Picture(
        provider="test-wallet",
        tool="Tallystick",
        version="0.1.0",
        environment="test/tally/1",
        made_at=NOW,
        start=NOW - 7 * DAY_MS,
        catalogue=catalogue(),
        services=SERVICES,
        checks=tuple(checks.values()),
        findings=findings(basis, NOW),
        effectiveness={one.requirement: one for one in effectiveness(basis, NOW - 7 * DAY_MS, NOW)},
        held=Held(3, "a" * 64, "b" * 64, "c" * 64, "d" * 40),
        log=LOG,
        evidence_file="evidence.json",
        evidence=sha256(EVIDENCE).hex(),
    )


def octets_of(document: object) -> bytes:
    return encode_canonical(document)
