"""Attacks on dialled menus behind an aggregator, and on the messages that people believe."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from simulators.aggregator import FORM, AggregatorPhone, Sent
from simulators.loopback import exchange
from tests.attacks.test_canaries import everything_kept
from tests.support.collectors import Stream, until
from tests.support.dialled import DIALLER, FRIEND, LINK, OTHER, PIN, Dialled, dialled
from tests.support.looking import log_of
from tests.support.written import is_written

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.tracing import Trace
from tallystick.kernel.errors import MfsError, NotAuthentic, Refused, Replayed
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.callbacks import CALLBACK_HEADER
from tallystick.protocol.operators import ReversePayment
from tallystick.protocol.payments import PaymentKind

OVER = "This session is over. Dial again."


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialled]:
    with dialled(tmp_path_factory.mktemp("attacked") / "p") as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_left_to_tell(scene: Dialled) -> None:
    scene.phone.dial("0", "0")


def told(scene: Dialled, why: str) -> int:
    """How often the log says that a session was ended because of `why`."""
    return log_of(scene.provider).count(f'"why":"{why}"'.encode())


@pytest.mark.threat("THR-USD-02")
def test_an_older_callback_sent_again_is_refused_and_leaves_the_session_alone(
    scene: Dialled,
) -> None:
    before = scene.balance()
    session = scene.at_terms()
    older = scene.aggregator.sent[-2]
    with pytest.raises(Replayed):
        scene.aggregator.deliver(older)
    assert scene.aggregator.type(session, PIN.reveal()).text.startswith("Done.")
    paying = scene.aggregator.sent[-1]
    for _ in range(3):
        assert scene.aggregator.deliver(paying).text.startswith("Done.")
    assert scene.balance() == before + 5_000


@pytest.mark.threat("THR-USD-02")
def test_nobody_but_the_aggregator_calls_back(scene: Dialled) -> None:
    body = urlencode(
        {
            "sessionId": "s1",
            "serviceCode": "*384#",
            "phoneNumber": DIALLER,
            "networkCode": "63902",
            "text": "",
        }
    ).encode()
    aggregator = scene.aggregator
    other = scene.secret(PartnerLink(name="menus-west"))
    before = scene.secret(PartnerLink(name=LINK.name, generation=2))
    for secret in (other, before, Secret(b""), Secret(bytes(32))):
        with pytest.raises(NotAuthentic):
            aggregator.send(body, secret)
    genuine = aggregator.send(body) and aggregator.sent[-1]
    for forged in (
        Sent(body, ""),
        Sent(body, "t=1,mac=x"),
        Sent(body.replace(b"text=", b"text=1"), genuine.header),
        Sent(body.replace(b"722000001", b"722000009"), genuine.header),
        Sent(body, genuine.header.replace("t=1", "t=2", 1)),
    ):
        with pytest.raises(Refused):
            aggregator.deliver(forged)
    headers = {"content-type": FORM, CALLBACK_HEADER: genuine.header}
    for path in ("/v1/aggregators/menus-west", "/v1/aggregators/x", "/v1/sms/receipts"):
        assert (
            exchange(scene.provider.url, "POST", path, body, fields=tuple(headers.items())).status
            == 401
        )


@pytest.mark.threat("THR-USD-02")
def test_a_session_is_not_taken_over_by_another_number(scene: Dialled) -> None:
    before, events = scene.balance(), told(scene, "caller")
    session = scene.at_terms()
    session.msisdn = OTHER
    assert scene.aggregator.type(session, PIN.reveal()).text == OVER
    session.msisdn = DIALLER
    session.typed.pop()
    assert scene.aggregator.type(session, PIN.reveal()).text == OVER
    assert scene.balance() == before
    assert told(scene, "caller") > events


@pytest.mark.threat("THR-USD-02")
@pytest.mark.parametrize("change", ["service", "network"])
def test_a_session_stays_with_its_service_and_network(scene: Dialled, change: str) -> None:
    before = scene.balance()
    session = scene.at_terms()
    setattr(session, change, {"service": "*111#", "network": "63907"}[change])
    assert scene.aggregator.type(session, PIN.reveal()).text == OVER
    assert scene.balance() == before


@pytest.mark.threat("THR-USD-02")
def test_another_session_cannot_go_on_where_the_first_stands(scene: Dialled) -> None:
    before, events = scene.balance(), told(scene, "skipped")
    first = scene.at_terms()
    stolen = scene.aggregator.session(DIALLER)
    text = "*".join((*first.typed, PIN.reveal()))
    assert scene.aggregator.call_with(stolen, text).text == OVER
    assert scene.aggregator.call_with(stolen, text + "*1").text == OVER
    assert scene.balance() == before
    assert told(scene, "skipped") == events + 1


@pytest.mark.threat("THR-USD-02")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1*0722000009*50*739164", "altered"),
        ("1*0700000001*5*739164", "altered"),
        ("2*0700000001*50*739164", "altered"),
        ("1*0700000001", "shorter"),
        ("", "shorter"),
        ("1*0700000001*50*739164*739164", "skipped"),
    ],
)
def test_a_history_that_does_not_fit_ends_the_session(scene: Dialled, text: str, why: str) -> None:
    before, events = scene.balance(), told(scene, why)
    session = scene.at_terms()
    assert scene.aggregator.call_with(session, text).text == OVER
    assert scene.aggregator.type(session, PIN.reveal()).text == OVER
    assert scene.balance() == before
    assert told(scene, why) > events


@pytest.mark.threat("THR-USD-02")
def test_a_code_that_dials_an_order_in_one_go_does_nothing(scene: Dialled) -> None:
    before = scene.balance()
    session = scene.aggregator.session(DIALLER)
    page = scene.aggregator.call_with(session, f"1*{FRIEND}*50*{PIN.reveal()}")
    assert page.text == OVER
    assert scene.balance() == before


@pytest.mark.threat("THR-USD-05")
def test_no_page_shows_anything_that_was_typed_as_a_secret(scene: Dialled) -> None:
    paths = [
        ("5", PIN.reveal()),
        ("5", "73916x"),
        ("6", "7766554433221100", PIN.reveal(), PIN.reveal()),
        ("6", "7766554433221100", PIN.reveal(), "1"),
        ("1", FRIEND, "50", "864209"),
        ("1", FRIEND, "50", "73916 4"),
    ]
    for path in paths:
        pages = scene.phone.dial(*path)
        for page in pages:
            for secret in (PIN.reveal(), "864209", "73916", "7766554433221100", "7766-5544"):
                assert secret not in page
    scene.phone.dial("5", PIN.reveal())


@pytest.mark.threat("THR-SMS-02")
@pytest.mark.requirement("MFS-7.3.6-03")
def test_a_forged_confirmation_with_the_code_of_others_is_false(scene: Dialled) -> None:
    between_others = AggregatorPhone(OTHER, scene.aggregator).send_money(FRIEND, "70", PIN)
    code = between_others[-1].removeprefix("Done. Receipt code ").split(". ")[0]
    text = f"test-wallet: KES 70.00 from Otto D. ***009. Receipt {code}."
    scene.provider.smsc.inject(DIALLER, text, at=scene.provider.clock.now(), sender="TALLY")
    assert scene.phone.dial("4", code)[-1].startswith("FALSE")
    assert AggregatorPhone(OTHER, scene.aggregator).dial("4", code)[-1].startswith("Genuine.")


@pytest.mark.threat("THR-SOC-01")
def test_sent_by_mistake_gives_nothing_back_until_two_operators_say_so(scene: Dialled) -> None:
    before = scene.balance()
    paid = scene.app.wallet.pay(PaymentKind.P2P, DIALLER, Money(4_400, "KES"))
    first, second = scene.provider.operators["operations"]
    body = ReversePayment(order=paid.verified.event.id, because="sent by mistake")
    waiting = first.act("reverse-payment", body)
    assert scene.balance() == before - 4_400
    with pytest.raises(Refused):
        first.act("reverse-payment", body, approves=waiting.act)
    assert scene.balance() == before - 4_400
    second.act("reverse-payment", body, approves=waiting.act)
    assert scene.balance() == before


class Kept:
    """Keeps traces instead of making spans."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []

    def make(self, trace: Trace) -> None:
        self.traces.append(trace)

    def close(self) -> None:
        pass


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-USD-01")
def test_the_pin_is_in_no_log_event_trace_file_or_refusal(tmp_path: Path) -> None:
    kept, answers = Kept(), []
    wrong, code = "864209", ""
    with (
        Stream() as listener,
        dialled(
            tmp_path / "p",
            siem=(f"syslog+tcp://127.0.0.1:{listener.port}",),
            spans=kept,
            trace_share=1.0,
        ) as scene,
    ):
        scene.phone.send_money(FRIEND, "50", PIN)
        scene.phone.send_money(FRIEND, "50", Secret(wrong))
        scene.phone.dial("5", PIN.reveal())
        for path in (("1", FRIEND, "50", PIN.reveal() + "x"), ("5", "*" + PIN.reveal())):
            scene.phone.dial(*path)
        session = scene.at_terms("51")
        scene.aggregator.call_with(session, f"1*{FRIEND}*52*{PIN.reveal()}")
        body = scene.aggregator.sent[-1].body
        for broken in (
            body + b"&text=1",
            body.replace(b"phoneNumber", b"phone"),
            body.replace(b"%2B254722000001", PIN.reveal().encode()),
            body + b"&%ff" + PIN.reveal().encode(),
            body + PIN.reveal().encode() + "é".encode(),
            body.replace(b"text=", b"text=%0A"),
            b'{"text": "' + PIN.reveal().encode() + b'"}',
        ):
            for header in (scene.aggregator.sent[-1].header, ""):
                fields = (("content-type", FORM), (CALLBACK_HEADER, header))
                path = scene.aggregator.path
                reply = exchange(scene.provider.url, "POST", path, broken, fields=fields)
                answers.append(reply.body)
            try:
                answers.append(scene.aggregator.send(broken).text.encode())
            except MfsError as refused:
                answers.append(str(refused).encode())
        until(lambda: "dialled.history-broken" in {one.kind for one in listener.messages()})
        answers.append(scene.provider.transport.get("/metrics").body)
        code = scene.provider.smsc.inbox(DIALLER)[0].text.split("code ")[1].split(",")[0]
        found = everything_kept(tmp_path / "p", scene.provider.log, *answers)
        found["siem"] = repr(listener.messages()).encode()
        found["traces"] = repr(kept.traces).encode()
        found["messages"] = repr(scene.provider.smsc.inbox(DIALLER)[1:]).encode()
    found |= everything_kept(tmp_path / "p", scene.provider.log)
    assert sum(map(len, found.values())) > 50_000
    for secret in (PIN.reveal(), wrong, code, code.replace("-", "")):
        for place, octets in found.items():
            assert not is_written(secret.encode(), octets), place
