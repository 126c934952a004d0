"""The pieces that every OSCAL document is made of, as plain values.

`node` leaves out what is absent, so that no array and no text is ever written empty.

Source: OSCAL 1.2.1
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from tallystick.process.conformance.oscal.names import (
    NS,
    OSCAL_VERSION,
    as_token,
    line,
    stamp,
    uuid_of,
)
from tallystick.process.conformance.oscal.picture import Picture

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
"""What a document is made of; nothing is written of what is None."""

Node: TypeAlias = dict[str, "Json"]
"""An object of a document."""

ALL: Node = {}
"""`include-all` and `as-is` flags that OSCAL writes as an empty object."""


def node(members: Mapping[str, Json]) -> Node:
    """An object of those `members` that are there; empty texts and arrays are not.

    Source: OSCAL 1.2.1
    """
    return {
        name: value
        for name, value in members.items()
        if value is not None and value != "" and value not in ([], ())
    }


def prop(name: str, value: object, *, ns: str = NS, remarks: str = "") -> Node:
    """A property in our namespace; `ns` empty for one that OSCAL itself defines.

    Source: OSCAL 1.2.1
    """
    text = line(str(value)) or "-"
    return node({"name": as_token(name), "ns": ns, "value": text, "remarks": remarks})


def props(members: Mapping[str, object]) -> list[Node]:
    """Properties in our namespace, in order of their names.

    Source: OSCAL 1.2.1
    """
    return [prop(name, value) for name, value in sorted(members.items())]


def head(picture: Picture, title: str, *, version: str = "", extra: Iterable[Node] = ()) -> Node:
    """The head of a document: title, instant, versions, and the provider as the one party.

    Source: OSCAL 1.2.1
    """
    identifier = party_uuid(picture.provider)
    return node(
        {
            "title": line(title),
            "last-modified": stamp(picture.made_at),
            "version": line(version or picture.version),
            "oscal-version": OSCAL_VERSION,
            "props": [
                prop("tool", f"{picture.tool} {picture.version}"),
                prop("reading", READING),
                *extra,
            ],
            "roles": [
                {"id": "provider", "title": "Mobile financial service provider"},
                {"id": "assessor", "title": "Whoever runs the checks"},
            ],
            "parties": [
                {"uuid": identifier, "type": "organization", "name": line(picture.provider)}
            ],
            "responsible-parties": [{"role-id": "provider", "party-uuids": [identifier]}],
        }
    )


READING = "aligned with ISO/TS 12812-2:2017, reconstructed in own words; no claim of conformity"


def party_uuid(party: str) -> str:
    """The UUID of the provider called `party`.

    Source: OSCAL 1.2.1
    """
    return uuid_of("party", party)


def resource(
    identifier: str, title: str, *, href: str, digest: str = "", media_type: str = ""
) -> Node:
    """A resource of the back matter that points at a file, with the file's SHA-256 (hex).

    Source: OSCAL 1.2.1
    """
    hashes: list[Node] = [{"algorithm": "SHA-256", "value": digest}] if digest else []
    link = node({"href": href, "media-type": media_type, "hashes": hashes})
    return {"uuid": identifier, "title": line(title), "rlinks": [link]}


def cited(identifier: str, title: str, text: str) -> Node:
    """A resource of the back matter that is a work outside of the bundle.

    Source: OSCAL 1.2.1
    """
    return {"uuid": identifier, "title": line(title), "citation": {"text": line(text)}}


def back_matter(resources: Iterable[Node]) -> Node | None:
    """The back matter, or nothing if there are no resources.

    Source: OSCAL 1.2.1
    """
    found = list(resources)
    return {"resources": found} if found else None


def include(controls: Iterable[str]) -> Node:
    """The selection of `controls`, one by one.

    Source: OSCAL 1.2.1
    """
    return {"control-selections": [{"include-controls": [{"control-id": c} for c in controls]}]}
