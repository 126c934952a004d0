"""Reads the signature of a request and verifies it.

Source: AWS Signature Version 4; ISO/TS 12812-2:2017, 7.3.2
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tallystick.infrastructure.crypto.digest import equal, hmac_sha256, sha256
from tallystick.infrastructure.sigv4.canonical import (
    ALGORITHM,
    TERMINATOR,
    canonical_request,
    text_to_sign,
)
from tallystick.kernel.errors import Expired, MfsError, NotAuthentic, Unauthenticated
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS, Instant, instant_of

LONGEST_SKEW_MS = 5 * MINUTE_MS
_MOST_KEPT = 1_024
_AUTHORIZATION = re.compile(
    ALGORITHM + r" Credential=(?P<id>[0-9A-Za-z_]{3,64})/(?P<day>[0-9]{8})"
    r"/(?P<region>[a-z0-9-]{1,32})/(?P<service>[a-z0-9-]{1,64})/" + TERMINATOR + r",\s?"
    r"SignedHeaders=(?P<signed>[a-z0-9;_-]{1,1024}),\s?Signature=(?P<mark>[0-9a-f]{64})",
    re.ASCII,
)
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)

Headers = Mapping[str, Sequence[str]]
"""Header fields by name in lower case, each with its values in order."""


class Signed(NamedTuple):
    """What the header says: whose key, for which scope, over which fields.

    Source: AWS Signature Version 4
    """

    access_key_id: str
    day: str
    region: str
    service: str
    fields: tuple[str, ...]
    mark: str

    @property
    def scope(self) -> str:
        """The scope of the signing key.

        Source: AWS Signature Version 4
        """
        return f"{self.day}/{self.region}/{self.service}/{TERMINATOR}"


def read_authorization(headers: Headers) -> Signed:
    """What the Authorization header says.

    Raises Unauthenticated where there is none, NotAuthentic for another form or fields that are not
    in order.
    Source: AWS Signature Version 4
    """
    given = headers.get("authorization", ())
    if not given:
        raise Unauthenticated("the request is not signed", remedy="sign it with Signature V4")
    found = _AUTHORIZATION.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        raise NotAuthentic("the authorization is not one of Signature Version 4")
    fields = tuple(found["signed"].split(";"))
    if list(fields) != sorted(set(fields)):
        raise NotAuthentic("the signed fields are not in order, or one stands twice")
    return Signed(
        found["id"], found["day"], found["region"], found["service"], fields, found["mark"]
    )


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service: 32 bytes.

    Source: AWS Signature Version 4
    """
    made = hmac_sha256(b"AWS4" + secret.encode(), day.encode())
    for part in (region, service, TERMINATOR):
        made = hmac_sha256(made, part.encode())
    return made


class Verifier:
    """Verifies requests to one service in one region.

    `secret_of` gives the secret of an access key id and raises an error of ours where there is
    none; a day's signing key is kept once a request was signed with it.
    Source: AWS Signature Version 4
    """

    __slots__ = ("_kept", "_region", "_secret_of", "_service", "_stand_in")

    def __init__(
        self, secret_of: Callable[[str], Secret[str]], region: str, service: str, stand_in: bytes
    ) -> None:
        """Take signatures for `region` and `service`; `stand_in` is worked with for strangers.

        Source: AWS Signature Version 4
        """
        self._secret_of = secret_of
        self._region = region
        self._service = service
        self._stand_in = stand_in
        self._kept: dict[tuple[str, str], bytes] = {}

    def verify(
        self,
        method: str,
        path: bytes,
        query: bytes,
        headers: Headers,
        body: bytes,
        now: Instant,
    ) -> str:
        """The access key id that signed the request.

        Raises Unauthenticated for no signature, Expired for a date that is too far from `now`,
        NotAuthentic alike for an unknown key, another scope, a field left out and a wrong mark.
        Source: AWS Signature Version 4; ISO/TS 12812-2:2017, 7.3.2
        """
        signed = read_authorization(headers)
        date = _date(headers, signed.day, now)
        if signed.region != self._region or signed.service != self._service:
            raise NotAuthentic("the signature is for another region or service")
        _check_fields(headers, signed.fields)
        payload_hash = sha256(body).hex()
        stated = headers.get("x-amz-content-sha256", (payload_hash,))
        if len(stated) != 1 or not equal(
            stated[0].encode("utf-8", "replace"), payload_hash.encode()
        ):
            raise NotAuthentic("the body is not the one whose hash is stated")
        request = canonical_request(method, path, query, headers, signed.fields, payload_hash)
        text = text_to_sign(date, signed.scope, request)
        name, mark = (signed.access_key_id, signed.day), signed.mark.encode()
        if _is_made_with(self._kept.get(name, self._stand_in), text, mark) and name in self._kept:
            return signed.access_key_id
        made, is_known = self._signing_key(signed)
        if not _is_made_with(made, text, mark) or not is_known:
            raise NotAuthentic("the signature does not verify")
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[name] = made
        return signed.access_key_id

    def _signing_key(self, signed: Signed) -> tuple[bytes, bool]:
        """The key of a day and whether it is somebody's; the work is the same for nobody's.

        Whoever fails has it done each time, so that nobody learns from the time who was here today.
        """
        try:
            secret, is_known = self._secret_of(signed.access_key_id).reveal(), True
        except MfsError:
            secret, is_known = self._stand_in.hex(), False
        return signing_key(secret, signed.day, self._region, self._service), is_known


def _is_made_with(key: bytes, text: bytes, mark: bytes) -> bool:
    return equal(hmac_sha256(key, text).hex().encode(), mark)


def _date(headers: Headers, day: str, now: Instant) -> str:
    given = headers.get("x-amz-date", ())
    if len(given) != 1 or not _DATE.fullmatch(given[0]) or given[0][:8] != day:
        raise NotAuthentic("the date of the request is not that of its scope")
    date = given[0]
    spelled = f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[9:11]}:{date[11:13]}:{date[13:15]}Z"
    try:
        at = instant_of(spelled)
    except MfsError as error:
        raise NotAuthentic("the date of the request is none") from error
    if abs(now - at) > LONGEST_SKEW_MS:
        raise Expired("the signature is of another time", remedy="set the clock, and sign again")
    return date


def _check_fields(headers: Headers, signed: tuple[str, ...]) -> None:
    if "host" not in signed or "x-amz-date" not in signed:
        raise NotAuthentic("host and date belong under the signature")
    for name in headers:
        if (name.startswith("x-amz-") or name == "content-type") and name not in signed:
            raise NotAuthentic("a field that says something is not under the signature")
    if any(name not in headers for name in signed):
        raise NotAuthentic("a field under the signature did not come")
    if len(headers["host"]) != 1:
        raise NotAuthentic("a request names one host")
