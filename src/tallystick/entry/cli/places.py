"""Where a person in a ceremony is asked: at the terminal, unseen, or at one of their own.

    ask WHAT      a line is read
    show TEXT     for this person alone; a line is read once it is written down
    tell TEXT     for everyone

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

import getpass
import os
import sys
from collections.abc import Mapping, Sequence

import click

from tallystick.entry.cli.console import say
from tallystick.kernel.errors import Malformed, Unavailable
from tallystick.kernel.secret import Secret

_LONGEST = 4096


def pairs_of(given: Sequence[str], option: str) -> dict[str, str]:
    """NAME=VALUE options as a table; raises Malformed for another form, or one name twice.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    found: dict[str, str] = {}
    for one in given:
        name, mark, value = one.partition("=")
        if not mark or not name or not value or name in found:
            raise Malformed(f"{option} takes NAME=VALUE, each name once", remedy=f"fix {option}")
        found[name] = value
    return found


class Places:
    """People at this terminal, and those at a descriptor of their own.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_descriptors",)

    def __init__(self, descriptors: Mapping[str, int]) -> None:
        """Ask those named in `descriptors` there, and everybody else at the terminal.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._descriptors = dict(descriptors)

    @classmethod
    def of(cls, given: Sequence[str]) -> "Places":
        """The places in options NAME=FD; raises Malformed for what is no number.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = pairs_of(given, "--at")
        if not all(one.isascii() and one.isdigit() for one in found.values()):
            raise Malformed("a file descriptor is a number", remedy="say --at NAME=3")
        return cls({name: int(one) for name, one in found.items()})

    def ask(self, name: str, what: str) -> Secret[str]:
        """What the person enters, without its line end; it is not echoed.

        Raises Unavailable if nobody is there.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        descriptor = self._descriptors.get(name)
        if descriptor is None:
            self._need_terminal(name)
            return Secret(getpass.getpass(f"{name}, {what}: "))
        _write(descriptor, name, f"ask {what}\n")
        return _line(descriptor, name)

    def show(self, name: str, what: str, text: Secret[str]) -> None:
        """Let the person read `text` until they say that it is written down; then clear it.

        Raises Unavailable if nobody is there.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        descriptor = self._descriptors.get(name)
        if descriptor is not None:
            _write(descriptor, name, f"show {text.reveal()}\n")
            _line(descriptor, name)
            return
        self._need_terminal(name)
        getpass.getpass(f"{name} alone, {what}; Enter shows it: ")
        with open("/dev/tty", "w", encoding="utf-8") as screen:  # noqa: PTH123 - a device
            screen.write(text.reveal() + "\n")
            screen.flush()
            getpass.getpass("Enter takes it away: ")
            screen.write("\033[3J\033[2J\033[H")

    def tell(self, text: str) -> None:
        """Print `text` on standard output.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        say(text)

    @staticmethod
    def _need_terminal(name: str) -> None:
        if not sys.stdin.isatty():
            raise click.UsageError(
                f"{name} cannot be asked unseen: run it at a terminal, or give --at {name}=FD"
            )


def _write(descriptor: int, name: str, text: str) -> None:
    left = text.encode()
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError as error:
        raise Unavailable(f"{name} has gone", remedy="resume when all are there") from error


def _line(descriptor: int, name: str) -> Secret[str]:
    """One line, octet by octet: what comes after it is for another question."""
    found = bytearray()
    try:
        while (octet := os.read(descriptor, 1)) not in {b"", b"\n"}:
            found += octet
            if len(found) > _LONGEST:
                raise Malformed("the line is too long")
    except OSError as error:
        raise Unavailable(f"{name} has gone", remedy="resume when all are there") from error
    if not octet:
        raise Unavailable(f"{name} has gone", remedy="resume when all are there")
    try:
        return Secret(found.decode().removesuffix("\r"))
    except UnicodeDecodeError:
        raise Malformed("the line is not text in UTF-8") from None
