"""Whoever is blocked, on any channel, is told at once in their language; so are changed SIMs."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from simulators.device import SimulatedPerson
from tests.protocol.test_sim_payments import change
from tests.support.looking import rows_of
from tests.support.networks import FRIEND, OTHER, PIN, Network, network
from tests.support.partners import MovedClock
from tests.support.served import Person, by_one_operator
from tests.support.stores import on_file
from tests.unit.application.notices.test_notices_rules import LINK

from tallystick.application.notices import Template
from tallystick.application.notices.rules import CODES, PAYMENTS
from tallystick.application.notices.store import WARNING_MIGRATION, notices_to
from tallystick.client.approvals import Approvals
from tallystick.client.ownfactors import OwnFactors
from tallystick.client.ownlife import OwnLife
from tallystick.entry.partner_settings import PartnerLink
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS, MINUTE_MS
from tallystick.protocol.gsm7 import SMS_PLACES, places
from tallystick.protocol.operators import IssueActivation, OpenCustomer
from tallystick.protocol.payments import PaymentKind

FRENCH, SWAHILI, ENGLISH = "2", "3", "1"
WRONG = "864209"


@dataclass
class Scene:
    network: Network
    clock: MovedClock
    count: int = 0

    def number(self) -> str:
        self.count += 1
        return f"+2547230{self.count:05d}"

    def dialler(self, language: str = ENGLISH) -> str:
        """Somebody new who only dials, has a PIN and speaks a language of the menu."""
        number, centre = self.number(), self.network.centre
        self.network.agent.wallet.open_customer(
            OpenCustomer(name="Dora Dial", msisdn=number, kind="person", tier=1)
        )
        code = self.network.provider.activation_code(number).reveal()
        assert "PIN" in centre.dial(number, "6", code, PIN.reveal(), PIN.reveal())[-1]
        centre.dial(number, "7", language)
        return number

    def both(self, language: str = ENGLISH) -> Person:
        """Somebody new with an app and a PIN for the menu."""
        person = self.network.provider.person(self.number(), "Ann App", funds=100_000)
        desk = self.network.provider.operators["care-desk"][0]
        desk.act("issue-activation", IssueActivation(number=person.number))
        code = self.network.provider.activation_code(person.number, after=1).reveal()
        pages = self.network.centre.dial(person.number, "6", code, PIN.reveal(), PIN.reveal())
        assert "PIN is set" in pages[-1], pages
        self.network.centre.dial(person.number, "7", language)
        person.session.establish()
        return person

    def told(self, number: str, words: str) -> str:
        """The message to `number` with these words; it is one SMS that leads nowhere."""
        self.network.centre.wait_for(number, lambda one: words in one.text, 10)
        text = [one.text for one in self.network.centre.inbox(number) if words in one.text][-1]
        assert not LINK.search(text), text
        assert places(text) <= SMS_PLACES
        assert number[1:] not in text
        return text

    def kept(self, number: str) -> list[Template]:
        """What is kept in the outbox for `number`, newest first."""
        provider = self.network.provider
        customer = provider.platform.desks.customers.by_alias(number).id
        with open_reader(provider.folder.stored()) as reader:
            return [one.template for one in notices_to(reader, customer, 50, 10_000)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    quick = by_one_operator().replace("  backoff: PT1S", "  # backoff: PT1S")
    folder, link = tmp_path_factory.mktemp("blocks") / "p", PartnerLink(name="sim-east")
    clock = MovedClock()
    with network(folder, policy_text=quick, sim_changes=link, clock=clock) as found:
        yield Scene(found, clock)


def dialled_wrong(scene: Scene, person: Person) -> None:
    scene.network.centre.dial(person.number, "5", WRONG)


def app_pin_wrong(_: Scene, person: Person) -> None:
    with pytest.raises(NotAuthentic):
        OwnFactors(person.session).give_pin(Secret(WRONG))


def app_code_wrong(_: Scene, person: Person) -> None:
    with pytest.raises(NotAuthentic):
        OwnFactors(person.session).give_code(Secret("123456"))


def activation_wrong(scene: Scene, person: Person) -> None:
    provider = scene.network.provider
    activation = provider.platform.desks.customers.by_alias(person.number).activation
    with pytest.raises(MfsError):
        provider.enrol_phone(person.number, activation, Secret("0000-0000"))


WAYS: list[tuple[Callable[[Scene, Person], None], str, str]] = [
    (dialled_wrong, FRENCH, "trop de PIN faux"),
    (app_pin_wrong, SWAHILI, "PIN imekosewa mara nyingi"),
    (app_code_wrong, FRENCH, "trop de PIN faux"),
    (activation_wrong, ENGLISH, "too many wrong PINs"),
]


@pytest.mark.requirement("MFS-7.3.2-02")
@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-USD-04")
@pytest.mark.parametrize(("guess", "language", "words"), WAYS, ids=lambda one: str(one)[:24])
def test_a_pin_blocked_over_any_channel_is_told_once_in_the_customers_language(
    scene: Scene, guess: Callable[[Scene, Person], None], language: str, words: str
) -> None:
    person = scene.both(language)
    for _ in range(4):
        guess(scene, person)
    assert Template.PIN_BLOCKED not in scene.kept(person.number)
    guess(scene, person)
    assert "30" in scene.told(person.number, words)
    guess(scene, person)  # held back: the count goes no further, nobody is told again
    assert scene.kept(person.number).count(Template.PIN_BLOCKED) == 1


def test_a_block_is_told_with_its_true_length_or_that_people_have_to_end_it(scene: Scene) -> None:
    number = scene.dialler()
    said = []
    for round_ in range(5):
        for _ in range(5):
            scene.network.centre.dial(number, "5", WRONG)
        assert scene.kept(number).count(Template.PIN_BLOCKED) == round_ + 1
        words = "until you visit an agent" if round_ == 4 else f"for {30 << round_} min"
        said.append(scene.told(number, words))
        scene.clock.off_ms += (31 << round_) * MINUTE_MS
    assert len(set(said)) == 5


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.threat("THR-DEV-08")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        (ENGLISH, "your phone refused too many"),
        (FRENCH, "votre mobile a refusé"),
        (SWAHILI, "simu yako imekataa"),
    ],
)
def test_a_phone_that_reports_five_strangers_is_blocked_and_its_owner_told(
    scene: Scene, language: str, words: str
) -> None:
    person = scene.both(language)
    person.keystore._verify = SimulatedPerson()
    person.keystore._verify.stranger = True
    for _ in range(5):
        with pytest.raises(NotAuthentic):
            person.wallet.pay(PaymentKind.P2P, OTHER, Money(100, "KES"))
    person.wallet.account()  # the session tells what the phone counted
    assert "30" in scene.told(person.number, words)
    person.wallet.account()
    kept = scene.kept(person.number)
    assert kept.count(Template.VERIFICATION_BLOCKED) == 1
    assert Template.PIN_BLOCKED not in kept, "the menu's PIN is not blocked by the phone's count"


@pytest.mark.requirement("MFS-7.4.5-04")
@pytest.mark.threat("THR-SIM-01")
@pytest.mark.parametrize(
    ("language", "words"),
    [(ENGLISH, "your SIM was changed"), (FRENCH, "votre SIM a été"), (SWAHILI, "laini yako")],
)
def test_a_reported_sim_change_is_told_once_whatever_the_network_repeats(
    scene: Scene, language: str, words: str
) -> None:
    number = scene.dialler(language)
    assert change(scene.network, number) == 200
    scene.told(number, words)
    for _ in range(3):
        assert change(scene.network, number) == 200
    assert scene.kept(number).count(Template.SIM_CHANGED) == 1
    sims = scene.network.provider.platform.desks.sims
    customer = scene.network.provider.platform.desks.customers.by_alias(number).id
    assert sims.age_ms(customer, scene.network.provider.clock.now()) < HOUR_MS
    pages = scene.network.centre.dial(number, "1", "0700000001", "10", PIN.reveal())
    assert scene.kept(number)[0] is Template.SIM_CHANGED, pages


def test_many_who_guess_behind_one_address_do_not_tell_a_customer_of_a_block(
    scene: Scene,
) -> None:
    person = scene.both()
    attempts = scene.network.provider.platform.desks.attempts
    row = attempts._row("source:127.0.0.1")
    attempts._rows._rows[row.subject] = replace(row, failures=99)
    try:
        activation_wrong(scene, person)
        assert attempts._row(row.subject).blocked_until
        assert Template.PIN_BLOCKED not in scene.kept(person.number)
    finally:
        attempts._rows._rows[row.subject] = replace(row, failures=0, blocked_until=0)


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.requirement("MFS-7.4.5-04")
@pytest.mark.threat("THR-SIM-01")
def test_the_phone_that_signs_is_warned_too_since_a_thief_has_the_number(scene: Scene) -> None:
    person = scene.both(FRENCH)
    life = OwnLife(person.session, person.keystore, scene.clock)
    assert life.notices() == ()
    watching = scene.network.provider.platform.desks.approvals.kept.watching
    woken = watching.wakes = deque()  # what the push service would be told
    approvals = Approvals(person.session, person.keystore, person.wallet, scene.clock)
    approvals.wake_by("push-name-1")
    assert change(scene.network, person.number) == 200
    for _ in range(5):
        dialled_wrong(scene, person)
    blocked, swapped = life.notices()
    assert (swapped.kind, blocked.kind) == ("sim-changed", "pin-blocked")
    assert swapped.text == scene.told(person.number, "votre SIM a été")
    assert "30 min" in blocked.text
    assert list(woken) == ["push-name-1"] * 2
    for one in (blocked, swapped):
        assert 0 <= scene.clock.now() - one.at < HOUR_MS
        assert not LINK.search(one.text)


@pytest.mark.requirement("MFS-7.3.4-04")
def test_no_code_no_payment_and_nothing_of_others_is_among_the_warnings(scene: Scene) -> None:
    ann, ben = scene.both(), scene.both()
    paid = scene.network.centre.dial(ann.number, "1", FRIEND, "10", PIN.reveal())
    assert paid[-1].startswith("Done."), paid
    desk = scene.network.provider.operators["care-desk"][0]
    desk.act("issue-activation", IssueActivation(number=ann.number))
    assert {Template.PAYMENT_SENT, Template.ACTIVATION_CODE} <= set(scene.kept(ann.number))
    assert change(scene.network, ben.number) == 200
    mine, other = (OwnLife(one.session, one.keystore, scene.clock) for one in (ann, ben))
    assert mine.notices() == ()
    assert [one.kind for one in other.notices()] == ["sim-changed"]


@on_file
def test_the_list_of_warnings_is_read_by_their_own_index(scene: Scene) -> None:
    plan = rows_of(
        scene.network.provider,
        "EXPLAIN QUERY PLAN SELECT seq FROM notice WHERE customer = ? AND template NOT IN"
        " ('activation-code', 'order-code', 'payment-sent', 'payment-received',"
        " 'payment-reversed') ORDER BY seq DESC LIMIT 20",
        ("cus_x",),
    )
    assert any("notice_warning" in str(row[-1]) for row in plan), list(plan)
    words = {one.value for one in CODES | PAYMENTS}
    assert all(f"'{word}'" in WARNING_MIGRATION.statements[0] for word in words)
    assert WARNING_MIGRATION.statements[0].count("'") == 2 * len(words)
