"""The dialect in which a core system is asked to move money: place, settle, void, inquire.

    POST /v1/transfers               PlaceTransfer -> TransferState
    POST /v1/transfers/{id}/settle   empty         -> TransferState
    POST /v1/transfers/{id}/void     empty         -> TransferState
    GET  /v1/transfers/{id}                        -> TransferState

Every answer repeats the whole transfer, so that the asker can tell an answer about it from an
answer about another one. The id is the idempotency key: placing it again moves nothing.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PERSONAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import Amount, CurrencyCode, Natural, Wire, pattern

_END = r"$(?!\n)"

TransferId = Annotated[str, pattern("^bok_[0-9a-hjkmnp-tv-z]{26}" + _END)]
"""Id of a transfer in the core system's book; derived from the order id, never drawn anew."""

CoreAccount = Annotated[str, pattern("^[A-Za-z0-9_.-]{1,64}" + _END)]
"""An account as the core system names it."""

SaidText = Annotated[str, pattern("^[ -~]{0,80}" + _END)]
"""What a core system says about an id, an account or a reason; may be empty, proves nothing yet."""

SaidCurrency = Annotated[str, pattern("^(?:[A-Z]{3})?" + _END)]

KindText = Annotated[str, pattern("^[a-z][a-z0-9-]{0,30}" + _END)]


class TransferStage(StrEnum):
    """What a core system says has become of a transfer.

    settled: the money moved. refused: it will not. pending: known, not ended. absent: never heard
    of.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    SETTLED = "settled"
    REFUSED = "refused"
    PENDING = "pending"
    ABSENT = "absent"


class PlaceTransfer(Wire, frozen=True, kw_only=True):
    """Asks the book to move `amount_minor` from `debit` to `credit`, at most once for this id.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    v: Annotated[int, PUBLIC] = 1
    id: Annotated[TransferId, INTERNAL]
    debit: Annotated[CoreAccount, PERSONAL]
    credit: Annotated[CoreAccount, PERSONAL]
    amount_minor: Annotated[Amount, SENSITIVE]
    currency: Annotated[CurrencyCode, INTERNAL]
    kind: Annotated[KindText, INTERNAL]


class TransferState(Wire, frozen=True, kw_only=True):
    """What the book says about a transfer; all but the id are empty or zero when it is absent.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.3
    """

    state: Annotated[TransferStage, INTERNAL]
    id: Annotated[SaidText, INTERNAL]
    debit: Annotated[SaidText, PERSONAL] = ""
    credit: Annotated[SaidText, PERSONAL] = ""
    amount_minor: Annotated[Natural, SENSITIVE] = 0
    currency: Annotated[SaidCurrency, INTERNAL] = ""
    reason: Annotated[SaidText, INTERNAL] = ""
