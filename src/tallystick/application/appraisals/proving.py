"""A device asks what to answer, and answers: its counter is compared, its evidence appraised.

Source: RFC 9334, 8; 10; ISO/TS 12812-2:2017, 7.3.5; 7.4.5
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tallystick.application.apps.told import app_shown
from tallystick.application.desks import Desks
from tallystick.application.devicelife import Act, By
from tallystick.application.devices import Attesting, Device
from tallystick.application.devices.model import COPIED
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.attestation import cbor
from tallystick.infrastructure.attestation.android.chain import FORMAT as ANDROID
from tallystick.infrastructure.attestation.android.chain import verify_chain
from tallystick.infrastructure.attestation.apple.appattest import FORMAT as APPLE
from tallystick.infrastructure.attestation.apple.appattest import verify_assertion
from tallystick.infrastructure.envelope.schedule import proof_challenge
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Conflict, NotPermitted, Replayed
from tallystick.process.attestation.model import (
    Appraised,
    Asked,
    Subject,
    Verdict,
    read_appraisals,
)
from tallystick.process.attestation.presenting import Presented, judged_by_service
from tallystick.process.attestation.reading import root_links
from tallystick.process.attestation.rules import LIST_AGE, SERVICE
from tallystick.process.attestation.signals import Signal
from tallystick.process.policy.facts import Dependency, Operation
from tallystick.process.policy.failing import closed_by
from tallystick.protocol.deviceproofs import DeviceProof, ProofChallenge, ProofTaken
from tallystick.protocol.payments import Empty

_KEPT: Final = b"["


@dataclass(frozen=True, slots=True)
class AskProof:
    """A device asks, in its own session, what its next proof has to answer.

    Source: RFC 9334, 10.2
    """

    session: str
    sequence: int


@dataclass(frozen=True, slots=True)
class TakeProof:
    """A device answers, in its own session.

    Source: RFC 9334, 8.1
    """

    session: str
    sequence: int
    proof: DeviceProof


@dataclass(frozen=True, slots=True)
class ReportSignals:
    """What the app notices of its own device, in that device's session.

    Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
    """

    session: str
    sequence: int
    signals: tuple[Signal, ...]


def _reported(desks: Desks, turn: Turn, one: ReportSignals) -> Outcome:
    live = desks.sessions.admit(turn, one.session, one.sequence)
    device = desks.devices.active(live.device)
    desks.proofs.report(turn, device.id, one.signals)
    return Outcome(Empty())


def _asked(desks: Desks, turn: Turn, one: AskProof) -> Outcome:
    live = desks.sessions.admit(turn, one.session, one.sequence)
    device = desks.devices.active(live.device)
    challenge, ends = desks.proofs.ask(turn, device.id)
    return Outcome(ProofChallenge(challenge=b64url(challenge), expires_at=ends))


def _taken(desks: Desks, turn: Turn, one: TakeProof) -> Outcome:
    """Take the proof in `one`; a challenge is used up whatever comes of it."""
    live = desks.sessions.admit(turn, one.session, one.sequence)
    device = desks.devices.active(live.device)
    challenge, counter = desks.proofs.answered(turn, device.id)
    client = proof_challenge(challenge, device.id)
    kept = _kept_of(device)
    if one.proof.format not in _forms_of(kept):
        raise Conflict(
            "the device enrolled with another form of proof", remedy="enrol the phone again"
        )
    if one.proof.format == APPLE:
        statement = b64url_decode(one.proof.statement)
        counter = _asserted(desks, turn, device, kept[0], statement, client, counter)
        desks.proofs.proved(turn, device.id, counter)
        return Outcome(ProofTaken(trust=device.trust, proved_at=turn.now))
    shown = _shown(desks.devices.attesting, turn, one.proof, client)
    if _only_the_list_is_old(desks, turn, shown.verdict):
        desks.proofs.proved(turn, device.id, counter)
        return Outcome(ProofTaken(trust=device.trust, proved_at=turn.now))
    changed = desks.devices.keep(turn, device, (*_beside(kept, one.proof.format), shown))
    desks.proofs.proved(turn, device.id, counter)
    if changed.trust != device.trust:
        desks.access.appraised(turn, changed)
    desks.apps.shown(turn, device.id, app_shown((shown,)))
    return Outcome(ProofTaken(trust=changed.trust, proved_at=turn.now))


def _kept_of(device: Device) -> tuple[Appraised, ...]:
    """What was kept of the evidence of `device`; nothing where none was appraised."""
    return read_appraisals(device.attestation) if device.attestation[:1] == _KEPT else ()


def _forms_of(kept: tuple[Appraised, ...]) -> frozenset[str]:
    """How a device may prove itself that enrolled with what is `kept`."""
    enrolled = {one.evidence.format for one in kept}
    return frozenset(enrolled | ({SERVICE} if ANDROID in enrolled else set()))


def _beside(kept: tuple[Appraised, ...], form: str) -> tuple[Appraised, ...]:
    """What stays beside a new proof of `form`: the keys that enrolled, and the other form's last.

    A verdict takes the place of every verdict before; a key for a challenge that of the one before.
    """
    if form == SERVICE:
        return tuple(one for one in kept if one.evidence.format != SERVICE)
    first = kept[0].subject.challenge
    return tuple(
        one for one in kept if one.evidence.format == SERVICE or one.subject.challenge == first
    )


def _shown(attesting: Attesting, turn: Turn, proof: DeviceProof, client: bytes) -> Appraised:
    """The evidence of this proof with its verdict."""
    if proof.format == SERVICE:
        if not attesting.verdict_keys or attesting.policy.verdicts() is Asked.IGNORED:
            raise Conflict("no verdict is asked for here", remedy="prove it with a key")
        keys = attesting.verdict_keys
        return attesting.appraised(judged_by_service(proof.statement, client, turn.now, keys))
    chain = cbor.octets_list(cbor.read(b64url_decode(proof.statement)))
    evidence = verify_chain(tuple(chain), root_links(attesting.policy, ANDROID))
    subject = Subject(challenge=b64url(client), attested=evidence.attested, presented_at=turn.now)
    return attesting.appraised(Presented(evidence, subject))


def _asserted(
    desks: Desks,
    turn: Turn,
    device: Device,
    enrolled: Appraised,
    statement: bytes,
    client: bytes,
    counter: int,
) -> int:
    """The counter reached. A true assertion whose counter did not grow comes from a copy."""
    try:
        return verify_assertion(
            statement,
            application=enrolled.evidence.packages[0],
            spki=b64url_decode(enrolled.evidence.attested),
            client=client,
            counter=counter,
        )
    except Replayed as fork:
        desks.life.act(turn, device, Act.SUSPEND, By.PROVIDER, COPIED)
        raise NotPermitted(
            "the device is suspended",
            because=COPIED,
            remedy="call the provider, or enrol the phone again",
        ) from fork


def _only_the_list_is_old(desks: Desks, turn: Turn, verdict: Verdict) -> bool:
    """Whether all but the age of the vendor's list holds, and the policy lets that pass for now.

    The state of the phone was shown; the evidence kept before stands, which a list once spoke of.
    """
    if [one.rule for one in verdict.reasons] != [LIST_AGE]:
        return False
    attesting = desks.devices.attesting
    since = attesting.known.list_at + attesting.policy.list_age_ms
    rules = desks.policy.compiled.policy.dependencies
    failing = ((Dependency.REVOCATION.value, max(0, turn.now - since)),)
    return closed_by(rules, Operation.PAY.value, failing) is None


PROVING_EXECUTORS: dict[type, Callable[[Desks, Turn, Any], Outcome]] = {
    AskProof: _asked,
    TakeProof: _taken,
    ReportSignals: _reported,
}
"""Who executes each command."""
