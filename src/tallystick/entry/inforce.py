"""What was in force at an event: the officers' policy of then, with the tightenings of then.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tallystick.application.policing.store import MEASURE, POLICY, every_measure
from tallystick.application.policing.tightening import TIGHTENED
from tallystick.application.tightenings.sealing import (
    check_caps,
    check_measure,
    file_digest,
    told_of,
)
from tallystick.application.tightenings.store import PROPOSAL, Waiting, every_proposal
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.store.changes import load
from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import MfsError, NotAuthentic, NotFound
from tallystick.process.policy import CompiledPolicy, Policy, recompile
from tallystick.process.policy.language.removed import read_kept
from tallystick.process.policy.tightening import Measure, effective, proven_tighter
from tallystick.protocol.policy_file import policy_text, read_policy_file


def kept_measures(reader: Connection) -> tuple[Measure, ...]:
    """Every tightening that the store keeps; none in a store from before there were any.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    columns = {shape.table: shape.columns for shape in reader.shapes()}.get(MEASURE.name, ())
    if not columns:
        return ()
    return tuple(every_measure(reader, before_caps="touched" not in columns))


def kept_proposals(reader: Connection) -> tuple[Waiting, ...]:
    """Every tightening beyond its caps that the store keeps; none in a store from before.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    if not has_table(reader, PROPOSAL.name):
        return ()
    return every_proposal(reader)


def waiting_proposals(reader: Connection, now: int) -> tuple[Waiting, ...]:
    """The tightenings that wait for two officers at `now` (ms), oldest first.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    return tuple(one for one in kept_proposals(reader) if not one.ended and now < one.until)


class Policies:
    """The policies that a store's events were decided by; each is read once.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    def __init__(self, reader: Connection) -> None:
        self._reader = reader
        self._measures = kept_measures(reader)
        self._known: dict[tuple[int, tuple[str, ...]], CompiledPolicy] = {}

    def at(self, version: int, event: int) -> CompiledPolicy:
        """What decided at `event` under policy `version`.

        Raises NotFound for a version that the store does not have.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        names = tuple(sorted(_names_at(self._measures, version, event)))
        known = self._known.get((version, names))
        if known is None:
            base = signed_policy(self._reader, version)[0]
            known = recompile(effective(base, names) if names else base)
            self._known[version, names] = known
        return known


def signed_policy(reader: Reader, version: int) -> tuple[Policy, str]:
    """The policy that officers signed as `version`, and its file.

    Raises NotFound.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    row = load(reader, POLICY, [version]).get(version)
    if row is None:
        raise NotFound(f"the store has no policy version {version}", remedy="audit the provider")
    return read_kept(policy_text(read_policy_file(str(row[1]).encode()))), str(row[1])


def _names_at(measures: Iterable[Measure], version: int, event: int) -> Iterator[str]:
    for one in measures:
        begun = one.version == version and one.event < event
        if begun and (one.end_event < 0 or event < one.end_event):
            yield one.step


def wrong_measures(
    reader: Connection,
    known: Sequence[VerifyKey],
    provider: str,
    officers: Mapping[str, VerifyKey] | None = None,
) -> tuple[tuple[str, str], ...]:
    """Every kept tightening that does not hold, and why: its id and the reason.

    The service's signature counts only with what officers signed: the entry is one of theirs, the
    result is proved again to be nowhere looser, what it touches is within their caps (or two of the
    `officers` signed that it goes beyond), and the record has the event.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    measures, tally = kept_measures(reader), TallyStore(reader)
    found: list[tuple[str, str]] = []
    signed: dict[int, tuple[Policy, str]] = {}
    for one in measures:
        try:
            if one.version not in signed:
                signed[one.version] = signed_policy(reader, one.version)
            base, envelope = signed[one.version]
            check_measure(one, base, file_digest(envelope), known, provider)
            beside = _names_at(measures, one.version, one.event)
            proven_tighter(base, effective(base, (*beside, one.step)))
            check_caps(one, base, file_digest(envelope), measures, officers or {})
            _check_recorded(tally, one)
        except MfsError as error:
            found.append((one.id, error.because or error.detail))
    return tuple(found)


def _check_recorded(tally: TallyStore, measure: Measure) -> None:
    leaf = tally.leaf(measure.event)
    event = None if leaf is None else decode_leaf(leaf)
    if (
        event is None
        or event.kind != TIGHTENED
        or event.p.get("measure") != measure.id
        or event.p.get("file") != file_digest(measure.file)
        or any(event.p.get(name) != value for name, value in told_of(measure).items())
    ):
        raise NotAuthentic("the record does not have the event that began it")
