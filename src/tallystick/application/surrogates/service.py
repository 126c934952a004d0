"""Surrogates as the writer keeps them; whether somebody has a value back is decided here.

The cryptography is the caller's, whose module has the keys: MACs find a value, what is sealed is
sealed there. A value in clear never comes here.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; 7.5
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.application.policing import PolicyInForce
from tallystick.application.surrogates.model import (
    NO_PURPOSE,
    NO_WARRANT,
    OPEN,
    OUTER_RATE,
    DomainKeyRow,
    DomainRow,
    FinderRow,
    HeldRow,
    SpentRow,
    Wanted,
    WarrantRow,
    held_id,
    key_id,
)
from tallystick.application.surrogates.store import (
    DOMAIN,
    DOMAIN_KEY,
    FINDER,
    HELD,
    SPENT,
    WARRANT,
    drop_finders,
    every_domain,
    every_domain_key,
    every_warrant,
    held_before,
)
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import LimitExceeded, NotFound, NotPermitted, RateLimited
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import HOUR_MS

MOST_DRAWS: Final = 32
"""How often a surrogate is drawn anew where others have the one that came."""

CAPACITY: Final = 20_000

Seal = Callable[[str], bytes]
"""Gives a value sealed for the surrogate that it gets."""

Mac = Callable[[bytes], bytes]


class Surrogates:
    """Domains, their keys as blocks, what is held, and what was given back.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    def __init__(self, policy: PolicyInForce, reader: Reader) -> None:
        """Read what is kept from `reader`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._policy = policy
        self._reader = reader
        self._held = RowCache(HELD, HeldRow, reader, capacity=CAPACITY)
        self._finders = RowCache(FINDER, FinderRow, reader, capacity=CAPACITY)
        self._spent = RowCache(SPENT, SpentRow, reader, capacity=CAPACITY)
        self.domains: dict[str, DomainRow] = {}
        self.keys: dict[str, DomainKeyRow] = {}
        self.warrants: dict[str, WarrantRow] = {}
        self.reset()

    def reset(self) -> None:
        """Read everything again, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for cache in (self._held, self._finders, self._spent):
            cache.reset()
        self.domains = {one.id: one for one in every_domain(self._reader)}
        self.keys = {one.id: one for one in every_domain_key(self._reader)}
        self.warrants = {one.id: one for one in every_warrant(self._reader)}

    def trim(self) -> None:
        """Forget what is over capacity; between durable batches only.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        for cache in (self._held, self._finders, self._spent):
            cache.trim()

    def domain(self, name: str) -> DomainRow:
        """The domain of this name, if it is open; raises NotFound.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        row = self.domains.get(name)
        if row is None or row.state != OPEN:
            raise NotFound(
                "there is no such domain of surrogates", remedy="look at the list of domains"
            )
        return row

    def key(self, domain: str, generation: int) -> DomainKeyRow | None:
        """The keys of a generation, or None where none were made yet or they are destroyed.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self.keys.get(key_id(domain, generation))
        return row if row is not None and row.block else None

    def generations(self, domain: str) -> list[DomainKeyRow]:
        """The keys of a domain that are not destroyed, the newest first.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = [one for one in self.keys.values() if one.domain == domain and one.block]
        return sorted(found, key=lambda one: one.generation, reverse=True)

    def equip(self, turn: Turn, domain: str, block: bytes, cipher: bytes) -> int:
        """Keep the keys of the domain's newest generation; -1 where it has keys already.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self.domain(domain)
        name = key_id(domain, row.generation)
        if name in self.keys:
            return -1
        index = self.record(turn, "surrogates.keyed", domain, generation=row.generation)
        self.put_key(
            turn,
            DomainKeyRow(
                id=name, domain=domain, generation=row.generation, block=block, cipher=cipher,
                made_at=turn.now, event=index,
            ),
        )  # fmt: skip
        return index

    def found(self, names: tuple[str, ...]) -> str:
        """The surrogate to which one of these finders leads, or nothing.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        rows = (self._finders.get(name) for name in names)
        return next((row.surrogate for row in rows if row is not None and row.surrogate), "")

    def held(self, domain: str, surrogate: str) -> HeldRow:
        """What is held under a surrogate; raises NotFound, which does not repeat it.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        row = self._held.get(held_id(domain, surrogate))
        if row is None:
            raise NotFound("the domain has no such surrogate")
        return row

    def keep(
        self, turn: Turn, domain: str, finder: str, draw: Callable[[], str], seal: Seal
    ) -> str:
        """Hold a value that has no surrogate yet under one that nothing else has; gives that.

        Raises LimitExceeded where none is left to be drawn.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        row = self.domain(domain)
        for _ in range(MOST_DRAWS):
            surrogate = draw()
            name = held_id(domain, surrogate)
            if self._held.get(name) is None:
                break
        else:
            raise LimitExceeded("the domain has no surrogates left of this length")
        held = HeldRow(
            id=name, domain=domain, generation=row.generation, found_by=finder,
            sealed=seal(surrogate), made_at=turn.now,
        )  # fmt: skip
        self.record(turn, "surrogates.held", domain, generation=row.generation)
        self._held.put(name, held, turn.changes)
        leads = FinderRow(id=finder, domain=domain, surrogate=surrogate)
        self._finders.put(finder, leads, turn.changes)
        return surrogate

    def behind(self, domain: DomainRow, most: int) -> list[HeldRow]:
        """At most `most` values that a key before the newest still seals.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return held_before(self._reader, domain.id, domain.generation, most)

    def move(self, turn: Turn, moved: Mapping[str, tuple[str, bytes]]) -> int:
        """Take held values to their domain's newest generation: new finder and seal by id.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for name, (finder, sealed) in moved.items():
            row = self._held.get(name)
            if row is None or self.domain(row.domain).generation == row.generation:
                continue
            surrogate = name.partition("/")[2]
            old = FinderRow(id=row.found_by, domain=row.domain, surrogate="")
            new = FinderRow(id=finder, domain=row.domain, surrogate=surrogate)
            self._finders.put(row.found_by, old, turn.changes)
            self._finders.put(finder, new, turn.changes)
            after = replace(
                row,
                generation=self.domain(row.domain).generation,
                found_by=finder,
                sealed=sealed,
            )
            self._held.put(name, after, turn.changes)
        return -1

    def shed(self, turn: Turn, domain: str) -> int:
        """Destroy the keys before the newest, once nothing is left under them.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self.domain(domain)
        old = [one for one in self.generations(domain) if one.generation < row.generation]
        if not old or self.behind(row, 1):
            return -1
        index = self.record(turn, "surrogates.rotated", domain, generation=row.generation)
        for one in old:
            self.put_key(turn, replace(one, block=b"", cipher=b"", event=index))
        drop_finders(turn.changes, domain)
        return index

    def reveal(self, turn: Turn, wanted: Wanted, mac: Mac) -> int:
        """Record that values are given back; whoever asked may have them once this is durable.

        What two operators agreed for the domain must hold: its purpose and that one's count an
        hour, and for several at once their leave. Raises NotPermitted, RateLimited.
        Source: ISO/TS 12812-2:2017, 7.3.3; 7.5
        """
        row, number = self.domain(wanted.domain), len(wanted.surrogates)
        hourly = row.hourly(wanted.purpose)
        if not hourly:
            raise NotPermitted(
                "the domain has no such purpose",
                because=NO_PURPOSE,
                remedy="open the domain again with the purposes that are agreed",
            )
        if wanted.warrant:
            self._use(turn, wanted, number)
        else:
            self._spend(turn, wanted, number, hourly)
        return turn.record_about(
            "surrogates.revealed",
            policy=self._policy.version,
            mac=mac,
            committed={"case": wanted.case, "surrogates": ",".join(wanted.surrogates)},
            public={
                "domain": wanted.domain, "purpose": wanted.purpose, "program": wanted.program,
                "values": number, "warrant": wanted.warrant,
            },
        )  # fmt: skip

    def spent(self, domain: str, purpose: str, now: int) -> int:
        """How many values a purpose had back in this hour.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        row = self._spent.get(f"{domain}/{purpose}")
        return row.values if row is not None and row.hour == _hour(now) else 0

    def warrant(self, wanted: Wanted, now: int) -> WarrantRow:
        """The leave under which values are wanted; raises NotPermitted for any other.

        Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
        """
        row = self.warrants.get(wanted.warrant)
        fits = row is not None and (row.domain, row.purpose, row.program) == (
            wanted.domain, wanted.purpose, wanted.program,
        )  # fmt: skip
        if row is None or not fits or now >= row.until:
            raise NotPermitted(
                "no leave of two operators covers this",
                remedy="ask for one: tallystick operator act allow-detokenising",
                because=NO_WARRANT,
            )
        return row

    def record(self, turn: Turn, kind: str, domain: str, **more: int | str) -> int:
        """An event about a domain; gives its index.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return turn.record(kind, policy=self._policy.version, public={"domain": domain, **more})

    def put_domain(self, turn: Turn, row: DomainRow) -> None:
        """Keep a domain with this batch.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self.domains[row.id] = row
        turn.changes.upsert(DOMAIN, row.id, row_of(row))

    def put_key(self, turn: Turn, row: DomainKeyRow) -> None:
        """Keep the keys of a generation with this batch.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.keys[row.id] = row
        turn.changes.upsert(DOMAIN_KEY, row.id, row_of(row))

    def put_warrant(self, turn: Turn, row: WarrantRow) -> None:
        """Keep a leave with this batch.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self.warrants[row.id] = row
        turn.changes.upsert(WARRANT, row.id, row_of(row))

    def _use(self, turn: Turn, wanted: Wanted, number: int) -> None:
        row = self.warrant(wanted, turn.now)
        if row.used + number > row.most:
            raise NotPermitted(
                f"the leave has {row.most - row.used} values left",
                because=NO_WARRANT,
                remedy="ask for fewer, or let two officers give another leave",
            )
        self.put_warrant(turn, replace(row, used=row.used + number))

    def _spend(self, turn: Turn, wanted: Wanted, number: int, hourly: int) -> None:
        before = self.spent(wanted.domain, wanted.purpose, turn.now)
        if before + number > hourly:
            raise RateLimited(
                f"the purpose had its {hourly} values of this hour back",
                because=OUTER_RATE,
                remedy="ask again in the next hour",
            )
        name = f"{wanted.domain}/{wanted.purpose}"
        spent = SpentRow(id=name, hour=_hour(turn.now), values=before + number)
        self._spent.put(name, spent, turn.changes)


def _hour(now: int) -> int:
    return now - now % HOUR_MS
