"""The dialled PIN: a try is counted durably before anybody knows whether it was right.

    TryPin (committed) -> Argon2id outside the loop -> MAC in the module -> PinRight + order |
    refused

What is kept of a PIN is a MAC, under a key that never leaves the module, of a salted memory-hard
hash.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4
"""

from dataclasses import dataclass

from tallystick.application.customers import Customer, Customers
from tallystick.application.notices import Notices, Template
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.kdf import argon2id
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.kernel.errors import NotAuthentic, NotPermitted
from tallystick.kernel.model import Wire, replace
from tallystick.kernel.secret import Secret
from tallystick.protocol.payments import Empty

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class PinCost:
    """What one guess costs: memory in KiB and passes.

    Source: RFC 9106, 4
    """

    memory_kib: int = 19_456
    passes: int = 2


class PinVerifier:
    """Makes and checks what is kept of a PIN; slow on purpose, so call it off the loop.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    def __init__(self, module: CryptoModule, pepper: KeyHandle, cost: PinCost) -> None:
        self._module = module
        self._pepper = pepper
        self._cost = cost

    def make(self, pin: Secret[str], customer: str) -> bytes:
        """What to keep of a new PIN: salt and MAC, 48 bytes.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        salt = self._module.random(SALT_BYTES)
        return salt + self._tag(pin, customer, salt)

    def check(self, pin: Secret[str], customer: str, kept: bytes) -> None:
        """Pass if `pin` is the one that `kept` was made of.

        Raises NotAuthentic otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        salt, tag = kept[:SALT_BYTES], kept[SALT_BYTES:]
        if Secret(self._tag(pin, customer, salt)) != Secret(tag):
            raise NotAuthentic("the PIN is not right", remedy="check it and try again")

    def _tag(self, pin: Secret[str], customer: str, salt: bytes) -> bytes:
        slow = argon2id(
            pin.reveal().encode(),
            salt=salt,
            memory_kib=self._cost.memory_kib,
            passes=self._cost.passes,
            lanes=1,
            length=32,
        )
        return self._module.mac(self._pepper, customer.encode() + b"\x00" + slow)


class Pins:
    """Counts tries and keeps verifiers, as the writer executes them.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, customers: Customers, notices: Notices, policy: PolicyInForce) -> None:
        self._customers = customers
        self._notices = notices
        self._policy = policy

    def count_try(self, turn: Turn, customer_id: str) -> Outcome:
        """Count one try; the answer says whether there may be one.

        Raises NotPermitted while the PIN is blocked or none is set.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        customer = self._customers.active(self._customers.get(customer_id))
        rules = self._policy.compiled.policy.attempts
        if not customer.pin:
            raise NotPermitted("no PIN is set", remedy="set one with the activation code")
        if turn.now < customer.pin_blocked_until:
            raise NotPermitted(
                "the PIN is blocked",
                because=f"{rules.limit} wrong tries",
                remedy="wait, or ask the provider",
            )
        failures = (0 if customer.pin_blocked_until else customer.pin_failures) + 1
        blocked = turn.now + rules.block_ms if failures >= rules.limit else 0
        tried = replace(customer, pin_failures=failures, pin_blocked_until=blocked)
        self._customers.save(turn, tried)
        if blocked:
            self._notices.add(turn, customer.id, Template.PIN_BLOCKED, customer.id)
        return Outcome(Empty())

    def was_right(self, turn: Turn, customer_id: str) -> Outcome:
        """Begin the count anew after a right PIN.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.clear(turn, self._customers.get(customer_id))
        return Outcome(Empty())

    def clear(self, turn: Turn, customer: Customer) -> Customer:
        """`customer` without failures.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        cleared = replace(customer, pin_failures=0, pin_blocked_until=0)
        self._customers.save(turn, cleared)
        return cleared

    def set(self, turn: Turn, customer: Customer, verifier: bytes) -> Wire:
        """Keep the verifier of a PIN that the customer chose.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        chosen = replace(customer, pin=verifier, pin_failures=0, pin_blocked_until=0)
        self._customers.save(turn, chosen)
        turn.record("pin.set", policy=self._policy.version, public={"channel": "ussd"})
        return Empty()
