"""What was changed at a provider, in order: policies, operators' acts, keys, devices, restarts.

Reads a provider's store beside the running service, and needs no secret. The acts of operators and
what concerns policies, operators, keys, ceremonies, the appraisal of devices, devices that were
stopped, and the log itself are told; payments and what customers did are not. What the loop's
rounds changed is kept beside the store, and stands between the events of the log by its time.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3; 7.3.3
"""

import heapq
from collections.abc import Iterator
from itertools import pairwise

from tallystick.application.operators.store import acts_by_event, roles
from tallystick.application.payments.store import besides_payments
from tallystick.entry.auditing import listed_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.database import Connection, Reader, has_table
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.infrastructure.store.starts import Start, starts
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import MfsError
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.loop.model import LINES_FILE, read_lines
from tallystick.protocol.receipt import EventLeaf

_ALWAYS = (
    "policy.",
    "incentive.",
    "commission.",
    "operator.",
    "tally.",
    "key.stepped",
    "ceremony.",
    "appraisal.",
    "paycrypt.changed",
    "app.",
    "device.suspended",
    "webhook.",
    "day.",
    "certificate.",
)
_ITSELF = "the service"


class Change(Record, frozen=True, kw_only=True):
    """One change: when (ms), what, by whom, and more of it. `index` is its event, -1 for none.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """

    at: int
    what: str
    who: str
    says: str
    index: int = -1


def recount(folder: ProviderFolder, since: Instant) -> list[Change]:
    """Every change from `since` (ms) on, oldest first.

    Raises NotFound where nothing was served yet.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    with open_snapshot(folder.stored()) as reader:
        began = _starts(reader)
        found = heapq.merge(
            _recorded(reader),
            sorted((*_started(began), *_keys(began)), key=_when),
            _list_in_folder(folder, began),
            _rounds(folder),
            key=_when,
        )
        return [one for one in found if one.at >= since]


def _starts(reader: Connection) -> list[Start]:
    """The starts that are known; none in a store that an older version served last."""
    known = has_table(reader, "service_start")
    return starts(reader) if known else []


def _when(change: Change) -> int:
    return change.at


def _recorded(reader: Reader) -> Iterator[Change]:
    """What the log says, in its order."""
    store = TallyStore(reader)
    size = store.size()
    acts, known = acts_by_event(reader, 0, size), roles(reader)
    for index, event in besides_payments(store, 0, size):
        done = acts.get(index, [])
        if done or event.kind.startswith(_ALWAYS):
            yield _change(index, event, done, known)


def _change(
    index: int, event: EventLeaf, done: list[tuple[str, str]], known: dict[str, str]
) -> Change:
    operators = [operator for _, operator in done]
    if not operators and isinstance(event.p.get("operator"), str):
        operators = [str(event.p["operator"])]
    named = [f"{one} ({known.get(one, 'unknown')})" for one in operators]
    shown = {name: value for name, value in event.p.items() if name != "operator"}
    return Change(
        at=event.at,
        what=f"{event.kind} {event.stage}".strip(),
        who=" and ".join(named) or _ITSELF,
        says=" ".join(f"{name}={value}" for name, value in sorted(shown.items())),
        index=index,
    )


def _rounds(folder: ProviderFolder) -> Iterator[Change]:
    """What the loop's rounds changed; nothing where its file cannot be read."""
    path = folder.root / LINES_FILE
    try:
        lines = read_lines(path.read_bytes()) if path.exists() else ()
    except (MfsError, OSError):
        return
    for one in lines:
        parts = [
            f"round={one.round}",
            f"controls={one.in_effect}/{one.controls}",
            f"open={sum(moved.after.open for moved in one.residual.values())}",
            *(f"fallen={','.join(one.fallen)}" for _ in one.fallen[:1]),
            *(f"proposal={one.proposal}" for _ in one.proposal[:1]),
        ]
        yield Change(at=one.at, what="loop.round", who="the loop", says=" ".join(parts))


def _started(began: list[Start]) -> Iterator[Change]:
    for number, one in enumerate(began, start=1):
        says = f"boot={one.boot} version={one.version} key_list={one.key_list}"
        yield Change(at=one.started_at, what="service.started", who=_ITSELF, says=says)
        if one.ended_at:
            yield Change(
                at=one.ended_at, what="service.ended", who=_ITSELF, says=f"boot={one.boot}"
            )
        elif number < len(began):
            yield Change(
                at=began[number].started_at,
                what="service.broke-off",
                who=_ITSELF,
                says=f"boot={one.boot} did not end by itself, at some time before this",
            )


def _keys(began: list[Start]) -> Iterator[Change]:
    """Key lists come into use at a start: where two differ, the keys changed."""
    for before, after in pairwise(began):
        if after.key_list != before.key_list:
            says = f"key_list={after.key_list} before={before.key_list}"
            yield Change(at=after.started_at, what="keys.taken-into-use", who=_ITSELF, says=says)


def _list_in_folder(folder: ProviderFolder, began: list[Start]) -> Iterator[Change]:
    """The newest list, when the root signed it."""
    try:
        listed = listed_keys(folder)
    except (MfsError, OSError):
        return
    unused = "" if any(one.key_list == listed.version for one in began) else " not in use yet"
    says = f"key_list={listed.version} ends={iso_utc(listed.expires_at)}{unused}"
    yield Change(at=listed.issued_at, what="keys.signed", who="the root", says=says)
