"""What the steps of a ceremony do, each whole in itself: begun anew, it comes to the same.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallystick.entry.ceremonies.masters import (
    destroy_old_master,
    make_new_master,
    prove,
    reseal,
    rewrap_all,
)
from tallystick.entry.ceremonies.outcome import Outcome, file_result
from tallystick.entry.ceremonies.room import Room
from tallystick.entry.ceremonies.roots import make_root
from tallystick.entry.setup import SERVER_ROLES
from tallystick.infrastructure.keys.table import purposes_of
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.process.ceremonies import Act, Result

_LAST: Final = 8
_VALUE: Final = 3


@dataclass
class _Entered:
    """The check values of components, by custodian."""

    values: dict[str, str] = field(default_factory=dict[str, str])


def _present(room: Room) -> Outcome:
    plan = room.plan
    room.speaking.tell(f"{plan.script.title}: {plan.provider}, profile {plan.profile}")
    for one in plan.people:
        room.speaking.tell(f"{one.role.value}: {one.name}")
    return Outcome()


def _close(room: Room) -> Outcome:
    room.speaking.tell("every step is done; everyone signs the whole")
    return Outcome()


def _components(room: Room) -> Outcome:
    """A key for a partner's link, kept as a block named after the ceremony."""
    plan = room.plan
    roots = room.opened().roots((Purpose.KEY_WRAP,))
    module = SoftModule(roots, room.clock, profile=plan.profile)
    entered = _Entered()
    try:
        handle = _key_of_components(room, module, entered)
        block = module.export_block(handle)
        value = module.key_blocks.check_value(handle).hex().upper()
    finally:
        module.zeroise()
    name = f"{Purpose.KEY_WRAP.value}-{plan.id}"
    room.folder.save_block(name, block)
    room.speaking.tell(f"the key {handle.id} has the check value {value}")
    return Outcome(
        values={**entered.values, "the key": value, "key id": handle.id},
        results=(file_result(room.folder, f"keys/{name}.block"),),
    )


def _key_of_components(room: Room, module: SoftModule, entered: _Entered) -> KeyHandle:
    plan, leader = room.plan, room.master_of_ceremonies
    entry = module.key_blocks.begin_components(plan.mechanism, len(room.custodians))
    try:
        for name in room.custodians:

            def take(text: str, name: str = name) -> str:
                component = Secret(_octets(text, CARD_LENGTHS[plan.mechanism]))
                said = room.speaking.ask(name, "check value of your component").reveal()
                entry.enter(name, component, _octets(said, _VALUE))
                return _octets(said, _VALUE).hex().upper()

            entered.values[name] = room.entered(name, "your component", take)
        said = room.entered(leader, "check value of the key", lambda text: _octets(text, _VALUE))
        return entry.finish(said)
    finally:
        entry.abort()


def _destroy(room: Room) -> Outcome:
    """Every file of a key and its second wrap are gone."""
    folder, subject = room.folder, room.plan.subject
    headers = [peek(block) for block in folder.blocks()]
    found = next((one for one in headers if one.id == subject), None)
    served = purposes_of(SERVER_ROLES)
    if found is not None and found.purpose in served:
        others = [one for one in headers if one.purpose is found.purpose and one.id != subject]
        if not any(one.created_at >= found.created_at for one in others):
            raise Conflict(
                f"this is the newest {found.purpose.value} key, and the service needs one",
                remedy="make a successor first: tallystick keys renew",
            )

    def agree(text: str) -> None:
        if text.strip() != subject[-_LAST:]:
            raise NotAuthentic(f"these are not the last {_LAST} characters of the key's id")

    room.speaking.tell(f"the key {subject} is to be destroyed")
    for name in (room.master_of_ceremonies, *room.custodians):
        room.entered(name, f"last {_LAST} characters of the key's id", agree)
    folder.erase_block(subject)
    purpose = "" if found is None else found.purpose.value
    return Outcome(
        values={"purpose": purpose} if purpose else {},
        results=(Result(what="absent-key", name=subject),),
    )


def _octets(text: str, length: int) -> bytes:
    """Bytes typed in hex, in groups or not; the text is never said again."""
    plain = "".join(text.split()).replace("-", "")
    try:
        found = bytes.fromhex(plain)
    except ValueError:
        found = b""
    if len(found) != length:
        raise Malformed(f"this is not {length} bytes in hex", remedy="compare with the paper")
    return found


ACTS: Final[Mapping[Act, Callable[[Room], Outcome]]] = {
    Act.PRESENT: _present,
    Act.RESEAL: reseal,
    Act.PROVE: prove,
    Act.NEW_MASTER: make_new_master,
    Act.REWRAP: rewrap_all,
    Act.DESTROY_MASTER: destroy_old_master,
    Act.COMPONENTS: _components,
    Act.DESTROY: _destroy,
    Act.ROOT: make_root,
    Act.CLOSE: _close,
}
"""Every act once."""
