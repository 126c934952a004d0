"""Surrogates at the door: made and led back under keys that only the module of the door has.

Whoever wants a value back needs a row of the door's settings and what two operators agreed for the
domain; the value leaves once the record of it is durable.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2; 7.5; NIST SP 800-38G
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from tallystick.application.paycrypt import PaymentKeys
from tallystick.application.surrogates import Surrogates
from tallystick.application.surrogates.forms import (
    Kind,
    Way,
    check_surrogate,
    check_value,
    drawn,
)
from tallystick.application.surrogates.model import OPEN, Wanted
from tallystick.application.turn import Turn
from tallystick.entry.paycrypt.asking import Asking
from tallystick.entry.paycrypt.surrogate_keys import SurrogateKeys
from tallystick.kernel.errors import Conflict
from tallystick.protocol.surrogates import (
    Detokenise,
    DetokeniseMany,
    ListSurrogateDomains,
    RenewSurrogate,
    SurrogateAnswer,
    SurrogateDomain,
    SurrogateDomains,
    Tokenise,
    ValueAnswer,
    ValuesAnswer,
)

RESOURCE: Final = "surrogates/"
MOVED_AT_ONCE: Final = 200
T = TypeVar("T")


async def tokenise(ask: Asking, asked: Tokenise) -> SurrogateAnswer:
    """The surrogate of a value: the one that it has in the domain, or a new one.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    ask.allow(RESOURCE + asked.domain)
    keys = ask.on.surrogate_keys

    def act(desk: Surrogates, turn: Turn) -> SurrogateAnswer:
        domain = desk.domain(asked.domain)
        kind = Kind(domain.kind)
        check_value(kind, asked.value)
        newest = keys.newest(desk, turn, domain)
        if domain.way == Way.FF1:
            made = keys.encipher(newest, kind, asked.value)
            return SurrogateAnswer(surrogate=made, generation=domain.generation)
        finders = tuple(keys.finder(one, asked.value) for one in keys.every(desk, domain))
        found = desk.found(finders) or desk.keep(
            turn,
            domain.id,
            finders[0],
            lambda: drawn(kind, asked.value, domain.keeps, turn.entropy),
            partial(keys.seal, newest, asked.value),
        )
        return SurrogateAnswer(surrogate=found, generation=domain.generation)

    return await _in_turn(ask, act)


async def detokenise(ask: Asking, asked: Detokenise) -> ValueAnswer:
    """The value of one surrogate.

    Raises NotPermitted, RateLimited, NotFound.
    Source: ISO/TS 12812-2:2017, 7.3.4; 7.5
    """
    ask.allow(RESOURCE + asked.domain)
    wanted = Wanted(
        program=ask.program, domain=asked.domain, purpose=asked.purpose, case=asked.case,
        surrogates=(asked.surrogate,),
    )  # fmt: skip
    values = await _in_turn(ask, partial(_given_back, ask.on.surrogate_keys, wanted, asked))
    ask.on.revealed[asked.domain] = ask.on.revealed.get(asked.domain, 0) + 1
    return ValueAnswer(value=values[0])


async def detokenise_many(ask: Asking, asked: DetokeniseMany) -> ValuesAnswer:
    """The values of several surrogates, under two operators' leave.

    Raises NotPermitted, NotFound where one of them is none.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """
    ask.allow(RESOURCE + asked.domain)
    wanted = Wanted(
        program=ask.program, domain=asked.domain, purpose=asked.purpose, case=asked.case,
        surrogates=asked.surrogates, warrant=asked.warrant,
    )  # fmt: skip
    values = await _in_turn(ask, partial(_given_back, ask.on.surrogate_keys, wanted, asked))
    ask.on.revealed[asked.domain] = ask.on.revealed.get(asked.domain, 0) + len(values)
    return ValuesAnswer(values=values)


async def renew(ask: Asking, asked: RenewSurrogate) -> SurrogateAnswer:
    """The surrogate under the newest keys of the value that one under older keys stands for.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    ask.allow(RESOURCE + asked.domain)
    keys = ask.on.surrogate_keys

    def act(desk: Surrogates, turn: Turn) -> SurrogateAnswer:
        domain = desk.domain(asked.domain)
        if domain.way != Way.FF1:
            raise Conflict("what is held moves to new keys by itself, and its surrogates stay")
        kind = Kind(domain.kind)
        newest = keys.newest(desk, turn, domain)
        value = keys.decipher(keys.of(desk, domain, asked.generation), kind, asked.surrogate)
        made = keys.encipher(newest, kind, value)
        return SurrogateAnswer(surrogate=made, generation=domain.generation)

    return await _in_turn(ask, act)


def listed(ask: Asking, _: ListSurrogateDomains) -> SurrogateDomains:
    """The domains that the program may make surrogates in.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    desk = ask.on.kept.surrogates
    rows = [
        one
        for one in desk.domains.values()
        if one.state == OPEN and ask.on.settings.allows(ask.program, "Tokenise", RESOURCE + one.id)
    ]
    shown = tuple(
        SurrogateDomain(
            domain=one.id, kind=one.kind, way=one.way, keeps=one.keeps, generation=one.generation,
            oldest_generation=min(
                (key.generation for key in desk.generations(one.id)), default=one.generation
            ),
        )
        for one in sorted(rows, key=lambda row: row.id)
    )  # fmt: skip
    return SurrogateDomains(domains=shown)


def move_some(
    keys: SurrogateKeys, name: str, moved: list[int], kept: PaymentKeys, turn: Turn
) -> int:
    """Take some values of a domain to its newest keys; `moved` gets how many there were.

    Once none is left, the older keys are destroyed.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    desk = kept.surrogates
    domain = desk.domains[name]
    rows = desk.behind(domain, MOVED_AT_ONCE) if domain.state == OPEN else []
    moved.append(len(rows))
    if not rows:
        return desk.shed(turn, name) if domain.state == OPEN else -1
    newest = keys.newest(desk, turn, domain)
    after: dict[str, tuple[str, bytes]] = {}
    for row in rows:
        value = keys.open(keys.of(desk, domain, row.generation), row)
        surrogate = row.id.partition("/")[2]
        after[row.id] = keys.finder(newest, value), keys.seal(newest, value, surrogate)
    return desk.move(turn, after)


def _given_back(
    keys: SurrogateKeys,
    wanted: Wanted,
    asked: Detokenise | DetokeniseMany,
    desk: Surrogates,
    turn: Turn,
) -> tuple[str, ...]:
    domain = desk.domain(wanted.domain)
    kind = Kind(domain.kind)
    for surrogate in wanted.surrogates:
        check_surrogate(kind, surrogate)
    newest = keys.newest(desk, turn, domain)
    if domain.way == Way.FF1:
        by = keys.of(desk, domain, asked.generation or domain.generation)
        values = tuple(keys.decipher(by, kind, one) for one in wanted.surrogates)
    else:
        rows = [desk.held(domain.id, one) for one in wanted.surrogates]
        values = tuple(keys.open(keys.of(desk, domain, row.generation), row) for row in rows)
    desk.reveal(turn, wanted, partial(keys.module.mac, newest.holding))
    return values


async def _in_turn(ask: Asking, act: Callable[[Surrogates, Turn], T]) -> T:
    """Have the writer do `act`; gives what it gave, once that is durable."""
    given: list[T] = []

    def done(kept: PaymentKeys, turn: Turn) -> int:
        before = turn.next_event()
        given.append(act(kept.surrogates, turn))
        after = turn.next_event()
        return after - 1 if after > before else -1

    await ask.write(done)
    return given[-1]
