"""Approvals of privacyIDEA beside which ours are put: `python -m bench.approval_beside [--quick]`.

    approval   validate/check (PIN, begins)  ->  ttype/push (phone asks)  ->  ttype/push (phone
               signs)  ->  validate/check (is it approved?)
    code       validate/check (PIN and HOTP value): one request, nothing is shown or signed

The approval is what ours does: begun, seen on a device, signed, answered. The code is the least
that the peer can do, and costs it a third; it is told without a bound. The phone's own work is in
the measuring process, and small: two RSA signatures.
"""

import base64
import hmac
import secrets
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.privacyidea import PeerMissing, Server, served

LINKS = 4
"""Twice as many as it has workers on two cores: more only wait."""

SHIPPED, TRIVIAL = "as shipped", "with trivial hashing"
HASHING: dict[str, dict[str, int]] = {
    SHIPPED: {},
    TRIVIAL: {"argon2__rounds": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1},
}
SECONDS = {SHIPPED: 16.0, TRIVIAL: 12.0}
_PIN = "7391"
_POLICY = "push_firebase_configuration=poll only, push_registration_url=http://127.0.0.1/ttype/push"


@dataclass(frozen=True, slots=True)
class Done:
    """How many a second, CPU seconds of one, and what was done to find them."""

    rate: float
    cpu_s: float
    load: str


class Phone:
    """The other end of a push token: a key, and what its maker's app would send."""

    def __init__(self, server: Server, person: str) -> None:
        """Enrol it for `person`."""
        self._server, self._person = server, person
        self._key: RSAPrivateKey = generate_private_key(65537, 2048)
        begun = server.order(
            "/token/init", {"type": "push", "genkey": "1", "user": person, "pin": _PIN}
        )["detail"]
        self._serial: str = begun["serial"]
        public = self._key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        plain = "".join(public.decode().splitlines()[1:-1])
        credential = begun["enrollment_credential"]
        asked = {"serial": self._serial, "fbtoken": "none", "pubkey": plain}
        server.ask("POST", "/ttype/push", {**asked, "enrollment_credential": credential})

    def approve(self) -> None:
        """Begin, ask, sign, and see that it is approved."""
        ask, who = self._server.ask, {"user": self._person}
        begun = ask("POST", "/validate/check", {**who, "pass": _PIN})
        transaction = begun["detail"]["transaction_id"]
        now = datetime.now(UTC).isoformat()
        mine = {"serial": self._serial, "timestamp": now}
        seen = ask("GET", "/ttype/push", {**mine, "signature": self._sign(self._serial, now)})
        nonce = seen["value"][0]["nonce"]
        answer = {"serial": self._serial, "nonce": nonce}
        taken = ask("POST", "/ttype/push", {**answer, "signature": self._sign(nonce, self._serial)})
        known = {**who, "pass": "", "transaction_id": transaction}
        ended = ask("POST", "/validate/check", known)
        if not (taken["value"] and ended["authentication"] == "ACCEPT"):
            raise PeerMissing("a signed approval was not accepted")

    def _sign(self, *words: str) -> str:
        signature = self._key.sign("|".join(words).encode(), PKCS1v15(), SHA256())
        return base64.b32encode(signature).decode()


class Codes:
    """A counter of one-time values."""

    def __init__(self, server: Server, person: str) -> None:
        """Enrol it for `person`."""
        self._server, self._person = server, person
        self._seed, self._counter = secrets.token_bytes(20), 0
        asked = {"type": "hotp", "otpkey": self._seed.hex(), "user": person, "pin": _PIN}
        server.order("/token/init", asked)

    def approve(self) -> None:
        """Give the next value."""
        value = hotp(self._seed, self._counter)
        self._counter += 1
        asked = {"user": self._person, "pass": _PIN + value}
        if self._server.ask("POST", "/validate/check", asked)["authentication"] != "ACCEPT":
            raise PeerMissing("a right code was not accepted")


def hotp(seed: bytes, counter: int) -> str:
    """Six digits of RFC 4226."""
    tag = hmac.digest(seed, counter.to_bytes(8, "big"), "sha1")
    at = tag[-1] & 15
    return f"{(int.from_bytes(tag[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def repeated(acts: list[Callable[[], None]], seconds: float, server: Server, what: str) -> Done:
    """Each of `acts` over and over, all at once, for `seconds`; every answer was checked."""
    took: list[float] = []
    failed: list[BaseException] = []
    for act in acts:
        act()

    def many(act: Callable[[], None]) -> None:
        try:
            while (now := time.perf_counter()) < began + seconds:
                act()
                took.append((time.perf_counter() - now) * 1000)
        except (OSError, PeerMissing, LookupError) as error:
            failed.append(error)

    threads = [threading.Thread(target=many, args=(act,)) for act in acts]
    before, began = server.cpu_s(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted, spent = time.perf_counter() - began, server.cpu_s() - before
    if failed or not took:
        raise PeerMissing(f"{what}: {failed[0]!r}" if failed else f"no {what} was answered")
    load = (
        f"{len(took)} {what} in {lasted:.0f} s, {len(acts)} at once, {server.workers} workers,"
        f" p50 {statistics.median(took):.0f} ms"
    )
    return Done(len(took) / lasted, spent / len(took), load)


def measure(which: str, *, quick: bool = False) -> tuple[Done, Done]:
    """Approvals and codes, `SHIPPED` or `TRIVIAL`; raises PeerMissing."""
    seconds = SECONDS[which] / (3 if quick else 1)
    phoning = [f"phone{number}" for number in range(LINKS)]
    coding = [f"code{number}" for number in range(LINKS)]
    with served([*phoning, *coding], hashing=HASHING[which]) as server:
        server.order("/policy/push", {"scope": "enrollment", "realm": "*", "action": _POLICY})
        phones = [Phone(server, person).approve for person in phoning]
        codes = [Codes(server, person).approve for person in coding]
        return (
            repeated(phones, seconds, server, "approvals"),
            repeated(codes, seconds, server, "codes"),
        )


if __name__ == "__main__":
    for name in SECONDS:
        print(name, *measure(name, quick="--quick" in sys.argv), sep="\n  ")
