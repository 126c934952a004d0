"""The rules of appraisal: each looks at a case and says what is wrong, or nothing.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.5; 7.2.6; 7.4.1
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tallystick.infrastructure.attestation.evidence import Evidence, Level
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.model import ABSENT, Absent
from tallystick.kernel.time import DAY_MS
from tallystick.process.attestation.model import AppraisalPolicy, Known, Place, Subject

SIGN: Final = 2
LIST_AGE: Final = "revocation-list"
"""The rule of which only the vendor's list, and nothing about a device, is the reason."""

ANDROID: Final = frozenset(("android-key", "webauthn-android-key"))
_MIXED: Final = {Level.TRUSTED_ENVIRONMENT.value: (Level.STRONGBOX.value,)}
SERVICE: Final = "play-integrity"
"""The form of evidence by a service that attests no key."""
_AHEAD_MS: Final = 62 * DAY_MS
"""How far ahead of its month a patch may come out."""


@dataclass(frozen=True, slots=True)
class Case:
    """Evidence with what it must be about, the policy, and what is known.

    Source: RFC 9334, 8.3
    """

    evidence: Evidence
    subject: Subject
    policy: AppraisalPolicy
    known: Known

    @property
    def android(self) -> bool:
        """Whether an Android keystore made the evidence.

        Source: RFC 9334, 8.1
        """
        return self.evidence.format in ANDROID

    @property
    def service(self) -> bool:
        """Whether a service made it that attests no key.

        Source: RFC 9334, 8.4
        """
        return self.evidence.format == SERVICE


def _root(case: Case) -> str:
    if case.service:
        return ""
    root = case.policy.root(case.evidence.root)
    if root is None:
        return "leads to a root that is not believed"
    return "" if case.evidence.format in root.formats else f"{root.name} is not for this format"


def _challenge(case: Case) -> str:
    return "" if case.evidence.challenge == case.subject.challenge else "answers another challenge"


def _key(case: Case) -> str:
    if case.service:
        return ""
    return "" if case.evidence.attested == case.subject.attested else "attests another key"


def _position(case: Case) -> str:
    return f"{case.evidence.above} certificates follow the attested one" * (case.evidence.above > 0)


def _issuers(case: Case) -> str:
    marked = not case.evidence.unmarked or case.evidence.provisioning in case.policy.unmarked
    return "" if marked else "an issuer is not marked as one"


def _validity(case: Case) -> str:
    chain, at = case.evidence.chain, case.subject.presented_at
    places = case.policy.validity.get(case.evidence.provisioning.value, ())
    groups = ((Place.LEAF, chain[:1]), (Place.ISSUERS, chain[1:-1]), (Place.ROOT, chain[1:][-1:]))
    for place, members in groups:
        if place.value in places:
            for one in members:
                if not one.not_before <= at <= one.not_after:
                    return f"{one.serial} ({place.value}) was not valid then"
    return ""


def _revoked(case: Case) -> str:
    for one in case.evidence.chain:
        state = case.known.revoked.get(one.serial)
        if state:
            return f"{one.serial} is {state}"
    return ""


def _list_age(case: Case) -> str:
    if not case.android or case.policy.without_list:
        return ""
    age = case.subject.presented_at - case.known.list_at
    return "" if age <= case.policy.list_age_ms else "the list of revoked certificates is too old"


def _model(case: Case) -> str:
    state = case.known.models.get(case.evidence.model, "") if case.evidence.model else ""
    return f"the model is {state}" if state else ""


def _version(case: Case) -> str:
    old = case.android and case.evidence.version < case.policy.least_version
    return f"version {case.evidence.version} is too old" if old else ""


def _level(case: Case) -> str:
    if case.service:
        return ""
    level, of_key = case.evidence.level.value, case.evidence.key_level.value
    for one in (level, of_key):
        if one not in case.policy.levels:
            return f"{one} is not enough"
    mixed = of_key != level and of_key not in _MIXED.get(level, ())
    return f"a key of {of_key} under an attestation of {level}" if mixed else ""


def _boot(case: Case) -> str:
    if not case.android:
        return ""
    boot = case.evidence.boot
    if boot.state not in case.policy.boot_states:
        return f"started {boot.state or 'in no way that is said'}"
    if boot.state == "VERIFIED":
        return ""
    signer = b64url_decode(boot.signer).hex()
    listed = any(one.signer == signer for one in case.policy.systems)
    return "" if listed else "another operating system than the listed ones"


def _lock(case: Case) -> str:
    open_ = case.android and case.policy.locked and not case.evidence.boot.locked
    return "the boot loader is unlocked" if open_ else ""


def patch_day_ms(level: int) -> int:
    """The instant of a patch level (YYYYMM or YYYYMMDD), the end of its month without a day.

    0 for what is no date.
    Source: ISO 8601-1, 5.2
    """
    year, month, day = (
        (level // 100, level % 100, 28)
        if level < 10**6
        else (level // 10**4, level // 100 % 100, level % 100)
    )
    try:
        return int(datetime(year, month, day or 1, tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return 0


def _patch(case: Case) -> str:
    if not case.android:
        return ""
    age = case.subject.presented_at - patch_day_ms(case.evidence.boot.os_patch)
    if -_AHEAD_MS <= age <= case.policy.patch_age_ms:
        return ""
    if age < 0:
        return f"patched in {case.evidence.boot.os_patch}, which is still to come"
    return f"patched last in {case.evidence.boot.os_patch}, {age // DAY_MS} days before"


def _origin(case: Case) -> str:
    wrong = case.android and case.evidence.use.origin not in case.policy.origins
    return f"the key was {case.evidence.use.origin.lower() or 'not made here'}" if wrong else ""


def _purposes(case: Case) -> str:
    wrong = case.android and SIGN not in case.evidence.use.purposes
    return "the hardware does not keep the key for signing" if wrong else ""


def _person(case: Case) -> str:
    if not case.android or not case.subject.consent or not case.policy.person_for_consent:
        return ""
    use = case.evidence.use
    if use.free or not use.authentication:
        return "the key signs without verifying a person"
    late = use.timeout > case.policy.person_timeout_s
    return f"the key signs for {use.timeout} s after verifying a person" if late else ""


def _application(case: Case) -> str:
    apps = case.policy.apps  # one package may stand twice: before and after its signer was rotated
    if not apps or not (case.android or case.service or case.evidence.packages):
        return ""
    signers = {b64url_decode(one).hex() for one in case.evidence.signers}
    for package in case.evidence.packages:
        ours = [set(one.signers) for one in apps if one.package == package]
        if not ours:
            return f"{package[:80]} is not an app of ours"
        if signers not in ours:
            return f"{package[:80]} is signed by somebody else"
    return _old(case) if case.evidence.packages else "no app is named"


def _old(case: Case) -> str:
    """Which of the named applications is older than the policy takes."""
    signers = {b64url_decode(one).hex() for one in case.evidence.signers}
    least = {one.package: one.least for one in case.policy.apps if set(one.signers) == signers}
    versions = case.evidence.versions
    if isinstance(versions, Absent):
        return ""
    for package, version in zip(case.evidence.packages, versions, strict=False):
        asked = least.get(package, ABSENT)
        if not isinstance(asked, Absent) and version < asked:
            return f"{package[:80]} {version} is older than {asked}"
    return ""


def _environment(case: Case) -> str:
    place = case.evidence.environment
    return f"a key for {place}" if place and place not in case.policy.environments else ""


def _age(case: Case) -> str:
    if not case.service:
        return ""
    age = case.subject.presented_at - case.evidence.made_at
    return "" if 0 <= age <= case.policy.verdict_age_ms else "the verdict is too old"


def _labels(case: Case) -> str:
    lacking = [one for one in case.policy.labels if one not in case.evidence.labels]
    return f"lacks {', '.join(lacking)}" if case.service and lacking else ""


def _ordered(case: Case) -> str:
    wrong = case.policy.ordered and not case.evidence.ordered
    return "a list of authorizations is out of order" if wrong else ""


RULES: Final[tuple[tuple[str, Callable[[Case], str]], ...]] = (
    ("root", _root),
    ("challenge", _challenge),
    ("position", _position),
    ("key", _key),
    ("issuers", _issuers),
    ("validity", _validity),
    ("revoked", _revoked),
    (LIST_AGE, _list_age),
    ("model", _model),
    ("version", _version),
    ("level", _level),
    ("boot-state", _boot),
    ("boot-lock", _lock),
    ("patch-age", _patch),
    ("origin", _origin),
    ("purposes", _purposes),
    ("person", _person),
    ("application", _application),
    ("environment", _environment),
    ("verdict-age", _age),
    ("labels", _labels),
    ("order", _ordered),
)
"""Every rule by its name, in the order in which a verdict lists what did not hold."""

VERDICT: Final = "verdict"
"""The rule that a device breaks as a whole, which brings no verdict where one is required."""
