"""Starts and ends a vendor's library so that several threads may call it.

The driver package starts a library as if one thread used it, and yet lets several in. So the
library is started here, with the flag that makes it lock, over the one function that every library
exports; the package goes on with what it loaded.

Source: PKCS #11 v3.0, 5.4, C_Initialize; 3.7, CK_C_INITIALIZE_ARGS
"""

import ctypes
import importlib
from contextlib import suppress
from typing import Any, Final

from tallystick.kernel.errors import NotPermitted, Unavailable

_LOCKING: Final = 2
_OK: Final = 0
_ALREADY: Final = 0x191
_NOT_YET: Final = 0x190


class _Arguments(ctypes.Structure):
    _fields_ = (
        ("mutexes", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _Functions(ctypes.Structure):
    """The head of CK_FUNCTION_LIST."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


def driver() -> Any:
    """The package that speaks to a vendor's library.

    Raises NotPermitted where the extra `pkcs11` is not installed.
    Source: PKCS #11 v3.0
    """
    try:
        return importlib.import_module("pkcs11")
    except ImportError as error:
        raise NotPermitted(
            "this installation does not speak to devices", remedy="install tallystick[pkcs11]"
        ) from error


class Loaded:
    """A library that is loaded and started.

    Source: PKCS #11 v3.0, 5.4
    """

    def __init__(self, path: str) -> None:
        """Load the library at `path` and start it for several threads.

        Raises Unavailable where it cannot be loaded, or does not lock.
        Source: PKCS #11 v3.0, 5.4
        """
        try:
            self.package: Any = driver().lib(path)
            with suppress(RuntimeError):
                self.package.finalize()
            found = ctypes.POINTER(_Functions)()
            ctypes.CDLL(path).C_GetFunctionList(ctypes.byref(found))
            self._functions = found.contents
        except (OSError, RuntimeError, AttributeError, ValueError) as error:
            raise Unavailable(
                "the vendor's library cannot be loaded", remedy="check `library`, and its settings"
            ) from error
        self.start()

    def start(self) -> None:
        """End the library if it runs, and start it.

        Raises Unavailable where it does not start.
        Source: PKCS #11 v3.0, 5.4
        """
        self.end()
        arguments = _Arguments(flags=_LOCKING)
        answer = self._functions.initialize(ctypes.addressof(arguments))
        if answer not in {_OK, _ALREADY}:
            raise Unavailable(
                f"the vendor's library does not start (0x{answer:x})", remedy="see to the device"
            )

    def end(self) -> None:
        """End the library; one that does not run stays as it is.

        Source: PKCS #11 v3.0, 5.4
        """
        answer = self._functions.finalize(None)
        if answer not in {_OK, _NOT_YET}:
            raise Unavailable(
                f"the vendor's library does not end (0x{answer:x})", remedy="restart the service"
            )
