"""Where keys can live: each cell of the table, and what an appraisal may make of each place."""

import re
from pathlib import Path

import pytest
from simulators.keymint import changed
from tests.support.attested import Bench

from tallystick.infrastructure.attestation.evidence import Evidence, Level, no_evidence
from tallystick.kernel.model import replace
from tallystick.process.attestation import environments
from tallystick.process.attestation.environments import (
    ENVIRONMENTS,
    Claims,
    Environment,
    Isolation,
    environment_of,
    factors_of,
    grade_of,
    in_words,
    most_trust,
)
from tallystick.process.policy.facts import DeviceTrust, Grade

HARD, SOFT, NONE = DeviceTrust.ATTESTED_HARDWARE, DeviceTrust.SOFTWARE, DeviceTrust.NONE
CELLS = [
    "environment extractable person_bound isolation rollback display certified factors",
    "none        yes no  none      yes no  no  1",
    "software    yes no  process   yes no  no  1",
    "software-with-keystore yes yes system yes no no 2",
    "tee         no  yes processor no  no  yes 2",
    "secure-element no  yes chip    no  no  yes 2",
    "uicc        no  yes chip      no  yes yes 2",
    "cloud       no  no  elsewhere no  no  yes 1",
]
EXPECTED = {
    (row.split()[0], name): value
    for row in CELLS[1:]
    for name, value in zip(CELLS[0].split()[1:], row.split()[1:], strict=True)
}


@pytest.mark.requirement("MFS-8.1.1-01")
@pytest.mark.parametrize(("place", "claim"), EXPECTED)
def test_each_cell(place: str, claim: str) -> None:
    found = getattr(ENVIRONMENTS[Environment(place)], claim)
    said = EXPECTED[place, claim]
    wanted = {"yes": True, "no": False}.get(said, said)
    assert found == (int(said) if claim == "factors" else wanted)


def test_every_place_has_a_row_and_every_isolation_is_used() -> None:
    assert set(ENVIRONMENTS) == set(Environment)
    assert {one.isolation for one in ENVIRONMENTS.values()} == set(Isolation)


@pytest.mark.parametrize("place", list(Environment))
def test_what_can_be_taken_out_is_never_as_good_as_hardware(place: Environment) -> None:
    claims = ENVIRONMENTS[place]
    if claims.extractable or claims.rollback:
        assert claims.trust is not HARD
        assert claims.grade is not Grade.DEVICE_SIGNED_ATTESTED
        assert not claims.certified
    assert (claims.grade is Grade.DEVICE_SIGNED_ATTESTED) == (claims.trust is HARD)
    assert most_trust(HARD, place) == (HARD if claims.trust is HARD else claims.trust)
    for other in (SOFT, DeviceTrust.UNKNOWN, NONE):
        assert most_trust(other, place) is other, "nothing is raised"


@pytest.mark.parametrize(
    ("level", "place"),
    [
        (Level.NONE, "software"),
        (Level.SOFTWARE, "software-with-keystore"),
        (Level.TRUSTED_ENVIRONMENT, "tee"),
        (Level.STRONGBOX, "secure-element"),
        (Level.SECURE_ENCLAVE, "secure-element"),
        (Level.TPM, "secure-element"),
        (Level.AUTHENTICATOR, "secure-element"),
    ],
)
def test_the_level_of_the_evidence_says_where(level: Level, place: str) -> None:
    assert environment_of(Evidence(format="android-key", key_level=level)).value == place


def test_a_sim_alone_is_no_place_for_a_signing_key() -> None:
    assert environment_of(no_evidence("sim-only")) is Environment.NONE


@pytest.mark.requirement("MFS-7.2.6-02")
def test_a_policy_that_lets_software_pass_does_not_make_hardware_of_it() -> None:
    bench = Bench()
    soft = replace(bench.policy, levels=("software", "trusted-environment"))
    phone = changed(bench.factory.phone(), level=0, key_level=0)
    verdict = bench.verdict(phone, policy=soft)
    assert (verdict.outcome.value, verdict.trust) == ("accepted", "software")
    assert verdict.claims["kept-in"] == "software-with-keystore"
    good = bench.verdict(bench.factory.phone(), policy=soft)
    assert (good.trust, good.claims["kept-in"]) == ("attested-hardware", "tee")


READERS = {"most_trust", "grade_of", "factors_of", "in_words"}


@pytest.mark.requirement("MFS-8.1.1-01")
@pytest.mark.parametrize("claim", Claims.__struct_fields__)
def test_every_claim_of_a_place_has_a_reader_that_answers_otherwise(
    claim: str, monkeypatch
) -> None:
    place = Environment.TEE

    def read() -> list[object]:
        words = [in_words(one) for one in Environment]
        grades = [grade_of(one.value) for one in DeviceTrust]
        return [most_trust(HARD, place), grades, factors_of((place,)), words]

    before, claims = read(), ENVIRONMENTS[place]
    others = {
        "isolation": Isolation.NONE, "trust": SOFT, "factors": 1,
        "grade": Grade.DEVICE_SIGNED,
    }  # fmt: skip
    other = others[claim] if claim in others else not getattr(claims, claim)
    table = {**ENVIRONMENTS, place: replace(claims, **{claim: other})}
    if claim == "grade":  # two places give it, and the better one counts
        table[Environment.SECURE_ELEMENT] = replace(
            ENVIRONMENTS[Environment.SECURE_ELEMENT], grade=other
        )
    monkeypatch.setattr(environments, "ENVIRONMENTS", table)
    assert read() != before


def test_every_reader_is_asked_by_something_that_decides_or_shows() -> None:
    root = Path(environments.__file__).parents[2]
    texts = [
        one.read_text(encoding="utf-8")
        for one in root.rglob("*.py")
        if one != Path(environments.__file__)
    ]
    for reader in READERS:
        assert any(re.search(rf"\b{reader}\(", text) for text in texts), reader


def test_the_fewest_factors_of_all_keys_count() -> None:
    two = ("possession", "inherence")
    assert factors_of((Environment.TEE, Environment.SECURE_ELEMENT)) == two
    assert factors_of((Environment.TEE, Environment.SOFTWARE)) == ("possession",)
    assert factors_of(()) == ("possession",)
