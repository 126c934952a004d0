"""Runs the loop beside a provider: probes, evidence, what is left of the risks, a proposal.

    probes that are due, and others within a part of the time between rounds
      -> what is news is left for the service to record
      -> controls, findings, residual, against the round before
      -> where a control fell and a risk rose: FOLDER/proposals/<digest>.yaml, for officers

Nothing is activated here, and no secret is needed. The analysis is made once for each programme.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallystick.entry.evidence import kept_in, leave_run
from tallystick.entry.observing import (
    Known,
    known_of,
    payers_of,
    pressed_now,
    recorded,
    seen_controls,
)
from tallystick.entry.proposals import PROPOSALS, WAITS, waits_until
from tallystick.entry.proving.phone import Line, probes_folder
from tallystick.entry.proving.probing import THROUGH_DOORS, registry_of
from tallystick.entry.proving.site import Site
from tallystick.entry.reporting import lines_in
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import Clock
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import Run
from tallystick.process.conformance.checks import Observation
from tallystick.process.conformance.findings import newest_by_check
from tallystick.process.conformance.registry import Registered, due, run_probes
from tallystick.process.derivation.rules import load_rules
from tallystick.process.loop.model import (
    LINES_FILE,
    STATE_FILE,
    LoopLine,
    LoopState,
    line_octets,
    read_state,
)
from tallystick.process.loop.proposing import (
    Reasons,
    proposal_text,
    propose,
    reason_digest,
)
from tallystick.process.loop.rounds import (
    Around,
    Ground,
    Rise,
    fallen_of,
    is_in_effect,
    rises,
    round_of,
)
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import (
    Analysis,
    Options,
    Stage,
    analyse,
    analysis_json,
    read_analysis,
)
from tallystick.process.risk.model import Pack
from tallystick.process.risk.observing import Sighting
from tallystick.process.risk.packs import pack_for
from tallystick.process.risk.paths import Scenes

ANALYSIS_FILE: Final = "loop-analysis.json"
_YEARS: Final = 100
"""Losses are the report's business; here only the choice of controls is needed."""

_PART: Final = 0.2
"""How much of the time between rounds goes into probes that are not due."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """What a round came to: its line (None for no news), what was seen, what is proposed.

    `open` counts the places that are open; `took_s` is how long the round took.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """

    line: LoopLine | None
    state: LoopState
    sightings: tuple[Sighting, ...]
    fallen: tuple[str, ...]
    rises: tuple[Rise, ...]
    proposal: Path | None
    probed: int
    left: Path | None
    open: int
    took_s: float


@dataclass(slots=True)
class Looping:
    """The loop of the provider at `site`; a round is at most `every_s` after the last.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    site: Site
    every_s: float = 30.0
    stage: Stage = lambda _: None
    _ground: Ground | None = None
    _ground_of: str = ""
    _waiting: tuple[Run, ...] = ()
    _took: dict[str, float] = field(default_factory=dict[str, float])

    def round(self) -> Rounded:
        """One round.

        Raises NotFound without a programme, Unavailable without the extra `risk` or while the
        record cannot be read.
        Source: ISO/TS 12812-2:2017, 6.1; 9.1
        """
        began = time.monotonic()
        folder, clock = self.site.folder, self.site.clock
        ground = self._grounded()
        runs, _ = recorded(folder)
        self._waiting = tuple(
            one for one in self._waiting if one.id not in {run.id for run in runs}
        )
        self.stage("looking")
        seen = self._probe([one for run in (*runs, *self._waiting) for one in run.observations])
        left = self._leave(runs, seen)
        self.stage("judging")
        waiting = [one for run in self._waiting for one in run.observations]
        known = known_of(folder, ground.programme, catalogue(), clock, (*waiting, *seen))
        found = seen_controls(ground.programme, ground.pack, known, clock.now())
        return self._judged(ground, known, found, (len(seen), left, began))

    def _judged(
        self,
        ground: Ground,
        known: Known,
        found: tuple[Sighting, ...],
        probed: tuple[int, Path | None, float],
    ) -> Rounded:
        policy = known.read_policy()
        around = Around(
            at=self.site.clock.now(),
            sightings=found,
            findings=known.findings,
            residual=ground.levels(ground.stood(found, pressed_now(known, self.site.clock.now()))),
            policy_version=0 if policy is None else policy.header.version,
            chosen=frozenset(one.control for one in ground.analysis.selection.chosen),
        )
        before = state_in(self.site.folder)
        fallen = fallen_of(before, around)
        risen = rises(ground, found, fallen)
        proposal = self._proposed(ground, known, found, fallen, risen) if risen else None
        digest = "" if proposal is None else proposal.stem
        line, state = round_of(before, around, fallen, digest)
        self._keep(line, state)
        return Rounded(
            line=line,
            state=state,
            sightings=found,
            fallen=fallen,
            rises=risen,
            proposal=proposal,
            probed=probed[0],
            left=probed[1],
            open=sum(one.open for one in around.residual.values()),
            took_s=time.monotonic() - probed[2],
        )

    def _grounded(self) -> Ground:
        """Programme, pack and analysis; made anew only when the programme's text is another."""
        file = self.site.folder.programme_file
        if not file.exists():
            raise NotFound(f"there is no programme at {file}", remedy="tallystick init writes one")
        octets = file.read_bytes()
        digest = sha256(octets).hex()
        if self._ground is None or digest != self._ground_of:
            self._ground = ground_of(self.site.folder, octets, self.stage)
            self._ground_of = digest
        return self._ground

    def _probe(self, history: Sequence[Observation]) -> tuple[Observation, ...]:
        site = self.site
        line = Line(site, None)
        try:
            possible = [
                one for one in registry_of(site, line).select() if self._can_be_made(one.check.id)
            ]
            return tuple(self._timed(one) for one in self._chosen(possible, history))
        finally:
            line.close()

    def _can_be_made(self, name: str) -> bool:
        """A probe through the doors takes a service, one of a phone also a phone of our own."""
        if not name.startswith(THROUGH_DOORS):
            return True
        doors = bool(self.site.url)
        return doors and (name.startswith("doors.") or probes_folder(self.site.folder).exists())

    def _chosen(
        self, possible: Sequence[Registered], history: Sequence[Observation]
    ) -> list[Registered]:
        """Those that are due, and of the rest the ones not looked at for longest, as time allows.

        A failure is due by itself: what was mended is seen in the next round.
        """
        now = self.site.clock.now()
        wanted = list(due(possible, history, now))
        newest = newest_by_check(history, now)
        rest = [one for one in possible if one not in wanted]
        rest.sort(key=lambda one: newest[one.check.id].observed_at)
        budget = self.every_s * _PART
        for one in rest:
            took = self._took.get(one.check.id, 0.0)
            if took <= budget:
                budget -= took
                wanted.append(one)
        return wanted

    def _timed(self, one: Registered) -> Observation:
        began = time.monotonic()
        (seen,) = run_probes(
            (one,),
            self.site.clock,
            environment=self.site.settings.origin,
            log=self.site.log_point,
            tell=_nobody,
        )
        self._took[one.check.id] = time.monotonic() - began
        return seen

    def _leave(self, runs: Iterable[Run], seen: Sequence[Observation]) -> Path | None:
        """Leave what is news for the service to record: another verdict, or half its life over."""
        told = [one for run in (*runs, *self._waiting) for one in run.observations]
        now = self.site.clock.now()
        newest = newest_by_check(told, now)
        news = tuple(one for one in seen if _is_news(newest.get(one.check), one))
        if not news:
            return None
        kept = kept_in(self.site.folder)
        run = Run(
            id=timed_id("run", now, operating_system(10)),
            at=now,
            event=-1,
            build=kept.build_digest,
            dossier=kept.dossier_digest,
            observations=news,
        )
        self._waiting = (*self._waiting, run)
        return leave_run(self.site.folder, run)

    def _proposed(
        self,
        ground: Ground,
        known: Known,
        found: tuple[Sighting, ...],
        fallen: tuple[str, ...],
        risen: tuple[Rise, ...],
    ) -> Path | None:
        policy = known.read_policy()
        if policy is None:
            return None
        by_name = {one.control: one for one in found}
        reasons = Reasons(
            fallen=fallen,
            brings_back=tuple(f"{name}: {by_name[name].says}" for name in fallen),
            rises=risen,
            left=tuple(
                one.control
                for one in ground.analysis.selection.chosen
                if is_in_effect(by_name[one.control])
            ),
        )
        folder = self.site.folder.root / PROPOSALS
        path = folder / f"{reason_digest(ground, policy, reasons)}.yaml"
        refused = path.with_suffix(".refused")
        now = self.site.clock.now()
        if refused.exists():
            return None
        if path.exists() and now < waits_until(path):
            return path
        self.stage("deriving a stronger policy")
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            payers = payers_of(self.site.folder, now)
            proposal = propose(load_rules(), ground, policy, reasons, now, payers)
        except Malformed as error:
            replace_file(refused, error.detail.encode())
            return None
        replace_file(path.with_suffix(".reasons.json"), encode_canonical(proposal))
        replace_file(path.with_suffix(WAITS), encode_canonical(proposal.waits))
        replace_file(path, proposal_text(proposal).encode())
        return path

    def _keep(self, line: LoopLine | None, state: LoopState) -> None:
        root = self.site.folder.root
        if line is not None:
            before = b"".join(map(line_octets, lines_in(self.site.folder)))
            replace_file(root / LINES_FILE, before + line_octets(line))
        replace_file(root / STATE_FILE, encode_canonical(state))


def _nobody(_: int, __: int) -> None:
    """Nobody is told of single probes."""


def _is_news(before: Observation | None, one: Observation) -> bool:
    if before is None or before.verdict is not one.verdict:
        return True
    life = before.fresh_until - before.observed_at
    return one.observed_at >= before.observed_at + life // 2


def state_in(folder: ProviderFolder) -> LoopState | None:
    """What the last round in `folder` left; None before the first.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    path = folder.root / STATE_FILE
    return read_state(path.read_bytes()) if path.exists() else None


def ground_of(folder: ProviderFolder, octets: bytes, stage: Stage) -> Ground:
    """Programme, pack and analysis of the programme text `octets`; the analysis kept in `folder`.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    stage("reading")
    programme = read_programme(octets.decode("utf-8", "replace"))
    pack = pack_for(programme.uses)
    kept = _kept_analysis(folder, programme, pack)
    if kept is None:
        kept = analyse(programme, pack, options=Options(years=_YEARS), stage=stage)
        replace_file(folder.root / ANALYSIS_FILE, analysis_json(kept))
    return Ground(programme=programme, pack=pack, analysis=kept, scenes=Scenes(programme, pack))


def _kept_analysis(folder: ProviderFolder, programme: Programme, pack: Pack) -> Analysis | None:
    path = folder.root / ANALYSIS_FILE
    if not path.exists():
        return None
    try:
        found = read_analysis(path.read_bytes())
    except Malformed:
        return None
    digest = sha256(encode_canonical(programme)).hex()
    same = (found.programme_digest, found.pack_digest) == (digest, pack.digest)
    return found if same else None


def seen_now(folder: ProviderFolder, clock: Clock, stage: Stage) -> tuple[Ground, Known]:
    """The ground of the provider in `folder` and what is known of it, without a probe being run.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    file = folder.programme_file
    if not file.exists():
        raise NotFound(f"there is no programme at {file}", remedy="tallystick init writes one")
    ground = ground_of(folder, file.read_bytes(), stage)
    return ground, known_of(folder, ground.programme, catalogue(), clock)
