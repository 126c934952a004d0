"""A small identity provider with the interface of a real one: authorize, token, keys.

It signs whoever is `person` in without asking, so that a browser can walk through; what it says
about that person's sign-in (`acr`, `amr`) can be set, and so can faults.

Source: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207
"""

from urllib.parse import parse_qs, urlencode, urlsplit

from simulators.loopback import LoopbackServer, Request, Response
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.time import Clock


class IdentityProvider:
    """Serves one client; `changed` overrides claims of the next ID tokens.

    Source: OpenID Connect Core 1.0, 3.1
    """

    def __init__(self, client_id: str, clock: Clock, port: int = 0) -> None:
        """Serve at once on the loopback address.

        Source: OpenID Connect Core 1.0, 3.1
        """
        self.client_id = client_id
        self.person = "ann"
        self.changed: dict[str, object] = {}
        self.issuer_in_answer = ""
        self.signer = Es256SigningKey.generate()
        self.listed = self.signer
        self._clock = clock
        self._codes: dict[str, dict[str, str]] = {}
        self._server = LoopbackServer(self._answer, port=port)
        self.issuer = f"http://localhost:{self._server.port}"

    def close(self) -> None:
        """Stop serving.

        Source: RFC 9112, 9.6
        """
        self._server.close()

    def leads_to(self, url: str) -> str:
        """Where a browser that asks for `url` here is sent.

        Source: OpenID Connect Core 1.0, 3.1.2.5
        """
        asked = {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}
        code = b64url(operating_system(24))
        self._codes[code] = {**asked, "person": self.person}
        answer = {
            "code": code,
            "state": asked["state"],
            "iss": self.issuer_in_answer or self.issuer,
        }
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def _answer(self, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/authorize":
            page = f'<!doctype html><title>go</title><a id="go" href="{self._escaped(request)}">go'
            return Response(200, page.encode())
        if path == "/token":
            return self._token(request)
        if path == "/jwks":
            return Response(200, encode_canonical({"keys": [self._listed()]}))
        return Response(404, b"{}")

    def _escaped(self, request: Request) -> str:
        return self.leads_to(request.path).replace("&", "&amp;")

    def _listed(self) -> dict[str, str]:
        point = self.listed.public().octets()
        return {
            "kty": "EC",
            "crv": "P-256",
            "kid": "1",
            "use": "sig",
            "x": b64url(point[1:33]),
            "y": b64url(point[33:]),
        }

    def _token(self, request: Request) -> Response:
        form = {name: one[0] for name, one in parse_qs(request.body.decode()).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("client_id") != self.client_id
            or form.get("redirect_uri") != asked["redirect_uri"]
            or b64url(sha256(verifier.encode())) != asked["code_challenge"]
        ):
            return Response(400, encode_canonical({"error": "invalid_grant"}))
        now = self._clock.now() // 1000
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": asked["person"],
            "aud": self.client_id,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "acr": "phr",
            "amr": ["pin", "hwk"],
            **self.changed,
        }
        header = encode_canonical({"alg": "ES256", "kid": "1", "typ": "JWT"})
        token = sign_compact(self.signer, header, encode_canonical(claims))
        reply = {"access_token": "none", "token_type": "Bearer", "id_token": token}
        return Response(200, encode_canonical(reply))
