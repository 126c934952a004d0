"""The device module on SoftHSM: the same matrix as the soft one, and nothing ever leaves."""

import hashlib
import threading

import pytest
from tests.support.softhsm import SoftToken, soft_token
from tests.unit.infrastructure.modules.module_under_test import MASTER, build
from tests.unit.infrastructure.modules.test_soft_module import ALGORITHM, NONCE, sealed_to, use

from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.infrastructure.modules.block import is_reference
from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_256_GCM,
    ECDSA_P256,
    ED25519,
    HMAC_SHA256,
    HPKE_P256,
    MECHANISMS,
    MEMORY_ONLY,
    OPERATIONS,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.pkcs11.device import DeviceModule
from tallystick.infrastructure.modules.pkcs11.sessions import _LIBRARIES, Library, driver
from tallystick.infrastructure.modules.pkcs11.vendors import vendor
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.kernel.errors import (
    Broken,
    Conflict,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.model import replace
from tallystick.kernel.time import SimulatedClock

OFFERED = (ECDSA_P256, ED25519, HMAC_SHA256, AES_256_GCM, HPKE_P256)
PAIRS = [
    (purpose, name)
    for purpose, names in MECHANISMS.items()
    for name in names
    if name in OFFERED and purpose not in MEMORY_ONLY
]
SOME = (
    (Purpose.TALLY, ED25519),
    (Purpose.TIME_STAMP, ECDSA_P256),
    (Purpose.QUOTE, HMAC_SHA256),
    (Purpose.STORE, AES_256_GCM),
    (Purpose.OTP_TRANSPORT, HPKE_P256),
)


def module_on(token: SoftToken, **more) -> DeviceModule:
    row = vendor(more.pop("row", "softhsm"))
    roots = MasterKey(more.pop("master", MASTER)).roots(tuple(Purpose))
    place = token.place(**{name: more.pop(name) for name in ("pin", "sessions", "wait_ms")
                           if name in more})  # fmt: skip
    return DeviceModule(place, row, roots, SimulatedClock(), profile=more.pop("profile", "test"))


@pytest.fixture(scope="module")
def token():
    with soft_token() as found:
        yield found


@pytest.fixture(scope="module")
def module(token):
    found = module_on(token)
    yield found
    found.zeroise()


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize(("purpose", "mechanism"), PAIRS)
def test_a_key_does_what_its_purpose_allows_and_nothing_else(module, purpose, mechanism) -> None:
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
def test_a_purpose_takes_no_other_mechanism(module, purpose: Purpose) -> None:
    before = module.handles()
    for mechanism in {*OPERATIONS, "md5", "none"} - set(MECHANISMS[purpose]):
        with pytest.raises(NotPermitted):
            module.generate(purpose, mechanism=mechanism)
    assert module.handles() == before


def test_results_are_those_of_the_soft_module(module) -> None:
    """The same message opens on both sides; each verifies what the other made."""
    soft = build()
    recipient = module.generate(Purpose.OTP_TRANSPORT)
    assert recipient.mechanism == HPKE_P256
    assert module.kem_open(recipient, sealed_to(module, recipient), info=b"i") == b"m"
    for purpose, name in ((Purpose.WEBHOOK, ED25519), (Purpose.WEBHOOK, ECDSA_P256)):
        ours = module.generate(purpose, mechanism=name)
        public = verify_key(ALGORITHM[name], module.public_octets(ours))
        public.verify(module.sign(ours, b"m" * 3000), b"m" * 3000)
        theirs = soft.generate(purpose, mechanism=name)
        with pytest.raises(NotAuthentic):
            public.verify(soft.sign(theirs, b"m"), b"m")
    sealed = module.seal(store := module.generate(Purpose.STORE), NONCE, b"", b"")
    assert len(sealed) == 16
    assert module.open(store, NONCE, sealed, b"") == b""


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.parametrize(("purpose", "mechanism"), SOME)
def test_no_key_leaves_the_token(token, module, purpose, mechanism) -> None:
    handle = module.generate(purpose, mechanism=mechanism)
    package = driver()
    names, sorts = package.Attribute, package.ObjectClass
    session = beside(token)
    found = [
        one
        for one in session.get_objects({names.ID: handle.id.encode()})
        if one[names.CLASS] is not sorts.PUBLIC_KEY
    ]
    (secret,) = found
    with pytest.raises(package.AttributeSensitive):
        _ = secret[names.VALUE]
    assert secret[names.SENSITIVE]
    assert secret[names.NEVER_EXTRACTABLE]
    for name, value in ((names.EXTRACTABLE, True), (names.SENSITIVE, False)):
        with pytest.raises(package.PKCS11Error):
            secret[name] = value
    uses = {"SIGN", "ENCRYPT", "DECRYPT", "DERIVE", "WRAP", "UNWRAP", "VERIFY"}
    allowed = {name for name in uses if _says(secret, names[name])}
    wanted = {AES_256_GCM: {"ENCRYPT", "DECRYPT"}, HPKE_P256: {"DERIVE"}}
    assert allowed == wanted.get(mechanism, {"SIGN"})
    assert session.get_objects({names.LABEL: f"tallystick {purpose.value} {handle.id}"})
    session.close()


def beside(token: SoftToken):
    """A session of the driver's own, in the library that runs: what any other program can do."""
    return _LIBRARIES[token.place().library]._find(token.place()).open(rw=True)


def _says(found, name) -> bool:
    try:
        return bool(found[name])
    except driver().AttributeTypeInvalid:
        return False


@pytest.mark.parametrize(("purpose", "mechanism"), SOME)
def test_a_reference_finds_the_same_key_in_another_module(token, module, purpose, mechanism):
    handle = module.generate(purpose, mechanism=mechanism)
    block = module.export_block(handle)
    assert is_reference(block)
    other = module_on(token, sessions=1)
    try:
        assert other.import_block(block) == handle == other.import_block(block)
        assert other.export_block(handle) == block
        assert other.handles() == (handle,)
        if Operation.SIGN in OPERATIONS[mechanism]:
            assert ModuleSigner(other, handle).public().octets() == module.public_octets(handle)
        if Operation.MAC in OPERATIONS[mechanism]:
            other.verify_mac(handle, b"m", module.mac(handle, b"m"))
        if Operation.SEAL in OPERATIONS[mechanism]:
            assert other.open(handle, NONCE, module.seal(handle, NONCE, b"m", b"a"), b"a") == b"m"
    finally:
        other.zeroise()


@pytest.mark.requirement("MFS-7.4.2-03")
def test_references_and_blocks_are_not_taken_for_each_other(token, module) -> None:
    """A reference in the soft module would be a MAC key that everybody can read in the token."""
    soft = build()
    quote = module.generate(Purpose.QUOTE)
    reference = module.export_block(quote)
    with pytest.raises(NotAuthentic):
        soft.import_block(reference)
    with pytest.raises(NotAuthentic):
        soft.import_block(b"TKB1" + reference[4:])
    block = soft.export_block(soft.generate(Purpose.QUOTE))
    with pytest.raises(NotPermitted, match="from outside"):
        module.import_block(block)
    with pytest.raises(NotAuthentic):
        module.import_block(b"TKR1" + block[4:])
    for at in (10, len(reference) // 2, len(reference) - 1):
        changed = bytearray(reference)
        changed[at] ^= 1
        with pytest.raises(NotAuthentic):
            module.import_block(bytes(changed))
    for more in ({"master": bytes(32)}, {"profile": "production"}):
        other = module_on(token, sessions=1, **more)
        with pytest.raises((NotAuthentic, NotPermitted)):
            other.import_block(reference)
        other.zeroise()


@pytest.mark.requirement("MFS-7.4.2-03")
def test_a_forged_handle_gives_no_other_right(module) -> None:
    tally = module.generate(Purpose.TALLY)
    with pytest.raises(NotPermitted, match="tally"):
        module.mac(replace(tally, purpose=Purpose.QUOTE, mechanism=HMAC_SHA256), b"m")
    with pytest.raises(NotFound):
        module.sign(replace(tally, id="key_" + "0" * 26), b"m")


def test_changed_codes_and_texts_are_refused_and_service_goes_on(module) -> None:
    quote, store = module.generate(Purpose.QUOTE), module.generate(Purpose.STORE)
    tag, sealed = module.mac(quote, b"m"), module.seal(store, NONCE, b"m", b"a")
    for wrong in (tag[:-1], tag + b"\x00", bytes(32), b"", module.mac(quote, b"n")):
        with pytest.raises(NotAuthentic):
            module.verify_mac(quote, b"m", wrong)
    flipped = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    for nonce, text, aad in (
        (NONCE, flipped, b"a"), (NONCE, sealed, b"b"), (b"\x01" * 12, sealed, b"a"),
        (NONCE, sealed[:15], b"a"), (NONCE, b"", b"a"), (b"", sealed, b"a"),
    ):  # fmt: skip
        with pytest.raises(NotAuthentic):
            module.open(store, nonce, text, aad)
        assert module.open(store, NONCE, sealed, b"a") == b"m"
    recipient = module.generate(Purpose.OTP_TRANSPORT)
    good = sealed_to(module, recipient)
    for text in (good[:-1], good[:-1] + bytes((good[-1] ^ 1,)), b"", b"\x04" + bytes(64) + good):
        with pytest.raises(NotAuthentic):
            module.kem_open(recipient, text, info=b"i")
    with pytest.raises(NotAuthentic):
        module.kem_open(recipient, good, info=b"other")
    with pytest.raises(Malformed):
        module.seal(store, b"short", b"m", b"")


def test_a_destroyed_key_is_gone_from_the_token(token, module) -> None:
    handle, other = module.generate(Purpose.TALLY), module.generate(Purpose.TALLY)
    block = module.export_block(handle)
    module.destroy(handle)
    for call in (
        lambda: module.sign(handle, b"m"),
        lambda: module.public_octets(handle),
        lambda: module.destroy(handle),
        lambda: module.import_block(block),
    ):
        with pytest.raises(NotFound):
            call()
    module.sign(other, b"m")


@pytest.mark.requirement("MFS-8.2.2-03")
def test_the_module_says_what_it_cannot_and_refuses_it(module) -> None:
    told = module.capabilities()
    assert not told.atomic_pin_translation
    assert not told.hardware_boundary, "SoftHSM is software and is not called anything else"
    assert told.validated_as == ""
    assert "software" in told.statement
    assert {*OFFERED} <= set(told.mechanisms)
    assert Purpose.PIN_ENCRYPTION not in told.purposes
    assert Purpose.SUBJECT not in told.purposes
    for purpose in (Purpose.PIN_ENCRYPTION, Purpose.PIN_PVV, Purpose.DUKPT_BASE, Purpose.KEY_WRAP):
        with pytest.raises(NotPermitted, match="this module") as caught:
            module.generate(purpose)
        assert "PIN" in caught.value.because
    for purpose in (Purpose.SUBJECT, Purpose.SESSION_WRAP):
        with pytest.raises(NotPermitted):
            module.generate(purpose)
    with pytest.raises(NotPermitted, match="from outside"):
        module.kem_admit(module.generate(Purpose.OTP_TRANSPORT), b"", HMAC_SHA256)
    assert build().capabilities().atomic_pin_translation


def test_cmac_is_that_of_others(module) -> None:
    """No key comes out to compute beside it; lengths and changes here, the rest with known keys."""
    link = module.generate(Purpose.CARD_MAC, mechanism=AES_128)
    tags = {module.cmac(link, text) for text in (b"", b"m", b"m" * 16, b"m" * 17)}
    assert {len(tag) for tag in tags} == {16}
    assert len(tags) == 4
    with pytest.raises(NotPermitted):
        module.mac(link, b"m")
    with pytest.raises(NotPermitted):
        module.cmac(module.generate(Purpose.TALLY), b"m")


@pytest.mark.requirement("MFS-8.2.2-03")
def test_the_self_test_uses_every_mechanism_and_leaves_no_key(token, module) -> None:
    before = module.handles()
    assert set(module.self_test()) == set(module.capabilities().mechanisms)
    assert module.handles() == before


def test_a_token_that_does_other_work_is_refused(module, monkeypatch) -> None:
    monkeypatch.setattr(module, "use", lambda *_: b"\x00" * 64)
    for purpose in (Purpose.TALLY, Purpose.QUOTE):
        with pytest.raises(Broken, match="does not do its work"):
            module.generate(purpose)


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_key_that_could_leave_is_refused(token, module) -> None:
    """Somebody else's key under one of our names: made to be taken out."""
    handle = module.generate(Purpose.QUOTE)
    block = module.export_block(handle)
    module.destroy(handle)
    package, session = driver(), beside(token)
    session.generate_key(
        package.KeyType.GENERIC_SECRET, 256, id=handle.id.encode(), store=True,
        capabilities=package.MechanismFlag.SIGN,
        template={package.Attribute.EXTRACTABLE: True},
    )  # fmt: skip
    session.close()
    with pytest.raises(Broken, match="EXTRACTABLE"):
        module.import_block(block)


def test_a_zeroised_module_does_nothing(token) -> None:
    module = module_on(token, sessions=1)
    handle = module.generate(Purpose.TALLY)
    module.zeroise()
    module.zeroise()
    for call in (
        lambda: module.random(8),
        lambda: module.sign(handle, b"m"),
        lambda: module.generate(Purpose.TALLY),
        lambda: module.import_block(b"TKR1"),
        module.self_test,
    ):
        with pytest.raises((Unavailable, NotPermitted, NotAuthentic)):
            call()
    assert module.handles() == ()


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_wrong_pin_is_tried_once_and_shown_nowhere(token, module, monkeypatch) -> None:
    """A device locks after a few wrong PINs; who is logged in already lends nobody the login."""
    tried: list[str] = []
    find = Library._find

    class Watched:
        def __init__(self, found) -> None:
            self._found, self.slot = found, found.slot

        def open(self, **more):
            tried.extend(pin for name, pin in more.items() if name == "user_pin")
            return self._found.open(**more)

    monkeypatch.setattr(Library, "_find", lambda own, place: Watched(find(own, place)))
    with soft_token() as fresh:
        for _ in range(6):
            with pytest.raises(NotPermitted, match="PIN") as caught:
                module_on(fresh, pin="000000", sessions=2)
            assert "000000" not in str(caught.value)
        assert tried == ["000000"]
        again = module_on(fresh, sessions=1)
        again.zeroise()
    module.random(1)  # logged in, whatever was started anew for the other token
    with pytest.raises(NotPermitted, match="PIN"):
        module_on(token, pin="000000", sessions=1)
    assert tried.count("000000") == 1
    assert "934271" not in repr(token.place())


def test_rows_of_vendors_take_mechanisms_away(token) -> None:
    strict = module_on(token, row="strict-fips", sessions=1)
    try:
        assert ED25519 not in strict.capabilities().mechanisms
        assert AES_256_GCM not in strict.capabilities().mechanisms
        with pytest.raises(NotPermitted, match="does not offer"):
            strict.generate(Purpose.TALLY)
        assert strict.generate(Purpose.WEBHOOK).mechanism == ECDSA_P256
    finally:
        strict.zeroise()
    other = module_on(token, row="generic-hmac-by-name", sessions=1)
    assert HMAC_SHA256 not in other.capabilities().mechanisms
    other.zeroise()
    with pytest.raises(Malformed):
        vendor("acme")


def test_which_token_is_meant_has_to_be_clear(token) -> None:
    with soft_token() as second:
        place = token.place(sessions=1)
        roots = MasterKey(MASTER).roots(tuple(Purpose))
        row, clock = vendor("softhsm"), SimulatedClock()
        with pytest.raises((Conflict, Unavailable)):
            DeviceModule(
                type(place)(place.library, place.pin), row, roots, clock, profile="test"
            ).zeroise()
        found = DeviceModule(second.place(sessions=1), row, roots, clock, profile="test")
        found.zeroise()
    with pytest.raises(Unavailable):
        DeviceModule(
            type(place)(place.library, place.pin, label="nobody"), row, roots, clock, profile="test"
        )


def test_many_threads_get_their_own_answers(module) -> None:
    handles = [module.generate(Purpose.QUOTE) for _ in range(3)]
    expected = {(one.id, n): module.mac(one, b"%d" % n) for one in handles for n in range(20)}
    wrong: list[object] = []

    def work(handle) -> None:
        wrong.extend(
            n for n in range(20) if module.mac(handle, b"%d" % n) != expected[handle.id, n]
        )

    threads = [threading.Thread(target=work, args=(one,)) for one in handles * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not wrong
    assert len(set(expected.values())) == 60


def test_random_bytes_come_out(module) -> None:
    drawn = {module.random(32) for _ in range(50)}
    assert len(drawn) == 50
    assert module.random(0) == b""
    assert len(hashlib.sha256(module.random(1000)).digest()) == 32
    with pytest.raises(Malformed):
        module.random(1 << 20)
