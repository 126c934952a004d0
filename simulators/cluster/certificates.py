"""An authority of the cluster's own and what it signs: nodes, replication, rewinding, platform.

Source: RFC 5280; PostgreSQL 15, 34.19
"""

import datetime as dt
import ipaddress
import os
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulators.cluster.commands import ACCOUNT
from simulators.cluster.layout import ROLE, Layout

DAYS = 30
RENEW_BEFORE = dt.timedelta(days=2)
ROLES = ("replicator", "rewinder")
RESTORED = "restored"


def prepare_certificates(layout: Layout) -> bool:
    """Make authority and certificates unless there are good ones for two more days; were they made?

    Private keys are readable by their account only: the nodes' by postgres, the platform's by root.
    Source: RFC 5280; PostgreSQL 15, 19.9.1
    """
    if _still_good(layout.certificates / f"{ROLE}.crt"):
        return False
    shutil.rmtree(layout.certificates, ignore_errors=True)
    layout.certificates.mkdir(parents=True)
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tallystick cluster authority")])
    root = (
        _begun(name, name, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority, hashes.SHA256())
    )
    _write(layout.certificates / "ca.crt", root.public_bytes(serialization.Encoding.PEM), 0o644)
    for node in layout.nodes:
        _issue(layout, root, authority, node.name, address=node.address, owner=ACCOUNT)
    _issue(layout, root, authority, RESTORED, address="127.0.0.1", owner=ACCOUNT)
    for role in ROLES:
        _issue(layout, root, authority, role, address=None, owner=ACCOUNT)
    _issue(layout, root, authority, ROLE, address=None, owner="root")
    return True


def _still_good(path: Path) -> bool:
    if not path.is_file():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc - RENEW_BEFORE > dt.datetime.now(dt.UTC)


def _begun(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=DAYS))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates,
        crl_sign=signs_certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _issue(
    layout: Layout, root: x509.Certificate, authority: ec.EllipticCurvePrivateKey,
    name: str, *, address: str | None, owner: str,
) -> None:  # fmt: skip
    """A node's certificate serves and asks, as etcd and Patroni do both; a role's only asks."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    begun = (
        _begun(subject, root.subject, private_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            critical=False,
        )
    )
    if address is not None:
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
        begun = begun.add_extension(x509.SubjectAlternativeName(names), critical=False)
    begun = begun.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    certificate = begun.sign(authority, hashes.SHA256())
    _write(
        layout.certificates / f"{name}.key",
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        0o600,
        owner=owner,
    )
    path = layout.certificates / f"{name}.crt"
    _write(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, content: bytes, mode: int, owner: str = "root") -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    path.chmod(mode)
    shutil.chown(path, owner)
