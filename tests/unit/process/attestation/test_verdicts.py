"""Verdicts: canonical, made again octet by octet, and no longer used once something changed."""

import pytest
from simulators.keymint import Phone, changed
from tests.support.attested import AT, Bench, rules_of

from tallystick.infrastructure.attestation.evidence import (
    Certified,
    Evidence,
    no_evidence,
    packed_evidence,
    read_evidence,
)
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.process.attestation.appraisal import NOTHING_KNOWN, appraise, still_holds
from tallystick.process.attestation.model import (
    Appraised,
    Known,
    Outcome,
    Subject,
    packed_appraisals,
    read_appraisals,
)
from tallystick.process.attestation.rules import RULES, patch_day_ms


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_a_verdict_is_made_again_octet_by_octet(bench: Bench) -> None:
    evidence = bench.evidence(bench.chain(Phone()))
    verdict = appraise(evidence, bench.subject(), bench.policy)
    stored = packed_appraisals(
        (Appraised(evidence=evidence, subject=bench.subject(), verdict=verdict),)
    )
    (again,) = read_appraisals(stored)
    made = appraise(again.evidence, again.subject, bench.policy)
    assert made.octets() == verdict.octets()
    assert len(stored) < 4096


def test_evidence_has_one_form(bench: Bench) -> None:
    evidence = bench.evidence(bench.chain(Phone()))
    octets = packed_evidence(evidence)
    assert read_evidence(octets) == evidence
    with pytest.raises(Malformed):
        read_evidence(octets.replace(b":", b": ", 1))


def test_only_a_change_makes_a_verdict_stale(bench: Bench) -> None:
    verdict = bench.verdict(Phone())
    policy = bench.policy.digest()
    assert still_holds(verdict, policy, NOTHING_KNOWN)
    assert not still_holds(
        verdict, replace(bench.policy, least_version=400).digest(), NOTHING_KNOWN
    )
    assert not still_holds(verdict, policy, Known(list_digest="newer"))
    assert not still_holds(verdict, policy, Known(models_digest="newer"))


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_second_appraisal_differs_where_policy_or_lists_do(bench: Bench) -> None:
    evidence = bench.evidence(bench.chain(Phone()))
    subject = bench.subject()
    assert appraise(evidence, subject, bench.policy).trust == "attested-hardware"
    without = replace(bench.policy, roots=bench.policy.roots[1:])
    assert rules_of(appraise(evidence, subject, without)) == {"root"}
    listed = Known(list_digest="x", list_at=AT, revoked={evidence.chain[1].serial: "revoked: X"})
    assert rules_of(appraise(evidence, subject, bench.policy, listed)) == {"revoked"}
    stricter = replace(bench.policy, levels=("strongbox",))
    assert rules_of(appraise(evidence, subject, stricter)) == {"level"}


def test_a_refused_model_is_refused(bench: Bench) -> None:
    evidence = replace(bench.evidence(bench.chain(Phone())), model="aa")
    known = Known(models_digest="m", models={"aa": "REVOKED"})
    assert rules_of(appraise(evidence, bench.subject(), bench.policy, known)) == {"model"}


@pytest.mark.requirement("MFS-7.2.6-01")
@pytest.mark.parametrize(
    ("environment", "trust"), [("software", "software"), ("sim-only", "none"), ("", "software")]
)
def test_a_place_without_evidence_is_labelled_and_never_raised(
    bench: Bench, environment: str, trust: str
) -> None:
    subject = Subject(challenge="", attested="", presented_at=AT)
    verdict = appraise(no_evidence(environment), subject, bench.policy)
    assert verdict.outcome is Outcome.BARE
    assert verdict.trust == trust
    assert verdict.claims.get("environment", "") == environment


def test_a_strongbox_key_under_an_attestation_of_the_environment_is_legal(bench: Bench) -> None:
    mixed = changed(Phone(), level=1, key_level=2)
    assert bench.verdict(mixed).outcome is Outcome.ACCEPTED
    assert rules_of(bench.verdict(changed(mixed, level=2, key_level=1))) == {"level"}


def test_places_of_a_chain_are_judged_apart(bench: Bench) -> None:
    def dated(*spans: tuple[int, int]) -> Evidence:
        chain = tuple(
            Certified(serial=str(at), not_before=low, not_after=high)
            for at, (low, high) in enumerate(spans)
        )
        return replace(bench.evidence(bench.chain(Phone())), chain=chain)

    good, past = (0, 2 * AT), (0, 1)
    for places, spans, expected in (
        (("leaf",), (past, good, good), {"validity"}),
        (("leaf",), (good, past, past), set()),
        (("issuers",), (past, good, past), set()),
        (("issuers",), (good, past, good), {"validity"}),
        (("root",), (good, good, past), {"validity"}),
        ((), (past, past, past), set()),
    ):
        policy = replace(bench.policy, validity={"factory": places})
        assert rules_of(appraise(dated(*spans), bench.subject(), policy)) == expected


def test_names_of_rules_are_apart_and_patches_are_days() -> None:
    assert len({name for name, _ in RULES}) == len(RULES)
    assert patch_day_ms(202601) == patch_day_ms(20260128)
    assert patch_day_ms(202613) == patch_day_ms(0) == 0
