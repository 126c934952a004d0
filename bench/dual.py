"""What a second signature costs, in bytes and in time: `python -m bench.dual`.

Signs and verifies checkpoints with Ed25519 alone and with Ed25519 beside ML-DSA-65, and seals to
the recipients of both suites. The median of several rounds on one core.
"""

import statistics
import time
from collections.abc import Callable

from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.tally.checkpoint import NoteSigner
from tallystick.infrastructure.tally.verify import verify_checkpoint
from tallystick.protocol.receipt import Checkpoint, format_checkpoint

ORIGIN = "bench/tally/1"
ROUNDS, CALLS = 7, 200
TEXT = format_checkpoint(Checkpoint(origin=ORIGIN, size=1_000_000, root=bytes(range(32))))


def each_us(act: Callable[[], object]) -> float:
    """Microseconds of one call: the median of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(CALLS):
            act()
        rounds.append((time.perf_counter() - started) / CALLS * 1e6)
    return statistics.median(rounds)


def signed(name: str, signing: SigningKey) -> None:
    """Print the sizes and costs of a checkpoint that `signing` signs."""
    signer, public = NoteSigner.of(ORIGIN, signing), signing.public()
    note = signer.note(TEXT)
    sign = each_us(lambda: signer.note(TEXT))
    check = each_us(lambda: verify_checkpoint(note, public, origin=ORIGIN))
    size, half = len(note.encode()), len(public.octets())
    print(
        f"{name:28} note {size:6,} B  key {half:5,} B  sign {sign:7.0f} us  check {check:6.0f} us"
    )


def sealed(suite: KemSuite) -> None:
    """Print the size and costs of sealing a kibibyte to a recipient of `suite`."""
    private = KemPrivateKey.generate(suite)
    public, text = private.public(), bytes(1024)
    message = public.seal(text, info=b"bench")
    seal = each_us(lambda: public.seal(text, info=b"bench"))
    opening = each_us(lambda: private.open(message, info=b"bench"))
    more, half = len(message) - len(text), len(public.octets())
    print(
        f"{suite:28} more {more:6,} B  key {half:5,} B  seal {seal:7.0f} us  open {opening:6.0f} us"
    )


def main() -> None:
    """Print a line for each."""
    signed("ed25519", Ed25519SigningKey.generate())
    signed("ed25519 and ml-dsa-65", DualSigningKey.generate())
    for suite in KemSuite:
        sealed(suite)


if __name__ == "__main__":
    main()
