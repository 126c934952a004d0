"""Probes of appraisal and of what customers are told turn when what they look at is broken."""

from pathlib import Path

import pytest
from tests.support.proved import CLOCK, new_provider

from tallystick.application.customers.store import CUSTOMER
from tallystick.application.education.content import CONTENT
from tallystick.application.education.service import READ
from tallystick.application.education.store import ACKNOWLEDGED
from tallystick.application.proving.service import PROVING
from tallystick.entry.assembly import open_platform
from tallystick.entry.attesting import POLICY
from tallystick.entry.proving import teaching
from tallystick.entry.proving.appraising import AppraisalProbes
from tallystick.entry.proving.site import Site
from tallystick.entry.proving.still import policy_in_force
from tallystick.entry.proving.teaching import LessonProbes
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_database
from tallystick.infrastructure.store.table import Table
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.process.attestation import appraisal, rules
from tallystick.process.attestation.reading import shipped_text
from tallystick.process.policy.facts import FOREVER
from tallystick.protocol.channels import Language

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
APP = "apps:\n  - {package: com.example.wallet, signers: [" + "ab" * 32 + "]}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ProviderFolder:
    folder, secret, _ = new_provider(tmp_path_factory.mktemp("telephones") / "provider")
    open_platform(folder, secret).close()
    return folder


# --- appraisal -----------------------------------------------------------------------------

RULES = (
    ("boot", "boot-state"),
    ("boot", "boot-lock"),
    ("patch", "patch-age"),
    ("person", "person"),
    ("application", "application"),
    ("freshness", "challenge"),
    ("freshness", "key"),
    ("freshness", "root"),
    ("freshness", "origin"),
    ("freshness", "level"),
    ("freshness", "revoked"),
)


@pytest.fixture
def named_app(folder: ProviderFolder):
    """The shipped policy of appraisal, with an app of ours in it."""
    lines = shipped_text().splitlines(keepends=True)
    text = "".join(APP if line.startswith("apps:") else line for line in lines)
    (folder.root / POLICY).write_text(text, encoding="utf-8")
    yield
    (folder.root / POLICY).unlink()


@pytest.mark.parametrize(("probe", "rule"), RULES)
@pytest.mark.usefixtures("named_app")
@pytest.mark.requirement("MFS-7.2.2-01", "MFS-7.2.2-02", "MFS-7.2.5-02", "MFS-7.2.6-02")
def test_a_rule_of_appraisal_that_is_missing_is_seen(
    folder: ProviderFolder, monkeypatch, probe: str, rule: str
) -> None:
    look = getattr(AppraisalProbes(Site(folder, CLOCK)), probe)
    assert look(CLOCK.now()).verdict is PASS
    left = tuple(one for one in rules.RULES if one[0] != rule)
    assert len(left) == len(rules.RULES) - 1
    monkeypatch.setattr(appraisal, "RULES", left)
    assert look(CLOCK.now()).verdict is FAIL


def test_what_a_policy_leaves_open_is_seen(folder: ProviderFolder) -> None:
    probes = AppraisalProbes(Site(folder, CLOCK))
    now = CLOCK.now()
    assert probes.application(now).verdict is UNKNOWN, "the shipped policy names no app"
    for before, after, probe in (
        ("lock: required", "lock: ignored", probes.boot),
        ("person: required", "person: ignored", probes.person),
    ):
        assert before in shipped_text()
        lax = shipped_text().replace(before, after)
        (folder.root / POLICY).write_text(lax, encoding="utf-8")
        assert probe(now).verdict is FAIL
    blind = shipped_text().replace("[android-key, webauthn-android-key]", "[webauthn-android-key]")
    (folder.root / POLICY).write_text(blind, encoding="utf-8")
    assert probes.boot(now).verdict is UNKNOWN, "nothing is shown where nobody is let in"
    (folder.root / POLICY).unlink()


# --- what customers are told ------------------------------------------------------------------


def customer(name: str, opened_by: str = "care-desk-1") -> tuple[str | int | bytes, ...]:
    """A row of an active customer."""
    return (name, "person", "active", 1, f"a-{name}", b"", b"", 1, opened_by, b"", 0, 0, "", 0)


def acknowledged(name: str, what: str, version: int, digest: str = "") -> tuple[str | int, ...]:
    """A row of what a customer acknowledged."""
    return (f"{name}|{what}", name, what, version, "en", digest, 1)


def keep(folder: ProviderFolder, *rows: tuple[Table, tuple[str | int | bytes, ...]]) -> None:
    database = open_database(folder.stored())
    try:
        database.begin()
        for table, row in rows:
            database.insert(table, [row])
        database.commit()
    finally:
        database.close()


@pytest.mark.requirement("MFS-7.3.6-01")
def test_guidance_that_too_few_read_is_seen(tmp_path: Path) -> None:
    folder, secret, _ = new_provider(tmp_path / "provider")
    open_platform(folder, secret).close()
    probe, version = (
        LessonProbes(Site(folder, CLOCK)).read,
        max(o.version for o in CONTENT.values()),
    )
    keep(folder, (CUSTOMER, customer("p", PROVING)))
    assert probe(CLOCK.now()).verdict is UNKNOWN, "probe customers read nothing"
    keep(folder, (CUSTOMER, customer("c")), (ACKNOWLEDGED, acknowledged("c", READ, version)))
    assert probe(CLOCK.now()).verdict is PASS
    keep(folder, (CUSTOMER, customer("d")), (ACKNOWLEDGED, acknowledged("d", READ, version - 1)))
    seen = probe(CLOCK.now())
    assert (seen.verdict, seen.measured) == (FAIL, {"numerator": 1, "denominator": 2})


@pytest.mark.requirement("MFS-7.3.6-04")
def test_terms_that_nobody_or_another_text_was_asked_for_are_seen(
    tmp_path: Path, monkeypatch
) -> None:
    folder, secret, _ = new_provider(tmp_path / "provider")
    open_platform(folder, secret).close()
    site = Site(folder, CLOCK)
    look, (policy, signed) = LessonProbes(site).terms, policy_in_force(site)
    told = CONTENT[Language("en")]

    def asking_for(version: int) -> Verdict:
        rule = replace(policy.education, terms=version)
        changed = replace(policy, education=rule)
        monkeypatch.setattr(teaching, "policy_in_force", lambda _: (changed, signed))
        return look(CLOCK.now()).verdict

    assert asking_for(0) is UNKNOWN
    assert asking_for(told.terms_version + 1) is FAIL
    good = acknowledged("c", "terms", told.terms_version, told.digest)
    keep(folder, (CUSTOMER, customer("c")), (ACKNOWLEDGED, good))
    assert asking_for(told.terms_version) is PASS
    other = acknowledged("d", "terms", told.terms_version, "another text")
    keep(folder, (CUSTOMER, customer("d")), (ACKNOWLEDGED, other))
    assert asking_for(told.terms_version) is FAIL


@pytest.mark.requirement("MFS-7.3.6-03")
def test_a_policy_or_language_that_warns_of_less_is_seen(
    folder: ProviderFolder, monkeypatch
) -> None:
    site = Site(folder, CLOCK)
    look, (policy, signed) = LessonProbes(site).warned, policy_in_force(site)
    assert look(CLOCK.now()).verdict is PASS
    language = next(iter(CONTENT))
    less = replace(CONTENT[language], topics=CONTENT[language].topics[1:])
    monkeypatch.setattr(teaching, "CONTENT", {**CONTENT, language: less})
    assert look(CLOCK.now()).verdict is FAIL
    monkeypatch.setattr(teaching, "CONTENT", CONTENT)
    silent = replace(policy, education=replace(policy.education, large_minor=FOREVER))
    monkeypatch.setattr(teaching, "policy_in_force", lambda _: (silent, signed))
    assert look(CLOCK.now()).verdict is FAIL
