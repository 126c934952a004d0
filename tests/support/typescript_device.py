"""A device of the TypeScript client that stays in a process of Node, asked a line at a time."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self

from tests.support.served import ORIGIN, PROVIDER, Served
from tests.support.typescript import FOLDER, NODE, built


class Refused(Exception):
    """What the client threw: its code, and what it says beside."""

    def __init__(self, said: dict[str, Any]) -> None:
        super().__init__(said["error"], said.get("detail"))
        self.code = said["error"]
        self.because = said.get("because") or ""
        self.suffices = said.get("suffices") or []


class NodeDevice:
    """An enrolled device; each method name of `test/lives.mjs` is asked by `ask`."""

    def __init__(self, provider: Served, state: Path, enrolling: dict[str, Any]) -> None:
        built()
        self._process = subprocess.Popen(
            [str(NODE), "test/lives.mjs"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        root = provider.done.root
        self.identity = self.ask(
            "start",
            url=provider.url,
            name=PROVIDER,
            origin=ORIGIN,
            root={"algorithm": root.algorithm, "public": root.public},
            state=str(state),
            **enrolling,
        )

    def ask(self, do: str, **asked: Any) -> Any:
        """The answer; raises Refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **asked}) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise Refused(said)
        return said["ok"]

    def own(self, ask: str, *given: Any) -> Any:
        """What one's own affairs say."""
        return self.ask("own", ask=ask, given=list(given))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
