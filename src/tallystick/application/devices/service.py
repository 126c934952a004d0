"""The devices that the writer owns.

Source: ISO/TS 12812-2:2017, 7.3.5; 7.4.1; 7.4.5
"""

from collections.abc import Callable, Iterable

from tallystick.application.customers import Customer
from tallystick.application.devices.attesting import Attested, Attesting
from tallystick.application.devices.model import Device, DeviceStatus
from tallystick.application.devices.store import (
    DEVICE,
    LINK,
    VERDICT,
    devices_under,
    forget_evidence,
    has_denied,
    has_possession,
    on_another_basis,
)
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.envelope.handshake_server import OpenedEnrolment
from tallystick.infrastructure.envelope.renewal import (
    FIRST_COUNTER,
    Judgement,
    RenewalClaim,
    RenewalRecord,
    Renewed,
    Resynchronised,
    judge_renewal,
)
from tallystick.infrastructure.modules.interface import CryptoModule
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, NotFound, NotPermitted
from tallystick.kernel.ids import random_id
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS
from tallystick.process.attestation.model import Appraised
from tallystick.process.policy.facts import DeviceTrust
from tallystick.protocol.enrolment import DeviceCertificate

CERTIFICATE_LIFE_MS = 365 * DAY_MS
_SWEPT_AT_ONCE = 50


class Devices:
    """Keeps devices; one possession key is one device.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    def __init__(
        self,
        module: CryptoModule,
        seals: StoreSeals,
        issue: Callable[[DeviceCertificate], str],
        reader: Reader,
        *,
        capacity: int,
        attesting: Attesting | None = None,
    ) -> None:
        """Seal renewal secrets with `seals`; `issue` signs certificates as the device CA.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._module = module
        self._seals = seals
        self._issue = issue
        self._reader = reader
        self.attesting = attesting or Attesting()
        self._rows = RowCache(DEVICE, Device, reader, capacity=capacity)
        self._fresh: dict[bytes, str] = {}
        self._swept = ""
        self._touched: list[str] = []

    def get(self, device: str) -> Device:
        """The device with this id, trusted as far as its evidence goes now.

        Raises NotFound.
        Source: ISO/TS 12812-2:2017, 7.3.5; 7.4.1
        """
        row = self._rows.get(device)
        if row is None:
            raise NotFound("no such device", remedy="look at the list of devices")
        return self.attesting.current(row)

    def active(self, device: str) -> Device:
        """The device, if it may act.

        Raises NotPermitted when it is suspended or removed.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = self.get(device)
        if row.status is not DeviceStatus.ACTIVE:
            raise NotPermitted(
                f"the device is {row.status}",
                because=row.because,
                remedy="call the provider, or enrol the phone again",
            )
        return row

    def enrol(
        self,
        turn: Turn,
        customer: Customer,
        opened: OpenedEnrolment,
        provider: str,
        evidence: Attested | None = None,
    ) -> Device:
        """A new device of `customer` out of an enrolment whose code was right.

        `evidence` is what its attestation was appraised to; None where the format is not appraised.

        Raises Conflict if the possession key belongs to a device already.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        possession = opened.possession.octets()
        if self._known(possession, opened.consent.octets()):
            raise Conflict("this key belongs to a device already", remedy="make new keys")
        device = random_id("dev", self._module.random(16))
        attested = opened.attestation.format
        certificate = DeviceCertificate(
            id=random_id("crt", self._module.random(16)),
            provider=provider,
            device=device,
            customer=customer.id,
            possession=b64url(possession),
            consent=b64url(opened.consent.octets()),
            attested=attested,
            not_before=turn.now,
            not_after=turn.now + CERTIFICATE_LIFE_MS,
        )
        row = Device(
            id=device,
            customer=customer.id,
            status=DeviceStatus.ACTIVE,
            because="",
            possession=possession,
            consent=opened.consent.octets(),
            certificate=self._issue(certificate),
            certificate_id=certificate.id,
            trust=trust_of(attested).value if evidence is None else evidence.trust,
            attestation_format=attested,
            attestation=(
                opened.attestation.statement.encode() if evidence is None else evidence.octets()
            ),
            enrolled_at=turn.now,
            counter=FIRST_COUNTER,
            secret=self._seal(opened.renewal),
            renewed_at=opened.begun_at,
        )
        if evidence is not None:
            turn.changes.upsert(VERDICT, device, (device, self.attesting.basis))
            links = ((f"{name} {device}", name, device) for name in evidence.links())
            turn.changes.insert_all(LINK, links)
        self._fresh[possession] = device
        turn.on_undo(lambda: self._unlist(possession))
        self._rows.put(device, row, turn.changes)
        return row

    def appraise_by(self, turn: Turn, attesting: Attesting) -> int:
        """Judge by `attesting` from now on; gives how many devices lead through what changed.

        Those are the first whose verdicts are stored anew. What is read is judged anew at once.
        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.5
        """
        before, waiting = self.attesting, self._touched
        under = devices_under(self._reader, *attesting.unlike(before))

        def undo() -> None:
            self.attesting, self._touched = before, waiting

        turn.on_undo(undo)
        self.attesting, self._touched = attesting, under
        return len(under)

    def keep(self, turn: Turn, device: Device, appraised: tuple[Appraised, ...]) -> Device:
        """`device` with the evidence `appraised`, trusted as far as all of it allows.

        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
        """
        shown = self.attesting.joined(appraised)
        stored = self._rows.get(device.id) or device
        changed = replace(stored, trust=shown.trust, attestation=shown.octets())
        self._rows.put(device.id, changed, turn.changes)
        turn.changes.upsert(VERDICT, device.id, (device.id, self.attesting.basis))
        for name in shown.links():
            link = f"{name} {device.id}"
            turn.changes.upsert(LINK, link, (link, name, device.id))
        return changed

    @property
    def settled(self) -> bool:
        """Whether every stored verdict rests on what is in force.

        Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
        """
        return self._swept == self.attesting.basis

    def sweep(self, turn: Turn) -> list[Device]:
        """Store verdicts made anew for devices whose own rest on what is past; a few a turn.

        Gives those whose trust changed. Nothing is read once what is durable holds none any more,
        until policy or lists change again.
        Source: ISO/TS 12812-2:2017, 7.2.6; 7.3.5
        """
        basis = self.attesting.basis
        if self._swept == basis:
            return []
        first, self._touched = self._touched[:_SWEPT_AT_ONCE], self._touched[_SWEPT_AT_ONCE:]
        stale = first or on_another_basis(self._reader, basis, _SWEPT_AT_ONCE)
        if not stale:
            self._swept = basis
        self._rows.prefetch(stale)
        changed: list[Device] = []
        for name in stale:
            stored, current = self._rows.get(name), self.get(name)
            turn.changes.upsert(VERDICT, name, (name, basis))
            self._rows.put(name, current, turn.changes)
            if stored is not None and stored.trust != current.trust:
                changed.append(current)
        return changed

    def renew(self, turn: Turn, device: Device, claim: RenewalClaim) -> Judgement:
        """What this handshake means for the device; a renewed pair is kept.

        Source: ISO/TS 12812-2:2017, 7.3.5
        """
        record = RenewalRecord(
            counter=device.counter, secret=self._open(device), accepted_at=device.renewed_at
        )
        judged = judge_renewal(record, claim, turn.now)
        if isinstance(judged, Renewed | Resynchronised):
            kept = replace(
                self._rows.get(device.id) or device,
                counter=judged.record.counter,
                secret=self._seal(judged.record.secret),
                renewed_at=judged.record.accepted_at,
            )
            self._rows.put(device.id, kept, turn.changes)
        return judged

    def set_status(self, turn: Turn, device: Device, status: DeviceStatus, because: str) -> Device:
        """Put `device` where an act on its life leads, with the reason of it.

        The table of `devicelife` says which act leads where; nobody else calls this.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        stored = self._rows.get(device.id) or device
        changed = replace(stored, status=status, because=because)
        self._rows.put(device.id, changed, turn.changes)
        return changed

    def forget(self, turn: Turn, device: Device) -> None:
        """Erase what is stored of a device that ended: its evidence, its secret, what it may open.

        Its certificate stays, since signed orders are proved with it, and digests of its keys.
        Source: ISO/TS 12812-2:2017, 7.4.5; 14.2.2
        """
        erased = replace(
            self._rows.get(device.id) or device,
            customer="",
            because="",
            possession=sha256(device.possession),
            consent=b"",
            trust=DeviceTrust.UNKNOWN.value,
            attestation_format="none",
            attestation=b"",
            secret=b"",
        )
        self._rows.put(device.id, erased, turn.changes)
        forget_evidence(turn.changes, device.id)

    def prefetch(self, devices: Iterable[str]) -> None:
        """Bring `devices` into memory with at most one statement.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.prefetch(devices)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()
        self._fresh.clear()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()
        self._fresh.clear()

    def seal_anew(self, turn: Turn, device: str) -> None:
        """Seal the renewal secret of `device` under the newest store key.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._rows.get(device)
        if found is not None and found.secret:
            sealed = self._seal(self._open(found))
            self._rows.put(device, replace(found, secret=sealed), turn.changes)

    def _unlist(self, possession: bytes) -> None:
        self._fresh.pop(possession, None)

    def _known(self, possession: bytes, consent: bytes) -> bool:
        """Whether a device has this key, or one that ended had either."""
        digests = tuple(b64url(sha256(point)) for point in (possession, consent))
        return (
            possession in self._fresh
            or has_possession(self._reader, possession)
            or any(has_denied(self._reader, digest) for digest in digests)
        )

    def _seal(self, secret: Secret[bytes]) -> bytes:
        return self._seals.seal(secret.reveal(), b"renewal")

    def _open(self, device: Device) -> Secret[bytes]:
        return Secret(self._seals.open(device.secret, b"renewal"))


def trust_of(attestation_format: str) -> DeviceTrust:
    """How far a device is trusted whose attestation is not appraised.

    Evidence that nobody appraised never raises the trust.
    Source: ISO/TS 12812-2:2017, 7.3.5; 8.1.1
    """
    return DeviceTrust.SOFTWARE if attestation_format == "none" else DeviceTrust.UNKNOWN
