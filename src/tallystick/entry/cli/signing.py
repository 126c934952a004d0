"""The keys that sign the steps of a ceremony, opened by the people in it.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tallystick.client.keyfile import KeyFile
from tallystick.entry.ceremonies.room import TRIES, Speaking
from tallystick.entry.cli.operators import OperatorKey
from tallystick.entry.cli.places import pairs_of
from tallystick.infrastructure.crypto.signature import (
    ES256,
    Ed25519SigningKey,
    Es256SigningKey,
    SigningKey,
)
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.process.ceremonies import Person, Plan

_operators = Decoder(OperatorKey)


def signers_of(plan: Plan, key_files: Sequence[str], speaking: Speaking) -> dict[str, SigningKey]:
    """The key of everyone in `plan`, each opened with the passphrase that its owner enters.

    Raises NotPermitted for somebody without a key, NotAuthentic for a wrong passphrase or a key
    that is another one's.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
    """
    files = pairs_of(key_files, "--key-file")
    missing = [one.name for one in plan.people if one.name not in files]
    if missing:
        raise NotPermitted(
            f"{missing[0]} is not here", because="quorum",
            remedy=f"give --key-file {missing[0]}=FILE",
        )  # fmt: skip
    found: dict[str, SigningKey] = {}
    for one in plan.people:
        signer = _asked(one, Path(files[one.name]), speaking)
        if b64url(signer.public().octets()) != one.public:
            raise NotAuthentic(f"this is not the key of {one.name}", remedy="give theirs")
        found[one.name] = signer
    return found


def _asked(one: Person, file: Path, speaking: Speaking) -> SigningKey:
    for _ in range(TRIES - 1):
        try:
            return _opened(one, file, speaking.ask(one.name, "passphrase of your key"))
        except NotAuthentic:
            speaking.tell(f"{one.name}: the passphrase does not open the key; once more")
    return _opened(one, file, speaking.ask(one.name, "passphrase of your key"))


def _opened(one: Person, file: Path, typed: Secret[str]) -> SigningKey:
    """An operator's key under the passphrase, or an officer's as set-up sealed it."""
    try:
        _, content = KeyFile.open(file, typed, operating_system)
    except NotAuthentic:
        sealed = Secret(b64url(typed.reveal().encode()))
        _, content = KeyFile.open(file, sealed, operating_system)
    with suppress(Malformed):  # an officer's file has the key alone
        content = b64url_decode(_operators.decode(content).key)
    if one.algorithm == ES256:
        return Es256SigningKey.from_pkcs8(content)
    return Ed25519SigningKey.from_pkcs8(content)
