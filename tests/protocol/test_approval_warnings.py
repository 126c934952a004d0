"""Orders that others begin carry the same warnings, and each approver acknowledges them."""

from collections.abc import Iterator

import pytest
from tests.support.approved import OCRA_KNOWS, Scene, answering, approving, newest
from tests.support.looking import row_of
from tests.support.recovered import PAPERS

from tallystick.client.consenting import signed_consent
from tallystick.client.offline import answer, read_request
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import LimitExceeded, NotAuthentic, NotPermitted, ServiceSuspended
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.secret import Secret
from tallystick.protocol.approvals import (
    ApprovalItem,
    ApprovalStage,
    ApprovalState,
    Approve,
    BeginApproval,
    SetMandate,
)
from tallystick.protocol.operators import ResumeService, SuspendService
from tallystick.protocol.payments import Consent, PaymentKind
from tallystick.protocol.recovery import OpenRecovery

_LARGE = "  large: 1_000_000 "
_ROW = "  - id: new-device-large\n"
_MISTYPED = """  - id: mistyped-before
    when: {operation: pay, grade: pin-verified, recent_failures: {at_least: 1}}
    outcome: step-up
    grade: device-signed
    because: somebody guesses
"""
WARY = OCRA_KNOWS.replace(
    _LARGE, f"  acknowledge: [new-payee, remote-tool, urgency]\n{_LARGE}".replace("1_000_", "3_")
).replace(_ROW, _MISTYPED + _ROW)
_consents = Decoder(Consent)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    assert WARY.count("acknowledge: [new-payee") == WARY.count("mistyped-before") == 1
    folder = tmp_path_factory.mktemp("warned") / "p"
    with approving(folder, SystemClock(), policy_text=WARY) as found:
        yield found


def to_ben(payer: str, payee: str, amount: int = 5_000) -> BeginApproval:
    return BeginApproval(
        payer=payer, kind=PaymentKind.P2P, payee=payee, amount_minor=amount,
        currency="KES", asked_by="Ben",
    )  # fmt: skip


def approved(scene: Scene, person, item: ApprovalItem, number: str, *, seen=(), acknowledged=()):
    """What comes of an approval whose device says and acknowledges exactly this."""
    consent = signed_consent(
        item.quote, person.keystore, scene.clock.now(), shown="", acknowledged=acknowledged
    )
    asked = Approve(
        approval=item.state.approval, number=number, consent=consent, proof=item.proof,
        seen=seen or ABSENT,
    )  # fmt: skip
    person.session.ask("approval.approve", "/v1/approvals/approve", asked, Decoder(ApprovalState))
    _, payload, _, _ = split_compact(consent)
    return _consents.decode(payload)


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SOC-01")
def test_a_request_of_a_stranger_warns_and_its_consent_acknowledges(scene: Scene) -> None:
    ann, ben = scene.customer(), scene.customer("Ben B")
    begun = scene.shop.begin(to_ben(ann.number, ben.number))
    device = scene.device(ann)
    item = newest(device, begun.approval)
    assert item.quote.warnings == ("new-payee",)
    assert item.shown == ("new-payee", "first-large-amount")
    silenced = replace(item, quote=replace(item.quote, warnings=ABSENT))
    with pytest.raises(NotAuthentic):
        approved(scene, ann, silenced, begun.number)
    done = device.approve(item, begun.number)
    assert done.state.stage is ApprovalStage.APPROVED
    assert ann.human.saw[-1] == (
        "You never paid them before. This is a large first payment to them. " + item.text
    )
    again = scene.other_shop.begin(to_ben(ann.number, ben.number))
    assert not newest(device, again.approval).shown


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SOC-01")
def test_what_the_approvers_phone_sees_is_acknowledged_or_nothing_is_paid(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    begun = scene.shop.begin(scene.asked(ann.number, 2_000))
    item = newest(device, begun.approval)
    assert not item.shown
    for seen, missing, said in (
        (("remote-tool",), "remote-tool", ()),
        (("screen-shared", "urgency"), "urgency", ("screen-shared",)),
        (("urgency", "remote-tool"), "remote-tool", ("urgency",)),
    ):
        with pytest.raises(NotPermitted, match="was not acknowledged") as refused:
            approved(scene, ann, item, begun.number, seen=seen, acknowledged=said)
        assert refused.value.because == missing
    state = newest(scene.device(ann), begun.approval).state
    assert (state.stage, state.signed) == (ApprovalStage.PENDING, 0)
    assert scene.balance(ann) == 1_000_000
    other = "10" if begun.number != "10" else "11"
    with pytest.raises(NotAuthentic):  # it says nothing of the number: a wrong one is wrong first
        approved(scene, ann, item, other, seen=("urgency",))
    done = device.approve(item, begun.number, seen=("screen-shared", "urgency"))
    assert done.state.stage is ApprovalStage.APPROVED
    assert ann.human.saw[-1] == (
        "Somebody may see your screen. Does somebody hurry you? Hang up. " + item.text
    )
    assert scene.balance(ann) == 998_000


@pytest.mark.requirement("MFS-7.3.6-03")
def test_of_several_approvers_each_acknowledges(scene: Scene) -> None:
    bob, cyd = scene.customer("Bob B"), scene.customer("Cyd C")
    till = "776655"
    scene.provider.person(
        "+254700000177", "Firm", kind="merchant", tier=3, till=till, funds=9_000_000
    )
    bands = (f"900000:2:{bob.customer},{cyd.customer}",)
    mandate = SetMandate(number=till, bands=bands, because="board resolution")
    assert scene.both("operations", "set-mandate", mandate).state == "done"
    worker = scene.customer("Wim W", funds=0)
    salary = BeginApproval(
        payer=till, kind=PaymentKind.SALARY, payee=worker.number, amount_minor=400_000,
        currency="KES", asked_by="payroll",
    )  # fmt: skip
    begun = scene.shop.begin(salary)
    items = [newest(scene.device(one), begun.approval) for one in (bob, cyd)]
    given = approved(
        scene, bob, items[0], begun.number, seen=("urgency",), acknowledged=("urgency",)
    )
    assert given.acknowledged == ("urgency",)
    with pytest.raises(NotPermitted):
        approved(scene, cyd, items[1], begun.number, seen=("remote-tool",))
    assert newest(scene.device(cyd), begun.approval).state.signed == 1
    done = scene.device(cyd).approve(items[1], begun.number, seen=("remote-tool",))
    assert done.state.stage is ApprovalStage.APPROVED
    assert scene.balance(worker) == 400_000


@pytest.mark.requirement("MFS-7.3.2-07")
def test_without_a_network_it_warns_and_no_code_is_used_up_while_payments_are_suspended(
    scene: Scene,
) -> None:
    ann, ben = scene.customer(), scene.customer("Ben B")
    mac = answering(scene, ann)
    begun = scene.shop.begin(to_ben(ann.number, ben.number, 2_000))
    signed = scene.shop.offline(begun.approval)
    account = ann.wallet.account().account
    keys = ann.session._peer.signature_keys()
    asked = read_request(signed, keys, scene.clock.now(), account=account)
    assert (asked.shown, asked.quote.warnings) == (("new-payee",), ("new-payee",))
    counter = "SELECT unused FROM authenticator WHERE customer = ?", (ann.customer,)
    tries = "SELECT failures FROM attempt WHERE subject = ?", (ann.customer,)
    why = "a hunt for a fault"
    scene.provider.operators["operations"][0].act(
        "suspend-service", SuspendService(kind="p2p", channel="all", because=why)
    )
    before = row_of(scene.provider, *counter)
    for digits in ("00000000", answer(asked, mac, 0), "11111111"):
        with pytest.raises(ServiceSuspended) as refused:
            scene.shop.reply(begun.approval, Secret(digits))
        assert refused.value.because == why, "right or wrong, it is the same answer"
    assert row_of(scene.provider, *counter) == before
    assert row_of(scene.provider, *tries) in {None, (0,)}
    resumed = ResumeService(kind="p2p", channel="all", because="found")
    assert scene.both("operations", "resume-service", resumed).state == "done"
    done = scene.shop.reply(begun.approval, Secret(answer(asked, mac, 0)))
    assert done.stage is ApprovalStage.APPROVED
    assert row_of(scene.provider, *counter) == (1,)


def read(scene: Scene, person, approval: str):
    """What the device of `person` reads in the QR code of a request."""
    keys, account = person.session._peer.signature_keys(), person.wallet.account().account
    return read_request(scene.shop.offline(approval), keys, scene.clock.now(), account=account)


@pytest.mark.requirement("MFS-7.3.2-07")
def test_wrong_digits_never_keep_the_right_ones_from_being_tried(scene: Scene) -> None:
    ann = scene.customer()
    mac = answering(scene, ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    asked = read(scene, ann, begun.approval)
    with pytest.raises(NotAuthentic):
        scene.shop.reply(begun.approval, Secret("00000000"))
    done = scene.shop.reply(begun.approval, Secret(answer(asked, mac, 0)))
    assert done.stage is ApprovalStage.APPROVED
    assert scene.balance(ann) == 995_000


@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.threat("THR-SOC-01")
def test_without_a_network_no_more_is_paid_while_the_account_is_recovered(scene: Scene) -> None:
    ann = scene.customer()
    mac = answering(scene, ann)
    opened = OpenRecovery(
        number=ann.number, kind="new-phone", evidence=PAPERS, because="came with papers"
    )
    assert scene.both("care-desk", "open-recovery", opened).state == "done"
    begun = scene.shop.begin(scene.asked(ann.number, 200_001))
    asked = read(scene, ann, begun.approval)
    with pytest.raises(LimitExceeded) as refused:
        scene.shop.reply(begun.approval, Secret(answer(asked, mac, 0)))
    assert "may not be its owner" in refused.value.because
    assert scene.balance(ann) == 1_000_000
