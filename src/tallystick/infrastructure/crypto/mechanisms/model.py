"""What a row of the registry says about a mechanism, and how rows are written.

Source: ISO/TS 12812-2:2017, C; ISO/TS 14742
"""

from enum import StrEnum
from typing import Final

from tallystick.kernel.model import Record


class Status(StrEnum):
    """What the registry says about a mechanism.

    Source: ISO/TS 12812-2:2017, C
    """

    APPROVED = "approved"
    LEGACY = "legacy"
    RESTRICTED = "restricted"
    PROHIBITED = "prohibited"


class Sort(StrEnum):
    """What sort of mechanism it is: the services of the annex, in words.

    Source: ISO/TS 12812-2:2017, C; ISO/TS 14742
    """

    CIPHER = "block cipher"
    MODE = "mode of operation"
    STREAM = "stream cipher"
    SEALING = "authenticated encryption"
    FORMAT = "format-preserving encryption"
    HASH = "hash function"
    MAC = "message authentication code"
    SIGNATURE = "digital signature"
    RECOVERY = "signature with message recovery"
    ENCRYPTION = "asymmetric encryption"
    AGREEMENT = "key agreement"
    ESTABLISHMENT = "key establishment"
    ENCAPSULATION = "key encapsulation"
    PASSWORD = "password-based mechanism"  # noqa: S105 - the name of a sort
    DERIVATION = "key derivation"
    WRAPPING = "key wrapping"
    MANAGEMENT = "key management"
    PIN = "PIN and card"
    AUTHENTICATION = "entity authentication"
    EVIDENCE = "evidence and time"
    RANDOM = "random bits and primes"
    DOMAIN = "curve parameters"
    ANONYMITY = "anonymous and blind signatures"
    BIOMETRICS = "biometrics"
    DEVICE = "secure devices"
    TRANSPORT = "transport"


class Life(Record, frozen=True, kw_only=True):
    """Days (YYYY-MM-DD) from which a mechanism has a status, and who says so; empty is no day.

    `legacy_from` ends new protection, `prohibited_from` ends checking too.
    Source: ISO/TS 12812-2:2017, C
    """

    approved_from: str = ""
    legacy_from: str = ""
    prohibited_from: str = ""
    says: str = ""


_NO_DAYS: Final = Life()


class Mechanism(Record, frozen=True, kw_only=True):
    """One mechanism: its name, its standard, fixed parameters, status, strength and dates.

    `strength_bits` counts against a classical attacker, `quantum_level` is the category of NIST (0
    to 5) against one with a quantum computer; 0 where strength is not a property of the mechanism
    alone. `implemented_by` is empty for what this version does not run, and `not_run` says why
    then; `known_answer` says where the values come from that it proves itself by.
    Source: ISO/TS 12812-2:2017, C; NIST IR 8547
    """

    name: str
    standard: str
    parameters: str
    status: Status
    strength_bits: int
    implemented_by: str
    note: str
    sort: Sort = Sort.CIPHER
    quantum_level: int = 0
    purposes: tuple[str, ...] = ()
    life: Life = _NO_DAYS
    known_answer: str = ""
    not_run: str = ""
    oid: str = ""


class Runs(Record, frozen=True, kw_only=True):
    """Who runs a mechanism and what it proves itself by, or why nobody does.

    Source: ISO/TS 12812-2:2017, C
    """

    by: str = ""
    answer: str = ""
    why_not: str = ""


def library(answer: str) -> Runs:
    """Run by the library `cryptography`; `answer` names the published values.

    Source: ISO/TS 12812-2:2017, C
    """
    return Runs(by="cryptography", answer=answer)


def python(answer: str) -> Runs:
    """Run by Python's hashlib and hmac.

    Source: ISO/TS 12812-2:2017, C
    """
    return Runs(by="hashlib", answer=answer)


def own(answer: str) -> Runs:
    """Run by code of this project.

    Source: ISO/TS 12812-2:2017, C
    """
    return Runs(by="tallystick", answer=answer)


def nobody(why: str) -> Runs:
    """Not run here, for the reason `why`.

    Source: ISO/TS 12812-2:2017, C
    """
    return Runs(why_not=why)


class Family:
    """Writes rows of one sort after another.

    Source: ISO/TS 12812-2:2017, C
    """

    def __init__(self) -> None:
        self.rows: list[Mechanism] = []

    def row(
        self,
        sort: Sort,
        name: str,
        standard: str,
        status: Status,
        strength: tuple[int, int],
        runs: Runs,
        *,
        parameters: str = "",
        purposes: tuple[str, ...] = (),
        life: Life = _NO_DAYS,
        note: str = "",
        oid: str = "",
    ) -> None:
        """Add a row; `strength` is classical bits and the quantum category.

        Source: ISO/TS 12812-2:2017, C
        """
        self.rows.append(
            Mechanism(
                name=name,
                standard=standard,
                parameters=parameters,
                status=status,
                strength_bits=strength[0],
                quantum_level=strength[1],
                implemented_by=runs.by,
                known_answer=runs.answer,
                not_run=runs.why_not,
                note=note,
                sort=sort,
                purposes=purposes or USES[sort],
                life=life,
                oid=oid,
            )
        )


USES: Final[dict[Sort, tuple[str, ...]]] = {
    Sort.CIPHER: ("part of a mode",),
    Sort.MODE: ("part of a construction",),
    Sort.STREAM: ("seal", "open"),
    Sort.SEALING: ("seal", "open"),
    Sort.FORMAT: ("tokenise", "detokenise"),
    Sort.HASH: ("digest",),
    Sort.MAC: ("make a MAC", "check a MAC"),
    Sort.SIGNATURE: ("sign", "verify"),
    Sort.RECOVERY: ("verify",),
    Sort.ENCRYPTION: ("encrypt", "decrypt"),
    Sort.AGREEMENT: ("agree on a key",),
    Sort.ESTABLISHMENT: ("establish a key",),
    Sort.ENCAPSULATION: ("encapsulate", "decapsulate"),
    Sort.PASSWORD: ("check a passphrase",),
    Sort.DERIVATION: ("derive a key",),
    Sort.WRAPPING: ("wrap", "unwrap"),
    Sort.MANAGEMENT: ("keep keys",),
    Sort.PIN: ("protect a PIN or a card",),
    Sort.AUTHENTICATION: ("authenticate",),
    Sort.EVIDENCE: ("prove",),
    Sort.RANDOM: ("draw",),
    Sort.DOMAIN: ("part of a signature or agreement",),
    Sort.ANONYMITY: ("sign without a name",),
    Sort.BIOMETRICS: ("recognise a person",),
    Sort.DEVICE: ("hold keys",),
    Sort.TRANSPORT: ("protect a connection",),
}
"""What a mechanism of a sort is for, where its row says nothing else."""

OK, OLD, TIED, NO = Status.APPROVED, Status.LEGACY, Status.RESTRICTED, Status.PROHIBITED

_IR_8547 = "NIST IR 8547 (draft)"
AES_LIFE = Life(approved_from="2001-11-26", says="FIPS 197")
TDEA_LIFE = Life(legacy_from="2024-01-01", says="NIST SP 800-131A")
CURVE_LIFE = Life(legacy_from="2036-01-01", says=_IR_8547)
SHORT_LIFE = Life(prohibited_from="2031-01-01", says=f"{_IR_8547}: 112 bits until 2030")
SHA2_LIFE = Life(approved_from="2002-08-01", says="FIPS 180-2")
SHA1_LIFE = Life(legacy_from="2014-01-01", prohibited_from="2031-01-01", says="NIST, 2022-12-15")
LATTICE_LIFE = Life(approved_from="2024-08-13", says="FIPS 203 and 204")
BLOCK_LIFE = Life(legacy_from="2025-01-01", says="PCI PIN, 18-3")
"""A key block's earlier versions go on being read only."""

NO_CALLER = "nothing that this service speaks asks for it"
BY_COUNTRY = "for countries that ask for it; no pack of ours does"
NO_LIBRARY = "the library that is used here does not have it"
BROKEN = "broken, or too short: never to be run"
"""Reasons why a mechanism is not run."""
