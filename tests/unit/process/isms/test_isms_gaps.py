"""What must be there and is not, is seen: who answers, who is trained, what was met and proved."""

import pytest
from tests.unit.process.isms.kept import INCIDENT, NOW, OPERATOR, TEXTS, kept, text

from tallystick.infrastructure.keys.table import KEY_TABLE
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant, SimulatedClock
from tallystick.process.catalogue import Party, catalogue
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal
from tallystick.process.isms.clocks import due
from tallystick.process.isms.gaps import Surroundings, gaps
from tallystick.process.isms.inventory import Inventory, concerns, inventory
from tallystick.process.isms.probes import State, register_probes
from tallystick.process.isms.reading import read_registers
from tallystick.process.isms.responsibility import responsibilities, unanswered
from tallystick.process.isms.shapes import OBJECTIVES, SHAPES
from tallystick.process.isms.training import why_untrained

HSM = EvaluationCertificate(
    id="CMVP-4711", component="hsm", scheme="fips-140-3", level="3",
    valid_from=0, valid_to=NOW + 100 * DAY_MS,
)  # fmt: skip
AROUND = Surroundings(
    certificates=(HSM,),
    found=("database", "key:tally"),
    operators=(OPERATOR,),
    agents=("cus_7",),
    parties=("mno1", "cloud1"),
)


def lacking(name: str, around: Surroundings = AROUND, **changed: str) -> tuple[str, ...]:
    return gaps(kept(**changed), name, NOW, around)


@pytest.mark.parametrize("name", SHAPES)
def test_registers_in_order_lack_nothing(name: str) -> None:
    assert lacking(name) == ()


@pytest.mark.requirement("MFS-6.2.1-09", "MFS-6.2.1-06")
def test_every_requirement_has_exactly_one_who_answers_and_somebody_who_performs() -> None:
    matrix = {one.requirement: one for one in responsibilities(catalogue(), kept())}
    assert set(matrix) == set(catalogue().requirements)
    assert len(matrix) == 250
    assert not list(unanswered(tuple(matrix.values())))
    assert all(one.accountable and one.performers for one in matrix.values())
    nearest = matrix["MFS-7.4.2-01"]
    assert (nearest.accountable, nearest.performers) == ("head-of-keys", ("vault-team",))
    assert matrix["MFS-7.4.2-02"].accountable == "key-custodian"
    assert matrix["MFS-7.4.2-02"].consulted == ("auditor",)
    assert matrix["MFS-6.1-01"].accountable == "ciso"
    for row in catalogue().requirements.values():
        if row.performers == (Party.MNO,):
            assert matrix[row.id].performers == ("telco",)
        own = row.id in {"MFS-7.4.3-05", "MFS-8.1.4-02"}
        if Party.TSM in row.performers and not own:
            assert Party.TSM in matrix[row.id].vacant


@pytest.mark.requirement("MFS-6.2.1-09")
def test_a_requirement_that_nobody_answers_for_is_named() -> None:
    some = TEXTS["responsibilities"].replace("all:", '"6":')
    found = lacking("responsibilities", responsibilities=some)
    assert "all is missing" in found
    assert "MFS-9.1-01: nobody answers for it" in found
    assert not any(one.startswith("MFS-6.1-01") for one in found)


@pytest.mark.requirement("MFS-7.2.5-06")
@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("independent: true", "independent: false", "has a part in what was attacked"),
        (", close_by: 2026-12-15", "", "by when"),
        (", close_by: 2026-12-15", ", open: false", "says closed"),
    ],
)
def test_a_penetration_test_with_something_left_open_is_named(was, now, says) -> None:
    changed = {"penetration-tests": TEXTS["penetration-tests"].replace(was, now)}
    (found,) = lacking("penetration-tests", **changed)
    assert says in found


@pytest.mark.requirement("MFS-8.2.2-04")
@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("[ciso, coo]", "[ciso]", "one custodian alone"),
        ("place: office", "place: car", "not in register sites"),
        ("state: in-use", "state: decommissioned", "keys are destroyed"),
    ],
)
def test_a_device_without_custody_place_or_destruction_is_named(was, now, says) -> None:
    changed = {"secure-devices": TEXTS["secure-devices"].replace(was, now)}
    (found,) = lacking("secure-devices", **changed)
    assert says in found


@pytest.mark.requirement("MFS-8.2.2-04")
@pytest.mark.requirement("MFS-7.2.5-06")
@pytest.mark.parametrize("name", ["secure-devices", "penetration-tests"])
def test_an_inspection_or_a_finding_past_its_day_is_overdue(name: str) -> None:
    late = Instant(NOW + 200 * DAY_MS)
    found = [one.what for one in due(kept(), late, ahead_ms=0) if one.register == name]
    assert {"inspection of the device", "closing of findings"} & set(found)
    assert not [one for one in due(kept(), NOW, ahead_ms=0) if one.register == name]


@pytest.mark.requirement("MFS-6.2.1-07")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_minimum_objective_must_be_there_and_proved(objective: str) -> None:
    renamed = TEXTS["objectives"].replace(f"  {objective}:", f"  # {objective}:")
    assert f"{objective} is missing" in lacking("objectives", objectives=renamed)
    bare = TEXTS["objectives"].replace(", document: policy", "").replace(", until: 2027-02-01", "")
    assert f"{objective}: nothing proves it" in lacking("objectives", objectives=bare)


@pytest.mark.requirement("MFS-6.2.1-08")
def test_a_further_objective_that_was_not_chosen_is_asked_for_no_proof() -> None:
    chosen = TEXTS["objectives"].replace("chosen: false", "chosen: true")
    assert lacking("objectives") == ()
    assert lacking("objectives", objectives=chosen) == ("physical: nothing proves it",)
    silent = TEXTS["objectives"].replace("  physical:", "  # physical:")
    assert lacking("objectives", objectives=silent) == (
        "physical is neither chosen nor is there a reason why not",
    )


@pytest.mark.requirement("MFS-6.2.1-01", "MFS-6.2.1-02")
def test_a_party_that_the_programme_names_is_in_the_register_while_it_takes_part() -> None:
    gone = TEXTS["parties"].replace("contact: support", "contact: support, active: false")
    assert lacking("parties", parties=gone) == ("the programme names cloud1, which is not in it",)


@pytest.mark.requirement("MFS-6.2.1-06")
def test_what_was_found_at_run_time_belongs_to_an_asset() -> None:
    more = replace(AROUND, found=(*AROUND.found, "key:quote"))
    assert lacking("assets", more) == ("key:quote was found and belongs to no asset",)


@pytest.mark.requirement("MFS-6.2.1-10")
def test_a_service_level_that_was_not_met_is_a_gap() -> None:
    missed = TEXTS["vendors"].replace("service_level_met: true", "service_level_met: false")
    assert lacking("vendors", vendors=missed) == (
        "sms-house: the agreed service level was not met",
    )


@pytest.mark.requirement("MFS-7.3.6-05")
def test_ended_training_is_counted_and_nobody_is_named() -> None:
    ended = TEXTS["people"].replace("P365D", "P30D")
    unknown = replace(AROUND, operators=(OPERATOR, "opr_other"), agents=("cus_7", "cus_8"))
    assert lacking("people", unknown, people=ended) == (
        "the training of 2 active people has ended", "1 operators are not in it",
        "1 agents are not in it",
    )  # fmt: skip


@pytest.mark.requirement("MFS-7.3.6-05")
def test_training_ends_in_the_very_millisecond_and_absence_is_no_training() -> None:
    end = NOW - NOW % DAY_MS + 95 * DAY_MS
    assert why_untrained(kept(), OPERATOR, Instant(end - 1)) == ""
    assert "ended at" in why_untrained(kept(), OPERATOR, Instant(end))
    assert "no training" in why_untrained(kept(), "opr_other", NOW)
    left = TEXTS["people"].replace("valid_for: P365D}", "valid_for: P365D, active: false}", 1)
    assert "no training" in why_untrained(kept(people=left), OPERATOR, NOW)
    assert why_untrained(read_registers({}), OPERATOR, NOW) == ""
    assert "cannot be read" in why_untrained(read_registers({"people": "{"}), OPERATOR, NOW)


@pytest.mark.requirement("MFS-6.2.1-08")
def test_a_test_that_missed_its_target_is_a_gap() -> None:
    slow = TEXTS["continuity"].replace("took: PT2H, lost: PT0S", "took: PT5H, lost: PT1S")
    assert lacking("continuity", continuity=slow) == (
        "payments: the last test did not keep its RTO",
        "payments: the last test did not keep its RPO",
    )


@pytest.mark.requirement("MFS-6.2.1-08")
def test_an_incident_that_is_over_left_a_lesson_and_late_reports_stay_gaps() -> None:
    over = INCIDENT + '    ended: "2026-11-21T00:00Z"\n    initial: "2026-11-22T00:00Z"\n'
    assert lacking("incidents", incidents=over) == (
        "outage: dora: the initial notification was late",
        "outage: it is over, and no lesson was drawn",
    )


@pytest.mark.requirement("MFS-9.1-01")
def test_a_component_is_assured_as_far_as_its_certificate_counts() -> None:
    assert lacking("components") == ()
    assert "no certificate of it is kept" in lacking("components", Surroundings())[0]
    weak = replace(AROUND, certificates=(replace(HSM, level="2"),))
    assert "worth iso_18045_basic, not iso_18045_enhanced-basic" in lacking("components", weak)[0]
    gone = Withdrawal(certificate=HSM.id, at=NOW, because="revoked")
    assert "revoked" in lacking("components", replace(AROUND, withdrawn=(gone,)))[0]
    bound = replace(AROUND, certificates=(replace(HSM, digests=("b" * 64,)),))
    named = TEXTS["components"].replace("certificate:", f'digest: "{"c" * 64}", certificate:')
    assert "not what was evaluated" in lacking("components", bound, components=named)[0]


@pytest.fixture(scope="module")
def keys() -> Inventory:
    clock = SimulatedClock(NOW)
    master = MasterKey.generate(lambda length: bytes(range(length)))
    module = SoftModule(master.roots((Purpose.TALLY, Purpose.STORE)), clock, profile="demo")
    made = [module.generate(one) for one in (Purpose.TALLY, Purpose.STORE)]
    return inventory(module.export_block(one) for one in made)


@pytest.mark.requirement("MFS-7.4.2-01")
def test_the_inventory_is_found_in_the_key_store(keys: Inventory) -> None:
    found = {one.purpose: one for one in keys.keys}
    assert set(found) == {"tally", "store"}
    assert found["tally"].status == "approved"
    assert found["tally"].ends == NOW + KEY_TABLE[Purpose.TALLY].max_life_ms
    assert found["store"].ends == 0
    assert found["tally"].holders == ("writer",)
    assert {"sha-256", "ed25519"} <= {one.name for one in keys.mechanisms}
    assert not list(concerns(keys, NOW))
    ended = list(concerns(keys, Instant(found["tally"].ends)))
    assert len(ended) == 1
    old = replace(keys, keys=(replace(keys.keys[0], mechanism="md5", status="prohibited"),))
    assert "which is prohibited" in next(concerns(old, NOW))


def observed(state: State, now: int = NOW) -> dict[str, Verdict]:
    probes = register_probes(lambda: state)
    return {one.name: one.observe(Instant(now)).verdict for one in probes}


@pytest.mark.requirement("MFS-6.2.1-01", "MFS-6.2.1-04")
def test_each_register_gives_evidence_fresh_complete_not_overdue(keys: Inventory) -> None:
    good = State(registers=kept(), around=AROUND, inventory=keys)
    assert set(observed(good).values()) == {Verdict.PASS}
    later = observed(good, NOW + 400 * DAY_MS)
    assert {later[f"registers.{name}"] for name in SHAPES} == {Verdict.FAIL}
    assert later["registers.certificates"] is Verdict.FAIL


def test_what_is_not_kept_proves_nothing_and_what_cannot_be_read_fails() -> None:
    nothing = State(
        registers=read_registers({"vendors": "{"}),
        around=Surroundings(),
        inventory=Inventory(keys=(), mechanisms=()),
    )
    found = observed(nothing)
    assert found.pop("registers.vendors") is Verdict.FAIL
    assert set(found.values()) == {Verdict.UNKNOWN}


def test_a_summary_ends_with_a_whole_gap_and_says_how_many_are_left(keys: Inventory) -> None:
    """Also a register that cannot be read is not said to be absent."""
    texts = {name: text(name, "") for name in TEXTS} | {"sites": "{"}
    state = State(registers=read_registers(texts), around=AROUND, inventory=keys)
    said = {one.name: one.observe(NOW).summary for one in register_probes(lambda: state)}
    whole = gaps(state.registers, "responsibilities", NOW, AROUND)
    shown = said["registers.responsibilities"].split("; ")
    count = int(shown[-1].removeprefix("and ").removesuffix(" more"))
    assert set(shown[:-1]) <= set(whole)
    assert len(shown) - 1 + count == len(set(whole))
    assert all(len(one) <= 400 for one in said.values())
    assert "sites cannot be read" in said["registers.reviews"]


def test_an_empty_register_fails_unless_nothing_may_have_happened(keys: Inventory) -> None:
    empty = read_registers({name: text(name, "") for name in TEXTS})
    found = observed(State(registers=empty, around=AROUND, inventory=keys))
    passed = {name for name in SHAPES if found[f"registers.{name}"] is Verdict.PASS}
    assert passed == {"incidents", "exceptions", "requests", "secure-devices", "rogue-apps"}


def test_evidence_names_no_person(keys: Inventory) -> None:
    ended = kept(people=TEXTS["people"].replace("P365D", "P30D"))
    state = State(registers=ended, around=AROUND, inventory=keys)
    (probe,) = [one for one in register_probes(lambda: state) if one.name == "registers.people"]
    seen = probe.observe(NOW)
    assert seen.verdict is Verdict.FAIL
    assert seen.measured["overdue"] == 2
    assert "ann" not in seen.summary
    assert OPERATOR not in seen.summary
