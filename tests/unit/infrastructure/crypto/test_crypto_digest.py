"""Two ways to the same MAC: the standard library's, and a key that is prepared once."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.infrastructure.crypto.digest import PreparedHmac, hmac_sha256
from tallystick.infrastructure.modules.block import BlockRoots
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.tables import MOST_PREPARED
from tallystick.kernel.errors import NotFound
from tallystick.kernel.time import Instant, SimulatedClock


@given(secret=st.binary(min_size=1, max_size=200), octets=st.binary(max_size=300))
def test_a_prepared_key_gives_the_same_mac_again_and_again(secret: bytes, octets: bytes) -> None:
    prepared = PreparedHmac(secret)
    wanted = hmac.digest(secret, octets, "sha256")
    assert hmac_sha256(secret, octets) == wanted
    assert [prepared.mac(octets) for _ in range(3)] == [wanted] * 3
    assert "***" in repr(prepared)


def test_a_module_keeps_so_many_keys_ready_and_serves_them_all() -> None:
    module = SoftModule(BlockRoots.derive(bytes(32), [Purpose.QUOTE]), SimulatedClock(Instant(0)))
    handles = [module.generate(Purpose.QUOTE) for _ in range(MOST_PREPARED + 10)]
    first = {handle.id: module.mac(handle, b"m") for handle in handles}
    assert len(module._prepared) <= MOST_PREPARED
    assert all(module.mac(handle, b"m") == first[handle.id] for handle in handles)


def test_a_destroyed_key_is_not_kept_ready() -> None:
    module = SoftModule(BlockRoots.derive(bytes(32), [Purpose.QUOTE]), SimulatedClock(Instant(0)))
    handle = module.generate(Purpose.QUOTE)
    module.mac(handle, b"m")
    module.destroy(handle)
    assert not module._prepared
    with pytest.raises(NotFound):
        module.mac(handle, b"m")
