"""prove and bundle by the command line: what is printed, and with which code they end."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.time_authority import OTHER_POLICY, TimeAuthority
from tests.unit.entry.cli.command_line import ROOT, tallystick

from tallystick.entry.cli.console import FOUND_SOMETHING, REFUSED, WRONG_USAGE
from tallystick.entry.doctor.model import State
from tallystick.entry.doctor.programme import look_at_services
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue.model import Service
from tallystick.process.conformance.dossier import Decided, Document, Dossier

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Place:
    """A provider that was proved by the command line, and what it printed."""

    folder: Path
    secret: Path
    said: str
    code: int

    def prove(self, *more: object):
        return tallystick("prove", self.folder, "--secret-file", self.secret, *more)

    def make(self, target: Path, *more: object, officer: str = "officer-1", key: str = "officer-1"):
        return tallystick(
            "bundle", "make", self.folder, target, "--officer", officer,
            "--key-file", self.folder / "offline" / f"{key}.key", "--secret-file", self.secret,
            *more,
        )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("proving")
    folder, secret = root / "provider", root / "secret"
    assert tallystick("init", "--no-analysis", folder, "--secret-file", secret).code == 0
    dossier = Dossier(
        decisions=(
            Decided(requirement="MFS-10.1-01", who="board", why="no proximity payments", since=1),
        ),
        documents=(
            Document(
                file="minutes.txt",
                title="Minutes",
                sha256=sha256(b"approved").hex(),
                requirements=("MFS-6.1-01",),
                owner="board",
                scope="wallet",
                issued=1,
                valid_until=2_000_000_000_000 + DAY_MS,
            ),
        ),
    )
    (folder / "dossier.json").write_bytes(encode_canonical(dossier))
    (folder / "documents").mkdir()
    (folder / "documents" / "minutes.txt").write_bytes(b"approved")
    ran = tallystick("prove", folder, "--secret-file", secret)
    return Place(folder, secret, ran.out, ran.code)


def test_prove_says_what_passed_with_denominators(place: Place) -> None:
    assert place.code == FOUND_SOMETHING, "the root key is on the server"
    assert " probes passed, " in place.said
    assert "recorded as event " in place.said
    assert "1 of 250 not-applicable" in place.said
    assert "files.offline: still here: officer-1.key" in place.said
    assert "%" not in place.said.splitlines()[-2]


def test_one_probe_that_passes_ends_with_zero_and_tells_json(place: Place) -> None:
    ran = place.prove("--only", "rows.matrix", "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert [one["check"] for one in told["run"]["observations"]] == ["rows.matrix"]
    states = {one["requirement"]: one["state"] for one in told["findings"]}
    assert states["MFS-6.1-01"] == "satisfied", "signed policy, refused forgeries, and minutes"


def test_nothing_is_proved_without_what_opens_it_or_under_an_unknown_name(place: Place) -> None:
    assert tallystick("prove", place.folder).code == WRONG_USAGE
    assert place.prove("--only", "no.such").code == REFUSED


def test_a_bundle_is_made_and_verified(place: Place, tmp_path: Path) -> None:
    made = place.make(tmp_path / "bundle")
    assert made.code == 0, made.all
    assert "19 files" in made.out
    ran = tallystick("bundle", "verify", tmp_path / "bundle", "--settings", place.folder)
    assert ran.code == 0, ran.all
    assert "the bundle verifies" in ran.out
    assert "derived again" in ran.out
    told = json.loads(
        tallystick(
            "bundle", "verify", tmp_path / "bundle", "--json",
            "--settings", place.folder / "provider.json",
        ).out
    )  # fmt: skip
    assert told["derived"]
    assert sum(told["lock"]["counts"].values()) == told["lock"]["rows"] == 250
    table = (tmp_path / "bundle" / "applicability.csv").read_text(encoding="utf-8")
    assert "MFS-10.1-01,10.1,should,no," in table
    assert "board: no proximity payments" in table


def recipe(bundle: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines that the bundle's own page prints for OpenSSL and jq."""
    page = (bundle / "README.txt").read_text(encoding="utf-8")
    printed = page.partition("with OpenSSL and jq")[2].partition("The documents by")[0]
    lines = [one.strip() for one in printed.splitlines() if one.startswith("  ")]
    assert len(lines) == 7
    script = "\n".join(("set -e", *lines))
    return subprocess.run(
        ["/bin/sh", "-c", script], cwd=bundle, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(
    not all(map(shutil.which, ("jq", "openssl", "sha256sum"))), reason="jq or openssl is missing"
)
@pytest.mark.requirement("MFS-9.1-01")
def test_what_the_bundle_prints_for_other_tools_can_be_run(place: Place, tmp_path: Path) -> None:
    bundle = tmp_path / "in" / "bundle"
    bundle.parent.mkdir()
    assert place.make(bundle).code == 0
    ran = recipe(bundle)
    assert ran.returncode == 0, ran.stderr
    assert "Verified OK" in ran.stdout
    named = {one.partition(":")[0] for one in ran.stdout.splitlines() if one.endswith(": OK")}
    outside = {"manifest.json", "manifest.dsse.json", "signer.pem"}
    assert named == {one.name for one in bundle.iterdir()} - outside
    results = bundle / "assessment-results.json"
    results.write_bytes(results.read_bytes().replace(b"not-satisfied", b"yes-satisfied", 1))
    assert "assessment-results.json: FAILED" in recipe(bundle).stdout
    signed = json.loads((bundle / "manifest.dsse.json").read_text())
    signed["payload"] = signed["payload"][:-8] + "AAAAAAA="
    (bundle / "manifest.dsse.json").write_text(json.dumps(signed))
    assert recipe(bundle).returncode != 0


def test_a_bundle_is_stamped_or_says_why_it_is_not(place: Place, tmp_path: Path) -> None:
    authority = TimeAuthority(tmp_path / "tsa")
    root = ("--tsa-root", authority.root_file)
    with authority.serve() as server:
        made = place.make(tmp_path / "stamped", "--tsa", server.url, *root)
        url = server.url
        assert made.code == 0, made.all
        assert "20 files" in made.out
        assert "stamped: manifest.tsr" in made.out
        wrong = place.make(
            tmp_path / "other", "--tsa", url, "--tsa-root", place.folder / "provider.json"
        )
        assert wrong.code == REFUSED
        assert "no certificate in PEM" in wrong.err
        assert not (tmp_path / "other").exists()
    made = place.make(tmp_path / "outage", "--tsa", url, *root)
    assert made.code == 0, made.all
    assert "not stamped" in made.out
    assert place.make(tmp_path / "unpinned", "--tsa", url).code == WRONG_USAGE

    verify = ("bundle", "verify", tmp_path / "stamped", "--settings", place.folder)
    ran = tallystick(*verify)
    assert "not verified: give --tsa-root" in " ".join(ran.out.split())
    ran = tallystick(*verify, *root)
    assert ran.code == 0, ran.all
    assert "CN=Rehearsal time stamps" in " ".join(ran.out.split())
    assert json.loads(tallystick(*verify, *root, "--json").out)["stamped_at"] > 0
    assert tallystick(*verify, *root, "--tsa-policy", OTHER_POLICY).code == REFUSED
    ran = tallystick("bundle", "verify", tmp_path / "outage", "--settings", place.folder, *root)
    assert ran.code == REFUSED
    assert "no time stamp" in ran.err


def test_documents_that_are_shown_are_compared(place: Place, tmp_path: Path) -> None:
    assert place.make(tmp_path / "bundle").code == 0
    shown = tmp_path / "shown"
    shown.mkdir()
    verify = ("bundle", "verify", tmp_path / "bundle", "--settings", place.folder)
    assert "1, by their digests" in tallystick(*verify).out
    assert "0 of 1 shown" in tallystick(*verify, "--documents", shown).out
    (shown / "minutes.txt").write_bytes(b"approved")
    assert "1 of 1 shown" in tallystick(*verify, "--documents", shown).out
    (shown / "minutes.txt").write_bytes(b"approved, perhaps")
    ran = tallystick(*verify, "--documents", shown)
    assert ran.code == REFUSED
    assert "not the document that was attested" in ran.err


def test_what_is_no_bundle_or_was_changed_is_refused(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    place.make(target)
    assert place.make(target).code == REFUSED, "the folder is there"
    (target / "README.txt").write_text("trust me")
    ran = tallystick("bundle", "verify", target, "--settings", place.folder)
    assert ran.code == REFUSED
    assert "README.txt" in ran.err
    (target / "more").mkdir()
    assert tallystick("bundle", "verify", target, "--settings", place.folder).code == REFUSED
    assert tallystick("bundle", "verify", target).code == WRONG_USAGE


def test_only_an_officer_of_the_settings_signs(place: Place, tmp_path: Path) -> None:
    other = place.make(tmp_path / "a", officer="officer-1", key="officer-2")
    assert other.code == REFUSED
    assert "not the key of officer-1" in other.err
    assert "no officer nobody" in place.make(tmp_path / "b", officer="nobody").err


@pytest.mark.requirement("MFS-9.1-01")
def test_a_service_that_the_dossier_leaves_out_is_named(place: Place, tmp_path: Path) -> None:
    """Added to the programme later, its rows would be asked for by nobody, unseen."""
    dossier = place.folder / "dossier.json"
    kept = dossier.read_bytes()
    try:
        dossier.write_bytes(encode_canonical(Dossier(services=(Service.REMOTE_PAYMENT,))))
        said = "the programme offers proximate-payment, e-money, and dossier.json does not name it"
        ran = place.prove("--only", "rows.matrix")
        assert said in ran.err
        assert "of 250" not in ran.out
        assert f"{said}: its rows are not in the bundle" in place.make(tmp_path / "short").out
        (found,) = look_at_services(ProviderFolder(place.folder))
        assert found.state is State.SOON
        assert said in found.says
        assert "dossier.json" in found.remedy
    finally:
        dossier.write_bytes(kept)
    assert "does not name it" not in place.prove("--only", "rows.matrix").all
    assert list(look_at_services(ProviderFolder(place.folder))) == []


def test_nothing_is_bundled_before_anything_was_proved(tmp_path: Path) -> None:
    folder, secret = tmp_path / "provider", tmp_path / "secret"
    tallystick("init", "--no-analysis", folder, "--secret-file", secret)
    fresh = Place(folder, secret, "", 0)
    assert fresh.make(tmp_path / "bundle").code == REFUSED


def test_a_build_record_counts_for_the_rows_of_its_tests(place: Place, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(
        '<testsuite timestamp="2026-01-02T03:04:05+00:00"><testcase'
        ' classname="tests.attacks.test_changed_bundles"'
        ' name="test_a_thousand_changes_of_one_octet_are_each_refused"/></testsuite>'
    )
    target = tmp_path / "build.json"
    ran = tallystick(
        "bundle", "build-record", ROOT, "--results", report, "--commit", COMMIT, "--out", target
    )
    assert ran.code == 0, ran.all
    assert "1 tests passed, 0 failed" in ran.out
    rows = {one["requirement"]: one for one in json.loads(target.read_bytes())["requirements"]}
    assert rows["MFS-9.3-02"]["attempting"] == 1
    assert rows["MFS-9.1-01"]["passed"] == 0


def test_the_build_that_runs_is_taken_and_another_is_refused(place: Place, tmp_path: Path) -> None:
    report, key = tmp_path / "junit.xml", tmp_path / "build.key"
    report.write_text(
        '<testsuite timestamp="2026-01-02T03:04:05+00:00"><testcase'
        ' classname="tests.attacks.test_changed_bundles"'
        ' name="test_a_thousand_changes_of_one_octet_are_each_refused"/></testsuite>'
    )
    public = tallystick("bundle", "build-key", key).out.strip()

    def record(name: str, *more: object) -> Path:
        made = tallystick(
            "bundle", "build-record", ROOT, "--results", report, "--commit", COMMIT,
            "--out", tmp_path / name, *more,
        )  # fmt: skip
        assert made.code == 0, made.all
        return tmp_path / name

    plain, changed = record("plain.json"), record("changed.json", "--changed")
    signed = record("signed.json", "--key-file", key)
    once = ("--only", "rows.matrix")
    taken = place.prove("--build", plain, *once)
    assert taken.code == 0, taken.all
    assert f"build of {COMMIT[:12]}, unsigned: 1 tests passed" in taken.err
    refused = place.prove("--build", changed, *once)
    assert refused.code == REFUSED
    assert "changes that no commit has" in refused.err
    other = tmp_path / "other.json"
    text = plain.read_text()
    other.write_text(text.replace(json.loads(text)["source"], "0" * 64))
    assert "other source" in place.prove("--build", other, *once).err
    asked = place.prove("--build-key", public, "--build", plain, *once)
    assert asked.code == REFUSED
    assert "not signed by the key" in asked.err
    assert "signed by " in place.prove("--build", signed, *once).err
    (place.folder / "build-key.json").unlink()
    (place.folder / "build.json").unlink()


def test_a_bundle_becomes_a_workbook_and_is_compared_with_itself(
    place: Place, tmp_path: Path
) -> None:
    target, book = tmp_path / "bundle", tmp_path / "audit.xlsx"
    place.make(target)
    settings = ("--settings", place.folder)
    ran = tallystick("bundle", "workbook", target, *settings, "--out", book)
    assert ran.code == 0, ran.all
    assert book.read_bytes().startswith(b"PK")
    certificate = tmp_path / "module.yaml"
    certificate.write_text(
        "id: CC-1\ncomponent: module\nscheme: cc\nlevel: EAL5\nvan: AVA_VAN.5\n"
        "valid_from: 2020-01-01\nvalid_to: 2035-01-01\n"
    )
    both = ("bundle", "compare", target, target, *settings, "--their-settings", place.folder)
    ran = tallystick(*both)
    assert ran.code == 0, ran.all
    assert "lacks nothing" in ran.out
    ran = tallystick(*both, "--certificate", certificate, "--json")
    assert ran.code == FOUND_SOMETHING
    (lack,) = json.loads(ran.out)
    assert (lack["subject"], lack["ours"], lack["theirs"]) == ("module", "iso_18045_high", "none")
    (target / "README.txt").write_text("trust me")
    assert tallystick(*both).code == REFUSED
    assert tallystick("bundle", "workbook", target, *settings, "--out", book).code == REFUSED
