"""What must not pass: paths, lists and answers that are wrong in one way each."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.support.hierarchy import Hierarchy, certificate_request

from tallystick.infrastructure.crypto.certify import (
    Draft,
    public_of,
    public_of_signer,
    read_request,
    sign_certificate,
)
from tallystick.infrastructure.crypto.crl import read_list
from tallystick.infrastructure.crypto.delegated import DelegatedKey
from tallystick.infrastructure.crypto.ocsp import (
    AnswerSigner,
    Question,
    read_answer,
    read_question,
    write_question,
)
from tallystick.infrastructure.crypto.signature import ES256, SigningKey
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.pki.issuing import Authority, found_root
from tallystick.infrastructure.pki.profiles import (
    CLIENT_AUTH,
    ISSUES,
    SERVER_AUTH,
    TIME_STAMPING,
    profile,
    subject_of,
)
from tallystick.infrastructure.pki.register import Register
from tallystick.infrastructure.pki.responder import Delegate, Responder
from tallystick.infrastructure.pki.validation import Known, Trust, validate
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, Instant


@pytest.fixture
def made(tmp_path: Path) -> Hierarchy:
    return Hierarchy(tmp_path)


def look(
    made: Hierarchy, leaf: Certificate, known: Known, *, at: int = 0, purpose: str = CLIENT_AUTH
) -> int:
    found = validate(leaf, (), made.trust(), known, Instant(at or made.now), purpose)
    return len(found)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_a_good_certificate_passes_and_nothing_else_about_it_does(made: Hierarchy) -> None:
    leaf = made.issue("partner", "menus-east", life_ms=HOUR_MS)
    known = Known(lists=made.lists())
    assert look(made, leaf, known) == 3
    with pytest.raises(NotAuthentic):
        look(made, leaf, known, at=made.now + 2 * HOUR_MS)
    with pytest.raises(NotAuthentic):
        look(made, leaf, known, at=made.now - HOUR_MS)
    with pytest.raises(NotAuthentic):
        look(made, leaf, known, purpose=SERVER_AUTH)
    with pytest.raises(NotAuthentic):
        look(made, leaf, known, purpose=TIME_STAMPING)
    with pytest.raises(NotAuthentic):
        look(made, made.authorities["partners"].certificate, known)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_nobody_knows_is_no_for_payments_and_may_be_yes_for_reading(made: Hierarchy) -> None:
    leaf = made.issue("partner", "menus-east")
    with pytest.raises(Unavailable, match="nothing fresh"):
        look(made, leaf, Known())
    assert len(validate(leaf, (), made.trust(), Known(), made.now, CLIENT_AUTH, hard=False)) == 3
    lists = made.lists()
    assert look(made, leaf, Known(lists=lists)) == 3
    stale = made.now + DAY_MS
    with pytest.raises(Unavailable):
        look(made, leaf, Known(lists=lists), at=stale)
    with pytest.raises(Unavailable):
        look(made, leaf, Known(lists=made.lists(Instant(made.now + 2 * MINUTE_MS))))


@pytest.mark.requirement("MFS-7.4.2-11")
def test_a_revoked_certificate_and_a_revoked_issuer_are_refused(made: Hierarchy) -> None:
    leaf, other = made.issue("partner", "menus-east"), made.issue("partner", "menus-west")
    made.authorities["partners"].revoke(leaf.serial, "key-compromise", made.now)
    known = Known(lists=made.lists())
    with pytest.raises(NotAuthentic, match="revoked"):
        look(made, leaf, known)
    assert look(made, other, known) == 3
    made.root.revoke(made.authorities["partners"].certificate.serial, "superseded", made.now)
    known = Known(lists=made.lists())
    with pytest.raises(NotAuthentic, match="revoked"):
        look(made, other, known)
    assert look(made, made.issue("device", "dev_1"), known) == 3


def test_a_hold_ends_by_a_delta(made: Hierarchy) -> None:
    partners, leaf = made.authorities["partners"], made.issue("partner", "menus-east")
    partners.revoke(leaf.serial, "on-hold", made.now)
    lists = made.lists()
    with pytest.raises(NotAuthentic, match="on-hold"):
        look(made, leaf, Known(lists=lists))
    partners.revoke(leaf.serial, "released", made.now)
    assert look(made, leaf, Known(lists=(*lists, partners.list_delta(made.now)))) == 3
    with pytest.raises(Conflict):
        partners.revoke(leaf.serial, "released", made.now)


def test_a_list_of_another_issuer_or_altered_says_nothing(made: Hierarchy) -> None:
    leaf = made.issue("partner", "menus-east")
    partners = made.authorities["partners"].certificate
    root_list = made.root.list_whole(made.now)
    own = made.authorities["partners"].list_whole(made.now)
    foreign = made.authorities["devices"].list_whole(made.now)
    assert look(made, leaf, Known(lists=(root_list, own))) == 3
    with pytest.raises(Unavailable):
        look(made, leaf, Known(lists=(root_list, foreign)))
    for place in range(0, len(own), 7):
        changed = bytearray(own)
        changed[place] ^= 1
        with pytest.raises((Malformed, NotAuthentic)):
            read_list(bytes(changed), partners)
        with pytest.raises(Unavailable):
            look(made, leaf, Known(lists=(root_list, bytes(changed))))


def test_every_altered_octet_of_a_certificate_is_refused(made: Hierarchy) -> None:
    leaf = made.issue("partner", "menus-east")
    known = Known(lists=made.lists())
    for place in range(len(leaf.octets)):
        changed = bytearray(leaf.octets)
        changed[place] ^= 1 << place % 8
        with pytest.raises(MfsError):
            look(made, read_certificate(bytes(changed)), known)


def test_an_issuer_beyond_the_allowed_depth_is_refused(made: Hierarchy) -> None:
    """The authorities have a path length of 0: what one of them certifies may issue nothing."""
    partners = made.authorities["partners"]
    signer = made.signer(Purpose.CERTIFICATE_ISSUER)
    below = drafted(made, partners, public_of_signer(signer), authority=True, usages=ISSUES)
    leaf = sign_certificate(draft_below(made, below), signer)
    with pytest.raises(NotAuthentic):
        validate(leaf, (below,), made.trust(), Known(), made.now, CLIENT_AUTH, hard=False)


def test_a_leaf_that_issues_is_refused(made: Hierarchy) -> None:
    signer = made.signer(Purpose.CERTIFICATE_ISSUER)
    usages = frozenset({"digital_signature"})
    above = drafted(
        made, made.authorities["partners"], public_of_signer(signer), authority=False, usages=usages
    )
    leaf = sign_certificate(draft_below(made, above), signer)
    with pytest.raises(NotAuthentic):
        validate(leaf, (above,), made.trust(), Known(), made.now, CLIENT_AUTH, hard=False)


def test_names_beyond_what_the_issuer_may_name_are_refused(tmp_path: Path) -> None:
    made = Hierarchy(tmp_path, permitted=("pay.example.org",))
    inside = made.issue("server", "api.pay.example.org")
    outside = made.issue("server", "pay.example.net")
    known = Known(lists=made.lists())
    assert look(made, inside, known, purpose=SERVER_AUTH) == 3
    with pytest.raises(NotAuthentic):
        look(made, outside, known, purpose=SERVER_AUTH)


def test_another_root_is_not_believed(made: Hierarchy, tmp_path: Path) -> None:
    stranger = Hierarchy(tmp_path / "stranger")
    leaf = stranger.issue("partner", "menus-east")
    with pytest.raises(NotAuthentic):
        look(made, leaf, Known(lists=(*made.lists(), *stranger.lists())))
    with pytest.raises(NotAuthentic, match="no root"):
        validate(leaf, (), Trust(()), Known(), made.now, CLIENT_AUTH)


def drafted(
    made: Hierarchy, issuer: Authority, public: bytes, *, authority: bool, usages: frozenset[str]
) -> Certificate:
    draft = draft_below(made, issuer.certificate)
    return issuer._signed(
        dataclasses.replace(
            draft, public=public, authority=authority, usages=usages, purposes=(), serial=77
        )
    )


def draft_below(made: Hierarchy, issuer: Certificate) -> Draft:
    return Draft(
        organisation="Example Provider",
        name="menus-east",
        public=public_of(issuer),
        serial=78,
        not_before=Instant(made.now - MINUTE_MS),
        not_after=Instant(made.now + DAY_MS),
        usages=frozenset({"digital_signature"}),
        issuer=issuer,
        purposes=(CLIENT_AUTH,),
    )


def answers(made: Hierarchy, leaf: Certificate, nonce: bytes = b"") -> tuple[bytes, bytes]:
    """Answers about the leaf and about its issuer."""
    responder = made.responder()
    partners = made.authorities["partners"].certificate
    of_leaf = responder.answer(write_question(leaf, partners, nonce), made.now)
    above = write_question(partners, made.root.certificate, nonce)
    return of_leaf, responder.answer(above, made.now)


def test_answers_take_the_place_of_lists_while_they_are_fresh(made: Hierarchy) -> None:
    leaf = made.issue("partner", "menus-east")
    known = Known(answers=answers(made, leaf))
    assert look(made, leaf, known) == 3
    with pytest.raises(Unavailable):
        look(made, leaf, Known(answers=known.answers[:1]))
    with pytest.raises(Unavailable):
        look(made, leaf, known, at=made.now + 11 * MINUTE_MS)


@pytest.mark.requirement("MFS-7.4.2-11")
def test_an_answer_from_before_the_revocation_is_replayed_in_vain(made: Hierarchy) -> None:
    leaf, nonce = made.issue("partner", "menus-east"), b"n" * 16
    before = answers(made, leaf)
    made.authorities["partners"].revoke(leaf.serial, "key-compromise", made.now)
    with pytest.raises(Unavailable):
        look(made, leaf, Known(answers=before, nonces=(nonce,)))
    with pytest.raises(Unavailable):
        look(made, leaf, Known(answers=before), at=made.now + HOUR_MS)
    with pytest.raises(NotAuthentic, match="key-compromise"):
        look(made, leaf, Known(answers=answers(made, leaf, nonce), nonces=(nonce,)))
    with pytest.raises(NotAuthentic, match="key-compromise"):
        look(made, leaf, Known(answers=answers(made, leaf)))


def test_a_kept_answer_is_dropped_when_something_is_revoked(made: Hierarchy) -> None:
    leaf, partners = made.issue("partner", "menus-east"), made.authorities["partners"]
    responder = made.responder()
    question = write_question(leaf, partners.certificate)
    first = responder.answer(question, made.now)
    assert responder.answer(question, Instant(made.now + 1000)) == first
    partners.revoke(leaf.serial, "superseded", made.now)
    second = read_answer(responder.answer(question, made.now), leaf, partners.certificate, made.now)
    assert second.word == "revoked"


class Pretender:
    """Shows the public half of one key and signs with another."""

    algorithm = ES256

    def __init__(self, shown: SigningKey, used: SigningKey) -> None:
        self.public = shown.public
        self.sign = used.sign


def test_a_forged_answer_says_nothing(made: Hierarchy) -> None:
    """By a key without certificate, by another authority's responder, by a partner, altered."""
    leaf, partners = made.issue("partner", "menus-east"), made.authorities["partners"].certificate
    _, of_issuer = answers(made, leaf)
    question = read_question(write_question(leaf, partners))
    good = read_answer(answers(made, leaf)[0], leaf, partners, made.now)
    own = made.signer(Purpose.OCSP_RESPONDER)
    partner = made.authorities["partners"].certify(
        profile("partner"), ("menus-west",), own, made.now
    )
    devices = made.delegates["devices"]
    forged = [
        AnswerSigner(devices.certificate, devices.signer).sign(question, good),
        AnswerSigner(
            made.delegates["partners"].certificate,
            Pretender(made.delegates["partners"].signer, own),
        ).sign(question, good),
        AnswerSigner(partner, own).sign(question, good),
    ]
    true = AnswerSigner(
        made.delegates["partners"].certificate, made.delegates["partners"].signer
    ).sign(question, good)
    assert look(made, leaf, Known(answers=(true, of_issuer))) == 3
    for octets in forged:
        with pytest.raises(NotAuthentic):
            read_answer(octets, leaf, partners, made.now)
        with pytest.raises(Unavailable):
            look(made, leaf, Known(answers=(octets, of_issuer)))
    signature_at = true.index(b"\x03\x42") if b"\x03\x42" in true else len(true) // 2
    for place in range(20, signature_at, 3):
        changed = bytearray(true)
        changed[place] ^= 4
        try:
            read_answer(bytes(changed), leaf, partners, made.now)
        except (Malformed, NotAuthentic):
            continue
        pytest.fail(f"octet {place} was altered and nobody saw")


def test_an_answer_about_another_certificate_says_nothing(made: Hierarchy) -> None:
    leaf, other = made.issue("partner", "menus-east"), made.issue("partner", "menus-west")
    partners = made.authorities["partners"].certificate
    with pytest.raises(NotAuthentic, match="another certificate"):
        read_answer(answers(made, other)[0], leaf, partners, made.now)


def test_a_responder_past_its_time_and_one_of_nobody_refuse(made: Hierarchy) -> None:
    leaf, partners = made.issue("partner", "menus-east"), made.authorities["partners"].certificate
    question = write_question(leaf, partners)
    late = Instant(made.now + 91 * DAY_MS)
    for octets, word in (
        (made.responder().answer(question, late), 3),
        (Responder(made.register, {}).answer(question, made.now), 6),
        (made.responder().answer(b"\x30\x00", made.now), 1),
    ):
        assert octets == bytes([0x30, 3, 0x0A, 1, word])
        with pytest.raises(NotAuthentic):
            read_answer(octets, leaf, partners, made.now)
    with pytest.raises(NotPermitted):
        Responder(
            made.register,
            {
                "root": Delegate(
                    made.delegates["devices"].certificate, made.delegates["root"].signer
                )
            },
        )


@pytest.mark.requirement("MFS-7.4.2-11")
def test_issuance_is_under_the_profile_or_not_at_all(made: Hierarchy) -> None:
    partners, devices = made.authorities["partners"], made.authorities["devices"]
    request, under = certificate_request()[0], profile("partner")
    with pytest.raises(NotPermitted, match="issues no certificate"):
        devices.issue(under, ("menus-east",), request, made.now)
    with pytest.raises(NotPermitted, match="ends after"):
        partners.issue(under, ("menus-east",), request, made.now, 366 * DAY_MS)
    for name in ("", "Menus", "menus east", "a" * 64, "menus-east,O=Bank", "../x"):
        with pytest.raises(Malformed):
            partners.issue(under, (name,), request, made.now)
    with pytest.raises(Malformed):
        partners.issue(under, ("a", "b"), request, made.now)
    short = certificate_request(lambda: rsa.generate_private_key(65537, 2048))[0]
    with pytest.raises(NotPermitted, match="rsa2048"):
        partners.issue(under, ("menus-east",), short, made.now)
    odd = certificate_request(lambda: ec.generate_private_key(ec.SECP256K1()))[0]
    with pytest.raises(NotPermitted, match="no key of the sort"):
        partners.issue(under, ("menus-east",), odd, made.now)
    with pytest.raises(NotPermitted):
        partners.found("devices", b"", made.now)
    with pytest.raises(Conflict):
        found_root(
            made.register, "x", made.signer(Purpose.CERTIFICATE_ROOT), lambda n: b"", made.now
        )
    with pytest.raises(NotPermitted, match="not that of the authority"):
        Authority(
            "partners", made.register, made.signer(Purpose.CERTIFICATE_ISSUER), made.module.random
        )


def test_a_request_proves_possession_of_its_key(made: Hierarchy) -> None:
    request = certificate_request()[0]
    read_request(request)
    changed = request[:-1] + bytes([request[-1] ^ 1])
    with pytest.raises((NotAuthentic, Malformed)):
        read_request(changed)
    with pytest.raises(Malformed):
        read_request(b"-----BEGIN CERTIFICATE REQUEST-----\n")


@pytest.mark.parametrize(
    "host", ["*.example.org", "a_b.example.org", "localhost", "10.0.0.1", "A.b"]
)
def test_a_name_of_a_host_is_one(host: str) -> None:
    with pytest.raises(Malformed) as told:
        subject_of(profile("server"), (host,))
    assert "DNS names in small letters" in told.value.remedy


def test_who_may_renew(made: Hierarchy) -> None:
    devices, request = made.authorities["devices"], certificate_request()[0]
    leaf = made.issue("device", "dev_1", life_ms=DAY_MS)
    lost = made.issue("device", "dev_2", life_ms=DAY_MS)
    devices.revoke(lost.serial, "ended", made.now)
    late = Instant(made.now + 20 * HOUR_MS)
    with pytest.raises(Conflict, match="too young"):
        devices.renew(leaf.serial, request, made.now)
    with pytest.raises(Expired):
        devices.renew(leaf.serial, request, Instant(made.now + DAY_MS))
    with pytest.raises(Conflict, match="revoked"):
        devices.renew(lost.serial, request, late)
    with pytest.raises(NotFound):
        devices.renew(12345, request, late)
    partner = made.issue("partner", "menus-east", life_ms=DAY_MS)
    with pytest.raises(NotPermitted):
        made.authorities["partners"].renew(partner.serial, request, late)


def test_the_register_is_read_again_by_whoever_opens_it(made: Hierarchy) -> None:
    leaf = made.issue("partner", "menus-east")
    other = Register(made.folder / "register.log")
    assert not other.refresh()
    made.authorities["partners"].revoke(leaf.serial, "ended", made.now)
    assert other.refresh()
    assert set(other.revoked("partners")) == {leaf.serial}
    with (made.folder / "register.log").open("ab") as stream:
        stream.write(b'{"half a line')
    assert not other.refresh()
    made.authorities["partners"].list_whole(made.now)
    assert other.refresh()
    assert other.list_number("partners") == 1
    with pytest.raises(Conflict):
        made.authorities["partners"].revoke(leaf.serial, "ended", made.now)
    with pytest.raises(NotFound):
        made.authorities["partners"].revoke(1, "ended", made.now)
    with pytest.raises(Malformed):
        made.authorities["partners"].revoke(leaf.serial, "because", made.now)


def test_the_numbers_are_random_and_the_private_half_stays(made: Hierarchy) -> None:
    numbers = [one.serial for one in made.register.certificates()]
    assert len(set(numbers)) == len(numbers) >= 10
    assert sum(one.bit_length() > 118 for one in numbers) >= len(numbers) - 1
    delegated = DelegatedKey(made.signer(Purpose.OCSP_RESPONDER))
    for act in (
        delegated.private_numbers,
        lambda: delegated.private_bytes(None, None, None),
        lambda: delegated.exchange(None, None),
    ):
        with pytest.raises(NotPermitted):
            act()
    with pytest.raises(NotPermitted):
        DelegatedKey(made.signer(Purpose.TALLY))


def test_a_question_that_is_none(made: Hierarchy) -> None:
    leaf, partners = made.issue("partner", "menus-east"), made.authorities["partners"].certificate
    octets = write_question(leaf, partners, b"n" * 32)
    assert isinstance(read_question(octets), Question)
    with pytest.raises(Malformed):
        read_question(write_question(leaf, partners, b"n" * 33))
    with pytest.raises(Malformed):
        read_question(octets[:-1])
