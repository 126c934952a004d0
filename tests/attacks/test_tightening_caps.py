"""Nobody widens a tightening beyond its caps: by a flood, in many small steps, or by a key.

A provider with two hundred customers of long standing, whose controls fail. What is within the caps
begins; what is beyond waits for two officers, whatever is sent meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.attacks.test_forged_verdicts import FORGED, NOW, Ground
from tests.protocol.test_tightening_served import run_of
from tests.support.customers import add_customers
from tests.support.stores import on_file, raw
from tests.unit.process.policy.policy_texts import demo_text

from tallystick.application.own_commands import (
    ApproveTightening,
    LapseProposal,
    RecordEvidence,
    Tighten,
)
from tallystick.application.tightenings.recorded import preview_of, recorded_payers
from tallystick.application.tightenings.sealing import statement_of
from tallystick.application.tightenings.store import every_proposal
from tallystick.entry.assembly import open_platform
from tallystick.entry.inforce import wrong_measures
from tallystick.entry.replay.parties import replay_peer
from tallystick.entry.replay.provider import ReplayProvider
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import public_half
from tallystick.entry.tightening import Controls
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Conflict, MfsError, NotFound, NotPermitted
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant, SimulatedClock
from tallystick.process.isms.signing import sign_statement
from tallystick.process.policy.caps import touched_by
from tallystick.protocol.measures import APPROVED, TighteningProposal

HEAD, TAIL = demo_text().split("\ntightening:\n")[0], "\nregimes: [generic]\n"
TIERS = (0, 1, 2)
CAPS = """
tightening_caps:
  per_action: {customers_bp: 1_200, value_bp: 1_200}
  per_day: {customers_bp: 2_200, value_bp: 2_200}
"""
COHORTS = """
  - id: attestation-low
    on: attested-share
    below_permille: 900
    dwell: PT1H
    keep: PT24H
    at_most_per_day: 1
    cohorts:
      - {id: novices, when: {tier: 0}}
      - {id: unproven, when: {device_trust: unknown}}
    caps:
      per_action: {customers_bp: 7_000, value_bp: 7_000}
      per_day: {customers_bp: 9_000, value_bp: 9_000}
    then: {limit: software-device, per_payment: 500}
    because: fewer devices than usual prove where their keys are
"""


def stop_tier(tier: int) -> str:
    return (
        f"\n  - {{id: stop-{tier}, on: probe, of: probe.{tier}, dwell: PT0S, keep: PT1H,"
        f" at_most_per_day: 4, then: {{row: {{id: stop-row-{tier}, when: {{operation: pay,"
        f" tier: {tier}}}, outcome: deny, because: x}}}}, because: x}}"
    )


class Capped(Ground):
    """A provider with the policy `text`, opened: Ann paid Ben, and nobody else is there yet."""

    def __init__(self, folder: Path, text: str) -> None:
        self.clock = SimulatedClock(Instant(NOW))
        self.provider = ReplayProvider(ProviderFolder(folder), self.clock, text)
        self.platform = self.provider.platform
        self.file = folder / "tallystick.db"
        self.controls = Controls(self.platform)
        self.peer = replay_peer(self.provider)
        self.ann, self.ben = self.enrol("Ann", "Ben", number=1)
        self.pay(self.ann, self.ben)
        self.officers = {f"officer-{n}": Es256SigningKey.generate() for n in (1, 2)}
        settings = self.provider.folder.settings()
        halves = {name: public_half(one) for name, one in self.officers.items()}
        self.provider.folder.save_settings(
            replace(settings, officers={**settings.officers, **halves})
        )
        self.start_again()

    @property
    def measures(self) -> Any:
        return self.platform.desks.policy.measures

    def in_force(self) -> set[str]:
        return {one.step for one in self.measures.current}

    def fail(self, *checks: str) -> None:
        for check in checks:
            self.clock.advance(1_000)
            run = run_of(Verdict.FAIL, self.clock.now(), f"run-{check}")
            seen = replace(run.observations[0], check=check)
            self.do(RecordEvidence(replace(run, observations=(seen,)), "test"))

    def do(self, command: Any) -> None:
        (recorded,) = self.platform.writer.run([command])
        if isinstance(recorded.outcome.reply, MfsError):
            raise recorded.outcome.reply

    def look(self) -> list[Any]:
        """What is due now, each worked out when the one before it is done, as the service does."""
        now, done = self.clock.now(), []
        for command in self.controls.due(self.controls.read(now), now):
            self.do(command)
            done.append(command)
        return done

    def wrong(self) -> tuple[tuple[str, str], ...]:
        settings = self.provider.folder.settings()
        keys = tuple(half.verify_key() for half in settings.tightening)
        officers = {name: half.verify_key() for name, half in settings.officers.items()}
        with open_reader(self.provider.folder.stored()) as reader:
            return wrong_measures(reader, keys, settings.provider, officers)

    def sign(self, proposal: TighteningProposal, *officers: str) -> str:
        signed = None
        for name in officers:
            signed = sign_statement(APPROVED, proposal, name, self.officers[name], signed)
        return encode_canonical(signed).decode()

    def waiting(self) -> TighteningProposal:
        (one,) = self.measures.proposals.waiting
        return one.proposal()

    def start_again(self) -> None:
        self.platform.close()
        self.platform = open_platform(self.provider.folder, self.provider.secret, self.clock)
        self.controls = Controls(self.platform)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Capped]:
    """Twenty customers in each of three tiers, 140 in the fourth; each tier has a tightening."""
    text = f"{HEAD}{CAPS}tightening:{''.join(map(stop_tier, TIERS))}\n{TAIL}"
    one = Capped(tmp_path / "provider", text)
    for tier, count in ((0, 20), (1, 20), (2, 20), (3, 140)):
        add_customers(one.file, f"t{tier}", count, NOW, tier=tier)
    yield one
    one.platform.close()


@on_file
@pytest.mark.threat("THR-BE-01")
def test_many_small_steps_within_a_day_are_stopped_by_the_cap_of_the_day(ground: Capped) -> None:
    ground.fail("probe.0")
    (first,) = ground.look()
    counted = first.preview.touched[""]
    assert (counted.customers, counted.of_customers) == (20, 200)
    assert counted.customers_bp == counted.value_bp == 1_000
    assert ground.in_force() == {"stop-0"}
    ground.clock.advance(6 * HOUR_MS)
    ground.fail("probe.1")
    ground.look()
    assert ground.in_force() == {"stop-0", "stop-1"}
    ground.clock.advance(6 * HOUR_MS)
    ground.fail("probe.2")
    ground.look()
    assert ground.in_force() == {"stop-0", "stop-1"}, "thirty per cent within a day are too many"
    proposal = ground.waiting()
    assert proposal.entry == "stop-2"
    assert "30.00 % of customers" in proposal.beyond
    assert "a day may touch 22.00 %" in proposal.beyond
    assert not ground.watch(30), "it is not tried again: it waits for people"
    assert ground.wrong() == ()


@on_file
@pytest.mark.threat("THR-BE-01")
def test_a_flood_moves_neither_the_counts_nor_the_caps(ground: Capped) -> None:
    entry = ground.platform.desks.policy.base.policy.tightening[2]

    def preview() -> Any:
        base, now = ground.platform.desks.policy.base, ground.clock.now()
        with ground.platform.database.reader() as reader:
            return preview_of(reader, base, entry, (), now).touched[""]

    before = preview()
    # Young accounts that would be touched, young ones that would not, and orders without end.
    add_customers(ground.file, "young", FORGED // 2, NOW, tier=2, opened=29, days=1)
    add_customers(ground.file, "other", FORGED // 2, NOW, tier=3, opened=29, days=1)
    ground.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        " INSERT INTO payment_order SELECT 'ord_more' || i, body_hash, kind, stage, error, detail,"
        " remedy, because, payer, payee, amount_minor, fee_minor, currency, original,"
        " returned_minor, grade, device, policy, row, evidence, event, balance_minor, at"
        " FROM n, payment_order WHERE id = 'ord_t30x0'"
    )
    after = preview()
    assert (after.customers, after.of_customers) == (before.customers, before.of_customers)
    assert after.of_value_minor - before.of_value_minor <= 20 * 1_000, "twenty orders of one count"
    # One customer in seven is of tier 2 now: what was within the caps is beyond them.
    add_customers(ground.file, "more", 14, NOW, tier=2)
    ground.fail("probe.2")
    ground.look()
    assert ground.in_force() == set()
    assert "one beginning may touch 12.00 %" in ground.waiting().beyond


@on_file
def test_two_officers_may_go_beyond_the_caps_and_nobody_else(ground: Capped) -> None:
    add_customers(ground.file, "more", 14, NOW, tier=2)
    ground.fail("probe.2")
    ground.look()
    proposal = ground.waiting()
    with pytest.raises(NotPermitted, match="2 officers"):
        ground.do(ApproveTightening(ground.sign(proposal, "officer-1")))
    both = ("officer-1", "officer-2")
    for changed in (
        replace(proposal, entry="stop-1"),
        replace(proposal, until=proposal.until + 1),
        replace(proposal, touched=replace(proposal.touched, customers=1)),
    ):
        with pytest.raises(NotPermitted, match="another proposal"):
            ground.do(ApproveTightening(ground.sign(changed, *both)))
    forged = ground.sign(proposal, *both).replace('"officer":"officer-2"', '"officer":"officer-1"')
    with pytest.raises(NotPermitted, match="twice"):
        ground.do(ApproveTightening(forged))
    assert ground.in_force() == set()
    text = ground.sign(proposal, *both)
    ground.do(ApproveTightening(text))
    assert ground.in_force() == {"stop-2"}
    assert ground.wrong() == ()
    with pytest.raises(NotFound):
        ground.do(ApproveTightening(text))
    ground.start_again()
    assert ground.in_force() == {"stop-2"}
    raw(ground.provider.folder.stored(), "UPDATE policy_measure SET approval = ''")
    ((_, why),) = ground.wrong()
    assert "not what was signed" in why


@on_file
def test_a_proposal_ends_with_its_time_with_its_signal_and_with_its_policy(ground: Capped) -> None:
    add_customers(ground.file, "more", 14, NOW, tier=2)
    ground.fail("probe.2")
    ground.look()
    first = ground.waiting()
    with pytest.raises(Conflict, match="waits for officers"):
        ground.do(LapseProposal(first.id, None))
    ground.start_again()
    assert ground.waiting() == first
    ground.clock.advance(7 * DAY_MS)
    with pytest.raises(Conflict, match="time of the proposal is over"):
        ground.do(ApproveTightening(ground.sign(first, "officer-1", "officer-2")))
    # Its time is over, and the signal still fails: it is counted and proposed anew.
    assert [type(one) for one in ground.look()] == [LapseProposal, Tighten]
    second = ground.waiting()
    assert second.id != first.id
    run = run_of(Verdict.PASS, ground.clock.now(), "run-well")
    seen = replace(run.observations[0], check="probe.2")
    ground.do(RecordEvidence(replace(run, observations=(seen,)), "test"))
    ground.look()
    with open_reader(ground.provider.folder.stored()) as reader:
        ended = [(one.id, one.ended) for one in every_proposal(reader)]
    assert ended == [(first.id, "expired"), (second.id, "well again")]


@on_file
def test_the_service_key_alone_does_not_get_beyond_the_caps(ground: Capped) -> None:
    """Whoever has the key can sign any counts; what is stored is held to the caps all the same."""
    ground.fail("probe.0")
    ground.look()
    (true,) = ground.measures.current
    base = ground.platform.desks.policy.base.policy
    entry = base.tightening[0]

    counted = touched_by(true)
    assert counted is not None
    wide = encode_canonical(replace(counted, customers=counted.of_customers)).decode()
    small = encode_canonical(replace(counted, customers=1)).decode()

    def signed(text: str) -> tuple[str, str]:
        stated = statement_of(replace(true, touched=text), entry, ground.measures._digest, "replay")
        return text, ground.measures._seal.sign(stated)

    def keep(text: str, file: str) -> None:
        sql = f"UPDATE policy_measure SET touched = '{text}', file = '{file}'"
        raw(ground.provider.folder.stored(), sql)

    files = [signed(wide), signed(""), signed(small), signed(true.touched)]
    ground.platform.close()
    for pair, says in zip(files[:2], ("one beginning may touch", "nobody counted"), strict=True):
        keep(*pair)
        ((_, why),) = ground.wrong()
        assert says in why
        with pytest.raises(NotPermitted):
            open_platform(ground.provider.folder, ground.provider.secret, ground.clock)
    # Smaller counts than were recorded are within the caps, and not those of the record.
    keep(*files[2])
    ((_, why),) = ground.wrong()
    assert "the record does not have the event" in why
    keep(*files[3])
    assert ground.wrong() == ()
    ground.platform = open_platform(ground.provider.folder, ground.provider.secret, ground.clock)


@on_file
def test_where_too_few_can_be_counted_nothing_capped_begins(tmp_path: Path) -> None:
    text = f"{HEAD}{CAPS}tightening:{stop_tier(0)}\n{TAIL}"
    ground = Capped(tmp_path / "provider", text)
    try:
        add_customers(ground.file, "few", 99, NOW, tier=3)
        ground.fail("probe.0")
        ground.look()
        assert ground.in_force() == set()
        assert "only 99 customers can be counted" in ground.waiting().beyond
    finally:
        ground.platform.close()


@on_file
def test_the_writer_takes_no_stale_count_and_none_of_another_step(ground: Capped) -> None:
    ground.fail("probe.0")
    now = ground.clock.now()
    (due,) = list(ground.controls.due(ground.controls.read(now), now))
    seen, preview = due.seen, due.preview
    for wrong in (
        None,
        replace(preview, entry="stop-1"),
        replace(preview, version=2),
        replace(preview, at=now - HOUR_MS),
        replace(preview, at=now + 60_000),
        replace(preview, steps=("stop-1",)),
    ):
        with pytest.raises(Conflict, match="does not begin"):
            ground.do(Tighten("stop-0", seen, wrong))
    assert ground.in_force() == set()
    ground.do(Tighten("stop-0", seen, preview))
    assert ground.in_force() == {"stop-0"}


@on_file
def test_the_narrowest_cohort_that_fails_comes_first_and_all_only_after_its_dwell(
    tmp_path: Path,
) -> None:
    ground = Capped(tmp_path / "provider", f"{HEAD}\ntightening:{COHORTS}\n{TAIL}")
    try:
        # Novices fail by themselves, and so do the unproven, who are more; the rest are well.
        add_customers(ground.file, "nov", 110, NOW, tier=0, trust="unknown")
        add_customers(ground.file, "unp", 20, NOW, tier=1, trust="unknown")
        add_customers(ground.file, "sof", 10, NOW, tier=1, trust="software")
        add_customers(ground.file, "old", 60, NOW, tier=1)
        assert not ground.watch(1)
        (first,) = ground.watch(1)
        assert first.seen.cohorts == ("novices", "unproven")
        assert {name: one.customers for name, one in first.preview.touched.items()} == {
            "": 140, "novices": 110, "unproven": 130,
        }  # fmt: skip
        assert ground.in_force() == {"attestation-low/novices"}
        (measure,) = ground.measures.current
        assert (measure.cohort, touched_by(measure).customers) == ("novices", 110)
        assert not ground.look()
        (second,) = ground.watch(1)
        assert second.preview.touched[""].customers == 30, "those besides the novices"
        assert ground.in_force() == {"attestation-low/novices", "attestation-low"}
        assert ground.wrong() == ()
        ground.start_again()
        assert ground.in_force() == {"attestation-low/novices", "attestation-low"}
        ground.run("UPDATE device SET trust = 'attested-hardware'")
        assert [type(one).__name__ for one in ground.watch(26)] == ["Ease"]
        assert ground.in_force() == set()
    finally:
        ground.platform.close()


@on_file
def test_a_cohort_that_is_well_by_itself_is_not_taken(tmp_path: Path) -> None:
    ground = Capped(tmp_path / "provider", f"{HEAD}\ntightening:{COHORTS}\n{TAIL}")
    try:
        add_customers(ground.file, "nov", 120, NOW, tier=0)
        add_customers(ground.file, "unp", 90, NOW, tier=1, trust="software")
        found = ground.watch(3)
        assert found[0].seen.cohorts == ()
        assert ground.in_force() == {"attestation-low"}
    finally:
        ground.platform.close()


@on_file
def test_a_payer_has_the_facts_of_her_rows(tmp_path: Path) -> None:
    ground = Capped(tmp_path / "provider", f"{HEAD}\ntightening:{COHORTS}\n{TAIL}")
    try:
        add_customers(ground.file, "one", 1, NOW, tier=2, trust="unknown", days=7)
        (payer,) = recorded_payers(ground.platform.reader, NOW)
        assert payer.device == "unknown"
        assert [one.at for one in payer.paid] == sorted(one.at for one in payer.paid)
        facts = payer.paid[-1].facts
        assert (facts.tier, facts.grade, facts.channel) == (2, "device-signed", "app")
        assert (facts.amount_minor, facts.account_age_ms) == (1_000, 60 * DAY_MS)
        decided = ground.platform.desks.policy.compiled.decide(facts)
        assert decided.outcome == "allow", decided.reason
    finally:
        ground.platform.close()
