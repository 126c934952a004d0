"""Each alert fires when a running provider is in the trouble that it is about, and else none does.

Every scene serves a real provider, makes the trouble, and lets a scraper with the project's own
rules look on while its clock is moved. An alert without a scene fails the tests.
"""

import http.client
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from simulators.cast import Person
from simulators.smpp_centre import SmppCentre
from simulators.vendor_lists import REVOKED, Fault, ListServer, status_list
from tests.protocol.test_tightening_served import run_of
from tests.support.collectors import HttpCollector, Stream, until
from tests.support.metrics import exposition
from tests.support.networks import PASSWORD, bind_to
from tests.support.partner_lists import PATH, fetching
from tests.support.partners import FallingCore, LocalWitness, MovedClock
from tests.support.paycrypt import BOTH_WAYS, CHECKS, Scene, settings
from tests.support.processes import fronts
from tests.support.prometheus import RULES, Prometheus, read_rules
from tests.support.proposed import leave_proposal
from tests.support.served import Served, served
from tests.support.stores import raw
from tests.support.surrogates import ALL, On, Refused
from tests.unit.process.isms.kept import TEXTS, text
from tests.unit.process.policy.policy_texts import demo_text

from tallystick.client.wallet import Refusal
from tallystick.entry import accounting, evidence, proposals
from tallystick.entry.http import watched
from tallystick.entry.module_settings import ModuleKind, ModuleSettings, save_module
from tallystick.entry.paycrypt_settings import FILE
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.vendors.sources import Source, save_sources
from tallystick.entry.witnessing import WITNESSED_NOTE, Witnessing
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import MfsError, OutOfReach, Unavailable
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS, iso_utc
from tallystick.protocol.desk import BreakGlass, SteerOperator
from tallystick.protocol.operators import SuspendService
from tallystick.protocol.payments import PaymentKind

ALERTS = {rule.name: rule for rule in read_rules(RULES.read_text())}
SEALED = {"content-type": "application/cose"}
PAYEE = "+254700000002"


@dataclass
class Stage:
    """A served provider, whoever pays there, and the scraper that looks on."""

    provider: Served
    payer: Person
    scraper: Prometheus
    patch: pytest.MonkeyPatch

    def pay(self, minor: int = 100) -> None:
        self.payer.wallet.pay(PaymentKind.P2P, PAYEE, Money(minor, "KES"))

    def try_to_pay(self) -> None:
        """Pay, and take no for an answer."""
        try:
            self.pay()
        except MfsError:
            return

    def sealed(self, operation: str, body: bytes = b"{}") -> bytes:
        """A request in the payer's session."""
        live = self.payer.session._live
        assert live is not None
        live.sequence += 1
        return seal_request(live.keys, operation, live.sequence, body)

    def forge(self, times: int) -> None:
        """Send a request of the payer's session that somebody changed on the way."""
        changed = bytearray(self.sealed("account.read"))
        changed[-1] ^= 1
        link = http.client.HTTPConnection(urlsplit(self.provider.url).netloc, timeout=10)
        for _ in range(times):
            link.request("POST", "/v1/account", bytes(changed), SEALED)
            assert link.getresponse().read()
        link.close()

    def shows(self, line: str) -> bool:
        return f"{line}\n" in exposition(self.provider)


@contextmanager
def stage(folder: Path, *, own_clock: bool = False, **options: Any) -> Iterator[Stage]:
    """A provider with a payer and a payee, whose clock is the scraper's too unless `own_clock`."""
    clock = MovedClock()
    options |= {} if own_clock else {"clock": clock}
    with pytest.MonkeyPatch.context() as patch, served(folder, **options) as provider:
        payer = provider.person("+254700000001", "Ann", funds=30_000_000)
        provider.open_customer(PAYEE, "Ben")
        payer.wallet.account()
        yield Stage(provider, payer, Prometheus(provider.url, clock), patch)


def writes_stop(folder: Path) -> Prometheus:
    """Somebody wrote an event into the log past the service."""
    with stage(folder) as on:
        on.scraper.cause()
        raw(
            on.provider.folder.stored(),
            "INSERT INTO event (idx, event_id, leaf, leaf_hash)"
            " SELECT idx + 1, 'evt_x', leaf, leaf_hash FROM event ORDER BY idx DESC LIMIT 1",
        )
        on.try_to_pay()
        on.scraper.until_fired("TallystickWritesStopped")
        return on.scraper


def it_is_gone(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.steps(3, [on.pay])
        on.scraper.cause()
    on.scraper.until_fired("TallystickUnreachable")
    return on.scraper


def the_key_list_ends(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()
        left_ms = on.provider.platform.key_list_ends - on.scraper.clock.now()
        on.scraper.clock.off_ms += left_ms - 49 * HOUR_MS
        on.scraper.scrape()
        assert not on.scraper.fired
        on.scraper.clock.off_ms += HOUR_MS
        on.scraper.cause()
        on.scraper.until_fired("TallystickKeyListEnds")
        return on.scraper


def commands_pile_up(folder: Path) -> Prometheus:
    """The disk takes a commit and does not come back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 6_000)), hard))
    waits, returns = threading.Event(), threading.Event()
    with stage(folder) as on, ExitStack() as links:
        store = on.provider.platform.store
        commit = store.commit

        def stuck() -> None:
            waits.set()
            returns.wait(120)
            commit()

        links.callback(returns.set)
        on.patch.setattr(store, "commit", stuck)
        payer = threading.Thread(target=on.try_to_pay)
        requests = [on.sealed("account.read") for _ in range(2_100)]
        payer.start()
        assert waits.wait(20)
        on.scraper.cause()
        for body in requests:
            link = http.client.HTTPConnection(urlsplit(on.provider.url).netloc, timeout=20)
            links.callback(link.close)
            link.request("POST", "/v1/account", body, SEALED)
        on.scraper.until_fired("TallystickBacklog")
        returns.set()
        payer.join(timeout=20)
        return on.scraper


def more_is_asked_than_fits(folder: Path) -> Prometheus:
    """So short a bound refuses most of the orders that come together."""
    with stage(folder, longest_wait_s=1e-9) as on, ExitStack() as stack:
        address = urlsplit(on.provider.url).netloc
        links = [http.client.HTTPConnection(address, timeout=20) for _ in range(24)]
        for link in links:
            stack.callback(link.close)

        def crowd() -> None:
            for _ in range(4):
                for link in links:
                    link.request("POST", "/v1/payments", on.sealed("payment.order"), SEALED)
                for link in links:
                    link.getresponse().read()

        on.scraper.cause()
        on.scraper.until_fired("TallystickOverloaded", crowd)
        return on.scraper


def the_core_is_gone(folder: Path) -> Prometheus:
    """The core does not answer, and the policy takes no payments until it does."""
    with FallingCore() as core, stage(folder, core_url=core.url) as on:
        fall(on, core)
        on.scraper.cause()
        with pytest.raises(OutOfReach):
            on.pay()
        on.scraper.until_fired("TallystickUnavailableAnswers", on.try_to_pay)
        return on.scraper


def fall(on: Stage, core: FallingCore) -> None:
    """The core falls silent with an order on its way, and counts as failing."""
    core.silent = True
    on.pay()
    while not on.shows('tallystick_dependency_failing{dependency="core"} 1'):
        on.scraper.clock.off_ms += 3_000
        time.sleep(0.05)


def somebody_forges(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()
        on.scraper.until_fired("TallystickForgeries", lambda: on.forge(40))
        return on.scraper


@contextmanager
def witnessed(folder: Path, witness: LocalWitness) -> Iterator[Stage]:
    witnessing = Witnessing((witness.endpoint,), folder / WITNESSED_NOTE, every_s=0.05)
    with stage(folder, witnessing=witnessing) as on:
        until((folder / WITNESSED_NOTE).exists)
        yield on
    witness.close()


def a_witness_disagrees(folder: Path) -> Prometheus:
    witness = LocalWitness(folder)
    with witnessed(folder, witness) as on:
        on.scraper.cause()
        witness.doubting = True
        until(lambda: any(b"a witness disagrees" in one for one in on.provider.log))
        on.scraper.until_fired("TallystickWitnessDisagrees")
        return on.scraper


def a_witness_is_silent(folder: Path) -> Prometheus:
    witness = LocalWitness(folder)
    with witnessed(folder, witness) as on:
        on.scraper.cause()
        witness.silent = True
        until(lambda: b"".join(on.provider.log).count(b"not witnessed") > 4)
        on.scraper.until_fired("TallystickNotWitnessed")
        return on.scraper


def the_disk_is_slow(folder: Path) -> Prometheus:
    """Every few minutes somebody pays, whose commit takes more than two seconds."""
    with stage(folder) as on:
        store = on.provider.platform.store
        commit = store.commit

        def slow() -> None:
            time.sleep(2.1)
            commit()

        def pay_slowly() -> None:
            """Whatever is committed meanwhile is slow: the order, and what comes before it."""
            on.patch.setattr(store, "commit", slow)
            on.pay()
            on.patch.setattr(store, "commit", commit)

        on.pay()
        on.scraper.cause()
        pay_slowly()
        on.scraper.steps(17)
        pay_slowly()
        on.scraper.until_fired("TallystickSlow")
        return on.scraper


def the_disk_fills(folder: Path) -> Prometheus:
    """The system says that there is little room; nothing is really written full."""
    with stage(folder) as on:
        on.scraper.cause()
        usage = watched.shutil.disk_usage(folder)
        on.patch.setattr(watched.shutil, "disk_usage", lambda _: usage._replace(free=999_999_999))
        on.scraper.until_fired("TallystickDiskFills")
        return on.scraper


def the_core_says_nothing(folder: Path) -> Prometheus:
    with FallingCore() as core, stage(folder, core_url=core.url) as on:
        fall(on, core)
        on.scraper.clock.off_ms += 15 * MINUTE_MS
        until(lambda: not on.shows("tallystick_orders_open 0"))
        on.scraper.cause()
        on.scraper.until_fired("TallystickCoreSilent")
        return on.scraper


def listening(url: str) -> int:
    """How many sockets wait for callers at the port of `url`."""
    port = f":{urlsplit(url).port:04X} "
    table = Path("/proc/net/tcp").read_text().splitlines()
    return sum(1 for one in table if port in one and one.split()[3] == "0A")


def fronts_go(folder: Path) -> Prometheus:
    with stage(folder, own_clock=True, workers=2) as on:
        on.scraper.cause()
        gone: set[int] = set()

        def all_are_back() -> bool:
            noted = b"".join(on.provider.log).count(b"a front is gone") == len(gone)
            return noted and listening(on.provider.url) == 2 == len(set(fronts(os.getpid())) - gone)

        for pids in (list(fronts(os.getpid())), ()):
            for pid in pids or list(fronts(os.getpid()))[:1]:
                gone.add(pid)
                os.kill(pid, signal.SIGKILL)
            until(all_are_back, 60)
        on.scraper.until_fired("TallystickFrontsGo")
        return on.scraper


def a_collector_is_silent(folder: Path) -> Prometheus:
    with Stream() as listener:
        url = f"syslog+tcp://127.0.0.1:{listener.port}"
        with stage(folder, siem=(url,)) as on:
            until(lambda: on.shows("tallystick_siem_behind 0"))
            listener.close()
            on.provider.open_customer("+254700000003", "Cyd")
            until(lambda: on.shows("tallystick_siem_silent 1"))
            on.scraper.cause()
            on.scraper.until_fired("TallystickSiemSilent", on.pay)
            return on.scraper


def a_collector_refuses(folder: Path) -> Prometheus:
    with HttpCollector() as collector:
        url = f"otlp+http://{collector.address}"
        with stage(folder, siem=(url,)) as on:
            until(lambda: on.shows("tallystick_siem_behind 0"))
            on.scraper.cause()
            collector.status = 400
            on.provider.open_customer("+254700000003", "Cyd")
            until(lambda: not on.shows("tallystick_siem_dropped_total 0"))
            on.scraper.until_fired("TallystickSiemDropped")
            return on.scraper


def the_log_cannot_be_written(folder: Path) -> Prometheus:
    """What the log goes to refuses, and there is room for 200 lines until it takes them again."""
    full = threading.Event()

    def write(_: bytes) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")

    with stage(folder, write=write) as on:
        on.patch.setattr(accounting, "_MAX_LINES", 200)
        on.scraper.cause()
        full.set()
        on.forge(300)
        on.scraper.until_fired("TallystickLogLinesDropped")
        full.clear()
        return on.scraper


def a_register_is_overdue(folder: Path) -> Prometheus:
    """The register of documents was last looked at more than a year ago."""
    with stage(folder) as on:
        on.scraper.cause()
        day = iso_utc(on.scraper.clock.now() - 366 * DAY_MS)[:10]
        registers = on.provider.folder.registers
        registers.mkdir(exist_ok=True)
        (registers / "documents.yaml").write_text(text("documents", TEXTS["documents"], day))
        on.scraper.until_fired("TallystickRegistersOverdue")
        return on.scraper


def the_module_fails(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()

        def refuse(*_: object) -> bytes:
            raise Unavailable("the module does not answer")

        on.patch.setattr(on.provider.platform.module, "sign", refuse)
        until(lambda: on.shows('tallystick_dependency_failing{dependency="module"} 1'))
        on.scraper.until_fired("TallystickDependencyFailing")
        return on.scraper


def the_process_of_the_module_is_lost(folder: Path) -> Prometheus:
    """Somebody kills the process that holds the keys; payments go on, and somebody is told."""

    def prepare(provider: ProviderFolder, _: object) -> None:
        save_module(provider.root, ModuleSettings(module=ModuleKind.SOFT_PROCESS))

    with stage(folder, own_clock=True, prepare=prepare) as on:
        module = on.provider.platform.module
        assert isinstance(module, RemoteModule)
        on.scraper.cause()
        os.kill(module.status().process, signal.SIGKILL)
        until(lambda: b"module was started again" in b"".join(on.provider.log))
        on.scraper.until_fired("TallystickModuleStartedAgain", on.pay)
        return on.scraper


def a_tightening_is_beyond_its_caps(folder: Path) -> Prometheus:
    """A control fails, and too few customers are known to say whom the tightening touches."""
    entry = (
        "tightening_caps:\n  per_action: {customers_bp: 500, value_bp: 500}\n"
        "  per_day: {customers_bp: 500, value_bp: 500}\n\ntightening:\n"
    )
    text = demo_text().replace("tightening:\n", entry, 1)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(evidence, "EVERY_S", 0.2)
        on = stack.enter_context(stage(folder, policy_text=text))
        on.scraper.cause()
        failed = run_of(Verdict.FAIL, on.provider.clock.now() - 1, "run-1")
        evidence.leave_run(on.provider.folder, failed)
        until(lambda: on.shows("tallystick_proposals_waiting 1"))
        on.scraper.until_fired("TallystickTighteningCapped")
        return on.scraper


def a_proposal_waits(folder: Path) -> Prometheus:
    """The loop proposed a policy three hours ago, and nobody signs it for another one."""
    with stage(folder) as on:
        on.patch.setattr(proposals, "EVERY_S", 0.2)
        at = on.provider.clock.now() - 3 * HOUR_MS
        leave_proposal(on.provider.folder.root, at)
        until(lambda: on.shows("tallystick_proposals_waiting 1"))
        on.scraper.scrape()
        assert not on.scraper.fired
        on.scraper.clock.off_ms += at + 4 * HOUR_MS - on.scraper.clock.now()
        on.scraper.cause()
        on.scraper.until_fired("TallystickProposalWaits")
        return on.scraper


def a_network_is_gone(folder: Path) -> Prometheus:
    """The message centre that the service is bound to over SMPP closes."""
    with ExitStack() as stack:
        there = stack.enter_context(ExitStack())
        centre = there.enter_context(SmppCentre("tally", PASSWORD))
        bind = bind_to(centre, messages=False)
        on = stack.enter_context(stage(folder, smpp=((bind, PASSWORD),)))
        centre.wait_bound()
        until(lambda: on.shows('tallystick_smpp_bound{network="mno-east"} 1'))
        on.scraper.cause()
        there.close()
        until(lambda: on.shows('tallystick_smpp_bound{network="mno-east"} 0'))
        on.scraper.until_fired("TallystickNetworkNotBound")
        return on.scraper


def break_glass(on: Stage) -> None:
    operator = on.provider.operators["operations"][0]
    operator.act("break-glass", BreakGlass(minutes=10, because="nobody else is here"))
    until(lambda: on.shows("tallystick_emergencies_unreviewed 1"))


def somebody_breaks_glass(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()
        break_glass(on)
        on.scraper.until_fired("TallystickEmergency")
        return on.scraper


def an_emergency_is_not_reviewed(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()
        break_glass(on)
        on.scraper.until_fired("TallystickEmergencyUnreviewed")
        return on.scraper


def an_operator_suspends_a_service(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()
        operator = on.provider.operators["operations"][0]
        body = SuspendService(kind="salary", channel="all", because="the file was wrong")
        operator.act("suspend-service", body)
        until(lambda: on.shows("tallystick_services_suspended 1"))
        on.scraper.until_fired("TallystickServiceSuspended")
        return on.scraper


def an_operator_suspends_another(folder: Path) -> Prometheus:
    with stage(folder) as on:
        on.scraper.cause()
        first, second = on.provider.operators["operations"]
        body = SteerOperator(operator=second._operator, because="the laptop was stolen")
        first.act("suspend-operator", body)
        until(lambda: on.shows("tallystick_operators_suspended 1"))
        on.scraper.until_fired("TallystickOperatorSuspended")
        return on.scraper


def a_key_ends(folder: Path) -> Prometheus:
    """The newest webhook key has two days of its ninety left."""
    with stage(folder) as on:
        on.scraper.cause()
        keylife = on.provider.platform.desks.keylife
        row = next(one for one in keylife.rows().values() if one.purpose == "webhook")
        ends = on.provider.clock.now() + 2 * DAY_MS
        near = replace(row, created_at=ends - 90 * DAY_MS, ends_at=ends)
        on.patch.setitem(keylife.rows(), row.id, near)
        until(lambda: on.shows("tallystick_keys_ending 1"))
        on.scraper.until_fired("TallystickKeysEnd")
        return on.scraper


@contextmanager
def at_the_door(folder: Path, **fixed: Any) -> Iterator[tuple[Stage, On]]:
    """A provider with a payment cryptography door, and a program that may ask it."""
    chosen = settings(rows=(ALL,), **fixed)

    def prepare(provider: Any, secret: Any) -> None:
        (provider.root / FILE).write_bytes(encode(chosen))

    with stage(folder, prepare=prepare, paycrypt=True) as on:
        scene = Scene(on.provider, "", chosen)
        scene.program = scene.issue()
        yield on, On(scene)


def the_door_refuses_pins(folder: Path) -> Prometheus:
    with at_the_door(folder, use="card-scheme") as (on, asks):
        pvk = asks.scene.key("TR31_V2_VISA_PIN_VERIFICATION_KEY", "TDES_2KEY", CHECKS)
        zpk = asks.scene.key("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_2KEY", BOTH_WAYS)
        data = asks.scene.client()
        on.scraper.cause()
        with pytest.raises(data.exceptions.AccessDeniedException):
            data.generate_pin_data(
                GenerationKeyIdentifier=pvk, EncryptionKeyIdentifier=zpk,
                PinBlockFormat="ISO_FORMAT_0", PrimaryAccountNumber="4012345678909012",
                GenerationAttributes={"VisaPin": {"PinVerificationKeyIndex": 1}},
            )  # fmt: skip
        on.scraper.until_fired("TallystickDoorRefusesPins")
        return on.scraper


def programs_ask_for_what_nobody_agreed(folder: Path) -> Prometheus:
    with at_the_door(folder) as (on, asks):
        asks.open("shop", "pan", "random", "dispute:1000")
        surrogate = asks.made("shop", "4111111111111111")
        on.scraper.cause()
        for _ in range(6):
            with pytest.raises(Refused):
                asks.back("shop", surrogate, purpose="curiosity")
        on.scraper.until_fired("TallystickDetokenisingRefused")
        return on.scraper


def a_purpose_uses_its_hour_up(folder: Path) -> Prometheus:
    with at_the_door(folder) as (on, asks):
        asks.open("shop", "pan", "random", "dispute:10")
        surrogate = asks.made("shop", "4111111111111111")
        on.scraper.clock.not_at_the_end(of_ms=HOUR_MS, left_ms=2 * MINUTE_MS)
        for _ in range(8):
            asks.back("shop", surrogate)
        on.scraper.scrape()
        assert not on.scraper.fired
        on.scraper.cause()
        asks.back("shop", surrogate)
        on.scraper.until_fired("TallystickDetokenisedUnusually")
        return on.scraper


@contextmanager
def fed(folder: Path) -> Iterator[tuple[Stage, ListServer]]:
    """A provider that has fetched a list once."""
    with ListServer() as lists:
        lists.publish(REVOKED, status_list({"ab": "REVOKED"}), SystemClock().now())
        source = Source(url=lists.url + REVOKED, every_s=1, oldest_s=7 * 86_400)

        def before(provider: ProviderFolder, _: object) -> None:
            save_sources(provider.root, {"android-revoked": source})

        with stage(folder, before=before) as on:
            until(lambda: on.shows('tallystick_vendor_list_members{list="android-revoked"} 1'))
            on.scraper.cause()
            yield on, lists


def a_vendors_list_is_refused(folder: Path) -> Prometheus:
    with fed(folder) as (on, lists):
        lists.fails(REVOKED, Fault.GARBAGE)
        until(lambda: any(b"list was refused" in one for one in on.provider.log))
        on.scraper.until_fired("TallystickVendorListRefused")
        return on.scraper


def a_vendor_is_away(folder: Path) -> Prometheus:
    with fed(folder) as (on, lists):
        lists.fails(REVOKED, Fault.BROKEN)
        until(lambda: any(b"could not be fetched" in one for one in on.provider.log))
        on.scraper.until_fired("TallystickVendorListNotFetched")
        return on.scraper


@contextmanager
def fetching_of_partners(folder: Path, days: float = 7) -> Iterator[tuple[Stage, ListServer]]:
    """A provider that has fetched the list of a partner's authority once."""
    with (
        ListServer() as lists,
        stage(folder, before=lambda to, _: fetching(to, lists, days)) as on,
    ):
        until(lambda: on.shows('tallystick_partner_list_members{list="west"} 1'))
        on.scraper.cause()
        yield on, lists


def a_partners_list_is_refused(folder: Path) -> Prometheus:
    with fetching_of_partners(folder) as (on, lists):
        lists.fails(PATH, Fault.GARBAGE)
        until(lambda: any(b"authority was refused" in one for one in on.provider.log))
        on.scraper.until_fired("TallystickPartnerListRefused")
        return on.scraper


def a_partners_authority_is_away(folder: Path) -> Prometheus:
    with fetching_of_partners(folder) as (on, lists):
        lists.fails(PATH, Fault.BROKEN)
        until(lambda: any(b"could not be fetched" in one for one in on.provider.log))
        on.scraper.until_fired("TallystickPartnerListNotFetched")
        return on.scraper


def a_partners_list_is_past(folder: Path) -> Prometheus:
    with fetching_of_partners(folder, days=1) as (on, lists):
        lists.fails(PATH, Fault.BROKEN)
        on.scraper.clock.off_ms += DAY_MS
        until(lambda: on.shows('tallystick_partner_list_left_seconds{list="west"} 0'))
        on.scraper.cause()
        on.scraper.until_fired("TallystickPartnerListPast")
        return on.scraper


SCENES: dict[str, Callable[[Path], Prometheus]] = {
    "TallystickWritesStopped": writes_stop,
    "TallystickUnreachable": it_is_gone,
    "TallystickKeyListEnds": the_key_list_ends,
    "TallystickBacklog": commands_pile_up,
    "TallystickOverloaded": more_is_asked_than_fits,
    "TallystickUnavailableAnswers": the_core_is_gone,
    "TallystickForgeries": somebody_forges,
    "TallystickEmergency": somebody_breaks_glass,
    "TallystickEmergencyUnreviewed": an_emergency_is_not_reviewed,
    "TallystickOperatorSuspended": an_operator_suspends_another,
    "TallystickServiceSuspended": an_operator_suspends_a_service,
    "TallystickWitnessDisagrees": a_witness_disagrees,
    "TallystickSlow": the_disk_is_slow,
    "TallystickDiskFills": the_disk_fills,
    "TallystickCoreSilent": the_core_says_nothing,
    "TallystickFrontsGo": fronts_go,
    "TallystickNotWitnessed": a_witness_is_silent,
    "TallystickSiemSilent": a_collector_is_silent,
    "TallystickSiemDropped": a_collector_refuses,
    "TallystickRegistersOverdue": a_register_is_overdue,
    "TallystickLogLinesDropped": the_log_cannot_be_written,
    "TallystickDependencyFailing": the_module_fails,
    "TallystickModuleStartedAgain": the_process_of_the_module_is_lost,
    "TallystickTighteningCapped": a_tightening_is_beyond_its_caps,
    "TallystickProposalWaits": a_proposal_waits,
    "TallystickNetworkNotBound": a_network_is_gone,
    "TallystickKeysEnd": a_key_ends,
    "TallystickDoorRefusesPins": the_door_refuses_pins,
    "TallystickDetokenisingRefused": programs_ask_for_what_nobody_agreed,
    "TallystickDetokenisedUnusually": a_purpose_uses_its_hour_up,
    "TallystickVendorListRefused": a_vendors_list_is_refused,
    "TallystickVendorListNotFetched": a_vendor_is_away,
    "TallystickPartnerListRefused": a_partners_list_is_refused,
    "TallystickPartnerListNotFetched": a_partners_authority_is_away,
    "TallystickPartnerListPast": a_partners_list_is_past,
}
ALSO = {
    "TallystickEmergencyUnreviewed": {"TallystickEmergency"},
    "TallystickOverloaded": {"TallystickUnavailableAnswers"},
    "TallystickUnavailableAnswers": {"TallystickDependencyFailing"},
    "TallystickCoreSilent": {"TallystickDependencyFailing"},
}
"""What else is wrong in a scene, and is said rightly."""


def test_every_alert_has_a_scene_and_every_scene_an_alert() -> None:
    assert list(SCENES) == list(ALERTS)
    assert all(names <= set(ALERTS) for names in ALSO.values())


@pytest.mark.parametrize("name", list(ALERTS))
def test_an_alert_fires_in_its_scene_in_time_and_no_other_does(name: str, tmp_path: Path) -> None:
    scraper = SCENES[name](tmp_path / "p")
    assert name in scraper.fired, f"it did not fire; {set(scraper.fired)} did"
    assert ALERTS[name].for_s <= scraper.delay_of(name) + 1 <= ALERTS[name].delay_s + 1
    assert set(scraper.fired) - {name} <= ALSO.get(name, set())


OF_NETWORKS = {"tallystick_smpp_bound"}
"""What is there once a network is bound; its rule has a scene of its own."""


OF_LISTS = {
    "tallystick_vendor_list_failing_seconds",
    "tallystick_partner_list_failing_seconds",
    "tallystick_partner_list_left_seconds",
}
"""What is there once a list is fetched; its rule has a scene of its own."""


OF_DOORS = {
    "tallystick_paycrypt_refused_total",
    "tallystick_surrogates_refused_total",
    "tallystick_surrogates_spent_percent",
}
"""What is there where a provider has a payment cryptography door; each has a scene of its own."""


def test_no_alert_fires_while_everything_works(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    witness = LocalWitness(folder)
    witnessing = Witnessing((witness.endpoint,), folder / WITNESSED_NOTE, every_s=0.2)
    with (
        FallingCore() as core,
        Stream() as listener,
        stage(
            folder,
            core_url=core.url,
            siem=(f"syslog+tcp://127.0.0.1:{listener.port}",),
            witnessing=witnessing,
        ) as on,
    ):

        def asks_too_much() -> None:
            with pytest.raises(Refusal):
                on.pay(999_999_999)

        until(lambda: on.shows("tallystick_siem_behind 0"))
        on.scraper.cause()
        on.scraper.steps(48, [on.pay, on.pay, asks_too_much, lambda: on.forge(2)])
        until(lambda: on.payer.wallet.account().reserved_minor == 0)
        on.scraper.steps(1)
        shown = on.scraper.samples.names()
    witness.close()
    assert on.scraper.fired == {}
    assert on.scraper.pending == {}
    used = {name for rule in ALERTS.values() for name in rule.expression.metrics}
    assert used - OF_NETWORKS - OF_LISTS - OF_DOORS <= shown, "a rule looks at what was not there"
    assert on.scraper.now - on.scraper.caused > 10 * 60
