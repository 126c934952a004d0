"""Probes of what runs against what was built and tested, and of how findings are dealt with.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.2; 9.3; D
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import tallystick
from tallystick.application.proving import recorded_runs
from tallystick.entry.evidence import Kept, kept_in, running_in
from tallystick.entry.proving.looking import Declared, Seen, declare, judged, part, unknown
from tallystick.entry.proving.site import Site
from tallystick.entry.registering import state_of
from tallystick.entry.releasing import bring, signed_release
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.catalogue import Modality, catalogue
from tallystick.process.conformance.basis import Run
from tallystick.process.conformance.builds import Build, build_observations, why_not
from tallystick.process.conformance.checks import CheckKind, Observation
from tallystick.process.conformance.findings import newest_by_check
from tallystick.process.conformance.registry import Registry
from tallystick.process.isms.release import judge

DUE_MS: Final = 30 * DAY_MS
"""How long something that fails may go on without an exception that was granted."""

RELEASE: Final = "release"
"""The folder of the provider in which the release that runs is kept."""

SERIES_MS: Final = 31 * DAY_MS
"""How old the newest run may be for figures to be of this month."""

_SECRET: Final = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20,}"
    rb"|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[0-9A-Za-z-]{20,}"
    rb"|sk_live_[0-9A-Za-z]{20,}"
    rb"|(?i:password|passwd|secret|api_key)\s*=\s*[\"'][A-Za-z0-9+/_-]{20,}[\"']"
)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("build.deployed", CheckKind.STATIC, ("MFS-6.2.2-01", part("MFS-9.3-02")),
     "what runs is, octet for octet, the source whose tagged tests of mandatory rows passed"),
    ("release.gated", CheckKind.STATIC, (part("MFS-6.2.2-05"), part("MFS-7.2.5-01")),
     "the release in FOLDER/release passes the gate: bill, review, tests, scans, signatures"),
    ("build.no-secrets", CheckKind.STATIC, (part("MFS-7.2.5-04"),),
     "no private key and no credential stands in the source that runs"),
    ("rows.overdue", CheckKind.STATIC, ("MFS-6.1-02",),
     "nothing fails for more than 30 days without an exception, and figures are of this month"),
    ("threats.mitigated", CheckKind.STATIC, ("MFS-D-01",),
     "each threat is mitigated by a row of which a probe or a test shows something"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class BuildProbes:
    """Looks at what runs, and at what was seen before.

    Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
    """

    def __init__(self, site: Site, package: Path | None = None) -> None:
        self._site = site
        self._package = package or Path(tallystick.__file__).parent

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "build.deployed": self.deployed,
            "release.gated": self.gated,
            "build.no-secrets": self.no_secrets,
            "rows.overdue": self.overdue,
            "threats.mitigated": self.mitigated,
        }
        declare(registry, _DECLARED, looks)

    def deployed(self, now: Instant) -> Seen:
        """Compares the digest of what runs with the record of the build.

        Source: ISO/TS 12812-2:2017, 6.2.2; 9.3
        """
        build, running = kept_in(self._site.folder).build, running_in(self._site.folder)
        if build is None:
            return unknown("there is no record of the build: prove with --build")
        reason = why_not(build, running)
        rows = catalogue().requirements
        mandatory = [
            one
            for one in build.record.requirements
            if one.requirement in rows and rows[one.requirement].modality is Modality.SHALL
        ]
        failing = [one.requirement for one in mandatory if one.failed or not one.passed]
        return judged(
            not reason and not failing and bool(mandatory),
            f"source {running.source[:12]} at commit {build.record.commit[:12]}: the tests of"
            f" {len(mandatory)} mandatory rows passed",
            reason or f"not passed: {', '.join(failing[:5]) or 'no mandatory row has a test'}",
            source=running.source,
            commit=build.record.commit,
            rows=len(mandatory),
            failing=len(failing),
        )

    def gated(self, now: Instant) -> Seen:
        """Puts the release that is kept in the folder through the gate again.

        Source: ISO/TS 12812-2:2017, 6.2.2; 7.2.5
        """
        place = self._site.folder
        plan_file, signed = (place.root / RELEASE / one for one in ("release.yaml", "release.json"))
        if not plan_file.exists():
            return unknown(f"no release is kept in {RELEASE}/")
        plan, brought = bring(plan_file)
        state = state_of(place)
        checks = judge(
            plan,
            brought,
            now,
            signed=signed_release(signed, place) if signed.exists() else None,
            registers=state.registers,
            certificates=state.around.certificates,
        )
        missing = [f"{one.what}: {one.says}" for one in checks if not one.passed]
        return judged(
            not missing,
            f"{plan.component} {plan.version}: {len(checks)} of {len(checks)} checks passed",
            "; ".join(missing[:3]),
            numerator=len(checks) - len(missing),
            denominator=len(checks),
        )

    def no_secrets(self, now: Instant) -> Seen:
        """Searches the source that runs.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        files = sorted(self._package.rglob("*.py")) + sorted(self._package.rglob("*.yaml"))
        found = [
            path.relative_to(self._package).as_posix()
            for path in files
            if _SECRET.search(path.read_bytes())
        ]
        return judged(
            bool(files) and not found,
            f"{len(files)} files, none with a secret",
            f"looks like a secret: {', '.join(found[:3]) or 'there is no source'}",
            files=len(files),
            found=len(found),
        )

    def _runs(self) -> tuple[Run, ...]:
        with self._site.reading() as reader:
            return recorded_runs(reader, 0)

    def overdue(self, now: Instant) -> Seen:
        """Looks back at runs for what has been failing since, and at exceptions that cover it.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        runs = self._runs()
        if not runs:
            return unknown("no run was recorded before this one")
        kept = kept_in(self._site.folder)
        covered = {
            one.requirement for one in kept.dossier.exceptions if one.since <= now < one.until
        } | {one.requirement for one in kept.dossier.decisions if one.since <= now}
        since = failing_since(one for run in runs for one in run.observations)
        late = sorted(
            check
            for check, (at, rows) in since.items()
            if now - at > DUE_MS and not rows <= covered
        )
        age = now - runs[-1].at
        return judged(
            not late and age <= SERIES_MS,
            f"{len(since)} fail, none for more than 30 days; {len(runs)} runs",
            f"overdue: {', '.join(late[:5]) or f'the newest run is {age // DAY_MS} days old'}",
            runs=len(runs),
            failing=len(since),
            overdue=len(late),
        )

    def mitigated(self, now: Instant) -> Seen:
        """Whether each threat has a row of which the newest answer of some check is a pass.

        Source: ISO/TS 12812-2:2017, D
        """
        kept = kept_in(self._site.folder)
        seen = [one for run in self._runs() for one in run.observations]
        seen += self._built(kept)
        passing = passing_rows(newest_by_check(seen, now))
        threats = catalogue().threats
        bare = [one.id for one in threats.values() if not passing & set(one.mitigations)]
        if not seen:
            return unknown("nothing was recorded before this run")
        return judged(
            not bare,
            f"{len(threats)} threats, each with a mitigation of which something passes",
            f"{len(bare)} of {len(threats)} without: {', '.join(bare[:5])}",
            numerator=len(threats) - len(bare),
            denominator=len(threats),
        )

    def _built(self, kept: Kept) -> tuple[Observation, ...]:
        build: Build | None = kept.build
        if build is None:
            return ()
        running = running_in(self._site.folder)
        return build_observations(build, running, environment=self._site.settings.origin)


def failing_since(
    seen: Iterable[Observation],
) -> dict[str, tuple[int, set[str]]]:
    """Each check whose newest answer is a failure, since when it is, and its rows.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    found: dict[str, tuple[int, set[str]]] = {}
    for one in sorted(seen, key=lambda it: it.observed_at):
        if one.verdict is Verdict.PASS:
            found.pop(one.check, None)
        elif one.verdict is Verdict.FAIL:
            found.setdefault(one.check, (one.observed_at, set(one.requirements)))
    return found


def passing_rows(newest: Mapping[str, Observation]) -> set[str]:
    """The rows of which some check passes and none fails.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    passing = {row for one in newest.values() if one.verdict is Verdict.PASS
               for row in one.requirements}  # fmt: skip
    failing = {row for one in newest.values() if one.verdict is Verdict.FAIL
               for row in one.requirements}  # fmt: skip
    return passing - failing
