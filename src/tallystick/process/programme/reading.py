"""From the text of `mfs.yaml` to `Programme`, every reference in it resolved.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

import re
from collections.abc import Collection
from typing import Final

from tallystick.kernel.errors import Malformed
from tallystick.kernel.money import Money, currency_exponent
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import Service
from tallystick.process.programme.entries import (
    SLUG,
    Named,
    choices_of,
    declared,
    grade_of,
    listed,
    slugs,
)
from tallystick.process.programme.model import (
    Appetite,
    Behaviour,
    ControlsWanted,
    Objectives,
    Offer,
    Programme,
    Surroundings,
)
from tallystick.process.programme.people import (
    read_actors,
    read_jurisdictions,
    read_organisation,
    read_parties,
)
from tallystick.process.programme.system import (
    read_assets,
    read_devices,
    read_environments,
    read_flows,
    read_nodes_of,
    read_zones,
)
from tallystick.process.programme.words import Impact, Strength
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import money, share, spread
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import read_nodes

FORM: Final = "1.0"
MAX_PROGRAMME: Final = 1024 * 1024
CONNECTIVITY: Final = ("steady", "intermittent", "rare")
"""How often a customer who wants to pay is connected."""

_SECTIONS: Final = (
    "mfs",
    "service",
    "uses",
    "services",
    "jurisdictions",
    "parties",
    "organisation",
    "devices",
    "secure_envs",
    "zones",
    "nodes",
    "assets",
    "flows",
    "behaviour",
    "environment",
    "actors",
    "appetite",
    "controls",
)
_VOLUMES: Final = ("customers", "payments_per_year", "average_payment", "largest_payment")
_OBJECTIVES: Final = ("decision_p95_ms", "availability", "rto", "rpo")
_HOURS: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$"
_ANY_CURRENCY: Final = "USD"
_TODO: Final = re.compile(r"#\s*todo\b[:\s]*(.*)$", re.IGNORECASE)


def read_programme(text: str, controls: Collection[str] | None = None) -> Programme:
    """The programme in `text`; `controls` are the ids that the packs have, None to take any.

    Raises Malformed with every defect, each with line and column; TooLarge past 1 MiB of text.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    defects = Defects(remedy="correct the programme: docs/reference/programme.md")
    nodes = read_nodes(text, "programme", most=MAX_PROGRAMME, decimals=True)
    root = Section(nodes, "", defects, _SECTIONS)
    form, at = root.scalar("mfs")
    if form is not None and str(form) != FORM:
        defects.add(at, f'this release reads programmes of the form mfs: "{FORM}"')
    named = declared(root)
    service = root.section("service", ("id", "owner", "currency", "volumes", "objectives"))
    currency = _currency(service)
    programme = Programme(
        offer=_offer(service, currency),
        uses=slugs(root, "uses") if "uses" in root else _lacking(root, "uses"),
        services=choices_of(root, "services", Service),
        jurisdictions=read_jurisdictions(root),
        parties=read_parties(root),
        organisation=read_organisation(root, named),
        devices=read_devices(root, named),
        secure_envs=read_environments(root),
        zones=read_zones(root),
        nodes=read_nodes_of(root, named),
        assets=read_assets(root, named),
        flows=read_flows(root, named),
        behaviour=_behaviour(root),
        surroundings=_surroundings(root),
        actors=read_actors(root),
        appetite=_appetite(root, named, currency),
        controls=_controls(root, controls),
    )
    if not programme.services and "services" in root:
        defects.add(root.position("services"), "a programme offers at least one service")
    defects.refuse()
    return programme


def open_questions(text: str) -> tuple[tuple[Position, str], ...]:
    """Comments of `text` that begin with `todo`, each with its position and what it asks.

    An import writes one wherever its source says nothing.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    found = [(line, _TODO.search(row)) for line, row in enumerate(text.splitlines(), 1)]
    return tuple(
        (Position(line=line, column=match.start() + 1), match[1].strip() or "left open")
        for line, match in found
        if match is not None
    )


def _lacking(root: Section, word: str) -> tuple[str, ...]:
    root.node(word)
    return ()


def _currency(service: Section) -> str:
    currency = service.text("currency", "^[A-Z]{3}$", "an ISO 4217 code")
    if currency:
        try:
            currency_exponent(currency)
        except Malformed as error:
            service.defects.add(service.position("currency"), error.detail)
            return ""
    return currency


def _amount(section: Section, word: str, currency: str) -> Money:
    """The amount under `word`; nothing can be said of amounts while the currency is not known."""
    if currency:
        return money(section, word, currency)
    section.node(word)
    return Money(0, _ANY_CURRENCY)


def _offer(service: Section, currency: str) -> Offer:
    volumes = service.section("volumes", _VOLUMES)
    objectives = service.section("objectives", _OBJECTIVES)
    found = Offer(
        id=service.text("id", SLUG, "small letters, digits and -, as in demo-wallet"),
        owner=service.text("owner", r"^\S.{0,78}\S$", "a name of 2 to 80 characters"),
        currency=currency,
        customers=volumes.integer("customers", 1),
        payments_per_year=volumes.integer("payments_per_year", 1),
        average_payment=_amount(volumes, "average_payment", currency),
        largest_payment=_amount(volumes, "largest_payment", currency),
        objectives=Objectives(
            decision_p95_ms=objectives.integer("decision_p95_ms", 1, 60_000),
            availability=share(objectives, "availability"),
            rto_ms=objectives.duration("rto", 0, 30 * DAY_MS),
            rpo_ms=objectives.duration("rpo", 0, 30 * DAY_MS),
        ),
    )
    if found.average_payment.minor > found.largest_payment.minor:
        at = volumes.position("average_payment")
        service.defects.add(at, "the average payment is above the largest")
    return found


def _behaviour(root: Section) -> Behaviour:
    words = ("payments_per_week", "hours", "new_payees_per_month")
    one = root.section("behaviour", words)
    return Behaviour(
        payments_per_week=spread(one, "payments_per_week"),
        hours=one.text("hours", _HOURS, 'quoted hours of the day, as in "06:00-22:00"'),
        new_payees_per_month=spread(one, "new_payees_per_month"),
    )


def _surroundings(root: Section) -> Surroundings:
    one = root.section("environment", ("connectivity", "shared_phones", "agent_assisted"))
    return Surroundings(
        connectivity=one.choice("connectivity", CONNECTIVITY),
        shared_phones=share(one, "shared_phones"),
        agent_assisted=share(one, "agent_assisted"),
    )


def _appetite(root: Section, named: Named, currency: str) -> Appetite:
    words = ("annual_loss", "resistance", "friction_budget", "inclusion_weight")
    one = root.section("appetite", words)
    loss = one.section("annual_loss", ("p95", "reputational", "legal"))
    resistance: dict[str, Strength] = {}
    if "resistance" in one:
        wanted = one.section("resistance", named.of("assets"))
        known = frozenset(named.of("assets"))
        resistance = {
            name: grade_of(wanted, name, Strength) for name, _ in wanted.names() if name in known
        }
    return Appetite(
        annual_loss_p95=_amount(loss, "p95", currency),
        reputational=grade_of(loss, "reputational", Impact),
        legal=grade_of(loss, "legal", Impact),
        resistance=resistance,
        friction_budget=one.integer("friction_budget", 0, 1000) if "friction_budget" in one else 0,
        inclusion_weight=one.integer("inclusion_weight", 0, 1000),
    )


def _controls(root: Section, known: Collection[str] | None) -> ControlsWanted:
    if "controls" not in root:
        return ControlsWanted(in_place=(), not_available={}, costs={})
    one = root.section("controls", ("in_place", "not_available", "costs"))
    in_place = slugs(one, "in_place") if known is None else listed(one, "in_place", known)
    absent = one.section("not_available", known) if "not_available" in one else None
    costs = one.section("costs", known) if "costs" in one else None
    found = ControlsWanted(
        in_place=in_place,
        not_available={} if absent is None else {n: absent.text(n) for n, _ in absent.names()},
        costs={} if costs is None else {n: costs.integer(n, 0, 1000) for n, _ in costs.names()},
    )
    for name in found.not_available:
        if name in in_place and absent is not None:
            text = f"{name} cannot be in place and not available"
            root.defects.add(absent.position(name), text)
    return found
