"""Known secrets pass every door; afterwards they are looked for wherever something stays."""

import base64
import os
import sqlite3
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.served import served
from tests.support.stores import raw
from tests.support.written import is_written

from tallystick.client.wallet import Refusal
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import Place, open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentKind

PIN, WRONG = "739164", "739165"
NAMES = ("Zephyrine Quillfeather", "Ambrosius Wintermute", "Hyacinth Oldcastle")
NUMBERS = ("+254799123401", "+254799123402", "+254799123403", "+254799123404")
JSON = "application/json"


def forms(secret: bytes) -> list[bytes]:
    """The spellings under which a secret may have been written down."""
    return [
        secret,
        secret.hex().encode(),
        base64.b64encode(secret).rstrip(b"="),
        b64url(secret).encode(),
    ]


def scalar_of(key: Es256SigningKey) -> bytes:
    """The private scalar itself."""
    loaded = load_der_private_key(key.to_pkcs8().reveal(), None)
    return loaded.private_numbers().private_value.to_bytes(32, "big")


def everything_kept(folder, log: list[bytes], *more: bytes) -> dict[str, bytes]:
    """Every file of a provider's folder but the offline keys, its log, and what was fetched."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and "offline" not in path.parts:
            with suppress(FileNotFoundError):  # a service that runs puts new files in place of old
                found[str(path.relative_to(folder))] = path.read_bytes()
    found["log"] = b"".join(log)
    if (folder / "provider.json").exists():
        found |= rows_kept(ProviderFolder(folder).place())
    for number, text in enumerate(more):
        found[f"fetched {number}"] = text
    return found


def rows_kept(place: Place) -> dict[str, bytes]:
    """Each value of each table by itself: in a file one's digits are beside the next one's."""
    with open_reader(place) as reader:
        tables = [one.table for one in reader.shapes()]
    rows = {one: raw(place, f"SELECT * FROM {one}") for one in tables}
    return {
        f"rows of {one}": b"".join(_octets(value) for row in rows[one] for value in row)
        for one in tables
    }


def _octets(value) -> bytes:
    return (value if isinstance(value, bytes) else str(value).encode()) + b"\n"


@pytest.mark.requirement("MFS-7.3.4-03")
@pytest.mark.requirement("MFS-7.3.4-02")
@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.threat("THR-BE-07")
def test_secrets_and_persons_can_never_be_read_in_what_is_kept(tmp_path):
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    folder = tmp_path / "provider"
    answers: list[bytes] = []
    with served(folder, gateways={"gw1": half}) as provider:
        ann = provider.person(NUMBERS[0], NAMES[0], funds=900_000)
        agent = provider.person(
            NUMBERS[1], NAMES[1], kind="agent", tier=3, funds=900_000, till="400001"
        )
        agent.wallet.open_customer(
            OpenCustomer(name=NAMES[2], msisdn=NUMBERS[2], kind="person", tier=1)
        )
        phone = FeaturePhone(
            NUMBERS[2], UssdGateway("gw1", key, provider.url, SystemClock()), provider.smsc
        )
        code = phone.activation_code(10)
        phone.set_pin(code, Secret(PIN))
        agent.wallet.pay(PaymentKind.CASH_IN, NUMBERS[2], Money(50_000, "KES"))
        ann.wallet.pay(PaymentKind.P2P, NUMBERS[2], Money(12_300, "KES"))
        phone.send_money(NUMBERS[0], "20", Secret(PIN))
        phone.send_money(NUMBERS[0], "20", Secret(WRONG))
        phone.balance(Secret(PIN))
        with pytest.raises((Refusal, MfsError)):
            ann.wallet.pay(PaymentKind.P2P, NUMBERS[3], Money(100, "KES"))
        for body in (PIN.encode(), NAMES[0].encode(), b"{" + NUMBERS[0].encode() + b"}"):
            answers.extend(
                provider.transport.post(path, body, JSON).body
                for path in ("/v1/acts/open-customer", "/v1/ussd", "/v1/sessions", "/v1/payments")
            )
        answers.append(provider.transport.get("/metrics").body)
        kept = everything_kept(folder, provider.log, *answers)
        session = ann.session._live.keys
        secrets = {
            "PIN": [PIN.encode()],
            "wrong PIN": [WRONG.encode()],
            "activation code": [code.reveal().encode()],
            "secret of the master key": forms(provider.secret.reveal()),
            "session key": forms(session.request_iv.to_bytes(12, "big")),
            "name": [name.encode() for name in NAMES],
            "number": [number.encode() for number in NUMBERS]
            + [number[1:].encode() for number in NUMBERS],
        }
        for pair in ann.keystore.renewal_pairs():
            secrets.setdefault("renewal secret", []).extend(forms(pair.secret.reveal()))
        for device_key in (ann.keystore._possession, ann.keystore._consent):
            secrets.setdefault("device key", []).extend(forms(scalar_of(device_key)))
    kept |= everything_kept(folder, provider.log)
    assert len(kept["log"]) > 1_000
    assert sum(map(len, kept.values())) > 50_000
    found = [
        (name, place)
        for name, spellings in secrets.items()
        for spelling in spellings
        for place, octets in kept.items()
        if is_written(spelling, octets)
    ]
    assert not found


def test_the_search_finds_what_is_there(tmp_path):
    secret = os.urandom(32)
    with sqlite3.connect(tmp_path / "x.db") as link:
        link.execute("CREATE TABLE t (a)")
        link.execute("INSERT INTO t VALUES (?)", (b64url(secret),))
    link.close()
    kept = everything_kept(tmp_path, [])
    assert any(spelling in kept["x.db"] for spelling in forms(secret))


def test_a_pin_in_a_column_behind_another_number_is_found(tmp_path):
    file = tmp_path / "x.db"
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE t (a, b)")
        link.execute("INSERT INTO t VALUES (?, ?)", ("254700000001", PIN))
    link.close()
    assert not is_written(PIN.encode(), file.read_bytes()), "they stand side by side"
    (kept,) = rows_kept(file).values()
    assert is_written(PIN.encode(), kept)


@pytest.mark.parametrize(
    "text", [f'"pin":"{PIN}"', f"1*0700000001*50*{PIN}", f"text=1%2A{PIN}&x", f"xf{PIN}y", PIN]
)
def test_a_pin_that_is_written_is_found(text: str) -> None:
    assert is_written(PIN.encode(), text.encode())


@pytest.mark.parametrize("text", [f"1795{PIN}912", f'"{"Ab_" * 20}a{PIN}"', f"{'0a' * 20}{PIN}"])
def test_digits_of_a_time_a_signature_or_a_digest_are_no_pin(text: str) -> None:
    assert not is_written(PIN.encode(), text.encode())
