"""From the text of a policy to `Policy`: every section, with the bounds that no policy may loosen.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2
"""

import re
from collections.abc import Iterable

from tallystick.kernel.errors import Malformed
from tallystick.kernel.money import currency_exponent
from tallystick.kernel.time import DAY_MS, HOUR_MS, MINUTE_MS
from tallystick.process.policy.facts import FOREVER, Channel, Dependency, Operation, OperatorAct
from tallystick.process.policy.language.incentives import read_incentives
from tallystick.process.policy.language.lives import read_devices, read_education, read_recovery
from tallystick.process.policy.language.measures import read_tightening, read_tightening_caps
from tallystick.process.policy.language.model import (
    AttemptRule,
    AuthenticatorRule,
    DependencyRule,
    FactorRule,
    Header,
    OperatorRules,
    Policy,
    SessionRule,
    Tier,
)
from tallystick.process.policy.language.rows import (
    SLUG,
    read_default,
    read_limits,
    read_rows,
    refuse_repeated_ids,
)
from tallystick.process.policy.language.suites import (
    read_handshake,
    read_instant,
    read_signatures,
)
from tallystick.process.policy.regimes import regime_names
from tallystick.process.yamltext.section import Defects, Section, suggestion
from tallystick.process.yamltext.tree import read_nodes

PROFILES = ("demo", "production")
ON_FAILURE = ("open", "closed", "reduced-limit", "stale")
TWO_FACTORS = tuple(
    operation.value
    for operation in (
        Operation.LOGIN,
        Operation.PAY,
        Operation.ADD_PAYEE,
        Operation.CHANGE_PROFILE,
        Operation.CHANGE_PIN,
        Operation.MANAGE_DEVICE,
        Operation.OPERATE,
    )
)
"""Operations for which no policy may ask for fewer than two categories of factors."""

AUTHENTICATORS = ("hotp", "totp", "ocra", "sms-code")
"""Kinds of codes that a policy may accept as a factor."""

CODE_CATEGORIES = ("possession", "knowledge")
CARRIERS = ("separate", "handset", "sim")
BEYOND = ("replace", "refuse")
LOOSENING = (
    OperatorAct.LIFT_TIGHTENING,
    OperatorAct.SET_INCENTIVE,
    OperatorAct.OPEN_RECOVERY,
    OperatorAct.RELEASE_ACCOUNT,
    OperatorAct.RESUME_CUSTOMER,
    OperatorAct.CHANGE_TIER,
    OperatorAct.RESUME_SERVICE,
    OperatorAct.RESUME_OPERATOR,
    OperatorAct.REMOVE_OPERATOR,
)
"""Acts that no policy may leave to one person."""

MAX_ATTEMPTS = 5
MAX_IDLE_MS = 5 * MINUTE_MS
MAX_ACTIVATION_MS = 10 * MINUTE_MS
MAX_QUOTE_MS = 10 * MINUTE_MS

_SECTIONS = (
    "policy",
    "tiers",
    "factors",
    "sessions",
    "attempts",
    "authenticators",
    "quotes",
    "handshake",
    "limits",
    "decisions",
    "default",
    "dependencies",
    "operators",
    "tightening",
    "incentives",
    "tightening_caps",
    "regimes",
    "recovery",
    "devices",
    "education",
    "signatures",
)
_HEADER = ("provider", "version", "effective_at", "currency", "profile", "utc_offset")
_OFFSET = re.compile(r"^([+-])(0\d|1[0-4]):([0-5]\d)$")
_OPERATIONS = tuple(operation.value for operation in Operation)
_CHANNELS = tuple(channel.value for channel in Channel)


def read_policy(text: str) -> Policy:
    """The policy in `text`, section by section; `compile_policy` then checks it as a whole.

    Raises Malformed with every defect, each with line and column.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    defects = Defects()
    root = Section(read_nodes(text), "", defects, _SECTIONS)
    tiers = _tiers(root)
    roles = _roles(root)
    limits, rows = read_limits(root, tiers), read_rows(root, tiers)
    ladders = read_incentives(root) if "incentives" in root else ()
    caps = read_tightening_caps(root) if "tightening_caps" in root else None
    tightening = read_tightening(root, tiers, limits, caps) if "tightening" in root else ()
    policy = Policy(
        header=_header(root.section("policy", _HEADER)),
        tiers=tiers,
        factors=_factors(root),
        sessions=_sessions(root),
        attempts=_attempts(root),
        quote_life_ms=root.section("quotes", ("life",)).duration(
            "life", 1000, MAX_QUOTE_MS, why="a code lives 600 s at most (MFS-7.3.2-07)"
        ),
        handshake=read_handshake(root),
        limits=limits,
        decisions=rows,
        default=read_default(root),
        dependencies=_dependencies(root, tuple(roles.roles)),
        operators=roles,
        authenticators=_authenticators(root) if "authenticators" in root else {},
        tightening=tightening,
        incentives=ladders,
        tightening_caps=caps,
        regimes=root.choices("regimes", regime_names()) if "regimes" in root else (),
        regimes_at=root.position("regimes"),
        recovery=read_recovery(root),
        devices=read_devices(root),
        education=read_education(root),
        signatures=read_signatures(root),
    )
    added = [one.row for one in tightening if one.row is not None]
    refuse_repeated_ids(root, (*policy.decisions, *policy.limits, *added, *ladders))
    defects.refuse()
    return policy


def _header(section: Section) -> Header:
    currency = section.text("currency", "^[A-Z]{3}$", "an ISO 4217 code")
    if currency:
        try:
            currency_exponent(currency)
        except Malformed as error:
            section.defects.add(section.position("currency"), error.detail)
    return Header(
        provider=section.text("provider", r"^\S.{0,78}\S$", "a name of 2 to 80 characters"),
        version=section.integer("version", 1, 2**31),
        effective_at=read_instant(section, "effective_at"),
        currency=currency,
        profile=section.choice("profile", PROFILES),
        utc_offset_min=_offset(section),
    )


def _offset(section: Section) -> int:
    match = _OFFSET.match(section.text("utc_offset", _OFFSET.pattern, 'quoted, as in "+03:00"'))
    if match is None:
        return 0
    minutes = int(match.group(2)) * 60 + int(match.group(3))
    return -minutes if match.group(1) == "-" else minutes


def _tiers(root: Section) -> dict[int, Tier]:
    section = root.section("tiers")
    tiers: dict[int, Tier] = {}
    for name, at in section.names():
        if not re.match(r"^\d{1,2}$", name):
            root.defects.add(at, "a tier is a number from 0 to 99")
            continue
        one = section.section(name, ("label", "max_balance", "because"))
        bounded = "max_balance" in one
        tiers[int(name)] = Tier(
            number=int(name),
            label=one.text("label"),
            max_balance_minor=one.integer("max_balance", 1) if bounded else FOREVER,
            because=one.text("because"),
        )
    if not tiers:
        root.defects.add(section.at, "a policy declares at least one tier")
    return tiers


def _factors(root: Section) -> dict[str, FactorRule]:
    section = root.section("factors", _OPERATIONS)
    rules: dict[str, FactorRule] = {}
    for operation in TWO_FACTORS:
        section.node(operation)
    for name, _ in section.names():
        one = section.section(name, ("categories", "fresh", "because"))
        count = one.integer("categories", 0, 3)
        if name in TWO_FACTORS and count < 2:
            text = f"{name} takes at least two categories of factors (MFS-7.3.2-01)"
            root.defects.add(one.position("categories"), text)
        rules[name] = FactorRule(
            categories=count,
            because=one.text("because"),
            fresh_ms=one.duration("fresh", 1000, DAY_MS) if "fresh" in one else 0,
        )
    return rules


def _sessions(root: Section) -> dict[str, SessionRule]:
    section = root.section("sessions", _CHANNELS)
    rules: dict[str, SessionRule] = {}
    why = "a session ends after 5 min without a request (MFS-7.3.2-03)"
    for name, _ in section.names():
        one = section.section(name, ("idle", "absolute", "at_most", "beyond"))
        idle = one.duration("idle", 1000, MAX_IDLE_MS, why=why)
        rules[name] = SessionRule(
            idle_ms=idle,
            absolute_ms=one.duration("absolute", 1000, DAY_MS),
            at_most=one.integer("at_most", 1, 100) if "at_most" in one else 0,
            beyond=one.choice("beyond", BEYOND) if "beyond" in one else BEYOND[0],
        )
        if rules[name].absolute_ms < idle:
            root.defects.add(one.position("absolute"), f"{name}: absolute is shorter than idle")
    app, ussd = rules.get("app"), rules.get("ussd")
    if app and ussd and (ussd.idle_ms >= app.idle_ms or ussd.absolute_ms >= app.absolute_ms):
        text = "sessions on ussd are shorter than on app (MFS-7.3.2-03)"
        root.defects.add(section.position("ussd"), text)
    return rules


def _attempts(root: Section) -> AttemptRule:
    words = ("limit", "block", "backoff", "blocks", "activation")
    section = root.section("attempts", words)
    activation = section.section("activation", ("life", "tries"))
    why = "an activation code is short-lived (MFS-7.4.1-03)"
    return AttemptRule(
        limit=section.integer("limit", 1, MAX_ATTEMPTS),
        block_ms=section.duration("block", MINUTE_MS, 365 * DAY_MS),
        activation_life_ms=activation.duration("life", 1000, MAX_ACTIVATION_MS, why=why),
        activation_tries=activation.integer("tries", 1, MAX_ATTEMPTS),
        backoff_ms=section.duration("backoff", 100, MINUTE_MS) if "backoff" in section else 0,
        blocks=section.integer("blocks", 1, 100) if "blocks" in section else 0,
    )


def _authenticators(root: Section) -> dict[str, AuthenticatorRule]:
    section = root.section("authenticators", AUTHENTICATORS)
    rules: dict[str, AuthenticatorRule] = {}
    for name, at in section.names():
        one = section.section(name, ("category", "carried_by", "channels", "because"))
        rules[name] = AuthenticatorRule(
            category=one.choice("category", CODE_CATEGORIES),
            carried_by=one.choice("carried_by", CARRIERS),
            channels=one.choices("channels", _CHANNELS),
            because=one.text("because"),
            at=at,
        )
    return rules


def _dependencies(root: Section, roles: Iterable[str]) -> dict[str, DependencyRule]:
    known = tuple(dependency.value for dependency in Dependency)
    section = root.section("dependencies", known)
    words = ("on_failure", "operations", "stale_for", "reduced_limit", "tell", "because")
    rules: dict[str, DependencyRule] = {}
    for name, at in section.names():
        one = section.section(name, words)
        mode = one.choice("on_failure", ON_FAILURE)
        for word, owner in (("stale_for", "stale"), ("reduced_limit", "reduced-limit")):
            if word in one and mode != owner:
                root.defects.add(one.position(word), f"{word} goes with on_failure {owner} only")
        tell = one.choices("tell", roles)
        if not tell:
            root.defects.add(at, f"the failure of {name} is told to nobody")
        rules[name] = DependencyRule(
            on_failure=mode,
            operations=one.choices("operations", _OPERATIONS),
            stale_for_ms=one.duration("stale_for", 1000, 72 * HOUR_MS) if mode == "stale" else 0,
            reduced_limit_minor=one.integer("reduced_limit") if mode == "reduced-limit" else 0,
            tell=tell,
            because=one.text("because"),
        )
    return rules


def _roles(root: Section) -> OperatorRules:
    section = root.section("operators", ("roles", "two_people"))
    acts = tuple(act.value for act in OperatorAct)
    listed = section.section("roles")
    roles: dict[str, tuple[str, ...]] = {}
    for name, at in listed.names():
        if not re.match(SLUG, name):
            root.defects.add(at, f"a role is a slug such as care-desk, not {name[:40]!r}")
        roles[name] = listed.choices(name, acts)
    two = section.choices("two_people", acts)
    allowed = {act for granted in roles.values() for act in granted}
    for act in two:
        if act not in allowed:
            at = section.position("two_people")
            root.defects.add(at, f"no role may do {act}{suggestion(act, allowed)}")
    for act in LOOSENING:
        if act.value in allowed and act.value not in two:
            text = f"{act.value} loosens, so that two people agree on it: name it under two_people"
            root.defects.add(section.position("two_people"), text)
    return OperatorRules(roles=roles, two_people=two)
