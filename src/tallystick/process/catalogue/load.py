"""Reads the shipped rows once, strictly, and refuses a catalogue that contradicts itself.

Source: ISO/TS 12812-2:2017, 5; 7.3.1
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar

from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Broken, MfsError
from tallystick.kernel.model import Record
from tallystick.process.catalogue.model import (
    Catalogue,
    Clause,
    Heading,
    Requirement,
    Threat,
)

EXPECTED = {"clause": 61, "requirement": 250, "threat": 102}
"""How many rows of each sort the catalogue has; a lost row is a fault, not a smaller catalogue."""

_LIMIT = 1024 * 1024

T = TypeVar("T")


class ClausesFile(Record, frozen=True, kw_only=True):
    """The shape of data/clauses.json.

    Source: ISO/TS 12812-2:2017, 5
    """

    header: str
    clauses: tuple[Clause, ...]
    headings: tuple[Heading, ...]


class RequirementsFile(Record, frozen=True, kw_only=True):
    """The shape of data/requirements.json.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """

    header: str
    requirements: tuple[Requirement, ...]


class ThreatsFile(Record, frozen=True, kw_only=True):
    """The shape of data/threats.json.

    Source: ISO/TS 12812-2:2017, D
    """

    header: str
    threats: tuple[Threat, ...]


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read and checked at the first call; raises Broken if it is damaged.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    return build(
        read("clauses.json", ClausesFile),
        read("requirements.json", RequirementsFile),
        read("threats.json", ThreatsFile),
    )


def read(name: str, type_: type[T]) -> T:
    """The shipped data file `name` as a `type_`; raises Broken if it is absent or malformed.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    try:
        octets = (files(__package__ or "") / "data" / name).read_bytes()
        return Decoder(type_, limit=_LIMIT).decode(octets)
    except (OSError, MfsError) as error:
        raise Broken(
            f"catalogue data {name} cannot be read: {error}", remedy="install the package again"
        ) from error


def build(clauses: ClausesFile, requirements: RequirementsFile, threats: ThreatsFile) -> Catalogue:
    """A catalogue out of its three files.

    Raises Broken naming every offending id: wrong counts, ids twice, rows of unknown clauses,
    links that lead nowhere or in one direction only, rows without a performer or a verification.
    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    found = Catalogue(
        clauses=MappingProxyType({one.number: one for one in clauses.clauses}),
        headings=MappingProxyType({one.number: one for one in clauses.headings}),
        requirements=MappingProxyType({one.id: one for one in requirements.requirements}),
        threats=MappingProxyType({one.id: one for one in threats.threats}),
    )
    numbers = [one.number for one in clauses.clauses]
    numbers += [one.number for one in clauses.headings]
    faults = [
        *_twice("clause", numbers),
        *_twice("requirement", [one.id for one in requirements.requirements]),
        *_twice("threat", [one.id for one in threats.threats]),
        *_counts(found),
        *_requirement_faults(found),
        *_threat_faults(found),
    ]
    if faults:
        raise Broken("the catalogue contradicts itself: " + "; ".join(faults))
    return found


def _twice(what: str, identifiers: Iterable[str]) -> Iterator[str]:
    for identifier, times in Counter(identifiers).items():
        if times > 1:
            yield f"{what} {identifier} stands {times} times"


def _counts(found: Catalogue) -> Iterator[str]:
    have = {
        "clause": len(found.clauses),
        "requirement": len(found.requirements),
        "threat": len(found.threats),
    }
    for what, number in EXPECTED.items():
        if have[what] != number:
            yield f"{have[what]} rows of sort {what} instead of {number}"


def _requirement_faults(found: Catalogue) -> Iterator[str]:
    used = {one.clause for one in found.requirements.values()}
    for number in found.clauses:
        if number not in used:
            yield f"clause {number} has no requirement"
    for one in found.requirements.values():
        if one.clause not in found.clauses:
            yield f"{one.id}: clause {one.clause} is not in the catalogue"
        if one.id.removeprefix("MFS-").rpartition("-")[0] != one.clause:
            yield f"{one.id} stands under clause {one.clause}"
        if not (one.layers and one.services and one.performers and one.verification):
            yield f"{one.id} has no layer, service, performer or verification"
        for threat in one.threats:
            other = found.threats.get(threat)
            if other is None:
                yield f"{one.id}: threat {threat} is not in the catalogue"
            elif one.id not in other.mitigations:
                yield f"{one.id} names {threat}, which does not name it"


def _threat_faults(found: Catalogue) -> Iterator[str]:
    for one in found.threats.values():
        if not one.mitigations:
            yield f"{one.id} has no mitigation"
        for mitigation in one.mitigations:
            other = found.requirements.get(mitigation)
            if other is None:
                yield f"{one.id}: requirement {mitigation} is not in the catalogue"
            elif one.id not in other.threats:
                yield f"{one.id} names {mitigation}, which does not name it"
