"""Moves what is sealed in the store under its newest key, row by row, while the service works.

A batch of rows is one command of the writer: they are opened under the key that their label names,
sealed anew, and committed together with whatever else the batch has. One pass in the order of ids
finds every row there was when it began; what comes later is sealed under the newest key anyway. A
pass that is cut short leaves each row under one key or the other, and the next start begins again.
What does not open, or is of nobody, is left where it is, and counted as left.

Source: ISO/TS 12812-2:2017, 7.4.2; C; ISO 11568
"""

from collections.abc import Callable
from contextlib import suppress

from tallystick.application.desk import Desk
from tallystick.application.desk.store import emergency_seals
from tallystick.application.devices import Devices
from tallystick.application.devices.store import device_seals
from tallystick.application.operators import Operators
from tallystick.application.operators.store import act_seals, operator_seals
from tallystick.application.subjectkeys import SubjectRenewal
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import NotAuthentic, NotFound
from tallystick.protocol.payments import Empty

_Step = Callable[[Turn, str, int], str]


class SealRenewal:
    """The pass: which table it is at, and behind which id.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(
        self,
        seals: StoreSeals,
        reader: Reader,
        operators: Operators,
        devices: Devices,
        desk: Desk,
        subjects: SubjectRenewal,
    ) -> None:
        self._label = seals.label
        self._reader = reader
        self._operators = operators
        self._devices = devices
        self._desk = desk
        self._subjects = subjects
        self._steps: tuple[_Step, ...] = (self._names, self._acts, self._texts, self._secrets)
        self._at = 0
        self._after = ""
        self.renewed = 0

    @property
    def done(self) -> bool:
        """Whether the pass has seen every row, those under keys of subjects as well.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._at == len(self._steps) and self._subjects.done

    def anew(self, turn: Turn, rows: int) -> Outcome:
        """Look at the next `rows` rows and seal anew those that are under an earlier key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        before = (self._at, self._after, self.renewed)
        turn.on_undo(lambda: self._back(before))
        if self._at == len(self._steps):
            self._subjects.anew(turn, rows)
        else:
            self._after = self._steps[self._at](turn, self._after, rows)
            if not self._after:
                self._at += 1
        return Outcome(Empty())

    def _back(self, before: tuple[int, str, int]) -> None:
        self._at, self._after, self.renewed = before

    def _stale(self, head: bytes) -> bool:
        stale = bool(head) and head != self._label
        self.renewed += stale
        return stale

    def _names(self, turn: Turn, after: str, rows: int) -> str:
        page = operator_seals(self._reader, after, rows)
        for operator, head in page:
            if self._stale(head):
                with suppress(NotAuthentic, NotFound):
                    self._operators.seal_anew(turn, operator)
        return page[-1][0] if page else ""

    def _acts(self, turn: Turn, after: str, rows: int) -> str:
        page = act_seals(self._reader, after, rows)
        for act, head in page:
            if self._stale(head):
                with suppress(NotAuthentic, NotFound):
                    self._operators.seal_act_anew(turn, act)
        return page[-1][0] if page else ""

    def _texts(self, turn: Turn, after: str, rows: int) -> str:
        page = emergency_seals(self._reader, after, rows)
        for stored, because, finding in page:
            if self._stale(because) or self._stale(finding):
                with suppress(NotAuthentic, NotFound):
                    self._desk.emergencies.seal_anew(turn, stored)
        return page[-1][0].id if page else ""

    def _secrets(self, turn: Turn, after: str, rows: int) -> str:
        page = device_seals(self._reader, after, rows)
        for device, head in page:
            if self._stale(head):
                with suppress(NotAuthentic, NotFound):
                    self._devices.seal_anew(turn, device)
        return page[-1][0] if page else ""
