"""Attacks on approvals: tiring out, replays, other terms, guesses, other people's streams."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from tests.support.approved import Company, Scene, approving, newest
from tests.support.collectors import until

from tallystick.client.consenting import signed_consent
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    RateLimited,
    Replayed,
    Unauthenticated,
)
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.protocol.approvals import (
    ApprovalStage,
    ApprovalState,
    Approve,
    ClearRisk,
    DeclineReason,
    approval_text,
)
from tallystick.protocol.operators import SuspendDevice
from tallystick.protocol.payments import PaymentKind


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with approving(tmp_path_factory.mktemp("attacked") / "p", SystemClock()) as found:
        yield found


def sent(scene: Scene, person, asked: Approve) -> None:
    """Send an approval as it is; raises its refusal."""
    person.session.ask("approval.approve", "/v1/approvals/approve", asked, Decoder(ApprovalState))


def wrong_of(number: str) -> str:
    return str(10 + (int(number) - 9) % 90)


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.requirement("MFS-7.3.2-02")
def test_prompt_bombing_is_slowed_for_each_source_and_for_the_customer(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    with pytest.raises(RateLimited) as slowed:
        scene.shop.begin(scene.asked(ann.number))
    assert slowed.value.retry_after_s
    waits = [slowed.value.retry_after_s]
    device.decline(newest(device, begun.approval), DeclineReason.CHANGED_MIND)
    asked = 1
    for _ in range(40):
        scene.clock.ahead_ms += MINUTE_MS // 2
        try:
            again = scene.shop.begin(scene.asked(ann.number))
        except RateLimited as error:
            waits.append(error.retry_after_s or 0)
        else:
            asked += 1
            if asked > 4:
                with pytest.raises(RateLimited):
                    scene.other_shop.begin(scene.asked(ann.number))
            device.decline(newest(device, again.approval), DeclineReason.CHANGED_MIND)
    assert asked <= 7, "forty tries in twenty minutes bring a few requests at most"
    assert max(waits) > 200
    scene.clock.ahead_ms += 2 * DAY_MS
    after = scene.shop.begin(scene.asked(ann.number))
    device.approve(newest(device, after.approval), after.number)
    scene.shop.begin(scene.asked(ann.number))


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.requirement("MFS-7.3.2-02")
def test_no_more_than_three_requests_wait_however_many_ask(scene: Scene) -> None:
    ann = scene.customer()
    for _ in range(3):
        scene.shop.begin(scene.asked(ann.number))
        scene.clock.ahead_ms += 3 * MINUTE_MS
    with pytest.raises(RateLimited):
        scene.other_shop.begin(scene.asked(ann.number))


@pytest.mark.threat("THR-SOC-02")
def test_it_was_not_me_raises_the_risk_at_once_and_stops_whatever_else_waits(
    scene: Scene,
) -> None:
    ann, stranger = scene.customer(), scene.customer("Stan S")
    device = scene.device(ann)
    first = scene.shop.begin(scene.asked(ann.number))
    second = scene.other_shop.begin(scene.asked(ann.number))
    items = {one.state.approval: one for one in device.poll()}
    device.decline(items[first.approval], DeclineReason.NOT_ME)
    with pytest.raises(Conflict, match="cancelled"):
        device.approve(items[second.approval], second.number)
    with pytest.raises(NotPermitted, match="takes no requests"):
        scene.other_shop.begin(scene.asked(ann.number))
    with pytest.raises(MfsError) as waits:
        ann.wallet.pay(PaymentKind.P2P, stranger.number, Money(1_000, "KES"))
    assert "within the hour" in waits.value.because
    scene.provider.smsc.wait_for(ann.number, lambda one: "not yours" in one.text, 10)
    assert any("not yours" in one.text for one in scene.provider.smsc.inbox(ann.number))
    assert "security.not-me" in scene.kinds()
    body = ClearRisk(customer=ann.customer, because="identified anew")
    assert scene.both("care-desk", "clear-risk", body).state == "done"
    ann.wallet.pay(PaymentKind.P2P, stranger.number, Money(1_000, "KES"))
    with pytest.raises(RateLimited):
        scene.shop.begin(scene.asked(ann.number))


@pytest.mark.threat("THR-NET-04")
@pytest.mark.requirement("MFS-11.2.2-02")
def test_a_replayed_approval_pays_nothing_twice(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, begun.approval)
    sealed: list[bytes] = []
    real = ann.session._peer.transport.post

    class Recorder:
        def post(self, path: str, body: bytes, content_type: str):
            if path.endswith("/approve"):
                sealed.append(body)
            return real(path, body, content_type)

    ann.session._peer = replace_peer(ann.session._peer, Recorder())
    device.approve(item, begun.number)
    after = scene.balance(ann)
    reply = real("/v1/approvals/approve", sealed[0], "application/cose")
    assert reply.status == Replayed.status
    assert scene.balance(ann) == after
    scene.clock.ahead_ms += HOUR_MS
    later = scene.shop.begin(scene.asked(ann.number))
    consent = signed_consent(item.quote, ann.keystore, scene.clock.now(), shown="the old one")
    with pytest.raises(NotAuthentic, match="other terms"):
        sent(
            scene, ann,
            Approve(approval=later.approval, number=later.number, consent=consent,
                    proof=item.proof),
        )  # fmt: skip
    assert scene.balance(ann) == after


def replace_peer(peer, transport):
    from dataclasses import replace as changed  # noqa: PLC0415 - beside its only use

    return changed(peer, transport=transport)


@pytest.mark.threat("THR-MAL-01")
@pytest.mark.requirement("MFS-11.2.2-02")
def test_a_consent_to_another_digest_is_refused_and_noticed_on_the_device(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, begun.approval)
    dearer = replace(item.quote, amount_minor=900_000)
    consent = signed_consent(dearer, ann.keystore, scene.clock.now(), shown=item.text)
    asked = Approve(approval=begun.approval, number=begun.number, consent=consent, proof=item.proof)
    with pytest.raises(NotAuthentic):
        sent(scene, ann, asked)
    with pytest.raises(NotAuthentic, match="not what its quote says"):
        device.approve(replace(item, quote=dearer), begun.number)
    text = approval_text(dearer, item.asked_by)
    with pytest.raises(NotAuthentic):
        device.approve(replace(item, quote=dearer, text=text), begun.number)
    assert scene.shop.status(begun.approval).stage is ApprovalStage.PENDING
    assert scene.balance(ann) == 1_000_000


@pytest.mark.threat("THR-SOC-01")
@pytest.mark.requirement("MFS-7.3.2-02")
def test_a_guessed_number_ends_the_request_after_the_second_try(scene: Scene) -> None:
    ann = scene.customer()
    device = scene.device(ann)
    begun = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, begun.approval)
    for _ in range(2):
        with pytest.raises(NotAuthentic, match="not right"):
            device.approve(item, wrong_of(begun.number))
    with pytest.raises(Conflict, match="declined"):
        device.approve(item, begun.number)
    assert scene.shop.status(begun.approval).reason == "wrong-number"
    assert scene.balance(ann) == 1_000_000


def test_the_numbers_are_many_and_even(scene: Scene) -> None:
    from collections import Counter  # noqa: PLC0415 - beside its only use

    from tallystick.application.approvals.rules import match_number  # noqa: PLC0415

    drawn = Counter(match_number(index.to_bytes(8, "big")) for index in range(9_000))
    assert len(drawn) == 90
    assert set(drawn.values()) == {100}
    assert min(drawn) == "10"
    assert max(drawn) == "99"


@pytest.mark.threat("THR-NET-02")
@pytest.mark.requirement("MFS-7.3.2-08")
def test_a_stream_of_another_device_shows_nothing_and_cannot_be_opened(scene: Scene) -> None:
    ann, eve = scene.customer(), scene.customer("Eve E")
    device, other = scene.device(ann), scene.device(eve)
    stream, spying = device.stream(), other.stream()
    parts = urlsplit(scene.provider.url)
    head = {"content-type": "application/cose"}
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    link.request("POST", "/v1/approvals/stream", stream.body, head)
    reply = link.getresponse()
    assert reply.status == 200
    again = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    again.request("POST", "/v1/approvals/stream", stream.body, head)
    assert again.getresponse().status == Replayed.status
    again.close()
    begun = scene.shop.begin(scene.asked(ann.number))
    lines = iter(reply)
    data = next(line for line in lines if line.startswith(b"data: "))
    assert begun.approval.encode() not in b64url_decode(data[6:].strip().decode())
    with pytest.raises(NotAuthentic):
        list(spying.items([data]))
    assert next(iter(stream.items([data]))).state.approval == begun.approval
    assert list(stream.items([data])) == [], "an event that comes again is left out"
    flipped = bytearray(b64url_decode(data[6:].strip().decode()))
    flipped[-1] ^= 1
    altered = b"data: " + b64url(bytes(flipped)).encode()
    with pytest.raises(NotAuthentic):
        list(device.stream().items([altered]))
    care = scene.provider.operators["care-desk"][0]
    body = SuspendDevice(
        device=ann.keystore.identity().device, suspend=True, because="reported stolen"
    )
    care.act("suspend-device", body)
    scene.other_shop.begin(scene.asked(ann.number))
    assert not any(line.startswith(b"data: ") for line in lines), "the stream ended"
    link.close()


@pytest.mark.threat("THR-NET-02")
def test_a_request_is_nobody_elses(scene: Scene) -> None:
    ann, eve = scene.customer(), scene.customer("Eve E")
    begun = scene.shop.begin(scene.asked(ann.number))
    item = newest(scene.device(ann), begun.approval)
    spy = scene.device(eve)
    assert spy.poll() == ()
    with pytest.raises(NotFound):
        spy.decline(item, DeclineReason.OTHER)
    consent = signed_consent(item.quote, eve.keystore, scene.clock.now(), shown=item.text)
    asked = Approve(approval=begun.approval, number=begun.number, consent=consent, proof=item.proof)
    with pytest.raises(NotFound):
        sent(scene, eve, asked)
    with pytest.raises(NotFound):
        scene.other_shop.status(begun.approval)
    with pytest.raises(NotFound):
        spy.begin(scene.asked(ann.number))
    ann.session.establish()
    with pytest.raises((NotAuthentic, Unauthenticated)):
        type(scene.shop)(scene.shop._post, type(scene.shop._bearer)("wkl_x.y")).status(
            begun.approval
        )


@pytest.mark.threat("THR-SOC-03")
def test_under_remote_access_a_person_is_warned_and_nothing_is_paid_for_a_while(
    scene: Scene,
) -> None:
    ann, company = scene.customer(), Company()
    device = scene.device(ann, company)
    begun = scene.shop.begin(scene.asked(ann.number))
    item = newest(device, begun.approval)
    company.remote = True
    state = device.approve(item, begun.number).state
    assert state.stage is ApprovalStage.PENDING
    assert state.paused_until > scene.clock.now() + 9 * MINUTE_MS
    warned = newest(device, begun.approval)
    assert "Hang up" in warned.warning
    company.remote = False
    with pytest.raises(NotPermitted, match="Nobody from your provider"):
        device.approve(warned, begun.number)
    company.call = True
    scene.clock.ahead_ms += 11 * MINUTE_MS
    paused = device.approve(warned, begun.number).state
    assert paused.stage is ApprovalStage.PENDING
    assert scene.balance(ann) == 1_000_000
    company.call = False
    scene.clock.ahead_ms += 11 * MINUTE_MS
    done = device.approve(newest(device, begun.approval), begun.number)
    assert done.state.stage is ApprovalStage.APPROVED
    assert scene.balance(ann) == 995_000
    assert scene.kinds().count("approval.paused") == 2


def test_two_fronts_show_and_take_the_same_requests(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("fronts") / "p"
    with approving(folder, SystemClock(), workers=2) as scene:
        ann = scene.customer()
        device = scene.device(ann)
        begun = scene.shop.begin(scene.asked(ann.number))
        item = newest(device, begun.approval)
        stream = device.stream()
        parts = urlsplit(scene.provider.url)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        link.request(
            "POST", "/v1/approvals/stream", stream.body, {"content-type": "application/cose"}
        )
        reply = link.getresponse()
        assert reply.status == 200
        fresh = scene.provider.reached.session(ann.keystore)
        ann.session, old = fresh, ann.session
        done = scene.device(ann).approve(item, begun.number)
        assert done.receipt is not None
        assert next(stream.items(reply)).state.stage is ApprovalStage.APPROVED
        link.close()
        ann.session = old
        until(lambda: scene.shop.status(begun.approval).stage is ApprovalStage.APPROVED)
        assert encode_canonical(scene.shop.status(begun.approval))
