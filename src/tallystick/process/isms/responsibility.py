"""Who answers for each requirement, and who carries it out: one row for each of the 250.

The catalogue says which roles perform, the register of parties who has a role here, the register
of responsibilities who answers: for a requirement, for its clause, for a clause above it, or for
all. The nearest of these counts, and it names one post, so that nothing has two.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Iterator, Mapping

from tallystick.kernel.model import Record
from tallystick.process.catalogue import Catalogue, Party, Requirement
from tallystick.process.isms.model import Entry, Registers


class Responsibility(Record, frozen=True, kw_only=True):
    """Who answers for a requirement (`accountable`, empty if nobody), performs, is asked, is told.

    `vacant` are roles that perform by the catalogue and that no active party has.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    requirement: str
    accountable: str
    performers: tuple[str, ...]
    consulted: tuple[str, ...]
    informed: tuple[str, ...]
    vacant: tuple[Party, ...]


def responsibilities(rows: Catalogue, registers: Registers) -> tuple[Responsibility, ...]:
    """One row for each requirement, in the order of the catalogue.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    named = registers.entries("responsibilities")
    parties = [one for one in registers.entries("parties").values() if one.flag("active")]
    return tuple(_row(one, named, parties) for one in rows.requirements.values())


def unanswered(found: tuple[Responsibility, ...]) -> Iterator[str]:
    """What a matrix lacks: requirements for which nobody answers or that nobody carries out.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    for one in found:
        if not one.accountable:
            yield f"{one.requirement}: nobody answers for it"
        if not one.performers:
            yield f"{one.requirement}: nobody carries it out"


def _row(
    requirement: Requirement, named: Mapping[str, Entry], parties: list[Entry]
) -> Responsibility:
    entry = next((named[scope] for scope in _scopes(requirement) if scope in named), None)
    accountable = "" if entry is None else entry.text("accountable")
    own = () if entry is None else entry.words("performers")
    performers, vacant = _performers(requirement, accountable, parties)
    return Responsibility(
        requirement=requirement.id,
        accountable=accountable,
        performers=own or performers,
        consulted=() if entry is None else entry.words("consulted"),
        informed=() if entry is None else entry.words("informed"),
        vacant=() if own else vacant,
    )


def _scopes(requirement: Requirement) -> Iterator[str]:
    """What may name a requirement, the nearest first."""
    yield requirement.id
    clause = requirement.clause
    while clause:
        yield clause
        clause = clause.rpartition(".")[0]
    yield "all"


def _performers(
    requirement: Requirement, accountable: str, parties: list[Entry]
) -> tuple[tuple[str, ...], tuple[Party, ...]]:
    """Parties that perform, and the roles that nobody has.

    The provider performs through the post that answers; the customer is nobody's party.
    """
    found: list[str] = []
    vacant: list[Party] = []
    for role in requirement.performers:
        if role is Party.CUSTOMER:
            found.append("customers")
            continue
        if role is Party.EVERY_PARTY:
            having = [one.id for one in parties]
        else:
            having = [one.id for one in parties if one.text("role") == role.value]
        if role in {Party.MFSP, Party.EVERY_PARTY} and accountable:
            having.append(accountable)
        found += having
        if not having:
            vacant.append(role)
    return tuple(dict.fromkeys(found)), tuple(vacant)
