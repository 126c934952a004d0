"""From what a report is made from to its numbers.

Source: ISO/TS 12812-2:2017, 5; 6.1; A
"""

from tallystick.kernel.model import replace
from tallystick.process.reports.course import is_news, point_of
from tallystick.process.reports.exceedance import losses_of
from tallystick.process.reports.front import front_of
from tallystick.process.reports.ladders import ladders_of
from tallystick.process.reports.material import Material
from tallystick.process.reports.matrix import cells_of, moves_of
from tallystick.process.reports.model import FORMAT, Report
from tallystick.process.reports.sevenlayers import protection_of
from tallystick.process.reports.standing import clauses_of, layers_of, population_of, states_of
from tallystick.process.reports.summary import summary_of
from tallystick.process.reports.tracing import trace_of


def gather(material: Material) -> Report:
    """All numbers of the report; equal material gives equal numbers.

    The history ends with this observation unless the last one that was handed in says the same.
    Source: ISO/TS 12812-2:2017, 5; 6.1; A
    """
    analysis, programme = material.analysis, material.programme
    selection, moves = analysis.selection, moves_of(material)
    losses = losses_of(material)
    report = Report(
        format=FORMAT,
        versions=material.versions,
        summary=summary_of(material, losses),
        services=tuple(one.value for one in programme.services),
        customers=programme.offer.customers,
        counts=analysis.counts,
        states=states_of(material.findings),
        rows=len(material.findings),
        cost=selection.cost,
        friction=selection.friction,
        friction_budget=programme.appetite.friction_budget,
        optimal=selection.optimal,
        shut_out_share=selection.shut_out_share,
        layers=layers_of(material),
        clauses=clauses_of(material),
        population=population_of(material),
        ladders=ladders_of(material),
        matrix=cells_of(moves),
        moves=moves,
        losses=losses,
        front=front_of(material),
        trace=trace_of(material),
        history=(),
        loop=material.loop,
        protection=protection_of(programme),
        tightenings=material.tightenings,
        fleet=material.fleet,
    )
    point = point_of(report)
    new = (point,) if is_news(material.history, point) else ()
    return replace(report, history=(*material.history, *new))
