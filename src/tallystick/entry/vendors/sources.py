"""Where vendors' lists come from: FOLDER/vendors.json, which is read again when it changes.

A service does not start with a file that says nothing it understands; one that runs goes on with
what the file said before.

    {"v": 1, "lists": {"android-revoked":
      {"url": "https://android.example/status", "every_s": 3600, "oldest_s": 86400}}}

An address has no name, no secret and no question in it: it stands in the tally and in the log.

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.3; 7.2.6
"""

from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, MfsError, NotPermitted, Unavailable
from tallystick.kernel.model import Record
from tallystick.process.attestation.lists import ListName

FILE: Final = "vendors.json"
EVERY_S: Final = 3_600
OLDEST_S: Final = 86_400
LEAST_S: Final = 60
MOST_S: Final = 7 * 86_400
_HERE: Final = frozenset(("127.0.0.1", "::1", "localhost"))
_MOST_ADDRESS: Final = 500


class Source(Record, frozen=True, kw_only=True):
    """One list: asked at `url` every `every_s`; older than `oldest_s` its dependency fails.

    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 6.2.3
    """

    url: str
    every_s: int = EVERY_S
    oldest_s: int = OLDEST_S


class Sources(Record, frozen=True, kw_only=True):
    """The sources by the name of the list.

    Source: RFC 9334, 7.4
    """

    v: int
    lists: dict[str, Source]


_FILES: Final = Decoder(Sources, limit=16 * 1024, file=FILE)


def sources_in(root: Path) -> dict[str, Source]:
    """The sources of the provider in `root`; none where there is no file.

    Raises Malformed for a file of another form and what `check_source` raises, each with the file
    and the list; Unavailable for one that cannot be read.
    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.3
    """
    try:
        octets = (root / FILE).read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(
            f"{FILE} cannot be read: {error.strerror}",
            remedy=f"let the account of the service read {FILE}",
        ) from error
    found = _FILES.decode(octets)
    if found.v != 1:
        raise Malformed(f"{FILE}: it is of another version", remedy=f"correct {FILE}")
    for name, source in found.lists.items():
        try:
            check_source(name, source)
        except MfsError as error:
            said = f"{FILE}: {name[:40]}: {error.detail}"
            raise type(error)(said, remedy=error.remedy or f"correct {FILE}") from error
    return found.lists


def save_sources(root: Path, lists: dict[str, Source]) -> None:
    """Keep `lists` as the sources of the provider in `root`, in place of those before.

    Raises what `check_source` raises.
    Source: RFC 9334, 7.4
    """
    for name, source in lists.items():
        check_source(name, source)
    replace_file(root / FILE, encode_canonical(Sources(v=1, lists=lists)))


def check_source(name: str, source: Source) -> None:
    """Pass if the list `name` may be asked for as `source` says.

    Raises Malformed for a list that nobody reads, an address with more than a place in it, and
    times out of order; NotPermitted for http beyond loopback.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.6
    """
    if name not in tuple(ListName):
        raise Malformed(f"there is no list {name[:40]!r}", remedy=f"one of {', '.join(ListName)}")
    parts = address(source.url)
    here = is_here(parts)
    if parts.scheme != "https" and not here:
        raise NotPermitted("a vendor's list is fetched over https only")
    least = 1 if here else LEAST_S
    if not least <= source.every_s <= MOST_S:
        raise Malformed(f"a list is asked for every {least} to {MOST_S} seconds")
    if not 2 * source.every_s <= source.oldest_s <= 10 * MOST_S:
        raise Malformed("the longest age of a list is at least twice its period")


def address(url: str) -> SplitResult:
    """The parts of the address of a list.

    Raises Malformed for one that is no address of http or https, or has more than a place in it.
    Source: RFC 9110, 4.2
    """
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MOST_ADDRESS
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise Malformed("the address of a list has no such host or port") from error
    if not plain or not named or parts.scheme not in ("https", "http"):
        raise Malformed("a list has an address with https")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise Malformed("the address of a list has no name, secret or question in it")
    return parts


def is_here(parts: SplitResult) -> bool:
    """Whether an address is one of this machine.

    Source: RFC 1122, 3.2.1.3
    """
    return parts.hostname in _HERE
