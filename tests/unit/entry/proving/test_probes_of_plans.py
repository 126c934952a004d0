"""Probes of decisions, programme and analysis turn when what they look at is broken."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
from tests.support.proved import CLOCK, new_provider, with_programme

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import open_platform
from tallystick.entry.deriving import Written
from tallystick.entry.proving import deciding, models
from tallystick.entry.proving.deciding import DecisionProbes
from tallystick.entry.proving.models import ModelProbes, programme_of
from tallystick.entry.proving.objectives import burn_of
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotFound
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.derivation.derive import Reason
from tallystick.process.policy.language.model import FactorRule, Policy, Row
from tallystick.process.programme.model import Programme
from tallystick.process.programme.words import NodeKind

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ProviderFolder:
    folder, secret, _ = new_provider(tmp_path_factory.mktemp("plans") / "provider")
    open_platform(folder, secret).close()
    with_programme(folder)
    return folder


# --- decisions -----------------------------------------------------------------------------

Weaken = Callable[[Policy], Policy]
ONE = FactorRule(categories=1, because="quick")


def without_rows(*names: str) -> Weaken:
    return lambda p: replace(p, decisions=tuple(o for o in p.decisions if o.id not in names))


def without_limits(*names: str) -> Weaken:
    return lambda p: replace(p, limits=tuple(o for o in p.limits if o.id not in names))


def both(*steps: Weaken) -> Weaken:
    def weaken(policy: Policy) -> Policy:
        for step in steps:
            policy = step(policy)
        return policy

    return weaken


def blind(word: str) -> Weaken:
    """No row asks for `word` any more."""

    def bare(row: Row) -> Row:
        return replace(row, words=tuple(one for one in row.words if one.field != word))

    return lambda p: replace(p, decisions=tuple(bare(one) for one in p.decisions))


def open_failure(name: str) -> Weaken:
    def weaken(policy: Policy) -> Policy:
        rule = replace(policy.dependencies[name], on_failure="open")
        return replace(policy, dependencies=policy.dependencies | {name: rule})

    return weaken


WEAK: tuple[tuple[str, Weaken], ...] = (
    ("one_factor", lambda p: replace(p, factors=p.factors | {"pay": ONE, "login": ONE})),
    ("channels", both(without_limits("dialled-cap"), without_rows("dialled-large"))),
    ("context", without_rows("new-device-large")),
    ("context", without_rows("fraud-suspected", "odd-and-risky")),
    ("context", without_rows("repeated-failures")),
    ("fraud", without_rows("fraud-suspected", "odd-and-risky")),
    ("sim", without_rows("sim-just-changed")),
    ("sim", open_failure("sim-signal")),
    ("stale_evidence", open_failure("attestation")),
    ("stale_evidence", open_failure("revocation")),
    ("stopped", both(without_rows("account-stopped", "account-erased"), blind("account_status"))),
    ("tiers", without_limits("tier-0")),
    ("one_less", lambda p: replace(p, limits=())),
    ("two_people", lambda p: replace(p, operators=replace(p.operators, two_people=()))),
    ("two_people", lambda p: replace(p, operators=replace(p.operators, roles={}))),
)


@pytest.mark.parametrize(("probe", "weaken"), WEAK)
def test_a_policy_that_decides_too_freely_is_seen(
    folder: ProviderFolder, monkeypatch, probe: str, weaken: Weaken
) -> None:
    site = Site(folder, CLOCK)
    strong = policy_in_force(site)
    look = getattr(DecisionProbes(site), probe)
    assert look(CLOCK.now()).verdict is PASS
    monkeypatch.setattr(deciding, "policy_in_force", lambda _: (weaken(strong[0]), 1))
    assert look(CLOCK.now()).verdict is FAIL


def test_slow_decisions_are_seen(folder: ProviderFolder, monkeypatch) -> None:
    look = DecisionProbes(Site(folder, CLOCK)).pace
    assert look(CLOCK.now()).verdict is PASS
    monkeypatch.setattr(deciding, "PACE_MS", 0)
    assert look(CLOCK.now()).verdict is FAIL


def test_what_may_not_be_tried_shows_nothing(folder: ProviderFolder, monkeypatch) -> None:
    site = Site(folder, CLOCK)
    strong = policy_in_force(site)[0]
    monkeypatch.setattr(deciding, "policy_in_force", lambda _: (replace(strong, decisions=()), 1))
    look = DecisionProbes(site)
    assert look.context(CLOCK.now()).verdict is look.channels(CLOCK.now()).verdict is UNKNOWN


# --- the programme -------------------------------------------------------------------------


def test_without_a_programme_nothing_is_claimed(tmp_path: Path) -> None:
    folder, _, _ = new_provider(tmp_path / "provider")
    with pytest.raises(NotFound):
        programme_of(Site(folder, CLOCK))


@pytest.mark.requirement("MFS-6.2.2-03")
def test_an_operation_without_a_flow_is_seen(folder: ProviderFolder, monkeypatch) -> None:
    look = ModelProbes(Site(folder, CLOCK))
    assert look.operations(CLOCK.now()).verdict is PASS
    whole = programme_of(Site(folder, CLOCK))
    monkeypatch.setattr(models, "programme_of", lambda _: replace(whole, flows={}))
    assert look.operations(CLOCK.now()).verdict is FAIL
    assert look.layers(CLOCK.now()).verdict is FAIL
    monkeypatch.setattr(models, "programme_of", lambda _: replace(whole, actors={}))
    assert look.dimensions(CLOCK.now()).verdict is FAIL


def test_a_flow_that_is_protected_on_one_half_is_seen(folder: ProviderFolder, monkeypatch) -> None:
    look = ModelProbes(Site(folder, CLOCK))
    bare = look.layers(CLOCK.now())
    assert bare.verdict is FAIL, "the template has flows of other people's networks"
    whole = programme_of(Site(folder, CLOCK))
    protected = {name: replace(one, protocol="sealed+tls1.3") for name, one in whole.flows.items()}
    monkeypatch.setattr(models, "programme_of", lambda _: replace(whole, flows=protected))
    assert look.layers(CLOCK.now()).verdict is PASS


def test_an_undrawn_node_or_unknown_link_is_seen(folder: ProviderFolder, monkeypatch) -> None:
    look = ModelProbes(Site(folder, CLOCK))
    assert look.inventoried(CLOCK.now()).verdict is PASS
    monkeypatch.setattr(models, "draw", lambda _: "<svg/>")
    assert look.inventoried(CLOCK.now()).verdict is FAIL
    monkeypatch.undo()
    whole = programme_of(Site(folder, CLOCK))
    left = {name: one for name, one in whole.nodes.items() if one.kind is not NodeKind.SMS_CENTRE}
    flows = {name: one for name, one in whole.flows.items() if set(one.nodes()) <= set(left)}
    less = replace(whole, nodes=left, flows=flows)
    monkeypatch.setattr(models, "programme_of", lambda _: less)
    assert look.inventoried(CLOCK.now()).verdict is FAIL, "notices go to an SMS centre"


def test_a_description_with_all_four_dimensions_passes(folder: ProviderFolder) -> None:
    assert ModelProbes(Site(folder, CLOCK)).dimensions(CLOCK.now()).verdict is PASS


@pytest.mark.requirement("MFS-6.1-05")
def test_a_party_whose_evidence_ended_is_seen(folder: ProviderFolder, monkeypatch) -> None:
    whole = programme_of(Site(folder, CLOCK))
    look = ModelProbes(Site(folder, CLOCK))
    first = min(one.system.valid_to for one in whole.parties.values() if one.system)
    assert look.parties(Instant(first - 1)).verdict is PASS
    assert look.parties(Instant(first)).verdict is FAIL
    bare = {name: replace(one, system=None) for name, one in whole.parties.items()}
    monkeypatch.setattr(models, "programme_of", lambda _: replace(whole, parties=bare))
    assert look.parties(Instant(first - 1)).verdict is FAIL


# --- the analysis --------------------------------------------------------------------------


@dataclass(frozen=True)
class Analysed:
    """As much of an analysis as the probes look at."""

    by_layer: dict[str, int]
    by_service: dict[str, int]
    findings: tuple[object, ...]
    counts: dict[str, int]
    unmet: dict[str, str]
    selection: object
    programme_digest: str
    pack_digest: str


@dataclass(frozen=True)
class Risk:
    """A finding."""

    id: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Selected:
    """A choice of controls."""

    chosen: tuple[str, ...]


def analysed(whole: Programme, **more: object) -> Analysed:
    usual = {
        "by_layer": {"application": 1, "infrastructure": 1, "process": 1},
        "by_service": {one.value: 1 for one in whole.services},
        "findings": (),
        "counts": {"open_designed": 0, "open_observed": 0, "threats": 100},
        "unmet": {},
        "selection": Selected(("a",)),
        "programme_digest": models.sha256(encode_canonical(whole)).hex(),
        "pack_digest": models.pack_for(whole.uses).digest,
    }
    return Analysed(**(usual | more))


OPEN = (Risk("theft@pin", ("a",)),)


@pytest.mark.parametrize(
    ("probe", "broken"),
    [
        ("risk_layers", {"findings": OPEN}),
        ("risk_layers", {"by_layer": {"application": 1}}),
        ("risk_layers", {"by_service": {}}),
        ("designed", {"counts": {"open_designed": 3}}),
        ("designed", {"unmet": {"a": "b"}}),
        ("designed", {"selection": Selected(())}),
        ("treated", {"findings": (Risk("theft@no-such-asset", ("a",)),)}),
        ("treated", {"findings": (Risk("theft@pin", ()),)}),
        ("current", {"programme_digest": "0"}),
        ("current", {"pack_digest": "0"}),
    ],
)
def test_an_analysis_that_is_not_whole_or_not_current_is_seen(
    folder: ProviderFolder, monkeypatch, probe: str, broken: dict[str, object]
) -> None:
    whole = programme_of(Site(folder, CLOCK))
    folder.risk_file.write_bytes(b"{}")
    try:
        look = ModelProbes(Site(folder, CLOCK))
        monkeypatch.setattr(models, "_analysed", lambda _: analysed(whole))
        assert getattr(look, probe)(CLOCK.now()).verdict is PASS
        monkeypatch.setattr(models, "_analysed", lambda _: analysed(whole, **broken))
        assert getattr(look, probe)(CLOCK.now()).verdict is FAIL
    finally:
        folder.risk_file.unlink()


def test_an_old_analysis_is_seen(folder: ProviderFolder, monkeypatch) -> None:
    whole = programme_of(Site(folder, CLOCK))
    folder.risk_file.write_bytes(b"{}")
    try:
        monkeypatch.setattr(models, "_analysed", lambda _: analysed(whole))
        then = CLOCK.now() // 1000 - 400 * 86_400
        os.utime(folder.risk_file, (then, then))
        assert ModelProbes(Site(folder, CLOCK)).current(CLOCK.now()).verdict is FAIL
    finally:
        folder.risk_file.unlink()


@pytest.mark.requirement("MFS-6.1-06")
def test_a_row_of_the_policy_without_a_reason_is_seen(folder: ProviderFolder, monkeypatch) -> None:
    whole, site = programme_of(Site(folder, CLOCK)), Site(folder, CLOCK)
    look = ModelProbes(site)
    assert look.derived(CLOCK.now()).verdict is UNKNOWN
    policy = policy_in_force(site)[0]
    names = [one.id for one in (*policy.limits, *policy.decisions)]
    beside = folder.derived_file.with_name(f"{folder.derived_file.name}.reasons.json")

    def write(rows: list[str], digest: str) -> None:
        reasons = tuple(
            Reason(row=one, controls=("a",), threats=(), requirements=(), amount="", articles=())
            for one in rows
        )
        written = Written(
            rules="r", rules_digest="d", programme_digest=digest, pack_digest="p", profile="P1",
            rows=reasons,
        )  # fmt: skip
        beside.write_bytes(encode_canonical(written))

    folder.risk_file.write_bytes(b"{}")
    monkeypatch.setattr(models, "_analysed", lambda _: analysed(whole))
    digest = analysed(whole).programme_digest
    try:
        write(names, digest)
        assert look.derived(CLOCK.now()).verdict is PASS
        write(names[1:], digest)
        assert names[0] in look.derived(CLOCK.now()).summary
        write(names, "another")
        assert look.derived(CLOCK.now()).verdict is FAIL
    finally:
        beside.unlink()
        folder.risk_file.unlink()


# --- objectives ----------------------------------------------------------------------------

FAST = 'tallystick_answer_seconds_bucket{operation="payment.order",le="0.1"} '
ALL = 'tallystick_answer_seconds_bucket{operation="payment.order",le="+Inf"} '
GOOD = 'tallystick_answers_total{operation="payment.order",status="200",refusal=""} '
BAD = 'tallystick_answers_total{operation="payment.order",status="503",refusal="unavailable"} '
IDLE = 'tallystick_answers_total{operation="health.live",status="503",refusal="unavailable"} '


@pytest.mark.requirement("MFS-6.1-03")
@pytest.mark.parametrize(
    ("fast", "whole", "good", "bad", "verdict"),
    [
        (1000, 1000, 10_000, 0, PASS),
        (951, 1000, 10_000, 9, PASS),
        (949, 1000, 10_000, 0, FAIL),
        (1000, 1000, 9_900, 100, FAIL),
        (10, 10, 10_000, 0, UNKNOWN),
        (1000, 1000, 0, 0, UNKNOWN),
    ],
)
def test_objectives_are_read_from_the_metrics(
    folder: ProviderFolder, fast: int, whole: int, good: int, bad: int, verdict: Verdict
) -> None:
    programme = programme_of(Site(folder, CLOCK))
    text = f"{FAST}{fast}\n{ALL}{whole}\n{GOOD}{good}\n{BAD}{bad}\n{IDLE}5000\n# else\n"
    seen = burn_of(programme, text)
    assert seen.verdict is verdict
    if verdict is not UNKNOWN:
        assert seen.measured["burn_slow"] == int((whole - fast) * 1000 / whole / 0.05)
        assert "remote-payment" in seen.summary


def test_objectives_are_read_from_what_the_service_exposes(folder: ProviderFolder) -> None:
    accounting = Accounting(CLOCK, lambda _: None)
    for _ in range(200):
        accounting.answered("payment.order", 200, "", monotonic())
    programme = programme_of(Site(folder, CLOCK))
    assert burn_of(programme, accounting.exposition().decode()).verdict is PASS
    for _ in range(50):
        accounting.answered("payment.order", 503, "unavailable", monotonic() - 1)
    seen = burn_of(programme, accounting.exposition().decode())
    assert seen.verdict is FAIL
    assert seen.measured["answers"] == 250


def test_the_metrics_of_probes_say_nothing_of_the_service(folder: ProviderFolder) -> None:
    assert ModelProbes(Site(folder, CLOCK)).burn(CLOCK.now()).verdict is UNKNOWN
