"""The ledger of secure devices: two people sign each entry, and each is an event of the tally.

Source: ISO/TS 12812-2:2017, 8.2.2; ISO 13491
"""

from tallystick.application.keylife.store import CUSTODY, every_entry
from tallystick.application.operators import Acted, Performer, check_two_people
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder
from tallystick.kernel.model import row_of
from tallystick.process.isms.custody import CustodyEntry, Told, follow, newest
from tallystick.protocol.keylife import RecordCustody

_record = Decoder(RecordCustody, limit=4096)


class Custody:
    """Appends to the ledger; nothing in it is changed.

    Source: ISO/TS 12812-2:2017, 8.2.2
    """

    def __init__(self, policy: PolicyInForce, reader: Reader) -> None:
        """Read the ledger through `reader`.

        Source: ISO/TS 12812-2:2017, 8.2.2
        """
        self._policy = policy
        self._reader = reader
        self._devices: dict[str, CustodyEntry] | None = None

    def acts(self) -> dict[str, Performer]:
        """The acts by name.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return {"record-custody": self._perform}

    def devices(self) -> dict[str, CustodyEntry]:
        """How each device stands.

        Source: ISO 13491-2
        """
        if self._devices is None:
            self._devices = newest(every_entry(self._reader))
        return self._devices

    def trim(self) -> None:
        """Keep what is there: a provider has few devices.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._devices = None

    def _perform(self, turn: Turn, body: bytes, jws: tuple[str, ...]) -> Acted:
        check_two_people("record what happened to a device", jws, because="dual control")
        asked = _record.decode(body)
        told = Told(
            device=asked.device,
            kind=asked.kind,
            serial=asked.serial,
            what=asked.what,
            place=asked.place,
            custodians=asked.custodians,
            seal=asked.seal,
            evidence=asked.evidence,
            because=asked.because,
            inspect_days=asked.inspect_days,
        )
        last = self.devices().get(asked.device)
        identifier = turn.new_id("cdy")
        entry = follow(last, told, entry=identifier, at=turn.now, event=turn.next_event())
        turn.record(
            "custody.recorded",
            policy=self._policy.version,
            public={
                "device": entry.device,
                "entry": entry.id,
                "evidence": entry.evidence,
                "seal": entry.seal,
                "serial": entry.serial,
                "state": entry.state,
                "what": entry.what,
            },
        )
        self.devices()[entry.device] = entry
        turn.changes.insert(CUSTODY, row_of(entry))
        return Acted(f"{entry.device} is {entry.state}", entry.event, entry.id)
