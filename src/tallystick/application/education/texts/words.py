"""What the protection card can say.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from enum import StrEnum


class Plain(StrEnum):
    """One line of the card, or a part of one: what it bounds, or when it holds.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    BALANCE = "balance"
    ONCE = "once"
    WITHIN = "within"
    COUNT = "count"
    NOT_SO = "not-so"
    NEXT = "next"
    MORE = "more"
    TERMS = "terms"
    TRIES = "tries"
    BLOCKS = "blocks"
    HELD = "held"
    REFUSED = "refused"
    RECOVERY = "recovery"
    LOWERED = "lowered"
    AGENT = "agent"
    BLOCK = "block"
    TOLD = "told"
    NEW_PAYEE = "new-payee"
    KNOWN_PAYEE = "known-payee"
    UNPROVEN = "unproven"
    PROVEN = "proven"
    UNSEEN = "unseen"
    ABOVE = "above"
    UP_TO = "up-to"
    DEVICE_NEW = "device-new"
    DEVICE_OLD = "device-old"
    ACCOUNT_NEW = "account-new"
    ACCOUNT_OLD = "account-old"
    SIM_NEW = "sim-new"
    SIM_OLD = "sim-old"
    SESSION_NEW = "session-new"
    SESSION_OLD = "session-old"
    BEFORE = "before"
    FROM = "from"
    FAILED = "failed"
    NOT_FAILED = "not-failed"
    RISKY = "risky"
    CALM = "calm"
    SEND = "send"
    WITHDRAW = "withdraw"
    MERCHANT = "merchant"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
