"""Keys that are agreed on, keys of one call, and data under RSA, asked by the stock client."""

import base64
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from tests.support.paycrypt import BOTH_WAYS, CHECKS, Scene, door
from tests.support.tr34 import Partner, oaep, text_of

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytestmark = [
    pytest.mark.requirement("MFS-7.4.2-01"),
    pytest.mark.filterwarnings("ignore::Warning"),
]

PAN, PIN = "4539578763621486", "8302"
SHARED = "0badc0de" * 4
D1 = "TR31_D1_ASYMMETRIC_KEY_FOR_DATA_ENCRYPTION"
D0 = ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "AES_128", BOTH_WAYS)
P0 = ("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", BOTH_WAYS)
PVK = ("TR31_V2_VISA_PIN_VERIFICATION_KEY", "TDES_2KEY", CHECKS)
K1 = ("TR31_K1_KEY_BLOCK_PROTECTION_KEY", "AES_256", BOTH_WAYS)
HASHES = {"SHA_256": hashes.SHA256, "SHA_384": hashes.SHA384, "SHA_512": hashes.SHA512}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as found:
        yield found


@pytest.fixture(scope="module")
def control(scene: Scene):
    return scene.control()


@pytest.fixture(scope="module")
def data(scene: Scene):
    return scene.client()


@pytest.fixture(scope="module")
def psec():
    return pytest.importorskip("psec", reason="psec is absent: install the extra for development")


def pair(control, usage, algorithm, modes, **more) -> str:
    return control.create_key(
        KeyAttributes={
            "KeyUsage": usage, "KeyClass": "ASYMMETRIC_KEY_PAIR", "KeyAlgorithm": algorithm,
            "KeyModesOfUse": dict.fromkeys(modes, True),
        },
        Exportable=False, **more,
    )["Key"]["KeyArn"]  # fmt: skip


def agreement(scene, control, curve: str, derives: str) -> tuple[str, str, Partner]:
    """A pair of the door, an authority that it believes, and whom that certified."""
    partner = Partner(sort=curve, name=curve)
    scene.publish(partner)
    authority = control.import_key(KeyMaterial=partner.root_material())["Key"]["KeyArn"]
    own = pair(control, "TR31_K3_ASYMMETRIC_KEY_FOR_KEY_AGREEMENT", partner.algorithm,
               ("DeriveKey",), DeriveKeyUsage=derives)  # fmt: skip
    return own, authority, partner


@pytest.fixture(scope="module")
def wraps(scene, control):
    return agreement(scene, control, "p521", "TR31_K1_KEY_BLOCK_PROTECTION_KEY")


@pytest.fixture(scope="module")
def pins(scene, control):
    return agreement(scene, control, "p256", "TR31_P0_PIN_ENCRYPTION_KEY")


def derived(control, own: str, partner: Partner, length: int, **more) -> bytes:
    """What the other side computes, with the library that the door does not use for this."""
    text = control.get_public_key_certificate(KeyIdentifier=own)["KeyCertificate"]
    public = x509.load_pem_x509_certificate(base64.b64decode(text)).public_key()
    shared = partner.private.exchange(ec.ECDH(), public)
    digest = HASHES[more.get("digest", "SHA_256")]()
    sort = X963KDF if more.get("function") == "ANSI_X963" else ConcatKDFHash
    return sort(digest, length, bytes.fromhex(SHARED)).derive(shared)


def block_of(found, block: str = "", **more) -> dict:
    own, authority, partner = found
    material = {
        "PrivateKeyIdentifier": own, "CertificateAuthorityPublicKeyIdentifier": authority,
        "PublicKeyCertificate": text_of(partner.certificate), "DeriveKeyAlgorithm": "AES_256",
        "KeyDerivationFunction": "NIST_SP800", "KeyDerivationHashAlgorithm": "SHA_256",
        "DerivationData": {"SharedInformation": SHARED}, **more,
    }  # fmt: skip
    return {**material, "WrappedKeyBlock": block} if block else material


@pytest.mark.parametrize("function", ["NIST_SP800", "ANSI_X963"])
@pytest.mark.parametrize("digest", ["SHA_256", "SHA_384", "SHA_512"])
@pytest.mark.parametrize(("usage", "algorithm"), [("K0", "A"), ("P0", "T"), ("B0", "A")])
def test_a_key_comes_and_goes_under_an_agreed_key(
    psec, control, scene, wraps, function, digest, usage, algorithm
):
    own, _, partner = wraps
    kek = derived(control, own, partner, 32, function=function, digest=digest)
    octets = bytes.fromhex("0123456789abcdeffedcba9876543210") * (2 if algorithm == "A" else 1)
    header = psec.tr31.Header("D", usage, algorithm, "X" if usage == "B0" else "B", "00", "E")
    more = {"KeyDerivationFunction": function, "KeyDerivationHashAlgorithm": digest}
    block = psec.tr31.wrap(kek, header, octets)
    material = {"DiffieHellmanTr31KeyBlock": block_of(wraps, block, **more)}
    key = control.import_key(KeyMaterial=material)["Key"]
    assert scene.octets(key["KeyArn"]) == octets
    assert key["KeyAttributes"]["KeyUsage"].startswith(f"TR31_{usage}_")
    out = control.export_key(
        KeyMaterial={"DiffieHellmanTr31KeyBlock": block_of(wraps, **more)},
        ExportKeyIdentifier=key["KeyArn"],
    )["WrappedKey"]
    told, again = psec.tr31.unwrap(kek, out["KeyMaterial"])
    assert again == octets
    assert told.algorithm == algorithm


def test_an_agreement_that_is_not_right_in_every_part_is_refused(psec, scene, control, wraps, pins):
    own, authority, partner = wraps
    kek = derived(control, own, partner, 32)
    header = psec.tr31.Header("D", "P0", "A", "B", "00", "E")
    block = psec.tr31.wrap(kek, header, bytes(16))
    small = Partner(sort="p256", name="small")
    scene.publish(small)
    believed = control.import_key(KeyMaterial=small.root_material())["Key"]["KeyArn"]
    for changed in (
        {"DerivationData": {"SharedInformation": "00"}},
        {"KeyDerivationFunction": "ANSI_X963"},
        {"DeriveKeyAlgorithm": "AES_128"},
        {"DeriveKeyAlgorithm": "HMAC_SHA256"},
        {"PublicKeyCertificate": text_of(Partner(sort="p521", name="p521").certificate)},
        {"PublicKeyCertificate": text_of(small.certificate)},
        {
            "PublicKeyCertificate": text_of(small.certificate),
            "CertificateAuthorityPublicKeyIdentifier": believed,
        },
        {"PrivateKeyIdentifier": pins[0]},
        {"PrivateKeyIdentifier": authority},
        {"CertificateAuthorityPublicKeyIdentifier": own},
    ):
        with pytest.raises(control.exceptions.ValidationException):
            control.import_key(
                KeyMaterial={"DiffieHellmanTr31KeyBlock": {**block_of(wraps, block), **changed}}
            )
    weak = agreement(scene, control, "p256", "TR31_K1_KEY_BLOCK_PROTECTION_KEY")
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial={"DiffieHellmanTr31KeyBlock": block_of(weak, block)})


def test_a_key_is_translated_and_not_kept(psec, control, data, scene, wraps):
    own, _, partner = wraps
    kek, outer = derived(control, own, partner, 32), scene.key(*K1)
    before = len(scene.module.handles())
    for exportability in ("E", "N"):
        header = psec.tr31.Header("D", "P0", "A", "B", "00", exportability)
        block = psec.tr31.wrap(kek, header, bytes(range(16)))
        given = {
            "IncomingKeyMaterial": {"DiffieHellmanTr31KeyBlock": block_of(wraps, block)},
            "OutgoingKeyMaterial": {"Tr31KeyBlock": {"WrappingKeyIdentifier": outer}},
        }
        if exportability == "N":
            with pytest.raises(data.exceptions.ValidationException):
                data.translate_key_material(**given)
            continue
        out = data.translate_key_material(**given)["WrappedKey"]
        told, octets = psec.tr31.unwrap(scene.octets(outer), out["WrappedKeyMaterial"])
        assert octets == bytes(range(16))
        assert told.key_usage == "P0"
        assert out["WrappedKeyMaterialFormat"] == "TR31_KEY_BLOCK"
    assert len(scene.module.handles()) == before


def agreed_key(found, **more) -> dict:
    _, authority, partner = found
    return {
        "WrappedKeyMaterial": {
            "DiffieHellmanSymmetricKey": {
                "CertificateAuthorityPublicKeyIdentifier": authority, "KeyAlgorithm": "AES_128",
                "PublicKeyCertificate": text_of(partner.certificate),
                "KeyDerivationFunction": "NIST_SP800", "KeyDerivationHashAlgorithm": "SHA_256",
                "SharedInformation": SHARED, **more,
            }
        }
    }  # fmt: skip


def test_a_phone_sets_and_reads_a_pin_under_an_agreed_key(psec, control, data, scene, pins):
    own, _, partner = pins
    pek = derived(control, own, partner, 16)
    block = psec.pinblock.encipher_pinblock_iso_4(pek, PIN, PAN)
    bound = {"IsoFormat4": {"PrimaryAccountNumber": PAN}}
    inner, keeper = scene.key(*P0), scene.key(*PVK)
    moved = data.translate_pin_data(
        IncomingKeyIdentifier=own, OutgoingKeyIdentifier=inner, IncomingWrappedKey=agreed_key(pins),
        IncomingTranslationAttributes=bound, OutgoingTranslationAttributes=bound,
        EncryptedPinBlock=block.hex(),
    )  # fmt: skip
    opened = psec.pinblock.decipher_pinblock_iso_4(
        scene.octets(inner), bytes.fromhex(moved["PinBlock"]), PAN
    )
    assert opened == PIN
    back = data.translate_pin_data(
        IncomingKeyIdentifier=inner, OutgoingKeyIdentifier=own, OutgoingWrappedKey=agreed_key(pins),
        IncomingTranslationAttributes=bound, OutgoingTranslationAttributes=bound,
        EncryptedPinBlock=moved["PinBlock"],
    )  # fmt: skip
    again = psec.pinblock.decipher_pinblock_iso_4(pek, bytes.fromhex(back["PinBlock"]), PAN)
    assert again == PIN
    assert back["KeyArn"] == own
    made = data.generate_pin_data(
        GenerationKeyIdentifier=keeper, EncryptionKeyIdentifier=own, PrimaryAccountNumber=PAN,
        PinBlockFormat="ISO_FORMAT_4", EncryptionWrappedKey=agreed_key(pins),
        GenerationAttributes={"VisaPin": {"PinVerificationKeyIndex": 1}},
    )  # fmt: skip
    drawn = psec.pinblock.decipher_pinblock_iso_4(
        pek, bytes.fromhex(made["EncryptedPinBlock"]), PAN
    )
    pvv = psec.pin.generate_visa_pvv(scene.octets(keeper), "1", drawn, PAN)
    assert made["PinData"]["VerificationValue"] == pvv
    assert data.verify_pin_data(
        VerificationKeyIdentifier=keeper, EncryptionKeyIdentifier=own, PrimaryAccountNumber=PAN,
        PinBlockFormat="ISO_FORMAT_4", EncryptedPinBlock=made["EncryptedPinBlock"],
        EncryptionWrappedKey=agreed_key(pins),
        VerificationAttributes={
            "VisaPin": {"PinVerificationKeyIndex": 1, "VerificationValue": pvv}
        },
    )  # fmt: skip
    with pytest.raises(data.exceptions.VerificationFailedException):
        data.verify_pin_data(
            VerificationKeyIdentifier=keeper, EncryptionKeyIdentifier=own,
            PrimaryAccountNumber=PAN, PinBlockFormat="ISO_FORMAT_4",
            EncryptedPinBlock=made["EncryptedPinBlock"],
            EncryptionWrappedKey=agreed_key(pins, SharedInformation="00"),
            VerificationAttributes={
                "VisaPin": {"PinVerificationKeyIndex": 1, "VerificationValue": pvv}
            },
        )  # fmt: skip


def test_a_key_of_the_call_in_a_key_block_enciphers_and_is_forgotten(psec, data, scene):
    outer, inner = scene.key(*K1), bytes(range(16))
    header = psec.tr31.Header("D", "D0", "A", "B", "00", "E")
    block = psec.tr31.wrap(scene.octets(outer), header, inner)
    before = len(scene.module.handles())
    wrapped = {"WrappedKeyMaterial": {"Tr31KeyBlock": block}}
    how = {"Symmetric": {"Mode": "CBC", "InitializationVector": "00" * 16}}
    out = data.encrypt_data(
        KeyIdentifier=outer, PlainText="00" * 32, EncryptionAttributes=how, WrappedKey=wrapped
    )
    wanted = Cipher(AES(inner), CBC(bytes(16))).encryptor().update(bytes(32))
    assert out["CipherText"] == wanted.hex().upper()
    assert out["KeyArn"] == outer
    clear = data.decrypt_data(
        KeyIdentifier=outer, CipherText=out["CipherText"], DecryptionAttributes=how,
        WrappedKey=wrapped,
    )["PlainText"]  # fmt: skip
    assert clear == "00" * 32
    with pytest.raises(data.exceptions.ValidationException):
        data.encrypt_data(
            KeyIdentifier=scene.key(*D0), PlainText="00" * 32, EncryptionAttributes=how,
            WrappedKey=wrapped,
        )  # fmt: skip
    other = psec.tr31.wrap(scene.octets(outer), psec.tr31.Header("D", "K0", "A", "B", "00", "E"),
                           inner)  # fmt: skip
    for bad in (other, block[:-1] + ("0" if block[-1] != "0" else "1")):
        with pytest.raises(data.exceptions.ValidationException):
            data.encrypt_data(
                KeyIdentifier=outer, PlainText="00" * 32, EncryptionAttributes=how,
                WrappedKey={"WrappedKeyMaterial": {"Tr31KeyBlock": bad}},
            )  # fmt: skip
    assert len(scene.module.handles()) == before + 1


@pytest.mark.parametrize(
    ("padding", "digest"),
    [
        ("OAEP_SHA1", hashes.SHA1), ("OAEP_SHA256", hashes.SHA256), ("OAEP_SHA512", hashes.SHA512),
    ],
)  # fmt: skip
@pytest.mark.parametrize("algorithm", ["RSA_2048", "RSA_3072"])
def test_data_go_under_rsa_and_back(control, data, scene, padding, digest, algorithm):
    key = pair(control, D1, algorithm, ("Encrypt", "Decrypt"))
    how = {"Asymmetric": {"PaddingType": padding}}
    text = control.get_public_key_certificate(KeyIdentifier=key)["KeyCertificate"]
    public = x509.load_pem_x509_certificate(base64.b64decode(text)).public_key()
    message = os.urandom(32)
    sealed = public.encrypt(message, oaep(digest)).hex()
    clear = data.decrypt_data(KeyIdentifier=key, CipherText=sealed, DecryptionAttributes=how)
    assert clear["PlainText"] == message.hex().upper()
    out = data.encrypt_data(
        KeyIdentifier=key, PlainText=message.hex(), EncryptionAttributes=how
    )["CipherText"]  # fmt: skip
    again = data.decrypt_data(KeyIdentifier=key, CipherText=out, DecryptionAttributes=how)
    assert again["PlainText"] == message.hex().upper()
    static = scene.key(*D0)
    moved = data.re_encrypt_data(
        IncomingKeyIdentifier=key, OutgoingKeyIdentifier=static, CipherText=sealed,
        IncomingEncryptionAttributes=how, OutgoingEncryptionAttributes={
            "Symmetric": {"Mode": "CBC", "InitializationVector": "00" * 16}},
    )["CipherText"]  # fmt: skip
    cipher = Cipher(AES(scene.octets(static)), CBC(bytes(16))).decryptor()
    assert cipher.update(bytes.fromhex(moved)) == message
    for bad in (sealed[:-2] + ("00" if sealed[-2:] != "00" else "01"), "00" * 16):
        with pytest.raises(data.exceptions.ValidationException):
            data.decrypt_data(KeyIdentifier=key, CipherText=bad, DecryptionAttributes=how)


def test_a_partners_certificate_enciphers_and_nothing_else(control, data, scene):
    partner = Partner()
    scene.publish(partner)
    authority = control.import_key(KeyMaterial=partner.root_material())["Key"]["KeyArn"]
    key = control.import_key(
        KeyMaterial={
            "TrustedCertificatePublicKey": {
                "CertificateAuthorityPublicKeyIdentifier": authority,
                "PublicKeyCertificate": text_of(partner.certificate),
                "KeyAttributes": {
                    "KeyUsage": D1, "KeyClass": "PUBLIC_KEY", "KeyAlgorithm": "RSA_2048",
                    "KeyModesOfUse": {"Encrypt": True, "Wrap": True},
                },
            }
        }
    )["Key"]["KeyArn"]  # fmt: skip
    how = {"Asymmetric": {"PaddingType": "OAEP_SHA256"}}
    out = data.encrypt_data(KeyIdentifier=key, PlainText="c0ffee", EncryptionAttributes=how)
    assert partner.private.decrypt(bytes.fromhex(out["CipherText"]), oaep()).hex() == "c0ffee"
    only = pair(control, D1, "RSA_2048", ("Decrypt",))
    signs = pair(control, "TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE", "RSA_2048", ("Sign",))
    receives = pair(control, "TR31_K2_TR34_ASYMMETRIC_KEY", "RSA_2048", ("Unwrap",))
    for one in (only, signs, receives, authority, scene.key(*D0), scene.key(*P0)):
        with pytest.raises(data.exceptions.ValidationException):
            data.encrypt_data(KeyIdentifier=one, PlainText="c0ffee", EncryptionAttributes=how)
    for one in (key, signs, receives, authority, scene.key(*D0)):
        with pytest.raises(data.exceptions.ValidationException):
            data.decrypt_data(
                KeyIdentifier=one, CipherText=out["CipherText"], DecryptionAttributes=how
            )
    for bad, length in (("PKCS1", 3), ("OAEP_SHA256", 191)):
        with pytest.raises(data.exceptions.ValidationException):
            data.encrypt_data(
                KeyIdentifier=key, PlainText="00" * length,
                EncryptionAttributes={"Asymmetric": {"PaddingType": bad}},
            )  # fmt: skip
    with pytest.raises(data.exceptions.ValidationException):
        data.encrypt_data(
            KeyIdentifier=key, PlainText="00" * 16,
            EncryptionAttributes={"Symmetric": {"Mode": "ECB"}},
        )  # fmt: skip


@pytest.mark.requirement("MFS-7.3.2-01")
def test_a_program_does_not_keep_the_door_busy_with_pairs(tmp_path):
    with door(tmp_path / "provider", asymmetric_rate=1) as scene:
        control, data = scene.control(), scene.client()
        key = pair(control, D1, "RSA_2048", ("Encrypt", "Decrypt"))
        how = {"Asymmetric": {"PaddingType": "OAEP_SHA256"}}
        asked = {"KeyIdentifier": key, "PlainText": "00", "EncryptionAttributes": how}
        with pytest.raises(data.exceptions.ThrottlingException):
            [data.encrypt_data(**asked) for _ in range(10)]
        static = scene.key(*D0)
        for _ in range(10):
            data.encrypt_data(
                KeyIdentifier=static, PlainText="00" * 16,
                EncryptionAttributes={"Symmetric": {"Mode": "ECB"}},
            )  # fmt: skip
