"""A partner that sends and receives keys in tokens of TR-34, built with asn1crypto."""

import base64
import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.support.openssl import openssl

NONCE_OID = "1.2.840.113549.1.9.25.3"
CIPHERS: dict[str, tuple[Any, int, int, str]] = {
    "aes": (AES, 16, 16, "2.16.840.1.101.3.4.1.2"),
    "tdea": (TripleDES, 24, 8, "1.2.840.113549.3.7"),
}


def oaep(digest: type = hashes.SHA256) -> asymmetric.OAEP:
    return asymmetric.OAEP(asymmetric.MGF1(digest()), digest(), None)


def text_of(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.PEM)).decode()


def certified(subject: str, public: Any, issuer: str, key: Any, **more: Any) -> x509.Certificate:
    """A certificate that lasts from yesterday, `days` long."""
    now = more.get("now") or dt.datetime.now(dt.UTC)
    is_authority = more.get("authority", False)
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(more.get("serial") or x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=more.get("days", 30)))
    )
    if more.get("limits", True):
        built = built.add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=None), critical=True
        )
    return built.sign(key, hashes.SHA256())


def fresh(sort: str) -> Any:
    if sort.startswith("rsa"):
        return rsa.generate_private_key(65_537, int(sort[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1,
                                    "p521": ec.SECP521R1}[sort]())  # fmt: skip


@dataclass
class Partner:
    """An authority and a key that it certified."""

    sort: str = "rsa2048"
    name: str = "partner"
    authority: Any = None
    private: Any = None
    root: Any = field(init=False)
    certificate: Any = field(init=False)

    def __post_init__(self) -> None:
        self.authority = self.authority or fresh(self.sort)
        self.private = self.private or fresh(self.sort)
        above = f"{self.name} authority"
        public = self.authority.public_key()
        self.root = certified(above, public, above, self.authority, authority=True)
        self.certificate = certified(
            self.name, self.private.public_key(), above, self.authority, limits=False
        )

    def publish(self, provider: Path, *revoked: int, days: int = 7, number: int = 1) -> Path:
        """The authority's list of what it revoked, where the provider in the folder looks."""
        now = dt.datetime.now(dt.UTC)
        built = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(now - dt.timedelta(days=1))
            .next_update(now - dt.timedelta(days=1) + dt.timedelta(days=days))
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for serial in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            built = built.add_revoked_certificate(entry.build())
        place = provider / "partner-lists"
        place.mkdir(exist_ok=True)
        file = place / f"{self.name}-{self.root.serial_number:x}.crl"
        fresh = file.with_suffix(".new")
        fresh.write_bytes(built.sign(self.authority, hashes.SHA256()).public_bytes(Encoding.DER))
        return fresh.replace(file)

    @property
    def algorithm(self) -> str:
        return f"RSA_{self.sort[3:]}" if self.sort[:3] == "rsa" else f"ECC_NIST_{self.sort.upper()}"

    def root_material(self) -> dict[str, Any]:
        """What `ImportKey` takes of the authority."""
        return {
            "RootCertificatePublicKey": {
                "KeyAttributes": {
                    "KeyAlgorithm": self.algorithm, "KeyClass": "PUBLIC_KEY",
                    "KeyModesOfUse": {"Verify": True},
                    "KeyUsage": "TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE",
                },
                "PublicKeyCertificate": text_of(self.root),
            }
        }  # fmt: skip

    def token(self, to: x509.Certificate, header: str, octets: bytes, **more: Any) -> bytes:
        """A token for `to`: in CMS of 2019, or with `old` in the form of 2012."""
        _, _, core = library()
        me, nonce = self.identifier(self.certificate), more.get("nonce")
        sort, length, width, oid = CIPHERS[more.get("cipher", "aes")]
        inside = sequence(
            core.Integer(1), me, core.OctetString(octets),
            sequence(core.ObjectIdentifier("1.2.840.113549.1.7.1"),
                     of_set(core.OctetString(more.get("inner", header).encode()))),
        )  # fmt: skip
        ephemeral, initial = os.urandom(length), os.urandom(width)
        padder = padding.PKCS7(width * 8).padder()
        encryptor = Cipher(sort(ephemeral), CBC(initial)).encryptor()
        sealed = encryptor.update(padder.update(inside) + padder.finalize())
        wrapped = to.public_key().encrypt(ephemeral, oaep(more.get("digest", hashes.SHA256)))
        old = more.get("old", False)
        envelope = self._envelope(to, oid, initial, sealed, wrapped, old=old)
        data, digest = core.ObjectIdentifier, hashes.Hash(hashes.SHA256())
        digest.update(envelope)
        named = "1.2.840.113549.1.9"
        attributes = [
            (f"{named}.3", core.ObjectIdentifier("1.2.840.113549.1.7.3")),
            ("1.2.840.113549.1.7.1", core.OctetString(header.encode())),
            (f"{named}.4", core.OctetString(digest.finalize())),
        ]
        if nonce is None:
            at = more.get("at") or dt.datetime.now(dt.UTC).replace(microsecond=0)
            attributes.append((f"{named}.5", core.UTCTime(at)))
        else:
            attributes.append((NONCE_OID, core.OctetString(nonce)))
        attributes = [one for one in attributes if one[0] not in more.get("without", ())]
        built = [sequence(data(kind), of_set(value)) for kind, value in attributes]
        signed = wrap(0x31, b"".join(built)) if old else of_set(*built)
        key = more.get("key", self.private)
        signature = key.sign(signed, asymmetric.PKCS1v15(), hashes.SHA256())
        hashed = sequence(core.ObjectIdentifier("2.16.840.1.101.3.4.2.1"))
        signer = sequence(
            core.Integer(1), me, hashed, b"\xa0" + signed[1:],
            sequence(core.ObjectIdentifier("1.2.840.113549.1.1.1"), core.Null()),
            core.OctetString(signature),
        )  # fmt: skip
        content = wrap(
            0x30,
            core.ObjectIdentifier("1.2.840.113549.1.7.3").dump()
            + explicit(core.OctetString(envelope).dump()),
        )
        whole = wrap(
            0x30,
            core.Integer(1).dump() + of_set(hashed) + content + of_set(signer),
        )
        return wrap(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + explicit(whole))

    def identifier(self, certificate: x509.Certificate) -> Any:
        _, cms, _ = library()
        x509_of = pytest.importorskip("asn1crypto.x509")
        read = x509_of.Certificate.load(certificate.public_bytes(Encoding.DER))
        return cms.IssuerAndSerialNumber(
            {"issuer": read.issuer, "serial_number": read.serial_number}
        )

    def _envelope(self, to: x509.Certificate, oid: str, initial: bytes, sealed: bytes,
                  wrapped: bytes, *, old: bool) -> bytes:  # fmt: skip
        algos, cms, core = library()
        recipient = self.identifier(to)
        sha = core.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
        if not old:
            parameters = algos.RSAESOAEPParams(
                {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "mask_gen_algorithm": {
                        "algorithm": "mgf1", "parameters": {"algorithm": "sha256"}
                    },
                }
            )  # fmt: skip
            return cms.EnvelopedData(
                {
                    "version": "v0",
                    "recipient_infos": [
                        cms.RecipientInfo(
                            "ktri",
                            cms.KeyTransRecipientInfo(
                                {
                                    "version": "v0",
                                    "rid": cms.RecipientIdentifier(
                                        "issuer_and_serial_number", recipient
                                    ),
                                    "key_encryption_algorithm": {
                                        "algorithm": "rsaes_oaep", "parameters": parameters
                                    },
                                    "encrypted_key": wrapped,
                                }
                            ),
                        )
                    ],
                    "encrypted_content_info": {
                        "content_type": "data",
                        "content_encryption_algorithm": {
                            "algorithm": "aes128_cbc" if oid.startswith("2") else "tripledes_3key",
                            "parameters": initial,
                        },
                        "encrypted_content": sealed,
                    },
                }
            ).dump()  # fmt: skip
        mask = sequence(core.ObjectIdentifier("1.2.840.113549.1.1.8"), sequence(sha))
        label = sequence(core.ObjectIdentifier("1.2.840.113549.1.1.9"), core.OctetString(b""))
        way = sequence(
            core.ObjectIdentifier("1.2.840.113549.1.1.7"),
            sequence(sequence(sha, core.Null()), mask, label),
        )
        one = sequence(core.Integer(0), recipient, way, core.OctetString(wrapped))
        inner = wrap(
            0x30,
            core.ObjectIdentifier(oid).dump() + core.OctetString(initial).dump()
            + wrap(0x80, sealed),
        )  # fmt: skip
        content = wrap(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.1").dump() + inner)
        return core.Integer(0).dump() + of_set(one) + content

    def opened(self, token: bytes, signer: x509.Certificate, folder: Path) -> tuple[bytes, dict]:
        """The key in a token for this partner; openssl judges the signature, asn1crypto reads."""
        _, cms, core = library()
        where, pem, out = folder / "token.der", folder / "signer.pem", folder / "envelope"
        where.write_bytes(token)
        pem.write_bytes(signer.public_bytes(Encoding.PEM))
        openssl("cms", "-verify", "-inform", "DER", "-in", where, "-certfile", pem, "-noverify",
                "-binary", "-out", out)  # fmt: skip
        read = cms.ContentInfo.load(token)["content"]
        [said] = read["signer_infos"]
        attributes = {one["type"].dotted: one["values"][0] for one in said["signed_attrs"]}
        assert said["sid"].chosen.native == self.identifier(signer).native
        _, recipients, content = children(out.read_bytes())
        [(one, _)] = children(recipients[0])
        _, to, _, sealed = children(one)
        assert to[1] == self.identifier(self.certificate).dump()
        ephemeral = self.private.decrypt(sealed[0], oaep())
        oid, initial, enciphered = children(children(content[0])[1][0])
        named = core.ObjectIdentifier.load(oid[1]).dotted
        sort, _, width, _ = next(row for row in CIPHERS.values() if row[3] == named)
        decryptor = Cipher(sort(ephemeral), CBC(initial[0])).decryptor()
        padder = padding.PKCS7(width * 8).unpadder()
        plain = padder.update(decryptor.update(enciphered[0])) + padder.finalize()
        _, who, octets, _ = children(children(plain)[0][0])
        assert who[1] == self.identifier(signer).dump()
        return octets[0], attributes


def library() -> tuple[Any, Any, Any]:
    core = pytest.importorskip("asn1crypto.core", reason="asn1crypto is absent")
    return (
        pytest.importorskip("asn1crypto.algos"), pytest.importorskip("asn1crypto.cms"), core,
    )  # fmt: skip


def wrap(tag: int, body: bytes) -> bytes:
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def explicit(octets: bytes) -> bytes:
    return wrap(0xA0, octets)


def octets_of(part: Any) -> bytes:
    return part if isinstance(part, bytes) else part.dump()


def sequence(*parts: Any) -> bytes:
    return wrap(0x30, b"".join(octets_of(one) for one in parts))


def of_set(*parts: Any) -> bytes:
    """A set in the order of DER."""
    return wrap(0x31, b"".join(sorted(octets_of(one) for one in parts)))


def children(octets: bytes) -> list[tuple[bytes, bytes]]:
    """The content and the octets of each value in `octets`, as asn1crypto takes them apart."""
    parser = pytest.importorskip("asn1crypto.parser")
    found, place = [], 0
    while place < len(octets):
        _, _, _, head, content, tail = parser.parse(octets[place:])
        found.append((content, head + content + tail))
        place += len(head) + len(content) + len(tail)
    return found
