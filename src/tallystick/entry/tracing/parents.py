"""The header that says which trace a request belongs to.

Source: W3C Trace Context, 3.2
"""

import re
from typing import NamedTuple

HEADER = "traceparent"
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class Parent(NamedTuple):
    """Trace and span in hexadecimal, and whether the caller records them.

    Source: W3C Trace Context, 3.2.2
    """

    trace: str
    span: str
    sampled: bool


def read_parent(header: str) -> Parent | None:
    """What `header` says; None where it says nothing that may be believed.

    A later version may have more after the flags; this one may not.
    Source: W3C Trace Context, 3.2.2; 4.3
    """
    found = _FORM.fullmatch(header.strip())
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or trace == _NO_TRACE or span == _NO_SPAN or (version == "00" and more):
        return None
    return Parent(trace, span, bool(int(flags, 16) & 1))


def write_parent(parent: Parent) -> str:
    """The header for those who are called with, or answered by, `parent`.

    Source: W3C Trace Context, 3.2.2
    """
    return f"00-{parent.trace}-{parent.span}-{int(parent.sampled):02x}"
