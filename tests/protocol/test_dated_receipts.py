"""A receipt stays dated when who stamped it is gone: stamps gathered, renewed, held against a log.

The provider, its log and the receipt are real; the stamping authorities are the test's own, so that
years can pass between their stamps.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from simulators.time_authority import Issued, issue
from tests.support.forged_stamps import Forger
from tests.support.served import served

from tallystick.entry.auditing import believed
from tallystick.entry.cli import dating
from tallystick.entry.cli.main import main
from tallystick.entry.dating.anchors import stamped_log
from tallystick.entry.dating.duty import stamp_once
from tallystick.entry.dating.gathered import gather, kept_stamps, lists, read_gathered, renew
from tallystick.entry.dating.receipts import (
    DatedReceipt,
    date_receipt,
    read_dated,
    verify_dated,
)
from tallystick.entry.pki.archiving import stamps_file
from tallystick.entry.pki.checkpoints import all_roots, keep_former_roots, keep_stamp
from tallystick.entry.pki.making import making
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.x509 import Certificate, certificates_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, NotFound
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt

NOW = SystemClock().now()
ROOT = issue("Root of stamps", days=(-30, 3650), curve=True)


def stamper(name: str, ends: int, at: int = 0) -> Forger:
    """Stamps `at` days from now, with a certificate that ends in `ends` days."""
    signer = issue(name, ROOT, stamps=True, days=(-20, ends), curve=True)
    when = datetime.now(UTC) + timedelta(days=at)
    return Forger(root=ROOT, signer=signer, at=when.strftime("%Y%m%d%H%M%SZ"))


def days(count: int) -> Instant:
    return Instant(NOW + count * DAY_MS)


@dataclass(frozen=True)
class Kept:
    folder: CertificateFolder
    early: Receipt
    late: Receipt
    notes: tuple[str, ...]


def prepare(provider: ProviderFolder, secret: Secret[bytes]) -> None:
    folder = CertificateFolder(provider)
    with making(folder, secret, SystemClock()) as made:
        made.hierarchy("Example Provider", ())
    folder.keep(folder.root / "authority-roots.pem", ROOT.pem())
    folder.save_settings(
        replace(
            folder.settings(),
            authority_url="https://tsa.example/",
            authority_roots="authority-roots.pem",
        )
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with served(tmp_path_factory.mktemp("dated") / "p", prepare=prepare) as provider:
        ann = provider.person("+254700000001", "Ann Wanjiru Payer", funds=5_000_000)
        ben = provider.person("+254700000002", "Ben Otieno Payee")

        def pay() -> Receipt:
            paid = ann.wallet.pay(PaymentKind.P2P, ben.number, Money(700, "KES"))
            return paid.receipt

        early, notes = pay(), [provider.platform.archive.note]
        late = pay()
        notes.append(provider.platform.archive.note)
        pay()
        notes.append(provider.platform.archive.note)
        yield Kept(CertificateFolder(provider.folder), early, late, tuple(notes))


@pytest.fixture
def folder(made: Kept) -> Iterator[CertificateFolder]:
    yield made.folder
    shutil.rmtree(made.folder.stamps, ignore_errors=True)


def roots() -> tuple[Certificate, ...]:
    return certificates_in(ROOT.pem())


@pytest.mark.requirement("MFS-7.2.7-04")
@pytest.mark.requirement("MFS-8.1.5-04")
@pytest.mark.requirement("MFS-7.3.3-07")
def test_a_receipt_stays_dated_after_two_certificates_have_ended(
    made: Kept, folder: CertificateFolder
) -> None:
    whose = believed(folder.provider)
    first, second, third = (
        stamper("First", 40),
        stamper("Second", 400, 10),
        stamper("Third", 800, 350),
    )
    for note in made.notes:
        keep_stamp(folder, note, first.authority().stamp)
    dated = date_receipt(made.early, folder, whose)
    found = verify_dated(dated, whose, roots(), days(1))
    assert (found.receipt.event.id, found.stamps) == (
        verify_dated(
            date_receipt(made.early, folder, whose), whose, roots(), days(1)
        ).receipt.event.id,
        1,
    )
    assert abs(found.before - NOW) < DAY_MS
    assert found.receipt.index < found.receipt.checkpoint.size
    with pytest.raises(NotAuthentic, match="the proof ended"):
        verify_dated(dated, whose, roots(), days(41))
    stamp_once(folder, "", second.authority().stamp, days(10))
    assert len(lists(folder)) == 1
    renewed = date_receipt(made.early, folder, whose)
    assert verify_dated(renewed, whose, roots(), days(41)).stamps == 2
    stamp_once(folder, "", third.authority().stamp, days(350))
    again = verify_dated(date_receipt(made.early, folder, whose), whose, roots(), days(700))
    assert (again.stamps, again.before) == (3, found.before)
    with pytest.raises(NotAuthentic, match="the proof ended"):
        verify_dated(renewed, whose, roots(), days(700))
    assert read_dated(encode_canonical(renewed)) == renewed
    with pytest.raises(Malformed):
        read_dated(encode_canonical(made.early))


def test_nothing_is_gathered_before_it_is_due_and_then_only_once(
    made: Kept, folder: CertificateFolder
) -> None:
    long = stamper("Long", 1000).authority().stamp
    assert gather(folder, long, roots(), days(0)) is None
    keep_stamp(folder, made.notes[0], long)
    assert gather(folder, long, roots(), days(29)) is None
    made_list = gather(folder, long, roots(), days(31))
    assert made_list is not None
    assert [one.size for one in read_gathered(made_list.read_bytes()).entries] == [
        int(one.stem) for one in kept_stamps(folder)
    ]
    assert gather(folder, long, roots(), days(62)) is None
    assert renew(folder, long, roots(), days(62)) == ()
    keep_stamp(folder, made.notes[1], long)
    newer = gather(folder, long, roots(), days(62))
    assert newer is not None
    assert [len(read_gathered(one.read_bytes()).entries) for one in lists(folder)] == [1, 1]
    assert renew(folder, stamper("Later", 2000, 950).authority().stamp, roots(), days(950)) == (
        made_list,
        newer,
    )


def test_one_damaged_stamp_is_told_and_the_rest_is_gathered_and_renewed(
    made: Kept, folder: CertificateFolder
) -> None:
    whose = believed(folder.provider)
    stamp = stamper("Sound", 1000).authority().stamp
    for note in made.notes:
        keep_stamp(folder, note, stamp)
    first, second, third = kept_stamps(folder)
    whole = first.read_bytes()
    first.write_bytes(whole[:-9])
    assert [name for name, _ in stamp_once(folder, "", stamp, days(31))] == [first.name]
    (gathered,) = lists(folder)
    named = [one.size for one in read_gathered(gathered.read_bytes()).entries]
    assert named == [int(second.stem), int(third.stem)]
    first.write_bytes(whole)
    assert stamp_once(folder, "", stamp, days(32)) == ()
    assert len(lists(folder)) == 2, "what was put right is gathered by itself"
    assert verify_dated(date_receipt(made.early, folder, whose), whose, roots(), days(33))
    again, other = lists(folder)
    other.write_bytes(b"{}")
    later = stamper("Later", 2000, 950).authority().stamp
    told = stamp_once(folder, "", later, days(950))
    assert {name for name, _ in told} == {f"gathered/{other.name}"}
    assert stamps_file(again).read_bytes() != stamps_file(other).read_bytes()
    assert renew(folder, later, roots(), days(950)) == (), "the whole list was renewed already"
    assert other.read_bytes() == b"{}", "it is left as it is, for a copy to be put back"


@pytest.mark.threat("THR-INS-03")
def test_a_stamp_gathered_too_late_or_changed_or_of_another_log_proves_nothing(
    made: Kept, folder: CertificateFolder
) -> None:
    whose = believed(folder.provider)
    short = stamper("Short", 5).authority().stamp
    late = stamper("Late", 400, 20).authority().stamp
    keep_stamp(folder, made.notes[1], short)
    honest = date_receipt(made.late, folder, whose)
    gather(folder, late, roots(), days(20))
    with pytest.raises(NotAuthentic, match="gathered when it proved nothing"):
        verify_dated(date_receipt(made.late, folder, whose), whose, roots(), days(21))
    shutil.rmtree(folder.stamps / "gathered")
    gather(folder, stamper("In time", 400, 1).authority().stamp, roots(), days(1))
    good = date_receipt(made.late, folder, whose)
    assert verify_dated(good, whose, roots(), days(100)).stamps == 2
    assert good.gathered is not None
    listed = read_gathered(b64url_decode(good.gathered.list))
    other = replace(listed.entries[0], sha512=b64url(bytes(64)))
    bent = encode_canonical(replace(listed, entries=(other,)))
    for wrong in (
        replace(good, gathered=replace(good.gathered, list=b64url(bent))),
        replace(good, gathered=replace(good.gathered, list=b64url(bent[:-1]))),
        replace(good, receipt=made.early),
        replace(good, receipt=replace(good.receipt, index=good.receipt.index - 1)),
        replace(good, kept=b64url(b64url_decode(good.kept)[:-3])),
    ):
        with pytest.raises((NotAuthentic, Malformed)):
            verify_dated(wrong, whose, roots(), days(2))
    stranger: Issued = issue("Stranger", curve=True)
    with pytest.raises(NotAuthentic):
        verify_dated(honest, whose, certificates_in(stranger.pem()), days(2))


def test_a_receipt_that_no_stamp_covers_yet_says_so(made: Kept, folder: CertificateFolder) -> None:
    keep_stamp(folder, made.notes[0], stamper("One", 400).authority().stamp)
    with pytest.raises(NotFound, match="no checkpoint over this event is stamped yet"):
        date_receipt(made.late, folder, believed(folder.provider))


@pytest.mark.requirement("MFS-7.3.3-07")
def test_an_audit_holds_the_log_against_every_stamp(made: Kept, folder: CertificateFolder) -> None:
    whose = believed(folder.provider)
    stamp = stamper("Audited", 400).authority().stamp
    for note in made.notes:
        keep_stamp(folder, note, stamp)
    clean = stamped_log(folder, whose, roots(), days(1))
    assert (len(clean.anchors), clean.findings, clean.ended) == (3, (), 0)
    assert stamped_log(folder, whose, roots(), days(401)).ended == 3
    gather(folder, stamp, roots(), days(320))
    assert stamped_log(folder, whose, roots(), days(401)).ended == 0
    newest = kept_stamps(folder)[-1]
    newest.rename(newest.with_name("999999.json"))
    (found,) = stamped_log(folder, whose, roots(), days(1)).findings
    assert (found.kind, found.row) == ("time stamp", "checkpoint 999999")
    (folder.stamps / "999999.json").rename(newest)
    stamps_file(lists(folder)[0]).write_bytes(b"{}")
    kinds = [one.kind for one in stamped_log(folder, whose, roots(), days(1)).findings]
    assert kinds == ["time stamp"]


def test_roots_of_an_authority_that_stamped_before_go_on_counting(
    made: Kept, folder: CertificateFolder
) -> None:
    keep_stamp(folder, made.notes[0], stamper("Before", 400).authority().stamp)
    keep_former_roots(folder)
    keep_former_roots(folder)
    mine = folder.root / "authority-roots.pem"
    mine.write_bytes(issue("Another root", curve=True).pem())
    try:
        whose = believed(folder.provider)
        assert stamped_log(folder, whose, all_roots(folder), days(1)).findings == ()
        assert stamped_log(folder, whose, certificates_in(mine.read_bytes()), days(1)).findings
    finally:
        mine.write_bytes(ROOT.pem())
    assert (folder.root / "former-roots.pem").read_bytes().count(b"BEGIN") == 1


def test_the_command_dates_a_receipt_and_another_verifies_it(
    made: Kept,
    folder: CertificateFolder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[bytes] = []

    def counted(octets: bytes) -> DatedReceipt:
        decoded.append(octets)
        return read_dated(octets)

    monkeypatch.setattr(dating, "read_dated", counted)

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        said = capsys.readouterr()
        return int(str(stopped.value.code or 0)), said.out + said.err

    for note in made.notes:
        keep_stamp(folder, note, stamper("Told", 400).authority().stamp)
    receipt, dated, root = (tmp_path / one for one in ("receipt.json", "dated.json", "root.pem"))
    receipt.write_bytes(encode_canonical(made.early))
    root.write_bytes(ROOT.pem())
    place = str(folder.provider.root)
    code, said = run("receipt", "date", str(receipt), place, "--out", str(dated))
    assert (code, "in the log before" in said) == (0, True)
    assert isinstance(read_dated(dated.read_bytes()), DatedReceipt)
    code, said = run("receipt", "verify", str(dated), "--settings", place, "--root", str(root))
    assert code == 0
    assert "dated: it was in the log before" in said
    assert "one stamp" in said
    assert len(decoded) == 1, "the dated receipt was decoded more than once"
    code, said = run("receipt", "verify", str(dated), "--settings", place)
    assert (code, "pki show FOLDER root" in said) == (1, True)
    code, said = run("tally", "verify", place)
    assert "compared with 3 time stamps" in said
    assert code == 0
