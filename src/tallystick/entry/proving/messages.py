"""Probes of sessions and sealed messages, by an enrolled phone of the provider's own.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2; 12.3
"""

from functools import partial
from typing import Final

from tallystick.client.session import Reply, refusal
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    judged,
)
from tallystick.entry.proving.phone import Line, ProbePhone, Tape
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.errors import (
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Replayed,
    Unauthenticated,
    Unavailable,
)
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry

_DECLARED: Final[tuple[Declared, ...]] = (
    ("phone.login", CheckKind.POSITIVE, ("MFS-7.2.7-01", "MFS-7.3.2-08"),
     "an enrolled phone and its provider know each other"),
    ("phone.replayed", CheckKind.NEGATIVE, ("MFS-7.2.7-03",),
     "a sealed message that is sent again is refused"),
    ("phone.flipped", CheckKind.NEGATIVE, ("MFS-7.3.3-02", "MFS-7.2.7-02"),
     "a sealed message with a changed bit is refused"),
    ("phone.strange-receipt", CheckKind.NEGATIVE, ("MFS-7.2.7-05",),
     "nobody gets the receipt of an order that is not theirs"),
    ("phone.logged-out", CheckKind.NEGATIVE, ("MFS-12.3-03",),
     "a session that was ended takes no message"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class MessageProbes:
    """What a session takes and what it refuses.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "phone.login": self.login,
            "phone.replayed": self.replayed,
            "phone.flipped": self.flipped,
            "phone.strange-receipt": self.strange_receipt,
            "phone.logged-out": self.logged_out,
        }
        declare(registry, _DECLARED, looks)

    @property
    def _phone(self) -> ProbePhone:
        return self._line.phone()

    def login(self, now: Instant) -> Seen:
        """Establishes a session and reads the account, which has no money.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        accepted = self._phone.session.establish()
        account = self._phone.wallet.account()
        return judged(
            accepted.open and account.available_minor == 0,
            "a session was opened; the probe's account has no money",
            "the probe's account has money, or no session was opened",
            available_minor=account.available_minor,
            policy=accepted.policy_version,
        )

    def _ask(self) -> None:
        """Sends one harmless sealed request, so that the tape has it."""
        self._phone.wallet.account()

    def replayed(self, now: Instant) -> Seen:
        """Sends the octets of a request once more.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._ask()
        return attempted(partial(_again, self._phone.tape), Replayed)

    def flipped(self, now: Instant) -> Seen:
        """Sends the octets of a request with one bit changed, near the end and near the start.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._ask()
        refusals = (NotAuthentic, Malformed, Unauthenticated)
        tape = self._phone.tape
        return all_attempted(
            {f"octet {at}": attempted(partial(_again, tape, at), *refusals) for at in (-1, -20, 12)}
        )

    def strange_receipt(self, now: Instant) -> Seen:
        """Asks for the receipt of an order that is not of this phone's customer.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        other = timed_id("ord", now, operating_system(10))
        return attempted(lambda: self._phone.wallet.receipt(other), NotFound, NotPermitted)

    def logged_out(self, now: Instant) -> Seen:
        """Ends the session, and sends in it what was sent before.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        self._phone.session.establish()
        self._ask()
        kept = self._phone.tape.last
        self._phone.session.exchange("session.end", path="/v1/session/end", body=b"{}")
        self._phone.tape.last = kept
        self._phone.session.close()
        return attempted(partial(_again, self._phone.tape), Unauthenticated)


def _again(tape: Tape, flip: int | None = None) -> Reply:
    """The reply to octets that are sent again, if they were taken; raises the refusal otherwise.

    A refusal may be sealed for the session that it is of: then its status says what it is.
    """
    reply = tape.again(flip=flip)
    if 200 <= reply.status < 300:
        return reply
    if not reply.sealed:
        raise refusal(reply)
    sealed = {Replayed.status: Replayed, Unauthenticated.status: Unauthenticated}
    raise sealed.get(reply.status, Unavailable)(f"refused under seal with {reply.status}")
