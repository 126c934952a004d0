"""What stands behind the results besides observations: documents and certificates, as resources.

The documents are not in the bundle, but their digests are: whoever is shown one can tell whether it
is the one that was attested.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Iterator

from tallystick.process.conformance.certified import NEVER, Certified
from tallystick.process.conformance.checks import CheckKind, Observation
from tallystick.process.conformance.dossier import Document
from tallystick.process.conformance.oscal.blocks import Node, node, props
from tallystick.process.conformance.oscal.names import line, stamp, uuid_of
from tallystick.process.conformance.oscal.picture import Picture


def holdings(picture: Picture) -> Iterator[Node]:
    """A resource for each document and each certificate.

    Source: OSCAL 1.2.1
    """
    for document in picture.documents:
        yield _document(document)
    for one in picture.certificates:
        yield _certificate(one, picture.made_at)


def document_of(picture: Picture, one: Observation) -> str:
    """The UUID of the resource of the document that `one` attests, empty for none.

    Source: OSCAL 1.2.1
    """
    file = one.measured.get("file")
    known = any(document.file == file for document in picture.documents)
    return _document_uuid(str(file)) if one.kind is CheckKind.ATTESTED and known else ""


def _document_uuid(file: str) -> str:
    return uuid_of("document", file)


def _document(one: Document) -> Node:
    return node(
        {
            "uuid": _document_uuid(one.file),
            "title": line(one.title),
            "description": line(f"{one.file}, {one.owner}, for {one.scope}"),
            "props": props(
                {
                    "sort": "document",
                    "file": one.file,
                    "sha256": one.sha256,
                    "owner": one.owner,
                    "scope": one.scope,
                    "issued": stamp(one.issued),
                    "valid-until": stamp(one.valid_until),
                }
            ),
        }
    )


def _certificate(one: Certified, now: int) -> Node:
    found = one.certificate
    said: dict[str, object] = {
        "sort": "certificate",
        "certificate": found.id,
        "component": found.component,
        "scheme": found.scheme,
        "level": f"{found.level} {found.van}".strip(),
        "protection-profile": found.protection_profile,
        "scope": found.scope,
        "issuer": found.issuer,
        "laboratory": found.laboratory,
        "recognition": found.recognition,
        "valid-from": stamp(found.valid_from),
        "valid-to": stamp(found.valid_to),
        "standing": one.standing(now).value,
        "log-event": one.event,
        "covers": "these digests only" if found.digests else "the component",
    }
    if one.withdrawn_event != NEVER:
        said["withdrawn-at"] = stamp(one.withdrawn_at)
        said["withdrawn-because"] = one.because
    said |= {f"covers-sha256-{number}": digest for number, digest in enumerate(found.digests, 1)}
    return node(
        {
            "uuid": uuid_of("certificate", found.id),
            "title": line(f"{found.id}: {found.component}"),
            "description": line(f"{found.scheme} {found.level}, {one.standing(now).value}"),
            "props": props({name: value for name, value in said.items() if value != ""}),
        }
    )
