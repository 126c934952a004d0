"""The keys inside the software module: one table for each operation.

A key stands in the tables of the operations that its mechanism has, so that binding a key to its
use costs a look-up and no decision.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3
"""

from collections.abc import Callable, Mapping
from itertools import islice

from tallystick.infrastructure.card.dukpt_tdea import KSN_LENGTH, terminal_of
from tallystick.infrastructure.crypto.aead import AeadKey, SucceededKey
from tallystick.infrastructure.crypto.blocks import Aes, with_odd_parity
from tallystick.infrastructure.crypto.digest import PreparedHmac
from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.infrastructure.crypto.kem import KemPrivateKey, KemSuite
from tallystick.infrastructure.crypto.signature import (
    Ed25519SigningKey,
    Es256SigningKey,
    SigningKey,
)
from tallystick.infrastructure.modules.card_interface import (
    CARD_USES,
    CardMaterial,
    algorithm_of,
)
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import (
    AES_256_CCM,
    AES_256_GCM,
    CARD_LENGTHS,
    CMAC_AES_128,
    DUAL_SIGNATURE,
    ECDSA_P256,
    ED25519,
    HKDF_CCM,
    HKDF_SHA256,
    HMAC_SHA1,
    HMAC_SHA256,
    HMAC_SHA512,
    OPERATIONS,
    KeyHandle,
    Operation,
    Purpose,
)
from tallystick.infrastructure.modules.pair_interface import CERTIFICATE, PAIR_MECHANISMS
from tallystick.infrastructure.modules.pair_keys import PairKey, fresh_pair, packed
from tallystick.kernel.errors import Broken, Malformed, MfsError
from tallystick.kernel.secret import Secret

_COMMIT_INFO = b"tallystick subject commitments v1"
_SEAL_INFOS = {
    AES_256_GCM: b"tallystick subject sealing v1",
    AES_256_CCM: b"tallystick subject sealing v1|aes-256-ccm",
}
_PAIRWISE = b"pairwise consistency"
_SECRET_LENGTH = 32
_CMAC_LENGTH = 16
_PAIRS = frozenset({*PAIR_MECHANISMS, CERTIFICATE})
_HMACS = frozenset({HMAC_SHA1, HMAC_SHA256, HMAC_SHA512})
MOST_PREPARED = 2_048
"""How many MAC keys are kept ready, about a kibibyte each."""

Mac = Callable[[bytes], bytes]
"""Gives the MAC of a message under a key that is kept ready."""


_SIGNERS: dict[str, Callable[[bytes], Es256SigningKey | Ed25519SigningKey | DualSigningKey]] = {
    ECDSA_P256: Es256SigningKey.from_pkcs8,
    ED25519: Ed25519SigningKey.from_pkcs8,
    DUAL_SIGNATURE: DualSigningKey.from_octets,
}
_FRESH: dict[str, Callable[[], Secret[bytes]]] = {
    ECDSA_P256: lambda: Es256SigningKey.generate().to_pkcs8(),
    ED25519: lambda: Ed25519SigningKey.generate().to_pkcs8(),
    DUAL_SIGNATURE: lambda: DualSigningKey.generate().to_octets(),
}


class KeyTables:
    """Loaded keys by id: their handles, their blocks, and what each operation uses.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    __slots__ = (
        "blocks",
        "cards",
        "ciphers",
        "doors",
        "handles",
        "limits",
        "macs",
        "pairs",
        "parked",
        "prepared",
        "receivers",
        "signers",
        "uses",
    )

    def __init__(self) -> None:
        self.handles: dict[str, KeyHandle] = {}
        self.blocks: dict[str, bytes] = {}
        self.signers: dict[str, Es256SigningKey | Ed25519SigningKey | DualSigningKey] = {}
        self.receivers: dict[str, KemPrivateKey] = {}
        self.macs: dict[str, bytes] = {}
        self.prepared: dict[str, Mac] = {}
        self.ciphers: dict[str, AeadKey] = {}
        self.cards: dict[str, CardKey] = {}
        self.pairs: dict[str, PairKey] = {}
        self.doors: dict[str, Aes] = {}
        self.parked: dict[str, dict[str, object]] = {}
        self.uses: dict[str, int] = {}
        self.limits: dict[str, int] = {}

    def install(self, handle: KeyHandle, material: bytes) -> None:
        """Load the key of `handle` into the tables of its operations.

        Raises Malformed if `material` is no key of the handle's mechanism.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        key_id, mechanism = handle.id, handle.mechanism
        self.prepared.pop(key_id, None)
        if handle.purpose is Purpose.DIALLED_PIN:
            self.doors[key_id] = Aes(material)
        elif mechanism in CARD_LENGTHS:
            self.cards[key_id] = CardKey(handle, material)
        elif mechanism in _PAIRS:
            self.pairs[key_id] = PairKey(handle, material)
        elif mechanism in _SIGNERS:
            self.signers[key_id] = _SIGNERS[mechanism](material)
        elif mechanism == CMAC_AES_128:
            if len(material) != _CMAC_LENGTH:
                raise Malformed("the key of a SIM has 16 bytes")
            self.macs[key_id] = material
        elif mechanism in _HMACS:
            self.macs[key_id] = material
        elif mechanism in {AES_256_GCM, AES_256_CCM}:
            self.ciphers[key_id] = AeadKey(material, mechanism=mechanism)
        elif mechanism in {HKDF_SHA256, HKDF_CCM}:
            self.macs[key_id] = _derive(material, _COMMIT_INFO)
            self.ciphers[key_id] = _sealing(material, mechanism)
        else:
            self.receivers[key_id] = KemPrivateKey.from_octets(KemSuite(mechanism), material)
        self.handles[key_id] = handle

    def prepare(self, key_id: str) -> Mac | None:
        """The MAC key with this id, kept ready from now on; None if there is none.

        Source: RFC 2104, 4
        """
        secret = self.macs.get(key_id)
        if secret is None:
            return None
        if len(self.prepared) >= MOST_PREPARED:
            for old in list(islice(self.prepared, MOST_PREPARED // 8)):
                del self.prepared[old]
        mechanism = self.handles[key_id].mechanism
        hashed = mechanism if mechanism in _HMACS else HMAC_SHA256
        of_sim = mechanism == CMAC_AES_128
        prepared = Aes(secret).cmac if of_sim else PreparedHmac(secret, hashed).mac
        self.prepared[key_id] = prepared
        return prepared

    def check_pair(self, handle: KeyHandle) -> None:
        """Use both halves of a new key pair once; raises Broken if they do not fit together.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        signer = self.signers.get(handle.id)
        receiver = self.receivers.get(handle.id)
        if signer is not None:
            check_signer(signer)
        if receiver is not None:
            try:
                receiver.open(receiver.public().seal(_PAIRWISE, info=b""), info=b"")
            except MfsError as error:
                raise _unfit() from error

    def forget(self, handle: KeyHandle) -> None:
        """Drop the key from every table.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self.drop(handle.id)

    def take_out(self, key_id: str, *, opens: bool) -> dict[str, object]:
        """Take a key out of the tables that protect; what was there, by table.

        Its KEM key stays where it still `opens`, its signing key and its MAC nowhere. The handle
        and the block stay, and a card key, whose operations narrow. A MAC key comes out prepared.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if key_id in self.macs and key_id not in self.prepared:
            self.prepare(key_id)
        names = (
            *("signers", "macs", "prepared", "ciphers", "pairs"),
            *(() if opens else ("receivers",)),
        )
        found = ((name, getattr(self, name).pop(key_id, None)) for name in names)
        return {name: one for name, one in found if one is not None}

    def put_back(self, key_id: str, taken: Mapping[str, object]) -> None:
        """Put what `take_out` took into the tables again; a card key has all its operations.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for name, one in taken.items():
            getattr(self, name)[key_id] = one
        card = self.cards.get(key_id)
        if card is not None:
            card.widen()

    def drop(self, key_id: str) -> None:
        """Drop the key of this id from every table.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for table in self._all():
            table.pop(key_id, None)

    def clear(self) -> None:
        """Drop every key from every table.

        Source: ISO/IEC 19790
        """
        for table in self._all():
            table.clear()

    def _all(self) -> tuple[dict[str, object], ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


def check_signer(signer: SigningKey) -> None:
    """Sign and verify once; raises Broken if the public half is of another key.

    Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
    """
    try:
        signer.public().verify(signer.sign(_PAIRWISE), _PAIRWISE)
    except MfsError as error:
        raise _unfit() from error


def _unfit() -> Broken:
    return Broken("a new key pair does not fit together", remedy="test the host")


def fresh_material(purpose: Purpose, mechanism: str, draw: Callable[[int], bytes]) -> bytes:
    """New key material for `mechanism`; secret keys come out of `draw`, key pairs from the library.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO/IEC 18031
    """
    if mechanism in CARD_LENGTHS and purpose is not Purpose.DIALLED_PIN:
        return _fresh_card(purpose, mechanism, draw)
    if mechanism in PAIR_MECHANISMS:
        return packed(purpose, fresh_pair(mechanism))
    if mechanism in _FRESH:
        return _FRESH[mechanism]().reveal()
    if Operation.KEM_OPEN in OPERATIONS[mechanism]:
        return KemPrivateKey.generate(KemSuite(mechanism)).to_octets().reveal()
    return draw(_CMAC_LENGTH if mechanism == CMAC_AES_128 else _SECRET_LENGTH)


def _fresh_card(purpose: Purpose, mechanism: str, draw: Callable[[int], bytes]) -> bytes:
    use, octets = CARD_USES[purpose], draw(CARD_LENGTHS[mechanism])
    if algorithm_of(mechanism) == "T":
        octets = with_odd_parity(octets)
    ident = b""
    if purpose is Purpose.DUKPT_INITIAL:
        ident = draw(8) if algorithm_of(mechanism) == "A" else terminal_of(draw(KSN_LENGTH))
    return CardMaterial(
        mode=use.mode, exportability=use.exportability, ident=ident, octets=octets
    ).pack()


def _sealing(material: bytes, mechanism: str) -> AeadKey:
    """What a subject's key seals by; what the other mechanism sealed it opens as well."""
    keys = {one: _derive(material, info) for one, info in _SEAL_INFOS.items()}
    now = AES_256_CCM if mechanism == HKDF_CCM else AES_256_GCM
    before = AES_256_GCM if mechanism == HKDF_CCM else AES_256_CCM
    other = AeadKey(keys[before], seldom=True, mechanism=before)
    return SucceededKey(keys[now], other, mechanism=now)


def _derive(material: bytes, info: bytes) -> bytes:
    return hkdf_sha256(material, salt=b"", info=info, length=_SECRET_LENGTH)
