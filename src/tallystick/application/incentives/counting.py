"""What was recorded of each subject of a ladder: counts over settled orders, devices, registers.

Nothing that a subject says of itself counts. Of an agent's payments only those count that are of
at least the ladder's amount and with customers whom the agent did not open; each customer counts
so many times at most. So payments to oneself, over one's own customers or with few friends earn
nothing.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.6
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tallystick.application.controls.store import LEAST, Established, established
from tallystick.application.devices.model import COPIED, DeviceStatus
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.ids import first_id_at
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, HOUR_MS
from tallystick.process.isms.model import Entry, Registers
from tallystick.process.isms.training import PEOPLE, trained_until
from tallystick.process.policy.facts import Merit, SubjectClass
from tallystick.process.policy.incentives import Counted, Standing, standing_id
from tallystick.process.policy.language.model import Ladder

VENDORS = "vendors"
_QUOTED_MS = HOUR_MS
"""An order's id is older than the order, by less than this."""


class Agent(NamedTuple):
    """An agent: customer, account, and since when (ms).

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    customer: str
    account: str
    opened_at: int


class Traffic(Record, frozen=True, kw_only=True):
    """Payments that count: settled ones, with how many customers, and how many were given back.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    settled: int = 0
    customers: int = 0
    reversed: int = 0

    def measures(self) -> dict[str, int]:
        """As measures; the share of what was given back only where there is any payment.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        found = {
            Merit.SETTLED_PAYMENTS.value: self.settled,
            Merit.DISTINCT_CUSTOMERS.value: self.customers,
            Merit.REVERSED_PAYMENTS.value: self.reversed,
        }
        if self.settled + self.reversed:
            share = -(-self.reversed * 1000 // (self.settled + self.reversed))
            found[Merit.REVERSED_PERMILLE.value] = share
        return found


def count(
    reader: Reader,
    ladders: Iterable[Ladder],
    standings: Mapping[str, Standing],
    registers: Registers,
    now: int,
    since: int,
) -> dict[str, Counted]:
    """What is counted at `now` (ms) of every subject, by `standing_id`.

    `since` (ms) is when the policy took effect: device classes and vendors are there since then.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    found: dict[str, Counted] = {}
    population: Established | None = None
    for ladder in ladders:
        if ladder.subject is SubjectClass.AGENT:
            found.update(_agents(reader, ladder, standings, registers, now))
            continue
        name = standing_id(ladder.id, ladder.of)
        start = _start(standings.get(name), ladder, now)
        if ladder.subject is SubjectClass.VENDOR:
            measures = _vendor(registers, ladder.of, now)
        else:
            population = population or established(reader, now)
            measures = {
                **_traffic_of(reader, ladder, start).measures(),
                **_devices(reader, ladder, population),
            }
        found[name] = _counted(measures, standings.get(name), since, now)
    return found


def _counted(measures: dict[str, int], stands: Standing | None, begun: int, now: int) -> Counted:
    clean = begun if stands is None else stands.counted_from
    days = max(0, now - clean) // DAY_MS
    return Counted(begun=begun, measures={**measures, Merit.DAYS_WITHOUT_FINDING.value: days})


def _start(stands: Standing | None, ladder: Ladder, now: int) -> int:
    """From when on facts count: the ladder's time, or since a finding or people moved it."""
    return max(now - ladder.within_ms, 0 if stands is None else stands.counted_from)


def _agents(
    reader: Reader,
    ladder: Ladder,
    standings: Mapping[str, Standing],
    registers: Registers,
    now: int,
) -> Iterator[tuple[str, Counted]]:
    trained = {
        one.text("customer"): trained_until(one)
        for one in registers.entries(PEOPLE).values()
        if one.flag("active") and one.text("customer")
    }
    window = now - ladder.within_ms
    everybody = _by_agent(reader, ladder, window)
    for agent in agents(reader):
        name = standing_id(ladder.id, agent.customer)
        stands = standings.get(name)
        start = _start(stands, ladder, now)
        traffic = everybody.get(agent.account, Traffic())
        if start > window:
            one = _by_agent(reader, ladder, start, agent.account)
            traffic = one.get(agent.account, Traffic())
        measures = traffic.measures()
        if agent.customer in trained:
            left = max(0, trained[agent.customer] - now)
            measures[Merit.TRAINING_DAYS.value] = left // DAY_MS
        elif PEOPLE in registers.kept:
            measures[Merit.TRAINING_DAYS.value] = 0
        yield name, _counted(measures, stands, agent.opened_at, now)


def agents(reader: Reader) -> list[Agent]:
    """The agents who may act, in order.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    rows = reader.rows(
        "SELECT id, account, opened_at FROM customer WHERE kind = 'agent' AND status = 'active'"
        " ORDER BY id"
    )
    return [Agent(str(row[0]), str(row[1]), int(row[2])) for row in rows]


def _by_agent(reader: Reader, ladder: Ladder, start: int, account: str = "") -> dict[str, Traffic]:
    """Traffic since `start` (ms) by the agent's account; of one `account` where it is given."""
    first = first_id_at("ord", max(0, start - _QUOTED_MS))
    settled: dict[str, int] = {}
    customers: dict[str, set[str]] = {}
    back: dict[str, int] = {}
    rows = reader.rows(
        "SELECT paid.kind, paid.grade, CASE WHEN paid.kind = 'cash-in' THEN paid.payer"
        " ELSE paid.payee END AS agent, CASE WHEN paid.kind = 'cash-in' THEN paid.payee"
        " ELSE paid.payer END AS other, COUNT(*) FROM payment_order AS paid"
        " JOIN account_owner AS at_agent ON at_agent.account ="
        " CASE WHEN paid.kind = 'cash-in' THEN paid.payer ELSE paid.payee END"
        " JOIN account_owner AS at_other ON at_other.account ="
        " CASE WHEN paid.kind = 'cash-in' THEN paid.payee ELSE paid.payer END"
        " JOIN customer AS known ON known.id = at_other.customer"
        " WHERE paid.kind IN ('cash-in', 'cash-out') AND paid.stage = 'settled' AND paid.id >= ?"
        " AND paid.at >= ? AND paid.amount_minor >= ? AND known.opened_by <> at_agent.customer"
        " AND (? = '' OR paid.payer = ? OR paid.payee = ?)"
        " GROUP BY paid.kind, paid.grade, agent, other",
        (first, start, ladder.least_minor, account, account, account),
    )
    each: dict[tuple[str, str], int] = {}
    for kind, grade, agent, other, number in rows:
        if _touches(ladder, kind=str(kind), grade=str(grade)):
            place = (str(agent), str(other))
            each[place] = each.get(place, 0) + int(number)
    for (agent, other), number in each.items():
        settled[agent] = settled.get(agent, 0) + min(number, ladder.each_at_most)
        customers.setdefault(agent, set()).add(other)
    for kind, grade, agent, number in _given_back(reader, first, start, account):
        if _touches(ladder, kind=kind, grade=grade):
            back[agent] = back.get(agent, 0) + number
    return {
        one: Traffic(
            settled=settled.get(one, 0),
            customers=len(customers.get(one, ())),
            reversed=back.get(one, 0),
        )
        for one in settled.keys() | back.keys()
    }


def _given_back(
    reader: Reader, first: str, start: int, account: str
) -> Iterator[tuple[str, str, str, int]]:
    """Kind, grade and agent's account of what two operators gave back, and how many; any amount."""
    rows = reader.rows(
        "SELECT paid.kind, paid.grade, CASE WHEN paid.kind = 'cash-in' THEN paid.payer"
        " ELSE paid.payee END AS agent, COUNT(*) FROM payment_order AS back"
        " JOIN payment_order AS paid ON paid.id = back.original"
        " WHERE back.kind = 'reversal' AND back.stage = 'settled' AND back.id >= ? AND back.at >= ?"
        " AND paid.kind IN ('cash-in', 'cash-out')"
        " AND (? = '' OR paid.payer = ? OR paid.payee = ?) GROUP BY paid.kind, paid.grade, agent",
        (first, start, account, account, account),
    )
    for kind, grade, agent, number in rows:
        yield str(kind), str(grade), str(agent), int(number)


def _touches(ladder: Ladder, *, kind: str, grade: str) -> bool:
    facts = {"kind": kind, "grade": grade}
    return all(facts[words.field] in words.words for words in ladder.words if words.field in facts)


def _traffic_of(reader: Reader, ladder: Ladder, start: int) -> Traffic:
    """Traffic since `start` (ms) over the devices of the ladder's class."""
    first = first_id_at("ord", max(0, start - _QUOTED_MS))
    each: dict[str, int] = {}
    back = 0
    rows = reader.rows(
        "SELECT paid.kind, paid.grade, paid.payer, COUNT(*) FROM payment_order AS paid"
        " JOIN device ON device.id = paid.device WHERE device.trust = ?"
        " AND paid.stage = 'settled' AND paid.id >= ? AND paid.at >= ? AND paid.amount_minor >= ?"
        " GROUP BY paid.kind, paid.grade, paid.payer",
        (ladder.of, first, start, ladder.least_minor),
    )
    for kind, grade, payer, number in rows:
        if _touches(ladder, kind=str(kind), grade=str(grade)):
            each[str(payer)] = each.get(str(payer), 0) + int(number)
    rows = reader.rows(
        "SELECT paid.kind, paid.grade, COUNT(*) FROM payment_order AS back"
        " JOIN payment_order AS paid ON paid.id = back.original"
        " JOIN device ON device.id = paid.device WHERE device.trust = ?"
        " AND back.kind = 'reversal' AND back.stage = 'settled' AND back.id >= ? AND back.at >= ?"
        " GROUP BY paid.kind, paid.grade",
        (ladder.of, first, start),
    )
    for kind, grade, number in rows:
        if _touches(ladder, kind=str(kind), grade=str(grade)):
            back += int(number)
    settled = sum(min(number, ladder.each_at_most) for number in each.values())
    return Traffic(settled=settled, customers=len(each), reversed=back)


def _devices(reader: Reader, ladder: Ladder, population: Established) -> dict[str, int]:
    """The share of attested devices where there are enough, and devices stopped as copied."""
    found: dict[str, int] = {}
    if population.devices >= LEAST:
        found[Merit.ATTESTED_PERMILLE.value] = population.attested * 1000 // population.devices
    row = reader.one(
        "SELECT COUNT(*) FROM device WHERE trust = ? AND status = ? AND because = ?",
        (ladder.of, DeviceStatus.SUSPENDED.value, COPIED),
    )
    found[Merit.COPIES.value] = 0 if row is None else int(row[0])
    return found


def _vendor(registers: Registers, name: str, now: int) -> dict[str, int]:
    """What the register of vendors says; nothing of a vendor that is not in it or not active."""
    entry = registers.entries(VENDORS).get(name)
    if entry is None or not entry.flag("active"):
        return {Merit.VERIFIED_DAYS.value: 0, Merit.SERVICE_LEVEL.value: 0}
    left = max(0, _verified_until(entry) - now)
    return {
        Merit.VERIFIED_DAYS.value: left // DAY_MS,
        Merit.SERVICE_LEVEL.value: int(entry.flag("service_level_met")),
    }


def _verified_until(entry: Entry) -> int:
    return entry.number("verified") + entry.number("verify_every")
