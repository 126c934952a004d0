"""A small strict reader of Containerfiles, and what it finds wrong in one."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

TAKES = {
    "FROM": r"[a-z0-9./-]+:[a-z0-9.-]+(?: AS [a-z]+)?",
    "RUN": r"\S.*",
    "COPY": r"(?:--from=[a-z]+ )?[\w./-]+ /[\w./-]+",
    "ENV": r"(?:[A-Z]+=\S+ *)+",
    "USER": r"\d+:\d+",
    "WORKDIR": r"/[\w/-]+",
    "VOLUME": r"/[\w/-]+",
    "EXPOSE": r"\d{2,5}",
    "STOPSIGNAL": r"SIG[A-Z]+",
    "HEALTHCHECK": r"(?:--[a-z-]+=\d+s? +)+CMD \[.+\]",
    "ENTRYPOINT": r"\[.+\]",
    "CMD": r"\[.+\]",
}
SECRET = re.compile(r"secret|passw|private|credential", re.IGNORECASE)


@dataclass(frozen=True)
class Instruction:
    """A word and what follows it, lines joined."""

    word: str
    rest: str


def read(text: str) -> list[Instruction]:
    """The instructions; ValueError for a word that is not known or takes something else."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = []
    for line in joined.splitlines():
        word, _, rest = line.partition(" ")
        if word not in TAKES:
            raise ValueError(f"unknown instruction: {line}")
        if not re.fullmatch(TAKES[word], rest):
            raise ValueError(f"{word} does not take: {rest}")
        for words in re.findall(r"\[.*\]", rest) if word != "RUN" else ():
            if not all(isinstance(one, str) for one in json.loads(words)):
                raise ValueError(f"{word} takes words: {rest}")
        found.append(Instruction(word, rest.strip()))
    return found


def wrong(instructions: list[Instruction]) -> Iterator[str]:
    """What the last stage does that a service should not, or does not do."""
    stages = [place for place, one in enumerate(instructions) if one.word == "FROM"]
    if not stages or stages[0] != 0:
        yield "it does not begin with FROM"
        return
    last = instructions[stages[-1] :]
    for one in instructions:
        if one.word == "FROM" and ":latest" in one.rest:
            yield "a base without a version"
        if one.word == "ENV" and SECRET.search(one.rest):
            yield "a secret in the environment"
        if one.word == "COPY" and re.match(r"(?:--from=\S+ )?\.{0,2}/? ", one.rest):
            yield "it copies whatever lies there"
        if one.word == "RUN" and "pip install" in one.rest and "--require-hashes" not in one.rest:
            yield "packages without hashes"
    accounts = [one.rest for one in last if one.word == "USER"]
    if not accounts or accounts[-1].startswith("0:"):
        yield "it runs as root"
    after = [one.word for one in last]
    if "USER" in after and "RUN" in after[after.index("USER") :]:
        yield "it runs something after it gave up root"
    for word in ("ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "VOLUME"):
        if after.count(word) != 1:
            yield f"not exactly one {word}"
