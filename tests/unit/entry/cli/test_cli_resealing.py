"""What opens the master key can be changed: custodians' shares, a passphrase, another secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.entry.cli.command_line import Ran, tallystick

PHRASE = "correct horse battery staple"


@pytest.fixture
def provider(tmp_path: Path) -> Path:
    made = tallystick(
        "init",
        "--no-analysis",
        tmp_path / "p",
        "--secret-out",
        tmp_path / "secret",
        "--codes-file",
        tmp_path / "codes",
    )
    assert made.code == 0, made.all
    return tmp_path / "p"


def descriptor_of(text: str) -> int:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def opens(provider: Path, *how: object) -> Ran:
    """Whether the master key opens that way: the key list is signed anew with it."""
    root = provider / "offline" / "root.key"
    secret = provider.parent / "secret"
    return tallystick("keys", "renew", provider, "--root-key", root, "--secret-file", secret, *how)


def under_shares(provider: Path, shares: int, threshold: int) -> list[Path]:
    folder = provider.parent / "shares"
    done = tallystick(
        "keys", "reseal", provider, "--secret-file", provider.parent / "secret",
        "--shares", shares, "--threshold", threshold, "--out", folder,
    )  # fmt: skip
    assert done.code == 0, done.all
    assert f"any {threshold} of the {shares} shares" in done.out
    return sorted(folder.iterdir())


def given(shares: list[Path]) -> list[object]:
    return [word for share in shares for word in ("--share", share)]


@pytest.mark.requirement("MFS-7.4.2-04")
def test_fewer_custodians_than_it_takes_cannot_open_it(provider: Path) -> None:
    shares = under_shares(provider, 5, 3)
    assert len(shares) == 5
    assert all(path.stat().st_mode & 0o077 == 0 for path in shares)
    assert opens(provider, *given(shares[1:4])).code == 0
    assert opens(provider, *given(shares[2:5])).code == 0
    few = opens(provider, *given(shares[:2]))
    assert few.code == 1
    assert "2 of 3 shares were given" in few.err
    same = opens(provider, *given([shares[0]] * 3))
    assert same.code == 1
    old = opens(provider)
    assert old.code == 1
    assert "opened by shares" in old.err


def test_a_share_with_a_typing_error_is_named(provider: Path) -> None:
    shares = under_shares(provider, 3, 2)
    text = shares[0].read_text()
    shares[0].write_text(text.replace(text[20], "0" if text[20] != "0" else "1", 1))
    wrong = opens(provider, *given(shares[:2]))
    assert wrong.code == 1
    assert "share" in wrong.err
    assert text.strip()[12:] not in wrong.all


def test_a_service_is_opened_by_custodians(provider: Path) -> None:
    shares = under_shares(provider, 3, 2)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tallystick.entry.cli", "serve", provider, "--port", "0",
            *map(str, given(shares[1:])),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout.readline().startswith("listening on ")
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.stdout.close()
    fine = tallystick("recheck", provider, *given(shares[:2]))
    assert fine.code == 0, fine.all


def test_a_passphrase_opens_it_and_another_secret_after_it(provider: Path) -> None:
    secret = provider.parent / "secret"
    done = tallystick(
        "keys", "reseal", provider, "--secret-file", secret,
        "--new-passphrase-fd", descriptor_of(PHRASE + "\n"),
    )  # fmt: skip
    assert done.code == 0, done.all
    assert opens(provider, "--master-passphrase-fd", descriptor_of(PHRASE)).code == 0
    wrong = opens(provider, "--master-passphrase-fd", descriptor_of("another passphrase"))
    assert wrong.code == 1
    assert "check the passphrase" in wrong.err
    fresh = provider.parent / "fresh"
    back = tallystick(
        "keys", "reseal", provider, "--master-passphrase-fd", descriptor_of(PHRASE),
        "--new-secret", fresh,
    )  # fmt: skip
    assert back.code == 0, back.all
    assert fresh.stat().st_mode & 0o077 == 0
    assert tallystick("recheck", provider, "--secret-file", secret).code == 1
    again = tallystick("keys", "reseal", provider, "--secret-file", fresh, "--new-secret", fresh)
    assert again.code == 1, "a file that is there is not written over"


@pytest.mark.parametrize(
    "how",
    [
        (),
        ("--shares", 3),
        ("--shares", 3, "--threshold", 2),
        ("--shares", 3, "--threshold", 2, "--out", "x", "--new-secret", "y"),
    ],
)
def test_half_an_instruction_changes_nothing(provider: Path, how: tuple[object, ...]) -> None:
    before = (provider / "master.sealed").read_bytes()
    done = tallystick("keys", "reseal", provider, "--secret-file", provider.parent / "secret", *how)
    assert done.code == 2
    assert "say how to seal it" in done.err
    assert (provider / "master.sealed").read_bytes() == before


def test_several_openers_at_once_are_refused(provider: Path) -> None:
    shares = under_shares(provider, 3, 2)
    both = tallystick(
        "recheck", provider, "--secret-file", provider.parent / "secret", *given(shares[:2])
    )
    assert both.code == 2
    assert "not several of them" in both.err
    two = tallystick("recheck", provider, "--master-passphrase-fd", 0, *given(shares[:2]))
    assert two.code == 2


@pytest.mark.parametrize(("shares", "threshold"), [(3, 1), (2, 3), (300, 2)])
def test_numbers_that_cannot_be_are_refused(provider: Path, shares: int, threshold: int) -> None:
    before = (provider / "master.sealed").read_bytes()
    done = tallystick(
        "keys", "reseal", provider, "--secret-file", provider.parent / "secret",
        "--shares", shares, "--threshold", threshold, "--out", provider.parent / "shares",
    )  # fmt: skip
    assert done.code == 1
    assert (provider / "master.sealed").read_bytes() == before
    assert not (provider.parent / "shares").exists()


def test_shares_that_cannot_be_written_leave_the_key_as_it_was(provider: Path) -> None:
    before = (provider / "master.sealed").read_bytes()
    (provider.parent / "shares").mkdir()
    done = tallystick(
        "keys", "reseal", provider, "--secret-file", provider.parent / "secret",
        "--shares", 3, "--threshold", 2, "--out", provider.parent / "shares",
    )  # fmt: skip
    assert done.code == 1
    assert "name a new folder" in done.err
    assert (provider / "master.sealed").read_bytes() == before
