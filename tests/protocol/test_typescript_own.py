"""The TypeScript client: warnings and terms, requests of others, one's devices, notices and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.approved import TILL, program
from tests.support.looking import leaves_of
from tests.support.served import Person, Served, by_one_operator, served
from tests.support.typescript import customer
from tests.support.typescript_device import NodeDevice, Refused

from tallystick.client.beginning import Beginner
from tallystick.client.ownfactors import OwnFactors
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import MfsError
from tallystick.protocol.approvals import BeginApproval
from tallystick.protocol.devicelife import EndDevice
from tallystick.protocol.operators import IssueActivation
from tallystick.protocol.payments import Consent, PaymentKind

_consents = Decoder(Consent)
STRICT = by_one_operator().replace(
    "  large: 1_000_000 ",
    "  terms: 1\n  acknowledge: [new-payee, remote-tool]\n  large: 1_000_000 ",
)
ANN = "+254700000001"
TO_BEN = {"kind": "p2p", "payee": "+254700000002", "currency": "KES"}


@dataclass
class Scene:
    provider: Served
    ben: Person
    shop: Beginner
    ann: NodeDevice

    def begun(self, amount: int = 5_000) -> Any:
        """An order that the shop began for Ann."""
        return self.shop.begin(
            BeginApproval(
                payer=ANN,
                kind=PaymentKind.MERCHANT,
                payee=TILL,
                amount_minor=amount,
                currency="KES",
                asked_by="Kiosk",
            )
        )

    def item(self, approval: str) -> Any:
        """The newest state of a request in Ann's inbox."""
        found = [one for one in self.ann.ask("poll") if one["state"]["approval"] == approval]
        assert found
        return found[-1]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    assert "acknowledge: [new-payee, remote-tool]" in STRICT
    folder = tmp_path_factory.mktemp("own")
    with served(folder / "p", policy_text=STRICT, more_roles=("care-desk",)) as provider:
        provider.person("+254700000099", "Kiosk", kind="merchant", tier=3, till=TILL)
        ben = provider.person("+254700000002", "Ben Otieno")
        shop = program(provider, "kiosk")
        with NodeDevice(provider, folder / "ann.json", customer(provider, ANN)) as ann:
            yield Scene(provider, ben, shop, ann)


@pytest.mark.requirement("MFS-7.3.6-04")
def test_the_terms_are_read_and_accepted_before_anything_is_paid(scene: Scene) -> None:
    asked = {**TO_BEN, "amountMinor": 1_000}
    with pytest.raises(Refused, match="terms were not accepted"):
        scene.ann.ask("pay", asked=asked, acknowledged=["new-payee"])
    read = scene.ann.own("guidance", "sw")
    assert (read["accepted"], read["language"], read["terms_version"]) == (0, "sw", 1)
    assert len(read["complaints"]) >= 2
    after = scene.ann.ask("acceptTerms")
    assert (after["accepted"], after["known"]) == (1, after["version"])
    assert scene.ann.own("protection")["policy"] == 1


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SOC-01")
def test_warnings_are_shown_and_what_the_terms_name_is_acknowledged(scene: Scene) -> None:
    asked = {**TO_BEN, "amountMinor": 2_000, "seen": ["remote-tool", "screen-shared", "urgency"]}
    scene.ann.ask("shown")
    for acknowledged in ([], ["new-payee"], ["remote-tool", "urgency"]):
        with pytest.raises(Refused) as refused:
            scene.ann.ask("pay", asked=asked, acknowledged=acknowledged)
        assert refused.value.code == "not-permitted"
        assert refused.value.because in {"new-payee", "remote-tool"}
    assert scene.ann.ask("shown") == [], "nothing was put before the signing person"
    with pytest.raises(Refused) as refused:
        scene.ann.ask("silenced", asked=asked)
    assert refused.value.code == "not-authentic"
    scene.ann.ask("shown")
    paid = scene.ann.ask("pay", asked=asked, acknowledged=["new-payee", "remote-tool"])
    assert [(one["name"], one["bound"]) for one in paid["warnings"]] == [
        ("new-payee", True),
        ("screen-shared", False),
        ("remote-tool", True),
        ("urgency", False),
    ]
    (text,) = scene.ann.ask("shown")
    assert text.startswith("You never paid them before. Somebody may see your screen. Somebody may")
    assert text.endswith("Pay KES 20.00 to Ben O., fee KES 0.00?")
    _, payload, _, _ = split_compact(paid["consent"])
    assert _consents.decode(payload).warnings == ("new-payee", "remote-tool")
    again = scene.ann.ask("pay", asked={**TO_BEN, "amountMinor": 500}, acknowledged=[])
    assert again["warnings"] == []


@pytest.mark.requirement("MFS-11.2.2-01")
def test_a_request_is_approved_by_its_number_and_another_declined(scene: Scene) -> None:
    scene.ann.ask("acceptTerms")
    first = scene.begun(5_000)
    item = scene.item(first.approval)
    assert item["text"] == "Pay KES 50.00 to Kiosk, fee KES 0.00. Asked by Kiosk."
    approved = scene.ann.ask("approve", item=item, number=first.number)
    assert (approved["state"]["stage"], approved["paid"]) == ("approved", 5_000)
    assert scene.ann.ask("shown")[-1] == item["text"]
    assert scene.ann.ask("approve", item=item, number=first.number)["paid"] == 5_000
    second = scene.begun(7_000)
    altered = {**(found := scene.item(second.approval)), "text": item["text"]}
    with pytest.raises(Refused) as refused:
        scene.ann.ask("approve", item=altered, number=second.number)
    assert refused.value.code == "not-authentic"
    paused = scene.ann.ask(
        "approve", item=found, number=second.number, company={"remoteAccess": True}
    )
    assert paused["state"]["paused_until"] > 0
    assert scene.item(second.approval)["warning"]
    state = scene.ann.ask("decline", approval=second.approval, reason="changed-mind")
    assert (state["stage"], state["reason"]) == ("declined", "changed-mind")
    assert scene.shop.status(second.approval).stage == "declined"


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SOC-01")
def test_the_warnings_of_a_request_are_shown_and_acknowledged(scene: Scene) -> None:
    scene.ann.ask("acceptTerms")
    scene.provider.person("+254700000033", "Cyd Wairimu")
    asked = {**TO_BEN, "payee": "+254700000033", "payer": ANN, "amountMinor": 900, "askedBy": "me"}
    begun = scene.ann.ask("begin", asked=asked)
    item, seen = scene.item(begun["approval"]), ["remote-tool", "urgency"]
    assert scene.ann.ask("warnings", item=item, seen=seen) == [
        {"name": "new-payee", "text": "You never paid them before.", "bound": True},
        {"name": "remote-tool", "text": "Somebody may steer this phone.", "bound": True},
        {"name": "urgency", "text": "Does somebody hurry you? Hang up.", "bound": True},
    ]
    scene.ann.ask("shown")
    for said in ([], ["new-payee", "urgency"], ["remote-tool", "urgency"]):
        with pytest.raises(Refused) as refused:
            scene.ann.ask(
                "approve", item=item, number=begun["number"], acknowledged=said, seen=seen
            )
        assert refused.value.code == "not-permitted"
    assert scene.ann.ask("shown") == [], "nothing was put before the signing person"
    said = ["new-payee", *seen]
    done = scene.ann.ask("approve", item=item, number=begun["number"], acknowledged=said, seen=seen)
    assert (done["state"]["stage"], done["paid"]) == ("approved", 900)
    (text,) = scene.ann.ask("shown")
    assert text.startswith("You never paid them before. Somebody may steer this phone. Does some")
    assert text.endswith(item["text"])


def test_one_begins_and_takes_back(scene: Scene) -> None:
    asked = {**TO_BEN, "payer": ANN, "amountMinor": 900, "askedBy": "myself"}
    begun = scene.ann.ask("begin", asked=asked)
    state = scene.ann.ask("cancel", approval=begun["approval"], because="changed")
    assert state["stage"] == "cancelled"


@pytest.mark.requirement("MFS-7.4.5-01")
def test_another_device_of_ones_own_is_seen_stopped_and_told_of(scene: Scene) -> None:
    provider = scene.provider
    desk = provider.operators["care-desk"][0]
    before = len(provider._codes(ANN))
    activation = desk.act("issue-activation", IssueActivation(number=ANN)).reference
    other = provider.enrol_phone(ANN, activation, provider.activation_code(ANN, before))
    assert other.wallet.account().available_minor > 0
    found = {one["device"]: one for one in scene.ann.own("devices")}
    assert found[scene.ann.identity["device"]]["this"] is True
    name = other.keystore.identity().device
    assert "suspend" in found[name]["may"]
    scene.ann.own("steer", name, "suspend")
    status = {one["device"]: one["status"] for one in scene.ann.own("devices")}
    assert status[name] == "suspended"
    with pytest.raises(MfsError):
        other.wallet.account()
    assert [one["text"] for one in scene.ann.own("notices")], "it is told that a device came"
    assert [one["own"] for one in scene.ann.own("sessions")].count(True) == 1
    scene.ann.own("endOthers")
    with pytest.raises(Refused) as refused:
        scene.ann.own("steer", name, "resume")
    assert refused.value.code == "step-up-required"
    assert any(one.startswith(("fresh:", "categories:")) for one in refused.value.suffices)
    with pytest.raises(Refused) as refused:
        scene.ann.own("givePin", "0000")
    assert refused.value.code == "not-authentic"
    mine = next(one["session"] for one in scene.ann.own("sessions") if one["own"])
    scene.ann.ask("end")
    assert mine not in {one["session"] for one in scene.ann.own("sessions")}
    assert scene.ann.own("recoveries") == []


def test_an_app_whose_session_was_ended_elsewhere_opens_another_with_its_next_request(
    scene: Scene,
) -> None:
    begun = scene.ann.own("sessions")
    mine = next(one["session"] for one in begun if one["own"])
    provider = scene.provider
    desk = provider.operators["care-desk"][0]
    before = len(provider._codes(ANN))
    activation = desk.act("issue-activation", IssueActivation(number=ANN)).reference
    other = provider.enrol_phone(ANN, activation, provider.activation_code(ANN, before))
    OwnFactors(other.session).end_others(mine)
    with pytest.raises(Refused) as refused:
        scene.ann.own("devices")
    assert refused.value.code == "unauthenticated"
    assert scene.ann.own("devices")


def test_one_opens_a_recovery_of_ones_own_account_and_says_no_to_it(scene: Scene) -> None:
    opened = scene.ann.own("openRecovery", "new-phone")
    assert (opened["kind"], opened["state"]) == ("new-phone", "cooling")
    assert "a recovery (new-phone)" in scene.ann.ask("shown")[-1]
    scene.ann.own("cancelRecovery", opened["recovery"])
    states = {one["recovery"]: one["state"] for one in scene.ann.own("recoveries")}
    assert states == {opened["recovery"]: "cancelled"}


@pytest.mark.requirement("MFS-7.4.5-01")
def test_a_device_that_is_over_obeys_the_wipe_of_its_provider(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        scene.ann.ask("wipe")
    assert refused.value.code == "conflict", "it is not over"
    asked = customer(scene.provider, "+254700000003")
    with NodeDevice(scene.provider, tmp_path / "eve.json", asked) as eve:
        body = EndDevice(device=eve.identity["device"], how="steal", because="she came")
        scene.provider.operators["care-desk"][0].act("remove-device", body)
        with pytest.raises(Refused):
            eve.ask("quote", asked={**TO_BEN, "amountMinor": 1_000})
        assert eve.ask("wipe") == {"erased": True, "device": eve.identity["device"]}
    assert "device.wiped" in {decode_leaf(leaf).kind for leaf in leaves_of(scene.provider)}
