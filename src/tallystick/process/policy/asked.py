"""Questions of others to the policy: from an AuthZEN request to facts, and from a decision back.

    subject, action, resource, context  --names-->  Facts  --decide-->  Decision  -->  answer

The facts are those that the caller gives; nothing is looked up and no permit is made. The name of
the action is the operation, and properties with the name of a fact are that fact. A provider may
say what other names mean (`Names`): `read` of a partner may be our `inquire`.

A fact that nobody gave has no word, and is denied; measures have the values that `Facts` gives.

Source: AuthZEN Authorization API 1.0, 5; 6; ISO/TS 12812-2:2017, 7.3.3
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

from tallystick.kernel.codec import from_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Record, field_names
from tallystick.process.policy.compile import Decision
from tallystick.process.policy.facts import FOREVER, Facts, Outcome
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Node, Scalar, read_nodes
from tallystick.process.yamltext.tree import Sequence as Items
from tallystick.protocol.authzen import (
    STEP_UP,
    AccessContext,
    AccessDecision,
    Obligation,
    RollingLimit,
)

ENTITIES = ("subject", "action", "resource")
_NAMED = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}
_FACTS = frozenset(field_names(Facts))
_UNKNOWN: Mapping[str, object] = {
    "operation": "",
    "channel": "",
    "tier": -1,
    "device_trust": "",
    "account_status": "",
}

Plain = dict[str, Any]


class Decides(Protocol):
    """Whatever decides on facts.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    def decide(self, facts: Facts) -> Decision:
        """The decision on `facts`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        ...


class Meaning(Record, frozen=True, kw_only=True):
    """Where `entity` has `attribute` with the value `word`, these facts hold.

    `attribute` is `type`, `id` or `name`, or a property.
    Source: AuthZEN Authorization API 1.0, 5
    """

    entity: str
    attribute: str
    word: str | int | bool
    facts: dict[str, Any]


Names = tuple[Meaning, ...]
"""What names of a partner mean, in order; a later one overrides."""


def read_names(text: str) -> Names:
    """The names in a YAML text: a list under `names` of `entity`, `attribute`, `word`, `facts`.

    Raises Malformed with every defect and its position.
    Source: AuthZEN Authorization API 1.0, 5
    """
    defects = Defects(remedy="correct the names")
    root = Section(read_nodes(text, "list of names"), "", defects, ("names",))
    found = tuple(
        _meaning(one, defects)
        for one in root.sections("names", ("entity", "attribute", "word", "facts"))
    )
    defects.refuse()
    return found


def _meaning(section: Section, defects: Defects) -> Meaning:
    word, at = section.scalar("word")
    if not isinstance(word, str | int):
        defects.add(at, "word is a word, an integer, true or false")
        word = ""
    facts = section.section("facts", _FACTS)
    return Meaning(
        entity=section.choice("entity", ENTITIES),
        attribute=section.text("attribute"),
        word=word,
        facts={name: _value(node) for name, node in facts.values()},
    )


def _value(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [_value(one) for one in node.items]
    return {name: _value(one) for name, (_, one) in node.entries.items()}


def facts_of(request: Plain, names: Names = ()) -> Facts:
    """The facts in one question.

    Raises Malformed for a missing entity or member, a wrong type, or a fact given in two ways.
    Source: AuthZEN Authorization API 1.0, 6.1
    """
    entities = {name: _entity(request, name) for name in ENTITIES}
    context = _mapping(request.get("context"), "context")
    plain: Plain = {"operation": entities["action"]["name"]}
    for source in (*(one.get("properties") for one in entities.values()), context):
        for name, value in _mapping(source, "properties").items():
            if name in _FACTS and plain.setdefault(name, value) != value:
                raise Malformed(f"{name} is given in two ways")
    for meaning in _meant(entities, names):
        plain |= meaning.facts
    return from_plain({**_UNKNOWN, **plain}, Facts)


def _meant(entities: Mapping[str, Plain], names: Names) -> Iterator[Meaning]:
    for one in names:
        entity = entities[one.entity]
        own = one.attribute in _NAMED[one.entity]
        value = (entity if own else entity.get("properties") or {}).get(one.attribute)
        if type(value) is type(one.word) and value == one.word:
            yield one


def _entity(request: Plain, name: str) -> Plain:
    if name not in request:
        raise Malformed(f"the request lacks {name}")
    entity = _mapping(request[name], name)
    for member in _NAMED[name]:
        if not isinstance(entity.get(member), str) or not entity[member]:
            raise Malformed(f"{name} has a text under {member}")
    _mapping(entity.get("properties"), f"{name} properties")
    return entity


def _mapping(value: object, name: str) -> Plain:
    """An object; nothing where it is left out."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} is an object")
    return cast("Plain", value)


def answer(policy: Decides, request: Plain, names: Names = ()) -> AccessDecision:
    """The answer of `policy` to one question; true only for what is allowed at once.

    Raises Malformed as `facts_of` does.
    Source: AuthZEN Authorization API 1.0, 6.2
    """
    decision = policy.decide(facts_of(request, names))
    return AccessDecision(decision=decision.outcome is Outcome.ALLOW, context=_context(decision))


def _context(decision: Decision) -> AccessContext:
    return AccessContext(
        outcome=decision.outcome.value,
        row=decision.row,
        because=decision.because,
        policy_version=decision.policy_version,
        retry_after_s=-(-decision.delay_ms // 1000),
        obligations=tuple(_obligations(decision)),
        limits=tuple(
            RollingLimit(
                id=one.id,
                window_s=one.window_ms // 1000,
                amount_minor=one.max_amount if one.max_amount < FOREVER else None,
                count=one.max_count if one.max_count < FOREVER else None,
            )
            for one in decision.limits
        ),
    )


def _obligations(decision: Decision) -> Iterator[Obligation]:
    """A grade is asked for by its name, factors as `categories-2`."""
    if decision.outcome is Outcome.STEP_UP:
        value = decision.required_grade or f"categories-{decision.required_factors}"
        yield Obligation(type=STEP_UP, id=decision.row, acr_value=value)


_STOPS = {"deny_on_first_deny": False, "permit_on_first_permit": True}
_SEMANTICS = ("execute_all", *_STOPS)
MAX_EVALUATIONS = 1_000


def answers(policy: Decides, request: Plain, names: Names = ()) -> tuple[AccessDecision, ...]:
    """The answers to several questions, in order; a defective one is answered false, with why.

    Raises Malformed where the batch itself is not one.
    Source: AuthZEN Authorization API 1.0, 7
    """
    asked = request.get("evaluations")
    items = cast("list[object]", asked) if isinstance(asked, list) else None
    if items is None or len(items) > MAX_EVALUATIONS:
        raise Malformed(f"evaluations is a list of at most {MAX_EVALUATIONS}")
    options = _mapping(request.get("options"), "options")
    semantic = options.get("evaluations_semantic", _SEMANTICS[0])
    if semantic not in _SEMANTICS:
        raise Malformed(f"evaluations_semantic is one of {', '.join(_SEMANTICS)}")
    common = {name: request[name] for name in (*ENTITIES, "context") if name in request}
    found: list[AccessDecision] = []
    for one in items:
        found.append(_one_of_many(policy, common, one, names))
        if found[-1].decision is _STOPS.get(semantic):
            break
    return tuple(found)


def _one_of_many(policy: Decides, common: Plain, one: object, names: Names) -> AccessDecision:
    try:
        return answer(policy, common | _mapping(one, "an evaluation"), names)
    except Malformed as error:
        return AccessDecision(decision=False, context=AccessContext(error=error.detail))
