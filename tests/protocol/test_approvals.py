"""Orders begun elsewhere and approved on devices, against a served provider."""

import http.client
import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from tests.support.approved import Scene, answering, approving, newest
from tests.support.collectors import until

from tallystick.client.offline import answer, read_request
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Unavailable,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, MINUTE_MS
from tallystick.protocol.approvals import (
    ApprovalStage,
    BeginApproval,
    CancelApproval,
    DeclineReason,
    RevokeApprover,
    SetMandate,
    approval_text,
)
from tallystick.protocol.operators import AddWebhook, IssueActivation


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with approving(tmp_path_factory.mktemp("approvals") / "p", SystemClock()) as found:
        yield found


def test_an_order_of_a_shop_is_approved_on_the_phone_and_paid_at_once(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    before, till = scene.balance(ann), scene.balance(scene.till)
    begun = scene.shop.begin(scene.asked(ann.number))
    assert 10 <= int(begun.number) <= 99
    item = newest(device, begun.approval)
    assert item.text == "Pay KES 50.00 to Kiosk, fee KES 0.00. Asked by Kiosk at the corner."
    assert f'"{begun.number}"' not in json.dumps(str(item)), "the number is not on the device"
    done = device.approve(item, begun.number)
    assert ann.human.seen[-1] == item.text if hasattr(ann.human, "seen") else True
    assert done.state.stage is ApprovalStage.APPROVED
    assert done.receipt is not None
    assert done.receipt.event.stage == "settled"
    assert scene.balance(ann) == before - 5_000
    assert scene.balance(scene.till) == till + 5_000
    assert scene.shop.status(begun.approval).stage is ApprovalStage.APPROVED
    again = device.approve(item, begun.number)
    assert again.receipt is not None
    assert again.receipt.index == done.receipt.index
    assert scene.balance(ann) == before - 5_000


def test_a_request_ends_declined_cancelled_or_expired_and_never_comes_back(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    declined = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, declined.approval)
    state = device.decline(item, DeclineReason.WRONG_TERMS)
    assert (state.stage, state.reason) == (ApprovalStage.DECLINED, "wrong-terms")
    with pytest.raises(Conflict, match="declined"):
        device.approve(item, declined.number)
    scene.clock.ahead_ms += MINUTE_MS
    cancelled = scene.shop.begin(scene.asked(ann.number))
    with pytest.raises(NotFound):
        scene.other_shop.cancel(cancelled.approval, "not mine")
    scene.shop.cancel(cancelled.approval, "the customer left")
    with pytest.raises(Conflict, match="cancelled"):
        device.approve(newest(device, cancelled.approval), cancelled.number)
    scene.clock.ahead_ms += DAY_MS
    late = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, late.approval)
    scene.clock.ahead_ms += 31 * MINUTE_MS
    with pytest.raises((Expired, Conflict)):
        device.approve(item, late.number)
    until(lambda: scene.shop.status(late.approval).stage is ApprovalStage.EXPIRED)
    until(lambda: {"approval.declined", "approval.expired"} <= set(scene.kinds()))
    assert scene.balance(ann) == 1_000_000


def test_only_allowed_devices_approve(scene: Scene) -> None:
    ann = scene.customer()
    care = scene.provider.operators["care-desk"][0]
    reply = care.act("issue-activation", IssueActivation(number=ann.number))
    code = scene.provider.activation_code(ann.number, after=1)
    second = scene.provider.enrol_phone(ann.number, reply.reference, code)
    allowed = second.keystore.identity().device
    begun = scene.shop.begin(scene.asked(ann.number, devices=(allowed,)))
    first, other = scene.device(ann), scene.device(second)
    with pytest.raises(NotPermitted, match="another device"):
        first.approve(newest(first, begun.approval), begun.number)
    other.approve(newest(other, begun.approval), begun.number)
    bob = scene.customer("Bob B")
    with pytest.raises(NotFound):
        scene.shop.begin(scene.asked(bob.number, devices=(allowed,)))


def test_a_long_poll_and_a_stream_bring_a_request_as_it_begins(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    assert device.poll() == ()
    stream = device.stream()
    parts = urlsplit(scene.provider.url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    link.request("POST", "/v1/approvals/stream", stream.body, {"content-type": "application/cose"})
    reply = link.getresponse()
    assert reply.status == 200, reply.read()
    begun = scene.shop.begin(scene.asked(ann.number))
    item = next(stream.items(reply))
    assert item.state.approval == begun.approval
    assert device.cursor == item.cursor
    scene.shop.cancel(begun.approval, "gone again")
    ended = next(stream.items(reply))
    assert ended.state.stage is ApprovalStage.CANCELLED
    assert ended.cursor > item.cursor
    link.close()
    assert device.poll() == (), "the stream moved the cursor: nothing comes twice"
    resumed = scene.device(ann)
    resumed.cursor = item.cursor
    assert [one.cursor for one in resumed.poll()] == [ended.cursor]


def test_a_long_poll_answers_at_the_change(scene: Scene) -> None:
    from threading import Thread  # noqa: PLC0415 - beside its only use

    ann = scene.customer()
    device = scene.device(ann)
    found: list = []
    waiting = Thread(target=lambda: found.extend(device.poll(wait_s=20)))
    waiting.start()
    watching = scene.provider.platform.desks.approvals.kept.watching
    until(lambda: ann.customer in watching._waiting)
    begun = scene.shop.begin(scene.asked(ann.number))
    waiting.join(15)
    assert not waiting.is_alive(), "it did not answer before its own time was over"
    assert [one.state.approval for one in found] == [begun.approval]


def test_a_push_service_is_told_whom_to_wake_and_nothing_else(scene: Scene) -> None:
    ann = scene.customer()
    scene.device(ann).wake_by("phone-of-ann:1")
    before = len(scene.push.told)
    scene.shop.begin(scene.asked(ann.number))
    assert scene.push.wait(before + 1, 10)
    assert scene.push.told[before:] == [b'{"name":"phone-of-ann:1"}']


def firm(scene: Scene, people: list, bands: list[str], initiator: str = "excluded"):
    till = f"77{len(scene.kinds()) % 10_000:04d}"
    scene._numbers += 1
    owner = scene.provider.person(
        f"+2547000001{scene._numbers:02d}", "Firm", kind="merchant", tier=3, till=till,
        funds=50_000_000,
    )  # fmt: skip
    body = SetMandate(
        number=till, bands=tuple(bands), initiator=initiator, because="board resolution"
    )
    assert scene.both("operations", "set-mandate", body).state == "done"
    return owner, till


def salary(till: str, payee: str, amount: int) -> BeginApproval:
    return BeginApproval(
        payer=till, kind="salary", payee=payee, amount_minor=amount, currency="KES",
        asked_by="payroll",
    )  # fmt: skip


def test_two_of_three_people_approve_and_the_order_goes_with_the_last(scene: Scene) -> None:
    ann, bob, cyd = (scene.customer(name) for name in ("Ann A", "Bob B", "Cyd C"))
    names = ",".join(one.customer for one in (ann, bob, cyd))
    owner, till = firm(scene, [ann, bob, cyd], [f"1000:1:{names}", f"900000:2:{names}"])
    worker = scene.customer("Wim W", funds=0)
    a, b, c = (scene.device(one) for one in (ann, bob, cyd))
    begun = a.begin(salary(till, worker.number, 500_000))
    assert begun.needed == 2
    with pytest.raises(NotPermitted, match="began this order yourself"):
        a.approve(newest(a, begun.approval), begun.number)
    item = newest(b, begun.approval)
    first = b.approve(item, begun.number)
    assert (first.state.stage, first.state.signed) == (ApprovalStage.PENDING, 1)
    twice = b.approve(newest(b, begun.approval), begun.number)
    assert (twice.state.stage, twice.state.signed) == (ApprovalStage.PENDING, 1)
    assert scene.balance(worker) == 0
    item = newest(c, begun.approval)
    assert item.state.signed == 1
    last = c.approve(item, begun.number)
    assert (last.state.stage, last.state.signed) == (ApprovalStage.APPROVED, 2)
    assert scene.balance(worker) == 500_000
    assert scene.balance(owner) == 49_500_000
    assert {"approval.signed", "approval.approved"} <= set(scene.kinds())
    with pytest.raises(NotFound):
        scene.device(worker).begin(salary(till, worker.number, 500))


def test_a_revoked_approver_counts_no_more_also_in_what_waits(scene: Scene) -> None:
    ann, bob, cyd = (scene.customer(name) for name in ("Ann A", "Bob B", "Cyd C"))
    names = ",".join(one.customer for one in (ann, bob, cyd))
    _, till = firm(scene, [ann, bob, cyd], [f"900000:2:{names}"])
    worker = scene.customer("Wim W", funds=0)
    b, c = scene.device(bob), scene.device(cyd)
    begun = scene.device(ann).begin(salary(till, worker.number, 4_000))
    b.approve(newest(b, begun.approval), begun.number)
    care = scene.provider.operators["care-desk"][0]
    care.act(
        "revoke-approver",
        RevokeApprover(number=till, customer=bob.customer, because="left the firm"),
    )
    state = c.approve(newest(c, begun.approval), begun.number).state
    assert (state.stage, state.signed) == (ApprovalStage.PENDING, 1)
    assert scene.balance(worker) == 0
    assert {"mandate.set", "mandate.revoked"} <= set(scene.kinds())
    with pytest.raises(NotFound):
        b.decline(newest_of(scene, ann, begun.approval), DeclineReason.OTHER)


def newest_of(scene: Scene, person, approval: str):
    return newest(scene.device(person), approval)


def test_a_device_without_a_network_answers_a_signed_request(scene: Scene) -> None:
    ann = scene.customer()
    mac = answering(scene, ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    signed = scene.shop.offline(begun.approval)
    keys, now = ann.session._peer.signature_keys(), scene.clock.now()
    account = ann.wallet.account().account
    asked = read_request(signed, keys, now, account=account)
    assert asked.text == approval_text(asked.quote, asked.asked_by)
    with pytest.raises(NotAuthentic):
        read_request(signed, keys, now, account=scene.till.wallet.account().account)
    with pytest.raises(NotAuthentic):
        read_request(signed[:-8] + "AAAAAAAA", keys, now, account=account)
    with pytest.raises(NotAuthentic):
        scene.shop.reply(begun.approval, Secret("00000000"))
    with pytest.raises(NotFound):
        scene.other_shop.reply(begun.approval, Secret(answer(asked, mac, 0)))
    digits = Secret(answer(asked, mac, 0))
    done = scene.shop.reply(begun.approval, digits)
    assert done.stage is ApprovalStage.APPROVED
    assert scene.balance(ann) == 995_000
    with pytest.raises(Conflict):
        scene.shop.reply(begun.approval, digits)
    other = scene.shop.begin(scene.asked(ann.number))
    with pytest.raises(NotAuthentic):
        scene.shop.reply(other.approval, digits)
    fresh = read_request(scene.shop.offline(other.approval), keys, now, account=account)
    for _ in range(6):
        with suppress(NotAuthentic):
            scene.shop.reply(other.approval, Secret("11111111"))
    with pytest.raises(NotAuthentic):
        scene.shop.reply(other.approval, Secret(answer(fresh, mac, 1)))
    assert scene.balance(ann) == 995_000


def test_operators_begin_and_end_requests_and_every_change_is_in_the_tally(scene: Scene) -> None:
    ann = scene.customer()
    care = scene.provider.operators["care-desk"][0]
    reply = care.act("begin-approval", scene.asked(ann.number))
    number = reply.says.split()[-1]
    device = scene.device(ann)
    done = device.approve(newest(device, reply.reference), number)
    assert done.state.stage is ApprovalStage.APPROVED
    scene.clock.ahead_ms += MINUTE_MS
    other = care.act("begin-approval", scene.asked(ann.number))
    care.act("cancel-approval", CancelApproval(approval=other.reference, because="by phone"))
    assert newest(device, other.reference).state.stage is ApprovalStage.CANCELLED
    assert {"approval.begun", "approval.approved", "approval.cancelled"} <= set(scene.kinds())


def test_a_webhook_learns_of_every_stage(scene: Scene) -> None:
    from simulators.loopback import LoopbackServer, Response  # noqa: PLC0415 - its only use

    got: list[bytes] = []

    def handle(request):
        got.append(request.body)
        return Response(200, b"{}")

    server = LoopbackServer(handle)
    desk = scene.provider.operators["operations"][0]
    desk.act("add-webhook", AddWebhook(url=server.url + "/hook", kinds=("approval.begun",)))
    ann = scene.customer()
    scene.shop.begin(scene.asked(ann.number))
    until(lambda: got)
    assert len(got) == 1
    server.close()


def test_an_unanswered_reply_is_asked_again_and_pays_once(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, begun.approval)
    real = ann.session.exchange

    def lost(*arguments, **more):
        real(*arguments, **more)
        raise Unavailable("the line was cut")

    ann.session.exchange = lost
    with pytest.raises(Unavailable):
        device.approve(item, begun.number)
    ann.session.exchange = real
    done = device.approve(item, begun.number)
    assert done.receipt is not None
    assert scene.balance(ann) == 995_000
