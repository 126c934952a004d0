"""The two packages that the extra `risk` brings: arrays, and a solver of integer programmes.

They are imported when they are first needed, so that reading packs and rating need neither.

Source: ISO/TS 12812-2:2017, A
"""

import importlib
from typing import Any

from tallystick.kernel.errors import Unavailable


def numpy() -> Any:
    """The package NumPy; raises Unavailable where it is not installed.

    Source: ISO/TS 12812-2:2017, A
    """
    return _module("numpy")


def highspy() -> Any:
    """The solver HiGHS; raises Unavailable where it is not installed.

    Source: ISO/TS 12812-2:2017, A
    """
    return _module("highspy")


def silent_solver(module: Any) -> Any:
    """A solver of `module` that prints nothing.

    The public class prints a banner while it is made, before it can be told not to; its parent does
    the same work.
    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return module.Highs.__mro__[1]()


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unavailable(
            f"the risk analysis needs {name}", remedy="pip install 'tallystick[risk]'"
        ) from error
