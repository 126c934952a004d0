"""Which choices stay when every rating moves one word: the ratings are judgements of people.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Mapping

from tallystick.kernel.model import Record, replace
from tallystick.process.programme.model import Programme
from tallystick.process.risk.model import Instance, Pack, ScoringTable, Step, ThreatRule, Tree
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.selection.choosing import choose
from tallystick.process.risk.selection.problem import rules_of, units_of
from tallystick.process.risk.selection.solving import TIME_LIMIT_S


class Variant(Record, frozen=True, kw_only=True):
    """What would be chosen if every attack were one word easier, or harder; what stays open then.

    Source: ISO/TS 12812-2:2017, A
    """

    name: str
    chosen: tuple[str, ...]
    shut_out: tuple[str, ...]
    objective: int
    optimal: bool
    open_units: int


def moved(pack: Pack, by: int) -> Pack:
    """`pack` with every rating of every step `by` words further, at most to the ends.

    A negative number makes every attack easier. What controls lift to stays as it is.
    Source: ISO/IEC 18045, B.4
    """
    rules: dict[str, ThreatRule] = {}
    for name, rule in pack.rules.items():
        rules[name] = replace(rule, tree=_moved_tree(rule.tree, pack.tables[rule.table], by))
    return replace(pack, rules=rules)


def variants(
    programme: Programme,
    pack: Pack,
    instances: tuple[Instance, ...],
    limit_s: float = TIME_LIMIT_S,
) -> tuple[Variant, ...]:
    """The choice with every rating one word easier, and with every rating one word harder.

    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    found: list[Variant] = []
    rules = rules_of(programme, pack)
    for name, by in (("easier", -1), ("harder", 1)):
        scenes = Scenes(programme, moved(pack, by))
        chosen = choose(rules, units_of(instances, scenes), limit_s)
        answer = chosen.answer
        found.append(
            Variant(
                name=name,
                chosen=tuple(sorted(answer.chosen)),
                shut_out=tuple(sorted(answer.shut_out)),
                objective=answer.objective,
                optimal=answer.optimal,
                open_units=len(chosen.missing),
            )
        )
    return tuple(found)


def robust_controls(chosen: frozenset[str], found: tuple[Variant, ...]) -> frozenset[str]:
    """The controls of `chosen` that every variant chooses, too.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return chosen.intersection(*(one.chosen for one in found)) if found else frozenset()


def _moved_tree(tree: Tree, table: ScoringTable, by: int) -> Tree:
    return Tree(
        gate=tree.gate,
        steps=tuple(_moved_step(step, table, by) for step in tree.steps),
        trees=tuple(_moved_tree(one, table, by) for one in tree.trees),
    )


def _moved_step(step: Step, table: ScoringTable, by: int) -> Step:
    rating: Mapping[str, str] = {
        factor: _moved_word(tuple(table.factors[factor]), word, by)
        for factor, word in step.rating.items()
    }
    return replace(step, rating=rating)


def _moved_word(words: tuple[str, ...], word: str, by: int) -> str:
    return words[max(0, min(len(words) - 1, words.index(word) + by))]
