"""Of every purpose it is known what hangs on its keys, and what to do when one is lost."""

import pytest

from tallystick.infrastructure.keys.dependants import dependants
from tallystick.infrastructure.modules.interface import Purpose


@pytest.mark.requirement("MFS-7.4.2-08")
@pytest.mark.parametrize("purpose", Purpose)
def test_something_hangs_on_every_key_and_has_a_recourse(purpose: Purpose) -> None:
    hanging = dependants(purpose)
    assert hanging
    assert all(one.what and one.recourse for one in hanging)
