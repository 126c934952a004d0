"""What a node asks before it is promoted: is nothing left that could confirm for the former one?"""

import importlib.util
import itertools
from types import ModuleType

import pytest
from ruamel.yaml import YAML
from simulators.cluster import commands
from simulators.cluster.layout import Layout
from simulators.cluster.nodes import TEMPLATES, rendered

NODES = ("node1", "node2", "node3")
SYNC = '{"leader": "node1", "sync_standby": "node2,node3", "quorum": 1}'


@pytest.fixture(scope="module")
def fence() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fence", TEMPLATES / "fence.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Around:
    """Three nodes as this one sees them; `moves` is done between two looks."""

    def __init__(self, sync: str, following: tuple[str, ...], places: dict[str, int]) -> None:
        self.sync, self.following, self.places = sync, following, places
        self.looks = 0

    def record(self, name: str) -> str:
        assert name == "sync"
        return self.sync

    def followers(self) -> frozenset[str]:
        self.looks += 1
        return frozenset(self.following)

    def received_by(self, name: str) -> int:
        return self.places[name]

    def received(self) -> int:
        return self.places["node2"]


@pytest.mark.parametrize(
    ("sync", "name", "followers", "allowed"),
    [
        (SYNC, "node2", "node3", True),
        (SYNC, "node2", "", False),
        (SYNC, "node2", "node2", False),
        (SYNC, "node2", "other", False),
        (SYNC, "node1", "", False),
        ('{"leader": "node1", "sync_standby": "node2", "quorum": 0}', "node2", "", True),
        ('{"leader": "node1", "sync_standby": "node2", "quorum": 0}', "node3", "", False),
        ('{"leader": "node1", "sync_standby": "node2", "quorum": 0}', "node3", "node2", True),
        ('{"leader": "node1", "sync_standby": null, "quorum": 0}', "node2", "", False),
        ('{"leader": null, "sync_standby": null, "quorum": 0}', "node2", "", True),
        ("", "node2", "", True),
    ],
)
def test_enough_must_follow(
    fence: ModuleType, sync: str, name: str, followers: str, allowed: bool
) -> None:
    assert fence.Promise.read(sync).allows(name, frozenset(filter(None, [followers]))) is allowed


@pytest.mark.parametrize("quorum", [0, 1, 2, 3, 4])
def test_what_is_allowed_leaves_no_commit_of_another_that_could_be_confirmed(
    fence: ModuleType, quorum: int
) -> None:
    """Of five members a commit needs all but `quorum`: none of such a set may be all free."""
    members = frozenset(f"node{number}" for number in range(1, 6))
    promise = fence.Promise(members, quorum)
    confirming = [frozenset(one) for one in itertools.combinations(members, 5 - quorum)]
    for name in members | {"outsider"}:
        for count in range(6):
            for followers in map(frozenset, itertools.combinations(members - {name}, count)):
                held = followers | {name}
                safe = all(held & one for one in confirming)
                assert promise.allows(name, followers) is safe


def test_a_follower_that_received_more_than_this_node_does_not_count(fence: ModuleType) -> None:
    promise = fence.Promise.read(SYNC)
    behind = Around(SYNC, ("node3",), {"node2": 100, "node3": 100})
    assert fence.held(behind, promise, "node2") == {"node3"}
    ahead = Around(SYNC, ("node3",), {"node2": 100, "node3": 101})
    assert fence.held(ahead, promise, "node2") == frozenset()


class Stepped:
    """A time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def test_it_waits_for_the_follower_and_gives_up_in_time(
    fence: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    around = Around(SYNC, (), {"node2": 100, "node3": 100})
    monkeypatch.setattr(fence, "Surroundings", lambda *_: around)
    monkeypatch.setattr(fence, "time", Stepped())
    assert fence.main("node2", "", "", "") == fence.REFUSED
    assert around.looks >= 2
    assert "may not be the primary" in capsys.readouterr().out
    around.following = ("node3",)
    assert fence.main("node2", "", "", "") == fence.OK


def test_what_cannot_be_asked_is_a_no(fence: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    around = Around("no record", ("node3",), {"node2": 100, "node3": 100})
    monkeypatch.setattr(fence, "Surroundings", lambda *_: around)
    monkeypatch.setattr(fence, "time", Stepped())
    assert fence.main("node2", "", "", "") == fence.REFUSED


def test_every_node_runs_it_before_it_is_promoted() -> None:
    layout = Layout(commands.ROOT / "var" / "ha")
    for node in layout.nodes:
        told = YAML(typ="safe").load(rendered(layout, node)["patroni.yaml"])
        script, name, etcd, certificates, sockets = told["postgresql"]["pre_promote"].split()
        assert script == str(TEMPLATES / "fence.py")
        assert (TEMPLATES / "fence.py").stat().st_mode & 0o111 == 0o111
        assert (name, certificates) == (node.name, str(layout.certificates))
        assert etcd == told["etcd3"]["hosts"]
        assert sockets == told["postgresql"]["parameters"]["unix_socket_directories"]
