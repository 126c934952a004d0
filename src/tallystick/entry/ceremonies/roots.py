"""The step that makes the provider's root: sealed under shares, before anybody has pinned one.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from tallystick.client.keyfile import KeyFile
from tallystick.entry.auditing import listed_keys
from tallystick.entry.ceremonies.outcome import Outcome, file_result, overwrite
from tallystick.entry.ceremonies.room import Room
from tallystick.entry.renewing import LIST_LIFE_MS
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import public_half
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.keys.keylist import issue_key_list
from tallystick.infrastructure.modules.shamir import split
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.ceremonies import Result

_SECRET = 32


def make_root(room: Room) -> Outcome:
    """The provider has another root, sealed under shares of the custodians; its list is by it.

    The old root's file is overwritten. Raises Conflict once the provider was served: wallets have
    pinned the root then.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    folder = room.folder
    _refuse_served(folder)
    _undo(folder)
    root, secret = Ed25519SigningKey.generate(), room.draw(_SECRET)
    parts = split(
        secret,
        threshold=room.plan.threshold,
        shares=len(room.custodians),
        entropy=room.draw,
    )
    values = room.hand_out(parts)
    settings, before = folder.settings(), listed_keys(folder)
    now = room.clock.now()
    signed = issue_key_list(
        root,
        provider=settings.provider,
        version=before.version + 1,
        issued_at=now,
        expires_at=Instant(now + LIST_LIFE_MS),
        entries=list(before.entries),
    )
    for path in (folder.settings_file, folder.classical_list_file):
        replace_file(folder.root / f"{path.stem}.before", path.read_bytes())
    fresh = folder.offline / "root-by-shares.key"
    fresh.unlink(missing_ok=True)
    folder.offline.mkdir(mode=0o700, exist_ok=True)
    KeyFile.create(fresh, Secret(b64url(secret)), room.draw).write(root.to_pkcs8().reveal())
    half = public_half(root)
    replace_file(folder.classical_list_file, signed.encode())
    replace_file(folder.settings_file, encode_canonical(replace(settings, root=half)))
    listed_keys(folder)
    for path in (folder.settings_file, folder.classical_list_file):
        (folder.root / f"{path.stem}.before").unlink()
    overwrite(folder.offline / "root.key")
    return Outcome(
        values={**values, "the root": half.public},
        results=(
            Result(what="root", name=half.algorithm, digest=half.public),
            file_result(folder, f"offline/{fresh.name}"),
            Result(what="absent-file", name="offline/root.key"),
        ),
    )


def _undo(folder: ProviderFolder) -> None:
    """Put settings and list back as they were before a step that was cut short."""
    for path in (folder.classical_list_file, folder.settings_file):
        kept = folder.root / f"{path.stem}.before"
        if kept.exists():
            replace_file(path, kept.read_bytes())
    for path in (folder.classical_list_file, folder.settings_file):
        (folder.root / f"{path.stem}.before").unlink(missing_ok=True)


def _refuse_served(folder: ProviderFolder) -> None:
    try:
        folder.stored()
    except NotFound:
        return
    raise Conflict(
        "the provider was served, and wallets have pinned its root",
        remedy="make the root before the service is started for the first time",
    )
