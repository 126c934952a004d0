"""The key list renewed in time: successors, nothing lost that must stay verifiable."""

from pathlib import Path

import pytest

from tallystick.entry.assembly import open_platform
from tallystick.entry.auditing import audit_provider, listed_keys
from tallystick.entry.cli.unlocking import open_root_key
from tallystick.entry.renewing import list_is_near_its_end, renew_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.crypto.key_list import keys_in_force, verify_key_list
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.tally.leaf import encode_leaf
from tallystick.kernel.errors import Expired, MfsError, NotAuthentic, NotPermitted
from tallystick.kernel.ids import timed_id
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import DAY_MS, SimulatedClock
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.receipt import EventLeaf

SECRET = Secret(b"s" * 32)


class Provider:
    """A provider that was set up at the clock's first instant."""

    def __init__(self, place: Path) -> None:
        self.clock = SimulatedClock()
        self.folder = ProviderFolder(place / "provider")
        plan = Plan(
            provider="test-wallet",
            currency="KES",
            country="254",
            profile="demo",
            policy_text=demo_policy(),
            roles=("operations",),
            pin_memory_kib=8 * 1024,
            pin_passes=1,
        )
        set_up(self.folder, plan, SECRET, self.clock)
        self.root = open_root_key(self.folder.offline / "root.key", SECRET)

    def renew(self):
        return renew_keys(self.folder, SECRET, self.root, self.clock)

    def kids(self, purpose: ListedPurpose) -> list[str]:
        return [one.kid for one in listed_keys(self.folder).entries if one.purpose == purpose]


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


def test_a_young_list_is_only_signed_anew(provider: Provider) -> None:
    before = listed_keys(provider.folder)
    provider.clock.advance(DAY_MS)
    renewed = provider.renew()
    after = listed_keys(provider.folder)
    assert (renewed.version, renewed.made, renewed.dropped) == (2, (), ())
    assert after.entries == before.entries
    assert after.expires_at == before.expires_at + DAY_MS
    assert list_is_near_its_end(before, provider.clock.now() + 5 * DAY_MS)
    assert not list_is_near_its_end(after, provider.clock.now())


def test_a_session_key_past_half_of_its_life_gets_a_successor_beside_it(
    provider: Provider,
) -> None:
    old = provider.kids(ListedPurpose.SESSION_SIGNATURE)
    provider.clock.advance(4 * DAY_MS)
    renewed = provider.renew()
    assert [one.purpose for one in renewed.made] == ["session-signature"]
    new = renewed.made[0].kid
    assert set(provider.kids(ListedPurpose.SESSION_SIGNATURE)) == {*old, new}
    platform = open_platform(provider.folder, SECRET, provider.clock)
    assert platform.identity.kid == new
    assert platform.identity.key_list_version == 2
    platform.close()
    listed = verify_key_list(
        provider.folder.key_list_file.read_text(), provider.root.public(), provider.clock.now(), 1
    )
    in_force = keys_in_force(listed, ListedPurpose.SESSION_SIGNATURE, provider.clock.now())
    assert [one.kid for one in in_force] == [new, *old]


def test_a_session_key_past_its_time_leaves_the_list_and_the_disk(provider: Provider) -> None:
    old = provider.kids(ListedPurpose.SESSION_SIGNATURE)
    blocks = len(list((provider.folder.root / "keys").glob("*.block")))
    provider.clock.advance(8 * DAY_MS)
    with pytest.raises(MfsError):
        open_platform(provider.folder, SECRET, provider.clock)
    renewed = provider.renew()
    assert [one.kid for one in renewed.dropped] == old
    assert provider.kids(ListedPurpose.SESSION_SIGNATURE) == [renewed.made[0].kid]
    assert len(list((provider.folder.root / "keys").glob("*.block"))) == blocks
    assert not (provider.folder.root / "keys" / "session-signature.block").exists()
    open_platform(provider.folder, SECRET, provider.clock).close()


def test_a_list_past_its_time_is_refused_by_whoever_reads_it(provider: Provider) -> None:
    provider.clock.advance(8 * DAY_MS)
    text = provider.folder.key_list_file.read_text()
    with pytest.raises(Expired):
        verify_key_list(text, provider.root.public(), provider.clock.now(), 0)


def test_two_tally_keys_vouch_for_one_log(provider: Provider) -> None:
    open_platform(provider.folder, SECRET, provider.clock).close()
    old = provider.kids(ListedPurpose.TALLY)
    provider.clock.advance(340 * DAY_MS)
    provider.renew()
    assert provider.kids(ListedPurpose.TALLY)[0] == old[0]
    assert len(provider.kids(ListedPurpose.TALLY)) == 2
    platform = open_platform(provider.folder, SECRET, provider.clock)
    leaf = EventLeaf(
        id=timed_id("evt", provider.clock.now(), b"e" * 10),
        at=provider.clock.now(),
        kind="something.happened",
        provider="test-wallet",
        policy=1,
        p={},
        c={},
    )
    changes = ChangeSet()
    appended = platform.archive.append(changes, [encode_leaf(leaf)], [leaf.id])
    platform.store.run(changes)
    platform.archive.sign(appended)
    platform.close()
    report = audit_provider(provider.folder)
    assert report.rows == report.vouched == platform.archive.size
    assert not report.findings


def test_only_the_root_renews(provider: Provider) -> None:
    before = provider.folder.key_list_file.read_text()
    with pytest.raises(NotPermitted, match="not the root"):
        renew_keys(provider.folder, SECRET, Ed25519SigningKey.generate(), provider.clock)
    with pytest.raises(NotAuthentic):
        renew_keys(provider.folder, Secret(b"t" * 32), provider.root, provider.clock)
    with pytest.raises(NotAuthentic):
        open_root_key(provider.folder.offline / "root.key", Secret(b"t" * 32))
    assert provider.folder.key_list_file.read_text() == before


def test_a_list_of_another_root_is_not_read(provider: Provider, tmp_path: Path) -> None:
    other = Provider(tmp_path / "other")
    provider.folder.key_list_file.write_text(other.folder.key_list_file.read_text())
    with pytest.raises(NotAuthentic):
        listed_keys(provider.folder)
