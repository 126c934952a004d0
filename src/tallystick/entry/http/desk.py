"""The operators' desk, if this provider has one; what it needs is imported only then.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

# ruff: noqa: PLC0415 - see above

from collections.abc import Sequence

from starlette.routing import Route

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.desk_settings import desk_settings
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import NotFound


def desk_of(platform: Platform, writer: WriterLoop, accounting: Accounting) -> Sequence[Route]:
    """The routes of the desk, none where there is no `desk.json`.

    Raises NotFound if the extra that the desk needs is not installed.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    if desk_settings(platform.folder.root) is None:
        return ()
    try:
        from tallystick.entry.http.console import desk_routes
    except ImportError as error:
        raise NotFound(
            "the desk needs what is not installed", remedy="pip install 'tallystick[desk]'"
        ) from error
    return desk_routes(platform, writer, accounting)
