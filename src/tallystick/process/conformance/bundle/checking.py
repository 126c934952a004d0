"""Checks a bundle with public keys only: signature, files, documents, derivation, log.

    signed      an officer whom the provider's settings name signed the list of files
    whole       every file is there as it was signed, and no other
    sound       the documents pass our lint
    derived     documents, tables and lock follow from the basis, octet for octet
    recorded    each run of probes has the digest that the log recorded, at the place it says; so
                has each certificate what officers signed
    stamped     the time stamp over the signature holds, where there is one and a root is pinned

Source: ISO/TS 12812-2:2017, 9.1; 7.3.3
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dsse import open_envelope, signer_of
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.key_list import list_header, signature_key
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.crypto.spki import public_pem
from tallystick.infrastructure.tally.verify import VerifiedReceipt, verify_receipt
from tallystick.infrastructure.timestamps import Stamped
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, NotAuthentic, Refused
from tallystick.process.catalogue.model import Catalogue
from tallystick.process.conformance.basis import (
    RECORDED,
    Basis,
    Run,
    catalogue_digest,
    read_basis,
)
from tallystick.process.conformance.bundle.contents import (
    ENVELOPE,
    EVIDENCE,
    LOCK,
    MANIFEST,
    PROOFS,
    PUBLIC_HALF,
    STAMP,
    Lock,
    Proofs,
    read_lock,
    read_proofs,
)
from tallystick.process.conformance.bundle.making import derived_files, lint_files
from tallystick.process.conformance.bundle.manifest import check_statement
from tallystick.process.conformance.bundle.stamped import Pinned, check_stamp, is_stamped
from tallystick.process.conformance.dossier import Document
from tallystick.protocol.keylist import KeyList, ListedPurpose
from tallystick.protocol.receipt import Receipt

_lists = Decoder(KeyList)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose bundle it is said to be: the provider's name, log, root and officers.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    provider: str
    origin: str
    root: VerifyKey
    officers: Mapping[str, VerifyKey]


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds: who signed, what was counted, and what was proved to be in the log.

    `derived` is false where the verifier has another catalogue, so that nothing was derived again.
    `stamped` is None where there is no time stamp, or no root was pinned to verify it with.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    officer: str
    lock: Lock
    files: int
    runs: int
    records: int
    derived: bool
    certificates: int
    documents: tuple[Document, ...]
    stamped: Stamped | None


def verify_bundle(
    files: Mapping[str, bytes], whose: Whose, found: Catalogue, pinned: Pinned | None = None
) -> Verified:
    """What the bundle `files` (by name) proves; `pinned` is what time stamps are believed by.

    Raises NotAuthentic with the first thing that does not hold.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    for name in (ENVELOPE, MANIFEST, PUBLIC_HALF, EVIDENCE, PROOFS, LOCK):
        if name not in files:
            raise NotAuthentic(f"{name} is missing")
    officer = signer_of(files[ENVELOPE])
    public = whose.officers.get(officer)
    if public is None:
        raise NotAuthentic("the bundle is signed by nobody whom the provider's settings name")
    payload = open_envelope(files[ENVELOPE], officer, public)
    if files[PUBLIC_HALF] != public_pem(public).encode():
        raise NotAuthentic(f"{PUBLIC_HALF} is not the key of {officer}")
    try:
        return _verified(files, payload, whose, found, officer, pinned)
    except Malformed as error:
        raise NotAuthentic(f"the bundle has not the form of one: {error.detail}") from error


def _verified(
    files: Mapping[str, bytes],
    payload: bytes,
    whose: Whose,
    found: Catalogue,
    officer: str,
    pinned: Pinned | None,
) -> Verified:
    lock = read_lock(files[LOCK])
    outside = {MANIFEST, ENVELOPE, PUBLIC_HALF, *lock.files}
    outside |= {STAMP} if is_stamped(lock) else set()
    listed = {name: octets for name, octets in files.items() if name not in outside}
    manifest = check_statement(payload, files[MANIFEST], listed)
    extra = listed.keys() - {one.name for one in manifest.artifacts}
    if extra:
        raise NotAuthentic(f"{min(extra)[:80]} does not belong to the bundle")
    for name, digest in lock.files.items():
        if name not in files or sha256(files[name]).hex() != digest:
            raise NotAuthentic(f"{name[:80]} is missing, or is not the one that was signed")
    basis = read_basis(files[EVIDENCE])
    if basis.provider != whose.provider:
        raise NotAuthentic("the bundle is of another provider")
    defects = lint_files(files)
    if defects:
        raise NotAuthentic(f"{defects[0].file} at {defects[0].at}: {defects[0].says}")
    derived = _derived(files, basis, found)
    records = _recorded(basis, read_proofs(files[PROOFS]), whose)
    stamped = check_stamp(files, lock, pinned)
    return Verified(
        officer=officer,
        lock=lock,
        files=len(files),
        runs=len(basis.runs),
        records=records,
        derived=derived,
        certificates=len(basis.certificates),
        documents=basis.documents,
        stamped=stamped,
    )


def _derived(files: Mapping[str, bytes], basis: Basis, found: Catalogue) -> bool:
    """Whether everything was derived again; False with another catalogue."""
    if basis.held.catalogue != catalogue_digest(found):
        return False
    for name, octets in derived_files(basis, found, files[EVIDENCE]).items():
        if files.get(name) != octets:
            raise NotAuthentic(f"{name} does not follow from the evidence")
    return True


def _recorded(basis: Basis, proofs: Proofs, whose: Whose) -> int:
    """How many records were proved to be in the log."""
    keys = _tally_keys(proofs.key_list, whose.root)
    verified = [_verify(one, keys, whose.origin) for one in proofs.receipts]
    by_index = {one.index: one for one in verified}
    for one in verified:
        point = one.checkpoint
        if (point.origin, point.size) != (basis.log.origin, basis.log.size):
            raise NotAuthentic("a proof is for another state of the log than the bundle names")
        if point.root.hex() != basis.log.root:
            raise NotAuthentic("a proof is for another root of the log than the bundle names")
    for run in basis.runs:
        _check_run(run, by_index)
        for seen in run.observations:
            missing = [index for index in seen.records if index not in by_index]
            if missing:
                raise NotAuthentic(f"{seen.check}: event {missing[0]} is not proved")
    for held in basis.certificates:
        for index, (kind, said) in held.said().items():
            _check_event(f"certificate {held.certificate.id}", index, kind, said, by_index)
    return len(by_index)


def _tally_keys(jws: str, root: VerifyKey) -> tuple[VerifyKey, ...]:
    """The keys that signed the log; a list past its time still counts, as for an audit."""
    try:
        header, payload, signature, signed = split_compact(jws)
    except Refused as error:
        raise NotAuthentic("the key list has not the form of one") from error
    if header != list_header(root.algorithm):
        raise NotAuthentic("the key list is not signed as the provider's root signs")
    root.verify(signature, signed)
    entries = _lists.decode_canonical(payload).entries
    return tuple(signature_key(one) for one in entries if one.purpose == ListedPurpose.TALLY)


def _verify(receipt: Receipt, keys: Sequence[VerifyKey], origin: str) -> VerifiedReceipt:
    failure = NotAuthentic("the key list has no key of the log")
    for one in keys:
        try:
            return verify_receipt(receipt, one, origin=origin)
        except NotAuthentic as error:
            failure = error
    raise failure


def _check_run(run: Run, by_index: Mapping[int, VerifiedReceipt]) -> None:
    said: dict[str, str | int] = {
        "run": run.id,
        "digest": run.digest(),
        "build": run.build,
        "dossier": run.dossier,
    }
    _check_event(f"run {run.id}", run.event, RECORDED, said, by_index)


def _check_event(
    what: str,
    index: int,
    kind: str,
    said: Mapping[str, str | int],
    by_index: Mapping[int, VerifiedReceipt],
) -> None:
    proved = by_index.get(index)
    if proved is None:
        raise NotAuthentic(f"{what}: event {index} is not proved")
    stated = {name: proved.event.p.get(name, "") for name in said}
    if proved.event.kind != kind or stated != said:
        raise NotAuthentic(f"{what}: the log recorded something else at event {index}")
