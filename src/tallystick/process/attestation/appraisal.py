"""All rules over one case; pure, so that a verdict can be made again and compared.

Source: RFC 9334, 8.3; 8.4
"""

from collections.abc import Mapping
from typing import Final

from tallystick.infrastructure.attestation.evidence import Evidence, digest_of
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.process.attestation.environments import environment_of, most_trust
from tallystick.process.attestation.model import (
    VERDICT_FORM,
    AppraisalPolicy,
    Known,
    Outcome,
    Reason,
    Subject,
    Verdict,
)
from tallystick.process.attestation.rules import RULES, SERVICE, Case
from tallystick.process.policy.facts import DeviceTrust

NOTHING_KNOWN: Final = Known()
_BARE: Final = frozenset(("none", "packed-self"))


def appraise(
    evidence: Evidence,
    subject: Subject,
    policy: AppraisalPolicy,
    known: Known = NOTHING_KNOWN,
    *,
    policy_digest: str = "",
) -> Verdict:
    """What `evidence` about `subject` is worth under `policy`, with what is `known`.

    Evidence that vouches for no key is `bare`: a key kept in software, or a place with a SIM alone,
    labelled as such and never raised. `policy_digest` spares computing it.
    Source: RFC 9334, 8.4
    """
    bare = evidence.format in _BARE
    case = Case(evidence, subject, policy, known)
    reasons = [] if bare else _broken(case)
    return Verdict(
        outcome=_outcome(bare, reasons),
        trust=_trust(evidence, reasons, bare).value,
        level=evidence.key_level.value,
        claims=claims_of(case),
        reasons=tuple(reasons),
        policy=policy_digest or policy.digest(),
        evidence=digest_of(evidence),
        subject=b64url(sha256(encode_canonical(subject))),
        revocations=known.list_digest,
        models=known.models_digest,
    )


def _broken(case: Case) -> list[Reason]:
    judged = ((name, rule(case)) for name, rule in RULES)
    return [Reason(rule=name, found=found) for name, found in judged if found]


def _outcome(bare: bool, reasons: list[Reason]) -> Outcome:
    if bare:
        return Outcome.BARE
    return Outcome.REFUSED if reasons else Outcome.ACCEPTED


def _trust(evidence: Evidence, reasons: list[Reason], bare: bool) -> DeviceTrust:
    if bare:
        alone = evidence.environment == "sim-only"
        return DeviceTrust.NONE if alone else DeviceTrust.SOFTWARE
    if evidence.format == SERVICE or reasons:
        return DeviceTrust.UNKNOWN
    return most_trust(DeviceTrust.ATTESTED_HARDWARE, environment_of(evidence))


def claims_of(case: Case) -> Mapping[str, str]:
    """What the verdict says of the device in words; what is empty is left out.

    Source: RFC 9334, 8.4
    """
    evidence, root = case.evidence, case.policy.root(case.evidence.root)
    boot = evidence.boot
    said = {
        "kept-in": environment_of(evidence).value,
        "format": evidence.format,
        "root": root.name if root else "",
        "environment": "simulated" if root and root.simulated else evidence.environment,
        "provisioning": evidence.provisioning.value if evidence.chain else "",
        "boot": boot.state,
        "os": str(boot.os_version or ""),
        "patch": str(boot.os_patch or ""),
        "packages": " ".join(evidence.packages),
        "model": evidence.model,
        "labels": " ".join(evidence.labels),
    }
    return {name: value for name, value in said.items() if value}


def still_holds(verdict: Verdict, policy_digest: str, known: Known) -> bool:
    """Whether `verdict` was made under this policy and this knowledge; else it is made again.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
    """
    return (
        verdict.v == VERDICT_FORM
        and verdict.policy == policy_digest
        and verdict.revocations == known.list_digest
        and verdict.models == known.models_digest
    )
