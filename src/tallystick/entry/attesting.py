"""By what a provider appraises attestations: two files of its folder, read when it starts.

    attestation.yaml           the policy of appraisal; the shipped one where there is none
    attestation-revoked.json   the vendor's list of revoked certificates; its date is the file's

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 7.2.6
"""

from pathlib import Path
from typing import Final

from tallystick.application.devices.attesting import Attesting
from tallystick.infrastructure.attestation.android.revocation import read_revocations
from tallystick.process.attestation.appraisal import NOTHING_KNOWN, known_of
from tallystick.process.attestation.reading import read_policy

POLICY: Final = "attestation.yaml"
REVOKED: Final = "attestation-revoked.json"


def attesting_in(root: Path) -> Attesting:
    """What the provider in `root` appraises with.

    Raises Malformed or TooLarge for a file that cannot be read: half a policy appraises nothing.
    Source: RFC 9334, 8.3
    """
    policy, revoked = root / POLICY, root / REVOKED
    read = read_policy(policy.read_text(encoding="utf-8")) if policy.is_file() else None
    if not revoked.is_file():
        return Attesting(read, NOTHING_KNOWN)
    listed = read_revocations(revoked.read_bytes())
    known = known_of(listed, int(revoked.stat().st_mtime) * 1000)
    return Attesting(read, known)
