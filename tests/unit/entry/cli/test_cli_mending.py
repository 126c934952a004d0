"""A policy in force that grants acts which are gone: the start says so, and officers mend it."""

from pathlib import Path

import pytest
from simulators.smsc import Smsc
from tests.unit.entry.cli.command_line import Ran, TourProvider, tallystick

from tallystick.application.policing.store import last_policy
from tallystick.entry.assembly import open_platform
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.entry.mending import MENDED
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.process.policy import officers, signing
from tallystick.process.policy.language.removed import mend, read_kept
from tallystick.protocol.policy_file import (
    PolicyFile,
    policy_text,
    read_policy_file,
    signed_message,
)


def signed(provider: TourProvider, text: str, version: int) -> bytes:
    """`text` signed by an officer's own key, whatever it says, as an earlier version did."""
    folder = provider.folder
    names = sorted(folder.settings().officers)
    signatures = ()
    for name in names:
        key = open_officer_key(folder.offline / f"{name}.key", provider.secret())
        message = signed_message(text, version)
        signatures = officers.with_signature(signatures, name, key, message)
    file = PolicyFile(version=version, policy_b64=b64url(text.encode()), signatures=signatures)
    return encode_canonical(file)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TourProvider:
    """A provider that was served while those acts existed."""
    smsc = Smsc()
    provider = TourProvider(tmp_path, Es256SigningKey.generate(), smsc)
    provider.set_up()
    smsc.close()
    text = policy_text(read_policy_file(provider.folder.policy_file.read_bytes()))
    assert "audit-records" in text
    text = text.replace("audit-records", "export-evidence")
    text = text.replace("set-incentive, enrol", "set-incentive, rotate-keys, enrol")
    provider.folder.policy_file.write_bytes(signed(provider, text, 1))
    with monkeypatch.context() as then:
        then.setattr(signing, "read_policy", read_kept)  # as a version that knew these acts
        open_platform(provider.folder, provider.secret()).close()
    return provider


def stored(folder: ProviderFolder) -> tuple[int, str]:
    with open_reader(folder.place()) as reader:
        found = last_policy(reader)
    assert found is not None
    return found[0], policy_text(read_policy_file(found[1].encode()))


def sign(provider: TourProvider, draft: Path, officer: str) -> Ran:
    folder = provider.folder
    return tallystick(
        "policy", "sign", draft, "--officer", officer,
        "--key-file", folder.offline / f"{officer}.key",
        "--secret-file", draft.parent / "secret", "--out", folder.root / MENDED,
    )  # fmt: skip


def test_officers_mend_it_and_the_next_start_takes_it(old: TourProvider, tmp_path: Path) -> None:
    folder, secret = old.folder, tmp_path / "secret"
    refused = tallystick("serve", folder.root, "--secret-file", secret, "--port", "0")
    assert refused.code == 1
    assert "policy version 1 grants acts that no longer exist: export-evidence" in refused.err
    assert "tallystick policy mend" in refused.err
    doctor = tallystick("doctor", folder.root)
    assert "tallystick policy mend" in doctor.all
    draft = tmp_path / "draft.yaml"
    ran = tallystick("policy", "mend", folder.root, "--out", draft)
    assert ran.code == 0, ran.all
    assert "roles.privacy-officer grants export-evidence, which no longer exists" in ran.out
    assert "two_people grants rotate-keys" in ran.out
    assert f"--out {folder.root / MENDED}" in ran.out.replace("\n", " ")
    for officer in sorted(folder.settings().officers):
        assert sign(old, draft, officer).code == 0
    try:
        old.serve()
    finally:
        old.stop()
    assert stored(folder) == (2, draft.read_text(encoding="utf-8"))
    again = tallystick("policy", "mend", folder.root, "--out", draft)
    assert "nothing is to be done" in again.out
    assert "nothing was found" in tallystick("tally", "verify", folder.root).out
    try:
        old.serve()  # the policy before, which it asks about signatures, is read too
    finally:
        old.stop()


def test_nothing_weaker_comes_in_with_it(old: TourProvider, tmp_path: Path) -> None:
    folder = old.folder
    _, text = stored(folder)
    weaker = mend(text).replace("two_people: [activate-policy, ", "two_people: [")
    assert weaker != mend(text)
    (folder.root / MENDED).write_bytes(signed(old, weaker, 2))
    with pytest.raises(NotPermitted, match="changes more"):
        open_platform(folder, old.secret())
    earlier = mend(text).replace("version: 2", "version: 1")
    (folder.root / MENDED).write_bytes(signed(old, earlier, 1))
    with pytest.raises(NotPermitted, match="changes more"):
        open_platform(folder, old.secret())
    forged = PolicyFile(
        version=2,
        policy_b64=b64url(mend(text).encode()),
        signatures=officers.with_signature(
            (), "officer-1", Es256SigningKey.generate(), signed_message(mend(text), 2)
        ),
    )
    (folder.root / MENDED).write_bytes(encode_canonical(forged))
    with pytest.raises(NotAuthentic):
        open_platform(folder, old.secret())
    (folder.root / MENDED).write_text("{}")
    with pytest.raises(Malformed, match="mended"):
        open_platform(folder, old.secret())
    assert stored(folder)[0] == 1
