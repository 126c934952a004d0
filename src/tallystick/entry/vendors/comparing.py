"""The vendor's roots against those of the policy of appraisal: what officers may want to sign.

Nothing is believed because a vendor lists it over a network; a policy names its roots, and officers
sign the policy. What differs is told.

Source: RFC 9334, 7.4; 8.3; ISO/TS 12812-2:2017, 6.1; 7.2.6
"""

from collections.abc import Mapping
from typing import NamedTuple

from tallystick.infrastructure.attestation.android.chain import FORMAT
from tallystick.process.attestation.model import AppraisalPolicy


class Compared(NamedTuple):
    """Roots (name, digest of the key) that the policy lacks, and that it has beyond the vendor's.

    Source: RFC 9334, 7.4
    """

    lacks: tuple[str, ...]
    beyond: tuple[str, ...]

    @property
    def differ(self) -> bool:
        """Whether there is any.

        Source: RFC 9334, 7.4
        """
        return bool(self.lacks or self.beyond)


def compared(policy: AppraisalPolicy, listed: Mapping[str, str]) -> Compared:
    """The roots of Android chains in `policy` against the `listed`, names by digest.

    Simulated roots of the policy, and those of other formats, are left out.
    Source: RFC 9334, 7.4
    """
    ours = {
        one.digest: one.name for one in policy.roots if FORMAT in one.formats and not one.simulated
    }
    return Compared(
        tuple(f"{listed[one]} {one}" for one in sorted(listed.keys() - ours.keys())),
        tuple(f"{ours[one]} {one}" for one in sorted(ours.keys() - listed.keys())),
    )
