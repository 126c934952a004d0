"""What an operator sees afterwards: the steps of one order, and who changed what."""

import json
from pathlib import Path

import pytest
from simulators.core_system import CoreSystem
from tests.support.collectors import until
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.core import book_id
from tallystick.client.wallet import Refusal
from tallystick.kernel.money import Money
from tallystick.protocol.operators import AddWebhook, SuspendDevice
from tallystick.protocol.payments import PaymentKind


def steps(provider: Served, identifier: str) -> dict[str, str]:
    ran = tallystick("why", identifier, provider.folder.root, "--json")
    assert ran.code == 0, ran.all
    return {one["what"]: one["says"] for one in json.loads(ran.out)["steps"]}


def wait_for_notices(provider: Served, order: str, template: str) -> dict[str, str]:
    found: dict[str, str] = {}

    def told() -> bool:
        found.clear()
        found.update(steps(provider, order))
        taken = "taken by the message centre" in found.get(template, "")
        return taken and "signed with" in found["recorded settled"]

    until(told, 30)
    return found


@pytest.mark.requirement("MFS-7.3.3-01")
def test_an_order_is_followed_from_quote_to_notice_without_a_secret(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        payer = provider.person("+254700000001", "Ann", funds=100_000)
        provider.open_customer("+254700000002", "Ben")  # who dials, and is told by short message
        hook = provider.operators["operations"][0].act(
            "add-webhook", AddWebhook(url="http://127.0.0.1:9/events", kinds=("payment",))
        )
        paid = payer.wallet.pay(PaymentKind.P2P, "+254700000002", Money(100, "KES"))
        order = str(paid.verified.event.p["order"])
        found = wait_for_notices(provider, order, "notice payment-received")
        assert list(found)[:3] == ["quoted", "permitted", "recorded settled"]
        assert f"event {paid.verified.index}, signed with the first" in found["recorded settled"]
        assert "policy 1, row " in found["permitted"]
        assert "notice payment-sent" not in found
        assert "not told yet" in found[f"webhook {hook.reference}"]
        assert "at the core" not in found
        ran = tallystick("why", order, provider.folder.root)
        assert "what became of it" in ran.out
        assert "Ann" not in ran.out
        # the webhook, which nobody takes, may be tried once more between the two
        until(lambda: steps(provider, str(paid.verified.index)) == steps(provider, order))


def test_a_refused_order_says_why_and_has_no_notice(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        payer = provider.person("+254700000001", "Ann")
        payee = provider.person("+254700000002", "Ben")
        with pytest.raises(Refusal) as refused:
            payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES"))
        assert refused.value.receipt is not None
        order = payer.wallet.verified(refused.value.receipt).event.id
        found = steps(provider, order)
        assert list(found) == ["quoted", "refused", "recorded refused"]
        assert "insufficient-funds" in found["refused"]


def test_an_order_at_the_core_names_its_transfer_and_each_stage(tmp_path: Path) -> None:
    with CoreSystem() as core, served(tmp_path / "p", core_url=core.url) as provider:
        payer = provider.person("+254700000001", "Ann")
        payee = provider.person("+254700000002", "Ben")
        paid = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES"))
        order = paid.verified.event.id
        ended = f"transfer {book_id(order)}: it ended as settled"
        until(lambda: steps(provider, order).get("at the core") == ended, 30)
        assert {"recorded accepted", "recorded settled"} <= set(steps(provider, order))


def test_acts_are_told_by_id_and_role_and_can_be_asked_for(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        person = provider.person("+254700000001", "Ann Personal", funds=100)
        desk = provider.operators["care-desk"][0]
        device = person.wallet.account().device
        body = SuspendDevice(device=device, suspend=True, because="lost")
        done = desk.act("suspend-device", body)
        ran = tallystick("timeline", provider.folder.root, "--since", "1h", "--json")
        told = json.loads(ran.out)
        by_what = {one["what"]: one for one in told}
        assert by_what["device.suspended"]["who"] == f"{desk._operator} (care-desk)"
        assert by_what["device.suspended"]["index"] == done.event
        assert by_what["account.funded"]["who"].count("(operations)") == 2
        assert by_what["customer.opened"]["who"].endswith("(care-desk)")
        assert not {"payment", "device.enrolled"} & set(by_what)
        assert by_what["service.started"]["index"] == -1
        assert [one["at"] for one in told] == sorted(one["at"] for one in told)
        assert "Ann" not in ran.out
        assert "+254" not in ran.out
        why = tallystick("why", done.act, provider.folder.root, "--json")
        assert json.loads(why.out)["index"] == done.event
        assert tallystick("why", "act_" + "0" * 26, provider.folder.root).code == 1
