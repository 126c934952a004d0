"""The parts of a message that a signature can cover, and the value that each of them has.

    "content-digest"                a field; ;sf spells it anew, ;key="a" takes one member of a
                                    dictionary, ;bs wraps every line as octets
    "@method" "@target-uri" "@authority" "@scheme" "@request-target" "@path" "@query"
    "@query-param";name="a"         of a request
    "@status"                       of a reply
    ...;req                         in a reply: of the request that it answers

Refused: `;tr` (no trailer is read here), `;sf` with a field whose form is not known, parameters
that exclude each other, and every other parameter.

Source: RFC 9421, 2
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from tallystick.infrastructure.httpsig.fields import (
    Item,
    Parameters,
    write_dictionary,
    write_list,
    write_member,
)
from tallystick.infrastructure.httpsig.message import (
    Head,
    ReplyHead,
    RequestHead,
    authority_of,
    field_of,
    lines_of,
    method_of,
    path_and_query,
    scheme_of,
)
from tallystick.infrastructure.httpsig.reading import read_dictionary, read_item, read_list
from tallystick.kernel.errors import Malformed, NotAuthentic

_FIELD_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")
_FLAGS = frozenset({"sf", "bs", "req"})
_DICTIONARIES = frozenset({
    "accept-signature", "content-digest", "priority", "repr-digest", "signature",
    "signature-input", "want-content-digest", "want-repr-digest",
})  # fmt: skip
_LISTS = frozenset({"cache-status", "client-cert-chain", "proxy-status"})
_ITEMS = frozenset({"client-cert", "idempotency-key"})
_UNRESERVED = "*-._"


@dataclass(frozen=True, slots=True)
class Component:
    """One covered part: its name and parameters, as they stand in the list of what is covered.

    Source: RFC 9421, 1.1; 2
    """

    name: str
    parameters: Parameters = ()

    @property
    def identifier(self) -> str:
        """Name and parameters in the spelling of the signature base.

        Source: RFC 9421, 2
        """
        return write_member(self.item)

    @property
    def item(self) -> Item:
        """The same as an item of a structured field.

        Source: RFC 9421, 2.3
        """
        return Item(self.name, self.parameters)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Component)
            and self.name == other.name
            and dict(self.parameters) == dict(other.parameters)
        )

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.parameters)))


def component_of(item: Item) -> Component:
    """The component that an item of `signature-input` names.

    Raises Malformed for capital letters, parameters that are not taken or exclude each other.
    Source: RFC 9421, 2; 2.5
    """
    name, given = item.value, dict(item.parameters)
    if not isinstance(name, str) or not name:
        raise Malformed("what a signature covers is named by a text")
    flags = {flag for flag in _FLAGS if given.get(flag) is True}
    rest = {other: value for other, value in given.items() if other not in flags}
    if name == "@query-param":
        fits = set(rest) == {"name"} and isinstance(rest["name"], str) and flags <= {"req"}
    elif name.startswith("@"):
        of_reply = name == "@status" and not flags
        fits = (of_reply or (name in _DERIVED and flags <= {"req"})) and not rest
    else:
        texts = set(rest) <= {"key"} and all(isinstance(value, str) for value in rest.values())
        alone = "bs" not in flags or not (rest or "sf" in flags)
        fits = texts and alone and set(name) <= _FIELD_NAME
    if not fits:
        raise Malformed(f"{name[:40]} cannot be covered in this way")
    return Component(name, item.parameters)


def value_of(component: Component, head: Head) -> str:
    """What `component` is in the message `head`, one line of printable ASCII.

    Raises NotAuthentic where the message has no such part, Malformed where its form is wrong.
    Source: RFC 9421, 2.1; 2.2; 2.4
    """
    parameters = dict(component.parameters)
    source = _source(head, of_request=parameters.get("req") is True)
    if component.name == "@status":
        if not isinstance(source, ReplyHead):
            raise NotAuthentic("only a reply has a status")
        return f"{source.status:03d}"
    if component.name.startswith("@"):
        if not isinstance(source, RequestHead):
            raise NotAuthentic(f"only a request has {component.name}")
        if component.name == "@query-param":
            return _query_parameter(source, str(parameters["name"]))
        return _DERIVED[component.name](source)
    return _field_value(source, component.name, parameters)


def _source(head: Head, *, of_request: bool) -> Head:
    if not of_request:
        return head
    if not isinstance(head, ReplyHead) or head.request is None:
        raise NotAuthentic("there is no request that this would be the reply to")
    return head.request


def _field_value(head: Head, name: str, parameters: Mapping[str, object]) -> str:
    if parameters.get("bs") is True:
        return write_list([Item(line.encode("ascii")) for line in lines_of(head, name)])
    value = field_of(head, name)
    member = parameters.get("key")
    if isinstance(member, str):
        found = read_dictionary(value).get(member)
        if found is None:
            raise NotAuthentic(f"the field {name[:40]} has no member of that name")
        return write_member(found)
    return _spelt_anew(name, value) if parameters.get("sf") is True else value


def _spelt_anew(name: str, value: str) -> str:
    if name in _DICTIONARIES:
        return write_dictionary(read_dictionary(value))
    if name in _LISTS:
        return write_list(read_list(value))
    if name in _ITEMS:
        return write_member(read_item(value))
    raise Malformed(f"the form of the field {name[:40]} is not known here")


def _query_parameter(head: RequestHead, name: str) -> str:
    """The value of the one parameter called `name`, read and written as forms are."""
    query = path_and_query(head)[1] or ""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Malformed("the query is not what a form sends") from error
    found = [value for given, value in pairs if _form_encoded(given) == name]
    if len(found) != 1:
        raise NotAuthentic("the query has the covered parameter not exactly once")
    return _form_encoded(found[0])


def _form_encoded(text: str) -> str:
    return quote(text, safe=_UNRESERVED).replace("~", "%7E")


def _target_uri(head: RequestHead) -> str:
    path_and_query(head)
    return f"{scheme_of(head)}://{authority_of(head)}{head.target}"


def _request_target(head: RequestHead) -> str:
    path_and_query(head)
    return head.target


_DERIVED: dict[str, Callable[[RequestHead], str]] = {
    "@method": method_of,
    "@target-uri": _target_uri,
    "@authority": authority_of,
    "@scheme": scheme_of,
    "@request-target": _request_target,
    "@path": lambda head: path_and_query(head)[0],
    "@query": lambda head: "?" + (path_and_query(head)[1] or ""),
}
