"""The stamped checkpoints of a provider's folder as anchors of an audit.

Source: ISO/TS 12812-2:2017, 3.23; 7.3.3; 9.1
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.entry.auditing import Believed, note_anchor
from tallystick.entry.dating.gathered import (
    Listed,
    counts_until,
    kept_stamps,
    list_of,
    lists,
    read_gathered,
)
from tallystick.entry.pki.archiving import stamps_file
from tallystick.entry.pki.checkpoints import verify_kept
from tallystick.entry.pki.places import CertificateFolder
from tallystick.infrastructure.crypto.x509 import Roots
from tallystick.infrastructure.tally.findings import Anchor, Finding, FindingKind
from tallystick.infrastructure.timestamps.chain import read_chain, verify_chain
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.time import Instant

_NEVER: Final = Instant(0)


@dataclass(frozen=True, slots=True)
class StampedLog:
    """What the stamps over a log show: anchors, what does not hold, first and last instant (ms).

    `ended` counts stamps that prove nothing any more, for they were not gathered in time.
    Source: ISO/TS 12812-2:2017, 3.23
    """

    anchors: tuple[Anchor, ...] = ()
    findings: tuple[Finding, ...] = ()
    first: Instant = _NEVER
    last: Instant = _NEVER
    ended: int = 0


def stamped_log(
    folder: CertificateFolder, whose: Believed, roots: Roots, now: Instant
) -> StampedLog:
    """Every kept stamp over a checkpoint, held against `roots` and the log's keys.

    Never raises for a stamp that does not hold: that is a finding.
    Source: ISO/TS 12812-2:2017, 3.23; 9.1; RFC 4998, 5.3
    """
    anchors: list[Anchor] = []
    findings: list[Finding] = []
    instants: list[Instant] = []
    ended = 0
    listed = _lists(folder, roots, findings)
    for file in kept_stamps(folder):
        octets = file.read_bytes()
        try:
            kept, stamped = verify_kept(octets, roots)
            anchor = _anchor(file, kept.checkpoint, whose)
            if list_of(listed, anchor.checkpoint.size, octets) is None:
                ended += counts_until(stamped) <= now
        except (NotAuthentic, Malformed) as error:
            findings.append(_finding(file.stem, error.detail))
            continue
        anchors.append(anchor)
        instants.append(stamped.at)
    return StampedLog(
        anchors=tuple(anchors),
        findings=tuple(findings),
        first=min(instants, default=_NEVER),
        last=max(instants, default=_NEVER),
        ended=ended,
    )


def _anchor(file: Path, note: str, whose: Believed) -> Anchor:
    anchor = note_anchor(note, whose, f"the time stamp over {file.stem} events")
    if str(anchor.checkpoint.size) != file.stem:
        raise NotAuthentic("the stamped checkpoint is over another number of events")
    return anchor


def _lists(folder: CertificateFolder, roots: Roots, findings: list[Finding]) -> list[Listed]:
    """The lists whose stamps hold; what does not is added to `findings`."""
    good: list[Listed] = []
    for file in lists(folder):
        try:
            document = file.read_bytes()
            verify_chain(read_chain(stamps_file(file).read_bytes()), document, roots)
            good.append(Listed(file, read_gathered(document)))
        except (NotAuthentic, Malformed, OSError) as error:
            findings.append(_finding(file.stem, f"the list of stamps up to here: {error}"))
    return good


def _finding(size: str, detail: str) -> Finding:
    return Finding(kind=FindingKind.STAMP, row=f"checkpoint {size}", detail=detail)
