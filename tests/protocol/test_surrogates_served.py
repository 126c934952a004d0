"""Surrogates at the door of a served provider, asked by a client that signs as any other."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.support.looking import leaves_of, row_of
from tests.support.metrics import exposition
from tests.support.paycrypt import door, settings
from tests.support.surrogates import ALL, On, Refused, events_of, waits_for

from tallystick.application.surrogates import forms
from tallystick.client.http import HttpTransport
from tallystick.client.surrogates import Program, SurrogateClient
from tallystick.entry.cli.main import main
from tallystick.entry.paycrypt import surrogates
from tallystick.entry.paycrypt_settings import Row
from tallystick.entry.siem.recalling import Cursor, recall
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.flow import Node
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS, SECOND_MS
from tallystick.process.conformance import FlowProbe
from tallystick.protocol.flows import FLOW
from tallystick.protocol.security_events import Severity
from tallystick.protocol.surrogates import AllowDetokenising, OpenSurrogateDomain

pytest.importorskip("botocore.auth", reason="botocore is absent: install the extra `kms`")
pytestmark = pytest.mark.requirement("MFS-7.3.4-07")

PAN, OTHER_PAN = "4111111111111111", "5555555555554444"
PHONE, ACCOUNT = "+254700000001", "KE12EQBL0123456789"


@pytest.fixture(scope="module")
def on(tmp_path_factory) -> Iterator[On]:
    with door(tmp_path_factory.mktemp("surrogates") / "provider", rows=(ALL,)) as scene:
        found = On(scene)
        found.open("shop", "pan", "random", "dispute:1000", keeps=4)
        found.open("other", "pan", "random", "dispute:1000")
        found.open("cards", "pan", "ff1", "dispute:1000")
        found.open("numbers", "phone", "random", "dispute:1000")
        found.open("dialled", "phone", "ff1", "dispute:1000")
        found.open("books", "account", "random", "dispute:1000")
        found.open("ledgers", "account", "ff1", "dispute:1000")
        yield found


VALUES = {
    "shop": PAN, "other": PAN, "cards": PAN, "numbers": PHONE, "dialled": PHONE,
    "books": ACCOUNT, "ledgers": ACCOUNT,
}  # fmt: skip


@pytest.mark.parametrize("domain", list(VALUES))
def test_one_value_has_one_surrogate_in_a_domain_and_comes_back_for_a_purpose(on, domain) -> None:
    value = VALUES[domain]
    surrogate = on.made(domain, value)
    assert surrogate != value
    assert on.made(domain, value) == surrogate
    assert on.back(domain, surrogate) == value


@pytest.mark.requirement("MFS-14.2.2-01")
@pytest.mark.threat("THR-CLD-05")
def test_domains_are_apart(on) -> None:
    made = {domain: on.made(domain, PAN) for domain in ("shop", "other", "cards")}
    assert len(set(made.values())) == 3
    for domain in ("shop", "other"):
        with pytest.raises(Refused) as refused:
            on.back(domain, made["cards"])
        assert refused.value.status == 404


def test_a_surrogate_of_a_card_is_never_a_number_of_a_card(on) -> None:
    for tail in range(40):
        body = f"40123456789{tail:04d}"
        pan = body + forms.luhn_digit(body)
        for domain in ("shop", "cards"):
            surrogate = on.made(domain, pan)
            assert len(surrogate) == len(pan)
            assert not forms.passes_luhn(surrogate)
        assert on.made("shop", pan)[-4:] == pan[-4:]
        assert on.back("cards", on.made("cards", pan)) == pan


def test_a_value_that_is_none_of_the_domain_is_refused_and_not_repeated(on) -> None:
    for value in ("4111111111111112", "411111111111", PHONE, ACCOUNT):
        with pytest.raises(Refused) as refused:
            on.made("shop", value)
        assert refused.value.status == 400
        assert value not in refused.value.message
    with pytest.raises(Refused):
        on.back("cards", PAN)


@pytest.mark.requirement("MFS-7.3.4-03")
@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-BE-07")
@pytest.mark.threat("THR-CLD-03")
def test_nothing_in_clear_is_stored_or_logged(on) -> None:
    """What the writer keeps, and what the log has, is looked through for values in every form."""
    probe, domain = FlowProbe(FLOW), "shop"
    on.back(domain, on.made(domain, OTHER_PAN))
    fields = {"value": OTHER_PAN, "domain": domain}
    folder = on.scene.provider.folder.root
    looked = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.name.startswith("store") or file.suffix == ".db" for file in looked), looked
    for octets in (*(file.read_bytes() for file in looked), b"".join(on.scene.provider.log)):
        assert probe.saw("paycrypt.Tokenise", Node.WRITER, octets, fields) == []
        assert probe.saw("paycrypt.Detokenise", Node.WRITER, octets, fields) == []
    assert probe.observe(on.scene.provider.clock.now()).verdict is Verdict.PASS


@pytest.mark.requirement("MFS-14.2.1-02")
def test_each_value_that_comes_back_is_an_event_with_its_purpose(on) -> None:
    surrogate = on.made("shop", PAN)
    before = on.scene.provider.platform.archive.size
    on.back("shop", surrogate)
    events = [one for one in events_of(on.scene, before) if one.kind == "surrogates.revealed"]
    assert [(one.p["domain"], one.p["purpose"], one.p["values"]) for one in events] == [
        ("shop", "dispute", 1)
    ]
    assert events[0].p["program"] == on.scene.program
    assert {"case", "surrogates"} <= set(events[0].c)
    assert surrogate not in str(events[0])


@pytest.mark.requirement("MFS-7.4.2-07")
def test_new_keys_move_what_is_held_while_it_is_in_use(on) -> None:
    body = [f"401234560000{tail:03d}" for tail in range(30)]
    pans = [one + forms.luhn_digit(one) for one in body]
    before = {pan: on.made("other", pan) for pan in pans}
    on.step("other", "new-keys")
    assert on.back("other", before[pans[0]]) == pans[0], "while it moves"
    assert on.made("other", pans[1]) == before[pans[1]], "while it moves"
    desk = on.scene.provider.platform.desks.payment_keys.surrogates
    waits_for(lambda: desk.key("other", 1) is None)
    assert desk.key("other", 2) is not None
    for pan, surrogate in before.items():
        assert on.made("other", pan) == surrogate
        assert on.back("other", surrogate) == pan
    counted = "SELECT count(*) FROM {} WHERE domain = 'other'"
    finders, held = (
        row_of(on.scene.provider, counted.format(table))
        for table in ("surrogate_finder", "surrogate_held")
    )
    assert finders == held


@pytest.mark.requirement("MFS-7.4.2-07")
def test_new_keys_of_ff1_leave_old_surrogates_to_their_generation_until_it_ends(on) -> None:
    on.open("rolled", "pan", "ff1", "dispute:1000")
    old = on.made("rolled", PAN)
    on.step("rolled", "new-keys")
    new = on.ask("tokenise", domain="rolled", value=PAN)
    assert new["Generation"] == 2
    assert new["Surrogate"] != old
    assert on.back("rolled", old, generation=1) == PAN
    renewed = on.ask("renew", domain="rolled", surrogate=old, generation=1)
    assert renewed == new
    on.step("rolled", "no-old-keys")
    with pytest.raises(Refused) as refused:
        on.back("rolled", old, generation=1)
    assert refused.value.status == 404
    assert on.back("rolled", new["Surrogate"]) == PAN


@pytest.mark.requirement("MFS-7.4.2-09")
def test_a_destroyed_domain_leads_nowhere_and_keeps_its_name(on) -> None:
    on.open("gone", "pan", "random", "dispute:1000")
    surrogate = on.made("gone", PAN)
    on.step("gone", "destroyed")
    for call in (lambda: on.back("gone", surrogate), lambda: on.made("gone", PAN)):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.status == 404
    desk = on.scene.provider.platform.desks.payment_keys.surrogates
    assert not desk.generations("gone")
    held = "SELECT count(*) FROM surrogate_held WHERE domain = 'gone'"
    assert row_of(on.scene.provider, held) == (0,)
    with pytest.raises(MfsError, match="destroyed"):
        on.open("gone", "pan", "random", "dispute:1000")


@pytest.mark.requirement("MFS-7.2.7-05")
@pytest.mark.threat("THR-INS-04")
def test_no_value_comes_back_without_a_purpose_that_two_people_agreed(on) -> None:
    surrogate, program = on.made("shop", PAN), on.scene.issue("curious")
    with pytest.raises(Refused) as refused:
        on.back("shop", surrogate, purpose="curiosity", program=program)
    assert refused.value.name == "AccessDeniedException"
    waits_for(lambda: bool(refusals_of(on, program)))
    (told,) = refusals_of(on, program)
    assert told.p["refused"] == "surrogate-purpose"


def refusals_of(on: On, program: str) -> list[Any]:
    """The events that say that `program` was refused; they are written a little later."""
    told = [one for one in events_of(on.scene, 0) if one.kind == "paycrypt.refused"]
    return [one for one in told if one.p["program"] == program]


def test_one_operator_opens_changes_and_allows_nothing(on) -> None:
    first = on.scene.provider.operators["security-officer"][0]
    opened = OpenSurrogateDomain(
        domain="alone", kind="pan", way="random", purposes=("dispute:5",), because="by myself"
    )
    assert first.act("open-surrogate-domain", opened).state == "waiting"
    with pytest.raises(Refused) as refused:
        on.made("alone", PAN)
    assert refused.value.status == 404


@pytest.mark.threat("THR-INS-04")
def test_a_purpose_has_its_count_an_hour_and_no_more(on) -> None:
    on.open("few", "pan", "random", "dispute:3", "settlement:1")
    surrogate = on.made("few", PAN)
    waits_for(lambda: HOUR_MS - on.scene.provider.clock.now() % HOUR_MS > 10 * SECOND_MS)
    for _ in range(3):
        on.back("few", surrogate)
    with pytest.raises(Refused) as refused:
        on.back("few", surrogate)
    assert (refused.value.status, refused.value.name) == (429, "ThrottlingException")
    assert on.back("few", surrogate, purpose="settlement") == PAN
    shown = exposition(on.scene.provider)
    assert 'tallystick_surrogates_spent_percent{purpose="few/dispute"} 100' in shown
    assert 'tallystick_surrogates_revealed_total{domain="few"} 4' in shown
    assert 'tallystick_surrogates_refused_total{because="surrogate-rate"} 1' in shown


@pytest.mark.threat("THR-INS-04")
def test_many_values_take_the_leave_of_two_people_for_this_program_and_so_many(on) -> None:
    pans = [PAN, OTHER_PAN]
    surrogates = [on.made("shop", pan) for pan in pans]
    many = {"domain": "shop", "purpose": "dispute", "case": "file-3", "surrogates": surrogates}

    def refused(**more: Any) -> str:
        with pytest.raises(Refused) as said:
            on.ask("detokenise-many", **{**many, **more})
        return said.value.name

    assert refused(warrant="wrt_" + "0" * 26) == "AccessDeniedException"
    other = on.scene.issue("another")
    leave = AllowDetokenising(
        domain="shop", purpose="dispute", workload=on.scene.program, most=3, minutes=5,
        because="the file of March",
    )  # fmt: skip
    warrant = on.two("allow-detokenising", leave).reference
    with pytest.raises(Refused):
        on.ask("detokenise-many", program=other, **many, warrant=warrant)
    assert refused(warrant=warrant, domain="other") == "ResourceNotFoundException"
    assert on.ask("detokenise-many", **many, warrant=warrant)["Values"] == pans
    assert refused(warrant=warrant) == "AccessDeniedException", "one of three is left"
    one = {**many, "surrogates": surrogates[:1]}
    assert on.ask("detokenise-many", **one, warrant=warrant)["Values"] == pans[:1]


def test_surrogates_survive_a_restart_of_what_is_kept(on) -> None:
    surrogate = on.made("shop", PAN)
    on.scene.provider.platform.desks.payment_keys.reset()
    assert on.made("shop", PAN) == surrogate
    assert on.back("shop", surrogate) == PAN


@pytest.mark.threat("THR-CLD-03")
def test_a_row_that_was_moved_or_changed_does_not_open(on) -> None:
    """What is sealed is bound to its own surrogate: a row put under another one is noticed."""
    one, two = on.made("shop", PAN), on.made("shop", OTHER_PAN)
    desk = on.scene.provider.platform.desks.payment_keys.surrogates
    first, second = desk.held("shop", one), desk.held("shop", two)
    desk._held._rows[second.id] = replace(second, sealed=first.sealed)
    try:
        with pytest.raises(Refused) as refused:
            on.back("shop", two)
        assert refused.value.status == 400
    finally:
        desk.reset()
    assert on.back("shop", two) == OTHER_PAN


def test_the_list_of_domains_shows_what_a_program_may_use(on) -> None:
    shown = {one["Domain"]: one for one in on.ask("domains")["Domains"]}
    assert shown["cards"]["Way"] == "ff1"
    assert "gone" not in shown
    assert "dispute" not in json.dumps(shown)


def test_a_row_with_a_bare_star_says_nothing_of_surrogates() -> None:
    anybody = settings(rows=(Row(programs=("*",), actions=("*",), resources=("*",)),))
    assert anybody.allows("p", "CreateKey", "*")
    assert not anybody.allows("p", "Detokenise", "surrogates/shop")
    some = settings(
        rows=(Row(programs=("p",), actions=("Tokenise",), resources=("surrogates/shop",)),)
    )
    assert some.allows("p", "Tokenise", "surrogates/shop")
    for who, call, where in (
        ("q", "Tokenise", "surrogates/shop"),
        ("p", "Detokenise", "surrogates/shop"),
        ("p", "Tokenise", "surrogates/other"),
    ):
        assert not some.allows(who, call, where)


@pytest.fixture
def transport(on) -> Iterator[HttpTransport]:
    link = HttpTransport(on.scene.url)
    yield link
    link.close()


@pytest.fixture
def client(on, transport) -> SurrogateClient:
    program = Program(on.scene.program, Secret(on.scene.secret()))
    return SurrogateClient(transport, program, on.scene.provider.clock)


def test_the_client_of_the_kit_signs_as_the_stock_one_does(on, client) -> None:
    made = client.tokenise("shop", PAN)
    assert made.surrogate == on.made("shop", PAN)
    value = client.detokenise("shop", made.surrogate, purpose="dispute", case="D-1")
    assert value.reveal() == PAN
    assert PAN not in repr(value)
    assert {one.domain for one in client.domains()} >= {"shop", "cards"}
    assert client.renew("cards", on.made("cards", PAN), 1).surrogate == on.made("cards", PAN)
    leave = AllowDetokenising(
        domain="shop", purpose="dispute", workload=on.scene.program, most=1, minutes=5,
        because="one more file",
    )  # fmt: skip
    warrant = on.two("allow-detokenising", leave).reference
    many = client.detokenise_many(
        "shop", (made.surrogate,), purpose="dispute", case="D-1", warrant=warrant
    )
    assert [one.reveal() for one in many] == [PAN]


def test_the_client_raises_what_the_door_says(on, client, transport) -> None:
    surrogate = on.made("shop", PAN)
    with pytest.raises(NotPermitted):
        client.detokenise("shop", surrogate, purpose="curiosity", case="D-1")
    with pytest.raises(NotFound):
        client.tokenise("nowhere", PAN)
    with pytest.raises(Malformed):
        client.tokenise("shop", PHONE)
    stranger = Program(on.scene.program, Secret("wrong" * 9))
    with pytest.raises(NotAuthentic):
        SurrogateClient(transport, stranger, on.scene.provider.clock).domains()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_the_commands_make_surrogates_and_have_values_back(on, tmp_path, capsys, monkeypatch):
    secret = tmp_path / "program.secret"
    secret.write_text(on.scene.secret() + "\n")
    asks = ("--program", on.scene.program, "--program-secret", str(secret), "--domain")
    for domain in ("shop", "cards"):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PAN}\n\n{OTHER_PAN}\n"))
        assert run("paycrypt", "tokenise", on.scene.url, *asks, domain) == 0
        made = capsys.readouterr().out
        assert made.splitlines()[0].split()[0] == on.made(domain, PAN)
        monkeypatch.setattr("sys.stdin", io.StringIO(made))
        back = ("--purpose", "dispute", "--case", "D-1")
        assert run("paycrypt", "detokenise", on.scene.url, *asks, domain, *back) == 0
        assert capsys.readouterr().out == f"{PAN}\n{OTHER_PAN}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PAN}\n4111111111111112\n"))
    assert run("paycrypt", "tokenise", on.scene.url, *asks, "shop") != 0
    said = capsys.readouterr().err
    assert "line 2" in said
    assert "4111111111111112" not in said
    assert run("paycrypt", "domains", str(on.scene.provider.folder.root)) == 0
    shown = capsys.readouterr().out
    assert "dispute 1000" in shown
    assert "ff1" in shown


def test_a_surrogate_that_others_have_is_drawn_anew(on, monkeypatch) -> None:
    """Whoever draws gives what is taken already, three times over; two values never share one."""
    taken = on.made("other", "4012888888881881")
    drawn = forms.drawn
    told = [taken, taken, taken]
    monkeypatch.setattr(surrogates, "drawn", lambda *given: told.pop() if told else drawn(*given))
    fresh = on.made("other", "6011111111111117")
    assert not told
    assert fresh != taken
    assert on.back("other", taken) == "4012888888881881"
    assert on.back("other", fresh) == "6011111111111117"
    monkeypatch.setattr(surrogates, "drawn", lambda *_: taken)
    with pytest.raises(Refused, match="no surrogates left"):
        on.made("other", "30569309025904")


@pytest.mark.threat("THR-BE-02")
def test_a_value_that_many_ask_for_at_once_gets_one_surrogate(on) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: on.made("other", "3530111333300000"), range(24)))
    assert len(set(found)) == 1


@pytest.mark.requirement("MFS-7.3.4-06")
def test_a_collector_is_told_who_had_values_back_and_who_was_refused(on) -> None:
    surrogate, provider = on.made("shop", PAN), on.scene.provider
    program = on.scene.issue("watched")  # what is told of others late is not of this one
    begins = len(leaves_of(provider))
    on.back("shop", surrogate, program=program)
    with pytest.raises(Refused):
        on.back("shop", surrogate, purpose="curiosity", program=program)
    waits_for(lambda: bool(refusals_of(on, program)))
    with provider.platform.database.reader() as reader:
        told = recall(reader, Cursor(event=begins, notice=0), len(leaves_of(provider))).events
    of_this = [one for one in told if one.details.get("program") == program]
    (refused,) = (one for one in of_this if one.kind == "paycrypt.refused")
    (revealed,) = (one for one in of_this if one.kind == "surrogates.revealed")
    assert refused.severity is Severity.WARNING
    assert refused.details["refused"] == "surrogate-purpose"
    assert revealed.details["values"] == 1
    assert revealed.details["purpose"] == "dispute"
    said = " ".join(str(one.details) for one in told)
    assert not any(secret in said for secret in (PAN, surrogate, "D-17"))
