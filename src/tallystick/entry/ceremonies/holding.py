"""A ceremony is held: step by step, each signed and kept before the next, taken up after a break.

    FOLDER/ceremonies/ID.state   the plan, steps that are done and their signatures; no secret
    FOLDER/ceremonies/ID.dsse    the transcript, signed by all; the state is gone then

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tallystick.entry.ceremonies.acts import ACTS
from tallystick.entry.ceremonies.outcome import Outcome
from tallystick.entry.ceremonies.planning import known_people
from tallystick.entry.ceremonies.room import Room
from tallystick.entry.ceremonies.standing import misfits
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import Conflict, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.process.ceremonies import (
    Done,
    Plan,
    State,
    check_plan,
    check_state,
    digest_of,
    plan_digest,
    script_called,
    seal_transcript,
    sign_step,
)

_MASTER: Final = ("the master key", "the new master key")
_LIMIT: Final = 1024 * 1024
_states = Decoder(State, limit=_LIMIT)


def state_file(folder: ProviderFolder, plan: Plan) -> Path:
    """Where it stands how far the ceremony of `plan` is.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return folder.root / "ceremonies" / f"{plan.id}.state"


def transcript_file(folder: ProviderFolder, plan: Plan) -> Path:
    """Where the transcript of `plan` is kept.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return state_file(folder, plan).with_suffix(".dsse")


def begin(folder: ProviderFolder, plan: Plan) -> State:
    """The state of a ceremony of which nothing is done.

    Raises Conflict for one that was begun or held before, or another that is not done, and what
    `check_place` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    check_place(folder, plan)
    if transcript_file(folder, plan).exists():
        raise Conflict("this ceremony was held", remedy="plan another: tallystick ceremony plan")
    others = sorted(state_file(folder, plan).parent.glob("*.state"))
    if others:
        raise Conflict(
            f"the ceremony {others[0].stem} is not done",
            remedy="take it up: tallystick ceremony resume",
        )
    return State(v=1, plan=plan, steps=())


def take_up(folder: ProviderFolder, plan: Plan) -> State:
    """The state of a ceremony that was cut short.

    Raises NotFound where nothing was begun, NotPermitted for another plan or folder, NotAuthentic
    for a state that was changed, Conflict for a folder that is not as the last step left it.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    check_place(folder, plan)
    try:
        state = _states.decode_canonical(state_file(folder, plan).read_bytes())
    except FileNotFoundError:
        raise NotFound(
            "no step of this ceremony is kept", remedy="begin it: tallystick ceremony run"
        ) from None
    if plan_digest(state.plan) != plan_digest(plan):
        raise NotPermitted(
            "the plan is not the one that the ceremony began with", because="script changed",
            remedy="take it up with the plan of its beginning",
        )  # fmt: skip
    check_state(state)
    wrong = misfits(folder, [one for step in state.steps[-1:] for one in step.done.results])
    if wrong:
        raise Conflict(
            f"the folder is not as the last step left it: {wrong[0]}",
            remedy="use the folder of the beginning, or plan another ceremony",
        )
    return state


def check_place(folder: ProviderFolder, plan: Plan) -> None:
    """Pass if `plan` is sound, for this folder and profile, with people that the provider knows.

    Raises NotPermitted otherwise, and what `check_plan` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    check_plan(plan)
    settings = folder.settings()
    if plan.profile != settings.profile:
        raise NotPermitted(
            f"a ceremony of profile {plan.profile[:20]!r} does not serve {settings.profile!r}",
            because="key-profile", remedy="plan it in this folder",
        )  # fmt: skip
    if plan.provider != settings.provider or plan.folder != str(folder.root.resolve()):
        raise NotPermitted(
            "the plan is for another folder", because="another folder",
            remedy="plan it in this folder",
        )  # fmt: skip
    if plan.script != script_called(plan.script.id):
        raise NotPermitted(
            "the script is not the one that ships with this version", because="script changed",
            remedy="plan it anew: tallystick ceremony plan",
        )  # fmt: skip
    known = known_people(folder)
    for one in plan.people:
        if known.get(one.name) != (one.algorithm, one.public):
            raise NotPermitted(
                f"{one.name[:40]} is not known to the provider with this key",
                remedy="plan it anew with people whom the provider knows",
            )


def check_signers(plan: Plan, signers: Mapping[str, SigningKey]) -> None:
    """Pass if everyone in the plan is there with the key that the provider knows.

    Raises NotPermitted for somebody who is missing, NotAuthentic for another key.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
    """
    for one in plan.people:
        signer = signers.get(one.name)
        if signer is None:
            raise NotPermitted(
                f"{one.name} is not here", because="quorum", remedy=f"give --key-file {one.name}="
            )
        if (signer.algorithm, b64url(signer.public().octets())) != (one.algorithm, one.public):
            raise NotAuthentic(f"this is not the key of {one.name}", remedy="give theirs")


def hold(room: Room, state: State, signers: Mapping[str, SigningKey]) -> Path:
    """Do every step of `state` that is left, and write the transcript; gives its file.

    A step that raises is not done; those before it stay done. Raises what acts raise.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
    """
    plan, folder = room.plan, room.folder
    check_signers(plan, signers)
    state_file(folder, plan).parent.mkdir(mode=0o700, exist_ok=True)
    for number in range(len(state.steps), len(plan.script.steps)):
        step, began = plan.script.steps[number], room.clock.now()
        room.speaking.tell(f"step {number + 1} of {len(plan.script.steps)}: {step.id}")
        outcome = ACTS[step.act](room)
        _check_same_master(state, outcome)
        people = tuple(one.name for one in plan.people if one.role in step.roles)
        done = Done(
            plan=plan_digest(plan),
            number=number,
            step=step.id,
            began=began,
            ended=room.clock.now(),
            people=people,
            values=outcome.values,
            results=outcome.results,
            before=digest_of(state.steps[-1]) if state.steps else "",
        )
        state = replace(state, steps=(*state.steps, sign_step(done, signers)))
        replace_file(state_file(folder, plan), encode_canonical(state))
    target = transcript_file(folder, plan)
    replace_file(target, seal_transcript(state, signers))
    state_file(folder, plan).unlink()
    return target


def _check_same_master(state: State, outcome: Outcome) -> None:
    """Every step of one ceremony after its master key is sealed speaks of that key."""
    now = [outcome.values[name] for name in _MASTER if name in outcome.values]
    for one in state.steps:
        before = [one.done.values[name] for name in _MASTER if name in one.done.values]
        if now and before and now != before:
            raise NotAuthentic(
                "this is another master key than the one of this ceremony",
                remedy="restore master.sealed as the ceremony left it, and resume",
            )
