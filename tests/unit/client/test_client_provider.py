"""What an app believes of a provider: the root's list, fetched anew, never an older one."""

from collections.abc import Iterator

import pytest

from tallystick.client.http import HttpTransport
from tallystick.client.provider import Provider
from tallystick.client.session import Reply
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.infrastructure.keys.keylist import issue_key_list
from tallystick.kernel.codec import b64url, encode
from tallystick.kernel.errors import Conflict, Expired, NotAuthentic, Unavailable
from tallystick.kernel.ids import random_id
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant, SimulatedClock
from tallystick.protocol.keylist import KeyEntry, ListedPurpose

NOW = Instant(1_767_225_600_000)
ROOT = Es256SigningKey.generate()


class Served:
    """What /v1/keys answers, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.tally = Ed25519SigningKey.generate()
        self.key_list = self.issue(1)

    def issue(self, version: int, root: Es256SigningKey = ROOT) -> str:
        entry = KeyEntry(
            kid=random_id("key", bytes(16)),
            purpose=ListedPurpose.TALLY.value,
            algorithm=self.tally.algorithm,
            public=b64url(self.tally.public().octets()),
            not_before=NOW,
            not_after=NOW + 30 * DAY_MS,
        )
        return issue_key_list(
            root,
            provider="p",
            version=version,
            issued_at=NOW,
            expires_at=Instant(NOW + 7 * DAY_MS),
            entries=[entry],
        )

    def get(self, path: str) -> Reply:
        assert path == "/v1/keys"
        self.asked += 1
        return Reply(self.status, encode({"key_list": self.key_list}), {})


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    one = Served()
    monkeypatch.setattr(HttpTransport, "get", lambda _, path: one.get(path))
    return one


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def provider(served: Served, clock: SimulatedClock) -> Iterator[Provider]:
    one = Provider(
        "http://127.0.0.1:1",
        name="p",
        origin="p/tally/1",
        root=ROOT.public(),
        clock=clock,
        entropy=bytes,
    )
    yield one
    one.close()


def test_the_list_is_fetched_once_an_hour(
    provider: Provider, served: Served, clock: SimulatedClock
) -> None:
    for _ in range(3):
        assert provider.tally_key().octets() == served.tally.public().octets()
    assert served.asked == 1
    clock.advance(HOUR_MS)
    provider.tally_key()
    assert served.asked == 2


def test_an_older_list_is_refused(
    provider: Provider, served: Served, clock: SimulatedClock
) -> None:
    served.key_list = served.issue(3)
    provider.tally_key()
    served.key_list = served.issue(2)
    clock.advance(HOUR_MS)
    with pytest.raises(Conflict, match="3 was seen before"):
        provider.tally_key()


@pytest.mark.requirement("MFS-7.2.3-02")
def test_another_root_is_refused(provider: Provider, served: Served) -> None:
    served.key_list = served.issue(9, Es256SigningKey.generate())
    with pytest.raises(NotAuthentic):
        provider.tally_key()


def test_a_list_past_its_time_is_refused(
    provider: Provider, served: Served, clock: SimulatedClock
) -> None:
    provider.tally_key()
    clock.advance(7 * DAY_MS)
    with pytest.raises(Expired):
        provider.tally_key()


def test_no_list_is_unavailable(provider: Provider, served: Served) -> None:
    served.status = 503
    with pytest.raises(Unavailable, match="no key list"):
        provider.tally_key()


def test_a_clock_that_goes_back_loses_no_key(
    provider: Provider, served: Served, clock: SimulatedClock
) -> None:
    provider.tally_key()
    clock.set(Instant(NOW - HOUR_MS))
    assert provider.tally_key().octets() == served.tally.public().octets()
    assert served.asked == 1
