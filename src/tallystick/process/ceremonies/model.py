"""A script and its steps, who is present, what was done; none of it has room for a secret.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
"""

from collections import Counter
from enum import StrEnum
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Malformed, NotPermitted
from tallystick.kernel.ids import check_id
from tallystick.kernel.model import Record

LEAST_CUSTODIANS: Final = 2


class Role(StrEnum):
    """What somebody does in a ceremony; nobody has two of them.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    MASTER = "master-of-ceremonies"
    CUSTODIAN = "custodian"
    WITNESS = "witness"


class Act(StrEnum):
    """What a step does; `entry/ceremonies` has the code of each.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    PRESENT = "present"
    RESEAL = "reseal"
    PROVE = "prove"
    NEW_MASTER = "new-master"
    REWRAP = "rewrap"
    DESTROY_MASTER = "destroy-master"
    COMPONENTS = "components"
    DESTROY = "destroy"
    ROOT = "root"
    CLOSE = "close"


class Step(Record, frozen=True, kw_only=True):
    """One step: whose signatures it takes, what is shown to whom, what is entered, what must hold.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    id: str
    act: Act
    roles: tuple[Role, ...]
    shows: str
    enters: str
    check: str


class Script(Record, frozen=True, kw_only=True):
    """A ceremony as data; `needs` names what a plan has to say: `threshold`, `mechanism`, `key`.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    id: str
    version: int
    title: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]


class Person(Record, frozen=True, kw_only=True):
    """Somebody present: an officer's name or an operator's id, the role, the key that signs.

    `algorithm` and `public` (base64url) are those that the provider knows.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
    """

    name: str
    role: Role
    algorithm: str
    public: str


class Plan(Record, frozen=True, kw_only=True):
    """A script with people, for one folder and one profile; `planned_at` in milliseconds.

    What the script does not need is 0 or empty.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    v: int
    id: str
    script: Script
    provider: str
    profile: str
    folder: str
    people: tuple[Person, ...]
    threshold: int
    mechanism: str
    subject: str
    planned_at: int

    def having(self, role: Role) -> tuple[Person, ...]:
        """Those who have `role`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return tuple(one for one in self.people if one.role is role)


class Result(Record, frozen=True, kw_only=True):
    """What a step left: a `file` with a digest, a `key` or file that is `absent`, or the `root`.

    `name` is the path in the provider's folder, or the id of the key.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    what: str
    name: str
    digest: str = ""


class Done(Record, frozen=True, kw_only=True):
    """A step that was done: when (ms), by whom, the check values, what it left.

    `before` is the digest of the step before with its signatures, `plan` that of the plan.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    plan: str
    number: int
    step: str
    began: int
    ended: int
    people: tuple[str, ...]
    values: dict[str, str]
    results: tuple[Result, ...]
    before: str


class SignedStep(Record, frozen=True, kw_only=True):
    """A step and the signatures of those who did it (base64url), by name.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    done: Done
    signatures: dict[str, str]


class State(Record, frozen=True, kw_only=True):
    """How far a ceremony is: its plan, and the steps that are done.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    v: int
    plan: Plan
    steps: tuple[SignedStep, ...]


def plan_digest(plan: Plan) -> str:
    """SHA-256 of the plan, base64url: whatever is changed in script or people changes it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return b64url(sha256(encode_canonical(plan)))


def check_plan(plan: Plan) -> None:
    """Pass if the people can hold this ceremony together.

    Raises NotPermitted for too few people or one person twice, Malformed for a plan without what
    its script needs, or a script that does not begin with who is present and end with all.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    check_id(plan.id, "cer")
    custodians = plan.having(Role.CUSTODIAN)
    if len(plan.having(Role.MASTER)) != 1:
        raise NotPermitted("one person leads a ceremony", remedy="name one --master")
    if len(custodians) < LEAST_CUSTODIANS:
        raise NotPermitted(
            "a ceremony has two custodians or more", because="split knowledge",
            remedy="name another --custodian",
        )  # fmt: skip
    if not plan.having(Role.WITNESS):
        raise NotPermitted("a ceremony has a witness", remedy="name a --witness")
    for field in ("name", "public"):
        ((value, most),) = Counter(getattr(one, field) for one in plan.people).most_common(1)
        if most > 1:
            raise NotPermitted(
                f"one person is there twice: {value[:40]}", because="dual control",
                remedy="name another person",
            )  # fmt: skip
    _check_needs(plan, len(custodians))
    acts = [one.act for one in plan.script.steps]
    names = {one.id for one in plan.script.steps}
    framed = acts[:1] == [Act.PRESENT] and acts[-1:] == [Act.CLOSE]
    if plan.v != 1 or not framed or len(names) != len(acts):
        raise Malformed("the script is not one of a ceremony", remedy="plan it anew")
    if any(set(step.roles) != set(Role) for step in plan.script.steps):
        raise Malformed("every step is signed by all roles", remedy="plan it anew")


def _check_needs(plan: Plan, custodians: int) -> None:
    needs = plan.script.needs
    if "threshold" in needs and not LEAST_CUSTODIANS <= plan.threshold <= custodians:
        raise Malformed(
            "the threshold is two or more, and no more than there are custodians",
            remedy="say --threshold",
        )
    if "mechanism" in needs and not plan.mechanism:
        raise Malformed("the plan has no mechanism", remedy="say --mechanism aes-256")
    if "key" in needs and not plan.subject:
        raise Malformed("the plan names no key", remedy="say --key key_...")
