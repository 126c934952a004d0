"""What a decision is made from, and the closed vocabulary of the policy.

The policy knows no customer, device or order: the application fills in `Facts` and asks. Every word
is one of the enumerations below; a word outside them is denied, never guessed.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2; 7.3.3
"""

from enum import StrEnum
from typing import Final

from tallystick.kernel.model import Record

FOREVER: Final = 2**62
"""An age (ms) or amount without bound."""


class Operation(StrEnum):
    """What is asked for; each needs a number of factors, and `operate` is decided by role.

    Source: ISO/TS 12812-2:2017, 12.1; 7.5
    """

    ENROL = "enrol"
    ACTIVATE = "activate"
    LOGIN = "login"
    INQUIRE = "inquire"
    QUOTE = "quote"
    PAY = "pay"
    ADD_PAYEE = "add-payee"
    CHANGE_PROFILE = "change-profile"
    CHANGE_PIN = "change-pin"
    MANAGE_DEVICE = "manage-device"
    OPERATE = "operate"


class Kind(StrEnum):
    """What a payment is for; the words of `protocol.payments.PaymentKind`, and `none`.

    Source: ISO/TS 12812-2:2017, 11.1
    """

    NONE = "none"
    P2P = "p2p"
    MERCHANT = "merchant"
    CASH_IN = "cash-in"
    CASH_OUT = "cash-out"
    REFUND = "refund"
    REVERSAL = "reversal"
    SALARY = "salary"
    FUNDING = "funding"
    SETTLEMENT = "settlement"


class Channel(StrEnum):
    """Through which door the request came.

    Source: ISO/TS 12812-2:2017, 7.3.2; 12.2
    """

    APP = "app"
    WEB = "web"
    USSD = "ussd"
    AGENT = "agent"
    OPERATOR = "operator"
    SCHEDULED = "scheduled"


class Grade(StrEnum):
    """Who could repudiate the consent; `none` where nothing was consented to yet.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    NONE = "none"
    DEVICE_SIGNED_ATTESTED = "device-signed-attested"
    DEVICE_SIGNED = "device-signed"
    PASSKEY = "passkey"
    SIM_SIGNED = "sim-signed"
    CODE_CONFIRMED = "code-confirmed"
    PIN_VERIFIED = "pin-verified"
    AGENT_ASSISTED = "agent-assisted"
    STANDING_MANDATE = "standing-mandate"
    TWO_OPERATORS = "two-operators"


class DeviceTrust(StrEnum):
    """What is known of the device's key store: `none` is no signing device, `unknown` no evidence.

    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.1
    """

    ATTESTED_HARDWARE = "attested-hardware"
    SOFTWARE = "software"
    UNKNOWN = "unknown"
    NONE = "none"


class AccountStatus(StrEnum):
    """Where the account of whoever asks stands; `none` where there is no account yet.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DORMANT = "dormant"
    ERASED = "erased"
    NONE = "none"


class Factor(StrEnum):
    """Category of an authentication factor; two of one category count once.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    POSSESSION = "possession"
    KNOWLEDGE = "knowledge"
    INHERENCE = "inherence"


class Dependency(StrEnum):
    """What the service leans on and may lose.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    CORE = "core"
    MODULE = "module"
    TIME_STAMP = "time-stamp"
    WITNESS = "witness"
    ATTESTATION = "attestation"
    REVOCATION = "revocation"
    SIM_SIGNAL = "sim-signal"
    SCREENING = "screening"
    FRAUD_SCORE = "fraud-score"
    SMS = "sms"


class OperatorAct(StrEnum):
    """What an operator may be allowed to do.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    OPEN_CUSTOMER = "open-customer"
    CHANGE_TIER = "change-tier"
    SUSPEND_CUSTOMER = "suspend-customer"
    RESUME_CUSTOMER = "resume-customer"
    ERASE_SUBJECT = "erase-subject"
    ISSUE_ACTIVATION = "issue-activation"
    SUSPEND_DEVICE = "suspend-device"
    RESUME_DEVICE = "resume-device"
    REMOVE_DEVICE = "remove-device"
    TRACE_PAYMENT = "trace-payment"
    REVERSE_PAYMENT = "reverse-payment"
    FUND_ACCOUNT = "fund-account"
    CLOSE_DAY = "close-day"
    ADD_WEBHOOK = "add-webhook"
    ACTIVATE_POLICY = "activate-policy"
    SHADOW_POLICY = "shadow-policy"
    EVALUATE_POLICY = "evaluate-policy"
    ENROL_OPERATOR = "enrol-operator"
    AUDIT_RECORDS = "audit-records"
    SUSPEND_SERVICE = "suspend-service"
    RESUME_SERVICE = "resume-service"
    SUSPEND_OPERATOR = "suspend-operator"
    RESUME_OPERATOR = "resume-operator"
    REMOVE_OPERATOR = "remove-operator"
    LIFT_TIGHTENING = "lift-tightening"
    ENROL_AUTHENTICATOR = "enrol-authenticator"
    UNLOCK_CUSTOMER = "unlock-customer"
    VIEW_SESSIONS = "view-sessions"
    END_SESSIONS = "end-sessions"
    REPORT_FRAUD = "report-fraud"
    BREAK_GLASS = "break-glass"
    REVIEW_EMERGENCY = "review-emergency"
    ISSUE_WORKLOAD = "issue-workload"
    REVOKE_WORKLOAD = "revoke-workload"
    SET_INCENTIVE = "set-incentive"
    COVER_COMMISSION = "cover-commission"
    BEGIN_APPROVAL = "begin-approval"
    CANCEL_APPROVAL = "cancel-approval"
    SET_MANDATE = "set-mandate"
    REVOKE_APPROVER = "revoke-approver"
    CLEAR_RISK = "clear-risk"
    OPEN_RECOVERY = "open-recovery"
    FINISH_RECOVERY = "finish-recovery"
    CANCEL_RECOVERY = "cancel-recovery"
    REST_ACCOUNT = "rest-account"
    FREEZE_ACCOUNT = "freeze-account"
    VIEW_FROZEN = "view-frozen"
    RELEASE_ACCOUNT = "release-account"
    PLACE_AGENT = "place-agent"
    SUSPEND_KEY = "suspend-key"
    RESUME_KEY = "resume-key"
    RETIRE_KEY = "retire-key"
    DECLARE_COMPROMISE = "declare-compromise"
    DESTROY_KEY = "destroy-key"
    RECORD_CUSTODY = "record-custody"
    OPEN_SURROGATE_DOMAIN = "open-surrogate-domain"
    STEP_SURROGATE_DOMAIN = "step-surrogate-domain"
    ALLOW_DETOKENISING = "allow-detokenising"


class Signal(StrEnum):
    """What the service observes itself and may tighten the policy on.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """

    PROBE = "probe"
    CERTIFICATE = "certificate"
    DEPENDENCY = "dependency"
    ATTESTED_SHARE = "attested-share"
    FRAUD_SHARE = "fraud-share"


class SubjectClass(StrEnum):
    """Whose limits an incentive moves.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """

    AGENT = "agent"
    DEVICE_CLASS = "device-class"
    VENDOR = "vendor"


class Merit(StrEnum):
    """What is measured of a subject, from recorded facts and registers only.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.6
    """

    DAYS_WITHOUT_FINDING = "days-without-finding"
    SETTLED_PAYMENTS = "settled-payments"
    DISTINCT_CUSTOMERS = "distinct-customers"
    REVERSED_PAYMENTS = "reversed-payments"
    REVERSED_PERMILLE = "reversed-permille"
    TRAINING_DAYS = "training-days"
    ATTESTED_PERMILLE = "attested-permille"
    COPIES = "copies"
    VERIFIED_DAYS = "verified-days"
    SERVICE_LEVEL = "service-level"


class Outcome(StrEnum):
    """What a decision comes to.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    ALLOW = "allow"
    STEP_UP = "step-up"
    DELAY = "delay"
    DENY = "deny"


class Facts(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a decision may depend on; words are those of the enumerations above.

    operation, kind, channel, grade   what is asked, through which door, on whose word
    tier                    identification tier of the payer or asker (0 and up)
    device_trust            of the device that asks
    account_status          of the payer or asker
    factors                 categories that stand behind the consent or session (`Factor`)
    amount_minor, currency  of a payment, else 0 and empty
    payee_known             the payer paid or confirmed this payee before
    device_age_ms, account_age_ms     since enrolment and opening
    sim_age_ms              since the SIM last changed; `FOREVER` where no change is known (an
                            absent signal is reported as the degraded dependency `sim-signal`)
    session_age_ms          since the session was established
    factor_age_ms           since a factor was last given; `FOREVER` where that is not known
    minute_of_day           local time of the provider, 0 to 1439 (`CompiledPolicy.minute_of_day`)
    recent_failures         failed authentications of this account since the last success
    risk_score              0 to 1000, from monitoring
    degraded                pairs of a dependency and for how long (ms) its data has been stale
    operator_role, act, approvals     of an operator's act: role, `OperatorAct`, people who agreed
    recovering_for_ms       since a recovery of the account was opened or ended; `FOREVER` for none
    steps                   pairs of an incentive and the step of its subject; 0 where none is named
    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.3
    """

    operation: str
    channel: str
    tier: int
    device_trust: str
    account_status: str
    kind: str = Kind.NONE.value
    grade: str = Grade.NONE.value
    factors: tuple[str, ...] = ()
    amount_minor: int = 0
    currency: str = ""
    payee_known: bool = False
    device_age_ms: int = 0
    account_age_ms: int = 0
    sim_age_ms: int = FOREVER
    session_age_ms: int = 0
    factor_age_ms: int = FOREVER
    minute_of_day: int = 720
    recent_failures: int = 0
    risk_score: int = 0
    degraded: tuple[tuple[str, int], ...] = ()
    operator_role: str = ""
    act: str = ""
    approvals: int = 0
    steps: tuple[tuple[str, int], ...] = ()
    recovering_for_ms: int = FOREVER


Word = str | int | bool
"""A value of an enumerated field."""

ENUMERATED: Final[tuple[str, ...]] = (
    "operation",
    "kind",
    "channel",
    "grade",
    "tier",
    "device_trust",
    "account_status",
    "payee_known",
)
"""Fields of `Facts` that a row compares with words, in the order of the index."""

VOCABULARY: Final[dict[str, tuple[Word, ...]]] = {
    "operation": tuple(word.value for word in Operation if word is not Operation.OPERATE),
    "kind": tuple(word.value for word in Kind),
    "channel": tuple(word.value for word in Channel),
    "grade": tuple(word.value for word in Grade),
    "device_trust": tuple(word.value for word in DeviceTrust),
    "account_status": tuple(word.value for word in AccountStatus),
    "payee_known": (False, True),
}
"""Words of every enumerated field except `tier`, whose values each policy declares."""

MEASURED: Final[dict[str, str]] = {
    "amount_minor": "amount_minor",
    "device_age": "device_age_ms",
    "account_age": "account_age_ms",
    "sim_age": "sim_age_ms",
    "session_age": "session_age_ms",
    "time_of_day": "minute_of_day",
    "recent_failures": "recent_failures",
    "risk_score": "risk_score",
}
"""Words of the language for fields that a row compares with bounds, and the field of each."""
