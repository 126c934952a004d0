"""The key that signs applications: made away from the server, named in the key list by the root.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.4.2
"""

from pathlib import Path

from tallystick.client.keyfile import KeyFile
from tallystick.entry.auditing import listed_keys
from tallystick.entry.keylisting import check_root, save_lists, signature_rule
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey, SigningKey
from tallystick.infrastructure.keys.table import KEY_TABLE
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Conflict, Malformed
from tallystick.kernel.ids import random_id
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock, Instant
from tallystick.process.apps.manifest import AppRelease, Platform
from tallystick.protocol.apps import AppManifest, manifest_header
from tallystick.protocol.keylist import KeyEntry


def make_app_key(
    folder: ProviderFolder, root: SigningKey, secret: Secret[bytes], target: Path, clock: Clock
) -> KeyEntry:
    """A new key that signs applications, sealed into `target`; the `root` signs the list anew.

    Devices believe it from the new list on. Raises Conflict if `target` is there, NotPermitted for
    another root.
    Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.4
    """
    rule = signature_rule(folder)
    check_root(folder, root, rule)
    if target.exists():
        raise Conflict(f"{target} is there already", remedy="choose another file")
    key, now, before = Es256SigningKey.generate(), clock.now(), listed_keys(folder)
    entry = KeyEntry(
        kid=random_id("key", operating_system(16)),
        purpose=Purpose.APP_SIGNING.value,
        algorithm=key.algorithm,
        public=b64url(key.public().octets()),
        not_before=now,
        not_after=now + KEY_TABLE[Purpose.APP_SIGNING].max_life_ms,
    )
    KeyFile.create(target, Secret(b64url(secret.reveal())), operating_system).write(
        key.to_pkcs8().reveal()
    )
    save_lists(
        folder,
        root,
        rule,
        version=before.version + 1,
        issued_at=now,
        expires_at=Instant(before.expires_at),
        entries=[*before.entries, entry],
    )
    return entry


def sign_manifest(release: AppRelease, provider: str, key: SigningKey) -> str:
    """The manifest of `release` for devices, signed as a JWS in compact form.

    Raises Malformed for a release of a server.
    Source: ISO/TS 12812-2:2017, 7.4.4; RFC 7515, 7.1
    """
    if release.platform is Platform.SERVER:
        raise Malformed("a manifest for devices is of a package for phones")
    manifest = AppManifest(
        provider=provider,
        platform=release.platform.value,
        package=release.package,
        version=release.version,
        name=release.name,
        digest=release.digest,
        signers=release.signers,
    )
    header = encode_canonical(manifest_header(key.algorithm))
    return sign_compact(key, header, encode_canonical(manifest))
