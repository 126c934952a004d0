"""What set-up leaves of a programme beside it: the services whose rows are asked for."""

import os
from pathlib import Path

import pytest
from tests.support.proved import CLOCK
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.evidence import kept_in
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.kernel.secret import Secret
from tallystick.process.catalogue import catalogue
from tallystick.process.catalogue.model import Service
from tallystick.process.conformance.oscal.picture import rows_for
from tallystick.process.programme.templates import profile_text


def made(root: Path, programme: str) -> ProviderFolder:
    folder = ProviderFolder(root)
    plan = Plan(
        provider="test-wallet",
        currency="EUR",
        country="33",
        profile="demo",
        policy_text=demo_policy(),
        roles=(),
        pin_memory_kib=8 * 1024,
        pin_passes=1,
        programme_text=programme,
    )
    set_up(folder, plan, Secret(os.urandom(32)), CLOCK)
    return folder


@pytest.mark.requirement("MFS-9.1-01")
def test_only_rows_of_what_is_offered_are_asked_for(tmp_path: Path) -> None:
    kept = kept_in(made(tmp_path / "small", profile_text("wallet-start-up")))
    assert {one.value for one in kept.dossier.services} == {"remote-payment", "e-money"}
    assert kept.dossier_digest == kept.dossier.digest()
    asked = {one.id for one in rows_for(catalogue(), kept.dossier.services)}
    assert "MFS-13.1-01" in asked
    assert "MFS-12.1-01" not in asked
    assert len(asked) < len(catalogue().requirements)


@pytest.mark.parametrize("programme", ["", "mfs: '1.0'\n"])
def test_without_a_programme_that_can_be_read_every_row_is(tmp_path: Path, programme: str) -> None:
    kept = kept_in(made(tmp_path / "bare", programme))
    assert kept.dossier_digest == ""
    assert kept.dossier.services == tuple(Service)


def test_a_dossier_and_a_programme_that_were_there_are_taken(tmp_path: Path) -> None:
    root = tmp_path / "copied"
    root.mkdir()
    (root / "mfs.yaml").write_text(profile_text("bank-app"), encoding="utf-8")
    kept = kept_in(made(root, profile_text("wallet-start-up")))
    assert {one.value for one in kept.dossier.services} == {"mobile-banking", "remote-payment"}


def test_a_word_that_is_nearly_one_of_the_list_is_answered_with_it(tmp_path: Path) -> None:
    ran = tallystick("init", tmp_path / "p", "--profile", "wallet-startup")
    assert ran.code == 2
    assert "Did you mean 'wallet-start-up'?" in ran.err
