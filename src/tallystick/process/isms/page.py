"""The reference page of registers: every field and clock, legal deadlines, the table of schemes.

Source: ISO/TS 12812-2:2017, 6.2.1; 9.4
"""

from collections.abc import Iterator

from tallystick.kernel.time import HOUR_MS
from tallystick.process.isms.breach import MONTH, REGIMES
from tallystick.process.isms.model import ClockKind, ClockRule, Field, Shape
from tallystick.process.isms.schemes import schemes, wire_word
from tallystick.process.isms.shapes import SHAPES
from tallystick.process.programme.words import Strength
from tallystick.process.yamltext.section import UNBOUNDED

_HEAD = """# Registers

<!-- Written by `python dev.py docs` from src/tallystick/process/isms; change it there. -->

Each register is a text `registers/NAME.yaml` in the provider's folder, with `register`, `owner`,
`reviewed` and `entries`; `review_every` may be less than a year, not more. Fields in italics may be
left out. [How registers are kept](../how-to/keep-the-registers.md).
"""

_REGIMES = """
## Legal clocks

Of an entry of `incidents`, for each law under `regimes`. A clock that begins with an earlier
notification runs, while that one is missing, from the moment at which it was due.

| law | what | due | told |
|---|---|---|---|
"""

_SCHEMES = """
## Schemes

What a level of a scheme is worth on the scale of ISO/IEC 18045. Levels stand from the weakest to
the strongest, and a stronger one is never worth less. Where AVA_VAN is named beside a level, the
stronger of the two counts. What the table does not know is worth nothing.

| scheme | levels | rests on |
|---|---|---|
"""

_RECOGNITION = """
## Recognition

A certificate whose `recognition` names an arrangement counts if a member issued it, and no further
than the arrangement goes.

| arrangement | schemes | at most | with a shared protection profile | members |
|---|---|---|---|---|
"""


def registers_page() -> str:
    """The page, as Markdown.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    parts = [_HEAD, *(line for one in SHAPES.values() for line in _register(one))]
    parts += [_REGIMES.rstrip("\n"), *_regimes(), _SCHEMES.rstrip("\n"), *_schemes()]
    parts += [_RECOGNITION.rstrip("\n"), *_recognition(), ""]
    return "\n".join(parts)


def _register(shape: Shape) -> Iterator[str]:
    yield f"## {shape.name}\n"
    yield f"{shape.says[0].upper()}{shape.says[1:]}. Bears on {', '.join(shape.requirements)}.\n"
    if shape.least:
        yield f"These entries must be there: {', '.join(f'`{one}`' for one in shape.least)}.\n"
    yield "| field | holds | |"
    yield "|---|---|---|"
    for field in shape.fields:
        name = f"`{field.name}`" if field.required else f"*`{field.name}`*"
        yield f"| {name} | {_holds(field)} | {field.says} |"
    yield ""
    for clock in shape.clocks:
        yield f"Clock: {_runs(clock)}.\n"


def _holds(field: Field) -> str:
    known = ", ".join(f"`{one}`" for one in field.known)
    return f"{field.kind.value} {known}".strip()


def _runs(clock: ClockRule) -> str:
    unless = f", while `{clock.unless}` is not false" if clock.unless else ""
    if clock.kind is ClockKind.EXPIRES:
        return f"{clock.what} ends on `{clock.start}`{unless}"
    until = f", until `{clock.done}`" if clock.done else ""
    return f"{clock.what} is due `{clock.length}` after `{clock.start}`{until}{unless}"


def _regimes() -> Iterator[str]:
    for name, notifications in REGIMES.items():
        for one in notifications:
            length = "a month" if one.length_ms == MONTH else f"{one.length_ms // HOUR_MS} h"
            latest = (
                f", {one.latest_ms // HOUR_MS} h after `aware` at most" if one.latest_ms else ""
            )
            yield f"| `{name}` | {one.what} | {length} after `{one.start}`{latest} | `{one.done}` |"


def _schemes() -> Iterator[str]:
    for one in schemes().schemes.values():
        levels = ", ".join(f"{name}: {_word(worth)}" for name, worth in one.levels.items())
        ended = "; counts for nothing since its end" if one.ends < UNBOUNDED else ""
        yield f"| `{one.id}` {one.title} | {levels} | {one.note}{ended} |"
    van = ", ".join(f"{name}: {_word(worth)}" for name, worth in schemes().van.items())
    yield f"| AVA_VAN | {van} | the method of evaluation |"


def _recognition() -> Iterator[str]:
    for one in schemes().arrangements.values():
        yield (
            f"| `{one.id}` {one.title} | {', '.join(one.schemes)} | {_word(one.most)}"
            f" | {_word(one.with_profile)} | {', '.join(one.members)} |"
        )


def _word(worth: Strength) -> str:
    return wire_word(worth).removeprefix("iso_18045_")
