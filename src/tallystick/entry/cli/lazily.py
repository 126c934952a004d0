"""Commands that are imported when somebody names them: `serve` does not wait for the report.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import importlib
from collections.abc import Iterator, Mapping, MutableMapping

import click

from tallystick.kernel.errors import Broken

_SHELF = "tallystick.entry.cli"


class Commands(MutableMapping[str, click.Command]):
    """Commands by name, each imported on first use.

    `places` maps a name to `module:object` below the command line's package; what follows the first
    place are commands of that group.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, places: Mapping[str, tuple[str, ...]]) -> None:
        self._places = dict(places)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            first, *below = self._places[name]
            command = _imported(first)
            for one in below:
                if isinstance(command, click.Group):
                    command.add_command(_imported(one))
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places.setdefault(name, ())
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _imported(place: str) -> click.Command:
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(f"{_SHELF}.{module}"), name)
    if not isinstance(found, click.Command):
        raise Broken(f"{place} is no command")
    return found
