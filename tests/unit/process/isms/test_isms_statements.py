"""A statement counts once enough officers signed it, each once, and all of them truly."""

import pytest

from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.process.isms.certificates import Withdrawal
from tallystick.process.isms.signing import sign_statement, verify_statement

KEYS = {name: Es256SigningKey.generate() for name in ("one", "two")}
OFFICERS = {name: signer.public() for name, signer in KEYS.items()}
BODY = Withdrawal(certificate="CMVP-4711", at=1, because="revoked")
ABOUT = "certificate-withdrawn"
FIRST = sign_statement(ABOUT, BODY, "one", KEYS["one"])
BOTH = sign_statement(ABOUT, BODY, "two", KEYS["two"], FIRST)


@pytest.mark.requirement("MFS-9.1-01")
def test_two_officers_are_enough_in_production_and_one_is_not() -> None:
    assert verify_statement(BOTH, OFFICERS, "production")
    assert verify_statement(FIRST, OFFICERS, "demo")
    with pytest.raises(NotPermitted, match="2 officers") as refused:
        verify_statement(FIRST, OFFICERS, "production")
    assert refused.value.because == "two people"


def test_one_officer_cannot_sign_for_two() -> None:
    with pytest.raises(Conflict, match="signed already"):
        sign_statement(ABOUT, BODY, "one", KEYS["one"], FIRST)
    twice = replace(BOTH, signatures=(FIRST.signatures[0], FIRST.signatures[0]))
    with pytest.raises(NotPermitted, match="twice"):
        verify_statement(twice, OFFICERS, "production")
    renamed = sign_statement(ABOUT, BODY, "two", KEYS["one"], FIRST)
    with pytest.raises(NotPermitted, match="twice"):
        verify_statement(renamed, {**OFFICERS, "two": OFFICERS["one"]}, "production")


def test_a_statement_that_was_changed_is_refused() -> None:
    for changed in (
        replace(BOTH, about="release"),
        replace(BOTH, body=b64url(b'{"at":2,"because":"revoked","certificate":"CMVP-4711"}')),
    ):
        with pytest.raises(NotAuthentic):
            verify_statement(changed, OFFICERS, "production")
    other = replace(BOTH.signatures[0], alg="EdDSA")
    with pytest.raises(NotAuthentic):
        verify_statement(replace(BOTH, signatures=(other,)), OFFICERS, "demo")


def test_a_stranger_and_an_unknown_profile_are_refused() -> None:
    with pytest.raises(NotPermitted, match="does not know"):
        verify_statement(BOTH, {"one": OFFICERS["one"]}, "production")
    with pytest.raises(NotPermitted):
        verify_statement(BOTH, OFFICERS, "lenient")
    with pytest.raises(NotPermitted):
        verify_statement(replace(FIRST, signatures=()), OFFICERS, "demo")


def test_a_second_officer_cannot_sign_something_else_into_the_file() -> None:
    with pytest.raises(Conflict, match="something else"):
        sign_statement(ABOUT, replace(BODY, because="other"), "two", KEYS["two"], FIRST)
