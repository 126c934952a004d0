"""The scripts that ship with the package, read from data/*.json.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from importlib.resources import files

from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotFound
from tallystick.process.ceremonies.model import Script

_scripts = Decoder(Script)


def every_script() -> tuple[Script, ...]:
    """Every script, by id.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    folder = files("tallystick.process.ceremonies").joinpath("data")
    found = [
        _scripts.decode(one.read_bytes()) for one in folder.iterdir() if one.name.endswith(".json")
    ]
    return tuple(sorted(found, key=lambda one: one.id))


def script_called(name: str) -> Script:
    """The script with this id; raises NotFound.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    for one in every_script():
        if one.id == name:
            return one
    raise NotFound(f"no script is called {name[:40]!r}", remedy="tallystick ceremony list")
