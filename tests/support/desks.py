"""The operators' desk of a served provider, met by a browser or by plain requests."""

import http.client
import json
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.ports import held_port
from tests.support.served import Served, served

from tallystick.entry.desk_settings import DeskSettings, OidcSettings
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ecdsa import der_signature
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url, b64url_decode

PERSONS = ("care-desk", "operations", "operations", "security-officer", "security-officer",
           "auditor")  # fmt: skip


@contextmanager
def served_desk(folder, *, oidc: OidcSettings | None = None, aaguids=(), **more):
    """A provider with a desk at its own origin; codes by role are in `codes`."""
    with ExitStack() as stack:
        port = stack.enter_context(held_port())
        settings = DeskSettings(
            v=1, origin=f"http://localhost:{port}", rp_id="localhost", aaguids=aaguids, oidc=oidc
        )
        options = {"port": port, "more_roles": PERSONS, "join": False, **more}
        found = stack.enter_context(served(folder, desk=settings, **options))
        codes: dict[str, list[str]] = {}
        for one in found.done.invited[: len(found.done.invited) - len(PERSONS)]:
            found.join(one.role, one.code)
        for one in found.done.invited[-len(PERSONS) :]:
            codes.setdefault(one.role, []).append(one.code.reveal())
        yield found, settings.origin, codes


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str


@dataclass
class SoftPasskey:
    """An authenticator of the test: makes what a browser would give, or what an attacker would."""

    origin: str
    rp: str = "localhost"
    key: Es256SigningKey = field(default_factory=Es256SigningKey.generate)
    credential: bytes = b""
    counter: int = 0
    flags: int = 0x05
    cross: bool = False

    def client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps({**told, "crossOrigin": self.cross}).encode()

    def head(self, more: int = 0) -> bytes:
        return sha256(self.rp.encode()) + bytes((self.flags | more,)) + self.counter.to_bytes(4)

    def make(self, challenge: str) -> str:
        import cbor2  # noqa: PLC0415 - only who makes one needs it

        point = self.key.public().octets()
        self.credential = sha256(point)[:20]
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
        data = self.head(0x40) + bytes(16) + len(self.credential).to_bytes(2)
        data += self.credential + cose
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return json.dumps(
            {
                "credential": b64url(self.credential),
                "client_data": b64url(self.client_data("webauthn.create", challenge)),
                "attestation": b64url(made),
            }
        )

    def sign(self, challenge: str, kind: str = "webauthn.get") -> str:
        self.counter += 1
        data, told = self.head(), self.client_data(kind, challenge)
        mark = der_signature(self.key.sign(data + sha256(told)))
        return json.dumps(
            {
                "credential": b64url(self.credential),
                "authenticator_data": b64url(data),
                "client_data": b64url(told),
                "signature": b64url(mark),
            }
        )


class DeskBrowser:
    """A browser without a screen: keeps cookies, sends what a browser sends, follows leads."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.last = Answer(0, {}, [], "")
        self.passkey = SoftPasskey(origin)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **changed: str):
        parts = urlsplit(self.origin)
        link = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
        headers = {"host": parts.netloc, "sec-fetch-site": "same-origin"}
        if method == "POST":
            headers |= {
                "origin": self.origin,
                "content-type": "application/x-www-form-urlencoded",
            }
        if self.cookies:
            headers["cookie"] = "; ".join(f"{one}={value}" for one, value in self.cookies.items())
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        headers = {name: value for name, value in headers.items() if value}
        link.request(method, path, urlencode(form or {}) if method == "POST" else None, headers)
        reply = link.getresponse()
        text = reply.read().decode()
        cookies = reply.headers.get_all("set-cookie") or []
        found = Answer(reply.status, dict(reply.headers.items()), cookies, text)
        link.close()
        for one in cookies:
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        self.last = found
        return found

    def get(self, path: str, **changed: str) -> Answer:
        return self.ask("GET", path, **changed)

    def post(self, path: str, form: dict[str, str], *, secret: bool = True, **changed: str):
        if secret:
            form = {"secret": self.secret(), **form}
        return self.ask("POST", path, form, **changed)

    def follow(self, answer: Answer) -> Answer:
        assert answer.status == 303, (answer.status, text_of(answer.text))
        return self.get(answer.headers["location"])

    def secret(self) -> str:
        found = re.search(r'name="secret" value="([^"]+)"', self.get("/desk/find").text)
        return found[1] if found else ""

    def options(self, text: str = "") -> dict[str, Any]:
        found = re.search(r'data-options="([^"]+)"', text or self.last.text)
        assert found, text_of(self.last.text)
        return json.loads(found[1].replace("&quot;", '"'))

    def join(self, code: str, name: str) -> Answer:
        challenge = self.options(self.get("/desk/join").text)["challenge"]
        form = {"challenge": challenge, "code": code, "name": name}
        return self.post(
            "/desk/join", {**form, "given": self.passkey.make(challenge)}, secret=False
        )

    def sign_in(self) -> Answer:
        challenge = self.options(self.get("/desk/sign-in").text)["challenge"]
        return self.post("/desk/sign-in", {"given": self.passkey.sign(challenge)}, secret=False)

    def draw_up(self, act: str, **fields: str) -> str:
        answer = self.post("/desk/acts", {"name_of_act": act, **fields})
        assert answer.status == 303, text_of(answer.text)
        return answer.headers["location"]

    def sign(self, place: str) -> Answer:
        challenge = self.options(self.get(place).text)["challenge"]
        answer = self.post(place, {"given": self.passkey.sign(challenge)})
        return self.follow(answer) if answer.status == 303 else answer

    def approve(self, act: str) -> Answer:
        """Look at what waits and go on to approve it, as it was shown."""
        shown = re.search(r'name="shown" value="([^"]+)"', self.get(f"/desk/approvals/{act}").text)
        form = {"answer": "approve", "shown": shown[1] if shown else ""}
        return self.post(f"/desk/approvals/{act}", form)

    def act(self, act: str, **fields: str) -> Answer:
        return self.sign(self.draw_up(act, **fields))


def come_in(origin: str, code: str, name: str) -> DeskBrowser:
    browser = DeskBrowser(origin)
    assert browser.join(code, name).status == 200, text_of(browser.last.text)
    assert browser.sign_in().status == 303, text_of(browser.last.text)
    return browser


def without_lots(page: str) -> str:
    """A page without what was drawn by lot: identifiers and secrets may read like anything."""
    return re.sub(r"\b[a-z]{3}_[0-9a-z]{26}\b|[\w-]{43,}", "", page)


def text_of(page: str) -> str:
    body = page.partition("<body>")[2] or page
    body = re.sub(r"<script.*?</script>|<style.*?</style>", "", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def events(provider: Served, kind: str) -> list[dict[str, Any]]:
    """The public and committed fields of every event of `kind` in the log."""
    with open_reader(provider.folder.stored()) as reader:
        rows = reader.rows("SELECT leaf FROM event ORDER BY idx")
    leaves = [json.loads(bytes(row[0])) for row in rows]
    return [one for one in leaves if one["kind"] == kind]


__all__ = ["Answer", "DeskBrowser", "SoftPasskey", "b64url_decode", "come_in", "events",
           "served_desk", "text_of", "without_lots"]  # fmt: skip
