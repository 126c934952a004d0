"""A swap that nobody reports, and that the network says when asked, stops the SIM that signs."""

from pathlib import Path

import pytest
from simulators.mno import SimulatedMno
from simulators.toolkit_phone import ToolkitPhone
from tests.support.networks import DIALLER, OTHER, PIN, network
from tests.support.partners import MovedClock
from tests.support.served import by_one_operator

from tallystick.kernel.time import MINUTE_MS


@pytest.mark.threat("THR-SIM-01")
@pytest.mark.threat("THR-CEL-02")
@pytest.mark.requirement("MFS-7.3.2-10")
def test_a_sim_signs_and_is_bound_only_while_the_asked_network_vouches_for_it(
    tmp_path: Path,
) -> None:
    clock = MovedClock()
    mno = SimulatedMno(clock)
    for number in (DIALLER, OTHER):
        mno.line(number)
    options = {"clock": clock, "mno": mno.access, "policy_text": by_one_operator()}
    try:
        with network(tmp_path / "p", **options) as scene:
            phone, before = scene.toolkit(0, DIALLER), scene.balance()
            assert phone.pay("+254700000001", "10", PIN.reveal())[1].startswith("Done.")
            clock.off_ms += 2 * MINUTE_MS
            mno.swap_sim(DIALLER)
            assert "72 hours" in phone.pay("+254700000001", "11", PIN.reveal())[1]
            assert scene.balance() == before + 1_000
            new = ToolkitPhone(DIALLER, scene.sim(1), scene.centre)
            assert "72 hours" in new.bind(scene.new_code(DIALLER), PIN)
    finally:
        mno.close()
