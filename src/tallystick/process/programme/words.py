"""The words that a programme may use; each enumeration is closed.

Source: ISO/TS 12812-2:2017, 6.2; A
"""

from enum import IntEnum, StrEnum


class Impact(IntEnum):
    """How bad it would be, from 1 to 5; the words are the names in lower case.

    Source: ISO/TS 12812-2:2017, A
    """

    NEGLIGIBLE = 1
    MINOR = 2
    MODERATE = 3
    MAJOR = 4
    SEVERE = 5


class Strength(IntEnum):
    """The attack potential that something resists.

    Source: ISO/IEC 18045, B.4
    """

    NONE = 0
    BASIC = 1
    ENHANCED_BASIC = 2
    MODERATE = 3
    HIGH = 4


class Role(StrEnum):
    """What a party is in the programme.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    MFSP = "mfsp"
    MNO = "mno"
    USSD_AGGREGATOR = "ussd-aggregator"
    SMS_AGGREGATOR = "sms-aggregator"
    TSM = "tsm"
    SE_PROVIDER = "se-provider"
    OEM = "oem"
    APP_STORE = "app-store"
    BANK = "bank"
    SCHEME = "scheme"
    AGENT_NETWORK = "agent-network"
    MERCHANT_ACQUIRER = "merchant-acquirer"
    PROCESSOR = "processor"
    VENDOR = "vendor"
    SUPERVISOR = "supervisor"


class Duty(StrEnum):
    """What a post may do; the operators' roles and acts are generated from it.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    POLICY_APPROVAL = "policy-approval"
    RISK_ACCEPTANCE = "risk-acceptance"
    KEY_CUSTODY = "key-custody"
    INCIDENT = "incident"
    RELEASE = "release"
    SUSPEND_SERVICE = "suspend-service"
    OPEN_CUSTOMER = "open-customer"
    ACTIVATION = "activation"
    SUSPEND_CUSTOMER = "suspend-customer"
    SUSPEND_DEVICE = "suspend-device"
    TRACE_PAYMENT = "trace-payment"
    REVERSE_PAYMENT = "reverse-payment"
    CHANGE_TIER = "change-tier"
    FUND_ACCOUNT = "fund-account"
    CLOSE_DAY = "close-day"
    WEBHOOKS = "webhooks"
    PRIVACY = "privacy"
    AUDIT = "audit"
    TRAINING = "training"
    VENDOR_REVIEW = "vendor-review"


class Environment(StrEnum):
    """Where a device keeps keys.

    Source: ISO/TS 12812-2:2017, 8.1
    """

    NONE = "none"
    SOFTWARE = "software"
    KEYSTORE = "keystore"
    TEE = "tee"
    UICC = "uicc"
    SECURE_ELEMENT = "secure-element"


class NodeKind(StrEnum):
    """What a node is.

    Source: ISO/TS 12812-2:2017, 6.2; 7.1
    """

    PERSON_INTERFACE = "person-interface"
    MOBILE_APP = "mobile-app"
    BROWSER = "browser"
    AGENT_APP = "agent-app"
    MERCHANT_TERMINAL = "merchant-terminal"
    MERCHANT_CODE = "merchant-code"
    USSD_GATEWAY = "ussd-gateway"
    SMS_CENTRE = "sms-centre"
    MOBILE_NETWORK = "mobile-network"
    APP_STORE = "app-store"
    TSM = "tsm"
    GATEWAY = "gateway"
    PLATFORM = "platform"
    DATABASE = "database"
    CORE = "core"
    MODULE = "cryptographic-module"
    CONSOLE = "console"
    BACKUP = "backup"
    PARTNER = "partner"
    TIME_STAMP_AUTHORITY = "time-stamp-authority"
    WITNESS = "witness"
    SCREENING = "screening"


class Bearer(StrEnum):
    """What carries a flow.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    INTERNET = "internet"
    CELLULAR = "cellular"
    USSD = "ussd"
    SMS = "sms"
    STK = "stk"
    OTA = "ota"
    NFC = "nfc"
    BLUETOOTH = "bluetooth"
    CODE = "code"
    LAN = "lan"
    IN_DEVICE = "in-device"
    VOICE = "voice"


class AssetClass(StrEnum):
    """What kind of thing is of value.

    Source: ISO/TS 12812-2:2017, A
    """

    AUTHENTICATION = "authentication"
    PAYMENT_CREDENTIAL = "payment-credential"
    KEY = "key"
    VALUE = "value"
    ORDER = "order"
    CONSENT = "consent"
    PERSONAL = "personal"
    BIOMETRIC = "biometric"
    APPLICATION = "application"
    POLICY = "policy"
    EVIDENCE = "evidence"
    MODULE = "module"
    CERTIFICATE = "certificate"
    MANAGEMENT = "management"
    FLOAT = "float"
    SERVICE = "service"


class Motivation(StrEnum):
    """Why somebody attacks.

    Source: ISO/TS 12812-2:2017, 3.3
    """

    FINANCIAL = "financial"
    NOTORIETY = "notoriety"
    ESPIONAGE = "espionage"
    GRIEVANCE = "grievance"


class Expertise(StrEnum):
    """How able an attacker must be.

    Source: ISO/IEC 18045, B.4
    """

    LAYMAN = "layman"
    PROFICIENT = "proficient"
    EXPERT = "expert"
    MULTIPLE_EXPERTS = "multiple-experts"


class Knowledge(StrEnum):
    """How much of the target must be known.

    Source: ISO/IEC 18045, B.4
    """

    PUBLIC = "public"
    RESTRICTED = "restricted"
    SENSITIVE = "sensitive"
    CRITICAL = "critical"


class Window(StrEnum):
    """How hard it is to reach the target for long enough.

    Source: ISO/IEC 18045, B.4
    """

    UNLIMITED = "unlimited"
    EASY = "easy"
    MODERATE = "moderate"
    DIFFICULT = "difficult"
    NONE = "none"


class Equipment(StrEnum):
    """What must be at hand.

    Source: ISO/IEC 18045, B.4
    """

    STANDARD = "standard"
    SPECIALISED = "specialised"
    BESPOKE = "bespoke"
    MULTIPLE_BESPOKE = "multiple-bespoke"
