"""The ledger of devices: which event follows which, seals, custodians, inspections."""

import itertools

import pytest

from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.isms.custody import (
    STEPS,
    CustodyEntry,
    CustodyKind,
    DeviceState,
    Told,
    follow,
    newest,
)

NEW = Told(
    device="hsm-1", kind="module", serial="4711", what="received", place="vault",
    custodians=("ann", "bob"), seal="A-1", evidence="", because="from its maker", inspect_days=180,
)  # fmt: skip


def entry(state: DeviceState, **changed: object) -> CustodyEntry:
    first = follow(None, NEW, entry="cdy_1", at=DAY_MS, event=1)
    return replace(first, state=state.value, inspected_at=2 * DAY_MS, **changed)


def told(what: CustodyKind, **changed: object) -> Told:
    return replace(NEW, what=what.value, **changed)


@pytest.mark.requirement("MFS-8.2.2-04")
@pytest.mark.parametrize(("state", "what"), list(itertools.product(DeviceState, CustodyKind)))
def test_only_what_the_table_allows_follows(state: DeviceState, what: CustodyKind) -> None:
    last = None if state is DeviceState.UNKNOWN else entry(state)
    allowed, after = STEPS[what]
    if state in allowed:
        assert follow(last, told(what), entry="cdy_2", at=3 * DAY_MS, event=2).state == (
            after or state
        )
        return
    with pytest.raises(Conflict, match=state.value):
        follow(last, told(what), entry="cdy_2", at=3 * DAY_MS, event=2)


@pytest.mark.requirement("MFS-8.2.2-04")
@pytest.mark.threat("THR-KEY-03")
def test_what_arrives_under_another_seal_has_not_arrived_and_is_never_used_again() -> None:
    way = entry(DeviceState.IN_TRANSIT)
    with pytest.raises(Conflict, match="seal is another"):
        follow(way, told(CustodyKind.ARRIVED, seal="A-2"), entry="cdy_3", at=1, event=3)
    suspect = follow(way, told(CustodyKind.TAMPERED, seal="A-2"), entry="cdy_3", at=1, event=3)
    followers = {what for what, (allowed, _) in STEPS.items() if suspect.state in allowed}
    assert followers == {CustodyKind.RETIRED}


@pytest.mark.requirement("MFS-8.2.2-04")
@pytest.mark.parametrize("came", [CustodyKind.RECEIVED, CustodyKind.ARRIVED,
                                  CustodyKind.BACK_FROM_REPAIR])  # fmt: skip
def test_nothing_is_installed_before_it_was_inspected(came: CustodyKind) -> None:
    before = STEPS[came][0][0]
    last = None if before is DeviceState.UNKNOWN else entry(before)
    here = follow(last, told(came), entry="cdy_2", at=3 * DAY_MS, event=2)
    with pytest.raises(Conflict, match="not inspected"):
        follow(here, told(CustodyKind.INSTALLED), entry="cdy_3", at=4 * DAY_MS, event=3)
    seen = follow(here, told(CustodyKind.INSPECTED), entry="cdy_3", at=4 * DAY_MS, event=3)
    used = follow(seen, told(CustodyKind.INSTALLED), entry="cdy_4", at=5 * DAY_MS, event=4)
    assert used.inspection_due() == 184 * DAY_MS
    assert newest([here, seen, used]) == {"hsm-1": used}


@pytest.mark.requirement("MFS-8.2.2-04")
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"custodians": ("ann",)}, "two custodians"),
        ({"custodians": ("ann", "ann")}, "two custodians"),
        ({"kind": "box"}, "is one of"),
        ({"serial": ""}, "serial"),
        ({"inspect_days": 0}, "inspected every"),
        ({"inspect_days": 367}, "inspected every"),
        ({"what": "lost"}, "is one of"),
    ],
)
def test_a_device_does_not_come_in_without(changed: dict, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        follow(None, replace(NEW, **changed), entry="cdy_1", at=1, event=1)


def test_another_serial_is_another_device() -> None:
    with pytest.raises(Conflict, match="serial"):
        follow(
            entry(DeviceState.STORED),
            told(CustodyKind.SENT, serial="4712"),
            entry="x",
            at=1,
            event=2,
        )
