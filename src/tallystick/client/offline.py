"""A device without a network: verifies the request in a QR code and answers it by OCRA.

Source: RFC 6287; RFC 7515, 5.2; ISO/TS 12812-2:2017, 7.3.2; 11.2.2
"""

from collections.abc import Mapping

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.otp import Mac, OcraInput, OcraSuite, ocra_code
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Expired, NotAuthentic
from tallystick.kernel.time import Instant
from tallystick.protocol.approvals import OfflineRequest, approval_text, offline_header

SUITE = "OCRA-1:HOTP-SHA256-8:C-QH64"
"""The suite that the provider takes."""

_requests = Decoder(OfflineRequest, limit=8192)


def read_request(
    signed: str, keys: Mapping[str, VerifyKey], now: Instant, *, account: str
) -> OfflineRequest:
    """The request in a QR code, if the provider signed it and it is for `account`.

    Raises NotAuthentic for anything else, Expired past its time.
    Source: RFC 7515, 5.2; ISO/TS 12812-2:2017, 11.2.2
    """
    header, payload, mark, message = split_compact(signed)
    for kid, verifier in keys.items():
        if header == offline_header(verifier.algorithm, kid):
            verifier.verify(mark, message)
            break
    else:
        raise NotAuthentic("the provider did not sign this")
    asked = _requests.decode_canonical(payload)
    digest = sha256(encode_canonical(asked.quote)).hex().upper()
    if asked.question != digest or asked.quote.payer != account:
        raise NotAuthentic("the request is not what it says, or not for this account")
    if asked.text != approval_text(asked.quote, asked.asked_by):
        raise NotAuthentic("the text is not what the quote says")
    if now > asked.expires_at:
        raise Expired("the request is past its time")
    return asked


def answer(asked: OfflineRequest, mac: Mac, counter: int) -> str:
    """The eight digits for `asked`; the counter is used once and moves on.

    Source: RFC 6287, 5.2
    """
    given = OcraInput(asked.question, counter=counter)
    return ocra_code(mac, OcraSuite.read(SUITE), given)
