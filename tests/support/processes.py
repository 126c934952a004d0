"""Processes that a test started, as the kernel sees them."""

import re
from pathlib import Path


def fronts(provider_pid: int) -> dict[int, str]:
    """The fronts that are children of a process, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "status").read_text()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            parent = re.search(r"^PPid:\s+(\d+)$", status, re.MULTILINE)
            if parent and int(parent.group(1)) == provider_pid and "workers.process" in command:
                found[int(entry.name)] = command
    return found
