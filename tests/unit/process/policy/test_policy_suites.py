"""The policy says which mechanisms count: suites of sessions, and where two signatures do."""

import pytest
from tests.unit.process.policy.policy_texts import changed, demo_text

from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.process.isms.signing import sign_statement, verify_statement
from tallystick.process.policy import read_policy
from tallystick.process.policy.language.suites import HandshakeRule, SignatureRule
from tallystick.process.policy.signing import sign_policy, verify_policy
from tallystick.protocol.policy_file import OfficerSignature, PolicyFile, signed_message

HYBRID, X25519 = "hpke-mlkem768-x25519", "hpke-x25519"
SAID = """
signatures:
  checkpoints: dual
  key_list: dual
  officers: dual
  classical_until: "2027-06-30T00:00:00Z"
  because: a receipt proves for ten years
"""
FIRST = {"amina": Es256SigningKey.generate(), "brian": Ed25519SigningKey.generate()}
WHOLE = {name: DualSigningKey.beside(key) for name, key in FIRST.items()}
OFFICERS = {name: key.public() for name, key in WHOLE.items()}


def said(**words: str) -> str:
    text = SAID
    for old, new in words.items():
        text = text.replace(f"{old}: dual", f"{old}: {new}")
    return demo_text() + text


def defect(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        read_policy(text)
    return caught.value.detail


def by_one(text: str, officer: str) -> PolicyFile:
    """A file that somebody put together by hand, with the first signature alone."""
    version = read_policy(text).header.version
    octets = FIRST[officer].sign(signed_message(text, version))
    signature = OfficerSignature(officer=officer, alg=FIRST[officer].algorithm, sig=b64url(octets))
    return PolicyFile(version=version, policy_b64=b64url(text.encode()), signatures=(signature,))


def verify(file: PolicyFile, *, dual: bool = False) -> object:
    return verify_policy(file, OFFICERS, profile="demo", last_version=0, dual=dual)


def test_the_section_is_read_and_may_be_left_out() -> None:
    assert read_policy(demo_text()).signatures == SignatureRule()
    rule = read_policy(said()).signatures
    assert (rule.checkpoints, rule.key_list, rule.officers) == ("dual",) * 3
    assert rule.serves_classical(rule.classical_until - 1)
    assert not rule.serves_classical(rule.classical_until)
    assert SignatureRule().serves_classical(2**50)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (said(checkpoints="classical"), "takes them of the log too"),
        (said(key_list="classical"), "takes classical_until"),
        (said().replace('  classical_until: "2027-06-30T00:00:00Z"\n', ""), "classical_until"),
        (said().replace("2027-06-30T00:00:00Z", "next year"), "a UTC instant"),
        (said().replace("officers: dual", "officers: double"), "double"),
        (said().replace("  because: a receipt proves for ten years\n", ""), "because"),
    ],
)
def test_what_the_section_cannot_say(text: str, says: str) -> None:
    assert says in defect(text)


@pytest.mark.requirement("MFS-7.4.2-12")
def test_classical_suites_end_when_the_policy_says_so() -> None:
    rule = HandshakeRule(suites=(X25519, HYBRID), preferred=HYBRID, classical_until=1000)
    assert rule.at(999) == (HYBRID, X25519)
    assert rule.at(1000) == (HYBRID,)
    assert HandshakeRule(suites=(X25519, HYBRID), preferred=X25519).at(2**50) == (X25519, HYBRID)


def test_an_end_takes_a_suite_that_is_left() -> None:
    line = f"  preferred: {HYBRID}\n"
    text = changed(line, line + '  classical_until: "2027-06-30T00:00:00Z"\n')
    assert read_policy(text).handshake.classical_until == 1_814_313_600_000
    wrong = text.replace(line, f"  preferred: {X25519}\n")
    assert "preferred: what is left" in defect(wrong)


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.parametrize("officer", ["amina", "brian"])
def test_a_policy_that_asks_for_two_signatures_has_two(officer: str) -> None:
    assert verify(sign_policy(said(), officer, WHOLE[officer]))
    with pytest.raises(NotPermitted, match="two signatures"):
        sign_policy(said(), officer, FIRST[officer])
    with pytest.raises(NotPermitted, match="two signatures"):
        verify(by_one(said(), officer))


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_no_policy_takes_two_signatures_back_with_one() -> None:
    """Under a policy that asks for two, a later one that asks for one has to have two itself."""
    back = by_one(said(officers="classical"), "amina")
    assert verify(back)
    with pytest.raises(NotPermitted, match="two signatures"):
        verify(back, dual=True)
    assert verify(sign_policy(said(officers="classical"), "amina", WHOLE["amina"]), dual=True)


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
@pytest.mark.parametrize("officer", ["amina", "brian"])
def test_both_signatures_are_verified(officer: str) -> None:
    file = sign_policy(said(), officer, WHOLE[officer])
    octets = bytearray(b64url_decode(file.signatures[0].sig))
    assert len(octets) == 64 + 3309
    other = DualSigningKey(FIRST[officer], bytes(32)).sign(signed_message(said(), file.version))
    for at in (0, 63, 64, len(octets) - 1):
        broken = bytearray(octets)
        broken[at] ^= 1
        _refused(file, bytes(broken))
    _refused(file, bytes(octets[:64]))
    _refused(file, bytes(octets[64:]))
    _refused(file, bytes(octets[:64]) + other[64:])


def _refused(file: PolicyFile, octets: bytes) -> None:
    signature = replace(file.signatures[0], sig=b64url(octets))
    with pytest.raises(NotAuthentic):
        verify(replace(file, signatures=(signature,)))


def test_an_officer_of_one_half_is_not_believed_with_two() -> None:
    file = sign_policy(demo_text(), "amina", WHOLE["amina"])
    with pytest.raises(NotAuthentic):
        verify_policy(file, {"amina": FIRST["amina"].public()}, profile="demo", last_version=0)


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_statements_too_are_signed_twice_where_the_policy_asks_for_it() -> None:
    body = OfficerSignature(officer="amina", alg="ES256", sig="AA")
    once = sign_statement("certificate", body, "amina", FIRST["amina"])
    twice = sign_statement("certificate", body, "amina", WHOLE["amina"])
    for dual in (False, True):
        assert verify_statement(twice, OFFICERS, "demo", dual=dual) == encode_canonical(body)
    assert verify_statement(once, OFFICERS, "demo") == encode_canonical(body)
    with pytest.raises(NotPermitted, match="two signatures"):
        verify_statement(once, OFFICERS, "demo", dual=True)
