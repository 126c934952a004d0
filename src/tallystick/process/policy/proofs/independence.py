"""Proof that no single broken element gives two of the factors that a channel counts as two.

    means      what a factor is given with: a category, and the element that it stands or falls with
    proof      for each channel, no two means of different categories fall with one element; for
               each row that allows, the grades that it takes bring as many categories as are asked

A PIN typed into a telephone and a code sent to its SIM look like two factors. Where the SIM is the
possession already, the code adds nothing: whoever has the SIM has both.

Source: ISO/TS 12812-2:2017, 7.3.2; Delegated Regulation (EU) 2018/389, 9
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import combinations
from typing import Final, NamedTuple

from tallystick.process.policy.facts import VOCABULARY, Channel, Factor, Grade, Outcome
from tallystick.process.policy.language.model import Policy, Row
from tallystick.process.yamltext.section import Defects


class Element(StrEnum):
    """What is lost as a whole: who has it has everything that rests on it.

    Source: Delegated Regulation (EU) 2018/389, 9
    """

    HANDSET = "handset"
    SIM = "sim"
    MEMORY = "memory"
    BODY = "body"
    SEPARATE = "separate"


class Means(NamedTuple):
    """What a factor is given with, the category that it counts as, the element that it rests on.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    name: str
    category: str
    element: str


_KEY: Final = Means("device-key", Factor.POSSESSION.value, Element.HANDSET.value)
_UNLOCKED: Final = Means("user-verification", Factor.INHERENCE.value, Element.BODY.value)
_PIN: Final = Means("pin", Factor.KNOWLEDGE.value, Element.MEMORY.value)
_SIM: Final = Means("sim", Factor.POSSESSION.value, Element.SIM.value)

CHANNEL_MEANS: Final[dict[str, tuple[Means, ...]]] = {
    Channel.APP.value: (_KEY, _UNLOCKED, _PIN),
    Channel.WEB.value: (_KEY, _UNLOCKED, _PIN),
    Channel.USSD.value: (_SIM, _PIN),
    Channel.AGENT.value: (_KEY, _UNLOCKED, _PIN),
}
"""What each channel brings by itself; a policy adds the authenticators that it accepts."""

GRADE_MEANS: Final[dict[str, tuple[Means, ...]]] = {
    Grade.DEVICE_SIGNED_ATTESTED.value: (_KEY, _UNLOCKED),
    Grade.DEVICE_SIGNED.value: (_KEY, _UNLOCKED),
    Grade.PASSKEY.value: (_KEY, _UNLOCKED),
    Grade.SIM_SIGNED.value: (_SIM, _PIN),
    Grade.CODE_CONFIRMED.value: (_SIM, _PIN),
    Grade.PIN_VERIFIED.value: (_SIM, _PIN),
    Grade.AGENT_ASSISTED.value: (_KEY, _PIN),
}
"""What a consent of each grade was given with; a mandate and two operators stand for themselves."""


class SharedElement(NamedTuple):
    """The counter-example: on `channel`, one `element` gives both means.

    Source: Delegated Regulation (EU) 2018/389, 9
    """

    channel: str
    element: str
    one: Means
    other: Means


def means_of(policy: Policy, channel: str) -> tuple[Means, ...]:
    """Everything that gives a factor on `channel` under `policy`.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    accepted = tuple(
        Means(kind, rule.category, rule.carried_by)
        for kind, rule in policy.authenticators.items()
        if channel in rule.channels
    )
    return (*CHANNEL_MEANS.get(channel, ()), *accepted)


def shared_elements(policy: Policy) -> Iterator[SharedElement]:
    """Every pair of means that counts as two factors and falls with one element.

    Source: Delegated Regulation (EU) 2018/389, 9
    """
    for channel in (str(word) for word in VOCABULARY["channel"]):
        for one, other in combinations(means_of(policy, channel), 2):
            if one.element == other.element and one.category != other.category:
                yield SharedElement(channel, one.element, one, other)


def check_independence(policy: Policy, defects: Defects) -> None:
    """Note every channel with factors that fall together, and every row with too few of them.

    Source: ISO/TS 12812-2:2017, 7.3.2; Delegated Regulation (EU) 2018/389, 9
    """
    for found in shared_elements(policy):
        rule = policy.authenticators[found.other.name]
        defects.add(
            rule.at,
            f"on {found.channel} whoever has the {found.element} has both {found.one.name}"
            f" ({found.one.category}) and {found.other.name} ({found.other.category}):"
            " that is one factor, not two (MFS-7.3.2-04)",
        )
    for row in policy.decisions:
        _check_grades(policy, row, defects)


def _check_grades(policy: Policy, row: Row, defects: Defects) -> None:
    given = {one.field: one.words for one in row.words}
    if row.outcome is not Outcome.ALLOW:
        return
    asked = [policy.factors[str(op)] for op in given.get("operation", ()) if op in policy.factors]
    most = max((rule.categories for rule in asked), default=0)
    for grade in map(str, given.get("grade", ())):
        means = GRADE_MEANS.get(grade)
        if means is not None and len({one.category for one in means}) < most:
            text = f"a consent of grade {grade} is not given with {most} categories of factors"
            defects.add(row.at, f"{text} (MFS-7.3.2-01)")
