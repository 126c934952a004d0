"""Which security services each operation needs, and the default numbers of the policy.

Source: ISO/TS 12812-2:2017, 7.5
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from tallystick.kernel.errors import Broken, NotFound
from tallystick.kernel.model import Natural, Record, ShortText
from tallystick.process.catalogue.load import catalogue, read
from tallystick.process.catalogue.model import RequirementId


class SecurityService(StrEnum):
    """One of the nine services that an operation can need.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    CONFIDENTIALITY = "confidentiality"
    INTEGRITY = "integrity"
    ENTITY_AUTHENTICATION = "entity-authentication"
    MESSAGE_AUTHENTICATION = "message-authentication"
    NON_REPUDIATION = "non-repudiation"
    FRESHNESS = "freshness"
    ACCESS_CONTROL = "access-control"
    AVAILABILITY = "availability"
    PRIVACY = "privacy"


class Need(StrEnum):
    """How much an operation needs a security service.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    MANDATORY = "mandatory"
    BY_RISK = "by-risk"
    NOT_APPLICABLE = "not-applicable"


class Operation(Record, frozen=True, kw_only=True):
    """A row of the matrix: an operation or a kind of data, its nine needs, where to read on.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    id: ShortText
    name: ShortText
    needs: dict[SecurityService, Need]
    requirements: tuple[RequirementId, ...]


class Bound(StrEnum):
    """On which side of its value a parameter may be set.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    AT_MOST = "at-most"
    AT_LEAST = "at-least"


class Unit(StrEnum):
    """What the value of a parameter counts; amounts count minor units.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    COUNT = "count"
    SECONDS = "seconds"
    DAYS = "days"
    BITS = "bits"
    CHARACTERS = "characters"
    PERCENT = "percent"
    PER_100000 = "per-100000"
    ONE_IN = "one-in"
    EUR_MINOR = "EUR-minor"
    EUR_OR_USD_MINOR = "EUR-or-USD-minor"


class Parameter(Record, frozen=True, kw_only=True):
    """A default of the policy, the text it comes from and the requirements that it serves.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    id: ShortText
    meaning: str
    bound: Bound
    value: Natural
    unit: Unit
    origin: str
    requirements: tuple[RequirementId, ...]


class MatrixFile(Record, frozen=True, kw_only=True):
    """The shape of data/matrix.json.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    header: str
    operations: tuple[Operation, ...]


class ParametersFile(Record, frozen=True, kw_only=True):
    """The shape of data/parameters.json.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    header: str
    parameters: tuple[Parameter, ...]


@cache
def security_matrix() -> Mapping[str, Operation]:
    """Every operation by id; raises Broken for an empty cell or a row that leads nowhere.

    Source: ISO/TS 12812-2:2017, 7.5
    """
    rows = read("matrix.json", MatrixFile).operations
    faults = [*_links("operation", rows), *_empty_cells(rows)]
    if faults:
        raise Broken("the security matrix contradicts itself: " + "; ".join(faults))
    return MappingProxyType({one.id: one for one in rows})


@cache
def parameters() -> Mapping[str, Parameter]:
    """Every default parameter by id; raises Broken for one that serves no requirement.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    rows = read("parameters.json", ParametersFile).parameters
    faults = list(_links("parameter", rows))
    if faults:
        raise Broken("the parameters contradict themselves: " + "; ".join(faults))
    return MappingProxyType({one.id: one for one in rows})


def parameter(identifier: str) -> Parameter:
    """The default parameter `identifier`; raises NotFound.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    found = parameters().get(identifier)
    if found is None:
        raise NotFound(f"there is no parameter {identifier[:40]!r}")
    return found


def _links(what: str, rows: tuple[Operation, ...] | tuple[Parameter, ...]) -> Iterator[str]:
    known = catalogue().requirements
    seen: set[str] = set()
    for one in rows:
        if one.id in seen:
            yield f"{what} {one.id} stands twice"
        seen.add(one.id)
        if not one.requirements:
            yield f"{what} {one.id} serves no requirement"
        for identifier in one.requirements:
            if identifier not in known:
                yield f"{what} {one.id}: requirement {identifier} is not in the catalogue"


def _empty_cells(rows: tuple[Operation, ...]) -> Iterator[str]:
    for one in rows:
        for service in SecurityService:
            if service not in one.needs:
                yield f"operation {one.id} says nothing about {service}"
