"""The commands of the page on running a provider, run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.unit.entry.cli.command_line import DEMO, ROOT, tallystick

PAGE = ROOT / "docs" / "how-to" / "run-a-provider.md"
PASSPHRASE = "one long passphrase"


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


class Service:
    """`tallystick serve`, in the background as on the page, on a free port."""

    def __init__(self, arguments: list[str]) -> None:
        arguments[arguments.index("--port") + 1] = "0"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tallystick.entry.cli", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), self.process.stderr.read()
        self.url = line.split()[-1]

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def test_the_page_can_be_followed_as_it_stands(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = DEMO.read_text(encoding="utf-8").replace("version: 1\n", "version: 2\n")
    Path("policy.yaml").write_text(text)
    Path("passphrase").write_text(PASSPHRASE)
    lines = commands()
    assert len(lines) == 25
    service = None
    try:
        for line in lines:
            words = shlex.split(line.removesuffix(" &"))
            assert words.pop(0) == "tallystick"
            if line.endswith(" &"):
                service = Service(words)
                continue
            words = [service.url if one == "http://127.0.0.1:8480" else one for one in words]
            if words[0] == "operator":
                words += ["--passphrase-file", "passphrase"]
            ran = tallystick(*words, stdin="y\n")
            assert ran.code == 0, f"{line}\n{ran.all}"
            if words[0] == "init":
                hand_out_codes()
    finally:
        if service is not None:
            assert service.stop() == 0
    assert (tmp_path / "log.jsonl").read_text().startswith("{")
    assert tallystick("tally", "verify", "provider").code == 0
    assert tallystick("tally", "verify", "again").code == 4, "not served yet, so not signed yet"


def hand_out_codes() -> None:
    given: dict[str, int] = {}
    for line in Path("codes").read_text().splitlines():
        role, code = line.split()
        given[role] = given.get(role, 0) + 1
        Path(f"code.{role}.{given[role]}").write_text(code)
