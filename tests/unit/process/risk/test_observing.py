"""What is seen of a control follows from its probes, or from policy, release and documents."""

from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.entry.proving.probing import every_check
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS
from tallystick.process.conformance.checks import Check, CheckKind, Observation
from tallystick.process.derivation.inforce import words_in_force
from tallystick.process.derivation.rules import load_rules
from tallystick.process.policy import read_policy
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import profile_text
from tallystick.process.risk.observing import (
    Look,
    Sighting,
    Tie,
    expected_share,
    observation_of,
    sightings,
)
from tallystick.process.risk.packs import pack_for
from tallystick.process.risk.residual import Seen

NOW = 1_796_000_000_000
PROGRAMME = read_programme(profile_text("mobile-money-operator"))
PACK = pack_for(PROGRAMME.uses)
CHECKS = {one.id: one for one in every_check(ProviderFolder(Path("nowhere")), SystemClock())}


def answer(
    name: str, verdict: Verdict = Verdict.PASS, age: int = 0, **measured: int
) -> Observation:
    known: Check | None = CHECKS.get(name)
    kind = CheckKind.ATTESTED if known is None else known.kind
    at = NOW - age
    return Observation(
        check=name,
        kind=kind,
        attempts=False,
        requirements=("MFS-6.1-01",),
        verdict=verdict,
        observed_at=at,
        fresh_until=at + DAY_MS,
        summary="seen",
        measured=dict(measured),
        environment="test",
    )


def seen(control: str, *answers: Observation, rows: dict[str, str] | None = None) -> Sighting:
    look = Look(answers={one.check: one for one in answers}, rows=rows, now=NOW)
    return next(one for one in sightings(PROGRAMME, PACK, look) if one.control == control)


@pytest.mark.requirement("MFS-9.1-03")
def test_every_name_in_the_pack_is_a_registered_probe() -> None:
    named = {name for one in PACK.controls.values() for name in one.observed_by}
    assert named <= set(CHECKS)
    assert len(named) >= 40
    silent = [one for one in PACK.controls.values() if not one.observed_by]
    assert all(one.enforced_by for one in silent)


def test_all_probes_must_pass_and_be_fresh() -> None:
    both = answer("clear.store"), answer("master.sealed")
    found = seen("encryption-at-rest", *both)
    assert (found.seen, found.tie, found.by) == (
        Seen.ENFORCED, Tie.PROBES, ("clear.store", "master.sealed"),
    )  # fmt: skip
    assert (found.at, found.until) == (NOW, NOW + DAY_MS)
    one_failed = seen("encryption-at-rest", answer("clear.store", Verdict.FAIL), both[1])
    assert one_failed.seen is Seen.FAILED
    assert "clear.store: seen" in one_failed.says
    assert seen("encryption-at-rest", both[0]).seen is Seen.UNKNOWN
    assert seen("encryption-at-rest", answer("clear.store", Verdict.FAIL)).seen is Seen.FAILED
    old = answer("clear.store", age=DAY_MS)
    assert seen("encryption-at-rest", old, both[1]).seen is Seen.STALE
    unseen = answer("clear.store", Verdict.UNKNOWN)
    assert seen("encryption-at-rest", unseen, both[1]).seen is Seen.UNKNOWN


def test_a_probed_control_loses_its_effect_with_its_row_of_the_policy() -> None:
    probes = answer("policy.caps"), answer("phone.software-cap")
    rows = {"software-device-cap": "row software-device"}
    assert seen("software-device-cap", *probes, rows=rows).seen is Seen.ENFORCED
    gone = seen("software-device-cap", *probes, rows={})
    assert (gone.seen, gone.tie) == (Seen.FAILED, Tie.POLICY)


def test_a_policy_row_speaks_where_no_probe_does() -> None:
    rows = words_in_force(read_policy(demo_policy()), load_rules())
    found = seen("dialled-cap", rows=rows)
    assert (found.seen, found.tie, found.by) == (Seen.ENFORCED, Tie.POLICY, ("row dialled-cap",))
    assert seen("merchant-cap", rows=rows).seen is Seen.FAILED, "the demonstration has no such row"
    assert seen("dialled-cap").seen is Seen.UNKNOWN, "no policy is known"


@pytest.mark.parametrize(
    ("word", "weaken"),
    [
        ("two-operators", lambda p: replace(p, operators=replace(p.operators, two_people=()))),
        ("attempts-limit", lambda p: replace(
            p, decisions=(), attempts=replace(p.attempts, limit=9))),
        ("tier-limits", lambda p: replace(p, limits=())),
        ("two-factors", lambda p: replace(
            p, factors=p.factors | {"pay": replace(p.factors["pay"], categories=1)})),
        ("hybrid-suites", lambda p: replace(
            p, handshake=replace(p.handshake, preferred="hpke-p256"))),
        ("new-device-delay", lambda p: replace(p, decisions=())),
    ],
)  # fmt: skip
def test_a_policy_without_what_a_word_asks_for_does_not_honour_it(word: str, weaken) -> None:
    policy = read_policy(demo_policy())
    assert word in words_in_force(policy, load_rules())
    assert word not in words_in_force(weaken(policy), load_rules())


def test_the_tests_of_the_release_speak_for_a_module_that_nothing_probes() -> None:
    assert seen("masking").tie is Tie.NOTHING
    good = seen("masking", answer("build/MFS-7.3.4-04"))
    assert (good.seen, good.tie) == (Seen.ENFORCED, Tie.RELEASE)
    bad = seen("masking", answer("build/MFS-7.3.4-04"), answer("build/MFS-14.2.2-02", Verdict.FAIL))
    assert bad.seen is Seen.FAILED


def test_a_register_in_order_takes_a_document_besides() -> None:
    register = answer("registers.parties")
    alone = seen("partner-contracts", register)
    assert (alone.seen, alone.tie) == (Seen.UNKNOWN, Tie.NOTHING)
    both = seen("partner-contracts", register, answer("document/MFS-7.4.3-01"))
    assert (both.seen, both.tie) == (Seen.ENFORCED, Tie.PROBES)
    broken = seen(
        "partner-contracts",
        answer("registers.parties", Verdict.FAIL),
        answer("document/MFS-7.4.3-01"),
    )
    assert broken.seen is Seen.FAILED


def test_a_share_counts_for_the_telephones_that_can_have_it() -> None:
    able = expected_share(PROGRAMME, ("keystore", "tee", "secure-element"))
    assert able == Decimal("0.28") / Decimal("0.45")
    half = answer("devices.attested", Verdict.FAIL, numerator=28, denominator=90)
    found = seen("attestation", half, rows={"attestation-age": "dependencies"})
    assert found.seen is Seen.ENFORCED
    assert found.shares["android-new"] == found.shares["iphone"] == Decimal("0.5")
    assert "android-old" not in found.shares
    whole = seen("attestation", replace(half, measured={"numerator": 56, "denominator": 90}))
    assert whole.shares == {"": Decimal(1)}
    none = seen("attestation", replace(half, measured={"numerator": 0, "denominator": 90}))
    assert none.seen is Seen.FAILED
    state = observation_of([found]).states["attestation"]
    assert state.share("iphone") == Decimal("0.5")
