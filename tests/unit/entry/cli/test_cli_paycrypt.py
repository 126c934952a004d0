"""The commands about the payment cryptography door."""

import stat
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from tests.support.paycrypt import door, settings

from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.main import main
from tallystick.entry.paycrypt.authorities import Authorities
from tallystick.entry.paycrypt.listening import place_of
from tallystick.entry.paycrypt_settings import FILE, PaycryptSettings, Row, paycrypt_settings
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret

PROGRAM = "wkl_01h00000000000000000000000"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def provider(tmp_path, capsys):
    folder, secret = tmp_path / "provider", tmp_path / "secret"
    assert run("init", str(folder), "--secret-out", str(secret)) == 0
    capsys.readouterr()
    return folder, secret


@pytest.mark.requirement("MFS-7.4.2-01")
def test_the_secret_is_the_same_each_time_private_and_not_printed(tmp_path, capsys):
    first, second, folder = tmp_path / "one", tmp_path / "two", str(tmp_path / "provider")
    secret = tmp_path / "secret"
    with door(tmp_path / "provider") as scene:
        secret.write_bytes(scene.provider.secret.reveal())
        given = ("paycrypt", "credential", folder, scene.program, "--secret-file", str(secret))
        assert run(*given, "--out", str(first)) == 0
    assert run(*given, "--out", str(second)) == 0
    assert first.read_text() == second.read_text()
    assert len(first.read_text().strip()) == 43
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert first.read_text().strip() not in capsys.readouterr().out
    assert run(*given, "--out", str(first)) == 1
    assert run("paycrypt", "show", folder) == 0
    assert "closed-loop" in capsys.readouterr().out


def test_a_provider_that_let_nobody_in_has_no_secret_to_hand_over(provider, tmp_path, capsys):
    folder, secret = provider
    (folder / FILE).write_bytes(encode(settings()))
    out = tmp_path / "out"
    given = ("paycrypt", "credential", str(folder), "--secret-file", str(secret), "--out", str(out))
    assert run(*given, PROGRAM) == 1
    assert "has no record yet" in capsys.readouterr().err
    assert not out.exists()


def test_a_service_without_the_settings_of_the_door_says_that_and_nothing_else(provider):
    folder, secret = provider
    ran = subprocess.run(
        [sys.executable, "-m", "tallystick.entry.cli", "serve", folder, "--secret-file", secret,
         "--port", "0", "--payment-cryptography", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        "tallystick 0.1.0: not in the register of releases",
        "error: the provider has no payment cryptography door",
        "-> write paycrypt.json, or serve without --payment-cryptography",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"v":1,"use":"closed-lop"}',
            "paycrypt.json: Invalid enum value 'closed-lop' - at `$.use`",
        ),
        ('{"v":1,"regin":"x"}', "paycrypt.json: Object contains unknown field `regin`"),
        ('{"v":1,', "paycrypt.json: Input data was truncated"),
    ],
)
def test_a_mistake_in_the_settings_is_said_with_the_file_and_the_place(tmp_path, text, said):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Malformed) as told:
        paycrypt_settings(tmp_path)
    assert told.value.detail == said
    assert told.value.remedy == "correct paycrypt.json"


@pytest.mark.requirement("MFS-7.4.2-01")
def test_the_authorities_of_the_door_are_shown_and_compared(provider, tmp_path, capsys):
    folder, secret = provider
    (folder / FILE).write_bytes(encode(settings()))
    out = tmp_path / "authorities.pem"
    given = ("paycrypt", "authorities", str(folder), "--secret-file", str(secret))
    assert run(*given) == 0
    platform = open_platform(ProviderFolder(folder), Secret(secret.read_bytes()))
    kept = platform.folder
    made = Authorities(platform.paycrypt, kept.blocks(), kept.save_block)
    handles = [made.of(one) for one in ("RSA_2048", "ECC_NIST_P256")]
    platform.close()
    capsys.readouterr()
    assert run(*given, "--out", str(out)) == 0
    said = capsys.readouterr().out.replace("\n", "").replace(" ", "")
    found = x509.load_pem_x509_certificates(out.read_bytes())
    assert len(found) == len(handles) == 2
    for one in found:
        one.verify_directly_issued_by(one)
        assert one.fingerprint(SHA256()).hex()[:16] in said


def test_without_a_door_there_is_nothing_to_show(provider):
    assert run("paycrypt", "show", str(provider[0])) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "anything"}, {"account": "1"}, {"region": "here"}, {"rate": 0}, {"more": 1},
        {"decimalisation": "0000000000000000"}, {"v": 2},
    ],
)  # fmt: skip
def test_settings_of_another_form_are_refused(tmp_path, changed) -> None:
    good = {"v": 1, "use": "test", "rows": []}
    (tmp_path / FILE).write_bytes(encode(good))
    assert isinstance(paycrypt_settings(tmp_path), PaycryptSettings)
    (tmp_path / FILE).write_bytes(encode({**good, **changed}))
    with pytest.raises(Malformed):
        paycrypt_settings(tmp_path)


def test_rows_let_in_what_they_name_and_nothing_else() -> None:
    row = Row(programs=(PROGRAM,), actions=("Generate*", "GetKey"), resources=("alias/a/*",))
    fixed = settings(rows=(row,))
    assert fixed.allows(PROGRAM, "GenerateMac", "alias/a/b")
    for asked in (
        ("wkl_x", "GenerateMac", "alias/a/b"),
        (PROGRAM, "VerifyMac", "alias/a/b"),
        (PROGRAM, "GenerateMac", "alias/b"),
        (PROGRAM, "GenerateMac", "key/aaaaaaaaaaaaaaaa"),
        (PROGRAM, "GenerateMac", "*"),
        (PROGRAM, "GetKeys", "alias/a/b"),
    ):
        assert not fixed.allows(*asked), asked


@pytest.mark.parametrize("text", ["", "127.0.0.1", ":1", "a:b", "a:70000"])
def test_a_place_is_a_host_and_a_port(text: str) -> None:
    assert place_of("127.0.0.1:8490") == ("127.0.0.1", 8490)
    assert place_of("[::1]:1") == ("::1", 1)
    with pytest.raises(Malformed):
        place_of(text)
