"""Menu sessions over SMPP: what was typed comes as `deliver_sm`, the next page goes as `submit_sm`.

    ussd_service_op 1   dialled          -> 2 page, or 17 last page
    ussd_service_op 18  answer to page n -> 2 page n + 1, or 17 last page

`its_session_info` names the session (first octet) and the page that is answered (second octet, its
upper seven bits), so that each answer counts once whatever the network drops, repeats or reorders:
the answer to the page that is shown is taken, the one before brings the page once more, anything
else is left alone, and an answer to a page that was never shown ends the session.

What was typed may be a PIN: it is hidden when the PDU is taken apart, goes to the menu, and nowhere
else. The evidence of a consent names the session and the page, and no hash of what was typed.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; 7.3.2; 7.3.4; 12.2; SMPP 3.4, 5.3.2.43; 5.3.2.44
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tallystick.application.channels import (
    Action,
    Pay,
    PayWithCode,
    Screen,
    UssdSession,
    interrupted,
    open_session,
    resume,
    step,
    taken,
)
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.takingup import Dialler, Left, TakingUp
from tallystick.entry.smpp.pdus import Option, ShortMessage, Status, UssdOp
from tallystick.kernel.errors import Malformed, MfsError
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock, Instant
from tallystick.protocol.gsm7 import gsm7_octets, gsm7_text

_CODING_USSD = 0x0F
_MOST_SESSIONS = 50_000
_PAGES = 128

Submit = Callable[[ShortMessage], Awaitable[object]]
"""Hands a message over to the network."""

Broke = Callable[[str], None]
"""Told why a session was ended."""


@dataclass(slots=True)
class _Dialogue:
    """One session: the menu, the page that is shown, its number, and who works on it.

    `page` is the number of the page that is shown or being made, `shown_at` that of `shown`;
    `tells` is the order that its page tells of.
    """

    session: UssdSession
    name: str
    number: int
    page: int = 0
    shown: Screen | None = None
    shown_at: int = 0
    ended: bool = False
    touched_at: int = 0
    secret_seen: bool = False
    tells: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SmppMenus:
    """Carries menus between one network and the provider.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(
        self,
        name: str,
        service_code: str,
        actions: DialledActions,
        taking_up: TakingUp,
        clock: Clock,
        submit: Submit,
        broke: Broke,
    ) -> None:
        """Offer the menu behind `service_code` on the network `name`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._name = name
        self._service_code = service_code
        self._actions = actions
        self._taking_up = taking_up
        self._clock = clock
        self._submit = submit
        self._broke = broke
        self._open: dict[tuple[str, int], _Dialogue] = {}
        self._newest: dict[str, _Dialogue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0

    async def heard(self, message: ShortMessage) -> int:
        """Take over one input; the page follows by itself.

        Raises Malformed for what is no input of a session.
        Source: ISO/TS 12812-2:2017, 7.2.3; SMPP 3.4, 4.6.1
        """
        operation = message.number(Option.USSD_SERVICE_OP)
        info = message.options.get(Option.ITS_SESSION_INFO, b"")
        if operation == UssdOp.NOTIFIED:
            return Status.OK
        if operation not in {UssdOp.BEGIN, UssdOp.ANSWER} or len(info) != 2:
            raise Malformed("the message is no input of a menu session")
        msisdn = f"+{message.source.lstrip('+')}"
        typed = Secret(gsm7_text(message.text.reveal()))
        now = self._clock.now()
        self._sweep(now)
        if operation == UssdOp.BEGIN:
            self._begin(message, msisdn, info, typed, now)
        else:
            self._answer(message, msisdn, info, typed, now)
        return Status.OK

    async def close(self) -> None:
        """Let pages that are being made be sent.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(
        self, message: ShortMessage, msisdn: str, info: bytes, typed: Secret[str], now: int
    ) -> None:
        at = (msisdn, info[0])
        known = self._open.get(at)
        if known is not None and known.page <= 1 and not known.ended:
            self._spawn(self._once_more(known, message))
            return
        language = self._actions.language_of(msisdn)
        begins, tells = self._taking_up.begins(self._dialler(msisdn), self._left(msisdn, now))
        session = open_session(f"{self._name}-{info[0]}", msisdn, now, language, begins)
        self._count += 1
        name = f"smpp:{self._name}:{now}-{self._count}"
        dialogue = _Dialogue(session, name, number=info[0], touched_at=now, tells=tells)
        if known is not None:
            del self._open[at]
            self._actions.strike(known.name)
        self._open[at] = self._newest[msisdn] = dialogue
        if typed != Secret(self._service_code):
            # an order behind the code was dialled by a page or an application, not typed here
            self._spawn(self._over(dialogue, message, "skipped"))
            return
        dialogue.page = 1
        self._spawn(self._turn(dialogue, message, Secret("")))

    def _answer(
        self, message: ShortMessage, msisdn: str, info: bytes, typed: Secret[str], now: int
    ) -> None:
        answered = info[1] >> 1
        dialogue = self._open.get((msisdn, info[0]))
        if dialogue is None:
            self._spawn(self._send(message, info[0], answered + 1, self._stale(msisdn, now)))
            return
        if dialogue.ended or answered < dialogue.page - 1:
            return
        if answered == dialogue.page - 1:
            self._spawn(self._once_more(dialogue, message))
        elif answered > dialogue.page:
            self._spawn(self._over(dialogue, message, "skipped"))
        elif not dialogue.lock.locked():
            dialogue.touched_at = now
            dialogue.page += 1
            self._spawn(self._turn(dialogue, message, typed))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_awaited(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _turn(self, dialogue: _Dialogue, message: ShortMessage, typed: Secret[str]) -> None:
        async with dialogue.lock:
            page = dialogue.page
            evidence = f"smpp {self._name} {dialogue.session.started_at} {dialogue.number}/{page}"
            shown = await self._stepped(dialogue, typed, evidence)
            dialogue.shown, dialogue.shown_at = shown, page
            dialogue.ended = shown.ends or page + 1 >= _PAGES
            if dialogue.ended:
                self._actions.strike(dialogue.name)
        # the next input may come before the network says that it took the page
        await self._send(message, dialogue.number, page, shown)
        if shown.ends and dialogue.tells:  # the network took the page that says what was paid
            self._taking_up.is_told(self._dialler(dialogue.session.msisdn), dialogue.tells)

    async def _stepped(self, dialogue: _Dialogue, typed: Secret[str], evidence: str) -> Screen:
        """The page that follows; the last one if the session was ended from elsewhere."""
        msisdn = dialogue.session.msisdn
        facts = self._actions.facts(self._clock.now(), msisdn)
        if self._actions.was_ended(dialogue.name):
            dialogue.session, page = interrupted(dialogue.session, facts)
            return page
        self._actions.register(dialogue.name, msisdn, facts)
        entry = taken(dialogue.session, typed, facts, self._actions.door(msisdn))
        dialogue.secret_seen = dialogue.secret_seen or not isinstance(entry, str)
        stepped, dialler = step(dialogue.session, entry, facts), self._dialler(msisdn)
        self._taking_up.stepped(dialler, dialogue.session, stepped.session, dialogue.tells)
        while not isinstance(stepped.out, Screen):
            dialogue.session, action = stepped.session, stepped.out
            dialogue.tells = _ordered_by(action)
            result = await self._taking_up.carry_out(dialler, action, evidence)
            facts = self._actions.facts(self._clock.now(), msisdn)
            stepped = resume(stepped.session, result, facts)
        dialogue.session = stepped.session
        return stepped.out

    def _dialler(self, msisdn: str) -> Dialler:
        return Dialler(self._name, msisdn)

    def _left(self, msisdn: str, now: int) -> Left | None:
        """The number's session before, which ends with this unless it is being worked on."""
        before = self._newest.get(msisdn)
        if before is None:
            return None
        left = Left(before.session, before.touched_at, before.secret_seen)
        if not before.lock.locked():
            facts = self._actions.facts(Instant(now), msisdn)
            before.session, before.ended = interrupted(before.session, facts)[0], True
            self._actions.strike(before.name)
        return left

    async def _once_more(self, dialogue: _Dialogue, message: ShortMessage) -> None:
        """The page that followed an input of which a copy came; nothing is done again."""
        async with dialogue.lock:
            shown, page = dialogue.shown, dialogue.shown_at
            answered = page != dialogue.page
        if shown is not None and not dialogue.ended and not answered:
            await self._send(message, dialogue.number, page, shown)

    async def _over(self, dialogue: _Dialogue, message: ShortMessage, why: str) -> None:
        async with dialogue.lock:
            self._broke(why)
            facts = self._actions.facts(self._clock.now(), dialogue.session.msisdn)
            dialogue.session, page = interrupted(dialogue.session, facts)
            dialogue.shown, dialogue.ended = page, True
            self._actions.strike(dialogue.name)
        await self._send(message, dialogue.number, dialogue.page + 1, page)

    def _stale(self, msisdn: str, now: int) -> Screen:
        session = open_session(self._name, msisdn, now, self._actions.language_of(msisdn))
        return interrupted(session, self._actions.facts(self._clock.now(), msisdn))[1]

    async def _send(self, heard: ShortMessage, number: int, page: int, screen: Screen) -> None:
        operation = UssdOp.END if screen.ends else UssdOp.ASK
        info = bytes((number, (page % _PAGES) << 1 | int(screen.ends)))
        await self._submit(
            ShortMessage(
                source=heard.destination,
                destination=heard.source,
                text=Secret(gsm7_octets(screen.text)),
                service_type="USSD",
                coding=_CODING_USSD,
                options={
                    Option.USSD_SERVICE_OP: bytes((operation,)),
                    Option.ITS_SESSION_INFO: info,
                },
            )
        )

    def _sweep(self, now: int) -> None:
        """Forget what was not touched for twice the life of a session."""
        keep_ms = 2 * self._actions.lifetime_ms()
        while self._open:
            at = next(iter(self._open))
            oldest = self._open[at]
            if now - oldest.touched_at <= keep_ms and len(self._open) <= _MOST_SESSIONS:
                break
            del self._open[at]
            if self._newest.get(at[0]) is oldest:
                del self._newest[at[0]]


def _ordered_by(action: Action) -> str:
    """The order that `action` places, empty for none."""
    return action.terms.quote.order if isinstance(action, Pay | PayWithCode) else ""


async def _awaited(work: Awaitable[None]) -> None:
    """`work`, of which nobody waits for the end: what the network does not take is lost to it."""
    try:
        await work
    except MfsError:
        return
