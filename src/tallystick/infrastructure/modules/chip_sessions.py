"""Sessions with chip cards: how the key of one comes out of the card's own.

Source: EMV Book 2, A1.3; ISO/TS 12812-2:2017, 7.4.2
"""

from enum import StrEnum

from tallystick.infrastructure.card.emv import ChipKey
from tallystick.kernel.model import Record


class Opening(StrEnum):
    """How a session is opened: the common way, a counter mixed in, a tree, or not at all.

    Source: EMV Book 2, A1.3
    """

    COMMON = "common"
    MASKED = "masked"
    TREE = "tree"
    NONE = "none"


class Session(Record, frozen=True, kw_only=True):
    """A session: how it is opened and by what, a counter or a cryptogram; empty for none.

    With `answers_alone` the answer to a cryptogram is under the card's own key.

    Source: EMV Book 2, A1.3
    """

    opening: Opening = Opening.COMMON
    value: bytes = b""
    answers_alone: bool = False


def session_key(master: ChipKey, session: bytes | Session) -> ChipKey:
    """The key of a session under the key of a card; octets open the common one.

    Raises Malformed for a value of another length than the way takes.
    Source: EMV Book 2, A1.3
    """
    if isinstance(session, bytes):
        return master.session_of(session)
    if session.opening is Opening.NONE:
        return master
    if session.opening is Opening.MASKED:
        return master.masked_session(session.value)
    if session.opening is Opening.TREE:
        return master.tree_session(session.value)
    return master.session_of(session.value)
