"""Whether a service may start: everything of value is rated, and the minimum set is met.

The minimum set is what clauses 7.3 and 7.4 demand of the services that are offered. Each demand is
met by a chosen control, or is excused by a dated decision that two people made and that holds now.

Source: ISO/TS 12812-2:2017, 7.3.1
"""

from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.catalogue import Modality, Party, Requirement, catalogue
from tallystick.process.programme.model import Decision, DecisionKind, Programme
from tallystick.process.programme.words import Bearer, NodeKind, Role
from tallystick.process.yamltext.position import Position

CLAUSES: Final = ("7.3", "7.4")

_EXCUSES: Final = frozenset({DecisionKind.EXCEPTION, DecisionKind.NOT_APPLICABLE})
_THE_RULE: Final = "7.3.1"
"""Says that the minimum set applies, which is what this module sees to."""

_WITH_MANAGER: Final = "7.4.3"
_WITH_AGENTS: Final = "MFS-7.4.1-08"


class Gap(Record, frozen=True, kw_only=True):
    """Something that is missing, and what would close it.

    `subject` is a requirement, or the place of what was left open.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    subject: str
    says: str
    remedy: str


class Gate(Record, frozen=True, kw_only=True):
    """What keeps a service from starting (`missing`), what is advised, and what was excused.

    `met` maps each requirement of the minimum set to the controls that meet it, `excused` to the
    decision that excuses it.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    missing: tuple[Gap, ...]
    advised: tuple[Gap, ...]
    met: Mapping[str, tuple[str, ...]]
    excused: Mapping[str, str]

    @property
    def opens(self) -> bool:
        """Whether the service may start.

        Source: ISO/TS 12812-2:2017, 7.3.1
        """
        return not self.missing


def start_gate(
    programme: Programme,
    decisions: Iterable[Decision],
    chosen: Mapping[str, tuple[str, ...]],
    now: int,
    *,
    offered: Mapping[str, tuple[str, ...]] | None = None,
    questions: Iterable[tuple[Position, str]] = (),
) -> Gate:
    """What is missing before the service of `programme` may start at `now` (ms).

    `chosen` and `offered` map controls, those that are in force and all that the packs have, to
    the requirements that each serves. `questions` are the marks that reading left open
    (`open_questions`); reading itself refuses an asset without c, i or a.
    Source: ISO/TS 12812-2:2017, 7.3.1; A
    """
    missing = [
        Gap(
            subject=str(at),
            says=f"a question was left open: {asked}",
            remedy="answer it and take the mark out",
        )
        for at, asked in questions
    ]
    missing += _unowned(programme)
    serving, remedies = _by_requirement(chosen), _by_requirement(offered or {})
    about: dict[str, list[Decision]] = {}
    for one in decisions:
        if one.kind in _EXCUSES:
            about.setdefault(one.subject, []).append(one)
    advised: list[Gap] = []
    met: dict[str, tuple[str, ...]] = {}
    excused: dict[str, str] = {}
    for requirement in minimum_set(programme):
        found = about.get(requirement.id, [])
        holding = [one for one in found if counts(one, now)]
        if requirement.id in serving:
            met[requirement.id] = serving[requirement.id]
        elif holding:
            excused[requirement.id] = holding[0].id
        else:
            gap = _gap(requirement, remedies.get(requirement.id, ()), found, now)
            (missing if requirement.modality is Modality.SHALL else advised).append(gap)
    return Gate(missing=tuple(missing), advised=tuple(advised), met=met, excused=excused)


def minimum_set(programme: Programme) -> tuple[Requirement, ...]:
    """The requirements of clauses 7.3 and 7.4 that apply to what `programme` offers and has.

    Those on exchanges with a manager of secure elements apply where there is one, the one on
    enrolment by agents where agents enrol.
    Source: ISO/TS 12812-2:2017, 7.3.1; 7.4.3
    """
    services = frozenset(programme.services)
    return tuple(
        one
        for clause in CLAUSES
        for one in catalogue().by_clause(clause)
        if one.clause != _THE_RULE
        and services & frozenset(one.services)
        and _concerns(one, programme)
    )


def counts(decision: Decision, now: int) -> bool:
    """Whether `decision` is of two people and holds at `now` (ms).

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    return decision.who != decision.approved_by and decision.holds_at(now)


def _concerns(requirement: Requirement, programme: Programme) -> bool:
    kinds = {one.kind for one in programme.nodes.values()}
    if requirement.clause == _WITH_MANAGER:
        roles = {one.role for one in programme.parties.values()}
        bearers = {one.bearer for one in programme.flows.values()}
        return Role.TSM in roles or NodeKind.TSM in kinds or Bearer.OTA in bearers
    if requirement.id == _WITH_AGENTS:
        return NodeKind.AGENT_APP in kinds or programme.surroundings.agent_assisted > 0
    return any(one is not Party.TSM for one in requirement.performers)


def _unowned(programme: Programme) -> list[Gap]:
    """Services with nothing of value to rate: nothing can have been analysed."""
    carried = any(flow.carries for flow in programme.flows.values())
    if programme.assets and carried:
        return []
    return [
        Gap(
            subject="assets",
            says="no flow of the programme carries an asset",
            remedy="name what is of value and where it passes",
        )
    ]


def _by_requirement(controls: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for control in sorted(controls):
        for requirement in controls[control]:
            found[requirement] = (*found.get(requirement, ()), control)
    return found


def _gap(
    requirement: Requirement, remedies: tuple[str, ...], found: list[Decision], now: int
) -> Gap:
    says = f"no control in force serves it: {requirement.text}"
    if found:
        one = max(found, key=lambda decision: decision.until)
        why = "has ended" if one.until <= now else "does not hold yet"
        if one.who == one.approved_by:
            why = "was approved by whoever asked for it"
        says = f"the decision {one.id} {why}, and no control in force serves it"
    choice = f"take {' or '.join(remedies)} into the set, or " if remedies else ""
    return Gap(
        subject=requirement.id,
        says=says,
        remedy=f"{choice}decide on a dated exception that somebody else approves",
    )
