"""What a report is made from, out of a provider's folder or of a programme file alone.

    a programme file    analysis; nothing was observed, so every row is stale
    a provider          besides: what its probes, build and documents say, its policy, its history

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tallystick import __version__
from tallystick.entry.fleetreport import fleet_standing
from tallystick.entry.inforce import kept_measures, kept_proposals
from tallystick.entry.observing import known_of, nothing_known, pressed_now, seen_controls
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.store.opening import open_snapshot
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import Clock
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.basis import catalogue_digest
from tallystick.process.conformance.findings import newest_by_check
from tallystick.process.loop.model import LINES_FILE, LoopLine, read_lines
from tallystick.process.policy.caps import touched_by
from tallystick.process.policy.tightening import Measure
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.reports.course import HISTORY_FILE, history_line, is_news, read_history
from tallystick.process.reports.material import Material, controls_there
from tallystick.process.reports.model import HistoryPoint, Stricter, Versions
from tallystick.process.risk.analysis import Analysis, Options, Stage, analyse
from tallystick.process.risk.losses.report import Inputs, loss_curve
from tallystick.process.risk.model import LossCurve, Pack
from tallystick.process.risk.observing import observation_of
from tallystick.process.risk.packs import pack_for
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.residual import declared, highest_inherent
from tallystick.protocol.measures import Touched

PROGRAMME_FILE = "mfs.yaml"


def material_of(place: Path, clock: Clock, options: Options, stage: Stage) -> Material:
    """What a report of `place` is made from; `stage` hears what is done next.

    `place` is the folder of a provider, a folder with a programme file, or such a file. Raises
    NotFound where there is no programme, Unavailable without the extra `risk` or while the record
    cannot be read.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    file = place / PROGRAMME_FILE if place.is_dir() else place
    if not file.exists():
        raise NotFound(
            f"there is no programme at {file}",
            remedy="name the file or its folder; tallystick init writes one",
        )
    programme = read_programme(file.read_bytes().decode("utf-8", "replace"))
    pack, rows, now = pack_for(programme.uses), catalogue(), clock.now()
    provider = provider_in(place)
    stage("reading what was observed")
    if provider is None:
        known = nothing_known(programme, rows, now)
    else:
        known = known_of(provider, programme, rows, clock)
    seen = None
    if known.proved:
        controls = seen_controls(programme, pack, known, now)
        seen = observation_of(controls, (), pressed_now(known, now))
    analysis = analyse(programme, pack, seen, options, stage)
    observation = declared(programme) if seen is None else seen
    stage("simulating years of loss without controls, and as it is now")
    curves = _curves(programme, pack, analysis, controls_there(observation))
    policy = known.read_policy()
    return Material(
        versions=Versions(
            programme=programme.offer.id,
            owner=programme.offer.owner,
            programme_digest=analysis.programme_digest,
            pack=analysis.pack,
            pack_digest=analysis.pack_digest,
            policy_version=0 if policy is None else policy.header.version,
            policy_digest=sha256(known.policy.encode()).hex() if known.policy else "",
            catalogue_digest=catalogue_digest(rows),
            engine=f"Tallystick {__version__}",
            basis=analysis.basis,
            profile=(
                f"{analysis.profile.id}, for a bare risk of"
                f" {highest_inherent(analysis.standings).risk}"
            ),
            made_at=now,
        ),
        programme=programme,
        pack=pack,
        catalogue=rows,
        analysis=analysis,
        scenes=Scenes(programme, pack),
        observation=observation,
        findings=known.findings,
        checks=known.checks,
        answers=newest_by_check(known.history, now),
        policy=policy,
        curves=curves,
        history=() if provider is None else history_in(provider),
        loop=() if provider is None else lines_in(provider),
        tightenings=() if provider is None else tightenings_in(provider),
        fleet=None if provider is None else fleet_standing(provider, now),
    )


def provider_in(place: Path) -> ProviderFolder | None:
    """The provider in the folder `place`, or None if it is no provider's.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    folder = ProviderFolder(place)
    return folder if place.is_dir() and folder.settings_file.exists() else None


def history_in(folder: ProviderFolder) -> tuple[HistoryPoint, ...]:
    """What earlier reports left in `folder`.

    Raises Malformed for a line that is none.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    path = folder.root / HISTORY_FILE
    return read_history(path.read_bytes()) if path.exists() else ()


def lines_in(folder: ProviderFolder) -> tuple[LoopLine, ...]:
    """The line of time that the loop left in `folder`.

    Raises Malformed for a line that is none.
    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    path = folder.root / LINES_FILE
    return read_lines(path.read_bytes()) if path.exists() else ()


def tightenings_in(folder: ProviderFolder) -> tuple[Stricter, ...]:
    """What the service in `folder` made stricter by itself, or proposed to, the oldest first.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
    """
    if isinstance(folder.place(), Path) and not folder.database_file.exists():
        return ()
    with open_snapshot(folder.stored()) as reader:
        found = [
            *(_stricter(one, touched_by(one)) for one in kept_measures(reader)),
            *_proposed(reader),
        ]
    return tuple(sorted(found, key=lambda one: (one.since, one.entry)))


def _stricter(one: Measure, counted: Touched | None) -> Stricter:
    return Stricter(
        entry=one.entry,
        cohort=one.cohort,
        since=one.since,
        until=one.until,
        ended=one.ended,
        proposed=False,
        customers=0 if counted is None else counted.customers,
        of_customers=0 if counted is None else counted.of_customers,
        value_minor=0 if counted is None else counted.value_minor,
    )


def _proposed(reader: Connection) -> Iterator[Stricter]:
    """Proposals, each until its end: the instant of the event that ended it, or its own."""
    tally = TallyStore(reader)
    for one in kept_proposals(reader):
        proposal = one.proposal()
        leaf = tally.leaf(one.end_event) if one.ended else None
        yield Stricter(
            entry=proposal.entry,
            cohort=proposal.cohort,
            since=proposal.at,
            until=one.until if leaf is None else decode_leaf(leaf).at,
            ended=one.ended or "waits for officers",
            proposed=True,
            customers=proposal.touched.customers,
            of_customers=proposal.touched.of_customers,
            value_minor=proposal.touched.value_minor,
        )


def keep_history(folder: ProviderFolder, point: HistoryPoint) -> bool:
    """Add `point` to the history in `folder` if it says something new; whether it did.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    before = history_in(folder)
    if not is_news(before, point):
        return False
    lines = b"".join(history_line(one) for one in (*before, point))
    replace_file(folder.root / HISTORY_FILE, lines)
    return True


def _curves(
    programme: Programme, pack: Pack, analysis: Analysis, there: frozenset[str]
) -> dict[str, LossCurve]:
    curve = analysis.loss.curve

    def simulated(shut_out: Iterable[str], controls: frozenset[str]) -> LossCurve:
        inputs = Inputs(
            programme=programme,
            pack=pack,
            instances=analysis.instances,
            scenes=Scenes(programme, pack),
            shut_out=frozenset(shut_out),
            limits={},
            seed=curve.seed,
            years=curve.years,
        )
        return loss_curve(inputs, controls)

    return {
        "inherent": simulated((), frozenset()),
        "designed": curve,
        "observed": simulated((), there),
    }
