"""Two simulated keepers of key-encryption keys: KMS (AWS JSON 1.1) and a transit engine (Vault).

They are no key services: their keys live in this process. What a caller has to get right is checked
as the real ones check it: the signature over each request, the client's token, key and context.

Source: ISO/TS 12812-2:2017, 7.4.2; AWS Signature Version 4
"""

import datetime as dt
import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simulators.loopback import LoopbackServer, Request, Response

ACCESS_KEY = "AKIASIMULATED0000001"
SECRET_KEY = "simulated/secret+access/key0000000000001"  # noqa: S105 - of a simulator
REGION = "eu-west-1"
CLIENT = "hvs.simulated-client"
_SKEW = dt.timedelta(minutes=5)
_JSON_11 = "application/x-amz-json-1.1"
_NONCE = 12
Answer = tuple[int, dict[str, Any]]


class _Keys:
    """Keys by name, and wrapping under them with a context.

    Source: NIST SP 800-38D
    """

    def __init__(self, *names: str) -> None:
        self._keys = {name: AESGCM(os.urandom(32)) for name in names}

    def has(self, name: str) -> bool:
        """Whether there is a key of this name.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return name in self._keys

    def seal(self, name: str, clear: bytes, context: bytes) -> bytes:
        """`clear` under the key, behind its nonce.

        Source: NIST SP 800-38D
        """
        nonce = os.urandom(_NONCE)
        return nonce + self._keys[name].encrypt(nonce, clear, name.encode() + context)

    def open(self, name: str, sealed: bytes, context: bytes) -> bytes | None:
        """What was sealed; None where key or context are others.

        Source: NIST SP 800-38D
        """
        try:
            return self._keys[name].decrypt(
                sealed[:_NONCE], sealed[_NONCE:], name.encode() + context
            )
        except (InvalidTag, ValueError):
            return None


class KmsSimulator:
    """Answers Encrypt and Decrypt to who signs well; `faults` are answers that come first.

    Source: AWS KMS API reference
    """

    def __init__(self, *keys: str) -> None:
        self._keys = _Keys(*keys)
        self.faults: list[Answer] = []
        self.seen: list[str] = []
        self._server = LoopbackServer(self._handle)
        self.url = self._server.url

    def close(self) -> None:
        """Stop answering.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._server.close()

    def _handle(self, request: Request) -> Response:
        fields = dict(request.fields)
        target = fields.get("x-amz-target", "")
        self.seen.append(target)
        if self.faults:
            return _as_json(*self.faults.pop(0))
        wrong = signature_wrong(request, "kms")
        if wrong:
            return _as_json(400, {"__type": wrong})
        acts: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "TrentService.Encrypt": self._encrypt,
            "TrentService.Decrypt": self._decrypt,
        }
        act = acts.get(target)
        if act is None or fields.get("content-type") != _JSON_11:
            return _as_json(400, {"__type": "UnknownOperationException"})
        asked = json.loads(request.body)
        if not self._keys.has(asked["KeyId"]):
            return _as_json(400, {"__type": "NotFoundException"})
        return _as_json(*act(asked))

    def _encrypt(self, asked: dict[str, Any]) -> Answer:
        name = asked["KeyId"]
        sealed = self._keys.seal(name, b64decode(asked["Plaintext"]), _context(asked))
        return 200, {"CiphertextBlob": _b64(sealed), "KeyId": name}

    def _decrypt(self, asked: dict[str, Any]) -> Answer:
        name = asked["KeyId"]
        clear = self._keys.open(name, b64decode(asked["CiphertextBlob"]), _context(asked))
        if clear is None:
            return 400, {"__type": "InvalidCiphertextException"}
        return 200, {"Plaintext": _b64(clear), "KeyId": name}


class TransitSimulator:
    """Answers encrypt and decrypt of one mount to who brings the client's token.

    Source: Vault HTTP API, transit
    """

    def __init__(self, mount: str, *keys: str) -> None:
        self._mount = mount
        self._keys = _Keys(*keys)
        self.faults: list[Response] = []
        self.seen: list[str] = []
        self._server = LoopbackServer(self._handle)
        self.url = self._server.url

    def close(self) -> None:
        """Stop answering.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._server.close()

    def _handle(self, request: Request) -> Response:  # noqa: PLR0911 - one a check
        self.seen.append(request.path)
        if self.faults:
            return self.faults.pop(0)
        offered = dict(request.fields).get("x-vault-token", "")
        if not hmac.compare_digest(offered, CLIENT):
            return _plain(403, {"errors": ["permission denied"]})
        head = f"/v1/{self._mount}/"
        act, _, name = request.path.removeprefix(head).partition("/")
        if not request.path.startswith(head) or request.method != "POST":
            return _plain(404, {"errors": []})
        name, asked = unquote(name), json.loads(request.body)
        if not self._keys.has(name):
            return _plain(400, {"errors": ["encryption key not found"]})
        context = b64decode(asked.get("associated_data", ""))
        if act == "encrypt":
            sealed = self._keys.seal(name, b64decode(asked["plaintext"]), context)
            data = {"ciphertext": f"vault:v1:{_b64(sealed)}", "key_version": 1}
            return _plain(200, {"request_id": "simulated", "lease_id": "", "data": data})
        sealed = b64decode(asked["ciphertext"].removeprefix("vault:v1:"))
        clear = self._keys.open(name, sealed, context)
        if clear is None:
            return _plain(400, {"errors": ["cipher: message authentication failed"]})
        return _plain(200, {"request_id": "simulated", "data": {"plaintext": _b64(clear)}})


def signature_wrong(request: Request, service: str) -> str:
    """The error that the service gives for the signature of `request`, empty for a good one.

    Source: AWS Signature Version 4
    """
    fields = dict(request.fields)
    scheme, _, rest = fields.get("authorization", "").partition(" ")
    said = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme != "AWS4-HMAC-SHA256" or not said.get("Signature"):
        return "MissingAuthenticationTokenException"
    when = fields.get("x-amz-date", "")
    scope = f"{when[:8]}/{REGION}/{service}/aws4_request"
    if said.get("Credential") != f"{ACCESS_KEY}/{scope}":
        return "UnrecognizedClientException"
    signed = said.get("SignedHeaders", "").split(";")
    if not {"host", "x-amz-date", "x-amz-target"} <= set(signed) or not _is_fresh(when):
        return "InvalidSignatureException"
    path, _, query = request.path.partition("?")
    canonical = "\n".join(
        (
            request.method,
            quote(path or "/", safe="/~"),
            query,
            *(f"{name}:{' '.join(fields.get(name, '').split())}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    text = "\n".join(
        ("AWS4-HMAC-SHA256", when, scope, hashlib.sha256(canonical.encode()).hexdigest())
    )
    derived = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    wanted = hmac.digest(derived, text.encode(), "sha256").hex()
    good = hmac.compare_digest(wanted, said["Signature"])
    return "" if good else "InvalidSignatureException"


def _is_fresh(when: str) -> bool:
    try:
        at = dt.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return abs(dt.datetime.now(dt.UTC) - at) < _SKEW


def _context(asked: dict[str, Any]) -> bytes:
    return json.dumps(asked.get("EncryptionContext", {}), sort_keys=True).encode()


def _as_json(status: int, body: dict[str, Any]) -> Response:
    return Response(status, json.dumps(body).encode(), _JSON_11)


def _plain(status: int, body: dict[str, Any]) -> Response:
    return Response(status, json.dumps(body).encode())


def _b64(octets: bytes) -> str:
    return b64encode(octets).decode()
