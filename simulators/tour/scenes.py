"""The scenes before the town: who enrols, who pays, who is refused and by what.

A scene that does not go as told raises, and the tour fails.

Source: ISO/TS 12812-2:2017, 7.3; 7.4.1
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from simulators.cast import Cast, Person
from simulators.feature_phone import FeaturePhone
from simulators.smsc import Smsc
from simulators.tour.provider import TourProvider
from simulators.tour.telling import Story
from simulators.ussd_gateway import UssdGateway
from tallystick.client.consenting import Order
from tallystick.client.session import ClientSession
from tallystick.client.wallet import ATTEMPTS, Refusal
from tallystick.entry.auditing import audit_provider
from tallystick.entry.fleet import fleet_of
from tallystick.entry.reaching import policy_in_force
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_database, open_reader
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Broken, InsufficientFunds, MfsError, Unavailable
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.process.attestation.model import read_appraisals
from tallystick.protocol.envelope import SEALED_MEDIA_TYPE
from tallystick.protocol.operators import OpenCustomer, ReversePayment
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt

PIN = Secret("7391")
ANN, DORA, SHOP, AGENT = "+254700000001", "+254722000001", "500100", "600200"


@dataclass(slots=True)
class Players:
    """Who takes part.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    cast: Cast
    gateway: UssdGateway
    smsc: Smsc
    ann: Person
    agent: Person
    shop: Person
    dora: FeaturePhone


def kes(minor: int) -> Money:
    """An amount in Kenya shillings.

    Source: ISO 4217
    """
    return Money(minor, "KES")


def must(holds: bool, what: str) -> None:
    """Fail the tour unless `what` holds.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    if not holds:
        raise Broken(f"the tour expected that {what}")


def refused(story: Story, text: str, act: Callable[[], object]) -> MfsError:
    """Tell the refusal that `act` meets; fail the tour if it meets none.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    try:
        act()
    except Refusal as refusal:
        error = refusal.error
    except MfsError as refusal:
        error = refusal
    else:
        raise Broken(f"the tour expected a refusal: {text}")
    story.refused(text, error.because or error.detail)
    return error


def enrolment(story: Story, cast: Cast, gateway: UssdGateway, smsc: Smsc) -> Players:
    """A phone with an app enrols itself, one without is opened by an agent.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    story.scene("Enrolment")
    agent = cast.person(
        "+254711000002", "Agent Mary", kind="agent", tier=3, funds=30_000_000, till=AGENT
    )
    shop = cast.person("+254711000003", "Corner Shop", kind="merchant", tier=3, till=SHOP)
    story.done("an agent and a shop enrol", "opened by the care desk, code by SMS")
    ann = cast.person(ANN, "Ann Wanjiru Kamau", funds=2_000_000)
    story.done(
        "Ann's Android phone makes two keys and enrols with the code from the SMS",
        "both keys prove themselves; provider proved itself first",
    )
    agent.wallet.open_customer(
        OpenCustomer(name="Dora Achieng", msisdn=DORA, kind="person", tier=1)
    )
    dora = FeaturePhone(DORA, gateway, smsc)
    dora.set_pin(dora.activation_code(), PIN)
    story.done("Dora's phone only dials: the agent opens her, she chooses her PIN", "agent signs")
    return Players(cast, gateway, smsc, ann, agent, shop, dora)


def attested(story: Story, provider: TourProvider, person: Person) -> None:
    """What the provider makes of the attestation that came with a phone's keys.

    Source: ISO/TS 12812-2:2017, 7.2.6; 7.4.1
    """
    device = person.keystore.identity().device
    with open_reader(provider.folder.stored()) as reader:
        row = reader.one("SELECT trust, attestation FROM device WHERE id = ?", (device,))
    must(row is not None, "the phone is known")
    trust, kept = (str(row[0]), bytes(row[1])) if row else ("", b"")
    verdicts = [one.verdict for one in read_appraisals(kept)]
    must(trust == "attested-hardware", "a phone with two attested keys is trusted as one")
    story.done(
        f"the keystore attests both keys: {len(verdicts)} verdicts say {trust}",
        f"root: {verdicts[0].claims['root']}; no hardware is behind it, and each verdict says so",
    )


def doubted(story: Story, provider: TourProvider, person: Person) -> None:
    """The certificate above a phone's keys is revoked: its limits fall while it is served.

    Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
    """
    device = person.keystore.identity().device
    with open_reader(provider.folder.stored()) as reader:
        row = reader.one("SELECT attestation FROM device WHERE id = ?", (device,))
    must(row is not None, "the phone is known")
    chain = read_appraisals(bytes(row[0]) if row else b"")[0].evidence.chain
    story.scene("A phone loses its trust")
    began = time.monotonic()
    provider.revoke(chain[1].serial)
    wait_for_trust(provider, device, "unknown")
    took = time.monotonic() - began
    story.done(
        f"the vendor revokes a certificate above Ann's keys: {took:.1f} s later it counts",
        "no restart; every front asks the writer",
    )
    _fallen(story, provider)
    error = refused(
        story,
        "60,000 KES from Ann's phone",
        lambda: person.wallet.pay(PaymentKind.P2P, DORA, kes(6_000_000)),
    )
    must(not isinstance(error, InsufficientFunds), "her limit refuses it before her balance does")
    provider.revoke("")
    wait_for_trust(provider, device, "attested-hardware")
    story.done("the vendor takes the certificate off its list: the phone is trusted again")


def _fallen(story: Story, provider: TourProvider) -> None:
    """What one doubted phone may pay now, and by which clause, as the fleet is counted."""
    with open_reader(provider.folder.stored()) as reader:
        fleet = fleet_of(reader, SystemClock().now(), policy_in_force(reader))
    doubted_ones = [one for one in fleet.shut_out if one.people.trust == "unknown"]
    must(bool(doubted_ones), "a phone that nothing vouches for may pay less")
    one = doubted_ones[0]
    must(one.reach.most_minor > 0, "lower limits, and no lock-out")
    story.done(
        f"the most in one payment falls from {kes(one.full_minor)} to {kes(one.reach.most_minor)}",
        f"limit {one.reach.by}; tallystick fleet counts"
        f" {one.people.devices} of {fleet.devices} phones so",
    )


def wait_for_trust(provider: TourProvider, device: str, trust: str) -> None:
    """Return once `device` is stored as trusted that far; fail the tour after ten seconds.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with open_reader(provider.folder.stored()) as reader:
            row = reader.one("SELECT trust FROM device WHERE id = ?", (device,))
        if row is not None and row[0] == trust:
            return
        time.sleep(0.1)
    must(False, f"the phone is trusted as {trust}")


def paying(story: Story, players: Players) -> Receipt:
    """Everybody pays somebody; gives the receipt that the page shows.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """
    story.scene("Payments")
    ann, dora = players.ann, players.dora
    players.agent.wallet.pay(PaymentKind.CASH_IN, ANN, kes(500_000))
    story.done("cash in: the agent's float becomes Ann's money", "the agent signs")
    paid = ann.wallet.pay(PaymentKind.P2P, DORA, kes(125_000))
    story.done(f'Ann reads "{ann.human.saw[-1]}" and confirms', "signed by her consent key")
    event = paid.verified.event
    story.done(
        f"settled, event {paid.verified.index} of the tally; the receipt verifies offline",
        f"row {event.p['row']}, grade {event.p['grade']}",
    )
    told = dora.wait_for(lambda one: "1,250.00" in one.text, 10)
    story.done(f'Dora reads: "{told.text}"')
    must(dora.is_genuine(told), "dialling confirms the receipt code")
    story.done("Dora dials the code: the provider confirms it", "receipt code")
    before = players.shop.wallet.account().available_minor
    dora.pay_merchant(SHOP, "300", PIN)
    must(players.shop.wallet.account().available_minor == before + 30_000, "the shop is paid")
    story.done("Dora pays the shop by dialling, PIN last", "grade pin-verified; limits by grade")
    bought = ann.wallet.pay(PaymentKind.MERCHANT, SHOP, kes(80_000))
    original = bought.verified.event.id
    players.shop.wallet.pay(PaymentKind.REFUND, ANN, kes(30_000), original=original)
    story.done("the shop refunds a part of Ann's purchase", "the shop signs, up to what is left")
    ann.wallet.pay(PaymentKind.CASH_OUT, AGENT, kes(100_000))
    story.done("cash out at the agent", "the customer consents")
    wrong = ann.wallet.pay(PaymentKind.P2P, DORA, kes(4_000))
    first, second = players.cast.operators["operations"]
    body = ReversePayment(order=wrong.verified.event.id, because="sent to the wrong number")
    waiting = first.act("reverse-payment", body)
    second.act("reverse-payment", body, approves=waiting.act)
    told = dora.wait_for(lambda one: "40.00 taken back" in one.text, 10)
    story.done("a payment to the wrong number is given back", "two operators signed")
    story.done(f'Dora reads: "{told.text}"')
    return paid.receipt


def refusals(story: Story, players: Players) -> None:
    """What attackers try, each refused by a row of the policy or a check of the protocol.

    Source: ISO/TS 12812-2:2017, D
    """
    story.scene("Refused")
    ann = players.ann
    order = ann.wallet.consent(ann.wallet.quote(PaymentKind.P2P, DORA, kes(1_000)))
    refused(story, "the amount in a signed order is changed", lambda: _changed(players, order))
    story.refused("a sealed order is recorded and sent again", _replayed(players, order))
    refused(
        story,
        "more than the policy allows at once",
        lambda: ann.wallet.pay(PaymentKind.P2P, DORA, kes(11_000_000)),
    )
    _cloned(story, players)
    _guessed(story, players)
    story.refused("a forged receipt SMS", _forged(players))


def _changed(players: Players, order: Order) -> None:
    jws_text = order.body.decode()
    start = jws_text.index(".") + 1
    end = jws_text.index(".", start)
    payload = b64url_decode(jws_text[start:end]).replace(
        b'"amount_minor":1000', b'"amount_minor":9000'
    )
    changed = jws_text[:start] + b64url(payload) + jws_text[end:]
    players.ann.wallet.place(Order(order.quote, changed.encode()), attempts=1)


def _replayed(players: Players, order: Order) -> str:
    session = players.ann.session
    session.establish()
    live = session._live  # noqa: SLF001 - the attacker records what passes
    if live is None:
        raise Broken("the tour expected a session")
    live.sequence += 1
    sealed = seal_request(live.keys, "payment.order", live.sequence, order.body)
    transport = players.cast.transport
    first = transport.post("/v1/payments", sealed, SEALED_MEDIA_TYPE)
    must(first.status == 200, "the order itself is good")
    again = transport.post("/v1/payments", sealed, SEALED_MEDIA_TYPE)
    must(again.status == 409, "the copy is refused")
    return "replay window: this message was received before"


def _cloned(story: Story, players: Players) -> None:
    victim = players.cast.person("+254700000031", "Chris Copied")
    clone = victim.keystore.clone()
    victim.session.establish()
    peer = players.cast.peer()
    thief = ClientSession(peer, clone, players.cast.clock)
    refused(story, "a copy of a phone's keystore is used after the phone", thief.establish)
    told = players.smsc.wait_for(victim.number, lambda one: "no longer pay" in one.text, 10)
    story.done(f'Chris reads: "{told.text}"')


def _guessed(story: Story, players: Players) -> None:
    activation = players.cast.open_customer("+254700000032", "Gus Guessed").reference
    right = players.cast.activation_code("+254700000032")
    guesses = [Secret(f"{number:04d}-0000") for number in range(1, 6)]
    for guess in guesses:
        try:
            players.cast.enrol_phone("+254700000032", activation, guess)
        except MfsError:
            continue
        raise Broken("a guessed code enrolled a phone")
    refused(
        story,
        "an activation code is guessed five times; now even the right one is dead",
        lambda: players.cast.enrol_phone("+254700000032", activation, right),
    )


def _forged(players: Players) -> str:
    text = "demo-wallet: KES 9,000.00 received from Ann K. *001. Receipt 0017-123456."
    now = players.cast.clock.now()
    forged = players.smsc.inject(DORA, text, at=now, sender="demo-wallet")
    must(not players.dora.is_genuine(forged), "the forged code is unknown")
    return "receipt code: dialled, unknown to the provider"


def edited_balance(story: Story, provider: TourProvider, players: Players) -> None:
    """Somebody edits a balance in the database while the service is down.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    account = players.ann.keystore.identity().accounts[0]
    provider.stop()
    _edit(provider, account, 1_000_000)
    report = audit_provider(provider.folder)
    named = [one.row for one in report.findings]
    must(named == [f"account {account}"], "the audit names exactly the edited row")
    story.refused("a balance is edited in the database", f"tally verify names {named[0][:20]}...")
    _edit(provider, account, -1_000_000)
    must(not audit_provider(provider.folder).findings, "the tally is whole again")
    provider.serve(provider.port)


def _edit(provider: TourProvider, account: str, minor: int) -> None:
    with open_database(provider.folder.stored()) as database:
        database.execute(
            "UPDATE account SET posted_credit = posted_credit + ? WHERE id = ?", (minor, account)
        )


def killed(story: Story, provider: TourProvider, players: Players) -> None:
    """The server is killed with -9 under load and comes back; nobody loses or pays twice.

    Source: ISO/TS 12812-2:2017, 7.3.3; 6.2.3
    """
    story.scene("Killed with -9 under load")
    payers = [
        players.cast.person(f"+25470000010{number}", f"Load Payer {number}", funds=200_000)
        for number in range(4)
    ]
    for person in payers:
        person.wallet.attempts = 1  # who gets no answer stops, and asks again once it is back
    acknowledged: list[str] = []
    pending: list[tuple[Person, Order]] = []
    stop = threading.Event()

    def load(person: Person) -> None:
        while not stop.is_set():
            try:
                order = person.wallet.consent(person.wallet.quote(PaymentKind.P2P, ANN, kes(100)))
            except (MfsError, Unavailable):
                return
            try:
                person.wallet.place(order, attempts=1)
                acknowledged.append(order.quote.order)
            except MfsError:
                pending.append((person, order))
                return

    threads = [threading.Thread(target=load, args=(person,), daemon=True) for person in payers]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    provider.kill()
    stop.set()
    for thread in threads:
        thread.join()
    provider.serve(provider.port)
    for person, order in pending:
        person.wallet.place(order, attempts=ATTEMPTS)
    with open_reader(provider.folder.stored()) as reader:
        orders = [row[0] for row in reader.rows("SELECT id FROM payment_order")]
        posted = reader.rows("SELECT posting_id, count(*) FROM transfer GROUP BY 1")
    found = len(set(acknowledged) & set(orders))
    twice = sum(1 for _, legs in posted if legs > 1)
    must(bool(acknowledged), "orders were settled before the kill")
    must(found == len(acknowledged) and not twice, "nothing is lost and nothing is there twice")
    story.fact(f"acknowledged {len(acknowledged)}, found {found}, twice {twice}")
    story.done(
        f"{len(pending)} orders without an answer are sent again under their ids",
        "same id: the original answer, or the first one",
    )
