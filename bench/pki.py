"""Time stamps and answers about certificates, beside the signature: `python -m bench.pki`."""

import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tallystick.infrastructure.crypto.certify import public_of_signer
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ocsp import GOOD, read_answer, write_question
from tallystick.infrastructure.modules.clock import ClockState, elapsed_ms
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.pki.issuing import Authority, found_root
from tallystick.infrastructure.pki.profiles import ROOT, profile
from tallystick.infrastructure.pki.register import Register
from tallystick.infrastructure.pki.responder import Delegate, Responder
from tallystick.infrastructure.timestamps.authority import Practice, StampingAuthority
from tallystick.infrastructure.timestamps.clocks import ClockGuard
from tallystick.infrastructure.timestamps.request import Query
from tallystick.infrastructure.timestamps.response import read_response
from tallystick.kernel.time import Instant, SimulatedClock

BOUND_PER_S = 3_000
ROUNDS, CALLS = 5, 1_500
NOW = Instant(1_767_225_600_000)
_FLOOR = re.compile(r"256 bits ecdsa \(nistp256\)\s+\S+\s+\S+\s+([\d.]+)")


class Bench:
    """A hierarchy whose keys are in a module."""

    def __init__(self, folder: Path) -> None:
        self.module = SoftModule(
            MasterKey(bytes(range(32))).roots(tuple(Purpose)),
            SimulatedClock(NOW),
            entropy=operating_system,
        )
        self.register = Register(folder / "register.log")
        draw, signer = self.module.random, self.signer(Purpose.CERTIFICATE_ROOT)
        found_root(self.register, "Bench", signer, draw, NOW)
        root = Authority(ROOT, self.register, signer, draw)
        own = self.signer(Purpose.CERTIFICATE_ISSUER)
        root.found("services", public_of_signer(own), NOW)
        self.services = Authority("services", self.register, own, draw)

    def signer(self, purpose: Purpose) -> ModuleSigner:
        """A fresh key for `purpose`."""
        return ModuleSigner(self.module, self.module.generate(purpose))

    def stamping(self) -> Callable[[], object]:
        """One time stamp, a fresh number each time, certificates along."""
        signer = self.signer(Purpose.TIME_STAMP)
        own = self.services.certify(profile("tsa"), ("stamps",), signer, NOW)
        guard = ClockGuard(1000, lambda: ClockState(True, 1), elapsed_ms)
        authority = StampingAuthority(
            (own, self.services.certificate),
            signer,
            Practice("1.3.6.1.4.1.99999.1", ordered=False),
            guard,
            self.module.random,
        )
        question = Query(digest=sha256(b"bench"), nonce=7).octets()
        begun = elapsed_ms()
        read_response(authority.answer(question, NOW))
        return lambda: authority.answer(question, Instant(NOW + elapsed_ms() - begun))

    def answering(self, nonce: bytes) -> Callable[[], object]:
        """One answer of the responder; with `nonce` each is signed anew."""
        signer = self.signer(Purpose.OCSP_RESPONDER)
        certificate = self.services.certify(profile("ocsp"), ("answers",), signer, NOW)
        responder = Responder(self.register, {"services": Delegate(certificate, signer)})
        question = write_question(certificate, self.services.certificate, nonce)
        own = self.services.certificate
        if read_answer(responder.answer(question, NOW), certificate, own, NOW).word != GOOD:
            raise SystemExit("the responder does not answer as it should")
        return lambda: responder.answer(question, NOW)


def rate(act: Callable[[], object]) -> float:
    """Calls a CPU second, the median of some rounds."""
    found = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            act()
        found.append(CALLS / (time.process_time() - started))
    return statistics.median(found)


def sign_floor() -> str:
    """What the command openssl signs a second with P-256; empty where it is not there."""
    command = ["openssl", "speed", "-seconds", "1", "ecdsap256"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return "openssl is not there"
    match = _FLOOR.search(done.stdout)
    return f"{match[1]}/s, openssl speed ecdsap256" if match else "openssl said nothing"


def run() -> list[dict[str, Any]]:
    """Stamps and answers a CPU second in this process."""
    floor = sign_floor()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        acts = {
            "time stamps": bench.stamping(),
            "answers about certificates, with nonce": bench.answering(b"n" * 16),
            "answers about certificates, kept": bench.answering(b""),
        }
        return [
            {
                "name": name,
                "value": round(found := rate(act)),
                "unit": "a second and core",
                "bound": BOUND_PER_S,
                "floor": floor,
                "load": f"{ROUNDS} rounds of {CALLS}, in process, key in the module",
                "met": found >= BOUND_PER_S,
            }
            for name, act in acts.items()
        ]


if __name__ == "__main__":
    for row in run():
        print(row)
