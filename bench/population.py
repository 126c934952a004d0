"""A provider with enrolled devices and prepared, sealed orders, for measurements."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from simulators.cast import Cast, Person
from simulators.smsc import Smsc

from tallystick.client.session import ClientSession
from tallystick.entry.assembly import open_platform
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import link_secret
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import PaymentKind

PROVIDER = "bench-wallet"
_FUNDS = 5_000_000


@dataclass(slots=True)
class Population:
    """A served provider and its people."""

    folder: Path
    url: str
    process: subprocess.Popen[bytes]
    smsc: Smsc
    secret: Secret[bytes]
    options: tuple[str, ...] = ()
    people: list[Person] = field(default_factory=list)
    cast: Cast | None = None
    link_secrets: dict[str, Secret[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def stop(self) -> None:
        """End the server."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(timeout=60)
        if self.process.stdout:
            self.process.stdout.close()

    def start(self) -> None:
        """Serve again where it was served before."""
        port = self.url.rsplit(":", 1)[1]
        self.process, _ = _serve(self.folder, self.secret, (*self.options, "--port", port))

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.smsc.close()
        if self.cast is not None:
            self.cast.close()
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def server_cpu_s(self) -> float:
        """CPU seconds of all server processes so far."""
        return sum(map(_cpu_s, self.pids()))

    def pids(self) -> list[int]:
        """The server's process, and its fronts if they are processes of their own."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def memory_mb(self) -> float:
        """Resident memory of the largest server process."""
        return max(map(_resident_mb, self.pids()))


def _cpu_s(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) / 1024 if found else 0.0


def populate(
    count: int, *options: str, store: str = "", aggregators: tuple[PartnerLink, ...] = ()
) -> Population:
    """Set up a provider, serve it, and enrol `count` people through the real protocol."""
    clock = SystemClock()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-")) / "provider"
    secret = Secret(os.urandom(32))
    smsc = Smsc()
    plan = Plan(
        provider=PROVIDER,
        currency="KES",
        country="254",
        profile="demo",
        policy_text=demo_policy(),
        roles=("care-desk", "operations", "operations"),
        sms_url=smsc.url + "/v1/messages",
        store=store,
        aggregators=aggregators,
    )
    done = set_up(ProviderFolder(folder), plan, secret, clock)
    links = _link_secrets(ProviderFolder(folder), secret, aggregators)
    process, port = _serve(folder, secret, options)
    url = f"http://127.0.0.1:{port}"
    population = Population(folder, url, process, smsc, secret, options)
    population.link_secrets = links
    population.cast = cast = Cast(
        url,
        PROVIDER,
        f"{PROVIDER}/tally/1",
        done.root.verify_key(),
        smsc,
        clock,
        consistency=False,
    )
    for invited in done.invited:
        cast.join(invited.role, invited.code)
    numbers = [f"+2547{index:08d}" for index in range(count)]
    opened = [cast.open_customer(number, f"Person {number}").reference for number in numbers]
    for number, activation in zip(numbers, opened, strict=True):
        cast.fund(number, _FUNDS)
        code = cast.activation_code(number)
        population.people.append(cast.enrol_phone(number, activation, code))
    return population


def _link_secrets(
    folder: ProviderFolder, secret: Secret[bytes], links: tuple[PartnerLink, ...]
) -> dict[str, Secret[bytes]]:
    """What the provider shares with each partner."""
    if not links:
        return {}
    platform = open_platform(folder, secret)
    handle = platform.keys.newest(Purpose.PARTNER_LINK)
    found = {link.name: link_secret(platform.module, handle, link) for link in links}
    platform.close()
    return found


def _serve(
    folder: Path, secret: Secret[bytes], options: tuple[str, ...]
) -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.provider", str(folder), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(secret.reveal().hex().encode() + b"\n")
    process.stdin.flush()
    return process, int(process.stdout.readline().split()[1])


def sealed_orders(population: Population, count: int) -> tuple[list[bytes], float]:
    """`count` small orders, quoted, signed and sealed; and the CPU us that a quote took."""
    people = population.people
    consents: list[tuple[ClientSession, bytes]] = []
    before = population.server_cpu_s()
    for index in range(count):
        person = people[index % len(people)]
        payee = people[(index * 7 + 1) % len(people)]
        if payee is person:
            payee = people[(index + 1) % len(people)]
        quoted = person.wallet.quote(PaymentKind.P2P, payee.number, Money(100, "KES"))
        consents.append((person.session, person.wallet.consent(quoted).body))
    quote_us = (population.server_cpu_s() - before) / count * 1e6
    return [_sealed(session, body) for session, body in consents], quote_us


def _sealed(session: ClientSession, body: bytes) -> bytes:
    live = session._live
    assert live is not None
    live.sequence += 1
    live.last = int(time.time() * 1000)
    return seal_request(live.keys, "payment.order", live.sequence, body)
