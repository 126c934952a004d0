"""The TypeScript client passes every case of the conformance kit against a served provider."""

import pytest
from tests.support.typescript import NODE, built

from tallystick.entry.conforming.scoring import CASES, score


@pytest.mark.requirement("MFS-7.2.6-01")
@pytest.mark.requirement("MFS-7.3.3-03")
def test_a_client_written_from_the_pages_passes_every_case():
    dist = built()
    found = score([str(NODE), str(dist / "driven.js")])
    assert [one for one in found.cases if not one.passed] == []
    assert found.client == "@tallystick/client"
    assert len(found.cases) == len(CASES)
