"""The questions to a mobile network, over the simulated one, and every way in which it answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from simulators.mno import SimulatedMno
from tests.support.partners import MovedClock

from tallystick.application.signals import UNKNOWN
from tallystick.entry.mno import Mno
from tallystick.entry.partner_settings import MnoAccess
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import Malformed, NotPermitted, Unavailable
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, HOUR_MS

NUMBER = "+254722000001"


@pytest.fixture
def mno() -> Iterator[SimulatedMno]:
    found = SimulatedMno(MovedClock())
    yield found
    found.close()


def now(mno: SimulatedMno) -> int:
    return mno._clock.now()


def test_a_number_is_described_by_all_that_is_offered(mno: SimulatedMno) -> None:
    line = mno.line(NUMBER)
    mno.swap_sim(NUMBER, hours_ago=3)
    line.device_changed_at, line.abroad = now(mno) - 5 * HOUR_MS, True
    line.recycled_at = now(mno)
    found = Mno(mno.access).answers(NUMBER, now(mno) - 10 * DAY_MS)
    assert found.sim_changed_at == line.sim_changed_at
    assert found.device_changed_at == line.device_changed_at
    assert found.recycled
    assert found.roaming
    assert len(mno.asked) == 4


def test_a_number_that_moved_on_before_the_account_is_not_recycled(mno: SimulatedMno) -> None:
    mno.line(NUMBER).recycled_at = now(mno) - 20 * DAY_MS
    assert not Mno(mno.access).answers(NUMBER, now(mno) - 10 * DAY_MS).recycled


def test_without_a_date_the_monitored_period_is_what_is_known(mno: SimulatedMno) -> None:
    mno.line(NUMBER)
    mno.monitored_days = 30
    found = Mno(mno.access).answers(NUMBER, now(mno))
    assert (found.sim_changed_at, found.sim_seen_ms) == (0, 30 * DAY_MS)


def test_what_is_not_offered_is_not_asked(mno: SimulatedMno) -> None:
    mno.line(NUMBER)
    found = Mno(replace(mno.access, apis={"sim-swap": "/sim-swap/v2"})).answers(NUMBER, now(mno))
    assert mno.asked == ["/sim-swap/v2/retrieve-date"]
    assert found.sim_changed_at > 0
    assert found.device_changed_at == UNKNOWN


def test_a_number_of_another_network_is_unknown_and_no_failure(mno: SimulatedMno) -> None:
    assert Mno(mno.access).answers("+254799999999", now(mno)).sim_changed_at == UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_refusal_is_a_failure(mno: SimulatedMno, status: int) -> None:
    mno.fails_with = status
    with pytest.raises(Unavailable, match=str(status)):
        Mno(mno.access).answers(NUMBER, now(mno))


def test_silence_and_nobody_there_are_failures(mno: SimulatedMno) -> None:
    mno.silent = True
    with pytest.raises(Unavailable):
        Mno(mno.access).answers(NUMBER, now(mno))
    mno.close()
    with pytest.raises(Unavailable):
        Mno(mno.access).answers(NUMBER, now(mno))


def test_a_bearer_that_is_not_its_own_is_refused(mno: SimulatedMno) -> None:
    mno.line(NUMBER)
    with pytest.raises(Unavailable, match="401"):
        Mno(replace(mno.access, bearer="another")).answers(NUMBER, now(mno))


@pytest.mark.parametrize(
    "says",
    [
        b"[]", b"{", b"{}", b'{"latestSimChange":1}', b'{"latestSimChange":"yesterday"}',
        b'{"latestSimChange":"2023-07-03T14:27:08"}', b'{"latestSimChange":"0001-01-01T00:00:00Z"}',
        b'{"latestSimChange":null,"monitoredPeriod":true}',
        b'{"latestSimChange":null,"monitoredPeriod":-1}',
        b'{"latestSimChange":"2023-07-03T14:27:08Z"}',
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(mno: SimulatedMno, says: bytes) -> None:
    """The last one answers the first question and none of the others."""
    mno.says = says
    with pytest.raises(Malformed):
        Mno(mno.access).answers(NUMBER, now(mno))


def test_a_time_of_another_zone_is_the_same_moment(mno: SimulatedMno) -> None:
    mno.says = b'{"latestSimChange":"2023-07-03T14:27:08.312+02:00"}'
    apis = {"sim-swap": "/sim-swap/v2"}
    found = Mno(replace(mno.access, apis=apis)).answers(NUMBER, now(mno))
    moment = datetime(2023, 7, 3, 12, 27, 8, 312_000, UTC)
    assert found.sim_changed_at == round(moment.timestamp() * 1000)


def test_a_phone_proves_its_number_once_by_its_own_access(mno: SimulatedMno) -> None:
    mno.line(NUMBER).phones = {"phone-1", "phone-2"}
    network = Mno(mno.access)
    assert network.is_number_of(NUMBER, "phone-1")
    assert not network.is_number_of("+254711111111", "phone-2")
    with pytest.raises(Unavailable):
        network.is_number_of(NUMBER, "phone-1")
    with pytest.raises(Unavailable):
        Mno(replace(mno.access, apis={})).is_number_of(NUMBER, "phone-1")


def test_a_network_is_not_asked_with_the_empty_bearer_of_a_restored_folder() -> None:
    nobody = MnoAccess(v=1, url="http://127.0.0.1:9", bearer="", apis={"sim-swap": "/sim-swap/v2"})
    with pytest.raises(Unavailable, match="no bearer"):
        Mno(nobody).answers(NUMBER, 0)


def test_the_access_is_read_anew_and_checked(tmp_path: Path) -> None:
    folder = ProviderFolder(tmp_path)
    assert folder.mno() is None
    one = MnoAccess(v=1, url="https://mno.example/camara", bearer="a", apis={})
    folder.mno_file.write_bytes(encode(one))
    assert folder.mno() == one
    folder.mno_file.write_bytes(encode(replace(one, bearer="b")))
    assert folder.mno() == replace(one, bearer="b")
    folder.mno_file.write_bytes(encode(replace(one, url="http://mno.example")))
    with pytest.raises(NotPermitted):
        folder.mno()
    folder.mno_file.write_bytes(b"{}")
    with pytest.raises(Malformed):
        folder.mno()
