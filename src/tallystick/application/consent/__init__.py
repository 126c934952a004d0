"""Consent: what the payer saw is what the payer agreed to, and it has a grade.

    quote (terms + provider's MAC) -> consent (terms + device + moment) -> Consented, one per grade

`Consented` is a closed sum: its member says who could repudiate the order. Policy sets limits by
grade and the receipt prints it; a channel without a signing phone is a grade, not an exception in
the code.

Source: ISO/TS 12812-2:2017, 11.2.2
"""

from tallystick.application.consent.model import (
    Consented,
    DeviceSigned,
    PinVerified,
    SimEvidence,
    SimSigned,
    TwoOperators,
)
from tallystick.application.consent.rules import (
    consent_of,
    evidence_of,
    prove_quote,
    quote_digest,
    verify_signed,
)

__all__ = [
    "Consented",
    "DeviceSigned",
    "PinVerified",
    "SimEvidence",
    "SimSigned",
    "TwoOperators",
    "consent_of",
    "evidence_of",
    "prove_quote",
    "quote_digest",
    "verify_signed",
]
