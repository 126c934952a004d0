"""Reads Wycheproof files (C2SP/wycheproof, testvectors_v1) as flat cases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def cases(test_data: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each (group, case) of a file."""
    for group in json.loads((test_data / "wycheproof" / name).read_text())["testGroups"]:
        for case in group["tests"]:
            yield group, case


def octets(text: str) -> bytes:
    return bytes.fromhex(text)
