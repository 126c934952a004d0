"""The provider of the tour: set up and served by the command line, in processes of their own.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from simulators.smsc import Smsc
from tallystick.entry.attesting import POLICY
from tallystick.entry.cli.unlocking import secret_from
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.vendors.byhand import REVOKED
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.secret import Secret

ROLES = (
    "security-officer,security-officer,operations,operations,care-desk,"
    "privacy-officer,privacy-officer"
)
_CLI = (sys.executable, "-m", "tallystick.entry.cli")


class TourProvider:
    """Sets a provider up in `folder` and serves it; may be killed and served again.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    def __init__(self, folder: Path, gateway: Es256SigningKey, smsc: Smsc, store: str = "") -> None:
        """Use `folder` for its files, and the server `store` for its record if one is given.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._store = store
        self.folder = ProviderFolder(folder / "provider")
        self._secret = folder / "secret"
        self._codes = folder / "codes"
        self.log = folder / "log.jsonl"
        self._gateway_file = folder / "gateway.json"
        half = PublicHalf(algorithm="ES256", public=b64url(gateway.public().octets()))
        self._gateway_file.write_bytes(encode_canonical(half))
        self._smsc = smsc
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def secret(self) -> Secret[bytes]:
        """The secret that opens the provider's keys.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return secret_from(None, self._secret)

    def set_up(self, *options: str) -> list[tuple[str, str]]:
        """Set the provider up; gives role and one-time code of each invited operator.

        Without `options` of the command the roles are those of the tour, and nothing is analysed.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        asked = options or ("--operators", ROLES, "--no-analysis")
        subprocess.run(
            [
                *_CLI, "init", str(self.folder.root), "--secret-file", str(self._secret),
                *asked, "--sms-url", self._smsc.url + "/v1/messages",
                "--gateway", f"gw1={self._gateway_file}", "--codes-file", str(self._codes),
                "--store", self._store,
            ],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        lines = self._codes.read_text(encoding="ascii").splitlines()
        self._codes.unlink()
        return [(role, code) for role, code in (line.split() for line in lines)]

    def appraise_by(self, text: str) -> None:
        """Appraise attestations by the policy in `text` from the next start on.

        Source: RFC 9334, 8.3
        """
        (self.folder.root / POLICY).write_text(text, encoding="utf-8")

    def revoke(self, serial: str) -> None:
        """Be the vendor who lists the certificate `serial`, or none; the service goes on.

        Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
        """
        listed = {serial: {"status": "REVOKED"}} if serial else {}
        beside = self.folder.root / f".{REVOKED}"
        beside.write_text(json.dumps({"entries": listed}), encoding="utf-8")
        beside.replace(self.folder.root / REVOKED)

    def serve(self, port: int = 0, *options: str) -> str:
        """Serve, with further `options` of the command; gives the address once orders are taken.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._process = subprocess.Popen(
            [
                *_CLI, "serve", str(self.folder.root), "--secret-file", str(self._secret),
                "--port", str(port), "--log", str(self.log),
                "--session-rate", "2000", "--source-rate", "2000", *options,
            ],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stdout = self._process.stdout
        line = stdout.readline() if stdout else ""
        if not line.startswith("listening on "):
            raise Unavailable("the provider did not start", remedy="look at its messages above")
        self.url = line.removeprefix("listening on ").strip()
        return self.url

    @property
    def port(self) -> int:
        """The port it listens on.

        Source: RFC 9110, 4.2.1
        """
        return int(self.url.rsplit(":", 1)[1])

    def cpu_s(self) -> float:
        """CPU seconds of the server process so far.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._process is None:
            return 0.0
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        parts = stat.rsplit(") ", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """Kill the process with -9, in the middle of whatever it does.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the process to finish and wait for it.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._end(signal.SIGTERM)

    def wait(self) -> None:
        """Wait until the process ends by itself.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._process is not None:
            self._process.wait()

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None
