"""A served provider tells its security events to collectors that really listen."""

import json
from pathlib import Path

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.certificates import certificate_files
from tests.support.collectors import Datagrams, HttpCollector, Stream, until
from tests.support.metrics import exposition
from tests.support.ports import held_port
from tests.support.rfc5424 import Parsed
from tests.support.served import Served, served

from tallystick.entry.settings import PublicHalf
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer, SuspendDevice
from tallystick.protocol.payments import PaymentKind

NUMBER, NAME, WHY = "+254700000001", "Annabel Personal", "Annabel lost the phone"
PIN = Secret("7391")


def ours(message: Parsed) -> dict[str, str]:
    return message.elements["tallystick@32473"]


def kinds(listener: Stream | Datagrams) -> set[str]:
    return {one.kind for one in listener.messages()}


def refused_orders(listener: Stream) -> int:
    """How many orders were told as refused; each front tells of those that it refused."""
    refused = [ours(one) for one in listener.messages() if one.kind == "request.refused"]
    return sum(int(one["count"]) for one in refused if one["operation"] == "payment.order")


def suspend(provider: Served) -> None:
    """A person whose device is suspended at the care desk."""
    person = provider.person(NUMBER, NAME)
    device = person.wallet.account().device
    provider.operators["care-desk"][0].act(
        "suspend-device", SuspendDevice(device=device, suspend=True, because=WHY)
    )


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-BE-07")
def test_acts_refusals_and_stops_arrive_as_syslog_and_say_nothing_personal(tmp_path: Path) -> None:
    with Stream() as listener:
        url = f"syslog+tcp://127.0.0.1:{listener.port}"
        with served(tmp_path / "p", siem=(url,), workers=2) as provider:
            suspend(provider)
            for _ in range(3):
                provider.transport.post("/v1/payments", b"\x00" * 90, "application/cose")
            until(lambda: "device.suspended" in kinds(listener))
            until(lambda: refused_orders(listener) == 3)
            desk = provider.operators["care-desk"][0]
        until(lambda: "service.stopping" in kinds(listener))
        messages = listener.messages()
    by_kind = {one.kind: one for one in messages}
    assert {"service.started", "policy.activated", "operator.enrolled"} <= set(by_kind)
    assert ours(by_kind["device.suspended"])["operator"] == desk._operator
    assert by_kind["device.suspended"].severity == 4
    assert refused_orders(listener) == 3
    numbers = [int(one.elements["meta"]["sequenceId"]) for one in messages]
    assert numbers == list(range(1, len(numbers) + 1))
    said = b"".join(bytes(one) for one in listener.octets).decode()
    for personal in (NUMBER, NUMBER[1:], "Annabel", "lost the phone", "bank 1"):
        assert personal not in said


def test_payments_are_not_told_but_the_acts_between_them_are(tmp_path: Path) -> None:
    with Stream() as listener:
        url = f"syslog+tcp://127.0.0.1:{listener.port}"
        with served(tmp_path / "p", siem=(url,)) as provider:
            payer = provider.person(NUMBER, NAME, funds=100_000)
            payee = provider.person("+254700000002", "Ben")
            for _ in range(5):
                payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES"))
            provider.open_customer("+254700000003", "Cem")
            until(lambda: sum(one.kind == "customer.opened" for one in listener.messages()) == 3)
            until(lambda: "tallystick_siem_behind 0\n" in exposition(provider))
    assert "payment" not in kinds(listener)
    funded = next(one for one in listener.messages() if one.kind == "account.funded")
    both = {ours(funded)["operator"], ours(funded)["second_operator"]}
    assert both == {desk._operator for desk in provider.operators["operations"]}


def test_what_a_collector_missed_is_told_when_it_is_back(tmp_path: Path) -> None:
    with held_port() as port, Stream(port=port) as first:
        url = f"syslog+tcp://127.0.0.1:{port}"
        with served(tmp_path / "p", siem=(url,)) as provider:
            until(lambda: "operator.enrolled" in kinds(first))
            first.close()
            suspend(provider)
            until(lambda: "tallystick_siem_silent 1\n" in exposition(provider))
            with Stream(port=port) as second:
                until(lambda: {"device.suspended", "siem.answers"} <= kinds(second), 20)
                until(lambda: "tallystick_siem_silent 0\n" in exposition(provider))
                assert "policy.activated" not in kinds(second)
            assert b"the security monitoring does not answer" in b"".join(provider.log)


def test_over_tls_the_collector_proves_itself_or_gets_nothing(tmp_path: Path) -> None:
    trusted, other = certificate_files(tmp_path / "a"), certificate_files(tmp_path / "b")
    with Stream(tls=trusted) as listener, Stream(tls=other) as impostor:
        urls = tuple(
            f"syslog+tls://127.0.0.1:{one.port}?ca={trusted[0]}" for one in (listener, impostor)
        )
        with served(tmp_path / "p", siem=urls) as provider:
            until(lambda: "operator.enrolled" in kinds(listener))
            until(lambda: "tallystick_siem_silent 1\n" in exposition(provider))
        assert impostor.messages() == []
        assert not any(impostor.octets)


def test_datagrams_carry_a_message_each(tmp_path: Path) -> None:
    with Datagrams() as listener:
        with served(tmp_path / "p", siem=(f"syslog+udp://127.0.0.1:{listener.port}",)) as provider:
            suspend(provider)
            until(lambda: "device.suspended" in kinds(listener))
        until(lambda: "service.stopping" in kinds(listener))


def test_otlp_records_are_sent_again_until_taken_and_dropped_when_refused(tmp_path: Path) -> None:
    with HttpCollector() as collector:
        collector.status = 503
        with served(tmp_path / "p", siem=(f"otlp+http://{collector.address}",)) as provider:
            until(lambda: "tallystick_siem_silent 1\n" in exposition(provider))
            collector.status = 200
            until(
                lambda: any("operator.enrolled" in one["eventName"] for one in collector.records())
            )
            assert set(collector.paths) == {"/v1/logs"}
            collector.status = 400
            suspend(provider)
            until(lambda: "siem_dropped_total 0\n" not in exposition(provider))
            until(lambda: "siem_behind 0\n" in exposition(provider))
    names = [one["eventName"] for one in collector.records()]
    repeated = ("tallystick.operator.enrolled", "tallystick.key.entered")
    assert len(names) == len(set(names)) + sum(names.count(one) - 1 for one in repeated)
    assert NAME not in json.dumps(collector.bodies)


@pytest.mark.threat("THR-USD-04")
def test_a_pin_that_is_blocked_is_told_without_saying_whose(tmp_path: Path) -> None:
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    with Stream() as listener:
        url = f"syslog+tcp://127.0.0.1:{listener.port}"
        text = demo_policy().replace("  backoff: PT1S", "  # backoff: PT1S")
        with served(
            tmp_path / "p", siem=(url,), gateways={"gw1": half}, policy_text=text
        ) as provider:
            agent = provider.person("+254711000002", "Mary", kind="agent", tier=3, till="600200")
            agent.wallet.open_customer(
                OpenCustomer(name=NAME, msisdn=NUMBER, kind="person", tier=1)
            )
            phone = FeaturePhone(
                NUMBER, UssdGateway("gw1", key, provider.url, provider.clock), provider.smsc
            )
            provider.person("+254700000009", "Ann")
            phone.set_pin(phone.activation_code(), PIN)
            for _ in range(5):
                phone.send_money("0700000009", "50", Secret("1357"))
            until(lambda: "pin.blocked" in kinds(listener))
    [told] = [one for one in listener.messages() if one.kind == "pin.blocked"]
    assert set(ours(told)) == {"provider", "notice"}
