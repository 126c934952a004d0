"""The texts of the shipped pack as plain values, and what is wrong with them.

The checks are made without the engine that reads packs, so that the two can contradict each other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from itertools import chain, product
from pathlib import Path
from typing import Any

import tallystick.process.risk
from tallystick.entry.proving.probing import every_check
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.process.catalogue import Layer, Service, catalogue
from tallystick.process.programme.words import AssetClass, Bearer, Environment, NodeKind, Role
from tallystick.process.risk.model import Harm, Over
from tallystick.process.yamltext.section import duration_ms
from tallystick.process.yamltext.tree import Mapping as MappingNode
from tallystick.process.yamltext.tree import Node, Sequence, read_nodes

PACK = Path(tallystick.process.risk.__file__).parent / "packs" / "base-2017"
IMPACTS = ("negligible", "minor", "moderate", "major", "severe")
EMITTERS = {
    "two-factors", "step-up-large", "step-up-night", "sim-change-hold", "new-device-delay",
    "new-payee-delay", "attested-grade-above", "software-device-cap", "dialled-cap",
    "unknown-payee-cap", "agent-cap", "mandate-cap", "tier-limits", "attempts-limit",
    "idle-timeout", "session-life", "quote-life", "attestation-age", "risk-score-deny",
    "two-operators", "hybrid-suites", "dependency-closed", "shared-phone-cap", "merchant-cap",
}  # fmt: skip

SLUG = re.compile(r"^[a-z][a-z0-9-]{1,60}\Z")
PROBES = frozenset(one.id for one in every_check(ProviderFolder(Path("nowhere")), SystemClock()))
OUTSIDE_ID = re.compile(r"^(?:[A-Z]{3}-[0-9]{1,2}|T[0-9]{4}(?:\.[0-9]{3})?)\Z")
CONTROL = {
    "label", "layer", "requirements", "cost", "friction", "enforced_by", "observed_by",
}  # fmt: skip
CONTROL_MORE = {"mandatory", "lifts", "caps", "environments", "needs", "excludes"}
RULE = {
    "threat", "label", "layer", "over", "when", "harm", "table", "scales", "gain", "tags",
    "references", "attack",
}  # fmt: skip


def _words(kind: Any) -> Callable[[Any], bool]:
    known = {one.value for one in kind}
    return lambda value: value in known


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is kind


FIELDS: dict[str, Callable[[Any], bool]] = {
    "flow.bearer": _words(Bearer),
    "flow.protocol": _is(str),
    "flow.end_to_end": _is(bool),
    "flow.party_role": _words(Role),
    "flow.touches": _words(NodeKind),
    "flow.read_by": _words(NodeKind),
    "asset.kind": _words(AssetClass),
    "asset.personal": _is(bool),
    "node.kind": _words(NodeKind),
    "node.trust_below": _is(int),
    "node.party_role": _words(Role),
    "device.os": _is(str),
    "device.environment": _words(Environment),
    "device.patch_age_above": lambda value: duration_ms(str(value)) is not None,
    "party.role": _words(Role),
    "party.delegated": _is(str),
    "programme.service": _words(Service),
    "programme.connectivity": _is(str),
}
BINDS = {
    "flow": {"flow", "asset", "device", "programme"},
    "node": {"node", "asset", "programme"},
    "device": {"device", "asset", "programme"},
    "party": {"party", "asset", "programme"},
    "asset": {"asset", "programme"},
}

Plain = Any


def plain(node: Node) -> Plain:
    if isinstance(node, MappingNode):
        return {name: plain(one) for name, (_, one) in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(one) for one in node.items]
    return node.value


def parsed(text: str) -> Plain:
    return plain(read_nodes(text, "pack", decimals=True, deepest=20))


def read(path: Path) -> Plain:
    return parsed(path.read_text(encoding="utf-8"))


@cache
def tables() -> Mapping[str, Plain]:
    return read(PACK / "tables.yaml")


@cache
def controls() -> Mapping[str, Plain]:
    return read(PACK / "controls.yaml")["controls"]


@cache
def threat_files() -> Mapping[str, Plain]:
    return {path.name: read(path) for path in sorted((PACK / "threats").glob("*.yaml"))}


@cache
def rules() -> Mapping[str, Plain]:
    return {name: rule for one in threat_files().values() for name, rule in one["threats"].items()}


@cache
def added() -> Mapping[str, Plain]:
    return {name: one for file in threat_files().values() for name, one in _added(file)}


def _added(file: Plain) -> Iterator[tuple[str, Plain]]:
    yield from file.get("added", {}).items()


def points(table: str, factor: str, word: str) -> int:
    return tables()["tables"][table]["factors"][factor][word]


def steps(tree: Plain) -> Iterator[Plain]:
    if "step" in tree:
        yield tree
        return
    for branch in tree.get("all", tree.get("any")):
        yield from steps(branch)


def paths(tree: Plain) -> list[tuple[Plain, ...]]:
    """Every minimal way through a tree."""
    if "step" in tree:
        return [(tree,)]
    if "any" in tree:
        return [path for branch in tree["any"] for path in paths(branch)]
    return [tuple(chain(*ways)) for ways in product(*(paths(branch) for branch in tree["all"]))]


def hardest(rule: Plain, path: tuple[Plain, ...]) -> dict[str, str]:
    """Per factor the hardest word of the steps."""
    return {
        factor: max((step["rating"][factor] for step in path), key=lambda word: words[word])
        for factor, words in tables()["tables"][rule["table"]]["factors"].items()
    }


def lifted(
    rule: Plain, path: tuple[Plain, ...], chosen: set[str], environment: str = ""
) -> tuple[dict[str, str], str]:
    """The rating of `path` under `chosen` where `environment` can have them, and what it caps."""
    rating, impact = hardest(rule, path), "severe"
    for step in path:
        for name, own in step.get("controls", {}).items():
            control = controls()[name]
            places = control.get("environments", [])
            if name not in chosen or (environment and places and environment not in places):
                continue
            for factor, word in (own or control.get("lifts", {})).items():
                rating[factor] = max(
                    rating[factor], word, key=lambda one: points(rule["table"], factor, one)
                )
            impact = min(impact, control.get("caps", impact), key=IMPACTS.index)
    return rating, impact


def total(rule: Plain, rating: Mapping[str, str]) -> int:
    return sum(points(rule["table"], factor, word) for factor, word in rating.items())


def asked(rule: Plain, impact: str) -> int:
    """The points that an asset whose loss would be `impact` asks for."""
    strength = tables()["required"][impact]
    return tables()["tables"][rule["table"]]["thresholds"].get(strength, 0)


def control_defects(name: str, control: Plain, known: Mapping[str, Plain]) -> Iterator[str]:
    rows = catalogue().requirements
    if not SLUG.match(name):
        yield f"{name} is no slug"
    for word in CONTROL - set(control):
        yield f"{name} lacks {word}"
    for word in set(control) - CONTROL - CONTROL_MORE:
        yield f"{name} has no word {word}"
    if control["layer"] not in {one.value for one in Layer}:
        yield f"{name}: layer {control['layer']}"
    if not 0 <= control["cost"] <= 100 or not 0 <= control["friction"] <= 10:
        yield f"{name}: cost or friction out of bounds"
    served = control["requirements"]
    for one in {*served, *control.get("mandatory", [])} - set(rows):
        yield f"{name}: no requirement {one}"
    for one in set(control.get("mandatory", [])) - set(served):
        yield f"{name}: {one} is mandatory and not served"
    for one in {*control.get("needs", []), *control.get("excludes", [])} - set(known) | {
        one for one in control.get("needs", []) if one == name
    }:
        yield f"{name}: no control {one}"
    for factor, word in control.get("lifts", {}).items():
        if word not in tables()["tables"]["iso-18045"]["factors"].get(factor, {}):
            yield f"{name}: iso-18045 has no {factor} {word}"
    if control.get("caps", "minor") not in IMPACTS:
        yield f"{name}: caps {control['caps']}"
    for one in set(control.get("environments", [])) - {place.value for place in Environment}:
        yield f"{name}: no environment {one}"
    yield from _enforcement_defects(name, control)


def _enforcement_defects(name: str, control: Plain) -> Iterator[str]:
    if not control["enforced_by"]:
        yield f"{name}: nothing enforces it"
    for one in control["enforced_by"]:
        sort, _, what = one.partition(":")
        if sort == "policy" and what not in EMITTERS:
            yield f"{name}: the policy emits no {what}"
        if sort == "code" and find_spec(f"tallystick.{what}") is None:
            yield f"{name}: no module {what}"
        if sort not in {"policy", "code", "document"} or not what:
            yield f"{name}: enforced by {one}"
    for one in control["observed_by"]:
        if one not in PROBES:
            yield f"{name}: no probe {one}"


def rule_defects(name: str, rule: Plain, known: Mapping[str, Plain]) -> Iterator[str]:
    if not SLUG.match(name):
        yield f"{name} is no slug"
    for word in RULE - set(rule):
        yield f"{name} lacks {word}"
    for word in set(rule) - RULE - {"unless"}:
        yield f"{name} has no word {word}"
    if rule["threat"] not in {*catalogue().threats, *added()}:
        yield f"{name}: no threat {rule['threat']}"
    if rule["layer"] not in {one.value for one in Layer}:
        yield f"{name}: layer {rule['layer']}"
    if rule["over"] not in {one.value for one in Over}:
        yield f"{name}: over {rule['over']}"
    if rule["harm"] not in {one.value for one in Harm} or type(rule["scales"]) is not bool:
        yield f"{name}: harm {rule['harm']}, scales {rule['scales']}"
    if not 0 <= Decimal(rule["gain"]) <= 1000:
        yield f"{name}: gain {rule['gain']}"
    for one in rule["references"]:
        if not OUTSIDE_ID.match(one):
            yield f"{name}: reference {one}"
    for one in rule["tags"]:
        if not re.match(r"^(?:stride|linddun):[a-z-]+\Z", one):
            yield f"{name}: tag {one}"
    yield from _condition_defects(name, rule)
    yield from _step_defects(name, rule, known)


def _condition_defects(name: str, rule: Plain) -> Iterator[str]:
    if "asset.kind" not in rule["when"]:
        yield f"{name} matches every asset"
    for field, value in [*rule["when"].items(), *rule.get("unless", {}).items()]:
        if field not in FIELDS or field.partition(".")[0] not in BINDS[rule["over"]]:
            yield f"{name}: a rule over {rule['over']} has no {field}"
            continue
        for word in value if isinstance(value, list) else [value]:
            if not FIELDS[field](word):
                yield f"{name}: {field} cannot be {word}"


def _step_defects(name: str, rule: Plain, known: Mapping[str, Plain]) -> Iterator[str]:
    factors = tables()["tables"][rule["table"]]["factors"]
    found = list(steps(rule["attack"]))
    if len({step["step"] for step in found}) < len(found):
        yield f"{name} has a step twice"
    for step in found:
        where = f"{name}, {step['step']}"
        if set(step) - {"step", "text", "rating", "controls"} or not SLUG.match(step["step"]):
            yield f"{where}: odd words"
        if set(step["rating"]) != set(factors):
            yield f"{where} rates other factors than those of {rule['table']}"
        used = step.get("controls", {})
        for control in set(used) - set(known):
            yield f"{where}: no control {control}"
        for control, own in used.items():
            lifts = own or known.get(control, {}).get("lifts", {})
            if not lifts and "caps" not in known.get(control, {}):
                yield f"{where}: {control} does nothing"
            yield from _word_defects(f"{where}, {control}", lifts, factors)
        yield from _word_defects(where, step["rating"], factors)


def _word_defects(where: str, lifts: Plain, factors: Plain) -> Iterator[str]:
    for factor, word in lifts.items():
        if word not in factors.get(factor, {}):
            yield f"{where}: no {factor} {word}"
