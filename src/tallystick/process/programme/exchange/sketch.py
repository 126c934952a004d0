"""What a foreign document says of a programme, and what it leaves open.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

import re
from collections.abc import Iterable
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.programme.words import Impact, NodeKind

MOST_ID: Final = 48

_KINDS: Final[tuple[tuple[tuple[str, ...], NodeKind], ...]] = (
    (("ussd",), NodeKind.USSD_GATEWAY),
    (("sms", "smsc"), NodeKind.SMS_CENTRE),
    (("hsm", "vault", "key-management", "cryptographic"), NodeKind.MODULE),
    (("mobile-app", "mobile-client", "mobile", "android", "ios"), NodeKind.MOBILE_APP),
    (("browser", "web-client", "spa"), NodeKind.BROWSER),
    (("backup", "archive"), NodeKind.BACKUP),
    (
        ("database", "storage", "datastore", "data-store", "ledger", "file-server", "data-lake"),
        NodeKind.DATABASE,
    ),
    (("gateway", "proxy", "balancer", "waf", "firewall", "ingress"), NodeKind.GATEWAY),
    (("mainframe", "erp", "core-banking"), NodeKind.CORE),
    (("terminal", "pos"), NodeKind.MERCHANT_TERMINAL),
    (("devops", "monitoring", "admin", "console", "desktop", "ide"), NodeKind.CONSOLE),
    (("store-front", "app-store"), NodeKind.APP_STORE),
    (("external",), NodeKind.PARTNER),
    (
        ("server", "service", "application", "process", "container", "function", "platform"),
        NodeKind.PLATFORM,
    ),
)


class SketchedZone(Record, frozen=True, kw_only=True):
    """A zone of trust; `open` are the questions that the document leaves.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    id: str
    trust: int
    open: tuple[str, ...]


class SketchedNode(Record, frozen=True, kw_only=True):
    """A node; `open` are the questions that the document leaves.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    id: str
    kind: NodeKind
    zone: str
    open: tuple[str, ...]


class SketchedAsset(Record, frozen=True, kw_only=True):
    """Something of value; `kind` is a word of `AssetClass`.

    Source: ISO/TS 12812-2:2017, A
    """

    id: str
    kind: str
    confidentiality: Impact
    integrity: Impact
    availability: Impact
    personal: bool
    kept_at: tuple[str, ...]
    open: tuple[str, ...]


class SketchedFlow(Record, frozen=True, kw_only=True):
    """A flow; `bearer` is a word of `Bearer`.

    Source: ISO/TS 12812-2:2017, 7.1
    """

    id: str
    source: str
    target: str
    via: tuple[str, ...]
    bearer: str
    protocol: str
    carries: tuple[str, ...]
    end_to_end: bool
    reads: tuple[str, ...]
    open: tuple[str, ...]


class Sketch(Record, frozen=True, kw_only=True):
    """The parts of a programme that a foreign document can say; `lost` is what did not fit.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    origin: str
    id: str
    owner: str
    zones: tuple[SketchedZone, ...]
    nodes: tuple[SketchedNode, ...]
    assets: tuple[SketchedAsset, ...]
    flows: tuple[SketchedFlow, ...]
    lost: tuple[str, ...]


class Slugs:
    """Gives each foreign name a slug of its own, and finds it again.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    __slots__ = ("_given", "_taken")

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def give(self, name: str, wish: str = "") -> str:
        """The slug of `name`, made out of `wish` (or the name) if it has none yet.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        if name in self._given:
            return self._given[name]
        stem = slug(wish or name)
        found, number = stem, 2
        while found in self._taken:
            found, number = f"{stem}-{number}", number + 1
        self._given[name] = found
        self._taken.add(found)
        return found

    def find(self, name: str) -> str:
        """The slug of `name`, empty if it was never given one.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._given.get(name, "")

    def found(self, names: Iterable[str]) -> tuple[str, ...]:
        """The slugs of those of `names` that have one, none twice.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return tuple(dict.fromkeys(self._given[one] for one in names if one in self._given))


def slug(name: str) -> str:
    """`name` in small letters, digits and -, 2 to 48 characters.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MOST_ID].strip("-")
    if len(plain) < 2 or not plain[0].isalpha():
        plain = f"x-{plain}".strip("-")
    return plain if len(plain) > 1 else "x-1"


def guess_kind(*said: str) -> NodeKind | None:
    """The kind of node that a foreign word for a technology most likely means; None if none fits.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    for words in said:
        plain = slug(words)
        for hints, kind in _KINDS:
            if any(re.search(rf"(?:^|-){hint}", plain) for hint in hints):
                return kind
    return None


def grade(step: float) -> Impact:
    """The impact for `step`, from 0 (none) to 4 (the worst that a document can say).

    Source: ISO/TS 12812-2:2017, A
    """
    return Impact(min(max(round(step), 0), 4) + 1)
