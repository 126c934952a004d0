"""Dialled sessions under which something changes, and inputs that nobody should type."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from simulators.aggregator import AggregatorPhone, DialledSession
from simulators.loopback import exchange
from tests.attacks.test_canaries import everything_kept
from tests.protocol.test_policy_shadow import by_two
from tests.support.dialled import DIALLER, FRIEND, OTHER, PIN, Dialled, dialled
from tests.support.lived import Lived, lived
from tests.support.recovered import PIN as SHORT_PIN
from tests.support.recovered import ZONE
from tests.support.written import is_written

from tallystick.application.channels.texts import ENGLISH, TEXTS, Text
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import link_secret
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import encode, encode_canonical
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.callbacks import CALLBACK_HEADER, callback_header
from tallystick.protocol.channels import Language, SimChange
from tallystick.protocol.gsm7 import USSD_PLACES, places
from tallystick.protocol.operators import ActivatePolicy, OpenCustomer
from tallystick.protocol.recovery import RecoveryKind, RestAccount

OVER = ENGLISH[Text.INTERRUPTED]
SIM_LINK = PartnerLink(name="sim-east")
CHANGES = "/v1/sim/changes"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialled]:
    with dialled(tmp_path_factory.mktemp("mid") / "p", sim_changes=SIM_LINK) as found:
        yield found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with lived(tmp_path_factory.mktemp("recycled") / "p") as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_left_to_tell(request: pytest.FixtureRequest) -> None:
    if "scene" in request.fixturenames:
        request.getfixturevalue("scene").phone.dial("0", "0")


def readable(page: str) -> str:
    """`page`, which a phone shows whole and which says something."""
    assert page.strip()
    assert places(page) <= USSD_PLACES
    return page


STRANGE = [
    "*" * 200, "1" + "*" * 199, "**", "#", "*384#", "1*#", "1**" + FRIEND, "\u0661", "\u06f1\u06f2",
    "\uff11", "1*\u0660\u0667", "\u2028", "\u00e9", "1*" + "0" * 399, " ", "1\u200b",
]  # fmt: skip


@pytest.mark.threat("THR-USD-02")
@pytest.mark.parametrize("text", STRANGE, ids=ascii)
def test_what_no_menu_asks_for_brings_a_page_and_moves_nothing(scene: Dialled, text: str) -> None:
    before = scene.balance()
    for session in (scene.aggregator.session(DIALLER), scene.at_menu()):
        page = scene.aggregator.call_with(session, text)
        assert readable(page.text) == OVER or page.text.startswith(ENGLISH[Text.WRONG_CHOICE])
        again = scene.aggregator.call_with(session, f"{text}*{PIN.reveal()}")
        readable(again.text)
    session = scene.at_terms()
    readable(scene.aggregator.call_with(session, f"1*{FRIEND}*50*{text}").text)
    assert "1 Send money" in scene.phone.dial()[0], "who dials again is at the menu"
    assert scene.balance() == before


@pytest.mark.threat("THR-USD-02")
@pytest.mark.parametrize(
    "pin", ["73 9164", " 739164 ", "739164 1", "73-9164", "739164#", "+739164"]
)
def test_a_pin_with_something_in_it_is_no_other_pin(scene: Dialled, pin: str) -> None:
    before = scene.balance()
    session = scene.at_terms()
    page = readable(scene.aggregator.type(session, pin).text)
    pays = pin.strip() == PIN.reveal()
    assert page.startswith("Done.") == pays
    assert scene.balance() == before + 5_000 * pays
    if not pays:
        assert page.startswith(ENGLISH[Text.WRONG_PIN_FORM])
        assert PIN.reveal() not in re.sub(r"[^0-9]", "", page)


EARLY = [
    (), ("1",), ("2",), ("3",), ("4",), ("7",), ("8",), ("8", "5"), ("8", "5", "1"), ("8", "4"),
    ("1", FRIEND), ("3", "600200"), ("2", "600200"),
]  # fmt: skip


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-USD-01")
@pytest.mark.threat("THR-USD-05")
def test_a_pin_typed_where_none_is_asked_for_is_not_shown_stored_or_logged(tmp_path: Path) -> None:
    answers: list[bytes] = []
    with dialled(tmp_path / "p") as scene:
        before = scene.balance()
        for path in EARLY:
            pages = scene.phone.dial(*path, PIN.reveal())
            assert len(pages) == len(path) + 2, pages
            shown = re.sub(r"[^0-9]", "", readable(pages[-1]))
            assert PIN.reveal() not in shown, (path, pages[-1])
            answers += [page.encode() for page in pages]
        assert pages[-1] == ENGLISH[Text.OVER_LIMIT]
        answers.append(scene.provider.transport.get("/metrics").body)
        assert scene.balance() == before
        found = everything_kept(tmp_path / "p", scene.provider.log, *answers)
    found |= everything_kept(tmp_path / "p", scene.provider.log)
    for place, octets in found.items():
        for written in (PIN.reveal(), PIN.reveal() + "00", f"{int(PIN.reveal()):,}"):
            assert not is_written(written.encode(), octets), place


@pytest.mark.threat("THR-USD-02")
@pytest.mark.threat("THR-USD-04")
def test_many_different_inputs_at_once_are_one_step_and_pay_at_most_once(scene: Dialled) -> None:
    before = scene.balance()
    session = scene.at_terms("51")
    inputs = [PIN.reveal(), "0", PIN.reveal(), "00", "864209", PIN.reveal(), "1", "*"] * 2

    def call(typed: str) -> str:
        copy = DialledSession(session.id, session.msisdn, typed=[*session.typed, typed])
        return scene.aggregator.call(copy).text

    with ThreadPoolExecutor(len(inputs)) as threads:
        pages = list(threads.map(call, inputs))
    assert all(map(readable, pages))
    paid = scene.balance() - before
    assert paid in {0, 5_100}
    assert (paid == 5_100) == any(page.startswith("Done.") for page in pages)
    assert readable(call(PIN.reveal())) in {OVER, *pages}
    assert scene.balance() == before + paid


@pytest.mark.threat("THR-USD-02")
@pytest.mark.parametrize("end", ["paid", "left", "refused"])
def test_after_the_last_page_nothing_is_done_whatever_comes(scene: Dialled, end: str) -> None:
    session = scene.at_terms()
    typed = {"paid": PIN.reveal(), "left": "00", "refused": "864209"}[end]
    page = scene.aggregator.type(session, typed)
    if end == "left":
        page = scene.aggregator.type(session, "0")
    assert page.ends
    before, ended = scene.balance(), "*".join(session.typed)
    for more in ("", "1", PIN.reveal(), f"1*{FRIEND}*50*{PIN.reveal()}"):
        assert scene.aggregator.call_with(session, f"{ended}*{more}").text == OVER
    for text in ("", "1", f"1*{FRIEND}*50*{PIN.reveal()}"):
        last = scene.aggregator.call_with(session, text).text
        assert last in {OVER, page.text}
    assert scene.balance() == before
    scene.phone.dial("5", PIN.reveal())


def put_into_force(scene: Dialled, old: str, new: str) -> None:
    """The demonstration policy with a change, as its next version."""
    provider = scene.provider
    version = provider.platform.desks.policy.version + 1
    text = demo_policy().replace("version: 1\n", f"version: {version}\n")
    assert text.count(old) == 1
    officer = open_officer_key(provider.folder.root / "offline" / "officer-1.key", provider.secret)
    signed = sign_policy(text.replace(old, new), "officer-1", officer)
    by_two(provider, "activate-policy", ActivatePolicy(envelope=encode_canonical(signed).decode()))


@pytest.mark.requirement("MFS-7.3.3-04")
@pytest.mark.threat("THR-USD-02")
def test_a_limit_lowered_after_the_terms_were_shown_holds(scene: Dialled) -> None:
    before = scene.balance()
    session = scene.at_terms("4550")
    cap = "grade: [sim-signed, pin-verified]}\n    per_payment: 2_000_000"
    put_into_force(scene, cap, cap.replace("2_000_000", "450_001"))
    page = scene.aggregator.type(session, PIN.reveal())
    assert page.ends
    assert "repeat what is dialled" in readable(page.text)
    assert scene.balance() == before
    assert scene.phone.dial("1", FRIEND, "4500.02")[-1] == ENGLISH[Text.OVER_LIMIT]
    assert "One payment: at most KES 4,500.01." in scene.phone.dial("8", "5", "1")[-1]
    put_into_force(scene, cap, cap)
    assert scene.phone.send_money(FRIEND, "50", PIN)[-1].startswith("Done.")


@pytest.mark.threat("THR-USD-02")
def test_a_language_chosen_elsewhere_leaves_the_session_as_it_is(scene: Dialled) -> None:
    phone = AggregatorPhone(OTHER, scene.aggregator)
    phone.dial("7", "2")
    session = scene.aggregator.session(OTHER)
    for text in ("", "1", f"1*{FRIEND}", f"1*{FRIEND}*50"):
        page = scene.aggregator.call_with(session, text)
    assert "PIN pour accepter" in page.text
    platform = scene.provider.platform
    customer = platform.desks.customers.by_alias(OTHER).id
    assert platform.desks.languages.of(customer) is Language.FRENCH
    before = scene.balance()
    wrong = scene.aggregator.call_with(session, f"1*{FRIEND}*50*x").text
    assert wrong.startswith(TEXTS[Language.FRENCH][Text.WRONG_PIN_FORM])
    home = scene.aggregator.call_with(session, f"1*{FRIEND}*50*x*00").text
    assert "7 Langue" in home
    spoken = scene.aggregator.call_with(session, f"1*{FRIEND}*50*x*00*7*3").text
    assert spoken == TEXTS[Language.FRENCH][Text.INTERRUPTED], "two steps at once are none"
    assert scene.balance() == before
    phone.dial("7", "1")


@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.threat("THR-SIM-02")
def test_a_number_given_to_somebody_else_in_mid_session_pays_nothing(scene: Dialled) -> None:
    before = scene.balance()
    session = scene.at_terms()
    platform, now = scene.provider.platform, scene.provider.clock.now()
    secret = link_secret(platform.module, platform.keys.newest(Purpose.PARTNER_LINK), SIM_LINK)
    body = encode(SimChange(msisdn=DIALLER, at=now))
    header = callback_header(CHANGES, now, body, lambda one: hmac_sha256(secret.reveal(), one))
    fields = ((CALLBACK_HEADER, header),)
    assert exchange(scene.provider.url, "POST", CHANGES, body, fields=fields).status == 200
    page = scene.aggregator.type(session, PIN.reveal())
    assert page.ends
    assert "SIM changed" in readable(page.text)
    assert scene.balance() == before


@pytest.mark.requirement("MFS-7.3.2-03")
@pytest.mark.threat("THR-USD-02")
def test_an_account_stopped_after_the_terms_were_shown_pays_nothing(town: Lived) -> None:
    person = town.person()
    gateway, session = town.scene.gateway, town.scene.gateway.open_session()
    friend = town.scene.friend
    before = friend.wallet.account().available_minor
    for typed in ("", "1", friend.number, "50"):
        page = gateway.send(session, person.number, typed)
    assert "Enter PIN" in page.text
    town.scene.care("rest-account", RestAccount(number=person.number, because="asked to"))
    page = gateway.send(session, person.number, SHORT_PIN.reveal())
    assert (page.text, page.ends) == (OVER, True)
    stopped = town.scene.phone(person.number).dial("5", SHORT_PIN.reveal())[-1]
    assert stopped == ENGLISH[Text.ACCOUNT_STOPPED]
    assert friend.wallet.account().available_minor == before


@pytest.mark.requirement("MFS-7.4.5-03")
@pytest.mark.threat("THR-SIM-02")
@pytest.mark.parametrize("taken", [False, True], ids=["free", "of-another"])
def test_terms_shown_to_whoever_had_the_number_are_nobody_elses(town: Lived, taken: bool) -> None:
    person, scene = town.person(), town.scene
    new, friend = scene.number(), scene.friend
    scene.life(person).open(RecoveryKind.NUMBER_CHANGE, new_number=new)
    scene.pass_time(DAY_MS + HOUR_MS)
    friend.session.establish()
    before = friend.wallet.account().available_minor
    session = scene.gateway.open_session()
    for typed in ("", "1", friend.number, "1"):
        page = scene.gateway.send(session, person.number, typed)
    assert "Enter PIN" in page.text
    scene.life(person).finish(RecoveryKind.NUMBER_CHANGE)
    if taken:
        scene.at_noon()
        scene.agent.session.establish()
        asked = OpenCustomer(name="Bo", msisdn=person.number, kind="person", tier=1, zone=ZONE)
        scene.agent.wallet.open_customer(asked)
    page = scene.gateway.send(session, person.number, SHORT_PIN.reveal())
    assert page.ends
    said = {ENGLISH[Text.NOT_CUSTOMER], ENGLISH[Text.FIRST_PIN], ENGLISH[Text.TIMED_OUT]}
    assert readable(page.text) in said
    friend.session.establish()
    assert friend.wallet.account().available_minor == before
