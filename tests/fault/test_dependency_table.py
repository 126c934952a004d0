"""Every row of the policy's table of dependencies, done by a served provider: refused, told, over.

The core system, the witness and the SMS centre fall silent, and the crypto module refuses; what no
adapter asks here is reported at the port of the watch. A row of the policy that nothing here makes
fail fails the tests.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.collectors import Datagrams, until
from tests.support.looking import caused, leaves_of
from tests.support.metrics import exposition
from tests.support.partners import FallingCore, LocalWitness, MovedClock
from tests.support.served import Person, Served, by_one_operator, served
from tests.unit.process.policy.policy_texts import demo

from tallystick.application.core import book_id
from tallystick.application.core.model import Patience
from tallystick.application.policing.watch import FAILURES, FOR_MS
from tallystick.client.consenting import Order
from tallystick.client.wallet import Refusal
from tallystick.entry import delivering
from tallystick.entry.auditing import audit_provider
from tallystick.entry.doctor import State
from tallystick.entry.doctor.service import look_at_service
from tallystick.entry.settings import PublicHalf
from tallystick.entry.witnessing import WITNESSED_NOTE, Witnessing
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import LimitExceeded, OutOfReach, Unavailable
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS
from tallystick.process.policy import Dependency
from tallystick.process.policy.decision import RETRY_AFTER_S
from tallystick.process.policy.language.model import DependencyRule
from tallystick.protocol.core import TransferStage
from tallystick.protocol.operators import IssueActivation, OpenCustomer
from tallystick.protocol.payments import PaymentKind

TABLE = demo().policy.dependencies
CONNECTED = {"core", "module", "witness", "sms"}
QUICK = Patience(
    first_ms=50, most_ms=200, absent_apart_ms=200, placings=10, lies=50, people_after_ms=600_000
)
DIALLER = "+254722000001"
NUMBERS = iter(range(254_733_000_001, 254_734_000_000))


@dataclass
class Ground:
    """A served provider with everything that it can lean on, and who meets it."""

    provider: Served
    clock: MovedClock
    core: FallingCore
    witness: LocalWitness
    listener: Datagrams
    phone: FeaturePhone
    agent: Person
    payer: Person
    payee: Person
    held: list[Order] = field(default_factory=list)

    def order(self, minor: int = 100) -> Order:
        wallet = self.payer.wallet
        return wallet.consent(wallet.quote(PaymentKind.P2P, self.payee.number, Money(minor, "KES")))

    def pay(self, minor: int = 100) -> str:
        """Pay; gives the id of the order."""
        return self.payer.wallet.place(self.order(minor)).verified.event.id

    def row_and_facts(self, order: str) -> tuple[str, list[list[object]]]:
        """The row that decided an order, and what failed then, as it was sealed beside it."""
        payments = self.provider.platform.desks.payments
        row = payments.find(order)
        assert row is not None
        return row.row, json.loads(payments.proofs.evidence(row).facts).get("degraded", [])

    def failing(self, name: str) -> bool:
        return f'dependency_failing{{dependency="{name}"}} 1\n' in exposition(self.provider)

    def idle(self) -> bool:
        return self.payer.wallet.account().reserved_minor == 0


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("leaning") / "p"
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    core, witness, clock = FallingCore(), LocalWitness(folder), MovedClock()
    with (
        pytest.MonkeyPatch.context() as patch,
        Datagrams() as listener,
        served(
            folder,
            core_url=core.url,
            policy_text=by_one_operator(),
            patience=QUICK,
            clock=clock,
            gateways={"gw1": half},
            siem=(f"syslog+udp://127.0.0.1:{listener.port}",),
            witnessing=Witnessing((witness.endpoint,), folder / WITNESSED_NOTE, every_s=0.2),
        ) as provider,
    ):
        patch.setattr(delivering, "PROBE_S", 0.5)
        agent = provider.person("+254711000002", "Mary", kind="agent", tier=3, till="600200")
        agent.wallet.open_customer(
            OpenCustomer(name="Dora Dial", msisdn=DIALLER, kind="person", tier=1)
        )
        gateway = UssdGateway("gw1", key, provider.url, clock)
        yield Ground(
            provider=provider,
            clock=clock,
            core=core,
            witness=witness,
            listener=listener,
            phone=FeaturePhone(DIALLER, gateway, provider.smsc),
            agent=agent,
            payer=provider.person("+254700000001", "Ann", funds=40_000_000),
            payee=provider.person("+254700000002", "Ben"),
        )
    witness.close()
    core.close()
    assert not audit_provider(provider.folder).findings


@contextmanager
def core_falls(ground: Ground) -> Iterator[None]:
    """The core does what it is asked and says nothing; what it did comes out afterwards."""
    until(ground.idle)
    known = len(ground.core.heard)
    ground.core.silent = True
    unknown = ground.pay()
    until(lambda: len(ground.core.heard) > known + FAILURES)
    ground.clock.off_ms += FOR_MS
    until(lambda: ground.failing("core"))
    heard = len(ground.core.heard)
    yield
    until(lambda: len(ground.core.heard) > heard + 1)
    assert {one.method for one in ground.core.heard[heard:]} == {"GET"}, "inquired, never placed"
    assert ground.payer.wallet.receipt(unknown).event.stage == "accepted"
    ground.core.silent = False
    until(lambda: ground.payer.wallet.receipt(unknown).event.stage == "settled")
    assert ground.core.truth()[book_id(unknown)].state is TransferStage.SETTLED


@contextmanager
def module_falls(ground: Ground) -> Iterator[None]:
    """The module signs nothing, as one that is out of reach; there is nothing else it owes."""
    until(ground.idle)
    orders = [ground.order(), ground.order()]

    def refuse(*_: object) -> bytes:
        raise Unavailable("the module does not answer")

    module = ground.provider.platform.module
    module.sign = refuse  # type: ignore[method-assign]
    until(lambda: ground.failing("module"))
    ground.held += orders
    yield
    del module.sign  # type: ignore[method-assign]


@contextmanager
def witness_falls(ground: Ground) -> Iterator[None]:
    ground.witness.silent = True
    until(lambda: b'"message":"not witnessed"' in b"".join(ground.provider.log[-3:]))
    ground.clock.off_ms += FOR_MS
    until(lambda: ground.failing("witness"))
    yield
    ground.witness.silent = False


@contextmanager
def sms_falls(ground: Ground) -> Iterator[None]:
    """No message is taken: that of a payment to somebody who only dials waits."""
    smsc = ground.provider.smsc
    until(ground.idle)
    smsc.break_down()
    ground.payer.wallet.pay(PaymentKind.P2P, DIALLER, Money(700, "KES"))
    until(lambda: b"notice not delivered" in b"".join(ground.provider.log))

    def fails_as_time_goes_on() -> bool:
        """The next try is due later and later."""
        ground.clock.off_ms += FOR_MS
        return ground.failing("sms")

    until(fails_as_time_goes_on)
    yield
    assert not [one for one in ground.phone.inbox() if "7.00 from Ann" in one.text]
    smsc.break_down(broken=False)
    ground.phone.wait_for(lambda one: "7.00 from Ann" in one.text, 10)


def at_port(name: str) -> Callable[[Ground], AbstractContextManager[None]]:
    """What no adapter asks here is reported where an adapter would report it."""

    @contextmanager
    def falls(ground: Ground) -> Iterator[None]:
        report(ground, name, ago_ms=FOR_MS)
        yield
        ground.provider.platform.desks.policy.watch.answered(name, ground.clock.now())

    return falls


def report(ground: Ground, name: str, ago_ms: int) -> None:
    """Say that `name` has not answered for `ago_ms`, and answers no more."""
    watch, now = ground.provider.platform.desks.policy.watch, ground.clock.now()
    watch.answered(name, now)
    for at in (now - ago_ms, now - 1, now):
        watch.failed(name, at)


FALLS: dict[str, Callable[[Ground], AbstractContextManager[None]]] = {
    "core": core_falls,
    "module": module_falls,
    "witness": witness_falls,
    "sms": sms_falls,
} | {
    name: at_port(name)
    for name in (
        "time-stamp", "attestation", "revocation", "sim-signal", "screening", "fraud-score",
    )
}  # fmt: skip


def test_every_row_of_the_policy_has_an_exercise_and_every_exercise_a_row() -> None:
    assert set(FALLS) == set(TABLE) == {one.value for one in Dependency}
    assert {rule.on_failure for rule in TABLE.values()} == set(DOES)
    used = {operation for rule in TABLE.values() for operation in rule.operations}
    assert used <= set(HELD_BACK) | {"manage-device"}, "nobody manages devices by himself yet"


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_row_is_done_told_and_over_with_the_first_answer(ground: Ground, name: str) -> None:
    rule = TABLE[name]
    assert not ground.failing(name)
    with FALLS[name](ground):
        until(lambda: ground.failing(name))
        DOES[rule.on_failure](ground, name, rule)
        told(ground, name, rule)
    until(lambda: not ground.failing(name))
    said(ground, "dependency.fails", name)
    said(ground, "dependency.answers", name)
    held, ground.held = ground.held, []
    for order in held:
        assert ground.payer.wallet.place(order).verified.event.id == order.quote.order
    order = ground.pay()
    assert ground.row_and_facts(order)[1] == []
    until(ground.idle)
    [found] = [one for one in looks(ground) if one.what == f"dependency {name}"]
    assert found.state is State.FINE


def looks(ground: Ground):
    return look_at_service(ground.provider.folder, ground.provider.url)


def told(ground: Ground, name: str, rule: DependencyRule) -> None:
    """The log and the doctor say what fails, what is done, and whom it concerns."""
    until(lambda: noted(ground, name))
    fields = {"does": rule.on_failure, "tell": ",".join(rule.tell)}
    assert fields.items() <= noted(ground, name)[-1].items()
    [found] = [one for one in looks(ground) if one.what == f"dependency {name}"]
    assert found.state is (State.SOON if rule.on_failure == "open" else State.WRONG)
    assert all(role in found.says for role in rule.tell)


def noted(ground: Ground, name: str) -> list[dict[str, object]]:
    """The lines of the log that say that `name` fails."""
    lines = [json.loads(one) for text in ground.provider.log for one in text.splitlines()]
    return [
        one for one in lines
        if one.get("message") == "a dependency fails" and one["dependency"] == name
    ]  # fmt: skip


def said(ground: Ground, kind: str, name: str) -> None:
    """A security event of this kind about `name` arrives."""

    def arrived() -> bool:
        ours = [one.elements["tallystick@32473"] for one in ground.listener.messages()
                if one.kind == kind]  # fmt: skip
        return any(one["dependency"] == name and one["tell"] for one in ours)

    until(arrived)


def goes_on(ground: Ground, name: str, rule: DependencyRule) -> None:
    """Payments pass, and the record has what failed when they were decided."""
    order = ground.pay()
    row, degraded = ground.row_and_facts(order)
    assert not row.startswith("dependency")
    assert [one for one, _ in degraded] == [name]
    assert rule.operations == ("pay",)


def is_closed(ground: Ground, name: str, rule: DependencyRule) -> None:
    """Every operation of the row is held back."""
    for operation in rule.operations:
        if operation in HELD_BACK:
            HELD_BACK[operation](ground, name)


def grows_stale(ground: Ground, name: str, rule: DependencyRule) -> None:
    """Within its time it goes on, after it every operation of the row is held back."""
    report(ground, name, ago_ms=rule.stale_for_ms - 60_000)
    _, degraded = ground.row_and_facts(ground.pay())
    assert [one for one, _ in degraded] == [name]
    until(ground.idle)
    report(ground, name, ago_ms=rule.stale_for_ms + 1)
    is_closed(ground, name, rule)


def is_capped(ground: Ground, name: str, rule: DependencyRule) -> None:
    """One payment moves at most the reduced limit, and what is above is refused for good."""
    order = ground.pay(rule.reduced_limit_minor)
    assert [one for one, _ in ground.row_and_facts(order)[1]] == [name]
    with pytest.raises(Refusal) as found:
        ground.pay(rule.reduced_limit_minor + 1)
    assert type(found.value.error) is LimitExceeded
    assert found.value.error.because == f"dependency-{name}: {rule.because}"
    assert found.value.receipt is not None


DOES = {"open": goes_on, "closed": is_closed, "stale": grows_stale, "reduced-limit": is_capped}


def check_held_back(error: OutOfReach, name: str) -> None:
    assert error.status == 503
    assert error.because == f"dependency-{name}: {TABLE[name].because}"
    assert error.retry_after_s == RETRY_AFTER_S
    assert "same id" in error.remedy


def pay_is_held_back(ground: Ground, name: str) -> None:
    ground.held = ground.held or [ground.order()]
    with pytest.raises(OutOfReach) as found:
        ground.payer.wallet.place(ground.held[0])
    check_held_back(found.value, name)
    live = ground.provider.platform.desks.payments.find(ground.held[0].quote.order)
    assert live is None, "nothing was kept: the same order may be sent again"


def login_is_held_back(ground: Ground, name: str) -> None:
    session = ground.provider.reached.session(ground.payee.keystore)
    try:
        session.establish()
    except OutOfReach as error:
        check_held_back(error, name)
    except Unavailable:
        assert name == "module", "without a module the provider cannot even prove itself"
    else:
        pytest.fail("a session was opened")


def enrolling_is_held_back(ground: Ground, name: str) -> None:
    number = f"+{next(NUMBERS)}"
    activation = ground.provider.open_customer(number, "Cyd").reference
    code = ground.provider.activation_code(number)
    size = len(leaves_of(ground.provider))
    with pytest.raises(OutOfReach) as found:
        ground.provider.enrol_phone(number, activation, code)
    check_held_back(found.value, name)
    assert caused(ground.provider, size) == []


def a_pin_is_held_back(ground: Ground, name: str) -> None:
    code = ground.phone.activation_code()
    page = ground.phone.set_pin(code, Secret("7391"))
    assert TABLE[name].because.split(" [", 1)[0] in page
    assert not ground.provider.platform.desks.customers.by_alias(DIALLER).pin


HELD_BACK = {
    "pay": pay_is_held_back,
    "login": login_is_held_back,
    "activate": enrolling_is_held_back,
    "change-pin": a_pin_is_held_back,
}


def test_a_code_that_was_held_back_is_not_used_up(ground: Ground) -> None:
    desk = ground.provider.operators["care-desk"][0]
    known = len(ground.provider._codes(DIALLER))
    desk.act("issue-activation", IssueActivation(number=DIALLER))
    code = ground.provider.activation_code(DIALLER, after=known)
    with module_falls(ground):
        a_pin_is_held_back(ground, "module")
    ground.held = []
    until(lambda: not ground.failing("module"))
    ground.phone.set_pin(code, Secret("7391"))
    assert ground.provider.platform.desks.customers.by_alias(DIALLER).pin


def test_what_is_not_connected_is_said_to_be_so_and_not_to_be_well(ground: Ground) -> None:
    shown = {one.what: one for one in looks(ground)}
    for name in TABLE:
        says = shown[f"dependency {name}"].says
        reported = f'dependency="{name}"' in exposition(ground.provider)
        assert reported == (name in CONNECTED)
        assert says.startswith("answers" if reported else "not connected"), name


def test_a_core_that_is_back_is_noticed_though_no_order_waits_for_it(ground: Ground) -> None:
    until(ground.idle)
    known = len(ground.core.heard)
    ground.core.silent = True
    given_up = ground.pay()
    until(lambda: len(ground.core.heard) > known + FAILURES)
    ground.clock.off_ms += FOR_MS
    until(lambda: ground.failing("core"))
    ground.clock.off_ms += 11 * MINUTE_MS
    until(lambda: ground.payer.wallet.receipt(given_up).event.stage == "unknown")
    until(lambda: "tallystick_orders_open 0\n" in exposition(ground.provider))
    heard = len(ground.core.heard)
    ground.core.silent = False
    until(lambda: not ground.failing("core"))
    [asked] = {(one.method, one.path) for one in ground.core.heard[heard:]}
    assert asked == ("GET", f"/v1/transfers/{book_id(given_up)}")
    assert ground.payer.wallet.receipt(given_up).event.stage == "unknown", "people decide on it"
