"""Probes through the service's doors, by nobody in particular: everything tried must be refused.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; 11.2.3
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from tallystick.client.http import HttpTransport
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.client.session import JSON_MEDIA_TYPE, Reply, refusal
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    failed,
    judged,
    passed,
    unknown,
)
from tallystick.entry.proving.site import Site
from tallystick.infrastructure.crypto.key_list import list_address, verify_key_list
from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Es256SigningKey,
    VerifyKey,
)
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import (
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from tallystick.kernel.ids import timed_id
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.operators import FundAccount
from tallystick.protocol.session import Purpose
from tallystick.protocol.tally_api import SignedKeyList

SEALED_DOORS: Final = ("/v1/quotes", "/v1/payments", "/v1/receipts", "/v1/account")
_TOO_LARGE: Final = 96 * 1024
_TIMEOUT_S: Final = 10.0
_lists: Final = Decoder(SignedKeyList)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("doors.ready", CheckKind.POSITIVE, ("MFS-7.2.3-02",),
     "the service takes orders and serves the list that its root signed"),
    ("doors.unsealed", CheckKind.NEGATIVE, ("MFS-6.2.2-04", "MFS-7.3.3-02"),
     "a request that is not sealed is refused at every sealed door"),
    ("doors.garbage", CheckKind.NEGATIVE, ("MFS-7.2.5-05", "MFS-11.2.3-02"),
     "what is no message of ours is refused and changes nothing"),
    ("doors.too-large", CheckKind.NEGATIVE, ("MFS-7.2.5-05",),
     "what is too large is refused"),
    ("doors.strange-operator", CheckKind.NEGATIVE, ("MFS-7.2.7-05", "MFS-6.2.3-03"),
     "an act of an operator whom nobody enrolled is refused"),
    ("doors.guessed-code", CheckKind.NEGATIVE, ("MFS-6.2.3-03",),
     "a guessed code enrols no operator"),
    ("doors.rogue-provider", CheckKind.NEGATIVE, ("MFS-7.2.7-01", "MFS-7.3.2-05"),
     "a client gives nothing to a provider whose key its root did not list"),
    ("doors.rogue-list", CheckKind.NEGATIVE, ("MFS-7.2.3-02",),
     "a client does not believe a key list of another root"),
    ("doors.tls", CheckKind.NEGATIVE, ("MFS-7.2.3-01",),
     "the listener speaks TLS 1.3 and nothing older"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class DoorProbes:
    """Knocks at every door of the service without being anybody.

    Source: ISO/TS 12812-2:2017, 7.2.7; 11.2.3
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe; that of TLS only where TLS ends here.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "doors.ready": self.ready,
            "doors.unsealed": self.unsealed,
            "doors.garbage": self.garbage,
            "doors.too-large": self.too_large,
            "doors.strange-operator": self.strange_operator,
            "doors.guessed-code": self.guessed_code,
            "doors.rogue-provider": self.rogue,
            "doors.rogue-list": self.rogue_list,
        }
        if self._site.everything or self._site.url.startswith("https:"):
            looks["doors.tls"] = self.tls
        declare(registry, _DECLARED, looks)

    def _link(self) -> HttpTransport:
        return HttpTransport(self._site.url, ca_file=self._site.ca_file, timeout_s=_TIMEOUT_S)

    def ready(self, now: Instant) -> Seen:
        """Whether the service takes orders, under the list that is in the folder.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        link, root = self._link(), self._site.folder.settings().root.verify_key()
        try:
            if link.get("/health/ready").status != 200:
                return failed("the service does not take orders")
            served = _lists.decode(link.get(list_address(root)).body).key_list
        finally:
            link.close()
        listed = verify_key_list(served, root, now, 0)
        return passed(f"takes orders, key list {listed.version}", version=listed.version)

    def _size(self) -> int:
        point = self._site.log_point()
        return 0 if point is None else point.size

    def _each(self, doors: tuple[str, ...], body: bytes, media_type: str) -> dict[str, Seen]:
        link = self._link()
        try:
            return {
                door: attempted(
                    partial(_answered, link, door, body, media_type),
                    Malformed, NotAuthentic, Unauthenticated, NotFound, NotPermitted, TooLarge,
                )
                for door in doors
            }  # fmt: skip
        finally:
            link.close()

    def unsealed(self, now: Instant) -> Seen:
        """Sends requests in clear where only sealed ones belong.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        return all_attempted(self._each(SEALED_DOORS, b"{}", JSON_MEDIA_TYPE))

    def garbage(self, now: Instant) -> Seen:
        """Sends octets of the right media type that are no message, and looks at the log's size.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        before = self._size()
        noise = operating_system(160)
        seen = self._each(SEALED_DOORS, noise, SEALED_MEDIA_TYPE)
        seen |= self._each(("/v1/sessions", "/v1/operators", "/v1/ussd"), noise, JSON_MEDIA_TYPE)
        found = all_attempted(seen)
        if self._site.platform is not None and self._size() != before:
            return failed("the log grew while only noise was sent", before=before)
        return found

    def too_large(self, now: Instant) -> Seen:
        """Sends more octets than any operation takes.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        return all_attempted(self._each(("/v1/payments",), bytes(_TOO_LARGE), SEALED_MEDIA_TYPE))

    def strange_operator(self, now: Instant) -> Seen:
        """Signs an act with a key of nobody, and sends one without a signature.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        link = self._link()
        nobody = timed_id("opr", now, operating_system(10))
        stranger = Es256SigningKey.generate()
        desk = OperatorDesk(link, nobody, stranger, self._site.clock, operating_system)
        settings = self._site.settings
        body = FundAccount(
            number=self._site.number(1),
            amount_minor=1,
            currency=settings.currency,
            bank_reference="probe",
        )
        try:
            seen = {
                "with a strange key": attempted(
                    lambda: desk.act("fund-account", body),
                    NotAuthentic, NotPermitted, NotFound, Unauthenticated,
                )
            }  # fmt: skip
        finally:
            link.close()
        bare = self._each(("/v1/acts/fund-account",), b'{"jws":"","body":{}}', JSON_MEDIA_TYPE)
        return all_attempted(seen | bare)

    def guessed_code(self, now: Instant) -> Seen:
        """Tries to become an operator with codes that people would guess.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        link = self._link()
        guesses = ("ADMIN-ADMIN", "00000-00000-00000-00000", "AAAAA-AAAAA-AAAAA-AAAAA")
        try:
            return all_attempted(
                {
                    guess: attempted(
                        partial(
                            enrol_operator, link, Secret(guess), "probe", Es256SigningKey.generate()
                        ),
                        NotAuthentic,
                    )
                    for guess in guesses
                }
            )
        finally:
            link.close()

    def rogue(self, now: Instant) -> Seen:
        """Begins a handshake as a client that knows other keys than those the service has.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        provider = self._site.provider()
        try:
            real = provider.keys(ListedPurpose.SESSION_SIGNATURE)
            others: Mapping[str, VerifyKey] = {
                kid: Es256SigningKey.generate().public() for kid in real
            }
            peer = provider.peer()
            wrong = replace(peer, signature_keys=lambda: others, newest_keys=None)
            none = replace(peer, signature_keys=dict, newest_keys=None)
            honest = peer.authenticated(Purpose.SESSION)
            seen = all_attempted(
                {
                    "another key": attempted(
                        lambda: wrong.authenticated(Purpose.SESSION), NotAuthentic
                    ),
                    "no key": attempted(lambda: none.authenticated(Purpose.SESSION), NotAuthentic),
                }
            )
        finally:
            provider.close()
        return seen if honest else unknown("the honest provider was not believed either")

    def rogue_list(self, now: Instant) -> Seen:
        """Holds the served list against another root.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        link, root = self._link(), self._site.folder.settings().root.verify_key()
        try:
            served = _lists.decode(link.get(list_address(root)).body).key_list
        finally:
            link.close()
        other = Ed25519SigningKey.generate().public()
        return attempted(lambda: verify_key_list(served, other, now, 0), NotAuthentic)

    def tls(self, now: Instant) -> Seen:
        """Offers TLS 1.2 alone, and then TLS 1.3.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        try:
            spoken = self._handshake(ssl.TLSVersion.TLSv1_3)
        except OSError as error:
            return unknown(f"no handshake: {type(error).__name__}")
        try:
            self._handshake(ssl.TLSVersion.TLSv1_2)
        except OSError:
            return judged(spoken == "TLSv1.3", "TLS 1.3, and 1.2 is refused", f"speaks {spoken}")
        return failed("TLS 1.2 is spoken")

    def _handshake(self, version: ssl.TLSVersion) -> str | None:
        parts = urlsplit(self._site.url)
        named = self._site.ca_file
        context = ssl.create_default_context(cafile=None if named is None else str(named))
        context.minimum_version = context.maximum_version = version
        host, port = parts.hostname or "", parts.port or 443
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT_S) as link,
            context.wrap_socket(link, server_hostname=host) as tls,
        ):
            return tls.version()


def _answered(link: HttpTransport, door: str, body: bytes, media_type: str) -> Reply:
    """The reply if the request was carried out; raises the refusal otherwise."""
    reply = link.post(door, body, media_type)
    if 200 <= reply.status < 300:
        return reply
    error = refusal(reply)
    if isinstance(error, Unavailable) and 400 <= reply.status < 500:
        raise Malformed(f"answered {reply.status}")
    raise error
