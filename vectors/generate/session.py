# ruff: noqa: INP001
"""Writes vectors/session.json and vectors/envelope.json: whole handshakes, and sealed messages.

Run it from the root: `.venv/bin/python -m vectors.generate.session`. HPKE and ECDSA draw random
numbers inside the library, so session.json differs on every run, and each file verifies by itself;
envelope.json is the same on every run. Every private key and share is published with its case.

Source: ISO/TS 12812-2:2017, 7.2.7; RFC 9052; RFC 9180
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.envelope.certificate import issue_certificate
from tallystick.infrastructure.envelope.cookie import Begun, CookieKeys
from tallystick.infrastructure.envelope.cose import ReplyNonces, seal_reply, seal_request
from tallystick.infrastructure.envelope.handshake_client import (
    AuthenticatedProvider,
    authenticate_provider,
    greet,
)
from tallystick.infrastructure.envelope.handshake_server import (
    Fresh,
    ProviderIdentity,
    accept,
    answer_hello,
    open_enrolment,
    open_session_proof,
)
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.ids import random_id
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.enrolment import (
    Attestation,
    DeviceCertificate,
    DeviceDescription,
    EnrolmentAccepted,
)
from tallystick.protocol.session import (
    Purpose,
    SessionAccepted,
    SessionAnswer,
    SessionHello,
    SessionProof,
)

FOLDER = Path(__file__).resolve().parents[1]
PROVIDER = "Example Pay"
NOW = Instant(1_767_225_600_000)
KEM_OCTETS = 32


def fixed(words: str, length: int) -> bytes:
    """`length` octets that look random and are the same on every run.

    Source: FIPS 202, 6.2
    """
    return hashlib.shake_256(b"tallystick vectors " + words.encode()).digest(length)


def identifier(prefix: str) -> str:
    """The identifier of this kind in the vectors.

    Source: RFC 9562, 5.4
    """
    return random_id(prefix, fixed(prefix, 16))


class Party:
    """Long-term keys of both sides, fresh for each file; published only in their public halves.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self) -> None:
        self.provider = Es256SigningKey.generate()
        self.device_ca = Es256SigningKey.generate()
        self.possession = Es256SigningKey.generate()
        self.consent = Es256SigningKey.generate()
        self.identity = ProviderIdentity(PROVIDER, "session-1", self.provider.sign, 7)


class Case:
    """One handshake up to the provider's answer, with every secret known.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self, party: Party, suite: KemSuite, purpose: Purpose) -> None:
        name = f"{suite.value} {purpose.value}"
        self.party, self.suite, self.name = party, suite, name
        self.device_kem = KemPrivateKey.from_octets(suite, fixed(f"{name} device kem", KEM_OCTETS))
        self.provider_kem = KemPrivateKey.from_octets(
            suite, fixed(f"{name} provider kem", KEM_OCTETS)
        )
        self.session = random_id("ses", fixed(f"{name} session", 16))
        self.cookie_key = fixed("cookie key", 32)
        self.greeting = greet(purpose, [self.device_kem], fixed(f"{name} nonce", 32))
        fresh = Fresh(
            session=self.session,
            share=Secret(fixed(f"{name} provider share", 32)),
            cookie_nonce=fixed(f"{name} cookie nonce", 12),
            kem=self.provider_kem,
        )
        self.m2 = answer_hello(
            self.greeting.body, party.identity, [suite], self.cookies(), fresh, NOW
        ).body

    def cookies(self) -> CookieKeys:
        """The provider's cookie key, at its first epoch."""
        return CookieKeys(self.cookie_key)

    def begun(self) -> Begun:
        """What the provider's cookie remembers."""
        return self.cookies().open(Decoder(SessionAnswer).decode(self.m2).cookie, NOW)

    def authenticated(self) -> AuthenticatedProvider:
        """The provider, as the device authenticates it."""
        return authenticate_provider(
            self.greeting,
            self.m2,
            provider=PROVIDER,
            keys={"session-1": self.party.provider.public()},
        )

    def common(self) -> dict[str, Any]:
        """What a case says up to m2."""
        core = Decoder(SessionAnswer).decode(self.m2).core
        t1 = schedule.transcript(schedule.HELLO, self.greeting.body)
        return {
            "suite": self.suite.value,
            "session": self.session,
            "device_kem_private": self.device_kem.to_octets().reveal().hex(),
            "provider_kem_private": self.provider_kem.to_octets().reveal().hex(),
            "provider_share": self.begun().share.reveal().hex(),
            "cookie_key": self.cookie_key.hex(),
            "m1": self.greeting.body.decode(),
            "m2": self.m2.decode(),
            "t1": t1.hex(),
            "t_core": schedule.transcript(schedule.ANSWER, t1, encode_canonical(core)).hex(),
            "t2": self.begun().t2.hex(),
        }

    def opened(self, m3: bytes, info: bytes) -> bytes:
        """What m3 seals."""
        begun = self.begun()
        sealed = b64url_decode(Decoder(SessionProof).decode(m3).sealed)
        return begun.kem.open(sealed, info=info + begun.t2)


def _message(keys: SessionKeys, iv: bytes) -> dict[str, Any]:
    operation, sequence, status = "account.balance", 300, 200
    request, reply = b'{"account":"mine"}', b'{"available_minor":1250}'
    return {
        "operation": operation,
        "sequence": sequence,
        "request_plaintext": request.decode(),
        "request": seal_request(keys, operation, sequence, request).hex(),
        "status": status,
        "reply_plaintext": reply.decode(),
        "reply": seal_reply(keys, iv, operation, sequence, status, reply).hex(),
    }


def session_case(party: Party, suite: KemSuite) -> dict[str, Any]:
    """A whole session under `suite`, from hello to the first reply.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    case = Case(party, suite, Purpose.SESSION)
    pairs = tuple(
        RenewalPair(counter=counter, secret=Secret(fixed(f"renewal {counter}", 32)))
        for counter in (6, 5)
    )
    pending = case.authenticated().prove_session(
        device=identifier("dev"),
        certificate=identifier("crt"),
        sign=party.possession.sign,
        pairs=pairs,
        share=Secret(fixed(f"{case.name} device share", 32)),
    )
    claimed = open_session_proof(case.session, pending.body, case.cookies(), NOW)
    proved = claimed.verify(party.possession.public(), identifier("crt"))
    accepted = SessionAccepted(
        session=case.session,
        open=True,
        counter=proved.renewal.proposed,
        expires_idle_s=300,
        expires_at=NOW + 3_600_000,
        policy_version=3,
        server_time=NOW,
    )
    nonces = ReplyNonces(b"fr01", start=41)
    return {
        **case.common(),
        "m3": pending.body.decode(),
        "m3_opened": case.opened(pending.body, schedule.SESSION_SEALED).decode(),
        "renewal_pairs": [
            {"counter": pair.counter, "secret": pair.secret.reveal().hex()} for pair in pairs
        ],
        "renewal_proposed": proved.renewal.proposed,
        "renewal_secret": proved.renewal.secret.reveal().hex(),
        "keys": proved.keys.octets().reveal().hex(),
        "m4_status": 201,
        "m4_opened": encode_canonical(accepted).decode(),
        "m4": accept(proved.keys, nonces.draw(), accepted, 201).hex(),
        **_message(proved.keys, nonces.draw()),
    }


def enrolment_case(party: Party, suite: KemSuite) -> dict[str, Any]:
    """A whole enrolment under `suite`.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    case = Case(party, suite, Purpose.ENROLMENT)
    provider = case.authenticated()
    pending = provider.prove_enrolment(
        activation=identifier("atv"),
        code=Secret("K7QW-2M9D"),
        possession=(party.possession.public().octets(), party.possession.sign),
        consent=(party.consent.public().octets(), party.consent.sign),
        attestation=Attestation(format="none", statement=""),
        description=DeviceDescription(
            platform="example", model="vector", app_version="1.0", protection="software"
        ),
        share=Secret(fixed(f"{case.name} device share", 32)),
    )
    opened = open_enrolment(case.session, pending.body, case.cookies(), NOW)
    certificate = DeviceCertificate(
        id=identifier("crt"),
        provider=PROVIDER,
        device=identifier("dev"),
        customer=identifier("cus"),
        possession=b64url(party.possession.public().octets()),
        consent=b64url(party.consent.public().octets()),
        attested="none",
        not_before=NOW,
        not_after=NOW + 86_400_000,
    )
    accepted = EnrolmentAccepted(
        device=certificate.device,
        customer=certificate.customer,
        accounts=(identifier("acc"),),
        certificate=issue_certificate(party.device_ca, "ca-1", certificate),
        counter=1,
        server_time=NOW,
    )
    return {
        **case.common(),
        "m3": pending.body.decode(),
        "m3_opened": case.opened(pending.body, schedule.ENROLMENT_SEALED).decode(),
        "attestation_challenge": provider.attestation_challenge().hex(),
        "t3": opened.transcript.hex(),
        "renewal_secret": opened.renewal.reveal().hex(),
        "keys": opened.keys.octets().reveal().hex(),
        "m4_status": 201,
        "m4_opened": encode_canonical(accepted).decode(),
        "m4": accept(opened.keys, b"fr01" + bytes(8), accepted, 201).hex(),
    }


def invalid_handshakes(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Changes to the X25519 session that a party must refuse: the part changed, and the error.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    hello = Decoder(SessionHello).decode(case["m1"].encode())
    answer = Decoder(SessionAnswer).decode(case["m2"].encode())
    proof = Decoder(SessionProof).decode(case["m3"].encode())
    zeros64, zeros32 = b64url(bytes(64)), b64url(bytes(32))
    core = answer.core
    m1 = [
        ("no suite", replace(hello, suites=(), kem_public={}), "malformed"),
        ("a suite without its key", replace(hello, kem_public={}), "malformed"),
        ("a version that nobody speaks", replace(hello, versions=(99,)), "not-permitted"),
        (
            "a suite that nobody permits",
            replace(hello, suites=("hpke-none",), kem_public={"hpke-none": zeros32}),
            "not-permitted",
        ),
        ("a key of low order", replace(hello, kem_public={"hpke-x25519": zeros32}), "malformed"),
    ]
    m2 = [
        ("signature of zeros", replace(answer, signature=zeros64), "not-authentic"),
        ("MAC of zeros", replace(answer, mac=zeros32), "not-authentic"),
        ("another provider", replace(answer, core=replace(core, provider="X")), "not-authentic"),
        ("an unknown kid", replace(answer, core=replace(core, kid="session-2")), "not-authentic"),
        ("another version", replace(answer, core=replace(core, version=2)), "not-authentic"),
        (
            "a suite not offered",
            replace(answer, core=replace(core, suite="hpke-p256")),
            "not-authentic",
        ),
        (
            "another fresh key",
            replace(answer, core=replace(core, kem_public=zeros32)),
            "not-authentic",
        ),
    ]
    m3 = [
        ("cookie of nobody", replace(proof, cookie=b64url(bytes(400))), "not-authentic"),
        ("sealed octets changed", replace(proof, sealed="A" + proof.sealed[1:]), "not-authentic"),
    ]
    rows: list[tuple[str, str, SessionHello | SessionAnswer | SessionProof, str]]
    rows = [("m1", *row) for row in m1] + [("m2", *row) for row in m2]
    rows += [("m3", *row) for row in m3]
    listed = [
        {"message": part, "what": what, "body": encode_canonical(value).decode(), "error": error}
        for part, what, value, error in rows
    ]
    spaced = {"message": "m1", "what": "white space", "error": "malformed"}
    doubled = {"message": "m2", "what": "a member twice", "error": "malformed"}
    listed.append({**spaced, "body": case["m1"].replace(":", ": ", 1)})
    listed.append({**doubled, "body": case["m2"][:-1] + ',"mac":"' + zeros32 + '"}'})
    return listed


def sessions() -> dict[str, Any]:
    """The content of session.json.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    party = Party()
    cases = [session_case(party, suite) for suite in KemSuite]
    x25519 = next(case for case in cases if case["suite"] == KemSuite.X25519.value)
    return {
        "note": "Made by vectors/generate/session.py; every key here is a published test key. "
        "Hexadecimal unless it is JSON or a name; m1, m2 and m3 are the octets on the wire.",
        "source": "docs/protocol/session.md and docs/protocol/enrolment.md",
        "provider": PROVIDER,
        "kid": "session-1",
        "now": NOW,
        "session_signature_public": party.provider.public().octets().hex(),
        "device_ca_public": party.device_ca.public().octets().hex(),
        "possession_public": party.possession.public().octets().hex(),
        "consent_public": party.consent.public().octets().hex(),
        "certificate_id": identifier("crt"),
        "sessions": cases,
        "enrolments": [enrolment_case(party, KemSuite.X25519)],
        "invalid": invalid_handshakes(x25519),
    }


def _request(keys: SessionKeys, operation: str, sequence: int, size: int) -> dict[str, Any]:
    plaintext = fixed(f"request {sequence} {size}", size)
    return {
        "operation": operation,
        "sequence": sequence,
        "plaintext": plaintext.hex(),
        "sealed": seal_request(keys, operation, sequence, plaintext).hex(),
    }


def _reply(keys: SessionKeys, sequence: int, status: int, size: int) -> dict[str, Any]:
    plaintext, iv = fixed(f"reply {sequence} {size}", size), b"fr01" + sequence.to_bytes(8, "big")
    sealed = seal_reply(keys, iv, "payment.order", sequence, status, plaintext)
    return {
        "operation": "payment.order",
        "sequence": sequence,
        "status": status,
        "iv": iv.hex(),
        "plaintext": plaintext.hex(),
        "sealed": sealed.hex(),
    }


def invalid_requests(keys: SessionKeys) -> list[dict[str, Any]]:
    """Sealed requests that must be refused, all for `payment.order`.

    Source: RFC 9052, 5.3
    """
    good = seal_request(keys, "payment.order", 5, b"pay")
    changed = good[:-1] + bytes((good[-1] ^ 1,))
    cases = [
        ("made for another operation", seal_request(keys, "payment.quote", 5, b"pay"), False),
        ("tag changed", changed, False),
        ("sequence changed", good[:27] + b"\x06" + good[28:], False),
        ("session changed", good[:9] + bytes(16) + good[25:], False),
        ("untagged", good[1:], True),
        ("algorithm A128GCM", good[:6] + b"\x01" + good[7:], True),
        ("sequence zero", good[:27] + b"\x00" + good[28:], True),
        (
            "sequence with a leading zero",
            good[:3] + b"\x19" + good[4:26] + b"\x42\x00" + good[27:],
            True,
        ),
        ("unprotected header", good[:28] + b"\xa1\x05\x40" + good[29:], True),
        ("length of two octets where one is enough", good[:29] + b"\x58" + good[29:], True),
        ("an octet too many", good + b"\x00", True),
        ("cut", good[:-1], True),
        ("a reply", seal_reply(keys, bytes(12), "payment.order", 5, 200, b"ok"), True),
    ]
    return [
        {
            "what": what,
            "operation": "payment.order",
            "sealed": sealed.hex(),
            "error": "malformed" if malformed else "not-authentic",
        }
        for what, sealed, malformed in cases
    ]


def envelopes() -> dict[str, Any]:
    """The content of envelope.json.

    Source: RFC 9052, 5.2
    """
    octets = fixed("session keys", 76)
    session = identifier("ses")
    keys = SessionKeys(schedule.kid_of(session), octets)
    sequences = (1, 23, 255, 256, 65_536, 16_777_216, 4_294_967_295)
    return {
        "note": "Made by vectors/generate/session.py; hexadecimal.",
        "source": "docs/protocol/envelope.md",
        "session": session,
        "kid": keys.kid.hex(),
        "request_key": octets[:32].hex(),
        "reply_key": octets[32:64].hex(),
        "request_iv": octets[64:].hex(),
        "requests": [
            *(_request(keys, "payment.order", sequence, 24) for sequence in sequences),
            *(_request(keys, "a", 7, size) for size in (0, 1, 7, 8, 239, 240, 1300)),
            _request(keys, "x" * 64, 8, 3),
        ],
        "replies": [
            *(_reply(keys, sequence, 200, 24) for sequence in (0, *sequences)),
            *(_reply(keys, 9, status, 240) for status in (201, 409, 503)),
        ],
        "invalid_requests": invalid_requests(keys),
    }


def main() -> None:
    """Write both files.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    for name, content in (("session", sessions()), ("envelope", envelopes())):
        text = json.dumps(content, indent=1, ensure_ascii=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
