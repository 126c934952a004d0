"""The policy in force: one object that every capability asks, changed by a command like any other.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tallystick.application.policing.shadow import Shadow
from tallystick.application.policing.store import (
    POLICY,
    SHADOW,
    last_policy,
    policies_until,
    policy_in_shadow,
)
from tallystick.application.policing.tightening import Measures
from tallystick.application.policing.watch import DependencyWatch
from tallystick.application.suspensions import SuspendedServices
from tallystick.application.tightenings.sealing import Seal
from tallystick.application.turn import Turn
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dual import DualVerifyKey
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.codec import Decoder, b64url
from tallystick.kernel.errors import NotPermitted, Unavailable
from tallystick.kernel.time import Instant
from tallystick.process.policy import (
    CompiledPolicy,
    Decided,
    Facts,
    Operation,
    decide,
    held_back,
)
from tallystick.process.policy.caps import Preview
from tallystick.process.policy.failing import closed_by
from tallystick.process.policy.language.removed import check_mended, read_kept, removed_in
from tallystick.process.policy.language.suites import DUAL
from tallystick.process.policy.signing import verify_policy
from tallystick.process.policy.tightening import Seen
from tallystick.protocol.policy_file import PolicyFile, policy_text

_files = Decoder(PolicyFile, limit=512 * 1024)


@dataclass(frozen=True, slots=True)
class Officers:
    """The public halves fixed at set-up, the profile whose rules they follow, and of whom.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    keys: dict[str, VerifyKey]
    profile: str
    provider: str = ""


class PolicyInForce:
    """Holds the compiled policy; a change is exact from the next command on.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    def __init__(
        self, officers: Officers, reader: Reader, seal: Seal | None = None, mended: str = ""
    ) -> None:
        """Nothing is in force yet; `mended` is a signed file that a start may put in place.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.mended = mended
        self._mends = 0
        self._officers = officers
        self._reader = reader
        self._base: CompiledPolicy | None = None
        self._compiled: CompiledPolicy | None = None
        self._loaded: tuple[int, str] | None = None
        self.measures = Measures(seal or Seal(), reader, officers.provider, officers.keys)
        self.services = SuspendedServices(reader)
        self.watch = DependencyWatch()
        self.beside = Shadow()

    def take_over(self, other: "PolicyInForce") -> None:
        """What `other` verified counts as verified here, and what it watches is watched here.

        `load` compares it with what is stored, as ever.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        self._base, self._loaded, self._mends = other.verified
        self.watch = other.watch

    @property
    def verified(self) -> tuple[CompiledPolicy | None, tuple[int, str] | None, int]:
        """The policy without its measures, what is stored of it, and its version if it is mended.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._base, self._loaded, self._mends

    def load(self) -> None:
        """Put the last stored policy and its measures into force, all signatures checked again.

        Raises NotPermitted for one that grants acts which are gone, unless it was mended.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        self.services.load()
        stored = last_policy(self._reader)
        if stored is not None and stored != self._loaded:
            self._mends = self._to_mend(*stored)
            dual = self._asked_before(stored[0])
            self._base = self._verified(stored[1], above=stored[0] - 1, anew=False, dual=dual)
            self._loaded = stored
        if stored is not None and self._base is not None:
            self._compiled = self.measures.load(self._base, stored[1])
        shadow = policy_in_shadow(self._reader)
        if shadow is None or shadow[0] <= self.version:
            self.beside.put(None)
        elif shadow[0] != self.beside.version:
            self.beside.put(self.verify(shadow[1], above=shadow[0] - 1, anew=False))

    def verify(self, envelope: str, *, above: int, anew: bool = True) -> CompiledPolicy:
        """The policy in a signed file, if the officers of this service approved it.

        One that is in force already is not proved `anew`. Where the policy in force asks officers
        for two signatures, this one has them, whatever it says itself.

        Raises NotPermitted, NotAuthentic, Conflict for a version not above `above`, Malformed.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._verified(envelope, above=above, anew=anew, dual=self.two_signatures)

    def widen(self, named: Mapping[str, VerifyKey]) -> Iterator[str]:
        """Take over second halves of officers' keys whose first is known; gives whose.

        Whoever else is `named` is left as it was: another key takes another start.
        Source: ISO/TS 12812-2:2017, 6.1; FIPS 204
        """
        for name, key in named.items():
            known = self._officers.keys.get(name)
            if isinstance(key, DualVerifyKey) and known == key.classical:
                self._officers.keys[name] = key
                yield name

    @property
    def officers(self) -> Mapping[str, VerifyKey]:
        """Whose signatures count, and by which keys.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._officers.keys

    @property
    def two_signatures(self) -> bool:
        """Whether officers sign twice under the policy in force.

        Source: ISO/TS 12812-2:2017, 6.1; FIPS 204
        """
        return self._base is not None and self._base.policy.signatures.officers == DUAL

    def _asked_before(self, version: int) -> bool:
        """Whether the policy before `version` asked officers for two signatures under it."""
        for _, envelope, _ in policies_until(self._reader, version - 1, 1):
            kept = read_kept(policy_text(_files.decode(envelope.encode())))
            return kept.signatures.officers == DUAL
        return False

    def _to_mend(self, version: int, envelope: str) -> int:
        """The `version` of a stored policy that grants acts which are gone, and is mended; or 0."""
        text = policy_text(_files.decode(envelope.encode()))
        gone = sorted({one.act for one in removed_in(text)})
        if not gone:
            return 0
        if not self.mended:
            raise NotPermitted(
                f"policy version {version} grants acts that no longer exist: {', '.join(gone)}",
                remedy="officers sign it without them: tallystick policy mend FOLDER --out FILE",
            )
        check_mended(text, policy_text(_files.decode(self.mended.encode())))
        return version

    @property
    def mending(self) -> bool:
        """Whether the policy in force waits to be replaced by the mended one of this start.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return 0 < self._mends == self.version

    def takes_at_start(self, envelope: str) -> bool:
        """Whether a start may put a signed file into force: the first one, or the mended one.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return not self.version or (self.mending and envelope == self.mended)

    def _verified(self, envelope: str, *, above: int, anew: bool, dual: bool) -> CompiledPolicy:
        return verify_policy(
            _files.decode(envelope.encode()),
            self._officers.keys,
            profile=self._officers.profile,
            last_version=above,
            anew=anew,
            dual=dual,
        )

    def activate(self, turn: Turn, envelope: str) -> int:
        """Put a signed file into force from the next command on; gives the event's index.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        compiled = self.verify(envelope, above=self.version)
        before = self._base
        self.measures.supersede(turn, compiled, envelope)
        self._obey(turn, compiled, compiled)
        if 0 < self.shadow_version <= compiled.version:
            self._put_in_shadow(turn, None, "", turn.next_event())
        index = turn.record(
            "policy.activated",
            policy=compiled.version,
            public={
                "version": compiled.version,
                "before": 0 if before is None else before.version,
                "file": b64url(sha256(envelope.encode())),
            },
        )
        turn.changes.insert(POLICY, (compiled.version, envelope, index))
        return index

    def shadow(self, turn: Turn, envelope: str) -> int:
        """Let a signed file decide beside the policy in force, from the next command on.

        It changes nothing: differences are counted. `activate` with the same file puts it into
        force. Gives the event's index; raises what `verify` raises.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        compiled = self.verify(envelope, above=self.version)
        index = turn.record(
            "policy.shadowed",
            policy=self.version,
            public={"version": compiled.version, "file": b64url(sha256(envelope.encode()))},
        )
        self._put_in_shadow(turn, compiled, envelope, index)
        return index

    def end_shadow(self, turn: Turn) -> int:
        """Let nothing decide in shadow any more; gives the event's index.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        index = turn.record("policy.shadowed", policy=self.version, public={"version": 0})
        self._put_in_shadow(turn, None, "", index)
        return index

    def _put_in_shadow(
        self, turn: Turn, compiled: CompiledPolicy | None, envelope: str, event: int
    ) -> None:
        before = self.beside.policy
        self.beside.put(compiled)
        turn.on_undo(lambda: self.beside.put(before))
        turn.changes.upsert(SHADOW, 1, (1, self.shadow_version, envelope, event))

    def tighten(self, turn: Turn, entry: str, seen: Seen, preview: Preview | None = None) -> int:
        """Put an entry of the policy's own tightenings into force, from the next command on.

        Or propose it, where `preview` shows that it is beyond its caps. Gives the event's index;
        raises what `Measures.begin` raises.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        compiled, index = self.measures.begin(turn, entry, seen, preview)
        self._obey(turn, self._base, compiled)
        return index

    def approve_tightening(self, turn: Turn, text: str) -> int:
        """Put a proposed tightening into force that two officers signed in `text`.

        Gives the event's index; raises what `Measures.approve` raises.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        compiled, index = self.measures.approve(turn, text, dual=self.two_signatures)
        self._obey(turn, self._base, compiled)
        return index

    def ease(self, turn: Turn, entry: str, seen: Seen) -> int:
        """End a tightening whose time is over; gives the event's index.

        Raises what `Measures.ease` raises.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        compiled, index = self.measures.ease(turn, entry, seen)
        self._obey(turn, self._base, compiled)
        return index

    def lift(self, turn: Turn, entry: str, blocked_until: int, because: str) -> int:
        """End a tightening because people say so, and keep it from beginning for a while.

        Gives the event's index; raises NotFound.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        compiled, index = self.measures.lift(turn, entry, blocked_until, because)
        self._obey(turn, self._base, compiled)
        return index

    def _obey(
        self, turn: Turn, base: CompiledPolicy | None, compiled: CompiledPolicy | None
    ) -> None:
        before = self._base, self._compiled, self._loaded

        def undo() -> None:
            self._base, self._compiled, self._loaded = before

        turn.on_undo(undo)
        self._base, self._compiled, self._loaded = base, compiled, None

    @property
    def shadow_version(self) -> int:
        """The version that decides in shadow, 0 where there is none.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.beside.version

    @property
    def compiled(self) -> CompiledPolicy:
        """The policy, with the measures that are in force.

        Raises Unavailable before the first one is in force.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        if self._compiled is None:
            raise Unavailable(
                "no policy is in force",
                remedy="two operators do it: tallystick operator act activate-policy",
            )
        return self._compiled

    @property
    def base(self) -> CompiledPolicy:
        """The policy as officers signed it, without the measures that are in force.

        Raises Unavailable before the first one is in force.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self.compiled if self._base is None else self._base

    @property
    def version(self) -> int:
        """The version in force, 0 before the first.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return 0 if self._compiled is None else self._compiled.version

    def decide(self, facts: Facts, *, subject: str) -> Decided:
        """What the policy in force says to `facts` about `subject`.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        decided = decide(self.compiled, facts, subject=subject)
        if self.beside.policy is not None:
            self.beside.compare(decided.decision)
        return decided

    def degraded_since(self, now: Instant) -> tuple[tuple[str, int], ...]:
        """The dependencies that are failing and for how long, in ms.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return self.watch.degraded(now)

    def check_reach(self, operation: Operation, now: Instant) -> None:
        """Pass unless something fails that closes `operation`, which no decision is made about.

        Raises OutOfReach.
        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        rules = self.compiled.policy.dependencies
        closed = closed_by(rules, operation.value, self.watch.degraded(now))
        if closed is not None:
            raise held_back(closed.row, closed.because)
