"""Messages of education: what customers are told, what they accepted, what protects them.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from enum import StrEnum
from typing import Annotated

from tallystick.kernel.classification import INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.model import Natural, ShortText, Wire, pattern


class Aspect(StrEnum):
    """What a part of the protection card is about, in the order in which it is told.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    LIMITS = "limits"
    WAITS = "waits"
    LOST = "lost"
    NEVER = "never"


class Topic(Wire, frozen=True, kw_only=True):
    """One topic of education.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    name: Annotated[ShortText, PUBLIC]
    title: Annotated[ShortText, PUBLIC]
    text: Annotated[str, PUBLIC]


class ReadGuidance(Wire, frozen=True, kw_only=True):
    """Asks for everything that is told, in a language or in the customer's own.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    language: Annotated[Annotated[str, pattern("^(?:|en|fr|sw)$")], INTERNAL] = ""


class Guidance(Wire, frozen=True, kw_only=True):
    """What is told; `digest` is SHA-256 of the terms, `accepted` the version accepted last (0:
    none), `known` the version of the topics that was acknowledged last.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    language: Annotated[ShortText, PUBLIC]
    version: Annotated[Natural, PUBLIC]
    topics: Annotated[tuple[Topic, ...], PUBLIC]
    never_contact: Annotated[tuple[str, ...], PUBLIC]
    complaints: Annotated[tuple[str, ...], PUBLIC]
    terms_version: Annotated[Natural, PUBLIC]
    terms: Annotated[str, PUBLIC]
    digest: Annotated[ShortText, PUBLIC]
    accepted: Annotated[Natural, INTERNAL]
    known: Annotated[Natural, INTERNAL]


class Acknowledge(Wire, frozen=True, kw_only=True):
    """Accepts the terms of a version by their digest, or says that the topics were read.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    what: Annotated[Annotated[str, pattern("^(?:terms|topics)$")], INTERNAL]
    version: Annotated[Natural, INTERNAL]
    language: Annotated[Annotated[str, pattern("^(?:en|fr|sw)$")], INTERNAL]
    digest: Annotated[Annotated[str, pattern("^(?:|[A-Za-z0-9_-]{43})$")], INTERNAL] = ""


class ProtectionCard(Wire, frozen=True, kw_only=True):
    """What protects the customer, a line each, under this version of the policy.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.6
    """

    policy: Annotated[Natural, PUBLIC]
    lines: Annotated[tuple[str, ...], INTERNAL]


class OwnNotice(Wire, frozen=True, kw_only=True):
    """One warning, as it was sent to the number: when (ms), of what kind, and its words.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    at: Annotated[Natural, INTERNAL]
    kind: Annotated[ShortText, INTERNAL]
    text: Annotated[str, PERSONAL]


class OwnNotices(Wire, frozen=True, kw_only=True):
    """The newest warnings to the customer, newest first.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    notices: Annotated[tuple[OwnNotice, ...], PERSONAL]


MESSAGES = (ReadGuidance, Guidance, Acknowledge, ProtectionCard, OwnNotices)
"""What is sent about education."""
