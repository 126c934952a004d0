"""What a signature is over: the covered components line by line and the parameters last.

    "@method": POST
    "content-digest": sha-256=:...:
    "@signature-params": ("@method" "content-digest");created=1767225600;keyid="a";tag="b"

Source: RFC 9421, 2.3; 2.5; 3.1; 4
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tallystick.infrastructure.httpsig.components import Component, component_of, value_of
from tallystick.infrastructure.httpsig.fields import (
    Bare,
    InnerList,
    Item,
    write_dictionary,
    write_member,
)
from tallystick.infrastructure.httpsig.message import Fields, Head
from tallystick.infrastructure.httpsig.reading import read_item
from tallystick.kernel.errors import Malformed

SIGNATURE = "signature"
SIGNATURE_INPUT = "signature-input"
_NUMBERS = frozenset({"created", "expires"})
_TEXTS = frozenset({"nonce", "alg", "keyid", "tag"})
_MOST_COMPONENTS = 32


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one signature covers, and its parameters in the order in which they are signed.

    Source: RFC 9421, 2.3
    """

    components: tuple[Component, ...]
    parameters: tuple[tuple[str, Bare], ...]

    @property
    def member(self) -> InnerList:
        """The same as the member of `signature-input`.

        Source: RFC 9421, 4.1
        """
        return InnerList(tuple(one.item for one in self.components), self.parameters)

    def number(self, name: str) -> int | None:
        """The parameter `created` or `expires` in seconds, None where it is not given.

        Source: RFC 9421, 2.3
        """
        found = dict(self.parameters).get(name)
        return found if isinstance(found, int) else None

    def text(self, name: str) -> str:
        """The parameter `nonce`, `alg`, `keyid` or `tag`, empty where it is not given.

        Source: RFC 9421, 2.3
        """
        found = dict(self.parameters).get(name)
        return found if isinstance(found, str) else ""


def coverage_of(member: InnerList) -> Coverage:
    """The coverage that a member of `signature-input` says.

    Raises Malformed for a component twice, more than 32, or a parameter that is not taken here.
    Source: RFC 9421, 2.3; 2.5
    """
    if len(member.items) > _MOST_COMPONENTS:
        raise Malformed(f"a signature covers at most {_MOST_COMPONENTS} components")
    components = tuple(component_of(item) for item in member.items)
    if len(set(components)) != len(components):
        raise Malformed("a signature covers a component twice")
    for name, value in member.parameters:
        number = name in _NUMBERS and isinstance(value, int) and not isinstance(value, bool)
        if not (number or (name in _TEXTS and isinstance(value, str))):
            raise Malformed(f"a signature has the parameter {name[:40]}, which is not taken here")
    return Coverage(components, member.parameters)


def covering(
    identifiers: Iterable[str],
    *,
    created: int,
    keyid: str,
    tag: str,
    nonce: str = "",
    alg: str = "",
    expires: int | None = None,
) -> Coverage:
    """A coverage of the components called `identifiers`, such as `"@method";req` with its quotes.

    `created` and `expires` are in seconds; what is empty is left out. Raises Malformed for
    what cannot be covered.
    Source: RFC 9421, 2.3; 3.1
    """
    given: tuple[tuple[str, Bare | None], ...] = (
        ("created", created),
        ("expires", expires),
        ("nonce", nonce or None),
        ("alg", alg or None),
        ("keyid", keyid),
        ("tag", tag),
    )
    parameters = tuple((name, value) for name, value in given if value is not None)
    items: tuple[Item, ...] = tuple(read_item(identifier) for identifier in identifiers)
    return coverage_of(InnerList(items, parameters))


def signature_base(head: Head, coverage: Coverage) -> bytes:
    """The octets that a signature of `head` under `coverage` is over.

    Raises NotAuthentic where a covered part is not there, Malformed where its form is wrong.
    Source: RFC 9421, 2.5
    """
    lines = [f"{one.identifier}: {value_of(one, head)}" for one in coverage.components]
    lines.append(f'"@signature-params": {write_member(coverage.member)}')
    return "\n".join(lines).encode("ascii")


def sign_message(
    head: Head, label: str, coverage: Coverage, sign: Callable[[bytes], bytes]
) -> Fields:
    """The two fields that make `head` a signed message; `sign` makes the signature of octets.

    Raises as `signature_base`.
    Source: RFC 9421, 3.1; 4
    """
    mark = sign(signature_base(head, coverage))
    return (
        (SIGNATURE_INPUT, write_dictionary({label: coverage.member})),
        (SIGNATURE, write_dictionary({label: Item(mark)})),
    )
