"""The policy of appraisal and the verdict; both canonical, each named by its digest.

Source: RFC 9334, 8.3; 8.5
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tallystick.infrastructure.attestation.evidence import Evidence
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.model import ABSENT, Absent, Record

VERDICT_FORM: Final = 2
"""The form of a verdict; one of another form is made again before it is used."""


class Outcome(StrEnum):
    """What an appraisal comes to; `bare` where there was nothing to appraise.

    Source: RFC 9334, 8.4
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    BARE = "bare"


class Risk(StrEnum):
    """How risky an act is, for how fresh a proof has to be.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 6.1
    """

    CALM = "calm"
    RAISED = "raised"
    HIGH = "high"


class Asked(StrEnum):
    """Whether a verdict of an app store is asked of Android phones.

    `taken` appraises one that comes; `required` trusts no Android key without one.
    Source: RFC 9334, 8.3; 8.4
    """

    IGNORED = "ignored"
    TAKEN = "taken"
    REQUIRED = "required"


class Place(StrEnum):
    """Which certificates of a chain a rule on validity is about.

    Source: RFC 5280, 4.1.2.5
    """

    LEAF = "leaf"
    ISSUERS = "issuers"
    ROOT = "root"


class Root(Record, frozen=True, kw_only=True):
    """A root that is believed for some formats; `simulated` where no hardware is behind it.

    Source: RFC 9334, 7.4
    """

    name: str
    digest: str
    formats: tuple[str, ...]
    simulated: bool
    pem: str


class System(Record, frozen=True, kw_only=True):
    """Another operating system, by the key that signs its boot (hexadecimal).

    Source: ISO/TS 12812-2:2017, 7.2.2
    """

    name: str
    signer: str


class App(Record, frozen=True, kw_only=True):
    """An application that may make keys: its package, its signers (SHA-256, hexadecimal).

    `least` is the least version that counts, where the evidence names one.
    Source: ISO/TS 12812-2:2017, 7.2.5; 7.2.8
    """

    package: str
    signers: tuple[str, ...]
    least: int | Absent = ABSENT


class Browser(Record, frozen=True, kw_only=True):
    """For which relying party, and from which origins, browsers make credentials.

    Source: WebAuthn Level 3, 5.1.3
    """

    relying: str = ""
    origins: tuple[str, ...] = ()


class AppraisalPolicy(Record, frozen=True, kw_only=True):
    """What evidence must say. Durations in ms; empty `apps` or `labels` ask for nothing.

    `validity` says by way of provisioning which places of a chain must be valid; `unmarked` for
    which ways an issuer may lack its mark. `freshness` is by `Risk` how old the last proof of a
    device may be when it pays; none is asked for where it is empty. `asked` is `Asked` of the
    verdict of an app store, `refused` the rules without which nobody enrols; what does not hold
    otherwise takes the trust.
    Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
    """

    name: str
    because: str
    roots: tuple[Root, ...]
    levels: tuple[str, ...]
    least_version: int
    boot_states: tuple[str, ...]
    locked: bool
    systems: tuple[System, ...]
    patch_age_ms: int
    origins: tuple[str, ...]
    person_for_consent: bool
    person_timeout_s: int
    apps: tuple[App, ...]
    environments: tuple[str, ...]
    validity: Mapping[str, tuple[str, ...]]
    unmarked: tuple[str, ...]
    ordered: bool
    list_age_ms: int
    without_list: bool
    verdict_age_ms: int
    labels: tuple[str, ...]
    freshness: Mapping[str, int] = {}
    browser: Browser = Browser()
    asked: str | Absent = ABSENT
    refused: tuple[str, ...] | Absent = ABSENT

    def digest(self) -> str:
        """SHA-256 of the canonical form, base64url.

        Source: RFC 8785
        """
        return b64url(sha256(encode_canonical(self)))

    def verdicts(self) -> Asked:
        """What is asked of the verdict of an app store.

        Source: RFC 9334, 8.3
        """
        return Asked.IGNORED if isinstance(self.asked, Absent) else Asked(self.asked)

    def ending(self) -> tuple[str, ...]:
        """The rules without which nobody enrols.

        Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.5
        """
        return () if isinstance(self.refused, Absent) else self.refused

    def root(self, digest: str) -> Root | None:
        """The root with the key `digest`; None where it is not believed.

        Source: RFC 9334, 7.4
        """
        return next((one for one in self.roots if one.digest == digest), None)


class Subject(Record, frozen=True, kw_only=True):
    """What the evidence must be about: challenge and key (SubjectPublicKeyInfo), base64url.

    `presented_at` is when it came (ms): validity and age are judged at that instant, so that a
    second appraisal of the same evidence differs only where policy or lists do. `consent` where
    the key signs what a person agreed to.
    Source: RFC 9334, 10
    """

    challenge: str
    attested: str
    presented_at: int
    consent: bool = False


class Known(Record, frozen=True, kw_only=True):
    """What was known when it was appraised: the list of revoked certificates, models refused.

    `list_at` is when the list was fetched (ms), 0 for never.
    Source: RFC 9334, 7.4
    """

    list_digest: str = ""
    list_at: int = 0
    revoked: Mapping[str, str] = {}
    models_digest: str = ""
    models: Mapping[str, str] = {}


def known_name(list_digest: str, models_digest: str) -> str:
    """What names the knowledge out of these two lists; empty for none, one list names itself.

    Source: RFC 9334, 8.4
    """
    if not models_digest:
        return list_digest
    return b64url(sha256(f"{list_digest} {models_digest}".encode()))


class Reason(Record, frozen=True, kw_only=True):
    """A rule that did not hold, and what was found.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    rule: str
    found: str


class Verdict(Record, frozen=True, kw_only=True):
    """What one piece of evidence is worth, under which policy and with which knowledge.

    The same evidence, subject, policy and knowledge give the same octets at any time.
    Source: RFC 9334, 8.4
    """

    v: int = VERDICT_FORM
    outcome: Outcome
    trust: str
    level: str
    claims: Mapping[str, str]
    reasons: tuple[Reason, ...]
    policy: str
    evidence: str
    subject: str
    revocations: str
    models: str

    def octets(self) -> bytes:
        """The canonical form, for a store and an event.

        Source: RFC 8785
        """
        return encode_canonical(self)

    def because(self) -> str:
        """The first rule that did not hold; empty where all did.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return f"attestation/{self.reasons[0].rule}" if self.reasons else ""


class Appraised(Record, frozen=True, kw_only=True):
    """What is kept of an appraisal: enough to appraise again without the attestation.

    Source: RFC 9334, 8.4
    """

    evidence: Evidence
    subject: Subject
    verdict: Verdict


_APPRAISED = Decoder(tuple[Appraised, ...], limit=32 * 1024)


def packed_appraisals(appraised: tuple[Appraised, ...]) -> bytes:
    """The canonical octets of `appraised`, for a store.

    Source: RFC 8785
    """
    return encode_canonical(appraised)


def read_appraisals(octets: bytes) -> tuple[Appraised, ...]:
    """The appraisals in `octets`.

    Raises Malformed unless they are their canonical form.
    Source: RFC 8785
    """
    return _APPRAISED.decode_canonical(octets)
