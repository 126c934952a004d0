"""Challenges, counters and the age of the last proof of each device.

Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallystick.application.deviceproofs.store import PROOF, ProofRow, any_proof
from tallystick.application.devices import Device, Devices
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Broken, Expired, StepUpRequired
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.attestation.environments import Environment, environment_of, factors_of
from tallystick.process.attestation.model import Outcome, Risk, read_appraisals
from tallystick.process.attestation.presenting import BESIDE
from tallystick.process.attestation.signals import LASTS_MS, Signal, score, shown_by, standing
from tallystick.process.policy.facts import DeviceTrust, Factor
from tallystick.process.policy.language.lives import FACTORS
from tallystick.protocol.deviceproofs import EVIDENCE

CHALLENGE_LIFE_MS: Final = 120_000
_RAISED, _HIGH = 300, 600
_NOTHING: Final = b"{}"
_signals = Decoder(dict[str, int], limit=1024)
_SIGNED: Final = (Factor.POSSESSION.value, Factor.INHERENCE.value)
_SAID: Final = FACTORS[0]
_ATTESTED: Final = DeviceTrust.ATTESTED_HARDWARE.value


@dataclass(frozen=True, slots=True)
class Asking:
    """By what it is decided how fresh a proof has to be: the policies, and the risk of a customer.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 6.1; 7.3.5
    """

    devices: Devices
    policy: PolicyInForce
    score: Callable[[str, Instant], int]

    def ages(self) -> dict[Risk, int]:
        """The oldest proof (ms) by risk, 0 where none is asked for: the stricter of both policies.

        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
        """
        rule = self.policy.compiled.policy.devices.proofs
        named = {Risk.CALM: rule.calm_ms, Risk.RAISED: rule.raised_ms, Risk.HIGH: rule.high_ms}
        more = self.devices.attesting.policy.freshness
        return {
            risk: min((one for one in (most, more.get(risk.value, 0)) if one), default=0)
            for risk, most in named.items()
        }


class Shown(NamedTuple):
    """How a device counts for one message: `risk` (0 to 1000) and `trust`.

    Where its proof is too old and the policy lets it act as one that proved nothing, `instead` is
    what would bring its own trust back.
    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 8.1.1
    """

    risk: int
    trust: str
    instead: StepUpRequired | None


class DeviceProofs:
    """Keeps one row a device; the writer owns it.

    Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
    """

    def __init__(self, reader: Reader, *, capacity: int, asking: Asking | None = None) -> None:
        """Read from `reader`; keep `capacity` rows in memory; ask for proofs as `asking` says.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._asking = asking
        self._rows = RowCache(PROOF, ProofRow, reader, capacity=capacity)
        self._some = any_proof(reader)

    def of(self, device: str) -> ProofRow:
        """The row of `device`, an empty one before its first challenge.

        Source: RFC 9334, 10
        """
        found = self._rows.get(device) if self._some else None
        return found or ProofRow(
            device=device, challenge=b"", asked_at=0, proved_at=0, counter=0, signals=_NOTHING
        )

    def ask(self, turn: Turn, device: str) -> tuple[bytes, int]:
        """A new challenge in place of the one before, and when it ends (ms).

        Source: RFC 9334, 10.2
        """
        challenge = turn.entropy(32)
        row = replace(self.of(device), challenge=challenge, asked_at=turn.now)
        self._put(turn, row)
        return challenge, turn.now + CHALLENGE_LIFE_MS

    def answered(self, turn: Turn, device: str) -> tuple[bytes, int]:
        """The challenge that is answered now, used up with this, and the counter reached so far.

        Raises Expired where none waits.
        Source: RFC 9334, 10.2; ISO/TS 12812-2:2017, 7.3.5
        """
        row = self.of(device)
        if not row.challenge or turn.now - row.asked_at > CHALLENGE_LIFE_MS:
            raise Expired("no challenge waits for a proof", remedy="ask for a new one")
        self._put(turn, replace(row, challenge=b""))
        return row.challenge, row.counter

    def proved(self, turn: Turn, device: str, counter: int) -> None:
        """Remember that `device` showed now what it is, its counter at `counter`.

        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5
        """
        row = replace(self.of(device), proved_at=turn.now, counter=counter)
        self._put(turn, row)

    def report(self, turn: Turn, device: str, signals: Iterable[Signal]) -> None:
        """Take the word of the app on `device` about that device; each counts for a day.

        What was reported before goes on counting: a phone does not get well by saying so.
        Source: ISO/TS 12812-2:2017, 7.2.2; 8.1.3
        """
        row = self.of(device)
        said = {**_signals.decode(row.signals), **{one.value: turn.now for one in signals}}
        kept = {name: at for name, at in said.items() if turn.now - at <= LASTS_MS}
        self._put(turn, replace(row, signals=encode_canonical(kept)))

    def score(self, device: Device, now: Instant) -> int:
        """0 to 1000 for what speaks against `device`: its app's word and its own evidence.

        Source: ISO/TS 12812-2:2017, 6.1; 8.1.3
        """
        said = self.of(device.id).signals
        told = standing(_signals.decode(said), now) if len(said) > len(_NOTHING) else ()
        if device.trust == _ATTESTED or device.attestation[:1] != b"[":
            return score(told, ())  # every rule held, or nothing was appraised
        return score(told, shown_by(read_appraisals(device.attestation)))

    def prefetch(self, devices: Iterable[str]) -> None:
        """Bring the rows of `devices` into memory with at most one statement.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        if self._some:
            self._rows.prefetch(devices)

    def _put(self, turn: Turn, row: ProofRow) -> None:
        self._some = True  # from now on there is something to look for
        self._rows.put(row.device, row, turn.changes)

    def shown(self, device: Device, now: Instant) -> Shown:
        """How `device` counts at `now` for what it asks, by the age of its last proof.

        Devices that attested nothing have lower limits already. Raises StepUpRequired with
        `evidence:SECONDS` where the proof is too old and the policy knows no other way.
        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 8.1.1
        """
        return self._shown(device, now, 0)

    def demand(self, device: Device, now: Instant, *, raised: bool = False) -> Device:
        """`device`, if its last proof is as fresh as its risk asks, at least a `raised` one.

        Raises StepUpRequired with `evidence:SECONDS`: nothing is done at less trust here.
        Source: RFC 9334, 10; ISO/TS 12812-2:2017, 7.3.5; 7.4.5
        """
        shown = self._shown(device, now, _RAISED if raised else 0)
        if shown.instead is not None:
            raise shown.instead
        return device

    def factors(self, device: Device, given: Iterable[str]) -> tuple[str, ...]:
        """The categories behind an order that `device` signed in a session with `given` factors.

        As the policy says: the two that an app says, or what the places of its keys give by
        accepted evidence, and what the session was given besides.
        Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
        """
        if self._asking is None or self._asking.policy.compiled.policy.devices.factors == _SAID:
            return _SIGNED
        shown = categories_of(device.attestation)
        knows = {Factor.KNOWLEDGE.value}.intersection(given)
        return tuple(sorted({*shown, *knows}))

    def _shown(self, device: Device, now: Instant, least: int) -> Shown:
        if self._asking is None:
            raise Broken("nobody says how fresh proofs have to be")
        risk = max(self._asking.score(device.customer, now), self.score(device, now))
        asked = risk_of(max(risk, least))
        most = self._asking.ages()[asked]
        if not most or device.trust != _ATTESTED:
            return Shown(risk, device.trust, None)
        age = now - max(device.enrolled_at, self.of(device.id).proved_at)
        if age <= most:
            return Shown(risk, device.trust, None)
        asks = StepUpRequired(
            "the device has to show again what it is",
            because=f"its last proof is older than {most // 1000} s",
            remedy="ask for a challenge, answer it, and send the same again",
            suffices=(f"{EVIDENCE}{most // 1000}",),
        )
        lowered = self._asking.policy.compiled.policy.devices.proofs.lowered_ms
        if asked is Risk.HIGH or age > most + lowered:
            raise asks
        return Shown(risk, DeviceTrust.UNKNOWN.value, asks)

    def trim(self) -> None:
        """Forget what is over capacity.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget everything that a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()


def categories_of(attestation: bytes) -> tuple[str, ...]:
    """The categories that the places of a device's keys give, by what was kept of its evidence.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.1
    """
    return factors_of(_places(attestation))


def _places(attestation: bytes) -> tuple[Environment, ...]:
    """Where keys are as far as evidence is believed; software where none is."""
    if attestation[:1] != b"[":
        return (Environment.SOFTWARE,)
    kept = read_appraisals(attestation)
    if any(one.verdict.outcome is not Outcome.ACCEPTED for one in kept):
        return (Environment.SOFTWARE,)
    return tuple(
        Environment.SOFTWARE if one.evidence.format in BESIDE else environment_of(one.evidence)
        for one in kept
    )


def risk_of(score: int) -> Risk:
    """How risky an act with a risk score of 0 to 1000 is, in three steps: below 300, below 600.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    if score >= _HIGH:
        return Risk.HIGH
    return Risk.RAISED if score >= _RAISED else Risk.CALM
