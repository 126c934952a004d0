"""Codes by SMS for one order: off, unless a policy names them twice; never above its cap."""

import time
from collections.abc import Iterator

import pytest
from tests.support.looking import row_of
from tests.support.networks import DIALLER, FRIEND, OTHER, PIN, Network, network

from tallystick.application.ordercodes import cap_of
from tallystick.application.ordercodes.service import MOST_A_DAY
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.rechecking import Verifier
from tallystick.entry.setup import demo_policy
from tallystick.process.policy.language.reading import read_policy
from tallystick.protocol.operators import ResumeService, SuspendService

CAP = 900_000
LIMIT = f"""  - id: code-cap
    when: {{channel: ussd, grade: code-confirmed}}
    per_payment: {CAP}
    windows:
      - {{window: PT24H, amount: 1_000_000}}
    because: the network reads the code as well
"""
ROW = """  - id: dialled-with-code
    when:
      operation: pay
      kind: [p2p, merchant, cash-out]
      channel: ussd
      grade: code-confirmed
      account_status: active
    outcome: allow
    because: a code for exactly this order came back from the number
"""


def with_codes() -> str:
    """The demonstration policy, with the fallback named in a limit and a row."""
    text = demo_policy()
    text = text.replace("  - id: unknown-payee\n", LIMIT + "  - id: unknown-payee\n", 1)
    return text.replace("  - id: dialled\n", ROW + "  - id: dialled\n", 1)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("codes") / "p"
    link = PartnerLink(name="sim-east")
    with network(folder, policy_text=with_codes(), sim_changes=link) as found:
        yield found


def codes(scene: Network, number: str) -> list[str]:
    """The codes that came to a number, oldest first."""
    texts = [one.text for one in scene.centre.inbox(number) if " confirms " in one.text]
    return [text.partition(": ")[2][:7].replace(" ", "") for text in texts]


def at_code(scene: Network, number: str, amount: str, payee: str = FRIEND) -> tuple[int, str]:
    """A menu session that waits for a code, and the code that came."""
    before = len(codes(scene, number))
    session = scene.centre.open(number)
    scene.centre.page(number, session, 1)
    for page, typed in enumerate(("1", payee, amount, PIN.reveal()), start=1):
        scene.centre.type(number, session, page, typed)
        shown = scene.centre.page(number, session, page + 1)
    assert "Enter the code" in shown.text, shown.text
    scene.centre.wait_for(number, lambda _: len(codes_now(scene, number)) > before)
    return session, codes(scene, number)[-1]


def codes_now(scene: Network, number: str) -> list[str]:
    return [one.text for one in scene.centre._phone(number).inbox if " confirms " in one.text]


def finish(scene: Network, number: str, session: int, code: str) -> str:
    scene.centre.type(number, session, 5, code)
    return scene.centre.page(number, session, 6).text


@pytest.mark.requirement("MFS-7.3.2-10")
def test_codes_are_off_unless_the_policy_names_them() -> None:
    assert cap_of(read_policy(demo_policy())) is None
    assert cap_of(read_policy(with_codes())) == CAP
    only_row = demo_policy().replace("  - id: dialled\n", ROW + "  - id: dialled\n", 1)
    assert cap_of(read_policy(only_row)) is None


@pytest.mark.requirement("MFS-7.3.3-01")
def test_an_order_goes_on_with_its_own_code_only(scene: Network) -> None:
    before = scene.balance()
    session, code = at_code(scene, DIALLER, "6000")
    shown = f"{code[:3]} {code[3:]}"
    told = next(one.text for one in scene.centre.inbox(DIALLER) if shown in one.text)
    assert "KES 6,000.00 to Ann A" in told
    assert scene.balance() == before
    assert finish(scene, DIALLER, session, code).startswith("Done.")
    assert scene.balance() == before + 600_000
    grade = row_of(scene.provider, "SELECT grade FROM payment_order ORDER BY id DESC LIMIT 1")
    assert grade == ("code-confirmed",)


@pytest.mark.requirement("MFS-7.3.2-07")
def test_a_code_is_tried_once_and_good_for_nothing_else(scene: Network) -> None:
    before = scene.balance()
    session, code = at_code(scene, OTHER, "6001")
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert "not valid" in finish(scene, OTHER, session, wrong)
    other, second = at_code(scene, OTHER, "6002")
    assert "not valid" in finish(scene, OTHER, other, code if code != second else wrong)
    assert scene.balance() == before


@pytest.mark.threat("THR-SMS-01")
@pytest.mark.requirement("MFS-7.3.2-01")
def test_who_reads_a_code_on_its_way_pays_nothing_with_it(scene: Network) -> None:
    before = scene.balance()
    session, code = at_code(scene, OTHER, "6003")
    scene.centre.open(DIALLER)
    scene.centre.type(DIALLER, session, 5, code)
    assert "over" in scene.centre.page(DIALLER, session, 6).text
    assert scene.balance() == before
    # with the number as well, but without the PIN: no page asks for a code
    for typed in (code, "482615"):
        pages = scene.centre.dial(OTHER, "1", FRIEND, "6003", typed)
        assert "PIN" in pages[-1]
        assert "Enter the code" not in pages[-1]
    assert scene.balance() == before


@pytest.mark.threat("THR-SMS-05")
def test_few_codes_a_day_are_sent(scene: Network) -> None:
    while len(codes(scene, OTHER)) < MOST_A_DAY:  # some were sent by the tests above
        at_code(scene, OTHER, "6005")
    pages = scene.centre.dial(OTHER, "1", FRIEND, "6004", PIN.reveal())
    assert "Enter the code" not in pages[-1]
    time.sleep(0.6)
    assert len(codes(scene, OTHER)) == MOST_A_DAY


@pytest.mark.requirement("MFS-7.3.3-04")
def test_above_the_cap_of_the_policy_no_code_is_sent(scene: Network) -> None:
    before = len(codes(scene, DIALLER))
    pages = scene.centre.dial(DIALLER, "1", "0711000002", "9001", PIN.reveal())
    assert "Enter the code" not in pages[-1]
    time.sleep(0.6)
    assert len(codes(scene, DIALLER)) == before


@pytest.mark.requirement("MFS-7.3.2-07")
def test_while_payments_are_suspended_a_code_is_not_used_up(scene: Network) -> None:
    kept = "SELECT length(code_mac), sent FROM order_code ORDER BY expires_at DESC LIMIT 1"
    paid = "SELECT count(*) FROM payment_order WHERE stage = 'settled'"
    scene.provider.person("+254722000077", "Cyd C")
    scene.provider.fund(DIALLER, 2_000_000)
    session, code = at_code(scene, DIALLER, "6005", "0722000077")
    before, row = row_of(scene.provider, paid), row_of(scene.provider, kept)
    assert row is not None
    assert row[0] == 32
    desks = scene.provider.operators["operations"]
    suspended = SuspendService(kind="p2p", channel="ussd", because="a hunt for a fault")
    desks[0].act("suspend-service", suspended)
    said = finish(scene, DIALLER, session, code)
    assert said == "This service is suspended for now: a hunt for a fault."
    assert row_of(scene.provider, kept) == row
    assert row_of(scene.provider, paid) == before
    again = ResumeService(kind="p2p", channel="ussd", because="found")
    desks[1].act("resume-service", again, approves=desks[0].act("resume-service", again).act)


@pytest.mark.requirement("MFS-7.3.4-06")
def test_codes_are_in_no_log_and_no_file_and_orders_are_rechecked(scene: Network) -> None:
    provider = scene.provider
    for code in codes(scene, DIALLER) + codes(scene, OTHER):
        assert not any(f'"{code}"'.encode() in line for line in provider.log)
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
