"""What a register lacks, beyond the form of its text: what must be there, and what must be met.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3; 7.3.6; 9.1
"""

from collections.abc import Callable, Iterator, Mapping

from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant
from tallystick.process.catalogue import catalogue
from tallystick.process.isms.breach import deadlines
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal, trust
from tallystick.process.isms.model import Entry, Register, Registers
from tallystick.process.isms.responsibility import responsibilities, unanswered
from tallystick.process.isms.schemes import strength_of, wire_word
from tallystick.process.isms.shapes import FURTHER_OBJECTIVES
from tallystick.process.isms.training import untrained
from tallystick.process.programme.words import Strength


class Surroundings(Record, frozen=True, kw_only=True):
    """What a register is held against: certificates that are kept, and what was found at run time.

    `found` are names of keys and databases, which the register of assets must cover. `operators`
    and `agents` are the ids of those who are enrolled, `parties` those whom the programme names.
    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """

    certificates: tuple[EvaluationCertificate, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    found: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()


NOTHING_FOUND = Surroundings()


def gaps(
    registers: Registers, name: str, now: Instant, around: Surroundings = NOTHING_FOUND
) -> tuple[str, ...]:
    """What the register called `name` lacks at `now`; nothing where it is not kept.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    register = registers.kept.get(name)
    if register is None:
        return ()
    found = [f"{one} is missing" for one in register.shape.least if one not in register.entries]
    if not register.entries and not register.shape.may_be_empty:
        found.append("it has no entry")
    rule = _RULES.get(name)
    if rule is not None:
        found += rule(registers, register, now, around)
    return tuple(found)


def _parties(
    _registers: Registers, register: Register, _now: Instant, around: Surroundings
) -> Iterator[str]:
    known = {one.text("party") for one in register.entries.values() if one.flag("active")}
    for one in around.parties:
        if one not in known:
            yield f"the programme names {one}, which is not in it"


def _responsibilities(
    registers: Registers, _register: Register, _now: Instant, _around: Surroundings
) -> Iterator[str]:
    yield from unanswered(responsibilities(catalogue(), registers))


def _objectives(
    registers: Registers, register: Register, _now: Instant, _around: Surroundings
) -> Iterator[str]:
    documents = registers.entries("documents")
    for further in FURTHER_OBJECTIVES:
        if further not in register.entries:
            yield f"{further} is neither chosen nor is there a reason why not"
    for one in register.entries.values():
        if not one.flag("chosen"):
            continue
        document = one.text("document")
        if not document and not one.number("until"):
            yield f"{one.id}: nothing proves it"
        elif document and document not in documents:
            yield f"{one.id}: register documents has no {document}"


def _assets(
    _registers: Registers, register: Register, _now: Instant, around: Surroundings
) -> Iterator[str]:
    covered = {word for one in register.entries.values() for word in one.words("covers")}
    for one in around.found:
        if one not in covered:
            yield f"{one} was found and belongs to no asset"


def _vendors(
    _registers: Registers, register: Register, _now: Instant, _around: Surroundings
) -> Iterator[str]:
    for one in register.entries.values():
        if one.flag("active") and not one.flag("service_level_met"):
            yield f"{one.id}: the agreed service level was not met"


def _people(
    registers: Registers, register: Register, now: Instant, around: Surroundings
) -> Iterator[str]:
    """Counted, not named: what is said here leaves as evidence."""
    ended = len(untrained(registers, now))
    if ended:
        yield f"the training of {ended} active people has ended"
    active = [one for one in register.entries.values() if one.flag("active")]
    for what, enrolled in (("operator", around.operators), ("customer", around.agents)):
        known = {one.text(what) for one in active}
        missing = [one for one in enrolled if one not in known]
        if missing:
            who = "operators" if what == "operator" else "agents"
            yield f"{len(missing)} {who} are not in it"


def _incidents(
    _registers: Registers, register: Register, now: Instant, _around: Surroundings
) -> Iterator[str]:
    for one in register.entries.values():
        for deadline in deadlines(one, now):
            if deadline.late and deadline.done:
                yield f"{one.id}: {deadline.regime}: the {deadline.what} was late"
        if one.number("ended") and not one.text("lesson"):
            yield f"{one.id}: it is over, and no lesson was drawn"


def _continuity(
    _registers: Registers, register: Register, _now: Instant, _around: Surroundings
) -> Iterator[str]:
    for one in register.entries.values():
        for target, seen in (("rto", "took"), ("rpo", "lost")):
            if one.number(seen) > one.number(target):
                yield f"{one.id}: the last test did not keep its {target.upper()}"


def _components(
    _registers: Registers, register: Register, now: Instant, around: Surroundings
) -> Iterator[str]:
    known = {one.id: one for one in around.certificates}
    gone = {one.certificate: one for one in around.withdrawn}
    for one in register.entries.values():
        wanted = strength_of(one.text("strength"))
        if wanted > Strength.NONE:
            yield from _assured(one, wanted, known, gone, now)


def _assured(
    entry: Entry,
    wanted: Strength,
    known: Mapping[str, EvaluationCertificate],
    gone: Mapping[str, Withdrawal],
    now: Instant,
) -> Iterator[str]:
    certificate = known.get(entry.text("certificate"))
    if certificate is None:
        yield f"{entry.id}: no certificate of it is kept; it must resist {wire_word(wanted)}"
        return
    found = trust(
        certificate, now, withdrawn=gone.get(certificate.id), deployed=entry.text("digest")
    )
    if found.strength < wanted:
        yield (
            f"{entry.id}: {certificate.id} is worth {found.wire}, not {wire_word(wanted)}:"
            f" {found.says}"
        )


def _penetration_tests(
    _registers: Registers, register: Register, _now: Instant, _around: Surroundings
) -> Iterator[str]:
    for one in register.entries.values():
        if not one.flag("independent"):
            yield f"{one.id}: whoever attacked has a part in what was attacked"
        if one.number("grave_closed") < one.number("grave"):
            if not one.flag("open"):
                yield f"{one.id}: it says closed, and grave findings are open"
            elif not one.number("close_by"):
                yield f"{one.id}: nobody says by when its grave findings are closed"


def _secure_devices(
    registers: Registers, register: Register, _now: Instant, _around: Surroundings
) -> Iterator[str]:
    sites = registers.entries("sites")
    for one in register.entries.values():
        gone = one.text("state") == "decommissioned"
        if gone and not one.number("destroyed"):
            yield f"{one.id}: it is decommissioned, and no day says that its keys are destroyed"
        if not gone and len(set(one.words("custodians"))) < _CUSTODIANS:
            yield f"{one.id}: one custodian alone has it"
        if not gone and one.text("place") not in sites:
            yield f"{one.id}: its place is not in register sites"


_CUSTODIANS = 2

_RULES: Mapping[str, Callable[[Registers, Register, Instant, Surroundings], Iterator[str]]] = {
    "parties": _parties,
    "responsibilities": _responsibilities,
    "objectives": _objectives,
    "assets": _assets,
    "vendors": _vendors,
    "people": _people,
    "incidents": _incidents,
    "continuity": _continuity,
    "components": _components,
    "penetration-tests": _penetration_tests,
    "secure-devices": _secure_devices,
}
