"""Whether the service of a folder may start, from the files in it: programme, analysis, decisions.

    mfs.yaml         what is run; without it nothing can be checked, and nothing is refused
    risk.json        which controls were chosen; counts while programme and pack are the same, and
                     while somebody vouches for it
    decisions.json   which exceptions hold; counts while officers signed it and no newer one was
                     in force

Whoever can write to the folder can write a risk.json in which everything was chosen. So the choice
is derived again from programme and pack, which takes a fraction of a second with the extra `risk`.
Where the extra is not installed, or where the same choice does not come out (its search was ended
by time), two officers vouch for the file: the signed decisions name its digest.

Source: ISO/TS 12812-2:2017, 7.3.1
"""

from collections.abc import Mapping
from pathlib import Path

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.decided import decided_version
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import MfsError, NotPermitted, Unavailable
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant
from tallystick.process.programme.decisions import Decided, verify_decisions
from tallystick.process.programme.gate import Gap, Gate, start_gate
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.risk.analysis import Analysis, read_analysis
from tallystick.process.risk.matching import match_rules
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_for
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.selection.choosing import choose
from tallystick.process.risk.selection.problem import rules_of, units_of
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
    decided, refused = _decided(folder, programme)
    vouched = decided.analysis if decided else ""
    chosen, stale = _chosen(folder, programme, pack, vouched)
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
    folder: ProviderFolder, programme: Programme, pack: Pack, vouched: str
) -> tuple[Mapping[str, tuple[str, ...]], tuple[Gap, ...]]:
    """The chosen controls with what each serves, and what is wrong with the analysis.

    Without one that counts, every control is taken as chosen: the rest of what is missing is then
    missing whatever an analysis says.
    """
    found = _counting(folder, programme, pack, vouched)
    if isinstance(found, frozenset):
        return _serving(pack, found), ()
    return _serving(pack, frozenset(pack.controls)), (found,)


def _counting(
    folder: ProviderFolder, programme: Programme, pack: Pack, vouched: str
) -> frozenset[str] | Gap:
    """The controls that an analysis chose which counts, or why there is none."""
    run = f"analyse it: tallystick risk run {folder.root}"
    if not folder.risk_file.exists():
        return _unfounded(folder, "the risks of the programme were not analysed", run)
    octets = folder.risk_file.read_bytes()
    try:
        analysis = read_analysis(octets)
    except MfsError:
        return _unfounded(folder, "the result of the analysis cannot be read", run)
    if analysis.programme_digest != sha256(encode_canonical(programme)).hex():
        says = "the programme was changed after its risks were analysed"
        return _unfounded(folder, says, run)
    if analysis.pack_digest != pack.digest:
        says = "the analysis used other rules and controls than this release has"
        return _unfounded(folder, says, run)
    digest = sha256(octets).hex()
    if vouched == digest:
        return frozenset(one.control for one in analysis.selection.chosen)
    return _derived_again(folder, programme, pack, analysis, digest)


def _derived_again(
    folder: ProviderFolder, programme: Programme, pack: Pack, analysis: Analysis, digest: str
) -> frozenset[str] | Gap:
    """The controls of `analysis`, if the programme and the pack give the same choice again."""
    vouch = f"let two officers sign decisions with analysis: {digest}"
    try:
        units = units_of(match_rules(programme, pack), Scenes(programme, pack))
        answer = choose(rules_of(programme, pack), units).answer
    except Unavailable:
        says = "nobody vouches for the analysis, and it cannot be derived again here"
        return _unfounded(folder, says, f"install the extra risk, or {vouch}")
    except MfsError as error:
        return _unfounded(folder, error.detail, vouch)
    said = frozenset(one.control for one in analysis.selection.chosen)
    if said == answer.chosen:
        return said
    more, less = sorted(said - answer.chosen), sorted(answer.chosen - said)
    parts = [f"{words} {', '.join(names[:3])}" for words, names in
             (("it adds", more), ("it lacks", less)) if names]  # fmt: skip
    return _unfounded(
        folder,
        f"the choice in it does not follow from the programme: {'; '.join(parts)}",
        f"analyse again: tallystick risk run {folder.root}; or {vouch}",
    )


def _unfounded(folder: ProviderFolder, says: str, remedy: str) -> Gap:
    return Gap(subject=folder.risk_file.name, says=says, remedy=remedy)


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
