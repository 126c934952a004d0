"""Where each number of the page comes from: which data, by which rule, shown again by what command.

Source: ISO/TS 12812-2:2017, 6.1; 9.1
"""

from html import escape
from typing import NamedTuple

from tallystick.process.reports.model import Versions


class Origin(NamedTuple):
    """A source: its name in links, the place in the data, the rule, and a command that shows it.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    name: str
    place: str
    rule: str
    command: str


ORIGINS: tuple[Origin, ...] = (
    Origin(
        "counts",
        "/counts",
        "threat rules of the pack that match the programme, place by place; open where the weakest"
        " path has fewer points than its asset requires",
        "tallystick risk run FILE",
    ),
    Origin(
        "states",
        "/states, /layers",
        "one finding for each row that applies to a service that is offered: the newest answer of"
        " every check that the row needs; stale is not satisfied",
        "tallystick prove FOLDER",
    ),
    Origin(
        "clauses",
        "/clauses",
        "the worst state of the rows of a clause: not satisfied, stale, excepted, satisfied, not"
        " applicable",
        "tallystick catalogue",
    ),
    Origin(
        "levels",
        "/layers",
        "the highest likelihood (1 to 5) times impact (1 to 5) of the threats of a layer",
        "tallystick risk run FILE",
    ),
    Origin(
        "selection",
        "/cost, /friction, /trace/chains",
        "the cheapest set under which every path has the points that it needs, with a proof or a"
        " bound; a control counts now if all probes that observe it passed lately, or where none"
        " does if the policy, the release or a document speaks for it; before anything was"
        " observed, if the programme says that it is in place",
        "tallystick risk explain CONTROL FOLDER",
    ),
    Origin(
        "population",
        "/population",
        "shares of the programme times its customers; points of the weakest path over all threats"
        " on telephones of the class",
        "tallystick programme show FILE",
    ),
    Origin(
        "ladders",
        "/ladders",
        "points of a path factor by factor: its hardest step bare, then the most that a chosen"
        " control makes of it",
        "tallystick risk explain PATH FOLDER",
    ),
    Origin(
        "matrix",
        "/matrix, /moves",
        "likelihood from what the weakest path resists, impact of the asset as far as no control"
        " caps it, in three states",
        "tallystick risk run FILE --json",
    ),
    Origin(
        "loss",
        "/losses/curves",
        "years simulated with one seed under three sets of controls: none, the chosen, those that"
        " count now; what it assumes stands below",
        "tallystick risk run FILE --years N --seed SEED",
    ),
    Origin(
        "saved",
        "/losses/saved",
        "the mean of the same simulated years without the control, less the mean with it",
        "tallystick risk explain CONTROL FOLDER",
    ),
    Origin(
        "front",
        "/front",
        "the cheapest set for seven weights of cost and friction, without those that another beats",
        "tallystick risk run FILE --front --json",
    ),
    Origin(
        "trace",
        "/trace",
        "a control works on a risk whose paths it lifts; it is enforced by rules of the policy of"
        " the kind that the pack names; a check bears on it through a row that both serve",
        "tallystick risk explain CONTROL FOLDER",
    ),
    Origin(
        "history",
        "/history",
        "one line for each earlier report of this provider, and this one",
        "cat FOLDER/risk-history.jsonl",
    ),
    Origin(
        "loop",
        "/loop",
        "one line for each round of the loop in which a control, a risk, the policy or a finding"
        " changed",
        "cat FOLDER/loop.jsonl",
    ),
    Origin(
        "protection",
        "/protection",
        "the words of a flow's protocol and its bearer, each with the layers on which it protects;"
        " to be asked about is a flow with nothing on layers 5 to 7, nothing on layers 2 to 4, or"
        " one that others than its ends see in clear",
        "tallystick programme layers FOLDER",
    ),
    Origin(
        "fleet",
        "/fleet",
        "active devices and customers in the store, counted by trust and tier; the most that the"
        " policy in force lets one payment of the easiest sort move; one count an hour in the log",
        "tallystick fleet FOLDER",
    ),
    Origin(
        "tightenings",
        "/tightenings",
        "what the service made stricter by itself or proposed to, and whom that touches",
        "tallystick timeline FOLDER",
    ),
)
"""Every source that a number may be linked to."""


def sources_section(versions: Versions) -> str:
    """The list of sources, to which every number leads.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    made = (
        f"Everything follows from the programme {versions.programme_digest[:16] or 'unknown'}, the"
        f" pack {versions.pack_digest[:16]}, the catalogue {versions.catalogue_digest[:16]} and"
        f" {_policy(versions)}. Places are JSON pointers into the file of numbers beside this page."
    )
    items = "".join(
        f'<div id="from-{one.name}"><dt>{one.name}</dt><dd>{escape(one.rule)}.'
        f'<br><span class="soft">Numbers: <code>{escape(one.place)}</code>. Shown again by:'
        f" <code>{escape(one.command)}</code>.</span></dd></div>"
        for one in ORIGINS
    )
    return (
        '<section id="sources" aria-labelledby="sources-heading">'
        '<h2 id="sources-heading">Where the numbers come from</h2>'
        f'<p class="lead">{escape(made)}</p><dl class="sources">{items}</dl></section>'
    )


def _policy(versions: Versions) -> str:
    if not versions.policy_digest:
        return "no policy (none was found)"
    return f"the policy {versions.policy_digest[:16]}, version {versions.policy_version}"
