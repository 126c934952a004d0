"""Probes of how telephones are judged: evidence that must be refused, under the policy in use.

Nothing is signed: what is altered are the parsed claims that the rules look at, one at a time. That
a forged signature is refused before is another matter, and other probes' and tests'.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.2.6; 7.3.5; 8.1.1
"""

from collections.abc import Mapping
from typing import Final

from tallystick.entry.attesting import attesting_in
from tallystick.entry.proving.looking import Declared, Seen, declare, judged, part, unknown
from tallystick.entry.proving.site import Site
from tallystick.infrastructure.attestation.evidence import (
    Boot,
    Certified,
    Evidence,
    KeyUse,
    Level,
    Provisioning,
)
from tallystick.kernel.codec import b64url
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant, iso_utc
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import AppraisalPolicy, Known, Outcome, Subject
from tallystick.process.attestation.rules import SIGN
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry

_FORMAT: Final = "android-key"
_YEARS_MS: Final = 20 * 365 * DAY_MS
_SERIAL: Final = "5052"
_OTHER: Final = b64url(bytes(32))
_DECLARED: Final[tuple[Declared, ...]] = (
    ("appraise.boot", CheckKind.NEGATIVE, (part("MFS-7.2.2-01"), "MFS-8.1.1-03"),
     "an unlocked boot loader, a changed system and an unknown one are refused"),
    ("appraise.patch", CheckKind.NEGATIVE, ("MFS-7.2.2-02", "MFS-7.3.5-01"),
     "a system that was patched too long ago is refused"),
    ("appraise.person", CheckKind.NEGATIVE, ("MFS-7.2.2-03",),
     "a key that signs without verifying a person is refused for consent"),
    ("appraise.application", CheckKind.NEGATIVE, ("MFS-7.2.5-02",),
     "a key of another app, or of ours signed by somebody else, is refused"),
    ("appraise.freshness", CheckKind.NEGATIVE, ("MFS-7.2.6-02", part("MFS-9.5-01")),
     "another challenge, key or root, and a revoked certificate, are refused"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class AppraisalProbes:
    """Tries the policy of appraisal of one provider.

    Source: ISO/TS 12812-2:2017, 7.2.6; RFC 9334, 8.3
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "appraise.boot": self.boot,
            "appraise.patch": self.patch,
            "appraise.person": self.person,
            "appraise.application": self.application,
            "appraise.freshness": self.freshness,
        }
        declare(registry, _DECLARED, looks)

    def boot(self, now: Instant) -> Seen:
        """Presents a telephone that was started otherwise than its vendor shipped it.

        Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.1
        """
        good = self._genuine(now)
        boot = good.boot
        tried = {
            "boot loader unlocked": replace(good, boot=replace(boot, locked=False)),
            "unverified": replace(good, boot=replace(boot, state="UNVERIFIED")),
            "failed": replace(good, boot=replace(boot, state="FAILED")),
            "another system": replace(good, boot=replace(boot, state="SELF_SIGNED", signer=_OTHER)),
        }
        return self._refused(now, good, tried)

    def patch(self, now: Instant) -> Seen:
        """Presents a telephone whose last patch is older than the policy takes, and one without.

        Source: ISO/TS 12812-2:2017, 7.2.2; 7.3.5
        """
        good = self._genuine(now)
        floor = self._policy().patch_age_ms
        late = replace(good.boot, os_patch=_patch_level(now - floor - 2 * DAY_MS))
        tried = {
            "patched too long ago": replace(good, boot=late),
            "without a date": replace(good, boot=replace(good.boot, os_patch=0)),
        }
        return self._refused(now, good, tried, floor_days=floor // DAY_MS)

    def person(self, now: Instant) -> Seen:
        """Presents a key of consent that needs nobody, and one that stays open.

        Source: ISO/TS 12812-2:2017, 7.2.2
        """
        good = self._genuine(now)
        longer = self._policy().person_timeout_s + 1
        tried = {
            "nobody is asked": replace(good, use=replace(good.use, free=True)),
            "no way to ask": replace(good, use=replace(good.use, authentication=0)),
            "open afterwards": replace(good, use=replace(good.use, timeout=longer)),
        }
        return self._refused(now, good, tried)

    def application(self, now: Instant) -> Seen:
        """Presents a key that another app made, and one made by an app under our name.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        if not self._policy().apps:
            return unknown("the policy of appraisal names no app: an altered one would not be seen")
        good = self._genuine(now)
        tried = {
            "another app": replace(good, packages=("example.not-ours",)),
            "another signer": replace(good, signers=(_OTHER,)),
            "no app": replace(good, packages=(), signers=()),
        }
        return self._refused(now, good, tried)

    def freshness(self, now: Instant) -> Seen:
        """Presents evidence that was made for something else, or leads to what is not believed.

        Source: ISO/TS 12812-2:2017, 7.2.6; 9.5
        """
        good = self._genuine(now)
        tried = {
            "another challenge": replace(good, challenge=_OTHER),
            "another key": replace(good, attested=_OTHER),
            "another root": replace(good, root=_OTHER),
            "imported key": replace(good, use=replace(good.use, origin="IMPORTED")),
            "software": replace(good, level=Level.SOFTWARE, key_level=Level.SOFTWARE),
        }
        seen = self._refused(now, good, tried)
        revoked = self._outcome(now, good, {_SERIAL: "revoked"})
        if revoked is not Outcome.REFUSED:
            return judged(holds=False, good="", bad=f"a revoked certificate is {revoked.value}")
        return seen

    def _policy(self) -> AppraisalPolicy:
        with self._site.reading() as reader:
            return attesting_in(self._site.folder.root, reader).policy

    def _genuine(self, now: Instant) -> Evidence:
        """Claims that the policy accepts: of a believed root, of an app that it names."""
        policy = self._policy()
        roots = [one for one in policy.roots if _FORMAT in one.formats]
        app = next(iter(policy.apps), None)
        return Evidence(
            format=_FORMAT,
            root=roots[0].digest if roots else "",
            chain=(_certified(now, _SERIAL), _certified(now, "5051"), _certified(now, "5053")),
            provisioning=Provisioning.FACTORY,
            attested=_KEY,
            challenge=_CHALLENGE,
            version=max(policy.least_version, 200),
            level=Level.TRUSTED_ENVIRONMENT,
            key_level=Level.TRUSTED_ENVIRONMENT,
            boot=Boot(
                state="VERIFIED", locked=True, signer=_KEY, os_patch=_patch_level(now - DAY_MS)
            ),
            use=KeyUse(purposes=(SIGN,), origin=policy.origins[0], authentication=1),
            packages=(app.package,) if app else (),
            signers=tuple(b64url(bytes.fromhex(one)) for one in app.signers) if app else (),
        )

    def _outcome(
        self, now: Instant, evidence: Evidence, revoked: Mapping[str, str] | None = None
    ) -> Outcome:
        known = Known(list_digest="probe", list_at=now, revoked=revoked or {})
        subject = Subject(challenge=_CHALLENGE, attested=_KEY, presented_at=now, consent=True)
        return appraise(evidence, subject, self._policy(), known).outcome

    def _refused(
        self, now: Instant, good: Evidence, tried: Mapping[str, Evidence], **numbers: int
    ) -> Seen:
        """Passed if each of `tried` is refused; nothing is shown unless `good` is accepted."""
        if self._outcome(now, good) is not Outcome.ACCEPTED:
            return unknown("not even a genuine telephone would be accepted")
        let_in = [
            name for name, one in tried.items() if self._outcome(now, one) is not Outcome.REFUSED
        ]
        return judged(
            not let_in,
            f"{len(tried)} telephones, each refused for one thing",
            f"accepted: {', '.join(let_in)}",
            attempts=len(tried),
            refused=len(tried) - len(let_in),
            **numbers,
        )


_KEY: Final = b64url(b"a key of a telephone that nobody has"[:32])
_CHALLENGE: Final = b64url(b"a challenge that a probe made up."[:32])


def _certified(now: Instant, serial: str) -> Certified:
    return Certified(serial=serial, not_before=now - _YEARS_MS, not_after=now + _YEARS_MS)


def _patch_level(at: int) -> int:
    """The day of `at` as Android writes it, YYYYMMDD."""
    return int(iso_utc(at)[:10].replace("-", ""))
