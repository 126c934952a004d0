"""A simulated factory and keystore that issue chains in the shape of Android's; no hardware.

The root is made when the factory is, and is named `Simulated`: only a policy that lists it, with
`simulated: yes`, believes it, and each verdict under it says so.

Source: RFC 9334, 8.1; X.690, 10; ISO/TS 12812-2:2017, 8.1.1
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from tallystick.infrastructure.attestation.android.chain import PROVISIONED
from tallystick.infrastructure.attestation.android.description import OBJECT
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.envelope import cbor
from tallystick.kernel.codec import b64url
from tallystick.process.attestation.reading import shipped_text
from tallystick.protocol.deviceproofs import DeviceProof
from tallystick.protocol.enrolment import ANDROID_KEY_PAIR, Attestation

ISSUER_DAYS: Final = 3650
PACKAGE: Final = "example.tallystick.wallet"
SIGNER: Final = sha256(b"simulated signer of the wallet")
BOOT_SIGNER: Final = sha256(b"simulated signer of the system")

_DAY_S: Final = 86_400
Signing = ec.EllipticCurvePrivateKey | mldsa.MLDSA65PrivateKey


def tlv(first: int, content: bytes) -> bytes:
    """An item of DER with the identifier octet `first`.

    Source: X.690, 8.1
    """
    size = len(content)
    if size < 0x80:
        return bytes((first, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((first, 0x80 | len(length))) + length + content


def integer(value: int, first: int = 0x02) -> bytes:
    """An integer; an enumerated value with `first` 0x0A.

    Source: X.690, 8.3
    """
    return tlv(first, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    """An octet string.

    Source: X.690, 8.7
    """
    return tlv(0x04, value)


def tagged(number: int, content: bytes) -> bytes:
    """`content` under the explicit context tag `number`.

    Source: X.690, 8.14
    """
    if number < 31:
        return tlv(0xA0 | number, content)
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.insert(0, 0x80 | number & 0x7F)
    plain = tlv(0, content)
    return b"\xbf" + bytes(groups) + plain[1:]


@dataclass(frozen=True, kw_only=True)
class Phone:
    """What a simulated keystore writes of itself and of a key; each field may be given wrong.

    Source: RFC 9334, 8.1
    """

    version: int = 300
    level: int = 1
    key_level: int = 1
    purposes: Sequence[int] = (2, 3)
    origin: int = 0
    locked: bool = True
    state: int = 0
    boot_signer: bytes = BOOT_SIGNER
    os_version: int = 160000
    os_patch: int = 202601
    person: int = 0
    timeout: int = 0
    package: str = PACKAGE
    package_version: int = 1
    signer: bytes = SIGNER
    made_at: int = 1_767_225_600_000
    reordered: bool = False


def description(phone: Phone, challenge: bytes) -> bytes:
    """The description of a key by `phone` that answers `challenge`.

    Source: X.690, 10
    """
    package = tlv(0x30, octets(phone.package.encode()) + integer(phone.package_version))
    application = tlv(0x30, tlv(0x31, package) + tlv(0x31, octets(phone.signer)))
    software = tlv(0x30, tagged(701, integer(phone.made_at)) + tagged(709, octets(application)))
    trust = (
        octets(phone.boot_signer)
        + tlv(0x01, b"\xff" if phone.locked else b"\x00")
        + integer(phone.state, 0x0A)
        + octets(sha256(b"simulated boot"))
    )
    person = (
        tagged(504, integer(phone.person)) + tagged(505, integer(phone.timeout))
        if phone.person
        else tagged(503, tlv(0x05, b""))
    )
    items = [
        tagged(1, tlv(0x31, b"".join(map(integer, phone.purposes)))),
        tagged(2, integer(3)),
        tagged(3, integer(256)),
        tagged(10, integer(1)),
        person,
        tagged(702, integer(phone.origin)),
        tagged(704, tlv(0x30, trust)),
        tagged(705, integer(phone.os_version)),
        tagged(706, integer(phone.os_patch)),
    ]
    if phone.reordered:
        items.reverse()
    head = (
        integer(phone.version)
        + integer(phone.level, 0x0A)
        + integer(phone.version)
        + integer(phone.key_level, 0x0A)
        + octets(challenge)
        + octets(b"")
    )
    return tlv(0x30, head + software + tlv(0x30, b"".join(items)))


class SimulatedFactory:
    """A root, an issuer below it and a batch key in every phone; all in this process's memory.

    Source: RFC 9334, 7.4
    """

    def __init__(self, at: int, *, remote: bool = False, post_quantum: bool = False) -> None:
        """Make the keys at `at` (ms); `remote` for certificates that are provisioned later.

        Source: RFC 9334, 7.4
        """
        self._at, self._remote = at // 1000, remote
        self._serial = 1000
        root: Signing = mldsa.MLDSA65PrivateKey.generate() if post_quantum else _new()
        issuer, self._batch = _new(), _new()
        self.root_signer = root
        name = _name("Simulated Root, no hardware")
        self._root = self.certificate(name, root.public_key(), name, root, authority=True)
        between = _name("Droid CA2" if remote else "Simulated Issuer")
        self._issuer = self.certificate(between, issuer.public_key(), name, root, authority=True)
        self._name = _name("Simulated Batch")
        marks = {PROVISIONED: b"\xa1\x01\x18\x20"} if remote else {}
        self._above = self.certificate(
            self._name, self._batch.public_key(), between, issuer, authority=True, marks=marks
        )

    def phone(self) -> Phone:
        """A phone as it should be, patched in the month when the factory was made.

        Source: RFC 9334, 8.1
        """
        made = datetime.fromtimestamp(self._at, UTC)
        return Phone(os_patch=made.year * 100 + made.month, made_at=self._at * 1000)

    def attest(self, spki: bytes, challenge: bytes, phone: Phone) -> list[bytes]:
        """The chain of a key (SubjectPublicKeyInfo) that answers `challenge`, leaf first.

        Source: RFC 9334, 8.1
        """
        leaf = self.certificate(
            _name("Android Keystore Key"),
            load_der_public_key(spki),
            self._name,
            self._batch,
            marks={OBJECT: description(phone, challenge)},
        )
        return [_der(one) for one in (leaf, self._above, self._issuer, self._root)]

    def root_pem(self) -> str:
        """The root, for a policy that wants to believe it.

        Source: RFC 7468, 5
        """
        return self._root.public_bytes(Encoding.PEM).decode()

    def policy_text(self, *, extra: str = "") -> str:
        """The shipped policy of appraisal with this root, labelled, and the simulated wallet.

        It asks for no list of revoked certificates: nobody publishes one for simulated phones.
        Source: RFC 9334, 8.3
        """
        lines = "".join(f"      {line}\n" for line in self.root_pem().splitlines())
        root = (
            "roots:\n  - name: simulated\n    formats: [android-key]\n"
            f"    simulated: yes\n    pem: |\n{lines}"
        )
        app = f"apps:\n  - package: {PACKAGE}\n    signers: [{_quoted(SIGNER.hex())}]\n"
        text = shipped_text().replace("roots:\n", root, 1)
        text = text.replace("appraisal: base", "appraisal: simulated", 1)
        text = text.replace("without-list: refused", "without-list: allowed", 1)
        before, _, after = text.partition("apps: []")
        return before + app + extra + after.partition("\n")[2]

    def certificate(
        self,
        name: x509.Name,
        public: object,
        issuer: x509.Name,
        signer: Signing,
        *,
        authority: bool = False,
        marks: dict[str, bytes] | None = None,
    ) -> x509.Certificate:
        """One certificate for `public` by `signer`, with the extensions `marks`.

        Source: RFC 5280, 4.1
        """
        self._serial += 1
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public)  # type: ignore[arg-type]
            .serial_number(self._serial)
            .not_valid_before(datetime.fromtimestamp(self._at - _DAY_S, UTC))
            .not_valid_after(datetime.fromtimestamp(self._at + ISSUER_DAYS * _DAY_S, UTC))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        for oid, value in (marks or {}).items():
            extension = x509.UnrecognizedExtension(ObjectIdentifier(oid), value)
            builder = builder.add_extension(extension, critical=False)
        hashed = None if isinstance(signer, mldsa.MLDSA65PrivateKey) else SHA256()
        return builder.sign(signer, hashed)


def attest_pair(
    factory: SimulatedFactory, challenge: bytes, possession: bytes, consent: bytes, phone: Phone
) -> Attestation:
    """The attestation of two keys (65 octets each): the second one needs a person for each use.

    Source: ISO/TS 12812-2:2017, 7.4.1; RFC 9334, 8.1
    """
    first = factory.attest(_spki(possession), challenge, phone)
    second = factory.attest(_spki(consent), challenge, replace(phone, person=3, timeout=0))
    above = cbor.head(4, len(first) - 1) + b"".join(map(cbor.octets, first[1:]))
    statement = (
        cbor.head(5, 3)
        + (cbor.text("above") + above)
        + (cbor.text("consent") + cbor.octets(second[0]))
        + (cbor.text("possession") + cbor.octets(first[0]))
    )
    return Attestation(format=ANDROID_KEY_PAIR, statement=b64url(statement))


def prove_state(factory: SimulatedFactory, challenge: bytes, phone: Phone) -> DeviceProof:
    """The chain of a key that `phone` made for `challenge`: what state it is in now.

    Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.3.5
    """
    point = _new().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    chain = factory.attest(_spki(point), challenge, phone)
    stated = cbor.head(4, len(chain)) + b"".join(map(cbor.octets, chain))
    return DeviceProof(format="android-key", statement=b64url(stated))


def _spki(point: bytes) -> bytes:
    return credential_of_point(1, point[1:33], point[33:]).spki


def changed(phone: Phone, **fields: object) -> Phone:
    """`phone` with other `fields`.

    Source: RFC 9334, 8.1
    """
    return replace(phone, **fields)  # type: ignore[arg-type]


def _quoted(text: str) -> str:
    return f'"{text}"'


def _new() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
