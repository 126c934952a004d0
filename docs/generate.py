"""Writes the generated pages of docs/reference; run it through `python dev.py docs`."""

from collections.abc import Iterator
from pathlib import Path

from tallystick.entry.cli.manual import manual_page
from tallystick.kernel.errors import MfsError
from tallystick.process.catalogue.coverage import coverage_report, render_markdown
from tallystick.process.catalogue.glossary import render_glossary
from tallystick.process.isms.page import registers_page

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
`out-of-reach` nothing was done, and the same id is good once what fails answers again; after
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


def main() -> None:
    """Write every generated page and say where."""
    REFERENCE.mkdir(exist_ok=True)
    pages = (
        ("errors.md", errors_page()),
        ("cli.md", manual_page()),
        ("glossary.md", render_glossary()),
        ("registers.md", registers_page()),
        ("clauses.md", render_markdown(coverage_report(REFERENCE.parents[1]))),
    )
    for name, text in pages:
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(f"written: docs/reference/{name}")


if __name__ == "__main__":
    main()
