"""Each flow of each example has its protection by layer, and what is open is said."""

import pytest
from tests.unit.process.programme.programmes import programme

from tallystick.kernel.model import replace
from tallystick.process.programme.layers import LAYERS, layer_rows, layer_table
from tallystick.process.programme.model import Programme
from tallystick.process.programme.templates import PROFILES


def gaps(found: Programme) -> dict[str, str]:
    return {one.flow: one.gap for one in layer_rows(found)}


@pytest.mark.requirement("MFS-6.2.3-06")
@pytest.mark.parametrize("name", PROFILES)
def test_every_flow_has_a_row_and_every_word_of_a_protocol_is_known(name: str) -> None:
    found = programme(name)
    rows = layer_rows(found)
    assert [one.flow for one in rows] == list(found.flows)
    assert [one.unknown for one in rows] == [()] * len(rows)
    head, table = layer_table(found)
    assert {len(row) for row in table} == {len(head)}
    assert [name for name in head if name[0].isdigit()] == [
        f"{number} {word}" for number, word in LAYERS.items()
    ]


@pytest.mark.requirement("MFS-7.1-01")
def test_what_is_dialled_is_seen_between_and_what_the_app_sends_is_not() -> None:
    found = gaps(programme("mobile-money-operator"))
    assert found["order-app"] == ""
    assert found["dial-east"] == "seen in clear by radio-east, ussd-gateway, front"
    assert found["receipt-sms-east"].startswith("nothing on layers 5 to 7; seen in clear by smsc")
    assert found["scan"] == "nothing on layers 5 to 7; nothing on layers 2 to 4"


@pytest.mark.requirement("MFS-6.2.3-06")
def test_a_protection_that_is_taken_away_or_not_known_leaves_a_gap() -> None:
    found = programme("mobile-money-operator")
    flow = found.flows["order-app"]
    for protocol, unknown in (("none", ()), ("homemade", ("homemade",))):
        changed = replace(flow, protocol=protocol)
        (row,) = layer_rows(replace(found, flows={flow.id: changed}))
        assert row.gap == "nothing on layers 5 to 7; nothing on layers 2 to 4"
        assert row.unknown == unknown
    (row,) = layer_rows(replace(found, flows={flow.id: replace(flow, protocol="tls1.3")}))
    assert row.gap == "nothing on layers 5 to 7"
