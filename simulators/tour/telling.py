"""How the tour tells what happens: a scene has a title, each line an act and its reason.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

import sys
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: `kind` is done, refused or fact; `reason` says by what.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    kind: str
    text: str
    reason: str


@dataclass(slots=True)
class Story:
    """Everything told so far, for the page.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    scenes: list[tuple[str, list[Line]]] = field(default_factory=list)

    def scene(self, title: str) -> None:
        """Begin a scene.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self.scenes.append((title, []))
        _print(f"\n{_bold(title)}")

    def done(self, text: str, reason: str = "") -> None:
        """Something was done.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._tell("done", text, reason, "+", "32")

    def refused(self, text: str, reason: str) -> None:
        """Something was refused, for a reason.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._tell("refused", text, reason, "x", "31")

    def fact(self, text: str, reason: str = "") -> None:
        """Something was measured.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._tell("fact", text, reason, "=", "36")

    def _tell(self, kind: str, text: str, reason: str, mark: str, colour: str) -> None:
        self.scenes[-1][1].append(Line(kind, text, reason))
        mark = f"\x1b[{colour}m{mark}\x1b[0m" if sys.stdout.isatty() else mark
        _print(f"  {mark} {text}" + (f"  [{reason}]" if reason else ""))


def progress(text: str) -> None:
    """Show `text` on the current line of a terminal; nothing elsewhere.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K  {text}")
        sys.stdout.flush()


def _print(text: str) -> None:
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[K")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() else text
