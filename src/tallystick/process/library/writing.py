"""Plain values as YAML: every text in double quotes, so that no reader takes it for anything else.

Source: YAML 1.2.2, 7.3.1; 8.2
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Plain: TypeAlias = "str | int | bool | Sequence[Plain] | Mapping[str, Plain]"
"""What is written: texts, whole numbers, flags, lists, and objects whose names are plain words."""


def yaml_text(value: Mapping[str, Plain]) -> str:
    """`value` as one document; members keep their order.

    Source: YAML 1.2.2, 8.2.2
    """
    return "\n".join(_members(value, 0)) + "\n"


def _members(value: Mapping[str, Plain], depth: int) -> Iterator[str]:
    margin = "  " * depth
    for name, one in value.items():
        if isinstance(one, Mapping):
            yield f"{margin}{name}:"
            yield from _members(one, depth + 1)
        elif isinstance(one, Sequence) and not isinstance(one, str):
            yield f"{margin}{name}:"
            for item in one:
                yield from _item(item, depth)
        else:
            yield f"{margin}{name}: {_scalar(one)}"


def _item(item: Plain, depth: int) -> Iterator[str]:
    margin = "  " * depth
    if isinstance(item, Mapping):
        lines = list(_members(item, depth + 1))
        yield f"{margin}- {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield f"{margin}- {_scalar(item)}"


def _scalar(value: Plain) -> str:
    return json.dumps(value, ensure_ascii=False)
