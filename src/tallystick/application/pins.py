"""The dialled PIN: a try is counted durably before anybody knows whether it was right.

    door: digits -> block -> TryPin (committed) -> module: block, Argon2id, MAC -> order | TryEnded

What is kept of a PIN is a MAC, under a key that never leaves the module, of a salted memory-hard
hash. Between door and module there is only the block.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
"""

from copy import copy

from tallystick.application.attempts import Attempts, Subjects, not_right
from tallystick.application.customers import Customer, Customers
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.modules.wallet_pins import (
    SALT_BYTES,
    Keeping,
    PinModule,
    SealedPin,
    Stretch,
    door_key,
    label_under,
)
from tallystick.infrastructure.pin.wallet import STRETCHED, PinCost
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.model import Wire, replace
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import Empty


class PinVerifier:
    """Seals PINs at the door, and makes and checks what is kept of them.

    Sealing is quick; what makes and checks is slow on purpose, so call it off the loop.
    `owner` is whom a sealed PIN is bound to: the number it was dialled from, or the customer.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    def __init__(
        self,
        module: CryptoModule,
        door: PinModule,
        pepper: KeyHandle,
        cost: PinCost,
        earlier: tuple[KeyHandle, ...] = (),
    ) -> None:
        """Seal under a key of `door`, in this process; keep under `pepper` of `module` at `cost`.

        What was kept under `earlier` peppers is checked under them.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._pins = door.wallet_pins.peppered_by(module.mac)
        self._door = door_key(door)
        self._pepper = pepper
        self._earlier = earlier
        self._cost = cost
        self._decoy = module.random(SALT_BYTES + STRETCHED)

    def stretched_by(self, stretch: Stretch) -> "PinVerifier":
        """The same, for blocks that either sealed, with what is slow done by `stretch`.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.3.2
        """
        other = copy(self)
        other._pins = self._pins.stretched_by(stretch)  # noqa: SLF001 - of this class
        return other

    def seal(self, typed: Secret[str], owner: str) -> SealedPin:
        """What was typed as a block; nothing beyond the door reads it.

        Raises Malformed for what is not 4 to 12 digits.
        Source: ISO 9564-1, 9.4
        """
        return self._pins.seal(self._door, typed, owner)

    def check_new(self, pin: SealedPin, owner: str, number: str) -> None:
        """Pass if whoever has `number` may choose `pin`.

        Raises NotPermitted for one that is guessed first.
        Source: ISO 9564-1, 7.2
        """
        self._pins.check_new(self._door, pin, owner, number)

    def same(self, one: SealedPin, other: SealedPin, owner: str) -> bool:
        """Whether the same PIN was typed twice.

        Source: ISO 9564-1, 7.2
        """
        return self._pins.same(self._door, one, other, owner)

    def make(self, pin: SealedPin, owner: str, customer: str) -> bytes:
        """What to keep of a new PIN: label, salt and MAC, 65 bytes.

        Source: ISO/TS 12812-2:2017, 7.3.4; C
        """
        return self._pins.make(self._door, pin, owner, self._under(customer))

    def check(self, pin: SealedPin, owner: str, customer: str, kept: bytes) -> None:
        """Pass if `pin` is the one that `kept` was made of.

        Raises NotAuthentic otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        try:
            self._pins.check(self._door, pin, owner, self._under(customer), kept)
        except NotAuthentic:
            raise not_right() from None

    def renewed(self, pin: SealedPin, owner: str, customer: str, kept: bytes) -> bytes:
        """What to keep of a `pin` that was right in place of `kept`; empty where that may stay.

        It may not where it is under an earlier pepper or at another cost.
        Source: ISO/TS 12812-2:2017, 7.4.2; C; ISO 11568
        """
        current = label_under(self._under(customer))
        return b"" if kept.startswith(current) else self.make(pin, owner, customer)

    def refuse(self, pin: SealedPin, owner: str, customer: str) -> None:
        """Take as long as `check` takes, and refuse as it refuses what is wrong.

        Raises NotAuthentic always.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.check(pin, owner, customer, self._decoy)
        raise not_right()

    def _under(self, customer: str) -> Keeping:
        return Keeping(
            pepper=self._pepper, cost=self._cost, customer=customer, earlier=self._earlier
        )


class Pins:
    """Counts tries and keeps verifiers, as the writer executes them.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, customers: Customers, attempts: Attempts, policy: PolicyInForce) -> None:
        self._customers = customers
        self._attempts = attempts
        self._policy = policy

    def count_try(self, turn: Turn, who: Subjects) -> Outcome:
        """Count one try; the answer says whether there may be one.

        Raises NotAuthentic, the same as for a wrong PIN, while there may be none; NotPermitted to
        who dials without a PIN, since only their own number tells.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        customer = self._customers.active(self._customers.get(who.customer))
        if not customer.pin and not who.device and not who.receipt:
            raise NotPermitted("no PIN is set", remedy="set one with the activation code")
        self._attempts.count(turn, who)
        return Outcome(Empty())

    def failed(self, turn: Turn, who: Subjects, *, held: bool) -> Outcome:
        """Record a try that was wrong, or was `held` back by earlier failures.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        return Outcome(Empty(), self._attempts.wrong(turn, who, held=held))

    def was_right(self, turn: Turn, who: Subjects) -> Outcome:
        """Begin the count anew after a right PIN, and record it as what is wrong is recorded.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._attempts.right(turn, who)
        return Outcome(Empty(), self._attempts.passed(turn, who))

    def clear(self, turn: Turn, customer: Customer) -> Customer:
        """`customer` without failures.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self._attempts.right(turn, Subjects(customer.id))
        return self._customers.get(customer.id)

    def renew(self, turn: Turn, customer: str, before: bytes, verifier: bytes) -> Outcome:
        """Keep `verifier` of the same PIN in place of `before`, unless another one was set since.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        known = self._customers.get(customer)
        if known.pin == before:
            self._customers.save(turn, replace(known, pin=verifier))
        return Outcome(Empty())

    def set(self, turn: Turn, customer: Customer, verifier: bytes, channel: str = "ussd") -> Wire:
        """Keep the verifier of a PIN that the customer chose on `channel`.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._customers.save(turn, replace(self.clear(turn, customer), pin=verifier))
        turn.record("pin.set", policy=self._policy.version, public={"channel": channel})
        return Empty()
