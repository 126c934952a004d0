"""The trace: from a risk to the controls chosen for it, what enforces them, what looks at them.

    risk -> control -> policy row, and check -> finding

A control works on a risk if it lifts a step of one of its paths. A check bears on a control if it
bears on a row of the catalogue that the control serves; the finding is that of the row.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from tallystick.kernel.codec import encode_canonical
from tallystick.process.catalogue.model import Requirement
from tallystick.process.conformance.checks import Check
from tallystick.process.reports.marks import table
from tallystick.process.reports.material import Material
from tallystick.process.reports.model import Chain, Trace, Traced
from tallystick.process.reports.policyrows import POLICY, rules_for
from tallystick.process.risk.residual import Seen

NEVER: Final = "never"
"""The state of a check that nobody made yet."""

COLUMNS: Final = ("risk", "control", "policy row", "check", "finding")


def trace_of(material: Material) -> Trace:
    """The chain of every chosen control, and everything that is in one.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    risks = _risks_by_control(material)
    bearing: dict[str, list[Check]] = {}
    for check in material.checks:
        for row in check.requirements:
            bearing.setdefault(row, []).append(check)
    found = {one.requirement: one for one in material.findings}
    rules: dict[str, str] = {}
    chains: list[Chain] = []
    for name in sorted(material.chosen()):
        control = material.pack.controls[name]
        served = [one for one in (*control.mandatory, *control.requirements) if one in found]
        carried = () if material.policy is None else rules_for(material.policy, control.enforced_by)
        rules.update(dict(carried))
        state = material.observation.states.get(name)
        chains.append(
            Chain(
                control=name,
                label=control.label,
                layer=control.layer.value,
                seen=Seen.UNKNOWN.value if state is None else state.seen.value,
                enforced=control.enforced_by,
                risks=tuple(sorted(risks.get(name, ()))),
                rows=tuple(one for one, _ in carried),
                checks=tuple(sorted({one.id for row in served for one in bearing.get(row, ())})),
                findings=tuple(sorted(set(served))),
            )
        )
    return Trace(
        chains=tuple(chains),
        risks=_risks(material),
        rows=tuple(Traced(id=name, says=says, state="") for name, says in sorted(rules.items())),
        checks=_checks(material, {one for chain in chains for one in chain.checks}),
        findings=tuple(
            Traced(
                id=name,
                says=short_text(material.catalogue.requirements[name]),
                state=found[name].state.value,
            )
            for name in sorted({one for chain in chains for one in chain.findings})
        ),
    )


def short_text(row: Requirement) -> str:
    """The first sentence of a row, for a list.

    Source: ISO/TS 12812-2:2017, 7.3.1
    """
    first, dot, _ = row.text.partition(". ")
    return f"{first}." if dot else first


def _risks_by_control(material: Material) -> dict[str, set[str]]:
    chosen = material.chosen()
    found: dict[str, set[str]] = {}
    for instance in material.analysis.instances:
        for control in material.scenes.of(instance).controls & chosen:
            found.setdefault(control, set()).add(instance.rule)
    return found


def _risks(material: Material) -> tuple[Traced, ...]:
    """Every threat rule that arises, with its highest risk in the three states."""
    rule_of = {one.id: one.rule for one in material.analysis.instances}
    levels: dict[str, list[tuple[int, int, int]]] = {}
    for one in material.analysis.standings:
        verdicts = (one.inherent, one.designed, one.observed)
        risk = tuple(0 if verdict is None else verdict.risk for verdict in verdicts)
        levels.setdefault(rule_of[one.instance], []).append((risk[0], risk[1], risk[2]))
    found: list[Traced] = []
    for name, risks in sorted(levels.items()):
        bare, designed, observed = (max(column) for column in zip(*risks, strict=True))
        rule = material.pack.rules[name]
        state = f"{bare}, designed {designed}, now {observed}"
        found.append(Traced(id=name, says=f"{rule.label} ({rule.threat})", state=state))
    return tuple(found)


def _checks(material: Material, wanted: Iterable[str]) -> tuple[Traced, ...]:
    by_id = {one.id: one for one in material.checks}
    now = material.versions.made_at
    found: list[Traced] = []
    for name in sorted(wanted):
        check, answer = by_id[name], material.answers.get(name)
        if answer is None:
            state = NEVER
        else:
            state = (
                answer.verdict.value if answer.is_fresh(now) else f"{answer.verdict.value}, stale"
            )
        found.append(Traced(id=name, says=check.says, state=state, bears=check.requirements))
    return tuple(found)


def kept(trace: Trace) -> tuple[tuple[str, int, int], ...]:
    """How far chains reach: what is counted, how many hold, of how many.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    behind = {one for chain in trace.chains for one in chain.risks}
    made = {one.id for one in trace.checks if one.state != NEVER}
    fresh = {one.id for one in trace.checks if one.state == "pass"}
    good = {one.id for one in trace.findings if one.state == "satisfied"}
    policy = [one for one in trace.chains if any(word.startswith(POLICY) for word in one.enforced)]
    ruled = sum(bool(one.rows) for one in policy)
    tried = sum(bool(made & set(one.checks)) for one in trace.chains)
    seen = sum(one.seen == Seen.ENFORCED.value for one in trace.chains)
    total = len(trace.chains)
    return (
        ("risks with a chosen control", len(behind), len(trace.risks)),
        ("controls for the policy that have a row in it", ruled, len(policy)),
        ("controls with a check that was made", tried, total),
        ("checks that passed and are fresh", len(fresh), len(trace.checks)),
        ("findings that are satisfied", len(good), len(trace.findings)),
        ("controls that count as seen at work", seen, total),
    )


def trace_figure(trace: Trace) -> str:
    """How far chains reach, the choice of one thing (with a script), and the table of all chains.

    Source: ISO/TS 12812-2:2017, 6.1; 9.1
    """
    bars = "".join(_bar(*one) for one in kept(trace))
    rows = [
        (
            one.control,
            one.seen,
            ", ".join(one.risks) or "none",
            ", ".join(one.rows) or ", ".join(one.enforced) or "nothing named",
            _by_state(trace.checks, one.checks),
            _by_state(trace.findings, one.findings),
        )
        for one in trace.chains
    ]
    columns = ("control", "seen", "risks", "enforced by", "checks", "findings")
    whole = table("Every chain", columns, rows, "chains")
    whole = _with_anchors(whole, [one.control for one in trace.chains])
    return (
        f'<ul class="bars">{bars}</ul><div id="chooser" hidden></div>'
        f"<noscript><p>Choosing one thing takes a script; the table has every chain.</p></noscript>"
        f"<details open><summary>Every chain as a table</summary>{whole}</details>"
        f'<script type="application/json" id="trace-data">{trace_json(trace)}</script>'
    )


def _bar(words: str, holds: int, total: int) -> str:
    share = 100 * holds // total if total else 0
    return (
        f'<li><span class="words">{escape(words)}: <a class="n" href="#from-trace">{holds} of'
        f' {total}</a></span><span class="track" aria-hidden="true">'
        f'<span class="done" style="width:{share}%"></span></span></li>'
    )


def _by_state(things: Iterable[Traced], wanted: Iterable[str]) -> str:
    named = frozenset(wanted)
    grouped: dict[str, list[str]] = {}
    for one in things:
        if one.id in named:
            grouped.setdefault(one.state, []).append(one.id)
    return (
        "; ".join(f"{state}: {', '.join(ids)}" for state, ids in sorted(grouped.items())) or "none"
    )


def _with_anchors(whole: str, controls: Iterable[str]) -> str:
    """The table with an anchor at each control, to which other figures lead."""
    for one in controls:
        plain = f'<tr><th scope="row">{escape(one)}</th>'
        named = f'<tr id="control-{escape(one)}"><th scope="row">{escape(one)}</th>'
        whole = whole.replace(plain, named, 1)
    return whole


def trace_json(trace: Trace) -> str:
    """The trace for the page's script; nothing in it can end the element that it stands in.

    Source: RFC 8785; W3C HTML
    """
    return encode_canonical(_for_script(trace)).decode().replace("<", "\\u003c")


def _for_script(trace: Trace) -> Mapping[str, object]:
    def listed(things: Iterable[Traced]) -> list[list[object]]:
        return [[one.id, one.says, one.state, list(one.bears)] for one in things]

    return {
        "columns": list(COLUMNS),
        "risks": listed(trace.risks),
        "rows": listed(trace.rows),
        "checks": listed(trace.checks),
        "findings": listed(trace.findings),
        "chains": [
            [
                one.control,
                one.label,
                one.seen,
                list(one.risks),
                list(one.rows),
                list(one.checks),
                list(one.findings),
                list(one.enforced),
            ]
            for one in trace.chains
        ],
    }
