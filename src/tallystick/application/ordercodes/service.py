"""Codes of orders as the writer keeps them: sent seldom, tried once, good for one order's terms.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4; 11.2.2
"""

from tallystick.application.consent import quote_digest
from tallystick.application.customers import Customer
from tallystick.application.notices import Notices, OrderCodeIssued
from tallystick.application.ordercodes.store import ORDER_CODE, OrderCodeRow
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Outcome, Turn
from tallystick.application.typedcodes import KeyedCode
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.errors import NotPermitted, RateLimited
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, MINUTE_MS
from tallystick.process.policy import Grade
from tallystick.process.policy.language.model import Policy
from tallystick.protocol.payments import Empty, Quote

MOST_A_DAY = 3
"""How many codes a customer is sent within 24 hours."""

_LABEL = b"tallystick order code v1\x00"
_DIGITS = 6
_BECAUSE = "codes by SMS are a fallback"


def cap_of(policy: Policy) -> int | None:
    """The most that one payment confirmed by a code may move; None where the policy has them off.

    It is on only where limits name the grade `code-confirmed` itself; the lowest cap counts.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    grade = Grade.CODE_CONFIRMED.value
    caps = [
        limit.per_payment_minor
        for limit in policy.limits
        for words in limit.words
        if words.field == "grade" and grade in words.words
    ]
    return min(caps, default=None)


class OrderCodes:
    """Sends and uses up codes.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(
        self,
        module: CryptoModule,
        codes: KeyHandle,
        notices: Notices,
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int,
    ) -> None:
        """Keep MACs under `codes`.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        self._module = module
        self._codes = codes
        self._notices = notices
        self._policy = policy
        self._rows = RowCache(ORDER_CODE, OrderCodeRow, reader, capacity=capacity)

    def check_allowed(self, amount_minor: int) -> None:
        """Pass if the policy names the fallback, for this amount.

        Raises NotPermitted otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        cap = cap_of(self._policy.compiled.policy)
        if cap is None or amount_minor > cap:
            raise NotPermitted(
                "a code by SMS does not confirm this order",
                because=_BECAUSE,
                remedy="confirm it with your PIN or in the app",
            )

    def send(self, turn: Turn, customer: Customer, quote: Quote) -> Outcome:
        """Send a code for the terms of `quote`, in place of one before.

        Raises NotPermitted where the policy does not name the fallback or the amount is above its
        cap, RateLimited after `MOST_A_DAY` codes within 24 hours.
        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        self.check_allowed(quote.amount_minor)
        known = self._rows.get(customer.id)
        fresh = known is None or turn.now - known.since >= DAY_MS
        since, sent = (turn.now, 0) if known is None or fresh else (known.since, known.sent)
        if sent >= MOST_A_DAY:
            raise RateLimited("no more codes are sent today", remedy="try again tomorrow")
        code = Secret(f"{int.from_bytes(turn.entropy(8), 'big') % 10**_DIGITS:0{_DIGITS}d}")
        digest = quote_digest(quote)
        life_ms = self._policy.compiled.policy.attempts.activation_life_ms
        expires_at = min(quote.expires_at, turn.now + life_ms)
        row = OrderCodeRow(
            customer=customer.id,
            digest=digest,
            code_mac=self._mac(customer.id, digest, code),
            expires_at=expires_at,
            since=since,
            sent=sent + 1,
        )
        self._rows.put(customer.id, row, turn.changes)
        issued = OrderCodeIssued(
            code=code,
            minutes=max(1, (expires_at - turn.now) // MINUTE_MS),
            amount_minor=quote.amount_minor,
            currency=quote.currency,
            payee_name=quote.payee_name,
        )
        self._notices.add_order_code(turn, customer.id, quote.order, issued)
        return Outcome(Empty())

    def keyed(self, customer: str, quote: Quote, code: Secret[str]) -> KeyedCode:
        """The `code` for the terms of `quote` as doors hand it on: what was typed, under a key.

        Source: ISO/TS 12812-2:2017, 7.3.4; 11.2.2
        """
        return KeyedCode(self._mac(customer, quote_digest(quote), code))

    def use(self, turn: Turn, customer: str, quote: Quote, code: KeyedCode) -> None:
        """Use up the customer's code: one try, right or wrong, for exactly these terms.

        Raises NotPermitted alike for a wrong, used, expired code and one of other terms. The caller
        keeps what this changed also where it raises.
        Source: ISO/TS 12812-2:2017, 7.3.2; 11.2.2
        """
        self.check_allowed(quote.amount_minor)
        row = self._rows.get(customer)
        digest = quote_digest(quote)
        if row is None or not row.code_mac:
            raise NotPermitted("the code is not right", remedy="dial again for another one")
        self._rows.put(customer, replace(row, code_mac=b""), turn.changes)
        right = code.is_of(row.code_mac)
        if not right or digest != row.digest or turn.now > row.expires_at:
            raise NotPermitted("the code is not right", remedy="dial again for another one")

    def drop(self, turn: Turn, customer: str) -> None:
        """Let the customer's code confirm nothing any more.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = self._rows.get(customer)
        if row is not None and row.code_mac:
            self._rows.put(customer, replace(row, code_mac=b""), turn.changes)

    def trim(self) -> None:
        """Forget what is over capacity; it is on disk.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget what a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()

    def _mac(self, customer: str, digest: bytes, code: Secret[str]) -> bytes:
        message = _LABEL + customer.encode() + b"\x00" + digest + code.reveal().encode()
        return self._module.mac(self._codes, message)
