"""Processes that serve one provider, side by side: one writes, the others stand by."""

import select
import signal
import subprocess
import sys
import time
from pathlib import Path


class Service:
    """One process of the provider in `folder`, with its fronts."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.log = folder / f"errors-{port}-{time.monotonic_ns()}"
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "tallystick.entry.cli", "serve", str(folder / "provider"),
                    "--secret-file", str(folder / "secret"), "--port", str(port),
                    "--session-rate", "2000", "--source-rate", "2000", *options,
                ],
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def until_waiting(self) -> None:
        """Until it has said that it stands by."""
        limit = time.monotonic() + 60
        while "waiting" not in self.log.read_text():
            assert time.monotonic() < limit, self.log.read_text()
            time.sleep(0.02)

    def until_serving(self) -> str:
        """Its address, once it takes orders."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), self.log.read_text()
        return line.split()[-1]

    def says_more(self) -> bool:
        """Whether it has said something that was not read yet, or has ended."""
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def fronts(self) -> list[int]:
        """The processes that verify for it."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def end(self, sign: signal.Signals) -> int:
        """Send it a signal that ends it; gives its code."""
        self.process.send_signal(sign)
        return self.ended()

    def ended(self) -> int:
        """Its code, once it has ended."""
        code = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
