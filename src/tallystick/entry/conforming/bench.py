"""What a case works with: the program, the relay and the stage; and what it demands.

Source: ISO/TS 12812-2:2017, 7.2.5; 9.1
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.entry.conforming.program import GONE, Answer, Program
from tallystick.entry.conforming.relay import Passed, Relay, Rule
from tallystick.entry.conforming.stage import CURRENCY, NAME, ORIGIN, PAYEE, Stage
from tallystick.kernel.codec import encode, from_plain
from tallystick.kernel.errors import Malformed, NotPermitted

HOUR_S = 3_700
"""A little more than a device may keep a key list without asking again."""

FUNDS_MINOR = 1_000_000
AMOUNT_MINOR = 1_234
SESSIONS = "/v1/sessions"
ENROLMENTS = "/v1/enrolments/"
PAYMENTS = "/v1/payments"
PROVES = f"{SESSIONS}/"
"""Where m3 of a session goes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A thing that a device must do or must not: a name, the clause, words, and how it is tried.

    `run` raises NotPermitted with the reason where the device fails.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    name: str
    clause: str
    says: str
    run: "Callable[[Bench], None]"


def demand(holds: object, reason: str) -> None:
    """Return only if it `holds`.

    Raises NotPermitted with the reason otherwise.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    if not holds:
        raise NotPermitted(reason)


@dataclass(slots=True)
class Bench:
    """One program at one relay; every case begins with a new state folder, so with a new device.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    program: Program
    relay: Relay
    stage: Stage
    url: str
    folder: Path
    client: str = ""
    beside: int = 0
    state: str = ""
    activation: str = ""
    offers: tuple[str, ...] = ()
    approves: bool = False

    def start(self, *, same: bool = False) -> None:
        """Tell the program whom to reach and where to keep its state; `same` as before or new.

        Raises NotPermitted if it does not start.
        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        if not same or not self.state:
            self.state = tempfile.mkdtemp(prefix="state-", dir=self.folder)
        pinned = self.stage.pinned
        root = {"algorithm": pinned.algorithm, "public": pinned.public}
        said = self.program.ask(
            "start", url=self.url, provider=NAME, origin=ORIGIN, root=root, state=self.state,
            store=self.stage.store_url,
        )  # fmt: skip
        demand(said.ok is not None, f"it does not start: {said.said}")
        self.offers = from_plain((said.ok or {}).get("vouches", []), tuple[str, ...])
        self.approves = (said.ok or {}).get("approves") is True
        self.client = str((said.ok or {}).get("client", ""))[:80] or self.client

    def enrol(self, funds_minor: int = FUNDS_MINOR) -> Answer:
        """Start anew and enrol with a new customer's code.

        Raises NotPermitted if it does not start.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self.start()
        beside = self.beside if funds_minor == FUNDS_MINOR else 0
        self.activation, code = self.stage.customer(funds_minor, beside)
        return self.ask("enrol", activation=self.activation, code=code.reveal())

    def enrolled(self, funds_minor: int = FUNDS_MINOR) -> None:
        """Start anew with an enrolled device.

        Raises NotPermitted if it cannot be had.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        said = self.enrol(funds_minor)
        demand(said.ok is not None, f"it cannot enrol: {said.said}")

    def ask(self, do: str, **members: object) -> Answer:
        """What the program answers.

        Raises NotPermitted if it ends, crashes, or takes too long.
        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        said = self.program.ask(do, **members)
        demand(said.error not in {GONE, "crashed"}, f"asked to {do}, {said.said}")
        return said

    def done(self, do: str, **members: object) -> dict[str, Any]:
        """The members of the answer to what must succeed.

        Raises NotPermitted if it does not.
        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        said = self.ask(do, **members)
        demand(said.ok is not None, f"{do} must succeed here: {said.said}")
        return said.ok or {}

    def refused(self, what: str, do: str, *codes: str, **members: object) -> Answer:
        """The answer to what must be refused, with one of `codes` if there are any.

        Raises NotPermitted if the program takes it, or for another error.
        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        said = self.ask(do, **members)
        demand(said.ok is None, f"{what} was taken")
        right = not codes or said.error in codes
        demand(right, f"{what} was refused with {said.error}, not with {' or '.join(codes)}")
        return said

    def pay(self, amount_minor: int = AMOUNT_MINOR) -> Answer:
        """What the program answers when it is to pay the kit's payee.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.ask("pay", payee=PAYEE, amount_minor=amount_minor, currency=CURRENCY)

    def paid(self) -> dict[str, Any]:
        """The members of the answer to a payment that must succeed.

        Raises NotPermitted if it does not.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        said = self.pay()
        demand(said.ok is not None, f"a payment must succeed here: {said.said}")
        return said.ok or {}

    def under(self, rule: Rule, act: Callable[[], object]) -> list[Passed]:
        """What passed while `act` was done under a rule.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        with self.relay.playing(rule) as passed:
            act()
        return passed

    def tally_key(self) -> dict[str, str]:
        """The tally key as the line protocol writes it.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        tally = next(one for one in self.stage.listed().entries if one.purpose == "tally")
        return {"algorithm": tally.algorithm, "public": tally.public}


def sent_to(passed: list[Passed], path: str) -> list[Passed]:
    """What was sent to `path`, or below it where it ends with a slash.

    Source: RFC 9110, 9
    """
    below = path.endswith("/")
    return [
        one
        for one in passed
        if one.asked.path == path or (below and one.asked.path.startswith(path))
    ]


def receipt_in(said: dict[str, Any]) -> dict[str, Any]:
    """The receipt in the members of an answer.

    Raises NotPermitted where there is none.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    try:
        return from_plain(said.get("receipt"), dict[str, Any])
    except Malformed as error:
        raise NotPermitted("a payment gives no receipt") from error


def plain(value: object) -> Any:
    """`value` as JSON has it.

    Source: RFC 8259
    """
    return json.loads(encode(value))
