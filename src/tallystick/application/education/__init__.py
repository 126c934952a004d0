"""What customers are told, and what is kept of it.

    words/*.yaml -> topics, terms, how we never make contact, where to complain
    policy in force -> the protection card
    a payment that is asked for -> warnings, in the quote and so in the consent

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from tallystick.application.education.card import most_at_once, protection, protection_card
from tallystick.application.education.content import CONTENT
from tallystick.application.education.service import DialledTerms, Education, InLesson
from tallystick.application.education.warnings import (
    Circumstances,
    also_seen,
    check_acknowledged,
    to_acknowledge,
    warnings_of,
)

__all__ = [
    "CONTENT",
    "Circumstances",
    "DialledTerms",
    "Education",
    "InLesson",
    "also_seen",
    "check_acknowledged",
    "most_at_once",
    "protection",
    "protection_card",
    "to_acknowledge",
    "warnings_of",
]
