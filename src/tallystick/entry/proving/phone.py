"""A phone of the provider's own, and a line that remembers what was sent over it.

Source: ISO/TS 12812-2:2017, 7.2.7; 9.1
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.application.proving import Equipped
from tallystick.client.consenting import Order
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.provider import SUITES, Provider
from tallystick.client.session import ClientSession, Peer, Reply, Transport
from tallystick.client.wallet import Refusal, Wallet
from tallystick.entry.proving.site import PROBES, Site
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import MfsError, NotAuthentic, NotFound, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.keylist import ListedPurpose

KEYSTORE: Final = "phone.key"
PASSPHRASE: Final = "passphrase"  # noqa: S105 - the name of a file
DESCRIPTION: Final = DeviceDescription(
    platform="probe", model="probe phone", app_version="1", protection="software"
)


class Tape:
    """Carries octets, and remembers the last that were sent, so that they can be sent again.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self, link: Transport) -> None:
        self._link = link
        self.last: tuple[str, bytes, str] | None = None
        self.passed: list[bytes] = []

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """Send, and remember.

        Source: RFC 9110, 9.3.3
        """
        self.last = (path, body, content_type)
        reply = self._link.post(path, body, content_type)
        self.passed += [path.encode(), body, reply.body]
        return reply

    def cut(self) -> bytes:
        """Everything that passed since the last cut: paths, requests and replies.

        Source: ISO/TS 12812-2:2017, 7.1
        """
        passed, self.passed = self.passed, []
        return b"\n".join(passed)

    def again(self, *, flip: int | None = None) -> Reply:
        """Send what was sent last once more; with `flip` one bit of that octet is changed.

        Raises NotFound if nothing was sent.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        if self.last is None:
            raise NotFound("nothing was sent yet")
        path, body, content_type = self.last
        octets = bytearray(body)
        if flip is not None:
            octets[flip] ^= 1
        return self._link.post(path, bytes(octets), content_type)


@dataclass(slots=True)
class ProbePhone:
    """An enrolled phone of the provider's own, and its line.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    provider: Provider
    keystore: SoftwareKeystore
    tape: Tape
    session: ClientSession
    wallet: Wallet

    def peer(self, suites: Sequence[KemSuite] = SUITES) -> Peer:
        """The provider as this phone meets it, over the line that remembers.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        provider = self.provider
        return Peer(
            self.tape,
            provider.name,
            lambda: provider.keys(ListedPurpose.SESSION_SIGNATURE),
            operating_system,
            suites,
        )


def phone_of(site: Site, keystore: SoftwareKeystore) -> ProbePhone:
    """A phone with `keystore`, over a line that remembers.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    provider = site.provider()
    tape = Tape(provider.link())
    peer = Peer(
        tape,
        provider.name,
        lambda: provider.keys(ListedPurpose.SESSION_SIGNATURE),
        operating_system,
        SUITES,
    )
    session = ClientSession(peer, keystore, site.clock)
    return ProbePhone(provider, keystore, tape, session, provider.wallet(keystore, session=session))


class Line:
    """Brings the probe phone to the service when it is first asked for.

    The phone's keys are in a file of the provider's folder; where there is none yet, `equipped` has
    the code with which one is enrolled.
    Source: ISO/TS 12812-2:2017, 7.4.1; 9.1
    """

    def __init__(self, site: Site, equipped: Equipped | None) -> None:
        self._site = site
        self._equipped = equipped
        self._phone: ProbePhone | None = None
        self._others: list[ProbePhone] = []
        self._last: list[Callable[[], object]] = []

    def phone(self) -> ProbePhone:
        """The phone.

        Raises Unavailable where none was enrolled and none can be.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        if self._phone is None:
            self._phone = self._brought()
        return self._phone

    def close(self) -> None:
        """Do what was left for the end, then close the connections.

        Source: RFC 9112, 9.6
        """
        for act in self._last:
            with suppress(MfsError):
                act()
        for one in (self._phone, *self._others):
            if one is not None:
                one.provider.close()

    def at_the_end(self, act: Callable[[], object]) -> None:
        """Do `act` before the connections are closed; a refusal of it ends nothing.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self._last.append(act)

    def keep(self, phone: ProbePhone) -> ProbePhone:
        """`phone`, whose connections are closed with those of this line.

        Source: RFC 9112, 9.6
        """
        self._others.append(phone)
        return phone

    def _brought(self) -> ProbePhone:
        place = probes_folder(self._site.folder)
        if (place / KEYSTORE).exists():
            return phone_of(self._site, _opened(place))
        if self._equipped is None:
            raise Unavailable(
                "the provider has no probe phone yet",
                remedy="prove it once while it is not served: that enrols one",
            )
        phone = phone_of(self._site, _created(place))
        try:
            phone.provider.enrol(
                phone.keystore,
                activation=self._equipped.activation,
                code=self._equipped.code,
                description=DESCRIPTION,
                shown="enrol the probe phone",
            )
        except MfsError:
            (place / KEYSTORE).unlink()
            raise
        return phone


def taken(wallet: Wallet, order: Order) -> object:
    """What `order` came to once its consent was taken, paid or refused for another reason.

    Raises the refusal of the consent itself.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    try:
        return wallet.place(order, attempts=2)
    except Refusal as refused:
        if isinstance(refused.error, NotAuthentic):
            raise refused.error from refused
        return refused


def probes_folder(folder: ProviderFolder) -> Path:
    """Where the keys of the probe phone are.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return folder.root / PROBES


def confirm(shown: str) -> None:
    """Pass: nobody is in front of a probe phone, it consents to all it is told to try.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """


def _created(place: Path) -> SoftwareKeystore:
    place.mkdir(mode=0o700, exist_ok=True)
    (place / PASSPHRASE).unlink(missing_ok=True)
    replace_file(place / PASSPHRASE, operating_system(32).hex().encode())
    return SoftwareKeystore.create_file(
        place / KEYSTORE, _passphrase(place), entropy=operating_system, verify_user=confirm
    )


def _opened(place: Path) -> SoftwareKeystore:
    return SoftwareKeystore.open_file(
        place / KEYSTORE, _passphrase(place), entropy=operating_system, verify_user=confirm
    )


def _passphrase(place: Path) -> Secret[str]:
    return Secret((place / PASSPHRASE).read_text(encoding="ascii"))
