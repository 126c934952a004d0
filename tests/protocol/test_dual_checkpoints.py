"""The log signed twice, by Ed25519 and ML-DSA-65: taken whole, refused when one is stripped."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.cast import Cast, Person
from simulators.tour.provider import TourProvider
from tests.support.toured import toured
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.auditing import audit_provider, listed_keys
from tallystick.infrastructure.crypto.dual import DUAL, DualSigningKey, DualVerifyKey
from tallystick.infrastructure.crypto.eddsa import Ed25519SigningKey
from tallystick.infrastructure.tally.checkpoint import NoteKey, NoteSigner
from tallystick.infrastructure.tally.verify import verify_checkpoint, verify_receipt
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.receipt import Receipt

ORIGIN = "test-wallet/tally/1"
ROOT = base64.b64encode(bytes(range(32))).decode()
TEXT = f"{ORIGIN}\n7\n{ROOT}\n"


def lines_of(note: str) -> tuple[str, list[str]]:
    text, _, tail = note.rpartition("\n\n")
    return text + "\n\n", [line + "\n" for line in tail.splitlines()]


@pytest.mark.requirement("MFS-7.4.2-12")
def test_a_note_of_a_dual_key_needs_both_lines_and_each_of_them() -> None:
    signing = DualSigningKey.generate()
    note, public = NoteSigner.of(ORIGIN, signing).note(TEXT), signing.public()
    verify_checkpoint(note, public, origin=ORIGIN)
    verify_checkpoint(note, public.classical, origin=ORIGIN)
    text, lines = lines_of(note)
    assert len(lines) == 2
    for kept in lines:
        with pytest.raises(NotAuthentic):
            verify_checkpoint(text + kept, public, origin=ORIGIN)
    verify_checkpoint(text + "".join(reversed(lines)), public, origin=ORIGIN)
    other = NoteSigner.of(ORIGIN, DualSigningKey.generate()).note(TEXT)
    for mixed in (lines[0] + lines_of(other)[1][1], lines_of(other)[1][0] + lines[1]):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(text + mixed, public, origin=ORIGIN)
    octets = bytearray(base64.b64decode(lines[1].split(" ")[2]))
    octets[-1] ^= 1
    forged = f"\u2014 {ORIGIN} {base64.b64encode(octets).decode()}\n"
    for wrong in (lines[0] + forged, "".join(lines) + forged):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(text + wrong, public, origin=ORIGIN)


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_who_has_broken_ed25519_forges_nothing_under_a_dual_key() -> None:
    classical = Ed25519SigningKey.generate()
    public = DualSigningKey(classical, bytes(32)).public()
    broken = DualSigningKey(classical, b"\x01" * 32)
    for note in (
        NoteSigner.of(ORIGIN, classical).note(TEXT),
        NoteSigner.of(ORIGIN, broken).note(TEXT),
        NoteSigner(NoteKey(ORIGIN, public), broken.sign).note(TEXT),
    ):
        with pytest.raises(NotAuthentic):
            verify_checkpoint(note, public, origin=ORIGIN)


@pytest.fixture(scope="module")
def hybrid(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[TourProvider, Cast, Person, Receipt]]:
    with toured(tmp_path_factory.mktemp("hybrid")) as (provider, cast):
        payer = cast.person("+254700000061", "Payer", funds=100_000)
        payee = cast.person("+254700000062", "Payee")
        before = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(100, "KES")).receipt
        provider.stop()
        root: Path = provider.folder.root
        renewed = tallystick(
            "keys", "renew", root, "--root-key", provider.folder.offline / "root.key",
            "--suite", "hybrid", "--secret-file", root.parent / "secret",
        )  # fmt: skip
        assert renewed.code == 0, renewed.all
        provider.serve(provider.port)
        yield provider, cast, payer, before


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-7.3.3-07")
def test_the_provider_signs_twice_once_its_list_says_so(
    hybrid: tuple[TourProvider, Cast, Person, Receipt],
) -> None:
    provider, cast, first, before = hybrid
    listed = [one for one in listed_keys(provider.folder).entries if one.purpose == "tally"]
    assert [one.algorithm for one in listed] == ["EdDSA", DUAL]
    cast.reached.close()
    later = Cast(
        provider.url, cast.provider, cast.origin, cast.root, cast.smsc, cast.clock,
        operators=cast.operators,
    )  # fmt: skip
    key = later.tally_key()
    assert isinstance(key, DualVerifyKey)
    payer = later.person("+254700000063", "Second", funds=50_000)
    paid = payer.wallet.pay(PaymentKind.P2P, "+254700000062", Money(100, "KES")).receipt
    verify_receipt(paid, key, origin=cast.origin)
    text, lines = lines_of(paid.checkpoint)
    assert len(lines) == 2
    assert 4_400 < len(lines[1]) < 4_600
    with pytest.raises(NotAuthentic, match="second signature"):
        verify_receipt(replace(paid, checkpoint=text + lines[0]), key, origin=cast.origin)
    with pytest.raises(NotAuthentic):
        verify_receipt(before, key, origin=cast.origin)
    again = later.wallet(later.reached.session(first.keystore), first.keystore)
    assert first.keystore.checkpoint() == before.checkpoint
    goes_on = again.pay(PaymentKind.P2P, "+254700000062", Money(100, "KES")).receipt
    verify_receipt(goes_on, key, origin=cast.origin)
    later.close()
    provider.stop()
    assert not audit_provider(provider.folder, ()).findings
    assert ListedPurpose.TALLY.value == "tally"
