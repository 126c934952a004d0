"""How many attestations a core verifies and appraises, and how long a second appraisal takes.

    PYTHONPATH=src:. python -m bench.attestation [devices]

The chains are simulated: four certificates on P-256, as a phone's. Figures are of CPU time.
"""

import sys
import time

from simulators.keymint import Phone, SimulatedFactory

from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.crypto.credential import credential_of_point
from tallystick.infrastructure.crypto.ecdsa import Es256SigningKey
from tallystick.kernel.codec import b64url
from tallystick.process.attestation.appraisal import appraise
from tallystick.process.attestation.model import (
    Appraised,
    Known,
    Subject,
    packed_appraisals,
    read_appraisals,
)
from tallystick.process.attestation.reading import read_policy, root_links

AT = 1_767_225_600_000
ENROLMENTS = 400
DEVICES = 100_000
REVOKED = 5_000


def main(devices: int = DEVICES) -> None:
    """Measure both and print the figures."""
    factory = SimulatedFactory(AT, remote=True)
    policy = read_policy(factory.policy_text())
    digest = policy.digest()
    challenge = b"c" * 32
    chains: list[tuple[bytes, list[list[bytes]]]] = []
    for _ in range(40):
        point = Es256SigningKey.generate().public().octets()
        spki = credential_of_point(1, point[1:33], point[33:]).spki
        person = Phone(person=3)
        chains.append((spki, [factory.attest(spki, challenge, one) for one in (Phone(), person)]))
    stored: list[bytes] = []
    began = time.process_time()
    for number in range(ENROLMENTS):
        spki, both = chains[number % len(chains)]
        kept: list[Appraised] = []
        for consent, chain in enumerate(both):
            evidence = verify_chain(chain, root_links(policy, "android-key"))
            subject = Subject(
                challenge=b64url(challenge),
                attested=b64url(spki),
                presented_at=AT,
                consent=bool(consent),
            )
            verdict = appraise(evidence, subject, policy, policy_digest=digest)
            if verdict.trust != "attested-hardware":
                raise SystemExit(f"a genuine phone was refused: {verdict.because()}")
            kept.append(Appraised(evidence=evidence, subject=subject, verdict=verdict))
        stored.append(packed_appraisals(tuple(kept)))
    spent = time.process_time() - began
    print(f"enrolment, two chains of four: {ENROLMENTS / spent:,.0f}/s a core")
    print(f"kept of a device: {len(stored[0]):,} bytes")
    listed = {f"{number:x}": "revoked: KEY_COMPROMISE" for number in range(10**6, 10**6 + REVOKED)}
    listed[read_appraisals(stored[0])[0].evidence.chain[0].serial] = "revoked: KEY_COMPROMISE"
    known = Known(list_digest="new", list_at=AT, revoked=listed)
    refused = 0
    began = time.process_time()
    for number in range(devices):
        for one in read_appraisals(stored[number % len(stored)]):
            again = appraise(one.evidence, one.subject, policy, known, policy_digest=digest)
            refused += again.trust != "attested-hardware"
    spent = time.process_time() - began
    print(
        f"second appraisal of {devices:,} devices, two keys each: {spent:.1f} s; {refused} refused"
    )


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2]))
