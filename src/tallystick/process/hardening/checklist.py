"""The checklist for whoever builds an app on the SDK, by the controls of MASVS 2.1.

Every control is there: with what the SDK does and the tests that show it, or with the reason why it
has no part; and with the rows of the catalogue that name the control.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.2.5; 9.3
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.catalogue.model import Catalogue
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Scalar, read_nodes

EDITION: Final = "OWASP MASVS 2.1.0"
"""What the identifiers are of."""

GROUPS: Final = MappingProxyType(
    {
        "STORAGE": 2,
        "CRYPTO": 2,
        "AUTH": 3,
        "NETWORK": 2,
        "PLATFORM": 3,
        "CODE": 4,
        "RESILIENCE": 4,
        "PRIVACY": 4,
    }
)
"""The groups of controls, and how many each has."""

CONTROLS: Final = tuple(
    f"{group}-{number}" for group, count in GROUPS.items() for number in range(1, count + 1)
)
"""Every control, in the order of the edition."""

_WORDS: Final = ("about", "sdk", "outside", "tests", "developer", "platform")
_TEST: Final = re.compile(r"^tests/[a-z0-9_/]+\.py(?:::test_[a-z0-9_]+)?$")
_NAMED: Final = re.compile(rf"\b({'|'.join(GROUPS)})-([1-4](?:/[1-4])*)\b")

_HEAD: Final = f"""# App hardening

<!-- Written by `python dev.py docs` from src/tallystick/process/hardening/controls.yaml. -->

Who does what so that an app on the SDK is hard to attack, for each of the {len(CONTROLS)} controls
of {EDITION}, whose identifiers alone are used here. `tallystick checklist app` prints the same;
with `--json`, as data. What the SDK's keys withstand, and what not, is in
[Client keys](../explanation/client-keys.md).
"""


class Control(Record, frozen=True, kw_only=True):
    """One control: who does what, the tests that show the SDK's part, the rows that name it.

    `outside` is why the SDK has no part, and is empty where it has one.
    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    id: str
    about: str
    sdk: str
    outside: str
    tests: tuple[str, ...]
    developer: str
    platform: str
    requirements: tuple[str, ...] = ()


def rows_naming(found: Catalogue) -> dict[str, tuple[str, ...]]:
    """The rows of the catalogue by the control that they name; a range names each in it.

    Source: ISO/TS 12812-2:2017, 5
    """
    named: dict[str, list[str]] = {one: [] for one in CONTROLS}
    for row in found.requirements.values():
        for reference in row.references:
            if not reference.startswith("MASVS"):
                continue
            for group, numbers in _NAMED.findall(reference):
                for number in numbers.split("/"):
                    named[f"{group}-{number}"].append(row.id)
    return {one: tuple(dict.fromkeys(rows)) for one, rows in named.items()}


@cache
def shipped_text() -> str:
    """The text of the controls of this version.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    place = files("tallystick.process.hardening") / "controls.yaml"
    return place.read_text(encoding="utf-8")


def app_checklist(found: Catalogue, text: str = "") -> tuple[Control, ...]:
    """Every control in the order of the edition; `text` stands for the shipped one.

    Raises Malformed with every defect: a control that is missing or unknown, one without either an
    SDK's part with a test or a reason.
    Source: ISO/TS 12812-2:2017, 7.2.5; 9.3
    """
    defects = Defects(remedy="correct the list of controls")
    nodes = read_nodes(text or shipped_text(), "list of controls")
    root = Section(nodes, "", defects, ("checklist", "controls"))
    root.section("checklist", ("id", "version")).text("id")
    listed = root.section("controls", CONTROLS)
    rows = rows_naming(found)
    controls = tuple(
        _control(identifier, listed.section(identifier, _WORDS), rows[identifier])
        for identifier in CONTROLS
    )
    defects.refuse()
    return controls


def checklist_page(found: Catalogue) -> str:
    """The checklist as a page in Markdown.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """
    return _HEAD + "".join(_lines(app_checklist(found)))


def _control(identifier: str, section: Section, rows: tuple[str, ...]) -> Control:
    parts = {word: _part(section, word) for word in ("sdk", "outside")}
    tests = (
        tuple(str(one.value) for one in section.items("tests") if isinstance(one, Scalar))
        if "tests" in section
        else ()
    )
    if bool(parts["sdk"]) == bool(parts["outside"]):
        section.defects.add(section.at, f"{section.trail} says `sdk` or `outside`, and one of them")
    if parts["sdk"] and not tests:
        section.defects.add(section.at, f"{section.trail} names no test for what the SDK does")
    for one in tests:
        if not _TEST.match(one):
            section.defects.add(section.at, f"{section.trail} names {one[:80]!r}, which is no test")
    return Control(
        id=f"MASVS-{identifier}",
        about=section.text("about"),
        sdk=parts["sdk"],
        outside=parts["outside"],
        tests=tests,
        developer=section.text("developer"),
        platform=section.text("platform"),
        requirements=rows,
    )


def _part(section: Section, word: str) -> str:
    return section.text(word).strip() if word in section else ""


def _lines(controls: tuple[Control, ...]) -> Iterator[str]:
    for one in controls:
        yield f"\n## {one.id}: {one.about}\n\n"
        if one.sdk:
            yield f"- **SDK.** {one.sdk}\n"
        else:
            yield f"- **SDK, no part.** {one.outside}\n"
        yield f"- **Developer.** {one.developer}\n- **Platform.** {one.platform}\n"
        if one.tests:
            yield "- **Tests.**\n"
            yield from (f"  - `{test}`\n" for test in one.tests)
        if one.requirements:
            yield f"- **Rows.** {', '.join(one.requirements)}\n"
