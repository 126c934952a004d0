"""What the service may tighten by itself: its key, its measures, and what waits for people.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
"""

from collections.abc import Iterator
from pathlib import Path

from tallystick.application.policing.store import last_policy
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.inforce import signed_policy, waiting_proposals, wrong_measures
from tallystick.entry.proposals import PROPOSALS, is_waiting, loops_proposal
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.policy import Policy

_KEY = "tightening key"
_MEASURES = "tightenings"
_PROPOSALS = "proposals"
_BOOK = "see docs/how-to/runbooks.md"


def look_at_tightening(
    folder: ProviderFolder, settings: ProviderSettings, now: Instant
) -> Iterator[Finding]:
    """The key that signs tightenings, the stored ones, the proposals that wait; none unserved.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    place = folder.place()
    if isinstance(place, Path) and not place.exists():
        return
    try:
        with open_reader(place) as reader:
            stored = last_policy(reader) if reader.shapes() else None
            if stored is None:
                return
            policy = signed_policy(reader, stored[0])[0]
            yield from _key(folder, settings, policy)
            yield _measures(reader, settings)
            yield from _waiting(folder, reader, policy, now)
    except MfsError as error:
        yield wrong(_MEASURES, error.detail, error.remedy or "look at the record first")


def _key(folder: ProviderFolder, settings: ProviderSettings, policy: Policy) -> Iterator[Finding]:
    if not policy.tightening:
        return
    name = Purpose.TIGHTENING.value
    kept = any((folder.root / "keys").glob(f"{name}*.block"))
    if settings.tightening and kept:
        yield fine(_KEY, f"there; the policy has {len(policy.tightening)} entries for it")
        return
    yield wrong(
        _KEY,
        f"there is none, and the policy has {len(policy.tightening)} tightenings: none can begin",
        f"tallystick keys renew {folder.root} --root-key FILE --secret-file FILE, then restart;"
        f" {_BOOK}, The key of tightenings is missing",
    )


def _measures(reader: Connection, settings: ProviderSettings) -> Finding:
    known = tuple(half.verify_key() for half in settings.tightening)
    officers = {name: half.verify_key() for name, half in settings.officers.items()}
    found = wrong_measures(reader, known, settings.provider, officers)
    if found:
        first, why = found[0]
        return wrong(
            _MEASURES,
            f"{len(found)} stored do not verify, first {first}: {why}",
            f"{_BOOK}, A stored tightening does not verify",
        )
    return fine(_MEASURES, "every stored one verifies, loosens nothing and is within its caps")


def _waiting(
    folder: ProviderFolder, reader: Connection, policy: Policy, now: Instant
) -> Iterator[Finding]:
    found = False
    for one in waiting_proposals(reader, now):
        found, proposal = True, one.proposal()
        file = folder.root / PROPOSALS / f"{one.id}.json"
        yield soon(
            _PROPOSALS,
            f"{proposal.entry} waits for two officers until {iso_utc(one.until)}:"
            f" {proposal.beyond}",
            f"tallystick policy tightening approve {file} ...; {_BOOK}, A proposal waits",
        )
    loops = loops_proposal(folder.root)
    if loops is not None and is_waiting(loops, policy.header.version, now):
        found = True
        yield soon(
            _PROPOSALS,
            f"the loop proposes policy version {loops.version} since {iso_utc(loops.at)}, until"
            f" {iso_utc(loops.until)}",
            f"read {folder.root / PROPOSALS / loops.digest}.yaml, sign and activate it, or mend"
            f" what fell; {_BOOK}, A proposal waits",
        )
    if not found:
        yield fine(_PROPOSALS, "nothing waits for officers")
