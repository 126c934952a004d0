"""How people call what the store keeps: tables and those of their columns that are told.

Balances are told as what comes and goes, not as what is there: it is the act that is to be judged,
not the customer's account, and a payment beside it changes nothing of what the act does.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4
"""

from typing import Final, NamedTuple


class Words(NamedTuple):
    """What a row of a table is called, and how its columns are called that are told.

    `named` says that its key is an id that people know; `minor` are columns that hold amounts.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    noun: str
    columns: dict[str, str]
    named: bool = True
    minor: tuple[str, ...] = ()


def _plain(*columns: str) -> dict[str, str]:
    return {one: one.replace("_", " ") for one in columns}


TABLES: Final = {
    "account": Words(
        "account", {"status": "status", "ceiling": "highest balance"}, minor=("ceiling",)
    ),
    "act": Words("act", _plain("name", "state")),
    "activation": Words("activation code", _plain("customer"), named=False),
    "agent_place": Words("place of agent", _plain("zones")),
    "alias": Words("number", {"customer": "leads to"}, named=False),
    "approval": Words("request for approval", _plain("payer", "stage", "reason")),
    "approval_mandate": Words(
        "who approves for account", {"bands": "bands", "initiator_may": "whoever began it may"}
    ),
    "approval_risk": Words("risk of customer", {"denials": "payments disowned"}),
    "approval_wake": Words("device to be woken", {}),
    "attempt": Words("failed tries of", {"failures": "tries", "blocks": "blocks"}),
    "authenticator": Words("authenticator of", {"kind": "kind", "digits": "digits"}),
    "custody": Words("custody entry", _plain("device", "what", "state", "place", "seal")),
    "customer": Words(
        "customer",
        {
            "kind": "kind",
            "status": "status",
            "tier": "tier",
            "profile": "name and numbers",
            "pin": "PIN",
            "activation": "activation code",
            "devices": "devices",
            "subject": "key of what is kept about them",
        },
    ),
    "day_closing": Words("closed day", {}),
    "device": Words("device", _plain("status")),
    "device_denied": Words("denied device key", {}, named=False),
    "emergency": Words("emergency", _plain("operator", "reviewer")),
    "exempted_order": Words("exempted order", _plain("fraud")),
    "incentive_standing": Words("standing", _plain("ladder", "subject", "step")),
    "invitation": Words("invitation", _plain("role", "operator"), named=False),
    "kept_over": Words(
        "kept over the ceiling of account", {"kept_minor": "amount"}, minor=("kept_minor",)
    ),
    "key_life": Words("key", _plain("purpose", "state")),
    "notice": Words(
        "message", {"template": "text", "channel": "by", "customer": "to"}, named=False
    ),
    "officer_notice": Words("notice", {"operator": "to", "kind": "about an"}, named=False),
    "operator": Words("operator", _plain("role", "status")),
    "passkey": Words("passkey", _plain("operator", "status"), named=False),
    "payment_order": Words(
        "order",
        {
            "kind": "kind",
            "stage": "stage",
            "amount_minor": "amount",
            "returned_minor": "given back",
        },
        minor=("amount_minor", "returned_minor"),
    ),
    "policy_measure": Words("tightening", {"entry": "entry", "ended": "ended"}),
    "policy_shadow": Words("policy in shadow", _plain("version"), named=False),
    "policy_version": Words("policy version", {}),
    "recovery": Words("recovery", _plain("customer", "kind", "state")),
    "service_suspension": Words("suspended service", _plain("kind", "channel", "ended_by")),
    "surrogate_domain": Words("domain", _plain("kind", "state", "generation", "purposes")),
    "surrogate_key": Words("key of domain", _plain("domain", "generation")),
    "surrogate_warrant": Words("leave", _plain("domain", "purpose", "program", "most")),
    "tightening_proposal": Words("proposed tightening", {"ended": "ended"}),
    "webhook": Words("delivery", {"url": "to", "kinds": "kinds"}),
    "workload": Words("program", _plain("label", "scope", "way", "status")),
}
"""The tables that acts change."""

DRAWN: Final = frozenset(
    (
        "account", "activation", "approval", "custody", "customer", "emergency",
        "payment_order", "recovery", "service_suspension",
        "surrogate_warrant", "webhook", "workload",
    )
)  # fmt: skip
"""Tables whose new rows have an id that is drawn anew at each try."""

UNTOLD: Final = {
    "account_owner": "follows from the customer and the account",
    "approval_inbox": "follows from the request",
    "approval_pace": "a count for the service's own pace",
    "commission_paid": "follows from the order",
    "device_life": "follows from the device",
    "device_link": "an index",
    "hold": "follows from the order",
    "known_payee": "follows from the order",
    "limit_account": "follows from the order",
    "returned": "follows from the order",
    "transfer": "told as what comes to and goes from each account",
}
"""Tables of which nothing is told, and why."""
