"""Cases of paying: what is sealed, what is retried, and that money moves once.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3; 7.3.4; 11.2.2
"""

from collections.abc import Callable
from dataclasses import replace

from tallystick.entry.conforming.bench import (
    AMOUNT_MINOR,
    FUNDS_MINOR,
    PAYMENTS,
    PROVES,
    Bench,
    Case,
    demand,
    sent_to,
)
from tallystick.entry.conforming.relay import (
    Answered,
    Asked,
    Passed,
    Rule,
    flipped,
    in_clear,
    with_body,
)
from tallystick.entry.conforming.stage import CURRENCY
from tallystick.infrastructure.envelope.cose import peek
from tallystick.infrastructure.tally.verify import verify_receipt
from tallystick.kernel.codec import encode, from_plain
from tallystick.kernel.errors import MfsError, Unauthenticated, Unavailable
from tallystick.protocol.problems import problem_of
from tallystick.protocol.receipt import Receipt

ACCOUNT = "/v1/account"
_MORE_THAN_ALL = 500
_FEW_MINOR = 100


def _once(bench: Bench, before_minor: int, most: int = AMOUNT_MINOR) -> None:
    arrived = bench.stage.arrived_minor() - before_minor
    demand(arrived == most, f"{arrived} minor units arrived, not {most}")


def _pays(bench: Bench) -> None:
    bench.enrolled()
    before = bench.stage.arrived_minor()
    said = bench.paid()
    _once(bench, before)
    shown = said.get("shown")
    expected = {"payee_name": "Ben C.", "amount_minor": AMOUNT_MINOR, "currency": CURRENCY}
    right = isinstance(shown, dict) and {**shown, **expected} == shown and "fee_minor" in shown
    demand(right, f"payee, amount and fee were not shown as they are: {shown}")
    _check_receipt(bench, said.get("receipt"), str(said.get("order", "")))


def _check_receipt(bench: Bench, plain: object, order: str) -> None:
    provider = bench.stage.reached()
    try:
        receipt = from_plain(plain, Receipt)
        found = verify_receipt(receipt, provider.tally_key(), origin=provider.origin)
        right = found.event.id == order
    except MfsError:
        right = False
    finally:
        provider.close()
    demand(right, "the receipt that it gives is not that of the order")


def _retried(rule: Rule) -> Callable[[Bench], None]:
    """A case: the order gets lost on the way there or back, and is sent again."""

    def run(bench: Bench) -> None:
        bench.enrolled()
        bench.done("account")
        before = bench.stage.arrived_minor()
        passed = bench.under(replace(rule, used=0), bench.paid)
        _once(bench, before)
        demand(len(sent_to(passed, PAYMENTS)) >= 2, "the order was not sent again")

    return run


def _busy(_: Asked) -> Answered:
    problem = problem_of(Unavailable("the record is out of reach", retry_after_s=1))
    return Answered(503, encode(problem), "application/problem+json", retry_after_s=1)


def _again(bench: Bench) -> None:
    bench.enrolled()
    before = bench.stage.arrived_minor()
    first, again = bench.paid(), bench.done("again")
    _once(bench, before)
    demand(first.get("receipt") == again.get("receipt"), "the same order has two receipts")


def _forgotten(bench: Bench) -> None:
    """A session that the provider says it does not know; anybody could have said so."""
    bench.enrolled()
    bench.done("account")
    before = bench.stage.arrived_minor()
    unknown = encode(problem_of(Unauthenticated("no such session")))
    rule = Rule(PAYMENTS, before=lambda _: in_clear(401, unknown), times=1)
    passed = bench.under(rule, bench.paid)
    _once(bench, before)
    demand(sent_to(passed, PROVES), "no new session was opened")
    first, second = sent_to(passed, PAYMENTS)[:2]
    same = peek(first.asked.body)[0] == peek(second.asked.body)[0]
    demand(not same, "the order was sent again in the session that is over")


def _doubled(bench: Bench) -> None:
    """Somebody between sends every order twice; the device gets the second answer."""
    bench.enrolled()
    before = bench.stage.arrived_minor()

    def before_it(asked: Asked) -> Asked:
        bench.relay.send(asked)
        return asked

    bench.under(Rule(PAYMENTS, before=before_it, times=1), bench.pay)
    bench.done("again")
    _once(bench, before)


def _replies(what: str, change: Rule) -> Callable[[Bench], None]:
    """A case: the reply to a question is not the provider's to this question."""

    def run(bench: Bench) -> None:
        bench.enrolled()
        bench.done("account")
        bench.under(replace(change, used=0), lambda: bench.refused(what, "account"))

    return run


def _altered(at: int) -> Rule:
    return Rule(ACCOUNT, after=lambda _, reply: with_body(reply, flipped(reply.body, at)))


def _status(_: Asked, reply: Answered) -> Answered:
    return replace(reply, status=202)


def _forged(_: Asked) -> Answered:
    account = {
        "account": "acc_" + "0" * 26,
        "available_minor": 1,
        "currency": CURRENCY,
        "device": "dev_" + "0" * 26,
        "reserved_minor": 0,
    }
    return in_clear(200, encode(account))


def _clear_reply(bench: Bench) -> None:
    bench.enrolled()
    with bench.relay.playing(Rule(ACCOUNT, before=_forged, times=2)):
        said = bench.ask("account")
    true = said.ok is None or said.ok.get("available_minor") == FUNDS_MINOR
    demand(true, "an answer in clear was taken")


def _another_reply(bench: Bench) -> None:
    bench.enrolled()
    with bench.relay.playing() as passed:
        bench.done("account")
    old = next((one.reply for one in sent_to(passed, ACCOUNT)), None)
    demand(old is not None, "account did not ask the provider")
    rule = Rule(ACCOUNT, before=lambda _: old)
    bench.under(rule, lambda: bench.refused("the reply to an earlier request", "account"))


def _numbers(bench: Bench) -> None:
    bench.enrolled()
    with bench.relay.playing(Rule(PAYMENTS, after=lambda _, __: None, times=1)) as passed:
        bench.done("account")
        bench.paid()
        bench.done("again")
        bench.done("open")
        bench.done("account")
    sealed = [one for one in passed if one.asked.content_type.startswith("application/cose")]
    used = [_number(one) for one in sealed]
    demand(len(used) >= 5, "fewer sealed requests than were asked for")
    demand(len(set(used)) == len(used), "a number was used twice in one session")


def _number(passed: Passed) -> tuple[bytes, int]:
    header = peek(passed.asked.body)
    return header[0], header[1]


def _refusal(bench: Bench) -> None:
    bench.enrolled(_FEW_MINOR)
    before = bench.stage.arrived_minor()
    said = bench.pay(_FEW_MINOR + _MORE_THAN_ALL)
    demand(said.ok is None, "a refused payment is called paid")
    demand(said.error == "insufficient-funds", f"the refusal is called {said.error}")
    demand(said.receipt is not None, "the refusal comes without its receipt")
    _once(bench, before, 0)


def _forged_payment(bench: Bench) -> None:
    """Somebody answers the order with an old receipt in clear; sent again, it arrives."""
    bench.enrolled()
    old = bench.paid()
    before = bench.stage.arrived_minor()
    body = encode({"receipt": old.get("receipt"), "balance_minor": old.get("balance_minor")})
    with bench.relay.playing(Rule(PAYMENTS, before=lambda _: in_clear(200, body), times=2)):
        said = bench.pay()
    if said.ok is None:
        _once(bench, before, 0)
        return
    demand(said.ok.get("order") != old.get("order"), "an old order is called the new one")
    same = said.ok.get("receipt") == old.get("receipt")
    demand(not same, "an answer in clear was taken for a payment")
    _once(bench, before)


_LOST_THERE = Rule(PAYMENTS, before=lambda _: None, times=1)
_LOST_BACK = Rule(PAYMENTS, after=lambda _, __: None, times=1)
_BUSY = Rule(PAYMENTS, before=_busy, times=1)

PAYING: tuple[Case, ...] = (
    Case("pay", "11.2.2", "pays what it showed, with a receipt that holds", _pays),
    Case(
        "order-lost", "7.3.3", "sends the same order again when it got lost", _retried(_LOST_THERE)
    ),
    Case("answer-lost", "7.3.3", "sends it again when the answer got lost", _retried(_LOST_BACK)),
    Case("answer-busy", "7.3.3", "sends it again after unavailable", _retried(_BUSY)),
    Case("order-again", "7.3.3", "one order has one receipt", _again),
    Case("order-doubled", "7.3.3", "pays once though somebody doubles what it sends", _doubled),
    Case("session-forgotten", "7.2.7", "opens a new session and sends the order in it", _forgotten),
    Case("payment-forged", "7.2.7", "takes no answer in clear for a payment", _forged_payment),
    Case("reply-in-clear", "7.2.7", "takes no answer in clear", _clear_reply),
    Case(
        "reply-altered",
        "7.2.7",
        "opens replies under their tag",
        _replies("an altered reply", _altered(-1)),
    ),
    Case(
        "reply-header-altered",
        "7.2.7",
        "refuses another header",
        _replies("a reply with another header", _altered(24)),
    ),
    Case(
        "reply-status-altered",
        "7.2.7",
        "binds the status",
        _replies("a reply with another status", Rule(ACCOUNT, after=_status)),
    ),
    Case("reply-of-another-request", "7.2.7", "binds the number of the request", _another_reply),
    Case("numbers-once", "7.2.7", "uses each number of a session once", _numbers),
    Case("refusal", "7.3.4", "says that it was refused, and proves it", _refusal),
)
"""In the order in which they are run."""
