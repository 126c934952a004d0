"""The network between people and the service: messages are lost, doubled, late, overtaken.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

import random
from collections.abc import Callable
from typing import Any

from simulators.faults.agenda import Agenda

Deliver = Callable[[Any, Callable[[Any], None]], None]
"""Takes a request and a way to answer it, at the service's side."""


class Network:
    """Carries requests and answers, each on its own and with its own fate.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def __init__(self, agenda: Agenda, dice: random.Random, deliver: Deliver) -> None:
        self._agenda = agenda
        self._dice = dice
        self._deliver = deliver
        self.calm = False
        self.loss = 0.004
        self.cut_until = 0.0
        self.lost = self.doubled = self.late = 0

    def call(self, request: Any, answered: Callable[[Any], None]) -> None:
        """Send `request`; `answered` hears every answer that arrives: none, one, or several.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """

        def back(answer: Any) -> None:
            self._carry(lambda: answered(answer))

        self._carry(lambda: self._deliver(request, back))

    def _carry(self, arrive: Callable[[], None]) -> None:
        dice = self._dice
        if self.calm:
            self._agenda.after(1 + dice.random() * 10, arrive)
            return
        if self._agenda.now < self.cut_until or dice.random() < self.loss:
            self.lost += 1
            return
        delay = 1 + dice.expovariate(0.1)
        fate = dice.random()
        if fate < 0.004:
            self.late += 1
            delay += dice.expovariate(1 / 8_000)
        elif fate < 0.008:
            self.doubled += 1
            self._agenda.after(delay + dice.expovariate(1 / 2_000), arrive)
        self._agenda.after(delay, arrive)
