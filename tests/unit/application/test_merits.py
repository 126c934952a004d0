"""What is counted of agents, classes of devices and vendors, on both engines."""

from collections.abc import Iterable

from tests.unit.application.test_established_devices import device
from tests.unit.process.isms.kept import NOW as KEPT_AT
from tests.unit.process.isms.kept import read_registers, text
from tests.unit.process.policy.ladders import DEVICES, VENDOR, with_ladders

from tallystick.application.controls.merits import count
from tallystick.application.customers.store import ACCOUNT_OWNER, CUSTOMER
from tallystick.application.customers.store import MIGRATION as CUSTOMERS
from tallystick.application.devices.model import COPIED
from tallystick.application.devices.store import DEVICE
from tallystick.application.devices.store import MIGRATION as DEVICE_ROWS
from tallystick.application.payments.store import MIGRATION as ORDERS
from tallystick.application.payments.store import ORDER
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.isms.model import Registers
from tallystick.process.policy import read_policy
from tallystick.process.policy.incentives import Counted, Standing, beginning

NOW = Instant(20_000 * DAY_MS)
NOBODY = Registers(kept={})
LADDERS = {one.id: one for one in read_policy(with_ladders(DEVICES, VENDOR)).incentives}
BEGUN = NOW - 90 * DAY_MS
_numbers = iter(range(10**6))


def person(name: str, kind: str = "person", opened_by: str = "operator") -> tuple:
    return (
        name, kind, "active", 1, f"acc-{name}", b"", b"", BEGUN, opened_by, b"", 0, 0, "", 0,
    )  # fmt: skip


def order(
    payer: str, payee: str, kind: str = "cash-in", *, minor: int = 50_000, days: int = 1,
    stage: str = "settled", original: str = "", grade: str = "device-signed", by: str = "",
) -> tuple:  # fmt: skip
    at = NOW - days * DAY_MS
    name = timed_id("ord", at, next(_numbers).to_bytes(10, "big"))
    return (
        name, b"", kind, stage, "", "", "", "", f"acc-{payer}", f"acc-{payee}", minor, 0, "KES",
        original, 0, grade, by, 1, "r", b"", 0, 0, at,
    )  # fmt: skip


def counts(
    place: Place,
    orders: Iterable[tuple],
    *,
    ladder: str = "agents",
    standings: dict[str, Standing] | None = None,
    devices: Iterable[tuple] = (),
    registers: Registers = NOBODY,
    now: int = NOW,
) -> dict[str, Counted]:
    people = [
        person("amina", "agent"),
        person("bob", "agent"),
        *map(person, ("ann", "ben", "cat")),
        person("puppet", opened_by="amina"),
    ]
    changes = ChangeSet()
    for one in people:
        changes.insert(CUSTOMER, one)
        changes.insert(ACCOUNT_OWNER, (one[4], one[0]))
    for row in orders:
        changes.insert(ORDER, row)
    for row in devices:
        changes.insert(DEVICE, row)
    database = open_database(place)
    try:
        migrate(database, (CUSTOMERS, DEVICE_ROWS, ORDERS), 1)
        with batch(database):
            changes.flush(database)
        with database.reader() as reader:
            return count(reader, (LADDERS[ladder],), standings or {}, registers, now, BEGUN)
    finally:
        database.close()


def test_payments_of_an_agent_count_by_customer_kind_amount_and_time(place: Place) -> None:
    rows = [
        *(order("amina", "ann") for _ in range(4)),
        order("ann", "amina", "cash-out"),
        order("ben", "amina", "cash-out"),
        order("amina", "cat", minor=9_999),
        order("amina", "cat", days=31),
        order("amina", "cat", stage="refused"),
        order("amina", "cat", stage="accepted"),
        order("amina", "puppet"),
        order("puppet", "amina", "cash-out"),
        order("bob", "puppet"),
        order("ann", "ben", "p2p"),
    ]
    found = counts(place, rows)
    assert found.keys() == {"agents/amina", "agents/bob"}
    assert found["agents/amina"].measures == {
        "settled-payments": 3,
        "distinct-customers": 2,
        "reversed-payments": 0,
        "reversed-permille": 0,
        "days-without-finding": 90,
    }
    assert found["agents/bob"].measures["distinct-customers"] == 1


def test_what_was_given_back_counts_whatever_its_amount_and_only_since_the_last_fall(
    place: Place,
) -> None:
    small = order("amina", "ann", minor=10, stage="returned", days=9)
    large = order("ben", "amina", "cash-out", stage="returned", days=9)
    rows = [
        small,
        large,
        order("ann", "amina", "reversal", original=small[0], days=8),
        order("amina", "ben", "reversal", original=large[0], days=2),
        *(order("amina", one, days=1) for one in ("ann", "ben", "cat")),
    ]
    first = replace(beginning(LADDERS["agents"], "amina", BEGUN), counted_from=NOW - 3 * DAY_MS)
    found = counts(place, rows, standings={first.id: first})["agents/amina"].measures
    assert found["reversed-payments"] == 1
    assert found["reversed-permille"] == 250
    assert found["days-without-finding"] == 3


def test_nothing_is_known_of_who_did_nothing(place: Place) -> None:
    found = counts(place, ())["agents/amina"]
    assert found.measures == {
        "settled-payments": 0,
        "distinct-customers": 0,
        "reversed-payments": 0,
        "days-without-finding": 90,
    }
    assert found.begun == BEGUN


def test_a_class_of_devices_is_counted_by_its_own_payments_and_copies(place: Place) -> None:
    copied = list(device("d2", enrolled=1, status="suspended"))
    copied[3] = COPIED
    lost = list(device("d3", enrolled=1, status="suspended"))
    lost[3] = "reported stolen"
    rows = [
        order("ann", "ben", "p2p", by="d1"),
        order("ann", "ben", "p2p", by="hard"),
        order("ann", "ben", "merchant", by="d1"),
    ]
    devices = [
        device("d1", enrolled=1),
        tuple(copied),
        tuple(lost),
        device("hard", trust="attested-hardware", enrolled=1),
    ]
    found = counts(place, rows, ladder="software-phones", devices=devices)
    measures = found["software-phones/software"].measures
    assert (measures["settled-payments"], measures["copies"]) == (1, 1)
    assert "attested-permille" not in measures


def test_a_vendor_is_what_its_register_says(place: Place) -> None:
    registers = read_registers({"vendors": text("vendors").replace("sms-house", "ussd-gateway")})
    now = KEPT_AT
    found = counts(place, (), ladder="gateway", registers=registers, now=now)
    measures = found["gateway/ussd-gateway"].measures
    assert measures["service-level"] == 1
    assert measures["verified-days"] > 0


def test_a_vendor_that_no_register_knows_has_nothing(place: Place) -> None:
    found = counts(place, (), ladder="gateway")["gateway/ussd-gateway"].measures
    assert (found["verified-days"], found["service-level"]) == (0, 0)


def test_an_agent_who_is_not_in_the_register_of_people_is_not_trained(place: Place) -> None:
    registers = read_registers({"people": text("people")})
    found = counts(place, (), registers=registers, now=KEPT_AT)
    assert found["agents/amina"].measures["training-days"] == 0


def test_an_agent_in_the_register_has_the_days_that_are_left(place: Place) -> None:
    line = (
        "\n  amina: {kind: agent, customer: amina, course: cash, trained: 2026-03-01,"
        " valid_for: P365D}\n"
    )
    registers = read_registers({"people": text("people").rstrip() + line})
    found = counts(place, (), registers=registers, now=KEPT_AT)
    assert found["agents/amina"].measures["training-days"] > 0
