"""JSON that others write with members of their own: only what is needed is looked at.

Source: RFC 8259, 4; 5
"""

from typing import Any

from tallystick.kernel.codec import from_plain


def object_of(value: object) -> dict[str, Any]:
    """`value` as an object. Raises Malformed otherwise.

    Source: RFC 8259, 4
    """
    return from_plain(value, dict[str, Any])


def list_of(value: object) -> list[Any]:
    """`value` as a list. Raises Malformed otherwise.

    Source: RFC 8259, 5
    """
    return from_plain(value, list[Any])
