"""Probes of the programme, its analysis and the policy: whole, current, and of one piece?

Source: ISO/TS 12812-2:2017, 6.1; 6.2; 7.1; A
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from tallystick.client.http import HttpTransport
from tallystick.entry.deriving import Written
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    declare,
    failed,
    judged,
    part,
    unknown,
)
from tallystick.entry.proving.objectives import burn_of
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.entry.surface import Side, compare, discover
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.programme.drawing.svg import draw
from tallystick.process.programme.layers import layer_rows
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import Analysis, read_analysis
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_for

YEAR_MS: Final = 365 * DAY_MS
_LAYERS: Final = ("application", "infrastructure", "process")
_reasons: Final = Decoder(Written, limit=4 * 1024 * 1024)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("objectives.burn", CheckKind.TELEMETRY, ("MFS-6.1-03",),
     "each service has objectives, and the running service is within them"),
    ("programme.operations", CheckKind.STATIC, ("MFS-6.2.2-03",),
     "each operation of the service has a flow of the programme that was assessed"),
    ("programme.inventoried", CheckKind.STATIC, (part("MFS-6.2.3-01"), part("MFS-14.3-03")),
     "what the service is joined to is in the programme, and each node and flow is drawn"),
    ("programme.layers", CheckKind.STATIC, ("MFS-6.2.3-06",),
     "each flow is protected on the layers 2 to 4 and on 5 to 7"),
    ("programme.dimensions", CheckKind.STATIC, (part("MFS-6.2.2-02"),),
     "devices, behaviour, attackers and surroundings of the service are described"),
    ("programme.parties", CheckKind.STATIC, (part("MFS-6.1-05"),),
     "each party under contract has evidence of its security that has not ended"),
    ("risk.layers", CheckKind.STATIC, ("MFS-6.2-01",),
     "all three layers are analysed, and nothing above the appetite is open"),
    ("risk.designed", CheckKind.STATIC, (part("MFS-6.2-02"),),
     "the chosen controls leave nothing open by design"),
    ("risk.treated", CheckKind.STATIC, (part("MFS-6.2.1-05"),),
     "each open risk has an asset with an owner, and a treatment"),
    ("risk.current", CheckKind.STATIC, (part("MFS-A-01"), part("MFS-A-03")),
     "the analysis is of this programme and these rules, and not older than a year"),
    ("policy.derived", CheckKind.STATIC, ("MFS-6.1-06",),
     "each limit and row of the policy in force follows from the analysis"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


def programme_of(site: Site) -> Programme:
    """The programme of the provider.

    Raises NotFound where there is none, Malformed for one that cannot be read.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    file = site.folder.programme_file
    if not file.exists():
        raise NotFound("there is no programme", remedy=f"write {file}")
    return _read(file.read_bytes())


@lru_cache(maxsize=2)
def _read(octets: bytes) -> Programme:
    text = octets.decode("utf-8", "replace")
    return read_programme(text, _pack(read_programme(text).uses).controls)


@lru_cache(maxsize=2)
def _pack(uses: tuple[str, ...]) -> Pack:
    return pack_for(uses)


@lru_cache(maxsize=2)
def _analysed(octets: bytes) -> Analysis:
    return read_analysis(octets)


class ModelProbes:
    """Looks at the programme of one provider, and at what was made of it.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks: dict[str, Callable[[Instant], Seen]] = {
            "objectives.burn": self.burn,
            "programme.operations": self.operations,
            "programme.inventoried": self.inventoried,
            "programme.layers": self.layers,
            "programme.dimensions": self.dimensions,
            "programme.parties": self.parties,
            "risk.layers": self.risk_layers,
            "risk.designed": self.designed,
            "risk.treated": self.treated,
            "risk.current": self.current,
            "policy.derived": self.derived,
        }
        declare(registry, _DECLARED, looks)

    # --- objectives ---------------------------------------------------------------------------

    def burn(self, now: Instant) -> Seen:
        """Reads the metrics of the running service against p95 and availability.

        Only of the service that customers use: what probes do says nothing about it.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.3
        """
        programme = programme_of(self._site)
        if not self._site.url or self._site.platform is not None:
            return unknown("the service that customers use was not looked at: give its address")
        link = HttpTransport(self._site.url, ca_file=self._site.ca_file)
        try:
            text = link.get("/metrics").body.decode()
        finally:
            link.close()
        return burn_of(programme, text)

    # --- programme ----------------------------------------------------------------------------

    def operations(self, now: Instant) -> Seen:
        """Whether each operation of this version has a flow.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        found = discover(self._site.folder)
        lacking = [
            one.says for one in compare(found, programme_of(self._site)) if one.sort == "operation"
        ]
        return judged(
            not lacking,
            f"{len(found.operations)} operations, each with a flow",
            "; ".join(lacking[:3]),
            operations=len(found.operations),
            lacking=len(lacking),
        )

    def inventoried(self, now: Instant) -> Seen:
        """Whether links and keys have their nodes, and the drawing shows every node and flow.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        programme = programme_of(self._site)
        wrong = [
            one.says
            for one in compare(discover(self._site.folder), programme)
            if one.sort in {"link", "key"} and one.side is Side.DEPLOYED
        ]
        drawing = draw(programme)
        undrawn = [one for one in (*programme.nodes, *programme.flows) if one not in drawing]
        wrong += [f"{one} is not drawn" for one in undrawn]
        return judged(
            not wrong,
            f"{len(programme.nodes)} nodes and {len(programme.flows)} flows, every link among them",
            "; ".join(wrong[:3]),
            nodes=len(programme.nodes),
            flows=len(programme.flows),
            lacking=len(wrong),
        )

    def layers(self, now: Instant) -> Seen:
        """Whether each flow is protected on both halves of the layers.

        Source: ISO/TS 12812-2:2017, 6.2.3; 7.2.3
        """
        rows = layer_rows(programme_of(self._site))
        bare = [one for one in rows if not _both_halves(frozenset(one.layers))]
        return judged(
            bool(rows) and not bare,
            f"{len(rows)} flows, each protected on both halves",
            "; ".join(f"{one.flow}: {one.gap}" for one in bare[:3]) or "there are no flows",
            flows=len(rows),
            bare=len(bare),
        )

    def dimensions(self, now: Instant) -> Seen:
        """Whether the four dimensions of a service's description are there.

        Source: ISO/TS 12812-2:2017, 6.2.2
        """
        programme = programme_of(self._site)
        counted = {
            "devices": len(programme.devices),
            "environments": len(programme.secure_envs),
            "actors": len(programme.actors),
            "hours": len(programme.behaviour.hours),
            "connectivity": len(programme.surroundings.connectivity),
        }
        lacking = [name for name, count in counted.items() if not count]
        return judged(
            not lacking, "all four are described", f"without: {', '.join(lacking)}", **counted
        )

    def parties(self, now: Instant) -> Seen:
        """Whether the evidence of each party under contract is still in its time.

        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        bound = [one for one in programme_of(self._site).parties.values() if one.contract]
        late = [one.id for one in bound if one.system is None or one.system.valid_to <= now]
        return judged(
            bool(bound) and not late,
            f"{len(bound)} parties, none without evidence",
            f"without evidence in force: {', '.join(late[:5]) or 'there are no parties'}",
            numerator=len(bound) - len(late),
            denominator=len(bound),
        )

    # --- analysis -----------------------------------------------------------------------------

    def _analysis(self) -> Analysis:
        file = self._site.folder.risk_file
        if not file.exists():
            raise NotFound("the risks were not analysed", remedy="run: tallystick risk run FOLDER")
        return _analysed(file.read_bytes())

    def risk_layers(self, now: Instant) -> Seen:
        """Whether each layer and each service was analysed, and what is open.

        Source: ISO/TS 12812-2:2017, 6.2; A
        """
        analysis, programme = self._analysis(), programme_of(self._site)
        lacking = [one for one in _LAYERS if one not in analysis.by_layer]
        lacking += [one.value for one in programme.services if one.value not in analysis.by_service]
        if lacking:
            return failed(f"not analysed: {', '.join(lacking)}")
        places = analysis.counts.get("open_observed", 0)
        return judged(
            not analysis.findings,
            f"{len(_LAYERS)} layers, nothing is open",
            f"{len(analysis.findings)} risks above the appetite are open, at {places} places",
            findings=len(analysis.findings),
            places=places,
            layers=len(analysis.by_layer),
        )

    def designed(self, now: Instant) -> Seen:
        """Whether the chosen controls, once they are there, leave anything open.

        Source: ISO/TS 12812-2:2017, 6.2; A
        """
        analysis = self._analysis()
        left = analysis.counts.get("open_designed", -1)
        chosen = len(analysis.selection.chosen)
        return judged(
            left == 0 and not analysis.unmet and chosen > 0,
            f"{chosen} controls leave nothing open",
            f"{left} places stay open, {len(analysis.unmet)} controls cannot be had",
            controls=chosen,
            open=left,
        )

    def treated(self, now: Instant) -> Seen:
        """Whether each open risk has whose asset it is, and what is to be done.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        analysis, programme = self._analysis(), programme_of(self._site)
        owned = {one.id for one in programme.assets.values() if one.owner}
        bare = [
            one.id
            for one in analysis.findings
            if one.id.rpartition("@")[2] not in owned or not one.missing
        ]
        return judged(
            not bare,
            f"{len(analysis.findings)} open risks, each with owner and treatment",
            f"without owner or treatment: {', '.join(bare[:3])}",
            risks=len(analysis.findings),
            bare=len(bare),
        )

    def current(self, now: Instant) -> Seen:
        """Whether the analysis is of this programme, these rules, and of the last year.

        Source: ISO/TS 12812-2:2017, A
        """
        analysis, programme = self._analysis(), programme_of(self._site)
        if analysis.programme_digest != sha256(encode_canonical(programme)).hex():
            return failed("the programme was changed after its risks were analysed")
        pack, listed = _pack(programme.uses), catalogue().threats
        if analysis.pack_digest != pack.digest:
            return failed("the analysis used other rules than this version has")
        age = now - int(self._site.folder.risk_file.stat().st_mtime * 1000)
        looked = {one.threat for one in pack.rules.values()}
        known = f"{len(looked & listed.keys())} of {len(listed)} catalogued threats"
        return judged(
            age <= YEAR_MS,
            f"{age // DAY_MS} days old, {known} and {len(looked - listed.keys())} others",
            f"{age // DAY_MS} days old",
            age_days=age // DAY_MS,
            threats=analysis.counts.get("threats", 0),
        )

    def derived(self, now: Instant) -> Seen:
        """Whether each limit and row in force has a reason in the analysis of this programme.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        file = self._site.folder.derived_file
        beside = file.with_name(f"{file.name}.reasons.json")
        if not beside.exists():
            return unknown("no policy was derived from an analysis")
        written = _reasons.decode(beside.read_bytes())
        if written.programme_digest != self._analysis().programme_digest:
            return failed("the reasons are of another analysis")
        reasons = {
            one.row for one in written.rows if one.controls or one.threats or one.requirements
        }
        policy = policy_in_force(self._site)[0]
        rows = [*(one.id for one in policy.limits), *(one.id for one in policy.decisions)]
        bare = [one for one in rows if one not in reasons]
        return judged(
            not bare,
            f"{len(rows)} limits and rows, each with its reason",
            f"no reason for {len(bare)} of {len(rows)}: {', '.join(bare[:5])}",
            numerator=len(rows) - len(bare),
            denominator=len(rows),
        )


def _both_halves(layers: frozenset[int]) -> bool:
    return bool(layers & {5, 6, 7}) and bool(layers & {2, 3, 4})
