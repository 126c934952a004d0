"""A provider in processes of its own, as the tour serves it, with its operators."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.cast import Cast
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from tests.support.ports import held_port

from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.secret import Secret


@contextmanager
def toured(folder: Path, store: str = "") -> Iterator[tuple[TourProvider, Cast]]:
    """Set a provider up in `folder`, its record on `store`, and serve it until the block ends."""
    smsc = Smsc()
    provider = TourProvider(folder, Es256SigningKey.generate(), smsc, store)
    codes = provider.set_up()
    with held_port() as port:  # it is served there again after an end, and nobody else meanwhile
        url = provider.serve(port)
        settings = provider.folder.settings()
        cast = Cast(
            url, settings.provider, settings.origin, settings.root.verify_key(), smsc, SystemClock()
        )
        for role, code in codes:
            cast.join(role, Secret(code))
        try:
            yield provider, cast
        finally:
            cast.close()
            provider.stop()
            smsc.close()
