"""A round against the one before: what changed, which risks rose for it, what is proposed."""

from decimal import Decimal
from functools import cache

import pytest

pytest.importorskip("highspy")

from tests.support.reported import rounds
from tests.unit.process.policy.policy_texts import payment

from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.derivation.basis import Header, basis_of
from tallystick.process.derivation.derive import derive
from tallystick.process.derivation.rules import PROFILES, load_rules
from tallystick.process.derivation.stronger import answering, stronger
from tallystick.process.loop.model import (
    Level,
    LoopState,
    line_octets,
    read_lines,
)
from tallystick.process.loop.proposing import Reasons, proposal_text, propose, reason_digest
from tallystick.process.loop.rounds import Around, Ground, fallen_of, rises, round_of, state_word
from tallystick.process.policy import Policy, compile_policy, read_policy
from tallystick.process.policy.touching import Paid, Payer
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import profile_text
from tallystick.process.risk.analysis import Options, analyse
from tallystick.process.risk.observing import Sighting, Tie
from tallystick.process.risk.packs import pack_for
from tallystick.process.risk.paths import Scenes
from tallystick.process.risk.residual import Seen

NAMES = ("mobile-money-operator", "wallet-start-up", "bank-app", "merchant-acquirer")
WHOLE = {"": Decimal(1)}


@cache
def ground(name: str) -> Ground:
    programme = read_programme(profile_text(name))
    pack = pack_for(programme.uses)
    analysis = analyse(programme, pack, options=Options(years=100))
    return Ground(programme, pack, analysis, Scenes(programme, pack))


def derived(found: Ground) -> Policy:
    header = Header("demo-wallet", 1, 1_767_225_600_000, "+03:00", "demo")
    basis = basis_of(load_rules(), found.programme, found.pack, found.analysis, header)
    return compile_policy(read_policy(derive(load_rules(), basis).text)).policy


def sighting(name: str, seen: Seen = Seen.ENFORCED, share: str = "1") -> Sighting:
    return Sighting(
        control=name,
        seen=seen,
        tie=Tie.PROBES,
        by=("a.probe",),
        at=1,
        until=2,
        shares={"": Decimal(share)} if seen is Seen.ENFORCED else {},
        says=f"{name} was looked at",
    )


def all_but(found: Ground, *lost: str) -> tuple[Sighting, ...]:
    return tuple(
        sighting(one, Seen.FAILED if one in lost else Seen.ENFORCED) for one in found.pack.controls
    )


def around(found: Ground, sightings: tuple[Sighting, ...], at: int = 1) -> Around:
    return Around(
        at=at,
        sightings=sightings,
        findings=(),
        residual=found.levels(found.stood(sightings)),
        policy_version=1,
        chosen=frozenset(one.control for one in found.analysis.selection.chosen),
    )


def test_a_control_falls_and_comes_back_on_the_line_of_time() -> None:
    found = ground(NAMES[0])
    line, state = round_of(None, around(found, all_but(found)), (), "")
    assert line is not None
    assert line.in_effect == line.controls
    again, state = round_of(state, around(found, all_but(found), 2), (), "")
    assert again is None, "nothing changed"
    seen = around(found, all_but(found, "hardware-module"), 3)
    fallen = fallen_of(state, seen)
    assert fallen == ("hardware-module",)
    line, state = round_of(state, seen, fallen, "abc")
    assert line is not None
    assert [(one.control, one.was, one.now) for one in line.turned] == [
        ("hardware-module", "enforced", "failed")
    ]
    rose = {name: one for name, one in line.residual.items() if one.after.above(one.before)}
    assert rose
    assert set(rose) <= {one.asset for one in rises(found, seen.sightings, fallen)}
    line, state = round_of(state, around(found, all_but(found), 4), (), "")
    assert line is not None
    assert all(line.residual[name].after == one.before for name, one in rose.items())
    assert state.round == 4
    assert fallen_of(None, seen) == (), "what was never there did not fall"


@pytest.mark.requirement("MFS-6.1-06")
def test_what_officers_left_out_of_a_policy_did_not_fall() -> None:
    """Only what the analysis chose may not go: else each signed answer would ask for another."""
    found = ground(NAMES[0])
    chosen = {one.control for one in found.analysis.selection.chosen}
    spare = "step-up-night"
    kept = next(one for one in sorted(chosen) if "policy:" in str(found.pack.controls[one]))
    assert spare not in chosen
    _, state = round_of(None, around(found, all_but(found)), (), "")
    assert {spare, kept} <= set(state.held)
    without = tuple(
        replace(one, tie=Tie.POLICY, says="the policy in force has nothing for it")
        if one.control in {spare, kept}
        else one
        for one in all_but(found, spare, kept)
    )
    seen = around(found, without, 2)
    assert fallen_of(state, seen) == (kept,)
    _, state = round_of(state, seen, (kept,), "")
    assert kept in state.held
    assert spare not in state.held
    assert fallen_of(state, around(found, all_but(found, spare), 3)) == ()
    _, state = round_of(state, around(found, all_but(found), 4), (), "")
    assert fallen_of(state, around(found, all_but(found, spare), 5)) == (spare,), "a probe fails"


def test_only_places_that_the_control_holds_are_laid_to_it() -> None:
    found = ground(NAMES[0])
    lost = all_but(found, "hardware-module", "sim-swap-hold", "sim-binding", "operator-events")
    assert rises(found, lost, ()) == ()
    risen = rises(found, lost, ("hardware-module",))
    assert risen
    assert all(one.after > one.before or one.gap > 0 for one in risen)
    hindered = {one.rule for one in risen}
    for name in hindered:
        assert "hardware-module" in str(found.pack.rules[name].tree)
    assert [one.after for one in risen] == sorted((one.after for one in risen), reverse=True)


def test_a_control_that_some_lack_is_there_in_part() -> None:
    assert state_word(sighting("attestation", share="0.5")) == "in part"
    assert state_word(sighting("attestation")) == "enforced"
    assert state_word(sighting("attestation", Seen.STALE)) == "stale"


def test_more_open_places_are_more_whatever_the_highest_risk() -> None:
    assert Level(risk=20, open=5).above(Level(risk=20, open=4))
    assert Level(risk=25, open=0).above(Level(risk=20, open=0))
    assert not Level(risk=20, open=4).above(Level(risk=20, open=4))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.requirement("MFS-6.1-06")
def test_a_proposal_is_proven_and_never_looser(name: str) -> None:
    found = ground(name)
    before = derived(found)
    chosen = [one.control for one in found.analysis.selection.chosen]
    for lost in ("attestation", "no-default-access", "two-factors", "hardware-module"):
        if lost not in chosen:
            continue
        seen = all_but(found, lost)
        risen = rises(found, seen, (lost,))
        reasons = Reasons(
            fallen=(lost,),
            brings_back=(f"{lost}: gone",),
            rises=risen,
            left=tuple(one for one in chosen if one != lost),
        )
        now = 1_796_000_000_000
        currency = before.header.currency
        facts = payment(amount_minor=before.limits[0].per_payment_minor, currency=currency)
        payers = (
            Payer(device="software", paid=(Paid(at=now - 1, facts=facts),)),
            Payer(device="none", paid=()),
        )
        proposal = propose(load_rules(), found, before, reasons, now, payers)
        assert proposal.touched is not None
        assert proposal.touched.of_customers == 2
        counted = f"touched {proposal.touched.customers} of 2 customers within 30 days"
        assert counted in proposal_text(proposal)
        assert "touched with none: 0 of 1 customers" in proposal_text(proposal)
        assert proposal.waits.until - now == 7 * DAY_MS
        unknown = proposal_text(replace(proposal, touched=None))
        assert "Whom it touches is not known" in unknown
        assert proposal.looser == ()
        assert proposal.version == 2
        after = compile_policy(read_policy(proposal_text(proposal))).policy
        limits = {one.id: one for one in before.limits}
        assert set(limits) == {one.id for one in after.limits}, "no row is lost"
        for one in after.limits:
            assert one.per_payment_minor <= limits[one.id].per_payment_minor
        assert after.attempts.limit <= before.attempts.limit
        assert [one for one in proposal.changes if not one.startswith("header")]
        again = reason_digest(found, before, reasons)
        assert again == proposal.digest
        other = replace(reasons, fallen=("something-else",))
        assert reason_digest(found, before, other) != proposal.digest


def test_values_become_stronger_in_the_direction_of_the_profiles() -> None:
    found, rules = ground(NAMES[0]), load_rules()
    header = Header("demo-wallet", 1, 1_767_225_600_000, "+03:00", "demo")
    basis = basis_of(rules, found.programme, found.pack, found.analysis, header)
    threats = ("sim-swap",) if "sim-swap" in found.pack.rules else tuple(found.pack.rules)[:1]
    names = answering(rules, found.pack, threats)
    assert names
    left = frozenset(basis.controls)
    for profile in PROFILES:
        column = PROFILES.index(profile)
        changed, _ = stronger(rules, found.pack, replace(basis, profile=profile), left, threats)
        for name in names & rules.amounts.keys():
            assert changed.amounts[name][column] <= rules.amounts[name][column]
        for name in rules.amounts.keys() - names:
            assert changed.amounts[name] == rules.amounts[name]
    caps = stronger(rules, found.pack, basis, frozenset(), threats)[1].caps
    assert all(caps[name].amount <= basis.caps[name].amount for name in caps)


def test_where_no_value_answers_the_amounts_of_the_tiers_do() -> None:
    names = answering(load_rules(), ground(NAMES[0]).pack, ())
    assert names
    assert all(one.startswith("tier_") for one in names)


def test_lines_are_read_as_they_were_written_and_in_order() -> None:
    lines = rounds(4)
    assert read_lines(b"".join(map(line_octets, lines))) == lines
    with pytest.raises(Malformed, match="line 2"):
        read_lines(line_octets(lines[1]) + line_octets(lines[0]))
    with pytest.raises(Malformed, match="line 1"):
        read_lines(b"{}\n")
    assert LoopState.__doc__
