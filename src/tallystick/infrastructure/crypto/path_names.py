"""Which names an issuer allows below itself: of hosts, and of directories; others it cannot limit.

A limit on a form that is not compared here counts as one that nothing keeps.

Source: RFC 5280, 4.2.1.10
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cryptography import x509

from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.errors import NotAuthentic

MOST_COMPARED: Final = 16_384
"""How many names are held against how many limits along a path, multiplied: tens of milliseconds.

Whoever has an attested key can sign certificates below it, and fill them with either.
"""


class _Name(NamedTuple):
    """A name or a limit of names: its form, and its parts as they are compared.

    Neither case nor more white space tells two parts apart (RFC 5280, 7.1).
    """

    form: type[x509.GeneralName]
    parts: Sequence[object] | None


def check_names(path: Sequence[Certificate]) -> None:
    """Return only if each certificate of `path`, leaf first, has names that all above it allow.

    Raises NotAuthentic otherwise, and where there are more of both than are compared.
    Source: RFC 5280, 4.2.1.10; 6.1.4
    """
    left = MOST_COMPARED
    for place, issuer in enumerate(path[1:], 1):
        limits = issuer.extension(x509.NameConstraints)
        if limits is not None:
            names = [name for one in path[:place] for name in _names_of(one)]
            permitted = _read(limits.value.permitted_subtrees or ())
            excluded = _read(limits.value.excluded_subtrees or ())
            left -= len(names) * (len(permitted) + len(excluded))
            if left < 0:
                raise NotAuthentic("a path has more names and limits of names than are compared")
            for name in names:
                _check(name, permitted, excluded)


def _names_of(one: Certificate) -> list[_Name]:
    others = one.extension(x509.SubjectAlternativeName)
    own = [x509.DirectoryName(one.parsed.subject)] if one.subject else []
    return _read([*own, *(() if others is None else others.value)])


def _read(names: Iterable[x509.GeneralName]) -> list[_Name]:
    return [_Name(type(one), _parts(one)) for one in names]


def _parts(name: x509.GeneralName) -> Sequence[object] | None:
    """What is compared of a name, from the outermost in; None for a form that is not compared."""
    if isinstance(name, x509.DNSName):
        return [one for one in reversed(name.value.lower().split(".")) if one]
    if isinstance(name, x509.DirectoryName):
        return [
            frozenset((one.oid, " ".join(str(one.value).split()).casefold()) for one in part)
            for part in name.value.rdns
        ]
    return None


def _check(name: _Name, permitted: Sequence[_Name], excluded: Sequence[_Name]) -> None:
    inside = [one for one in permitted if one.form is name.form]
    outside = [one for one in excluded if one.form is name.form]
    if (inside and not any(_within(name, one) for one in inside)) or any(
        _within(name, one) is not False for one in outside
    ):
        raise NotAuthentic("a certificate has a name that an issuer above it does not allow")


def _within(name: _Name, subtree: _Name) -> bool | None:
    """Whether `name` lies in `subtree`; None for a form that is not compared here."""
    if name.parts is None or subtree.parts is None:
        return None
    return name.parts[: len(subtree.parts)] == subtree.parts
