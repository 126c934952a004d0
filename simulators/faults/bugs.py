"""Mistakes that are planted, one at a time, to see that the checker finds each.

Each replaces a part of the product, or of the simulated store where the mistake is the store's, by
one that lacks what makes it right.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from simulators.faults.core import CoreFollower, HostileCore
from simulators.faults.process import Process
from simulators.faults.store import SimulatedDatabase, SimulatedServer
from simulators.faults.world import World
from tallystick.application.book import LedgerBook
from tallystick.application.commands import Command, DialBalance
from tallystick.application.core import Exchange, Finish, StillUnknown
from tallystick.application.core.model import RefusedByBook
from tallystick.application.core.rules import book_id
from tallystick.application.desks import Desks
from tallystick.application.own_commands import BookAnswered
from tallystick.application.payments.service import Payments
from tallystick.application.turn import Recorded, Turn
from tallystick.application.writer import Prepared, Writer
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.tally.archive import Archive
from tallystick.kernel.errors import Expired, MfsError
from tallystick.kernel.ids import first_id_at
from tallystick.kernel.model import replace


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted mistake: what it is, on which engine it shows, and how it is planted.

    `kinds` are the faults that bring it to light, all if none are named.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    name: str
    says: str
    engine: str
    plant: Callable[[ExitStack], None]
    core: bool = False
    kinds: tuple[str, ...] = ()


def _replace(stack: ExitStack, owner: type, name: str, made: Callable[..., Any]) -> None:
    stack.enter_context(patch.object(owner, name, made))


def _skip_the_fsync(stack: ExitStack) -> None:
    start = World._start

    def lying(world: World, *, take_over: bool) -> None:
        if not world.server.lies:
            world.server.lie()
        start(world, take_over=take_over)

    fate = SimulatedServer.fate

    def sometimes(server: SimulatedServer) -> Any:
        if server.commits % 7 == 0:
            server.settle()
        return fate(server)

    _replace(stack, World, "_start", lying)
    _replace(stack, SimulatedServer, "fate", sometimes)


def _answer_early(stack: ExitStack) -> None:
    def turn(loop: WriterLoop) -> None:
        if loop._writer.lost:
            loop._recover()
            return
        batch = [loop._waiting.popleft() for _ in range(len(loop._waiting))]
        try:
            prepared = loop._writer.prepare([command for command, _ in batch])
        except MfsError as error:
            loop._failed(batch, error)
            return
        loop._answer(batch, loop._writer.release(prepared))
        future = loop._thread.submit(lambda: loop._writer.commit(prepared))

        def done(ended: Any) -> None:
            failure = ended.exception()
            if failure is not None:
                with suppress(MfsError):
                    loop._writer.abandon(prepared)
            loop._loop.call_soon(loop._next)

        future.add_done_callback(done)

    _replace(stack, WriterLoop, "_turn", turn)


def _drop_the_idempotency_check(stack: ExitStack) -> None:
    def find(payments: Payments, order: str) -> None:
        del payments, order

    _replace(stack, Payments, "find", find)


def _forget_fencing(stack: ExitStack) -> None:
    admitted = SimulatedDatabase._admitted

    def unfenced(database: SimulatedDatabase) -> None:
        database._server.fencing = False
        admitted(database)

    def reachable(database: SimulatedDatabase) -> None:
        del database

    _replace(stack, SimulatedDatabase, "_admitted", unfenced)
    _replace(stack, SimulatedDatabase, "_reachable", reachable)


def _sign_before_durable(stack: ExitStack) -> None:
    prepare = Writer.prepare

    def eager(writer: Writer, commands: Sequence[Command]) -> Prepared:
        prepared = prepare(writer, commands)
        if prepared.appended is not None:
            writer._archive.sign(prepared.appended)
        return prepared

    sign = Archive.sign

    def shown(archive: Archive, appended: Any) -> str:
        note = sign(archive, appended)
        SHOWN.append(note)
        return note

    process = World.process

    def watching(world: World) -> Process | None:
        while SHOWN:
            world.diary.note(SHOWN.pop())
        return process(world)

    SHOWN.clear()
    _replace(stack, Writer, "prepare", eager)
    _replace(stack, Archive, "sign", shown)
    _replace(stack, World, "process", watching)


SHOWN: list[str] = []
"""Checkpoints that a witness fetched as soon as they were signed."""


def _keep_memory_after_a_failure(stack: ExitStack) -> None:
    anew = Desks.reset

    def reset(desks: Desks, now: int) -> None:
        if desks.operators.rehearse is None:  # the copy that acts are tried on
            anew(desks, now)

    _replace(stack, Desks, "reset", reset)


def _believe_that_nothing_arrived(stack: ExitStack) -> None:
    recover = Writer.recover

    def trusting(writer: Writer) -> None:
        recover(writer)
        writer._stale = False

    def abandon(writer: Writer, prepared: Prepared) -> None:
        writer._store.rollback()
        for action in reversed(prepared.turn.undo):
            action()
        if not writer.lost:
            writer._stale = True

    _replace(stack, Writer, "recover", trusting)
    _replace(stack, Writer, "abandon", abandon)


def _recover_under_the_old_number(stack: ExitStack) -> None:
    def same(database: SimulatedDatabase) -> None:
        del database

    _replace(stack, SimulatedDatabase, "_raise_number", same)


def _read_before_it_is_durable(stack: ExitStack) -> None:
    submit = Process._submit

    def at_once(process: Process, command: Any, respond: Callable[[Any], None]) -> None:
        if not isinstance(command, DialBalance):
            submit(process, command, respond)
            return
        turn = Turn(process.clock.now(), 0, "", process._dice.randbytes)
        outcome = process.platform.desks.dial_balance(turn, command.customer)
        respond(Recorded(outcome, None))

    _replace(stack, Process, "_submit", at_once)


def _expire_what_was_executed(stack: ExitStack) -> None:
    order = Payments.order

    def hasty(payments: Payments, turn: Any, ask: Any) -> Any:
        if turn.now > ask.consented.consent.issued_at + 3_500:
            raise Expired("the quote has expired", remedy="ask for a new quote")
        return order(payments, turn, ask)

    _replace(stack, Payments, "order", hasty)


def _keep_balances_after_a_failure(stack: ExitStack) -> None:
    anew = LedgerBook.reset

    def reset(book: LedgerBook) -> None:
        if not book.state.accounts or not book._holds:  # at a start, or the copy of rehearsals
            anew(book)

    _replace(stack, LedgerBook, "reset", reset)


def _trust_the_clock_for_known_orders(stack: ExitStack) -> None:
    def by_clock(payments: Payments, now: int) -> str:
        del payments
        return first_id_at("ord", now + 1)

    _replace(stack, Payments, "_first_unknown", by_clock)


def _void_on_silence(stack: ExitStack) -> None:
    advance = CoreFollower._advance

    def impatient(follower: CoreFollower, order: str) -> None:
        history: list[Exchange] = follower._histories.get(order, [])
        if len(history) >= 2 and all(isinstance(one.judged, StillUnknown) for one in history):
            ended = Finish(judged=RefusedByBook(id=book_id(order), reason="the core was silent"))
            follower._ending.add(order)
            follower._writer.submit(BookAnswered(order, ended), follower._ended(order))
            return
        advance(follower, order)

    _replace(stack, CoreFollower, "_advance", impatient)


def _place_again_under_another_id(stack: ExitStack) -> None:
    place = HostileCore.place

    def renamed(core: HostileCore, order: Any) -> Any:
        times = sum(1 for one in core.books.truth() if one[:-1] == order.id[:-1])
        return place(core, replace(order, id=order.id[:-1] + "0123456789"[times % 10]))

    _replace(stack, HostileCore, "place", renamed)


def _answers_in_the_wrong_order(stack: ExitStack) -> None:
    retry = Writer.retry_singly

    def reversed_answers(
        writer: Writer, commands: Sequence[Command], error: MfsError
    ) -> list[Recorded]:
        return retry(writer, commands, error)[::-1]

    _replace(stack, Writer, "retry_singly", reversed_answers)


def _reuse_the_log_in_memory(stack: ExitStack) -> None:
    def reread(archive: Archive) -> None:
        del archive

    _replace(stack, Archive, "reread", reread)


BUGS = (
    Bug(
        "skip-the-fsync",
        "commits are answered before they are on the disk",
        "file",
        _skip_the_fsync,
    ),
    Bug("answer-early", "answers leave before the commit", "file", _answer_early),
    Bug(
        "drop-the-idempotency-check",
        "an order is not looked up",
        "file",
        _drop_the_idempotency_check,
    ),
    Bug("forget-fencing", "an overtaken writer goes on writing", "server", _forget_fencing),
    Bug(
        "sign-before-durable",
        "a checkpoint is signed before its batch is there",
        "file",
        _sign_before_durable,
    ),
    Bug("keep-memory", "memory is kept after a failed batch", "file", _keep_memory_after_a_failure),
    Bug(
        "believe-nothing-arrived",
        "a lost batch counts as not arrived",
        "server",
        _believe_that_nothing_arrived,
    ),
    Bug(
        "recover-under-the-old-number",
        "a late batch is let in",
        "server",
        _recover_under_the_old_number,
        kinds=("batch arrives late",),
    ),
    Bug("read-early", "a balance is read before it is durable", "file", _read_before_it_is_durable),
    Bug(
        "expire-what-was-executed",
        "expiry is looked at before the order",
        "file",
        _expire_what_was_executed,
    ),
    Bug(
        "keep-balances",
        "balances are kept after a failed batch",
        "file",
        _keep_balances_after_a_failure,
    ),
    Bug(
        "trust-the-clock",
        "the clock says which orders are known",
        "server",
        _trust_the_clock_for_known_orders,
    ),
    Bug(
        "void-on-silence", "a silent core counts as a refusal", "file", _void_on_silence, core=True
    ),
    Bug(
        "place-under-another-id",
        "the core is asked again under another id",
        "file",
        _place_again_under_another_id,
        core=True,
    ),
    Bug(
        "answers-in-the-wrong-order",
        "answers go to each other's orders",
        "file",
        _answers_in_the_wrong_order,
    ),
    Bug(
        "keep-the-log",
        "the log in memory is kept after a failed batch",
        "file",
        _reuse_the_log_in_memory,
    ),
)
"""Every mistake that is planted."""


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The product with `bug` in it, until the block ends.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    with ExitStack() as stack:
        bug.plant(stack)
        yield
