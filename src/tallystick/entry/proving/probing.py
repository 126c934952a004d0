"""Proves a provider: probes chosen, run in a safe order, their run recorded, findings drawn.

    opened here   nobody serves it: it is opened, served on loopback for the phones, and recorded
    beside        a service runs: its doors are tried, and the run is left for it to record

Source: ISO/TS 12812-2:2017, 9.1
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.application.commands import Command
from tallystick.application.notices.store import due_notices
from tallystick.application.own_commands import EquipProbe, NoticeTried, RecordEvidence
from tallystick.application.proving import Equipped, recorded_runs
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.evidence import Kept, document_in, kept_in, leave_run, running_in
from tallystick.entry.proving.appraising import AppraisalProbes
from tallystick.entry.proving.books import BookProbes
from tallystick.entry.proving.builds import BuildProbes
from tallystick.entry.proving.consenting import ConsentProbes
from tallystick.entry.proving.customers import NAMES, ended_terms, probe_customer
from tallystick.entry.proving.deciding import DecisionProbes
from tallystick.entry.proving.doors import DoorProbes
from tallystick.entry.proving.enrolling import EnrolmentProbes
from tallystick.entry.proving.fields import FieldProbes
from tallystick.entry.proving.handling import HandlingProbes
from tallystick.entry.proving.inward import SecretProbes
from tallystick.entry.proving.messages import MessageProbes
from tallystick.entry.proving.models import ModelProbes
from tallystick.entry.proving.outside import OutsideProbes
from tallystick.entry.proving.people import PeopleProbes
from tallystick.entry.proving.phone import Line
from tallystick.entry.proving.phones import PhoneProbes
from tallystick.entry.proving.population import PopulationProbes
from tallystick.entry.proving.record import RecordProbes
from tallystick.entry.proving.registers import RegisterProbes
from tallystick.entry.proving.rows import RowProbes
from tallystick.entry.proving.site import Site, served
from tallystick.entry.proving.still import StillProbes
from tallystick.entry.proving.teaching import LessonProbes
from tallystick.entry.proving.vaults import VaultProbes
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import NotFound
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import Clock
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import Run
from tallystick.process.conformance.builds import build_observations
from tallystick.process.conformance.checks import Check, Observation
from tallystick.process.conformance.dossier import document_observations, with_dossier
from tallystick.process.conformance.findings import Finding, Ground, findings
from tallystick.process.conformance.needs import needs
from tallystick.process.conformance.oscal.picture import rows_for
from tallystick.process.conformance.registry import (
    Registered,
    Registry,
    Tell,
    due,
    run_probes,
)

THROUGH_DOORS: Final = ("doors.", "enrol.", "phone.", "receipt.")
"""Probes that need the service to answer; the others run once it does not any more."""

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Proved:
    """What proving came to: the run, where it is (an event, or a file), and the findings now.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    run: Run
    recorded: int
    left: Path | None
    findings: tuple[Finding, ...]


def registry_of(site: Site, line: Line) -> Registry:
    """Every probe that can be made at `site`.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    registry = Registry()
    if site.everything or site.url or site.platform is not None:
        DoorProbes(site).register(registry)
        MessageProbes(line).register(registry)
        PhoneProbes(site, line).register(registry)
        ConsentProbes(site, line).register(registry)
        EnrolmentProbes(site, line).register(registry)
        OutsideProbes(site).register(registry)
    RecordProbes(site).register(registry)
    StillProbes(site).register(registry)
    RowProbes().register(registry)
    RegisterProbes(site).register(registry)
    PopulationProbes(site).register(registry)
    AppraisalProbes(site).register(registry)
    LessonProbes(site).register(registry)
    ModelProbes(site).register(registry)
    DecisionProbes(site).register(registry)
    BookProbes(site).register(registry)
    PeopleProbes(site).register(registry)
    FieldProbes().register(registry)
    VaultProbes().register(registry)
    BuildProbes(site).register(registry)
    if site.everything or site.platform is not None:
        SecretProbes(site).register(registry)
        HandlingProbes(site).register(registry)
    return registry


def every_check(folder: ProviderFolder, clock: Clock) -> tuple[Check, ...]:
    """Every check that this version knows, whether it can be made here or not.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    site = Site(folder, clock, everything=True)
    return registry_of(site, Line(site, None)).checks()


def prove(site: Site, *, only: Iterable[str], due_only: bool, tell: Tell) -> Proved:
    """Run the probes that were asked for beside the service that runs at `site.url`.

    The run is left in the folder for the service. Raises NotFound for an unknown probe.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    line = Line(site, None)
    try:
        chosen = _chosen(site, registry_of(site, line), only, due_only=due_only)
        seen = _run(site, chosen, tell)
    finally:
        line.close()
    run = _as_run(site, seen)
    left = leave_run(site.folder, run)
    return Proved(run, -1, left, _findings(site, (run,)))


def prove_opened(
    site: Site, opener: Opener, *, only: Iterable[str], due_only: bool, tell: Tell
) -> Proved:
    """Open the provider at `site`, run the probes that were asked for, and record the run.

    Raises Unavailable while somebody serves it, NotFound for an unknown probe.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    platform = open_platform(site.folder, opener, site.clock)
    site.platform, site.opener = platform, opener
    try:
        equipped = _equip(site, platform)
        line = Line(site, equipped[0])
        registry = registry_of(site, line)
        chosen = _chosen(site, registry, only, due_only=due_only)
        seen = _in_two_parts(site, line, chosen, tell)
        run = _as_run(site, seen)
        (recorded,) = platform.writer.run((RecordEvidence(run, "prove"),))
        if isinstance(recorded.outcome.reply, Exception):
            raise recorded.outcome.reply
        _quieten(platform, {one.customer for one in equipped})
    finally:
        site.platform = None
        platform.close()
    return Proved(run, recorded.outcome.event, None, _findings(site, ()))


def _in_two_parts(
    site: Site, line: Line, chosen: Sequence[Registered], tell: Tell
) -> tuple[Observation, ...]:
    """First what goes through the doors, then, with the doors closed, everything else."""
    outside = [one for one in chosen if one.check.id.startswith(THROUGH_DOORS)]
    inside = [one for one in chosen if one not in outside]
    seen: tuple[Observation, ...] = ()
    total = len(chosen)
    if outside:
        with ExitStack() as stack:
            stack.enter_context(served(site))
            stack.callback(line.close)
            seen = _run(site, outside, lambda done, _: tell(done, total))
    return seen + _run(site, inside, lambda done, _: tell(len(outside) + done, total))


def _run(site: Site, chosen: Sequence[Registered], tell: Tell) -> tuple[Observation, ...]:
    return run_probes(
        chosen,
        site.clock,
        environment=site.settings.origin,
        log=site.log_point,
        tell=tell,
    )


def _chosen(
    site: Site, registry: Registry, only: Iterable[str], *, due_only: bool
) -> tuple[Registered, ...]:
    chosen = registry.select(only)
    if due_only:
        history = [one for run in _runs(site) for one in run.observations]
        chosen = due(chosen, history, site.clock.now())
    if not chosen:
        raise NotFound("nothing is due", remedy="leave out --due to run every probe")
    return chosen


def _runs(site: Site) -> tuple[Run, ...]:
    with open_reader(site.folder.stored()) as reader:
        return recorded_runs(reader, 0)


def _as_run(site: Site, seen: tuple[Observation, ...]) -> Run:
    now = site.clock.now()
    kept = kept_in(site.folder)
    return Run(
        id=timed_id("run", now, operating_system(10)),
        at=now,
        event=-1,
        build=kept.build_digest,
        dossier=kept.dossier_digest,
        observations=seen,
    )


def _equip(site: Site, platform: Platform) -> list[Equipped]:
    """The two probe customers, with codes that nobody was sent: one, and two to lose."""
    told: list[Equipped] = []
    commands: list[Command] = [
        EquipProbe(probe_customer(site, platform, which), told.append) for which in (1, 2, 2)
    ]
    for recorded in platform.writer.run(commands):
        if isinstance(recorded.outcome.reply, Exception):
            raise recorded.outcome.reply
    site.ended = ended_terms(site, platform)
    first, *site.spare = told
    site.canaries |= {
        "activation code": first.code.reveal().encode(),
        "name": NAMES[0].encode(),
        "number": site.number(1).encode(),
    }
    return told


def _quieten(platform: Platform, customers: set[str]) -> None:
    """Count the notices to probe customers as delivered: their numbers are nobody's."""
    waiting = due_notices(platform.reader, platform.clock.now(), _MOST)
    commands: list[Command] = [
        NoticeTried(one, delivered=True) for one in waiting if one.customer in customers
    ]
    if commands:
        platform.writer.run(commands)


def other_observations(folder: ProviderFolder, kept: Kept, now: int) -> tuple[Observation, ...]:
    """What the build and the documents in `folder` say.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    environment = folder.settings().origin
    built = (
        build_observations(kept.build, running_in(folder), environment=environment)
        if kept.build is not None
        else ()
    )
    attested = document_observations(
        kept.dossier, lambda name: document_in(folder, name), now=now, environment=environment
    )
    return (*built, *attested)


def _findings(site: Site, more: tuple[Run, ...]) -> tuple[Finding, ...]:
    """The findings now, from everything that is recorded, and from `more` runs."""
    now, kept = site.clock.now(), kept_in(site.folder)
    rows = [one.id for one in rows_for(catalogue(), kept.dossier.services)]
    ground = Ground(
        needs=needs(catalogue(), every_check(site.folder, site.clock), only=rows),
        history=(
            *(one for run in (*_runs(site), *more) for one in run.observations),
            *other_observations(site.folder, kept, now),
        ),
    )
    return findings(with_dossier(ground, kept.dossier), now)
