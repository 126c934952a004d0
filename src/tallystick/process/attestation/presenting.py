"""What a device hands in for its two keys, verified form by form, with what each must be about.

    android-key-pair   a chain for each key; each is the attested one
    apple-app-attest   a key of the app, kept by the Secure Enclave; both keys are in its challenge
    webauthn           a credential of an authenticator; both keys are in its challenge
    play-integrity     a verdict of an app store beside the first form, or beside none at all

In the last two the evidence is about a third key. Apple says that a genuine app has it; that the
two keys are in the Secure Enclave as well is the word of that app. An authenticator beside a
browser says nothing of the browser's own keys: they stay software. A verdict attests no key.

Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.4.1; 8.1.2
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallystick.infrastructure.attestation import cbor
from tallystick.infrastructure.attestation.android.chain import FORMAT as ANDROID
from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.attestation.apple.appattest import FORMAT as APPLE
from tallystick.infrastructure.attestation.apple.appattest import verify_attestation
from tallystick.infrastructure.attestation.evidence import Evidence
from tallystick.infrastructure.attestation.play.verdict import VerdictKeys, verify_under
from tallystick.infrastructure.attestation.webauthn.formats import Asked, verify_registration
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.envelope.schedule import keys_challenge
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.process.attestation.model import AppraisalPolicy, Subject
from tallystick.process.attestation.reading import root_links
from tallystick.protocol.enrolment import ANDROID_KEY_PAIR, APPLE_APP_ATTEST, WEBAUTHN

_BESIDE_VERDICT: Final = ("none", ANDROID_KEY_PAIR)
_PAIR: Final = {"above", "consent", "possession"}
_APPLE: Final = {"attestation", "key"}
_WEBAUTHN: Final = {"attestation", "client"}
BESIDE: Final = ("apple", "none", "packed", "packed-self", "tpm", "webauthn-android-key")
"""Formats of evidence about an authenticator beside the device's own keys."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a device was told, which keys it has (65 octets each), and when it answered (ms).

    Source: RFC 9334, 10
    """

    challenge: bytes
    possession: bytes
    consent: bytes
    at: int


class Presented(NamedTuple):
    """Evidence that verified, and what it must be about.

    Source: RFC 9334, 8.1
    """

    evidence: Evidence
    subject: Subject


def presented(
    form: str, statement: bytes, told: Told, policy: AppraisalPolicy
) -> tuple[Presented, ...]:
    """The evidence in `statement`; nothing for a form that is not appraised.

    Raises Malformed, TooLarge or NotAuthentic where it cannot be verified at all.
    Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.4.1
    """
    read = _FORMS.get(form)
    return () if read is None else read(statement, told, policy)


def presented_verdict(
    form: str, verdict: str, told: Told, keys: Sequence[VerdictKeys]
) -> tuple[Presented, ...]:
    """The evidence in a `verdict` that came beside an attestation of `form`; both keys are in it.

    Nothing where the provider has no `keys` for verdicts. Raises Malformed beside another form, and
    what `verify_under` raises.
    Source: RFC 9334, 8.1; ISO/TS 12812-2:2017, 7.2.5; 7.4.1
    """
    if form not in _BESIDE_VERDICT:
        raise Malformed("a verdict of an app store comes beside the keys of an Android phone")
    if not keys:
        return ()
    client = keys_challenge(told.challenge, told.possession, told.consent)
    return (judged_by_service(verdict, client, told.at, keys),)


def judged_by_service(
    verdict: str, challenge: bytes, at: int, keys: Sequence[VerdictKeys]
) -> Presented:
    """The evidence in a `verdict` that came at `at` (ms) and has to answer `challenge`.

    Raises what `verify_under` raises.
    Source: RFC 9334, 8.1; 10
    """
    subject = Subject(challenge=b64url(challenge), attested="", presented_at=at)
    return Presented(verify_under(verdict, keys), subject)


def _members(statement: bytes, names: set[str], what: str) -> Mapping[int | str, cbor.Item]:
    stated = cbor.mapping(cbor.read(statement))
    if set(stated) != names:
        raise Malformed(f"{what} has another shape")
    return stated


def _android(statement: bytes, told: Told, policy: AppraisalPolicy) -> tuple[Presented, ...]:
    stated = _members(statement, _PAIR, "an attestation of two keys")
    above = cbor.octets_list(stated["above"])
    roots = root_links(policy, ANDROID)
    found: list[Presented] = []
    for name, point in (("possession", told.possession), ("consent", told.consent)):
        subject = Subject(
            challenge=b64url(told.challenge),
            attested=b64url(credential_of_point(1, point[1:33], point[33:]).spki),
            presented_at=told.at,
            consent=name == "consent",
        )
        evidence = verify_chain((cbor.octets_of(stated[name]), *above), roots)
        found.append(Presented(evidence, subject))
    return tuple(found)


def _apple(statement: bytes, told: Told, policy: AppraisalPolicy) -> tuple[Presented, ...]:
    stated = _members(statement, _APPLE, "an attestation of an app")
    client = keys_challenge(told.challenge, told.possession, told.consent)
    attested = cbor.octets_of(stated["attestation"])
    outer = cbor.mapping(cbor.read(attested))
    relying = cbor.octets_of(outer.get("authData"))[:32]
    apps = [one.package for one in policy.apps if sha256(one.package.encode()) == relying]
    if not apps:
        raise NotAuthentic("the attestation is for an app that the policy does not name")
    known = verify_attestation(
        attested,
        application=apps[0],
        identifier=cbor.octets_of(stated["key"]),
        client=client,
        roots=root_links(policy, APPLE),
    )
    subject = Subject(
        challenge=b64url(client),
        attested=b64url(known.spki),
        presented_at=told.at,
        consent=True,
    )
    return (Presented(known.evidence, subject),)


def _webauthn(statement: bytes, told: Told, policy: AppraisalPolicy) -> tuple[Presented, ...]:
    stated = _members(statement, _WEBAUTHN, "an attestation of a browser")
    browser = policy.browser
    if not browser.relying:
        raise NotAuthentic("the policy of appraisal names no place where browsers enrol")
    client = keys_challenge(told.challenge, told.possession, told.consent)
    roots = {one.fingerprint(): one for form in BESIDE for one in root_links(policy, form)}
    registered = verify_registration(
        cbor.octets_of(stated["attestation"]),
        cbor.octets_of(stated["client"]),
        Asked(browser.relying, browser.origins, client, verify_person=True),
        tuple(roots.values()),
    )
    subject = Subject(
        challenge=b64url(client),
        attested=b64url(registered.credential.public.spki),
        presented_at=told.at,
        consent=True,
    )
    return (Presented(registered.evidence, subject),)


_FORMS: Final[Mapping[str, Callable[[bytes, Told, AppraisalPolicy], tuple[Presented, ...]]]] = {
    ANDROID_KEY_PAIR: _android,
    APPLE_APP_ATTEST: _apple,
    WEBAUTHN: _webauthn,
}
