"""Attestations at the door: verified and appraised when a device enrols, appraised again later.

Kept with the device are the parsed evidence and the verdict, not the attestation. A verdict that
was made under another policy, or before the list of revoked certificates changed, is not used: the
device is read with a verdict made anew from the evidence.

Source: RFC 9334, 3; ISO/TS 12812-2:2017, 7.2.6; 7.3.5; 7.4.1
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.application.devices.model import Device
from tallystick.infrastructure.attestation.android.chain import FORMAT as ANDROID
from tallystick.infrastructure.attestation.play.verdict import VerdictKeys
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.envelope.handshake_server import OpenedEnrolment
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Absent, replace
from tallystick.kernel.time import Instant
from tallystick.process.attestation.appraisal import NOTHING_KNOWN, appraise, still_holds
from tallystick.process.attestation.model import (
    VERDICT_FORM,
    AppraisalPolicy,
    Appraised,
    Asked,
    Known,
    Outcome,
    Verdict,
    packed_appraisals,
    read_appraisals,
)
from tallystick.process.attestation.presenting import (
    BESIDE,
    Presented,
    Told,
    presented,
    presented_verdict,
)
from tallystick.process.attestation.reading import shipped_policy
from tallystick.process.attestation.rules import LIST_AGE, SERVICE, VERDICT
from tallystick.process.policy.facts import DeviceTrust

_KEPT: Final = b"["
"""How kept evidence begins; a statement that was not appraised is base64url."""

_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Attested:
    """What an attestation came to: how far the device is trusted, and what is kept of it.

    `lacking` where a verdict of an app store is required and none was brought.
    Source: RFC 9334, 8.4
    """

    trust: str
    appraised: tuple[Appraised, ...]
    lacking: bool = False

    def octets(self) -> bytes:
        """Evidence and verdicts, as they are stored.

        Source: RFC 8785
        """
        return packed_appraisals(self.appraised)

    def links(self) -> tuple[str, ...]:
        """The serials above the keys, and the roots, that the attestation leads through.

        Leaves are left out: every Android keystore gives them the same serial.
        Source: RFC 5280, 4.1.2.2
        """
        found = {link.serial for one in self.appraised for link in one.evidence.chain[1:]}
        return tuple(sorted(found | {f"root:{one.evidence.root}" for one in self.appraised}))

    def words(self) -> Mapping[str, str]:
        """What the event of it says to everybody: outcome, rules that did not hold, digests.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        verdicts = [one.verdict for one in self.appraised]
        worst = Outcome.REFUSED if self.lacking else _worst(verdicts)
        services = (one.evidence for one in self.appraised if one.evidence.format == SERVICE)
        labels = " ".join(label for one in services for label in one.labels)
        return {
            "appraisal": worst.value,
            "environment": verdicts[0].claims.get("environment", "production"),
            "rules": " ".join(self.rules()),
            "appraised_by": verdicts[0].policy,
            "verdict": b64url(sha256(b"".join(one.octets() for one in verdicts))),
            **({"labels": labels} if labels else {}),
        }

    def rules(self) -> tuple[str, ...]:
        """The rules that did not hold, sorted.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        found = {reason.rule for one in self.appraised for reason in one.verdict.reasons}
        return tuple(sorted(found | ({VERDICT} if self.lacking else set())))


class Attesting:
    """One policy and what is known, over the attestations of devices.

    Source: RFC 9334, 8.3
    """

    def __init__(
        self,
        policy: AppraisalPolicy | None = None,
        known: Known = NOTHING_KNOWN,
        verdict_keys: Sequence[VerdictKeys] = (),
        fresh_since: int = 0,
    ) -> None:
        """Appraise by `policy` (the shipped one unless given) with what is `known`.

        `verdict_keys` open the verdicts of an app store. `fresh_since` (ms) is when the list last
        became fresh after it had been too old, 0 for never: verdicts of before are made anew.
        Source: RFC 9334, 8.3
        """
        self.verdict_keys = tuple(verdict_keys)
        self.policy = policy or shipped_policy()
        self.policy_digest = self.policy.digest()
        self.known = known
        self.fresh_since = fresh_since
        parts = [str(VERDICT_FORM), self.policy_digest, known.list_digest, known.models_digest]
        parts += [str(fresh_since)] if fresh_since else []
        self.basis = b64url(sha256(" ".join(parts).encode()))
        self._current: dict[bytes, tuple[str, bytes]] = {}

    def appraise(self, opened: OpenedEnrolment, now: Instant) -> Attested | None:
        """What the attestation of an enrolment is worth; None for a format that is not appraised.

        Raises Malformed, TooLarge or NotAuthentic where it cannot be verified at all.
        Source: RFC 9334, 8.4; ISO/TS 12812-2:2017, 7.4.1
        """
        told = Told(
            challenge=opened.challenge,
            possession=opened.possession.octets(),
            consent=opened.consent.octets(),
            at=now,
        )
        form, verdict = opened.attestation.format, opened.attestation.verdict
        statement = b64url_decode(opened.attestation.statement)
        found = presented(form, statement, told, self.policy)
        if not isinstance(verdict, Absent) and self.policy.verdicts() is not Asked.IGNORED:
            found += presented_verdict(form, verdict, told, self.verdict_keys)
        return self.joined(tuple(self.appraised(one) for one in found)) if found else None

    def check(self, found: Attested | None) -> None:
        """Return only if what was `found` breaks no rule without which nobody enrols.

        Raises NotPermitted, which names the first such rule.
        Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.5; 7.4.1
        """
        broken = () if found is None else found.rules()
        ended = [one for one in self.policy.ending() if one in broken]
        if ended:
            raise NotPermitted(
                "this phone or its application is not one that may enrol",
                because=f"attestation/{ended[0]}",
                remedy="install the application from the official store, or ask the provider",
            )

    def appraised(self, one: Presented) -> Appraised:
        """What is kept of `one`, with its verdict.

        Source: RFC 9334, 8.4
        """
        return Appraised(evidence=one.evidence, subject=one.subject, verdict=self.judge(one))

    def joined(self, appraised: tuple[Appraised, ...]) -> Attested:
        """What several pieces of evidence about one device come to.

        A verdict of an app store raises nothing: one that a rule refuses takes the trust away, and
        so does its absence beside Android keys where the policy requires one.
        Source: RFC 9334, 8.4
        """
        keys = [one for one in appraised if one.evidence.format != SERVICE]
        services = [one for one in appraised if one.evidence.format == SERVICE]
        asked = self.policy.verdicts()
        android = any(one.evidence.format == ANDROID for one in keys)
        lacking = asked is Asked.REQUIRED and android and not services
        trust = _trust_of(keys) if keys else DeviceTrust.SOFTWARE.value
        if lacking or any(one.verdict.outcome is Outcome.REFUSED for one in services):
            trust = DeviceTrust.UNKNOWN.value
        return Attested(trust=trust, appraised=appraised, lacking=lacking)

    def judge(self, one: Presented) -> Verdict:
        """What `one` is worth under the policy, with what is known.

        Source: RFC 9334, 8.4
        """
        return appraise(
            one.evidence, one.subject, self.policy, self.known, policy_digest=self.policy_digest
        )

    def current(self, device: Device) -> Device:
        """`device` with a verdict that holds now; itself where the stored one does.

        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
        """
        if not device.attestation.startswith(_KEPT):
            return device
        found = self._current.get(device.attestation)
        if found is None:
            if len(self._current) >= _REMEMBERED:
                self._current.clear()
            again = self.again(read_appraisals(device.attestation))
            found = (again.trust, again.octets())
            self._current[device.attestation] = found
        if found == (device.trust, device.attestation):
            return device
        return replace(device, trust=found[0], attestation=found[1])

    def unlike(self, other: "Attesting") -> tuple[str, ...]:
        """Names of `device_link` that `other` judges in another way: serials, and roots.

        Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
        """
        here, there = self.known.revoked, other.known.revoked
        serials = {one for one in {*here, *there} if here.get(one) != there.get(one)}
        roots = {one.digest: one.formats for one in self.policy.roots}
        others = {one.digest: one.formats for one in other.policy.roots}
        moved = {one for one in {*roots, *others} if roots.get(one) != others.get(one)}
        return (*sorted(serials), *(f"root:{one}" for one in sorted(moved)))

    def words(self, device: Device) -> Mapping[str, str]:
        """What an event says of the verdict that `device` carries.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.joined(read_appraisals(device.attestation)).words()

    def again(self, stored: tuple[Appraised, ...]) -> Attested:
        """What is `stored` of a device, with verdicts that hold under this policy and list.

        Source: RFC 9334, 8.4; 10
        """
        kept: list[Appraised] = []
        for one in stored:
            holds = still_holds(one.verdict, self.policy_digest, self.known)
            if holds and not self._was_for_age(one):
                kept.append(one)
                continue
            verdict = self.judge(Presented(one.evidence, one.subject))
            kept.append(replace(one, verdict=verdict))
        return self.joined(tuple(kept))

    def _was_for_age(self, one: Appraised) -> bool:
        """Whether the verdict rests on a list that was too old then, and is not for it now."""
        told = any(reason.rule == LIST_AGE for reason in one.verdict.reasons)
        age = one.subject.presented_at - self.known.list_at
        return told and age <= self.policy.list_age_ms


def _trust_of(kept: list[Appraised]) -> str:
    """Every key must be accepted: what one of them lacks, the device lacks."""
    trust = DeviceTrust.UNKNOWN.value
    if kept and all(one.evidence.format in BESIDE for one in kept):
        refused = any(one.verdict.outcome is Outcome.REFUSED for one in kept)
        if not refused:  # whatever the authenticator is, the browser's own keys are software
            trust = DeviceTrust.SOFTWARE.value
    elif _worst([one.verdict for one in kept]) is Outcome.ACCEPTED:
        hard = all(one.verdict.trust == DeviceTrust.ATTESTED_HARDWARE for one in kept)
        trust = (DeviceTrust.ATTESTED_HARDWARE if hard else DeviceTrust.SOFTWARE).value
    return trust


def _worst(verdicts: list[Verdict]) -> Outcome:
    accepted = bool(verdicts) and all(one.outcome is Outcome.ACCEPTED for one in verdicts)
    return Outcome.ACCEPTED if accepted else Outcome.REFUSED
