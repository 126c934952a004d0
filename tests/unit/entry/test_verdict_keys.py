"""Keys for verdicts of an app store: taken in sealed, opened at a start, told by the doctor."""

from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from simulators.playstore import SimulatedStore
from tests.unit.entry.cli.command_line import Ran, tallystick

from tallystick.entry.assembly import open_platform
from tallystick.entry.doctor.applications import look_at_applications
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.crypto.jwe import open_compact, seal_compact
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.process.attestation.reading import shipped_text

SECRET = Secret(b"s" * 32)
PACKAGE = "org.example.wallet"
STORE = SimulatedStore()


class Place:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = ProviderFolder(root / "p")
        plan = Plan(
            provider="test-wallet", currency="KES", country="254", profile="demo",
            policy_text=demo_policy(), roles=("operations",), pin_memory_kib=8 * 1024,
            pin_passes=1,
        )  # fmt: skip
        set_up(self.folder, plan, SECRET, SystemClock())
        (root / "secret").write_bytes(SECRET.reveal())
        (root / "secret").chmod(0o600)

    def add(self, package: str, given: tuple[str, str], *more: str) -> Ran:
        for name, text in zip(("aes", "ec"), given, strict=True):
            (self.root / name).write_text(text + "\n")
        return tallystick(
            "app", "verdict-keys", "add", self.folder.root, package,
            "--decryption-file", self.root / "aes", "--verification-file", self.root / "ec",
            "--secret-file", self.root / "secret", *more,
        )  # fmt: skip

    def opened(self) -> list[tuple[str, str]]:
        """What a start opens, as the console showed it."""
        platform = open_platform(self.folder, SECRET)
        try:
            keys = platform.desks.devices.attesting.verdict_keys
            return [(one.package, b64encode(one.decryption.reveal()).decode()) for one in keys]
        finally:
            platform.close()

    def told(self) -> list[tuple[str, str]]:
        """What the doctor says of verdicts, after a start."""
        open_platform(self.folder, SECRET).close()
        found = look_at_applications(self.folder)
        return [(str(one.state), one.says) for one in found if one.what == "store verdicts"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("keys"))


@pytest.mark.requirement("MFS-7.4.2-01")
def test_keys_are_kept_sealed_and_opened_at_a_start(place: Place) -> None:
    given = STORE.console()
    ran = place.add(PACKAGE, given, "--simulated")
    assert ran.code == 0, ran.all
    kept = (place.folder.root / "provider.json").read_bytes()
    raw = STORE.wrapping.raw_value
    assert not any(form in kept for form in (raw, b64url(raw).encode(), given[0].encode()))
    assert place.opened() == [(PACKAGE, given[0])]
    listed = tallystick("app", "verdict-keys", "list", place.folder.root)
    assert PACKAGE in listed.out
    assert "simulated" in listed.out
    again = SimulatedStore().console()
    place.add(PACKAGE, again, "--simulated")
    assert place.opened() == [(PACKAGE, again[0])], "in place of those before"
    assert tallystick("app", "verdict-keys", "remove", place.folder.root, PACKAGE).code == 0
    assert place.opened() == []
    assert tallystick("app", "verdict-keys", "remove", place.folder.root, PACKAGE).code == 1


@pytest.mark.requirement("MFS-7.4.2-01")
def test_a_sealed_key_is_of_its_package_and_a_changed_one_is_told(place: Place) -> None:
    place.add(PACKAGE, STORE.console(), "--simulated")
    settings = place.folder.settings()
    (one,) = settings.verdict_keys
    octets = bytearray(b64url_decode(one.decryption))
    octets[-1] ^= 1
    for wrong in (
        replace(one, package="org.example.other"),
        replace(one, decryption=b64url(bytes(octets))),
    ):
        place.folder.save_settings(replace(settings, verdict_keys=(wrong,)))
        with pytest.raises(NotAuthentic, match="does not open") as refused:
            place.opened()
        assert "verdict-keys add" in refused.value.remedy
    place.folder.save_settings(replace(settings, verdict_keys=()))


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return b64encode(key.public_key().public_bytes(*form)).decode()


@pytest.mark.parametrize(
    ("package", "given", "said"),
    [
        ("bad/name", STORE.console(), "no name of a package"),
        (PACKAGE, (STORE.console()[1], STORE.console()[0]), "swapped"),
        (PACKAGE, ("AAAA", STORE.console()[1]), "32 octets"),
        (PACKAGE, (STORE.console()[0], "not base64!"), "not base64"),
        (PACKAGE, (STORE.console()[0], "AAAA"), "no public key"),
        (PACKAGE, (STORE.console()[0], public(ec.generate_private_key(ec.SECP384R1()))), "P-256"),
        (PACKAGE, (STORE.console()[0], public(rsa.generate_private_key(65537, 2048))), "P-256"),
    ],
)
def test_what_is_no_pair_of_keys_is_refused_in_words(
    place: Place, package: str, given: tuple[str, str], said: str
) -> None:
    ran = place.add(package, given)
    assert (ran.code, said in ran.err) == (1, True), ran.all


def test_a_provider_in_production_takes_no_simulated_keys(place: Place) -> None:
    before = place.folder.settings()
    place.folder.save_settings(replace(before, profile="production"))
    try:
        assert "no simulated keys" in place.add(PACKAGE, STORE.console(), "--simulated").err
    finally:
        place.folder.save_settings(before)


def test_the_doctor_tells_keys_without_a_policy_and_a_policy_without_keys(place: Place) -> None:
    assert place.told() == []
    policy = place.folder.root / "attestation.yaml"
    policy.write_text(shipped_text().replace("verdict:\n", "verdict:\n  asked: required\n", 1))
    ((state, says),) = place.told()
    assert "no keys that open them" in says
    place.add(PACKAGE, STORE.console(), "--simulated")
    ((_, says),) = place.told()
    assert says == f"required, for {PACKAGE}"
    policy.unlink()
    ((other, says),) = place.told()
    assert "looks at no verdict" in says
    assert state != other


def test_what_is_sealed_as_a_compact_object_opens_and_no_changed_part_does() -> None:
    wrapping = Secret(operating_system(32))
    sealed = seal_compact(wrapping, b"inside", operating_system)
    assert open_compact(wrapping, sealed) == b"inside"
    assert seal_compact(wrapping, b"inside", operating_system) != sealed
    parts = sealed.split(".")
    for at in range(1, 5):
        turned = ("A" if parts[at][0] != "A" else "B") + parts[at][1:]
        with pytest.raises(NotAuthentic):
            open_compact(wrapping, ".".join((*parts[:at], turned, *parts[at + 1 :])))
