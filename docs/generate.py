"""Writes the generated pages of docs/reference; run it through `python dev.py docs`."""

import json
from collections.abc import Iterator
from pathlib import Path

from tallystick.entry.cli.manual import manual_page
from tallystick.entry.lifepages import device_life_page, device_life_picture
from tallystick.entry.menupages import menus_page
from tallystick.kernel.errors import MfsError
from tallystick.process.catalogue import catalogue
from tallystick.process.catalogue.coverage import coverage_report, render_markdown
from tallystick.process.catalogue.glossary import render_glossary
from tallystick.process.hardening.checklist import checklist_page
from tallystick.process.isms.cryptography_page import keys_page, mechanisms_page
from tallystick.process.isms.page import registers_page
from tallystick.process.reports.ladders import TIGHTEST, ladder_picture
from tallystick.process.reports.model import Ladder, Rung

REFERENCE = Path(__file__).resolve().parent / "reference"

_ERRORS_HEAD = """# Errors

<!-- Written by `python dev.py docs` from src/tallystick/kernel/errors.py; change it there. -->

Whatever goes wrong, a reply is a problem document (RFC 9457) whose `type` is
`urn:tallystick:problem:` and one of these codes. A program decides on that and on *again?*, never
on the text. *Again?* says whether the same request with the same id may be sent again and can then
succeed; every other answer is final until something changes.

| code | HTTP | again? | name | what happened |
|---|---|---|---|---|
"""

_ERRORS_TAIL = """
A name indented under another is a kind of it. `refused` and what stands under it is expected: the
message, the caller or the policy. `unavailable` and `broken` are faults of the service: after
`unavailable`, inquire or repeat with the same id, since the first attempt may have succeeded; after
`out-of-reach` nothing was done, and the same id is good once what fails answers again, after
`service-suspended` once operators resume the service; after
`broken`, the service takes no more writes until an operator has looked.

The text of an error may be shown to whoever sent the message. It never names a secret, a person or
an account, and `not-authentic` never says which check failed.
"""


def errors_page() -> str:
    """The reference page of the error tree, as Markdown."""
    return _ERRORS_HEAD + "\n".join(_error_rows(MfsError, 0)) + "\n" + _ERRORS_TAIL


def _error_rows(cls: type[MfsError], depth: int) -> Iterator[str]:
    meaning = (cls.__doc__ or "").strip().splitlines()[0]
    name = "&emsp;" * depth + cls.__name__
    again = "yes" if cls.retryable else "no"
    yield f"| `{cls.code}` | {cls.status} | {again} | {name} | {meaning} |"
    for sub in cls.__subclasses__():
        yield from _error_rows(sub, depth + 1)


_LADDER_STYLE = """<style>
  svg { --ink: #1b1f24; --edge: #66717c; background: #ffffff; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e8ebee; --edge: #87929d;
    background: #14181d; } .f0 { fill: #1f456f; } .f1 { fill: #6a4016; } .f2 { fill: #1f5530; }
    .f3 { fill: #513670; } .f4 { fill: #57501a; } }
  @media (prefers-color-scheme: light) { .f0 { fill: #cfe0f5; } .f1 { fill: #f6dcc1; }
    .f2 { fill: #d2ead5; } .f3 { fill: #e4d5f0; } .f4 { fill: #f2e7ae; } }
  text { fill: var(--ink); font: 13px system-ui, sans-serif; } .in { font-size: 12px; }
  .seg { stroke: var(--edge); } .needtip { fill: var(--ink); }
  .need { stroke: var(--ink); stroke-width: 2.4; stroke-dasharray: 5 3; fill: none; }
</style>"""


def ladder_example() -> str:
    """The picture of the page on reading a report: a ladder with numbers that were made up."""
    rungs = (
        Rung(factor="time", bare=1, lifted=4, by=("sim-binding",)),
        Rung(factor="expertise", bare=3, lifted=6, by=("agent-authentication",)),
        Rung(factor="knowledge", bare=0, lifted=7, by=("risk-scoring",)),
        Rung(factor="window", bare=1, lifted=4, by=("agent-authentication",)),
        Rung(factor="equipment", bare=4, lifted=4, by=()),
    )
    example = Ladder(
        picked=TIGHTEST,
        path="example@flow@pin#step",
        label="an example",
        threat="THR-AGT-04",
        table="iso-18045",
        required=(25, 25),
        points=(9, 25),
        rungs=rungs,
        capped=(),
    )
    tints = {one.factor: at for at, one in enumerate(rungs)}
    drawn = ladder_picture("example", example, 28, tints)
    head = '<svg xmlns="http://www.w3.org/2000/svg" class='
    return (
        drawn.replace("<svg class=", head, 1).replace("</desc>", f"</desc>{_LADDER_STYLE}", 1)
        + "\n"
    )


def main() -> None:
    """Write every generated page and say where."""
    REFERENCE.mkdir(exist_ok=True)
    vectors = json.loads((REFERENCE.parents[1] / "tests/vectors/wycheproof.json").read_text())
    pages = (
        ("errors.md", errors_page()),
        ("cli.md", manual_page()),
        ("glossary.md", render_glossary()),
        ("app-hardening.md", checklist_page(catalogue())),
        ("registers.md", registers_page()),
        ("mechanisms.md", mechanisms_page(vectors["files"])),
        ("keys.md", keys_page()),
        ("device-life.md", device_life_page()),
        ("menus.md", menus_page()),
        ("clauses.md", render_markdown(coverage_report(REFERENCE.parents[1]))),
    )
    for name, text in pages:
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(f"written: docs/reference/{name}")
    (REFERENCE.parent / "how-to" / "read-the-report.svg").write_text(
        ladder_example(), encoding="utf-8"
    )
    print("written: docs/how-to/read-the-report.svg")
    (REFERENCE.parent / "explanation" / "device-life.svg").write_text(
        device_life_picture(), encoding="utf-8"
    )
    print("written: docs/explanation/device-life.svg")


if __name__ == "__main__":
    main()
