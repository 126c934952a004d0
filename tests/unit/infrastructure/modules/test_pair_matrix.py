"""Every pair, in every mode, against every operation: only those of the table succeed."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.support.tr34 import Partner
from tests.unit.infrastructure.modules.module_under_test import MASTER

from tallystick.infrastructure.crypto.x509 import read_pem
from tallystick.infrastructure.modules.card_interface import EVERYTHING, STRICT
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.pair_interface import (
    ECDH_P256,
    PAIR_SIZES,
    PAIR_USES,
    PAIRS_OF,
    PairOperation,
)
from tallystick.infrastructure.modules.pair_keys import PairKey, fresh_pair, packed
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_pairs import Agreeing, Becoming
from tallystick.infrastructure.modules.soft_transport import (
    MOST_OF_ONE,
    Incoming,
    Receiver34,
    Signed34,
)
from tallystick.kernel.errors import Malformed, MfsError, NotFound, NotPermitted
from tallystick.kernel.time import Instant, SimulatedClock

pytestmark = [
    pytest.mark.requirement("MFS-7.4.2-01"), pytest.mark.requirement("MFS-7.4.2-03"),
]  # fmt: skip

NOW = Instant(1_900_000_000_000)
MODES = [(Purpose(name), mode) for name, uses in PAIR_USES.items() for mode in uses]
MADE = {name: fresh_pair(name) for name in ("rsa-oaep-2048", "rsa-pkcs1-v1.5", ECDH_P256,
                                           "ecdsa-p384-sha384")}  # fmt: skip


@pytest.fixture(scope="module")
def module() -> SoftModule:
    return SoftModule(
        MasterKey(MASTER).roots(Purpose), SimulatedClock(NOW), profile="test", rules=EVERYTHING
    )


@pytest.fixture(scope="module")
def partner() -> Partner:
    return Partner(sort="p256")


def handle_of(module: SoftModule, partner: Partner, purpose: Purpose, mode: str) -> KeyHandle:
    if purpose is Purpose.PARTNER_CERTIFICATE:
        return module.pairs.trust(read_pem(pem(partner.root)).octets, mode)
    mechanism = next(name for name in PAIRS_OF[purpose.value] if name in MADE)
    return module._take(purpose, mechanism, packed(purpose, MADE[mechanism], mode))


def pem(certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(("purpose", "mode"), MODES)
def test_a_pair_does_what_its_mode_says_and_nothing_else(module, partner, purpose, mode) -> None:
    handle, allowed = handle_of(module, partner, purpose, mode), PAIR_USES[purpose.value][mode]
    other = read_pem(pem(partner.certificate))
    agreeing = Agreeing(function="concat-kdf", digest="sha-256", more=b"x")
    becoming = Becoming(purpose=Purpose.PIN_ENCRYPTION, mechanism="aes-128", mode="B")
    token = Signed34(octets=b"", signer=other, nonce=b"")
    receiver = Receiver34(handle=handle, named=b"", since=0)
    op, pairs = PairOperation, module.pairs
    calls = {
        op.ENCIPHER: lambda: pairs.encipher(handle, b"data", "sha-256"),
        op.DECIPHER: lambda: pairs.decipher(handle, bytes(256), "sha-256"),
        op.RECEIVE: lambda: module.transport.admit_token(token, receiver, NOW),
        op.SIGN: lambda: pairs.certificate_of(handle, handle),
        op.AGREE: lambda: pairs.agree(handle, other, agreeing, becoming),
        op.VOUCH: lambda: pairs.issued(handle, other.octets, NOW),
    }
    assert set(calls) == set(PairOperation)
    for operation, call in calls.items():
        detail = ""
        try:
            call()
        except MfsError as error:
            detail = error.detail
        refused = f"is not for {operation.value}" in detail
        assert refused == (operation not in allowed), (operation, detail)


@pytest.mark.parametrize(("purpose", "mode"), MODES)
def test_a_pair_does_nothing_that_other_keys_do(module, partner, purpose, mode) -> None:
    handle = handle_of(module, partner, purpose, mode)
    inner = module.generate(Purpose.PIN_ENCRYPTION)
    for call in (
        lambda: module.sign(handle, b"m"),
        lambda: module.mac(handle, b"m"),
        lambda: module.seal(handle, bytes(12), b"m", b""),
        lambda: module.kem_open(handle, b"m", info=b""),
        lambda: module.public_octets(handle),
        lambda: module.key_blocks.export_key(inner, handle),
        lambda: module.key_blocks.export_key(handle, inner),
        lambda: module.transport.seal_cryptogram(handle, read_pem(pem(partner.root)), "sha-256"),
        lambda: module.data.check_value(handle, cmac=True),
    ):
        with pytest.raises(NotPermitted):
            call()
    module.destroy(handle)
    with pytest.raises(NotFound):
        module.pairs.encipher(handle, b"m", "sha-256")


def test_secret_keys_are_no_pairs(module) -> None:
    secret = module.generate(Purpose.KEY_WRAP)
    with pytest.raises(NotPermitted):
        module.pairs.held(secret)
    for operation in PairOperation:
        with pytest.raises(NotPermitted):
            module.pairs.find(secret, operation)


@pytest.mark.parametrize("purpose", [Purpose(name) for name in PAIRS_OF])
def test_modes_of_other_purposes_are_not_taken(purpose) -> None:
    for mode in {"B", "E", "D", "S", "X", "V", "G", "N"} - set(PAIR_USES[purpose.value]):
        with pytest.raises(NotPermitted):
            packed(purpose, b"", mode)


def test_a_pair_survives_the_blocks_of_its_module_and_never_prints(module, partner) -> None:
    made = handle_of(module, partner, Purpose.PAIR_AGREEMENT, "X")
    block = module.export_block(made)
    again = SoftModule(
        MasterKey(MASTER).roots(Purpose), SimulatedClock(NOW), profile="test", rules=EVERYTHING
    )
    loaded = again.import_block(block)
    assert again.pairs.held(loaded).public_octets() == module.pairs.held(made).public_octets()
    held = module._keys.pairs[made.id]
    assert repr(held) == "PairKey(pair-agreement)"
    with pytest.raises(TypeError):
        held.__reduce__()


def test_without_a_rule_nothing_of_rsa_is_done(partner) -> None:
    strict = SoftModule(
        MasterKey(MASTER).roots(Purpose), SimulatedClock(NOW), profile="test", rules=STRICT
    )
    for purpose, mechanism, bits, mode in (
        (Purpose.PAIR_DATA, "rsa-oaep-2048", 2048, "B"),
        (Purpose.PAIR_TRANSPORT, "rsa-oaep-3072", 3072, "D"),
        (Purpose.PAIR_SIGNATURE, "rsa-pkcs1-v1.5", 2048, "S"),
    ):
        with pytest.raises(NotPermitted):
            strict.pairs.make(purpose, mechanism, bits, mode)
    made = strict.pairs.make(Purpose.PAIR_AGREEMENT, ECDH_P256, 0, "X")
    authority = strict.generate(Purpose.DOOR_AUTHORITY)
    assert b"CERTIFICATE" in strict.pairs.certificate_of(made, authority)


def test_lengths_that_a_mechanism_does_not_have_are_refused(module) -> None:
    for name in PAIR_SIZES:
        with pytest.raises(Malformed):
            fresh_pair(name, 1024)
    short = fresh_pair("rsa-oaep-2048")
    handle = KeyHandle(
        id="key_x", purpose=Purpose.PAIR_DATA, mechanism="rsa-oaep-3072", exportable=True,
        created_at=0,
    )  # fmt: skip
    with pytest.raises(Malformed):
        PairKey(handle, packed(Purpose.PAIR_DATA, short))


def test_a_cryptogram_under_parameters_for_tokens_does_not_come_in(module) -> None:
    authority = module.generate(Purpose.DOOR_AUTHORITY, mechanism="rsa-pkcs1-v1.5")
    module.transport.make(2048, "t", NOW, authority, "token-in")
    incoming = Incoming(
        purpose=Purpose.PIN_ENCRYPTION, mechanism="tdea-2key", mode="B", exportability="E"
    )
    with pytest.raises(NotPermitted):
        module.transport.admit("t", bytes(256), "sha-256", incoming, NOW)
    with pytest.raises(NotFound):
        module.transport.receiver("t", Instant(NOW + 8 * 86_400_000))
    before = len(module.handles())
    module.transport.make(2048, "u", Instant(NOW + 8 * 86_400_000), authority, "token-out")
    assert len(module.handles()) == before


def test_who_asks_for_many_pairs_loses_its_own_oldest_and_nobody_elses(module, monkeypatch) -> None:
    octets = MADE["rsa-oaep-2048"]
    monkeypatch.setattr(
        "tallystick.infrastructure.modules.soft_pairs.fresh_pair", lambda *_: octets
    )
    authority = module.generate(Purpose.DOOR_AUTHORITY, mechanism="rsa-pkcs1-v1.5")
    later = Instant(NOW + 20 * 86_400_000)
    module.transport.make(2048, "other", later, authority, "token-in", "wkl_other")
    before = len(module.handles())
    for number in range(MOST_OF_ONE + 3):
        module.transport.make(2048, f"own-{number}", later, authority, "token-in", "wkl_own")
    assert len(module.handles()) == before + MOST_OF_ONE
    for gone in range(3):
        with pytest.raises(NotFound):
            module.transport.receiver(f"own-{gone}", later)
    for kept in ("own-3", "other"):
        assert module.transport.receiver(kept, later)
