"""Signatures of a ceremony: each step by all who did it, in a chain, and the whole by all.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.3.3; ISO 11568; Dead Simple Signing Envelope
"""

from collections.abc import Mapping
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dsse import open_by_all, payload_of, seal_by_all
from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey, verify_key
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import NotAuthentic, Refused
from tallystick.kernel.model import Record
from tallystick.process.ceremonies.model import (
    Done,
    Plan,
    SignedStep,
    State,
    check_plan,
    plan_digest,
)
from tallystick.protocol.dsse import signed_octets

PAYLOAD: Final = "application/vnd.tallystick.ceremony+json"
_STEP: Final = "application/vnd.tallystick.ceremony-step+json"
_LIMIT: Final = 1024 * 1024


class Transcript(Record, frozen=True, kw_only=True):
    """A ceremony that was held: its plan and all its steps.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    v: int
    plan: Plan
    steps: tuple[SignedStep, ...]

    @property
    def held_at(self) -> int:
        """When its last step ended, in milliseconds.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.steps[-1].done.ended


_transcripts = Decoder(Transcript, limit=_LIMIT)


def digest_of(value: object) -> str:
    """SHA-256 of the canonical form of `value`, base64url.

    Source: RFC 8785
    """
    return b64url(sha256(encode_canonical(value)))


def sign_step(done: Done, signers: Mapping[str, SigningKey]) -> SignedStep:
    """`done` with the signature of everyone in it.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    octets = signed_octets(_STEP, encode_canonical(done))
    return SignedStep(
        done=done,
        signatures={name: b64url(signers[name].sign(octets)) for name in done.people},
    )


def check_state(state: State | Transcript) -> None:
    """Pass if the steps done are the first of the script, in order, signed by their people.

    Raises NotAuthentic for a signature, an order or a chain that does not hold, and what
    `check_plan` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    plan = state.plan
    check_plan(plan)
    publics = _keys_of(plan)
    before, at, mark = "", plan.planned_at, plan_digest(plan)
    if len(state.steps) > len(plan.script.steps):
        raise NotAuthentic("the record has more steps than the script")
    for number, one in enumerate(state.steps):
        done, step = one.done, plan.script.steps[number]
        who = tuple(person.name for person in plan.people if person.role in step.roles)
        in_order = (done.number, done.step, done.before) == (number, step.id, before)
        timely = at <= done.began <= done.ended
        if not in_order or not timely or done.plan != mark or done.people != who:
            raise NotAuthentic(f"step {number + 1} is not the one of the script at this place")
        if set(one.signatures) != set(who):
            raise NotAuthentic(f"step {number + 1} is not signed by all who did it")
        octets = signed_octets(_STEP, encode_canonical(done))
        for name in who:
            _verify(publics[name], one.signatures[name], octets)
        before, at = digest_of(one), done.ended


def seal_transcript(state: State, signers: Mapping[str, SigningKey]) -> bytes:
    """The envelope of a ceremony whose steps are all done, signed by everyone in its plan.

    Raises NotAuthentic while a step is missing, and what `check_state` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; Dead Simple Signing Envelope
    """
    made = Transcript(v=1, plan=state.plan, steps=state.steps)
    _check_whole(made)
    keys = {one.name: signers[one.name] for one in state.plan.people}
    return seal_by_all(encode_canonical(made), PAYLOAD, keys)


def open_transcript(octets: bytes) -> Transcript:
    """The transcript in an envelope that everyone in its plan signed, each step in order.

    Whether these people are the provider's is not looked at here. Raises NotAuthentic otherwise,
    and what `check_plan` raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; Dead Simple Signing Envelope
    """
    try:
        found = _transcripts.decode_canonical(payload_of(octets, PAYLOAD))
        publics = _keys_of(found.plan)
    except NotAuthentic:
        raise
    except Refused as error:
        raise NotAuthentic("this is not the transcript of a ceremony") from error
    open_by_all(octets, PAYLOAD, publics)
    _check_whole(found)
    return found


def _check_whole(found: Transcript) -> None:
    check_state(found)
    if len(found.steps) != len(found.plan.script.steps):
        raise NotAuthentic("steps of the script are missing")


def _keys_of(plan: Plan) -> dict[str, VerifyKey]:
    return {one.name: verify_key(one.algorithm, b64url_decode(one.public)) for one in plan.people}


def _verify(public: VerifyKey, signature: str, octets: bytes) -> None:
    try:
        public.verify(b64url_decode(signature), octets)
    except Refused as error:
        raise NotAuthentic("the signature of a step does not verify") from error
