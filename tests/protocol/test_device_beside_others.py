"""A device beside what is not ours: places of PINs, settings, pkcs11-tool, OpenSSL, the CLI."""

import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.openssl import openssl
from tests.support.softhsm import LIBRARY, PIN, SoftToken, soft_token, tool
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.entry.cli.test_cli_resealing import descriptor_of
from tests.unit.infrastructure.modules.test_device_module import beside, module_on

from tallystick.entry.module_settings import (
    ModuleKind,
    ModuleSettings,
    Pkcs11Settings,
    module_settings,
    open_module,
    read_pin,
    save_module,
)
from tallystick.infrastructure.crypto.ecdsa import der_signature
from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_256_GCM,
    HMAC_SHA256,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.pkcs11.starting import driver
from tallystick.kernel.errors import Malformed, NotFound, NotPermitted, Unavailable
from tallystick.kernel.time import SimulatedClock

INSIDE = (Purpose.TALLY, Purpose.TIME_STAMP)
PHRASE = "correct horse battery staple"


@pytest.fixture
def token():
    with soft_token() as found:
        yield found


def vendors_tool(token: SoftToken, *more: str) -> str:
    return tool("pkcs11-tool", "--module", LIBRARY, "--token-label", token.label, "--login",
                "--pin", PIN, *more)  # fmt: skip


@pytest.mark.requirement("MFS-7.4.2-01")
def test_where_a_pin_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text("1234\r\n", encoding="ascii")
    descriptor = descriptor_of("5678\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert read_pin(f"file:{file}").reveal() == read_pin(f"file://{file}").reveal() == "1234"
    assert read_pin(f"fd:{descriptor}").reveal() == "5678"
    assert read_pin("credential:pin", environ).reveal() == "1234"
    for source, error in (
        ("1234", Malformed), ("fd:x", Malformed), ("file:", Malformed), ("env:PIN", Malformed),
        (f"file:{tmp_path / 'none'}", NotFound), ("credential:../pin", NotFound),
        (f"fd:{descriptor}", Unavailable), (f"file:{tmp_path}", Unavailable),
    ):  # fmt: skip
        with pytest.raises(error) as caught:
            read_pin(source, environ)
        assert "1234" not in str(caught.value)
    with pytest.raises(NotFound):
        read_pin("credential:pin", {})
    for octets in (b"\xff\xfe", b"1" * 300, b"\n"):
        file.write_bytes(octets)
        with pytest.raises(Malformed):
            read_pin(f"file:{file}")


@pytest.mark.parametrize(
    "more",
    [
        {"purposes": ()},
        {"purposes": (Purpose.TALLY, Purpose.TALLY)},
        {"purposes": (Purpose.SUBJECT,)},
        {"purposes": (Purpose.QUOTE, Purpose.TALLY)},
        {"label": ""},
        {"sessions": 0},
        {"wait_ms": 10},
        {"vendor": "acme"},
    ],
)
def test_settings_that_contradict_themselves(tmp_path: Path, more) -> None:
    said = {"library": "/lib.so", "pin": "fd:3", "label": "t", "purposes": INSIDE, **more}
    wrong = ModuleSettings(module=ModuleKind.PKCS11, pkcs11=Pkcs11Settings(**said))
    with pytest.raises(Malformed):
        save_module(tmp_path, wrong)
    assert module_settings(tmp_path) == ModuleSettings()


def test_each_kind_of_module_and_none(tmp_path: Path) -> None:
    roots, clock = MasterKey(bytes(32)).roots(tuple(Purpose)), SimulatedClock()
    assert open_module(tmp_path, roots, clock, profile="test").capabilities().name == "soft"
    save_module(tmp_path, ModuleSettings(module=ModuleKind.SOFT))
    assert open_module(tmp_path, roots, clock, profile="test").capabilities().in_device == ()
    with pytest.raises(Malformed):
        save_module(tmp_path, ModuleSettings(module=ModuleKind.PKCS11))
    (tmp_path / "pin").write_text("1", encoding="ascii")
    device = Pkcs11Settings(
        library="/no/such.so", pin=f"file:{tmp_path / 'pin'}", label="t", purposes=INSIDE,
        wait_ms=100,
    )  # fmt: skip
    save_module(tmp_path, ModuleSettings(module=ModuleKind.PKCS11, pkcs11=device))
    with pytest.raises((Unavailable, NotPermitted)):
        open_module(tmp_path, roots, clock, profile="test")
    only = MasterKey(bytes(32)).roots((Purpose.SUBJECT,))
    assert open_module(tmp_path, only, clock, profile="test").capabilities().name == "soft"


@pytest.mark.parametrize(
    ("purpose", "algorithm"), [(Purpose.WEBHOOK, "EdDSA"), (Purpose.TIME_STAMP, "ES256")]
)
def test_openssl_verifies_and_the_vendors_tool_signs(token, tmp_path, purpose, algorithm) -> None:
    data, asked, signed, pem, ours = (tmp_path / name for name in ("d", "a", "s", "p", "o"))
    data.write_bytes(b"what is signed" * 3)
    edwards = algorithm == "EdDSA"
    module = module_on(token, sessions=1)
    handle = module.generate(purpose)
    octets = module.public_octets(handle)
    asked.write_bytes(data.read_bytes() if edwards else hashlib.sha256(data.read_bytes()).digest())
    vendors_tool(token, "--sign", "--mechanism", "EDDSA" if edwards else "ECDSA", "--id",
                 handle.id.encode().hex(), "--input-file", str(asked), "--output-file",
                 str(signed))  # fmt: skip
    verify_key(algorithm, octets).verify(signed.read_bytes(), data.read_bytes())
    shown = vendors_tool(token, "--list-objects", "--type", "privkey")
    assert handle.id in shown
    assert "never extractable" in shown
    loaded = (
        Ed25519PublicKey.from_public_bytes(octets)
        if edwards
        else EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets)
    )
    pem.write_bytes(loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    signature = module.sign(handle, data.read_bytes())
    ours.write_bytes(signature if edwards else der_signature(signature))
    if edwards:
        said = openssl("pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", data,
                       "-sigfile", ours)  # fmt: skip
        assert "Success" in said
    else:
        said = openssl("dgst", "-sha256", "-verify", pem, "-signature", ours, data)
        assert "Verified OK" in said
    module.zeroise()


def test_a_known_key_gives_what_other_implementations_give(token) -> None:
    """The test writes keys that it knows into the token; a module never would."""
    module, secret, text = module_on(token, sessions=1), bytes(range(32)), b"what is protected"
    package, session = driver(), beside(token)
    names, kinds = package.Attribute, package.KeyType
    made: dict[Purpose, KeyHandle] = {}
    for purpose, mechanism, kind, length, uses in (
        (Purpose.QUOTE, HMAC_SHA256, kinds.GENERIC_SECRET, 32, (names.SIGN,)),
        (Purpose.CARD_MAC, AES_128, kinds.AES, 16, (names.SIGN,)),
        (Purpose.STORE, AES_256_GCM, kinds.AES, 32, (names.ENCRYPT, names.DECRYPT)),
    ):
        handle = made[purpose] = KeyHandle(
            id=f"key_{purpose.value}", purpose=purpose, mechanism=mechanism, exportable=True,
            created_at=0,
        )  # fmt: skip
        session.create_object(
            {
                names.CLASS: package.ObjectClass.SECRET_KEY, names.KEY_TYPE: kind,
                names.TOKEN: True, names.ID: handle.id.encode(), names.VALUE: secret[:length],
                **dict.fromkeys(uses, True),
            }
        )  # fmt: skip
        module._remember(handle, b"")
    code = module.mac(made[Purpose.QUOTE], text)
    assert code == hmac.digest(secret, text, "sha256")
    cmac = CMAC(AES(secret[:16]))
    cmac.update(text)
    assert module.cmac(made[Purpose.CARD_MAC], text) == cmac.finalize()
    store, nonce, gcm = made[Purpose.STORE], bytes(range(12)), AESGCM(secret)
    assert module.seal(store, nonce, text, b"a") == gcm.encrypt(nonce, text, b"a")
    assert module.open(store, nonce, gcm.encrypt(nonce, text, b"b"), b"b") == text
    module.zeroise()


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_master_key_goes_from_a_passphrase_to_a_token_and_back(token, tmp_path: Path) -> None:
    folder, secret = tmp_path / "p", tmp_path / "secret"

    def ran(*words: object, phrase: str = "") -> tuple[int, str]:
        more = (phrase, descriptor_of(PHRASE)) if phrase else ()
        done = tallystick(*words, *more)
        return done.code, " ".join(done.all.split())

    made = ran("init", "--no-analysis", folder, "--secret-out", secret, "--codes-file",
               tmp_path / "codes")  # fmt: skip
    assert made[0] == 0, made
    vendors_tool(token, "--keygen", "--key-type", "AES:32", "--label", "kek", "--sensitive",
                 "--usage-decrypt")  # fmt: skip
    address = (
        f"pkcs11:token={token.label};object=kek?module-path={LIBRARY}"
        f"&pin-source=file:{token.pin_file}"
    )
    reseal, root = ("keys", "reseal", folder), folder / "offline" / "root.key"
    renew = ("keys", "renew", folder, "--root-key", root, "--secret-file", secret)
    old, new = "--master-passphrase-fd", "--new-passphrase-fd"
    assert ran(*reseal, "--secret-file", secret, phrase=new)[0] == 0
    assert ran(*reseal, "--new-keeper", address, phrase=old)[0] == 0
    assert ran(*renew)[0] == 1
    assert ran(*renew, "--unseal", address)[0] == 0
    assert ran(*renew, "--unseal", address, phrase=old)[0] == 2
    assert "answers and opens it" in ran("doctor", folder, "--unseal", address)[1]
    assert "--unseal ADDRESS" in ran("doctor", folder)[1]
    token.lose()
    code, said = ran("doctor", folder, "--unseal", address)
    assert (code, "out of reach" in said) == (4, True), said
    token.come_back()
    assert ran(*reseal, "--unseal", address, phrase=new)[0] == 0
    assert ran(*renew, phrase=old)[0] == 0
    assert ran(*renew, "--unseal", address)[0] == 1
