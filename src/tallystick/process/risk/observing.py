"""From evidence to what is seen of each control: its probes, else policy, release or document.

    probes      all that observe it passed and are fresh; of telemetry, the share by device class
    policy      the policy in force has the rows and limits that the control asks for
    release     tests of the running release that bear on its requirements passed
    document    the documents of the dossier that bear on its requirements count

A control that probes observe is judged by them, and its policy rows must stand as well. A probe of
a register says that what is kept is in order, not that the control is kept: a document of the
dossier must speak for it besides. Where no probe observes a control, the first of the others that
says anything speaks. A failure is never outvoted.

Source: ISO/TS 12812-2:2017, 9.1; A
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import Record
from tallystick.process.conformance.builds import BUILD
from tallystick.process.conformance.checks import CheckKind, Observation
from tallystick.process.conformance.dossier import document_check
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import NodeKind
from tallystick.process.risk.model import Control, Pack
from tallystick.process.risk.residual import EVERYWHERE, ControlState, Seen
from tallystick.process.risk.residual import Observation as RiskObservation

NOT_PRESSED: Final[Mapping[str, int]] = MappingProxyType({})
"""No threat is seen to be more likely than it was rated."""

_POLICY: Final = "policy:"
_CODE: Final = "code:"
_DOCUMENT: Final = "document:"
_REGISTERS: Final = "registers."
_FULL: Final = Decimal(1)
_SHARE_DIGITS: Final = Decimal("0.0001")


class Tie(StrEnum):
    """What says whether a control is in effect.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    PROBES = "probes"
    POLICY = "policy"
    RELEASE = "release"
    DOCUMENT = "document"
    NOTHING = "nothing"


class Sighting(Record, frozen=True, kw_only=True):
    """What is seen of a control, by what, since and until when (ms; 0 where it is not dated).

    `by` names checks or policy rows; `shares` is as in `ControlState`; `says` is for people.
    Source: ISO/TS 12812-2:2017, 9.1; A
    """

    control: str
    seen: Seen
    tie: Tie
    by: tuple[str, ...]
    at: int
    until: int
    shares: Mapping[str, Decimal]
    says: str


class Look(Record, frozen=True, kw_only=True):
    """What controls are held against: answers by check, policy rows by word, and the instant (ms).

    `rows` maps a word that the policy in force honours to where it does; words that are missing
    have no row. It is None where no policy is known.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    answers: Mapping[str, Observation]
    rows: Mapping[str, str] | None
    now: int


def sightings(programme: Programme, pack: Pack, look: Look) -> tuple[Sighting, ...]:
    """What is seen of each control of `pack`, in its order.

    Source: ISO/TS 12812-2:2017, 9.1; A
    """
    return tuple(_sighting(programme, one, look) for one in pack.controls.values())


def observation_of(
    found: Iterable[Sighting],
    shut_out: tuple[str, ...] = (),
    pressed: Mapping[str, int] = NOT_PRESSED,
) -> RiskObservation:
    """Sightings as the residual takes them, with the threats that are `pressed`.

    Source: ISO/TS 12812-2:2017, A
    """
    return RiskObservation(
        states={
            one.control: ControlState(control=one.control, seen=one.seen, shares=one.shares)
            for one in found
        },
        shut_out=shut_out,
        pressed=pressed,
    )


def _sighting(programme: Programme, control: Control, look: Look) -> Sighting:
    if control.observed_by:
        return _by_probes(programme, control, look)
    words = _words(control, _POLICY)
    if words and look.rows is not None:
        return _by_policy(control, look.rows, words)
    if _words(control, _CODE):
        names = (f"{BUILD}/{row}" for row in control.requirements)
        return _by_answers(control, look, Tie.RELEASE, names, "no build record has its tests")
    return _by_documents(control, look)


def _words(control: Control, sort: str) -> tuple[str, ...]:
    return tuple(one.removeprefix(sort) for one in control.enforced_by if one.startswith(sort))


def _by_probes(programme: Programme, control: Control, look: Look) -> Sighting:
    """All probes; then the rows that the policy must have besides, where one is known."""
    found = _by_answers(control, look, Tie.PROBES, control.observed_by, "")
    missing = [one for one in control.observed_by if one not in look.answers]
    if missing and found.seen is not Seen.FAILED:
        return _say(control, Seen.UNKNOWN, Tie.PROBES, f"never observed: {', '.join(missing)}")
    words = _words(control, _POLICY)
    if found.seen is Seen.ENFORCED and words and look.rows is not None:
        stands = _by_policy(control, look.rows, words)
        if stands.seen is not Seen.ENFORCED:
            return stands
    kept = any(one.startswith(_REGISTERS) for one in control.observed_by)
    if found.seen is Seen.ENFORCED and kept and _words(control, _DOCUMENT):
        spoken = _by_documents(control, look)
        if spoken.seen is not Seen.ENFORCED:
            return spoken
    return _with_shares(programme, control, look, found)


def _by_policy(control: Control, rows: Mapping[str, str], words: tuple[str, ...]) -> Sighting:
    lacking = [one for one in words if one not in rows]
    if lacking:
        says = f"the policy in force has nothing for {', '.join(lacking)}"
        return _say(control, Seen.FAILED, Tie.POLICY, says)
    by = tuple(rows[one] for one in words)
    says = f"the policy in force has {', '.join(by)}"
    return _say(control, Seen.ENFORCED, Tie.POLICY, says, by)


def _by_documents(control: Control, look: Look) -> Sighting:
    names = (document_check(row).id for row in control.requirements)
    return _by_answers(control, look, Tie.DOCUMENT, names, "no document of the dossier bears on it")


def _by_answers(
    control: Control, look: Look, tie: Tie, names: Iterable[str], nothing: str
) -> Sighting:
    """The worst of the answers that there are: a failure, what cannot be seen, what is old."""
    seen = [look.answers[one] for one in names if one in look.answers]
    by = tuple(one.check for one in seen)
    if not seen:
        return _say(control, Seen.UNKNOWN, tie if tie is Tie.PROBES else Tie.NOTHING, nothing)
    worst: tuple[tuple[Seen, list[Observation]], ...] = (
        (Seen.FAILED, [one for one in seen if _fails(one)]),
        (Seen.UNKNOWN, [one for one in seen if one.verdict is Verdict.UNKNOWN]),
        (Seen.STALE, [one for one in seen if not one.is_fresh(look.now)]),
    )
    for state, ones in worst:
        if ones:
            says = "; ".join(f"{one.check}: {one.summary}" for one in ones)
            return _say(control, state, tie, says, by, _span(ones))
    says = ", ".join(by)
    return _say(control, Seen.ENFORCED, tie, f"{tie.value}: {says}", by, _span(seen))


def _fails(one: Observation) -> bool:
    """A telemetry that saw some of it fails in part only; its share says how far."""
    return one.verdict is Verdict.FAIL and not _part(one)


def _part(one: Observation) -> Decimal | None:
    """The part that a telemetry saw; None for what is no share, 0 only where it failed whole."""
    top, bottom = one.measured.get("numerator"), one.measured.get("denominator")
    if one.kind is not CheckKind.TELEMETRY or not isinstance(top, int):
        return None
    if not isinstance(bottom, int) or bottom <= 0:
        return None
    return min(_FULL, Decimal(top) / Decimal(bottom))


def _span(ones: Iterable[Observation]) -> tuple[int, int]:
    listed = list(ones)
    return min(one.observed_at for one in listed), min(one.fresh_until for one in listed)


def _with_shares(programme: Programme, control: Control, look: Look, found: Sighting) -> Sighting:
    """The share by device class, where a telemetry of the control says one below the whole."""
    answers = (look.answers.get(one) for one in control.observed_by)
    parts = [part for one in answers if one is not None and (part := _part(one)) is not None]
    if found.seen is not Seen.ENFORCED or not parts:
        return found
    capable = _capable(programme, control)
    expected = expected_share(programme, control.environments)
    share = min(_FULL, (min(parts) / expected).quantize(_SHARE_DIGITS))
    if share >= _FULL:
        return found
    shares = dict.fromkeys((*capable, EVERYWHERE), share)
    says = f"{share:.0%} of the telephones that can have it have it ({found.says})"
    return _say(control, found.seen, found.tie, says, found.by, (found.at, found.until), shares)


def _capable(programme: Programme, control: Control) -> tuple[str, ...]:
    """The device classes that can have the control."""
    return tuple(
        one.id
        for one in programme.devices.values()
        if programme.secure_envs[one.secure_env].kind.value in control.environments
    )


def expected_share(programme: Programme, environments: Iterable[str]) -> Decimal:
    """The part (0 to 1) of the telephones with the application that have one of `environments`.

    It is what the programme says of its customers; 1 where it names no such telephone.
    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    wanted, devices = set(environments), programme.devices
    with_app = {
        name
        for node in programme.nodes.values()
        if node.kind is NodeKind.MOBILE_APP
        for name in node.runs_on
    }
    kinds = {one: programme.secure_envs[devices[one].secure_env].kind.value for one in with_app}
    total = sum((devices[one].share for one in with_app), Decimal(0))
    able = sum((devices[one].share for one in with_app if kinds[one] in wanted), Decimal(0))
    return able / total if able and total else _FULL


def _say(
    control: Control,
    seen: Seen,
    tie: Tie,
    says: str,
    by: tuple[str, ...] = (),
    span: tuple[int, int] = (0, 0),
    shares: Mapping[str, Decimal] | None = None,
) -> Sighting:
    whole = {EVERYWHERE: _FULL} if seen is Seen.ENFORCED else {}
    return Sighting(
        control=control.id,
        seen=seen,
        tie=tie,
        by=by,
        at=span[0],
        until=span[1],
        shares=whole if shares is None else shares,
        says=says[:400],
    )
