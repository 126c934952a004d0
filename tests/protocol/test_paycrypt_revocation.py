"""A partner's certificate at the door: revoked, in doubt, or declared to be without lists."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.protocol.test_paycrypt_agreed import block_of
from tests.protocol.test_paycrypt_pairs import (
    D1,
    K0,
    KEY,
    attributes,
    certificate,
    parameters,
    tr34,
)
from tests.support.looking import leaves_of
from tests.support.paycrypt import BOTH_WAYS, Scene, door
from tests.support.tr34 import Partner, certified, text_of

from tallystick.entry.pki.partnerlists import FOLDER, named
from tallystick.infrastructure.crypto.x509 import Certificate, read_pem

K3 = "TR31_K3_ASYMMETRIC_KEY_FOR_KEY_AGREEMENT"
NONCE = bytes(range(8))
WAYS = ("token-in", "token-out", "cryptogram-out", "agreed-out", "encipher")


def read(made: Any) -> Certificate:
    return read_pem(made.public_bytes(Encoding.PEM))


@dataclass
class Exchanges:
    """Every way in which a partner's certificate is taken, with two partners who have one."""

    scene: Scene
    rsa: Partner = field(default_factory=lambda: Partner(name="rsa"))
    curve: Partner = field(default_factory=lambda: Partner(sort="p521", name="curve"))

    def __post_init__(self) -> None:
        pytest.importorskip("botocore.session", reason="botocore is absent")
        self.control, self.data = self.scene.control(), self.scene.client()
        self.root = self.scene.provider.folder.root
        self.publish()
        self.authorities = {
            one.name: self.control.import_key(KeyMaterial=one.root_material())["Key"]["KeyArn"]
            for one in (self.rsa, self.curve)
        }
        until(lambda: len(self.scene.provider.platform.list_files.lists) == 2)
        self.stored = self.trust(self.rsa, D1, ("Encrypt", "Wrap"))
        self.inner = self.scene.key("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_3KEY", BOTH_WAYS)
        self.own = self.control.create_key(
            KeyAttributes=attributes(K3, "ECC_NIST_P521", ("DeriveKey",)), Exportable=False,
            DeriveKeyUsage="TR31_K1_KEY_BLOCK_PROTECTION_KEY",
        )["Key"]["KeyArn"]  # fmt: skip

    def publish(self, *revoked: int, **more: Any) -> None:
        for one in (self.rsa, self.curve):
            one.publish(self.root, *revoked, **more)

    def trust(self, partner: Partner, usage: str, modes: tuple[str, ...]) -> str:
        material = {
            "CertificateAuthorityPublicKeyIdentifier": self.authorities[partner.name],
            "PublicKeyCertificate": text_of(partner.certificate),
            "KeyAttributes": attributes(usage, partner.algorithm, modes, "PUBLIC_KEY"),
        }
        given = {"TrustedCertificatePublicKey": material}
        return self.control.import_key(KeyMaterial=given)["Key"]["KeyArn"]

    def do(self, way: str) -> Any:
        to = {
            "CertificateAuthorityPublicKeyIdentifier": self.authorities["rsa"],
            "WrappingKeyCertificate": text_of(self.rsa.certificate),
        }
        if way == "token-in":
            found = parameters(self.control)
            whom = certificate(found["WrappingKeyCertificate"])
            token = self.rsa.token(whom, K0, KEY, nonce=NONCE, old=True, cipher="tdea")
            material = tr34(self.authorities["rsa"], self.rsa, found, token, NONCE)
            return self.control.import_key(KeyMaterial=material)["Key"]
        if way == "encipher":
            return self.data.encrypt_data(
                KeyIdentifier=self.stored, PlainText="c0ffee",
                EncryptionAttributes={"Asymmetric": {"PaddingType": "OAEP_SHA256"}},
            )["CipherText"]  # fmt: skip
        if way == "token-out":
            signing = self.control.get_parameters_for_export(
                KeyMaterialType="TR34_KEY_BLOCK", SigningKeyAlgorithm="RSA_2048",
                ReuseLastGeneratedToken=True,
            )  # fmt: skip
            more = {"KeyBlockFormat": "X9_TR34_2012", "ExportToken": signing["ExportToken"]}
            form = {"Tr34KeyBlock": {**to, **more, "RandomNonce": NONCE.hex()}}
        elif way == "cryptogram-out":
            form = {"KeyCryptogram": to}
        else:
            found = (self.own, self.authorities["curve"], self.curve)
            form = {"DiffieHellmanTr31KeyBlock": block_of(found)}
        return self.control.export_key(KeyMaterial=form, ExportKeyIdentifier=self.inner)

    def refused(self, way: str) -> str:
        exceptions = pytest.importorskip("botocore.exceptions")
        with pytest.raises(exceptions.ClientError) as told:
            self.do(way)
        return str(told.value)

    def events(self) -> list[bytes]:
        return leaves_of(self.scene.provider)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never came so"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory):
    with door(tmp_path_factory.mktemp("paycrypt") / "provider") as scene:
        yield Exchanges(scene)


@pytest.fixture(autouse=True)
def fresh_lists(exchanges: Exchanges) -> None:
    exchanges.publish()
    until(lambda: all(_works(exchanges, way) for way in ("encipher", "agreed-out")))


def eventually(exchanges: Exchanges, way: str) -> str:
    """What it is refused with once the door has seen the file."""
    exceptions = pytest.importorskip("botocore.exceptions")
    found: list[str] = []

    def is_refused() -> bool:
        try:
            exchanges.do(way)
        except exceptions.ClientError as error:
            found.append(str(error))
        return bool(found)

    until(is_refused)
    return found[0]


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("way", WAYS)
def test_without_a_current_list_nothing_is_exchanged(exchanges: Exchanges, way: str) -> None:
    assert exchanges.do(way)
    shutil.rmtree(exchanges.root / FOLDER)
    assert "no current list" in eventually(exchanges, way)
    exchanges.publish(days=0.9)  # it lasted until before now
    assert "no current list" in exchanges.refused(way)
    exchanges.publish()
    until(lambda: _works(exchanges, way))


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize("way", WAYS)
def test_a_partner_who_was_revoked_gets_and_gives_nothing(exchanges: Exchanges, way: str) -> None:
    assert exchanges.do(way)
    whose = exchanges.curve if way == "agreed-out" else exchanges.rsa
    exchanges.publish(whose.certificate.serial_number, number=2)
    eventually(exchanges, way)
    exchanges.publish(number=3)
    until(lambda: _works(exchanges, way))


def _works(exchanges: Exchanges, way: str) -> bool:
    exceptions = pytest.importorskip("botocore.exceptions")
    try:
        return bool(exchanges.do(way))
    except exceptions.ClientError:
        return False


def test_an_authority_below_another_is_looked_at_as_well(exchanges: Exchanges) -> None:
    rsa, below = exchanges.rsa, Partner(name="below")
    below.publish(exchanges.root)
    middle = certified(
        "below authority", below.authority.public_key(), "rsa authority", rsa.authority,
        authority=True,
    )  # fmt: skip
    key = exchanges.control.import_key(
        KeyMaterial={
            "TrustedCertificatePublicKey": {
                "CertificateAuthorityPublicKeyIdentifier": exchanges.authorities["rsa"],
                "PublicKeyCertificate": text_of(middle),
                "KeyAttributes": attributes(
                    "TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE", "RSA_2048", ("Verify",),
                    "PUBLIC_KEY",
                ),
            }
        }
    )["Key"]["KeyArn"]  # fmt: skip
    exchanges.rsa, exchanges.authorities["rsa"], before = below, key, exchanges.authorities["rsa"]
    try:
        until(lambda: _works(exchanges, "cryptogram-out"))
        listed = rsa.publish(exchanges.root, middle.serial_number, number=2)
        eventually(exchanges, "cryptogram-out")
        listed.unlink()
        until(lambda: "no current list" in exchanges.refused("cryptogram-out"))
    finally:
        exchanges.rsa, exchanges.authorities["rsa"] = rsa, before


def test_an_authority_without_lists_is_declared_and_that_is_recorded(tmp_path) -> None:
    rsa, curve = Partner(name="rsa"), Partner(sort="p521", name="curve")
    without = tuple(named(read(one.root)) for one in (rsa, curve))
    with door(tmp_path / "provider", without_lists=without) as scene:
        exchanges = Exchanges(scene, rsa, curve)
        shutil.rmtree(exchanges.root / FOLDER)
        for way in WAYS:
            assert exchanges.do(way)

        def recorded() -> bool:
            # the lists that are gone still count until the door looks again
            assert all(exchanges.do(way) for way in ("cryptogram-out", "agreed-out"))
            told = [one for one in exchanges.events() if b"believed-without-list" in one]
            return all(any(one.encode() in event for event in told) for one in without)

        until(recorded)
        told = [one for one in exchanges.events() if b"believed-without-list" in one]
        assert len(told) == 2, "it is recorded once for each authority"
        exchanges.publish(rsa.certificate.serial_number)
        eventually(exchanges, "cryptogram-out")
