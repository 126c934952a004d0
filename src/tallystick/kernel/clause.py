"""Names of the standard's clauses and of the catalogue's requirements and threats.

Source: ISO/TS 12812-2:2017, 5
"""

import re

from tallystick.kernel.errors import Malformed

STANDARD = "ISO/TS 12812-2:2017"

_CLAUSE = re.compile(r"^(?:[A-D]|[0-9]{1,2}(?:\.[0-9]{1,2}){0,3})$")
_REQUIREMENT = re.compile(r"^MFS-((?:[0-9]{1,2}(?:\.[0-9]{1,2}){0,3})|[A-D])-[0-9]{2}$")
_THREAT = re.compile(r"^THR-[A-Z]{2,4}-[0-9]{2}$")


def check_clause(text: str) -> str:
    """`text` if it has the shape of a clause number (`7.3.3`, `A`).

    Raises Malformed otherwise.
    Source: ISO/TS 12812-2:2017, 5
    """
    if not _CLAUSE.fullmatch(text):
        raise Malformed(f"{text[:20]!r} is not a clause number")
    return text


def clause_of_requirement(requirement: str) -> str:
    """The clause of a requirement id: `MFS-7.3.3-01` gives `7.3.3`.

    Raises Malformed for anything that is not a requirement id.
    Source: ISO/TS 12812-2:2017, 5
    """
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise Malformed(f"{requirement[:20]!r} is not a requirement id")
    return match.group(1)


def check_threat(text: str) -> str:
    """`text` if it has the shape of a threat id (`THR-SMS-01`).

    Raises Malformed otherwise.
    Source: ISO/TS 12812-2:2017, D
    """
    if not _THREAT.fullmatch(text):
        raise Malformed(f"{text[:20]!r} is not a threat id")
    return text
