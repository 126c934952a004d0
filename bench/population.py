"""A provider with enrolled devices and prepared, sealed orders, for measurements."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from simulators.device import SimulatedTeeKeystore
from simulators.smsc import Smsc

from tallystick.client.http import HttpTransport
from tallystick.client.operator import OperatorDesk, enrol_operator
from tallystick.client.session import ClientSession, Peer, enrol
from tallystick.client.wallet import Wallet
from tallystick.entry.assembly import SystemClock
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import Plan, demo_policy, set_up
from tallystick.infrastructure.crypto.key_list import (
    keys_in_force,
    signature_key,
    verify_key_list,
)
from tallystick.infrastructure.crypto.signature import Es256SigningKey, VerifyKey
from tallystick.infrastructure.envelope.cose import seal_request
from tallystick.kernel.codec import Decoder
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.keylist import ListedPurpose
from tallystick.protocol.operators import FundAccount, OpenCustomer
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.tally_api import SignedKeyList

PROVIDER = "bench-wallet"
_FUNDS = 5_000_000


@dataclass(slots=True)
class Person:
    """A customer with a device and an open session."""

    number: str
    wallet: Wallet
    session: ClientSession


@dataclass(slots=True)
class Population:
    """A served provider and its people."""

    folder: Path
    url: str
    process: subprocess.Popen[bytes]
    smsc: Smsc
    people: list[Person] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(timeout=30)
        self.smsc.close()
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def server_cpu_s(self) -> float:
        """CPU seconds of the server so far."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident memory of the server."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024  # type: ignore[union-attr]


def populate(count: int, *options: str) -> Population:
    """Set up a provider, serve it, and enrol `count` people through the real protocol."""
    clock = SystemClock()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-")) / "provider"
    secret = Secret(os.urandom(32))
    smsc = Smsc()
    plan = Plan(
        provider=PROVIDER,
        currency="KES",
        country="254",
        profile="demo",
        policy_text=demo_policy(),
        roles=("care-desk", "operations", "operations"),
        sms_url=smsc.url + "/v1/messages",
    )
    done = set_up(ProviderFolder(folder), plan, secret, clock)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.provider", str(folder), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(secret.reveal().hex().encode() + b"\n")
    process.stdin.flush()
    port = int(process.stdout.readline().split()[1])
    url = f"http://127.0.0.1:{port}"
    population = Population(folder, url, process, smsc)
    transport = HttpTransport(url)
    listed = Decoder(SignedKeyList).decode(transport.get("/v1/keys").body).key_list
    now = clock.now()
    keys = verify_key_list(listed, done.root.verify_key(), now, 0)
    signatures: dict[str, VerifyKey] = {
        entry.kid: signature_key(entry)
        for entry in keys_in_force(keys, ListedPurpose.SESSION_SIGNATURE, now)
    }
    tally = signature_key(keys_in_force(keys, ListedPurpose.TALLY, now)[0])
    desks = []
    for invited in done.invited:
        key = Es256SigningKey.generate()
        operator = enrol_operator(transport, invited.code, "Operator", key)
        desks.append(OperatorDesk(transport, operator.operator, key, clock, os.urandom))
    care, first, second = desks
    peer = Peer(transport, PROVIDER, lambda: signatures, os.urandom)
    activations = []
    for index in range(count):
        number = f"+2547{index:08d}"
        body = OpenCustomer(name=f"Person {index}", msisdn=number, kind="person", tier=2)
        activations.append((number, care.act("open-customer", body).reference))
    for number, activation in activations:
        text = smsc.wait_for(number, lambda message: "activation" in message.text, 30).text
        code = Secret(re.search(r"code (\S+),", text).group(1))  # type: ignore[union-attr]
        keystore = SimulatedTeeKeystore()
        enrol(
            peer,
            keystore,
            activation=activation,
            code=code,
            description=DeviceDescription(
                platform="android", model="bench", app_version="1", protection="simulated"
            ),
            shown="enrol",
        )
        fund = FundAccount(
            number=number, amount_minor=_FUNDS, currency="KES", bank_reference="bench"
        )
        waiting = first.act("fund-account", fund)
        second.act("fund-account", fund, approves=waiting.act)
        session = ClientSession(peer, keystore, clock)
        wallet = Wallet(
            session,
            keystore,
            transport,
            lambda: tally,
            origin=f"{PROVIDER}/tally/1",
            clock=clock,
            consistency=False,
        )
        population.people.append(Person(number, wallet, session))
    return population


def sealed_orders(population: Population, count: int) -> tuple[list[bytes], float]:
    """`count` orders of small amounts, each quoted, signed and sealed; and server CPU us a quote."""
    people = population.people
    consents: list[tuple[ClientSession, bytes]] = []
    before = population.server_cpu_s()
    for index in range(count):
        person = people[index % len(people)]
        payee = people[(index * 7 + 1) % len(people)]
        if payee is person:
            payee = people[(index + 1) % len(people)]
        quoted = person.wallet.quote(PaymentKind.P2P, payee.number, Money(100, "KES"))
        consents.append((person.session, person.wallet.consent(quoted).body))
    quote_us = (population.server_cpu_s() - before) / count * 1e6
    return [_sealed(session, body) for session, body in consents], quote_us


def _sealed(session: ClientSession, body: bytes) -> bytes:
    live = session._live
    assert live is not None
    live.sequence += 1
    live.last = int(time.time() * 1000)
    return seal_request(live.keys, "payment.order", live.sequence, body)
