"""Where subjects stand, moved by commands only; the steps and the commission of one payment.

    Rise, Fall   from this process: the rules are asked again with what was counted
    set-incentive   by two people

Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
"""

from collections.abc import Mapping
from typing import Final

from tallystick.application.customers import Customer
from tallystick.application.incentives.model import AGENTS_KINDS, Commission
from tallystick.application.incentives.store import STANDING, Commissions, every_standing
from tallystick.application.policing import PolicyInForce
from tallystick.application.turn import Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.kernel.errors import Conflict, Malformed, NotFound
from tallystick.kernel.model import replace, row_of
from tallystick.process.policy import Facts
from tallystick.process.policy.facts import ENUMERATED, Kind, SubjectClass
from tallystick.process.policy.incentives import (
    FALLEN,
    RISEN,
    SET,
    Counted,
    Standing,
    beginning,
    falls_by,
    standing_id,
    step_of,
    touched,
    why_not_rise,
)
from tallystick.process.policy.language.incentives import named_in
from tallystick.process.policy.language.model import Ladder

EVENTS: Final = {
    RISEN: "incentive.risen",
    FALLEN: "incentive.fallen",
    SET: "incentive.set",
}


class Incentives:
    """The standings of every subject, and what orders paid to agents.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    def __init__(self, policy: PolicyInForce, reader: Reader, *, capacity: int) -> None:
        """Follow `policy`; read standings from `reader`.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        self._policy = policy
        self._reader = reader
        self.commissions = Commissions(reader, capacity=capacity)
        self._standings: dict[str, Standing] = {}
        self.reset()

    def reset(self) -> None:
        """Read every standing again, after a batch that did not become durable.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._standings = {one.id: one for one in every_standing(self._reader)}
        self.commissions.reset()

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """The ladders of the policy in force; none before the first policy.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._policy.compiled.policy.incentives if self._policy.version else ()

    @property
    def standings(self) -> Mapping[str, Standing]:
        """Every standing that is recorded, by its id.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return self._standings

    def standing(self, ladder: Ladder, subject: str, begun: int = 0) -> Standing:
        """Where `subject` stands on `ladder`; of one that never moved, since `begun` (ms).

        Source: ISO/TS 12812-2:2017, 6.1
        """
        known = self._standings.get(standing_id(ladder.id, subject))
        return beginning(ladder, subject, begun) if known is None else known

    def with_steps(self, facts: Facts, payer: Customer, payee: Customer | None) -> Facts:
        """`facts` with the steps of its subjects; the same facts where no incentive touches them.

        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        ladders = self._policy.compiled.policy.incentives
        if not ladders:
            return facts
        words = {name: getattr(facts, name) for name in ENUMERATED}
        steps: list[tuple[str, int]] = []
        for ladder in touched(ladders, words):
            subject = ladder.of
            if ladder.subject is SubjectClass.AGENT:
                agent = payer if facts.kind == Kind.CASH_IN else payee
                subject = "" if agent is None else agent.id
            steps.append((ladder.id, step_of(ladder, self.standing(ladder, subject).step)[0]))
        return replace(facts, steps=tuple(steps))

    def steps_now(self) -> tuple[tuple[str, int], ...]:
        """Where payments stand now: each ladder of one subject, and the step that it is on.

        Ladders of agents are left out: whose agent a payment will meet is not known before.
        Source: ISO/TS 12812-2:2017, 6.1; 7.3.6
        """
        single = (one for one in self.ladders if one.of)
        stands = ((one, self.standing(one, one.of).step) for one in single)
        return tuple((one.id, step_of(one, number)[0]) for one, number in stands)

    def earned(self, order: str, agent: str, amount_minor: int, facts: Facts) -> Commission | None:
        """The commission of `amount_minor` that `order` pays to the account `agent`; None for none.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        if not amount_minor:
            return None
        paying = {one.id for one in self.ladders if one.subject is SubjectClass.AGENT}
        ladder, step = next((one for one in facts.steps if one[0] in paying), ("", 0))
        return Commission(
            id=order,
            account=agent,
            amount_minor=amount_minor,
            ladder=ladder,
            step=step,
            back="",
        )

    def taken_back(self, order: str, original: str, kind: str) -> Commission | None:
        """What `order` takes back of the commission that `original` paid; None for nothing.

        Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
        """
        paid = self.commissions.of(original, kind)
        if paid is None or paid.back or paid.amount_minor <= 0:
            return None
        return replace(paid, id=order, amount_minor=-paid.amount_minor)

    def keep(self, turn: Turn, row: Commission | None, original: str, kind: str) -> None:
        """Keep what an order paid or took back, and on the original which order took it back.

        Source: ISO/TS 12812-2:2017, 6.1
        """
        if row is None:
            return
        self.commissions.put(row, turn.changes)
        paid = self.commissions.of(original, kind) if original else None
        if paid is not None:
            self.commissions.put(replace(paid, back=row.id), turn.changes)

    def rise(self, turn: Turn, ladder: str, subject: str, counted: Counted) -> int:
        """Let a subject rise by one step; gives the event's index.

        Raises NotFound, Conflict with the rule that is against it.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        found = self._ladder(ladder)
        stands = self.standing(found, subject, counted.begun)
        against = why_not_rise(found, stands, counted, turn.now)
        if against:
            raise Conflict(
                f"{subject} does not rise on {ladder}: {against}",
                remedy="wait for the findings that the step asks for",
            )
        place = step_of(found, stands.step)[0] + 1
        return self._move(
            turn,
            replace(stands, step=place, since=turn.now, how=RISEN, finding=""),
            before=place - 1,
            because=counted.said(),
        )

    def fall(self, turn: Turn, ladder: str, subject: str, counted: Counted) -> int:
        """Let a subject fall as deep as its finding says; gives the event's index.

        Raises NotFound, Conflict where no finding lets it fall.
        Source: ISO/TS 12812-2:2017, 6.1
        """
        found = self._ladder(ladder)
        stands = self.standing(found, subject, counted.begun)
        finding = falls_by(found, stands, counted)
        if finding is None:
            raise Conflict(
                f"{subject} does not fall on {ladder}: there is no finding",
                remedy="set the step by an act of two people",
            )
        before = step_of(found, stands.step)[0]
        return self._move(
            turn,
            replace(
                stands,
                step=max(0, before - finding.drops),
                since=turn.now,
                counted_from=turn.now,
                how=FALLEN,
                finding=finding.id,
            ),
            before=before,
            because=f"{finding.id}: {finding.because}; {counted.said()}",
        )

    def put(self, turn: Turn, ladder: str, subject: str, step: int, because: str) -> int:
        """Put a subject on `step` because people say so; gives the event's index.

        Evidence and findings count anew from then on; a lasting finding by which it fell does not
        let it fall again. Raises NotFound, Malformed for a step that the ladder does not have.
        Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
        """
        found = self._ladder(ladder)
        agents = found.subject is SubjectClass.AGENT
        if subject != found.of if not agents else not subject.startswith("cus_"):
            raise NotFound(f"{ladder} is of {found.of or 'agents'}, not of {subject[:60]}")
        if not 0 <= step < len(found.steps):
            raise Malformed(f"{ladder} has the steps 0 to {len(found.steps) - 1}")
        stands = self.standing(found, subject, turn.now)
        before = step_of(found, stands.step)[0]
        moved = replace(stands, step=step, since=turn.now, counted_from=turn.now, how=SET)
        return self._move(turn, moved, before=before, because=because)

    def _ladder(self, name: str) -> Ladder:
        found = named_in(self.ladders, name)
        if found is None:
            raise NotFound(
                f"the policy in force has no incentive {name[:60]!r}",
                remedy="look at the incentives of the policy in force",
            )
        return found

    def _move(self, turn: Turn, stands: Standing, *, before: int, because: str) -> int:
        version = self._policy.version
        index = turn.record(
            EVENTS[stands.how],
            policy=version,
            public={
                "ladder": stands.ladder,
                "subject": stands.subject,
                "step": stands.step,
                "before": before,
                "because": because,
            },
        )
        row = replace(stands, because=because, version=version, event=index)
        known = self._standings.get(row.id)
        self._standings[row.id] = row
        turn.changes.upsert(STANDING, row.id, row_of(row))

        def undo() -> None:
            if known is None:
                self._standings.pop(row.id, None)
            else:
                self._standings[row.id] = known

        turn.on_undo(undo)
        return index


def agent_account(kind: str, payer: str, payee: str) -> str:
    """Whose account is the agent's in a payment of this kind.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return payer if kind == Kind.CASH_IN else payee


def pays_agents(kind: str) -> bool:
    """Whether payments of this kind may pay an agent or take back what one paid.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    return kind in AGENTS_KINDS
