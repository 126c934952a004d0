"""Pairs of keys and certificates of partners at the door.

A private half leaves in no way, whatever `Exportable` says of the pair.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280; AWS Payment Cryptography API, 2021-09-14
"""

import asyncio
import base64
import binascii
from typing import Final, NamedTuple

from tallystick.application.paycrypt.model import PAIR, PUBLIC_HALF
from tallystick.entry.paycrypt.asking import PURPOSE_OF, Asking, Loaded
from tallystick.entry.paycrypt.keys import HERE, chosen_modes, keep, new_row
from tallystick.entry.paycrypt.revoking import must_stand
from tallystick.infrastructure.crypto.path_rules import PARTNERS
from tallystick.infrastructure.crypto.paths import check_each, check_issuer
from tallystick.infrastructure.crypto.x509 import Certificate, read_pem
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_interface import (
    ECDH_P256,
    ECDH_P384,
    ECDH_P521,
    RSA_OAEP_2048,
    RSA_OAEP_3072,
    RSA_SIGNATURE,
)
from tallystick.infrastructure.modules.pair_keys import PairKey
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.protocol.paycrypt.control import CreateKey, KeyAnswer, OfKey
from tallystick.protocol.paycrypt.exchange import (
    CertificateAnswer,
    RootCertificate,
    SigningRequest,
    SigningRequestAnswer,
    TrustedCertificate,
)
from tallystick.protocol.paycrypt.words import KeyAttributes

_D1: Final = "TR31_D1_ASYMMETRIC_KEY_FOR_DATA_ENCRYPTION"
_K2: Final = "TR31_K2_TR34_ASYMMETRIC_KEY"
_K3: Final = "TR31_K3_ASYMMETRIC_KEY_FOR_KEY_AGREEMENT"
_S0: Final = "TR31_S0_ASYMMETRIC_KEY_FOR_DIGITAL_SIGNATURE"
_BITS: Final = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_CURVES: Final = {
    "ECC_NIST_P256": ECDH_P256, "ECC_NIST_P384": ECDH_P384, "ECC_NIST_P521": ECDH_P521,
}  # fmt: skip
_SIGN: Final = frozenset({"sign"})
_MADE: Final = {
    (_D1, frozenset({"encrypt", "decrypt", "wrap", "unwrap"})): (Purpose.PAIR_DATA, "B"),
    (_D1, frozenset({"encrypt", "decrypt"})): (Purpose.PAIR_DATA, "B"),
    (_D1, frozenset({"decrypt", "unwrap"})): (Purpose.PAIR_DATA, "D"),
    (_D1, frozenset({"decrypt"})): (Purpose.PAIR_DATA, "D"),
    (_K2, frozenset({"decrypt", "unwrap"})): (Purpose.PAIR_TRANSPORT, "D"),
    (_K2, frozenset({"unwrap"})): (Purpose.PAIR_TRANSPORT, "D"),
    (_K2, _SIGN): (Purpose.PAIR_SIGNATURE, "S"),
    (_S0, _SIGN): (Purpose.PAIR_SIGNATURE, "S"),
    (_S0, frozenset({"sign", "verify"})): (Purpose.PAIR_SIGNATURE, "S"),
    (_K3, frozenset({"derive_key"})): (Purpose.PAIR_AGREEMENT, "X"),
}
_TRUSTED: Final = {
    (_S0, frozenset({"verify"})): "V",
    (_D1, frozenset({"encrypt", "wrap"})): "E",
    (_D1, frozenset({"encrypt"})): "E",
}


class Pair(NamedTuple):
    """What a pair is made as: its purpose, mechanism, length in bits, and mode.

    Source: X9.143, 6
    """

    purpose: Purpose
    mechanism: str
    bits: int
    mode: str


async def create(ask: Asking, asked: CreateKey) -> KeyAnswer:
    """A fresh pair; its private half stays in the module.

    Source: AWS Payment Cryptography API, CreateKey
    """
    pair, module, derives = admitted(asked.key_attributes), ask.on.module, ""
    if pair.purpose is Purpose.PAIR_AGREEMENT:
        derives = asked.derive_key_usage or ""
        if derives not in PURPOSE_OF:
            raise Malformed("a pair for agreements takes a DeriveKeyUsage that is served here")
    elif asked.derive_key_usage is not None:
        raise Malformed("only a pair for agreements takes a DeriveKeyUsage")
    handle = await asyncio.to_thread(
        module.pairs.make, pair.purpose, pair.mechanism, pair.bits, pair.mode
    )
    row = new_row(
        ask.on,
        handle,
        asked.key_attributes,
        exportable=asked.exportable,
        origin=HERE,
        kcv_algorithm="",
        enabled=asked.enabled,
        tags=asked.tags,
        derives=derives,
    )
    return await keep(ask, "CreateKey", handle, row)


def admitted(given: KeyAttributes) -> Pair:
    """What a pair with these attributes is made as.

    Raises NotPermitted for what is not served or does not go together.
    Source: AWS Payment Cryptography API, KeyAttributes; X9.143, 6
    """
    chosen = frozenset(chosen_modes(given.key_modes_of_use))
    known = _MADE.get((given.key_usage, chosen))
    if given.key_class != PAIR or known is None:
        raise NotPermitted("pairs of this usage with these modes of use are not served here")
    purpose, mode = known
    bits, curve = _BITS.get(given.key_algorithm, 0), _CURVES.get(given.key_algorithm, "")
    if purpose is Purpose.PAIR_AGREEMENT and curve:
        return Pair(purpose, curve, 0, mode)
    if purpose is Purpose.PAIR_SIGNATURE and bits:
        return Pair(purpose, RSA_SIGNATURE, bits, mode)
    if purpose is not Purpose.PAIR_AGREEMENT and bits:
        return Pair(purpose, RSA_OAEP_2048 if bits == 2048 else RSA_OAEP_3072, bits, mode)
    raise NotPermitted(f"{given.key_usage} does not go with {given.key_algorithm}")


def show_certificate(ask: Asking, asked: OfKey) -> CertificateAnswer:
    """The certificate of a pair of this door, and that of the door's authority.

    Source: AWS Payment Cryptography API, GetPublicKeyCertificate
    """
    key = of_pair(ask, asked.key_identifier)
    pairs, authority = ask.on.module.pairs, ask.on.authorities.of(key.row.algorithm)
    return CertificateAnswer(
        key_certificate=text_of(pairs.certificate_of(key.handle, authority)),
        key_certificate_chain=text_of(pairs.certificate_of(authority, authority)),
    )


def request(ask: Asking, asked: SigningRequest) -> SigningRequestAnswer:
    """A request for a certificate, for an authority that is not the door's.

    Source: AWS Payment Cryptography API, GetCertificateSigningRequest
    """
    key, by = of_pair(ask, asked.key_identifier), asked.certificate_subject
    subject = {
        "C": by.country, "ST": by.state_or_province, "L": by.city, "O": by.organization,
        "OU": by.organization_unit, "CN": by.common_name, "E": by.email_address,
    }  # fmt: skip
    given = {name: value for name, value in subject.items() if value is not None}
    made = ask.on.module.pairs.request_of(key.handle, given, asked.signing_algorithm)
    return SigningRequestAnswer(certificate_signing_request=text_of(made))


def believe(ask: Asking, given: RootCertificate) -> KeyHandle:
    """The certificate of an authority, believed from now on by whoever names it.

    Raises NotAuthentic for one that is not signed by itself, may not issue, or does not hold now.
    Source: AWS Payment Cryptography API, RootCertificatePublicKey
    """
    found, now = certificate_in(given.public_key_certificate), ask.on.clock.now()
    if not found.issued_by(found):
        raise NotAuthentic("a root certificate is signed by itself")
    check_each(found, PARTNERS, now)  # what it limits is below it, not itself
    return _trusted(ask, given, found, "V")


def trust(ask: Asking, given: TrustedCertificate) -> KeyHandle:
    """A certificate that an authority in the door issued: of an authority below it, or of a key.

    Source: AWS Payment Cryptography API, TrustedCertificatePublicKey
    """
    found = issued(ask, given.certificate_authority_public_key_identifier,
                   given.public_key_certificate)  # fmt: skip
    return _trusted(ask, given, found, "")


def issued(ask: Asking, authority: str, text: str) -> Certificate:
    """The certificate in `text`, only if the authority in the door that is named issued it.

    Raises NotAuthentic otherwise, for one whose days are over and one that was revoked,
    NotPermitted where no current list tells.
    Source: RFC 5280, 6.1; AWS Payment Cryptography API
    """
    above = ask.usable(authority)
    ask.must_be(above, Purpose.PARTNER_CERTIFICATE)
    octets, now = certificate_in(text).octets, ask.on.clock.now()
    found = ask.on.module.pairs.issued(above.handle, octets, now)
    must_stand(ask, found, ask.on.module.pairs.held(above.handle).certificate)
    return found


def certificate_in(text: str) -> Certificate:
    """The certificate in a field of the model: PEM in base64, or PEM or DER as such.

    Raises Malformed for anything else.
    Source: AWS Payment Cryptography API, CertificateType
    """
    if text.lstrip().startswith("-----"):
        return read_pem(text.encode("ascii", "replace"))
    try:
        return read_pem(base64.b64decode(text.encode("ascii"), validate=True))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Malformed("a certificate is given as PEM in base64") from error


def text_of(pem: bytes) -> str:
    """A certificate as the model has it.

    Source: AWS Payment Cryptography API, CertificateType
    """
    return base64.b64encode(pem).decode("ascii")


def of_pair(ask: Asking, identifier: str) -> Loaded:
    """The pair of this door that `identifier` names; NotPermitted for other keys.

    Source: AWS Payment Cryptography API
    """
    key = ask.usable(identifier)
    if key.row.sort != PAIR:
        raise NotPermitted("the key is no pair of this door")
    return key


def algorithm_of_pair(key: PairKey) -> str:
    """The model's name of the algorithm of a pair or certificate.

    Source: AWS Payment Cryptography API, KeyAlgorithm
    """
    return f"RSA_{key.bits}" if key.is_rsa else f"ECC_NIST_P{key.bits}"


def _trusted(ask: Asking, given: RootCertificate, found: Certificate, only: str) -> KeyHandle:
    attributes = given.key_attributes
    chosen = frozenset(chosen_modes(attributes.key_modes_of_use))
    mode = _TRUSTED.get((attributes.key_usage, chosen), "")
    if attributes.key_class != PUBLIC_HALF or not mode or (only and mode != only):
        raise NotPermitted("certificates of this usage with these modes of use are not served")
    if mode == "V":
        check_issuer(found, 0)
    pairs = ask.on.module.pairs
    handle = pairs.trust(found.octets, mode)
    if algorithm_of_pair(pairs.held(handle)) != attributes.key_algorithm:
        ask.on.module.destroy(handle)
        raise NotPermitted("the certificate has a key of another algorithm than is said")
    return handle
