"""A policy in the Cedar language, for others to read, analyse and run beside ours.

    rows that allow       permit, unless an earlier row that does not allow takes the facts
    what decides besides  forbid: currency, nothing to pay, failed dependencies, factors, caps

Cedar has no order and answers yes or no: a request is permitted exactly where our decision is
`allow`. Which row it was, what a step-up asks for, how long to wait and rolling limits are not in
it; operators' acts are not either. The action is the operation; all other facts are the context.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tallystick.process.policy.facts import (
    ENUMERATED,
    FOREVER,
    MEASURED,
    VOCABULARY,
    Dependency,
    Factor,
    Facts,
    Operation,
    Outcome,
    Word,
)
from tallystick.process.policy.language.model import (
    Bounds,
    DependencyRule,
    Limit,
    Policy,
    Row,
    Words,
)
from tallystick.process.policy.proofs import Table

_PRICED = (Operation.PAY.value, Operation.QUOTE.value)
_STRINGS = tuple(field for field in ENUMERATED if field not in {"operation", "tier", "payee_known"})
_CATEGORIES = frozenset(factor.value for factor in Factor)
_OPERATIONS = tuple(str(word) for word in VOCABULARY["operation"])


def cedar_policies(policy: Policy) -> str:
    """`policy` as Cedar policies; the annotation `id` is the row, limit or rule of ours.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return "\n".join((*_permits(policy), *_forbids(policy)))


def cedar_schema(policy: Policy) -> str:
    """The schema that the policies of `policy` are valid under.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    members = [
        *(f"{field}: String" for field in (*_STRINGS, "currency")),
        "tier: Long",
        "payee_known: Bool",
        *(f"{field}: Long" for field in (*MEASURED.values(), "factor_age_ms", "categories")),
        "degraded: Degraded",
    ]
    degraded = ", ".join(f"{_text(one.value)}?: Long" for one in Dependency)
    return (
        f"// {policy.header.provider}, version {policy.header.version}\n"
        "entity Customer;\n"
        "entity Account;\n"
        f"type Degraded = {{{degraded}}};\n"
        f"type Asked = {{{', '.join(members)}}};\n"
        f"action {', '.join(map(_text, _OPERATIONS))} appliesTo"
        " { principal: [Customer], resource: [Account], context: Asked };\n"
    )


def cedar_request(facts: Facts) -> dict[str, Any]:
    """The question to Cedar that stands for `facts`, as its libraries take it.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    context: dict[str, Any] = {
        name: getattr(facts, name)
        for name in (*_STRINGS, "currency", "tier", "payee_known", *MEASURED.values())
    }
    context["factor_age_ms"] = facts.factor_age_ms
    context["categories"] = len(_CATEGORIES.intersection(facts.factors))
    context["degraded"] = dict(facts.degraded)
    return {
        "principal": 'Customer::"payer"',
        "action": f"Action::{_text(facts.operation)}",
        "resource": 'Account::"payee"',
        "context": context,
    }


def _permits(policy: Policy) -> Iterator[str]:
    table = Table(policy)
    for number, row in enumerate(policy.decisions):
        if row.outcome is Outcome.ALLOW:
            stopping = [
                earlier
                for place, earlier in enumerate(policy.decisions[:number])
                if earlier.outcome is not Outcome.ALLOW
                and table.space.meet(1 << number | 1 << place)
            ]
            yield _policy("permit", row.id, row.because, _row(row), map(_row, stopping))


def _forbids(policy: Policy) -> Iterator[str]:
    currency = policy.header.currency
    foreign = f"{_operation(_PRICED)} && context.currency != {_text(currency)}"
    yield _policy("forbid", "currency", "limits are in another currency", foreign)
    nothing = f"{_operation(_PRICED)} && context.amount_minor <= 0"
    yield _policy("forbid", "amount", "a payment has a positive amount", nothing)
    for operation, rule in policy.factors.items():
        if operation != Operation.OPERATE.value and rule.categories:
            few = f"{_operation([operation])} && context.categories < {rule.categories}"
            yield _policy("forbid", f"factors-{operation}", rule.because, few)
        if operation != Operation.OPERATE.value and rule.fresh_ms:
            old = f"{_operation([operation])} && context.factor_age_ms > {rule.fresh_ms}"
            yield _policy("forbid", f"fresh-{operation}", rule.because, old)
    for limit in policy.limits:
        yield _policy("forbid", limit.id, limit.because, _capped(limit))
    for one in Dependency:
        known = policy.dependencies.get(one.value)
        if known is None:
            yield _policy("forbid", f"unnamed-{one.value}", "not named", _failed(one.value))
        elif known.on_failure != "open":
            yield _policy("forbid", f"dependency-{one.value}", known.because, _closed(one, known))


def _closed(one: Dependency, rule: DependencyRule) -> str:
    operations = [name for name in rule.operations if name != Operation.OPERATE.value]
    said = f"{_operation(operations)} && {_failed(one.value)}"
    if rule.on_failure == "stale":
        return f"{said} && context.degraded[{_text(one.value)}] > {rule.stale_for_ms}"
    if rule.on_failure == "reduced-limit":
        return f"{said} && context.amount_minor > {rule.reduced_limit_minor}"
    return said


def _failed(name: str) -> str:
    return f"context.degraded has {_text(name)}"


def _capped(limit: Limit) -> str:
    words = Words(field="operation", words=_PRICED)
    above = Bounds(field="amount_minor", low=limit.per_payment_minor + 1)
    return _all((*limit.words, words), (above,))


def _row(row: Row) -> str:
    return _all(row.words, row.bounds)


def _all(words: Iterable[Words], bounds: Iterable[Bounds]) -> str:
    parts = [_words(one) for one in words]
    for one in bounds:
        if one.low > -FOREVER:
            parts.append(f"context.{one.field} >= {one.low}")
        if one.high < FOREVER:
            parts.append(f"context.{one.field} <= {one.high}")
    return " && ".join(parts) or "true"


def _words(one: Words) -> str:
    if one.field == "operation":
        return _operation(str(word) for word in one.words)
    if len(one.words) == 1:
        return f"context.{one.field} == {_literal(one.words[0])}"
    return f"[{', '.join(map(_literal, one.words))}].contains(context.{one.field})"


def _operation(names: Iterable[str]) -> str:
    return f"action in [{', '.join(f'Action::{_text(name)}' for name in names)}]"


def _literal(word: Word) -> str:
    if isinstance(word, bool):
        return str(word).lower()
    return _text(word) if isinstance(word, str) else str(word)


def _text(text: str) -> str:
    """A string of Cedar; what is not printable ASCII is spelled by its number."""
    spelled = (
        f"\\{one}" if one in '\\"' else one if " " <= one <= "~" else f"\\u{{{ord(one):x}}}"
        for one in text
    )
    return f'"{"".join(spelled)}"'


def _policy(effect: str, name: str, because: str, when: str, unless: Iterable[str] = ()) -> str:
    lines = [
        f"@id({_text(name)})",
        f"@because({_text(because)})",
        f"{effect} (principal, action, resource)",
        f"when {{ {when} }}",
    ]
    stopped = [f"  ({one})" for one in unless]
    if stopped:
        lines.append("unless {\n" + " ||\n".join(stopped) + "\n}")
    return "\n".join(lines) + ";\n"
