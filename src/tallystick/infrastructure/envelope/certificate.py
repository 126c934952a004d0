"""The device certificate: a compact JWS by the device CA over a device, its customer and two keys.

Source: ISO/TS 12812-2:2017, 3.5; 7.4.1; RFC 7515
"""

from tallystick.infrastructure.crypto.jws import sign_compact, split_compact
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Expired, Malformed, NotAuthentic
from tallystick.kernel.time import Instant
from tallystick.protocol.enrolment import DeviceCertificate

TYPE = "tallystick-device"
_CERTIFICATE: Decoder[DeviceCertificate] = Decoder(DeviceCertificate, limit=4096)


def _header(algorithm: str, kid: str) -> bytes:
    return encode_canonical({"alg": algorithm, "kid": kid, "typ": TYPE})


def issue_certificate(signer: SigningKey, kid: str, certificate: DeviceCertificate) -> str:
    """The certificate as the device CA `kid` signs it.

    Source: ISO/TS 12812-2:2017, 3.5; RFC 7515, 3.1
    """
    return sign_compact(signer, _header(signer.algorithm, kid), encode_canonical(certificate))


def verify_certificate(
    jws: str, *, kid: str, device_ca: VerifyKey, provider: str, now: Instant
) -> DeviceCertificate:
    """The certificate in `jws`, if device CA `kid` of `provider` signed it and it is in time.

    Raises Malformed, NotAuthentic or Expired.
    Source: ISO/TS 12812-2:2017, 3.5; RFC 7515, 5.2
    """
    header, payload, signature, signing_input = split_compact(jws)
    if header != _header(device_ca.algorithm, kid):
        raise NotAuthentic("the certificate is not of this authority")
    device_ca.verify(signature, signing_input)
    certificate = _CERTIFICATE.decode_canonical(payload)
    if certificate.v != 1 or certificate.provider != provider:
        raise Malformed("the certificate is not for this provider")
    if not certificate.not_before <= now < certificate.not_after:
        raise Expired("the certificate is not in its time", remedy="renew it")
    return certificate


def certificate_id(jws: str) -> str:
    """The identifier inside a certificate, whose signature is somebody else's to verify.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 3.5
    """
    return _CERTIFICATE.decode_canonical(split_compact(jws)[1]).id
