"""The page: one HTML text that fetches nothing, in light and dark, for screen, keyboard and paper.

Source: ISO/TS 12812-2:2017, 6.1; W3C WCAG
"""

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from tallystick.kernel.codec import encode_canonical
from tallystick.process.programme.drawing.svg import draw
from tallystick.process.programme.model import Programme
from tallystick.process.reports.course import course_figure
from tallystick.process.reports.deployment import (
    clauses_figure,
    layers_figure,
    population_figure,
)
from tallystick.process.reports.exceedance import losses_figure
from tallystick.process.reports.fleet import fleet_figure
from tallystick.process.reports.front import front_figure
from tallystick.process.reports.ladders import ladders_figure
from tallystick.process.reports.looped import loop_figure
from tallystick.process.reports.marks import figure, moment, scrolled
from tallystick.process.reports.matrix import matrix_figure
from tallystick.process.reports.model import Report, Versions
from tallystick.process.reports.sevenlayers import protection_figure
from tallystick.process.reports.sourcing import sources_section
from tallystick.process.reports.summary import SOURCES
from tallystick.process.reports.tracing import trace_figure

LIMIT: Final = 2 * 1024 * 1024
"""How many octets a page may have."""

_GUARD: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)
_POPULATION: Final = (
    "Shares of customers by telephone; a control that a telephone cannot have does not help there."
)
_LADDERS: Final = (
    "Each bar adds up the factors of one path; the upright line is what its asset requires."
    " Controls do not add up: the strongest on a factor counts."
)
_LOSSES: Final = (
    "Both axes are logarithmic. A curve that is to the right of the diamond at 5 % is above the"
    " appetite."
)
_FLOWS: Final = (
    "Zones side by side, the least trusted on the left; layers one below the other. Line style and"
    " label say the bearer, a padlock says end-to-end."
)
_PROTECTION: Final = (
    "The layers of ISO/IEC 7498-1, the application on the left. What a network does by itself"
    " counts as a protection of its link and of nothing else."
)
_FLEET: Final = (
    "Devices as they are. What many telephones that are trusted for long report makes the threats"
    " that it shows more likely now."
)
_HEAD: Final = (
    '<svg width="0" height="0" aria-hidden="true" focusable="false" class="defs"><defs>'
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
    ' markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><path class="hatching" d="M0 0V6"/></pattern></defs></svg>'
)


def report_json(report: Report) -> bytes:
    """The numbers of `report` as canonical JSON.

    Source: RFC 8785
    """
    return encode_canonical(report)


def report_page(report: Report, programme: Programme) -> str:
    """The page of `report`; equal numbers give equal octets.

    Source: ISO/TS 12812-2:2017, 6.1; W3C WCAG
    """
    parts = tuple(_figures(report, programme))
    links = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title, _ in parts)
    title = escape(f"{report.versions.owner}: risk, policy and proof")
    sentences = "".join(
        f'<li>{escape(one)} <a class="from" href="#from-{source}"'
        f' aria-label="where the numbers of sentence {at} come from">from {source}</a></li>'
        for at, (one, source) in enumerate(zip(report.summary, SOURCES, strict=True), start=1)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_GUARD}">'
        f'<meta name="color-scheme" content="light dark"><title>{title}</title>'
        f"<style>{_file('page.css')}</style></head><body>{_HEAD}"
        f'<a class="skip" href="#summary">Skip to the summary</a>'
        f"<header><h1>{title}</h1>{_versions(report.versions)}"
        f'<nav aria-label="Figures"><ol>{links}<li><a href="#sources">Where the numbers come from'
        "</a></li></ol></nav></header>\n<main>"
        '<section id="summary" aria-labelledby="summary-heading">'
        f'<h2 id="summary-heading">In five sentences</h2><ol class="summary">{sentences}</ol>'
        "</section>\n" + "\n".join(part for _, _, part in parts) + "\n"
        f"{_assumptions(report)}\n{sources_section(report.versions)}</main>"
        "<footer><p>Points and ranks are ordinal: they order attacks, they do not measure them."
        " The catalogue is a reconstruction in our own words, aligned with ISO/TS 12812-2:2017."
        f"</p></footer><script>{_file('page.js')}</script></body></html>\n"
    )


@cache
def _file(name: str) -> str:
    return files("tallystick.process.reports").joinpath(name).read_text("utf-8")


def _versions(versions: Versions) -> str:
    policy = f"version {versions.policy_version}" if versions.policy_digest else "none was found"
    rows = (
        ("programme", versions.programme, versions.programme_digest),
        ("pack", versions.pack, versions.pack_digest),
        ("policy", policy, versions.policy_digest),
        ("catalogue", "ISO/TS 12812-2:2017, own words", versions.catalogue_digest),
        ("engine", versions.engine, ""),
        ("controls count as", versions.basis, ""),
        ("profile", versions.profile, ""),
        ("made", moment(versions.made_at), ""),
    )
    items = "".join(
        f"<div><dt>{name}</dt><dd>{escape(said)}"
        + (f'<br><code title="SHA-256">{escape(digest)}</code>' if digest else "")
        + "</dd></div>"
        for name, said, digest in rows
    )
    return f'<dl class="versions">{items}</dl>'


_Part = tuple[str, str, str, str]
"""A figure: its name, its title, what to look at, and what is in it."""


def _figures(report: Report, programme: Programme) -> Iterable[tuple[str, str, str]]:
    for name, title, said, inside in (*_state(report), *_risk(report), *_proof(report, programme)):
        yield name, title, figure(name, title, said, inside)


def _state(report: Report) -> tuple[_Part, ...]:
    basis = report.versions.basis
    return (
        (
            "layers",
            "1. The three layers of this deployment",
            "What of this deployment is on each layer, what threatens it, and what is proved.",
            layers_figure(report.layers, basis),
        ),
        (
            "clauses",
            "2. The clauses and what is known of each",
            "Counts have their denominators; what nobody looked at lately is hatched.",
            clauses_figure(report.clauses, report.states, report.rows),
        ),
        (
            "population",
            "3. The customers, and who is shut out",
            _POPULATION,
            population_figure(report.population, basis),
        ),
    )


def _risk(report: Report) -> tuple[_Part, ...]:
    basis = report.versions.basis
    return (
        (
            "ladders",
            "4. Attack paths against what is required",
            _LADDERS,
            ladders_figure(report.ladders),
        ),
        (
            "matrix",
            "5. Risk bare, as designed, as it is now",
            "Every place where a threat arises, in its cell of likelihood and impact.",
            matrix_figure(report.matrix, report.moves, basis),
        ),
        (
            "losses",
            "6. The loss of a year",
            f"{report.losses.years:,} years simulated, seed {report.losses.seed!r}. {_LOSSES}",
            losses_figure(report.losses),
        ),
        (
            "front",
            "7. Cost against friction",
            "Sets of controls that are all enough: what each costs, and asks of the customers.",
            front_figure(report.front, report.friction_budget),
        ),
    )


def _proof(report: Report, programme: Programme) -> tuple[_Part, ...]:
    return (
        (
            "trace",
            "8. From risk to finding",
            "Choose one thing, and everything that hangs on it is shown.",
            trace_figure(report.trace),
        ),
        (
            "course",
            "9. The residual over time",
            "What is left of the risk, observation by observation, and when the policy changed.",
            course_figure(report.history, report.versions.basis, report.loop, report.tightenings),
        ),
        (
            "loop",
            "10. The loop: control, residual, policy, finding",
            "On one axis of time: what fell, rose, was proposed, flipped, and was tightened.",
            loop_figure(report.loop, report.tightenings, report.losses.tolerated.currency),
        ),
        (
            "flows",
            "11. The data flows by layer and zone",
            _FLOWS,
            scrolled("Data flows", draw(programme)),
        ),
        (
            "protection",
            "12. What protects each flow on the seven layers",
            _PROTECTION,
            protection_figure(report.protection),
        ),
        (
            "fleet",
            "13. The devices, and which clause holds whom",
            _FLEET,
            fleet_figure(report.fleet, report.losses.tolerated.currency),
        ),
    )


def _assumptions(report: Report) -> str:
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(said)}</dd></div>"
        for name, said in sorted(report.losses.assumptions.items())
    )
    return (
        '<section id="assumptions" aria-labelledby="assumptions-heading">'
        '<h2 id="assumptions-heading">What the loss rests on</h2>'
        f'<dl class="sources">{items}</dl></section>'
    )
