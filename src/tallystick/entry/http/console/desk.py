"""What every page of the desk stands on, and one visit: who asks, with which form.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import Request

from tallystick.application.commands import Command
from tallystick.application.desk import View
from tallystick.application.desk.model import RecordView
from tallystick.application.operators import Operator
from tallystick.application.operators.store import waiting_acts
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.desk_settings import DeskSettings
from tallystick.entry.http.console.page import Frame
from tallystick.entry.http.console.sessions import DeskSession, DeskSessions
from tallystick.entry.notes import Note
from tallystick.entry.threads import to_its_end
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.errors import MfsError, NotPermitted, Unauthenticated
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.policy.facts import OperatorAct
from tallystick.process.purposes import Part, Purpose, purposes_for, visible

T = TypeVar("T")
_MOST_HEARD = 30
_NONE, _OPERATORS = frozenset[str](), frozenset(("/desk/operators",))
SEES_OPERATORS = (
    OperatorAct.ENROL_OPERATOR.value,
    OperatorAct.SUSPEND_OPERATOR.value,
    OperatorAct.RESUME_OPERATOR.value,
    OperatorAct.REMOVE_OPERATOR.value,
    OperatorAct.AUDIT_RECORDS.value,
)
"""Whose role may do one of these sees who operates."""

_ORDINARY = frozenset((Note.SERVING, Note.QUOTE_KEY_REPLACED))


class DeskContext:
    """The platform behind the desk, and the sessions at it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        accounting: Accounting,
        settings: DeskSettings,
    ) -> None:
        self.platform = platform
        self.desks = platform.desks
        self.writer = writer
        self.accounting = accounting
        self.settings = settings
        self.sessions = DeskSessions(platform.module.random)
        self.kept: dict[str, tuple[Instant, object]] = {}
        self.heard: deque[tuple[Instant, str, str]] = deque(maxlen=_MOST_HEARD)
        accounting.listeners.append(self._hear)

    def _hear(self, note: Note, fields: Mapping[str, int | str]) -> None:
        if note not in _ORDINARY:
            more = ", ".join(f"{name} {value}" for name, value in fields.items())
            self.heard.append((self.now(), note.value, more[:200]))

    def now(self) -> Instant:
        """The present instant.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        return self.platform.clock.now()

    async def told(self, command: Command) -> Wire:
        """What `command` came to, once it is durable.

        Raises its refusal.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        reply = (await self.writer.ask(command)).outcome.reply
        if isinstance(reply, MfsError):
            raise reply
        if not isinstance(reply, Wire):
            raise NotPermitted("this is not for the desk", remedy="use the command line")
        return reply

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` reads from a connection of its own, beside the loop.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """

        def run() -> T:
            reader = self.platform.database.reader()
            try:
                return work(reader)
            finally:
                reader.close()

        return await to_its_end(run)


@dataclass(slots=True)
class Visit:
    """One request at the desk, after the guard let it in.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    desk: DeskContext
    request: Request
    form: Mapping[str, str] = field(default_factory=dict[str, str])
    session: DeskSession | None = None

    @property
    def live(self) -> DeskSession:
        """The session.

        Raises Unauthenticated where nobody is signed in.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        if self.session is None:
            raise Unauthenticated("nobody is signed in", remedy="sign in")
        return self.session

    @property
    def operator(self) -> Operator:
        """Who is signed in, as the service knows them now.

        Raises NotAuthentic once they may not act any more.
        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return self.desk.desks.operators.get(self.live.operator)

    def acts(self) -> tuple[str, ...]:
        """What the policy in force lets the operator's role do.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        roles = self.desk.desks.policy.compiled.policy.operators.roles
        return tuple(roles.get(self.operator.role, ()))

    def may(self, *acts: str) -> bool:
        """Whether the role may do one of `acts`.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return bool(set(acts) & set(self.acts()))

    def purpose(self, given: str) -> Purpose:
        """The purpose `given`, if the role may have it.

        Raises NotPermitted.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        for one in purposes_for(self.acts()):
            if one.value == given:
                return one
        raise NotPermitted("your role has no such purpose", remedy="choose one of the list")

    async def view(
        self,
        page: str,
        purpose: str = "operations",
        *,
        customer: str = "",
        subject: str = "",
        found: bool = True,
    ) -> frozenset[Part]:
        """Record that the operator looks, and give what the purpose opens.

        Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
        """
        parts = visible(Purpose(purpose)) if purpose != "operations" else frozenset[Part]()
        view = View(
            operator=self.live.operator,
            grade=self.live.grade,
            page=page,
            purpose=purpose,
            customer=customer,
            subject=subject,
            parts=tuple(one.value for one in parts),
            found=found,
        )
        await self.desk.told(RecordView(view))
        return parts

    async def frame(self) -> Frame:
        """The frame of a page for whoever is signed in.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        operators = self.desk.desks.operators
        operator = self.operator
        now = self.desk.now()
        rows = await self.desk.read(lambda reader: waiting_acts(reader, now, 100))
        may = set(self.acts())
        waiting = [one for one in rows if one.name in may and one.operator != operator.id]
        grade = "" if self.live.grade == "passkey" else ", reads only until a passkey signs"
        return Frame(
            who=f"{operators.name_of(operator)}, {operator.role}{grade}",
            secret=self.live.form_secret.reveal(),
            alarm=self._alarm(now),
            waiting=len(waiting),
            closed=_NONE if self.may(*SEES_OPERATORS) else _OPERATORS,
        )

    def _alarm(self, now: Instant) -> str:
        for one in self.desk.desks.desk.emergencies.open():
            if one.until > now:
                whose = "You have" if one.operator == self.live.operator else "Somebody has"
                return f"{whose} the emergency role until {iso_utc(one.until)[11:16]} UTC."
        return ""
