"""Cases of look-alike applications, written into their register as a person would write them.

    opened -> reported to the store -> reminded -> gone; two clocks run from the day it was found

Every change is read back before it is kept: a text that would say something else stays as it was.

Source: ISO/TS 12812-2:2017, 7.4.4; 6.2.1
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tallystick.entry.registering import new_register
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.errors import Conflict, Malformed, NotFound
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.isms.model import Entry, Register
from tallystick.process.isms.reading import read_register

REGISTER = "rogue-apps"
_EMPTY = re.compile(r"^entries: *\{ *\} *$", re.MULTILINE)


def rogue_cases(folder: ProviderFolder) -> Register | None:
    """The register of look-alikes of the provider in `folder`; None where it is not kept.

    Raises Malformed for a text with defects.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    file = folder.registers / f"{REGISTER}.yaml"
    return read_register(file.read_text(encoding="utf-8"), REGISTER) if file.exists() else None


def rogue_case(folder: ProviderFolder, case: str) -> Entry:
    """One case; raises NotFound.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    register = rogue_cases(folder)
    found = None if register is None else register.entries.get(case)
    if found is None:
        raise NotFound(f"no case is called {case[:40]!r}", remedy="see tallystick app rogue list")
    return found


def open_case(
    folder: ProviderFolder, case: str, fields: Mapping[str, str], owner: str, now: Instant
) -> Path:
    """Enter a new case; the register is begun for `owner` where there is none. Gives its file.

    Raises Conflict for a case that is there, Malformed for fields that the register does not take.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    file = folder.registers / f"{REGISTER}.yaml"
    register = rogue_cases(folder)
    if register is None:
        new_register(folder, REGISTER, owner, iso_utc(now)[:10])
    elif case in register.entries:
        raise Conflict("a case of this name is there already")
    lines = [f"  {case}:", *(f"    {name}: {_word(value)}" for name, value in fields.items())]
    before = file.read_text(encoding="utf-8")
    kept = "\n".join(one for one in before.splitlines() if not one.startswith("#  "))
    text = _EMPTY.sub("entries:", kept).rstrip("\n")
    return _keep(file, before, "\n".join((text, *lines)) + "\n", case, fields)


def note_case(folder: ProviderFolder, case: str, fields: Mapping[str, str]) -> Path:
    """Enter `fields` of a case; one that is there is replaced. Gives the register's file.

    Raises NotFound, and Conflict where the case is not written line by line.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    rogue_case(folder, case)
    file = folder.registers / f"{REGISTER}.yaml"
    before = file.read_text(encoding="utf-8")
    lines = before.splitlines()
    if f"  {case}:" not in lines:
        raise Conflict("the case is not written line by line", remedy=f"edit {file} by hand")
    at = lines.index(f"  {case}:") + 1
    end = next(
        (place for place in range(at, len(lines)) if not lines[place].startswith("    ")),
        len(lines),
    )
    names = tuple(f"    {name}:" for name in fields)
    held = [one for one in lines[at:end] if not one.startswith(names)]
    said = [f"    {name}: {_word(value)}" for name, value in fields.items()]
    text = "\n".join([*lines[:at], *held, *said, *lines[end:]]) + "\n"
    return _keep(file, before, text, case, fields)


def _keep(file: Path, before: str, text: str, case: str, fields: Mapping[str, str]) -> Path:
    """Write `text` to `file` if it is sound and says of `case` what `fields` say."""
    found = read_register(text, REGISTER).entries.get(case)
    if found is None or not set(fields) <= set(found.values):
        raise Malformed("the register would not say what was given", remedy=f"edit {file} by hand")
    if file.read_text(encoding="utf-8") != before:
        raise Conflict("somebody else changed the register", remedy="do it again")
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
    return file


def _word(value: str) -> str:
    """`value` as quoted text, which is the same in YAML and JSON."""
    return json.dumps(value, ensure_ascii=False)
