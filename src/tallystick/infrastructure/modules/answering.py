"""What every known answer asks: that a result is the one known, and that a change is refused.

Source: ISO/IEC 19790, 7.10
"""

from collections.abc import Callable

from tallystick.kernel.errors import Broken, NotAuthentic


def expect(found: object, wanted: object) -> None:
    """Return only if `found` is `wanted`, both of them no secret; raises Broken otherwise.

    Source: ISO/IEC 19790, 7.10
    """
    if found != wanted:
        raise Broken("a known answer came out wrong")


def refuses(check: Callable[[], object]) -> None:
    """Return only if `check` finds something that is not authentic; raises Broken otherwise.

    Source: ISO/IEC 19790, 7.10
    """
    try:
        check()
    except NotAuthentic:
        return
    raise Broken("a changed message was accepted")
