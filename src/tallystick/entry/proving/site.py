"""What is looked at: the folder of a provider, and either the provider opened here or its service.

Opened here, the provider is served on loopback for as long as the probes take, without telling
anybody outside: no notice, no webhook and no core system is reached.

Source: ISO/TS 12812-2:2017, 9.1; 6.2.3
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tallystick.application.proving import Equipped
from tallystick.client.provider import Provider
from tallystick.entry.assembly import Platform
from tallystick.entry.auditing import tally_keys
from tallystick.entry.http.server import Listening
from tallystick.entry.serving import served_beside
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.verify import verify_checkpoint
from tallystick.kernel import model
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.time import Clock
from tallystick.process.conformance.checks import LogPoint
from tallystick.protocol.payments import QuoteReply

PROBES = "probes"
"""The folder of the provider's own probe phones."""

_START_S = 30.0


@dataclass(slots=True)
class Site:
    """What probes may look at.

    `platform` is there if the provider was opened here, with what `opener` opened it; `url` is
    where the service is reached, empty if it is not; `log` is what it logged here; `backup` a copy
    that was named; `ended` are terms whose time is over, `spare` codes of the second probe
    customer. With `everything` also probes that cannot be made here are registered.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    folder: ProviderFolder
    clock: Clock
    platform: Platform | None = None
    opener: Opener | None = None
    url: str = ""
    ca_file: Path | None = None
    backup: Path | None = None
    log_file: Path | None = None
    log: list[bytes] = field(default_factory=list[bytes])
    canaries: dict[str, bytes] = field(default_factory=dict[str, bytes])
    ended: QuoteReply | None = None
    spare: list[Equipped] = field(default_factory=list[Equipped])
    everything: bool = False

    @property
    def settings(self) -> ProviderSettings:
        """What was fixed at set-up.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.folder.settings()

    def opened(self) -> Platform:
        """The provider that was opened here.

        Raises Unavailable if it was not.
        Source: ISO/TS 12812-2:2017, 9.1
        """
        if self.platform is None:
            raise Unavailable("the provider was not opened here")
        return self.platform

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """The record, to be read only.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        with open_reader(self.folder.stored()) as reader:
            yield reader

    def provider(self) -> Provider:
        """The service as a phone knows it: its address, and the root that was pinned.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        settings = self.settings
        return Provider(
            self.url,
            name=settings.provider,
            origin=settings.origin,
            root=settings.root.verify_key(),
            clock=self.clock,
            entropy=operating_system,
            ca_file=self.ca_file,
        )

    def number(self, which: int) -> str:
        """The telephone number of probe customer `which`: in no country's numbering plan.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return f"+{self.settings.country}000000000{which}"[:16]

    def log_point(self) -> LogPoint | None:
        """The newest signed state of the log; None before there is one.

        Source: RFC 9162, 2.1
        """
        if self.platform is not None:
            return point_of(self.platform.archive.note, self.folder)
        try:
            with self.reading() as reader:
                latest = TallyStore(reader).latest_checkpoint()
        except MfsError:
            return None
        return None if latest is None else point_of(latest[1], self.folder)


def point_of(note: str, folder: ProviderFolder) -> LogPoint | None:
    """The state of the log that `note` says, if a listed key signed it.

    Source: C2SP tlog-checkpoint
    """
    origin = folder.settings().origin
    for one in tally_keys(folder):
        try:
            point = verify_checkpoint(note, one, origin=origin)
        except MfsError:
            continue
        root = point.root.hex()
        return LogPoint(origin=point.origin, size=point.size, root=root, first=0, last=-1)
    return None


@contextmanager
def served(site: Site) -> Generator[None]:
    """Serve the opened provider on loopback until the block ends; `site.url` says where.

    Raises Unavailable if it does not come up.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    platform = site.opened()
    quiet = replace(platform, settings=model.replace(platform.settings, sms_url="", core_url=""))
    with served_beside(
        quiet, Listening(port=0), site.log.append, within_s=_START_S, what="the provider"
    ) as url:
        site.url = url
        try:
            yield
        finally:
            site.url = ""
