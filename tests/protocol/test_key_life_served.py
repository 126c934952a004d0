"""Keys of a served provider: entered in the record, taken from state to state, refused at once."""

import json
from pathlib import Path

import pytest
from tests.support.looking import leaves_of
from tests.support.metrics import exposition
from tests.support.served import Served, served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.keylife import KeyRow
from tallystick.entry.assembly import open_platform
from tallystick.infrastructure.modules.interface import MEMORY_ONLY, Purpose
from tallystick.infrastructure.modules.states import KeyState
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.errors import Conflict, MfsError, NotFound, NotPermitted
from tallystick.kernel.money import Money
from tallystick.protocol.keylife import RecordCustody, StepKey
from tallystick.protocol.payments import PaymentKind


def key_of(provider: Served, purpose: Purpose) -> KeyRow:
    """The active key of a purpose, as the record has it."""
    rows = provider.platform.desks.keylife.rows().values()
    return next(one for one in rows if one.purpose == purpose and one.state == KeyState.ACTIVE)


def step(provider: Served, act: str, key: KeyRow, *, people: int = 2) -> str:
    """An act about a key, signed by so many people; what it says."""
    body = StepKey(key=key.id, because="tried by a test")
    first, second = provider.operators["security-officer"][:2]
    reply = first.act(act, body)
    if people > 1:
        assert reply.state == "waiting"
        reply = second.act(act, body, approves=reply.act)
    return reply.says


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.requirement("MFS-7.4.2-10")
def test_every_key_is_entered_and_each_step_is_an_event_that_counts_at_once(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "p") as provider:
        rows = provider.platform.desks.keylife.rows().values()
        elsewhere = {Purpose.SUBJECT, Purpose.OTP_SEED, *MEMORY_ONLY}
        loaded = {
            one.id for one in provider.platform.module.handles() if one.purpose not in elsewhere
        }
        assert loaded <= {one.id for one in rows}
        assert {"provider-root", "officer"} <= {one.purpose for one in rows}
        ann = provider.person("+254700000001", "Ann", funds=100_000)
        provider.open_customer("+254700000002", "Ben")
        quote = key_of(provider, Purpose.QUOTE)
        assert step(provider, "suspend-key", quote, people=1).endswith("is suspended")
        with pytest.raises(MfsError, match="suspended"):
            ann.wallet.pay(PaymentKind.P2P, "+254700000002", Money(100, "KES"))
        with pytest.raises(MfsError, match="does not become destroyed"):
            step(provider, "destroy-key", quote)
        assert step(provider, "resume-key", quote).endswith("is active")
        assert ann.wallet.pay(PaymentKind.P2P, "+254700000002", Money(100, "KES"))
        kinds = [decode_leaf(one).kind for one in leaves_of(provider)]
        assert kinds.count("key.entered") == len(rows)
        assert kinds.count("key.stepped") == 2
        root = provider.folder.root
        listed = json.loads(tallystick("keys", "list", root, "--all", "--json").out)
        assert {one["id"] for one in listed} == {one.id for one in rows}
        shown = tallystick("keys", "show", root, quote.id)
        assert "open" in shown.out
        assert "tried by a test" in shown.out
        assert tallystick("keys", "show", root, "key_none").code == 1


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.requirement("MFS-8.2.2-02")
@pytest.mark.parametrize("act", ["resume-key", "retire-key", "declare-compromise", "destroy-key"])
def test_nobody_does_alone_what_loosens_or_cannot_be_taken_back(tmp_path: Path, act: str) -> None:
    with served(tmp_path / "p") as provider:
        key = key_of(provider, Purpose.RECEIPT_CODE)
        if act == "resume-key":
            step(provider, "suspend-key", key, people=1)
        if act == "destroy-key":
            step(provider, "retire-key", key)
        stands = provider.platform.desks.keylife.rows()[key.id]
        body = StepKey(key=key.id, because="alone")
        first = provider.operators["security-officer"][0]
        waiting = first.act(act, body)
        assert waiting.state == "waiting"
        with pytest.raises(MfsError, match="one person"):
            first.act(act, body, approves=waiting.act)
        with pytest.raises(NotPermitted):
            provider.operators["care-desk"][0].act("suspend-key", body)
        assert provider.platform.desks.keylife.rows()[key.id] == stands


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.requirement("MFS-7.4.2-09")
def test_states_outlive_a_start_and_a_destroyed_key_does_not_come_back(tmp_path: Path) -> None:
    with served(tmp_path / "p") as provider:
        folder, secret = provider.folder, provider.secret
        code = key_of(provider, Purpose.RECEIPT_CODE)
        files = {path: path.read_bytes() for path in (folder.root / "keys").glob("*.block")}
        for act in ("retire-key", "destroy-key"):
            step(provider, act, code)
        with pytest.raises(MfsError, match="does not become active"):
            step(provider, "resume-key", code)
        webhook = key_of(provider, Purpose.WEBHOOK)
        step(provider, "suspend-key", webhook, people=1)
        gone = {path for path in files if not path.exists()}
        assert [path.name for path in gone] == ["receipt-code.block"]
        for needed in (Purpose.TALLY, Purpose.STORE):
            with pytest.raises(Conflict, match="the record is kept with"):
                step(provider, "suspend-key", key_of(provider, needed), people=1)
    for path in gone:
        path.write_bytes(files[path])
    platform = open_platform(folder, secret)
    try:
        module = platform.module
        handles = {one.id: one for one in module.handles()}
        assert code.id not in handles
        with pytest.raises(NotPermitted, match="destroyed"):
            module.import_block(files[next(iter(gone))])
        with pytest.raises(NotPermitted, match="suspended"):
            module.sign(handles[webhook.id], b"m")
        newest = platform.keys.newest(Purpose.WEBHOOK)
        assert newest.id != webhook.id
        assert module.sign(newest, b"m")
        with pytest.raises(NotFound):
            module.mac(next(one for one in [code_handle(module, code)]), b"m")
    finally:
        platform.close()


def code_handle(module, row: KeyRow):
    """A handle that names a key by hand."""
    known = next(iter(module.handles()))
    return type(known)(
        id=row.id,
        purpose=Purpose(row.purpose),
        mechanism=row.mechanism,
        exportable=True,
        created_at=row.created_at,
    )


@pytest.mark.requirement("MFS-8.2.2-04")
def test_two_people_keep_the_ledger_of_devices_and_each_entry_is_in_the_tally(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "p") as provider:
        body = RecordCustody(
            device="hsm-1", what="received", custodians=("ann", "bob"), because="from its maker",
            kind="software-module", serial="4711", place="vault", seal="A-1", inspect_days=180,
        )  # fmt: skip
        first, second = provider.operators["security-officer"][:2]
        waiting = first.act("record-custody", body)
        assert waiting.state == "waiting"
        root = provider.folder.root
        assert json.loads(tallystick("registers", "custody", root, "--json").out) == []
        assert second.act("record-custody", body, approves=waiting.act).says == "hsm-1 is stored"
        (shown,) = json.loads(tallystick("registers", "custody", root, "--json").out)
        assert (shown["state"], shown["seal"]) == ("stored", "A-1")
        kinds = [decode_leaf(one).kind for one in leaves_of(provider)]
        assert kinds[shown["event"]] == "custody.recorded"
        ran = tallystick("registers", "custody", root, "hsm-1")
        assert ran.code == 4, "what was never inspected is overdue"
        assert "inspection overdue" in ran.out
        ran = tallystick("registers", "due", root, "--json")
        assert ran.code == 4
        (due,) = json.loads(ran.out)
        assert (due["register"], due["entry"], due["overdue"]) == ("custody", "hsm-1", True)
        assert (due["what"], due["owner"]) == ("inspection of the device", "ann bob")
        assert "tallystick_registers_overdue 1" in exposition(provider)
