"""What each requirement takes to be satisfied: the checks that its row asks for, and all others.

A row that is verified by a probe, a test or a document needs at least one check of that sort; where
nobody registered one, the check is needed all the same and its answer is absent. Where the probes
of a row show less than it asks for, it needs a document that speaks for the rest.

Source: ISO/TS 12812-2:2017, 9.1; 7.5
"""

from collections.abc import Iterable
from typing import Final

from tallystick.process.catalogue.model import Catalogue, Requirement, VerificationClass
from tallystick.process.conformance.builds import build_check
from tallystick.process.conformance.checks import Check, CheckKind, check_of
from tallystick.process.conformance.dossier import document_check
from tallystick.process.conformance.findings import Need

MISSING: Final = "probe"


def needs(
    found: Catalogue, registered: Iterable[Check], only: Iterable[str] = ()
) -> tuple[Need, ...]:
    """What each requirement of `found` takes, given the `registered` checks; `only` those asked.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    bearing: dict[str, list[Check]] = {}
    for check in registered:
        for identifier in check.requirements:
            bearing.setdefault(identifier, []).append(check)
    wanted = set(only) or set(found.requirements)
    return tuple(
        Need(
            requirement=one.id,
            prohibition=one.prohibition,
            checks=_checks(one, bearing.get(one.id, [])),
        )
        for one in found.requirements.values()
        if one.id in wanted
    )


def _checks(row: Requirement, registered: list[Check]) -> tuple[Check, ...]:
    checks = list(registered)
    if row.verified_by(VerificationClass.PROBE) and not registered:
        checks.append(_missing_probe(row))
    if row.verified_by(VerificationClass.TEST):
        checks.append(build_check(row.id))
    if row.verified_by(VerificationClass.DOCUMENT) or _shown_in_part(row, registered):
        checks.append(document_check(row.id))
    return tuple(checks)


def _shown_in_part(row: Requirement, registered: list[Check]) -> bool:
    probed = row.verified_by(VerificationClass.PROBE) and bool(registered)
    return probed and all(row.id in check.part for check in registered)


def _missing_probe(row: Requirement) -> Check:
    return check_of(
        f"{MISSING}/{row.id}", CheckKind.POSITIVE, (row.id,), "a probe that nobody registered yet"
    )
