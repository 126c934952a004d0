"""Which names an issuer allows below itself: of hosts, and of directories; others it cannot limit.

A limit on a form that is not compared here counts as one that nothing keeps.

Source: RFC 5280, 4.2.1.10
"""

from collections.abc import Sequence
from typing import Final

from cryptography import x509

from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.kernel.errors import NotAuthentic

MOST_COMPARED: Final = 16_384
"""How many names are held against how many limits along a path, multiplied: tens of milliseconds.

Whoever has an attested key can sign certificates below it, and fill them with either.
"""


def check_names(path: Sequence[Certificate]) -> None:
    """Return only if each certificate of `path`, leaf first, has names that all above it allow.

    Raises NotAuthentic otherwise, and where there are more of both than are compared.
    Source: RFC 5280, 4.2.1.10; 6.1.4
    """
    left = MOST_COMPARED
    for place, issuer in enumerate(path[1:], 1):
        found = issuer.extension(x509.NameConstraints)
        if found is not None:
            limits, names = found.value, [name for one in path[:place] for name in _names_of(one)]
            trees = (*(limits.permitted_subtrees or ()), *(limits.excluded_subtrees or ()))
            left -= len(names) * len(trees)
            if left < 0:
                raise NotAuthentic("a path has more names and limits of names than are compared")
            for name in names:
                _check(name, limits)


def _names_of(one: Certificate) -> list[x509.GeneralName]:
    others = one.extension(x509.SubjectAlternativeName)
    own = [x509.DirectoryName(one.parsed.subject)] if one.subject else []
    return [*own, *(() if others is None else others.value)]


def _check(name: x509.GeneralName, limits: x509.NameConstraints) -> None:
    permitted = [one for one in limits.permitted_subtrees or () if type(one) is type(name)]
    excluded = [one for one in limits.excluded_subtrees or () if type(one) is type(name)]
    if (permitted and not any(_within(name, one) for one in permitted)) or any(
        _within(name, one) is not False for one in excluded
    ):
        raise NotAuthentic("a certificate has a name that an issuer above it does not allow")


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool | None:
    """Whether `name` lies in `subtree`; None for a form that is not compared here."""
    if isinstance(name, x509.DNSName) and isinstance(subtree, x509.DNSName):
        labels, above = _labels(name.value), _labels(subtree.value)
        return labels[len(labels) - len(above) :] == above if above else True
    if isinstance(name, x509.DirectoryName) and isinstance(subtree, x509.DirectoryName):
        above_rdns = subtree.value.rdns
        return name.value.rdns[: len(above_rdns)] == above_rdns
    return None


def _labels(host: str) -> list[str]:
    return [one for one in host.lower().split(".") if one]
