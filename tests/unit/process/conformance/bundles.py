"""A bundle with a real log, real proofs and an officer's key, without a provider around it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.unit.process.conformance.pictures import NOW, PROBES, SERVICES, ground, saw

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.key_list import LIST_TYPE
from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Es256SigningKey,
    SigningKey,
)
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.leaf import encode_leaf
from tallystick.infrastructure.tally.log import TallyLog
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import (
    RECORDED,
    Basis,
    HeldThen,
    Run,
    catalogue_digest,
)
from tallystick.process.conformance.bundle import Proofs, Whose, make_bundle
from tallystick.process.conformance.bundle.making import Stamp
from tallystick.process.conformance.certified import (
    ADDED,
    NEVER,
    WITHDRAWN,
    Certified,
    Evaluated,
)
from tallystick.process.conformance.checks import LogPoint
from tallystick.process.conformance.dossier import Document, Dossier, document_observations
from tallystick.protocol.keylist import KeyEntry, KeyList, ListedPurpose
from tallystick.protocol.receipt import EventLeaf

ORIGIN = "test-wallet/tally/1"
ROOT = Ed25519SigningKey.generate()
TALLY = Ed25519SigningKey.generate()
OFFICERS: dict[str, SigningKey] = {
    "officer-1": Es256SigningKey.generate(),
    "officer-2": Ed25519SigningKey.generate(),
}


@dataclass(frozen=True)
class Made:
    """A bundle and what it was made of."""

    files: dict[str, bytes]
    basis: Basis
    proofs: Proofs
    whose: Whose


MINUTES = b"the board approved it"
DOSSIER = Dossier(
    documents=(
        Document(
            file="minutes.txt",
            title="Minutes of the board",
            sha256=sha256(MINUTES).hex(),
            requirements=("MFS-6.1-01",),
            owner="board",
            scope="the wallet",
            issued=1,
            valid_until=NOW + DAY_MS,
        ),
    )
)


def evaluated(name: str, *, valid_to: int = NOW + DAY_MS) -> Evaluated:
    return Evaluated(
        id=name,
        component="security module",
        scheme="cc",
        level="EAL4+",
        van="AVA_VAN.5",
        protection_profile="PP 84",
        scope="key storage",
        issuer="DE",
        laboratory="a laboratory",
        recognition="sog-is",
        valid_from=1,
        valid_to=valid_to,
        digests=("ab" * 32,),
    )


CERTIFIED = (
    Certified(
        certificate=evaluated("CC-1"), event=7, withdrawn_at=0, because="", withdrawn_event=NEVER
    ),
    Certified(
        certificate=evaluated("CC-2"),
        event=8,
        withdrawn_at=NOW - 5,
        because="its scheme took it back",
        withdrawn_event=9,
    ),
)


def key_list(root: SigningKey = ROOT, tally: SigningKey = TALLY) -> str:
    entry = KeyEntry(
        kid="key_" + "0" * 26,
        purpose=ListedPurpose.TALLY,
        algorithm=tally.algorithm,
        public=b64url(tally.public().octets()),
        not_before=1,
        not_after=NOW + DAY_MS,
    )
    listed = KeyList(
        provider="test-wallet", version=1, issued_at=1, expires_at=NOW + DAY_MS, entries=(entry,)
    )
    header = encode_canonical({"alg": root.algorithm, "typ": LIST_TYPE})
    return sign_compact(root, header, encode_canonical(listed))


def leaf(number: int, kind: str, **public: str | int) -> bytes:
    return encode_leaf(
        EventLeaf(
            id=f"evt_{number:026d}",
            at=NOW,
            kind=kind,
            provider="test-wallet",
            policy=3,
            p=public,
            c={},
        )
    )


def basis_of(seen, event: int, log: LogPoint) -> Basis:
    basis = ground()
    probes = {probe.id for probe in PROBES}
    return Basis(
        provider="test-wallet",
        tool="Tallystick",
        version="0.1.0",
        environment=ORIGIN,
        made_at=NOW,
        start=NOW - 7 * DAY_MS,
        services=SERVICES,
        held=HeldThen(
            policy_version=3,
            policy="a" * 64,
            catalogue=catalogue_digest(catalogue()),
            dossier="c" * 64,
            commit="d" * 40,
        ),
        log=log,
        checks=PROBES,
        runs=(Run(id="run-1", at=NOW, event=event, build="", dossier="c" * 64, observations=seen),),
        others=(
            *(
                one
                for one in basis.history
                if one.check not in probes and one.check != "document/MFS-6.1-01"
            ),
            *document_observations(DOSSIER, lambda _: MINUTES, now=NOW, environment=ORIGIN),
        ),
        decisions=basis.decisions,
        exceptions=basis.exceptions,
        documents=DOSSIER.documents,
        certificates=CERTIFIED,
    )


def made(
    officer: str = "officer-1",
    *,
    recorded: str = "",
    stamp: Stamp | None = None,
    root: SigningKey = ROOT,
    tally: SigningKey = TALLY,
    signs: SigningKey | None = None,
    officers: Mapping[str, SigningKey] = OFFICERS,
) -> Made:
    """A bundle; `signs` signs the log where it is not `tally`, the key that the list names."""
    seen = tuple(saw(one) for one in PROBES)
    run = Run(id="run-1", at=NOW, event=5, build="", dossier="c" * 64, observations=seen)
    leaves = [leaf(number, "policy.activated", version=number) for number in range(5)]
    said = {"run": "run-1", "digest": recorded or run.digest(), "dossier": "c" * 64}
    leaves += [leaf(5, RECORDED, **said), leaf(6, "session.ended")]
    leaves += [
        leaf(one.event, ADDED, certificate=one.certificate.id, file=one.certificate.file())
        for one in CERTIFIED
    ]
    gone = CERTIFIED[1]
    leaves += [leaf(9, WITHDRAWN, certificate=gone.certificate.id, because=gone.because)]
    log = TallyLog(ORIGIN)
    appended = log.append(leaves)
    note = log.sign(appended, NoteSigner.of(ORIGIN, signs or tally))
    point = LogPoint(origin=ORIGIN, size=appended.size, root=appended.root.hex(), first=2, last=5)
    proofs = Proofs(
        key_list=key_list(root, tally),
        receipts=tuple(appended.receipt(at, note) for at in (2, 4, 5, 7, 8, 9)),
    )
    basis = basis_of(seen, 5, point)
    whose = Whose(
        provider="test-wallet",
        origin=ORIGIN,
        root=root.public(),
        officers={name: one.public() for name, one in officers.items()},
    )
    files = make_bundle(basis, catalogue(), proofs, officers[officer], officer, stamp=stamp)
    return Made(files, basis, proofs, whose)
