"""A plan for one provider: a script, the people that the provider knows, one profile.

Source: ISO/TS 12812-2:2017, 7.4.2; 6.2.1
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.application.operators.store import operator_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.signature import ES256
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.entropy import Entropy
from tallystick.infrastructure.modules.interface import CARD_LENGTHS
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.ids import timed_id
from tallystick.kernel.time import Clock
from tallystick.process.ceremonies import Person, Plan, Role, Script, check_plan

_RANDOM = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be there, and what the script asks for beside them.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    leader: str
    custodians: Sequence[str]
    witnesses: Sequence[str]
    threshold: int = 0
    mechanism: str = ""
    subject: str = ""


def known_people(folder: ProviderFolder) -> dict[str, tuple[str, str]]:
    """Algorithm and public key (base64url) of every officer and active operator, by name or id.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    officers = {
        name: (half.algorithm, half.public) for name, half in folder.settings().officers.items()
    }
    try:
        place = folder.stored()
    except NotFound:
        return officers
    with open_reader(place) as reader:
        operators = operator_keys(reader)
    return {name: (ES256, b64url(public)) for name, public in operators.items()} | officers


def make_plan(
    folder: ProviderFolder, script: Script, wanted: Wanted, clock: Clock, draw: Entropy
) -> Plan:
    """The plan of a ceremony in `folder`, under its profile.

    Raises NotFound for people or a key that the provider does not know, NotPermitted for a
    mechanism that is none of keys on links, and what `check_plan` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    settings, known, now = folder.settings(), known_people(folder), clock.now()
    named = [(wanted.leader, Role.MASTER)]
    named += [(name, Role.CUSTODIAN) for name in wanted.custodians]
    named += [(name, Role.WITNESS) for name in wanted.witnesses]
    people: list[Person] = []
    for name, role in named:
        if name not in known:
            raise NotFound(
                f"the provider knows no officer or active operator {name[:40]!r}",
                remedy="name officers of its settings, or enrol operators",
            )
        algorithm, public = known[name]
        people.append(Person(name=name, role=role, algorithm=algorithm, public=public))
    named_key = wanted.subject if "key" in script.needs else ""
    if named_key and all(peek(block).id != named_key for block in folder.blocks()):
        raise NotFound("the folder has no such key", remedy="tallystick keys list --all")
    aes = wanted.mechanism.startswith("aes") and wanted.mechanism in CARD_LENGTHS
    if "mechanism" in script.needs and wanted.mechanism and not aes:
        raise NotPermitted("a key made of components is an AES key", remedy="use aes-256")
    plan = Plan(
        v=1,
        id=timed_id("cer", now, draw(_RANDOM)),
        script=script,
        provider=settings.provider,
        profile=settings.profile,
        folder=str(folder.root.resolve()),
        people=tuple(people),
        threshold=wanted.threshold if "threshold" in script.needs else 0,
        mechanism=wanted.mechanism if "mechanism" in script.needs else "",
        subject=wanted.subject if "key" in script.needs else "",
        planned_at=now,
    )
    check_plan(plan)
    return plan
