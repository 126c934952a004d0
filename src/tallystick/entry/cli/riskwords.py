"""The result of a risk analysis in words for people, as titled tables.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from tallystick.kernel.errors import NotFound
from tallystick.process.risk.analysis import Analysis
from tallystick.process.risk.findings import Finding, Open
from tallystick.process.risk.losses.report import LossReport
from tallystick.process.risk.model import AttackPath, Choice, Verdict
from tallystick.process.risk.residual import highest_inherent

Part = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A title, the columns, and the rows of a table."""

_MOST_FINDINGS = 12
_MOST_ROWS = 20
_MOST_ASSETS = 4
_WHY = {Open.NOT_THERE: "not there", Open.BY_DESIGN: "no choice closes it"}


def summary(analysis: Analysis) -> Iterable[Part]:
    """What to know at first: findings, the selection, who is shut out, the loss.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    yield _head(analysis)
    if analysis.findings:
        shown = analysis.findings[:_MOST_FINDINGS]
        more = len(analysis.findings) - len(shown)
        title = f"\n{len(analysis.findings)} open" + (f", the worst {len(shown)}" if more else "")
        yield (
            title,
            ("risk", "finding", "what", "cheap by", "gap", "places", "missing"),
            [_finding(one) for one in shown],
        )
    yield _selection(analysis)
    if analysis.selection.shut_out:
        share = f"{analysis.selection.shut_out_share * 100:.4g} % of the customers"
        names = [(one,) for one in analysis.selection.shut_out]
        yield f"\nshut out, {share}", ("device class",), names
    if analysis.unmet:
        rows = [(name, ", ".join(served)) for name, served in sorted(analysis.unmet.items())]
        yield "\nof the minimum set, but not to be had", ("control", "requirements"), rows
    yield _loss(analysis.loss)


def explained(analysis: Analysis, name: str) -> list[Part]:
    """What the result has on `name`; raises NotFound with the nearest names.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    found = [
        *_on_control(analysis, name),
        *_on_requirement(analysis, name),
        *_on_threat(analysis, name),
        *_on_instances(analysis, name),
        *_on_paths(analysis, name),
    ]
    if not found:
        near = get_close_matches(name, _names(analysis))
        raise NotFound(
            f"the result has nothing on {name[:80]!r}",
            remedy=f"try {' or '.join(near)}" if near else "see tallystick risk show",
        )
    return found


def _head(analysis: Analysis) -> Part:
    counts = analysis.counts
    rows = [
        ("programme", f"{analysis.programme}, {analysis.programme_digest[:16]}"),
        ("pack", f"{analysis.pack}, {analysis.pack_digest[:16]}"),
        ("threats that arise", f"{counts['threats_matched']} of {counts['threats']}"),
        ("places", f"{counts['instances']}, {counts['units']} of them different"),
        ("open bare", str(counts["open_inherent"])),
        ("open as designed", str(counts["open_designed"])),
        (f"open as {analysis.basis}", str(counts["open_observed"])),
        ("profile", f"{analysis.profile.id}: {analysis.profile.verification}"),
        ("because", _raised(analysis)),
    ]
    return "risk analysis", ("", ""), rows


def _raised(analysis: Analysis) -> str:
    """What the profile follows from: the highest inherent risk, and whose impact makes it so."""
    found = highest_inherent(analysis.standings)
    if not found.places:
        return "nothing is at risk"
    impact = max(found.impacts.values())
    assets = [name for name, one in found.impacts.items() if one is impact]
    more = f" and {len(assets) - _MOST_ASSETS} more" if len(assets) > _MOST_ASSETS else ""
    return (
        f"bare, the risk is {found.risk} at {len(found.places)} places, by impact"
        f" {impact.name.lower()} of {', '.join(assets[:_MOST_ASSETS])}{more}"
    )


def _finding(one: Finding) -> tuple[str, ...]:
    missing = ", ".join(one.missing) or _WHY[one.why]
    risk = f"{one.risk} {one.band.value}"
    return risk, one.id, one.label, one.cheap, str(one.gap), str(one.places), missing


def _selection(analysis: Analysis) -> Part:
    found = analysis.selection
    proof = "no cheaper set exists" if found.optimal else f"no set is below {found.bound}"
    title = (
        f"\n{len(found.chosen)} controls at {found.cost} points a year and {found.friction} of"
        f" friction; {proof}"
    )
    rows = [
        (one.control, _reason(one), "yes" if one.robust else "no")
        for one in sorted(found.chosen, key=lambda each: (-len(each.paths), each.control))
        if one.paths
    ]
    rest = [one.control for one in found.chosen if not one.paths]
    if rest:
        rows.append((f"and {len(rest)} more", "in place, needed or mandatory: see explain", ""))
    return title, ("control", "because", "stays if ratings move"), rows


def _reason(one: Choice) -> str:
    parts = [", ".join(one.mandatory)] if one.mandatory else []
    if one.paths:
        first = one.paths[0].partition("#")[0]
        more = f" and {len(one.paths) - 1} more" if len(one.paths) > 1 else ""
        parts.append(f"without it {first} falls{more}")
    return "; ".join(parts) or "in place, or needed by another"


def _loss(report: LossReport) -> Part:
    curve = report.curve
    rows = [("mean", str(curve.mean))]
    rows += [(name, str(one)) for name, one in curve.percentiles.items()]
    verdict = "within" if report.within else "above"
    rows.append(("tolerated at p95", f"{report.tolerated}: {verdict} the appetite"))
    saving = sorted(report.saved.items(), key=lambda each: -each[1].minor)[:3]
    rows += [(f"saved by {name}", str(one)) for name, one in saving if one.minor > 0]
    return f"\nloss of a year, {curve.years} years simulated", ("", ""), rows


def _on_control(analysis: Analysis, name: str) -> Iterable[Part]:
    label = analysis.labels.get(name, "")
    for one in analysis.selection.chosen:
        if one.control == name:
            rows = [
                ("mandatory by", ", ".join(one.mandatory) or "nothing"),
                ("stays if every rating moves a word", "yes" if one.robust else "no"),
                ("saves a year", str(analysis.loss.saved.get(name, "nothing that was simulated"))),
            ]
            rows += [("without it falls", path) for path in one.paths[:_MOST_ROWS]]
            yield f"control {name}, chosen: {label}", ("", ""), rows
    for other in analysis.selection.rejected:
        if other.control == name:
            instead = ", ".join(other.substitutes) or "nothing needs it"
            rows = [("instead", instead), ("dearer by", f"{other.dearer_by} points")]
            yield f"control {name}, not chosen: {label}", ("", ""), rows


def _on_requirement(analysis: Analysis, name: str) -> Iterable[Part]:
    treatment = analysis.treatments.get(name)
    if treatment is not None:
        rows = [
            ("of the minimum set", "yes" if treatment.mandatory else "no"),
            ("chosen", ", ".join(treatment.chosen) or "nothing"),
            ("others that serve it", ", ".join(treatment.others) or "none"),
        ]
        yield f"requirement {name}", ("", ""), rows


def _on_threat(analysis: Analysis, name: str) -> Iterable[Part]:
    """Findings by their id, rule, asset or threat."""
    for one in analysis.findings:
        if name in {one.id, one.threat, *one.id.split("@")}:
            rows = [
                ("threat", one.threat),
                ("risk", f"{one.risk} {one.band.value}"),
                ("weakest path", one.path),
                ("cheap by", one.cheap),
                ("points missing", str(one.gap)),
                ("missing", ", ".join(one.missing) or _WHY[one.why]),
                ("places alike", str(one.places)),
            ]
            yield f"finding {one.id}: {one.label}", ("", ""), rows


def _on_instances(analysis: Analysis, name: str) -> Iterable[Part]:
    matching = [one for one in analysis.standings if _belongs(name, one.instance)][:_MOST_ROWS]
    rows = [
        (one.instance, _verdict(one.inherent), _verdict(one.designed), _verdict(one.observed))
        for one in matching
    ]
    if rows:
        yield "points, of those needed", ("instance", "bare", "as designed", analysis.basis), rows


def _on_paths(analysis: Analysis, name: str) -> Iterable[Part]:
    matching = [one for one in analysis.paths if name == one.id or _belongs(name, one.instance)]
    chosen = {one.control for one in analysis.selection.chosen}
    for one in matching[:3]:
        rows = [(factor, word, _lifted(one, factor, chosen)) for factor, word in one.rating.items()]
        rows += [
            ("impact", "", f"{impact.name.lower()} by {control}")
            for control, impact in one.caps.items()
            if control in chosen
        ]
        yield f"path {one.id}", ("factor", "bare", "with the chosen controls"), rows


def _lifted(path: AttackPath, factor: str, chosen: set[str]) -> str:
    found = [
        f"{words[factor]} by {control}"
        for control, words in path.lifts.items()
        if control in chosen and factor in words
    ]
    return ", ".join(found)


def _belongs(name: str, instance: str) -> bool:
    """Whether `name` is the instance, or its rule and asset, or its rule."""
    rule, _, rest = instance.partition("@")
    asset = rest.split("@")[1]
    return name in {instance, rule, f"{rule}@{asset}"}


def _verdict(one: Verdict | None) -> str:
    if one is None:
        return "no service"
    return f"{one.points} of {one.required_points}, risk {one.risk}"


def _names(analysis: Analysis) -> list[str]:
    return [
        *analysis.labels,
        *analysis.treatments,
        *(one.id for one in analysis.findings),
        *(one.instance for one in analysis.standings),
    ]
