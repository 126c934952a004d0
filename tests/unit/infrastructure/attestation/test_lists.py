"""The two files that others publish: revoked certificates, and models of authenticators."""

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey
from simulators.keymint import SimulatedFactory
from tests.support.attested import AT

from tallystick.infrastructure.attestation.android.revocation import read_revocations
from tallystick.infrastructure.attestation.webauthn.metadata import Metadata, read_metadata
from tallystick.infrastructure.crypto.x509 import certificates_in, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import Instant

FACTORY = SimulatedFactory(AT)
SIGNING = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Simulated Root, no hardware")])
ROOTS = certificates_in(FACTORY.root_pem().encode())
PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
AAGUID = "00112233-4455-6677-8899-aabbccddeeff"


def test_serials_are_found_whatever_their_writing() -> None:
    listed = {
        "00AB01": {"status": "REVOKED", "reason": "KEY_COMPROMISE"},
        "cd": {"status": "SUSPENDED"},
    }
    found = read_revocations(json.dumps({"entries": listed}).encode())
    assert found.state("ab01") == "revoked: KEY_COMPROMISE"
    assert found.state("cd") == "suspended: UNSPECIFIED"
    assert not found.state("ef")
    assert found.digest


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"entries": []},
        {"entries": {"xyz": {"status": "REVOKED"}}},
        {"entries": {"ab": {"status": "FINE"}}},
        {"entries": {"ab": "REVOKED"}},
        {"entries": {"ab": {"status": "REVOKED", "reason": 1}}},
    ],
)
def test_half_a_list_is_no_list(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_revocations(json.dumps(wrong).encode())


def signed(reports: list[str], *, signer: Any = SIGNING, **other: Any) -> bytes:
    # a leaf directly below the root of the factory; the file is generated, not the Alliance's
    certificate = FACTORY.certificate(NAME, SIGNING.public_key(), NAME, FACTORY.root_signer)
    entry = {
        "aaguid": AAGUID,
        "statusReports": [{"status": one, "effectiveDate": "2026-01-01"} for one in reports],
        "metadataStatement": {
            "attestationRootCertificates": [base64.b64encode(ROOTS[0].octets).decode()]
        },
    }
    said = {
        "no": 7,
        "nextUpdate": "2026-02-01",
        "entries": [entry, {"aaid": "1234#5678", "statusReports": []}],
    } | other
    header = {
        "alg": "ES256",
        "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()],
    }
    jwk = ECKey.import_key(signer.private_bytes(*PEM))
    return jws.serialize_compact(header, json.dumps(said).encode(), jwk).encode()


def read(file: bytes, at: int = AT) -> Metadata:
    return read_metadata(file, ROOTS, Instant(at))


def test_a_model_has_its_roots_and_reports() -> None:
    found = read(signed(["FIDO_CERTIFIED_L1"]))
    model = found.models[AAGUID.replace("-", "")]
    assert found.number == 7
    assert found.next_update == "2026-02-01"
    assert model.links()[0].fingerprint() == read_certificate(ROOTS[0].octets).fingerprint()
    assert model.compromise() == ""


@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize("later", [[], ["UPDATE_AVAILABLE"], ["FIDO_CERTIFIED"]])
@pytest.mark.parametrize("state", ["REVOKED", "ATTESTATION_KEY_COMPROMISE"])
def test_a_compromised_model_is_refused_whatever_comes_later(state: str, later: list[str]) -> None:
    found = read(signed(["FIDO_CERTIFIED", state, *later]))
    assert found.models[AAGUID.replace("-", "")].compromise() == state


def test_a_file_of_somebody_else_is_refused() -> None:
    genuine = signed([])
    with pytest.raises(NotAuthentic):
        read(signed([], signer=ec.generate_private_key(ec.SECP256R1())))
    others = certificates_in(SimulatedFactory(AT).root_pem().encode())
    with pytest.raises(NotAuthentic, match="root"):
        read_metadata(genuine, others, Instant(AT))
    with pytest.raises(NotAuthentic, match="valid"):
        read(genuine, AT + 5000 * 86_400_000)
    head, payload, mark = genuine.split(b".")
    other = base64.urlsafe_b64encode(b'{"no":8,"nextUpdate":"2027-01-01","entries":[]}').rstrip(
        b"="
    )
    with pytest.raises(NotAuthentic):
        read(b".".join((head, other, mark)))
    with pytest.raises(Malformed):
        read(b".".join((head, payload)))
    entry = {"aaguid": AAGUID, "statusReports": []}
    doubled = signed([], entries=[entry, entry])
    with pytest.raises(Malformed, match="twice"):
        read(doubled)
