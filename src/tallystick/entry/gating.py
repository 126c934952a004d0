"""Whether the service of a folder may start, from the files in it: programme, analysis, decisions.

    mfs.yaml         what is run; without it nothing can be checked, and nothing is refused
    risk.json        which controls were chosen; counts while programme and pack are the same
    decisions.json   which exceptions hold; counts while officers signed it and no newer one was
                     in force

Nothing here needs the extra `risk`: the analysis ran before.

Source: ISO/TS 12812-2:2017, 7.3.1
"""

from collections.abc import Mapping
from pathlib import Path

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.decided import decided_version
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import MfsError, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant
from tallystick.process.programme.decisions import Decided, verify_decisions
from tallystick.process.programme.gate import Gap, Gate, start_gate
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.risk.analysis import read_analysis
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_for
from tallystick.protocol.decisions_file import read_envelope

_SHOWN = 40


class Start(Record, frozen=True, kw_only=True):
    """What the gate came to, and the version of the decisions that count (0 if none do).

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    gate: Gate
    decided: int


def start_of(folder: ProviderFolder, now: Instant) -> Start | None:
    """What keeps the service of `folder` from starting at `now`; None where it has no programme.

    Raises Unavailable or Broken if the store cannot be read.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    if not folder.programme_file.exists():
        return None
    text = folder.programme_file.read_bytes().decode("utf-8", "replace")
    questions = open_questions(text)
    try:
        pack = pack_for(read_programme(text).uses)
        programme = read_programme(text, pack.controls)
    except MfsError as error:
        asked = tuple(_question(str(at), what) for at, what in questions)
        return Start(gate=_shut((*_unsound(error), *asked)), decided=0)
    chosen, stale = _chosen(folder, programme, pack)
    decided, refused = _decided(folder, programme)
    gate = start_gate(
        programme,
        decided.decisions.values() if decided else (),
        chosen,
        now,
        offered=_serving(pack, frozenset(pack.controls)),
        questions=questions,
    )
    first = (*stale, *refused)
    if first:
        gate = Gate(
            missing=(*first, *gate.missing), advised=gate.advised, met=gate.met,
            excused=gate.excused,
        )  # fmt: skip
    return Start(gate=gate, decided=decided.version if decided else 0)


def refuse_start(gate: Gate, folder: Path) -> None:
    """Pass if the gate opens.

    Raises NotPermitted with everything that is missing and what closes each gap.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    if gate.opens:
        return
    lines = [f"  {one.subject}: {one.says}\n    {one.remedy}" for one in gate.missing[:_SHOWN]]
    more = len(gate.missing) - _SHOWN
    if more > 0:
        lines.append(f"  and {more} more")
    raise NotPermitted(
        "the programme is not ready to be served\n" + "\n".join(lines),
        remedy=f"close these gaps; look again with: tallystick doctor {folder}",
    )


def in_a_line(gate: Gate) -> str:
    """What is missing, in one line.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    first = gate.missing[0]
    count = len(gate.missing)
    more = f" and {count - 1} more" if count > 1 else ""
    return f"{first.subject}: {first.says.splitlines()[0]}{more}"


def _chosen(
    folder: ProviderFolder, programme: Programme, pack: Pack
) -> tuple[Mapping[str, tuple[str, ...]], tuple[Gap, ...]]:
    """The chosen controls with what each serves, and what is wrong with the analysis.

    Without one that counts, every control is taken as chosen: the rest of what is missing is then
    missing whatever an analysis says.
    """
    says = _staleness(folder, programme, pack)
    if isinstance(says, frozenset):
        return _serving(pack, says), ()
    run = f"tallystick risk run {folder.root}"
    return _serving(pack, frozenset(pack.controls)), (
        Gap(subject=folder.risk_file.name, says=says, remedy=f"analyse it: {run}"),
    )


def _staleness(folder: ProviderFolder, programme: Programme, pack: Pack) -> frozenset[str] | str:
    """The controls that a fresh analysis chose, or why there is none."""
    if not folder.risk_file.exists():
        return "the risks of the programme were not analysed"
    try:
        analysis = read_analysis(folder.risk_file.read_bytes())
    except MfsError:
        return "the result of the analysis cannot be read"
    if analysis.programme_digest != sha256(encode_canonical(programme)).hex():
        return "the programme was changed after its risks were analysed"
    if analysis.pack_digest != pack.digest:
        return "the analysis used other rules and controls than this release has"
    return frozenset(one.control for one in analysis.selection.chosen)


def _serving(pack: Pack, chosen: frozenset[str]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(dict.fromkeys((*one.requirements, *one.mandatory)))
        for name, one in pack.controls.items()
        if name in chosen
    }


def _decided(
    folder: ProviderFolder, programme: Programme
) -> tuple[Decided | None, tuple[Gap, ...]]:
    """The decisions that count, and why none do where there is a file."""
    officers = {name: half.verify_key() for name, half in folder.settings().officers.items()}
    last = _last_version(folder)
    try:
        if not folder.decisions_file.exists():
            return None, _withdrawn(folder, last)
        envelope = read_envelope(folder.decisions_file.read_bytes())
        return verify_decisions(envelope, officers, programme, last_version=last), ()
    except MfsError as error:
        gap = Gap(
            subject=folder.decisions_file.name,
            says=error.detail,
            remedy=error.remedy or "let officers sign: tallystick programme sign-decisions",
        )
        return None, (gap,)


def _withdrawn(folder: ProviderFolder, last: int) -> tuple[Gap, ...]:
    """Decisions that were in force and are gone: whoever takes them back says so in a file."""
    if not last:
        return ()
    return (
        Gap(
            subject=folder.decisions_file.name,
            says=f"version {last} was in force and is not there any more",
            remedy="put it back, or sign a newer version without what no longer holds",
        ),
    )


def _last_version(folder: ProviderFolder) -> int:
    place = folder.place()
    if isinstance(place, Path) and not place.exists():
        return 0
    with open_reader(place) as reader:
        return decided_version(reader)


def _unsound(error: MfsError) -> tuple[Gap, ...]:
    remedy = error.remedy or "correct it: tallystick programme check"
    return tuple(
        Gap(subject="mfs.yaml", says=line, remedy=remedy) for line in error.detail.splitlines()
    )


def _question(at: str, asked: str) -> Gap:
    return Gap(
        subject=at,
        says=f"a question was left open: {asked}",
        remedy="answer it and take the mark out",
    )


def _shut(missing: tuple[Gap, ...]) -> Gate:
    return Gate(missing=missing, advised=(), met={}, excused={})
