"""Key-encryption keys that others keep, named by an address: what opens a master key at a start.

    aws-kms://KEY-ID?region=...          AWS KMS (`kms`)
    vault-transit://MOUNT/NAME?...       Vault or OpenBao, transit engine (`vault`)
    pkcs11:token=...;object=...?...      a key in a token (`device`)

An address says where a credential comes from and never holds one.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; RFC 7512
"""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from tallystick.entry.module_settings import read_pin
from tallystick.entry.unsealing.device import device_key
from tallystick.entry.unsealing.kms import KIND as KMS
from tallystick.entry.unsealing.kms import Kms, KmsKey
from tallystick.entry.unsealing.vault import KIND as TRANSIT
from tallystick.entry.unsealing.vault import TransitKey, VaultTransit
from tallystick.infrastructure.modules.master import KeyService
from tallystick.kernel.errors import Malformed

__all__ = ["service_at"]


def service_at(address: str) -> KeyService:
    """The service that `address` names; it is asked for nothing yet.

    Raises Malformed for an address that is none, NotPermitted where an extra is not installed,
    NotFound or Unavailable where its credential cannot be read.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    scheme = address.partition(":")[0].lower()
    opening = _OPENINGS.get(scheme)
    if opening is None:
        raise Malformed(
            "the address names no key service",
            remedy=f"begin it with one of {', '.join(f'{one}:' for one in _OPENINGS)}",
        )
    return opening(address)


def _kms(address: str) -> KeyService:
    place, said = _parts(address, {"region", "profile", "endpoint", "credentials"})
    if not place or not said.get("region"):
        raise Malformed("name the key and its region", remedy="aws-kms://KEY-ID?region=eu-west-1")
    return Kms(
        KmsKey(
            place,
            said["region"],
            profile=said.get("profile", ""),
            endpoint=said.get("endpoint", ""),
            credentials=said.get("credentials", ""),
        )
    )


def _transit(address: str) -> KeyService:
    place, said = _parts(address, {"address", "auth", "namespace", "ca"})
    mount, slash, name = place.rpartition("/")
    if not slash or not mount or not name or not {"address", "auth"} <= set(said):
        raise Malformed(
            "name mount and key, the address of the service and what opens its door",
            remedy="vault-transit://transit/NAME?address=https://HOST:8200&auth=file:/PATH",
        )
    return VaultTransit(
        TransitKey(
            said["address"],
            mount,
            name,
            read_pin(said["auth"]),
            namespace=said.get("namespace", ""),
            authorities=said.get("ca", ""),
        )
    )


def _parts(address: str, known: set[str]) -> tuple[str, dict[str, str]]:
    """What stands before the question mark, and what behind it."""
    found = urlsplit(address)
    try:
        pairs = parse_qsl(found.query, strict_parsing=True) if found.query else []
    except ValueError:
        raise Malformed("the address of a key service is not well written") from None
    said = dict(pairs)
    if found.username or found.fragment or len(said) != len(pairs) or set(said) - known:
        raise Malformed(
            "the address of a key service has parts that are not understood",
            remedy=f"it takes {', '.join(sorted(known))}, each once",
        )
    return f"{found.netloc}{found.path}".strip("/"), said


_OPENINGS: dict[str, Callable[[str], KeyService]] = {
    KMS: _kms,
    TRANSIT: _transit,
    "pkcs11": device_key,
}
