"""By what a provider appraises attestations: files of its folder, as they are now.

    attestation.json           a policy of appraisal that officers signed, with a version
    attestation.yaml           one that nobody signed: read at the start, while none was signed yet
    attestation-revoked.json   the vendor's list of revoked certificates; its date is the file's

A signed policy that was in force once is kept in the store and is the one that a start uses; only
a higher version takes its place.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1; 7.2.6
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tallystick.application.appraisals.store import last_appraisal
from tallystick.application.devices.attesting import Attesting
from tallystick.infrastructure.attestation.android.revocation import read_revocations
from tallystick.infrastructure.attestation.play.verdict import VerdictKeys
from tallystick.infrastructure.store.database import Reader
from tallystick.process.attestation.appraisal import NOTHING_KNOWN, known_of
from tallystick.process.attestation.model import AppraisalPolicy, Known
from tallystick.process.attestation.reading import read_policy
from tallystick.protocol.appraisal_file import appraisal_text, read_appraisal_file

POLICY: Final = "attestation.yaml"
SIGNED: Final = "attestation.json"
REVOKED: Final = "attestation-revoked.json"


def attesting_in(root: Path, reader: Reader, verdict_keys: Sequence[VerdictKeys] = ()) -> Attesting:
    """What the provider in `root` appraises with when it starts; `verdict_keys` open verdicts.

    Raises Malformed or TooLarge for a file that cannot be read: half a policy appraises nothing.
    Source: RFC 9334, 8.3
    """
    return Attesting(_policy(root, reader), known_in(root), verdict_keys)


def known_in(root: Path) -> Known:
    """What the vendor's list in `root` says; nothing where there is none.

    Raises Malformed or TooLarge.
    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
    """
    revoked = root / REVOKED
    if not revoked.is_file():
        return NOTHING_KNOWN
    listed = read_revocations(revoked.read_bytes())
    return known_of(listed, int(revoked.stat().st_mtime) * 1000)


def _policy(root: Path, reader: Reader) -> AppraisalPolicy | None:
    version, envelope = last_appraisal(reader)
    if version:
        return read_policy(appraisal_text(read_appraisal_file(envelope.encode())))
    policy = root / POLICY
    return read_policy(policy.read_text(encoding="utf-8")) if policy.is_file() else None
