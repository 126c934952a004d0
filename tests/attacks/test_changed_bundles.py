"""A bundle that was changed, added to, cut, or signed by somebody else is refused."""

import base64
import json
import random
from functools import cache

import pytest
from tests.support.forged_stamps import Forger
from tests.unit.process.conformance.bundles import OFFICERS, Made, made

from tallystick.infrastructure.crypto.dsse import open_envelope, seal_envelope
from tallystick.infrastructure.crypto.ecdsa import der_signature, raw_signature
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken, Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import read_basis
from tallystick.process.conformance.bundle import Pinned, Whose, make_bundle, verify_bundle

CHANGES = 1_000


@cache
def bundle() -> Made:
    return made()


def refused(
    files: dict[str, bytes], whose: Whose | None = None, pinned: Pinned | None = None
) -> str:
    with pytest.raises(NotAuthentic) as error:
        verify_bundle(files, whose or bundle().whose, catalogue(), pinned)
    return error.value.detail


@pytest.mark.requirement("MFS-9.1-01")
@pytest.mark.parametrize("officer", list(OFFICERS))
def test_a_bundle_verifies_with_public_halves_only(officer: str) -> None:
    one = bundle() if officer == "officer-1" else made(officer)
    found = verify_bundle(one.files, one.whose, catalogue())
    assert (found.officer, found.runs, found.records, found.derived) == (officer, 1, 6, True)
    assert found.lock.rows == sum(found.lock.counts.values())
    assert found.files == len(one.files) == 19


@pytest.mark.requirement("MFS-9.3-02")
def test_a_thousand_changes_of_one_octet_are_each_refused() -> None:
    forger = Forger()
    one, pinned = made(stamp=forger.authority().stamp), Pinned(forger.roots)
    found = verify_bundle(one.files, one.whose, catalogue(), pinned)
    assert found.derived
    assert found.stamped is not None
    dice = random.Random(12812)
    files = one.files
    assert len(files) == 20
    names = sorted(files)
    for number in range(CHANGES):
        name = names[number % len(names)]
        octets = bytearray(files[name])
        octets[dice.randrange(len(octets))] ^= 1 << dice.randrange(8)
        changed = {**files, name: bytes(octets)}
        refused(changed, one.whose, pinned)


def test_a_file_more_or_less_is_refused() -> None:
    files = bundle().files
    for name in files:
        refused({other: octets for other, octets in files.items() if other != name})
    assert "does not belong" in refused({**files, "notes.json": b"{}"})
    assert "does not belong" in refused({**files, "notes.txt": b"hello"})


def test_somebody_elses_signature_is_refused() -> None:
    one = bundle()
    stranger = Es256SigningKey.generate()
    signed = make_bundle(one.basis, catalogue(), one.proofs, stranger, "officer-1")
    refused(signed)
    assert "nobody" in refused(make_bundle(one.basis, catalogue(), one.proofs, stranger, "me"))
    other = Whose("other-wallet", one.whose.origin, one.whose.root, one.whose.officers)
    assert "another provider" in refused(one.files, other)


def test_a_finding_that_was_made_better_is_refused_even_if_it_is_signed() -> None:
    """The officer signs a bundle whose results say more than the evidence gives."""
    one = bundle()
    name = "assessment-results.json"
    better = one.files[name].replace(b'"state":"not-satisfied"', b'"state":"satisfied"', 1)
    assert better != one.files[name]
    files = signed_anew({**one.files, name: better})
    assert "does not follow from the evidence" in refused(files)


def test_evidence_that_the_log_did_not_record_is_refused_even_if_it_is_signed() -> None:
    one = made(recorded="0" * 64)
    assert "recorded something else" in refused(one.files, one.whose)
    (run,) = bundle().basis.runs
    for changed, said in (
        (replace(run, event=4), "recorded something else"),
        (replace(run, event=6), "is not proved"),
        (replace(run, dossier=""), "recorded something else"),
        (replace(run, observations=run.observations[:1]), "recorded something else"),
    ):
        basis = replace(bundle().basis, runs=(changed,))
        signer = OFFICERS["officer-1"]
        files = make_bundle(basis, catalogue(), bundle().proofs, signer, "officer-1")
        assert said in refused(files)
    bare = replace(bundle().proofs, receipts=bundle().proofs.receipts[2:])
    files = make_bundle(bundle().basis, catalogue(), bare, OFFICERS["officer-1"], "officer-1")
    assert "is not proved" in refused(files)


def test_a_certificate_that_the_log_does_not_know_is_refused_even_if_it_is_signed() -> None:
    first, second = bundle().basis.certificates
    better = replace(first, certificate=replace(first.certificate, level="EAL7"))
    longer = replace(first, certificate=replace(first.certificate, valid_to=4_000_000_000_000))
    unsaid = replace(second, because="it was old")
    elsewhere = replace(first, event=4)
    unproved = replace(first, event=3)
    for changed, said in (
        ((better, second), "recorded something else"),
        ((longer, second), "recorded something else"),
        ((first, unsaid), "recorded something else"),
        ((elsewhere, second), "recorded something else"),
        ((unproved, second), "is not proved"),
    ):
        basis = replace(bundle().basis, certificates=changed)
        signer = OFFICERS["officer-1"]
        files = make_bundle(basis, catalogue(), bundle().proofs, signer, "officer-1")
        assert said in refused(files)


def test_a_document_that_is_listed_otherwise_than_it_was_seen_is_refused() -> None:
    (listed,) = bundle().basis.documents
    for documents in ((), (replace(listed, sha256="0" * 64),), (listed, listed)):
        with pytest.raises(Malformed):
            read_basis(encode_canonical(replace(bundle().basis, documents=documents)))


def test_proofs_of_another_state_of_the_log_are_refused() -> None:
    one = bundle()
    for log in (
        replace(one.basis.log, size=6),
        replace(one.basis.log, root="00" * 32),
        replace(one.basis.log, origin="other/tally/1"),
    ):
        basis = replace(one.basis, log=log)
        files = make_bundle(basis, catalogue(), one.proofs, OFFICERS["officer-1"], "officer-1")
        assert "than the bundle names" in refused(files)


def test_documents_of_defective_evidence_are_never_signed() -> None:
    one = bundle()
    (run,) = one.basis.runs
    twice = (*run.observations, run.observations[0])
    broken = replace(one.basis, provider=" ")
    with pytest.raises(Broken):
        make_bundle(broken, catalogue(), one.proofs, OFFICERS["officer-1"], "officer-1")
    with pytest.raises(Malformed):
        read_basis(encode_canonical(replace(one.basis, start=one.basis.made_at)))
    assert read_basis(
        encode_canonical(replace(one.basis, runs=(replace(run, observations=twice),)))
    )


def test_an_envelope_of_another_form_or_type_is_refused() -> None:
    signer = OFFICERS["officer-1"]
    sealed = seal_envelope(b"{}", signer, "officer-1")
    assert open_envelope(sealed, "officer-1", signer.public()) == b"{}"
    opened = json.loads(sealed)
    signature = base64.b64decode(opened["signatures"][0]["sig"])
    for changed in (
        opened | {"payloadType": "text/plain"},
        opened | {"signatures": opened["signatures"] * 2},
        opened | {"signatures": []},
        opened | {"payload": "e30"},
    ):
        with pytest.raises(NotAuthentic):
            open_envelope(encode_canonical(changed), "officer-1", signer.public())
    with pytest.raises(NotAuthentic):
        open_envelope(sealed, "officer-2", signer.public())
    with pytest.raises(NotAuthentic):
        open_envelope(sealed + b" ", "officer-1", signer.public())
    assert der_signature(raw_signature(signature)) == signature
    for wrong in (signature + b"\x00", signature[:-1], b"", b"\x30\x06\x02\x01\x00\x02\x01\x00"):
        with pytest.raises(NotAuthentic):
            raw_signature(wrong)


def signed_anew(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files, with an honest officer's signature over what is now in them."""
    from tallystick.process.conformance.bundle.manifest import (  # noqa: PLC0415
        manifest_of,
        statement_of,
    )

    listed = {
        name: octets
        for name, octets in files.items()
        if name.endswith(".json") and not name.startswith("manifest")
    }
    payload = statement_of(manifest_of(listed), listed)
    return {
        **files,
        "manifest.dsse.json": seal_envelope(payload, OFFICERS["officer-1"], "officer-1"),
    }
