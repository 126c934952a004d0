"""Whatever people, attackers and operators do in any order: paid once, or not, as a book says.

The book below keeps a set of names and shares no code with approvals. It says after each step
whether the order may have been paid; the served provider's balances must agree, always.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.approved import Company, Scene, approving

from tallystick.application.asking import beginning
from tallystick.client.approvals import Approvals
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import MINUTE_MS
from tallystick.protocol.approvals import (
    ApprovalItem,
    ApprovalStage,
    BeginApproval,
    DeclineReason,
    RevokeApprover,
    SetMandate,
)

AMOUNT = 1_000
NEEDED = 2
TILL = "880011"

steps = st.lists(
    st.one_of(
        st.tuples(st.just("approve"), st.integers(0, 3)),
        st.tuples(st.just("approve"), st.integers(0, 3)),
        st.tuples(st.just("mistype"), st.integers(0, 3)),
        st.tuples(st.just("watched"), st.integers(0, 3)),
        st.tuples(st.just("decline"), st.integers(0, 3)),
        st.tuples(st.just("revoke"), st.integers(1, 2)),
        st.tuples(st.just("cancel"), st.just(0)),
        st.tuples(st.just("wait"), st.just(0)),
    ),
    min_size=1,
    max_size=7,
)


@dataclass
class Book:
    """What must be true: who begins is number 0, a stranger number 4."""

    may: set[int] = field(default_factory=lambda: {1, 2, 3})
    signed: set[int] = field(default_factory=set)
    wrong: int = 0
    over: bool = False
    paid: bool = False
    paused: bool = False

    def step(self, what: str, who: int) -> None:
        if self.over:
            return
        if what == "approve" and who in self.may and not self.paused:
            self.signed.add(who)
            self.paid = len(self.signed) >= NEEDED
            self.over = self.paid
        elif what == "mistype" and who in self.may:
            self.wrong += 1
            self.over = self.wrong >= 2
        elif what == "watched" and who in self.may:
            self.paused = True
        elif what == "decline" and (who in self.may or who == 0):
            self.over = True
        elif what == "revoke" and who in self.may:
            self.may.discard(who)
            self.signed.discard(who)
        elif what == "cancel":
            self.over = True
        elif what == "wait":
            self.over, self.paused = self.over, False


@dataclass
class Firm:
    scene: Scene
    people: list
    devices: list[Approvals]
    company: list[Company]
    worker: object
    asked: int = 0


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    # How often somebody is asked has tests of its own; here every example may begin at once.
    patch = pytest.MonkeyPatch()
    patch.setattr(beginning, "free_of", lambda _: 10**6)
    with approving(tmp_path_factory.mktemp("book") / "p", SystemClock()) as scene:
        people = [scene.customer(f"Person {name}") for name in "ABCD"]
        scene.provider.person(
            "+254700000088", "Firm", kind="merchant", tier=3, till=TILL, funds=50_000_000
        )
        company = [Company() for _ in people]
        devices = [scene.device(*pair) for pair in zip(people, company, strict=True)]
        yield Firm(scene, people, devices, company, scene.customer("Wim W", funds=0))
    patch.undo()


def begin(firm: Firm) -> tuple[str, str, ApprovalItem]:
    scene = firm.scene
    names = ",".join(one.customer for one in firm.people)
    body = SetMandate(number=TILL, bands=(f"900000:{NEEDED}:{names}",), because="board resolution")
    assert scene.both("operations", "set-mandate", body).state == "done"
    begun = firm.devices[0].begin(
        BeginApproval(
            payer=TILL, kind="salary", payee=firm.worker.number, amount_minor=AMOUNT,
            currency="KES", asked_by="payroll",
        )
    )  # fmt: skip
    items = [one for one in firm.devices[1].poll() if one.state.approval == begun.approval]
    return begun.approval, begun.number, items[-1]


def perform(firm: Firm, what: str, who: int, approval: str, number: str, item) -> None:
    device = firm.devices[who]
    if what in {"approve", "watched"}:
        firm.company[who].remote = what == "watched"
        device.approve(item, number)
    elif what == "mistype":
        device.approve(item, str(10 + (int(number) - 9) % 90))
    elif what == "decline":
        device.decline(item, DeclineReason.CHANGED_MIND)
    elif what == "cancel":
        firm.devices[0].cancel(approval, "taken back")
    elif what == "wait":
        firm.scene.clock.ahead_ms += 11 * MINUTE_MS
    else:
        care = firm.scene.provider.operators["care-desk"][0]
        customer = firm.people[who].customer
        care.act("revoke-approver", RevokeApprover(number=TILL, customer=customer, because="left"))


@pytest.mark.requirement("MFS-11.2.2-01")
@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps)
def test_an_order_is_paid_at_most_once_and_only_with_the_signatures_it_needs(
    firm: Firm, actions: list[tuple[str, int]]
) -> None:
    approval, number, item = begin(firm)
    book = Book()
    before = firm.scene.balance(firm.worker)
    for what, who in actions:
        firm.company[who].remote = False
        with suppress(MfsError):
            perform(firm, what, who, approval, number, item)
        book.step(what, who)
        paid = firm.scene.balance(firm.worker) - before
        assert paid == (AMOUNT if book.paid else 0), (what, who, book)
    if not book.paid:
        stage = firm.scene.provider.platform.desks.approvals.kept.get(approval).stage
        assert stage is not ApprovalStage.APPROVED
        assert (stage is not ApprovalStage.PENDING) == book.over
    with suppress(MfsError):
        firm.devices[0].cancel(approval, "the end of this example")
