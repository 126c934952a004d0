"""By what a provider appraises attestations: files of its folder, as they are now.

    attestation.json           a policy of appraisal that officers signed, with a version
    attestation.yaml           one that nobody signed: read at the start, while none was signed yet
    attestation-revoked.json   the vendor's list of revoked certificates; its date is the file's
    attestation-models.jwt     the signed file of models of authenticators, in the same way

A signed policy that was in force once is kept in the store and is the one that a start uses; only
a higher version takes its place. Lists that were taken over are kept as well: of the file and the
kept list a start uses the newer one.

Source: RFC 9334, 8.3; ISO/TS 12812-2:2017, 6.1; 7.2.6
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tallystick.application.appraisals.store import kept_lists, kept_said, last_appraisal
from tallystick.application.devices.attesting import Attesting
from tallystick.entry.vendors.byhand import FILES, dated, put_by_hand
from tallystick.entry.vendors.reading import ReadList
from tallystick.infrastructure.attestation.play.verdict import VerdictKeys
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.model import replace
from tallystick.process.attestation.appraisal import NOTHING_KNOWN
from tallystick.process.attestation.lists import ListName
from tallystick.process.attestation.model import AppraisalPolicy, Known
from tallystick.process.attestation.reading import read_policy
from tallystick.protocol.appraisal_file import appraisal_text, read_appraisal_file

POLICY: Final = "attestation.yaml"
SIGNED: Final = "attestation.json"


def attesting_in(root: Path, reader: Reader, verdict_keys: Sequence[VerdictKeys] = ()) -> Attesting:
    """What the provider in `root` appraises with when it starts; `verdict_keys` open verdicts.

    Raises Malformed, TooLarge, NotAuthentic or NotFound for a file that cannot be read: half a
    policy appraises nothing.
    Source: RFC 9334, 8.3
    """
    known = known_in(root, reader)
    return Attesting(_policy(root, reader), known, verdict_keys, _fresh_since(reader, known))


def _fresh_since(reader: Reader, known: Known) -> int:
    """When the list last became fresh; a newer file of the same list may have done so just now."""
    kept = kept_lists(reader).get(ListName.REVOKED)
    if kept is None:
        return 0
    newer = known.list_digest == kept.digest and known.list_at > kept.at
    return known.list_at if newer else kept.fresh_since


def known_in(root: Path, reader: Reader) -> Known:
    """What the newest lists say, of those in `root` and those that were taken over.

    Raises Malformed, TooLarge, NotAuthentic or NotFound.
    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
    """
    revoked, models = (_newest(root, reader, name) for name in FILES)
    known = NOTHING_KNOWN
    if revoked is not None:
        known = replace(
            known,
            list_digest=revoked.listed.digest,
            list_at=revoked.listed.at,
            revoked=revoked.said,
        )
    if models is not None:
        known = replace(known, models_digest=models.listed.digest, models=models.said)
    return known


def _newest(root: Path, reader: Reader, name: ListName) -> ReadList | None:
    kept = kept_lists(reader).get(name)
    if kept is not None and dated(root, name) <= kept.at:
        return ReadList(kept, kept_said(reader, name))
    return put_by_hand(root, name)


def _policy(root: Path, reader: Reader) -> AppraisalPolicy | None:
    version, envelope = last_appraisal(reader)
    if version:
        return read_policy(appraisal_text(read_appraisal_file(envelope.encode())))
    policy = root / POLICY
    return read_policy(policy.read_text(encoding="utf-8")) if policy.is_file() else None
