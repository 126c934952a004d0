"""What a dialling person reads of a refusal: why, in words, and no name of a row."""

import pytest

from tallystick.entry.http.declining import spoken
from tallystick.kernel.errors import LimitExceeded, MfsError, NotPermitted, OutOfReach


@pytest.mark.requirement("MFS-7.3.6-03")
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            NotPermitted("the policy does not allow it", because="sim-changed: the SIM is new"),
            "The SIM is new.",
        ),
        (LimitExceeded("a limit would be passed", because="daily-2: enough for today"),
         "Enough for today."),
        (OutOfReach("it does not answer", because="dependency-sim-signal: a SIM cannot be seen"),
         "It does not answer: a SIM cannot be seen."),
        (NotPermitted("the terms were not accepted", because="terms: people decide on them"),
         "The terms were not accepted: people decide on them."),
        (NotPermitted("no PIN is set", remedy="set one"), "No PIN is set."),
        (NotPermitted("this SIM was replaced", because="sim changed"),
         "This SIM was replaced: sim changed."),
    ],
)  # fmt: skip
def test_a_refusal_is_read_without_names_of_rows(error: MfsError, says: str) -> None:
    assert spoken(error) == says
