"""How many attestations a core verifies and appraises, and how long a second appraisal takes.

The chains are simulated: four certificates on P-256, as a phone's. Figures are of CPU time.
"""

import time
from typing import Any

from simulators.keymint import Phone, SimulatedFactory

from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import (
    AppraisalPolicy,
    Appraised,
    Known,
    Subject,
    packed_appraisals,
    read_appraisals,
)
from tallystick.process.attestation.reading import read_policy, root_links

AT = 1_767_225_600_000
CHALLENGE = b"c" * 32
ENROLMENTS = 400
DEVICES = 100_000
REVOKED = 5_000
BOUND_PER_S = 150
BOUND_S = 60.0
TRUSTED = "attested-hardware"

Phones = list[tuple[bytes, list[list[bytes]]]]


def phones(factory: SimulatedFactory) -> Phones:
    """Forty phones: the public key, and a chain for each of its two keys."""
    made: Phones = []
    for _ in range(40):
        point = Es256SigningKey.generate().public().octets()
        spki = credential_of_point(1, point[1:33], point[33:]).spki
        both = (Phone(), Phone(person=3))
        made.append((spki, [factory.attest(spki, CHALLENGE, one) for one in both]))
    return made


def enrolled(chains: Phones, policy: AppraisalPolicy, digest: str) -> tuple[list[bytes], float]:
    """What is kept of each enrolment, and the CPU seconds that all of them took."""
    stored: list[bytes] = []
    began = time.process_time()
    for number in range(ENROLMENTS):
        spki, both = chains[number % len(chains)]
        kept: list[Appraised] = []
        for consent, chain in enumerate(both):
            evidence = verify_chain(chain, root_links(policy, "android-key"))
            subject = Subject(
                challenge=b64url(CHALLENGE),
                attested=b64url(spki),
                presented_at=AT,
                consent=bool(consent),
            )
            verdict = appraise(evidence, subject, policy, policy_digest=digest)
            if verdict.trust != TRUSTED:
                raise SystemExit(f"a genuine phone was refused: {verdict.because()}")
            kept.append(Appraised(evidence=evidence, subject=subject, verdict=verdict))
        stored.append(packed_appraisals(tuple(kept)))
    return stored, time.process_time() - began


def judged_again(
    stored: list[bytes], devices: int, policy: AppraisalPolicy, digest: str
) -> tuple[int, float]:
    """How many devices a list of `REVOKED` serials ends, and the CPU seconds to find out."""
    listed = {f"{number:x}": "revoked: KEY_COMPROMISE" for number in range(10**6, 10**6 + REVOKED)}
    listed[read_appraisals(stored[0])[0].evidence.chain[0].serial] = "revoked: KEY_COMPROMISE"
    known = Known(list_digest="new", list_at=AT, revoked=listed)
    ended = 0
    began = time.process_time()
    for number in range(devices):
        trust = [
            appraise(one.evidence, one.subject, policy, known, policy_digest=digest).trust
            for one in read_appraisals(stored[number % len(stored)])
        ]
        ended += trust != [TRUSTED, TRUSTED]
    return ended, time.process_time() - began


def run(quick: bool) -> list[dict[str, Any]]:
    """Enrolments a second and core; a second appraisal of a fleet after a list has changed."""
    factory = SimulatedFactory(AT, remote=True)
    policy = read_policy(factory.policy_text())
    digest = policy.digest()
    stored, spent = enrolled(phones(factory), policy, digest)
    rate = ENROLMENTS / spent
    devices = DEVICES // 20 if quick else DEVICES
    ended, again = judged_again(stored, devices, policy, digest)
    if not ended:
        raise SystemExit("the list ended nothing")
    whole = again * DEVICES / devices
    return [
        {
            "name": "Android enrolment: chains verified and appraised",
            "value": round(rate),
            "unit": "per s of processor time",
            "bound": BOUND_PER_S,
            "met": rate >= BOUND_PER_S,
            "load": f"{ENROLMENTS} enrolments, two chains of four certificates each, one thread",
        },
        {
            "name": f"second appraisal of {DEVICES:,} devices",
            "value": round(whole, 1),
            "unit": "s of processor time",
            "bound": BOUND_S,
            "met": whole <= BOUND_S,
            "load": f"{devices:,} devices of two keys, from what was kept"
            f" ({len(stored[0]):,} bytes each); {REVOKED:,} serials listed, {ended:,} ended",
        },
    ]


if __name__ == "__main__":
    for row in run(quick=False):
        print(row)
