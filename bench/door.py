"""The payment cryptography door over loopback: processor time of the server for each call.

Requests are signed beforehand by botocore, each with a message of its own, and sent over one
connection that is kept. The server is a process of its own that has the door, its module, the
verification of signatures and HTTP; its processor time is read before and after. Keys are in
memory; calls of the data plane write nothing.
"""

import asyncio
import importlib
import json
import socket
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvloop

from bench.door_in_memory import PROGRAM, SETTINGS, OpenDoor
from tallystick.entry.paycrypt.connection import DoorConnection
from tallystick.entry.paycrypt.credentials import secret_of
from tallystick.infrastructure.modules.clock import SystemClock

Rows = list[dict[str, Any]]
BOUND_US = 450
PAN = "4012345678909012"
_CARD = {"PrimaryAccountNumber": PAN, "PanSequenceNumber": "01"}


def run(quick: bool = False) -> Rows:
    """Processor time of the server for each call of the data plane."""
    if find_spec("botocore") is None:
        return [_row("door: botocore is absent", 0.0, 0, met=False)]
    with subprocess.Popen(
        [sys.executable, "-m", "bench.door"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            return _measured(server.pid, told, 300 if quick else 1_500)
        finally:
            assert server.stdin is not None
            server.stdin.close()
            server.wait(10)


def _measured(pid: int, told: dict[str, Any], count: int) -> Rows:
    rows: Rows = []
    with socket.create_connection(("127.0.0.1", told["port"])) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, (path, body) in _calls(told["keys"]).items():
            requests = [_signed(told, path, _numbered(body, turn)) for turn in range(count + 50)]
            for request in requests[:50]:
                _ask(link, request)
            before = _spent_ns(pid)
            for request in requests[50:]:
                _ask(link, request)
            spent = _spent_ns(pid) - before
            rows.append(_row(f"door {name}", spent / count / 1000, count))
    return rows


def _spent_ns(pid: int) -> int:
    """What all threads of the server ran so far, in nanoseconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in tasks)


def _calls(keys: dict[str, str]) -> dict[str, tuple[str, dict[str, Any]]]:
    pins = {"PinBlockFormat": "ISO_FORMAT_0", "PrimaryAccountNumber": PAN}
    emv = {
        "MajorKeyDerivationMode": "EMV_OPTION_A", "TransactionData": "00" * 64,
        "SessionKeyDerivationAttributes": {
            "EmvCommon": {**_CARD, "ApplicationTransactionCounter": "0001"}
        },
    }  # fmt: skip
    dukpt = {"KeySerialNumber": "123456789012345600000555"}
    visa = {"VisaPin": {"PinVerificationKeyIndex": 1}}
    value = {"CardVerificationValue1": {"CardExpiryDate": "3012", "ServiceCode": "101"}}
    iso4 = {"IsoFormat4": {"PrimaryAccountNumber": PAN}}
    return {
        "TranslatePinData 4 to 4": (
            "/pindata/translate",
            {
                "IncomingKeyIdentifier": keys["zpk4"], "OutgoingKeyIdentifier": keys["zpk4"],
                "IncomingTranslationAttributes": iso4, "OutgoingTranslationAttributes": iso4,
                "EncryptedPinBlock": keys["block 4"],
            },
        ),
        "TranslatePinData from AES DUKPT": (
            "/pindata/translate",
            {
                "IncomingKeyIdentifier": keys["bdk4"], "OutgoingKeyIdentifier": keys["zpk4"],
                "IncomingTranslationAttributes": iso4, "OutgoingTranslationAttributes": iso4,
                "EncryptedPinBlock": keys["block dukpt"], "IncomingDukptAttributes": dukpt,
            },
        ),
        "GeneratePinData PVV": (
            "/pindata/generate",
            {
                "GenerationKeyIdentifier": keys["pvk"], "EncryptionKeyIdentifier": keys["zpk"],
                **pins, "GenerationAttributes": visa,
            },
        ),
        "VerifyPinData PVV": (
            "/pindata/verify",
            {
                "VerificationKeyIdentifier": keys["pvk"], "EncryptionKeyIdentifier": keys["zpk"],
                **pins, "EncryptedPinBlock": keys["block 0"],
                "VerificationAttributes": {
                    "VisaPin": {"PinVerificationKeyIndex": 1, "VerificationValue": keys["pvv"]}
                },
            },
        ),
        "GenerateMac CMAC": (
            "/mac/generate",
            {
                "KeyIdentifier": keys["mac"], "MessageData": "00" * 128,
                "GenerationAttributes": {"Algorithm": "CMAC"},
            },
        ),
        "GenerateMac retail": (
            "/mac/generate",
            {
                "KeyIdentifier": keys["mac3"], "MessageData": "00" * 128,
                "GenerationAttributes": {"Algorithm": "ISO9797_ALGORITHM3"},
            },
        ),
        "GenerateCardValidationData CVV": (
            "/cardvalidationdata/generate",
            {
                "KeyIdentifier": keys["cvk"], "PrimaryAccountNumber": PAN,
                "GenerationAttributes": value,
            },
        ),
        "VerifyCardValidationData CVV": (
            "/cardvalidationdata/verify",
            {
                "KeyIdentifier": keys["cvk"], "PrimaryAccountNumber": PAN,
                "VerificationAttributes": value, "ValidationData": keys["cvv"],
            },
        ),
        "GenerateAuthRequestCryptogram": (
            "/cryptogram/generate", {"KeyIdentifier": keys["ac"], **emv},
        ),
        "VerifyAuthRequestCryptogram": (
            "/cryptogram/verify",
            {
                "KeyIdentifier": keys["ac"], **emv, "AuthRequestCryptogram": keys["arqc"],
                "AuthResponseAttributes": {"ArpcMethod1": {"AuthResponseCode": "3030"}},
            },
        ),
        "EncryptData CBC, 1 KiB": (
            f"/keys/{quote(keys['dek'], safe='')}/encrypt",
            {
                "PlainText": "00" * 1024,
                "EncryptionAttributes": {
                    "Symmetric": {"Mode": "CBC", "InitializationVector": "00" * 16}
                },
            },
        ),
    }  # fmt: skip


def _numbered(body: dict[str, Any], turn: int) -> bytes:
    """The body with a message of its own where there is one; white space tells others apart."""
    changed = dict(body)
    for name in ("MessageData", "PlainText"):
        if name in changed:
            changed[name] = f"{turn:016x}" + changed[name][16:]
    return json.dumps(changed).encode() + b" " * (turn % 16)


def _signed(told: dict[str, Any], path: str, body: bytes) -> bytes:
    signer = importlib.import_module("botocore.auth").SigV4Auth
    request_of = importlib.import_module("botocore.awsrequest").AWSRequest
    credentials_of = importlib.import_module("botocore.credentials").Credentials
    url = f"http://127.0.0.1:{told['port']}{path}"
    request = request_of("POST", url, data=body, headers={"Content-Type": "application/json"})
    credentials = credentials_of(PROGRAM, told["secret"])
    signer(credentials, "payment-cryptography", SETTINGS.region).add_auth(request)
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{told['port']}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += ["User-Agent: Botocore/1 ua/2.1 os/linux#6 md/arch#x86_64 lang/python#3.11", ""]
    head = "\r\n".join([*lines[:-1], f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def _ask(link: socket.socket, request: bytes) -> bytes:
    link.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += link.recv(65_536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += link.recv(65_536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError((head, body))
    return body


def _row(name: str, value: float, count: int, *, met: bool | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "value": round(value, 1),
        "unit": "us of server CPU a request",
        "bound": BOUND_US,
        "load": f"{count} requests, one connection, signed by botocore",
    }
    return row if met is None else {**row, "met": met}


async def _serve() -> None:
    """Serve a door until stdin closes; what is needed to ask it goes to stdout first."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    door = OpenDoor(signed=True, clock=SystemClock())
    living: set[DoorConnection] = set()
    server = await loop.create_server(lambda: DoorConnection(door, living), "127.0.0.1", 0)
    secret = secret_of(door.on.module, door.credential, PROGRAM).reveal()
    port = server.sockets[0].getsockname()[1]
    told = {"port": port, "secret": secret, "keys": {**door.names, **door.samples(PAN)}}
    print(json.dumps(told), flush=True)

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    await stop.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve())
