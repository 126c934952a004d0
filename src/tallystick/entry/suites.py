"""How far a provider is on the way to the mechanisms that its policy asks for.

A policy makes no key. Sessions follow it at once; the log and the key list once the root's keeper
signed a list with what they need, and wallets had time to fetch it; officers with their own keys.

Source: ISO/TS 12812-2:2017, 7.4.2; C; FIPS 203; FIPS 204
"""

from collections.abc import Iterable, Iterator

from tallystick.entry.assembly import Platform
from tallystick.entry.auditing import listed_keys
from tallystick.entry.keylisting import policy_of
from tallystick.entry.settings import ProviderFolder, ProviderSettings
from tallystick.infrastructure.crypto.dual import DUAL as DUAL_KEY
from tallystick.infrastructure.crypto.dual import DUALS
from tallystick.infrastructure.crypto.key_list import signature_key, verify_key_list
from tallystick.infrastructure.store.opening import open_reader
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.infrastructure.tally.verify import verify_checkpoint
from tallystick.kernel.errors import MfsError, NotFound
from tallystick.kernel.model import Record
from tallystick.kernel.time import iso_utc
from tallystick.process.policy import Policy
from tallystick.process.policy.language.suites import CLASSICAL, DUAL
from tallystick.protocol.keylist import KeyEntry, KeyList, ListedPurpose

_SIGN = "the root's keeper signs a list: tallystick keys renew FOLDER --root-key FILE"


class Way(Record, frozen=True, kw_only=True):
    """Of one thing: what the policy asks for, how many of `total` have it, and what is waited for.

    `waits` is empty where all have it; `asked` is empty where the policy says nothing.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    what: str
    asked: str
    done: int
    total: int
    now: str
    waits: str = ""


def standing(folder: ProviderFolder, now: int) -> tuple[Way, ...]:
    """How far `folder` is at `now` (ms), from its files and its record.

    Raises NotFound before there is a policy, and what verifying it and the list raises.
    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    policy = policy_of(folder)
    if policy is None:
        raise NotFound("no policy is in force")
    try:
        with open_reader(folder.stored()) as reader:
            latest = TallyStore(reader).latest_checkpoint() if reader.shapes() else None
    except NotFound:
        latest = None
    note = "" if latest is None else latest[1]
    return ways(policy, folder.settings(), listed_keys(folder), note, now)


def served_ways(platform: Platform) -> tuple[Way, ...]:
    """How far the running service is.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    trust, now = platform.trust, platform.clock.now()
    listed = verify_key_list(trust.key_list, trust.root, now, 0)
    policy, settings = platform.desks.policy.base.policy, platform.folder.settings()
    return ways(policy, settings, listed, platform.archive.note, now)


def ways(
    policy: Policy, settings: ProviderSettings, listed: KeyList, note: str, now: int
) -> tuple[Way, ...]:
    """What `policy` asks for and how far it is, at `now` (ms); `note` is the newest checkpoint.

    Source: ISO/TS 12812-2:2017, 7.4.2; C
    """
    return (
        _sessions(policy, now),
        _checkpoints(policy, settings, listed, note),
        _key_list(policy, settings, now),
        _officers(policy, settings),
    )


def _sessions(policy: Policy, now: int) -> Way:
    rule = policy.handshake
    suites = rule.at(now)
    until = f", others until {iso_utc(rule.classical_until)}" if rule.classical_until > now else ""
    return Way(
        what="sessions", asked=rule.preferred, done=1, total=1, now=", ".join(suites) + until
    )


def _checkpoints(policy: Policy, settings: ProviderSettings, listed: KeyList, note: str) -> Way:
    asked = policy.signatures.checkpoints
    entries = [one for one in listed.entries if one.purpose == ListedPurpose.TALLY]
    newest = max(entries, key=lambda one: one.not_before)
    signs = next(iter(_signers(entries, note, settings.origin)), "")
    found = DUAL if signs == DUAL_KEY else CLASSICAL
    fits = newest.algorithm == DUAL_KEY if asked == DUAL else newest.algorithm != DUAL_KEY
    waits = ""
    if asked and found != asked:
        waits = "wallets fetch the list; it signs within 65 minutes" if fits else _SIGN
    return Way(
        what="checkpoints", asked=asked, done=int(not waits), total=1, now=found, waits=waits
    )


def _signers(entries: list[KeyEntry], note: str, origin: str) -> Iterator[str]:
    """By what the newest checkpoint is signed, the strongest first."""
    for one in sorted(entries, key=lambda one: one.algorithm != DUAL_KEY):
        try:
            verify_checkpoint(note, signature_key(one), origin=origin)
        except MfsError:
            continue
        yield one.algorithm


def _key_list(policy: Policy, settings: ProviderSettings, now: int) -> Way:
    rule = policy.signatures
    twice = settings.root.algorithm in DUALS
    found = DUAL if twice else CLASSICAL
    if twice and rule.serves_classical(now):
        until = f" until {iso_utc(rule.classical_until)}" if rule.classical_until else ""
        found = f"{DUAL}, beside it {CLASSICAL}{until}"
    lacks = rule.key_list == DUAL and not twice
    waits = f"tallystick keys widen offline/root.key; then {_SIGN}" if lacks else ""
    return Way(
        what="key list", asked=rule.key_list, done=int(not lacks), total=1, now=found, waits=waits
    )


def _officers(policy: Policy, settings: ProviderSettings) -> Way:
    asked, every = policy.signatures.officers, settings.officers
    whole = [name for name, half in every.items() if half.algorithm in DUALS]
    left = ", ".join(sorted(set(every) - set(whole)))
    lacks = asked == DUAL and left
    return Way(
        what="officers",
        asked=asked,
        done=len(whole) if asked == DUAL else len(every),
        total=len(every),
        now=f"{len(whole)} of {len(every)} have two halves",
        waits=f"tallystick keys widen, keys adopt: {left}" if lacks else "",
    )


def told(found: Iterable[Way]) -> str:
    """What is waited for, in one line; empty where nothing is.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return "; ".join(f"{one.what}: {one.waits}" for one in found if one.waits)
