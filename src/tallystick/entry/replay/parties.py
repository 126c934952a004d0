"""The parties of a replay: opened by the care desk, funded by two operators, some with a device.

Whoever consents in the recording has a device with keys of its own. Names are told apart by kind: a
name that is an agent in one row and a person in another is two customers.

Source: ISO/TS 12812-2:2017, 7.4.1; 7.3.2
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.client.identity import EnrolledIdentity
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.session import Peer
from tallystick.entry.replay.provider import CURRENCY, ReplayProvider
from tallystick.entry.replay.rows import Row
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.envelope.certificate import certificate_id
from tallystick.infrastructure.envelope.cose import open_reply, seal_request
from tallystick.infrastructure.envelope.handshake_client import PendingEnrolment
from tallystick.infrastructure.envelope.schedule import SessionKeys
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.errors import Broken, Conflict
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import Attestation, DeviceDescription
from tallystick.protocol.operators import FundAccount, OpenCustomer
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.session import Purpose

PERSON, AGENT = "person", "agent"
_DESCRIPTION = DeviceDescription(
    platform="replay", model="a name in a recording", app_version="1", protection="software"
)
_NO_ATTESTATION = Attestation(format="none", statement="")
_TIER = 1


@dataclass(slots=True)
class Party:
    """Somebody in the recording; `number` is made up, `funds_minor` is what they begin with.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    number: str
    name: str
    kind: str
    funds_minor: int = 0
    consents: bool = False
    activation: str = ""
    device: "Device | None" = None

    def phone(self) -> "Device":
        """The party's device.

        Raises Broken before it has one.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        if self.device is None:
            raise Broken("this party has no device")
        return self.device


class Cast:
    """Everybody in the recording, by name and kind.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._parties: dict[tuple[str, str], Party] = {}
        for row in rows:
            subject, other = self.party(row.name, PERSON), self.party(row.other, row.other_kind)
            subject.funds_minor = row.opening_minor
            subject.consents = True
            if row.kind is PaymentKind.CASH_IN:
                other.funds_minor += row.amount_minor
                other.consents = True

    def __len__(self) -> int:
        return len(self._parties)

    def party(self, name: str, kind: str) -> Party:
        """The party, added if new.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        found = self._parties.get((name, kind))
        if found is None:
            number = f"+254{len(self._parties) + 1:09d}"
            found = self._parties[name, kind] = Party(number, name, kind)
        return found

    def all(self) -> list[Party]:
        """Every party.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return list(self._parties.values())

    def sides(self, row: Row) -> tuple[Party, Party]:
        """Who pays whom in `row`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        subject, other = self.party(row.name, PERSON), self.party(row.other, row.other_kind)
        return (other, subject) if row.kind is PaymentKind.CASH_IN else (subject, other)


def open_parties(provider: ReplayProvider, parties: Sequence[Party]) -> None:
    """Open `parties` at the care desk, as one batch.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    acts = [
        provider.care.signed(
            "open-customer",
            OpenCustomer(name=one.name, msisdn=one.number, kind=one.kind, tier=_TIER),
        )
        for one in parties
    ]
    for party, reply in zip(parties, provider.acts(acts), strict=True):
        party.activation = reply.reference


def fund_parties(provider: ReplayProvider, parties: Sequence[Party]) -> None:
    """Issue what each begins with against the safeguarding account; two operators sign.

    Source: ISO/TS 12812-2:2017, 13.3
    """
    bodies = [
        FundAccount(
            number=one.number,
            amount_minor=one.funds_minor,
            currency=CURRENCY,
            bank_reference="opening balance of the recording",
        )
        for one in parties
    ]
    proposed = [provider.first.signed("fund-account", body) for body in bodies]
    provider.acts(proposed)
    provider.acts(
        [
            provider.second.signed("fund-account", body, approves=act.id)
            for body, act in zip(bodies, proposed, strict=True)
        ]
    )


class Device:
    """A device with two keys, its session, and the numbers of its requests.

    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2
    """

    __slots__ = ("_keys", "_sequence", "keystore")

    def __init__(self) -> None:
        self.keystore = SoftwareKeystore(_agrees)
        self._keys: SessionKeys | None = None
        self._sequence = 0

    def join(self, keys: SessionKeys) -> None:
        """Use the session of `keys` from now on.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._keys, self._sequence = keys, 0

    def account(self) -> str:
        """The account that it pays from.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self.keystore.identity().accounts[0]

    def seal(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """`body` sealed as the next request of the session, and its number.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self._sequence += 1
        return self._sequence, seal_request(self._open(), operation, self._sequence, body)

    def opened(self, operation: str, sequence: int, status: int, sealed: bytes) -> bytes:
        """The content of the reply to request `sequence`.

        Raises NotAuthentic for another one's.
        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        return open_reply(self._open(), operation, sequence, status, sealed)

    def _open(self) -> SessionKeys:
        if self._keys is None:
            raise Broken("the device has no session")
        return self._keys


def enrol_devices(provider: ReplayProvider, peer: Peer, parties: Sequence[Party]) -> None:
    """Give each of `parties` a device and enrol it with the code that went to the number.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """
    pending: list[PendingEnrolment] = []
    for party in parties:
        party.device = device = Device()
        code = provider.platform.notices.code(party.activation)
        if code is None:
            raise Broken("no code was sent to this number")
        pending.append(_prove(peer, device.keystore, party.activation, code))
    replies = provider.enrol([(one.session, one.body) for one in pending])
    for party, one, sealed in zip(parties, pending, replies, strict=True):
        _remember(party, one, sealed, peer.provider)


def _prove(
    peer: Peer, keystore: SoftwareKeystore, activation: str, code: Secret[str]
) -> PendingEnrolment:
    return peer.authenticated(Purpose.ENROLMENT).prove_enrolment(
        activation=activation,
        code=code,
        possession=(keystore.possession_public(), keystore.possession_sign),
        consent=(
            keystore.consent_public(),
            lambda message: keystore.consent_sign(message, shown="enrol"),
        ),
        attestation=_NO_ATTESTATION,
        description=_DESCRIPTION,
        share=Secret(peer.entropy(32)),
    )


def _remember(party: Party, pending: PendingEnrolment, sealed: bytes, provider: str) -> None:
    accepted, pair = pending.confirm(200, sealed)
    identity = EnrolledIdentity(
        provider=provider,
        device=accepted.device,
        customer=accepted.customer,
        accounts=accepted.accounts,
        certificate_id=certificate_id(accepted.certificate),
        certificate=accepted.certificate,
    )
    party.phone().keystore.store_enrolment(identity, pair)


def establish_sessions(provider: ReplayProvider, peer: Peer, parties: Sequence[Party]) -> None:
    """Open a session for the device of each of `parties`, who are all different.

    Raises Conflict if the provider asks a device to begin again.
    Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.2
    """
    devices = [one.phone() for one in parties]
    pending = [
        peer.authenticated(Purpose.SESSION).prove_session(
            device=device.keystore.identity().device,
            certificate=device.keystore.identity().certificate_id,
            sign=device.keystore.possession_sign,
            pairs=device.keystore.renewal_pairs(),
            share=Secret(peer.entropy(32)),
        )
        for device in devices
    ]
    for device, one in zip(devices, pending, strict=True):
        device.keystore.store_renewal_pairs(one.remembered)
    replies = provider.establish([(one.session, one.body) for one in pending])
    for device, one, sealed in zip(devices, pending, replies, strict=True):
        confirmed = one.confirm(200, sealed)
        device.keystore.store_renewal_pairs(confirmed.pairs)
        if not confirmed.accepted.open:
            raise Conflict("the session was not opened", remedy="begin again")
        device.join(confirmed.keys)


def replay_peer(provider: ReplayProvider) -> Peer:
    """The provider as every device of the replay meets it.

    Source: ISO/TS 12812-2:2017, 7.2.7
    """
    return Peer(
        provider,
        provider.platform.settings.provider,
        provider.session_keys,
        operating_system,
        (KemSuite.X25519,),
    )


def _agrees(shown: str) -> None:
    """Whoever is in a recording agreed when it was made."""
