"""The implementation under test: a process that is told a JSON object a line and answers one.

Source: ISO/TS 12812-2:2017, 7.2.5; RFC 8259
"""

import contextlib
import queue
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed, Unavailable
from tallystick.kernel.model import Record

ANSWER_LIMIT = 256 * 1024
GONE = "gone"
"""The error of a program that ended, or did not answer in time."""


class Answer(Record, frozen=True, kw_only=True):
    """What the program said: `ok` with members, or `error` (a code of the protocol) and `detail`.

    Source: ISO/TS 12812-2:2017, 7.2.5
    """

    id: int
    ok: dict[str, Any] | None = None
    error: str = ""
    detail: str = ""
    receipt: dict[str, Any] | None = None

    @property
    def said(self) -> str:
        """The answer in a few words.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        return "ok" if self.ok is not None else f"{self.error or 'nothing'}: {self.detail[:120]}"


_answers = Decoder(Answer, limit=ANSWER_LIMIT)


class Program:
    """Runs `command`; may be killed and run again, as a phone whose battery was taken out.

    Source: ISO/TS 12812-2:2017, 7.3.5
    """

    def __init__(self, command: Sequence[str], patience_s: float = 60.0) -> None:
        """Start at the first question; an answer may take `patience_s`.

        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        self._command = tuple(command)
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._number = 0

    def ask(self, do: str, **members: object) -> Answer:
        """The answer to one question; an Answer with the error `gone` where none comes.

        Raises Malformed for a line that is no answer, Unavailable if the program cannot be run.
        Source: ISO/TS 12812-2:2017, 7.2.5
        """
        process = self.start()
        self._number += 1
        line = encode({"id": self._number, "do": do, **members}) + b"\n"
        try:
            if process.stdin is not None:
                process.stdin.write(line)
                process.stdin.flush()
            said = self._lines.get(timeout=self._patience_s)
        except (OSError, queue.Empty):
            said = b""
        if not said:
            self.kill()
            return Answer(id=self._number, error=GONE, detail="the program ended or was too slow")
        try:
            answer = _answers.decode(said)
        except Malformed as error:
            raise Malformed(f"the program wrote what is no answer: {_shown(said)}") from error
        if answer.id != self._number or (answer.ok is None) != bool(answer.error):
            raise Malformed(
                "the program answered another question, or with neither ok nor error",
                remedy="one line of answer for each line, as docs/protocol/conformance.md says",
            )
        return answer

    def kill(self) -> None:
        """End the process without a word; the next question starts it again.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def start(self) -> subprocess.Popen[bytes]:
        """The process, which is started if it does not run.

        Raises Unavailable if the program cannot be run.
        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.kill()
        try:
            process = subprocess.Popen(  # noqa: S603 - whoever runs the kit names the program
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise Unavailable(
                f"the program cannot be run: {self._command[0] if self._command else 'none'}",
                remedy="check --command and the path",
            ) from error
        self._process, self._lines = process, queue.Queue()
        threading.Thread(target=_read, args=(process, self._lines), daemon=True).start()
        return process


def _shown(said: bytes) -> str:
    text = said.decode("utf-8", "replace").strip()
    return "".join(one if one.isprintable() else "?" for one in text[:60])


def _read(process: subprocess.Popen[bytes], lines: "queue.Queue[bytes]") -> None:
    stdout = process.stdout
    with contextlib.suppress(OSError, ValueError):
        while stdout is not None and (line := stdout.readline(ANSWER_LIMIT)):
            lines.put(line)
    lines.put(b"")
