"""Takes over a list that was fetched, if its authority signed it and it follows what is known.

    partner-lists/NAME.fetched.crl           the whole list
    partner-lists/NAME.delta.fetched.crl     the delta

A file is replaced whole. A list that does not count changes nothing: the one before stays, until it
is past.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 5280, 5.2.3; 5.2.4; 6.3.3
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tallystick.entry.pki.listsources import Wanted, registered
from tallystick.entry.pki.partnerlists import FOLDER
from tallystick.infrastructure.crypto.crl import (
    RevocationList,
    SignedList,
    list_octets,
    open_list,
)
from tallystick.infrastructure.crypto.x509 import Certificate
from tallystick.infrastructure.pki.validation import ASKEW_MS, current
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import Conflict, Expired, Malformed, NotAuthentic, NotFound
from tallystick.kernel.time import Instant

_ENDING: Final = ".fetched.crl"


class Taken(NamedTuple):
    """A list that counts, and whether it is another than the one that was there.

    Source: RFC 5280, 5
    """

    found: RevocationList
    is_new: bool


def file_of(root: Path, name: str) -> Path:
    """Where the list `name` is kept once it was fetched.

    Source: RFC 5280, 5
    """
    return root / FOLDER / f"{name}{_ENDING}"


def authority_of(root: Path, one: Wanted) -> Certificate:
    """The registered authority whose list `one` is; raises NotFound.

    Source: RFC 5280, 6.3.3
    """
    found = registered(root).get(one.authority)
    if found is None:
        raise NotFound(
            "the authority of the list is not registered",
            remedy=f"put its certificate into {FOLDER}/ with the ending .pem",
        )
    return found


def take(
    root: Path, name: str, one: Wanted, octets: bytes, known: Iterable[SignedList], now: Instant
) -> Taken:
    """Put the list in `octets` in the place of the one before; reads it whole, so on a thread.

    `known` are lists in the folder. Raises NotFound where the authority is not registered,
    NotAuthentic for what it did not sign, Malformed for what is no such list, Expired for one that
    is past, and Conflict for one that goes back, has the number of another, or does not fit.
    Source: RFC 5280, 5.2.3; 5.2.4; 6.3.3
    """
    authority = authority_of(root, one)
    found = open_list(list_octets(octets)).by(authority)
    if (found.base is not None) != one.delta:
        raise Malformed("a delta came in the place of a whole list, or the other way about")
    if found.this_update > now + ASKEW_MS:
        raise NotAuthentic("the list is of a time that has not come yet")
    if now >= found.next_update:
        raise Expired("the list is past, and its server has none that is newer")
    before = tuple(_of(authority, known))
    if any(_says(other) == _says(found) for other in before):
        return Taken(found, is_new=False)
    _check_follows(found, before, now)
    replace_file(file_of(root, name), found.octets)
    return Taken(found, is_new=True)


def _of(authority: Certificate, known: Iterable[SignedList]) -> Iterator[RevocationList]:
    for one in known:
        with suppress(NotAuthentic):  # another's
            yield one.by(authority)


def _says(one: RevocationList) -> tuple[object, ...]:
    """All but the signature, which may be made again over the same list."""
    return one.number, one.base, one.this_update, one.next_update, one.revoked


def _check_follows(found: RevocationList, before: tuple[RevocationList, ...], now: Instant) -> None:
    alike = [one for one in before if (one.base is None) == (found.base is None)]
    if any(found.number < one.number or found.this_update < one.this_update for one in alike):
        raise Conflict("the list is older than the one in force")
    if any(found.number == one.number for one in alike):
        raise Conflict("the list has the number of the one in force and says something else")
    whole = current(before, now)[:1]
    if found.base is not None and (not whole or found.base > whole[0].number):
        raise Conflict("the delta goes by a whole list that is not here")
