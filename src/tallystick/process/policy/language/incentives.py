"""The section `incentives`: limits and commission that rise with evidence and fall with findings.

    id: agents, subject: agent, when: {kind: [cash-in, cash-out]}
    least: 10_000, within: P30D, each_at_most: 3
    steps:     [{per_payment: ..., windows: [...], commission: {...}, because: ...},
                {per_payment: ..., ..., evidence: {...}, dwell: P30D, because: ...}]
    because: a record earns trust
    findings:  [{id: given-back, on: reversed-payments, at_least: 3, drops: 1, because: ...}]

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.kernel.time import DAY_MS
from tallystick.process.policy.facts import (
    FOREVER,
    DeviceTrust,
    Kind,
    Merit,
    SubjectClass,
)
from tallystick.process.policy.language.model import (
    Asked,
    Commission,
    Finding,
    Ladder,
    Step,
    Words,
)
from tallystick.process.policy.language.rows import SLUG, read_when, read_windows
from tallystick.process.yamltext.section import Section
from tallystick.process.yamltext.tree import Mapping, Node

MIN_DWELL_MS: Final = DAY_MS
MAX_DWELL_MS: Final = 365 * DAY_MS
MAX_BASIS_POINTS: Final = 1_000
_LADDER = (
    "id", "subject", "of", "when", "least", "within", "each_at_most", "steps", "findings",
    "because",
)  # fmt: skip
_STEP = ("per_payment", "windows", "commission", "evidence", "dwell", "because")
_TOUCHES = ("kind", "channel", "grade")
_COMPARED = ("at_least", "at_most")
_AGENTS = (Kind.CASH_IN.value, Kind.CASH_OUT.value)
_PAID = (
    Merit.DAYS_WITHOUT_FINDING,
    Merit.SETTLED_PAYMENTS,
    Merit.DISTINCT_CUSTOMERS,
    Merit.REVERSED_PAYMENTS,
    Merit.REVERSED_PERMILLE,
)
MERITS: Final = {
    SubjectClass.AGENT: (*_PAID, Merit.TRAINING_DAYS),
    SubjectClass.DEVICE_CLASS: (*_PAID, Merit.ATTESTED_PERMILLE, Merit.COPIES),
    SubjectClass.VENDOR: (Merit.DAYS_WITHOUT_FINDING, Merit.VERIFIED_DAYS, Merit.SERVICE_LEVEL),
}
"""What can be measured of each class of subjects."""


def read_incentives(root: Section) -> tuple[Ladder, ...]:
    """The ladders under `incentives`, in the order of the text.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return tuple(_ladder(section) for section in root.sections("incentives", _LADDER))


def _ladder(section: Section) -> Ladder:
    subject = SubjectClass(section.choice("subject", tuple(SubjectClass)) or SubjectClass.AGENT)
    counted = subject is not SubjectClass.VENDOR
    found = Ladder(
        id=section.text("id", SLUG, "a slug such as agents"),
        subject=subject,
        of=_of(section, subject),
        words=_touched(section, subject),
        least_minor=section.integer("least", 1) if counted else 0,
        within_ms=section.duration("within", DAY_MS, MAX_DWELL_MS),
        each_at_most=section.integer("each_at_most", 1, 1_000) if counted else 0,
        steps=tuple(_steps(section, subject)),
        findings=tuple(
            _finding(one, subject)
            for one in section.sections("findings", ("id", "on", *_COMPARED, "drops", "because"))
        ),
        because=section.text("because"),
        at=section.at,
    )
    for word in () if counted else ("least", "each_at_most"):
        if word in section:
            section.defects.add(section.position(word), f"{word} is not for vendors: leave it out")
    return found


def _of(section: Section, subject: SubjectClass) -> str:
    if subject is SubjectClass.AGENT:
        if "of" in section:
            section.defects.add(section.position("of"), "each agent has a step: leave out of")
        return ""
    if subject is SubjectClass.DEVICE_CLASS:
        return section.choice("of", tuple(DeviceTrust))
    return section.text("of", r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$", "an id in register vendors")


def _touched(section: Section, subject: SubjectClass) -> tuple[Words, ...]:
    words = read_when(section, _TOUCHES)
    if subject is not SubjectClass.AGENT:
        return words
    kinds = next((one.words for one in words if one.field == "kind"), ())
    if not kinds or not set(kinds) <= set(_AGENTS):
        text = "an agent's incentive names kinds out of cash-in and cash-out, where an agent acts"
        section.defects.add(section.position("when"), text)
    return words


def _steps(section: Section, subject: SubjectClass) -> Iterator[Step]:
    given = section.sections("steps", _STEP)
    if len(given) < 2:
        section.defects.add(section.position("steps"), "an incentive has at least two steps")
    for number, one in enumerate(given):
        yield Step(
            per_payment_minor=one.integer("per_payment", 1),
            windows=read_windows(one),
            commission=_commission(one, subject),
            evidence=_evidence(one, subject) if number else (),
            dwell_ms=one.duration("dwell", MIN_DWELL_MS, MAX_DWELL_MS) if number else 0,
            because=one.text("because"),
            at=one.at,
        )
        for word in () if number else ("evidence", "dwell"):
            if word in one:
                text = f"all begin on the first step: leave out {word}"
                one.defects.add(one.position(word), text)


def _commission(step: Section, subject: SubjectClass) -> Commission | None:
    if "commission" not in step:
        return None
    if subject is not SubjectClass.AGENT:
        step.defects.add(step.position("commission"), "commission is paid to agents only")
    one = step.section("commission", ("flat", "basis_points", "cap"))
    if "flat" not in one and "basis_points" not in one:
        one.defects.add(one.at, "a commission has flat, basis_points or both")
    return Commission(
        flat_minor=one.integer("flat", 1) if "flat" in one else 0,
        basis_points=one.integer("basis_points", 1, MAX_BASIS_POINTS)
        if "basis_points" in one
        else 0,
        cap_minor=one.integer("cap", 1),
    )


def _evidence(step: Section, subject: SubjectClass) -> tuple[Asked, ...]:
    known = tuple(one.value for one in MERITS[subject])
    section = step.section("evidence", known)
    found = tuple(
        _asked(_inner(section, name, node), Merit(name))
        for name, node in section.values()
        if name in known
    )
    if not found:
        step.defects.add(section.at, "a higher step asks for evidence: time alone earns nothing")
    return found


def _inner(section: Section, name: str, node: Node) -> Section:
    if not isinstance(node, Mapping):
        section.defects.add(node.at, f"{name} is compared with at_least or at_most")
    return Section(node, name, section.defects, _COMPARED)


def _asked(section: Section, merit: Merit) -> Asked:
    bounds = [word for word in _COMPARED if word in section]
    if len(bounds) != 1:
        text = f"{merit.value} is compared with one of at_least and at_most"
        section.defects.add(section.at, text)
        return Asked(merit=merit)
    value = section.integer(bounds[0])
    if bounds[0] == "at_least":
        return Asked(merit=merit, low=value, high=FOREVER)
    return Asked(merit=merit, low=0, high=value)


def _finding(section: Section, subject: SubjectClass) -> Finding:
    merit = section.choice("on", tuple(one.value for one in MERITS[subject]))
    return Finding(
        id=section.text("id", SLUG, "a slug such as given-back"),
        on=_asked(section, Merit(merit or Merit.DAYS_WITHOUT_FINDING)),
        drops=section.integer("drops", 1, 100),
        because=section.text("because"),
        at=section.at,
    )


def named_in(ladders: Iterable[Ladder], name: str) -> Ladder | None:
    """The ladder with this id, or None.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return next((one for one in ladders if one.id == name), None)
