"""The dialled PIN: a try is counted durably before anybody knows whether it was right.

    TryPin (committed) -> Argon2id outside the loop -> MAC in the module -> order | TryFailed

What is kept of a PIN is a MAC, under a key that never leaves the module, of a salted memory-hard
hash: `TKP1`, memory in KiB (4 bytes), passes (1), the last 8 characters of the key's id, salt (16),
MAC (32). Without those first 17 bytes it is from before, at the cost that is set now.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
"""

from dataclasses import dataclass

from tallystick.application.attempts import Attempts, Subjects, not_right
from tallystick.application.customers import Customer, Customers
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.kdf import argon2id
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Wire, replace
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import Empty

SALT_BYTES = 16
MAGIC = b"TKP1"
_LABEL = 17
_KEPT = _LABEL + SALT_BYTES + 32


@dataclass(frozen=True, slots=True)
class PinCost:
    """What one guess costs: memory in KiB and passes.

    Source: RFC 9106, 4
    """

    memory_kib: int = 19_456
    passes: int = 2


def cost_of(kept: bytes) -> PinCost | None:
    """What a guess at the PIN behind `kept` costs; None for one without a label.

    Source: ISO/TS 12812-2:2017, C; RFC 9106, 4
    """
    if len(kept) != _KEPT or not kept.startswith(MAGIC):
        return None
    return PinCost(memory_kib=int.from_bytes(kept[4:8], "big"), passes=kept[8])


class PinVerifier:
    """Makes and checks what is kept of a PIN; slow on purpose, so call it off the loop.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    def __init__(self, module: CryptoModule, pepper: KeyHandle, cost: PinCost) -> None:
        self._module = module
        self._pepper = pepper
        self._cost = cost
        self._decoy = module.random(3 * SALT_BYTES)

    def make(self, pin: Secret[str], customer: str) -> bytes:
        """What to keep of a new PIN: label, salt and MAC, 65 bytes.

        Source: ISO/TS 12812-2:2017, 7.3.4; C
        """
        salt = self._module.random(SALT_BYTES)
        return self._label() + salt + self._tag(pin, customer, salt, self._cost)

    def check(self, pin: Secret[str], customer: str, kept: bytes) -> None:
        """Pass if `pin` is the one that `kept` was made of.

        Raises NotAuthentic otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        cost = cost_of(kept) or self._cost
        salted = kept[-SALT_BYTES - 32 :]
        salt, tag = salted[:SALT_BYTES], salted[SALT_BYTES:]
        if Secret(self._tag(pin, customer, salt, cost)) != Secret(tag):
            raise not_right()

    def refuse(self, pin: Secret[str], customer: str) -> None:
        """Take as long as `check` takes, and refuse as it refuses what is wrong.

        Raises NotAuthentic always.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.check(pin, customer, self._decoy)
        raise not_right()

    def _label(self) -> bytes:
        cost = self._cost
        numbers = cost.memory_kib.to_bytes(4, "big") + bytes((cost.passes,))
        return MAGIC + numbers + self._pepper.id[-8:].encode("ascii")

    def _tag(self, pin: Secret[str], customer: str, salt: bytes, cost: PinCost) -> bytes:
        slow = argon2id(
            pin.reveal().encode(),
            salt=salt,
            memory_kib=cost.memory_kib,
            passes=cost.passes,
            lanes=1,
            length=32,
        )
        return self._module.mac(self._pepper, customer.encode() + b"\x00" + slow)


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

    def set(self, turn: Turn, customer: Customer, verifier: bytes, channel: str = "ussd") -> Wire:
        """Keep the verifier of a PIN that the customer chose on `channel`.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        self._customers.save(turn, replace(self.clear(turn, customer), pin=verifier))
        turn.record("pin.set", policy=self._policy.version, public={"channel": channel})
        return Empty()
