"""The operation table: everything that can be asked of the service, one row each.

It feeds the router, the lane, the OpenAPI document, the authorisation matrix and the documentation.

Source: ISO/TS 12812-2:2017, 6.2.2; 7.5
"""

from enum import StrEnum

from tallystick.kernel.model import Record, Wire
from tallystick.protocol import (
    authentication,
    authzen,
    desk,
    enrolment,
    keylist,
    operators,
    payments,
    session,
    tally_api,
)
from tallystick.protocol.channels import (
    AggregatorCallback,
    SignedUssd,
    SimChange,
    SmsAccepted,
    SmsReceipt,
    UssdMessage,
    UssdReply,
)
from tallystick.protocol.http_signatures import MessageKeys
from tallystick.protocol.statements import SignedStatement, StatementRecorded


class Protection(StrEnum):
    """How a request and its reply are protected, on top of TLS.

    sealed: COSE_Encrypt0 in a session. handshake: what opens one. act: signed by an operator's key.
    bearer: the same, with the signature over the body in the header `authorization`.
    gateway: signed by a registered gateway, in an envelope (`request`) or as an HTTP message
    (`plain`), which is answered by a signed reply. callback: with the proof of a registered
    partner. open: public, in clear.
    Source: ISO/TS 12812-2:2017, 3.9; 3.14; 7.2.7
    """

    SEALED = "sealed"
    HANDSHAKE = "handshake"
    ACT = "act"
    BEARER = "bearer"
    GATEWAY = "gateway"
    CALLBACK = "callback"
    OPEN = "open"


class Operation(Record, frozen=True, kw_only=True):
    """One row: what it is for, how it is reached and protected, by whom, and how it may refuse.

    `request` and `reply` name the protocol structs; for sealed operations they are what is inside.
    `plain` is the request where a partner signs the HTTP message instead of an envelope.
    `refusals` are codes of the error tree besides those that every operation has. With `form` the
    request is a form, and the reply plain text.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """

    name: str
    method: str
    path: str
    protection: Protection
    request: str
    reply: str
    use_case: str
    clauses: tuple[str, ...]
    roles: tuple[str, ...]
    grades: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    form: bool = False
    plain: str = ""


COMMON_REFUSALS = ("malformed", "too-large", "rate-limited", "unavailable", "broken")
SESSION_REFUSALS = ("unauthenticated", "not-authentic", "replayed", "not-permitted")
_ORDER_REFUSALS = (
    "conflict", "expired", "insufficient-funds", "limit-exceeded", "not-found", "out-of-reach",
    "step-up-required",
)  # fmt: skip
_ACT_REFUSALS = (
    "not-authentic", "not-permitted", "conflict", "expired", "not-found", "out-of-reach",
)  # fmt: skip

SCHEMAS: dict[str, type[Wire]] = {
    cls.__name__: cls
    for cls in (
        payments.QuoteRequest,
        payments.QuoteReply,
        payments.PaymentRequest,
        payments.PaymentReply,
        payments.ReceiptRequest,
        payments.ReceiptReply,
        payments.AccountReply,
        payments.Empty,
        session.SessionHello,
        session.SessionAnswer,
        session.SessionProof,
        session.SessionAccepted,
        authentication.GiveCode,
        authentication.GivePin,
        authentication.ChangePin,
        authentication.FactorsGiven,
        authentication.Challenge,
        authentication.LiveSessions,
        authentication.EndOthers,
        authentication.AddPayee,
        authentication.RemoveDevice,
        authentication.ReportKey,
        authentication.EnrolAuthenticator,
        authentication.UnlockCustomer,
        authentication.ViewSessions,
        authentication.EndSessions,
        authentication.ReportFraud,
        enrolment.EnrolmentAccepted,
        keylist.KeyList,
        operators.EnrolOperator,
        operators.OperatorEnrolled,
        operators.InviteOperator,
        operators.OpenCustomer,
        operators.CustomerOpened,
        operators.IssueActivation,
        operators.SuspendDevice,
        operators.FundAccount,
        operators.ReversePayment,
        operators.ActivatePolicy,
        operators.ShadowPolicy,
        operators.LiftTightening,
        operators.SetIncentive,
        operators.CoverCommission,
        operators.EraseSubject,
        operators.AddWebhook,
        operators.CloseDay,
        desk.DeclineAct,
        desk.BindPasskey,
        desk.BreakGlass,
        desk.ReviewEmergency,
        desk.IssueWorkload,
        desk.RevokeWorkload,
        operators.ActReply,
        tally_api.CheckpointReply,
        tally_api.ConsistencyReply,
        tally_api.HealthReply,
        tally_api.SignedKeyList,
        authzen.AccessRequest,
        authzen.AccessBatch,
        authzen.AccessDecision,
        authzen.AccessDecisions,
        authzen.AccessConfiguration,
        MessageKeys,
        SignedUssd,
        UssdMessage,
        UssdReply,
        AggregatorCallback,
        SmsReceipt,
        SmsAccepted,
        SimChange,
        SignedStatement,
        StatementRecorded,
    )
}
"""Every struct that the table names."""


def _sealed(
    name: str, path: str, request: str, reply: str, use_case: str, clauses: tuple[str, ...],
    roles: tuple[str, ...] = ("customer", "agent", "merchant"), grades: tuple[str, ...] = (),
    refusals: tuple[str, ...] = (),
) -> Operation:  # fmt: skip
    return Operation(
        name=name, method="POST", path=path, protection=Protection.SEALED, request=request,
        reply=reply, use_case=use_case, clauses=clauses, roles=roles, grades=grades,
        refusals=(*SESSION_REFUSALS, *refusals),
    )  # fmt: skip


def _act(
    name: str, request: str, use_case: str, clauses: tuple[str, ...], roles: tuple[str, ...]
) -> Operation:
    return Operation(
        name=name, method="POST", path=f"/v1/acts/{name}", protection=Protection.ACT,
        request=request, reply="ActReply", use_case=use_case, clauses=clauses, roles=roles,
        refusals=_ACT_REFUSALS,
    )  # fmt: skip


def _asked(name: str, path: str, request: str, reply: str, use_case: str) -> Operation:
    return Operation(
        name=name, method="POST", path=path, protection=Protection.BEARER, request=request,
        reply=reply, use_case=use_case, clauses=("6.1", "7.3.3"), roles=("partner",),
        refusals=("unauthenticated", "not-authentic", "not-permitted", "expired"),
    )  # fmt: skip


def _open(
    name: str, method: str, path: str, protection: Protection, request: str, reply: str,
    use_case: str, clauses: tuple[str, ...], refusals: tuple[str, ...] = (), plain: str = "",
) -> Operation:  # fmt: skip
    return Operation(
        name=name, method=method, path=path, protection=protection, request=request, reply=reply,
        use_case=use_case, clauses=clauses, roles=("anyone",), refusals=refusals, plain=plain,
    )  # fmt: skip


_HANDSHAKE = Protection.HANDSHAKE
_OPEN = Protection.OPEN
OPERATIONS: tuple[Operation, ...] = (
    _open("session.hello", "POST", "/v1/sessions", _HANDSHAKE, "SessionHello", "SessionAnswer",
          "begin a handshake; the provider proves itself", ("7.3.2",),
          ("conflict", "not-permitted")),
    _open("session.establish", "POST", "/v1/sessions/{session}", _HANDSHAKE, "SessionProof",
          "SessionAccepted", "prove the device and open a session", ("7.3.2", "7.3.5"),
          ("conflict", "expired", "not-authentic", "not-permitted", "out-of-reach")),
    _open("enrolment.complete", "POST", "/v1/enrolments/{session}", _HANDSHAKE, "SessionProof",
          "EnrolmentAccepted", "bind a new device to a customer", ("7.4.1",),
          ("conflict", "expired", "not-authentic", "not-permitted", "out-of-reach")),
    _sealed("session.end", "/v1/session/end", "Empty", "Empty", "end the session", ("7.3.2",)),
    _sealed("factor.challenge", "/v1/factors/challenge", "Empty", "Challenge",
            "get a question for an authenticator", ("7.3.2",)),
    _sealed("factor.code", "/v1/factors/code", "GiveCode", "FactorsGiven",
            "give a one-time code as a factor", ("7.3.2",)),
    _sealed("factor.pin", "/v1/factors/pin", "GivePin", "FactorsGiven",
            "give the PIN as a factor", ("7.3.2",)),
    _sealed("pin.change", "/v1/pin", "ChangePin", "Empty", "choose a new PIN", ("7.3.2",),
            refusals=("step-up-required", "out-of-reach")),
    _sealed("payee.add", "/v1/payees", "AddPayee", "Empty", "confirm a payee beforehand",
            ("7.3.3",), refusals=("not-found", "step-up-required", "out-of-reach")),
    _sealed("device.remove", "/v1/devices/remove", "RemoveDevice", "Empty",
            "remove a device of one's own", ("7.4.5",),
            refusals=("conflict", "not-found", "step-up-required", "out-of-reach")),
    _sealed("device.key-void", "/v1/devices/key-void", "ReportKey", "Empty",
            "say that the phone's consent key is void", ("7.3.2", "7.4.5"),
            refusals=("conflict",)),
    _sealed("session.list", "/v1/session/list", "Empty", "LiveSessions",
            "see one's live sessions", ("7.3.2",)),
    _sealed("session.end-others", "/v1/session/end-others", "EndOthers", "Empty",
            "end one's other sessions", ("7.3.2", "7.4.5"), refusals=("conflict", "not-found")),
    _sealed("payment.quote", "/v1/quotes", "QuoteRequest", "QuoteReply",
            "learn the terms of a payment", ("7.3.3", "11.2.2"),
            refusals=("conflict", "not-found")),
    _sealed("payment.order", "/v1/payments", "PaymentRequest", "PaymentReply",
            "order a payment with a signed consent", ("7.3.3", "11.2.1", "11.2.2"),
            grades=("device-signed", "device-signed-attested"), refusals=_ORDER_REFUSALS),
    _sealed("payment.receipt", "/v1/receipts", "ReceiptRequest", "ReceiptReply",
            "get the receipt of an order one paid or received", ("7.3.3",),
            refusals=("not-found",)),
    _sealed("account.read", "/v1/account", "Empty", "AccountReply", "read one's balance",
            ("12.3",)),
    _sealed("agent.open-customer", "/v1/agent/customers", "OpenCustomer", "CustomerOpened",
            "open a customer whom an agent identified", ("7.4.1",), roles=("agent",),
            refusals=("conflict",)),
    _open("ussd.message", "POST", "/v1/ussd", Protection.GATEWAY, "SignedUssd", "UssdReply",
          "one input of a dialled menu", ("7.2.3", "12.2"),
          ("conflict", "expired", "not-authentic", "not-permitted", "replayed"),
          plain="UssdMessage"),
    Operation(
        name="ussd.callback", method="POST", path="/v1/aggregators/{aggregator}",
        protection=Protection.CALLBACK, request="AggregatorCallback", reply="",
        use_case="one callback of a dialled menu, with all inputs so far",
        clauses=("7.2.3", "12.2"), roles=("anyone",),
        refusals=("expired", "not-authentic", "replayed"), form=True,
    ),
    _open("sms.receipt", "POST", "/v1/sms/receipts", Protection.CALLBACK, "SmsReceipt",
          "SmsAccepted", "what became of a message", ("7.2.3", "7.3.6"),
          ("conflict", "expired", "not-authentic", "not-found")),
    _open("sim.change", "POST", "/v1/sim/changes", Protection.CALLBACK, "SimChange", "Empty",
          "a network's word that a SIM was replaced", ("7.3.2", "7.4.5"),
          ("expired", "not-authentic", "not-found")),
    _open("operator.enrol", "POST", "/v1/operators", _OPEN, "EnrolOperator", "OperatorEnrolled",
          "enrol an operator with a one-time code", ("6.2.1",), ("not-authentic",)),
    _act("open-customer", "OpenCustomer", "open a customer", ("7.4.1",), ("care-desk",)),
    _act("issue-activation", "IssueActivation", "send a new activation code", ("7.4.1",),
         ("care-desk",)),
    _act("suspend-device", "SuspendDevice", "stop a device", ("7.4.5",),
         ("care-desk", "security-officer")),
    _act("resume-device", "SuspendDevice", "let a device act again", ("7.4.5",), ("care-desk",)),
    _act("enrol-authenticator", "EnrolAuthenticator", "enter a customer's authenticator",
         ("7.3.2",), ("care-desk",)),
    _act("unlock-customer", "UnlockCustomer", "begin counts of failed tries anew", ("7.3.2",),
         ("care-desk",)),
    _act("view-sessions", "ViewSessions", "list a customer's live sessions", ("7.3.2", "7.4.5"),
         ("care-desk", "security-officer")),
    _act("end-sessions", "EndSessions", "end a customer's live sessions", ("7.3.2", "7.4.5"),
         ("care-desk", "security-officer")),
    _act("report-fraud", "ReportFraud", "mark a settled order as fraud", ("7.3.3",),
         ("care-desk", "operations")),
    _act("fund-account", "FundAccount", "issue money against the safeguarding account",
         ("13.3",), ("operations",)),
    _act("reverse-payment", "ReversePayment", "give a settled order back", ("7.3.3",),
         ("operations", "care-desk")),
    _act("activate-policy", "ActivatePolicy", "put a signed policy into force", ("6.1",),
         ("security-officer",)),
    _act("shadow-policy", "ShadowPolicy", "let a signed policy decide beside the one in force",
         ("6.1",), ("security-officer",)),
    _act("lift-tightening", "LiftTightening", "end what the service tightened by itself",
         ("6.1", "6.2.1"), ("security-officer",)),
    _act("set-incentive", "SetIncentive", "put a subject on a step of an incentive",
         ("6.1", "6.2.1"), ("security-officer",)),
    _act("cover-commission", "CoverCommission", "safeguard own money for what is owed",
         ("6.1", "13.1"), ("operations",)),
    _act("enrol-operator", "InviteOperator", "invite an operator", ("6.2.1",),
         ("security-officer",)),
    _act("erase-subject", "EraseSubject", "erase a person", ("14.2.1",), ("privacy-officer",)),
    _act("add-webhook", "AddWebhook", "deliver events to a core system", ("11.2.3",),
         ("operations",)),
    _act("close-day", "CloseDay", "close the book of a day", ("11.2.3",), ("operations",)),
    _act("decline-act", "DeclineAct", "end an act that waits for a second person", ("6.2.1",),
         ("whoever may do the act",)),
    _act("bind-passkey", "BindPasskey", "invite a passkey of one's own", ("6.2.1", "7.3.2"),
         ("every operator",)),
    _act("break-glass", "BreakGlass", "take the emergency role, alone and for a while",
         ("6.2.1",), ("security-officer", "operations", "care-desk")),
    _act("review-emergency", "ReviewEmergency", "enter what was found of an emergency",
         ("6.2.1",), ("security-officer",)),
    _act("issue-workload", "IssueWorkload", "let a partner's program ask", ("6.2.1", "7.5"),
         ("security-officer",)),
    _act("revoke-workload", "RevokeWorkload", "end what a partner's program may ask",
         ("6.2.1", "7.5"), ("security-officer",)),
    _open("certificate.state", "POST", "/v1/certificates", _OPEN, "SignedStatement",
          "StatementRecorded", "add or withdraw a certificate, signed by officers", ("9.1",),
          ("conflict", "not-authentic", "not-found", "not-permitted")),
    _asked("access.evaluation", "/access/v1/evaluation", "AccessRequest", "AccessDecision",
           "ask what the policy would decide on given facts"),
    _asked("access.evaluations", "/access/v1/evaluations", "AccessBatch", "AccessDecisions",
           "ask several such questions at once"),
    _open("access.configuration", "GET", "/.well-known/authzen-configuration", _OPEN, "",
          "AccessConfiguration", "where the decision point answers", ("6.1",)),
    _open("keys.list", "GET", "/v1/keys", _OPEN, "", "SignedKeyList",
          "the provider's signed list of public keys", ("7.4.2",)),
    _open("keys.messages", "GET", "/v1/message-keys", _OPEN, "", "MessageKeys",
          "the keys that the provider signs HTTP messages with", ("7.4.2",)),
    _open("tally.checkpoint", "GET", "/v1/tally/checkpoint", _OPEN, "", "CheckpointReply",
          "the newest signed checkpoint", ("7.3.3",), ("not-found",)),
    _open("tally.consistency", "GET", "/v1/tally/consistency", _OPEN, "", "ConsistencyReply",
          "proof that one checkpoint continues another", ("7.3.3",), ("not-found",)),
    _open("health.live", "GET", "/health/live", _OPEN, "", "HealthReply", "is the process alive",
          ("6.2.3",)),
    _open("health.ready", "GET", "/health/ready", _OPEN, "", "HealthReply",
          "does it take orders", ("6.2.3",)),
)  # fmt: skip
"""Every operation."""

ACT_NAMES = frozenset(one.name for one in OPERATIONS if one.protection is Protection.ACT)


def operation(name: str) -> Operation:
    """The row of this name.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return _BY_NAME[name]


_BY_NAME = {one.name: one for one in OPERATIONS}
