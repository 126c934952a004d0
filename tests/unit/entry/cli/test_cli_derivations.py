"""tallystick policy derive: from a provider's programme to a policy that officers can sign."""

import json
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import tallystick

pytest.importorskip("highspy")

from tallystick.process.policy import compile_policy, read_policy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("derive") / "p"
    made = tallystick("init", place, "--secret-out", place.with_name("secret"))
    assert made.code == 0
    return place


def test_a_policy_is_derived_beside_the_one_in_the_folder(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "v2.yaml"
    ran = tallystick("policy", "derive", folder, "--out", target)
    assert ran.code == 0, ran.all
    assert "version 2, compiled and proven" in ran.out
    assert "what changes" in ran.out
    policy = compile_policy(read_policy(target.read_text())).policy
    assert policy.header.provider == "demo-wallet"
    assert policy.header.utc_offset_min == 180
    written = json.loads((tmp_path / "v2.yaml.reasons.json").read_text())
    assert {one["row"] for one in written["rows"]} == {
        row.id
        for row in (*policy.decisions, *policy.limits, *policy.incentives, *policy.tightening)
    }
    officer = folder / "offline" / "officer-1.key"
    signed = tallystick(
        "policy", "sign", target, "--officer", "officer-1", "--key-file", officer,
        "--secret-file", folder.with_name("secret"), "--out", tmp_path / "signed.json",
    )  # fmt: skip
    assert signed.code == 0, signed.all
    assert "version 2, signed by 1 officer" in signed.out


def test_the_reasons_are_told_as_data(folder: Path, tmp_path: Path) -> None:
    ran = tallystick("policy", "derive", folder, "--out", tmp_path / "v.yaml", "--json")
    assert ran.code == 0, ran.all
    told = json.loads(ran.out)
    assert told["profile"] in {"P1", "P2", "P3", "P4"}
    assert any("MFS-7.3.2-10" in row["requirements"] for row in told["rows"])


def test_without_a_programme_it_says_what_writes_one(tmp_path: Path) -> None:
    ran = tallystick("policy", "derive", tmp_path, "--out", tmp_path / "v.yaml")
    assert ran.code == 1
    assert "tallystick init writes one" in ran.err
