"""Orders, and what homes and clients say to each other about them."""

from enum import StrEnum

from tallystick.kernel.model import Record

CLIENT = -1
"""Where a client's answers go; every other place is the number of a home."""


class OrderKind(StrEnum):
    """What an order moves: customers' money, the net between two homes, or a customer's home."""

    PAYMENT = "payment"
    SETTLEMENT = "settlement"
    MOVE = "move"


class Order(Record, frozen=True, kw_only=True):
    """One order with all its terms; `source` is the payer's home, `target` the payee's."""

    id: str
    kind: OrderKind
    payer: str
    payee: str
    amount: int
    fee: int
    currency: str
    source: int
    target: int


class Word(StrEnum):
    """What a message says.

    ask      client to payer's home: carry this out; the same again is the same order
    credit   payer's home to payee's: the money is held here, credit it there; also the inquiry
    close    payer's home to payee's: if you have not credited by now, never do
    answer   payee's home to payer's: credited, or refused for good
    told     payer's home to client: settled, or refused for good
    """

    ASK = "ask"
    CREDIT = "credit"
    CLOSE = "close"
    ANSWER = "answer"
    TOLD = "told"


class Message(Record, frozen=True, kw_only=True):
    """A word about an order, all its terms repeated; `done` and `reason` only in answers."""

    word: Word
    order: Order
    to: int
    done: bool = False
    reason: str = ""


class Role(StrEnum):
    """As what a home knows an order: home of both, of the payer, of the payee."""

    LOCAL = "local"
    PAYER = "payer"
    PAYEE = "payee"


class Stage(StrEnum):
    """Accepted: held, and the payee's home has not answered yet. The others are final."""

    ACCEPTED = "accepted"
    SETTLED = "settled"
    REFUSED = "refused"


class Kept(Record, frozen=True, kw_only=True):
    """What a home remembers of an order, for ever: it answers every repetition from here."""

    order: Order
    role: Role
    stage: Stage
    reason: str
    at: int
