"""The schema of a whole provider: every capability's steps together.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from tallystick.application.appraisals.store import BASIS_MIGRATION as BASES
from tallystick.application.appraisals.store import LIST_MIGRATION as VENDOR_LISTS
from tallystick.application.appraisals.store import LISTED_MIGRATION as BASES_LISTED
from tallystick.application.appraisals.store import MIGRATION as APPRAISALS
from tallystick.application.approvals.store import MIGRATION as APPROVALS
from tallystick.application.apps.store import MIGRATION as APPS
from tallystick.application.apps.store import SEEN_MIGRATION as APPS_SEEN
from tallystick.application.assisting.store import MIGRATION as PLACES
from tallystick.application.attempts.store import MIGRATION as ATTEMPTS
from tallystick.application.authentication.store import MIGRATION as ACTIVATIONS
from tallystick.application.authenticators.store import MIGRATION as AUTHENTICATORS
from tallystick.application.certification.store import MIGRATION as CERTIFICATES
from tallystick.application.customers.store import LANGUAGE_MIGRATION as LANGUAGES
from tallystick.application.customers.store import MIGRATION as CUSTOMERS
from tallystick.application.daybook.store import MIGRATION as DAYS
from tallystick.application.desk.store import MIGRATION as DESK
from tallystick.application.devicelife.store import DENIED_MIGRATION as DENIED_KEYS
from tallystick.application.devicelife.store import LIFE_MIGRATION as LIVES
from tallystick.application.deviceproofs.store import MIGRATION as PROOFS
from tallystick.application.devices.store import MIGRATION as DEVICES
from tallystick.application.devices.store import VERDICT_MIGRATION as VERDICTS
from tallystick.application.education.store import MIGRATION as EDUCATION
from tallystick.application.exemptions.store import APART as EXEMPTIONS_APART
from tallystick.application.exemptions.store import MIGRATION as EXEMPTIONS
from tallystick.application.fleet.store import MIGRATION as FLEET
from tallystick.application.incentives.store import MIGRATION as INCENTIVES
from tallystick.application.keylife.store import CEREMONY_MIGRATION as CEREMONIES
from tallystick.application.keylife.store import MIGRATION as KEY_LIFE
from tallystick.application.notices.store import MIGRATION as NOTICES
from tallystick.application.notices.store import RECEIPT_MIGRATION as NOTICE_RECEIPTS
from tallystick.application.notices.store import WARNING_MIGRATION as WARNINGS
from tallystick.application.operators.store import MIGRATION as OPERATORS
from tallystick.application.operators.store import PASSKEY_MIGRATION as PASSKEYS
from tallystick.application.operators.store import STANDING_MIGRATION as STANDING
from tallystick.application.operators.store import WAITING_MIGRATION as WAITING_ACTS
from tallystick.application.ordercodes.store import MIGRATION as ORDER_CODES
from tallystick.application.paycrypt.store import MIGRATION as PAYCRYPT
from tallystick.application.paycrypt.store import PAIRS as PAYCRYPT_PAIRS
from tallystick.application.payments.store import MIGRATION as ORDERS
from tallystick.application.policing.store import MEASURE_MIGRATION as MEASURES
from tallystick.application.policing.store import MIGRATION as POLICIES
from tallystick.application.policing.store import SHADOW_MIGRATION as SHADOWS
from tallystick.application.proving.store import MIGRATION as EVIDENCE
from tallystick.application.recovery.store import MIGRATION as RECOVERIES
from tallystick.application.signals.store import MIGRATION as SIGNALS
from tallystick.application.sims.store import MIGRATION as SIMS
from tallystick.application.subjectkeys.store import MIGRATION as SUBJECT_KEYS
from tallystick.application.surrogates.store import MIGRATION as SURROGATES
from tallystick.application.suspensions.store import MIGRATION as SUSPENSIONS
from tallystick.application.tiers.store import MIGRATION as TIERS
from tallystick.application.tightenings.store import MIGRATION as PROPOSALS
from tallystick.application.webhooks.store import MIGRATION as WEBHOOKS
from tallystick.infrastructure.ledger.store import MIGRATION as LEDGER
from tallystick.infrastructure.store.boots import MIGRATIONS as BOOTS
from tallystick.infrastructure.store.decided import MIGRATION as DECIDED
from tallystick.infrastructure.store.starts import KEYS_MIGRATION as START_KEYS
from tallystick.infrastructure.store.starts import MIGRATION as STARTS
from tallystick.infrastructure.tally.store import MIGRATION as TALLY

MIGRATIONS = (
    TALLY, LEDGER, POLICIES, CUSTOMERS, DEVICES, ACTIVATIONS, ORDERS, NOTICES, OPERATORS,
    WEBHOOKS, DAYS, CERTIFICATES, *BOOTS, STARTS, SHADOWS, EVIDENCE, DECIDED, MEASURES,
    LANGUAGES, NOTICE_RECEIPTS,
    SIGNALS,
    ATTEMPTS, AUTHENTICATORS, EXEMPTIONS,
    PASSKEYS, DESK,
    INCENTIVES,
    PROPOSALS,
    VERDICTS,
    APPROVALS,
    RECOVERIES, EDUCATION, PLACES,
    SIMS, ORDER_CODES,
    KEY_LIFE,
    PAYCRYPT, PAYCRYPT_PAIRS, SURROGATES,
    APPS, APPS_SEEN,
    APPRAISALS, BASES, PROOFS, VENDOR_LISTS,
    LIVES, DENIED_KEYS,
    CEREMONIES,
    FLEET,
    WARNINGS,
    TIERS,
    SUSPENSIONS,
    STANDING, WAITING_ACTS,
    SUBJECT_KEYS,
    EXEMPTIONS_APART,
    BASES_LISTED,
    START_KEYS,
)  # fmt: skip
"""Every step of the schema, from every capability."""
