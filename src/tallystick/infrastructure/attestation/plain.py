"""JSON that others write with members of their own: only what is needed is looked at.

Source: RFC 8259, 4; 5
"""

from typing import Any, cast

from tallystick.kernel.errors import Malformed


def object_of(value: object) -> dict[str, Any]:
    """`value` as an object. Raises Malformed otherwise.

    Source: RFC 8259, 4
    """
    if not isinstance(value, dict):
        raise Malformed("an object is missing")
    return cast("dict[str, Any]", value)


def list_of(value: object) -> list[Any]:
    """`value` as a list. Raises Malformed otherwise.

    Source: RFC 8259, 5
    """
    if not isinstance(value, list):
        raise Malformed("a list is missing")
    return cast("list[Any]", value)
