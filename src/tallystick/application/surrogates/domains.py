"""What operators say of domains of surrogates; each act needs two people, whatever the policy says.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4; 7.4.2
"""

from typing import Final

from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.surrogates.forms import KEEPS, Kind, Way
from tallystick.application.surrogates.model import DESTROYED, OPEN, DomainRow, WarrantRow
from tallystick.application.surrogates.service import Surrogates
from tallystick.application.surrogates.store import drop_domain
from tallystick.application.turn import Turn
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import MINUTE_MS
from tallystick.protocol.surrogates import (
    AllowDetokenising,
    OpenSurrogateDomain,
    StepSurrogateDomain,
)

LONGEST_MINUTES: Final = 24 * 60
MOST_VALUES: Final = 1_000_000
_open = Decoder(OpenSurrogateDomain, limit=8192)
_step = Decoder(StepSurrogateDomain, limit=2048)
_allow = Decoder(AllowDetokenising, limit=2048)


class SurrogateActs:
    """Opens domains, changes their keys, destroys them, and gives leave for many values at once.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(self, desk: Surrogates) -> None:
        """Act on `desk`.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._desk = desk

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {
            "open-surrogate-domain": self._open,
            "step-surrogate-domain": self._step,
            "allow-detokenising": self._allow,
        }

    def _open(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("open a domain of surrogates", jws, because="dual control")
        asked = _open.decode(body)
        kind, way = Kind(asked.kind), Way(asked.way)
        if asked.keeps not in KEEPS or (asked.keeps and (kind, way) != (Kind.PAN, Way.RANDOM)):
            raise Malformed("only random surrogates of a pan keep digits, and they keep 4")
        agreed = encode_canonical(_agreed(asked.purposes)).decode()
        known = self._desk.domains.get(asked.domain)
        fixed = asked.kind, asked.way, asked.keeps
        if known is not None and (known.kind, known.way, known.keeps) != fixed:
            raise Conflict(
                "the domain is of another kind, way or keeps another number of digits",
                remedy="open a domain of another name",
            )
        if known is not None and known.state != OPEN:
            raise Conflict("the domain is destroyed", remedy="open one of another name")
        index = self._desk.record(
            turn, "surrogates.opened", asked.domain, of=asked.kind, way=asked.way,
            because=asked.because, purposes=agreed,
        )  # fmt: skip
        row = DomainRow(
            id=asked.domain, kind=asked.kind, way=asked.way, keeps=asked.keeps, purposes=agreed,
            state=OPEN, generation=known.generation if known else 1,
            opened_at=known.opened_at if known else turn.now, event=index,
        )  # fmt: skip
        self._desk.put_domain(turn, row)
        return Acted(f"the domain {asked.domain} is open", index, asked.domain)

    def _step(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("change the keys of a domain", jws, because="dual control")
        asked = _step.decode(body)
        row = self._desk.domain(asked.domain)
        if asked.turn_to == "new-keys":
            return self._rotate(turn, row, asked.because)
        if asked.turn_to == "no-old-keys":
            return self._end_old(turn, row, asked.because)
        return self._destroy(turn, row, asked.because)

    def _rotate(self, turn: Turn, row: DomainRow, because: str) -> Acted:
        if self._desk.key(row.id, row.generation) is None:
            raise Conflict(
                "the newest keys were not used yet", remedy="wait until values are kept under them"
            )
        if len(self._desk.generations(row.id)) > 1 and row.way == Way.RANDOM:
            raise Conflict("values are on their way to the newest keys", remedy="try again soon")
        after = row.generation + 1
        index = self._stepped(turn, row, because, generation=after)
        self._desk.put_domain(turn, replace(row, generation=after, event=index))
        return Acted(f"{row.id} goes on under keys of generation {after}", index, row.id)

    def _end_old(self, turn: Turn, row: DomainRow, because: str) -> Acted:
        old = [one for one in self._desk.generations(row.id) if one.generation < row.generation]
        if row.way == Way.RANDOM or not old:
            raise Conflict(
                "there are no old keys to end; what is held moves by itself",
                remedy="nothing is to be done",
            )
        index = self._stepped(turn, row, because, ended=len(old))
        for one in old:
            self._desk.put_key(turn, replace(one, block=b"", cipher=b"", event=index))
        return Acted(f"surrogates of {row.id} under older keys lead nowhere now", index, row.id)

    def _destroy(self, turn: Turn, row: DomainRow, because: str) -> Acted:
        index = self._stepped(turn, row, because, state=DESTROYED)
        for one in self._desk.generations(row.id):
            self._desk.put_key(turn, replace(one, block=b"", cipher=b"", event=index))
        self._desk.put_domain(turn, replace(row, state=DESTROYED, event=index))
        drop_domain(turn.changes, row.id)
        return Acted(f"{row.id} is destroyed: its surrogates stand for nothing", index, row.id)

    def _allow(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("let many values out at once", jws, because="dual control")
        asked = _allow.decode(body)
        row = self._desk.domain(asked.domain)
        if not row.hourly(asked.purpose):
            raise Conflict(
                "the domain has no such purpose",
                remedy="open the domain again with the purposes that are agreed",
            )
        if not (1 <= asked.minutes <= LONGEST_MINUTES and 1 <= asked.most <= MOST_VALUES):
            raise Malformed(f"leave is for 1 to {LONGEST_MINUTES} minutes and {MOST_VALUES} values")
        name, until = turn.new_id("wrt"), turn.now + asked.minutes * MINUTE_MS
        index = self._desk.record(
            turn, "surrogates.allowed", asked.domain, purpose=asked.purpose,
            program=asked.workload, values=asked.most, warrant=name, because=asked.because,
        )  # fmt: skip
        leave = WarrantRow(
            id=name, domain=asked.domain, purpose=asked.purpose, program=asked.workload,
            most=asked.most, used=0, until=until, event=index,
        )  # fmt: skip
        self._desk.put_warrant(turn, leave)
        return Acted(f"{asked.workload} may have {asked.most} values back", index, name)

    def _stepped(self, turn: Turn, row: DomainRow, because: str, **more: int | str) -> int:
        return self._desk.record(turn, "surrogates.stepped", row.id, because=because, **more)


def _agreed(purposes: tuple[str, ...]) -> dict[str, int]:
    found = {name: int(hourly) for name, _, hourly in (one.partition(":") for one in purposes)}
    if len(found) != len(purposes):
        raise Malformed("a purpose is named once")
    return found
