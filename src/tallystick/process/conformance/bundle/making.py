"""Makes a bundle: from a basis, proofs and an officer's key to files.

Source: ISO/TS 12812-2:2017, 9.1; OSCAL 1.2.1
"""

from collections.abc import Mapping

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dsse import seal_envelope
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.spki import public_pem
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Broken, Malformed
from tallystick.process.catalogue.model import Catalogue
from tallystick.process.conformance.basis import LIMIT, Basis, picture_of
from tallystick.process.conformance.bundle.contents import (
    APPLICABILITY,
    ENVELOPE,
    EVIDENCE,
    LOCK,
    MANIFEST,
    OBSERVATIONS,
    PROOFS,
    PUBLIC_HALF,
    README,
    Proofs,
    lock_of,
    readme,
)
from tallystick.process.conformance.bundle.manifest import manifest_of, statement_of
from tallystick.process.conformance.oscal.documents import MODELS, documents, file_of
from tallystick.process.conformance.oscal.lint import Defect, lint
from tallystick.process.conformance.tables import observation_table, statement_of_applicability

_any: Decoder[object] = Decoder(object, limit=LIMIT)


def derived_files(basis: Basis, found: Catalogue, evidence: bytes) -> dict[str, bytes]:
    """Every file that follows from `basis` alone: documents, tables, recipe, lock.

    `evidence` is `basis` as it is written.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    picture = picture_of(basis, found, file=EVIDENCE, digest=sha256(evidence).hex())
    made = {name: encode_canonical(one) for name, one in documents(picture).items()}
    others = {
        APPLICABILITY: statement_of_applicability(picture),
        OBSERVATIONS: observation_table(picture),
        README: readme(basis),
    }
    return {**made, **others, LOCK: lock_of(basis, picture.findings, others)}


def make_bundle(
    basis: Basis, found: Catalogue, proofs: Proofs, signer: SigningKey, officer: str
) -> dict[str, bytes]:
    """The files of the bundle, signed as `officer` with `signer`.

    Raises Broken if the documents do not pass our own lint: nothing defective is signed.
    Source: ISO/TS 12812-2:2017, 9.1; OSCAL 1.2.1
    """
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
