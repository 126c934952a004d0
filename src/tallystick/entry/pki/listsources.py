"""Where lists of partners' authorities come from: FOLDER/partner-lists.json, read when it changes.

    {"v": 1, "hosts": ["pki.east.example"], "lists": {"west":
      {"url": "http://pki.west.example/ca.crl", "authority": "SHA-256", "every_s": 3600}}}

An authority is registered by its certificate: every one in FOLDER/partner-lists/*.pem is. What a
registered certificate itself says of where its issuer's list is counts only for the hosts that the
operators allow; a host is written as in the address, with its port if it is another than usual.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.2.3; RFC 5280, 4.2.1.13; 4.2.1.15
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

from tallystick.entry.pki.partnerlists import FOLDER, named
from tallystick.entry.vendors.byhand import Mark, mark_of
from tallystick.entry.vendors.sources import EVERY_S, LEAST_S, MOST_S, address, is_here
from tallystick.infrastructure.crypto.crl import list_addresses
from tallystick.infrastructure.crypto.x509 import Certificate, certificates_in, read_certificate
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, MfsError, Unavailable
from tallystick.kernel.model import Record, pattern

FILE: Final = "partner-lists.json"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_HOST: Final = re.compile(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:]{2,45}\](:[0-9]{1,5})?")
_NAMED: Final = 16

Registered = Mapping[str, Certificate]
"""Certificates of authorities by `named`."""


class ListSource(Record, frozen=True, kw_only=True):
    """The list of the authority whose certificate has the SHA-256 (hex) `authority`: at `url`.

    `delta` is where its delta lists are, empty for nowhere; both are asked for every `every_s`, and
    sooner where a list ends sooner.
    Source: RFC 5280, 5
    """

    url: str
    authority: Annotated[str, pattern("^[0-9a-f]{64}$")]
    delta: str = ""
    every_s: int = EVERY_S


class ListSources(Record, frozen=True, kw_only=True):
    """The sources by the name of the list, and the hosts that certificates may name.

    Source: RFC 5280, 4.2.1.13
    """

    v: int
    lists: dict[str, ListSource]
    hosts: tuple[str, ...] = ()


class Wanted(Record, frozen=True, kw_only=True):
    """One list that is fetched: whole, or a `delta`.

    Source: RFC 5280, 5
    """

    url: str
    authority: str
    delta: bool
    every_s: int


_FILES: Final = Decoder(ListSources, limit=256 * 1024, file=FILE)


def list_sources(root: Path) -> ListSources:
    """What is declared for the provider in `root`; nothing where there is no file.

    Raises Malformed for a file of another form, Unavailable for one that cannot be read.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    try:
        octets = (root / FILE).read_bytes()
    except FileNotFoundError:
        return ListSources(v=1, lists={})
    except OSError as error:
        raise Unavailable(
            f"{FILE} cannot be read: {error.strerror}",
            remedy=f"let the account of the service read {FILE}",
        ) from error
    found = _FILES.decode(octets)
    _check(found)
    return found


def save_list_sources(root: Path, sources: ListSources) -> None:
    """Keep `sources` for the provider in `root`, in place of those before; raises Malformed.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    _check(sources)
    replace_file(root / FILE, encode_canonical(sources))


def _check(sources: ListSources) -> None:
    if sources.v != 1:
        raise Malformed(f"{FILE} is of another version")
    for name, one in sources.lists.items():
        if not _NAME.fullmatch(name):
            raise Malformed("the name of a list is a slug", remedy="small letters, digits and -")
        places = [address(url) for url in (one.url, one.delta) if url]
        least = 1 if all(is_here(place) for place in places) else LEAST_S
        if not places or not least <= one.every_s <= MOST_S:
            raise Malformed(f"a list is asked for every {least} to {MOST_S} seconds")
    if not all(_HOST.fullmatch(host) for host in sources.hosts):
        raise Malformed("a host is written as in an address", remedy="such as pki.west.example")


def registered(root: Path) -> dict[str, Certificate]:
    """The certificates of authorities in the folder of the provider in `root`, in PEM or DER.

    A file that is none is left out.
    Source: RFC 5280, 4.1
    """
    found: dict[str, Certificate] = {}
    for file in sorted((root / FOLDER).glob("*.pem")):
        with suppress(OSError, MfsError):
            octets = file.read_bytes()
            is_pem = octets.lstrip().startswith(b"-----")
            read = certificates_in(octets) if is_pem else (read_certificate(octets),)
            found |= {named(one): one for one in read}
    return found


def marks_of_sources(root: Path) -> tuple[tuple[str, Mark | None], ...]:
    """What changes with each change of what `wanted` goes by.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    files = (root / FILE, *sorted((root / FOLDER).glob("*.pem")))
    return tuple((one.name, mark_of(one)) for one in files)


def wanted(root: Path) -> dict[str, Wanted]:
    """Every list that is fetched for the provider in `root`, a delta as NAME.delta.

    Raises what `list_sources` raises.
    Source: RFC 5280, 4.2.1.13; 4.2.1.15
    """
    sources, found = list_sources(root), dict[str, Wanted]()
    known = registered(root)
    for name, one in (*sources.lists.items(), *_of_certificates(sources, known)):
        for place, url in ((name, one.url), (f"{name}.delta", one.delta)):
            if url:
                found[place] = Wanted(
                    url=url,
                    authority=one.authority,
                    delta=place != name,
                    every_s=one.every_s,
                )
    return found


def _of_certificates(sources: ListSources, known: Registered) -> Iterator[tuple[str, ListSource]]:
    """Sources that registered certificates name at hosts that are allowed, one an authority."""
    declared = {one.authority for one in sources.lists.values()}
    if not sources.hosts:
        return
    for one in known.values():
        above = next((digest for digest, by in known.items() if _is_below(one, by)), "")
        url, delta = (
            _allowed(list_addresses(one, delta=delta), sources.hosts) for delta in (False, True)
        )
        if above and above not in declared and url:
            declared.add(above)
            yield above[:_NAMED], ListSource(url=url, authority=above, delta=delta)


def _is_below(one: Certificate, by: Certificate) -> bool:
    return one.octets != by.octets and one.issued_by(by)


def _allowed(urls: Iterable[str], hosts: tuple[str, ...]) -> str:
    """The first of `urls` that is at one of `hosts`; empty for none."""
    for url in urls:
        with suppress(Malformed):
            if address(url).netloc.lower() in hosts:
                return url
    return ""
