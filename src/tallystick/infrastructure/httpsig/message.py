"""A request or a reply as signatures see it: its control data and its fields, not yet its body.

Names of fields are in small letters, values are as they came, one entry a line of the message and
in its order. A reply knows the request that it answers, so that its signature can cover both.

Source: RFC 9421, 2; RFC 9110, 6
"""

import re
from dataclasses import dataclass

from tallystick.kernel.errors import Malformed, NotAuthentic

Fields = tuple[tuple[str, str], ...]

_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}")
_ORIGIN_FORM = re.compile(r"/[!-~]*")
_AUTHORITY = re.compile(
    r"[A-Za-z0-9._~%!$&'()*+,;=-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of a request: `target` is path and query as they stand in the request line.

    Source: RFC 9110, 7.1; RFC 9112, 3.2
    """

    method: str
    scheme: str
    authority: str
    target: str
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """The head of a reply, and the head of the request that it answers if that is at hand.

    Source: RFC 9110, 15
    """

    status: int
    fields: Fields = ()
    request: RequestHead | None = None


Head = RequestHead | ReplyHead


def lines_of(head: Head, name: str) -> list[str]:
    """The values of every line of the field `name`, folds undone and white space around cut.

    Raises NotAuthentic where there is none, Malformed for control characters inside.
    Source: RFC 9421, 2.1
    """
    found = [_FOLD.sub(" ", value).strip(" \t") for given, value in head.fields if given == name]
    if not found:
        raise NotAuthentic(f"the message has no field {name[:40]}")
    if any(not _printable(value) for value in found):
        raise Malformed(f"the field {name[:40]} has characters that no field has")
    return found


def field_of(head: Head, name: str) -> str:
    """The value of the field `name`: all its lines with a comma and a space between.

    Raises as `lines_of`.
    Source: RFC 9421, 2.1
    """
    return ", ".join(lines_of(head, name))


def authority_of(head: RequestHead) -> str:
    """Host and port in small letters, without the port that the scheme has anyway.

    Raises Malformed for what is no authority.
    Source: RFC 9421, 2.2.3; RFC 9110, 4.2.3
    """
    if not _AUTHORITY.fullmatch(head.authority):
        raise Malformed("the request names no host")
    return head.authority.lower().removesuffix(_DEFAULT_PORTS[scheme_of(head)])


def method_of(head: RequestHead) -> str:
    """The method as it is written; capital and small letters differ.

    Raises Malformed for what is no method.
    Source: RFC 9421, 2.2.1; RFC 9110, 9.1
    """
    if not _METHOD.fullmatch(head.method):
        raise Malformed("the request has no method")
    return head.method


def scheme_of(head: RequestHead) -> str:
    """`http` or `https`.

    Raises Malformed for another.
    Source: RFC 9421, 2.2.4; RFC 9110, 4.2
    """
    scheme = head.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise Malformed("a request comes over http or https")
    return scheme


def path_and_query(head: RequestHead) -> tuple[str, str | None]:
    """The path and the query of the target, as they are written; no query is None.

    Raises Malformed for another form than path and query.
    Source: RFC 9421, 2.2.6; 2.2.7; RFC 9112, 3.2.1
    """
    if not _ORIGIN_FORM.fullmatch(head.target):
        raise Malformed("the target of a signed request is a path and a query")
    path, mark, query = head.target.partition("?")
    return path, query if mark else None


def _printable(value: str) -> bool:
    return all(" " <= sign <= "~" or sign == "\t" for sign in value)
