"""The responder: good, revoked or unknown, by the register as it is at the moment of asking.

For each authority it has a certificate of that authority (a delegated responder); the keys of the
authorities themselves are not needed on line. An answer without nonce is kept for a minute, unless
something changes.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 6960; RFC 5019
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.infrastructure.crypto.certify import instant, public_of, public_of_signer
from tallystick.infrastructure.crypto.ocsp import (
    GOOD,
    REVOKED,
    UNKNOWN,
    AnswerSigner,
    Question,
    Status,
    issuer_hashes,
    read_question,
    refusal,
)
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.pki.register import Register
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.time import MINUTE_MS, Instant

ANSWER_LIFE_MS = 10 * MINUTE_MS
_KEPT_MS = MINUTE_MS
_MOST_KEPT = 8_192


@dataclass(frozen=True, slots=True)
class Delegate:
    """The certificate of a responder under one authority, and its key.

    Source: RFC 6960, 4.2.2.2
    """

    certificate: Certificate
    signer: SigningKey


@dataclass(frozen=True, slots=True)
class _Answering:
    authority: str
    signer: AnswerSigner
    ends: Instant


class Responder:
    """Answers questions about the certificates of the authorities that it has a delegate for.

    Source: RFC 6960, 2
    """

    def __init__(self, register: Register, delegates: Mapping[str, Delegate]) -> None:
        """Take up `delegates` by authority; raises NotPermitted for a key that is not certified.

        Source: RFC 6960, 4.2.2.2
        """
        self._register = register
        self._by_hashes: dict[tuple[str, bytes, bytes], _Answering] = {}
        self._kept: dict[tuple[str, bytes, int], tuple[int, bytes]] = {}
        self._acts = register.acts
        for name, one in delegates.items():
            if public_of_signer(one.signer) != public_of(one.certificate):
                raise NotPermitted("the key is not that of the responder's certificate")
            answering = _Answering(
                name,
                AnswerSigner(one.certificate, one.signer),
                instant(one.certificate.parsed.not_valid_after_utc),
            )
            for hashed in ("sha1", "sha256"):
                hashes = issuer_hashes(register.authority(name), hashed)
                self._by_hashes[hashed, *hashes] = answering

    def answer(self, octets: bytes, now: Instant) -> bytes:
        """The answer to the question in `octets`, in DER; a refusal is an answer too.

        Source: RFC 6960, 2.3; 4.2
        """
        try:
            question = read_question(octets)
        except Malformed:
            return refusal("malformed")
        found = self._by_hashes.get((question.hashed, question.name_hash, question.key_hash))
        if found is None:
            return refusal("unauthorized")
        if now >= found.ends:
            return refusal("later")
        if question.nonce:
            return self._signed(found, question, now)
        if self._register.acts != self._acts or len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
            self._acts = self._register.acts
        named = (question.hashed, question.key_hash, question.serial)
        at, answer = self._kept.get(named, (0, b""))
        if not answer or not 0 <= now - at < _KEPT_MS:
            answer = self._signed(found, question, now)
            self._kept[named] = (now, answer)
        return answer

    def _signed(self, found: _Answering, question: Question, now: Instant) -> bytes:
        revoked = self._register.revoked(found.authority).get(question.serial)
        known = self._register.knows(found.authority, question.serial)
        word = REVOKED if revoked is not None else GOOD if known else UNKNOWN
        return found.signer.sign(
            question,
            Status(
                word=word,
                revoked=revoked,
                this_update=now,
                next_update=Instant(min(now + ANSWER_LIFE_MS, found.ends)),
                produced_at=now,
                nonce=question.nonce,
            ),
        )
