"""Makes a bundle: from a basis, proofs and an officer's key to files.

Source: ISO/TS 12812-2:2017, 9.1; OSCAL 1.2.1
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dsse import seal_envelope
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.spki import public_pem
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Broken, Malformed, Unavailable
from tallystick.kernel.model import replace
from tallystick.process.catalogue.model import Catalogue
from tallystick.process.conformance.attestations import attestations
from tallystick.process.conformance.basis import LIMIT, Basis, Stamping, picture_of
from tallystick.process.conformance.bundle.contents import (
    APPLICABILITY,
    ATTESTATIONS,
    CERTIFICATES,
    ENVELOPE,
    EVIDENCE,
    LOCK,
    MANIFEST,
    OBSERVATIONS,
    PROOFS,
    PUBLIC_HALF,
    README,
    STAMP,
    Proofs,
    lock_of,
    readme,
)
from tallystick.process.conformance.bundle.manifest import manifest_of, statement_of
from tallystick.process.conformance.oscal.documents import MODELS, documents, file_of
from tallystick.process.conformance.oscal.lint import Defect, lint
from tallystick.process.conformance.tables import (
    certificate_table,
    observation_table,
    statement_of_applicability,
)

Stamp: TypeAlias = Callable[[bytes], bytes]
"""Gives a time stamp over what it is given; raises Unavailable where there is none to be had."""

_any: Decoder[object] = Decoder(object, limit=LIMIT)


def derived_files(basis: Basis, found: Catalogue, evidence: bytes) -> dict[str, bytes]:
    """Every file that follows from `basis` alone: documents, tables, recipe, lock.

    `evidence` is `basis` as it is written.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    picture = picture_of(basis, found, file=EVIDENCE, digest=sha256(evidence).hex())
    made = {name: encode_canonical(one) for name, one in documents(picture).items()}
    made[ATTESTATIONS] = encode_canonical(attestations(picture, signature=ENVELOPE, proofs=PROOFS))
    others = {
        APPLICABILITY: statement_of_applicability(picture),
        OBSERVATIONS: observation_table(picture),
        CERTIFICATES: certificate_table(picture),
        README: readme(basis),
    }
    return {**made, **others, LOCK: lock_of(basis, picture.findings, others)}


def make_bundle(
    basis: Basis,
    found: Catalogue,
    proofs: Proofs,
    signer: SigningKey,
    officer: str,
    *,
    stamp: Stamp | None = None,
) -> dict[str, bytes]:
    """The files of the bundle, signed as `officer` with `signer`, stamped by `stamp`.

    Where no time stamp can be had the bundle is made without, and says so. Raises Broken if the
    documents do not pass our own lint: nothing defective is signed; NotAuthentic for a time stamp
    that does not hold.
    Source: ISO/TS 12812-2:2017, 9.1; OSCAL 1.2.1; RFC 3161, 2.2
    """
    if stamp is None:
        return _signed(basis, found, proofs, signer, officer)
    stamped = replace(basis, stamping=Stamping.STAMPED)
    files = _signed(stamped, found, proofs, signer, officer)
    try:
        return {**files, STAMP: stamp(files[ENVELOPE])}
    except Unavailable:
        without = replace(basis, stamping=Stamping.OUTAGE)
        return _signed(without, found, proofs, signer, officer)


def _signed(
    basis: Basis, found: Catalogue, proofs: Proofs, signer: SigningKey, officer: str
) -> dict[str, bytes]:
    evidence = encode_canonical(basis)
    derived = derived_files(basis, found, evidence)
    files = {**derived, EVIDENCE: evidence, PROOFS: encode_canonical(proofs)}
    _refuse_defects(files)
    listed = {name: octets for name, octets in files.items() if name.endswith(".json")}
    manifest = manifest_of(listed)
    statement = statement_of(manifest, listed)
    return {
        **files,
        MANIFEST: encode_canonical(manifest),
        ENVELOPE: seal_envelope(statement, signer, officer),
        PUBLIC_HALF: public_pem(signer.public()).encode(),
    }


def lint_files(files: Mapping[str, bytes]) -> tuple[Defect, ...]:
    """What our lint says of the documents among `files`.

    Raises Malformed for a document that is no JSON.
    Source: OSCAL 1.2.1
    """
    names = [file_of(model) for model in MODELS]
    found = {name: _any.decode(files[name]) for name in names if name in files}
    missing = [name for name in names if name not in files]
    if missing:
        raise Malformed(f"{missing[0]} is missing")
    return lint(found, files)


def _refuse_defects(files: Mapping[str, bytes]) -> None:
    defects = lint_files(files)
    if defects:
        first = defects[0]
        raise Broken(
            f"{len(defects)} defects, the first in {first.file} at {first.at}: {first.says}"
        )
