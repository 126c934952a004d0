"""What may be in a provider's folder, and what of it a backup takes: the one list of both.

    taken      copied as it is; keys in it are wrapped, the master key is sealed
    blanked    taken with its secrets in clear left empty: they are given anew after a restore
    left       not taken, and why

A file that no row names is not taken, and the backup says so.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tallystick.entry.vendors.proxy import lacks_credentials
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.model import Record


class Content(Record, frozen=True, kw_only=True):
    """Files of one sort: `path` below the folder, a star for anything, and how a backup treats it.

    `left` says why it is not taken; `secrets` are members of a JSON object that are left empty.
    With `always` there is no provider without it.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    path: str
    left: str = ""
    secrets: tuple[str, ...] = ()
    always: bool = False


def _left(path: str, why: str) -> Content:
    return Content(path=path, left=why)


def _taken(*paths: str) -> tuple[Content, ...]:
    return tuple(Content(path=one) for one in paths)


CONTENTS: Final = (
    _left("*.new", "a file that was being replaced"),
    _left("offline/*", "root and officers' keys belong elsewhere"),
    _left("tallystick.db*", "the store is copied as of one moment, as a database"),
    _left("store.json", "a restored store is embedded, wherever it was"),
    _left("backup.json", "what a backup says of itself"),
    _left("module.run/*", "doors of the module that runs"),
    _left("pki/stamps.lock", "held while time stamps are gathered"),
    _left("probes/*", "phones of probes, whose keys may be in one place only: made anew"),
    _left("master.next", "of a ceremony that is not finished"),
    _left("master.old", "of a ceremony that is not finished"),
    _left("*.before", "of a ceremony that is not finished"),
    _left("ceremonies/*.state", "of a ceremony that is not finished"),
    _left("witnessed.note", "the witness has it; a restored log has another name"),
    _left("attestation-revoked.json", "in the store: a copy would look as young as its file"),
    _left("attestation-models.jwt", "in the store: a copy would look as young as its file"),
    _left("partner-lists/*.fetched.crl", "fetched anew: a copy lacks what was revoked since"),
    _left("list-proxy.secret", "a secret in clear: it is given anew after a restore"),
    Content(path="provider.json", always=True),
    Content(path="master.sealed", always=True),
    Content(path="policy.json", always=True),
    Content(path="mno.json", secrets=("bearer",)),
    *_taken("keylist.jws", "keylist.dual.jws", "keys/*.block", "wraps.json", "pki/*"),
    *_taken("authzen.yaml", "desk.json", "module.json", "paycrypt.json", "push.json"),
    *_taken(
        "vendors.json",
        "list-proxy.json",
        "partner-lists.json",
        "policy.mended.json",
        "attestation.yaml",
        "attestation.json",
        "attestation-models.pem",
    ),
    *_taken("partner-lists/*.crl", "partner-lists/*.pem", "sims/*.json", "siem-*.json"),
    *_taken("mfs.yaml", "decisions.json", "risk.json", "risk-history.jsonl"),
    *_taken("policy.derived.yaml", "policy.derived.yaml.reasons.json", "registers/*.yaml"),
    *_taken("dossier.json", "documents/*", "build.json", "build-key.json", "evidence/*"),
    *_taken("proposals/*", "loop.jsonl", "loop-state.json", "loop-analysis.json"),
    *_taken("ceremonies/*.dsse", "release/*"),
)
"""Every sort of file in a provider's folder; the first row that fits a file is meant."""

_objects: Final = Decoder(dict[str, object], limit=64 * 1024)


def content_of(name: str) -> Content | None:
    """The row that the file `name` (its path below the folder) is of; None where none names it.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return next((one for one in CONTENTS if fnmatchcase(name, one.path)), None)


def taken_in(root: Path) -> Iterator[tuple[str, bytes]]:
    """The files in the folder `root` that a backup takes, with what it takes of each.

    Raises NotFound where one is missing that every provider has, Malformed for a file with secrets
    whose form does not show which they are.
    Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
    """
    for one in CONTENTS:
        if one.always and not (root / one.path).is_file():
            raise NotFound(f"{root} has no {one.path}", remedy="a provider is not without it")
    for name, row in _files(root):
        if row is None or row.left:
            continue
        try:
            octets = (root / name).read_bytes()
        except FileNotFoundError:
            continue  # the service took it into the store, which is copied after this
        yield name, _without(octets, row) if row.secrets else octets


def unnamed_in(root: Path) -> list[str]:
    """The files in the folder `root` that no row names, and no backup takes.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return [name for name, row in _files(root) if row is None]


def to_give_anew(root: Path) -> list[str]:
    """The secrets that are missing in the folder `root`, as `bearer in mno.json`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    empty = [
        f"{secret} in {row.path}"
        for row in CONTENTS
        if row.secrets and (root / row.path).is_file()
        for secret in row.secrets
        if not _members((root / row.path).read_bytes(), row).get(secret)
    ]
    words = lacks_credentials(root)
    return [*empty, words] if words else empty


def _files(root: Path) -> Iterator[tuple[str, Content | None]]:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            name = path.relative_to(root).as_posix()
            yield name, content_of(name)


def _without(octets: bytes, row: Content) -> bytes:
    return encode(_members(octets, row) | dict.fromkeys(row.secrets, ""))


def _members(octets: bytes, row: Content) -> dict[str, object]:
    try:
        return _objects.decode(octets)
    except Malformed as error:
        raise Malformed(
            f"{row.path} cannot be taken without its secrets: {error.detail}",
            remedy=f"correct {row.path}",
        ) from error
