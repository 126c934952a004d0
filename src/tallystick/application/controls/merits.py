"""What was recorded of each subject of a ladder: counts over settled orders, devices, registers.

Nothing that a subject says of itself counts. Of an agent's payments only those count that are of
at least the ladder's amount and with customers whom the agent did not open; each customer counts
so many times at most. So payments to oneself, over one's own customers or with few friends earn
nothing.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.6
"""

from collections.abc import Iterable, Iterator, Mapping

from tallystick.application.controls.store import (
    LEAST,
    Established,
    Paid,
    agents_who_act,
    copied_devices,
    established,
    given_back_from_devices,
    given_back_with_agents,
    paid_from_devices,
    paid_with_agents,
)
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
                **_devices(reader, ladder.of, population),
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
    for agent in agents_who_act(reader):
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


def _by_agent(reader: Reader, ladder: Ladder, start: int, account: str = "") -> dict[str, Traffic]:
    """Traffic since `start` (ms) by the agent's account; of one `account` where it is given."""
    first = first_id_at("ord", max(0, start - _QUOTED_MS))
    paid = paid_with_agents(reader, first, start, ladder.least_minor, account)
    return _traffic(ladder, paid, given_back_with_agents(reader, first, start, account))


def _traffic_of(reader: Reader, ladder: Ladder, start: int) -> Traffic:
    """Traffic since `start` (ms) over the devices of the ladder's class."""
    first = first_id_at("ord", max(0, start - _QUOTED_MS))
    paid = paid_from_devices(reader, ladder.of, first, start, ladder.least_minor)
    back = given_back_from_devices(reader, ladder.of, first, start)
    return _traffic(ladder, paid, back).get(ladder.of, Traffic())


def _traffic(ladder: Ladder, paid: Iterable[Paid], back: Iterable[Paid]) -> dict[str, Traffic]:
    """Traffic by subject: each customer counts so many times at most, what went back always."""
    each: dict[str, dict[str, int]] = {}
    for one in paid:
        if _touches(ladder, one):
            with_whom = each.setdefault(one.subject, {})
            with_whom[one.other] = with_whom.get(one.other, 0) + one.number
    returned: dict[str, int] = {}
    for one in back:
        if _touches(ladder, one):
            returned[one.subject] = returned.get(one.subject, 0) + one.number
    return {
        subject: Traffic(
            settled=sum(min(one, ladder.each_at_most) for one in each.get(subject, {}).values()),
            customers=len(each.get(subject, {})),
            reversed=returned.get(subject, 0),
        )
        for subject in each.keys() | returned.keys()
    }


def _touches(ladder: Ladder, paid: Paid) -> bool:
    facts = {"kind": paid.kind, "grade": paid.grade}
    return all(facts[words.field] in words.words for words in ladder.words if words.field in facts)


def _devices(reader: Reader, trust: str, population: Established) -> dict[str, int]:
    """The share of attested devices where there are enough, and devices stopped as copied."""
    found = {Merit.COPIES.value: copied_devices(reader, trust)}
    if population.devices >= LEAST:
        found[Merit.ATTESTED_PERMILLE.value] = population.attested * 1000 // population.devices
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
