"""The words of the dialled menu, one table a language; another language is another table.

Fields in braces are filled by `ussd`; every page fits 182 places of the GSM alphabet.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
"""

from collections.abc import Mapping
from enum import StrEnum


class Text(StrEnum):
    """What a page says.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    MENU = "menu"
    ASK_NUMBER = "ask-number"
    ASK_TILL = "ask-till"
    ASK_AGENT = "ask-agent"
    ASK_AMOUNT = "ask-amount"
    CONFIRM_P2P = "confirm-p2p"
    CONFIRM_OUT = "confirm-cash-out"
    CONFIRM_MERCHANT = "confirm-merchant"
    ASK_RECEIPT = "ask-receipt"
    ASK_BALANCE_PIN = "ask-balance-pin"
    ASK_ACTIVATION = "ask-activation"
    ASK_NEW_PIN = "ask-new-pin"
    ASK_PIN_AGAIN = "ask-pin-again"
    WRONG_CHOICE = "wrong-choice"
    WRONG_NUMBER = "wrong-number"
    WRONG_AMOUNT = "wrong-amount"
    WRONG_PIN_FORM = "wrong-pin-form"
    WRONG_CODE_FORM = "wrong-code-form"
    WEAK_PIN = "weak-pin"
    PINS_DIFFER = "pins-differ"
    CANCELLED = "cancelled"
    TOO_MANY = "too-many"
    TIMED_OUT = "timed-out"
    WORKING = "working"
    TERMS_EXPIRED = "terms-expired"
    PAID = "paid"
    CODE_IN = "code-in"
    CODE_OUT = "code-out"
    CODE_UNKNOWN = "code-unknown"
    BALANCE = "balance"
    PIN_SET = "pin-set"


ENGLISH: Mapping[Text, str] = {
    Text.MENU: (
        "{provider}\n1 Send money\n2 Withdraw at agent\n3 Pay merchant\n"
        "4 Check a receipt code\n5 My balance\n6 Set PIN\n0 Exit"
    ),
    Text.ASK_NUMBER: "Send to which phone number? 0 to cancel",
    Text.ASK_TILL: "Merchant's till number? 0 to cancel",
    Text.ASK_AGENT: "Agent's till number? 0 to cancel",
    Text.ASK_AMOUNT: "Amount in {currency}? 0 to cancel",
    Text.CONFIRM_P2P: "Send {amount} to {name}, fee {fee}? Enter PIN to agree, 0 to cancel",
    Text.CONFIRM_OUT: "Withdraw {amount} at {name}, fee {fee}? Enter PIN to agree, 0 to cancel",
    Text.CONFIRM_MERCHANT: "Pay {amount} to {name}, fee {fee}? Enter PIN to agree, 0 to cancel",
    Text.ASK_RECEIPT: "Receipt code from the message? 0 to cancel",
    Text.ASK_BALANCE_PIN: "Enter PIN to see your balance, 0 to cancel",
    Text.ASK_ACTIVATION: "Activation code from the message? 0 to cancel",
    Text.ASK_NEW_PIN: "New PIN of {least} to {most} digits? Tell it to nobody. 0 to cancel",
    Text.ASK_PIN_AGAIN: "New PIN again? 0 to cancel",
    Text.WRONG_CHOICE: "Choose a number of the list.",
    Text.WRONG_NUMBER: "Not a valid number.",
    Text.WRONG_AMOUNT: "Not a valid amount.",
    Text.WRONG_PIN_FORM: "A PIN has only digits.",
    Text.WRONG_CODE_FORM: "Not a valid code.",
    Text.WEAK_PIN: "Too easy to guess.",
    Text.PINS_DIFFER: "The two differ.",
    Text.CANCELLED: "Cancelled. Nothing was done.",
    Text.TOO_MANY: "Too many wrong entries. Nothing was done. Dial again.",
    Text.TIMED_OUT: "The session is over. Nothing was done. Dial again.",
    Text.WORKING: "Still working. Wait for the message; do not order again.",
    Text.TERMS_EXPIRED: "These terms are too old. Nothing was done. Dial again.",
    Text.PAID: "Done. Receipt code {code}. Dial 4 to check a code that others show you.",
    Text.CODE_IN: "Genuine. {provider} booked {amount} to you, {at} UTC. State: {stage}",
    Text.CODE_OUT: "Genuine. {provider} booked {amount} from you, {at} UTC. State: {stage}",
    Text.CODE_UNKNOWN: (
        "FALSE: {provider} knows no payment of yours with this code. "
        "A message that shows it is not ours. Hand over nothing."
    ),
    Text.BALANCE: "Available: {amount}",
    Text.PIN_SET: "Your PIN is set. {provider} never asks for it in a call or message.",
}
