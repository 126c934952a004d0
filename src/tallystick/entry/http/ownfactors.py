"""Sealed operations about one's own factors, sessions, devices and payees.

    code  -> one command: counted, looked for, used up
    PIN   -> block -> counted -> opened and hashed in the pool -> right or wrong, recorded

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

import asyncio
from collections.abc import Awaitable, Callable

from tallystick.application.selfcare import SelfCare
from tallystick.application.tries import InSession, PinTried, RenewPin, SelfCareAct
from tallystick.application.turn import Outcome, Recorded, Turn
from tallystick.entry.answering import Done, answer_of, refusal
from tallystick.entry.assembly import Platform
from tallystick.entry.hashing import HashingPool, Place
from tallystick.entry.http.front import Opened, Perform
from tallystick.entry.writing import Submits
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import MfsError, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.authentication import (
    AddPayee,
    ChangePin,
    EndOthers,
    GiveCode,
    GivePin,
    RemoveDevice,
    ReportKey,
    ReportTries,
)
from tallystick.protocol.payments import Empty

Understand = Callable[[bytes], SelfCareAct]
"""What the content of a request asks for."""

Slowly = Callable[[Opened, str, Place], Awaitable[Recorded]]
"""Carries a request of a customer out over several steps, in a place where PINs are hashed."""

_empty = Decoder(Empty, limit=16)
_codes = Decoder(GiveCode, limit=128)
_pins = Decoder(GivePin, limit=64)
_new_pins = Decoder(ChangePin, limit=64)
_payees = Decoder(AddPayee, limit=256)
_devices = Decoder(RemoveDevice, limit=128)
_keys = Decoder(ReportKey, limit=64)
_tries = Decoder(ReportTries, limit=64)
_others = Decoder(EndOthers, limit=256)


class OwnFactors:
    """Understands what customers ask about themselves.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, platform: Platform, writer: Submits, hashing: HashingPool) -> None:
        self._platform = platform
        self._writer = writer
        self._hashing = hashing
        self._verifier = hashing.verifier(platform.pin_verifier)
        self._sessions = platform.desks.sessions
        self._tasks: set[asyncio.Task[None]] = set()

    def performers(self) -> dict[str, Perform]:
        """What carries out each operation, by name.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        return {
            "factor.challenge": self._acting(_asks(SelfCare.question)),
            "factor.code": self._acting(_gives_code),
            "factor.pin": self._later(self._pin),
            "pin.change": self._later(self._new_pin),
            "payee.add": self._acting(_adds_payee),
            "device.remove": self._acting(_removes_device),
            "device.key-void": self._acting(_reports_key),
            "device.tries": self._acting(_reports_tries),
            "session.list": self._acting(_asks(SelfCare.sessions)),
            "session.end-others": self._acting(_ends_others),
        }

    def _acting(self, understand: Understand) -> Perform:
        """An operation that is one command."""

        def perform(opened: Opened, now: Instant, done: Done) -> None:
            command = InSession(opened.session, opened.sequence, understand(opened.content))
            self._writer.submit(command, lambda recorded: done(answer_of(recorded)))

        return perform

    def _later(self, perform_slowly: Slowly) -> Perform:
        """An operation that has something hashed on its way.

        Who finds no place is refused before anything is done: a flood of guesses is to cost little.
        """

        async def until_done(opened: Opened, customer: str, place: Place, done: Done) -> None:
            try:
                with place:
                    recorded = await perform_slowly(opened, customer, place)
            except MfsError as error:
                done(refusal(error))
            else:
                done(answer_of(recorded))

        def perform(opened: Opened, now: Instant, done: Done) -> None:
            customer = self._sessions.look(opened.session, now).customer
            place = self._hashing.place(customer, now)
            working = until_done(opened, customer, place, done)
            task = asyncio.get_running_loop().create_task(working)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return perform

    async def _pin(self, opened: Opened, customer: str, place: Place) -> Recorded:
        """Count a try, hash, and tell the writer; all ways to be refused take the same way."""
        verifier = self._verifier
        pin = verifier.seal(Secret(_pins.decode_canonical(opened.content).pin), customer)
        counted = await self._ask(InSession(opened.session, opened.sequence, SelfCare.count_pin))
        refused = counted.outcome.reply
        held = isinstance(refused, NotAuthentic)
        if isinstance(refused, MfsError) and not held:
            return counted
        kept = self._platform.desks.customers.get(customer).pin
        right = True
        try:
            if held or not kept:
                await place.run(verifier.refuse, pin, customer, customer)
            else:
                await place.run(verifier.check, pin, customer, customer, kept)
                fresh = await place.run(verifier.renewed, pin, customer, customer, kept)
                if fresh:
                    await self._ask(RenewPin(customer, kept, fresh))
        except NotAuthentic:
            right = False
        return await self._ask(PinTried(opened.session, right=right, held=held))

    async def _new_pin(self, opened: Opened, customer: str, place: Place) -> Recorded:
        """Refuse what is guessed first, hash, and tell the writer."""
        verifier, customers = self._verifier, self._platform.desks.customers
        pin = verifier.seal(Secret(_new_pins.decode_canonical(opened.content).pin), customer)
        number = customers.profile(customers.get(customer)).msisdn
        verifier.check_new(pin, customer, number)
        kept = await place.run(verifier.make, pin, customer, customer)

        def change(care: SelfCare, turn: Turn, session: str, sequence: int) -> Outcome:
            return care.change_pin(turn, session, sequence, kept)

        return await self._ask(InSession(opened.session, opened.sequence, change))

    async def _ask(self, command: InSession | PinTried | RenewPin) -> Recorded:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Recorded] = loop.create_future()
        self._writer.submit(command, answered.set_result)
        return await answered


def _asks(act: SelfCareAct) -> Understand:
    """What has no content."""

    def understand(content: bytes) -> SelfCareAct:
        _empty.decode(content)
        return act

    return understand


def _gives_code(content: bytes) -> SelfCareAct:
    asked = _codes.decode_canonical(content)
    code = Secret(asked.code)
    following = Secret(asked.following) if asked.following else None
    return lambda care, turn, session, sequence: care.give_code(
        turn, session, sequence, code, following
    )


def _adds_payee(content: bytes) -> SelfCareAct:
    payee = _payees.decode_canonical(content).payee
    return lambda care, turn, session, sequence: care.add_payee(turn, session, sequence, payee)


def _removes_device(content: bytes) -> SelfCareAct:
    device = _devices.decode_canonical(content).device
    return lambda care, turn, session, sequence: care.remove_device(turn, session, sequence, device)


def _reports_key(content: bytes) -> SelfCareAct:
    because = _keys.decode_canonical(content).because
    return lambda care, turn, session, sequence: care.key_is_void(turn, session, sequence, because)


def _reports_tries(content: bytes) -> SelfCareAct:
    asked = _tries.decode_canonical(content)
    return lambda care, turn, session, sequence: care.report_tries(
        turn, session, sequence, asked.failed, asked.in_row
    )


def _ends_others(content: bytes) -> SelfCareAct:
    other = _others.decode_canonical(content).session
    return lambda care, turn, session, sequence: care.end_others(turn, session, sequence, other)
