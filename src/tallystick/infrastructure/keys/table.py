"""The table of keys: for each purpose who holds the key, for how long, and who signs for it.

A process loads the keys that the table names for its roles and no others; the roots that it is
given open no others either.

Source: ISO/TS 12812-2:2017, 7.4.2; 6.2.1; ISO 11568
"""

from collections.abc import Iterable
from enum import StrEnum

from tallystick.infrastructure.modules.block import BlockHeader, is_reference, peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Instant


class Role(StrEnum):
    """Where a key may be: a kind of process, or people away from the server.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
    """

    OFFLINE = "offline"
    FRONT = "front"
    WRITER = "writer"
    ENROLMENT = "enrolment"
    WITNESS = "witness"
    VERIFIER = "verifier"
    OFFICER = "officer"
    CARD = "card"


class KeyRule(Record, frozen=True, kw_only=True):
    """One row: `holders` may load the key, `max_life_ms` ends its use, `vouched_by` vouches for it.

    A life of 0 means as long as what it protects. `vouched_by` is empty for secret keys and for
    those that are pinned.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    purpose: Purpose
    holders: tuple[Role, ...]
    max_life_ms: int
    vouched_by: tuple[Purpose, ...]
    note: str


_YEAR = 365 * DAY_MS
_ROOT = (Purpose.PROVIDER_ROOT,)
_CERTIFIED = (Purpose.CERTIFICATE_ROOT,)
_ISSUED = (Purpose.CERTIFICATE_ISSUER,)
_FRONT, _WRITER, _ENROLMENT = Role.FRONT, Role.WRITER, Role.ENROLMENT
_VERIFIER = Role.VERIFIER
_CARD = (Role.CARD,)

_ROWS: tuple[tuple[Purpose, tuple[Role, ...], int, tuple[Purpose, ...], str], ...] = (
    (Purpose.PROVIDER_ROOT, (Role.OFFLINE,), 10 * _YEAR, (), "pinned in the SDK"),
    (Purpose.OFFICER, (Role.OFFICER,), 2 * _YEAR, (), "public half fixed when the service is made"),
    (Purpose.SESSION_SIGNATURE, (_FRONT,), 7 * DAY_MS, _ROOT, "signs what opens a session"),
    (Purpose.DEVICE_CA, (_ENROLMENT,), 3 * _YEAR, _ROOT, "certifies device keys"),
    (Purpose.TALLY, (_WRITER,), _YEAR, _ROOT, "signs checkpoints; one process only"),
    (Purpose.TIME_STAMP, (_WRITER,), _YEAR, _ROOT, "RFC 3161; a certificate of the services"),
    (Purpose.APP_SIGNING, (Role.OFFLINE,), 3 * _YEAR, _ROOT, "signs manifests of applications"),
    (Purpose.WITNESS, (Role.WITNESS,), 2 * _YEAR, (), "the witness publishes its own key"),
    (Purpose.WEBHOOK, (_WRITER,), 90 * DAY_MS, (), "partners fetch the public half"),
    (Purpose.QUOTE, (_FRONT, _WRITER), DAY_MS, (), "made and checked without state"),
    (Purpose.RECEIPT_CODE, (_WRITER,), _YEAR, (), "codes that a person can read out"),
    (Purpose.ACTIVATION, (_WRITER, _ENROLMENT), 90 * DAY_MS, (), "activation codes"),
    (Purpose.PIN_PEPPER, (_FRONT, _ENROLMENT), 0, (), "a verifier is useless without it"),
    (
        Purpose.ALIAS_INDEX,
        (_WRITER, _ENROLMENT, _VERIFIER),
        0,
        (),
        "finds a number that is not stored",
    ),
    (
        Purpose.SUBJECT,
        (_WRITER, _ENROLMENT, _VERIFIER),
        0,
        (),
        "one for each customer; destroyed to erase",
    ),
    (
        Purpose.SUBJECT_WRAP,
        (_WRITER, _ENROLMENT, _VERIFIER),
        0,
        (),
        "wraps the keys of subjects; the newest wraps new ones",
    ),
    (Purpose.SESSION_WRAP, (_FRONT, _WRITER), DAY_MS, (), "lives in memory only"),
    (Purpose.DIALLED_PIN, (_FRONT,), 0, (), "made at each start; lives in memory only"),
    (Purpose.STORE, (_WRITER, _ENROLMENT), 0, (), "columns of the store"),
    (Purpose.TIGHTENING, (_WRITER,), _YEAR, (), "public halves fixed at set-up and renewal"),
    (Purpose.PARTNER_LINK, (_WRITER,), 0, (), "shared secrets of callbacks are derived from it"),
    (Purpose.OTP_SEED, (_WRITER,), 0, (), "seeds of customers' own authenticators"),
    (Purpose.OTP_TRANSPORT, (_WRITER,), _YEAR, (), "makers of authenticators seal seeds to it"),
    (Purpose.CERTIFICATE_ROOT, (Role.OFFLINE,), 10 * _YEAR, (), "pinned by who validates"),
    (Purpose.CERTIFICATE_ISSUER, (Role.OFFLINE,), 3 * _YEAR, _CERTIFIED, "not on line"),
    (Purpose.OCSP_RESPONDER, (_WRITER,), 90 * DAY_MS, _ISSUED, "answers for one issuer"),
    (Purpose.KEY_WRAP, _CARD, 2 * _YEAR, (), "wraps keys that go to one partner or come from it"),
    (Purpose.PIN_ENCRYPTION, _CARD, _YEAR, (), "PIN blocks on one link"),
    (Purpose.PIN_PVV, _CARD, 0, (), "as long as values made with it are kept"),
    (Purpose.PIN_IBM3624, _CARD, 0, (), "as long as offsets made with it are kept"),
    (Purpose.PIN_REFERENCE, _CARD, 0, (), "as long as references made with it are kept"),
    (Purpose.DUKPT_BASE, _CARD, 5 * _YEAR, (), "one fleet of terminals"),
    (Purpose.DUKPT_INITIAL, _CARD, 5 * _YEAR, (), "one terminal"),
    (Purpose.CARD_VERIFICATION, _CARD, 0, (), "as long as the cards are in force"),
    (Purpose.CHIP_CRYPTOGRAM, _CARD, 0, (), "as long as the cards are in force"),
    (Purpose.CHIP_CONFIDENTIALITY, _CARD, 0, (), "as long as the cards are in force"),
    (Purpose.CHIP_INTEGRITY, _CARD, 0, (), "as long as the cards are in force"),
    (Purpose.CHIP_DYNAMIC, _CARD, 0, (), "as long as the cards are in force"),
    (Purpose.CARD_MAC, _CARD, _YEAR, (), "messages on one link"),
    (Purpose.CARD_MAC_RETAIL, _CARD, _YEAR, (), "messages on one link that has nothing newer"),
    (Purpose.CARD_MAC_CBC, _CARD, _YEAR, (), "messages of one length on one old link"),
    (Purpose.TOKENISATION, _CARD, 0, (), "as long as surrogates made with it are in force"),
    (Purpose.SIM_PACKET, (_WRITER,), 0, (), "one for each SIM; packets both ways"),
    (Purpose.SIM_ORDER, (_WRITER, _VERIFIER), 0, (), "one for each SIM; what its holder agreed to"),
    (Purpose.DATA_ENCRYPTION, _CARD, _YEAR, (), "data on one link"),
    (Purpose.LINK_HMAC, _CARD, _YEAR, (), "messages on one link, as the door's callers ask"),
    (Purpose.SURROGATE, _CARD, 0, (), "one for each domain of surrogates; destroyed to end it"),
    (Purpose.DOOR_CREDENTIAL, _CARD, 0, (), "secrets of programs at the door are derived from it"),
    (Purpose.PAIR_DATA, _CARD, 2 * _YEAR, (), "others encipher data to it at the door"),
    (Purpose.PAIR_TRANSPORT, _CARD, 2 * _YEAR, (), "partners encipher keys to it"),
    (Purpose.PAIR_SIGNATURE, _CARD, 2 * _YEAR, (), "signs keys that leave for partners"),
    (Purpose.PAIR_AGREEMENT, _CARD, 2 * _YEAR, (), "agrees on keys with partners and devices"),
    (Purpose.PARTNER_CERTIFICATE, _CARD, 0, (), "a partner's; until its own end"),
    (Purpose.DOOR_AUTHORITY, _CARD, 10 * _YEAR, (), "certifies the pairs of the door"),
)

KEY_TABLE: dict[Purpose, KeyRule] = {
    purpose: KeyRule(
        purpose=purpose,
        holders=holders,
        max_life_ms=max_life_ms,
        vouched_by=vouched_by,
        note=note,
    )
    for purpose, holders, max_life_ms, vouched_by, note in _ROWS
}
"""Every purpose exactly once."""


class LoadedKeys(Record, frozen=True, kw_only=True):
    """The keys that a process got, the newest of each purpose first, and why others were left.

    `left` maps the id of a block to the reason: `role`, `expired`, `device` for a key in a
    device that the module does not use, `wraps` for one that the module has but not as a key.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    handles: dict[Purpose, tuple[KeyHandle, ...]]
    left: dict[str, str]

    def newest(self, purpose: Purpose) -> KeyHandle:
        """The key to use for new protection; raises NotFound if there is none.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.every(purpose)[0]

    def every(self, purpose: Purpose) -> tuple[KeyHandle, ...]:
        """The keys to open with, the newest first; raises NotFound if there is none.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self.handles.get(purpose)
        if not found:
            raise NotFound(
                f"no {purpose.value} key in force is loaded",
                remedy="generate one and restart, or start this process in a role that holds it",
            )
        return found


def purposes_of(roles: Iterable[Role]) -> tuple[Purpose, ...]:
    """The purposes whose keys a process in these `roles` may have.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    wanted = frozenset(roles)
    return tuple(rule.purpose for rule in KEY_TABLE.values() if wanted & frozenset(rule.holders))


def end_of_life(handle: KeyHandle | BlockHeader) -> int:
    """When the key must no longer be used, in milliseconds; 0 if that depends on what it protects.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    life = KEY_TABLE[handle.purpose].max_life_ms
    return handle.created_at + life if life else 0


def load_for(
    roles: Role | Iterable[Role],
    module: CryptoModule,
    blocks: Iterable[bytes],
    *,
    now: Instant,
) -> LoadedKeys:
    """Import into `module` the blocks that the table names for `roles` and that are in their time.

    Raises NotAuthentic for a block that was changed, Conflict for one from the future.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    allowed = frozenset(purposes_of((roles,) if isinstance(roles, Role) else roles))
    held = frozenset(module.capabilities().in_device)
    handles: dict[Purpose, list[KeyHandle]] = {}
    left: dict[str, str] = {}
    for block in blocks:
        claimed = peek(block)
        if claimed.purpose not in allowed:
            left[claimed.id] = "role"
        elif claimed.purpose is Purpose.SUBJECT_WRAP:
            left[claimed.id] = "wraps"
        elif _is_past(claimed, now):
            left[claimed.id] = "expired"
        elif is_reference(block) and claimed.purpose not in held:
            left[claimed.id] = "device"
        else:
            handle = module.import_block(block)
            handles.setdefault(handle.purpose, []).append(handle)
    return LoadedKeys(
        handles={
            purpose: tuple(sorted(found, key=lambda handle: handle.created_at, reverse=True))
            for purpose, found in handles.items()
        },
        left=left,
    )


def _is_past(header: BlockHeader, now: Instant) -> bool:
    if header.created_at > now + DAY_MS:
        raise Conflict(
            f"a {header.purpose.value} key was made in the future", remedy="check the clock"
        )
    end = end_of_life(header)
    return end != 0 and now >= end
