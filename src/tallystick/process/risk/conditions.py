"""The closed list of what a condition of a threat rule may look at, and what it may compare with.

Source: ISO/TS 12812-2:2017, A; D
"""

from enum import StrEnum

from tallystick.kernel.model import Record
from tallystick.process.catalogue import Service
from tallystick.process.programme.words import AssetClass, Bearer, Environment, NodeKind, Role
from tallystick.process.risk.model import Over


class Compares(StrEnum):
    """How the words of a condition are compared with what a field is.

    WORDS and FREE hold where any word is one of the field's; FREE takes any word. SWITCH is true or
    false. BELOW and ABOVE compare a number; ABOVE is written as an ISO 8601 duration.
    Source: ISO/TS 12812-2:2017, A
    """

    WORDS = "words"
    FREE = "free"
    SWITCH = "switch"
    BELOW = "below"
    ABOVE = "above"


class Field(Record, frozen=True, kw_only=True):
    """One thing to look at, as `subject.name`; `words` are what it can be where that is closed.

    Source: ISO/TS 12812-2:2017, A
    """

    subject: str
    name: str
    compares: Compares
    words: tuple[str, ...] = ()


def _fields() -> dict[str, Field]:
    kinds = tuple(one.value for one in NodeKind)
    roles = tuple(one.value for one in Role)
    closed = {
        "flow.bearer": tuple(one.value for one in Bearer),
        "flow.party_role": roles,
        "flow.touches": kinds,
        "flow.read_by": kinds,
        "asset.kind": tuple(one.value for one in AssetClass),
        "node.kind": kinds,
        "node.party_role": roles,
        "device.environment": tuple(one.value for one in Environment),
        "party.role": roles,
        "programme.service": tuple(one.value for one in Service),
    }
    others = {
        "flow.protocol": Compares.FREE,
        "flow.end_to_end": Compares.SWITCH,
        "asset.personal": Compares.SWITCH,
        "node.trust_below": Compares.BELOW,
        "device.os": Compares.FREE,
        "device.patch_age_above": Compares.ABOVE,
        "party.delegated": Compares.FREE,
        "programme.connectivity": Compares.FREE,
    }
    found = {name: _field(name, Compares.WORDS, words) for name, words in closed.items()}
    return found | {name: _field(name, compares, ()) for name, compares in others.items()}


def _field(name: str, compares: Compares, words: tuple[str, ...]) -> Field:
    subject, _, rest = name.partition(".")
    return Field(subject=subject, name=rest, compares=compares, words=words)


FIELDS = _fields()
"""Every field by its written name, such as `flow.bearer`."""

SUBJECTS = {
    Over.FLOW: frozenset({"flow", "asset", "device", "party", "programme"}),
    Over.NODE: frozenset({"node", "asset", "party", "programme"}),
    Over.DEVICE: frozenset({"device", "node", "asset", "programme"}),
    Over.PARTY: frozenset({"party", "asset", "programme"}),
    Over.ASSET: frozenset({"asset", "programme"}),
}
"""What a rule over each kind of place binds, so what its conditions may look at."""
