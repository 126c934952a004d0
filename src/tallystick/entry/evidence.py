"""The files of a provider's folder that evidence is in, and the runs that wait to be recorded.

    FOLDER/build.json      what the tests of the build said, beside the release
    FOLDER/build-key.json  the public key that signs builds, where one is asked for
    FOLDER/dossier.json    what people decided and attested; FOLDER/documents/ what they attest with
    FOLDER/evidence/       runs of probes made beside the service, until it records them

Whoever can write there can write to the record as well; a run says that it came this way.

Source: ISO/TS 12812-2:2017, 9.1
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import tallystick
from tallystick.application.own_commands import RecordEvidence
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import EDDSA
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, MfsError, Unavailable
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import LIMIT, Run
from tallystick.process.conformance.builds import Build, Running, read_build, why_not
from tallystick.process.conformance.dossier import Dossier, not_asked_for, read_dossier
from tallystick.process.conformance.sources import source_digest
from tallystick.process.programme.reading import read_programme

BUILD_FILE: Final = "build.json"
BUILD_KEY: Final = "build-key.json"
DOSSIER_FILE: Final = "dossier.json"
DOCUMENTS: Final = "documents"
WAITING: Final = "evidence"
EVERY_S: Final = 15.0
_runs: Final = Decoder(Run, limit=LIMIT)
_halves: Final = Decoder(PublicHalf)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the folder has besides the record: build, dossier, and their digests (empty for none).

    Source: ISO/TS 12812-2:2017, 9.1
    """

    build: Build | None
    build_digest: str
    dossier: Dossier
    dossier_digest: str


def kept_in(folder: ProviderFolder) -> Kept:
    """Build and dossier of the provider in `folder`.

    Raises Malformed for a file that is not what it should be.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    build = _octets(folder.root / BUILD_FILE)
    dossier = _octets(folder.root / DOSSIER_FILE)
    read = Dossier() if dossier is None else read_dossier(dossier, catalogue())
    return Kept(
        build=None if build is None else read_build(build),
        build_digest="" if build is None else sha256(build).hex(),
        dossier=read,
        dossier_digest="" if dossier is None else read.digest(),
    )


def services_left_out(folder: ProviderFolder) -> str:
    """A sentence on the services of the programme that the dossier leaves out; empty for none.

    Without a programme that can be read, or a dossier, there is nothing to compare.
    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    if _octets(folder.root / DOSSIER_FILE) is None or not folder.programme_file.exists():
        return ""
    try:
        programme = read_programme(folder.programme_file.read_text(encoding="utf-8"))
    except (MfsError, UnicodeDecodeError):
        return ""
    left = ", ".join(not_asked_for(kept_in(folder).dossier, programme.services))
    return f"the programme offers {left}, and {DOSSIER_FILE} does not name it" if left else ""


@cache
def running_source() -> str:
    """The digest of the package that runs.

    Source: ISO/TS 12812-2:2017, 9.3
    """
    return source_digest(Path(tallystick.__file__).parent)


def running_in(folder: ProviderFolder) -> Running:
    """What a build is held against: version and source that run, and the key asked for in `folder`.

    Raises Malformed for a file that holds no public key.
    Source: ISO/TS 12812-2:2017, 9.3
    """
    octets = _octets(folder.root / BUILD_KEY)
    named = "" if octets is None else _halves.decode(octets.strip()).verify_key().octets().hex()
    return Running(version=tallystick.__version__, source=running_source(), signer=named)


def ask_for_signer(folder: ProviderFolder, public: str) -> None:
    """Count only builds that the Ed25519 key `public` (base64url) signs, from now on.

    Raises Malformed for what is no such key.
    Source: ISO/TS 12812-2:2017, 9.3
    """
    half = PublicHalf(algorithm=EDDSA, public=public)
    half.verify_key()
    replace_file(folder.root / BUILD_KEY, encode_canonical(half))


def take_build(folder: ProviderFolder, octets: bytes) -> Build:
    """Put the build record in `octets` into `folder`, if it speaks of what runs here.

    Raises Conflict for a record of other source, of a tree with changes, or without the signature
    that is asked for; NotAuthentic and Malformed as reading does.
    Source: ISO/TS 12812-2:2017, 9.1; 9.3
    """
    build = read_build(octets)
    reason = why_not(build, running_in(folder))
    if reason:
        raise Conflict(reason, remedy="run the tests of what runs here, committed: make test")
    replace_file(folder.root / BUILD_FILE, octets)
    return build


def document_in(folder: ProviderFolder, name: str) -> bytes | None:
    """The octets of an attested document, or None if it is not there.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return _octets(folder.root / DOCUMENTS / name)


def _octets(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def leave_run(folder: ProviderFolder, run: Run) -> Path:
    """Leave `run` for the service to record; gives the file.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    place = folder.root / WAITING
    place.mkdir(mode=0o700, exist_ok=True)
    path = place / f"{run.id}.json"
    replace_file(path, encode_canonical(run))
    return path


def waiting_runs(folder: Path) -> Iterator[tuple[Path, Run | None]]:
    """Each file that waits in `folder`, with its run; None for what is no run.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    for path in sorted((folder / WAITING).glob("*.json")):
        try:
            yield path, _runs.decode_canonical(path.read_bytes())
        except (MfsError, OSError):
            yield path, None


async def take_in_for_ever(writer: WriterLoop, folder: Path) -> None:
    """Record what waits in `folder`, again and again; what is refused is put aside.

    Source: ISO/TS 12812-2:2017, 9.1; 7.3.3
    """
    while True:
        await asyncio.sleep(EVERY_S)
        for path, run in await asyncio.to_thread(lambda: list(waiting_runs(folder))):
            await _take_in(writer, path, run)


async def _take_in(writer: WriterLoop, path: Path, run: Run | None) -> None:
    reply: object = None
    if run is not None:
        try:
            reply = (await writer.ask(RecordEvidence(run, "beside the service"))).outcome.reply
        except Unavailable:
            return
    if isinstance(reply, Unavailable):
        return
    refused = run is None or isinstance(reply, MfsError)
    await asyncio.to_thread(_put_away, path, refused)


def _put_away(path: Path, refused: bool) -> None:
    if refused:
        path.replace(path.with_suffix(".refused"))
    else:
        path.unlink()
