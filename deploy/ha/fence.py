#!/usr/bin/python3
"""fence.py NAME ETCD-HOSTS CERTIFICATES SOCKETS: may this node, which leads, become the primary?

Patroni runs it before it promotes, and gives the lead up again if it does not end with 0. It waits
until so many of the nodes that could confirm a commit of the former primary receive from this node
that no commit of it can be confirmed any more, and until this node has all that they ever received.
A former primary that lives on, or wakes up, then waits for ever with what it is asked to commit.

A commit is confirmed by all but `quorum` of the members in Patroni's record `sync`, the former
primary among them. So `quorum` others beside this node are enough, and one more if it is no member.
A member that left this node for another shows here for `wal_sender_timeout`, 10 s, at most; the
lease of the primary that it left for lasts 20 s.
"""

import base64
import http.client
import json
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

RECORDS = "/service/tallystick/"
PATIENCE_S = 12.0
PAUSE_S = 0.1
ANSWER_S = 2.0
FOLLOWERS = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"
RECEIVED = (
    "SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn"
    " WHERE pg_is_in_recovery()"
)
OK, REFUSED = 0, 1


@dataclass(frozen=True)
class Promise:
    """Who may have confirmed what the former primary answered; `quorum` of them are not needed."""

    members: frozenset[str]
    quorum: int

    @classmethod
    def read(cls, record: str) -> "Promise":
        """From Patroni's record `sync`; without one nothing was ever answered on two nodes."""
        told = json.loads(record or "{}")
        names = [told.get("leader") or "", *(told.get("sync_standby") or "").split(",")]
        return cls(frozenset(name for name in names if name), int(told.get("quorum") or 0))

    def allows(self, name: str, followers: frozenset[str]) -> bool:
        """Is nothing left that could confirm a commit of another, once `followers` follow?"""
        if not self.members:
            return True
        held = (self.members & followers) - {name}
        return len(held) >= self.quorum + (name not in self.members)


class Surroundings:
    """etcd, the Patroni of the other nodes, and the PostgreSQL of this one."""

    def __init__(self, name: str, etcd: str, certificates: str, sockets: str) -> None:
        self._etcd = etcd.split(",")
        self._sockets = sockets
        self._tls = ssl.create_default_context(cafile=f"{certificates}/ca.crt")
        self._tls.load_cert_chain(f"{certificates}/{name}.crt", f"{certificates}/{name}.key")

    def record(self, name: str) -> str:
        """The text of one of Patroni's records, as a majority of etcd has it; empty if none."""
        sought = json.dumps({"key": base64.b64encode((RECORDS + name).encode()).decode()})
        for _ in tuple(self._etcd):
            try:
                told = json.loads(self._ask(self._etcd[0], "POST", "/v3/kv/range", sought))
            except (OSError, http.client.HTTPException, ValueError):
                self._etcd.append(self._etcd.pop(0))  # the next question goes to another
                continue
            found = told.get("kvs") or [{}]
            return base64.b64decode(found[0].get("value", "")).decode()
        raise OSError("no member of etcd answers")

    def received_by(self, name: str) -> int:
        """The place in the log up to which a node has received, as its own Patroni says."""
        url = json.loads(self.record(f"members/{name}") or "{}").get("api_url", "")
        told = json.loads(self._ask(urlsplit(url).netloc, "GET", "/patroni"))
        places = told["xlog"]
        return max(places.get("received_location") or 0, places.get("replayed_location") or 0)

    def followers(self) -> frozenset[str]:
        """The nodes that receive from this one at this moment, and so from no other."""
        return frozenset(self._query(FOLLOWERS).split())

    def received(self) -> int:
        """The place in the log up to which this node has received."""
        return int(self._query(RECEIVED))

    def _ask(self, host: str, method: str, path: str, body: str | None = None) -> str:
        link = http.client.HTTPSConnection(host, timeout=ANSWER_S, context=self._tls)
        try:
            link.request(method, path, body)
            reply = link.getresponse()
            text = reply.read().decode()
        finally:
            link.close()
        if reply.status != http.HTTPStatus.OK:
            raise OSError(f"{host} answered {reply.status}")
        return text

    def _query(self, statement: str) -> str:
        who = f"host={self._sockets} user=postgres dbname=postgres"
        command = [
            "psql",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command",
            statement,
            who,
        ]
        done = subprocess.run(  # noqa: S603 - the statements above
            command, capture_output=True, text=True, check=False, timeout=ANSWER_S
        )
        if done.returncode != 0:
            raise OSError(done.stderr.strip())
        return done.stdout.strip()


def held(around: Surroundings, promise: Promise, name: str) -> frozenset[str]:
    """The members that receive from here, and never received what is not here.

    In this order: who follows; how far they are; how far this node is, which only grows.
    """
    following = around.followers() & promise.members - {name}
    places = {one: around.received_by(one) for one in following}
    here = around.received()
    return frozenset(one for one, place in places.items() if place <= here)


def say(what: str) -> None:
    """A line for the journal of Patroni."""
    sys.stdout.write(f"fence: {what}\n")


def main(name: str, etcd: str, certificates: str, sockets: str) -> int:
    """Wait until it may; 1 if it may not in time."""
    around = Surroundings(name, etcd, certificates, sockets)
    began = time.monotonic()
    why = "nobody was asked"
    while time.monotonic() - began < PATIENCE_S:
        try:
            promise = Promise.read(around.record("sync"))
            following = held(around, promise, name) if promise.members else frozenset()
            if promise.allows(name, following):
                seconds = time.monotonic() - began
                say(f"{name} may be the primary after {seconds:.1f} s, with {sorted(following)}")
                return OK
            why = f"of {sorted(promise.members)} only {sorted(following)} receive from here"
        except (OSError, http.client.HTTPException, ValueError, KeyError,
                subprocess.TimeoutExpired) as error:  # fmt: skip
            why = str(error)
        time.sleep(PAUSE_S)
    say(f"{name} may not be the primary: {why}")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
