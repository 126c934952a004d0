"""Views, emergencies, notices to officers, links to an identity provider, and workloads.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4
"""

from dataclasses import dataclass

from tallystick.application.operators import NewcomerPasskey
from tallystick.kernel.model import Record


@dataclass(frozen=True, slots=True)
class View:
    """A page that somebody asked for: who, with which sign-in, which page, why, about whom.

    `customer` and `subject` (an order, an act) are empty where the page is about nobody; `parts`
    are the opened ones. `found` says whether there was anything to see.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """

    operator: str
    grade: str
    page: str
    purpose: str
    customer: str = ""
    subject: str = ""
    parts: tuple[str, ...] = ()
    found: bool = True


class Emergency(Record, frozen=True, kw_only=True):
    """The emergency role in one person's hands, from `since` to `until` (ms), and its review.

    `reviewer` is empty and `reviewed_at` 0 until somebody else looked at it. `because` and
    `finding` are sealed: they may name people.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    operator: str
    because: bytes
    since: int
    until: int
    event: int
    reviewer: str
    finding: bytes
    reviewed_at: int


class OfficerNotice(Record, frozen=True, kw_only=True):
    """That an operator must learn of something; `seen_at` is 0 until they said so.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    id: str
    operator: str
    kind: str
    reference: str
    at: int
    seen_at: int


class SubjectLink(Record, frozen=True, kw_only=True):
    """Whom a subject of the identity provider stands for; `subject` is a MAC.

    Source: OpenID Connect Core 1.0, 5.7
    """

    subject: str
    operator: str
    linked_at: int


class Workload(Record, frozen=True, kw_only=True):
    """A partner's program: what it may ask, how it proves itself, until when.

    `verifier` is the MAC of a secret's hash, or a public key of 65 octets.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """

    id: str
    label: str
    scope: str
    way: str
    verifier: bytes
    status: str
    issued_at: int
    expires_at: int
    event: int


@dataclass(frozen=True, slots=True)
class JoinWithPasskey:
    """An invited operator enrols a passkey that was proved to be there.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    new: NewcomerPasskey


@dataclass(frozen=True, slots=True)
class SignIn:
    """An operator came to the desk: by a passkey's assertion, or by OIDC (`credential` empty).

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    operator: str
    credential: str
    counter: int


@dataclass(frozen=True, slots=True)
class LinkSubject:
    """An operator at the desk links an account of the identity provider.

    Source: OpenID Connect Core 1.0, 5.7
    """

    issuer: str
    subject: str
    operator: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """A page of the desk that is about to be shown.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    view: View


@dataclass(frozen=True, slots=True)
class SawNotice:
    """An officer has seen a notice.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    notice: str
    operator: str
