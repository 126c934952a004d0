"""Paths of certificates to a pinned root: names, times, signatures, limits of issuers, purposes.

What was revoked is not known here.

Source: RFC 5280, 6.1
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from tallystick.infrastructure.crypto.certify import UNREADABLE, moment
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import Instant

LONGEST = 3
"""The most issuers between a certificate and a root."""

_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string


def path_of(
    leaf: Certificate,
    issuers: Sequence[Certificate],
    roots: Sequence[Certificate],
    at: Instant,
    purpose: str,
) -> tuple[Certificate, ...]:
    """The certificates from `leaf` by way of `issuers` to one of `roots`, both ends included.

    `purpose` is the object identifier of the extended key usage that the leaf must have. Raises
    NotAuthentic where no path holds at `at`.
    Source: RFC 5280, 6.1; 4.2.1.12
    """
    if not roots:
        raise NotAuthentic("no root is pinned")
    try:
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store([one.parsed for one in roots]))
            .time(moment(at))
            .max_chain_depth(LONGEST)
            .extension_policies(
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
                ee_policy=_leaf_policy(purpose),
            )
            .build_client_verifier()
        )
        chain = verifier.verify(leaf.parsed, [one.parsed for one in issuers]).chain
    except verification.VerificationError as error:
        raise NotAuthentic(
            "no path leads from the certificate to a root that is pinned", because=_short(error)
        ) from error
    except UNREADABLE as error:
        raise NotAuthentic("the certificate cannot be led back to a root") from error
    by_parsed = {one.parsed: one for one in (leaf, *issuers, *roots)}
    return tuple(by_parsed[one] for one in chain)


def _short(error: Exception) -> str:
    return str(error).partition(" (encountered")[0][:160]


def _leaf_policy(purpose: str) -> verification.ExtensionPolicy:
    def usage(
        _: verification.Policy, __: x509.Certificate, found: x509.ExtendedKeyUsage | None
    ) -> None:
        named = [] if found is None else [one.dotted_string for one in found]
        if purpose not in named or _ANY in named:
            raise ValueError("the certificate is for another purpose")

    def signs(_: verification.Policy, __: x509.Certificate, found: x509.KeyUsage | None) -> None:
        if found is None or not found.digital_signature or found.key_cert_sign:
            raise ValueError("the key of the certificate may not sign so")

    def end(
        _: verification.Policy, __: x509.Certificate, found: x509.BasicConstraints | None
    ) -> None:
        if found is not None and found.ca:
            raise ValueError("an issuer's certificate is not for use by itself")

    either = verification.Criticality.AGNOSTIC
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.ExtendedKeyUsage, either, usage)
        .require_present(x509.KeyUsage, either, signs)
        .may_be_present(x509.BasicConstraints, either, end)
        .require_present(x509.AuthorityKeyIdentifier, either, None)
    )


def certificates_in(pem: bytes) -> tuple[Certificate, ...]:
    """Every certificate in `pem`, in its order; raises Malformed if there is none.

    Source: RFC 7468, 5
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
        return tuple(read_certificate(one.public_bytes(Encoding.DER)) for one in found)
    except UNREADABLE as error:
        raise Malformed("there is no certificate in PEM here") from error
