"""All of it together: people, network, service, store, core and trouble, from one seed.

Source: ISO/TS 12812-2:2017, 7.3.3; 6.2.3
"""

import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from simulators.faults.agenda import Agenda, DriftingClock
from simulators.faults.checker import Checker
from simulators.faults.core import HostileCore
from simulators.faults.network import Network
from simulators.faults.people import AppPerson, Dialler, Diary
from simulators.faults.process import Process
from simulators.faults.store import Crash, SimulatedServer
from simulators.faults.trouble import Trouble
from tallystick.application.policing import PolicyInForce
from tallystick.entry.replay.parties import (
    Party,
    enrol_devices,
    fund_parties,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import PROVIDER, ReplayProvider, replay_policy
from tallystick.entry.schema import MIGRATIONS
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.copying import copy_rows
from tallystick.infrastructure.store.migrations import migrate
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.time import SimulatedClock

START = 1_767_225_600_000
FUNDS = 3_000_000
FEE = 7
STUCK_MS = 600_000
_DIALLED = """
  - id: dialled
    when:
      operation: pay
      kind: p2p
      channel: ussd
      grade: [pin-verified, sim-signed]
      account_status: active
    outcome: allow
    because: a PIN was right
"""
_WINDOW = """
  - id: a-minute
    when: {kind: p2p}
    per_payment: 1_000_000
    windows:
      - {window: PT1M, amount: 200_000, count: 100}
    because: so that limits are met
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate; of all kinds of fault unless some `kinds` are named.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    seed: int
    orders: int = 1_000
    faults: int = 20
    diallers: int = 48
    apps: int = 3
    engine: str = "server"
    core: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """What happened, and what was not as it must be.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    plan: Plan
    orders: int = 0
    transfers: int = 0
    settled: int = 0
    refused: int = 0
    reads: int = 0
    events: int = 0
    commits: int = 0
    starts: int = 0
    simulated_s: float = 0.0
    faults: dict[str, int] | None = None
    network: dict[str, int] | None = None
    findings: tuple[str, ...] = ()


class World:
    """One simulation.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._dice = random.Random(plan.seed)
        self.agenda = Agenda(START)
        self.server = SimulatedServer(is_file=plan.engine == "file")
        self.clocks = [DriftingClock(self.agenda), DriftingClock(self.agenda)]
        self.network = Network(self.agenda, self._fork(), self._deliver)
        self.diary = Diary()
        self.core = HostileCore(self._fork()) if plan.core else None
        self._root = Path(tempfile.mkdtemp(prefix="tallystick-faults-"))
        self._starts = 0
        self._processes: list[Process] = []
        self._starting = False
        self._quiet = False
        self._size = 0
        try:
            self._people()
        except BaseException:
            self.close()
            raise
        self._trouble = Trouble(self, self._fork(), plan.kinds)
        self.server.when_late = self._trouble.arrive_late
        self._start(take_over=False)

    def close(self) -> None:
        """Remove the folder of keys.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        shutil.rmtree(self._root, ignore_errors=True)

    def run(self, tell: Callable[[int, int], None] = lambda _done, _of: None) -> Report:
        """Play it to the end and check; `tell` hears how many orders are done, of how many.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        plan, made = self.plan, 0
        step = max(1, plan.orders // 50)
        told = step
        done, since = 0, self.agenda.now
        while self.diary.done < plan.orders and self.agenda.step():
            if self.diary.done > done:
                done, since = self.diary.done, self.agenda.now
            elif self.agenda.now > since + STUCK_MS:
                self.diary.stopped.add("nothing was answered for ten minutes")
            due = (self.diary.done * plan.faults) // plan.orders
            while made < due:
                made += 1
                self._trouble.make()
            if self.diary.done >= told:
                told += step
                tell(self.diary.done, plan.orders)
            if self.diary.stopped:
                break
        self._come_to_rest()
        checker = Checker(self.server, self.diary, self.core, self._opening)
        return self._report(tuple(checker.findings()))

    def process(self) -> Process | None:
        """The process that serves now, if there is one.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for process in reversed(self._processes):
            if process.alive and not process.still:
                return process
        return None

    def replace(self, process: Process, *, after_ms: float, take_over: bool) -> None:
        """Start another process in the place of `process` after a while, if it is still needed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """

        def start() -> None:
            if take_over and (not process.alive or not process.still):
                return
            self._start(take_over=take_over)

        self.agenda.after(after_ms, start)

    def more(self) -> bool:
        """Whether people begin anything new.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return not self._quiet and self.diary.done < self.plan.orders

    def _fork(self) -> random.Random:
        return random.Random(self._dice.getrandbits(64))

    def _people(self) -> None:
        """Open, fund and enrol everybody at a provider on a file, then take its rows and keys."""
        plan = self.plan
        folder = ProviderFolder(self._root / "provider")
        clock = SimulatedClock(START - 3_600_000)
        text = replay_policy().replace("decisions:\n", "decisions:" + _DIALLED, 1)
        provider = ReplayProvider(folder, clock, text.replace("limits:\n", "limits:" + _WINDOW, 1))
        self._secret, self._folder = provider.secret, folder
        parties = [
            Party(f"+2547{number:08d}", f"Person {number}", "person", FUNDS)
            for number in range(plan.diallers + plan.apps)
        ]
        open_parties(provider, parties)
        fund_parties(provider, parties)
        with_app = parties[plan.diallers :]
        enrol_devices(provider, replay_peer(provider), with_app)
        provider.platform.writer.finish()
        with self.server.open() as target:
            migrate(target, MIGRATIONS, clock.now())
            copy_rows(provider.platform.database, target)
        self.server.commits = 0
        accounts = [provider.platform.desks.customers.by_alias(party.number) for party in parties]
        session_keys, tally_key = provider.session_keys, provider.tally_key
        provider.platform.close()
        settings = replace(folder.settings(), fees_flat_minor={"p2p": FEE})
        if plan.core:
            settings = replace(settings, core_url="http://127.0.0.1:9/simulated")
        folder.save_settings(settings)
        numbers = [party.number for party in parties]
        for customer in accounts[: plan.diallers]:
            self._dial(customer.id, customer.account, numbers)
        for party in with_app:
            AppPerson(
                self.agenda,
                self.network,
                self.diary,
                self._fork(),
                provider=PROVIDER,
                keystore=party.phone().keystore,
                session_keys=lambda: dict(session_keys()),
                tally_key=lambda: tally_key,
                origin=folder.settings().origin,
                payees=[one for one in numbers if one != party.number],
                more=self.more,
            )
        self._opening = self._balances()

    def _dial(self, customer: str, account: str, numbers: list[str]) -> None:
        Dialler(
            self.agenda,
            self.network,
            self.diary,
            self._fork(),
            customer=customer,
            account=account,
            payees=numbers,
            size=self._events,
            more=self.more,
        )

    def _balances(self) -> dict[str, int]:
        """What everybody begins with: nothing, since the journal begins at zero."""
        return dict.fromkeys(
            (account for account, _, _ in LedgerStore(self._reader()).stored_sums()), 0
        )

    def _reader(self) -> Any:
        with self.server.open() as writer:
            return writer.reader()

    def _events(self) -> int:
        """The number of events that are durable now, at least."""
        row = self.server.link.execute("SELECT coalesce(max(idx) + 1, 0) FROM event").fetchone()
        return int(row[0])

    def _deliver(self, request: Any, respond: Callable[[Any], None]) -> None:
        process = self.process()
        if process is not None and not process.leaving:
            process.receive(request, respond)

    def _start(self, *, take_over: bool) -> None:
        if self.process() is not None:
            return
        self._starts += 1
        clock = self.clocks[self._starts % 2]
        try:
            process = Process(
                self.agenda,
                self.server,
                self._folder,
                self._secret,
                self._fork(),
                clock=clock,
                core=self.core,
                take_over=take_over,
                died=self._died,
                failed=self._failed,
            )
        except Crash:
            self.server.power_off()
            self.agenda.after(500, lambda: self._start(take_over=take_over))
            return
        except Unavailable:
            self.agenda.after(500, lambda: self._start(take_over=take_over))
            return
        except MfsError as error:
            self.diary.stopped.add(f"at a start: {error}")
            return
        self._processes = [one for one in self._processes if one.alive]
        self._processes.append(process)

    def _died(self, process: Process) -> None:
        if self.server.writer is process.database:
            self.server.power_off()
        if self.process() is None:
            self.agenda.after(self._dice.uniform(100, 1_500), lambda: self._start(take_over=False))

    def _failed(self, error: Exception) -> None:
        self.diary.stopped.add(f"{type(error).__name__}: {error}")

    def _come_to_rest(self) -> None:
        """No more faults: everything is repaired, and who waits for an answer gets it."""
        self._quiet = True
        self.network.calm = True
        self.server.fates.clear()
        limit = self.agenda.now + 3_600_000
        while self.agenda.now < limit and not self.diary.stopped:
            open_ = any(not told.final for told in self.diary.orders.values())
            waiting = self.core is not None and self._waits()
            if not open_ and not waiting:
                break
            until = self.agenda.now + 2_000
            self.agenda.run_until(lambda end=until: self.agenda.now >= end, 2_500)  # type: ignore[misc]
        self.agenda.run_until(lambda: False, 5_000)
        process = self.process()
        if process is not None:
            with suppress(MfsError):
                process.platform.writer.finish()

    def _waits(self) -> bool:
        query = "SELECT count(*) FROM payment_order WHERE stage = 'accepted'"
        return bool(self.server.link.execute(query).fetchone()[0])

    def _report(self, findings: tuple[str, ...]) -> Report:
        link, network = self.server.link, self.network
        (transfers,) = link.execute("SELECT count(*) FROM transfer").fetchone()
        (events,) = link.execute("SELECT count(*) FROM event").fetchone()
        told = self.diary.orders.values()
        return Report(
            plan=self.plan,
            orders=len(self.diary.orders),
            transfers=transfers,
            settled=sum(one.settled for one in told),
            refused=sum(bool(one.refused) for one in told),
            reads=len(self.diary.reads),
            events=events,
            commits=self.server.commits,
            starts=self._starts,
            simulated_s=(self.agenda.now - START) / 1_000,
            faults=dict(self._trouble.made),
            network={"lost": network.lost, "doubled": network.doubled, "late": network.late},
            findings=findings,
        )


def simulate(plan: Plan, tell: Callable[[int, int], None] = lambda _done, _of: None) -> Report:
    """Play `plan` and check it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    verify, known = PolicyInForce.verify, dict[str, Any]()

    def remembered(policy: PolicyInForce, envelope: str, *, above: int, anew: bool = True) -> Any:
        """The same file is read once, however often the service starts."""
        if envelope not in known:
            known[envelope] = verify(policy, envelope, above=above, anew=anew)
        return known[envelope]

    with patch.object(PolicyInForce, "verify", remembered):
        world = World(plan)
        try:
            return world.run(tell)
        finally:
            world.close()
