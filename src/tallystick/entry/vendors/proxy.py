"""The proxy that lists are fetched through, where one is declared: FOLDER/list-proxy.json.

    {"v": 1, "host": "proxy.example", "port": 3128, "credentials": "list-proxy.secret"}

The proxy is asked for a way to the server of each list (CONNECT) and sees nothing inside TLS. What
the environment of the process says of proxies does not count. `credentials` is a file in FOLDER of
one line, NAME:SECRET, which only the service may read.

Source: RFC 9110, 9.3.6; 11.7.2; ISO/TS 12812-2:2017, 7.2.3; 7.2.6
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tallystick.entry.vendors.sources import is_here
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.secret import Secret

FILE: Final = "list-proxy.json"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9a-f:]{2,45}")
_CREDENTIALS: Final = "list-proxy.secret"
_MOST_SECRET: Final = 1_000
_OTHERS: Final = 0o077


class ListProxy(Record, frozen=True, kw_only=True):
    """A proxy at `host` and `port`; `credentials` names a file beside, empty for none.

    Source: RFC 9110, 9.3.6
    """

    v: int
    host: str
    port: int
    credentials: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """The way through a proxy: where it is, and how it is told who asks (empty for nobody).

    Source: RFC 9110, 11.7.2
    """

    host: str
    port: int
    authorization: Secret[str] = field(default_factory=lambda: Secret(""))


_FILES: Final = Decoder(ListProxy, limit=4 * 1024, file=FILE)


def way_in(root: Path) -> Way | None:
    """The way that lists of the provider in `root` are fetched; None for the direct one.

    Raises Malformed for files of another form, NotPermitted for credentials that others may read.
    Source: RFC 9110, 9.3.6; ISO/TS 12812-2:2017, 7.2.3
    """
    try:
        octets = (root / FILE).read_bytes()
    except FileNotFoundError:
        return None
    found = _FILES.decode(octets)
    _check(found)
    if not found.credentials:
        return Way(found.host, found.port)
    said = _read(root / found.credentials)
    basic = b64encode(said.reveal()).decode("ascii")
    return Way(found.host, found.port, Secret(f"Basic {basic}"))


def way_to(root: Path, url: str) -> Way | None:
    """The way of `way_in` to the list at `url`; None, so directly, to one on this machine.

    Such a list may come over http, since nobody is between: a proxy would be.
    Raises what `way_in` raises.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    return None if is_here(urlsplit(url)) else way_in(root)


def save_proxy(root: Path, place: str, credentials: Secret[bytes] | None) -> None:
    """Let lists of the provider in `root` be fetched through the proxy at `place`, HOST:PORT.

    Raises Malformed for a place that is none, and credentials of another form.
    Source: RFC 9110, 9.3.6
    """
    named = "" if credentials is None else _CREDENTIALS
    host, _, port = place.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() else 0
    made = ListProxy(v=1, host=host.strip("[]"), port=number, credentials=named)
    _check(made)
    if credentials is not None:
        _check_said(credentials)
        replace_file(root / _CREDENTIALS, credentials.reveal())
    replace_file(root / FILE, encode_canonical(made))
    if credentials is None:
        (root / _CREDENTIALS).unlink(missing_ok=True)


def lacks_credentials(root: Path) -> str:
    """The file of credentials that the proxy of `root` names and that is not there; else empty.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    try:
        found = _FILES.decode((root / FILE).read_bytes())
        _check(found)
    except (OSError, Malformed):  # told where it is read for use
        return ""
    there = not found.credentials or (root / found.credentials).is_file()
    return "" if there else found.credentials


def remove_proxy(root: Path) -> None:
    """Let lists of the provider in `root` be fetched directly from now on.

    Source: RFC 9110, 9.3.6
    """
    for name in (FILE, _CREDENTIALS):
        (root / name).unlink(missing_ok=True)


def _check(one: ListProxy) -> None:
    if one.v != 1:
        raise Malformed(f"{FILE} is of another version")
    if not _HOST.fullmatch(one.host) or not 0 < one.port <= 65_535:
        raise Malformed("a proxy has a host and a port", remedy="such as proxy.example:3128")
    if one.credentials and Path(one.credentials).name != one.credentials:
        raise Malformed("the credentials of a proxy are a file beside its settings")


def _read(file: Path) -> Secret[bytes]:
    try:
        if file.stat().st_mode & _OTHERS:
            raise NotPermitted(
                "others may read the credentials of the proxy", remedy=f"chmod 600 {file.name}"
            )
        said = Secret(file.read_bytes().strip())
    except OSError as error:
        raise Malformed("the credentials of the proxy are not there") from error
    _check_said(said)
    return said


def _check_said(said: Secret[bytes]) -> None:
    octets = said.reveal()
    plain = octets.isascii() and octets.decode("ascii", "replace").isprintable()
    if b":" not in octets or not plain or len(octets) > _MOST_SECRET:
        raise Malformed("the credentials of a proxy are one line, NAME:SECRET")
