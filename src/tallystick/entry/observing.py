"""What is known of a provider beside its programme: evidence, findings, policy, and its controls.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tallystick.application.policing.store import last_policy
from tallystick.application.proving import recorded_runs
from tallystick.application.tightenings.recorded import recorded_payers
from tallystick.entry.evidence import kept_in
from tallystick.entry.proving.probing import every_check, other_observations
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.kernel.time import Clock
from tallystick.process.catalogue import Catalogue
from tallystick.process.conformance.basis import Run
from tallystick.process.conformance.checks import Check, Observation
from tallystick.process.conformance.dossier import with_dossier
from tallystick.process.conformance.findings import (
    Finding,
    Ground,
    findings,
    newest_by_check,
)
from tallystick.process.conformance.needs import needs
from tallystick.process.conformance.oscal.picture import rows_for
from tallystick.process.derivation.inforce import words_in_force
from tallystick.process.derivation.rules import load_rules
from tallystick.process.policy.language.model import Policy
from tallystick.process.policy.language.removed import read_kept
from tallystick.process.policy.touching import Payer
from tallystick.process.programme.model import Programme
from tallystick.process.risk.model import Pack
from tallystick.process.risk.observing import Look, Sighting, sightings
from tallystick.process.risk.pressing import pressed_by
from tallystick.protocol.policy_file import policy_text, read_policy_file


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a deployment beside its programme: findings, checks, answers, policy.

    `policy` is the signed file, empty where there is none; `proved` says whether anything was seen.
    Source: ISO/TS 12812-2:2017, 9.1
    """

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    history: tuple[Observation, ...]
    proved: bool
    policy: str

    def read_policy(self) -> Policy | None:
        """The policy, if there is one.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        if not self.policy:
            return None
        return read_kept(policy_text(read_policy_file(self.policy.encode())))


def known_of(
    folder: ProviderFolder,
    programme: Programme,
    rows: Catalogue,
    clock: Clock,
    more: Iterable[Observation] = (),
) -> Known:
    """What the record, the build and the documents of the provider in `folder` say now.

    `more` are observations that wait to be recorded. Raises Unavailable while the record cannot be
    read.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    now, kept = clock.now(), kept_in(folder)
    runs, policy = recorded(folder)
    history = (
        *(one for run in runs for one in run.observations),
        *more,
        *other_observations(folder, kept, now),
    )
    wanted = [one.id for one in rows_for(rows, programme.services)]
    ground = with_dossier(
        Ground(needs=needs(rows, every_check(folder, clock), only=wanted), history=history),
        kept.dossier,
    )
    return Known(
        findings(ground, now), checks_of(ground), history, proved=bool(history), policy=policy
    )


def nothing_known(programme: Programme, rows: Catalogue, now: int) -> Known:
    """Nothing was observed: every row that applies is stale.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    wanted = [one.id for one in rows_for(rows, programme.services)]
    ground = Ground(needs=needs(rows, (), only=wanted), history=())
    return Known(findings(ground, now), checks_of(ground), (), proved=False, policy="")


def seen_controls(programme: Programme, pack: Pack, known: Known, now: int) -> tuple[Sighting, ...]:
    """What is seen of each control of `pack`, from what is `known` at `now` (ms).

    Source: ISO/TS 12812-2:2017, 9.1; A
    """
    policy = known.read_policy()
    return sightings(
        programme,
        pack,
        Look(
            answers=newest_by_check(known.history, now),
            rows=None if policy is None else words_in_force(policy, load_rules()),
            now=now,
        ),
    )


def pressed_now(known: Known, now: int) -> dict[str, int]:
    """By threat how many steps more likely it is seen to be, from what is `known` at `now` (ms).

    Source: ISO/TS 12812-2:2017, 8.1.3; A
    """
    return pressed_by(newest_by_check(known.history, now), now)


def checks_of(ground: Ground) -> tuple[Check, ...]:
    """Every check that a row needs, once.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return tuple({check.id: check for need in ground.needs for check in need.checks}.values())


def recorded(folder: ProviderFolder) -> tuple[tuple[Run, ...], str]:
    """The runs of probes and the policy in the record; before there is one, the policy to come.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    text = folder.policy_file.read_text(encoding="utf-8") if folder.policy_file.exists() else ""
    if isinstance(folder.place(), Path) and not folder.database_file.exists():
        return (), text
    with open_snapshot(folder.stored()) as reader:
        stored = last_policy(reader)
        return recorded_runs(reader, 0), text if stored is None else stored[1]


def payers_of(folder: ProviderFolder, now: int) -> tuple[Payer, ...]:
    """Customers of long standing with what they paid of late; none before anything is recorded.

    Source: ISO/TS 12812-2:2017, 9.1; 14.2.2
    """
    if isinstance(folder.place(), Path) and not folder.database_file.exists():
        return ()
    with open_snapshot(folder.stored()) as reader:
        return recorded_payers(reader, now)
