"""Many people who pay through two doors, in processes of their own; what they saw is on disk.

    {"order": ..., "said": "acknowledged", "began": 1.0, "at": 1.2, "asked": 1, "index": 7, ...}

A line is one order that was answered for good. Each order is asked again, under its own id, for as
long as nobody answers; after an answer that it is void a new one is begun, as the protocol says.
"""

import json
import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from simulators.cast import Person

from tallystick.client.consenting import Order
from tallystick.client.http import HttpTransport
from tallystick.client.provider import Provider
from tallystick.client.session import Reply
from tallystick.client.wallet import Refusal, Wallet
from tallystick.entry.settings import ProviderSettings
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.tally.merkle import leaf_hash
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Expired, MfsError, Unavailable
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind

PENNY = Money(100, "KES")
ANSWER_S = 6.0
SHORTEST_S, LONGEST_S = 0.05, 1.0
CHECKED_EVERY = 8
"""One payer of so many also demands that each checkpoint continues the last one."""


class Doors:
    """A way to whichever service answers: after silence the other door is tried first."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._links = [HttpTransport(url, timeout_s=ANSWER_S) for url in urls]

    def post(self, path: str, body: bytes, content_type: str) -> Reply:
        return self._ask(lambda link: link.post(path, body, content_type))

    def get(self, path: str) -> Reply:
        return self._ask(lambda link: link.get(path))

    def close(self) -> None:
        for link in self._links:
            link.close()

    def _ask(self, ask: Callable[[HttpTransport], Reply]) -> Reply:
        link = self._links[0]
        try:
            return ask(link)
        except Unavailable:
            if self._links[0] is link:
                self._links.append(self._links.pop(0))
            raise


class ByDoors(Provider):
    """A provider that is reached through several doors."""

    def __init__(self, urls: Sequence[str], settings: ProviderSettings) -> None:
        self._urls = urls
        super().__init__(
            urls[0],
            name=settings.provider,
            origin=settings.origin,
            root=settings.root.verify_key(),
            clock=SystemClock(),
            entropy=operating_system,
        )

    def link(self) -> Any:
        doors = Doors(self._urls)
        self._links.append(doors)  # type: ignore[arg-type]
        return doors


class Payer:
    """One person who pays one till without end."""

    def __init__(self, wallet: Wallet, till: str, note: Callable[[dict[str, Any]], None]) -> None:
        self._wallet = wallet
        self._till = till
        self._note = note

    def pay(self, stop: threading.Event) -> None:
        """Pay until it is to stop; an order that was begun is finished first."""
        while not stop.is_set():
            began = time.monotonic()
            try:
                quoted = self._wallet.quote(PaymentKind.MERCHANT, self._till, PENNY)
            except Unavailable as error:
                self._again(error, 1)
                continue
            order = self._wallet.consent(quoted)
            self._note({**self._placed(order), "order": order.quote.order, "began": began})

    def _placed(self, order: Order) -> dict[str, Any]:
        asked = 0
        while True:
            asked += 1
            try:
                paid = self._wallet.place(order, attempts=1)
            except Unavailable as error:
                self._again(error, asked)
                continue
            except Expired:
                return {"said": "void", "asked": asked, "at": time.monotonic()}
            except Refusal as refusal:
                said = "void" if isinstance(refusal.error, Expired) else "refused"
                why = str(refusal.error)
                return {"said": said, "asked": asked, "at": time.monotonic(), "why": why}
            leaf = leaf_hash(b64url_decode(paid.receipt.leaf)).hex()
            return {
                "said": "acknowledged", "asked": asked, "at": time.monotonic(),
                "index": paid.verified.index, "leaf": leaf,
            }  # fmt: skip

    def _again(self, error: MfsError, asked: int) -> None:
        self._note({"said": "again", "at": time.monotonic(), "why": error.detail})
        time.sleep(min(LONGEST_S, SHORTEST_S * 2**asked) * random.uniform(0.5, 1.0))


@dataclass(frozen=True)
class Seen:
    """What the payers saw so far."""

    acknowledged: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    void: list[dict[str, Any]]
    again: list[dict[str, Any]]

    def silence_s(self, since: float, until: float) -> float:
        """The longest time without an acknowledgement between two moments."""
        times = sorted(one["at"] for one in self.acknowledged if since <= one["at"] <= until)
        return max(after - before for before, after in pairwise([since, *times, until]))

    def why_again(self, since: float) -> Counter[str]:
        """What was answered, since a moment, where the order had to be asked again."""
        return Counter(one["why"] for one in self.again if one["at"] >= since)


class Payers:
    """Processes full of payers, from now until `end`."""

    def __init__(
        self, people: Sequence[Person], urls: Sequence[str], settings: ProviderSettings, till: str,
        folder: Path, processes: int = 2,
    ) -> None:  # fmt: skip
        self._journals = [folder / f"payers-{number}.jsonl" for number in range(processes)]
        self._places = [0] * processes
        self._seen = Seen([], [], [], [])
        context = multiprocessing.get_context("fork")
        self._stop = context.Event()
        self._processes = [
            context.Process(
                target=_pay_all,
                daemon=True,
                args=(people[number::processes], urls, settings, till, journal, self._stop),
            )
            for number, journal in enumerate(self._journals)
        ]
        for journal, process in zip(self._journals, self._processes, strict=True):
            journal.touch()
            process.start()

    def seen(self) -> Seen:
        """Everything that was noted until now."""
        kinds = {"acknowledged": self._seen.acknowledged, "refused": self._seen.refused,
                 "void": self._seen.void, "again": self._seen.again}  # fmt: skip
        for number, journal in enumerate(self._journals):
            with journal.open("rb") as file:
                file.seek(self._places[number])
                octets = file.read()
            octets = octets[: octets.rfind(b"\n") + 1]
            self._places[number] += len(octets)
            for line in octets.splitlines():
                one = json.loads(line)
                kinds[one["said"]].append(one)
        return self._seen

    def wait_for(self, total: int, limit_s: float) -> None:
        """Until so many payments in all are acknowledged."""
        began = time.monotonic()
        while (count := len(self.seen().acknowledged)) < total:
            alive = [one.is_alive() for one in self._processes]
            assert all(alive), "the payers ended"
            why = self._seen.why_again(time.monotonic() - 5)
            assert time.monotonic() < began + limit_s, (count, total, why)
            time.sleep(0.2)

    def end(self) -> None:
        """Let everybody finish the order at hand."""
        self._stop.set()
        for process in self._processes:
            process.join(120)
            if process.is_alive():
                process.kill()
                process.join()


def _pay_all(
    people: Sequence[Person], urls: Sequence[str], settings: ProviderSettings, till: str,
    journal: Path, stop: Any,
) -> None:  # fmt: skip
    with journal.open("ab", buffering=0) as file:
        lock = threading.Lock()
        local = threading.Event()
        threads = []
        for number, person in enumerate(people):
            provider = ByDoors(urls, settings)
            wallet = provider.wallet(person.keystore, consistency=number % CHECKED_EVERY == 0)
            payer = Payer(wallet, till, lambda line: _note(file, lock, line))
            threads.append(threading.Thread(target=_pay, args=(payer, local)))
        for thread in threads:
            thread.start()
        stop.wait()
        local.set()
        for thread in threads:
            thread.join(100)
    os._exit(0)  # what the parent had open is the parent's to close


def _pay(payer: Payer, stop: threading.Event) -> None:
    try:
        payer.pay(stop)
    except BaseException as error:
        payer._note({"said": "refused", "at": time.monotonic(), "why": repr(error)})
        raise


def _note(file: IO[bytes], lock: threading.Lock, line: dict[str, Any]) -> None:
    octets = json.dumps(line).encode() + b"\n"
    with lock:
        file.write(octets)
