"""Threat rules: where a threat arises in a programme, and the tree of steps that carries it out.

Source: ISO/TS 12812-2:2017, A; D
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tallystick.process.catalogue import Layer
from tallystick.process.risk.conditions import FIELDS, SUBJECTS, Compares, Field
from tallystick.process.risk.model import (
    Condition,
    Control,
    ControlUse,
    Gate,
    Harm,
    Over,
    ScoringTable,
    Step,
    ThreatRule,
    Tree,
)
from tallystick.process.risk.reading.controls import LAYERS, lifts_in
from tallystick.process.risk.reading.words import checked_id, listed
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import number
from tallystick.process.yamltext.section import Defects, Section, duration_ms, suggestion
from tallystick.process.yamltext.tree import Mapping as MappingNode
from tallystick.process.yamltext.tree import Node, Scalar, Sequence

RULE_WORDS = (
    "threat", "label", "layer", "over", "when", "unless", "harm", "table", "scales", "gain",
    "tags", "references", "attack",
)  # fmt: skip
MAX_WAYS = 4096
"""How many ways through one tree a rule may have."""

MAX_STEPS = 64
_BRANCH_WORDS = ("step", "text", "rating", "controls", "all", "any")
_MOST_GAIN = Decimal(1000)


class RuleReader:
    """Reads rules against the tables, controls and threats that there are.

    Source: ISO/TS 12812-2:2017, A; D
    """

    def __init__(
        self,
        tables: Mapping[str, ScoringTable],
        controls: Mapping[str, Control],
        threats: Iterable[str],
    ) -> None:
        """Know what a rule may name.

        Source: ISO/TS 12812-2:2017, A
        """
        self._tables, self._controls, self._threats = tables, controls, frozenset(threats)

    def rules(self, root: Section) -> dict[str, ThreatRule]:
        """The rules under `threats`, by id.

        Source: ISO/TS 12812-2:2017, A; D
        """
        section = root.section("threats")
        found: dict[str, ThreatRule] = {}
        for name, at in section.names():
            checked_id(section, name, at)
            found[name] = self._rule(section.section(name, RULE_WORDS), name)
        return found

    def _rule(self, section: Section, name: str) -> ThreatRule:
        threat = section.text("threat")
        if threat and threat not in self._threats:
            near = suggestion(threat, self._threats)
            shown = near if "did you mean" in near else ""
            at = section.position("threat")
            section.defects.add(at, f"{name}: no threat {threat[:20]!r}{shown}")
        over = Over(section.choice("over", [one.value for one in Over]))
        table = section.choice("table", self._tables)
        scales = section.scalar("scales")[0] if "scales" in section else False
        if not isinstance(scales, bool):
            section.defects.add(section.position("scales"), f"{name} scales is true or false")
        return ThreatRule(
            id=name,
            threat=threat,
            label=section.text("label"),
            layer=Layer(section.choice("layer", LAYERS)),
            over=over,
            when=(
                *_conditions(section, "when", over, negated=False),
                *_conditions(section, "unless", over, negated=True),
            ),
            harm=Harm(section.choice("harm", [one.value for one in Harm])),
            table=table,
            tree=self._attack(section, name, self._tables.get(table)),
            scales=scales is True,
            gain_share=number(section, "gain", Decimal(0), _MOST_GAIN),
            tags=tuple(word for word, _ in listed(section, "tags")),
            references=tuple(word for word, _ in listed(section, "references")),
        )

    def _attack(self, section: Section, name: str, table: ScoringTable | None) -> Tree:
        attack = section.section("attack", ("all", "any"))
        tree = self._tree(attack, name, table)
        steps = steps_of(tree)
        at = section.position("attack")
        twice = {one.id for one in steps if [other.id for other in steps].count(one.id) > 1}
        if twice:
            section.defects.add(at, f"{name} has two steps {min(twice)!r}")
        if len(steps) > MAX_STEPS or ways(tree) > MAX_WAYS:
            text = f"{name} has more than {MAX_STEPS} steps or {MAX_WAYS} ways through them"
            section.defects.add(at, text)
        return tree

    def _tree(self, section: Section, name: str, table: ScoringTable | None) -> Tree:
        gates = [gate for gate in Gate if gate.value in section]
        if len(gates) != 1:
            text = f"{name}: a branch has either a step, or all, or any"
            section.defects.add(section.at, text)
            return Tree(gate=Gate.ALL, steps=(), trees=())
        steps: list[Step] = []
        trees: list[Tree] = []
        items = section.items(gates[0].value)
        for item in items:
            branch = Section(item, f"{name} attack", section.defects, _BRANCH_WORDS)
            if "step" in branch:
                steps.append(self._step(branch, table))
            else:
                trees.append(self._tree(branch, name, table))
        if not items:
            section.defects.add(section.at, f"{name}: {gates[0].value} has no step")
        return Tree(gate=gates[0], steps=tuple(steps), trees=tuple(trees))

    def _step(self, section: Section, table: ScoringTable | None) -> Step:
        name = section.text("step")
        checked_id(section, name, section.position("step"))
        for gate in Gate:
            if gate.value in section:
                text = f"step {name} is a step or has branches, not both"
                section.defects.add(section.position(gate.value), text)
        rating = lifts_in(section.section("rating"), table, f"step {name}")
        for factor in table.factors if table else ():
            if factor not in rating:
                at = section.position("rating")
                section.defects.add(at, f"step {name} does not rate {factor}")
        return Step(
            id=name,
            text=section.text("text"),
            rating=rating,
            controls=self._uses(section, name, table),
        )

    def _uses(
        self, section: Section, step: str, table: ScoringTable | None
    ) -> tuple[ControlUse, ...]:
        if "controls" not in section:
            return ()
        uses: list[ControlUse] = []
        controls = section.section("controls")
        for name, at in controls.names():
            control = self._controls.get(name)
            if control is None:
                near = suggestion(name, self._controls) if self._controls else ""
                shown = near if "did you mean" in near else ""
                controls.defects.add(at, f"step {step}: no control {name[:40]!r}{shown}")
                continue
            lifts: Mapping[str, str] = lifts_in(
                controls.section(name), table, f"step {step}, {name}"
            )
            if not lifts and table is not None:
                lifts = _own_lifts(controls.defects, at, control, table, step)
            uses.append(ControlUse(control=name, lifts=lifts))
        return tuple(uses)


def steps_of(tree: Tree) -> tuple[Step, ...]:
    """Every step of `tree`, in the order of the text within each branch.

    Source: ISO/TS 12812-2:2017, A
    """
    return (*tree.steps, *(step for one in tree.trees for step in steps_of(one)))


def ways(tree: Tree) -> int:
    """How many minimal paths `tree` has.

    Source: ISO/TS 12812-2:2017, A
    """
    below = [1] * len(tree.steps) + [ways(one) for one in tree.trees]
    if tree.gate is Gate.ANY:
        return sum(below)
    product = 1
    for one in below:
        product = min(product * one, MAX_WAYS + 1)
    return product


def _own_lifts(
    defects: Defects, at: Position, control: Control, table: ScoringTable, step: str
) -> Mapping[str, str]:
    """The lifts of the control itself, which must be words of `table`."""
    if not control.lifts and control.caps is None:
        defects.add(at, f"step {step}: {control.id} lifts nothing of its own; say what it lifts")
    for factor, word in control.lifts.items():
        if word not in table.factors.get(factor, {}):
            text = f"step {step}: {control.id} lifts in words that {table.id} has not; say them"
            defects.add(at, text)
            return {}
    return control.lifts


def _conditions(section: Section, word: str, over: Over, *, negated: bool) -> tuple[Condition, ...]:
    if word not in section:
        return ()
    part = section.section(word, FIELDS)
    found: list[Condition] = []
    for (name, node), (_, at) in zip(part.values(), part.names(), strict=True):
        field = FIELDS.get(name)
        if field is None:
            continue
        if field.subject not in SUBJECTS[over]:
            text = f"a rule over {over.value} does not bind {field.subject} ({name})"
            part.defects.add(at, text)
            continue
        found.append(
            Condition(
                subject=field.subject,
                field=field.name,
                words=_condition_words(part, name, field, node),
                negated=negated,
                at=at,
            )
        )
    return tuple(found)


def _condition_words(
    section: Section, name: str, field: Field, node: Node
) -> tuple[str | int | bool, ...]:
    items = node.items if isinstance(node, Sequence) else (node,)
    if isinstance(node, MappingNode) or not items:
        section.defects.add(node.at, f"{name} is a word or a list of words")
        return ()
    found: list[str | int | bool] = []
    for item in items:
        value = _condition_word(field, item)
        if value is None:
            section.defects.add(item.at, f"{name} {_wanted(field, item)}")
        else:
            found.append(value)
    return tuple(found)


def _condition_word(field: Field, item: Node) -> str | int | bool | None:
    value = item.value if isinstance(item, Scalar) else None
    match field.compares:
        case Compares.WORDS:
            return value if isinstance(value, str) and value in field.words else None
        case Compares.FREE:
            return value if isinstance(value, str) else None
        case Compares.SWITCH:
            return value if isinstance(value, bool) else None
        case Compares.BELOW:
            return value if type(value) is int and 0 <= value <= 100 else None
        case Compares.ABOVE:
            return duration_ms(value) if isinstance(value, str) else None


def _wanted(field: Field, item: Node) -> str:
    shown = str(item.value)[:40] if isinstance(item, Scalar) else "a list"
    match field.compares:
        case Compares.WORDS:
            return f"cannot be {shown!r}{suggestion(shown, field.words)}"
        case Compares.FREE:
            return f"is a word, not {shown!r}"
        case Compares.SWITCH:
            return "is true or false"
        case Compares.BELOW:
            return "is an integer from 0 to 100"
        case Compares.ABOVE:
            return "is an ISO 8601 duration such as P90D"
