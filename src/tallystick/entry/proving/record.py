"""Probes of the record: log, books, consents, witness, backup, erasure, what stands in clear.

Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4; 9.1
"""

from pathlib import Path
from typing import Final

from tallystick.application.customers.store import erased_and_left
from tallystick.application.payments.store import last_orders
from tallystick.entry.auditing import audit_database, audit_provider, believed, note_anchor
from tallystick.entry.explaining import explain_event
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    declare,
    failed,
    judged,
    part,
    passed,
    unknown,
)
from tallystick.entry.proving.site import Site
from tallystick.entry.rechecking import Verifier
from tallystick.entry.restoring import read_backup
from tallystick.entry.witnessing import WITNESSED_NOTE
from tallystick.infrastructure.ledger.daybook import check_books, trial_balance
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.tally.checkpoint import parse_note
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import Broken, MfsError
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.receipt import parse_checkpoint

LATEST = 20_000
"""How many of the newest events have their consents verified again."""

TRACED = 5
"""So many of the newest orders are followed from end to end."""

BACKUP_LIFE_MS = DAY_MS
_SCAN = 1 << 28
_CHUNK = 1 << 22

_DECLARED: Final[tuple[Declared, ...]] = (
    ("record.audit", CheckKind.STATIC, ("MFS-7.3.3-07", part("MFS-7.3.3-09")),
     "every event, order and balance follows from the signed log"),
    ("record.traced", CheckKind.STATIC, ("MFS-7.3.3-09",),
     "of each of the newest orders stages, policy row, facts and proof are found again"),
    ("record.books", CheckKind.STATIC, ("MFS-7.3.3-06", "MFS-13.1-01"),
     "debits equal credits, and what is owed is safeguarded"),
    ("record.witness", CheckKind.STATIC, ("MFS-7.3.3-07",),
     "somebody outside countersigned the log within a day"),
    ("record.erased", CheckKind.STATIC, ("MFS-7.3.4-09",),
     "of an erased person no key and no profile is left"),
    ("record.consents", CheckKind.TELEMETRY, ("MFS-11.2.2-01", part("MFS-7.2.7-04")),
     "every order was consented to as it was executed"),
    ("record.backup", CheckKind.STATIC, ("MFS-6.2.3-04",),
     "a backup of the last day is there and its log verifies"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class RecordProbes:
    """Looks at the record of one provider.

    Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe that needs nothing but the record.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "record.audit": self.audit,
            "record.books": self.books,
            "record.witness": self.witness,
            "record.erased": self.erased,
        }
        if self._site.everything or self._site.opener is not None:
            looks["record.consents"] = self.consents
            looks["record.traced"] = self.traced
        if self._site.everything or self._site.backup is not None:
            looks["record.backup"] = self.backup
        declare(registry, _DECLARED, looks)

    def audit(self, now: Instant) -> Seen:
        """Everything that the record shows against itself and against the witness.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        folder = self._site.folder
        path = folder.root / WITNESSED_NOTE
        anchors = (
            [note_anchor(path.read_text(encoding="utf-8"), believed(folder), path.name)]
            if path.exists()
            else []
        )
        report = audit_provider(folder, anchors)
        found = [f"{one.kind.value} {one.row}" for one in report.findings]
        return judged(
            not found,
            f"{report.rows} events fit, {report.vouched} under a signed root",
            "; ".join(found[:3]),
            events=report.rows,
            vouched=report.vouched,
            findings=len(found),
            anchors=len(report.anchors),
        )

    def books(self, now: Instant) -> Seen:
        """Whether the trial balance is even and covered, over the stored accounts.

        Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
        """
        with self._site.reading() as reader:
            trials = trial_balance(LedgerStore(reader).balance_lines())
        try:
            check_books(trials)
        except Broken as error:
            return failed(error.detail)
        if not trials:
            return unknown("there are no accounts yet")
        posted = sum(one.posted_debit for one in trials.values())
        return passed("the books are even and covered", currencies=len(trials), posted=str(posted))

    def witness(self, now: Instant) -> Seen:
        """Whether the newest countersigned checkpoint is of today, and not far behind.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        path = self._site.folder.root / WITNESSED_NOTE
        if not path.exists():
            return failed("nobody outside countersigns the log")
        note = path.read_text(encoding="utf-8")
        note_anchor(note, believed(self._site.folder), path.name)
        size = parse_checkpoint(parse_note(note).text).size
        with self._site.reading() as reader:
            behind = TallyStore(reader).size() - size
        age = now - int(path.stat().st_mtime * 1000)
        return judged(
            age <= DAY_MS,
            f"countersigned up to event {size}",
            f"the last countersignature is {age // 3_600_000} h old",
            size=size,
            behind=behind,
            age_ms=age,
        )

    def erased(self, now: Instant) -> Seen:
        """Whether anything is left of persons who were erased.

        Source: ISO/TS 12812-2:2017, 14.2.1
        """
        with self._site.reading() as reader:
            erased, left = erased_and_left(reader)
        return judged(
            not left,
            f"nothing is left of {erased} erased persons",
            f"keys or profiles of {left} erased persons are still there",
            erased=erased,
            left=left,
        )

    def consents(self, now: Instant) -> Seen:
        """Whether the newest orders were consented to as they were executed.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        opener = self._site.opener
        if opener is None:
            return unknown("nothing was brought that opens the customers' keys")
        with self._site.reading() as reader:
            size = TallyStore(reader).size()
        with Verifier(self._site.folder, opener, self._site.clock) as verifier:
            done = verifier.recheck(max(0, size - LATEST))
        total = done.orders + len(done.doubts)
        return judged(
            not done.doubts,
            f"{done.orders} of {total} orders fit their consent",
            f"{len(done.doubts)} of {total} orders do not fit their consent",
            numerator=done.orders,
            denominator=total,
            erased=done.erased,
        )

    def traced(self, now: Instant) -> Seen:
        """Whether the newest orders can be followed from order to decision, facts and proof.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        folder, opener = self._site.folder, self._site.opener
        if opener is None:
            return unknown("nothing was brought that opens the facts of decisions")
        with self._site.reading() as reader:
            orders = last_orders(reader, TRACED)
            signed = TallyStore(reader).latest_checkpoint()
        size = 0 if signed is None else signed[0]
        broken: list[str] = []
        for one in orders:
            try:
                found = explain_event(folder, one, opener, self._site.clock)
            except MfsError:
                broken.append(one)
                continue
            whole = found.steps and found.facts is not None and found.committed
            unproved = found.index < size and not found.checkpoint
            if not whole or unproved or not found.event.policy:
                broken.append(one)
        if not orders:
            return unknown("there are no orders yet")
        return judged(
            not broken,
            f"{len(orders)} of {len(orders)} orders are traced whole",
            f"{len(broken)} of {len(orders)} orders are not: {', '.join(broken[:3])}",
            numerator=len(orders) - len(broken),
            denominator=len(orders),
        )

    def backup(self, now: Instant) -> Seen:
        """Whether the backup that was named is of the last day, and its log verifies.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        place = self._site.backup
        if place is None:
            return unknown("no backup was named")
        taken = read_backup(place)
        age = now - taken.taken_at
        report = audit_database(place / "tallystick.db", believed(self._site.folder))
        good = not report.findings and age <= BACKUP_LIFE_MS
        return judged(
            good,
            f"{taken.events} events, {age // 3_600_000} h old, all of them fit",
            f"{age // 3_600_000} h old, {len(report.findings)} findings",
            events=taken.events,
            age_ms=age,
            findings=len(report.findings),
        )


def scan_for(paths: list[Path], octets: list[bytes], wanted: dict[str, bytes]) -> Seen:
    """Whether anything of `wanted` stands in clear in the files `paths` or in `octets`.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    if not wanted:
        return unknown("there was nothing to search for")
    found: set[str] = set()
    looked = 0
    for path in paths:
        size = path.stat().st_size if path.exists() else 0
        if size > _SCAN:
            return unknown(f"{path.name} is too large to be searched whole", octets=size)
        if size:
            looked += size
            found |= _in_file(path, wanted)
    joined = b"".join(octets)
    looked += len(joined)
    found |= {name for name, secret in wanted.items() if secret in joined}
    if not looked:
        return unknown("there was nothing to search")
    return judged(
        not found,
        f"none of {len(wanted)} markers in {looked} octets",
        f"in clear: {', '.join(sorted(found))}",
        markers=len(wanted),
        found=len(found),
        octets=looked,
    )


def _in_file(path: Path, wanted: dict[str, bytes]) -> set[str]:
    found: set[str] = set()
    overlap = max(len(secret) for secret in wanted.values())
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            window = tail + chunk
            found |= {name for name, secret in wanted.items() if secret in window}
            tail = window[-overlap:]
    return found
