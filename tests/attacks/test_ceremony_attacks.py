"""What somebody in the room, or with the files of a ceremony, could try."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.ceremonies import (
    CREW,
    Crew,
    arguments,
    copied,
    made,
    planned,
    transcript,
    verified,
)
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.model import replace
from tallystick.process.ceremonies import (
    Plan,
    State,
    digest_of,
    open_transcript,
    plan_digest,
    seal_transcript,
    sign_step,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> ProviderFolder:
    return made(tmp_path_factory.mktemp("original") / "p")


@pytest.fixture(scope="module")
def held(original: ProviderFolder, tmp_path_factory: pytest.TempPathFactory) -> ProviderFolder:
    """A provider whose master key came into the hands of custodians."""
    folder = copied(original, tmp_path_factory.mktemp("held") / "p")
    assert Crew().holds(folder, planned(folder, "master-make", "--threshold", 2)).code == 0
    return folder


@pytest.fixture
def folder(original: ProviderFolder, tmp_path: Path) -> ProviderFolder:
    return copied(original, tmp_path / "p")


@pytest.mark.requirement("MFS-8.2.2-02")
@pytest.mark.threat("THR-INS-01")
def test_nobody_signs_for_another_and_nobody_is_left_out(folder: ProviderFolder) -> None:
    plan = planned(folder, "master-make", "--threshold", 2)
    before = folder.master_file.read_bytes()
    crew = Crew(said={("bob", "passphrase of your key"): ["passphrase of ann"] * 3})
    ran = crew.holds(folder, plan, keys={"bob": folder.offline / "ann.key"})
    assert ran.code == 1
    assert "this is not the key of bob" in ran.err
    ran = Crew().holds(folder, plan, without=("eve",))
    assert ran.code == 1
    assert "eve is not here" in ran.err
    crew = Crew(said={("cid", "passphrase of your key"): ["wrong"] * 3})
    assert crew.holds(folder, plan).code == 1
    assert folder.master_file.read_bytes() == before
    assert not (folder.root / "ceremonies").exists()


@pytest.mark.requirement("MFS-7.4.2-04")
@pytest.mark.parametrize(
    ("people", "says"),
    [
        (("lead", "ann ann", "eve", 2), "one person is there twice"),
        (("lead", "ann lead", "eve", 2), "one person is there twice"),
        (("lead", "ann", "eve", 1), "two custodians or more"),
        (("lead", "ann bob", "", 2), "has a witness"),
        (("lead", "ann bob", "eve", 1), "the threshold"),
        (("lead", "ann bob", "eve", 3), "the threshold"),
        (("lead", "ann mal", "eve", 2), "knows no officer or active operator"),
    ],
)
def test_too_few_people_or_one_in_two_places_are_no_ceremony(
    original: ProviderFolder, tmp_path: Path, people: tuple[str, str, str, int], says: str
) -> None:
    leader, custodians, witnesses, threshold = people
    words = [w for one in custodians.split() for w in ("--custodian", one)]
    words += [w for one in witnesses.split() for w in ("--witness", one)]
    ran = tallystick(
        "ceremony", "plan", original.root, "master-make", "--master", leader, *words,
        "--threshold", threshold, "--out", tmp_path / "plan",
    )  # fmt: skip
    assert ran.code == 1
    assert says in ran.err
    assert not (tmp_path / "plan").exists()


@pytest.mark.requirement("MFS-7.4.2-04")
def test_one_share_entered_by_two_custodians_opens_nothing(folder: ProviderFolder) -> None:
    plan, crew = planned(folder, "master-make", "--threshold", 2), Crew()

    def same() -> str:
        return crew.papers["ann"][-1]

    crew.cut = "share of the master key"
    assert crew.holds(folder, plan).code == 3
    crew.cut = ""
    crew.said = {(one, "share of the master key"): [same()] for one in ("ann", "bob", "cid")}
    ran = crew.holds(folder, plan, "resume")
    assert ran.code == 1
    assert "entered by two people" in ran.err
    assert crew.holds(folder, plan, "resume").code == 0


def changed(plan: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Another plan, in canonical form."""
    found = json.loads(plan.read_bytes())
    change(found)
    other = plan.with_suffix(".changed")
    other.write_bytes(encode_canonical(found))
    return other


@pytest.mark.requirement("MFS-7.4.2-04")
def test_a_ceremony_goes_on_with_its_own_script_in_its_own_folder_only(
    folder: ProviderFolder, tmp_path: Path
) -> None:
    plan, crew = planned(folder, "master-make", "--threshold", 2), Crew(cut="your share again")
    assert crew.holds(folder, plan).code == 3
    crew.cut = ""

    def fewer(found: dict[str, Any]) -> None:
        found["threshold"] = 3

    def easier(found: dict[str, Any]) -> None:
        del found["script"]["steps"][2]

    def stranger(found: dict[str, Any]) -> None:
        found["people"][1]["public"] = b64url(Es256SigningKey.generate().public().octets())

    for change, says in (
        (fewer, "not the one that the ceremony began with"),
        (easier, "not the one that ships"),
        (stranger, "is not known to the provider with this key"),
    ):
        ran = crew.holds(folder, changed(plan, change), "resume")
        assert ran.code == 1
        assert says in ran.err
    other = copied(folder, tmp_path / "other")
    ran = crew.holds(other, plan, "resume")
    assert ran.code == 1
    assert "for another folder" in ran.err
    again = crew.holds(folder, planned(folder, "master-make", "--threshold", 2))
    assert "is not done" in again.err, "one ceremony at a time"
    assert "not done: cer_" in tallystick("doctor", folder.root).out
    state = next((folder.root / "ceremonies").glob("*.state"))
    octets = state.read_bytes()
    found = json.loads(octets)
    found["steps"][0]["done"]["values"] = {"the master key": "ABCDEF"}
    state.write_bytes(encode_canonical(found))
    assert crew.holds(folder, plan, "resume").code == 1
    state.write_bytes(octets)
    assert crew.holds(folder, plan, "resume").code == 0


def test_a_folder_that_changed_between_two_steps_is_refused(folder: ProviderFolder) -> None:
    plan, crew = planned(folder, "master-make", "--threshold", 2), Crew()
    before = folder.master_file.read_bytes()
    crew.cut = "share of the master key"
    assert crew.holds(folder, plan).code == 3
    folder.save_master(before)
    crew.cut = ""
    ran = crew.holds(folder, plan, "resume")
    assert ran.code == 1
    assert "not as the last step left it" in ran.err


@pytest.mark.requirement("MFS-7.4.2-10")
@pytest.mark.threat("THR-KEY-02")
def test_keys_of_tests_and_of_production_do_not_meet(
    original: ProviderFolder, folder: ProviderFolder, tmp_path: Path
) -> None:
    plan = planned(folder, "zone-key", "--mechanism", "aes-256")
    entered = Crew(components=dict.fromkeys(CREW, ("11" * 32, "00" * 3)))
    folder.save_settings(replace(folder.settings(), profile="production"))
    ran = entered.holds(folder, plan)
    assert ran.code == 1
    assert "a ceremony of profile 'demo' does not serve 'production'" in ran.err
    own = planned(folder, "zone-key", "--mechanism", "aes-256")
    ran = entered.holds(folder, own)
    assert ran.code == 1, "a master key of demo opens nothing of production"
    assert "does not serve 'production'" in ran.err


def test_a_transcript_of_a_test_is_none_of_production(held: ProviderFolder, tmp_path: Path) -> None:
    other = copied(held, tmp_path / "p")
    other.save_settings(replace(other.settings(), profile="production"))
    ran = verified(other)
    assert ran.code == 1
    assert "of profile 'demo'" in ran.err


def _drop(found: dict[str, Any]) -> None:
    del found["signatures"][0]


def _twice(found: dict[str, Any]) -> None:
    found["signatures"][1] = found["signatures"][0]


def _payload(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    def apply(found: dict[str, Any]) -> None:
        inside = json.loads(base64.b64decode(found["payload"]))
        change(inside)
        found["payload"] = base64.b64encode(encode_canonical(inside)).decode()

    return apply


@pytest.mark.requirement("MFS-7.4.2-04")
@pytest.mark.requirement("MFS-7.4.2-10")
@pytest.mark.parametrize(
    "tamper",
    [
        _drop,
        _twice,
        lambda found: found["signatures"].reverse(),
        lambda found: found.update(payloadType="application/json"),
        _payload(lambda inside: inside["steps"].pop()),
        _payload(lambda inside: inside["steps"].reverse()),
        _payload(lambda inside: inside["steps"][1]["done"]["values"].update(ann="000000")),
        _payload(lambda inside: inside["plan"]["people"].pop()),
        _payload(lambda inside: inside["plan"].update(profile="production")),
        _payload(lambda inside: inside["steps"][1]["signatures"].pop("bob")),
    ],
)
def test_a_transcript_that_was_changed_does_not_verify(
    held: ProviderFolder, tmp_path: Path, tamper: Callable[[dict[str, Any]], None]
) -> None:
    found = json.loads(transcript(held).read_bytes())
    tamper(found)
    other = tmp_path / "other.dsse"
    other.write_bytes(encode_canonical(found))
    ran = verified(held, other)
    assert ran.code == 1, ran.all
    assert verified(held).code == 0


def test_the_doctor_tells_of_a_transcript_that_does_not_verify(
    held: ProviderFolder, tmp_path: Path
) -> None:
    folder = copied(held, tmp_path / "p")
    assert "do not verify" not in tallystick("doctor", folder.root).out
    path = transcript(folder)
    found = json.loads(path.read_bytes())
    _drop(found)
    path.write_bytes(encode_canonical(found))
    said = tallystick("doctor", folder.root).out
    assert f"transcripts that do not verify: {path.stem}" in said


@pytest.mark.threat("THR-INS-01")
def test_strangers_who_sign_everything_are_not_the_providers_people(
    held: ProviderFolder, tmp_path: Path
) -> None:
    """A transcript that verifies in itself, by people whom the provider never knew."""
    found = open_transcript(transcript(held).read_bytes())
    signers = {name: Es256SigningKey.generate() for name in CREW}
    people = tuple(
        replace(one, public=b64url(signers[one.name].public().octets()))
        for one in found.plan.people
    )
    plan: Plan = replace(found.plan, people=people)
    state = State(v=1, plan=plan, steps=())
    for one in found.steps:
        before = digest_of(state.steps[-1]) if state.steps else ""
        done = replace(one.done, plan=plan_digest(plan), before=before)
        state = replace(state, steps=(*state.steps, sign_step(done, signers)))
    forged = tmp_path / "forged.dsse"
    forged.write_bytes(seal_transcript(state, signers))
    assert tallystick("ceremony", "verify", forged).code == 0, "in itself it is whole"
    ran = verified(held, forged)
    assert ran.code == 1
    assert "the provider does not know" in ran.err


@pytest.mark.requirement("MFS-7.4.2-04")
def test_a_process_that_is_killed_leaves_no_secret_and_is_resumed(folder: ProviderFolder) -> None:
    plan, crew = planned(folder, "master-make", "--threshold", 2), Crew()
    people = crew.people()
    process = subprocess.Popen(
        [sys.executable, "-m", "tallystick.entry.cli", "ceremony", "run",
         *map(str, arguments(folder, plan, people))],
        pass_fds=[one.far.fileno() for one in people.values()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    crew.cut, crew.at_cut = "share of the master key", lambda: os.kill(process.pid, signal.SIGKILL)
    said = b"".join(process.communicate(timeout=60))
    crew.dismiss(people.values())
    assert process.returncode == -signal.SIGKILL
    left = [one.read_bytes() for one in folder.root.rglob("*") if one.is_file()]
    assert crew.papers["cid"]
    for secret in crew.secrets:
        assert all(secret.encode() not in one for one in (said, *left))
    crew.cut = ""
    ran = crew.holds(folder, plan, "resume")
    assert ran.code == 0, ran.all
    assert "step 2" not in ran.out, "what was done is not done again"
    assert verified(folder).code == 0
