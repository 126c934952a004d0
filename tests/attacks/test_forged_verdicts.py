"""Ten thousand forged failing verdicts tighten nothing for anybody but those who sent them.

A policy that becomes stricter by itself is a switch; these tests try to throw it from outside, with
devices of the attacker's own and without any credential. Each ends with the real thing, which does.
"""

import http.client
import json
import sqlite3
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.served import served
from tests.support.stores import on_file
from tests.unit.process.policy.policy_texts import SIGNED, demo_text, payment

from tallystick.application.controls import established
from tallystick.application.own_commands import Tighten
from tallystick.client.consenting import consent_to
from tallystick.entry.replay.parties import (
    Party,
    enrol_devices,
    establish_sessions,
    fund_parties,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import CURRENCY, ReplayProvider
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.tightening import Controls
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.time import DAY_MS, HOUR_MS, Instant, SimulatedClock
from tallystick.protocol.payments import PaymentKind, QuoteReply, QuoteRequest

FORGED = 10_000
ENROLLED_FOR_REAL = 60
NOW = 1_767_225_600_000
DAYS = 6
_quotes = Decoder(QuoteReply)


class Ground:
    """A provider of some age, opened: 120 customers with attested devices paid on six days."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(Instant(NOW))
        self.provider = ReplayProvider(ProviderFolder(folder), self.clock, demo_text())
        self.platform = self.provider.platform
        self.file = folder / "tallystick.db"
        self.controls = Controls(self.platform)
        self.peer = replay_peer(self.provider)
        self.ann, self.ben = self.enrol("Ann", "Ben", number=1)
        self.pay(self.ann, self.ben)
        self.add("old", 120, trust="attested-hardware", enrolled=NOW - 60 * DAY_MS)

    def enrol(self, *names: str, number: int) -> list[Party]:
        """Customers whose devices enrol over the protocol, and say nothing good of their keys."""
        parties = [
            Party(f"+2547{number + at:08d}", name, "person", 100_000, consents=True)
            for at, name in enumerate(names)
        ]
        open_parties(self.provider, parties)
        fund_parties(self.provider, parties)
        enrol_devices(self.provider, self.peer, parties)
        self.clock.advance(1_000)
        establish_sessions(self.provider, self.peer, parties)
        return parties

    def pay(self, payer: Party, payee: Party) -> None:
        request = QuoteRequest(
            kind=PaymentKind.P2P, payee=payee.number, amount_minor=100, currency=CURRENCY
        )
        phone, told = payer.phone(), []
        sequence, sealed = phone.seal("payment.quote", encode_canonical(request))
        self.provider.handler("payment.quote")(
            sealed, "", lambda status, _, body, *_more: told.append((status, body))
        )
        quoted = _quotes.decode(phone.opened("payment.quote", sequence, *told[0]))
        order = consent_to(quoted, phone.keystore, self.clock.now())
        _, sealed = phone.seal("payment.order", order.body)
        statuses: list[int] = []
        self.provider.handler("payment.order")(
            sealed, "", lambda status, *_: statuses.append(status)
        )
        self.provider.batch.run()
        assert statuses == [200]

    def add(self, prefix: str, count: int, *, trust: str, enrolled: int) -> None:
        """Devices like the enrolled one, and settled orders of each on six days, in the store."""
        link = sqlite3.connect(self.file, isolation_level=None)
        link.row_factory = sqlite3.Row
        device = dict(link.execute("SELECT * FROM device LIMIT 1").fetchone())
        order = dict(link.execute("SELECT * FROM payment_order LIMIT 1").fetchone())
        devices = [
            device
            | {"id": f"dev_{prefix}{n}", "possession": f"{prefix}{n}".encode(), "trust": trust,
               "enrolled_at": enrolled}
            for n in range(count)
        ]  # fmt: skip
        orders = [
            order
            | {"id": f"ord_{prefix}{n}x{day}", "device": f"dev_{prefix}{n}",
               "at": NOW - day * DAY_MS}
            for n in range(count)
            for day in range(DAYS)
        ]  # fmt: skip
        link.execute("BEGIN")
        for table, rows in (("device", devices), ("payment_order", orders)):
            names = ", ".join(rows[0])
            slots = ", ".join("?" for _ in rows[0])
            link.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({slots})",
                [tuple(row.values()) for row in rows],
            )
        link.execute("COMMIT")
        link.close()

    def run(self, statement: str) -> None:
        link = sqlite3.connect(self.file, isolation_level=None)
        link.execute(statement)
        link.close()

    def look(self) -> list[Any]:
        """What is due now, and done."""
        now = self.clock.now()
        commands = list(self.controls.due(self.controls.read(now), now))
        if commands:
            self.platform.writer.run(commands)
        return commands

    def watch(self, hours: int) -> list[Any]:
        """What became due within so many hours."""
        found: list[Any] = []
        for _ in range(hours * 2):
            self.clock.advance(HOUR_MS // 2)
            found += self.look()
        return found

    def limit_of(self, name: str) -> int:
        limits = self.platform.desks.policy.compiled.policy.limits
        return next(one.per_payment_minor for one in limits if one.id == name)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    one = Ground(tmp_path / "provider")
    yield one
    one.platform.close()


@on_file
@pytest.mark.threat("THR-BE-01")
def test_devices_of_the_attackers_own_change_nothing_for_others(ground: Ground) -> None:
    assert not ground.watch(2)
    attackers = ground.enrol(*(f"Mallory {n}" for n in range(ENROLLED_FOR_REAL)), number=1_000)
    for one, other in pairwise(attackers):
        ground.pay(one, other)
    ground.add("new", FORGED, trust="unknown", enrolled=NOW - 29 * DAY_MS)
    before = ground.platform.desks.policy.compiled
    counted = established(ground.platform.reader, ground.clock.now())
    assert (counted.devices, counted.attested) == (120, 120)
    assert not ground.watch(6)
    assert ground.platform.desks.policy.compiled is before
    assert ground.limit_of("software-device") == 5_000_000
    # The same verdicts, of devices that have been customers' for long, are a signal.
    ground.run("UPDATE device SET trust = 'unknown' WHERE id LIKE 'dev_old1%'")
    ground.run("UPDATE device SET trust = 'unknown' WHERE id > 'dev_old3' AND id LIKE 'dev_old%'")
    found = ground.watch(3)
    assert [(type(one), one.entry) for one in found] == [(Tighten, "attestation-low")]
    assert "of 120 established devices" in found[0].seen.evidence
    assert ground.limit_of("software-device") == 1_000_000
    facts = payment(amount_minor=1_500_000, **SIGNED)
    refused = ground.platform.desks.policy.decide(facts, subject="ord_1")
    assert "tightened by attestation-low" in refused.decision.because


@on_file
def test_one_device_weighs_one_however_much_it_sends(ground: Ground) -> None:
    ground.run("UPDATE device SET trust = 'unknown' WHERE id LIKE 'dev_old1'")
    ground.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        " INSERT INTO payment_order SELECT 'ord_more' || i, body_hash, kind, stage, error, detail,"
        " remedy, because, payer, payee, amount_minor, fee_minor, currency, original,"
        " returned_minor, grade, device, policy, row, evidence, event, balance_minor, at"
        " FROM n, payment_order WHERE id = 'ord_old1x0'"
    )
    counted = established(ground.platform.reader, ground.clock.now())
    assert (counted.devices, counted.attested) == (120, 119)
    assert not ground.watch(3)


@on_file
def test_a_share_of_too_few_devices_says_nothing(ground: Ground) -> None:
    ground.run("UPDATE device SET trust = 'unknown'")
    ground.run("UPDATE device SET status = 'removed' WHERE id LIKE 'dev_old11%'")
    ground.run("UPDATE device SET status = 'removed' WHERE id LIKE 'dev_old10%'")
    counted = established(ground.platform.reader, ground.clock.now())
    assert (counted.devices, counted.attested) == (98, 0)
    assert not ground.watch(3)


FORGERIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/certificates", {"about": "certificate-withdrawn", "body_b64": "e30", "signatures": []}),
    ("/v1/acts/lift-tightening", {"jws": "e30.e30.AAAA", "body": {"entry": "record-in-doubt"}}),
    ("/v1/evidence", {"check": "record.audit", "verdict": "fail"}),
    ("/v1/tightenings", {"entry": "record-in-doubt", "seen": {"failing": True, "since": 0}}),
    ("/v1/enrolments/x", {"attestation": "none", "verdict": "fail"}),
)


@pytest.mark.threat("THR-BE-01")
def test_strangers_who_send_verdicts_without_credentials_change_nothing(tmp_path: Path) -> None:
    with served(tmp_path / "p", join=False) as provider:
        host, port = provider.url.removeprefix("http://").split(":")
        link = http.client.HTTPConnection(host, int(port), timeout=30)
        before = provider.platform.desks.policy.compiled
        size = provider.platform.archive.size
        bodies = [(path, json.dumps(body).encode()) for path, body in FORGERIES]
        statuses: set[int] = set()
        for number in range(FORGED):
            path, body = bodies[number % len(bodies)]
            link.request("POST", path, body, {"content-type": "application/json"})
            answer = link.getresponse()
            answer.read()
            statuses.add(answer.status)
        link.close()
        assert all(400 <= status < 500 for status in statuses), statuses
        time.sleep(2.5)
        policy = provider.platform.desks.policy
        assert policy.compiled is before
        assert policy.measures.current == ()
        assert provider.platform.archive.size == size
