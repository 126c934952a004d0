"""Probes of what is fixed: keys, files, clock, policy.

Source: ISO/TS 12812-2:2017, 7.4.2; 6.1; 9.1
"""

from functools import lru_cache
from typing import Final

from tallystick.application.policing.store import last_policy
from tallystick.entry.doctor.files import look_at_files
from tallystick.entry.doctor.model import Finding, State
from tallystick.entry.proving.looking import Declared, Seen, declare, failed, judged, part, unknown
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.crypto.registry import Status, mechanism
from tallystick.infrastructure.keys.table import end_of_life
from tallystick.infrastructure.modules.block import BlockHeader, peek
from tallystick.infrastructure.modules.clock import is_synchronised
from tallystick.kernel.errors import MfsError, NotFound
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.process.policy.language.model import Policy
from tallystick.process.policy.signing import verify_policy
from tallystick.protocol.policy_file import read_policy_file

MOST_FAILURES = 5
MOST_IDLE_MS = 5 * MINUTE_MS
LEAST_BITS = 128

_DECLARED: Final[tuple[Declared, ...]] = (
    ("keys.life", CheckKind.STATIC, ("MFS-7.4.2-01", "MFS-7.4.2-07"),
     "the newest key of each purpose is within its life"),
    ("keys.mechanisms", CheckKind.STATIC, ("MFS-C-01", "MFS-C-02"),
     "every key is of an approved mechanism of 128 bits or more"),
    ("keys.listed", CheckKind.STATIC, ("MFS-7.2.3-02",),
     "the key list that the root signed is in force, and its keys are"),
    ("files.modes", CheckKind.STATIC, (part("MFS-7.2.1-01"),),
     "keys and record are for the service's account only"),
    ("files.offline", CheckKind.STATIC, ("MFS-7.4.2-04",),
     "root and officers' keys are not on the server"),
    ("clock.synchronised", CheckKind.STATIC, (part("MFS-6.2.3-05"),),
     "something keeps the clock"),
    ("policy.signed", CheckKind.STATIC, ("MFS-6.1-01",),
     "officers signed the policy in force, and each role has duties"),
    ("policy.attempts", CheckKind.STATIC, ("MFS-7.3.2-02",),
     "at most five failures in a row, then a block"),
    ("policy.sessions", CheckKind.STATIC, ("MFS-7.3.2-03",),
     "sessions end after five idle minutes, dialled ones sooner"),
    ("policy.factors", CheckKind.STATIC, ("MFS-7.3.2-01", "MFS-11.2.1-01"),
     "paying and logging in take two categories of factors"),
    ("policy.caps", CheckKind.STATIC, ("MFS-8.1.1-02", "MFS-7.2.6-01"),
     "keys in software have a limit of their own"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""


class StillProbes:
    """Looks at the folder of one provider, and at what its policy says.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    def __init__(self, site: Site) -> None:
        self._site = site

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "keys.life": self.keys,
            "keys.mechanisms": self.mechanisms,
            "keys.listed": self.key_list,
            "files.modes": self.modes,
            "files.offline": self.offline,
            "clock.synchronised": self.clock,
            "policy.signed": self.policy_signed,
            "policy.attempts": self.attempts,
            "policy.sessions": self.sessions,
            "policy.factors": self.factors,
            "policy.caps": self.caps,
        }
        declare(registry, _DECLARED, looks)

    def _headers(self) -> list[BlockHeader]:
        return [peek(block) for block in self._site.folder.blocks()]

    def keys(self, now: Instant) -> Seen:
        """Whether each purpose has a key within its life.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        newest: dict[str, BlockHeader] = {}
        headers = self._headers()
        for one in headers:
            best = newest.get(one.purpose.value)
            if best is None or one.created_at > best.created_at:
                newest[one.purpose.value] = one
        past = sorted(
            name for name, one in newest.items() if end_of_life(one) and now >= end_of_life(one)
        )
        return judged(
            bool(newest) and not past,
            f"{len(newest)} purposes, each with a key in force",
            f"past their life: {', '.join(past) or 'there are no keys'}",
            purposes=len(newest),
            keys=len(headers),
            past=len(past),
        )

    def mechanisms(self, now: Instant) -> Seen:
        """Whether each key is of a mechanism that new protection may use.

        Source: ISO/TS 12812-2:2017, C
        """
        weak: list[str] = []
        headers = self._headers()
        for one in headers:
            try:
                found = mechanism(one.mechanism)
            except NotFound:
                weak.append(f"{one.purpose.value}: {one.mechanism} is not registered")
                continue
            if found.status is not Status.APPROVED or found.strength_bits < LEAST_BITS:
                weak.append(f"{one.purpose.value}: {one.mechanism}")
        return judged(
            bool(headers) and not weak,
            f"{len(headers)} keys, each of an approved mechanism",
            "; ".join(weak[:3]) or "there are no keys",
            keys=len(headers),
            weak=len(weak),
        )

    def key_list(self, now: Instant) -> Seen:
        """Whether the list that clients pin their trust to is in force.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        folder = self._site.folder
        jws = folder.key_list_file.read_text(encoding="utf-8")
        try:
            listed = verify_key_list(jws, folder.settings().root.verify_key(), now, 0)
        except MfsError as error:
            return failed(error.detail)
        in_force = {one.purpose for one in listed.entries if one.not_before <= now < one.not_after}
        ended = {one.purpose for one in listed.entries} - in_force
        return judged(
            not ended,
            f"version {listed.version}, {len(listed.entries)} keys",
            f"no key in force: {', '.join(sorted(ended))}",
            version=listed.version,
            keys=len(listed.entries),
            left_ms=listed.expires_at - now,
        )

    def _finding(self, what: str) -> Finding | None:
        return next((one for one in look_at_files(self._site.folder) if one.what == what), None)

    def _as_seen(self, what: str) -> Seen:
        found = self._finding(what)
        if found is None:
            return unknown(f"nothing was looked at that is called {what}")
        return judged(found.state is State.FINE, found.says, found.says)

    def modes(self, now: Instant) -> Seen:
        """Whether other accounts can reach keys or record.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self._as_seen("permissions")

    def offline(self, now: Instant) -> Seen:
        """Whether keys that belong elsewhere are still in the folder.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        left = sorted(one.name for one in self._site.folder.offline.glob("*.key"))
        return judged(
            not left, "none is here", f"still here: {', '.join(left[:4])}", left=len(left)
        )

    def clock(self, now: Instant) -> Seen:
        """Whether the kernel says that its clock is kept.

        Source: ISO/TS 12812-2:2017, 3.23
        """
        kept = is_synchronised()
        if kept is None:
            return unknown("this system does not say whether its clock is kept")
        return judged(kept, "the clock is kept synchronised", "nothing keeps the clock")

    def policy_signed(self, now: Instant) -> Seen:
        """Whether officers signed what is in force, and no role is without duties.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        policy, signatures = policy_in_force(self._site)
        idle = sorted(role for role, acts in policy.operators.roles.items() if not acts)
        return judged(
            not idle,
            f"version {policy.header.version}, signed by {signatures}",
            f"roles without duties: {', '.join(idle)}",
            version=policy.header.version,
            signatures=signatures,
            roles=len(policy.operators.roles),
        )

    def attempts(self, now: Instant) -> Seen:
        """How many failures in a row the policy lets pass.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rule = policy_in_force(self._site)[0].attempts
        return judged(
            0 < rule.limit <= MOST_FAILURES and rule.block_ms > 0,
            f"{rule.limit} failures block for {rule.block_ms // MINUTE_MS} min",
            f"{rule.limit} failures are let pass",
            limit=rule.limit,
            block_ms=rule.block_ms,
        )

    def sessions(self, now: Instant) -> Seen:
        """How long sessions of each channel may stay idle.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rules = policy_in_force(self._site)[0].sessions
        long = sorted(name for name, one in rules.items() if one.idle_ms > MOST_IDLE_MS)
        dialled, app = rules.get("ussd"), rules.get("app")
        if dialled is not None and app is not None and dialled.idle_ms > app.idle_ms:
            long.append("ussd is longer than app")
        return judged(
            not long,
            f"{len(rules)} channels, none idle for more than five minutes",
            f"too long: {', '.join(long)}",
            channels=len(rules),
            longest_ms=max((one.idle_ms for one in rules.values()), default=0),
        )

    def factors(self, now: Instant) -> Seen:
        """How many categories of factors paying and logging in take.

        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        rules = policy_in_force(self._site)[0].factors
        taken = {name: rules[name].categories for name in ("login", "pay") if name in rules}
        return judged(
            len(taken) == 2 and min(taken.values()) >= 2,
            "both take two categories",
            ", ".join(f"{name} takes {count}" for name, count in taken.items()) or "no rule",
            login=taken.get("login", 0),
            pay=taken.get("pay", 0),
        )

    def caps(self, now: Instant) -> Seen:
        """Whether devices without attested hardware have a limit.

        Source: ISO/TS 12812-2:2017, 8.1.1
        """
        found = software_caps(policy_in_force(self._site)[0])
        return judged(
            bool(found),
            f"row {', '.join(found)}",
            "keys in software may pay as much as those in hardware",
            rows=len(found),
        )


def policy_in_force(site: Site) -> tuple[Policy, int]:
    """The policy in force, its officers' signatures verified, and how many there are.

    Raises NotFound before there is one, and what the verification raises.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    settings = site.settings
    with site.reading() as reader:
        stored = last_policy(reader)
    if stored is None:
        raise NotFound("no policy is in force")
    return _verified(stored[1], tuple(settings.officers.items()), settings.profile, stored[0] - 1)


@lru_cache(maxsize=2)
def _verified(
    text: str, halves: tuple[tuple[str, PublicHalf], ...], profile: str, above: int
) -> tuple[Policy, int]:
    """The policy in `text` and how many signed it; verified once for all probes of a run."""
    file = read_policy_file(text.encode())
    officers = {name: half.verify_key() for name, half in halves}
    compiled = verify_policy(file, officers, profile=profile, last_version=above)
    return compiled.policy, len(file.signatures)


def software_caps(policy: Policy) -> tuple[str, ...]:
    """The limits of `policy` that are for keys kept in software.

    Source: ISO/TS 12812-2:2017, 8.1.1
    """
    return tuple(
        limit.id
        for limit in policy.limits
        for words in limit.words
        if words.field == "device_trust" and "software" in words.words
    )
