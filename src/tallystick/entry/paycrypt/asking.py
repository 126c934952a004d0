"""One request at the door: the program that asks, the keys it may use, and the way to the writer.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.5
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallystick.application.paycrypt import InPaycrypt, PaymentKey, PaymentKeys
from tallystick.application.paycrypt.model import COMPLETE, DELETED
from tallystick.application.turn import Turn
from tallystick.entry.buckets import Buckets
from tallystick.entry.paycrypt.answers import denied
from tallystick.entry.paycrypt.authorities import Authorities
from tallystick.entry.paycrypt.surrogate_keys import SurrogateKeys
from tallystick.entry.paycrypt_settings import PaycryptSettings
from tallystick.entry.pki.partnerlists import PartnerLists
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import (
    AES_128,
    AES_192,
    AES_256,
    HMAC_SHA256,
    HMAC_SHA512,
    TDEA_2KEY,
    TDEA_3KEY,
    KeyHandle,
    Purpose,
)
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_transport import Transport
from tallystick.infrastructure.modules.states import KeyState
from tallystick.kernel.errors import Malformed, MfsError, NotFound, NotPermitted
from tallystick.kernel.time import Clock

MECHANISM_OF: Final = {
    "TDES_2KEY": TDEA_2KEY, "TDES_3KEY": TDEA_3KEY,
    "AES_128": AES_128, "AES_192": AES_192, "AES_256": AES_256,
    "HMAC_SHA256": HMAC_SHA256, "HMAC_SHA512": HMAC_SHA512,
}  # fmt: skip
"""Mechanisms by the model's names; what is not here is not served."""

ALGORITHM_OF: Final = {mechanism: name for name, mechanism in MECHANISM_OF.items()}

PURPOSE_OF: Final = {
    "TR31_B0_BASE_DERIVATION_KEY": Purpose.DUKPT_BASE,
    "TR31_C0_CARD_VERIFICATION_KEY": Purpose.CARD_VERIFICATION,
    "TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY": Purpose.DATA_ENCRYPTION,
    "TR31_E0_EMV_MKEY_APP_CRYPTOGRAMS": Purpose.CHIP_CRYPTOGRAM,
    "TR31_E1_EMV_MKEY_CONFIDENTIALITY": Purpose.CHIP_CONFIDENTIALITY,
    "TR31_E2_EMV_MKEY_INTEGRITY": Purpose.CHIP_INTEGRITY,
    "TR31_E4_EMV_MKEY_DYNAMIC_NUMBERS": Purpose.CHIP_DYNAMIC,
    "TR31_K0_KEY_ENCRYPTION_KEY": Purpose.KEY_WRAP,
    "TR31_K1_KEY_BLOCK_PROTECTION_KEY": Purpose.KEY_WRAP,
    "TR31_M1_ISO_9797_1_MAC_KEY": Purpose.CARD_MAC_CBC,
    "TR31_M3_ISO_9797_3_MAC_KEY": Purpose.CARD_MAC_RETAIL,
    "TR31_M6_ISO_9797_5_CMAC_KEY": Purpose.CARD_MAC,
    "TR31_M7_HMAC_KEY": Purpose.LINK_HMAC,
    "TR31_P0_PIN_ENCRYPTION_KEY": Purpose.PIN_ENCRYPTION,
    "TR31_V1_IBM3624_PIN_VERIFICATION_KEY": Purpose.PIN_IBM3624,
    "TR31_V2_VISA_PIN_VERIFICATION_KEY": Purpose.PIN_PVV,
}
"""Purposes by the model's usages; what is not here is not served."""

USAGE_OF: Final = {purpose: usage for usage, purpose in reversed(PURPOSE_OF.items())}

_BURST_S: Final = 2
_KEY = "key/"
_ALIAS = "alias/"


class Loaded(NamedTuple):
    """A key that is ready: its ARN, its handle, how it is kept.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    arn: str
    handle: KeyHandle
    row: PaymentKey

    @property
    def kcv(self) -> str:
        """The check value.

        Source: AWS Payment Cryptography API
        """
        return self.row.kcv


@dataclass(slots=True)
class Ground:
    """What every request stands on.

    `unlisted` has the authorities without lists that were relied on: the program and the call that
    did so first; `told_unlisted` has those that the tally has. `issuers` are keys by certificates
    that they issued, `paths` are names of certificates from each to its root that held together.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    settings: PaycryptSettings
    module: SoftModule
    kept: PaymentKeys
    writer: WriterLoop
    clock: Clock
    authorities: Authorities
    lists: PartnerLists
    unlisted: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    told_unlisted: set[str] = field(default_factory=set[str])
    issuers: dict[str, str] = field(default_factory=dict[str, str])
    paths: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    handles: dict[str, KeyHandle] = field(default_factory=dict[str, KeyHandle])
    allowed: dict[tuple[str, str, str], bool] = field(
        default_factory=dict[tuple[str, str, str], bool]
    )
    revealed: dict[str, int] = field(default_factory=dict[str, int])
    exchanges: dict[tuple[str, str, str], Transport] = field(
        default_factory=dict[tuple[str, str, str], Transport]
    )
    surrogate_keys: SurrogateKeys = field(init=False)

    pair_rate: Buckets = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count what is done with pairs; keys of surrogates are made when asked for.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        self.surrogate_keys = SurrogateKeys(self.module)
        rate = float(self.settings.asymmetric_rate)
        self.pair_rate = Buckets(rate=rate, burst=rate * _BURST_S)

    def load(self, used: Mapping[str, int]) -> None:
        """Bring every key that is kept into the module, but those that were destroyed.

        `used` says by the ids of the module's blocks how often a key was used before this start.

        Raises NotAuthentic for a block that was changed.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        for row in self.kept.keys.values():
            if not row.block or row.id in self.handles or self._is_destroyed(row.block):
                continue
            handle = self.handles[row.id] = self.module.import_block(row.block)
            self.module.states.recall(handle.id, used.get(handle.id, 0))

    def _is_destroyed(self, block: bytes) -> bool:
        return self.module.states.of(peek(block).id) is KeyState.DESTROYED

    def arn(self, key_id: str) -> str:
        """The ARN of a key.

        Source: AWS Payment Cryptography API
        """
        return f"{self.settings.arn_head}{_KEY}{key_id}"


class Asking:
    """A call of one program; every key that it names is looked up through here.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    __slots__ = ("about", "call", "on", "path_key", "program")

    def __init__(self, on: Ground, program: str, call: str, path_key: str = "") -> None:
        self.on = on
        self.program = program
        self.call = call
        self.path_key = path_key
        self.about = ""

    def allow(self, resource: str) -> None:
        """Return only if a row lets the program do this with `resource`; raises NotPermitted.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        name = (self.program, self.call, resource)
        found = self.on.allowed.get(name)
        if found is None:
            if len(self.on.allowed) >= 16_384:
                self.on.allowed.clear()
            found = self.on.settings.allows(*name)
            self.on.allowed[name] = found
        if not found:
            raise denied()

    def row_of(self, identifier: str) -> PaymentKey:
        """The key that `identifier` names, if the program may do this with it.

        Raises NotPermitted before it says whether there is such a key; NotFound.
        Source: ISO/TS 12812-2:2017, 7.5
        """
        self.about = identifier
        resource = self._resource(identifier)
        self.allow(resource)
        key_id = resource.removeprefix(_KEY)
        if resource.startswith(_ALIAS):
            key_id = self.on.kept.alias(resource).key_id
        row = self.on.kept.keys.get(key_id)
        if row is None:
            raise NotFound("there is no such key")
        return row

    def usable(self, identifier: str) -> Loaded:
        """The key that `identifier` names, ready for use.

        Raises NotFound, NotPermitted for that and for a key that is stopped or being deleted.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self.row_of(identifier)
        if row.state == DELETED:
            raise NotFound("the key was deleted")
        if row.state != COMPLETE or not row.enabled:
            raise NotPermitted("the key is not in use", remedy="start its usage first")
        handle = self.on.handles.get(row.id)
        if handle is None:
            raise NotFound("there is no such key")
        return Loaded(self.on.arn(row.id), handle, row)

    def take_pair(self) -> None:
        """Count one use of a private half on the data plane; raises RateLimited for too many.

        Source: ISO/TS 12812-2:2017, 7.3.2; AWS Payment Cryptography API, quotas
        """
        self.on.pair_rate.take(self.program, self.on.clock.now())

    def must_be(self, key: Loaded, *purposes: Purpose) -> None:
        """Return only if `key` is for one of `purposes`; raises NotPermitted.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        if key.handle.purpose not in purposes:
            raise NotPermitted(f"a key of usage {key.row.usage} is not for {self.call}")

    async def write(self, act: Callable[[PaymentKeys, Turn], int]) -> None:
        """Have the writer do `act`, and come back once it is durable; raises what it refuses.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        recorded = await self.on.writer.ask(InPaycrypt(act))
        if isinstance(recorded.outcome.reply, MfsError):
            raise recorded.outcome.reply

    def _resource(self, identifier: str) -> str:
        head = self.on.settings.arn_head
        if identifier.startswith("arn:"):
            if not identifier.startswith(head):
                raise NotFound("the key is of another region or account")
            return identifier.removeprefix(head)
        return identifier


def one_of(**given: object) -> str:
    """The name of the one member of a union that came.

    Raises Malformed for none or several.
    Source: AWS Payment Cryptography API
    """
    found = [name for name, value in given.items() if value is not None]
    if len(found) != 1:
        raise Malformed("exactly one member of the union is given, of those that are served")
    return found[0]


def octets_of(text: str) -> bytes:
    """The octets of hexadecimal `text`; raises Malformed for an odd number of digits.

    Source: AWS Payment Cryptography API
    """
    if len(text) % 2:
        raise Malformed("octets in hexadecimal have two digits each")
    return bytes.fromhex(text)


def upper(octets: bytes) -> str:
    """Octets as the service writes them.

    Source: AWS Payment Cryptography API
    """
    return octets.hex().upper()
