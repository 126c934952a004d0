"""What a running provider exposes to Prometheus, with everything switched on that has a metric."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from simulators.core_system import CoreSystem
from simulators.smpp_centre import SmppCentre
from simulators.vendor_lists import REVOKED, ListServer, status_list
from tests.support.collectors import Datagrams, until
from tests.support.networks import PASSWORD, bind_to
from tests.support.partner_lists import fetching
from tests.support.paycrypt import settings
from tests.support.served import Served, served

from tallystick.entry.paycrypt_settings import FILE
from tallystick.entry.vendors.sources import Source, save_sources
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode
from tallystick.protocol.surrogates import OpenSurrogateDomain

__all__ = ["exposition", "families", "series", "watched_provider"]


def with_a_door(folder: Any, _: Any) -> None:
    """Give a provider a payment cryptography door."""
    (folder.root / FILE).write_bytes(encode(settings()))


def with_a_list(lists: ListServer, folder: Any, _: Any) -> None:
    """Let a provider fetch a list of a vendor, and one of a partner's authority."""
    fetching(folder, lists)
    lists.publish(REVOKED, status_list({"ab": "REVOKED"}), SystemClock().now())
    save_sources(folder.root, {"android-revoked": Source(url=lists.url + REVOKED)})


@contextmanager
def watched_provider(folder: Path) -> Iterator[Served]:
    """A provider with two fronts, a core system, a network and a collector; one customer."""
    core = CoreSystem()
    try:
        with (
            Datagrams() as listener,
            SmppCentre("tally", PASSWORD) as centre,
            ListServer() as lists,
            served(
                folder,
                workers=2,
                core_url=core.url,
                siem=(f"syslog+udp://127.0.0.1:{listener.port}",),
                smpp=((bind_to(centre, messages=False), PASSWORD),),
                prepare=with_a_door,
                paycrypt=True,
                before=partial(with_a_list, lists),
            ) as provider,
        ):
            provider.person("+254700000001", "Ann")
            until(lambda: "vendor_list_members{" in exposition(provider), 60)
            until(lambda: "partner_list_members{" in exposition(provider), 60)
            body = OpenSurrogateDomain(
                domain="shop", kind="pan", way="random", purposes=("dispute:5",), because="agreed"
            )
            first, second = provider.operators["security-officer"][:2]
            waits = first.act("open-surrogate-domain", body)
            second.act("open-surrogate-domain", body, approves=waits.act)
            yield provider
    finally:
        core.close()


def exposition(provider: Served) -> str:
    """The text of `/metrics`."""
    return provider.transport.get("/metrics").body.decode()


def families(text: str) -> dict[str, str]:
    """The type of each metric, by the name that its `# TYPE` line gives."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def series(text: str) -> dict[str, str]:
    """The metric that each series belongs to, by the name that a query uses."""
    found: dict[str, str] = {}
    for name, kind in families(text).items():
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found |= {name + ending: name for ending in endings}
    return found
