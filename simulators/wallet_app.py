"""A simulated wallet app in a process of its own: opens its vault, signs, locks, waits to be read.

    python -m simulators.wallet_app FOLDER      then a PIN on the standard input, 64 octets of it

It says `open`, `signed` and `locked` on the standard output and waits for an octet after each, so
that somebody outside can look at its memory in each state. Simulated: no phone, no hardware.

Source: ISO/TS 12812-2:2017, 8.1.2; 8.2.3
"""

import gc
import os
import sys
from pathlib import Path

from tallystick.client.vault.anchor import FolderAnchor
from tallystick.client.vault.keystore import Vault
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.secret import SecretBuffer

PIN_OCTETS = 64
"""A PIN comes with zeroes after it."""


def typed(shown: str) -> SecretBuffer:
    """The PIN from the standard input, in a buffer and in no other place of this process.

    Source: ISO/TS 12812-2:2017, 8.1.5
    """
    line = bytearray(PIN_OCTETS)
    os.readv(0, [line])
    with SecretBuffer(line), memoryview(line) as seen:
        pin = bytearray(line.find(0) if 0 in line else PIN_OCTETS)
        with memoryview(pin) as target:
            target[:] = seen[: len(pin)]  # straight across: a slice of a bytearray is a copy
    return SecretBuffer(pin)


def say(word: str) -> None:
    """Tell where the app stands, and wait for one octet.

    Source: ISO/TS 12812-2:2017, 8.1.2
    """
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    os.read(0, 1)


def main() -> None:
    """Open, sign once with each key, lock.

    Source: ISO/TS 12812-2:2017, 8.1.2
    """
    folder = Path(sys.argv[1])
    anchor = FolderAnchor(folder / "device", b"this machine")
    vault = Vault.open(folder / "keys" / "vault", anchor, typed, entropy=operating_system)
    say("open")
    vault.consent_sign(b"order", shown="Pay KES 5 to Jane")
    vault.possession_sign(b"here")
    vault.renewal_pairs()
    say("signed")
    vault.lock()
    gc.collect()
    say("locked")


if __name__ == "__main__":
    main()
