"""Where keys can live: what each place claims, and what policy may make of it. A table, as data.

A claim is what the place itself gives; whether a device is in such a place is for the evidence.
Trust without evidence never rises above what the row says.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.2.5; 8.1.1; 8.1.2; 8.1.3
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from tallystick.infrastructure.attestation.evidence import Evidence, Level
from tallystick.kernel.model import Record
from tallystick.process.policy.facts import DeviceTrust, Factor, Grade


class Environment(StrEnum):
    """A sort of place for keys.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """

    NONE = "none"
    SOFTWARE = "software"
    SOFTWARE_KEYSTORE = "software-with-keystore"
    TEE = "tee"
    SECURE_ELEMENT = "secure-element"
    UICC = "uicc"
    CLOUD = "cloud"


class Isolation(StrEnum):
    """What keeps the key from other software of the same device.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """

    NONE = "none"
    PROCESS = "process"
    SYSTEM = "system"
    PROCESSOR = "processor"
    CHIP = "chip"
    ELSEWHERE = "elsewhere"


class Claims(Record, frozen=True, kw_only=True):
    """What a place gives and what follows from it.

    `extractable`: root on the device can read the key. `person_bound`: the place itself can make a
    use depend on a verified person. `rollback`: an old state can be put back unnoticed by it.
    `display`: it can show what is signed past the system. `certified`: a certificate of its making
    can stand in the register. `trust` and `grade` are the most that policy may read; `factors` is
    how many a signature with the key stands for.
    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1; 8.1.3; 11.2.2
    """

    extractable: bool
    person_bound: bool
    isolation: Isolation
    rollback: bool
    display: bool
    certified: bool
    trust: DeviceTrust
    grade: Grade
    factors: int


def _row(
    words: str, isolation: Isolation, trust: DeviceTrust, grade: Grade, factors: int
) -> Claims:
    said = set(words.split())
    return Claims(
        extractable="extractable" in said,
        person_bound="person" in said,
        isolation=isolation,
        rollback="rollback" in said,
        display="display" in said,
        certified="certified" in said,
        trust=trust,
        grade=grade,
        factors=factors,
    )


_HARD, _SOFT = DeviceTrust.ATTESTED_HARDWARE, DeviceTrust.SOFTWARE
ENVIRONMENTS: Final[Mapping[Environment, Claims]] = {
    Environment.NONE: _row("extractable rollback", Isolation.NONE, DeviceTrust.NONE,
                           Grade.PIN_VERIFIED, 1),
    Environment.SOFTWARE: _row("extractable rollback", Isolation.PROCESS, _SOFT,
                               Grade.DEVICE_SIGNED, 1),
    Environment.SOFTWARE_KEYSTORE: _row("extractable person rollback", Isolation.SYSTEM, _SOFT,
                                        Grade.DEVICE_SIGNED, 2),
    Environment.TEE: _row("person certified", Isolation.PROCESSOR, _HARD,
                          Grade.DEVICE_SIGNED_ATTESTED, 2),
    Environment.SECURE_ELEMENT: _row("person certified", Isolation.CHIP, _HARD,
                                     Grade.DEVICE_SIGNED_ATTESTED, 2),
    Environment.UICC: _row("person display certified", Isolation.CHIP, DeviceTrust.NONE,
                           Grade.SIM_SIGNED, 2),
    Environment.CLOUD: _row("certified", Isolation.ELSEWHERE, _SOFT, Grade.DEVICE_SIGNED, 1),
}  # fmt: skip
"""Every place with its claims."""

_ONE: Final = (Factor.POSSESSION.value,)
_APART: Final[Mapping[Isolation, str]] = {
    Isolation.NONE: "nothing",
    Isolation.PROCESS: "the process",
    Isolation.SYSTEM: "the system",
    Isolation.PROCESSOR: "the processor",
    Isolation.CHIP: "a chip of its own",
    Isolation.ELSEWHERE: "being on another machine",
}

_LEVELS: Final[Mapping[Level, Environment]] = {
    Level.NONE: Environment.SOFTWARE,
    Level.SOFTWARE: Environment.SOFTWARE_KEYSTORE,
    Level.TRUSTED_ENVIRONMENT: Environment.TEE,
    Level.STRONGBOX: Environment.SECURE_ELEMENT,
    Level.SECURE_ENCLAVE: Environment.SECURE_ELEMENT,
    Level.TPM: Environment.SECURE_ELEMENT,
    Level.AUTHENTICATOR: Environment.SECURE_ELEMENT,
}


def environment_of(evidence: Evidence) -> Environment:
    """Where `evidence` says that the key lives; software where nothing vouches for it.

    Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 8.1.1
    """
    if evidence.environment == "sim-only":
        return Environment.NONE
    return _LEVELS[evidence.key_level]


def most_trust(trust: DeviceTrust, environment: Environment) -> DeviceTrust:
    """`trust`, but not above what the place gives: hardware only where the row says hardware.

    Source: ISO/TS 12812-2:2017, 7.2.5; 8.1.1
    """
    most = ENVIRONMENTS[environment].trust
    raised = trust is DeviceTrust.ATTESTED_HARDWARE and most is not DeviceTrust.ATTESTED_HARDWARE
    return most if raised else trust


def grade_of(trust: str) -> str:
    """The grade of a consent that a device of `trust` signed: the best that a place for it gives.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1; 11.2.2
    """
    hard = any(
        one.grade is Grade.DEVICE_SIGNED_ATTESTED
        for one in ENVIRONMENTS.values()
        if one.trust == trust
    )
    return (Grade.DEVICE_SIGNED_ATTESTED if hard else Grade.DEVICE_SIGNED).value


def factors_of(places: Iterable[Environment]) -> tuple[str, ...]:
    """The categories that a signature stands for by a key in each of `places`: the fewest counts.

    Whoever has the key has something; a place that verifies a person adds what that person is.
    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
    """
    least = min((ENVIRONMENTS[one].factors for one in places), default=1)
    return (Factor.POSSESSION.value, Factor.INHERENCE.value) if least >= 2 else _ONE


def in_words(place: Environment) -> str:
    """What `place` gives, for people.

    Source: ISO/TS 12812-2:2017, 8.1.1; 8.1.3
    """
    row = ENVIRONMENTS[place]
    said = (
        f"kept apart by {_APART[row.isolation]}",
        "can be taken out" if row.extractable else "cannot be taken out",
        "each use can take a verified person" if row.person_bound else "no person is verified",
        "an old state can be put back" if row.rollback else "no old state can be put back",
        "shows what is signed past the system" if row.display else "shows nothing by itself",
        "can be certified" if row.certified else "nobody certifies it",
    )
    return f"{place.value}: {', '.join(said)}"
