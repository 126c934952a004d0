"""Keys of the payment cryptography door live the life of every other key of the provider."""

import json
import time
from pathlib import Path

import pytest
from tests.protocol.test_key_life_served import step
from tests.support.approved import Moved
from tests.support.looking import leaves_of
from tests.support.paycrypt import BOTH_WAYS, CHECKS, Scene, door
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.keylife import KeyRow, ending_keys
from tallystick.application.keylife.store import every_key
from tallystick.entry import keyduties
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import open_platform
from tallystick.entry.keykeeping import inventory_of
from tallystick.entry.paycrypt.listening import open_door
from tallystick.entry.paycrypt_settings import FILE, Cryptoperiod, paycrypt_settings
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.soft_states import MOST_USES
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.time import DAY_MS

pytest.importorskip("botocore.session", reason="botocore is absent: install the extra `kms`")
pytestmark = pytest.mark.filterwarnings("ignore::Warning")

RETAIL = ("TR31_M3_ISO_9797_3_MAC_KEY", "TDES_2KEY", CHECKS)
PINS = ("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", BOTH_WAYS)
WRAPS = ("TR31_K1_KEY_BLOCK_PROTECTION_KEY", "AES_256", BOTH_WAYS)
AGREES = {
    "KeyUsage": "TR31_K3_ASYMMETRIC_KEY_FOR_KEY_AGREEMENT", "KeyClass": "ASYMMETRIC_KEY_PAIR",
    "KeyAlgorithm": "ECC_NIST_P256", "KeyModesOfUse": {"DeriveKey": True},
}  # fmt: skip
MESSAGE = "4E6F77206973207468652074696D6520"
ASKED = {"Algorithm": "ISO9797_ALGORITHM3"}


def entered(scene: Scene, arn: str) -> KeyRow:
    """The key as the stored inventory has it, once the service saw it."""
    owner = f"door key/{arn.rpartition('/')[2]}"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with open_reader(scene.provider.folder.stored()) as reader:
            for row in every_key(reader):
                if row.owner == owner:
                    return row
        time.sleep(0.05)
    raise AssertionError(f"{owner} was not entered")


def coded(data, arn: str) -> str:
    made = data.generate_mac(KeyIdentifier=arn, MessageData=MESSAGE, GenerationAttributes=ASKED)
    return made["Mac"]


def checked(data, arn: str, mac: str) -> None:
    data.verify_mac(KeyIdentifier=arn, MessageData=MESSAGE, Mac=mac, VerificationAttributes=ASKED)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keyduties, "COUNTED_EVERY_S", 0.05)
    periods = (Cryptoperiod(purpose="card-mac-retail", days=30),)
    with door(tmp_path / "provider", cryptoperiods=periods) as found:
        yield found


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.requirement("MFS-7.4.2-09")
def test_two_operators_end_a_key_of_the_door_and_no_program_brings_it_back(scene: Scene) -> None:
    arn, other, data = scene.key(*RETAIL), scene.key(*RETAIL), scene.client()
    mac, row = coded(data, arn), entered(scene, arn)
    assert (row.purpose, row.mechanism, row.state) == ("card-mac-retail", "tdea-2key", "active")
    refused = data.exceptions.ValidationException
    assert step(scene.provider, "suspend-key", row, people=1).endswith("is suspended")
    for call in (lambda: coded(data, arn), lambda: checked(data, arn, mac)):
        with pytest.raises(refused, match="suspended"):
            call()
    scene.control().stop_key_usage(KeyIdentifier=arn)
    scene.control().start_key_usage(KeyIdentifier=arn)
    with pytest.raises(refused, match="suspended"):
        coded(data, arn)
    step(scene.provider, "resume-key", row)
    assert coded(data, arn) == mac
    step(scene.provider, "retire-key", row)
    checked(data, arn, mac)
    with pytest.raises(refused, match="deactivated"):
        coded(data, arn)
    step(scene.provider, "declare-compromise", row)
    with pytest.raises(refused, match="compromised"):
        checked(data, arn, mac)
    kept = scene.provider.platform.desks.payment_keys.keys[arn.rpartition("/")[2]].block
    step(scene.provider, "destroy-key", row)
    assert scene.control().get_key(KeyIdentifier=arn)["Key"]["KeyState"] == "DELETE_COMPLETE"
    with pytest.raises(data.exceptions.ResourceNotFoundException):
        coded(data, arn)
    with pytest.raises(NotPermitted, match="destroyed"):
        scene.module.import_block(kept)
    assert coded(data, other)
    leaves = [decode_leaf(leaf) for leaf in leaves_of(scene.provider)]
    steps = [leaf.p["after"] for leaf in leaves if leaf.kind == "key.stepped"]
    assert steps == ["suspended", "active", "deactivated", "compromised", "destroyed"]
    erased = [leaf.p for leaf in leaves if leaf.p.get("act") == "key-destroyed"]
    assert [(one["key"], one["program"]) for one in erased] == [(arn.rpartition("/")[2], "")]


@pytest.mark.requirement("MFS-7.4.2-01")
@pytest.mark.requirement("MFS-C-01")
def test_keys_of_the_door_are_in_every_inventory(scene: Scene) -> None:
    arns = [scene.key(*one) for one in (RETAIL, PINS, WRAPS)]
    rows = [entered(scene, one) for one in arns]
    days = [(one.ends_at - one.created_at) // DAY_MS for one in rows]
    assert days == [30, 365, 730], "the settings where they say so, else the key table"
    root = scene.provider.folder.root
    listed = json.loads(tallystick("keys", "list", root, "--all", "--json").out)
    assert {one.id for one in rows} <= {one["id"] for one in listed}
    found = json.loads(tallystick("crypto", "inventory", root, "--json").out)
    seen = {one["id"]: one["mechanism"] for one in found["keys"]}
    assert [seen[one.id] for one in rows] == ["tdea-2key", "aes-128", "aes-256"]
    told = {one["mechanism"]: one for one in found["mechanisms"]}
    assert told["tdea-2key"]["kinds"] == ["card-mac-retail key"]
    bill = root.parent / "bill.json"
    tallystick("crypto", "inventory", root, "--bill", bill)
    names = {one["bom-ref"] for one in json.loads(bill.read_text())["components"]}
    assert {f"key/{one.id}" for one in rows} <= names
    late = rows[1].ends_at - 10 * DAY_MS
    ending = ending_keys(rows[1:], late)
    assert [one.owner for one in ending] == [rows[1].owner]
    again = [*rows[1:], entered(scene, scene.key(*PINS))]
    assert len(ending_keys(again, late)) == 2, "no key of the door stands for another one"


@pytest.mark.requirement("MFS-7.4.2-01")
def test_an_end_a_destruction_and_a_count_outlive_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyduties, "COUNTED_EVERY_S", 0.05)
    with door(tmp_path / "provider") as scene:
        arns = [scene.key(*one) for one in (RETAIL, PINS, RETAIL)]
        rows, data = [entered(scene, one) for one in arns], scene.client()
        for _ in range(3):
            coded(data, arns[0])
        end = time.monotonic() + 30
        while entered(scene, arns[0]).uses < 3:
            assert time.monotonic() < end
            time.sleep(0.02)
        blocks = dict(scene.provider.platform.desks.payment_keys.keys)
        for act in ("retire-key", "destroy-key"):
            step(scene.provider, act, rows[2])
        folder, secret = scene.provider.folder, scene.provider.secret
    clock = Moved(SystemClock())
    platform = open_platform(folder, secret, clock)
    try:
        desk = platform.desks.payment_keys
        ids = [one.rpartition("/")[2] for one in arns]
        desk.keys[ids[2]] = blocks[ids[2]]  # as a row of a backup would have it
        opened = open_door(platform, None, Accounting(platform.clock, lambda _: None))
        assert set(opened.on.handles) == set(ids[:2])
        states = platform.paycrypt.states
        assert states.used(rows[0].id) == 3
        states.recall(rows[0].id, MOST_USES["tdea-2key"])
        chips, handle = platform.paycrypt.chips, opened.on.handles[ids[0]]
        with pytest.raises(NotPermitted, match="as often as it may"):
            chips.make_mac(handle, b"m" * 8)
        assert states.of(rows[1].id).value == "active"
        clock.ahead_ms = 366 * DAY_MS
        platform.writer.run([platform.seen_keys()])
        ended = platform.desks.keylife.rows()[rows[1].id]
        assert (ended.state, ended.because) == ("deactivated", "its time is over")
        assert states.of(rows[1].id).value == "deactivated"
    finally:
        platform.close()
    assert {one.id: one.state for one in inventory_of(folder)}[rows[2].id] == "destroyed"


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_key_whose_time_ended_while_nobody_served_protects_nothing_from_the_start_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyduties, "COUNTED_EVERY_S", 0.05)
    periods = (Cryptoperiod(purpose="card-mac-retail", days=1),)
    with door(tmp_path / "provider", cryptoperiods=periods) as scene:
        arn = scene.key(*RETAIL)
        row = entered(scene, arn)
        folder, secret = scene.provider.folder, scene.provider.secret
    clock = Moved(SystemClock())
    clock.ahead_ms = 2 * DAY_MS
    platform = open_platform(folder, secret, clock)
    try:
        opened = open_door(platform, None, Accounting(platform.clock, lambda _: None))
        assert platform.desks.keylife.rows()[row.id].state == "deactivated"
        handle = opened.on.handles[arn.rpartition("/")[2]]
        with pytest.raises(NotPermitted, match="deactivated"):
            platform.paycrypt.chips.make_mac(handle, b"m" * 8)
    finally:
        platform.close()


@pytest.mark.requirement("MFS-7.4.2-08")
def test_the_compromise_of_a_key_of_the_door_is_rehearsed(tmp_path: Path) -> None:
    with door(tmp_path / "provider") as scene:
        for one in (RETAIL, PINS, WRAPS):
            scene.key(*one)
        scene.control().create_key(KeyAttributes=AGREES, Exportable=False, DeriveKeyUsage=WRAPS[0])
        secret = tmp_path / "secret"
        secret.write_bytes(scene.provider.secret.reveal())
        root = scene.provider.folder.root
        for purpose in ("card-mac-retail", "pin-encryption", "key-wrap", "pair-agreement"):
            ran = tallystick("keys", "drill", root, purpose, "--secret-file", secret, "--json")
            assert ran.code == 0, ran.all
            report = json.loads(ran.out)
            assert len(report["steps"]) >= 7
            assert report["dependants"]


@pytest.mark.parametrize(
    ("purpose", "days"),
    [("tally", 30), ("pin-encryption", 0), ("pin-encryption", 3651), ("nothing", 30)],
)
def test_a_cryptoperiod_is_of_a_key_of_the_door(tmp_path: Path, purpose: str, days: int) -> None:
    fixed = {"v": 1, "use": "test", "rows": [],
             "cryptoperiods": [{"purpose": purpose, "days": days}]}  # fmt: skip
    (tmp_path / FILE).write_text(json.dumps(fixed))
    with pytest.raises(Malformed, match="cryptoperiod"):
        paycrypt_settings(tmp_path)
