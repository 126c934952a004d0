"""A real log in memory: leaves, checkpoints, tiles, receipts; and the ways to tamper with it."""

import copy
import hashlib
import hmac
from dataclasses import dataclass, field

from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.tally.checkpoint import NoteKey, NoteSigner
from tallystick.infrastructure.tally.findings import Projection
from tallystick.infrastructure.tally.leaf import Commitments, encode_leaf
from tallystick.infrastructure.tally.log import TallyLog
from tallystick.kernel.ids import timed_id
from tallystick.protocol.receipt import EventLeaf, Receipt

ORIGIN = "tally.example.com/1"
START = 1_767_225_600_000


def mac_of(subject: str):
    secret = hashlib.sha256(b"subject " + subject.encode()).digest()
    return lambda octets: hmac.digest(secret, octets, "sha256")


def event_id(number: int) -> str:
    return timed_id("evt", START + number, number.to_bytes(10, "big"))


def payment_leaf(number: int, *, amount: int | None = None) -> tuple[bytes, Commitments]:
    """A payment from one subject to another, with the payer's and the payee's own fields."""
    commitments = Commitments(event_id(number))
    commitments.commit(
        mac_of(f"payer {number}"),
        {"payer": f"acc-{number}", "amount_minor": 100 + number if amount is None else amount},
    )
    commitments.commit(mac_of(f"payee {number}"), {"payee": "Émile's \u2028shop"})
    leaf = EventLeaf(
        id=event_id(number),
        at=START + number,
        kind="payment.settled",
        stage="settled",
        provider="Example Pay",
        policy=3,
        p={"currency": "KES"},
        c=commitments.texts(),
    )
    return encode_leaf(leaf), commitments


@dataclass
class MemoryTally:
    """What a store keeps, as lists that a test may change."""

    rows: list[list] = field(default_factory=list)  # [index, leaf, leaf hash]
    notes: list[list] = field(default_factory=list)  # [size, note]
    tiles: list[list] = field(default_factory=list)  # [level, index, hash]
    states: list[Projection] = field(default_factory=list)

    def leaves(self, start: int, end: int):
        return [tuple(row) for row in self.rows if start <= row[0] < end]

    def checkpoints(self):
        return [tuple(note) for note in self.notes]

    def tile_hashes(self):
        return [tuple(tile) for tile in self.tiles]

    def leaf_hashes(self, start: int, end: int):
        return [row[2] for row in self.rows[start:end]]

    def tile_hash(self, level: int, index: int):
        return next((one[2] for one in self.tiles if one[:2] == [level, index]), None)

    def renumber(self) -> None:
        for index, row in enumerate(self.rows):
            row[0] = index


class Provider:
    """Appends batches to a log, stores them and signs, as the writer does."""

    def __init__(self, origin: str = ORIGIN, signing: Ed25519SigningKey | None = None) -> None:
        self.signing = signing or Ed25519SigningKey.generate()
        self.public = self.signing.public()
        self.log = TallyLog(origin)
        self.store = MemoryTally()
        self.receipts: dict[int, Receipt] = {}

    @property
    def signer(self) -> NoteSigner:
        return NoteSigner(NoteKey(self.log.origin, self.public), self.signing.sign)

    def copy(self) -> "Provider":
        """The same provider with a store of its own, to tamper with."""
        twin = copy.copy(self)
        twin.store = copy.deepcopy(self.store)
        return twin

    def record(self, count: int, *, sign: bool = True) -> None:
        first = self.log.frontier.size
        made = [payment_leaf(number) for number in range(first, first + count)]
        self.record_leaves([leaf for leaf, _ in made], sign=sign)
        if sign:
            for position, (_, commitments) in enumerate(made):
                self.receipts[first + position] = self._last.receipt(
                    position,
                    self.store.notes[-1][1],
                    commitments.disclosures(frozenset({"payer", "amount_minor"})),
                )

    def record_leaves(self, leaves: list[bytes], *, sign: bool = True) -> None:
        appended = self._last = self.log.append(leaves)
        for position, leaf in enumerate(leaves):
            self.store.rows.append(
                [appended.first_index + position, leaf, appended.leaf_hashes[position]]
            )
        self.store.tiles += [[one.level, one.index, one.hash] for one in appended.new_tiles]
        if sign:
            self.store.notes.append([appended.size, self.log.sign(appended, self.signer)])


def provider_with(*batches: int) -> Provider:
    provider = Provider()
    for count in batches:
        provider.record(count)
    return provider
