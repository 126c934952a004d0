"""The tutorial, line by line as it stands on its page."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.ports import held_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-payment.md"
CLI = [sys.executable, "-m", "tallystick.entry.cli"]


@pytest.fixture
def blocks() -> Iterator[list[tuple[str, str]]]:
    """What the page says to type, at ports that are of this test until it ends."""
    text = PAGE.read_text(encoding="utf-8")
    with ExitStack() as stack:
        for page_port in ("8480", "8481"):
            text = text.replace(page_port, str(stack.enter_context(held_port())))
        yield re.findall(r"```(console|python)\n(.*?)```", text, re.DOTALL)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_tutorial_can_be_followed_as_it_stands(
    blocks: list[tuple[str, str]], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, object] = {}
    server: subprocess.Popen[str] | None = None
    codes: dict[str, int] = {}
    try:
        for kind, block in blocks:
            if kind == "python":
                if "sqlite3" in block:
                    server = stopped(server)
                exec(compile(block, str(PAGE), "exec"), known)
                continue
            for line in block.splitlines():
                words = shlex.split(line.removeprefix("$ "))
                if words[0] != "tallystick":
                    assert words[0] in {"make", "."}
                elif words[1] == "serve":
                    server = started(words[1:])
                else:
                    done = subprocess.run(
                        [*CLI, *words[1:]], capture_output=True, text=True, check=False
                    )
                    codes[" ".join(words[1:3])] = done.returncode
                    last = done.stdout + done.stderr
    finally:
        stopped(server)
        if "provider" in known:
            known["provider"].close()
            known["smsc"].close()
    said = capsys.readouterr().out
    assert "Ann has 98750 - Ben has 1250" in said
    assert "Ben K." in said
    assert "recorded as event" in said
    assert codes == {"init ./pay": 0, "receipt verify": 0, "tally verify": 4}
    assert "acc_" in last, "the audit names the account"


def started(words: list[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen([*CLI, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("listening on ")
    return process


def stopped(process: subprocess.Popen[str] | None) -> None:
    if process is not None:
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.stdout.close()
