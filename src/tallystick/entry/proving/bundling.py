"""The basis and the proofs of a bundle, out of a provider's record; and a bundle as a folder.

Source: ISO/TS 12812-2:2017, 9.1; 7.3.3
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tallystick import __version__
from tallystick.application.certification import CertificateRow
from tallystick.application.policing.store import last_policy
from tallystick.application.proving import recorded_runs
from tallystick.entry.certifying import certificates_in
from tallystick.entry.evidence import Kept, kept_in
from tallystick.entry.proving.probing import every_check, other_observations
from tallystick.entry.proving.site import point_of
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.tiles import inclusion_proof
from tallystick.kernel.codec import b64url, from_plain, to_plain
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.time import Clock
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import (
    Basis,
    HeldThen,
    Run,
    catalogue_digest,
)
from tallystick.process.conformance.bundle import Proofs, Whose
from tallystick.process.conformance.certified import NEVER, Certified, Evaluated
from tallystick.process.conformance.checks import FRESHNESS_MS, Check, LogPoint
from tallystick.process.conformance.dossier import Document, with_dossier
from tallystick.process.conformance.findings import Ground
from tallystick.protocol.receipt import Receipt

TOOL: Final = "Tallystick"
_MOST_FILE: Final = 64 * 1024 * 1024


def basis_and_proofs(folder: ProviderFolder, clock: Clock, period_ms: int) -> tuple[Basis, Proofs]:
    """What a bundle over the last `period_ms` is made of.

    Raises NotFound where nothing was proved or signed yet.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    now, kept = clock.now(), kept_in(folder)
    start = now - period_ms
    with open_snapshot(folder.stored()) as reader:
        store = TallyStore(reader)
        latest = store.latest_checkpoint()
        point = None if latest is None else point_of(latest[1], folder)
        if latest is None or point is None:
            raise NotFound("no checkpoint is signed yet", remedy="serve the provider once")
        runs = tuple(
            one
            for one in recorded_runs(reader, start - max(FRESHNESS_MS.values()))
            if one.event < point.size
        )
        if not runs:
            raise NotFound("nothing was proved yet", remedy="run: tallystick prove FOLDER")
        certified = _certified(reader, point.size)
        proofs = _proofs(folder, store, latest[1], point, _indices(runs, certified))
        held = _held(reader, kept)
    checks = every_check(folder, clock)
    basis = _basis(folder, kept, runs, (now, start), point, held, checks)
    return replace(basis, documents=kept.dossier.documents, certificates=certified), proofs


def _basis(
    folder: ProviderFolder,
    kept: Kept,
    runs: tuple[Run, ...],
    period: tuple[int, int],
    point: LogPoint,
    held: HeldThen,
    checks: tuple[Check, ...],
) -> Basis:
    settings = folder.settings()
    now, start = period
    decided = with_dossier(Ground(needs=(), history=()), kept.dossier)
    return Basis(
        provider=settings.provider,
        tool=TOOL,
        version=__version__,
        environment=settings.origin,
        made_at=now,
        start=start,
        services=kept.dossier.services,
        held=held,
        log=point,
        checks=checks,
        runs=runs,
        others=other_observations(folder, kept, now),
        decisions=decided.decisions,
        exceptions=decided.exceptions,
    )


def _certified(reader: Connection, size: int) -> tuple[Certified, ...]:
    """The certificates that were added before the log had `size` events, as of then."""
    return tuple(_shown(one, size) for one in certificates_in(reader) if one.event < size)


def _shown(row: CertificateRow, size: int) -> Certified:
    gone = row.withdrawn_at > 0 and row.withdrawn_event < size
    return Certified(
        certificate=from_plain(to_plain(row.certificate()), Evaluated),
        event=row.event,
        withdrawn_at=row.withdrawn_at if gone else 0,
        because=row.because if gone else "",
        withdrawn_event=row.withdrawn_event if gone else NEVER,
    )


def _indices(runs: Iterable[Run], certified: Iterable[Certified]) -> list[int]:
    found = {run.event for run in runs}
    found |= {index for one in certified for index in one.events()}
    found |= {index for run in runs for one in run.observations for index in one.records}
    return sorted(found)


def _held(reader: Connection, kept: Kept) -> HeldThen:
    stored = last_policy(reader)
    return HeldThen(
        policy_version=0 if stored is None else stored[0],
        policy="" if stored is None else sha256(stored[1].encode()).hex(),
        catalogue=catalogue_digest(catalogue()),
        dossier=kept.dossier_digest,
        commit="" if kept.build is None else kept.build.record.commit,
    )


def _proofs(
    folder: ProviderFolder, store: TallyStore, note: str, point: LogPoint, indices: list[int]
) -> Proofs:
    return Proofs(
        key_list=folder.key_list_file.read_text(encoding="utf-8"),
        receipts=tuple(_receipt(store, note, point, one) for one in indices if one < point.size),
    )


def _receipt(store: TallyStore, note: str, point: LogPoint, index: int) -> Receipt:
    leaf = store.leaf(index)
    if leaf is None:
        raise NotFound(f"event {index} is missing", remedy="audit: tallystick tally verify FOLDER")
    proof = inclusion_proof(store, index, point.size)
    return Receipt(leaf=b64url(leaf), index=index, proof=b64url(b"".join(proof)), checkpoint=note)


def whose_bundle(settings: ProviderSettings) -> Whose:
    """Whose bundle one expects, by the provider's published settings.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return Whose(
        provider=settings.provider,
        origin=settings.origin,
        root=settings.root.verify_key(),
        officers={name: half.verify_key() for name, half in settings.officers.items()},
    )


def write_bundle(target: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into the new folder `target`.

    Raises Conflict if it is there.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        raise Conflict(f"{target} is there already", remedy="choose a new folder") from None
    for name, octets in files.items():
        (target / name).write_bytes(octets)


def compare_documents(listed: Iterable[Document], folder: Path) -> int:
    """How many of the `listed` documents are in `folder`, each with the digest that it must have.

    Raises NotAuthentic for one that is another.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    found = 0
    for one in listed:
        path = folder / one.file
        if not path.is_file():
            continue
        if sha256(path.read_bytes()).hex() != one.sha256:
            raise NotAuthentic(f"{one.file} is not the document that was attested")
        found += 1
    return found


def read_bundle(source: Path) -> dict[str, bytes]:
    """The files of a bundle by name; folders are none of its business, and refused.

    Raises Malformed for what cannot be a file of a bundle.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    found: dict[str, bytes] = {}
    for path in sorted(source.iterdir()):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_FILE:
            raise Malformed(f"{path.name} does not belong to a bundle")
        found[path.name] = path.read_bytes()
    return found
