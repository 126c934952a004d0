"""Keys of the provider's apps for verdicts of an app store: taken in, sealed, opened at a start.

The store's console gives them for an app: one that decrypts its verdicts, and the store's own
public half that signs them. The first is sealed by the module with the key of the store, for this
package; whoever has it can read verdicts and make none.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.2; RFC 7518, 4.4
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence

from tallystick.entry.module_settings import open_module
from tallystick.entry.partner_settings import SealedVerdictKeys
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.attestation.play.verdict import VerdictKeys
from tallystick.infrastructure.crypto.credential import CredentialKey, credential_of_spki
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.sealing import open_field, seal_field
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock

_LABEL = "tallystick verdict key v1"
_PACKAGE = re.compile(r"[A-Za-z0-9_.]{1,200}")
_OCTETS = 32
_COPY = "copy it from the console again; are the two files swapped?"


def verdict_keys(
    settings: ProviderSettings, module: CryptoModule, store: Sequence[KeyHandle]
) -> tuple[VerdictKeys, ...]:
    """The keys that `settings` keep, opened under one of the `store` keys.

    Raises NotAuthentic for one that was changed, or whose store key is no more.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return tuple(_opened(one, module, store) for one in settings.verdict_keys)


def take_verdict_keys(
    folder: ProviderFolder,
    opener: Opener,
    clock: Clock,
    package: str,
    given: tuple[str, str],
    *,
    simulated: bool = False,
) -> VerdictKeys:
    """Keep the keys of `package`, in place of those before; `given` as the console shows them.

    That is base64: 32 octets that decrypt, and a SubjectPublicKeyInfo on P-256 that verifies.
    Raises Malformed for something else, NotPermitted for simulated ones in production, and what
    opening the master key raises.
    Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.2; RFC 5280, 4.1.2.7
    """
    if not _PACKAGE.fullmatch(package):
        raise Malformed("that is no name of a package", remedy="write org.example.wallet")
    settings = folder.settings()
    if simulated and settings.profile == "production":
        raise NotPermitted("a provider in production takes no simulated keys")
    octets = _plain(given[0], "decryption")
    if len(octets) != _OCTETS:
        raise Malformed("a decryption key has 32 octets", remedy=_COPY)
    public = _verifying(given[1])
    roots = folder.master(opener).roots((Purpose.STORE,))
    module = open_module(folder.root, roots, clock, profile=settings.profile)
    try:
        sealed = seal_field(module, _store_key(folder, module), octets, _bound(package))
    finally:
        module.zeroise()
    kept = SealedVerdictKeys(
        package=package,
        decryption=b64url(sealed),
        verification=b64url(public.spki),
        simulated=simulated,
    )
    others = tuple(one for one in settings.verdict_keys if one.package != package)
    folder.save_settings(replace(settings, verdict_keys=(*others, kept)))
    return VerdictKeys(package, Secret(octets), public, simulated)


def drop_verdict_keys(folder: ProviderFolder, package: str) -> None:
    """Forget the keys of `package`, from the next start on.

    Raises NotFound.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    settings = folder.settings()
    others = tuple(one for one in settings.verdict_keys if one.package != package)
    if len(others) == len(settings.verdict_keys):
        raise NotFound("there are no keys for verdicts of this package")
    folder.save_settings(replace(settings, verdict_keys=others))


def _opened(
    one: SealedVerdictKeys, module: CryptoModule, store: Sequence[KeyHandle]
) -> VerdictKeys:
    try:
        octets = open_field(module, store, b64url_decode(one.decryption), _bound(one.package))
    except NotAuthentic as error:
        raise NotAuthentic(
            f"the key for verdicts of {one.package} does not open",
            remedy="give it anew: tallystick app verdict-keys add",
        ) from error
    public = credential_of_spki(b64url_decode(one.verification))
    return VerdictKeys(one.package, Secret(octets), public, one.simulated)


def _verifying(text: str) -> CredentialKey:
    octets = _plain(text, "verification")
    try:
        found = credential_of_spki(octets)
    except Malformed as error:
        raise Malformed("the verification key is no public key", remedy=_COPY) from error
    if not found.point:
        raise Malformed("a verification key is one of P-256", remedy=_COPY)
    return found


def _plain(text: str, what: str) -> bytes:
    lines = (one for one in text.strip().splitlines() if not one.startswith("-----"))
    try:
        return b64decode("".join(lines), validate=True)
    except (NotBase64, ValueError) as error:
        raise Malformed(f"the {what} key is not base64", remedy=_COPY) from error


def _store_key(folder: ProviderFolder, module: CryptoModule) -> KeyHandle:
    blocks = [one for one in folder.blocks() if peek(one).purpose is Purpose.STORE]
    if not blocks:
        raise NotFound("the provider has no key for its store")
    return module.import_block(max(blocks, key=lambda one: peek(one).created_at))


def _bound(package: str) -> bytes:
    return f"{_LABEL}\x00{package}".encode()
