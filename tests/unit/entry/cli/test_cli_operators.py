"""Operators at the command line: two people, typed values, refusals in their own words."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.looking import caused, leaves_of
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import encode_canonical
from tallystick.process.policy.signing import sign_policy

ANN, BOB, CEM, SEC = "ann", "bob", "cem", "sec"
ROLES = {ANN: "operations", BOB: "operations", CEM: "care-desk", SEC: "security-officer"}


class Desk:
    """A served provider and the key files of four operators who enrolled by command line."""

    def __init__(self, place: Path, provider: Served) -> None:
        self.place = place
        self.provider = provider
        self.invited = list(provider.done.invited)
        (place / "pass").write_text("one long passphrase\n")
        for name, role in ROLES.items():
            self.invite(name, role)

    def invite(self, name: str, role: str) -> None:
        code = next(one for one in self.invited if one.role == role)
        self.invited.remove(code)
        (self.place / f"{name}.code").write_text(code.code.reveal())
        ran = self.enrol(name, self.place / f"{name}.code")
        assert ran.code == 0, ran.all
        assert role in ran.out

    def enrol(self, name: str, code: Path, passphrase: str = "pass") -> Ran:
        return tallystick(
            "operator", "enrol", self.provider.url, "--name", name, "--key-file",
            self.place / f"{name}.key", "--code-file", code,
            "--passphrase-file", self.place / passphrase,
        )  # fmt: skip

    def act(self, who: str, name: str, *fields: object) -> Ran:
        return tallystick("operator", "act", name, self.provider.url, *fields, *self.by(who))

    def by(self, who: str, passphrase: str = "pass") -> list[object]:
        return [
            "--key-file", self.place / f"{who}.key", "--passphrase-file", self.place / passphrase,
        ]  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = tmp_path_factory.mktemp("desk")
    with served(place / "provider", join=False) as provider:
        found = Desk(place, provider)
        opened = found.act(
            CEM, "open-customer", "--name", "Fay", "--msisdn", "+254700000077", "--kind", "person",
            "--tier", "1", "--json",
        )  # fmt: skip
        assert json.loads(opened.out)["state"] == "done"
        yield found


def fund(desk: Desk, *more: object, amount: str = "125.50") -> Ran:
    return desk.act(
        ANN, "fund-account", "--number", "+254700000077", "--amount", amount, "--currency", "KES",
        "--bank-reference", "b-1", *more,
    )  # fmt: skip


def test_money_is_issued_by_two_people_and_not_by_one(desk: Desk, tmp_path: Path) -> None:
    proposal = tmp_path / "fund.json"
    waiting = fund(desk, "--proposal", proposal)
    assert waiting.code == 0, waiting.all
    assert "waiting" in waiting.out
    assert "operator approve" in waiting.err
    assert json.loads(proposal.read_text())["body"]["amount_minor"] == 12_550
    alone = approve(desk, ANN, proposal, "--yes")
    assert alone.code == 1
    declined = approve(desk, BOB, proposal, stdin="n\n")
    assert declined.code == 1
    assert "+254700000077" in declined.out
    agreed = approve(desk, BOB, proposal, stdin="y\n")
    assert agreed.code == 0, agreed.all
    assert "would be done: money was issued" in agreed.out
    assert "+KES 125.50" in agreed.out


@pytest.mark.threat("THR-INS-01")
def test_the_second_person_is_told_what_changed_while_they_thought(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = desk.act(
        CEM, "open-customer", "--name", "Gil", "--msisdn", "+254700000078", "--kind", "person",
        "--tier", "1", "--json",
    )  # fmt: skip
    assert opened.code == 0, opened.all
    proposal = tmp_path / "gil.json"
    waiting = desk.act(
        ANN, "fund-account", "--number", "+254700000078", "--amount", "77.00", "--currency",
        "KES", "--bank-reference", "b-2", "--proposal", proposal,
    )  # fmt: skip
    assert waiting.code == 0, waiting.all
    listed = tallystick("operator", "waiting", desk.provider.url, *desk.by(BOB))
    assert listed.code == 0, listed.all
    assert "would be done: money was issued" in listed.out
    assert "+KES 77.00" in listed.out

    def thinks(_: str, **__: object) -> bool:
        stopped = desk.act(
            CEM, "suspend-customer", "--number", "+254700000078", "--because", "somebody calls"
        )
        assert stopped.code == 0, stopped.all
        return True

    monkeypatch.setattr("tallystick.entry.cli.operators.click.confirm", thinks)
    changed = approve(desk, BOB, proposal)
    assert changed.code == 1
    assert "not what was shown any more" in changed.err
    assert "is not so any more: it would be done" in changed.out
    assert "is new: it cannot be done" in changed.out
    refused = approve(desk, BOB, proposal, "--yes")
    assert refused.code == 1
    assert "it cannot be done now; nothing was sent" in refused.err
    as_json = tallystick("operator", "waiting", desk.provider.url, *desk.by(BOB), "--json")
    found = json.loads(as_json.out)["acts"]
    assert "refused" in {one["would"] for one in found}


def test_nothing_is_sent_where_the_proposal_could_not_be_written(
    desk: Desk, tmp_path: Path
) -> None:
    """An act that waits and whose body nobody has could be approved by nobody."""
    taken = tmp_path / "taken.json"
    taken.write_text("another proposal")
    before = len(leaves_of(desk.provider))
    for place in (taken, tmp_path / "nowhere" / "fund.json"):
        refused = fund(desk, "--proposal", place)
        assert refused.code == 1
        assert "nothing was sent" in refused.err
        invited = tallystick(
            "operator", "invite", desk.provider.url, "--role", "operations", *desk.by(SEC),
            "--proposal", place,
        )  # fmt: skip
        assert invited.code == 1
        assert "shown once" not in invited.all
    assert caused(desk.provider, before) == []
    assert taken.read_text() == "another proposal"


def test_an_event_of_custody_that_there_is_not_never_reaches_the_second_person(
    desk: Desk, tmp_path: Path
) -> None:
    words = ["--device", "hsm-1", "--because", "moved", "--proposal", tmp_path / "custody.json"]
    two = ["--custodians", "ann", "--custodians", "bob"]
    mistyped = desk.act(SEC, "record-custody", *words, *two, "--what", "instaled")
    assert mistyped.code == 2
    assert "'instaled' is not one of 'received'" in mistyped.err
    alone = desk.act(SEC, "record-custody", *words, *two[:2], "--what", "installed")
    assert alone.code == 1
    assert "custodians" in alone.err
    assert not (tmp_path / "custody.json").exists()


@pytest.mark.requirement("MFS-6.2.1-01")
def test_the_second_officer_is_told_which_policy_in_words(desk: Desk, tmp_path: Path) -> None:
    """Base64 can be read by nobody."""
    signed = sign_policy(demo_policy(), "officer-1", Es256SigningKey.generate())
    body = {"envelope": encode_canonical(signed).decode()}
    proposal = tmp_path / "policy.json"
    proposal.write_text(json.dumps({"act": "act_1", "name": "activate-policy", "body": body}))
    said = approve(desk, BOB, proposal, stdin="n\n").out
    assert hashlib.sha256(demo_policy().encode()).hexdigest() in said
    assert "officer-1" in said
    assert signed.policy_b64[:40] not in said


def approve(desk: Desk, who: str, proposal: Path, *more: object, stdin: str = "") -> Ran:
    return tallystick(
        "operator", "approve", proposal, desk.provider.url, *desk.by(who), *more, stdin=stdin
    )


def test_a_proposal_that_was_changed_is_not_the_one_that_waits(desk: Desk, tmp_path: Path) -> None:
    proposal = tmp_path / "fund.json"
    assert fund(desk, "--proposal", proposal).code == 0
    changed = json.loads(proposal.read_text())
    changed["body"]["amount_minor"] = 99_999
    proposal.write_text(json.dumps(changed))
    assert approve(desk, BOB, proposal, "--yes").code == 1
    changed["name"] = "no-such-act"
    proposal.write_text(json.dumps(changed))
    assert "no act that is known" in approve(desk, BOB, proposal, "--yes").err


def test_who_is_not_in_the_role_is_refused_with_the_reason(desk: Desk) -> None:
    ran = desk.act(CEM, "close-day", "--day", "2026-01-01")
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert "Traceback" not in ran.all


@pytest.mark.parametrize(
    ("amount", "said"), [("12.555", "2 decimals"), ("twelve", "1250.75"), ("-5", "--amount")]
)
def test_an_amount_is_never_rounded_or_guessed(desk: Desk, amount: str, said: str) -> None:
    ran = fund(desk, amount=amount)
    assert ran.code == 1
    assert said in ran.err


def test_a_value_that_does_not_fit_names_its_option(desk: Desk) -> None:
    ran = desk.act(
        CEM, "open-customer", "--name", "Fay", "--msisdn", "0700", "--kind", "person", "--tier", "1"
    )  # fmt: skip
    assert ran.code == 1
    assert "--msisdn" in ran.err
    assert "with plus" in ran.err


def test_a_wrong_passphrase_and_a_missing_key_are_told_apart(desk: Desk, tmp_path: Path) -> None:
    (desk.place / "other").write_text("another long passphrase")
    wrong = tallystick(
        "operator", "act", "close-day", desk.provider.url, "--day", "2026-01-01",
        *desk.by(ANN, "other"),
    )  # fmt: skip
    assert wrong.code == 1
    assert "the passphrase does not open" in wrong.err
    assert "no key file" in desk.act("nobody", "close-day", "--day", "2026-01-01").err


def test_a_device_is_suspended_by_the_name_of_the_act(desk: Desk) -> None:
    ran = desk.act(
        CEM, "suspend-device", "--device", "dev_00000000000000000000000000", "--because", "stolen"
    )  # fmt: skip
    assert ran.code == 1
    assert "device" in ran.err


def test_an_invitation_prints_its_code_once(desk: Desk, tmp_path: Path) -> None:
    proposal = tmp_path / "invite.json"
    ran = desk.act(SEC, "enrol-operator", "--role", "care-desk", "--proposal", proposal)
    assert ran.code == 0, ran.all
    code = ran.out.split("shown once: ")[1].split()[0]
    assert len(code) == 23
    assert code not in proposal.read_text()


def test_a_policy_is_handed_in_as_a_file(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "signed.json").write_text("{}")
    ran = desk.act(
        SEC, "activate-policy", "--envelope", tmp_path / "signed.json", "--proposal",
        tmp_path / "act.json",
    )  # fmt: skip
    assert ran.code in {0, 1}
    assert "Traceback" not in ran.all
    ran = desk.act(
        ANN, "add-webhook", "--deliver-to", "https://core.example/events", "--kinds", "payment",
        "--kinds", "day.closed", "--proposal", tmp_path / "hook.json",
    )  # fmt: skip
    assert ran.code == 0, ran.all


def test_a_code_is_good_for_one_key_and_a_key_file_is_not_written_over(desk: Desk) -> None:
    again = desk.enrol("other", desk.place / f"{ANN}.code")
    assert again.code == 1
    assert "not valid" in again.err
    over = desk.enrol(ANN, desk.place / f"{ANN}.code")
    assert over.code == 1
    (desk.place / "short").write_text("short")
    weak = desk.enrol("weak", desk.place / f"{ANN}.code", passphrase="short")
    assert weak.code == 1
    assert "12 characters" in weak.err


def test_http_is_for_loopback_only(desk: Desk) -> None:
    ran = tallystick(
        "operator", "act", "close-day", "http://example.net", "--day", "2026-01-01", *desk.by(ANN)
    )
    assert ran.code == 1
    assert "loopback" in ran.err


def test_who_operates_is_listed_with_whoever_may_act_no_more(desk: Desk) -> None:
    folder = desk.place / "provider"
    listed = json.loads(tallystick("operator", "list", folder, "--json").out)
    roles = sorted(one["role"] for one in listed)
    assert roles == sorted(ROLES.values())
    assert {one["stands"] for one in listed} == {"active"}
    cem = next(one["operator"] for one in listed if one["role"] == "care-desk")
    stopped = desk.act(SEC, "suspend-operator", "--operator", cem, "--because", "laptop stolen")
    assert stopped.code == 0, stopped.all
    assert "nothing they sign counts" in stopped.all
    shown = tallystick("operator", "list", folder)
    (line,) = [one for one in shown.out.splitlines() if cem in one]
    assert "suspended" in line
    refused = desk.act(CEM, "issue-activation", "--number", "+254700000001")
    assert refused.code != 0
    assert "ask a security officer" in refused.all
