"""A control fails at run time: a risk rises, a policy is proposed, a finding flips; and back.

Real probes beside a served provider, real doors, one line of time.
"""

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("highspy")

from tests.support.served import Served, served
from tests.support.stores import ON_SERVER
from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.isms.kept import text

from tallystick.entry import evidence
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.entry.evidence import DOCUMENTS, DOSSIER_FILE
from tallystick.entry.looping import Looping, Rounded
from tallystick.entry.observing import known_of, recorded
from tallystick.entry.proving.bundling import basis_and_proofs, whose_bundle
from tallystick.entry.proving.site import Site
from tallystick.entry.reporting import lines_in
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.bundle import make_bundle, verify_bundle
from tallystick.process.conformance.dossier import Document, Dossier
from tallystick.process.derivation.basis import Header, basis_of
from tallystick.process.derivation.derive import derive
from tallystick.process.derivation.rules import load_rules
from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import profile_text
from tallystick.process.risk.analysis import Options, analyse
from tallystick.process.risk.packs import pack_for

CLOCK = SystemClock()
WITHIN_S = 60.0
TODAY = iso_utc(CLOCK.now())[:10]
CERTIFICATE = """
id: CMVP-4711
component: Example module
scheme: fips-140-3
level: "3"
valid_from: 2025-01-01
valid_to: 2040-01-01
"""


@dataclass
class Watched:
    """A served provider with a loop beside it."""

    provider: Served
    looping: Looping
    scratch: Path

    def round(self) -> Rounded:
        return self.looping.round()

    def finding(self, row: str) -> str:
        """The state of `row` by what is recorded alone, as a bundle would have it."""
        programme = self.looping._ground.programme
        known = known_of(self.provider.folder, programme, catalogue(), CLOCK)
        return next(one.state.value for one in known.findings if one.requirement == row)

    def signing(self) -> list[object]:
        secret = self.scratch / "secret"
        if not secret.exists():
            secret.write_bytes(self.provider.secret.reveal())
            secret.chmod(0o600)
        key = self.provider.folder.offline / "officer-1.key"
        return ["--officer", "officer-1", "--key-file", key, "--secret-file", secret]

    def bundled(self) -> dict[str, int]:
        """How many rows are in each state in a bundle of all that is recorded; it verifies."""
        folder = self.provider.folder

        def whole() -> bool:
            with suppress(NotFound):
                return len(basis_and_proofs(folder, CLOCK, DAY_MS)[0].runs) == len(
                    recorded(folder)[0]
                )
            return False

        until(whole)
        basis, proofs = basis_and_proofs(folder, CLOCK, DAY_MS)
        key = open_officer_key(folder.offline / "officer-1.key", self.provider.secret)
        files = make_bundle(basis, catalogue(), proofs, key, "officer-1")
        return verify_bundle(files, whose_bundle(folder.settings()), catalogue()).lock.counts


def own_programme() -> str:
    return profile_text("mobile-money-operator", provider="test-wallet", currency="KES")


def derived_policy() -> str:
    """The policy of the programme, as the command derives it."""
    programme = read_programme(own_programme())
    pack = pack_for(programme.uses)
    analysis = analyse(programme, pack, options=Options(years=100))
    header = Header("test-wallet", 1, 1_767_225_600_000, "+03:00", "demo")
    text = derive(load_rules(), basis_of(load_rules(), programme, pack, analysis, header)).text
    return text.replace(
        "suites: [hpke-mlkem768-x25519]", "suites: [hpke-mlkem768-x25519, hpke-x25519, hpke-p256]"
    )


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory):
    scratch = tmp_path_factory.mktemp("loop")
    patch = pytest.MonkeyPatch()
    patch.setattr(evidence, "EVERY_S", 0.2)
    with served(scratch / "p", policy_text=derived_policy()) as provider:
        provider.folder.programme_file.write_text(own_programme())
        looping = Looping(Site(provider.folder, CLOCK, url=provider.url))
        ready = Watched(provider, looping, scratch)
        settled(ready)  # probes that look back at runs have one to look at
        yield ready
    patch.undo()


def speaks_for(provider: Served, row: str) -> None:
    """Put a document that speaks for `row` into the dossier."""
    octets = b"The certificate of the chip that is in use."
    folder = provider.folder.root
    (folder / DOCUMENTS).mkdir()
    (folder / DOCUMENTS / "chip.txt").write_bytes(octets)
    document = Document(
        file="chip.txt",
        title="Certificate of the chip",
        sha256=sha256(octets).hex(),
        requirements=(row,),
        owner="ciso",
        scope="every telephone with a chip",
        issued=CLOCK.now() - DAY_MS,
        valid_until=CLOCK.now() + DAY_MS,
    )
    (folder / DOSSIER_FILE).write_bytes(encode(Dossier(documents=(document,))))


def until(what: Callable[[], bool]) -> None:
    ends = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.1)


def settled(watched: Watched) -> Rounded:
    """A round after which the service has recorded everything that was left for it."""
    done = watched.round()
    until(lambda: not list((watched.provider.folder.root / "evidence").glob("*.json")))
    return done


def falls_and_comes_back(
    watched: Watched,
    control: str,
    asset: str,
    row: str,
    breaks: Callable[[], None],
    mends: Callable[[], None],
) -> None:
    before = settled(watched)
    assert before.state.controls[control] == "enforced"
    assert before.proposal is None
    was = watched.finding(row)
    assert was in {"satisfied", "stale"}
    counted = watched.bundled()
    began = time.monotonic()
    breaks()
    fallen = settled(watched)
    assert control in fallen.fallen
    assert fallen.line is not None
    moved = fallen.line.residual[asset]
    assert moved.after.above(moved.before), moved
    assert asset in {one.asset for one in fallen.rises}
    assert fallen.proposal is not None
    reasons = json.loads(fallen.proposal.with_suffix(".reasons.json").read_text())
    assert control in reasons["fallen"]
    assert not reasons["looser"], "a policy that was derived is only ever tightened"
    assert any("per payment" in one for one in reasons["changes"])
    proposed = compile_policy(read_policy(fallen.proposal.read_text()))
    assert proposed.version == fallen.state.policy_version + 1
    assert watched.finding(row) == "not-satisfied"
    assert row in {one.requirement for one in fallen.line.findings}
    assert watched.bundled()["not-satisfied"] > counted["not-satisfied"]
    took = time.monotonic() - began
    print(
        f"\n{control} fell: {asset} {moved.before.risk}/{moved.before.open} ->"
        f" {moved.after.risk}/{moved.after.open}, {row} {watched.finding(row)},"
        f" {len(reasons['changes'])} changes proposed; all within {took:.1f} s"
    )
    assert took < WITHIN_S
    assert lines_in(watched.provider.folder)[-1] == fallen.line
    quiet = settled(watched)
    assert quiet.line is None, "nothing changed since"
    assert quiet.proposal == fallen.proposal
    mends()
    mended = settled(watched)
    assert mended.state.controls[control] == "enforced"
    assert control not in mended.fallen
    assert mended.state.residual[asset] == moved.before
    assert mended.proposal is None
    assert watched.finding(row) == was
    assert watched.bundled() == counted


@pytest.mark.requirement("MFS-7.2.1-01")
def test_a_private_file_that_others_can_read(watched: Watched) -> None:
    file = watched.provider.folder.master_file
    falls_and_comes_back(
        watched,
        "no-default-access",
        "rules",
        "MFS-7.2.1-01",
        lambda: file.chmod(0o644),
        lambda: file.chmod(0o600),
    )


@pytest.mark.skipif(ON_SERVER, reason="the store is on a server and no file")
@pytest.mark.requirement("MFS-7.3.3-07")
def test_a_row_of_the_book_that_somebody_changed(watched: Watched) -> None:
    watched.provider.person("+254700000001", "Ann")

    def add(sum_: int) -> None:
        with sqlite3.connect(watched.provider.folder.database_file, timeout=10) as link:
            sql = (
                "UPDATE account SET posted_debit = posted_debit + ?"
                " WHERE id = (SELECT min(id) FROM account)"
            )
            assert link.execute(sql, (sum_,)).rowcount == 1

    settled(watched)
    assert watched.round().state.controls["tamper-evident-log"] == "enforced"
    add(1)
    fallen = settled(watched)
    assert "tamper-evident-log" in fallen.fallen
    moved = fallen.line.residual["balance"]
    assert moved.after.above(moved.before), fallen.line.residual
    assert fallen.proposal is not None
    print(f"\na changed row: balance {moved.before} -> {moved.after}")
    add(-1)
    assert settled(watched).state.controls["tamper-evident-log"] == "enforced"


@pytest.mark.requirement("MFS-9.1-01")
def test_a_certificate_is_withdrawn_through_its_door(watched: Watched) -> None:
    provider, scratch = watched.provider, watched.scratch
    gone = scratch / "gone.json"

    def signed(name: str) -> Path:
        source, target = scratch / f"{name}.yaml", scratch / f"{name}.json"
        source.write_text(CERTIFICATE.replace("CMVP-4711", name))
        ran = tallystick("certificate", "add", source, "--out", target, *watched.signing())
        assert ran.code == 0, ran.all
        return target

    def relies_on(name: str) -> None:
        parts = (
            f'  hsm: {{version: "2", owner: cto, strength: enhanced-basic, certificate: {name}}}\n'
        )
        provider.folder.registers.mkdir(exist_ok=True)
        (provider.folder.registers / "components.yaml").write_text(text("components", parts, TODAY))

    def sends(file: Path) -> None:
        ran = tallystick("certificate", "send", file, provider.url)
        assert ran.code == 0, ran.all

    speaks_for(provider, "MFS-8.1.4-01")
    sends(signed("CMVP-4711"))
    relies_on("CMVP-4711")
    ran = tallystick("certificate", "withdraw", "CMVP-4711", "--because", "revoked", "--out", gone,
                     *watched.signing())  # fmt: skip
    assert ran.code == 0, ran.all

    def another() -> None:
        sends(signed("CMVP-4712"))
        relies_on("CMVP-4712")

    falls_and_comes_back(
        watched, "certified-element", "pin", "MFS-9.1-01", lambda: sends(gone), another
    )


@pytest.mark.skipif(ON_SERVER, reason="the store is on a server and no file")
@pytest.mark.requirement("MFS-7.2.6-01")
def test_the_share_of_telephones_with_a_proven_key_drops(watched: Watched) -> None:
    """No appraisal of platform evidence exists yet, so the test says which telephones had it."""

    def all_proved() -> None:
        with sqlite3.connect(watched.provider.folder.database_file, timeout=10) as link:
            link.execute("UPDATE device SET trust = 'attested-hardware'")

    def enrol() -> None:
        for number in range(10, 16):
            watched.provider.person(f"+2547000000{number}", "Somebody")

    watched.provider.person("+254700000002", "Ben")
    all_proved()
    falls_and_comes_back(watched, "attestation", "pin", "MFS-7.2.6-01", enrol, all_proved)
    parts = [
        (turned.was, turned.now)
        for line in lines_in(watched.provider.folder)
        for turned in line.turned
        if turned.control == "attestation"
    ]
    assert parts[-2:] == [("enforced", "in part"), ("in part", "enforced")]


def test_the_line_of_time_tells_it_all_in_order(watched: Watched) -> None:
    lines = lines_in(watched.provider.folder)
    told = [one.control for line in lines for one in line.turned]
    assert told.count("no-default-access") >= 2, "it fell and came back"
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    runs, _ = recorded(watched.provider.folder)
    assert any(
        one.check == "files.modes" and one.verdict.value == "fail"
        for run in runs
        for one in run.observations
    )
    ran = tallystick("loop", "run", watched.provider.folder.root, "--once", "--url",
                     watched.provider.url)  # fmt: skip
    assert ran.code == 4, ran.all
    assert "places open" in ran.out
    ran = tallystick("risk", "observe", watched.provider.folder.root)
    assert ran.code == 0, ran.all
    assert re.search(r"no-default-access +yes +enforced +probes", ran.out)
    assert re.search(r"dialled-cap +yes +enforced +policy +the policy in force has row", ran.out)
    assert re.search(r"masking +yes +unknown +nothing +no build record", ran.out)
