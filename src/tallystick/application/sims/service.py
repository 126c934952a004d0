"""SIMs as the writer keeps them, and what their keys say about packets and tags.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3; 7.4.2; 7.4.5
"""

from tallystick.application.sims.model import HolderRow, SimRow, SimState
from tallystick.application.sims.store import HOLDER, SIM
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.scp80 import MOST_COUNTER
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, NotPermitted, Replayed
from tallystick.kernel.model import replace
from tallystick.process.policy.facts import FOREVER
from tallystick.protocol.payments import Empty
from tallystick.protocol.toolkit import SimHeard


class Sims:
    """Provisions, binds and voids SIMs; verifies what they say.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def __init__(
        self,
        module: CryptoModule,
        index: KeyHandle,
        reader: Reader,
        *,
        capacity: int,
        signalled: bool = False,
    ) -> None:
        """Hash serial numbers under `index`; `signalled` says that a network tells of changed SIMs.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self._module = module
        self._index = index
        self._rows = RowCache(SIM, SimRow, reader, capacity=capacity)
        self._holders = RowCache(HOLDER, HolderRow, reader, capacity=capacity)
        self.signalled = signalled

    def id_of(self, iccid: str) -> str:
        """The id of the SIM with this serial number.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return sim_id(self._module, self._index, iccid)

    def get(self, sim: str) -> SimRow:
        """The SIM with this id. Raises NotFound.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        row = self._rows.get(sim)
        if row is None:
            raise NotFound("no such SIM", remedy="enter the SIM first")
        return row

    def stock(self, turn: Turn, iccid: str, packet_block: bytes, order_block: bytes) -> Outcome:
        """Keep the keys of a SIM that was made; nobody can order with it yet.

        Raises Conflict for a SIM that is known, NotPermitted for keys of another purpose.
        Source: ISO/TS 12812-2:2017, 7.2.4; 7.4.2
        """
        sim = self.id_of(iccid)
        if self._rows.get(sim) is not None:
            raise Conflict(
                "this SIM is known already", remedy="look whose it is before you enter it again"
            )
        for block, purpose in (
            (packet_block, Purpose.SIM_PACKET),
            (order_block, Purpose.SIM_ORDER),
        ):
            handle = self._module.import_block(block)
            self._module.destroy(handle)
            if handle.purpose is not purpose:
                raise NotPermitted(f"a SIM's {purpose.value} key is not of this purpose")
        row = SimRow(
            id=sim,
            state=SimState.STOCKED,
            customer="",
            packet_block=packet_block,
            order_block=order_block,
            heard=0,
            said=0,
            bound_at=0,
        )
        self._rows.add(sim, row, turn.changes)
        return Outcome(Empty())

    def hear(self, turn: Turn, sim: str, counter: int) -> Outcome:
        """Take a verified packet over: its counter counts once, with this commit.

        Raises Replayed for a counter that is not higher than before, NotPermitted for a void SIM.
        Source: ISO/TS 12812-2:2017, 7.2.7; ETSI TS 102 225, 5.1.4
        """
        row = self.get(sim)
        if row.state is SimState.VOID:
            raise NotPermitted(
                "this SIM was replaced",
                because="sim changed",
                remedy="use the SIM that is bound now, or go to the provider",
            )
        if not row.heard < counter < MOST_COUNTER:
            raise Replayed("this packet came before, or after a later one")
        said = row.said + 1
        self._rows.put(sim, replace(row, heard=counter, said=said), turn.changes)
        return Outcome(SimHeard(answer=said))

    def check_stocked(self, sim: str) -> SimRow:
        """The SIM, if nobody had it bound yet; raises Conflict otherwise.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        row = self.get(sim)
        if row.state is not SimState.STOCKED:
            raise Conflict(
                "this SIM was bound before", remedy="use the SIM as it is, or ask for another one"
            )
        return row

    def bind(self, turn: Turn, sim: str, customer: str) -> bool:
        """Bind a stocked SIM to `customer`; whether it replaces another one, void from now on.

        Raises Conflict for a SIM that is not stocked.
        Source: ISO/TS 12812-2:2017, 7.4.1; 7.4.5
        """
        row = self.check_stocked(sim)
        holder = self._holders.get(customer)
        changed_at = 0 if holder is None else holder.changed_at
        if holder is not None and holder.sim:
            self._void(turn, holder.sim)
            changed_at = turn.now
        bound = replace(row, state=SimState.BOUND, customer=customer, bound_at=turn.now)
        self._rows.put(sim, bound, turn.changes)
        kept = HolderRow(customer=customer, sim=sim, changed_at=changed_at)
        self._holders.put(customer, kept, turn.changes)
        return holder is not None and bool(holder.sim)

    def changed(self, turn: Turn, customer: str) -> str:
        """The network says that the customer's SIM changed: theirs, which is given, signs no more.

        Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
        """
        holder = self._holders.get(customer)
        if holder is not None and holder.sim:
            self._void(turn, holder.sim)
        kept = HolderRow(customer=customer, sim="", changed_at=turn.now)
        self._holders.put(customer, kept, turn.changes)
        return "" if holder is None else holder.sim

    def holds(self, customer: str) -> bool:
        """Whether a SIM is bound to `customer` that may confirm orders.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        holder = self._holders.get(customer)
        return holder is not None and bool(holder.sim)

    def check_bound(self, sim: str, customer: str) -> None:
        """Pass if the SIM is bound to `customer` now.

        Raises NotPermitted otherwise, also if it was replaced while an order was on its way.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        row = self.get(sim)
        if row.state is not SimState.BOUND or row.customer != customer:
            raise NotPermitted(
                "this SIM is not the customer's",
                because="sim changed",
                remedy="bind it with a code first",
            )

    def age_ms(self, customer: str, now: int) -> int:
        """How long ago the customer's SIM is known to have changed; `FOREVER` if it is not.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        holder = self._holders.get(customer)
        if holder is None or not holder.changed_at:
            return FOREVER
        return max(0, now - holder.changed_at)

    def packet_mac(self, row: SimRow, message: bytes) -> bytes:
        """The check value of a packet from or to this SIM: 16 bytes.

        Source: ETSI TS 102 225, 5.1.3; RFC 4493
        """
        return self._mac(row.packet_block, message)

    def check_tag(self, row: SimRow, message: bytes, tag: bytes) -> None:
        """Pass if the SIM's order key made `tag` over `message`.

        Raises NotAuthentic otherwise.
        Source: ISO/TS 12812-2:2017, 7.3.3; RFC 4493
        """
        handle = self._module.import_block(row.order_block)
        try:
            self._module.verify_mac(handle, message, tag)
        finally:
            self._module.destroy(handle)

    def trim(self) -> None:
        """Forget what is over capacity; it is on disk.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()
        self._holders.trim()

    def reset(self) -> None:
        """Forget what a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()
        self._holders.reset()

    def _void(self, turn: Turn, sim: str) -> None:
        row = self.get(sim)
        self._rows.put(sim, replace(row, state=SimState.VOID), turn.changes)

    def _mac(self, block: bytes, message: bytes) -> bytes:
        handle = self._module.import_block(block)
        try:
            return self._module.mac(handle, message)
        finally:
            self._module.destroy(handle)


def sim_id(module: CryptoModule, index: KeyHandle, iccid: str) -> str:
    """The id of the SIM with this serial number, hashed under the key that finds numbers.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    if not iccid:
        raise NotAuthentic("there is no SIM without a serial number")
    return "sim_" + b64url(module.mac(index, b"sim\x00" + iccid.encode()))
