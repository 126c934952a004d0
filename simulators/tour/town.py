"""A town that pays: repeat customers, an agent, salaries, shops, phones that dial, some fraud.

Generated from a seed: the same seed plans the same payments.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.5
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from simulators.cast import Person
from simulators.feature_phone import FeaturePhone
from simulators.tour.provider import TourProvider
from simulators.tour.scenes import AGENT, PIN, SHOP, Players, kes, must
from simulators.tour.telling import Story, progress
from tallystick.client.consenting import Order
from tallystick.client.wallet import Refusal
from tallystick.entry.rechecking import Verifier
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

APPS, DIALLERS, THREADS = 160, 40, 6
APP_PAYMENTS, DIALLED_PAYMENTS = 1_200, 300


@dataclass(frozen=True, slots=True)
class Planned:
    """One payment of the plan; `twist` is what a fraudster does to it, or empty.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    payer: int
    kind: PaymentKind
    payee: str
    minor: int
    twist: str


@dataclass(slots=True)
class Tally:
    """What came of the plan; `slipped` counts frauds that went through, `seconds` when each came.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    settled: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    seconds: list[float] = field(default_factory=list)
    rate: float = 0.0
    cpu_us: float = 0.0
    slipped: int = 0

    def total(self) -> int:
        """How many orders were answered.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.settled.total() + self.refused.total()


def plan(seed: int, numbers: list[str]) -> list[Planned]:
    """The payments of the people with apps: a few payees each, shops, cash out, and some fraud.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """
    dice = random.Random(seed)
    friends = [dice.sample(numbers, 4) for _ in numbers]
    planned: list[Planned] = []
    for _ in range(APP_PAYMENTS):
        payer = dice.randrange(len(numbers))
        twist = dice.choices(("", "changed", "huge"), (97, 2, 1))[0]
        way = dice.choices(("p2p", "shop", "cash-out"), (60, 30, 10))[0]
        minor = int(dice.lognormvariate(9.2, 0.8)) + 100
        if twist == "huge":
            minor = 20_000_000
        if way == "shop":
            planned.append(Planned(payer, PaymentKind.MERCHANT, SHOP, minor, twist))
        elif way == "cash-out":
            planned.append(Planned(payer, PaymentKind.CASH_OUT, AGENT, minor, twist))
        else:
            payee = dice.choice([one for one in friends[payer] if one != numbers[payer]])
            planned.append(Planned(payer, PaymentKind.P2P, payee, minor, twist))
    return planned


def populate(story: Story, players: Players) -> tuple[list[Person], list[FeaturePhone]]:
    """The town's people enrol, get paid their salaries, and have money.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    story.scene("A town pays")
    cast, people, phones = players.cast, [], []
    employer = cast.person(
        "+254711000009", "Town Works", kind="merchant", tier=3, funds=500_000_000, till="500900"
    )
    opened = [
        (f"+2547330{index:05d}", cast.open_customer(f"+2547330{index:05d}", f"Citizen {index}"))
        for index in range(APPS)
    ]
    for index, (number, reply) in enumerate(opened):
        progress(f"enrolling {index + 1} of {APPS + DIALLERS}")
        people.append(cast.enrol_phone(number, reply.reference, cast.activation_code(number)))
        employer.wallet.pay(PaymentKind.SALARY, number, kes(3_000_000))
    for index in range(DIALLERS):
        progress(f"enrolling {APPS + index + 1} of {APPS + DIALLERS}")
        number = f"+2547440{index:05d}"
        players.agent.wallet.open_customer(
            OpenCustomer(name=f"Dialler {index}", msisdn=number, kind="person", tier=1)
        )
        phone = FeaturePhone(number, players.gateway, players.smsc)
        phone.set_pin(phone.activation_code(10), PIN)
        players.agent.wallet.pay(PaymentKind.CASH_IN, number, kes(400_000))
        phones.append(phone)
    story.done(
        f"{APPS} people with an app and {DIALLERS} who dial have enrolled",
        "salaries from an employer, cash in by the agent",
    )
    return people, phones


def live(story: Story, provider: TourProvider, players: Players, seed: int) -> Tally:
    """The town pays for a while; the counts, the rate, the cost, and the books afterwards.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    people, phones = populate(story, players)
    planned = plan(seed, [person.number for person in people])
    tally = Tally()
    lock = threading.Lock()
    began, cpu = time.monotonic(), provider.cpu_s()

    def note(kind: str, reason: str = "") -> None:
        with lock:
            (tally.refused if reason else tally.settled)[reason or kind] += 1
            tally.seconds.append(time.monotonic() - began)

    def walk(part: int) -> None:
        for one in planned:
            if one.payer % THREADS == part:
                reason = _attempt(people[one.payer], one)
                note(one.kind.value, reason)
                tally.slipped += bool(one.twist) and not reason

    def dial() -> None:
        dice = random.Random(seed + 1)
        for _ in range(DIALLED_PAYMENTS):
            phone = dice.choice(phones)
            wrong = dice.random() < 0.05
            pin = Secret("1357") if wrong else PIN
            pages = phone.pay_merchant(SHOP, str(dice.randint(5, 400)), pin)
            note("dialled", "" if "Receipt" in pages[-1] else _dialled_reason(pages[-1]))

    threads = [threading.Thread(target=walk, args=(part,), daemon=True) for part in range(THREADS)]
    threads.append(threading.Thread(target=dial, daemon=True))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        progress(f"{tally.total()} of {APP_PAYMENTS + DIALLED_PAYMENTS} orders answered")
    must(tally.total() == APP_PAYMENTS + DIALLED_PAYMENTS, "every order was answered")
    must(not tally.slipped, "no changed and no excessive order was settled")
    must(tally.settled.total() > 0.9 * tally.total(), "the town's honest orders are settled")
    tally.rate = tally.total() / (time.monotonic() - began)
    tally.cpu_us = (provider.cpu_s() - cpu) / tally.total() * 1e6
    _report(story, provider, tally)
    return tally


def _attempt(person: Person, planned: Planned) -> str:
    """Pay as planned; gives the reason of a refusal, or nothing."""
    try:
        quoted = person.wallet.quote(planned.kind, planned.payee, kes(planned.minor))
        order = person.wallet.consent(quoted)
        if planned.twist == "changed":
            body = bytearray(order.body)
            body[len(body) // 2] ^= 1
            order = Order(order.quote, bytes(body))
        person.wallet.place(order)
    except Refusal as refusal:
        return _short(refusal.error, planned)
    except MfsError as error:
        return _short(error, planned)
    return ""


def _short(error: MfsError, planned: Planned) -> str:
    if planned.twist == "changed" and error.code in {"malformed", "not-authentic"}:
        return "a byte changed on its way"
    if error.because.startswith("software-device:"):
        return "above a software key's limit"
    row = error.because.split(":")[0]
    return f"policy row {row}"[:44] if row else error.code


def _dialled_reason(page: str) -> str:
    return "wrong PIN" if "PIN" in page else "dialled: refused"


def _report(story: Story, provider: TourProvider, tally: Tally) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in tally.settled.most_common())
    story.fact(
        f"{tally.settled.total()} settled: {kinds}",
        f"{tally.rate:.0f}/s; phones and provider share this machine",
    )
    for reason, count in tally.refused.most_common():
        story.refused(f"{count} orders", reason)
    story.fact(
        f"{tally.cpu_us:.0f} us of server CPU an order",
        "quote, order, consistency and PIN checks included",
    )
    with open_reader(provider.folder.stored()) as reader:
        ((debit, credit),) = reader.rows(
            "SELECT sum(posted_debit), sum(posted_credit) FROM account"
        )
    must(debit == credit, "what was debited was credited")
    story.fact(f"value conserved: {kes(debit)} debited, {kes(credit)} credited", "trial balance 0")
    with Verifier(provider.folder, provider.secret(), SystemClock()) as verifier:
        found = verifier.recheck()
    must(not found.doubts, "every order was consented to as it was executed")
    story.fact(
        f"{found.orders} consents verified again, each as it was executed",
        "by a verifier that shares nothing with the service but the file",
    )
