"""A provider as an app knows it: an address, a name, and the root key that the app has pinned.

    provider = Provider(url, name=..., origin=..., root=..., clock=..., entropy=...)
    provider.enrol(keystore, activation=..., code=..., ...)     once
    wallet = provider.wallet(keystore)                          then pay

Every other key comes from the list that the root signed. The list is fetched again when it is an
hour old, and an older version than the last is refused.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.2
"""

import threading
from collections.abc import Callable
from pathlib import Path

from tallystick.client.enrolling import enrol
from tallystick.client.evidence import Prove, ProvingSession
from tallystick.client.http import HttpTransport
from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import DeviceKeystore, Entropy
from tallystick.client.meeting import Met
from tallystick.client.session import ClientSession, Peer
from tallystick.client.wallet import Wallet
from tallystick.infrastructure.crypto.dual import DUAL
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.key_list import (
    keys_in_force,
    list_address,
    signature_key,
    verify_key_list,
)
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.httpsig import MessageKey
from tallystick.infrastructure.httpsig.published import published_keys
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.model import Absent, replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS, Clock, Instant
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.enrolment import Attestation, DeviceDescription
from tallystick.protocol.http_signatures import MessageKeys
from tallystick.protocol.keylist import KeyList, ListedPurpose
from tallystick.protocol.tally_api import SignedKeyList

_TAKEN_OVER_MS = 2 * HOUR_MS
"""Every device has a list after an hour, and a service signs with a new key five minutes later."""

SUITES = (KemSuite.MLKEM768_X25519, KemSuite.X25519)
"""What a device offers, best first; a policy may take only the first."""

_lists = Decoder(SignedKeyList)
_message_keys = Decoder(MessageKeys)


class Provider:
    """Reaches one provider and believes only what its pinned root leads to; safe between threads.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.2
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        origin: str,
        root: VerifyKey,
        clock: Clock,
        entropy: Entropy,
        ca_file: Path | None = None,
        app: AppClaim | None = None,
    ) -> None:
        """Reach `url`; `origin` names its tally, `entropy(n)` gives n unpredictable octets.

        `app` is the application that runs here, as each session says it.

        Raises Malformed for an address that is not protected.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._url = url
        self._ca_file = ca_file
        self._clock = clock
        self._entropy = entropy
        self._root = root
        self._app = app
        self._list: KeyList | None = None
        self._fetched_at = 0
        self._fetching = threading.Lock()
        self._links: list[HttpTransport] = []
        self.name = name
        self.origin = origin
        self.transport = self.link()

    def link(self) -> HttpTransport:
        """One more connection to the provider; closed with the others.

        Source: RFC 9112
        """
        link = HttpTransport(self._url, ca_file=self._ca_file)
        self._links.append(link)
        return link

    def close(self) -> None:
        """Close every connection.

        Source: RFC 9112, 9.6
        """
        for link in self._links:
            link.close()

    def keys(self, purpose: ListedPurpose, *, fresh: bool = False) -> dict[str, VerifyKey]:
        """The provider's keys for `purpose` that are in force, the newest first, by key id.

        With `fresh` the list is fetched, however young the one at hand is. Raises Unavailable, and
        what `verify_key_list` raises.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = keys_in_force(self._key_list(fresh=fresh), purpose, self._now())
        return {one.kid: signature_key(one) for one in found}

    def tally_key(self) -> VerifyKey:
        """The key that signs the tally's checkpoints now.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return next(iter(self.keys(ListedPurpose.TALLY).values()))

    def tally_keys(self) -> tuple[VerifyKey, ...]:
        """The keys of the tally's checkpoints in the list, the newest first.

        A key that is listed now signs an hour later, and what the one before signed stays true: a
        device keeps what it believed. Once a key of two signatures has had time to take over, none
        of one signature counts any more.
        Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.7
        """
        found = keys_in_force(self._key_list(fresh=False), ListedPurpose.TALLY, self._now())
        dual = [one for one in found if one.algorithm == DUAL]
        over = any(self._now() - one.not_before > _TAKEN_OVER_MS for one in dual)
        return tuple(signature_key(one) for one in (dual if over else found))

    def message_keys(self) -> dict[str, MessageKey]:
        """The keys that the provider signs HTTP messages with now, by key id.

        They are stated under a key of the list that the pinned root signed. Raises Unavailable,
        NotAuthentic, NotFound.
        Source: ISO/TS 12812-2:2017, 7.4.2; RFC 9421, 3.2
        """
        reply = self.transport.get("/v1/message-keys")
        if reply.status != 200:
            raise Unavailable("the provider gave no keys for messages", remedy="try again")
        stated = _message_keys.decode(reply.body).statements
        listed = self.keys(ListedPurpose.SESSION_SIGNATURE)
        return published_keys(stated, listed, self.name, self._now())

    def peer(self, met: Met | None = None) -> Peer:
        """The provider as a device of its own meets it, over a connection of its own.

        `met` remembers with what it was met; nothing less is offered from then on.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return Peer(
            self.link(),
            self.name,
            lambda: self.keys(ListedPurpose.SESSION_SIGNATURE),
            self._entropy,
            SUITES,
            self._app,
            newest_keys=lambda: self.keys(ListedPurpose.SESSION_SIGNATURE, fresh=True),
            met=met,
        )

    def enrol(
        self,
        keystore: DeviceKeystore,
        *,
        activation: str,
        code: Secret[str],
        description: DeviceDescription,
        shown: str = "enrol this phone",
        attest: Callable[[bytes], Attestation] | None = None,
    ) -> EnrolledIdentity:
        """Bind the keys of `keystore` to the customer whose activation code was entered.

        A description that names no application is given that of this provider. Raises what the
        provider refuses with.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        if self._app is not None and isinstance(description.app, Absent):
            description = replace(description, app=self._app)
        return enrol(
            self.peer(keystore),
            keystore,
            activation=activation,
            code=code,
            description=description,
            shown=shown,
            attest=attest,
        )

    def session(self, keystore: DeviceKeystore, *, prove: Prove | None = None) -> ClientSession:
        """A session of an enrolled device; it is established at its first use.

        `prove` answers where the provider asks for a fresh proof of the device.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        if prove is None:
            return ClientSession(self.peer(keystore), keystore, self._clock)
        return ProvingSession(self.peer(keystore), keystore, self._clock, prove)

    def wallet(
        self,
        keystore: DeviceKeystore,
        *,
        session: ClientSession | None = None,
        consistency: bool = True,
        prove: Prove | None = None,
    ) -> Wallet:
        """The wallet of an enrolled device, over `session` or one of its own.

        `prove` answers where the provider asks for a fresh proof of the device.
        With `consistency` each receipt's checkpoint must continue the last one that was seen.
        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        return Wallet(
            session or self.session(keystore, prove=prove),
            keystore,
            self.transport,
            self.tally_keys,
            origin=self.origin,
            clock=self._clock,
            consistency=consistency,
            prove=prove,
        )

    def _now(self) -> Instant:
        """The time, which does not go back behind the newest list when the clock does."""
        return Instant(max(self._clock.now(), self._fetched_at))

    def _key_list(self, *, fresh: bool) -> KeyList:
        with self._fetching:
            now = self._now()
            held = self._list
            young = held is not None and now - self._fetched_at < HOUR_MS
            if held is not None and young and now < held.expires_at and not fresh:
                return held
            reply = self.transport.get(list_address(self._root))
            if reply.status != 200:
                raise Unavailable("the provider gave no key list", remedy="try again")
            signed = _lists.decode(reply.body).key_list
            version = 0 if held is None else held.version
            self._list = verify_key_list(signed, self._root, now, version)
            self._fetched_at = now
            return self._list
