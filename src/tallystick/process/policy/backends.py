"""What a cryptographic module may be used for, by what it is: rows that no policy file loosens.

A module says what it is in its capabilities. Card schemes demand hardware for PINs, so that no
setting lets them into software; in a closed loop the provider answers for its own PINs, and its
profile may say that software is enough.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 8.2.3; ISO 13491; PCI PIN
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from tallystick.infrastructure.modules.interface import Capabilities
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant


class KeyUse(StrEnum):
    """What keys are wanted for, as far as it matters where they are.

    Source: ISO/TS 12812-2:2017, 8.2.2; 8.2.3
    """

    SCHEME_PINS = "scheme-pins"
    LOOP_PINS = "loop-pins"
    ISSUER_KEYS = "issuer-keys"
    OWN_KEYS = "own-keys"


class BackendRule(Record, frozen=True, kw_only=True):
    """A row: which use it is about, why it is there, and what helps.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    id: str
    use: KeyUse
    because: str
    remedy: str


_Meets = Callable[[Capabilities, Instant], bool]


def _hardware(told: Capabilities, now: Instant) -> bool:
    return told.hardware_boundary


def _validated(told: Capabilities, now: Instant) -> bool:
    return bool(told.validated_as) and told.validated_until > now


def _atomic(told: Capabilities, now: Instant) -> bool:
    return told.atomic_pin_translation


def _hardware_or_profile(told: Capabilities, now: Instant) -> bool:
    return told.hardware_boundary or told.pins_in_software


_DEVICE = "use a hardware module that is validated for payments"
_PROFILE = "use a hardware module, or let the profile of a closed loop allow software"

_RULES: Final[tuple[tuple[BackendRule, _Meets], ...]] = tuple(
    (BackendRule(id=name, use=use, because=because, remedy=remedy), meets)
    for name, use, meets, because, remedy in (
        ("scheme-pins-in-hardware", KeyUse.SCHEME_PINS, _hardware,
         "PINs of card schemes are handled in hardware only", _DEVICE),
        ("scheme-pins-validated", KeyUse.SCHEME_PINS, _validated,
         "PINs of card schemes are handled in modules whose certificate is in force", _DEVICE),
        ("scheme-pins-atomic", KeyUse.SCHEME_PINS, _atomic,
         "a PIN must not be in clear outside of the module between two blocks", _DEVICE),
        ("loop-pins-by-profile", KeyUse.LOOP_PINS, _hardware_or_profile,
         "PINs of a closed loop are in software only where the profile says so", _PROFILE),
        ("loop-pins-atomic", KeyUse.LOOP_PINS, _atomic,
         "a PIN must not be in clear outside of the module between two blocks",
         "use a module that translates PINs inside"),
        ("issuer-keys-by-profile", KeyUse.ISSUER_KEYS, _hardware_or_profile,
         "issuers' keys are in software only where the profile of a closed loop says so", _PROFILE),
    )
)  # fmt: skip

BACKEND_RULES: Final[dict[str, BackendRule]] = {rule.id: rule for rule, _ in _RULES}
"""Every row by its name, for who explains a refusal later."""


def broken_rule(use: KeyUse, told: Capabilities, now: Instant) -> BackendRule | None:
    """The first row that forbids `use` on the module that `told` describes; None if none does.

    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 8.2.3
    """
    broken = (rule for rule, meets in _RULES if rule.use is use and not meets(told, now))
    return next(broken, None)


def check_use(use: KeyUse, told: Capabilities, now: Instant) -> None:
    """Return only if the module that `told` describes may serve `use`.

    Raises NotPermitted with the row in `because`.
    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.2; 8.2.3
    """
    broken = broken_rule(use, told, now)
    if broken is not None:
        raise NotPermitted(broken.because, remedy=broken.remedy, because=broken.id)
