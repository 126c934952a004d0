"""What the capabilities of a provider stand on: settings, keys, clock, record, officers.

Source: ISO/TS 12812-2:2017, 6.2; 7.4.2
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.apps import Applications
from tallystick.application.authenticators import Authenticators
from tallystick.application.certification import Certification
from tallystick.application.devices import Attesting
from tallystick.application.keylife.service import Apply as ApplyState
from tallystick.application.payments import Tariff
from tallystick.application.policing import Officers, PolicyInForce, Seal
from tallystick.application.quotekeys import QuoteKeys
from tallystick.application.quoting import Terms
from tallystick.application.sims import Sims
from tallystick.entry.desk_settings import DeskSettings
from tallystick.entry.registering import KeptRegisters
from tallystick.entry.settings import ProviderSettings
from tallystick.infrastructure.crypto.signature import SigningNow, VerifyKey
from tallystick.infrastructure.envelope.certificate import issue_certificate
from tallystick.infrastructure.keys.table import LoadedKeys
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import CryptoModule, Purpose
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.infrastructure.store.database import Connection
from tallystick.kernel.time import Clock
from tallystick.protocol.enrolment import DeviceCertificate


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is kept in memory: rows of each kind, and hot session keys.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """

    rows: int = 12_000
    orders: int = 4_000
    hot_keys: int = 8_192


@dataclass(frozen=True, slots=True)
class Ground:
    """What every capability stands on.

    Source: ISO/TS 12812-2:2017, 6.2
    """

    settings: ProviderSettings
    clock: Clock
    module: CryptoModule
    keys: LoadedKeys
    reader: Connection
    size: Scale
    quote_keys: QuoteKeys
    quote_roots: BlockRoots
    registers: KeptRegisters
    network: bool
    desk: DeskSettings | None
    attesting: Attesting
    apply_state: ApplyState
    officers: dict[str, VerifyKey]
    mended: str = ""


def store_seals(on: Ground) -> StoreSeals:
    """Seals of the store's columns, under the newest key and those before.

    Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.2
    """
    return StoreSeals(on.module, on.keys.every(Purpose.STORE))


def recording(on: Ground) -> frozenset[str]:
    """The keys without which nothing could be recorded.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    wrapping = {one for one, why in on.keys.left.items() if why == "wraps"}
    return frozenset(on.keys.newest(one).id for one in (Purpose.TALLY, Purpose.STORE)) | wrapping


def authenticators_of(on: Ground, policy: PolicyInForce) -> Authenticators:
    """Customers' own authenticators, with the keys that their seeds come in under.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    seeds = on.keys.handles.get(Purpose.OTP_TRANSPORT, ())
    return Authenticators(on.module, seeds, policy, on.reader, capacity=on.size.rows)


def sims_of(on: Ground) -> Sims:
    """SIMs that sign.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    aliases, told = on.keys.newest(Purpose.ALIAS_INDEX), on.settings.sim_changes is not None
    return Sims(on.module, aliases, on.reader, capacity=on.size.rows, signalled=told)


def certification(on: Ground, policy: PolicyInForce) -> Certification:
    """Certificates of secure environments, stated by the officers.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return Certification(on.officers, on.settings.profile, policy, on.reader)


def applications(on: Ground, policy: PolicyInForce) -> Applications:
    """Releases of applications, stated by the officers.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    believed = on.officers, on.settings.profile
    return Applications(*believed, policy, on.reader, capacity=on.size.rows)


def believed(on: Ground) -> Officers:
    """Whose signatures put a policy into force.

    Source: ISO/TS 12812-2:2017, 6.2.2
    """
    return Officers(on.officers, on.settings.profile, on.settings.provider)


def seal(on: Ground) -> Seal:
    """Signs tightenings with the newest key that the settings know; verifies with all of them.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    known = tuple(half.verify_key() for half in on.settings.tightening)
    octets = {key.octets() for key in known}
    for handle in on.keys.handles.get(Purpose.TIGHTENING, ()):
        signer = ModuleSigner(on.module, handle)
        if signer.public().octets() in octets:
            return Seal(signer, known)
    return Seal(None, known)


def policy_in_force(on: Ground, live: PolicyInForce | None) -> PolicyInForce:
    """The policy that is stored, with what the `live` one verified of it, if there is one.

    Raises NotPermitted, NotAuthentic.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    made = PolicyInForce(believed(on), on.reader, seal(on), on.mended)
    if live is not None:
        made.take_over(live)
    made.load()
    return made


def session_signing(on: Ground) -> SigningNow:
    """Gives the key that answers handshakes at that moment, which every phone knows, and its id.

    A new list takes its key into use in the same table, so that nobody signs with one of the start.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def signing() -> tuple[ModuleSigner, str]:
        handle = on.keys.newest(Purpose.SESSION_SIGNATURE)
        return ModuleSigner(on.module, handle), handle.id

    return signing


def terms(settings: ProviderSettings) -> Terms:
    """What a quote says besides its order.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """
    tariff = Tariff(flat_minor=settings.fees_flat_minor, basis_points=settings.fees_basis_points)
    return Terms(settings.provider, settings.currency, tariff)


def authority(on: Ground) -> Callable[[DeviceCertificate], str]:
    """Signs device certificates as the device CA.

    Source: ISO/TS 12812-2:2017, 7.4.1; 3.5
    """
    handle = on.keys.newest(Purpose.DEVICE_CA)
    signer = ModuleSigner(on.module, handle)
    return lambda certificate: issue_certificate(signer, handle.id, certificate)
