"""The transcript of a ceremony gets a time stamp, which openssl verifies as well as we do."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from simulators.time_authority import TimeAuthority
from tests.protocol.test_certificates_door import prepare
from tests.support.ceremonies import SECRET, Crew, made, planned, transcript
from tests.unit.entry.cli.command_line import tallystick

from tallystick.client.keyfile import KeyFile
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import open_platform
from tallystick.entry.ceremonies.stamped import (
    stamp_ceremonies_for_ever,
    stamp_file,
    unstamped,
    verify_stamped,
)
from tallystick.entry.pki.answering import CertificateDesk
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.widening import adopt, told
from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.dual import DualSigningKey, signing_key
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.infrastructure.modules.opening import Custodians
from tallystick.infrastructure.modules.shamir import read_share
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.process.ceremonies import open_transcript


def openssl_says(file: Path, root: Path) -> bool:
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", file, "-in", stamp_file(file), "-CAfile", root],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (done.returncode == 0) == ("Verification: OK" in done.stdout)
    return done.returncode == 0


def stamped_by_the_service(folder: ProviderFolder, crew: Crew) -> list[bytes]:
    """Open the provider, let its task run until nothing is left or it told why; gives its log."""
    shares = [read_share(papers[-1]) for papers in crew.papers.values() if papers][:2]
    platform = open_platform(folder, Custodians(tuple(shares)))
    lines: list[bytes] = []
    place = CertificateFolder(folder)
    desk = CertificateDesk(place, platform.module, platform.keys.handles, platform.clock)
    accounting = Accounting(platform.clock, lines.append)

    def told() -> bool:
        accounting.flush()
        return bool(lines)

    async def main(done: Callable[[], bool]) -> None:
        task = asyncio.create_task(stamp_ceremonies_for_ever(accounting, place, desk, 0.02))
        try:
            async with asyncio.timeout(10):
                while not done():
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
        finally:
            task.cancel()

    try:
        asyncio.run(main(lambda: told() or not list(unstamped(folder))))
    finally:
        platform.close()
    return lines


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProviderFolder, Crew]:
    """A provider with certificates and a time-stamping authority, and a ceremony that was held."""
    folder = made(tmp_path_factory.mktemp("stamped") / "p")
    prepare(folder, Secret(SECRET.encode()))
    crew = Crew()
    ran = crew.holds(folder, planned(folder, "master-make", "--threshold", 2))
    assert ran.code == 0, ran.all
    assert "the running service stamps it" in ran.all
    return folder, crew


@pytest.mark.requirement("MFS-7.4.2-10")
def test_the_service_stamps_what_was_held_and_openssl_agrees(
    held: tuple[ProviderFolder, Crew], tmp_path: Path
) -> None:
    folder, crew = held
    file = transcript(folder)
    said = tallystick("ceremony", "verify", file, "--provider", folder.root)
    assert "has no time stamp yet" in said.all
    assert stamped_by_the_service(folder, crew) == []
    register = CertificateFolder(folder).register()
    root = tmp_path / "root.pem"
    root.write_text(pem_of(register.authority("root").octets))
    assert openssl_says(file, root)
    said = tallystick("ceremony", "verify", file, "--provider", folder.root)
    assert said.code == 0, said.all
    assert "stamped 20" in said.all
    alone = tmp_path / file.name
    alone.write_bytes(file.read_bytes())
    stamp_file(alone).write_bytes(stamp_file(file).read_bytes())
    assert "name a root with --tsa-root" in tallystick("ceremony", "verify", alone).all
    assert "stamped 20" in tallystick("ceremony", "verify", alone, "--tsa-root", root).all


@pytest.mark.requirement("MFS-7.4.2-12")
def test_who_has_a_second_half_since_was_there_all_the_same(
    held: tuple[ProviderFolder, Crew],
) -> None:
    folder, _ = held
    file = transcript(folder)
    before = folder.settings()
    _, octets = KeyFile.open(
        folder.offline / "lead.key", Secret("passphrase of lead"), operating_system
    )
    first = signing_key(octets)
    assert isinstance(first, Es256SigningKey)
    adopt(folder, told("lead", DualSigningKey.beside(first)))
    said = tallystick("ceremony", "verify", file, "--provider", folder.root)
    assert "does not know" not in said.all
    other = replace(before.officers["lead"], public=before.officers["ann"].public)
    folder.save_settings(replace(before, officers={**before.officers, "lead": other}))
    said = tallystick("ceremony", "verify", file, "--provider", folder.root)
    assert "does not know" in said.all
    folder.save_settings(before)


@pytest.mark.requirement("MFS-7.4.2-10")
@pytest.mark.threat("THR-INS-01")
def test_a_stamp_of_something_else_or_of_another_time_is_refused(
    held: tuple[ProviderFolder, Crew], tmp_path: Path
) -> None:
    folder, crew = held
    file = transcript(folder)
    if list(unstamped(folder)):
        stamped_by_the_service(folder, crew)
    pem = pem_of(CertificateFolder(folder).register().authority("root").octets)
    roots, held_at = (certificates_in(pem.encode()),), open_transcript(file.read_bytes()).held_at
    found = verify_stamped(file, held_at, roots)
    assert found is not None
    assert abs(found.at - held_at) < 600_000
    with pytest.raises(NotAuthentic, match="stamped before"):
        verify_stamped(file, held_at + 3_600_000, roots)
    with pytest.raises(NotAuthentic, match="no root is pinned"):
        verify_stamped(file, held_at, ())
    other = tmp_path / "other.dsse"
    other.write_bytes(file.read_bytes() + b" ")
    stamp_file(other).write_bytes(stamp_file(file).read_bytes())
    with pytest.raises(NotAuthentic):
        verify_stamped(other, held_at, roots)
    octets = bytearray(stamp_file(file).read_bytes())
    octets[len(octets) // 2] ^= 1
    stamp_file(other).write_bytes(octets)
    other.write_bytes(file.read_bytes())
    with pytest.raises(NotAuthentic):
        verify_stamped(other, held_at, roots)
    root = tmp_path / "root.pem"
    root.write_text(pem)
    assert not openssl_says(other, root)


@pytest.mark.requirement("MFS-7.4.2-10")
def test_another_authority_that_is_configured_is_asked_at_once(tmp_path: Path) -> None:
    folder = made(tmp_path / "p")
    prepare(folder, Secret(SECRET.encode()))
    place = CertificateFolder(folder)
    authority, crew = TimeAuthority(tmp_path / "tsa"), Crew()
    pem = tmp_path / "tsa" / "root.pem"
    (place.root / "other.pem").write_bytes(pem.read_bytes())
    before = place.settings()
    with authority.serve() as server:
        place.save_settings(
            replace(before, authority_url=f"{server.url}/tsr", authority_roots="other.pem")
        )
        ran = crew.holds(folder, planned(folder, "master-make", "--threshold", 2))
    assert ran.code == 0, ran.all
    assert "stamped:" in ran.all
    file = transcript(folder)
    assert openssl_says(file, pem)
    assert "stamped 20" in tallystick("ceremony", "verify", file, "--provider", folder.root).all
    stamp_file(file).unlink()
    lines = stamped_by_the_service(folder, crew)
    assert b"".join(lines).count(b"a ceremony was not stamped with the time") == 1
    assert list(unstamped(folder)) == [file]
