"""A stronger policy for a service that lost controls, with what it changes and why.

Nothing of it is in force: officers read it, sign it and activate it, or they do not.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3; A
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.model import Record
from tallystick.kernel.time import iso_utc
from tallystick.process.derivation.basis import basis_of, following
from tallystick.process.derivation.derive import derive
from tallystick.process.derivation.rules import Rules
from tallystick.process.derivation.stronger import stronger
from tallystick.process.loop.model import LIFE_MS, Waits
from tallystick.process.loop.rounds import Ground, Rise
from tallystick.process.policy import Policy, compile_policy, read_policy, recompile
from tallystick.process.policy.changes import Change, changes
from tallystick.process.policy.explain import diff, in_shares
from tallystick.process.policy.facts import Outcome
from tallystick.process.policy.touching import DAYS, Payer, touched
from tallystick.protocol.measures import Touched

_LETS_THROUGH: Final = {Outcome.ALLOW: 2, Outcome.DELAY: 1}
"""How much an outcome lets through. A step more does not: what follows it is decided anew."""

_SHOWN: Final = 12


class Proposal(Record, frozen=True, kw_only=True):
    """A proposed policy: its text, the controls that fell, what rose, what it changes.

    `digest` names the reason: equal losses under an equal policy give an equal digest. `changes`
    and `decisions` say what differs from the policy in force; `looser` are those of the decisions
    that would let more through, which a policy that was derived before never has. It waits for
    officers since `at` until `until` (ms). `touched` is whom it would have touched, by what is
    recorded; None where nothing is.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    digest: str
    version: int
    fallen: tuple[str, ...]
    brings_back: tuple[str, ...]
    rises: tuple[Rise, ...]
    risen: int
    left: int
    changes: tuple[str, ...]
    decisions: tuple[str, ...]
    looser: tuple[str, ...]
    text: str
    at: int
    until: int
    touched: Touched | None

    @property
    def waits(self) -> Waits:
        """Since when it waits for officers, and until when.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        return Waits(
            digest=self.digest,
            version=self.version,
            at=self.at,
            until=self.until,
            touched=self.touched,
        )


class Reasons(Record, frozen=True, kw_only=True):
    """What a proposal rests on, before it is worked out.

    `brings_back` says, for each control that fell, what must be seen for it to count again.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    fallen: tuple[str, ...]
    brings_back: tuple[str, ...]
    rises: tuple[Rise, ...]
    left: tuple[str, ...]


def reason_digest(ground: Ground, before: Policy, reasons: Reasons) -> str:
    """What names the proposal for `reasons` under the policy `before` (hex).

    Source: RFC 8785
    """
    parts = {
        "programme": ground.analysis.programme_digest,
        "pack": ground.analysis.pack_digest,
        "policy": before.header.version,
        "fallen": list(reasons.fallen),
        "threats": sorted({one.rule for one in reasons.rises}),
    }
    return sha256(encode_canonical(parts)).hex()[:16]


def propose(
    rules: Rules,
    ground: Ground,
    before: Policy,
    reasons: Reasons,
    now: int,
    payers: Sequence[Payer] = (),
) -> Proposal:
    """The policy that answers `reasons`, compiled and proven, against the one `before`.

    `payers` are customers with what they paid of late, to say whom it touches.
    Raises Malformed where what was derived does not hold, Unavailable without the extra `risk`.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    header = following(before, now)
    basis = basis_of(rules, ground.programme, ground.pack, ground.analysis, header)
    left = frozenset(reasons.left)
    threats = {one.rule for one in reasons.rises}
    text = derive(*stronger(rules, ground.pack, basis, left, threats)).text
    compiled = compile_policy(read_policy(text))
    after = compiled.policy
    decided = changes(before, after)
    return Proposal(
        digest=reason_digest(ground, before, reasons),
        version=header.version,
        fallen=reasons.fallen,
        brings_back=reasons.brings_back,
        rises=_worst(reasons.rises),
        risen=len(reasons.rises),
        left=len(left),
        changes=tuple(diff(before, after)),
        decisions=tuple(map(str, decided)),
        looser=tuple(str(one) for one in decided if _is_looser(one)),
        text=text,
        at=now,
        until=now + LIFE_MS,
        touched=touched(recompile(before), compiled, payers, DAYS) if payers else None,
    )


def proposal_text(one: Proposal) -> str:
    """The policy as it is written for officers, with its reasons above it as comments.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    lines = [
        f"Proposed, not in force: {len(one.fallen)} controls fell, {one.risen} risks rose.",
        f"{one.left} of the chosen controls are left.",
        f"It waits for officers until {iso_utc(one.until)}.",
        *_touches(one.touched),
        "",
        *(f"fell: {said}" for said in one.brings_back),
        *dict.fromkeys(
            f"rose: {rise.rule} on {rise.asset}, from {rise.before} to {rise.after}"
            for rise in one.rises
        ),
        *(f"changes: {said}" for said in one.changes if " because: " not in said),
        *(f"decides otherwise: {said}" for said in one.decisions),
        *(f"LOOSER than what is in force: {said}" for said in one.looser),
    ]
    head = "".join(f"# {' '.join(line.split())}".rstrip() + "\n" for line in lines)
    return f"{head}\n{one.text}"


def _touches(counted: Touched | None) -> Iterable[str]:
    """Whom it would have touched, all in all and by class of device."""
    if counted is None:
        yield "Whom it touches is not known: no customers of long standing are recorded."
        return
    yield (
        f"It would have touched {counted.customers} of {counted.of_customers} customers within"
        f" {counted.days} days, {in_shares(counted.customers_bp, counted.value_bp)}."
    )
    for one in counted.classes:
        yield f"touched with {one.device}: {one.customers} of {one.of_customers} customers"


def _worst(rises: tuple[Rise, ...]) -> tuple[Rise, ...]:
    """The worst place of each threat to each asset, the first of them."""
    found: dict[tuple[str, str], Rise] = {}
    for one in rises:
        found.setdefault((one.rule, one.asset), one)
    return tuple(found.values())[:_SHOWN]


def _is_looser(one: Change) -> bool:
    return _through(one.now) > _through(one.was)


def _through(says: str) -> int:
    return _LETS_THROUGH.get(Outcome(says.partition(" ")[0]), 0)
