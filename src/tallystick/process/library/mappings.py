"""Which rows name which nodes of frameworks that CISO Assistant has libraries of.

A reference counts if it names one node of that library: ranges and whole works are left out. Of the
frameworks that rows name, two have a library whose nodes are called as their clauses are.

Source: ISO/TS 12812-2:2017, 5
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.process.catalogue.model import Catalogue
from tallystick.process.conformance.oscal.mapping import FRAMEWORKS, places
from tallystick.process.library.framework import FRAMEWORK, head, node_urn, urn
from tallystick.process.library.writing import Plain

_OTHERS: Final = "urn:intuitem:risk"


@dataclass(frozen=True, slots=True)
class Target:
    """A framework of others: our name of it, its library, and which places name one node.

    `before` is what stands before the place in the name of the node.
    Source: ISO/TS 12812-2:2017, 5
    """

    framework: str
    library: str
    title: str
    node: re.Pattern[str]
    before: str = ""


TARGETS: Final = (
    Target(
        "masvs",
        "owasp-masvs-v2.1.0",
        "OWASP MASVS 2.1.0",
        re.compile(r"(?:STORAGE|CRYPTO|AUTH|NETWORK|PLATFORM|CODE|RESILIENCE|PRIVACY)-[1-4]"),
        before="masvs-",
    ),
    Target(
        "iso-27001",
        "iso27001-2022",
        "ISO/IEC 27001:2022",
        re.compile(r"(?:4|5|6|7|8|9|10)\.[1-9](?:\.[1-3])?|A\.[5-8]\.[0-9]{1,2}"),
    ),
)
"""The frameworks that rows are mapped to here."""


def mapped(found: Catalogue, target: Target) -> tuple[tuple[str, str], ...]:
    """The pairs of a row and a place of `target` that names one node.

    Source: ISO/TS 12812-2:2017, 5
    """
    framework = next(one for one in FRAMEWORKS if one.name == target.framework)
    return tuple(
        (row.id, place)
        for row in found.requirements.values()
        for place in places(framework, row)
        if target.node.fullmatch(place)
    )


def mapping_library(found: Catalogue, target: Target, version: int) -> Mapping[str, Plain]:
    """The library of the mappings to `target`; both frameworks must be loaded before it.

    Source: ISO/TS 12812-2:2017, 5
    """
    identifier = f"{FRAMEWORK}-to-{target.library}"
    name = f"Requirements for mobile financial services and {target.title}"
    said = "Places that the rows name as having a demand that overlaps; no statement of equivalence"
    return {
        **head(identifier, name, said, version),
        "dependencies": [urn("library", FRAMEWORK), f"{_OTHERS}:library:{target.library}"],
        "objects": {
            "requirement_mapping_sets": [
                {
                    "urn": urn("req_mapping_set", identifier),
                    "ref_id": identifier,
                    "name": name,
                    "description": said,
                    "source_framework_urn": urn("framework", FRAMEWORK),
                    "target_framework_urn": f"{_OTHERS}:framework:{target.library}",
                    "requirement_mappings": [
                        {
                            "source_requirement_urn": node_urn(row),
                            "target_requirement_urn": f"{_OTHERS}:req_node:{target.library}:"
                            f"{target.before}{place.lower()}",
                            "relationship": "intersect",
                            "rationale": "semantic",
                        }
                        for row, place in mapped(found, target)
                    ],
                }
            ]
        },
    }
