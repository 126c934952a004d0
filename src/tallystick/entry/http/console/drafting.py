"""The acts that the desk offers, and the fields of each.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.protocol.desk import SCOPES


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that a person fills in: its label, a hint, the words to choose from.

    `several` are names with commas between. Of a `digest` the text is hashed unless it is one.

    Source: WCAG 2.2, 3.3.2
    """

    name: str
    label: str
    hint: str = ""
    words: tuple[str, ...] = ()
    whole: bool = False
    required: bool = True
    several: bool = False
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """An act at the desk: what its button says, its fields, what is fixed.

    `dangerous` colours the button. `makes` names a code that is made here and shown once.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    says: str
    fields: tuple[Asked, ...]
    fixed: Mapping[str, bool]
    makes: str = ""
    dangerous: bool = False


_BECAUSE = Asked("because", "Reason", "It is kept, and the customer may read it.")
_NUMBER = Asked("number", "Number", "Telephone number with plus, or till number.")
_DEVICE = Asked("device", "Device", "dev_ and 26 characters.")
_RECOVERY = Asked("recovery", "Recovery", "rcv_ and 26 characters.")
_CUSTOMER = Asked("customer", "Customer", "cus_ and 26 characters.")
_EVIDENCE = Asked(
    "evidence",
    "Evidence",
    "Number of the file kept elsewhere, or digest of a scan; only a digest is recorded.",
    digest=True,
)
_OPERATOR = Asked("operator", "Operator", "opr_ and 26 characters.")
_KEPT = Asked("because", "Reason", "It is kept, and colleagues read it.")
_NOTHING: Mapping[str, bool] = {}
_KINDS = ("all", "p2p", "merchant", "cash-in", "cash-out", "refund", "salary")
_CHANNELS = ("all", "app", "web", "ussd")

DRAFTS: Final[Mapping[str, Draft]] = {
    "open-customer": Draft(
        "Open a customer",
        (
            Asked("name", "Name"),
            Asked("msisdn", "Telephone number", "With plus and country code."),
            Asked("kind", "Kind", words=("person", "agent", "merchant")),
            Asked("tier", "Identification tier", whole=True),
            Asked("till", "Till number", "Of a merchant or agent.", required=False),
        ),
        _NOTHING,
    ),
    "issue-activation": Draft("Send a new activation code", (_NUMBER,), _NOTHING),
    "suspend-device": Draft(
        "Suspend a device", (_DEVICE, _BECAUSE), {"suspend": True}, dangerous=True
    ),
    "resume-device": Draft("Resume a device", (_DEVICE, _BECAUSE), {"suspend": False}),
    "remove-device": Draft(
        "End a device for good",
        (
            _DEVICE,
            Asked("how", "How", words=("lose", "steal", "hand-on", "deactivate")),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "unlock-customer": Draft("Begin failed tries anew", (_NUMBER, _BECAUSE), _NOTHING),
    "fund-account": Draft(
        "Issue money",
        (
            _NUMBER,
            Asked("amount", "Amount", "Such as 1250.75."),
            Asked("currency", "Currency", "Three letters."),
            Asked("bank_reference", "Reference at the bank"),
        ),
        _NOTHING,
        dangerous=True,
    ),
    "reverse-payment": Draft(
        "Give a payment back",
        (Asked("order", "Order", "ord_ and 26 characters."), _BECAUSE),
        _NOTHING,
        dangerous=True,
    ),
    "close-day": Draft("Close the book of a day", (Asked("day", "Day", "YYYY-MM-DD."),), _NOTHING),
    "erase-subject": Draft(
        "Erase a person",
        (Asked("customer", "Customer", "cus_ and 26 characters."), _BECAUSE),
        _NOTHING,
        dangerous=True,
    ),
    "lift-tightening": Draft(
        "Lift a tightening",
        (
            Asked("entry", "Entry", "Its id in the policy."),
            _BECAUSE,
            Asked("until", "Until", "UTC; empty until the next version.", required=False),
        ),
        _NOTHING,
        dangerous=True,
    ),
    "enrol-operator": Draft(
        "Invite an operator",
        (Asked("role", "Role", "One of the policy in force."),),
        _NOTHING,
        makes="code",
    ),
    "suspend-operator": Draft("Suspend an operator", (_OPERATOR, _KEPT), _NOTHING, dangerous=True),
    "resume-operator": Draft(
        "Let a suspended operator act again", (_OPERATOR, _KEPT), _NOTHING, dangerous=True
    ),
    "remove-operator": Draft(
        "Remove an operator for good", (_OPERATOR, _KEPT), _NOTHING, dangerous=True
    ),
    "bind-passkey": Draft("Add a passkey of your own", (), _NOTHING, makes="code"),
    "remove-passkey": Draft(
        "Remove a passkey of your own",
        (Asked("credential", "Passkey", "Its id, as your list shows it."), _KEPT),
        _NOTHING,
        dangerous=True,
    ),
    "break-glass": Draft(
        "Take the emergency role",
        (
            Asked("minutes", "Minutes", "At most 60.", whole=True),
            Asked("because", "Reason", "Every officer reads it, and somebody reviews it."),
        ),
        _NOTHING,
        dangerous=True,
    ),
    "review-emergency": Draft(
        "Review an emergency",
        (Asked("emergency", "Emergency", "emg_ and 26 characters."), Asked("found", "Finding")),
        _NOTHING,
    ),
    "issue-workload": Draft(
        "Let a program ask",
        (
            Asked("label", "What colleagues call it"),
            Asked("scope", "What it may ask", words=SCOPES),
            Asked("days", "Days", "At most 365.", whole=True),
        ),
        {},
        makes="secret",
    ),
    "revoke-workload": Draft(
        "Revoke a program",
        (Asked("workload", "Program", "wkl_ and 26 characters."), Asked("because", "Reason")),
        _NOTHING,
        dangerous=True,
    ),
    "open-recovery": Draft(
        "Recover an account",
        (
            _NUMBER,
            Asked(
                "kind",
                "What happened",
                words=("lost-phone", "new-phone", "number-change", "dormant"),
            ),
            _EVIDENCE,
            Asked("new_number", "New number", "Of a change of number only.", required=False),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "finish-recovery": Draft("Finish a recovery that cooled off", (_RECOVERY,), _NOTHING),
    "cancel-recovery": Draft("Cancel a recovery", (_RECOVERY, _BECAUSE), _NOTHING, dangerous=True),
    "rest-account": Draft("Let an unused account rest", (_NUMBER, _BECAUSE), _NOTHING),
    "freeze-account": Draft(
        "Stop an account on a death or an order",
        (
            _NUMBER,
            Asked("kind", "On what", words=("death", "legal-order")),
            _EVIDENCE,
            Asked(
                "operators",
                "Who may look at it",
                "opr_ ids, commas between; nobody where it is empty.",
                required=False,
                several=True,
            ),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "suspend-service": Draft(
        "Suspend a service for everybody",
        (
            Asked("kind", "Payments", words=_KINDS),
            Asked("channel", "Through", words=_CHANNELS),
            Asked("because", "Reason", "Everybody who is refused reads it."),
        ),
        _NOTHING,
        dangerous=True,
    ),
    "resume-service": Draft(
        "Take payments again",
        (
            Asked("kind", "Payments", words=_KINDS),
            Asked("channel", "Through", words=_CHANNELS),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "suspend-customer": Draft(
        "Suspend the customer on every channel", (_NUMBER, _BECAUSE), _NOTHING, dangerous=True
    ),
    "resume-customer": Draft(
        "Let a suspended customer go on", (_NUMBER, _BECAUSE), _NOTHING, dangerous=True
    ),
    "change-tier": Draft(
        "Change the tier",
        (
            _NUMBER,
            Asked("tier", "New tier", "One of the policy in force.", whole=True),
            _EVIDENCE,
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "view-frozen": Draft("Look at what a stopped account holds", (_CUSTOMER,), _NOTHING),
    "release-account": Draft(
        "Let a stopped account go on", (_CUSTOMER, _EVIDENCE, _BECAUSE), _NOTHING, dangerous=True
    ),
    "cancel-approval": Draft(
        "Take a request for approval back",
        (Asked("approval", "Request", "apr_ and 26 characters."), _BECAUSE),
        _NOTHING,
    ),
    "clear-risk": Draft(
        "Count a customer as unmolested again", (_CUSTOMER, _BECAUSE), _NOTHING, dangerous=True
    ),
    "open-surrogate-domain": Draft(
        "Open a domain of surrogates, or agree its purposes anew",
        (
            Asked("domain", "Domain", "Small letters, digits and hyphens."),
            Asked("kind", "Values", words=("pan", "account", "phone")),
            Asked("way", "Way", words=("random", "ff1")),
            Asked("purposes", "What for", "NAME:VALUES-AN-HOUR, commas between.", several=True),
            Asked(
                "keeps",
                "Last digits that stay",
                "0, or 4 of a random pan.",
                whole=True,
                required=False,
            ),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "step-surrogate-domain": Draft(
        "Change the keys of a domain of surrogates, or destroy it",
        (
            Asked("domain", "Domain"),
            Asked("turn_to", "Turn to", words=("new-keys", "no-old-keys", "destroyed")),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "allow-detokenising": Draft(
        "Let a program have many values back",
        (
            Asked("domain", "Domain"),
            Asked("purpose", "What for", "As agreed for the domain."),
            Asked("workload", "Program", "wkl_ and 26 characters."),
            Asked("most", "Values", "At most 1,000,000.", whole=True),
            Asked("minutes", "Minutes", "At most 1,440.", whole=True),
            _BECAUSE,
        ),
        _NOTHING,
        dangerous=True,
    ),
    "decline-act": Draft(
        "Decline an act",
        (Asked("act", "Act", "act_ and 26 characters."), _BECAUSE),
        _NOTHING,
    ),
}
"""Every act that the desk offers; the others are signed with the command line."""

ANYBODY = frozenset(("bind-passkey", "remove-passkey", "decline-act", "rehearse-act"))
"""Acts that are not a matter of the role."""
