"""The audit of a provider's file with public halves only: tally, orders, and balances.

Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tallystick.application.payments.store import recorded_orders
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.infrastructure.crypto.key_list import list_header, signature_key
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.database import Reader, open_reader
from tallystick.infrastructure.tally.audit import audit
from tallystick.infrastructure.tally.balances import AccountRow, TransferRow, recompute_balances
from tallystick.infrastructure.tally.findings import (
    Anchor,
    Projection,
    Report,
    checkpoint_anchor,
    receipt_anchor,
)
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import replace
from tallystick.protocol.keylist import KeyList, ListedPurpose
from tallystick.protocol.receipt import Receipt

_lists = Decoder(KeyList)
_receipts = Decoder(Receipt)


def tally_keys(folder: ProviderFolder) -> tuple[VerifyKey, ...]:
    """The keys that signed the tally, out of the key list that the provider's root signed.

    An audit looks back, so a list past its time still counts. Raises NotAuthentic for another root.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    root = folder.settings().root.verify_key()
    jws = folder.key_list_file.read_text(encoding="utf-8")
    header, payload, signature, signing_input = split_compact(jws)
    if header != list_header(root.algorithm):
        raise NotAuthentic("the key list is not signed as the provider's root signs")
    root.verify(signature, signing_input)
    listed = _lists.decode_canonical(payload)
    return tuple(
        signature_key(entry) for entry in listed.entries if entry.purpose == ListedPurpose.TALLY
    )


def read_anchor(path: Path, settings: ProviderSettings, keys: Sequence[VerifyKey]) -> Anchor:
    """What somebody outside kept: a receipt (JSON), or a checkpoint with or without cosignatures.

    Raises Malformed for neither, NotAuthentic if this log did not sign it.
    Source: ISO/TS 12812-2:2017, 7.3.3; C2SP tlog-checkpoint
    """
    text = path.read_text(encoding="utf-8")
    failure: NotAuthentic | None = None
    for key in keys:
        try:
            if text.lstrip().startswith("{"):
                receipt = _receipts.decode(text.encode())
                return receipt_anchor(receipt, key, origin=settings.origin, name=path.name)
            return checkpoint_anchor(text, key, origin=settings.origin, name=path.name)
        except NotAuthentic as error:
            failure = error
    raise failure or Malformed("no key of the tally is known")


def audit_provider(folder: ProviderFolder, anchors: Sequence[Anchor] = ()) -> Report:
    """Everything that the provider's file shows against itself and against `anchors`.

    Source: ISO/TS 12812-2:2017, 7.3.3; 9.1
    """
    settings = folder.settings()
    with open_reader(folder.database_file) as reader:
        tally = TallyStore(reader)
        report = audit(
            tally,
            tally_keys(folder),
            origin=settings.origin,
            anchors=anchors,
            projections=_projections(reader),
        )
        balances = recompute_balances(_transfers(reader), _accounts(reader), events=tally.size())
    return replace(report, findings=(*report.findings, *balances))


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
