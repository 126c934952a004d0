"""A Play Integrity verdict, decrypted and verified with two keys that the provider has for an app.

It attests no key: it says which app asked, from which sort of device. It is a label beside the
evidence of a key, never in its place.

Source: RFC 7516, 5.2; RFC 7515, 5.2; RFC 9334, 8.4
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from tallystick.infrastructure.attestation.evidence import Evidence
from tallystick.infrastructure.attestation.plain import list_of, object_of
from tallystick.infrastructure.crypto.credential import CredentialKey
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ecdsa import der_signature
from tallystick.infrastructure.crypto.jwe import open_compact
from tallystick.infrastructure.crypto.jws import split_compact
from tallystick.kernel.codec import Decoder, b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import ABSENT, Absent
from tallystick.kernel.secret import Secret

FORMAT: Final = "play-integrity"
_HEADER: Final = Decoder(dict[str, str], limit=1024)
_PAYLOAD: Final = Decoder(dict[str, Any], limit=32 * 1024)
_ES256: Final = -7
_MAX_LABELS: Final = 16


@dataclass(frozen=True, slots=True)
class VerdictKeys:
    """The provider's own keys for its app `package`: one to decrypt (32 octets), one to verify.

    `simulated` where no app store is behind them; a verdict under them is labelled so.
    Source: RFC 7518, 4.4; 3.4
    """

    package: str
    decryption: Secret[bytes]
    verification: CredentialKey
    simulated: bool = False


def verify_under(sealed: str, every: Sequence[VerdictKeys]) -> Evidence:
    """The verdict in `sealed` under the one of `every` pair of keys that it is for.

    Which app a verdict is about is known once it is decrypted: each pair is tried. Raises what
    `verify_verdict` raises; NotAuthentic where no pair decrypts it.
    Source: RFC 7516, 5.2
    """
    *others, last = every
    for keys in others:
        with suppress(NotAuthentic):
            return verify_verdict(sealed, keys)
    return verify_verdict(sealed, last)


def verify_verdict(sealed: str, keys: VerdictKeys) -> Evidence:
    """The verdict in `sealed` (a JWE around a JWS), as evidence about the app and its device.

    The challenge is what the app handed in (a nonce, or the hash of a request); `labels` hold the
    verdict words, as `app:`, `device:` and `account:`; `root` names the key that verified. How old
    it may be is for the policy.
    Raises TooLarge, Malformed, or NotAuthentic.
    Source: RFC 7516, 5.2; RFC 7515, 5.2
    """
    inner = open_compact(keys.decryption, sealed)
    try:
        head, payload, signature, message = split_compact(inner.decode("ascii"))
    except UnicodeDecodeError as error:
        raise Malformed("a verdict is ASCII inside") from error
    if _HEADER.decode(head).get("alg") != "ES256":
        raise Malformed("a verdict under another algorithm")
    keys.verification.verify(_ES256, der_signature(signature), message)
    said = _PAYLOAD.decode(payload)
    request, app = _part(said, "requestDetails"), _part(said, "appIntegrity")
    package = _text(request, "requestPackageName")
    if app.get("packageName", package) != package:
        raise NotAuthentic("the verdict is about another app than asked")
    if package != keys.package:
        raise NotAuthentic("the verdict is about another app than its keys are for")
    return Evidence(
        format=FORMAT,
        root=b64url(sha256(keys.verification.spki)),
        challenge=_challenge(request),
        packages=(package,),
        signers=tuple(sorted(_digest(one) for one in _words(app, "certificateSha256Digest"))),
        labels=_labels(said, app, simulated=keys.simulated),
        versions=_versions(app),
        made_at=_instant(request),
    )


def _versions(app: dict[str, Any]) -> tuple[int, ...] | Absent:
    """The version of the package, where the service evaluated it: a number in a text."""
    if "versionCode" not in app:
        return ABSENT
    stated = str(app["versionCode"])
    if not stated.isascii() or not stated.isdigit() or len(stated) > 15:
        raise Malformed("a version of the verdict is a number")
    return (int(stated),)


def _labels(said: dict[str, Any], app: dict[str, Any], *, simulated: bool) -> tuple[str, ...]:
    device, account = _part(said, "deviceIntegrity"), _part(said, "accountDetails")
    found = [f"app:{_text(app, 'appRecognitionVerdict')}"]
    found += [f"device:{one}" for one in _words(device, "deviceRecognitionVerdict")]
    if "appLicensingVerdict" in account:
        found.append(f"account:{_text(account, 'appLicensingVerdict')}")
    if simulated:
        found.append("keys:simulated")
    return tuple(sorted(found))


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    return object_of(said.get(name, {}))


def _text(part: dict[str, Any], name: str) -> str:
    found = part.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= 200:
        raise Malformed("a word of the verdict is missing")
    return found


def _words(part: dict[str, Any], name: str) -> tuple[str, ...]:
    words = list_of(part.get(name, []))
    if len(words) > _MAX_LABELS or not all(
        isinstance(one, str) and len(one) < 100 for one in words
    ):
        raise Malformed("a list of the verdict has another shape")
    return tuple(words)


def _digest(text: str) -> str:
    octets = b64url_decode(text.rstrip("="))
    if len(octets) != 32:
        raise Malformed("the digest of a signer has 32 octets")
    return b64url(octets)


def _challenge(request: dict[str, Any]) -> str:
    given = [name for name in ("nonce", "requestHash") if name in request]
    if len(given) != 1:
        raise Malformed("a verdict answers a nonce or a hash, one of the two")
    return b64url(b64url_decode(_text(request, given[0]).rstrip("=")))


def _instant(request: dict[str, Any]) -> int:
    stated = _text(request, "timestampMillis")
    if not stated.isascii() or not stated.isdigit() or len(stated) > 15:
        raise Malformed("a verdict has the time when it was made")
    return int(stated)
