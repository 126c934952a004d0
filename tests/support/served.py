"""A provider that is really served, in a thread of the test, with operators, an SMSC and people."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import uvloop
from simulators.cast import Cast, Person
from simulators.smsc import Smsc
from tests.support.stores import new_store

from tallystick.application.core.model import DEFAULT_PATIENCE, Patience
from tallystick.application.notices import SenderRule
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.binds import register_bind
from tallystick.entry.desk_settings import DeskSettings, save_desk
from tallystick.entry.http.server import Listening, serve
from tallystick.entry.http.watched import Watched
from tallystick.entry.partner_settings import MnoAccess, Partner, PartnerLink, SmppBind
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import Done, Plan, demo_policy, set_up
from tallystick.entry.siem import Destination
from tallystick.entry.tracing.spans import Spans
from tallystick.entry.waking import FILE, PushService
from tallystick.entry.witnessing import Witnessing
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.protocol.channels import Language

__all__ = ["ORIGIN", "PROVIDER", "Person", "Served", "by_one_operator", "served"]

PROVIDER = "test-wallet"
ORIGIN = f"{PROVIDER}/tally/1"
ROLES = (
    "security-officer",
    "security-officer",
    "operations",
    "operations",
    "care-desk",
    "privacy-officer",
    "privacy-officer",
)


def by_one_operator() -> str:
    """The demonstration policy, but that one operator may send a code to who has a phone."""
    return demo_policy().replace("codes: recovery ", "codes: one-operator ")


@dataclass(slots=True)
class Served(Cast):
    """A served provider with its cast, and what tests may look into."""

    folder: ProviderFolder = field(kw_only=True)
    platform: Platform = field(kw_only=True)
    done: Done = field(kw_only=True)
    secret: Secret[bytes] = field(kw_only=True)
    log: list[bytes] = field(default_factory=list, kw_only=True)
    paycrypt_port: int = field(default=0, kw_only=True)


@contextmanager
def served(
    folder: Path,
    *,
    core_url: str = "",
    gateways: dict[str, PublicHalf] | None = None,
    partners: tuple[Partner, ...] = (),
    mno: MnoAccess | None = None,
    lane: bool = True,
    workers: int = 1,
    session_rate: float = 1e6,
    source_rate: float = 1e6,
    longest_wait_s: float = 1.0,
    tls: tuple[Path, Path] | None = None,
    patience: Patience = DEFAULT_PATIENCE,
    join: bool = True,
    clock: Clock | None = None,
    siem: tuple[str, ...] = (),
    spans: Spans | None = None,
    trace_share: float = 0.0,
    witnessing: Witnessing | None = None,
    write: Callable[[bytes], None] | None = None,
    policy_text: str = "",
    names: str = "",
    more_roles: tuple[str, ...] = (),
    aggregators: tuple[PartnerLink, ...] = (),
    sms_receipts: PartnerLink | None = None,
    senders: tuple[SenderRule, ...] = (),
    language: Language = Language.ENGLISH,
    desk: DeskSettings | None = None,
    port: int = 0,
    appraisal: str = "",
    prepare: Callable[[ProviderFolder, Secret[bytes]], None] | None = None,
    push: str = "",
    smpp: tuple[tuple[SmppBind, Secret[str]], ...] = (),
    sim_changes: PartnerLink | None = None,
    before: Callable[[ProviderFolder, Secret[bytes]], object] = lambda _, __: None,
    paycrypt: bool = False,
    currency: str = "KES",
) -> Iterator[Served]:
    """Set up a provider in `folder` and serve it until the block ends; its operators `join`."""
    secret = Secret(os.urandom(31) + b".")  # a line end at the end is not of a secret
    smsc = Smsc()
    provider = ProviderFolder(folder)
    plan = Plan(
        provider=PROVIDER,
        currency=currency,
        country="254",
        profile="demo",
        policy_text=policy_text or demo_policy(),
        roles=(*ROLES, *more_roles),
        sms_url=smsc.url + "/v1/messages",
        core_url=core_url,
        gateways=gateways or {},
        aggregators=aggregators,
        sms_receipts=sms_receipts,
        senders=senders,
        language=language,
        partners=partners,
        pin_memory_kib=8 * 1024,
        pin_passes=1,
        store=new_store(),
    )
    done = set_up(provider, plan, secret, SystemClock())
    if sim_changes is not None:
        provider.save_settings(replace(provider.settings(), sim_changes=sim_changes))
    for bind, password in smpp:
        register_bind(provider, secret, SystemClock(), bind, password)
    before(provider, secret)
    if names:
        (folder / "authzen.yaml").write_text(names, encoding="utf-8")
    if appraisal:
        (folder / "attestation.yaml").write_text(appraisal, encoding="utf-8")
    if mno is not None:
        provider.mno_file.write_bytes(encode(mno))
    if desk is not None:
        save_desk(folder, desk)
    if prepare is not None:
        prepare(provider, secret)
    if push:
        (folder / FILE).write_bytes(encode(PushService(url=push)))
    platform = open_platform(provider, secret, clock)
    ready, stop_box, bound = threading.Event(), [], [0]
    log: list[bytes] = []
    door: list[int] = []

    def started(number: int) -> None:
        bound[0] = number
        ready.set()

    async def main() -> None:
        stop = asyncio.Event()
        stop_box.append((asyncio.get_running_loop(), stop))
        listening = Listening(
            port=port,
            session_rate=session_rate,
            source_rate=source_rate,
            longest_wait_s=longest_wait_s,
            lane=lane,
            workers=workers,
            certificate=tls[0] if tls else None,
            private_key=tls[1] if tls else None,
            payment_cryptography=("127.0.0.1", 0) if paycrypt else None,
        )
        await serve(
            platform,
            listening,
            log=write or log.append,
            started=started,
            stop=stop,
            patience=patience,
            witnessing=witnessing,
            watched=Watched(
                folder, tuple(Destination.parse(one) for one in siem), spans, trace_share
            ),
            told=door.append,
        )

    thread = threading.Thread(target=lambda: uvloop.run(main()), daemon=True)
    thread.start()
    ends = monotonic() + 60
    while not ready.is_set() or (paycrypt and not door):
        assert thread.is_alive(), "the service ended before it began"
        assert monotonic() < ends, "the service does not begin"
        sleep(0.01)
    url = f"{'https' if tls else 'http'}://127.0.0.1:{bound[0]}"
    found = Served(
        url,
        PROVIDER,
        ORIGIN,
        done.root.verify_key(),
        smsc,
        clock or SystemClock(),
        currency=currency,
        folder=provider,
        platform=platform,
        done=done,
        secret=secret,
        log=log,
        paycrypt_port=door[0] if door else 0,
    )
    for invited in done.invited if join else ():
        found.join(invited.role, invited.code)
    try:
        yield found
    finally:
        found.close()
        loop, stop = stop_box[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=60)
        assert not thread.is_alive(), "the service does not end"
        platform.close()
        smsc.close()
