"""What attackers hand in instead of a genuine attestation; every refusal names its rule."""

from dataclasses import fields
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from simulators.keymint import Phone, SimulatedFactory, changed, description
from tests.support.attested import AT, CHALLENGE, Bench, rules_of

from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.attestation.android.description import OBJECT
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.model import replace
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import Known, Outcome
from tallystick.process.attestation.reading import read_policy, root_links

PERSON: dict[str, Any] = {"person": 3, "timeout": 0}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_a_genuine_key_is_accepted_and_labelled(bench: Bench) -> None:
    verdict = bench.verdict(Phone())
    assert verdict.outcome is Outcome.ACCEPTED
    assert verdict.trust == "attested-hardware"
    assert verdict.claims["environment"] == "simulated"
    assert bench.verdict(changed(Phone(), **PERSON), consent=True).outcome is Outcome.ACCEPTED


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"version": 2}, {"version"}),
    ({"level": 0, "key_level": 0}, {"level"}),
    ({"level": 1, "key_level": 0}, {"level"}),
    ({"level": 2, "key_level": 1}, {"level"}),
    ({"purposes": (0, 1)}, {"purposes"}),
    ({"purposes": ()}, {"purposes"}),
    ({"origin": 2}, {"origin"}),
    ({"origin": 9}, {"origin"}),
    ({"locked": False}, {"boot-lock"}),
    ({"state": 1}, {"boot-state"}),
    ({"state": 2}, {"boot-state"}),
    ({"state": 3}, {"boot-state"}),
    ({"os_patch": 202312}, {"patch-age"}),
    ({"os_patch": 0}, {"patch-age"}),
    ({"os_patch": 209913}, {"patch-age"}),
    ({"os_patch": 202612}, {"patch-age"}),
    ({"package": "example.evil"}, {"application"}),
    ({"signer": b"e" * 32}, {"application"}),
]


@pytest.mark.threat("THR-APP-01")
@pytest.mark.threat("THR-MAL-05")
@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.parametrize(("wrong", "rules"), WRONG, ids=str)
def test_a_wrong_field_is_refused_by_its_rule(
    bench: Bench, wrong: dict[str, Any], rules: set[str]
) -> None:
    verdict = bench.verdict(changed(Phone(), **wrong))
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.trust == "unknown"
    assert rules_of(verdict) == rules
    assert verdict.because() == f"attestation/{next(iter(rules))}"


def test_every_field_that_a_phone_writes_was_made_wrong() -> None:
    made = {name for wrong, _ in WRONG for name in wrong}
    apart = {
        "boot_signer": "below, with another system",
        "os_version": "a claim; no rule reads it",
        "package_version": "a claim; held against the register of releases",
        "person": "below, for the consent key",
        "timeout": "below, for the consent key",
        "made_at": "the phone's clock; freshness comes from the challenge",
        "reordered": "below, with the rule on order",
    }
    assert {one.name for one in fields(Phone)} == made | set(apart)


@pytest.mark.parametrize("wrong", [{}, {"person": 3, "timeout": 300}, {"person": 0}])
def test_a_consent_key_that_signs_alone_is_refused(bench: Bench, wrong: dict[str, Any]) -> None:
    assert rules_of(bench.verdict(changed(Phone(), **wrong), consent=True)) == {"person"}


def test_another_system_is_accepted_only_when_listed(bench: Bench) -> None:
    phone = changed(Phone(), state=1, boot_signer=b"g" * 32)
    assert rules_of(bench.verdict(phone)) == {"boot-state"}
    listed = bench.factory.policy_text().replace(
        "systems: []",
        f'systems: [{{name: another, signer: "{(b"g" * 32).hex()}"}}]',
    )
    other = Bench(bench.factory, bench.signer)
    other.policy = read_policy(listed)
    assert other.verdict(phone).outcome is Outcome.ACCEPTED
    assert rules_of(other.verdict(changed(phone, boot_signer=b"h" * 32))) == {"boot-state"}


def test_a_list_out_of_order_is_refused_where_order_is_asked(bench: Bench) -> None:
    phone = changed(Phone(), reordered=True)
    assert bench.verdict(phone).outcome is Outcome.ACCEPTED
    strict = replace(bench.policy, ordered=True)
    assert rules_of(bench.verdict(phone, policy=strict)) == {"order"}


@pytest.mark.threat("THR-CLD-04")
def test_a_replayed_challenge_is_refused(bench: Bench) -> None:
    evidence = bench.evidence(bench.chain(Phone(), b"o" * 32))
    assert rules_of(appraise(evidence, bench.subject(), bench.policy)) == {"challenge"}


def test_an_attestation_of_another_key_is_refused(bench: Bench) -> None:
    other = Bench(bench.factory)
    evidence = bench.evidence(other.chain(Phone()))
    assert rules_of(appraise(evidence, bench.subject(), bench.policy)) == {"key"}


def test_reordered_cut_and_doubled_chains_are_refused(bench: Bench) -> None:
    chain = bench.chain(Phone())
    wrong = [
        chain[::-1],
        [chain[0], chain[2], chain[1], chain[3]],
        [chain[0], *chain[2:]],
        [chain[0], chain[0], *chain[1:]],
        chain[:2],
        [*chain, chain[1]],
    ]
    for one in wrong:
        with pytest.raises((NotAuthentic, Malformed)):
            bench.evidence(one)
    with pytest.raises(Malformed):
        bench.evidence(chain[1:])
    with pytest.raises(Malformed):
        bench.evidence([])
    with pytest.raises(TooLarge):
        bench.evidence(chain * 3)
    assert bench.evidence(chain[:3]).root == bench.evidence(chain).root


def test_another_factory_is_refused(bench: Bench) -> None:
    other = Bench(SimulatedFactory(AT), bench.signer)
    with pytest.raises(NotAuthentic, match="no root"):
        bench.evidence(other.chain(Phone()))
    links = certificates_in(other.factory.root_pem().encode())
    evidence = verify_chain(other.chain(Phone()), links)
    assert rules_of(appraise(evidence, bench.subject(), bench.policy)) == {"root"}


def appended(bench: Bench, phone: Phone, challenge: bytes) -> tuple[list[bytes], bytes]:
    """A chain with one more certificate, signed by the attested key, that describes a false key."""
    forged = ec.generate_private_key(ec.SECP256R1())
    own = ec.generate_private_key(ec.SECP256R1())
    spki = own.public_key()
    chain = bench.factory.attest(_spki(spki), b"a real one, of the attacker", Phone())
    leaf = x509.load_der_x509_certificate(chain[0])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Android Keystore Key")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(leaf.subject)
        .public_key(forged.public_key())
        .serial_number(1)
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
        .add_extension(
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier(OBJECT), description(phone, challenge)
            ),
            critical=False,
        )
        .sign(own, SHA256())
    )
    return [made.public_bytes(Encoding.DER), *chain], _spki(forged.public_key())


def _spki(public: Any) -> bytes:
    found: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


@pytest.mark.threat("THR-MAL-04")
def test_an_appended_certificate_says_nothing(bench: Bench) -> None:
    chain, spki = appended(bench, Phone(level=2, key_level=2), CHALLENGE)
    evidence = bench.evidence(chain)
    assert evidence.above == 1
    assert evidence.level.value == "trusted-environment"
    subject = replace(bench.subject(), attested=b64url(spki))
    verdict = appraise(evidence, subject, bench.policy)
    assert {"challenge", "position", "key"} <= rules_of(verdict)


def test_a_false_certificate_of_the_root_s_key_is_refused(bench: Bench) -> None:
    (genuine,) = certificates_in(bench.factory.root_pem().encode())
    forged = (
        x509.CertificateBuilder()
        .subject_name(genuine.parsed.subject)
        .issuer_name(genuine.parsed.subject)
        .public_key(genuine.parsed.public_key())
        .serial_number(1)
        .not_valid_before(genuine.parsed.not_valid_before_utc)
        .not_valid_after(genuine.parsed.not_valid_after_utc)
        .add_extension(
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier(OBJECT), description(Phone(), CHALLENGE)
            ),
            critical=False,
        )
        .sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
        .public_bytes(Encoding.DER)
    )
    for chain in ([forged], [*bench.chain(Phone())[:3], forged]):
        with pytest.raises(NotAuthentic, match="root"):
            bench.evidence(chain)


@pytest.mark.threat("THR-DEV-05")
@pytest.mark.requirement("MFS-7.2.6-02")
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_revoked_certificate_anywhere_in_the_chain_is_refused(bench: Bench, place: int) -> None:
    found = bench.evidence(bench.chain(Phone()))
    serial = found.chain[place].serial
    known = Known(list_digest="d", list_at=AT, revoked={serial: "revoked: KEY_COMPROMISE"})
    verdict = appraise(found, bench.subject(), bench.policy, known)
    assert rules_of(verdict) == {"revoked"}
    assert "KEY_COMPROMISE" in verdict.reasons[0].found


def test_without_a_fresh_list_the_strict_policy_refuses(bench: Bench) -> None:
    strict = replace(bench.policy, without_list=False)
    assert rules_of(bench.verdict(Phone(), policy=strict)) == {"revocation-list"}
    old = Known(list_digest="d", list_at=AT - strict.list_age_ms - 1)
    assert rules_of(bench.verdict(Phone(), policy=strict, known=old)) == {"revocation-list"}
    new = Known(list_digest="d", list_at=AT - strict.list_age_ms)
    assert bench.verdict(Phone(), policy=strict, known=new).outcome is Outcome.ACCEPTED


def test_validity_counts_for_remote_provisioning_only(bench: Bench) -> None:
    late = AT + 4000 * 86_400_000
    patched = changed(Phone(), os_patch=203612)
    assert bench.verdict(patched, at=late).outcome is Outcome.ACCEPTED
    remote = Bench(SimulatedFactory(AT, remote=True))
    assert remote.verdict(Phone()).outcome is Outcome.ACCEPTED
    assert rules_of(remote.verdict(patched, at=late)) == {"validity"}


def test_a_chain_under_ml_dsa_holds() -> None:
    later = Bench(SimulatedFactory(AT, post_quantum=True))
    assert later.verdict(Phone()).outcome is Outcome.ACCEPTED
    chain = later.chain(Phone())
    changed_root = bytearray(chain[2])
    changed_root[-5] ^= 1
    with pytest.raises(NotAuthentic):
        verify_chain([*chain[:2], bytes(changed_root)], root_links(later.policy, "android-key"))


def test_bits_that_no_signature_uses_are_refused(bench: Bench) -> None:
    for _ in range(64):  # until a signature ends with bits that could go unused
        chain = bench.chain(Phone())
        leaf = bytearray(chain[0])
        mark = x509.load_der_x509_certificate(chain[0]).signature
        if not mark[-1] & 0x01:
            break
    leaf[-len(mark) - 1] = 1
    with pytest.raises(Malformed):
        bench.evidence([bytes(leaf), *chain[1:]])


def test_no_changed_octet_of_a_chain_passes(bench: Bench) -> None:
    chain = bench.chain(Phone())
    for number in range(3):
        whole = bytearray(chain[number])
        for place in range(0, len(whole), 2):
            whole[place] ^= 0x04
            with pytest.raises((NotAuthentic, Malformed, TooLarge)):
                bench.evidence([*chain[:number], bytes(whole), *chain[number + 1 :]])
            whole[place] ^= 0x04
