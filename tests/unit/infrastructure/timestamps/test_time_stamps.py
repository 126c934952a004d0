"""A time stamp holds only whole: each part that is wrong, missing or too much is refused."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from simulators.time_authority import OTHER_POLICY, POLICY, issue
from tests.support.forged_stamps import NAMED, Forger

from tallystick.infrastructure.crypto.der import (
    OCTETS,
    SEQUENCE,
    write,
    write_number,
    write_object,
)
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.infrastructure.timestamps import Query, kept_form, verify_stamp
from tallystick.kernel.errors import Malformed, NotAuthentic, Unavailable

DATA = b"what is stamped"
ROOT = issue("Forged root", curve=True)
QUERY = Query(digest=sha256(DATA), nonce=0x1234_5678_9ABC_DEF0)


def kept(forger: Forger) -> bytes:
    return kept_form(forger.answer(QUERY.octets()), QUERY, forger.roots)


def refused(forger: Forger) -> str:
    with pytest.raises(NotAuthentic) as error:
        kept(forger)
    return error.value.detail


@pytest.mark.parametrize("curve", [True, False], ids=["ecdsa", "rsa"])
def test_what_holds_is_kept_without_what_nothing_covers(curve: bool) -> None:
    root = issue("Root", curve=curve)
    middle = issue("Issuer", root, curve=curve)
    stranger = issue("Somebody else", curve=curve)
    signer = issue("Stamps", middle, stamps=True, curve=curve)
    forger = Forger(root=root, signer=signer, chain=(stranger, root, middle))
    answer = forger.answer(QUERY.octets())
    octets = kept(forger)
    assert stranger.der() in answer
    assert stranger.der() not in octets
    assert root.der() not in octets
    found = verify_stamp(octets, DATA, forger.roots)
    assert (found.policy, found.serial, found.authority) == (POLICY, 77, "CN=Stamps")
    assert (found.nonce, found.accuracy_ms) == (QUERY.nonce, 1005)
    with pytest.raises(NotAuthentic, match="more than what was verified"):
        verify_stamp(answer, DATA, forger.roots)


def test_no_octet_of_what_is_kept_can_be_changed() -> None:
    forger = Forger(root=ROOT)
    octets = kept(forger)
    assert verify_stamp(octets, DATA, forger.roots)
    dice = random.Random(3161)
    for place in range(len(octets)):
        changed = bytearray(octets)
        changed[place] ^= 1 << dice.randrange(8)
        with pytest.raises(NotAuthentic):
            verify_stamp(bytes(changed), DATA, forger.roots)
    for cut in (b"", octets[:-1], octets + b"\x00", octets[2:]):
        with pytest.raises(NotAuthentic):
            verify_stamp(cut, DATA, forger.roots)


def test_other_data_another_root_nonce_or_policy_are_refused() -> None:
    forger = Forger(root=ROOT)
    octets = kept(forger)
    with pytest.raises(NotAuthentic, match="something else"):
        verify_stamp(octets, DATA + b".", forger.roots)
    with pytest.raises(NotAuthentic, match="no path"):
        verify_stamp(octets, DATA, certificates_in(issue("Forged root", curve=True).pem()))
    with pytest.raises(NotAuthentic, match=r"under the policy"):
        verify_stamp(octets, DATA, forger.roots, policy=OTHER_POLICY)
    assert "another nonce" in refused(Forger(root=ROOT, nonce=1))
    assert "something else" in refused(Forger(root=ROOT, digest=sha256(b"other")))
    wanted = Query(digest=QUERY.digest, nonce=QUERY.nonce, policy=OTHER_POLICY)
    with pytest.raises(NotAuthentic, match=r"under the policy"):
        kept_form(forger.answer(wanted.octets()), wanted, forger.roots)


@pytest.mark.parametrize(
    ("usage", "days", "said"),
    [
        ((ExtendedKeyUsageOID.CLIENT_AUTH,), (-2, 2), "not for time stamps alone"),
        ((), (-2, 2), "not for time stamps alone"),
        (
            (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH),
            (-2, 2),
            "not for time stamps alone",
        ),
        ((ExtendedKeyUsageOID.TIME_STAMPING,), (-9, -1), "not valid then"),
        ((ExtendedKeyUsageOID.TIME_STAMPING,), (1, 9), "not valid then"),
    ],
    ids=["other use", "no use", "two uses", "expired", "not yet valid"],
)
def test_a_certificate_for_something_else_or_for_another_time_is_refused(usage, days, said) -> None:
    signer = issue("Stamps", ROOT, stamps=True, usage=usage, days=days, curve=True)
    assert said in refused(Forger(root=ROOT, signer=signer))


def test_a_stamp_still_holds_after_its_certificate_ended() -> None:
    """What counts is the instant that the authority states, not the one of whoever looks."""
    root = issue("Old root", curve=True, days=(-20, 20))
    signer = issue("Old stamps", root, stamps=True, days=(-9, -1), curve=True)
    then = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y%m%d%H%M%SZ")
    forger = Forger(root=root, signer=signer, at=then)
    assert verify_stamp(kept(forger), DATA, forger.roots).authority == "CN=Old stamps"


def test_who_may_not_issue_leads_nowhere() -> None:
    leaf = issue("Not an issuer", ROOT, stamps=True, curve=True)
    signer = issue("Stamps", leaf, stamps=True, curve=True)
    assert "may not issue" in refused(Forger(root=ROOT, signer=signer, chain=(leaf,)))
    old = issue("Old root", curve=True, days=(-9, -1))
    signer = issue("Stamps", old, stamps=True, curve=True)
    assert "not valid then" in refused(Forger(root=old, signer=signer))


def sign_as_somebody_else(message: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(message, ec.ECDSA(SHA256()))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sign": sign_as_somebody_else}, "does not verify"),
        ({"said": {"1.2.840.113549.1.9.4": write(OCTETS, bytes(32))}}, "another statement"),
        ({"said": {"1.2.840.113549.1.9.3": write_object("1.2.3")}}, "else than an instant"),
        (
            {
                "said": {
                    NAMED: write(
                        SEQUENCE, write(SEQUENCE, write(SEQUENCE, write(OCTETS, bytes(32))))
                    )
                }
            },
            "another certificate",
        ),
        ({"left_out": (NAMED,)}, "signs too little"),
        ({"left_out": ("1.2.840.113549.1.9.4",)}, "signs too little"),
        ({"twice": True}, "stands twice"),
        ({"hashed": "1.3.14.3.2.26"}, "under a hash that does not count"),
        ({"scheme": "1.2.840.10045.4.3.4"}, "in a way that does not count"),
        ({"scheme": "1.2.840.10045.4.1"}, "in a way that does not count"),
        ({"scheme": "1.2.840.113549.1.1.11"}, "another sort of key"),
        ({"content_type": "1.2.840.113549.1.7.1"}, "else than an instant"),
        ({"version": 1}, "another version"),
        ({"at": "20260230120000Z"}, "an instant"),
        ({"at": "20260130120000"}, "the form of one in UTC"),
        ({"at": "20260130120000.500Z"}, "the form of one in UTC"),
        ({"accuracy": write(0x80, b"\x03\xe8")}, "a whole of the next"),
        ({"accuracy": write(0x80, b"\x85")}, "not below zero"),
        ({"accuracy": write(0x81, b"\x00\x05")}, "shortest form"),
        ({"more": (write(0xA1, b""),)}, "extensions"),
        ({"more": (write_number(4),)}, "a member too many"),
    ],
)
def test_what_is_stated_or_signed_otherwise_is_refused(changes, said: str) -> None:
    assert said in refused(Forger(root=ROOT, **changes))


def test_what_is_not_granted_is_out_of_reach_and_says_why() -> None:
    for bits, said in ((b"\x03\x02\x00\x80", "algorithm"), (b"\x03\x03\x00\x00\x02", "no time")):
        status = write(SEQUENCE, write_number(2), bits)
        with pytest.raises(Unavailable, match=said):
            kept(Forger(root=ROOT, status=status))
    with pytest.raises(Unavailable, match="no reason"):
        kept(Forger(root=ROOT, status=write(SEQUENCE, write_number(1))))


def test_no_root_no_belief() -> None:
    for pem in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(Malformed):
            certificates_in(pem)
