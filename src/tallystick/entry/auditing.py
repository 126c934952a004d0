"""The audit of a provider's file with public halves only: tally, orders, and balances.

Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tallystick.application.payments.store import recorded_orders
from tallystick.entry.batching import MAX_BATCH
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.key_list import list_header, signature_key
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.database import Reader, has_table
from tallystick.infrastructure.store.opening import Place, is_being_written, open_snapshot
from tallystick.infrastructure.tally.audit import audit
from tallystick.infrastructure.tally.balances import AccountRow, TransferRow, recompute_balances
from tallystick.infrastructure.tally.checkpoint import NoteKey, parse_note
from tallystick.infrastructure.tally.findings import (
    Anchor,
    FindingKind,
    Projection,
    Report,
    checkpoint_anchor,
    receipt_anchor,
)
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.verify import VerifiedReceipt, verify_receipt
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound
from tallystick.kernel.model import replace
from tallystick.protocol.keylist import KeyList, ListedPurpose
from tallystick.protocol.problems import Problem
from tallystick.protocol.receipt import Receipt, parse_checkpoint

T = TypeVar("T")
_lists = Decoder(KeyList)
_receipts = Decoder(Receipt)
_problems = Decoder(Problem)
_NUMBERED = re.compile(r"(.+/)([1-9][0-9]{0,5})")
_STEP = 256

Tell = Callable[[int, int], None]
"""Told how many events of how many were read."""


@dataclass(frozen=True, slots=True)
class Believed:
    """Whose tally it is: the log's name now, and the public keys that ever signed it.

    Source: ISO/TS 12812-2:2017, 7.4.2; C2SP signed-note
    """

    origin: str
    keys: tuple[VerifyKey, ...]

    def name_on(self, note: str) -> str:
        """The name of the log on `note`, if it is this one or one it had before a restoration.

        A restored log counts its name up. Raises NotAuthentic for another log.
        Source: C2SP tlog-checkpoint
        """
        try:
            stated = parse_checkpoint(parse_note(note).text).origin
        except Malformed as error:
            raise NotAuthentic("the checkpoint does not have the form of one") from error
        now, then = _NUMBERED.fullmatch(self.origin), _NUMBERED.fullmatch(stated)
        earlier = now and then and now[1] == then[1] and int(then[2]) < int(now[2])
        if stated != self.origin and not earlier:
            raise NotAuthentic("the checkpoint is of another log than the provider's")
        return stated


def next_origin(origin: str) -> str:
    """The name that a log takes after `origin`: its last number, counted up.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    found = _NUMBERED.fullmatch(origin)
    return f"{origin}/2" if found is None else f"{found[1]}{int(found[2]) + 1}"


def believed(folder: ProviderFolder) -> Believed:
    """What the provider's settings and its signed key list say.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return Believed(folder.settings().origin, tally_keys(folder))


def believed_keys(texts: Sequence[str]) -> Believed:
    """What keys in the form `name+id+base64` say, two halves with a comma; the last names the log.

    Raises Malformed.
    Source: C2SP signed-note
    """
    keys = [NoteKey.parse(text) for text in texts]
    if not keys:
        raise Malformed("no key of the tally was given")
    return Believed(keys[-1].name, tuple(key.beside or key.public for key in keys))


def listed_keys(folder: ProviderFolder) -> KeyList:
    """The key list that the provider's root signed, also one that is past its time.

    Raises NotAuthentic for another root.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    root = folder.settings().root.verify_key()
    try:
        jws = folder.key_list_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"{folder.key_list_file} is missing", remedy="fetch it: GET /v1/keys of the provider"
        ) from None
    header, payload, signature, signing_input = split_compact(jws)
    if header != list_header(root.algorithm):
        raise NotAuthentic("the key list is not signed as the provider's root signs")
    root.verify(signature, signing_input)
    return _lists.decode_canonical(payload)


def tally_keys(folder: ProviderFolder) -> tuple[VerifyKey, ...]:
    """The keys that signed the tally, out of the key list that the provider's root signed.

    An audit looks back, so a list past its time still counts. Raises NotAuthentic for another root.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return tuple(
        signature_key(entry)
        for entry in listed_keys(folder).entries
        if entry.purpose == ListedPurpose.TALLY
    )


def read_receipt(octets: bytes) -> Receipt:
    """The receipt in a file: by itself, or inside a problem document.

    Raises Malformed for neither.
    Source: ISO/TS 12812-2:2017, 11.2.2; RFC 9457
    """
    try:
        return _receipts.decode(octets.strip())
    except Malformed as error:
        if b'"type"' not in octets:
            raise Malformed(f"this is no receipt: {error.detail}") from error
    problem = _problems.decode(octets.strip())
    if problem.receipt is None:
        raise Malformed("the problem document carries no receipt")
    return problem.receipt


def verify_by(receipt: Receipt, whose: Believed) -> VerifiedReceipt:
    """What `receipt` proves under one of the keys of `whose`.

    Raises NotAuthentic.
    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """
    origin = whose.name_on(receipt.checkpoint)
    return _first(whose.keys, lambda one: verify_receipt(receipt, one, origin=origin))


def read_anchor(path: Path, whose: Believed) -> Anchor:
    """What somebody outside kept: a receipt (JSON), or a checkpoint with or without cosignatures.

    Raises Malformed for neither, NotAuthentic if this log did not sign it.
    Source: ISO/TS 12812-2:2017, 7.3.3; C2SP tlog-checkpoint
    """
    octets = path.read_bytes()
    name = path.name
    if octets.lstrip().startswith(b"{"):
        receipt = read_receipt(octets)
        origin = whose.name_on(receipt.checkpoint)
        return _first(
            whose.keys, lambda one: receipt_anchor(receipt, one, origin=origin, name=name)
        )
    try:
        note = octets.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"{name} is neither a receipt nor a checkpoint") from error
    return note_anchor(note, whose, name)


def note_anchor(note: str, whose: Believed, name: str) -> Anchor:
    """What the checkpoint `note`, which reports call `name`, says under one of the keys of `whose`.

    Raises Malformed for another form, NotAuthentic if this log did not sign it.
    Source: C2SP tlog-checkpoint
    """
    origin = whose.name_on(note)
    return _first(whose.keys, lambda one: checkpoint_anchor(note, one, origin=origin, name=name))


def audit_provider(
    folder: ProviderFolder, anchors: Sequence[Anchor] = (), tell: Tell | None = None
) -> Report:
    """Everything that the provider's file shows against itself and against `anchors`.

    Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
    """
    return audit_database(folder.stored(), believed(folder), anchors, tell)


def audit_database(
    database: Place, whose: Believed, anchors: Sequence[Anchor] = (), tell: Tell | None = None
) -> Report:
    """Everything that the store `database` shows at one moment, in itself and against `anchors`.

    While it is served, and in a backup, the last batch has no stored checkpoint yet: no finding,
    but a blind spot.
    Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
    """
    is_backup = isinstance(database, Path) and _is_backup(database)
    open_ended = is_backup or is_being_written(database)
    with open_snapshot(database) as reader:
        tally = TallyStore(reader)
        if not has_table(reader, "event"):
            raise NotFound(
                f"{database} has no tally",
                remedy="give a provider's database; a file that ends in -wal belongs to it",
            )
        size = tally.size()
        report = audit(
            _Counting(tally, size, tell),
            whose.keys,
            origin=whose.origin,
            anchors=anchors,
            projections=_projections(reader),
        )
        balances = recompute_balances(_transfers(reader), _accounts(reader), events=size)
    report = replace(report, findings=(*report.findings, *balances))
    return _without_last_batch(report) if open_ended else report


def _is_backup(database: Path) -> bool:
    return ProviderFolder(database.parent).backup_note.exists()


def _without_last_batch(report: Report) -> Report:
    """`report` without the finding of a last batch whose checkpoint comes with the next."""
    if report.rows - report.vouched > MAX_BATCH:
        return report
    kept = tuple(one for one in report.findings if one.kind is not FindingKind.CHECKPOINT_MISSING)
    return replace(report, findings=kept)


class _Counting:
    """The stored tally, which says how far it was read."""

    def __init__(self, tally: TallyStore, size: int, tell: Tell | None) -> None:
        self._tally = tally
        self._size = size
        self._tell = tell
        self.checkpoints = tally.checkpoints
        self.tile_hashes = tally.tile_hashes

    def leaves(self, start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
        """The rows of events.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        for count, row in enumerate(self._tally.leaves(start, end), start=1):
            if self._tell is not None and (count % _STEP == 0 or count == self._size):
                self._tell(count, self._size)
            yield row


def _first(keys: Iterable[VerifyKey], check: Callable[[VerifyKey], T]) -> T:
    failure: NotAuthentic | None = None
    for key in keys:
        try:
            return check(key)
        except NotAuthentic as error:
            failure = error
    raise failure or NotFound("no key of the tally is known")


def _transfers(reader: Reader) -> Iterator[TransferRow]:
    for seq, debit, credit, amount, event, moves in LedgerStore(reader).lines():
        yield TransferRow(
            seq=seq,
            debit=debit,
            credit=credit,
            amount=amount,
            event_index=event,
            moves=bool(moves),
        )


def _accounts(reader: Reader) -> Iterator[AccountRow]:
    for account, debit, credit in LedgerStore(reader).stored_sums():
        yield AccountRow(account=account, posted_debit=debit, posted_credit=credit)


def _projections(reader: Reader) -> Iterator[Projection]:
    for event, order, grade, row, policy in recorded_orders(reader):
        name = f"order {order}"
        yield Projection(event_index=event, field="id", value=order, row=name)
        yield Projection(event_index=event, field="grade", value=grade, row=name)
        yield Projection(event_index=event, field="row", value=row, row=name)
        yield Projection(event_index=event, field="policy", value=policy, row=name)
