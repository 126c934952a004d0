"""Certificates of ours: drafted in parts, signed through a handle; requests for them, read.

Source: RFC 5280, 4.1; 4.2; RFC 2986
"""

import datetime as dt
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tallystick.infrastructure.crypto.delegated import DelegatedKey
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.crypto.x509 import UNREADABLE, Certificate, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import Instant

_PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey
_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A certificate before it is signed; times in ms, `public` a SubjectPublicKeyInfo in DER.

    `usages` and `purposes` are key usages by name and extended ones by object identifier;
    `critical` says whether whoever does not know the latter has to refuse. `permitted` limits the
    DNS names below an issuer. `issuer` is None where a key certifies itself. `unchecked` frees the
    certificate of a responder from being asked about.
    Source: RFC 5280, 4.1; 4.2; RFC 6960, 4.2.2.2.1
    """

    organisation: str
    name: str
    public: bytes
    serial: int
    not_before: Instant
    not_after: Instant
    usages: frozenset[str]
    issuer: Certificate | None = None
    authority: bool = False
    path_length: int | None = None
    purposes: tuple[str, ...] = ()
    critical: bool = False
    dns: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    list_url: str = ""
    responder_url: str = ""
    unchecked: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a certificate proves: that somebody has the private half of `public`.

    `sort` is `p256`, `p384`, `ed25519`, `rsa3072` or another that no profile takes.
    Source: RFC 2986, 4
    """

    public: bytes
    sort: str


def sign_certificate(draft: Draft, signer: SigningKey) -> Certificate:
    """The certificate of `draft` as `signer` signs it.

    Raises Malformed for a draft that no certificate can be made of.
    Source: RFC 5280, 4.1
    """
    try:
        octets = _built(draft).sign(DelegatedKey(signer), SHA256()).public_bytes(Encoding.DER)
    except UNREADABLE as error:
        raise Malformed("no certificate can be made of this", remedy="check its names") from error
    return read_certificate(octets)


def _built(draft: Draft) -> x509.CertificateBuilder:
    public = _loaded(draft.public)
    subject = _name(draft.organisation, draft.name)
    above = draft.issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if above is None else above.parsed.subject)
        .serial_number(draft.serial)
        .not_valid_before(moment(draft.not_before))
        .not_valid_after(moment(draft.not_after))
        .public_key(public)
        .add_extension(x509.BasicConstraints(draft.authority, draft.path_length), critical=True)
        .add_extension(_usage(draft.usages), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_authority_identifier(draft, public), critical=False)
    )
    for extension, critical in _more(draft):
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _more(draft: Draft) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if draft.purposes:
        oids = [x509.ObjectIdentifier(one) for one in draft.purposes]
        found.append((x509.ExtendedKeyUsage(oids), draft.critical))
    names: list[x509.GeneralName] = [x509.DNSName(one) for one in draft.dns]
    names += [x509.UniformResourceIdentifier(one) for one in draft.uris]
    if names:
        found.append((x509.SubjectAlternativeName(names), False))
    if draft.permitted:
        permitted = [x509.DNSName(one) for one in draft.permitted]
        found.append((x509.NameConstraints(permitted, None), True))
    if draft.list_url:
        where = [x509.UniformResourceIdentifier(draft.list_url)]
        point = x509.DistributionPoint(where, None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if draft.responder_url:
        way = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP,
            x509.UniformResourceIdentifier(draft.responder_url),
        )
        found.append((x509.AuthorityInformationAccess([way]), False))
    if draft.unchecked:
        found.append((x509.OCSPNoCheck(), False))
    return found


def _authority_identifier(draft: Draft, public: _PublicKey) -> x509.AuthorityKeyIdentifier:
    if draft.issuer is None:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    above = draft.issuer.parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above.value)


def _usage(wanted: frozenset[str]) -> x509.KeyUsage:
    if wanted - set(_USAGES):
        raise Malformed("a key usage has no such name")
    return x509.KeyUsage(*(one in wanted for one in _USAGES))


def _name(organisation: str, name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _loaded(octets: bytes) -> _PublicKey:
    public = load_der_public_key(octets)
    if not isinstance(public, EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey):
        raise Malformed("the key is of a sort that no certificate is made for")
    return public


def read_request(octets: bytes) -> Asked:
    """The key that the request for a certificate in `octets` (DER or PEM) proves possession of.

    Raises Malformed for another form, NotAuthentic where the request is not signed by its key.
    Source: RFC 2986, 4.2; RFC 4211, 4
    """
    load: Callable[[bytes], x509.CertificateSigningRequest] = (
        x509.load_pem_x509_csr if octets.lstrip().startswith(b"-----") else x509.load_der_x509_csr
    )
    try:
        request = load(octets)
        proved, public = request.is_signature_valid, request.public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UNREADABLE as error:
        raise Malformed(
            "this is no request for a certificate", remedy="openssl req -new"
        ) from error
    except InvalidSignature as error:
        raise NotAuthentic("the request is not signed by the key that it names") from error
    if not proved:
        raise NotAuthentic("the request is not signed by the key that it names")
    return Asked(public=spki, sort=key_sort(public))


def key_sort(public: object) -> str:
    """The sort of a public key: `p256`, `p384`, `ed25519`, `rsa3072` (or longer), or another word.

    Source: RFC 5480; RFC 8410; RFC 8017
    """
    if isinstance(public, EllipticCurvePublicKey):
        return {"secp256r1": "p256", "secp384r1": "p384"}.get(public.curve.name, public.curve.name)
    if isinstance(public, RSAPublicKey):
        return "rsa3072" if public.key_size >= 3072 else f"rsa{public.key_size}"
    return "ed25519" if isinstance(public, Ed25519PublicKey) else "another"


def names_of(certificate: Certificate) -> tuple[str, str]:
    """The organisation and the common name of the subject of `certificate`, empty if it has none.

    Source: RFC 5280, 4.1.2.6
    """
    subject = certificate.parsed.subject
    both = (
        subject.get_attributes_for_oid(oid)
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    )
    organisation, name = (str(found[0].value) if found else "" for found in both)
    return organisation, name


def uris_of(certificate: Certificate) -> tuple[str, ...]:
    """The URIs among the names of the subject of `certificate`.

    Source: RFC 5280, 4.2.1.6
    """
    try:
        names = certificate.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.value.get_values_for_type(x509.UniformResourceIdentifier))


def public_of(certificate: Certificate) -> bytes:
    """The key that `certificate` certifies: SubjectPublicKeyInfo in DER.

    Source: RFC 5280, 4.1.2.7
    """
    return certificate.parsed.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def public_of_signer(signer: SigningKey) -> bytes:
    """The public half of `signer`: SubjectPublicKeyInfo in DER.

    Source: RFC 5280, 4.1.2.7
    """
    return (
        DelegatedKey(signer)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


def pem_of(octets: bytes, label: str = "CERTIFICATE") -> str:
    """`octets` in PEM under `label`, a line feed at the end.

    Source: RFC 7468, 2
    """
    text = b64encode(octets).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def moment(at: int) -> dt.datetime:
    """`at` (ms) as the library takes it: UTC, whole seconds.

    Source: RFC 5280, 4.1.2.5
    """
    return dt.datetime.fromtimestamp(at // 1000, tz=dt.UTC)


def instant(moment_utc: dt.datetime) -> Instant:
    """The instant (ms) of a moment that the library gives.

    Source: RFC 5280, 4.1.2.5
    """
    return Instant(int(moment_utc.timestamp()) * 1000)
