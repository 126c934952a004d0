"""Pairs, certificates and TR-34 at the payment cryptography door, asked by the stock client."""

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from tests.support.looking import leaves_of
from tests.support.openssl import openssl
from tests.support.paycrypt import BOTH_WAYS, Scene, door
from tests.support.tr34 import NONCE_OID, Partner, certified, fresh, oaep, text_of

from tallystick.entry.assembly import open_platform
from tallystick.entry.paycrypt.authorities import Authorities
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.leaf import decode_leaf

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytest.importorskip("asn1crypto", reason="asn1crypto is absent: install the extra `pkcs11`")
pytestmark = [
    pytest.mark.requirement("MFS-7.4.2-01"),
    pytest.mark.filterwarnings("ignore::Warning"),
]

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
K0 = "D9999K0TB00E0000"
K1 = "TR31_K1_KEY_BLOCK_PROTECTION_KEY"
D1, K2, K3, S0 = (
    "TR31_D1_ASYMMETRIC_KEY_FOR_DATA_ENCRYPTION", "TR31_K2_TR34_ASYMMETRIC_KEY",
    "TR31_K3_ASYMMETRIC_KEY_FOR_KEY_AGREEMENT", "TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE",
)  # fmt: skip


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as found:
        yield found


@pytest.fixture(scope="module")
def control(scene: Scene):
    return scene.control()


@pytest.fixture(scope="module")
def partner():
    return Partner()


@pytest.fixture(scope="module")
def authority(scene, control, partner) -> str:
    scene.publish(partner)
    return control.import_key(KeyMaterial=partner.root_material())["Key"]["KeyArn"]


def attributes(usage, algorithm, modes, sort="ASYMMETRIC_KEY_PAIR") -> dict:
    return {
        "KeyUsage": usage, "KeyClass": sort, "KeyAlgorithm": algorithm,
        "KeyModesOfUse": dict.fromkeys(modes, True),
    }  # fmt: skip


def made(control, usage, algorithm, modes, **more) -> dict:
    given = {"Exportable": False, **more}
    return control.create_key(KeyAttributes=attributes(usage, algorithm, modes), **given)["Key"]


def certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(text))


@pytest.mark.parametrize(
    ("usage", "algorithm", "modes", "more"),
    [
        (D1, "RSA_2048", ("Encrypt", "Decrypt"), {}),
        (K2, "RSA_3072", ("Decrypt", "Unwrap"), {}),
        (S0, "RSA_2048", ("Sign",), {}),
        (K3, "ECC_NIST_P256", ("DeriveKey",), {"DeriveKeyUsage": K1}),
        (K3, "ECC_NIST_P384", ("DeriveKey",), {"DeriveKeyUsage": "TR31_P0_PIN_ENCRYPTION_KEY"}),
        (K3, "ECC_NIST_P521", ("DeriveKey",), {"DeriveKeyUsage": "TR31_K0_KEY_ENCRYPTION_KEY"}),
    ],
)  # fmt: skip
def test_a_pair_is_made_and_its_certificate_holds(
    control, scene, tmp_path, usage, algorithm, modes, more
):
    key = made(control, usage, algorithm, modes, **more)
    assert key["KeyAttributes"]["KeyClass"] == "ASYMMETRIC_KEY_PAIR"
    assert key.get("DeriveKeyUsage") == more.get("DeriveKeyUsage")
    assert key["KeyCheckValueAlgorithm"] == "SHA_1"
    assert control.get_key(KeyIdentifier=key["KeyArn"])["Key"] == key
    given = control.get_public_key_certificate(KeyIdentifier=key["KeyArn"])
    again = control.get_public_key_certificate(KeyIdentifier=key["KeyArn"])
    assert given["KeyCertificate"] == again["KeyCertificate"]
    leaf, root = tmp_path / "leaf.pem", tmp_path / "root.pem"
    leaf.write_bytes(base64.b64decode(given["KeyCertificate"]))
    root.write_bytes(base64.b64decode(given["KeyCertificateChain"]))
    assert "OK" in openssl("verify", "-x509_strict", "-CAfile", root, leaf)
    public = certificate(given["KeyCertificate"]).public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public).digest
    assert key["KeyCheckValue"] == identifier[:3].hex().upper()
    assert public.key_size == int(algorithm.rpartition("_")[2].lstrip("P"))


def test_a_request_for_a_certificate_is_signed_by_the_pair(control, tmp_path):
    key = made(control, S0, "RSA_2048", ("Sign",))["KeyArn"]
    asked = control.get_certificate_signing_request(
        KeyIdentifier=key, SigningAlgorithm="SHA256",
        CertificateSubject={"CommonName": "switch", "Organization": "Bank", "Country": "DE"},
    )["CertificateSigningRequest"]  # fmt: skip
    where = tmp_path / "request.pem"
    where.write_bytes(base64.b64decode(asked))
    said = openssl("req", "-in", where, "-verify", "-noout", "-subject")
    assert "CN = switch" in said
    with pytest.raises(control.exceptions.ValidationException):
        control.get_certificate_signing_request(
            KeyIdentifier=key, SigningAlgorithm="SHA224", CertificateSubject={"CommonName": "x"}
        )


_PAIRS = [
    (usage, algorithm, modes)
    for usage in (D1, K2, K3, S0)
    for algorithm in ("RSA_3072", "ECC_NIST_P256", "AES_128")
    for modes in (("Encrypt", "Decrypt"), ("Decrypt", "Unwrap"), ("Sign",), ("DeriveKey",),
                  ("Generate",), ("Encrypt", "Sign"))
]  # fmt: skip
_GOOD = {
    (D1, "RSA_3072", ("Encrypt", "Decrypt")), (D1, "RSA_3072", ("Decrypt", "Unwrap")),
    (K2, "RSA_3072", ("Decrypt", "Unwrap")), (K2, "RSA_3072", ("Sign",)),
    (S0, "RSA_3072", ("Sign",)), (K3, "ECC_NIST_P256", ("DeriveKey",)),
}  # fmt: skip


def test_usages_algorithms_and_modes_that_do_not_go_together_are_refused(control):
    for usage, algorithm, modes in _PAIRS:
        if (usage, algorithm, modes) in _GOOD:
            continue
        with pytest.raises(control.exceptions.ValidationException):
            made(control, usage, algorithm, modes,
                 DeriveKeyUsage="TR31_P0_PIN_ENCRYPTION_KEY")  # fmt: skip
    for derives in (None, "TR31_E5_EMV_MKEY_CARD_PERSONALIZATION"):
        more = {} if derives is None else {"DeriveKeyUsage": derives}
        with pytest.raises(control.exceptions.ValidationException):
            made(control, K3, "ECC_NIST_P256", ("DeriveKey",), **more)


def test_a_root_that_does_not_hold_is_not_believed(control, partner):
    good = partner.root_material()
    key, public = partner.authority, partner.authority.public_key()
    other = fresh("rsa2048")
    wrong = (
        certified("a", public, "a", other, authority=True),
        certified("a", public, "a", key, authority=False),
        certified("a", public, "a", key, authority=True, days=-0.5),
        partner.certificate,
    )
    for one in wrong:
        good["RootCertificatePublicKey"]["PublicKeyCertificate"] = text_of(one)
        with pytest.raises(control.exceptions.ValidationException):
            control.import_key(KeyMaterial=good)
    good["RootCertificatePublicKey"]["PublicKeyCertificate"] = text_of(partner.root)
    for name, value in (
        ("KeyAlgorithm", "RSA_3072"), ("KeyClass", "SYMMETRIC_KEY"), ("KeyUsage", D1),
        ("KeyModesOfUse", {"Sign": True}),
    ):  # fmt: skip
        changed = {**good["RootCertificatePublicKey"]["KeyAttributes"], name: value}
        with pytest.raises(control.exceptions.ValidationException):
            control.import_key(
                KeyMaterial={
                    "RootCertificatePublicKey": {
                        **good["RootCertificatePublicKey"], "KeyAttributes": changed
                    }
                }
            )  # fmt: skip


def parameters(control, algorithm="RSA_2048", sort="TR34_KEY_BLOCK", **more):
    return control.get_parameters_for_import(
        KeyMaterialType=sort, WrappingKeyAlgorithm=algorithm, **more
    )


def tr34(authority, partner, found, token: bytes, nonce: bytes | None) -> dict:
    material = {
        "CertificateAuthorityPublicKeyIdentifier": authority, "KeyBlockFormat": "X9_TR34_2012",
        "ImportToken": found["ImportToken"], "SigningKeyCertificate": text_of(partner.certificate),
        "WrappedKeyBlock": token.hex().upper(),
    }  # fmt: skip
    if nonce is not None:
        material["RandomNonce"] = nonce.hex().upper()
    return {"Tr34KeyBlock": material}


@pytest.mark.parametrize("old", [True, False], ids=["2012", "CMS"])
@pytest.mark.parametrize("nonce", [bytes(range(8)), bytes(range(16)), None])
@pytest.mark.parametrize(
    ("header", "octets", "algorithm", "cipher", "rsa"),
    [
        (K0, KEY, "TDES_2KEY", "tdea", "RSA_2048"),
        ("D9999P0AD00N0000", bytes(range(16)), "AES_128", "aes", "RSA_3072"),
    ],
)
def test_a_key_comes_in_in_a_token_of_another_implementation(
    control, scene, authority, partner, old, nonce, header, octets, algorithm, cipher, rsa
):
    found = parameters(control, rsa, ReuseLastGeneratedToken=True)
    to = certificate(found["WrappingKeyCertificate"])
    to.verify_directly_issued_by(certificate(found["WrappingKeyCertificateChain"]))
    token = partner.token(to, header, octets, nonce=nonce, old=old, cipher=cipher)
    key = control.import_key(KeyMaterial=tr34(authority, partner, found, token, nonce))["Key"]
    assert scene.octets(key["KeyArn"]) == octets
    said = key["KeyAttributes"]
    assert (said["KeyUsage"][5:7], said["KeyAlgorithm"]) == (header[5:7], algorithm)
    assert key["Exportable"] == (header[11] == "E")
    assert said["KeyModesOfUse"]["Decrypt"]
    assert said["KeyModesOfUse"]["Encrypt"] == (header[8] == "B")


def test_a_token_that_is_not_right_in_every_part_is_refused(control, scene, authority, partner):
    found, nonce = parameters(control), bytes(range(8))
    to = certificate(found["WrappingKeyCertificate"])
    other = certified("other", to.public_key(), "other", fresh("rsa2048"), limits=False)
    stranger, past = fresh("rsa2048"), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    base = {"nonce": nonce, "old": True, "cipher": "tdea"}
    tokens = [
        (partner.token(to, K0, KEY, **{**base, "nonce": bytes(8)}), nonce),
        (partner.token(to, K0, KEY, **base), None),
        (partner.token(to, K0, KEY, **{**base, "nonce": None}), nonce),
        (partner.token(to, K0, KEY, **{**base, "nonce": None, "at": past}), None),
        (partner.token(to, K0, KEY, **{**base, "nonce": None, "without": (
            "1.2.840.113549.1.9.5",)}), None),
        (partner.token(other, K0, KEY, **base), nonce),
        (partner.token(to, K0, KEY, **base, key=stranger), nonce),
        (partner.token(to, K0, KEY, **base, inner="D9999K0TN00E0000"), nonce),
        (partner.token(to, K0, KEY[:8], **base), nonce),
        (partner.token(to, "D9999P0AB00E0000", bytes(range(16)), **base), nonce),
        (partner.token(to, "D9999P0TC00E0000", KEY, **base), nonce),
        (partner.token(to, "D9999Z9TB00E0000", KEY, **base), nonce),
        (partner.token(to, "D9999P0TB00E0100", KEY, **base), nonce),
        (partner.token(to, K0, KEY, **base, digest=hashes.SHA512), nonce),
        (partner.token(to, K0, KEY, **base, without=("1.2.840.113549.1.9.4",)), nonce),
    ]  # fmt: skip
    good = partner.token(to, K0, KEY, **base)
    for place in range(0, len(good), 61):
        changed = good[:place] + bytes((good[place] ^ 4,)) + good[place + 1 :]
        tokens.append((changed, nonce))
    for token, sent in tokens:
        with pytest.raises(control.exceptions.ValidationException) as told:
            control.import_key(KeyMaterial=tr34(authority, partner, found, token, sent))
        assert KEY.hex() not in str(told.value).lower()
    assert control.import_key(KeyMaterial=tr34(authority, partner, found, good, nonce))["Key"]
    material = tr34(authority, partner, found, good, nonce)
    unknown = Partner(name="unknown")
    material["Tr34KeyBlock"]["SigningKeyCertificate"] = text_of(unknown.certificate)
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial=material)
    material = tr34(scene.key("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", BOTH_WAYS), partner,
                    found, good, nonce)  # fmt: skip
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial=material)
    gone = {**found, "ImportToken": "import-token-" + "0" * 32}
    with pytest.raises(control.exceptions.ConflictException):
        control.import_key(KeyMaterial=tr34(authority, partner, gone, good, nonce))
    cryptogram = parameters(control, sort="KEY_CRYPTOGRAM")
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial=tr34(authority, partner, cryptogram, good, nonce))


def test_a_token_comes_in_under_a_pair_that_is_kept_and_another_authoritys_certificate(
    control, scene, authority, partner
):
    pair = made(control, K2, "RSA_2048", ("Decrypt", "Unwrap"))["KeyArn"]
    own = certificate(control.get_public_key_certificate(KeyIdentifier=pair)["KeyCertificate"])
    external = certified("ours", own.public_key(), "elsewhere", fresh("rsa2048"), limits=False)
    nonce = bytes(range(8))
    for to, more in (
        (own, {}), (external, {"WrappingKeyCertificate": text_of(external)}),
    ):  # fmt: skip
        token = partner.token(to, K0, KEY, nonce=nonce, old=True, cipher="tdea")
        material = tr34(authority, partner, {"ImportToken": ""}, token, nonce)
        del material["Tr34KeyBlock"]["ImportToken"]
        material["Tr34KeyBlock"].update(WrappingKeyIdentifier=pair, **more)
        key = control.import_key(KeyMaterial=material)["Key"]["KeyArn"]
        assert scene.octets(key) == KEY
    material["Tr34KeyBlock"]["WrappingKeyCertificate"] = text_of(partner.certificate)
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial=material)


@pytest.mark.parametrize("nonce", [bytes(range(8)), bytes(range(16)), None])
@pytest.mark.parametrize(
    ("usage", "algorithm", "sort", "header"),
    [
        ("TR31_K0_KEY_ENCRYPTION_KEY", "TDES_3KEY", "rsa2048", "D9999K1TB00E0000"),
        ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "AES_128", "rsa3072", "D9999D0AB00E0000"),
    ],
)
def test_a_key_leaves_in_a_token_that_openssl_and_another_reader_take(
    control, scene, tmp_path, nonce, usage, algorithm, sort, header
):
    partner = Partner(sort=sort, name=sort)
    scene.publish(partner)
    authority = control.import_key(KeyMaterial=partner.root_material())["Key"]["KeyArn"]
    inner = scene.key(usage, algorithm, BOTH_WAYS)
    signing = control.get_parameters_for_export(
        KeyMaterialType="TR34_KEY_BLOCK", SigningKeyAlgorithm="RSA_2048",
        ReuseLastGeneratedToken=True,
    )  # fmt: skip
    signer = certificate(signing["SigningKeyCertificate"])
    signer.verify_directly_issued_by(certificate(signing["SigningKeyCertificateChain"]))
    material = {
        "CertificateAuthorityPublicKeyIdentifier": authority, "KeyBlockFormat": "X9_TR34_2012",
        "WrappingKeyCertificate": text_of(partner.certificate),
        "ExportToken": signing["ExportToken"],
    }  # fmt: skip
    if nonce is not None:
        material["RandomNonce"] = nonce.hex()
    out = control.export_key(
        KeyMaterial={"Tr34KeyBlock": material}, ExportKeyIdentifier=inner
    )["WrappedKey"]  # fmt: skip
    assert out["WrappedKeyMaterialFormat"] == "TR34_KEY_BLOCK"
    assert out["WrappingKeyArn"] == authority
    octets, said = partner.opened(bytes.fromhex(out["KeyMaterial"]), signer, tmp_path)
    assert octets == scene.octets(inner)
    assert said["1.2.840.113549.1.7.1"].native.decode() == header
    if nonce is None:
        assert NONCE_OID not in said
        assert abs(said["1.2.840.113549.1.9.5"].native - dt.datetime.now(dt.UTC)).seconds < 60
    else:
        assert said[NONCE_OID].native == nonce
    headers = {"KeyModesOfUse": {"Encrypt": True, "Wrap": True}, "KeyVersion": "A7"}
    out = control.export_key(
        KeyMaterial={"Tr34KeyBlock": {**material, "KeyBlockHeaders": headers}},
        ExportKeyIdentifier=inner,
    )["WrappedKey"]
    _, said = partner.opened(bytes.fromhex(out["KeyMaterial"]), signer, tmp_path)
    narrowed = f"{header[:8]}EA7{header[11:]}"
    assert said["1.2.840.113549.1.7.1"].native.decode() == narrowed
    for more in ({"KeyModesOfUse": {"NoRestrictions": True}}, {"OptionalBlocks": {"LB": "a"}}):
        with pytest.raises(control.exceptions.ValidationException):
            control.export_key(
                KeyMaterial={"Tr34KeyBlock": {**material, "KeyBlockHeaders": more}},
                ExportKeyIdentifier=inner,
            )


def test_what_may_not_leave_does_not_leave_in_a_token_or_cryptogram(control, scene, partner,
                                                                    authority):  # fmt: skip
    pair = made(control, K2, "RSA_2048", ("Sign",), Exportable=True)["KeyArn"]
    token = {
        "CertificateAuthorityPublicKeyIdentifier": authority, "KeyBlockFormat": "X9_TR34_2012",
        "WrappingKeyCertificate": text_of(partner.certificate), "SigningKeyIdentifier": pair,
        "RandomNonce": "00" * 8,
    }  # fmt: skip
    sealed = {
        "CertificateAuthorityPublicKeyIdentifier": authority,
        "WrappingKeyCertificate": text_of(partner.certificate),
    }
    tdea = ("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_3KEY", BOTH_WAYS)
    good, stays = scene.key(*tdea), scene.key(*tdea, Exportable=False)
    strong = scene.key("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", BOTH_WAYS)
    forms = ({"Tr34KeyBlock": token}, {"KeyCryptogram": sealed})
    for form in forms:
        assert control.export_key(KeyMaterial=form, ExportKeyIdentifier=good)["WrappedKey"]
        for one in (stays, strong, pair, authority):
            with pytest.raises(control.exceptions.ValidationException):
                control.export_key(KeyMaterial=form, ExportKeyIdentifier=one)
        [(name, material)] = form.items()
        for changed in (
            {"WrappingKeyCertificate": text_of(Partner(name="unknown").certificate)},
            {"CertificateAuthorityPublicKeyIdentifier": good},
        ):
            with pytest.raises(control.exceptions.ValidationException):
                control.export_key(
                    KeyMaterial={name: {**material, **changed}}, ExportKeyIdentifier=good
                )
    for changed in ({"SigningKeyIdentifier": good}, {"SigningKeyIdentifier": authority}):
        with pytest.raises(control.exceptions.ValidationException):
            control.export_key(
                KeyMaterial={"Tr34KeyBlock": {**token, **changed}}, ExportKeyIdentifier=good
            )


@pytest.mark.parametrize("spec", ["RSA_OAEP_SHA_256", "RSA_OAEP_SHA_512"])
def test_a_key_leaves_as_a_cryptogram(control, scene, partner, authority, spec):
    inner = scene.key("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_3KEY", BOTH_WAYS)
    out = control.export_key(
        KeyMaterial={
            "KeyCryptogram": {
                "CertificateAuthorityPublicKeyIdentifier": authority, "WrappingSpec": spec,
                "WrappingKeyCertificate": text_of(partner.certificate),
            }
        },
        ExportKeyIdentifier=inner,
    )["WrappedKey"]  # fmt: skip
    digest = hashes.SHA512 if spec.endswith("512") else hashes.SHA256
    opened = partner.private.decrypt(bytes.fromhex(out["KeyMaterial"]), oaep(digest))
    assert opened == scene.octets(inner)
    assert out["WrappedKeyMaterialFormat"] == "KEY_CRYPTOGRAM"


def test_a_chain_of_two_authorities_is_trusted_step_by_step(scene, control, authority, partner):
    below = Partner(name="below")
    scene.publish(below)
    public = below.authority.public_key()
    middle = certified(
        "below authority", public, "partner authority", partner.authority, authority=True
    )
    key = control.import_key(
        KeyMaterial={
            "TrustedCertificatePublicKey": {
                "CertificateAuthorityPublicKeyIdentifier": authority,
                "PublicKeyCertificate": text_of(middle),
                "KeyAttributes": attributes(S0, "RSA_2048", ("Verify",), "PUBLIC_KEY"),
            }
        }
    )["Key"]
    assert key["KeyAttributes"]["KeyClass"] == "PUBLIC_KEY"
    found, nonce = parameters(control), bytes(range(8))
    to = certificate(found["WrappingKeyCertificate"])
    token = below.token(to, K0, KEY, nonce=nonce, old=True, cipher="tdea")
    assert control.import_key(KeyMaterial=tr34(key["KeyArn"], below, found, token, nonce))
    with pytest.raises(control.exceptions.ValidationException):
        control.import_key(KeyMaterial=tr34(authority, below, found, token, nonce))


def test_everything_is_an_event_and_no_private_half_is_stored_in_clear(tmp_path):
    with door(tmp_path / "provider") as scene:
        control, partner = scene.control(), Partner()
        scene.publish(partner)
        authority = control.import_key(KeyMaterial=partner.root_material())["Key"]["KeyArn"]
        pair = made(control, K2, "RSA_2048", ("Decrypt", "Unwrap"))["KeyArn"]
        text = control.get_public_key_certificate(KeyIdentifier=pair)["KeyCertificate"]
        row = scene.provider.platform.desks.payment_keys.keys[pair.rpartition("/")[2]]
        numbers = scene.module._keys.pairs[
            scene.module.import_block(row.block).id
        ].private().private_numbers()  # fmt: skip
        folder = scene.provider.folder.root
        leaves = [decode_leaf(leaf) for leaf in leaves_of(scene.provider)]
    said = [leaf.p for leaf in leaves if leaf.kind == "paycrypt.changed"]
    assert [(one["act"], one["key"]) for one in said] == [
        ("ImportKey", authority.rpartition("/")[2]), ("CreateKey", pair.rpartition("/")[2]),
    ]  # fmt: skip
    stored = b"".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())
    length = numbers.p.bit_length() // 8
    for secret in (numbers.p, numbers.q):
        assert secret.to_bytes(length, "big") not in stored
    platform = open_platform(scene.provider.folder, scene.provider.secret, SystemClock())
    try:
        module = platform.paycrypt
        kept = Authorities(module, scene.provider.folder.blocks(), None)
        handle = module.import_block(platform.desks.payment_keys.keys[row.id].block)
        same = module.pairs.certificate_of(handle, kept.of("RSA_2048"))
        assert base64.b64encode(same).decode() == text
    finally:
        platform.close()
