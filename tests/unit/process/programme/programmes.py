"""The shipped programmes, and a way to spoil one passage of them."""

from functools import cache

from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import profile_text
from tallystick.process.yamltext.quantities import day_ms

NOW = day_ms("2026-12-01")
SMALL = "wallet-start-up"
LARGE = "mobile-money-operator"


@cache
def programme(name: str = SMALL) -> Programme:
    return read_programme(profile_text(name))


def changed(old: str, new: str, name: str = SMALL) -> str:
    """The text of a programme with one passage replaced; the passage must stand there once."""
    text = profile_text(name)
    assert text.count(old) == 1, (old, text.count(old))
    return text.replace(old, new)
