"""People in a key ceremony, each at a terminal of their own: a socket that a thread answers."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.client.keyfile import KeyFile
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url
from tallystick.kernel.secret import Secret

SECRET = "5e" * 32
CREW = ("lead", "ann", "bob", "cid", "eve")
LEADER, CUSTODIANS, WITNESS = "lead", ("ann", "bob", "cid"), "eve"
ROLES = ("--master", LEADER, *(w for c in CUSTODIANS for w in ("--custodian", c)),
         "--witness", WITNESS)  # fmt: skip

Answer = Callable[["Person", str], str | None]
"""What somebody says when asked; None is to leave the room."""


def made(root: Path) -> ProviderFolder:
    """A provider whose officers are the people of a ceremony; each key under its own passphrase."""
    folder = ProviderFolder(root)
    plan = Plan(
        provider="test-wallet", currency="EUR", country="33", profile="demo",
        policy_text=demo_policy(), roles=(), officers=CREW, pin_memory_kib=8 * 1024, pin_passes=1,
    )  # fmt: skip
    set_up(folder, plan, Secret(SECRET.encode()), SystemClock())
    own_passphrases(folder)
    return folder


def own_passphrases(folder: ProviderFolder) -> None:
    """Seal the key of each officer under a passphrase that only this person knows."""
    for name in CREW:
        path = folder.offline / f"{name}.key"
        sealed = Secret(b64url(SECRET.encode()))
        _, content = KeyFile.open(path, sealed, operating_system)
        path.unlink()
        KeyFile.create(path, Secret(f"passphrase of {name}"), operating_system).write(content)


def copied(of: ProviderFolder, to: Path) -> ProviderFolder:
    """The same provider in another folder."""
    shutil.copytree(of.root, to)
    return ProviderFolder(to)


@dataclass
class Person:
    """Somebody who writes down what is shown, and answers what is asked."""

    name: str
    answer: Answer
    paper: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def _live(self) -> None:
        with self.near.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                kind, _, text = line.rstrip("\n").partition(" ")
                if kind == "show":
                    self.paper.append(text)
                    reply: str | None = ""
                else:
                    self.asked.append(text)
                    reply = self.answer(self, text)
                if reply is None:
                    break
                self.near.sendall(reply.encode() + b"\n")
        self.near.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """The room is empty; nothing is left open."""
        self.far.close()
        self.thread.join(timeout=10)
        self.near.close()


@dataclass
class Crew:
    """Everyone, and what they have on paper from one ceremony or one run to the next.

    `cut` is what a person is asked when everybody has to leave; `said` overrules a first answer.
    """

    papers: dict[str, list[str]] = field(default_factory=lambda: {one: [] for one in CREW})
    components: dict[str, tuple[str, str]] = field(default_factory=dict)
    whole: str = ""
    cut: str = ""
    said: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    old: dict[str, str] = field(default_factory=dict)
    at_cut: Callable[[], None] = lambda: None
    subject: str = ""

    def answer(self, person: Person, what: str) -> str | None:
        self.asked.append((person.name, what))
        if self.cut and self.cut in what:
            self.at_cut()
            return None
        before = self.said.get((person.name, what))
        if before:
            return before.pop(0)
        if "passphrase of your key" in what:
            return f"passphrase of {person.name}"
        if what == "secret of the master key":
            return SECRET
        if what == "share of the master key" and self.old:
            return self.old.get(person.name, "")
        if "share" in what:
            return (person.paper or self.papers[person.name] or [""])[-1]
        if what == "your component":
            return self.components[person.name][0]
        if what == "check value of your component":
            return self.components[person.name][1]
        if what == "check value of the key":
            return self.whole
        if "characters" in what:
            return self.subject[-8:]
        raise AssertionError(what)

    def people(self) -> dict[str, Person]:
        return {name: Person(name, self.answer) for name in CREW}

    def dismiss(self, people: Iterable[Person]) -> None:
        for one in people:
            one.leave()
            self.papers[one.name] += one.paper

    def holds(
        self,
        folder: ProviderFolder,
        plan: Path,
        word: str = "run",
        keys: dict[str, Path] | None = None,
        without: Sequence[str] = (),
    ) -> Ran:
        """Run or resume the ceremony of `plan` in this process."""
        people = self.people()
        try:
            return tallystick("ceremony", word, *arguments(folder, plan, people, keys, without))
        finally:
            self.dismiss(people.values())

    @property
    def secrets(self) -> list[str]:
        """Everything that must be nowhere."""
        shares = [one for papers in self.papers.values() for one in papers]
        parts = [one for one, _ in self.components.values()]
        bare = ["".join(one.split("-")[1:]) for one in shares]
        phrases = [f"passphrase of {name}" for name in CREW]
        return [*shares, *bare, *parts, SECRET, *phrases]


def arguments(
    folder: ProviderFolder,
    plan: Path,
    people: dict[str, Person],
    keys: dict[str, Path] | None = None,
    without: Sequence[str] = (),
) -> list[object]:
    """What follows `ceremony run`."""
    files = {name: folder.offline / f"{name}.key" for name in CREW} | (keys or {})
    words: list[object] = [folder.root, plan]
    for name, path in files.items():
        if name not in without:
            words += ["--key-file", f"{name}={path}"]
    for name, person in people.items():
        words += ["--at", f"{name}={person.far.fileno()}"]
    return words


def planned(folder: ProviderFolder, script: str, *more: object) -> Path:
    """A plan of everyone, in a file beside the folder."""
    path = folder.root.parent / f"plan-{script}-{os.urandom(4).hex()}.json"
    ran = tallystick("ceremony", "plan", folder.root, script, *ROLES, *more, "--out", path)
    assert ran.code == 0, ran.all
    return path


def transcript(folder: ProviderFolder) -> Path:
    """The newest transcript."""
    return max((folder.root / "ceremonies").glob("*.dsse"))


def verified(folder: ProviderFolder, path: Path | None = None) -> Ran:
    return tallystick("ceremony", "verify", path or transcript(folder), "--provider", folder.root)
