"""The verifier: a process of its own that finds out again whether every order was consented to.

    tally -> order, evidence, certificate, ledger lines -> wrong_with -> findings

It reads the provider's file beside the running service, opens what is kept under the subjects' keys
and no other key of the provider, and believes device certificates only under the authorities on the
list that the provider's root signed. So a front that was taken over, or whoever could make the
service believe in a consent that nobody gave, is found from outside of it.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; 9.1
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Self

from tallystick.application.customers import Customer, Customers
from tallystick.application.devices.model import Device
from tallystick.application.devices.store import DEVICE
from tallystick.application.incentives import Commission
from tallystick.application.incentives.store import commissions_of
from tallystick.application.operators.model import Operator, Passkey
from tallystick.application.operators.store import OPERATOR, PASSKEY
from tallystick.application.payments.model import Evidence, OrderRow, Stage
from tallystick.application.payments.proof import Proofs
from tallystick.application.payments.store import ORDER
from tallystick.application.rechecking import Case, wrong_with
from tallystick.application.sims import Sims
from tallystick.entry.auditing import listed_keys
from tallystick.entry.inforce import Policies, wrong_measures
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.key_list import signature_key
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.envelope.acts import ActSignature
from tallystick.infrastructure.envelope.certificate import verify_certificate
from tallystick.infrastructure.keys.table import Role, load_for, purposes_of
from tallystick.infrastructure.ledger.chart import chart_of
from tallystick.infrastructure.ledger.state import LedgerState
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import MfsError, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import Clock, Instant
from tallystick.process.policy.facts import ENUMERATED, Facts, Kind
from tallystick.process.policy.incentives import stepped, touched
from tallystick.protocol.enrolment import DeviceCertificate
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.receipt import EventLeaf

STEP = 500
"""Orders that are read together."""

_CAPACITY = 4_096
_PAID = frozenset({Stage.SETTLED, Stage.RETURNED})
_EARNING = frozenset({Kind.CASH_IN.value, Kind.CASH_OUT.value})
_facts = Decoder(Facts)

Tell = Callable[[int, int], None]
"""Told how many events were looked at, and how many there are."""


class Doubt(Record, frozen=True, kw_only=True):
    """An order that is not what was consented to, and what does not fit.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    order: str
    event: int
    wrong: tuple[str, ...]


class Rechecked(Record, frozen=True, kw_only=True):
    """What a pass came to: up to which event, how many orders fit, were erased, are in doubt.

    `tightenings` are the ids of those that do not hold, each with the reason.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    upto: int
    orders: int
    erased: int
    doubts: tuple[Doubt, ...]
    tightenings: tuple[tuple[str, str], ...] = ()


class Verifier:
    """Checks the orders of one provider again, from any event on; close it, or use `with`.

    Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
    """

    def __init__(self, folder: ProviderFolder, opener: Opener, clock: Clock) -> None:
        """Open the provider's file for reading, and the subjects' keys with what opens the master.

        Raises NotAuthentic if it does not, NotFound without a database.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        settings = folder.settings()
        self._provider = settings.provider
        self._books = not settings.core_url
        self._measure_keys = tuple(half.verify_key() for half in settings.tightening)
        self._officers = {name: half.verify_key() for name, half in settings.officers.items()}
        master = folder.master(opener)
        roots = folder.roots(master, purposes_of((Role.VERIFIER,)))
        self._module = SoftModule(roots, clock, profile=settings.profile)
        keys = load_for(Role.VERIFIER, self._module, folder.blocks(), now=clock.now())
        self._authorities: dict[str, VerifyKey] = {
            one.kid: signature_key(one)
            for one in listed_keys(folder).entries
            if one.purpose == ListedPurpose.DEVICE_CA
        }
        self._reader = reader = open_reader(folder.stored())
        self._tally = TallyStore(reader)
        self._ledger = LedgerStore(reader)
        self._customers = Customers(
            self._module, keys.newest(Purpose.ALIAS_INDEX), reader, capacity=_CAPACITY
        )
        self._commissions = commissions_of(reader, capacity=_CAPACITY)
        self._expense = chart_of(settings.currency).commission
        self._policies = Policies(reader)
        self._proofs = Proofs(self._customers, self._commissions)
        self._sims = Sims(
            self._module, keys.newest(Purpose.ALIAS_INDEX), reader, capacity=_CAPACITY
        )
        self._devices = RowCache(DEVICE, Device, reader, capacity=_CAPACITY)
        self._operators = RowCache(OPERATOR, Operator, reader, capacity=_CAPACITY)
        self._passkeys = RowCache(PASSKEY, Passkey, reader, capacity=_CAPACITY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and forget the keys.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._reader.close()
        self._module.zeroise()

    def recheck(self, start: int = 0, tell: Tell | None = None) -> Rechecked:
        """Check every order that was recorded at event `start` or later.

        Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2
        """
        self._customers.reset()
        self._policies = Policies(self._reader)
        if self._commissions is not None:
            self._commissions.reset()
        self._sims.reset()
        self._devices.reset()
        self._operators.reset()
        self._passkeys.reset()
        size = self._tally.size()
        orders = erased = 0
        doubts: list[Doubt] = []
        for first in range(start, size, STEP):
            end = min(size, first + STEP)
            for row, event in self._recorded(first, end):
                try:
                    wrong = tuple(wrong_with(self._case(row, event)))
                except NotFound:
                    erased += 1
                    continue
                except MfsError as error:
                    wrong = (f"what was kept of it cannot be read: {error.detail}",)
                orders += 1
                if wrong:
                    doubts.append(Doubt(order=row.id, event=row.event, wrong=wrong))
            self._forget()
            if tell is not None:
                tell(end - start, size - start)
        return Rechecked(
            upto=size,
            orders=orders,
            erased=erased,
            doubts=tuple(doubts),
            tightenings=wrong_measures(
                self._reader, self._measure_keys, self._provider, self._officers
            ),
        )

    def _recorded(self, first: int, end: int) -> Iterator[tuple[OrderRow, EventLeaf]]:
        """The orders whose newest event lies here, each with that event."""
        events = {index: decode_leaf(leaf) for index, leaf, _ in self._tally.leaves(first, end)}
        paid = [one.id for one in events.values() if one.kind == "payment"]
        orders = RowCache(ORDER, OrderRow, self._reader, capacity=STEP)
        orders.prefetch(paid)
        found = [row for one in dict.fromkeys(paid) if (row := orders.get(one)) is not None]
        self._customers.prefetch_owners([one for row in found for one in (row.payer, row.payee)])
        self._devices.prefetch([row.device for row in found if row.device])
        self._lines = LedgerState()
        self._ledger.load_originals(self._lines, [row.id for row in found])
        for row in found:
            if row.event in events:
                yield row, events[row.event]

    def _case(self, row: OrderRow, event: EventLeaf) -> Case:
        payer = self._customers.owner(row.payer)
        evidence = self._proofs.evidence(row)
        posted = self._lines.originals.get(row.id)
        return Case(
            row=row,
            event=event,
            evidence=evidence,
            customer=payer.id,
            commitments=self._commitments(row, payer, evidence),
            certificate=self._certificate(row),
            operator_key=self._operator_key,
            legs=() if posted is None else posted.legs,
            books=self._books,
            commission=self._commission(row),
            earned=self._earned(row, evidence),
            expense=self._expense,
            check_sim=self._check_sim,
        )

    def _commission(self, row: OrderRow) -> Commission | None:
        return None if self._commissions is None else self._commissions.of(row.id, row.kind)

    def _earned(self, row: OrderRow, evidence: Evidence) -> int | None:
        """What the policy gives the agent of a settled order; None where it is not asked."""
        if row.stage not in _PAID or row.kind not in _EARNING:
            return None
        facts = _facts.decode(evidence.facts.encode())
        ladders = self._policies.at(row.policy, 0).policy.incentives
        words = {name: getattr(facts, name) for name in ENUMERATED}
        return stepped(touched(ladders, words), facts).commission_minor

    def _commitments(self, row: OrderRow, payer: Customer, evidence: Evidence) -> dict[str, str]:
        try:
            payee: Customer | None = self._customers.owner(row.payee)
        except NotFound:
            payee = None
        name = evidence.given().payee_name
        return self._proofs.commitments(row, payer, payee, name, evidence.facts).texts()

    def _certificate(self, row: OrderRow) -> DeviceCertificate | None:
        device = self._devices.get(row.device) if row.device else None
        if device is None:
            return None
        for kid, authority in self._authorities.items():
            try:
                return verify_certificate(
                    device.certificate,
                    kid=kid,
                    device_ca=authority,
                    provider=self._provider,
                    now=Instant(row.at),
                )
            except MfsError:
                continue
        return None

    def _operator_key(self, signature: ActSignature) -> bytes | None:
        operator = self._operators.get(signature.act.operator)
        if operator is None or not signature.credential:
            return None if operator is None else operator.public
        passkey = self._passkeys.get(signature.credential)
        owned = passkey is not None and passkey.operator == operator.id
        return passkey.public if passkey is not None and owned else None

    def _check_sim(self, iccid: str, message: bytes, tag: bytes) -> None:
        self._sims.check_tag(self._sims.get(self._sims.id_of(iccid)), message, tag)

    def _forget(self) -> None:
        self._customers.trim()
        if self._commissions is not None:
            self._commissions.trim()
        self._devices.trim()
        self._operators.trim()
        self._passkeys.trim()


def order_by_order(found: Rechecked) -> Sequence[tuple[str, int, str]]:
    """The doubts as rows of a table: order, event, what is wrong.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    return [(one.order, one.event, "; ".join(one.wrong)) for one in found.doubts]
