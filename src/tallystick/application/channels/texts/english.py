"""The dialled menu in English; fields in braces are filled by `ussd`.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.channels.texts.words import Text

ENGLISH: Final[Mapping[Text, str]] = {
    Text.MENU: (
        "{provider}\n1 Send money\n2 Withdraw at agent\n3 Pay merchant\n4 Check a receipt code\n"
        "5 My balance\n6 Set PIN\n7 Language\n8 Protection\n0 Exit"
    ),
    Text.APP_WAITS: "Your app waits for your yes",
    Text.ASK_NUMBER: "Send to which phone number? 0 back",
    Text.ASK_TILL: "Merchant's till number? 0 back",
    Text.ASK_AGENT: "Agent's till number? 0 back",
    Text.ASK_AMOUNT: "Amount in {currency}? 0 back",
    Text.CONFIRM_P2P: "Send {amount} to {name}, fee {fee}? Enter PIN to agree, 0 back",
    Text.CONFIRM_OUT: "Withdraw {amount} at {name}, fee {fee}? Enter PIN to agree, 0 back",
    Text.CONFIRM_MERCHANT: "Pay {amount} to {name}, fee {fee}? Enter PIN to agree, 0 back",
    Text.ASK_ORDER_CODE: "Enter the code that we just sent by SMS. 0 back",
    Text.ASK_RECEIPT: "Receipt code from the message? 0 back",
    Text.ASK_BALANCE_PIN: "Enter PIN to see your balance, 0 back",
    Text.ASK_ACTIVATION: "Activation code from the message? 0 back",
    Text.ASK_NEW_PIN: "New PIN of {least} to {most} digits? Tell it to nobody. 0 back",
    Text.ASK_PIN_AGAIN: "New PIN again? 0 back",
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
    Text.ASK_LANGUAGE: "Language\n1 English\n2 Francais\n3 Kiswahili\n0 Back",
    Text.ASK_SAFETY: (
        "Protection\n1 Stop the recovery of my account\n2 Accept the terms\n"
        "3 Block my phone\n4 Complain\n5 What protects me\n0 Back"
    ),
    Text.COMPLAINTS: (
        "Complain at any agent: you get a number for it. No answer within 15 days? Go to the"
        " supervisor of payments.\n0 Back"
    ),
    Text.ASK_ASPECT: (
        "What protects you\n1 Limits\n2 Waiting times\n3 If my phone is lost\n"
        "4 What we never ask\n0 Back"
    ),
    Text.MORE: "1 More\n0 Back",
    Text.NO_MORE: "0 Back",
    Text.ASK_BLOCK_PIN: "Enter PIN to block the app on all your phones, 0 back",
    Text.BLOCKED: "Your phones are blocked. Your money stays yours. Visit an agent to go on.",
    Text.STOPPED: ("The recovery of your account is stopped. Nothing was changed."),
    Text.TERMS_KEPT: ("You accepted our terms."),
    Text.WARN_NEW: ("First payment to them! We never ask you to pay."),
    Text.WARN_LARGE: ("Your first large payment! Does somebody press you?"),
    Text.RESUME: "You had not finished: {amount} to {name}, fee {fee}.\n1 Go on\n0 Menu",
    Text.LAST_DONE: (
        "Your last payment is done: {amount} to {name}, receipt code {code}.\n1 Menu\n0 Exit"
    ),
    Text.LAST_OPEN: (
        "Your last payment is still being worked on: {amount} to {name}; do not order it again.\n"
        "1 Menu\n0 Exit"
    ),
    Text.LAST_REFUSED: "Your last payment was NOT done: {amount} to {name}\n1 Menu\n0 Exit",
    Text.INTERRUPTED: "This session is over. Dial again.",
    Text.GOODBYE: "Goodbye.",
    Text.DIAL_AGAIN: "Dial again.",
    Text.NOT_CUSTOMER: "You are not a customer here.",
    Text.UNKNOWN_NUMBER: "Nobody here has this number.",
    Text.WRONG_PIN: "The PIN is not right.",
    Text.NOT_ALLOWED: "This is not allowed. Nothing was done. Ask us why.",
    Text.OVER_LIMIT: "This is above your limit. Nothing was done.",
    Text.TOO_LITTLE: "Your balance is too small. Nothing was done.",
    Text.LATER: "This does not work at the moment. Try again later.",
    Text.SUSPENDED: "We suspended this for now. Nothing was done. Your money is safe.",
    Text.NOT_DONE: "This was refused. Nothing was done.",
    Text.NEEDS_MORE: "This takes more than your PIN. Nothing was done. Use our app.",
    Text.FIRST_PIN: "You have no PIN yet. Choose 6 first. Nothing was done.",
    Text.FIRST_TERMS: "Accept our terms first: choose 8, then 2. Nothing was done.",
    Text.CODE_REFUSED: "This code is not valid. Nothing was done.",
    Text.NO_RECOVERY: "Nobody recovers your account. There is nothing to stop.",
    Text.NO_PHONE: "No phone with our app can pay for you. There is nothing to block.",
    Text.YOURSELF: "This number is yours. Nothing was done.",
    Text.ACCOUNT_STOPPED: "Your account is stopped. Your money stays yours. Visit an agent.",
    Text.CANNOT_BE_PAID: "This number cannot be paid this way. Nothing was done.",
    Text.SIM_BOUND: "This SIM can order now. Choose the PIN on it.",
    Text.SIM_DONE: "Done. Receipt {code}.",
    Text.SIM_CANCELLED: "Cancelled. Nothing was paid.",
    Text.ACCEPTED: "accepted",
    Text.SETTLED: "settled",
    Text.REFUSED: "refused",
    Text.UNKNOWN: "unknown",
    Text.RETURNED: "returned",
}
"""Every page in English."""
