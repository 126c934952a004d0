"""Every order of lost, late and repeated handshakes up to a length: an honest device is never taken
for a copy and always comes back; of two copies the second one always is found, whichever it is.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tallystick.infrastructure.envelope.renewal import (
    Judgement,
    Overtaken,
    Presented,
    RenewalClaim,
    RenewalPair,
    RenewalRecord,
    Renewed,
    Resynchronised,
    Spent,
    judge_renewal,
    proposal,
    settled,
)
from tallystick.infrastructure.envelope.schedule import renewal_proof
from tallystick.kernel.secret import Secret

FIRST = RenewalPair(counter=1, secret=Secret(b"\x01" * 32))
IN_FORCE = RenewalRecord(counter=1, secret=FIRST.secret, accepted_at=0)


@dataclass
class World:
    """The provider's record, a clock that ticks at every event, and names for fresh secrets."""

    record: RenewalRecord = IN_FORCE
    now: int = 0

    def tick(self) -> int:
        self.now += 1
        return self.now

    def deliver(self, claim: RenewalClaim) -> Judgement:
        verdict = judge_renewal(self.record, claim, self.tick())
        if isinstance(verdict, Renewed | Resynchronised):
            self.record = verdict.record
        return verdict


@dataclass
class Device:
    """What a device does: remember before sending, settle after hearing."""

    pairs: tuple[RenewalPair, ...] = (FIRST,)
    name: bytes = b"a"
    pending: list[RenewalClaim] = field(default_factory=list)

    def begin(self, world: World) -> RenewalClaim:
        begun_at = world.tick()
        transcript = self.name + begun_at.to_bytes(31, "big")
        proposed = proposal(self.pairs)
        claim = RenewalClaim(
            presented=tuple(
                Presented(
                    counter=pair.counter, proof=renewal_proof(pair.secret, pair.counter, transcript)
                )
                for pair in self.pairs
            ),
            proposed=proposed,
            secret=Secret(transcript),
            transcript=transcript,
            begun_at=begun_at,
        )
        if proposed:
            self.pairs = (RenewalPair(counter=proposed, secret=claim.secret), *self.pairs)
        return claim

    def hear(self, verdict: Judgement) -> None:
        if isinstance(verdict, Renewed | Resynchronised):
            self.pairs = settled(self.pairs, verdict.record.counter)


def honest_runs(depth: int) -> Iterator[tuple[World, Device, list[Judgement]]]:
    """Every run of `depth` events: attempts heard, answered in vain, lost, late; late arrivals."""
    steps = ("heard", "reply lost", "lost", "late", "arrives 0", "arrives 1")
    for run in itertools.product(steps, repeat=depth):
        world, device, verdicts = World(), Device(), []
        for step in run:
            if step.startswith("arrives"):
                position = int(step[-1])
                if position >= len(device.pending):
                    break
                verdicts.append(world.deliver(device.pending.pop(position)))
                continue
            claim = device.begin(world)
            if step == "late":
                device.pending.append(claim)
            elif step != "lost":
                verdicts.append(world.deliver(claim))
                if step == "heard":
                    device.hear(verdicts[-1])
        else:
            yield world, device, verdicts


def comes_back(world: World, device: Device) -> list[Judgement]:
    """The verdicts of undisturbed attempts until one renews."""
    verdicts: list[Judgement] = []
    while not verdicts or not isinstance(verdicts[-1], Renewed):
        verdicts.append(world.deliver(device.begin(world)))
        device.hear(verdicts[-1])
        if len(verdicts) > 2:
            break
    return verdicts


def test_an_honest_device_is_never_suspended_and_always_comes_back() -> None:
    runs = 0
    for world, device, verdicts in honest_runs(6):
        assert all(
            isinstance(verdict, Renewed | Resynchronised | Overtaken) for verdict in verdicts
        ), verdicts
        late = list(device.pending)
        assert isinstance(comes_back(world, device)[-1], Renewed)
        for claim in late:
            assert world.deliver(claim) == Overtaken()
        assert isinstance(comes_back(world, device)[0], Renewed)
        runs += 1
    assert runs > 8_000


def test_a_repeated_message_changes_nothing() -> None:
    world, device = World(), Device()
    claim = device.begin(world)
    assert isinstance(world.deliver(claim), Renewed)
    before = world.record
    assert world.deliver(claim) == Overtaken()
    assert world.record == before


STEPS = ("heard", "reply lost", "lost")


def act(world: World, device: Device, step: str) -> Judgement | None:
    claim = device.begin(world)
    if step == "lost":
        return None
    verdict = world.deliver(claim)
    if step == "heard":
        device.hear(verdict)
    return verdict


@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.requirement("MFS-8.1.2-01")
@pytest.mark.threat("THR-DEV-04")
def test_a_copied_keystore_is_refused_whoever_comes_second() -> None:
    """Any history, then a copy, then any order of the two: the second to be accepted is Spent."""
    found = {"a": 0, "b": 0}
    for length in range(4):
        for history in itertools.product(STEPS, repeat=length):
            for events in itertools.product(itertools.product("ab", STEPS), repeat=4):
                world, original = World(), Device()
                for step in history:
                    act(world, original, step)
                parties = {"a": original, "b": Device(original.pairs, b"b")}
                first = ""
                for who, step in events:
                    verdict = act(world, parties[who], step)
                    if first and who != first and verdict is not None:
                        assert isinstance(verdict, Spent)
                        found[who] += 1
                        break
                    assert not isinstance(verdict, Spent)
                    if isinstance(verdict, Renewed):
                        first = who
    assert found["a"] == found["b"] > 10_000


def test_a_copy_that_began_before_the_original_was_accepted_gets_no_session() -> None:
    world, original = World(), Device()
    copy = Device(original.pairs, b"b")
    early = copy.begin(world)
    assert isinstance(world.deliver(original.begin(world)), Renewed)
    assert world.deliver(early) == Overtaken()
    assert isinstance(world.deliver(copy.begin(world)), Spent)
