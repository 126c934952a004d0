"""Who counts as established, on both engines, and what signals are made of."""

import pytest
from tests.unit.process.conformance.pictures import PROBES, saw
from tests.unit.process.policy.policy_texts import demo

from tallystick.application.certification.store import CertificateRow
from tallystick.application.controls import Established, Signals, established
from tallystick.application.controls.signals import Stored
from tallystick.application.controls.store import ENROLLED_MS, FRAUD_MS, WITHIN_MS, Group
from tallystick.application.customers.store import MIGRATION as CUSTOMERS
from tallystick.application.devices.store import DEVICE
from tallystick.application.devices.store import MIGRATION as DEVICES
from tallystick.application.payments.store import MIGRATION as ORDERS
from tallystick.application.payments.store import ORDER
from tallystick.application.policing import DependencyWatch
from tallystick.application.policing.watch import FOR_MS
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.conformance.basis import Run
from tallystick.process.isms.certificates import EvaluationCertificate
from tallystick.process.policy.facts import Signal
from tallystick.process.policy.language.model import Tightening
from tallystick.process.policy.tightening import Seen

NOW = Instant(20_000 * DAY_MS)


def device(name: str, *, trust: str = "software", enrolled: int, status: str = "active") -> tuple:
    return (name, "c", status, "", name.encode(), b"", "", "", trust, "", b"", enrolled, 0, b"", 0)


def order(name: str, device_: str, at: int, *, stage: str = "settled", back: str = "") -> tuple:
    kind = "reversal" if back else "p2p"
    return (
        name, b"", kind, stage, "", "", "", "", "a", "b", 1, 0, "KES", back, 0, "g", device_,
        1, "r", b"", 0, 0, at,
    )  # fmt: skip


def paid(device_: str, days: int, *, since: int = NOW, stage: str = "settled") -> list[tuple]:
    return [
        order(f"{device_}-{stage}-{n}", device_, since - n * DAY_MS, stage=stage)
        for n in range(days)
    ]


def test_a_device_counts_once_old_and_used_enough(place: Place) -> None:
    old = NOW - ENROLLED_MS
    rows = {
        "good": (device("good", trust="attested-hardware", enrolled=old), paid("good", 9)),
        "plain": (device("plain", enrolled=old), paid("plain", 5)),
        "young": (device("young", enrolled=old + 1), paid("young", 9)),
        "unused": (device("unused", enrolled=old), paid("unused", 4)),
        "same-day": (device("same-day", enrolled=old),
                     [order(f"s{n}", "same-day", NOW - n) for n in range(50)]),
        "refused": (device("refused", enrolled=old), paid("refused", 9, stage="refused")),
        "long-ago": (device("long-ago", enrolled=old),
                     paid("long-ago", 9, since=NOW - WITHIN_MS - 1)),
        "removed": (device("removed", enrolled=old, status="removed"), paid("removed", 9)),
    }  # fmt: skip
    back = [
        order("back-1", "", NOW, back="plain-settled-1"),
        order("back-2", "", NOW, back="young-settled-1"),
        order("back-3", "", NOW - FRAUD_MS - 1, back="good-settled-1"),
    ]
    database = open_database(place)
    try:
        migrate(database, (CUSTOMERS, DEVICES, ORDERS), 1)
        changes = ChangeSet()
        for found, orders in rows.values():
            changes.insert(DEVICE, found)
            changes.insert_all(ORDER, orders)
        changes.insert_all(ORDER, back)
        with batch(database):
            changes.flush(database)
        with database.reader() as reader:
            counted = established(reader, NOW)
            assert (counted.devices, counted.attested, counted.reversed) == (2, 1, 1)
            assert counted.groups == (
                Group(device_trust="attested-hardware", tier=-1, devices=1, reversed=0),
                Group(device_trust="software", tier=-1, devices=1, reversed=1),
            )
    finally:
        database.close()


def entry(on: Signal, of: str = "", permille: int = 0) -> Tightening:
    return replace(demo().policy.tightening[0], on=on, of=of, permille=permille)


def stored(**changes: object) -> Stored:
    nothing: dict[str, object] = {"runs": (), "certificates": (), "population": None}
    return Stored(**(nothing | changes))  # type: ignore[arg-type]


def seen(signals: Signals, one: Tightening, found: Stored, now: int = NOW) -> Seen | None:
    return signals.seen((one,), found, Instant(now)).get(one.id)


@pytest.mark.parametrize(
    ("on", "devices", "part", "failing"),
    [
        (Signal.ATTESTED_SHARE, 100, 19, True),
        (Signal.ATTESTED_SHARE, 100, 20, False),
        (Signal.ATTESTED_SHARE, 99, 0, None),
        (Signal.FRAUD_SHARE, 100, 21, True),
        (Signal.FRAUD_SHARE, 100, 20, False),
        (Signal.FRAUD_SHARE, 99, 99, None),
    ],
)
def test_a_share_is_of_at_least_a_hundred(
    on: Signal, devices: int, part: int, failing: bool | None
) -> None:
    counted = Established(devices=devices, attested=part, reversed=part)
    found = seen(Signals(DependencyWatch()), entry(on, permille=200), stored(population=counted))
    assert (None if found is None else found.failing) is failing


def test_a_share_fails_since_it_was_first_counted_so() -> None:
    signals, one = Signals(DependencyWatch()), entry(Signal.ATTESTED_SHARE, permille=200)
    low = stored(population=Established(devices=100, attested=1, reversed=0))
    high = stored(population=Established(devices=100, attested=50, reversed=0))
    times = [(low, 0), (low, 5), (high, 9), (low, 12), (low, 20)]
    found = [seen(signals, one, counted, NOW + at) for counted, at in times]
    assert [one.since - NOW for one in found if one] == [0, 0, 9, 12, 12]


def test_a_dependency_fails_since_its_first_unanswered_question() -> None:
    watch = DependencyWatch()
    signals, one = Signals(watch), entry(Signal.DEPENDENCY, "witness")
    well = seen(signals, one, stored())
    assert well is not None
    assert (well.failing, well.since) == (False, NOW)
    for at in (0, 1, FOR_MS):
        watch.failed("witness", Instant(NOW + at))
    failing = seen(signals, one, stored(), NOW + FOR_MS + 9)
    assert failing is not None
    assert (failing.failing, failing.since) == (True, NOW)


def run(name: str, at: int, verdict: Verdict) -> Run:
    looked = replace(saw(PROBES[0], verdict), observed_at=at)
    return Run(id=name, at=at, event=1, build="", dossier="", observations=(looked,))


def test_a_probe_fails_since_the_first_failure_in_a_row_and_unknown_says_nothing() -> None:
    signals, one = Signals(DependencyWatch()), entry(Signal.PROBE, PROBES[0].id)
    assert seen(signals, one, stored()) is None
    verdicts = (Verdict.FAIL, Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.FAIL)
    runs = tuple(run(f"run-{n}", n, verdict) for n, verdict in enumerate(verdicts))
    found = seen(signals, one, stored(runs=runs))
    assert found is not None
    assert (found.failing, found.since) == (True, 2)
    assert "in run run-2" in found.evidence
    assert seen(signals, entry(Signal.PROBE, "another"), stored(runs=runs)) is None


def test_a_certificate_fails_when_it_ends_or_is_withdrawn() -> None:
    signals, one = Signals(DependencyWatch()), entry(Signal.CERTIFICATE, "CERT-1")
    body = EvaluationCertificate(
        id="CERT-1", component="c", scheme="s", level="l", valid_from=1, valid_to=NOW + 5
    )
    row = CertificateRow(
        id="CERT-1", body=encode_canonical(body), event=1, withdrawn_at=0, because="",
        withdrawn_event=-1,
    )  # fmt: skip
    assert seen(signals, one, stored()) is None
    states = [
        (row, NOW + 4, False, 1),
        (row, NOW + 5, True, NOW + 5),
        (replace(row, withdrawn_at=NOW - 7, withdrawn_event=3), NOW, True, NOW - 7),
    ]
    for known, now, failing, since in states:
        found = seen(signals, one, stored(certificates=(known,)), now)
        assert found is not None
        assert (found.failing, found.since) == (failing, since)
