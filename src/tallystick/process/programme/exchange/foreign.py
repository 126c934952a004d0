"""Reads documents of others: what is not there or has another shape counts as not said.

Source: ISO/TS 12812-2:2017, A
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, TooLarge

MAX_FOREIGN: Final = 8 * 1024 * 1024


class Foreign:
    """A mapping of a foreign document; every question has an answer, empty where it says nothing.

    Source: ISO/TS 12812-2:2017, A
    """

    __slots__ = ("_entries",)

    def __init__(self, value: object) -> None:
        """Look at `value`; anything but a mapping says nothing.

        Source: ISO/TS 12812-2:2017, A
        """
        found = cast("dict[object, object]", value) if isinstance(value, dict) else {}
        self._entries = {str(name): one for name, one in found.items()}

    def text(self, *names: str) -> str:
        """The first of `names` that has a word or number, as text on one line.

        Source: ISO/TS 12812-2:2017, A
        """
        for name in names:
            value = self._entries.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return " ".join(str(value).split())
        return ""

    def number(self, name: str) -> float | None:
        """The number under `name`; None where there is none.

        Source: ISO/TS 12812-2:2017, A
        """
        value = self._entries.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        return None

    def flag(self, name: str) -> bool:
        """Whether `name` is true.

        Source: ISO/TS 12812-2:2017, A
        """
        return self._entries.get(name) is True

    def texts(self, name: str) -> tuple[str, ...]:
        """The words of the list under `name`, or of the text with commas there, none twice.

        Source: ISO/TS 12812-2:2017, A
        """
        value = self._entries.get(name)
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")]
        items = cast("list[object]", value) if isinstance(value, list) else []
        return tuple(dict.fromkeys(one for one in items if isinstance(one, str) and one))

    def inner(self, name: str) -> "Foreign":
        """The mapping under `name`.

        Source: ISO/TS 12812-2:2017, A
        """
        return Foreign(self._entries.get(name))

    def rows(self, name: str) -> tuple["Foreign", ...]:
        """The mappings in the list under `name`.

        Source: ISO/TS 12812-2:2017, A
        """
        value = self._entries.get(name)
        items = cast("list[object]", value) if isinstance(value, list) else []
        return tuple(Foreign(one) for one in items)

    def named(self, name: str) -> Iterator[tuple[str, "Foreign"]]:
        """The mappings by name under `name`.

        Source: ISO/TS 12812-2:2017, A
        """
        return self.inner(name).entries()

    def entries(self) -> Iterator[tuple[str, "Foreign"]]:
        """Everything in it by name, each as a mapping.

        Source: ISO/TS 12812-2:2017, A
        """
        return ((title, Foreign(one)) for title, one in self._entries.items())


def read_json(octets: bytes) -> Foreign:
    """A JSON document; raises Malformed and TooLarge (past 8 MiB).

    Source: RFC 8259
    """
    return Foreign(_documents.decode(octets))


def read_yaml(octets: bytes) -> Foreign:
    """A YAML document of any kind; raises Malformed and TooLarge (past 8 MiB).

    Source: YAML 1.2.2, 3.2
    """
    if len(octets) > MAX_FOREIGN:
        raise TooLarge(f"the document is larger than {MAX_FOREIGN} bytes")
    yaml: Any = YAML(typ="safe", pure=True)
    try:
        return Foreign(yaml.load(octets.decode()))
    except (YAMLError, ValueError) as error:
        raise Malformed("the document is not YAML", remedy="look for odd characters") from error


_documents: Decoder[dict[str, Any]] = Decoder(dict[str, Any], limit=MAX_FOREIGN)
