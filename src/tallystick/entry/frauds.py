"""The fraud rate of a provider, and the key that seeds are sealed to, read from its folder.

    kinds of payments in 90 days -> fraud over value -> thresholds that it stays under

Source: Delegated Regulation (EU) 2018/389, 18; 19; 20
"""

from decimal import ROUND_UP, Decimal

from tallystick.application.exemptions.model import PACK
from tallystick.application.exemptions.service import WINDOW_MS
from tallystick.application.exemptions.store import KindOfPayment, kinds_of_payments
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.keys.table import Role as KeyRole
from tallystick.infrastructure.keys.table import load_for
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, Clock, Instant
from tallystick.process.policy.regimes import regime

_PLACES = Decimal("0.0001")


class RateOfKind(Record, frozen=True, kw_only=True):
    """One kind of payments: how many, their value, and how much of it was fraud, in minor units.

    Source: Delegated Regulation (EU) 2018/389, 19; 21
    """

    exemption: str
    remote: bool
    count: int
    amount_minor: int
    fraud_count: int
    fraud_minor: int
    rate_percent: str


class FraudRates(Record, frozen=True, kw_only=True):
    """The rates of 90 days that end before `until` (ms); rates are rounded up.

    `permits` are the exemptions by risk whose reference rate is not passed.
    Source: Delegated Regulation (EU) 2018/389, 18; 19
    """

    since: int
    until: int
    kinds: tuple[RateOfKind, ...]
    remote_rate_percent: str
    permits: tuple[str, ...]


class TransportKey(Record, frozen=True, kw_only=True):
    """What whoever seals a seed needs to know.

    Source: RFC 9180, 6.1
    """

    id: str
    mechanism: str
    public: str


def fraud_rates(folder: ProviderFolder, now: Instant) -> FraudRates:
    """The fraud rates of the 90 whole days before the day of `now`.

    Source: Delegated Regulation (EU) 2018/389, 19
    """
    until = now // DAY_MS * DAY_MS
    since = until - WINDOW_MS
    with open_reader(folder.stored()) as reader:
        kinds = kinds_of_payments(reader, since, until)
    return rates_of(kinds, since, until)


def rates_of(kinds: list[KindOfPayment], since: int, until: int) -> FraudRates:
    """The report of `kinds`.

    Source: Delegated Regulation (EU) 2018/389, 18; 19
    """
    remote = [one for one in kinds if one.remote]
    paid = sum(one.amount_minor for one in remote)
    fraud = sum(one.fraud_minor for one in remote)
    share = Decimal(fraud) / Decimal(paid) if paid else None
    permits = tuple(
        one.id
        for one in regime(PACK).exemptions
        if one.fraud_share is not None
        and not one.id.startswith("card-")
        and share is not None
        and share <= one.fraud_share
    )
    return FraudRates(
        since=since,
        until=until,
        kinds=tuple(_rate(one) for one in kinds),
        remote_rate_percent=_percent(share or Decimal(0)),
        permits=permits,
    )


def transport_key(folder: ProviderFolder, opener: Opener, clock: Clock) -> TransportKey:
    """The newest key in force that seeds may be sealed to.

    Raises NotFound before the first start of the service.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    roots = folder.master(opener).roots((Purpose.OTP_TRANSPORT,))
    module = SoftModule(roots, clock, profile=folder.settings().profile)
    blocks = [one for one in folder.blocks() if peek(one).purpose is Purpose.OTP_TRANSPORT]
    loaded = load_for(KeyRole.WRITER, module, blocks, now=clock.now())
    if not loaded.handles.get(Purpose.OTP_TRANSPORT):
        raise NotFound("there is no transport key yet", remedy="start the service once")
    handle = loaded.newest(Purpose.OTP_TRANSPORT)
    return TransportKey(
        id=handle.id, mechanism=handle.mechanism, public=b64url(module.public_octets(handle))
    )


def _rate(one: KindOfPayment) -> RateOfKind:
    return RateOfKind(
        exemption=one.exemption,
        remote=one.remote,
        count=one.count,
        amount_minor=one.amount_minor,
        fraud_count=one.fraud_count,
        fraud_minor=one.fraud_minor,
        rate_percent=_percent(one.rate),
    )


def _percent(share: Decimal) -> str:
    return str((share * 100).quantize(_PLACES, rounding=ROUND_UP))
