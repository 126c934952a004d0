"""What a partner lacks that we rely on: findings of both side by side, certificates on one scale.

A requirement counts as relied on where ours holds (satisfied, or excused for a time) and somebody
else than the provider has a part in it. Certificates are compared by component, each at what it is
worth now on the scale of attack potentials.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.4; ISO/IEC 18045, B.4
"""

from collections.abc import Iterable, Mapping

from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant
from tallystick.process.catalogue import Catalogue, Party
from tallystick.process.conformance.findings import Finding, State
from tallystick.process.isms.certificates import EvaluationCertificate, trust
from tallystick.process.isms.schemes import wire_word
from tallystick.process.programme.words import Strength

_HOLDS = frozenset({State.SATISFIED, State.EXCEPTED})


class Lack(Record, frozen=True, kw_only=True):
    """One thing that the partner lacks: how it stands with us, how with them, and why.

    `subject` is a requirement or a component.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    subject: str
    ours: str
    theirs: str
    says: str


def lacking_findings(
    ours: Iterable[Finding], theirs: Iterable[Finding], found: Catalogue
) -> tuple[Lack, ...]:
    """The requirements that we rely on and that do not hold with them, in order of their ids.

    A row that none of their services asks for is named too: nobody looked.
    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    other = {one.requirement: one for one in theirs}
    lacks: list[Lack] = []
    for one in ours:
        row = found.requirements.get(one.requirement)
        if row is None or one.state not in _HOLDS or set(row.performers) <= {Party.MFSP}:
            continue
        seen = other.get(one.requirement)
        if seen is not None and seen.state in _HOLDS:
            continue
        lacks.append(
            Lack(
                subject=one.requirement,
                ours=one.state.value,
                theirs="not looked at" if seen is None else seen.state.value,
                says="none of their services asks for it" if seen is None else seen.says,
            )
        )
    return tuple(sorted(lacks, key=lambda lack: lack.subject))


def lacking_strength(
    ours: Iterable[EvaluationCertificate], theirs: Iterable[EvaluationCertificate], now: Instant
) -> tuple[Lack, ...]:
    """The components whose evaluation is worth less with them than with us at `now`.

    Source: ISO/TS 12812-2:2017, 9.4; ISO/IEC 18045, B.4
    """
    needed, there = _best(ours, now), _best(theirs, now)
    lacks: list[Lack] = []
    for component, (strength, _) in sorted(needed.items()):
        held, says = there.get(component, (Strength.NONE, "they show no certificate of it"))
        if held < strength:
            lacks.append(
                Lack(subject=component, ours=wire_word(strength), theirs=wire_word(held), says=says)
            )
    return tuple(lacks)


def _best(
    certificates: Iterable[EvaluationCertificate], now: Instant
) -> Mapping[str, tuple[Strength, str]]:
    """For each component what its best certificate is worth, and why."""
    best: dict[str, tuple[Strength, str]] = {}
    for one in certificates:
        known = trust(one, now)
        if one.component not in best or known.strength > best[one.component][0]:
            best[one.component] = (known.strength, f"{one.id}: {known.says}")
    return best
