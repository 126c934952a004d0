"""Where everything of the cluster is: addresses, folders, names of namespaces and certificates.

Source: PostgreSQL 15, 27
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode

from tallystick.kernel.errors import NotFound

ROOT = Path(__file__).parents[2]
PLACE = int(os.environ.get("TALLYSTICK_HA_PLACE", "77"))
"""Which of a machine's private networks the cluster has; each is one cluster of its own."""

_ALONE = "" if PLACE == 77 else str(PLACE)
SUBNET = f"10.{PLACE}.0.0/24"
CLIENT_ADDRESS = f"10.{PLACE}.0.1"
BRIDGE = f"tally-ha{_ALONE}"
RUN = Path(f"/run/tallystick-ha{_ALONE}")
POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
DATABASE = "tallystick"
ROLE = "tallystick"
SECONDS_TO_CONNECT = 2
REST_PORT, ETCD_PORT = 8008, 2379


@dataclass(frozen=True, slots=True)
class Node:
    """One simulated machine, `number` from 1.

    Source: ip-netns(8)
    """

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """What etcd, Patroni and the certificates call it.

        Source: PostgreSQL 15, 27
        """
        return f"node{self.number}"

    @property
    def address(self) -> str:
        """Its address on the bridge.

        Source: RFC 1918, 3
        """
        return f"10.{PLACE}.0.{10 + self.number}"

    @property
    def namespace(self) -> str:
        """The network namespace that stands for the machine.

        Source: ip-netns(8)
        """
        return f"tallystick{_ALONE}-{self.name}"

    @property
    def link(self) -> str:
        """The end of its cable in the host, at most 15 characters.

        Source: veth(4)
        """
        return f"tally{_ALONE}-{self.name}"

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder; its parent may be a small file system.

        Source: PostgreSQL 15, 19.2
        """
        return self.folder / "disk" / "data"

    @property
    def sockets(self) -> Path:
        """Where PostgreSQL puts its Unix socket; short, a path of a socket has 107 bytes.

        Source: unix(7)
        """
        return RUN / self.name


@dataclass(frozen=True)
class Layout:
    """The cluster below `folder`, which the account postgres must be able to reach.

    Source: PostgreSQL 15, 27
    """

    folder: Path

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The three machines.

        Source: PostgreSQL 15, 27
        """
        return tuple(Node(number, self.folder / f"node{number}") for number in (1, 2, 3))

    def node(self, name: str) -> Node:
        """The node called `name`; NotFound with the names there are.

        Source: PostgreSQL 15, 27
        """
        for one in self.nodes:
            if one.name == name:
                return one
        raise NotFound(f"no node {name}: there are {', '.join(one.name for one in self.nodes)}")

    @property
    def certificates(self) -> Path:
        """The authority and what it signed.

        Source: RFC 5280
        """
        return self.folder / "certificates"

    @property
    def archive(self) -> Path:
        """Finished segments of the write-ahead log, of every timeline.

        Source: PostgreSQL 15, 26.3.1
        """
        return self.folder / "archive"

    @property
    def environment(self) -> Path:
        """Patroni's own Python environment.

        Source: PostgreSQL 15, 27
        """
        return self.folder / "patroni"

    def url(self, *addresses: str, writable: bool = True) -> str:
        """The database's address for libpq and the platform's role, on all nodes unless told which.

        Source: PostgreSQL 15, 34.1.1.3
        """
        hosts = ",".join(addresses or (one.address for one in self.nodes))
        wanted = {
            "target_session_attrs": "read-write" if writable else "any",
            "sslmode": "verify-full",
            "sslrootcert": str(self.certificates / "ca.crt"),
            "sslcert": str(self.certificates / f"{ROLE}.crt"),
            "sslkey": str(self.certificates / f"{ROLE}.key"),
            "connect_timeout": str(SECONDS_TO_CONNECT),
            "keepalives_idle": "2",
            "keepalives_interval": "1",
            "keepalives_count": "3",
            "tcp_user_timeout": "5000",
        }
        return f"postgresql://{ROLE}@{hosts}:5432/{DATABASE}?{urlencode(wanted, safe='/')}"


def default_layout() -> Layout:
    """The cluster of this project, or below TALLYSTICK_HA_FOLDER.

    Source: environ(7)
    """
    return Layout(Path(os.environ.get("TALLYSTICK_HA_FOLDER", ROOT / "var" / "ha")).absolute())
