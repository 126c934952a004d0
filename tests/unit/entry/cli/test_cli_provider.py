"""A provider set up and served by the command line, with payments, as its operators see it."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import Cast, Ran, Smsc, TourProvider, tallystick

from tallystick.client.wallet import Refusal
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.problems import problem_of

OTHER_ROLE = """UPDATE event SET leaf = CAST(replace(leaf, 'operations', 'care-desks') AS BLOB)
    WHERE idx = (SELECT min(idx) FROM event WHERE instr(CAST(leaf AS TEXT), 'operations') > 0)"""
ALICE, BOB = "+254700000001", "+254700000002"


@dataclass
class Town:
    """A provider that ended after a few payments, and what its customers kept."""

    folder: Path
    secret: Path
    order: str
    receipt: Path
    refusal: Path
    exit_code: int


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    place = tmp_path_factory.mktemp("town")
    smsc = Smsc()
    provider = TourProvider(place, Es256SigningKey.generate(), smsc)
    codes = provider.set_up()
    url = provider.serve()
    process = provider._process
    settings = provider.folder.settings()
    cast = Cast(
        url, settings.provider, settings.origin, settings.root.verify_key(), smsc, SystemClock()
    )
    try:
        for role, code in codes:
            cast.join(role, Secret(code))
        alice = cast.person(ALICE, "Alice W", funds=50_000_00).wallet
        cast.open_customer(BOB, "Bob O")
        with pytest.raises(Refusal) as refused:
            alice.pay(PaymentKind.P2P, BOB, Money(60_000_00, "KES"))
        paid = [alice.pay(PaymentKind.P2P, BOB, Money(1_250, "KES")) for _ in range(3)][-1]
    finally:
        cast.close()
        provider.stop()
        smsc.close()
    receipt, problem = place / "receipt.json", place / "refusal.json"
    receipt.write_bytes(encode(paid.receipt))
    problem.write_bytes(encode(problem_of(refused.value.error, refused.value.receipt)))
    order = str(paid.verified.event.p["order"])
    return Town(provider.folder.root, place / "secret", order, receipt, problem, process.returncode)


def copy_of(town: Town, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town.folder, tmp_path / "copy"))


def change(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "tallystick.db") as link:
        assert link.execute(sql).rowcount == 1
    link.close()


def test_a_service_that_is_told_to_stop_ends_with_0(town: Town) -> None:
    assert town.exit_code == 0


def test_a_service_that_ended_leaves_one_whole_database_file(town: Town) -> None:
    assert sorted(path.name for path in town.folder.glob("tallystick.db*")) == [
        "tallystick.db",
        "tallystick.db.lock",
    ]


def test_what_is_secret_is_readable_by_its_owner_only(town: Town) -> None:
    private = [town.secret, town.folder / "master.sealed", *town.folder.glob("keys/*")]
    private += list(town.folder.glob("offline/*.key"))
    assert len(private) > 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_a_whole_provider_audits_clean_and_says_what_it_cannot_see(town: Town) -> None:
    ran = tallystick("tally", "verify", town.folder, "--against", town.receipt)
    assert ran.code == 0, ran.all
    assert "nothing was found" in ran.out
    assert "compared with receipt.json" in ran.out
    assert "not seen from here" in ran.out


def test_a_database_alone_is_audited_with_a_published_key(town: Town, tmp_path: Path) -> None:
    shutil.copy(town.folder / "tallystick.db", tmp_path / "alone.db")
    key = tally_key(town)
    ran = tallystick("tally", "verify", tmp_path / "alone.db", "--key", key, "--json")
    assert ran.code == 0
    report = json.loads(ran.out)
    assert report["findings"] == []
    assert report["rows"] == report["vouched"] > 10
    by_settings = tallystick(
        "tally", "verify", tmp_path / "alone.db", "--settings", town.folder / "provider.json"
    )
    assert by_settings.code == 0
    assert tallystick("tally", "verify", tmp_path / "alone.db").code == 2
    sqlite3.connect(tmp_path / "empty.db").close()
    ran = tallystick("tally", "verify", tmp_path / "empty.db", "--key", key)
    assert ran.code == 1
    assert "empty.db has no tally" in ran.err


def tally_key(town: Town) -> str:
    lines = tallystick("keys", "list", town.folder).out.splitlines()
    return next(line.split()[1] for line in lines if line.startswith("tally: "))


@pytest.mark.requirement("MFS-7.3.3-07")
@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE payment_order SET row = 'staff' WHERE stage = 'refused'", "order ord_"),
        ("UPDATE account SET posted_credit = posted_credit + 5 WHERE kind = 'fee'", "account acc_"),
        ("DELETE FROM event WHERE idx = 4", "event 4"),
        (OTHER_ROLE, "event "),
    ],
)
def test_a_row_cannot_be_changed_unseen_and_the_exit_code_is_4(
    town: Town, tmp_path: Path, sql: str, named: str
) -> None:
    folder = copy_of(town, tmp_path)
    change(folder, sql)
    ran = tallystick("tally", "verify", folder)
    assert ran.code == 4
    assert named in ran.out


def test_a_receipt_says_in_words_what_it_proves(town: Town) -> None:
    ran = tallystick("receipt", "verify", town.receipt, "--settings", town.folder)
    assert ran.code == 0, ran.all
    for said in ("the receipt verifies", "KES 12.50", "Bob O", town.order, "p2p settled"):
        assert said in ran.out.replace("\n", " ") or town.order in said
    assert "not proved" in ran.out
    told = tallystick("receipt", "verify", town.receipt, "--key", tally_key(town), "--json")
    assert json.loads(told.out)["disclosed"]["amount_minor"] == 1_250


def test_a_refusal_proves_itself_by_the_receipt_in_it(town: Town) -> None:
    ran = tallystick("receipt", "verify", town.refusal, "--provider", town.folder)
    assert ran.code == 0, ran.all
    assert "p2p refused" in ran.out
    assert "because" in ran.out


@pytest.mark.parametrize("field", ["index", "leaf", "checkpoint"])
def test_a_changed_receipt_is_refused(town: Town, tmp_path: Path, field: str) -> None:
    found = json.loads(town.receipt.read_text())
    if field == "index":
        found["index"] += 1
    else:
        at = (
            found["checkpoint"].index("\n", len("demo-wallet/tally/1\n")) + 1
            if field == "checkpoint"
            else 9
        )
        flipped = "B" if found[field][at] == "A" else "A"
        found[field] = found[field][:at] + flipped + found[field][at + 1 :]
    (tmp_path / "receipt.json").write_text(json.dumps(found))
    ran = tallystick("receipt", "verify", tmp_path / "receipt.json", "--settings", town.folder)
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert ran.out == ""


def test_a_receipt_of_another_provider_is_refused(town: Town, tmp_path: Path) -> None:
    assert init(tmp_path).code == 0
    ran = tallystick("receipt", "verify", town.receipt, "--settings", tmp_path / "p")
    assert ran.code == 1


def init(tmp_path: Path, *more: object) -> Ran:
    return tallystick(
        "init", "--no-analysis", tmp_path / "p", "--secret-out", tmp_path / "secret", *more
    )


@pytest.mark.requirement("MFS-7.3.3-09")
def test_why_shows_the_record_to_anybody_and_the_facts_to_who_has_the_secret(town: Town) -> None:
    ran = tallystick("why", town.order, town.folder)
    assert ran.code == 0, ran.all
    assert "in the signed tree of" in ran.out
    assert "decided on" not in ran.out
    opened = tallystick("why", town.order, town.folder, "--secret-file", town.secret)
    assert "the tally committed to these facts" in opened.out
    assert "amount_minor    1250" in opened.out
    assert "matched" in opened.out
    assert tallystick("why", "99999", town.folder).code == 1


def test_why_refuses_facts_that_were_put_there_later(town: Town, tmp_path: Path) -> None:
    folder = copy_of(town, tmp_path)
    change(
        folder,
        "UPDATE payment_order SET evidence = (SELECT evidence FROM payment_order"
        f" WHERE stage = 'refused') WHERE id = '{town.order}'",
    )
    ran = tallystick("why", town.order, folder, "--secret-file", town.secret)
    assert ran.code == 1
    assert "not those that the tally committed to" in ran.err


def test_the_books_are_even_until_somebody_writes_into_them(town: Town, tmp_path: Path) -> None:
    ran = tallystick("ledger", "balance", town.folder)
    assert ran.code == 0
    assert "KES 50,000.00 is safeguarded" in ran.out
    folder = copy_of(town, tmp_path)
    change(folder, "UPDATE account SET posted_debit = 0 WHERE kind = 'safeguarding'")
    ran = tallystick("ledger", "balance", folder, "--json")
    assert ran.code == 4
    assert json.loads(ran.out)[0]["safeguarded"] == 0


def test_a_second_set_up_or_a_secret_that_is_there_is_refused(town: Town, tmp_path: Path) -> None:
    assert init(tmp_path).code == 0
    again = tallystick("init", "--no-analysis", tmp_path / "p", "--secret-out", tmp_path / "other")
    assert again.code == 1
    assert "has a provider already" in again.err
    assert not (tmp_path / "other").exists()
    before = (tmp_path / "secret").read_bytes()
    elsewhere = tallystick(
        "init", "--no-analysis", tmp_path / "q", "--secret-out", tmp_path / "secret"
    )
    assert elsewhere.code == 1
    assert (tmp_path / "secret").read_bytes() == before


def test_a_secret_is_never_taken_from_nowhere(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TALLYSTICK_SECRET", "0" * 64)
    ran = tallystick("init", "--no-analysis", tmp_path / "p")
    assert ran.code == 2
    assert "--secret-file" in ran.err
    assert not (tmp_path / "p").exists()


def test_another_secret_does_not_serve(town: Town, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("0" * 64)
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.entry.cli", "serve", town.folder, "--port", "0",
         "--secret-file", tmp_path / "other"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the master key does not open" in done.stderr
    assert "Traceback" not in done.stderr


def test_beyond_loopback_takes_a_certificate(town: Town) -> None:
    ran = tallystick("serve", town.folder, "--host", "0.0.0.0", "--secret-file", town.secret)
    assert ran.code == 1
    assert "TLS 1.3" in ran.err


def test_a_supervisor_learns_the_port_and_the_codes_are_json(tmp_path: Path) -> None:
    ran = init(tmp_path, "--json", "--operators", "operations, care-desk")
    told = json.loads(ran.out)
    assert [one["role"] for one in told["invited"]] == ["operations", "care-desk"]
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "tallystick.entry.cli", "serve", tmp_path / "p", "--port", "0",
         "--secret-file", tmp_path / "secret", "--ready-fd", str(writing)],
        pass_fds=(writing,), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as ready, process:
        port = ready.readline().strip()
        assert process.stdout.readline().strip() == f"listening on http://127.0.0.1:{port}"
        process.send_signal(2)
        assert process.wait(timeout=20) == 0


def test_a_provider_whose_key_list_is_past_its_time_says_how_to_renew_it(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.entry.cli.provider.SystemClock", Later)
    ran = tallystick("serve", town.folder, "--secret-file", town.secret)
    assert ran.code == 1
    assert "keys renew" in ran.err
    monkeypatch.setattr("tallystick.entry.cli.keys.SystemClock", Later)
    assert "past its time" in tallystick("keys", "list", town.folder).out
    folder = copy_of(town, tmp_path)
    ran = tallystick(
        "keys", "renew", folder, "--root-key", folder / "offline" / "root.key",
        "--secret-file", town.secret,
    )  # fmt: skip
    assert ran.code == 0, ran.all
    assert "new: session-signature" in ran.out
    assert "left out, past its time" in ran.out
    listed = tallystick("keys", "list", folder, "--json")
    assert json.loads(listed.out)["version"] == 2
    assert "past its time" not in tallystick("keys", "list", folder).out


class Later(SystemClock):
    """The machine's clock, eight days on."""

    def now(self) -> Instant:
        return Instant(super().now() + 8 * DAY_MS)


def test_a_store_that_nobody_serves_leaves_nothing_behind(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    ran = init(tmp_path, "--store", "postgresql://127.0.0.1:1/none")
    assert ran.code == 3
    assert "cannot be reached" in ran.err
    assert list(tmp_path.iterdir()) == []
    assert init(tmp_path).code == 0
