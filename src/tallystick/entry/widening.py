"""Keys of people get a second half: made where the key is kept, and believed where it is named.

    widen   the sealed file of a root's or an officer's key gets the seed of ML-DSA-65 beside it
    told    an officer's both public halves, signed by both
    adopt   the settings name both; the first must be the one that they named before

The root is adopted with the first list that it signs.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2; FIPS 204
"""

from pathlib import Path

from tallystick.client.keyfile import KeyFile
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.infrastructure.crypto.dual import DualSigningKey, DualVerifyKey, signing_key
from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.protocol.second_half import SecondHalf, read_second_half, second_half_message


def widen(file: Path, secret: Secret[bytes]) -> DualSigningKey:
    """The key in the sealed `file`, which has two halves from now on; the first stays.

    A key that has two is given as it is. Raises NotFound, or NotAuthentic for another secret.
    Source: ISO/TS 12812-2:2017, 7.4.2; FIPS 204
    """
    sealed, octets = KeyFile.open(file, Secret(b64url(secret.reveal())), operating_system)
    found = signing_key(octets)
    if isinstance(found, DualSigningKey):
        return found
    whole = DualSigningKey.beside(found)
    sealed.write(whole.to_octets().reveal())
    return whole


def told(officer: str, whole: DualSigningKey) -> bytes:
    """Both public halves of an officer's key, signed by both, for `adopt`.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    public = b64url(whole.public().octets())
    message = second_half_message(officer, whole.algorithm, public)
    return encode_canonical(
        SecondHalf(
            officer=officer,
            algorithm=whole.algorithm,
            public=public,
            sig=b64url(whole.sign(message)),
        )
    )


def adopt(folder: ProviderFolder, octets: bytes) -> SecondHalf:
    """Let the settings of `folder` name both halves of an officer's key.

    Raises NotFound for an officer whom the settings do not name, NotAuthentic where either half
    did not sign or the first is another, Conflict where they name another second half.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
    """
    half, settings = read_second_half(octets), folder.settings()
    known = settings.officers.get(half.officer)
    if known is None:
        raise NotFound(
            f"the settings name no officer {half.officer[:40]}", remedy="see provider.json"
        )
    whole = verify_key(half.algorithm, b64url_decode(half.public))
    message = second_half_message(half.officer, half.algorithm, half.public)
    whole.verify(b64url_decode(half.sig), message)
    before = known.verify_key()
    if isinstance(before, DualVerifyKey) and before != whole:
        raise Conflict(
            "the settings name another second half of this officer",
            remedy="a key whose second half is lost is replaced as a whole",
        )
    first = whole.classical if isinstance(whole, DualVerifyKey) else whole
    if before not in (whole, first):
        raise NotAuthentic("the first half is not the key that the settings name")
    fresh = PublicHalf(algorithm=half.algorithm, public=half.public)
    folder.save_settings(replace(settings, officers={**settings.officers, half.officer: fresh}))
    return half
