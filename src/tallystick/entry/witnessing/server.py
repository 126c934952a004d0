"""The witness's own side: its key and memory in a folder of its own, and one HTTP operation.

    POST /add-checkpoint   200 its signature line       404 a log that it does not watch
                           409 the size it last saw     403 not signed by that log
                           422 no proof of continuity   400 413 the form   503 its disk

What contradicts an earlier checkpoint is kept as evidence: both notes, signed by the log.

Source: C2SP tlog-witness; C2SP tlog-cosignature; ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.tally.checkpoint import NoteKey, NoteKeyKind, NoteSigner
from tallystick.infrastructure.tally.witness import (
    MAX_BODY_BYTES,
    Cosigned,
    Inconsistent,
    OtherSize,
    Outcome,
    Witness,
    parse_add_checkpoint,
)
from tallystick.infrastructure.tally.witness_files import FileWitnessStore
from tallystick.kernel.errors import (
    Conflict,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    TooLarge,
)
from tallystick.kernel.time import Clock

SIZE_MEDIA_TYPE = "text/x.tlog.size"
_STATUS: dict[type[MfsError], int] = {
    NotFound: 404,
    NotAuthentic: 403,
    Malformed: 400,
    TooLarge: 413,
    Conflict: 409,
}


@dataclass(frozen=True, slots=True)
class OpenWitness:
    """A witness with its folder locked; `close` lets another process use it.

    Source: C2SP tlog-witness
    """

    folder: Path
    witness: Witness
    store: FileWitnessStore

    def close(self) -> None:
        """Let another process use the folder.

        Source: C2SP tlog-witness
        """
        self.store.close()

    def keep_evidence(self, note: str, found: Inconsistent) -> None:
        """Keep two notes of a log that contradict each other.

        Source: C2SP tlog-witness
        """
        name = f"evidence-{sha256(note.encode()).hex()[:16]}.txt"
        text = f"{found.seen.note}\n{note}"
        (self.folder / name).write_text(text, encoding="utf-8")


def open_witness(folder: Path, name: str, logs: Mapping[str, NoteKey]) -> OpenWitness:
    """Open the witness `name` in `folder`, with a key made at its first start, watching `logs`.

    Raises Unavailable when another process has the folder, Malformed for a name or a key file that
    cannot be one.
    Source: C2SP tlog-witness
    """
    store = FileWitnessStore(folder)
    try:
        signer = NoteSigner.of(name, _own_key(folder / "key.der"), NoteKeyKind.COSIGNATURE_V1)
        return OpenWitness(folder, Witness(logs, signer, store), store)
    except MfsError:
        store.close()
        raise


def _own_key(file: Path) -> Ed25519SigningKey:
    if not file.exists():
        replace_file(file, Ed25519SigningKey.generate().to_pkcs8().reveal())
    return Ed25519SigningKey.from_pkcs8(file.read_bytes())


def witness_application(opened: OpenWitness, clock: Clock) -> Starlette:
    """The witness as an ASGI application.

    Source: C2SP tlog-witness
    """

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                break
        try:
            asked = parse_add_checkpoint(body)
            outcome = opened.witness.add_checkpoint(asked, clock.now())
        except MfsError as error:
            return PlainTextResponse(f"{error.detail}\n", _STATUS.get(type(error), 503))
        if isinstance(outcome, Inconsistent):
            opened.keep_evidence(asked.note, outcome)
        return _answer(outcome)

    async def live(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/health/live", live, methods=["GET"]),
        ]
    )


def _answer(outcome: Outcome) -> Response:
    match outcome:
        case Cosigned(line=line):
            return PlainTextResponse(line)
        case OtherSize(size=size):
            return Response(f"{size}\n", 409, media_type=SIZE_MEDIA_TYPE)
        case Inconsistent(seen=seen, fork=True):
            return Response(f"{seen.size}\n", 409, media_type=SIZE_MEDIA_TYPE)
        case Inconsistent():
            return PlainTextResponse("this does not continue what was seen\n", 422)
