"""The authenticators that the writer owns.

Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226; RFC 6238; RFC 6287
"""

from tallystick.application.attempts import not_right
from tallystick.application.authenticators.model import (
    AuthenticatorRow,
    Window,
    window_of,
)
from tallystick.application.authenticators.store import AUTHENTICATOR
from tallystick.application.customers import Customer
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.otp import (
    Mac,
    OcraInput,
    OcraSuite,
    code_at,
    matching,
    ocra_code,
    step_of,
)
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.authentication import EnrolAuthenticator

_HOTP, _TOTP, _OCRA = "hotp", "totp", "ocra"
_MECHANISMS = {"SHA1": "hmac-sha1", "SHA256": "hmac-sha256", "SHA512": "hmac-sha512"}
_NEVER = 2**62
_LEADING = 8


class Authenticators:
    """Keeps one authenticator a customer, and uses up its codes.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(
        self,
        module: CryptoModule,
        transport: tuple[KeyHandle, ...],
        policy: PolicyInForce,
        reader: Reader,
        *,
        capacity: int,
    ) -> None:
        """Seeds come sealed to one of `transport`, the newest first.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._module = module
        self._transport = transport
        self._policy = policy
        self._rows = RowCache(AUTHENTICATOR, AuthenticatorRow, reader, capacity=capacity)
        self._decoy = module.export_block(module.generate(Purpose.OTP_SEED))

    def enrol(self, turn: Turn, customer: Customer, asked: EnrolAuthenticator) -> AuthenticatorRow:
        """The authenticator of `customer` from now on; one that there was is forgotten.

        Raises NotAuthentic for a seed that was sealed to another key or mechanism, Malformed for a
        suite that asks for a PIN or a session, which the provider does not have.
        Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226, 7.5
        """
        digits, step_s = asked.digits, asked.step_s
        if asked.kind == _OCRA:
            suite = OcraSuite.read(asked.suite)
            if suite.pin or suite.session_bytes:
                raise Malformed("a suite with a PIN or a session is not kept here")
            if _MECHANISMS[suite.hashed] != asked.mechanism:
                raise Malformed("the suite names another hash than the seed's")
            digits, step_s = suite.digits, suite.step_s
        elif asked.suite:
            raise Malformed("only an OCRA authenticator has a suite")
        if asked.kind == _TOTP:
            step_of(turn.now, step_s)
        row = AuthenticatorRow(
            customer=customer.id,
            kind=asked.kind,
            suite=asked.suite,
            digits=digits,
            step_s=step_s,
            seed=self._admitted(asked),
            unused=asked.counter,
            drift=0,
            question="",
            enrolled_at=turn.now,
        )
        self._rows.put(customer.id, row, turn.changes)
        return row

    def challenge(self, turn: Turn, customer: Customer) -> str:
        """A new question for the customer's OCRA authenticator; the last one is void.

        Everybody gets one: whether it can be answered is not told.
        Source: RFC 6287, 7.1; ISO/TS 12812-2:2017, 7.3.2
        """
        number = int.from_bytes(turn.entropy(16), "big") % 10**_LEADING
        question = f"{number:0{_LEADING}d}"
        row = self._rows.get(customer.id)
        if row is not None and row.kind == _OCRA:
            self._rows.put(customer.id, replace(row, question=question), turn.changes)
        return question

    def pose(self, turn: Turn, customer: Customer, question: str) -> None:
        """Ask the customer's OCRA authenticator `question`; the last question is void.

        Source: RFC 6287, 7.1
        """
        row = self._rows.get(customer.id)
        if row is not None and row.kind == _OCRA:
            self._rows.put(customer.id, replace(row, question=question), turn.changes)

    def use(
        self,
        turn: Turn,
        customer: Customer,
        channel: str,
        given: Secret[str],
        following: Secret[str] | None = None,
    ) -> str:
        """Use up the code `given`; gives the category of factor that the policy makes of it.

        With `following`, the code after it, the search is wide and sets the counter or the drift.
        Raises NotAuthentic alike for a wrong code, one that was used, and where there is none.
        Source: ISO/TS 12812-2:2017, 7.3.2; RFC 4226, 7.4; RFC 6238, 5.2
        """
        row = self._rows.get(customer.id)
        looked = row or _nobody(customer.id, self._decoy)
        found = self._search(looked, turn.now, given, following)
        rule = self._policy.compiled.policy.authenticators.get(looked.kind)
        if row is None or rule is None or channel not in rule.channels or found < row.unused:
            raise not_right()
        step = step_of(turn.now, row.step_s) if row.kind == _TOTP else 0
        last = found if following is None else found + 1
        moved = replace(
            row,
            unused=last + 1,
            drift=last - step if row.kind == _TOTP else 0,
            question="",
        )
        self._rows.put(customer.id, moved, turn.changes)
        return rule.category

    def end_carried(self, turn: Turn, customer: str) -> None:
        """Let an authenticator that the policy says is in the handset answer nothing any more.

        Its seed is forgotten; the customer gets another one at the desk.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = self._rows.get(customer)
        rule = None if row is None else self._policy.compiled.policy.authenticators.get(row.kind)
        if row is not None and rule is not None and rule.carried_by == "handset":
            over = replace(row, seed=self._decoy, unused=_NEVER, question="")
            self._rows.put(customer, over, turn.changes)

    def look(
        self, customer: Customer, now: Instant, given: Secret[str], following: Secret[str] | None
    ) -> None:
        """Take as long as `use` takes, and use nothing up.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        row = self._rows.get(customer.id) or _nobody(customer.id, self._decoy)
        self._search(row, now, given, following)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()

    def _admitted(self, asked: EnrolAuthenticator) -> bytes:
        named = [one for one in self._transport if one.id == asked.sealed_to]
        if not named:
            raise NotPermitted(
                "the seed was sealed to a key that is not in force",
                remedy="seal it to the present transport key",
            )
        handle = self._module.kem_admit(named[0], b64url_decode(asked.sealed), asked.mechanism)
        block = self._module.export_block(handle)
        self._module.destroy(handle)
        return block

    def _search(
        self, row: AuthenticatorRow, now: Instant, given: Secret[str], following: Secret[str] | None
    ) -> int:
        """The counter or step of the code, -1 for none; the seed is loaded for this once."""
        handle = self._module.import_block(row.seed)
        try:
            return self._found(row, handle, now, given, following)
        finally:
            self._module.destroy(handle)

    def _found(
        self,
        row: AuthenticatorRow,
        handle: KeyHandle,
        now: Instant,
        given: Secret[str],
        following: Secret[str] | None,
    ) -> int:
        module = self._module

        def mac(message: bytes) -> bytes:
            return module.mac(handle, message)

        if row.kind == _OCRA:
            return _answered(row, mac, now, given)
        step = step_of(now, row.step_s) if row.kind == _TOTP else 0
        within = window_of(row, step, resync=following is not None)
        if following is None:
            return matching(mac, given, within.first, within.last, row.digits)
        return _pair(mac, within, row.digits, given, following)


def _pair(mac: Mac, within: Window, digits: int, given: Secret[str], following: Secret[str]) -> int:
    """The counter of `given` where the next one's code is `following`; -1 for none."""
    found = -1
    for counter in range(within.last, within.first - 1, -1):
        both = (Secret(code_at(mac, counter, digits)), Secret(code_at(mac, counter + 1, digits)))
        if (both[0] == given) & (both[1] == following):
            found = counter
    return found


def _answered(row: AuthenticatorRow, mac: Mac, now: Instant, given: Secret[str]) -> int:
    """The counter that the answer was made with; the question is asked once, so 0 without one."""
    suite = OcraSuite.read(row.suite)
    step = step_of(now, suite.step_s) if suite.step_s else 0
    question = row.question or "0" * _LEADING
    last = row.unused + 10 if suite.counted else row.unused
    around = (step - 1, step, step + 1) if suite.step_s else (0,)
    found = -1
    for counter in range(last, row.unused - 1, -1):
        for at in around:
            asked = OcraInput(question, counter=counter, step=max(0, at))
            if Secret(ocra_code(mac, suite, asked)) == given:
                found = counter
    return found if row.question else -1


def _nobody(customer: str, seed: bytes) -> AuthenticatorRow:
    """An authenticator that nobody has, so that looking for a code takes as long where none is."""
    return AuthenticatorRow(
        customer=customer,
        kind=_HOTP,
        suite="",
        digits=6,
        step_s=0,
        seed=seed,
        unused=0,
        drift=0,
        question="",
        enrolled_at=0,
    )
