"""Terms, warnings, guidance and the protection card, against a served provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.recovered import PIN, Recovered, recovered

from tallystick.application.channels import Safeguard
from tallystick.client.approvals import Approvals
from tallystick.client.consenting import consent_to
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Conflict, NotAuthentic, NotPermitted
from tallystick.kernel.model import ABSENT, replace
from tallystick.kernel.money import Money
from tallystick.protocol.approvals import ApprovalStage, BeginApproval
from tallystick.protocol.payments import Consent, PaymentKind, PaymentRequest

_orders = Decoder(PaymentRequest)
_consents = Decoder(Consent)
STRICT = demo_policy().replace(
    "  large: 1_000_000 ",
    "  terms: 1\n  acknowledge: [new-payee, remote-tool]\n  large: 1_000_000 ",
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recovered]:
    folder: Path = tmp_path_factory.mktemp("education") / "p"
    with recovered(folder, policy_text=STRICT) as found:
        agent = found.life(found.agent)
        agent.accept_terms(agent.guidance())
        yield found


@pytest.mark.requirement("MFS-7.3.6-04")
def test_nobody_pays_before_the_terms_are_accepted_as_they_read(scene: Recovered) -> None:
    person = scene.person()
    with pytest.raises(NotPermitted, match="terms were not accepted"):
        person.wallet.pay(PaymentKind.P2P, scene.friend.number, Money(1_000, "KES"))
    life = scene.life(person)
    read = life.guidance("sw")
    assert (read.accepted, read.language) == (0, "sw")
    with pytest.raises(Conflict):
        life.accept_terms(replace(read, terms_version=2))
    with pytest.raises(Conflict):
        life.accept_terms(replace(read, digest=life.guidance("fr").digest))
    life.accept_terms(read)
    assert life.guidance().accepted == 1
    person.wallet.pay(PaymentKind.P2P, scene.friend.number, Money(1_000, "KES"))
    assert scene.events().count("education.acknowledged") >= 1


@pytest.mark.requirement("MFS-7.3.6-04")
def test_nobody_approves_an_order_before_the_terms_are_accepted(scene: Recovered) -> None:
    person = scene.person()
    life = scene.life(person)
    device = Approvals(person.session, person.keystore, person.wallet, scene.clock)
    begun = device.begin(
        BeginApproval(
            payer=person.number, kind=PaymentKind.P2P, payee=scene.friend.number,
            amount_minor=1_000, currency="KES", asked_by="oneself",
        )
    )  # fmt: skip
    (item,) = (one for one in device.poll() if one.state.approval == begun.approval)
    with pytest.raises(NotPermitted, match="terms were not accepted"):
        device.approve(item, begun.number)
    assert person.wallet.account().available_minor == 1_000_000
    life.accept_terms(life.guidance())
    assert device.approve(item, begun.number).state.stage is ApprovalStage.APPROVED


@pytest.mark.requirement("MFS-7.3.6-04")
def test_whoever_dials_accepts_them_in_the_menu(scene: Recovered) -> None:
    phone = scene.dialler()
    scene.agent.wallet.pay(PaymentKind.CASH_IN, phone.number, Money(100_000, "KES"))
    assert "terms" in phone.send_money(scene.friend.number, "10", PIN)[-1]
    assert "accepted our terms" in phone.dial("8", "2")[-1]
    pages = phone.send_money(scene.friend.number, "10", PIN)
    assert pages[-2].startswith("First payment to them! We never ask you to pay.\n")
    assert "Done" in pages[-1]
    assert "First payment" not in phone.send_money(scene.friend.number, "10", PIN)[-2]
    assert Safeguard(accept=True) != Safeguard(accept=False)


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-SOC-01")
def test_a_consent_acknowledges_the_warnings_that_the_policy_names(scene: Recovered) -> None:
    person = scene.person(funds=3_000_000)
    life = scene.life(person)
    life.accept_terms(life.guidance())
    quoted = person.wallet.quote(
        PaymentKind.P2P,
        scene.friend.number,
        Money(1_000_000, "KES"),
        seen=("remote-tool", "screen-shared", "urgency"),
    )
    assert quoted.shown == (
        "new-payee", "first-large-amount", "screen-shared", "remote-tool", "urgency",
    )  # fmt: skip
    assert quoted.quote.warnings == ("new-payee", "remote-tool")
    order = person.wallet.consent(quoted)
    assert "Somebody may steer this phone." in person.human.saw[-1]
    _, payload, _, _ = split_compact(_orders.decode(order.body).consent)
    assert _consents.decode(payload).warnings == ("new-payee", "remote-tool")
    silenced = replace(quoted, quote=replace(quoted.quote, warnings=ABSENT))
    with pytest.raises(NotAuthentic):
        person.wallet.place(consent_to(silenced, person.keystore, scene.clock.now()))
    person.wallet.place(order)
    again = person.wallet.quote(PaymentKind.P2P, scene.friend.number, Money(1_000, "KES"))
    assert again.shown is ABSENT
    assert again.quote.warnings is ABSENT


@pytest.mark.requirement("MFS-7.3.6-01")
@pytest.mark.requirement("MFS-7.3.6-02")
def test_the_guidance_is_whole_and_its_version_is_kept_of_who_read_it(scene: Recovered) -> None:
    life = scene.life(scene.person())
    read = life.guidance()
    topics = {topic.name for topic in read.topics}
    assert topics >= {"phishing", "malware", "rooting", "stores", "pin", "sim-swap", "loss"}
    assert any("never ask for your PIN" in line for line in read.never_contact)
    assert len(read.complaints) >= 2
    assert read.known == 0
    life.acknowledge_topics(read)
    assert life.guidance().known == read.version


@pytest.mark.requirement("MFS-7.3.6-04")
def test_the_protection_card_says_what_the_policy_in_force_says(scene: Recovered) -> None:
    card = scene.life(scene.person()).card()
    text = "\n".join(card.lines)
    assert card.policy == 1
    assert card.lines[0] == "Your account keeps at most KES 500,000.00."
    assert "After 5 wrong PINs in a row you wait 30 min" in text
    assert "at least 24 h" in text
    assert "from a phone added less than 24 h ago, above KES 10,000.00 waits 24 h" in text
    assert "You pay once you accepted the terms, version 1." in card.lines
    assert "We never ask for your PIN or a code, in no call, message or visit." in card.lines
    assert "new-device-large" not in text


@pytest.mark.requirement("MFS-7.3.6-01")
@pytest.mark.requirement("MFS-7.3.6-04")
def test_whoever_dials_reads_what_protects_them_under_the_policy_in_force(
    scene: Recovered,
) -> None:
    phone = scene.dialler()
    pages = phone.dial("8", "5", "1", "1", "0", "0", "0")
    assert pages[2].startswith("What protects you\n1 Limits\n2 Waiting times\n")
    assert "One payment: at most KES 20,000.00." in pages[3]
    assert pages[4].endswith("\n0 Back")
    assert pages[5] == pages[3]
    assert pages[6] == pages[2]
    assert pages[7].startswith("Protection\n")
    waits = phone.dial("8", "5", "2", "1", "1", "1")
    assert "After 5 wrong PINs in a row you wait 30 min" in waits[3]
    assert "You pay once you accepted the terms, version 1." in "".join(waits)
    phone.dial("7", "3")
    read = phone.dial("8", "5", "4")
    assert read[3].startswith("Hatuombi kamwe PIN au namba ya siri")
    assert "Umepoteza simu na laini?" in phone.dial("8", "5", "3")[3]
    phone.dial("7", "1")
