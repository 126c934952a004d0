"""Why an order or event came out as it did: the record, its proof, the policy row, and the facts.

Reads a provider's file beside the running service. The facts of a decision are personal: they open
with the secret of the provider only, and are checked against what the tally committed to.

Source: ISO/TS 12812-2:2017, 7.3.3; 6.1; 11.2.2
"""

from tallystick.application.customers import Customers
from tallystick.application.key_uses import REFUSED
from tallystick.application.operators.store import event_of_act
from tallystick.application.payments.model import OrderRow
from tallystick.application.payments.proof import Proofs
from tallystick.application.payments.store import ORDER
from tallystick.entry.auditing import Believed, believed, verify_by
from tallystick.entry.following import Step, follow_order
from tallystick.entry.inforce import Policies
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import SERVER_ROLES
from tallystick.infrastructure.keys.table import load_for, purposes_of
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.database import Connection, Reader
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.infrastructure.tally.leaf import decode_leaf, field_commitment, field_salt
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.tiles import inclusion_proof
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import NotAuthentic, NotFound
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import Clock
from tallystick.process.policy import CompiledPolicy, Facts
from tallystick.process.policy.backends import BACKEND_RULES
from tallystick.process.policy.explain import Tried, explain, explain_steps
from tallystick.process.policy.language.model import Ladder, Limit, Row
from tallystick.protocol.receipt import EventLeaf, Receipt

_facts = Decoder(Facts)


class Explained(Record, frozen=True, kw_only=True):
    """An event and what stands behind it.

    `checkpoint` is the size of the signed tree that proves it, 0 while none is stored; `row_says`
    is the policy row's own reason. `facts`, `tried` and `committed` are of an order and need the
    secret; `committed` says whether the tally committed to these very facts in this event. `steps`
    are what became of an order, without a secret; `stood` are the steps of incentives that it met.
    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    index: int
    event: EventLeaf
    checkpoint: int
    row_says: str
    facts: Facts | None = None
    tried: tuple[Tried, ...] = ()
    committed: bool = False
    steps: tuple[Step, ...] = ()
    stood: tuple[Tried, ...] = ()


def explain_event(
    folder: ProviderFolder, identifier: str, opener: Opener | None, clock: Clock
) -> Explained:
    """What is known of the event with this index or id (`ord_`, `act_`, `evt_`), the last of it.

    Raises NotFound, and NotAuthentic if the tally does not prove it or the secret is another.
    Source: ISO/TS 12812-2:2017, 7.3.3; 6.1
    """
    with open_reader(folder.stored()) as reader:
        store = TallyStore(reader)
        index = _index(reader, store, identifier)
        leaf = None if index is None or index >= 2**63 else store.leaf(index)
        if index is None or leaf is None:
            raise NotFound(
                "no event has this id or index", remedy="give an index, or an ord_, act_ or evt_ id"
            )
        event = decode_leaf(leaf)
        proved = _prove(store, index, leaf, believed(folder))
        policy = _policy(reader, event.policy, index)
        order = str(event.p.get("order", ""))
        elsewhere = bool(folder.settings().core_url)
        found = Explained(
            index=index,
            event=event,
            checkpoint=proved,
            row_says=_row_says(policy, event),
            steps=follow_order(reader, order, elsewhere=elsewhere) if order else (),
        )
        if opener is None or event.kind != "payment":
            return found
        facts, committed = _decided_on(folder, reader, event, opener, clock)
    tried = () if policy is None else explain(policy, facts)
    stood = () if policy is None else explain_steps(policy, facts)
    return replace(found, facts=facts, tried=tried, committed=committed, stood=stood)


def _index(reader: Reader, store: TallyStore, identifier: str) -> int | None:
    if identifier.isdigit():
        return int(identifier)
    if identifier.startswith("act_"):
        return event_of_act(reader, identifier)
    return store.index_of(identifier)


def _prove(store: TallyStore, index: int, leaf: bytes, whose: Believed) -> int:
    covering = store.checkpoint_covering(index)
    if covering is None:
        return 0
    size, note = covering
    receipt = Receipt(
        leaf=b64url(leaf),
        index=index,
        proof=b64url(b"".join(inclusion_proof(store, index, size))),
        checkpoint=note,
    )
    return verify_by(receipt, whose).checkpoint.size


def _policy(reader: Connection, version: int, event: int) -> CompiledPolicy | None:
    try:
        return Policies(reader).at(version, event)
    except NotFound:
        return None


def _row_says(policy: CompiledPolicy | None, event: EventLeaf) -> str:
    fixed = BACKEND_RULES.get(str(event.p.get("row", ""))) if event.kind == REFUSED else None
    if fixed is not None:
        return fixed.because
    if policy is None:
        return ""
    rules = policy.policy
    rows: tuple[Row | Limit, ...] = (*rules.decisions, rules.default, *rules.limits)
    named: tuple[Row | Limit | Ladder, ...] = (*rows, *rules.incentives)
    return next((row.because for row in named if row.id == event.p.get("row")), "")


def _decided_on(
    folder: ProviderFolder, reader: Reader, event: EventLeaf, opener: Opener, clock: Clock
) -> tuple[Facts, bool]:
    """The facts that an order was decided on, and whether `event` committed to them."""
    profile = folder.settings().profile
    master = folder.master(opener)
    module = SoftModule(folder.roots(master, purposes_of(SERVER_ROLES)), clock, profile=profile)
    try:
        keys = load_for(SERVER_ROLES, module, folder.blocks(), now=clock.now())
        customers = Customers(module, keys.newest(Purpose.ALIAS_INDEX), reader, capacity=16)
        order = RowCache(ORDER, OrderRow, reader, capacity=1).get(event.p.get("order"))
        if order is None:
            raise NotFound("the order of this event is not there", remedy="audit the provider")
        text = Proofs(customers).evidence(order).facts
        mac = customers.commit_mac(customers.owner(order.payer))
        opened = field_commitment(field_salt(mac, event.id, "facts"), "facts", text)
    finally:
        module.zeroise()
    stated = event.c.get("facts")
    if stated is not None and stated != opened:
        raise NotAuthentic(
            "the facts that are kept are not those that the tally committed to",
            remedy="audit the provider: tallystick tally verify FOLDER",
        )
    return _facts.decode(text.encode()), stated is not None
