"""The mapping collection: which rows name which places of other frameworks.

The places come from the `references` of the rows, as identifiers only; no text of another work is
in here. A framework that no row names is said to be unmapped instead of being left out.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 5
"""

import re
from dataclasses import dataclass
from typing import Final

from tallystick.process.catalogue.model import Requirement
from tallystick.process.conformance.oscal.blocks import Node, back_matter, cited, head, node, prop
from tallystick.process.conformance.oscal.names import control_id, line, uuid_of
from tallystick.process.conformance.oscal.picture import Picture

WHOLE: Final = "whole"
"""The place of a reference that names a work and nothing in it."""


@dataclass(frozen=True, slots=True)
class Framework:
    """Another work: our name of it, its title, and what a reference to it looks like.

    The first group of `reference` is the place, empty for the whole work.
    Source: OSCAL 1.2.1
    """

    name: str
    title: str
    reference: re.Pattern[str]


def _framework(name: str, title: str, reference: str) -> Framework:
    return Framework(name, title, re.compile(reference))


FRAMEWORKS: Final = (
    _framework("iso-27001", "ISO/IEC 27001:2022", r"^27001(?: (.+))?$"),
    _framework("ffiec-appendix-e", "FFIEC, Appendix E", r"^FFIEC AppE(?: (.+))?$"),
    _framework(
        "nist-800-53", "NIST SP 800-53 Rev. 5", r"^(?:NIST )?(?:SP )?800-53[AB]?(?: (.+))?$"
    ),
    _framework("nist-csf-2", "NIST Cybersecurity Framework 2.0", r"^(?:NIST )?CSF(?: (.+))?$"),
    _framework("pci-dss", "PCI DSS 4.0.1", r"^DSS(?: (.+))?$"),
    _framework("masvs", "OWASP MASVS 2.1.0", r"^MASVS(?:[- ](.+))?$"),
    _framework("psd2-rts", "Delegated Regulation (EU) 2018/389", r"^RTS(?: (.+))?$"),
    _framework("itu-x1150", "ITU-T X.1150 (03/2024)", r"^X\.1150(?: (.+))?$"),
    _framework("itu-x1456", "ITU-T X.1456 (04/2025)", r"^X\.1456(?: (.+))?$"),
    _framework("gsma-certification", "GSMA Mobile Money Certification", r"^GSMA (P[0-9].*)$"),
)
"""The frameworks that rows are mapped to."""


def places(framework: Framework, row: Requirement) -> tuple[str, ...]:
    """The places of `framework` that `row` names.

    Source: OSCAL 1.2.1
    """
    found: list[str] = []
    for reference in row.references:
        match = framework.reference.match(reference)
        if match is None:
            continue
        named = match.group(1) or WHOLE
        found.extend(one.strip() for one in re.split(r",|/", named) if one.strip())
    return tuple(dict.fromkeys(found))


def unmapped(picture: Picture) -> tuple[Framework, ...]:
    """The frameworks that no row that applies names.

    Source: OSCAL 1.2.1
    """
    rows = picture.rows()
    return tuple(one for one in FRAMEWORKS if not any(places(one, row) for row in rows))


def mapping_collection(picture: Picture, catalog_href: str) -> Node:
    """Which rows of the catalog at `catalog_href` name which places of other frameworks.

    Source: OSCAL 1.2.1
    """
    missing = unmapped(picture)
    mapped = [one for one in FRAMEWORKS if one not in missing]
    return node(
        {
            "uuid": uuid_of("mappings", picture.held.catalogue),
            "metadata": head(
                picture,
                "Requirements for mobile financial services and other frameworks",
                extra=[prop("unmapped", one.title) for one in missing],
            ),
            "provenance": {
                "method": "human",
                "matching-rationale": "semantic",
                "status": "not-complete",
                "mapping-description": "Places that the rows name as having a demand that overlaps;"
                " made for orientation, and no statement of equivalence.",
            },
            "mappings": [_mapping(one, picture, catalog_href) for one in mapped],
            "back-matter": back_matter(
                cited(_resource(one), one.title, one.title) for one in mapped
            ),
        }
    )


def _resource(framework: Framework) -> str:
    return uuid_of("framework", framework.name)


def _mapping(framework: Framework, picture: Picture, catalog_href: str) -> Node:
    return {
        "uuid": uuid_of("mapping", framework.name),
        "source-resource": {"type": "catalog", "href": catalog_href},
        "target-resource": {"type": "catalog", "href": f"#{_resource(framework)}"},
        "maps": [
            {
                "uuid": uuid_of("map", framework.name, row.id),
                "relationship": "intersects-with",
                "sources": [{"type": "control", "id-ref": control_id(row.id)}],
                "targets": [{"type": "control", "id-ref": line(one)} for one in named],
            }
            for row in picture.rows()
            if (named := places(framework, row))
        ],
    }
