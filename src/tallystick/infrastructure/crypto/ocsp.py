"""Answers about single certificates (OCSP): questions read, answers signed, answers verified.

Source: RFC 6960, 4; RFC 5019
"""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from tallystick.infrastructure.crypto.certify import instant, moment
from tallystick.infrastructure.crypto.crl import REASONS, Revoked
from tallystick.infrastructure.crypto.delegated import DelegatedKey
from tallystick.infrastructure.crypto.path_rules import RESPONDERS
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.x509 import UNREADABLE, Certificate, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.time import Instant

MOST_NONCE: Final = 32
GOOD: Final = "good"
REVOKED: Final = "revoked"
UNKNOWN: Final = "unknown"
_STATUS: Final = {
    GOOD: ocsp.OCSPCertStatus.GOOD,
    REVOKED: ocsp.OCSPCertStatus.REVOKED,
    UNKNOWN: ocsp.OCSPCertStatus.UNKNOWN,
}
_WORDS: Final = {flag: word for word, flag in _STATUS.items()}
REFUSALS: Final = {
    "malformed": ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
    "error": ocsp.OCSPResponseStatus.INTERNAL_ERROR,
    "later": ocsp.OCSPResponseStatus.TRY_LATER,
    "unauthorized": ocsp.OCSPResponseStatus.UNAUTHORIZED,
}
"""What a responder says instead of an answer, unsigned."""


@dataclass(frozen=True, slots=True)
class Question:
    """About which certificate something is asked: hashes of its issuer's name and key, its number.

    `hashed` is `sha1` (an identifier, which proves nothing) or `sha256`; `nonce` is empty if none
    was sent.
    Source: RFC 6960, 4.1
    """

    hashed: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """What an answer says of a certificate; `next_update` is 0 where no end is said.

    Source: RFC 6960, 4.2
    """

    word: str
    revoked: Revoked | None
    this_update: Instant
    next_update: Instant
    produced_at: Instant
    nonce: bytes


_HASHES: Final[dict[str, HashAlgorithm]] = {"sha1": SHA1(), "sha256": SHA256()}  # noqa: S303


def read_question(octets: bytes) -> Question:
    """The one question in `octets` (DER).

    Raises Malformed for another form, several questions, another hash, or a nonce that is too long.
    Source: RFC 6960, 4.1; RFC 8954, 2.1
    """
    try:
        found = ocsp.load_der_ocsp_request(octets)
        hashed = found.hash_algorithm.name
        nonce = b""
        for one in found.extensions:
            if isinstance(one.value, x509.OCSPNonce):
                nonce = one.value.nonce
            elif one.critical:
                raise Malformed("the question demands what is not understood here")
        question = Question(
            hashed, found.issuer_name_hash, found.issuer_key_hash, found.serial_number, nonce
        )
    except (*UNREADABLE, NotImplementedError) as error:
        raise Malformed("the question about a certificate cannot be read") from error
    if hashed not in _HASHES or len(nonce) > MOST_NONCE:
        raise Malformed("the question names its certificate in a way that is not taken")
    return question


def issuer_hashes(issuer: Certificate, hashed: str) -> tuple[bytes, bytes]:
    """The hashes of the name and of the key by which questions name `issuer`.

    Source: RFC 6960, 4.1.1
    """
    algorithm = _HASHES[hashed]
    name = Hash(algorithm)
    name.update(issuer.parsed.subject.public_bytes())
    key = Hash(algorithm)
    public = issuer.parsed.public_key()
    if isinstance(public, EllipticCurvePublicKey):
        key.update(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    else:
        key.update(x509.SubjectKeyIdentifier.from_public_key(public).digest)
    return name.finalize(), key.finalize()


def write_question(certificate: Certificate, issuer: Certificate, nonce: bytes = b"") -> bytes:
    """A question about `certificate` of `issuer`, in DER.

    Source: RFC 6960, 4.1
    """
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate.parsed, issuer.parsed, SHA256())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


class AnswerSigner:
    """Signs answers with a responder's key; its certificate goes along.

    Source: RFC 6960, 4.2.2.2
    """

    def __init__(self, certificate: Certificate, signer: SigningKey) -> None:
        self._certificate = certificate.parsed
        self._key = DelegatedKey(signer)

    def sign(self, question: Question, status: Status) -> bytes:
        """The answer `status` to `question`, in DER, with the nonce of the question if it has one.

        Source: RFC 6960, 4.2
        """
        revoked = status.revoked
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                question.name_hash,
                question.key_hash,
                question.serial,
                _HASHES[question.hashed],
                _STATUS[status.word],
                moment(status.this_update),
                moment(status.next_update) if status.next_update else None,
                None if revoked is None else moment(revoked.at),
                None if revoked is None else REASONS[revoked.reason],
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self._certificate)
            .certificates([self._certificate])
        )
        if question.nonce:
            builder = builder.add_extension(x509.OCSPNonce(question.nonce), critical=False)
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.DER)


def refusal(word: str) -> bytes:
    """An unsigned refusal: `malformed`, `error`, `later` or `unauthorized`.

    Source: RFC 6960, 2.3
    """
    built = ocsp.OCSPResponseBuilder.build_unsuccessful(REFUSALS[word])
    return built.public_bytes(Encoding.DER)


def read_answer(
    octets: bytes, certificate: Certificate, issuer: Certificate, at: Instant
) -> Status:
    """What the answer in `octets` says of `certificate`, if its issuer or a delegate signed it.

    A delegate has a certificate of the same issuer for this purpose, valid at `at`. Whether the
    answer is fresh is the caller's to judge. Raises Malformed, NotAuthentic.
    Source: RFC 6960, 3.2; 4.2.2.2
    """
    try:
        found = ocsp.load_der_ocsp_response(octets)
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise NotAuthentic("the responder gives no answer")
        named = (found.issuer_name_hash, found.issuer_key_hash)
        hashed = found.hash_algorithm.name
        serial, status = found.serial_number, _status(found)
        carried = [read_certificate(one.public_bytes(Encoding.DER)) for one in found.certificates]
        signature, signed = found.signature, found.tbs_response_bytes
        algorithm = found.signature_hash_algorithm
    except (*UNREADABLE, NotImplementedError, TooLarge) as error:
        raise Malformed("the answer about a certificate cannot be read") from error
    if hashed not in _HASHES or named != issuer_hashes(issuer, hashed):
        raise NotAuthentic("the answer is about a certificate of another issuer")
    if serial != certificate.serial:
        raise NotAuthentic("the answer is about another certificate")
    if algorithm is None or algorithm.name not in {"sha256", "sha384", "sha512"}:
        raise NotAuthentic("the answer is signed under a hash that does not count")
    signers = [issuer, *(one for one in carried if _is_delegate(one, issuer, at))]
    if not any(_signed_by(one, signature, signed, algorithm.name) for one in signers):
        raise NotAuthentic("the answer is signed by nobody who may answer for the issuer")
    return status


def _status(found: ocsp.OCSPResponse) -> Status:
    word = _WORDS[found.certificate_status]
    revoked = None
    if word == REVOKED and found.revocation_time_utc is not None:
        flag = found.revocation_reason
        reason = next((one for one, known in REASONS.items() if known is flag), "unspecified")
        revoked = Revoked(found.serial_number, instant(found.revocation_time_utc), reason)
    nonce = b""
    for one in found.extensions:
        if isinstance(one.value, x509.OCSPNonce):
            nonce = one.value.nonce
    ends = found.next_update_utc
    return Status(
        word=word,
        revoked=revoked,
        this_update=instant(found.this_update_utc),
        next_update=Instant(0) if ends is None else instant(ends),
        produced_at=instant(found.produced_at_utc),
        nonce=nonce,
    )


def _is_delegate(one: Certificate, issuer: Certificate, at: Instant) -> bool:
    """Whether `issuer` itself made `one` a responder, and it is so at `at`."""
    try:
        path_of(one, (), (issuer,), RESPONDERS, at)
    except NotAuthentic:
        return False
    return one.extension(x509.OCSPNoCheck) is not None


def _signed_by(one: Certificate, signature: bytes, signed: bytes, hashed: str) -> bool:
    sort = "rsa" if isinstance(one.key, RSAPublicKey) else "ecdsa"
    try:
        one.verify(sort, hashed, signature, signed)
    except NotAuthentic:
        return False
    return True
