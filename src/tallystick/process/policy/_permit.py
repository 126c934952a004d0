"""The permit: what execution demands, and what only the decision makes.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

from typing import Final, NoReturn, final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Broken
from tallystick.process.policy.compile import Decision
from tallystick.process.policy.facts import Facts
from tallystick.process.policy.language.model import LimitRule


@final
class _Mint:
    """Whoever has the one instance may make permits.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    __slots__ = ()


MINT: Final = _Mint()


@final
class Permit:
    """Leave to execute one order, once, under the policy version that gave it.

    It names the order (`subject`), the row, the facts and the limits. It is not built, copied or
    pickled anywhere but in the decision, and it does not leave the process.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    __slots__ = ("_decision", "_subject")

    def __init__(self, mint: _Mint, subject: str, decision: Decision) -> None:
        """Made by `decide` alone.

        Raises Broken for anybody else.
        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        if mint is not MINT:
            raise Broken("a permit is made by the policy decision only")
        self._subject = subject
        self._decision = decision

    @property
    def subject(self) -> str:
        """The id of the order or act that may be executed.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._subject

    @property
    def decision(self) -> Decision:
        """The decision behind the permit.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._decision

    @property
    def row(self) -> str:
        """The id of the row that allowed it.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._decision.row

    @property
    def policy_version(self) -> int:
        """The version of the policy that allowed it.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._decision.policy_version

    @property
    def limits(self) -> tuple[LimitRule, ...]:
        """The rolling limits that the ledger must hold in the same step.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._decision.limits

    @property
    def commission_minor(self) -> int:
        """What the agent of the payment earns with it, in minor units.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._decision.commission_minor

    @property
    def facts(self) -> Facts:
        """The facts that it was decided on.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self._decision.facts

    def facts_hash(self) -> bytes:
        """SHA-256 over the canonical encoding of the facts, 32 bytes; computed when asked.

        Source: RFC 8785; ISO/IEC 10118-3
        """
        return sha256(encode_canonical(self._decision.facts))

    def __repr__(self) -> str:
        return f"Permit({self._subject}, row {self.row}, policy {self.policy_version})"

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("a permit is not extended")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a permit is not copied or pickled")

    __getstate__ = __reduce__
