"""A walk through a provider's record: by which mechanism each thing in it is protected.

    keys/, master.sealed         wrapped keys, and what opens the key above them
    the store                    what is sealed, signed or hashed under a key
    keylist.jws, the policy      what the root and the officers signed
    pki/                         certificates, and stamps over checkpoints

Nothing is opened for it: each form says what it is, or admits one mechanism only.

Source: ISO/TS 12812-2:2017, 7.4.2; C
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from tallystick.application.policing.store import last_policy
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.dual import DUAL, DUAL_ES256
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.master import opened_by
from tallystick.infrastructure.modules.sealing import MAGIC, mechanism_of
from tallystick.infrastructure.store.artefacts import Group, stored_groups
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotFound
from tallystick.process.isms.inventory import Kept
from tallystick.protocol.policy_file import read_policy_file

_SIGNED: Final = {
    "ES256": "ecdsa-p256-sha256",
    "EdDSA": "ed25519",
    DUAL: "ed25519-ml-dsa-65",
    DUAL_ES256: "ecdsa-p256-ml-dsa-65",
}
_NAMED: Final = re.compile(rb'"alg":"([A-Za-z0-9-]{2,20})"')
_VERIFIERS: Final = "PIN verifiers"
_MASTER: Final = "master key"


def survey(folder: ProviderFolder) -> tuple[Kept, ...]:
    """What the record of `folder` has, by kind, mechanism and form; sorted.

    Before the provider was served there is no store, and so nothing of it.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    found: Counter[tuple[str, str, str]] = Counter()
    until: dict[tuple[str, str, str], int] = {}
    for one in _all(folder):
        place = (one.kind, one.mechanism, one.form)
        found[place] += one.count
        until[place] = max(until.get(place, 0), one.until)
    return tuple(
        Kept(kind=kind, mechanism=name, count=count, form=form, until=until[(kind, name, form)])
        for (kind, name, form), count in sorted(found.items())
    )


def _all(folder: ProviderFolder) -> Iterator[Kept]:
    settings = folder.settings()
    yield Kept(
        kind=_MASTER, mechanism=opened_by(folder.master_file.read_bytes()), count=1, form="labelled"
    )
    yield from _counted("wrapped keys", "module-block", len(folder.blocks()), "labelled")
    for path in (folder.classical_list_file, folder.dual_list_file):
        with suppress(OSError):
            yield from _counted("key list", _signed_by(path.read_bytes()[:128]), 1, "labelled")
    with suppress(OSError, MfsError):
        yield from _policy(folder.policy_file.read_bytes())
    for half in (settings.root, *settings.officers.values(), *settings.tightening):
        name = _SIGNED.get(half.algorithm, "")
        yield from _counted("public halves in the settings", name, 1, "labelled")
    yield from _certificates(folder)
    try:
        place = folder.stored()
    except NotFound:
        return
    with open_reader(place) as reader:
        yield from _stored(reader)


def _stored(reader: Connection) -> Iterator[Kept]:
    if not reader.shapes():
        return
    for group in stored_groups(reader):
        yield from _of_group(group)
    policy = last_policy(reader)
    if policy is not None:
        yield from _policy(policy[1].encode())


def _of_group(group: Group) -> Iterator[Kept]:
    """What one group of rows is, by its head."""
    head = group.head
    if group.mechanism:
        yield from _counted(group.kind, group.mechanism, group.count, "fixed")
    elif group.kind == _VERIFIERS:
        form = "labelled" if head else "old"
        yield from _counted(group.kind, "pin-verifier", group.count, form)
    elif head.startswith((b"TKB1", b"TKB2")):
        yield from _counted(group.kind, _wrapped(head), group.count, "labelled")
    elif head.startswith(b"eyJ"):
        yield from _counted(group.kind, _signed_by(head), group.count, "labelled")
    else:
        form = "labelled" if head.startswith(MAGIC) else "old"
        yield from _counted(group.kind, mechanism_of(head), group.count, form)


def _wrapped(block: bytes) -> str:
    try:
        return peek(block).mechanism
    except NotAuthentic:
        return ""


def _signed_by(jws: bytes) -> str:
    """The mechanism that the head of a signed object names; empty where it names none of ours."""
    text = jws.decode("ascii", "replace").partition(".")[0]
    for end in (len(text) - len(text) % 4, len(text)):
        with suppress(Malformed):
            named = _NAMED.search(b64url_decode(text[:end]))
            if named is not None:
                return _SIGNED.get(named[1].decode(), "")
    return ""


def _policy(octets: bytes) -> Iterable[Kept]:
    for one in read_policy_file(octets).signatures:
        yield from _counted("officers' signatures", _SIGNED.get(one.alg, ""), 1, "labelled")


def _certificates(folder: ProviderFolder) -> Iterator[Kept]:
    place = CertificateFolder(folder)
    if not place.exists():
        return
    for one in place.register().certificates():
        read = read_certificate(one.octets)
        yield Kept(
            kind="certificates", mechanism=read.mechanism, count=1, form="labelled", until=read.ends
        )
    stamps = len(list(place.stamps.glob("*.json"))) if place.stamps.exists() else 0
    yield from _counted("stamped checkpoints", "timestamp", stamps, "labelled")


def _counted(kind: str, name: str, count: int, form: str) -> Iterator[Kept]:
    if count:
        yield Kept(kind=kind, mechanism=name, count=count, form=form)
