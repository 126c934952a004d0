"""The software module: handles only, one purpose for a key, and no service after a failure."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.crypto.registry import Status
from tallystick.infrastructure.crypto.registry import mechanism as mechanism_called
from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.infrastructure.modules import tables
from tallystick.infrastructure.modules.interface import (
    ADMITTED_ONLY,
    DUAL_SIGNATURE,
    ECDSA_P256,
    ED25519,
    HPKE_P256,
    MECHANISMS,
    MEMORY_ONLY,
    OPERATIONS,
    KeyHandle,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.kernel.errors import Broken, NotAuthentic, NotFound, NotPermitted, Unavailable
from tallystick.kernel.model import replace

NONCE = bytes(12)
PAIRS = [
    (purpose, name)
    for purpose, names in MECHANISMS.items()
    for name in names
    if mechanism_called(name).status is Status.APPROVED and purpose not in ADMITTED_ONLY
]
ALGORITHM = {ECDSA_P256: "ES256", ED25519: "EdDSA", DUAL_SIGNATURE: "EdDSA-ML-DSA-65"}


def use(module, handle: KeyHandle, operation: Operation) -> list:
    """Each call that `operation` stands for, ready to run."""
    if operation is Operation.SIGN:
        return [lambda: module.sign(handle, b"m")]
    if operation is Operation.MAC:
        return [
            lambda: module.mac(handle, b"m"),
            lambda: module.verify_mac(handle, b"m", module.mac(handle, b"m")),
        ]
    if operation is Operation.SEAL:
        return [
            lambda: module.seal(handle, NONCE, b"m", b""),
            lambda: module.open(handle, NONCE, module.seal(handle, NONCE, b"m", b""), b""),
        ]
    return [lambda: module.kem_open(handle, sealed_to(module, handle), info=b"i")]


def sealed_to(module, handle: KeyHandle) -> bytes:
    if Operation.KEM_OPEN not in OPERATIONS[handle.mechanism]:
        return b"nothing"
    public = KemPublicKey(KemSuite(handle.mechanism), module.public_octets(handle))
    return public.seal(b"m", info=b"i")


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize(("purpose", "mechanism"), PAIRS)
def test_a_key_does_what_its_purpose_allows_and_nothing_else(purpose, mechanism: str) -> None:
    module = build()
    handle = module.generate(purpose, mechanism=mechanism)
    for operation in Operation:
        for call in use(module, handle, operation):
            if operation in OPERATIONS[mechanism]:
                call()
            else:
                with pytest.raises(NotPermitted, match=purpose.value):
                    call()


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("purpose", Purpose)
def test_a_purpose_takes_no_other_mechanism(purpose: Purpose) -> None:
    module = build()
    for mechanism in {*OPERATIONS, "md5", "none"} - set(MECHANISMS[purpose]):
        with pytest.raises(NotPermitted):
            module.generate(purpose, mechanism=mechanism)
    assert module.handles() == ()


def test_a_forged_handle_gives_no_other_right() -> None:
    module = build()
    tally = module.generate(Purpose.TALLY)
    forged = replace(tally, purpose=Purpose.QUOTE, mechanism="hmac-sha256")
    with pytest.raises(NotPermitted, match="tally"):
        module.mac(forged, b"m")
    secret = module.generate(Purpose.SESSION_WRAP)
    with pytest.raises(NotPermitted):
        module.export_block(replace(secret, exportable=True))
    with pytest.raises(NotFound):
        module.sign(replace(tally, id="key_" + "0" * 26), b"m")


@pytest.mark.parametrize(("purpose", "mechanism"), PAIRS)
def test_a_block_brings_the_same_key_into_another_module(purpose, mechanism: str) -> None:
    if purpose in MEMORY_ONLY:
        module = build()
        handle = module.generate(purpose)
        with pytest.raises(NotPermitted, match="never leaves"):
            module.export_block(handle)
        return
    first, second = build(), build(seed=2)
    handle = first.generate(purpose, mechanism=mechanism)
    block = first.export_block(handle)
    assert second.import_block(block) == handle
    assert second.import_block(block) == handle
    assert second.handles() == (handle,)
    assert second.export_block(handle) == block
    operations = OPERATIONS[mechanism]
    if Operation.SIGN in operations:
        verifier = verify_key(ALGORITHM[mechanism], first.public_octets(handle))
        verifier.verify(second.sign(handle, b"m"), b"m")
    if Operation.MAC in operations:
        second.verify_mac(handle, b"m", first.mac(handle, b"m"))
    if Operation.SEAL in operations:
        assert second.open(handle, NONCE, first.seal(handle, NONCE, b"m", b"a"), b"a") == b"m"
    if Operation.KEM_OPEN in operations:
        assert second.kem_open(handle, sealed_to(first, handle), info=b"i") == b"m"


def test_results_are_those_of_other_implementations() -> None:
    """The module's secret keys come out of its entropy, so a test can compute beside it."""
    drawn: list[bytes] = []

    def entropy(length: int) -> bytes:
        drawn.append(bytes((len(drawn) + 1,)) * length)
        return drawn[-1]

    module = build(entropy=entropy)
    quote = module.generate(Purpose.QUOTE)
    secret = next(octets for octets in drawn if len(octets) == 32)
    assert module.mac(quote, b"m") == hmac.new(secret, b"m", hashlib.sha256).digest()
    drawn.clear()
    store = module.generate(Purpose.STORE)
    secret = next(octets for octets in drawn if len(octets) == 32)
    assert module.seal(store, NONCE, b"m", b"a") == AESGCM(secret).encrypt(NONCE, b"m", b"a")
    drawn.clear()
    subject = module.generate(Purpose.SUBJECT)
    secret = next(octets for octets in drawn if len(octets) == 32)
    commit, seal = (
        HKDF(SHA256(), 32, None, b"tallystick subject %s v1" % name).derive(secret)
        for name in (b"commitments", b"sealing")
    )
    assert module.mac(subject, b"m") == hmac.new(commit, b"m", hashlib.sha256).digest()
    assert module.seal(subject, NONCE, b"m", b"a") == AESGCM(seal).encrypt(NONCE, b"m", b"a")


def test_changed_codes_and_texts_are_refused() -> None:
    module = build()
    quote, store = module.generate(Purpose.QUOTE), module.generate(Purpose.STORE)
    tag = module.mac(quote, b"m")
    for wrong in (tag[:-1], tag + b"\x00", bytes(32), b"", module.mac(quote, b"n")):
        with pytest.raises(NotAuthentic):
            module.verify_mac(quote, b"m", wrong)
    sealed = module.seal(store, NONCE, b"m", b"a")
    with pytest.raises(NotAuthentic):
        module.open(store, NONCE, sealed, b"b")


def test_a_destroyed_key_is_gone() -> None:
    module = build()
    handle, other = module.generate(Purpose.SUBJECT), module.generate(Purpose.SUBJECT)
    module.destroy(handle)
    for call in (
        lambda: module.mac(handle, b"m"),
        lambda: module.seal(handle, NONCE, b"m", b""),
        lambda: module.export_block(handle),
        lambda: module.public_octets(handle),
        lambda: module.destroy(handle),
    ):
        with pytest.raises(NotFound):
            call()
    assert module.handles() == (other,)
    module.mac(other, b"m")


def every_service(module, handles) -> list:
    """All that a module does, for the states in which it must do nothing."""
    calls = [
        lambda: module.random(8),
        lambda: module.generate(Purpose.QUOTE),
        lambda: module.import_block(b""),
        module.self_test,
    ]
    for handle in handles:
        calls += [
            lambda h=handle: module.export_block(h),
            lambda h=handle: module.public_octets(h),
            lambda h=handle: module.sign(h, b"m"),
            lambda h=handle: module.mac(h, b"m"),
            lambda h=handle: module.verify_mac(h, b"m", b"t"),
            lambda h=handle: module.seal(h, NONCE, b"m", b""),
            lambda h=handle: module.open(h, NONCE, b"m" * 20, b""),
            lambda h=handle: module.kem_open(h, b"m", info=b""),
            lambda h=handle: module.destroy(h),
        ]
    return calls


def test_a_zeroised_module_does_nothing_and_has_no_key() -> None:
    module = build()
    handles = [module.generate(purpose) for purpose in Purpose if purpose not in ADMITTED_ONLY]
    module.zeroise()
    for call in every_service(module, handles):
        with pytest.raises(Unavailable, match="zeroised"):
            call()
    assert module.handles() == ()
    assert module.capabilities().purposes == tuple(sorted(MEMORY_ONLY))


def failing() -> None:
    raise Broken("wrong answer")


@pytest.mark.requirement("MFS-8.2.3-02")
@pytest.mark.requirement("MFS-8.2.2-03")
@pytest.mark.parametrize("mechanism", KNOWN_ANSWERS)
def test_a_wrong_known_answer_ends_all_service(mechanism: str) -> None:
    module = build(known_answers={**KNOWN_ANSWERS, mechanism: failing})
    handles = [
        module.generate(purpose)
        for purpose, names in MECHANISMS.items()
        if names[0] != mechanism and not names[0].startswith(("rsa", "certificate"))
    ]
    with pytest.raises(Broken, match=mechanism):
        module.self_test()
    assert module.handles() == ()
    for call in every_service(module, handles):
        with pytest.raises(Broken):
            call()


def test_a_mechanism_is_tested_before_its_first_use_and_not_before_others() -> None:
    ran: list[str] = []
    answers = {
        name: (lambda name=name, test=test: (ran.append(name), test())[1])
        for name, test in KNOWN_ANSWERS.items()
    }
    module = build(known_answers=answers)
    assert ran == []
    module.generate(Purpose.QUOTE)
    module.generate(Purpose.ACTIVATION)
    assert ran == ["hmac-sha256"]
    assert set(module.self_test()) == set(KNOWN_ANSWERS)


def test_a_mechanism_without_a_known_answer_does_not_run() -> None:
    module = build(known_answers={})
    with pytest.raises(Broken):
        module.generate(Purpose.QUOTE)


@pytest.mark.requirement("MFS-8.2.3-02")
@pytest.mark.parametrize("purpose", [Purpose.TALLY, Purpose.DEVICE_CA, Purpose.OTP_TRANSPORT])
def test_a_key_pair_that_does_not_fit_together_ends_all_service(purpose, monkeypatch) -> None:
    module = build()
    module.self_test()
    kept = module.generate(Purpose.QUOTE)

    def wrong(self, *_: object, **__: object) -> None:
        raise NotAuthentic("no")

    for owner, name in (
        (tables.Es256SigningKey, "sign"),
        (tables.Ed25519SigningKey, "sign"),
        (tables.KemPrivateKey, "open"),
    ):
        monkeypatch.setattr(owner, name, wrong)
    with pytest.raises(Broken, match="fit together"):
        module.generate(purpose)
    with pytest.raises(Broken):
        module.mac(kept, b"m")


@pytest.mark.requirement("MFS-7.2.6-03")
def test_a_stuck_source_of_random_bytes_ends_all_service() -> None:
    def stuck(length: int) -> bytes:
        raise Broken("repeats")

    module = build(entropy=stuck)
    with pytest.raises(Broken):
        module.random(8)
    with pytest.raises(Broken):
        module.generate(Purpose.QUOTE)


def test_public_halves_come_out_and_secret_keys_have_none() -> None:
    module = build()
    assert len(module.public_octets(module.generate(Purpose.DEVICE_CA))) == 65
    assert len(module.public_octets(module.generate(Purpose.TALLY))) == 32
    assert len(module.public_octets(module.generate(Purpose.OTP_TRANSPORT))) == 1216
    recipient = module.generate(Purpose.OTP_TRANSPORT, mechanism=HPKE_P256)
    assert len(module.public_octets(recipient)) == 65
    for purpose in (Purpose.QUOTE, Purpose.STORE, Purpose.SUBJECT):
        with pytest.raises(NotPermitted, match="no public half"):
            module.public_octets(module.generate(purpose))


def test_the_module_says_what_it_is_not() -> None:
    told = build(profile="production").capabilities()
    assert told.hardware_boundary is False
    assert told.validated_as == ""
    assert "not validated" in told.statement
    assert told.profile == "production"
    assert set(told.purposes) == set(Purpose)
    assert set(told.mechanisms) == set(OPERATIONS)


def test_ids_are_unique_and_times_are_the_clocks() -> None:
    module = build()
    handles = [module.generate(Purpose.QUOTE) for _ in range(50)]
    assert len({handle.id for handle in handles}) == 50
    assert {handle.created_at for handle in handles} == {1_767_225_600_000}
    assert len({module.mac(handle, b"m") for handle in handles}) == 50


def test_nothing_of_the_module_prints_a_key() -> None:
    module = build()
    handle = module.generate(Purpose.STORE)
    for text in (repr(module), repr(handle), repr(module.handles()), repr(module.capabilities())):
        assert "\\x" not in text


@pytest.mark.parametrize("purpose", [Purpose.TALLY, Purpose.DEVICE_CA])
def test_a_signer_uses_the_key_inside(purpose: Purpose) -> None:
    module = build()
    handle = module.generate(purpose)
    signer = ModuleSigner(module, handle)
    assert signer.algorithm == ALGORITHM[handle.mechanism]
    assert signer.public().octets() == module.public_octets(handle)
    signer.public().verify(signer.sign(b"m"), b"m")
    with pytest.raises(NotPermitted):
        ModuleSigner(module, module.generate(Purpose.QUOTE))
    module.destroy(handle)
    with pytest.raises(NotFound):
        signer.sign(b"m")
