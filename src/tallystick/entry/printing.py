"""A page as PDF, printed by a browser of the system, since only a browser knows its styles whole.

Source: ISO/TS 12812-2:2017, 6.1
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.errors import Unavailable

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
LONGEST_S: Final = 120.0


def browser() -> str | None:
    """The browser that can print, or None.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return next(filter(None, (shutil.which(name) for name in BROWSERS)), None)


def print_page(page: Path, target: Path) -> None:
    """Print the page in the file `page` to the PDF `target`, for this account only.

    Raises Unavailable without a browser, or if it fails or takes too long.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    program = browser()
    if program is None:
        raise Unavailable(
            "there is no browser to print with",
            because=f"none of {', '.join(BROWSERS)} is on the path",
            remedy="install chromium, or open the page in any browser and print it",
        )
    with tempfile.TemporaryDirectory() as profile:
        printed = Path(profile, "printed.pdf")
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={profile}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={printed}",
            *(("--no-sandbox",) if os.geteuid() == 0 else ()),
            page.resolve().as_uri(),
        ]
        _run(command)
        octets = printed.read_bytes() if printed.exists() else b""
    if not octets.startswith(b"%PDF-"):
        raise Unavailable("the browser printed nothing", remedy="open the page and print it there")
    replace_file(target, octets)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a browser on our own page, no text of others
            command, capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable("the browser did not end", remedy="open the page and print it") from error
    if done.returncode != 0:
        raise Unavailable("the browser failed", remedy="open the page in it and print it there")
