"""Menu sessions whose callbacks repeat all inputs: each page once, whatever is sent again.

    first, empty     -> menu, or: the last payment, or terms that a dropped session had shown
    the same again   -> the same page, nothing is done twice
    one input more   -> a PIN becomes a block, a code a MAC, the text is let go, the menu steps
    anything else    -> the session ends, and security monitoring is told

The session of a caller is bound to number, service code and network. A number has one session at a
time. After a PIN nothing can be taken up again: what became of the order is told instead.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 7.3.3; 11.2.2
"""

import asyncio
from dataclasses import dataclass, field

from tallystick.application.channels import (
    NAVIGATION,
    Action,
    Ended,
    MenuFacts,
    Result,
    Screen,
    Typed,
    UssdSession,
    asks_secret,
    interrupted,
    open_session,
    resume,
    step,
    taken,
)
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.takingup import Dialler, Left, TakingUp
from tallystick.entry.notes import Note
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Replayed
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.callbacks import (
    Compared,
    History,
    Mac,
    no_history,
    skips_a_step,
)

_MOST = 50_000
_SWEPT_AT_ONCE = 8


@dataclass(slots=True)
class Called:
    """A callback that was found authentic. `text` is every input so far, and gone once it was read.

    It is empty and not `readable` where a phone sent what no keypad of the menu has.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.4
    """

    aggregator: str
    session: str
    msisdn: str
    service: str
    network: str
    text: Secret[str]
    readable: bool = True


@dataclass(slots=True)
class _Dialogue:
    """One session as it was seen: whose it is, how far it came, and the page that was shown."""

    caller: tuple[str, str, str]
    session: UssdSession
    history: History
    touched_at: int
    page: Screen | None = None
    secret_seen: bool = False
    reports: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Dialogues:
    """The sessions of all aggregators, in memory; what was ordered is in the record.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(
        self, platform: Platform, actions: DialledActions, accounting: Accounting, mac: Mac
    ) -> None:
        """Make the MACs of histories with `mac`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._platform = platform
        self._actions = actions
        self._accounting = accounting
        self._mac = mac
        self._open: dict[tuple[str, str], _Dialogue] = {}
        self._of_number: dict[Dialler, tuple[str, str]] = {}
        self._taking_up = TakingUp(platform, actions)

    async def answer(self, called: Called) -> Screen:
        """The page that follows a callback.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        now = self._platform.clock.now()
        self._sweep(now)
        at = (called.aggregator, called.session)
        dialogue = self._open.pop(at, None) or self._begun(called, now)
        dialogue.touched_at = now
        self._open[at] = dialogue
        async with dialogue.lock:
            return await self._turn(called, dialogue)

    async def again(self, called: Called) -> Screen:
        """The page of a callback of which an exact copy came, if it is the last of its session.

        Raises Replayed for an older one, which leaves the session as it is.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3
        """
        dialogue = self._open.get((called.aggregator, called.session))
        if dialogue is not None:
            async with dialogue.lock:
                compared = dialogue.history.compare(called.text, _bound(called), self._mac)
                if compared is Compared.REPEATED and dialogue.page is not None:
                    return dialogue.page
        raise Replayed("this callback was received before", remedy="send each once")

    async def _turn(self, called: Called, dialogue: _Dialogue) -> Screen:
        now = self._platform.clock.now()
        ours = (called.msisdn, called.service, called.network) == dialogue.caller
        if not (ours and called.readable):
            return self._broken(called, dialogue, "unreadable" if ours else "caller")
        if dialogue.page is None:
            return await self._first(called, dialogue, now)
        compared = dialogue.history.compare(called.text, _bound(called), self._mac)
        if compared is Compared.REPEATED:
            return dialogue.page
        if compared is not Compared.NEXT:
            return self._broken(called, dialogue, compared.value)
        if isinstance(dialogue.session.state, Ended):
            return self._over(dialogue, now)[1]
        return await self._next(called, dialogue, now)

    async def _first(self, called: Called, dialogue: _Dialogue, now: Instant) -> Screen:
        """The page of a session that was dialled with nothing behind the service code."""
        if called.text.reveal():
            return self._broken(called, dialogue, "skipped")
        return await self._step(called, dialogue, "", now)

    async def _next(self, called: Called, dialogue: _Dialogue, now: Instant) -> Screen:
        newest = dialogue.history.newest(called.text)
        secret = asks_secret(dialogue.session)
        if skips_a_step(newest) or (secret and "*" in newest.reveal()):
            return self._broken(called, dialogue, "skipped")
        dialogue.history = dialogue.history.with_newest(
            called.text, _bound(called), self._mac, secret=secret
        )
        if secret and newest.reveal().strip() not in NAVIGATION:
            dialogue.secret_seen = True
        called.text = Secret("")
        entry = taken(
            dialogue.session,
            newest,
            self._facts(now, called.msisdn),
            self._actions.door(called.msisdn),
        )
        del newest
        return await self._step(called, dialogue, entry, now)

    async def _step(
        self, called: Called, dialogue: _Dialogue, entry: Typed, now: Instant
    ) -> Screen:
        facts, name = self._facts(now, called.msisdn), _named(called)
        if self._actions.was_ended(name):
            dialogue.session, dialogue.page = self._over(dialogue, now)
            return dialogue.page
        self._actions.register(name, called.msisdn, facts)
        stepped = step(dialogue.session, entry, facts)
        before, number = dialogue.session, _dialler(called)
        self._taking_up.stepped(number, before, stepped.session, dialogue.reports)
        while not isinstance(stepped.out, Screen):
            dialogue.session = stepped.session
            result = await self._carried_out(called, dialogue, stepped.out)
            stepped = resume(
                stepped.session, result, self._facts(self._platform.clock.now(), called.msisdn)
            )
        dialogue.session, dialogue.page = stepped.session, stepped.out
        if stepped.out.ends:
            self._actions.strike(name)
        return stepped.out

    async def _carried_out(self, called: Called, dialogue: _Dialogue, action: Action) -> Result:
        evidence = f"callback {called.aggregator} {called.session} {b64url(dialogue.history.tag)}"
        return await self._taking_up.carry_out(_dialler(called), action, evidence)

    def _broken(self, called: Called, dialogue: _Dialogue, why: str) -> Screen:
        """End the session, tell of it, and give the page that says so."""
        self._accounting.note(Note.DIALOGUE_BROKEN, aggregator=called.aggregator, why=why)
        ended, page = self._over(dialogue, self._platform.clock.now())
        if not isinstance(dialogue.session.state, Ended) or dialogue.page is None:
            dialogue.session, dialogue.page = ended, page
        return page

    def _over(self, dialogue: _Dialogue, now: Instant) -> tuple[UssdSession, Screen]:
        return interrupted(dialogue.session, self._facts(now, dialogue.caller[0]))

    def _begun(self, called: Called, now: Instant) -> _Dialogue:
        """A session that was just dialled, in place of the one before from this number."""
        number = _dialler(called)
        before = self._open.get(self._of_number.get(number, ("", "")))
        left = None
        if before is not None:
            left = Left(before.session, before.touched_at, before.secret_seen)
        begins, reports = self._taking_up.begins(number, left)
        if before is not None and not before.lock.locked():
            before.session = self._over(before, now)[0]
        self._of_number[number] = (called.aggregator, called.session)
        session = open_session(
            called.session, called.msisdn, now, self._actions.language_of(called.msisdn), begins
        )
        return _Dialogue(
            caller=(called.msisdn, called.service, called.network),
            session=session,
            history=no_history(_bound(called), self._mac),
            touched_at=now,
            reports=reports,
        )

    def _facts(self, now: Instant, msisdn: str) -> MenuFacts:
        return self._actions.facts(now, msisdn, pin_ends=True)

    def _sweep(self, now: Instant) -> None:
        """Forget a few of those that were not touched for longest, if it is time."""
        keep_ms = 2 * self._taking_up.window_ms()
        for _ in range(_SWEPT_AT_ONCE):
            at = next(iter(self._open), None)
            if at is None:
                break
            oldest = self._open[at]
            if now - oldest.touched_at <= keep_ms and len(self._open) <= _MOST:
                break
            del self._open[at]
            number = Dialler(at[0], oldest.caller[0])
            if self._of_number.get(number) == at:
                del self._of_number[number]
                self._taking_up.forget(number)


def _named(called: Called) -> str:
    """The name of a menu session in the register of sessions."""
    return f"ussd:{called.aggregator}:{called.session}"


def _dialler(called: Called) -> Dialler:
    return Dialler(called.aggregator, called.msisdn)


def _bound(called: Called) -> str:
    """What a history belongs to."""
    return f"{called.aggregator} {called.session} {called.msisdn}"
