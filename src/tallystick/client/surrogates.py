"""A program's side of surrogates: asks the payment cryptography door, signed.

    shop = SurrogateClient(HttpTransport(url, ca_file=ca), Program("wkl_...", secret), clock)
    surrogate = shop.tokenise("merchants", pan)
    value = care.detokenise("merchants", surrogate, purpose="dispute", case="D-17")

Making a surrogate again gives the same one, so a call that was not answered is simply repeated.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.5; AWS Signature Version 4
"""

from typing import Final, NamedTuple, TypeVar

from tallystick.client.http import HttpTransport
from tallystick.infrastructure.sigv4.signing import Credentials, signed_headers
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import (
    Malformed,
    MfsError,
    NotAuthentic,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock
from tallystick.protocol.paycrypt.words import Shape
from tallystick.protocol.surrogates import (
    Detokenise,
    DetokeniseMany,
    ListSurrogateDomains,
    RenewSurrogate,
    SurrogateAnswer,
    SurrogateDomain,
    SurrogateDomains,
    Tokenise,
    ValueAnswer,
    ValuesAnswer,
)

S = TypeVar("S", bound=Shape)
_JSON: Final = "application/json"
_SERVICE: Final = "payment-cryptography"
_made = Decoder(SurrogateAnswer)
_value = Decoder(ValueAnswer)
_values = Decoder(ValuesAnswer, limit=64 * 1024)
_domains = Decoder(SurrogateDomains, limit=256 * 1024)
_SHORT: Final[dict[str, type[MfsError]]] = {
    "AccessDeniedException": NotPermitted,
    "InvalidSignatureException": NotAuthentic,
    "MissingAuthenticationTokenException": NotAuthentic,
    "ResourceNotFoundException": NotFound,
    "ThrottlingException": RateLimited,
    "UnrecognizedClientException": NotAuthentic,
    "ValidationException": Malformed,
}


class Program(NamedTuple):
    """The identity of a program at the door, and the secret that it signs with.

    Source: ISO/TS 12812-2:2017, 7.5
    """

    id: str
    secret: Secret[str]
    region: str = "us-east-1"


_error = Decoder(dict[str, str], limit=4096)


class SurrogateClient:
    """Makes surrogates and, where it may, has their values back.

    Every method raises Unavailable where the door does not answer, NotAuthentic for a program that
    is let in no more, and NotPermitted, NotFound, RateLimited or Malformed as the door says.
    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    def __init__(self, transport: HttpTransport, program: Program, clock: Clock) -> None:
        """Ask over `transport` as `program`; `clock` dates signatures.

        Source: AWS Signature Version 4
        """
        self._transport = transport
        self._clock = clock
        self._who = Credentials(program.id, program.secret, program.region, _SERVICE)

    def tokenise(self, domain: str, value: str) -> SurrogateAnswer:
        """The surrogate of `value` in `domain`, and its generation of keys.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._ask("tokenise", Tokenise(domain=domain, value=value), _made)

    def detokenise(
        self, domain: str, surrogate: str, *, purpose: str, case: str, generation: int = 0
    ) -> Secret[str]:
        """The value of `surrogate`, for a purpose that was agreed and about a case.

        Source: ISO/TS 12812-2:2017, 7.3.4; 7.5
        """
        asked = Detokenise(
            domain=domain, surrogate=surrogate, purpose=purpose, case=case, generation=generation
        )
        return Secret(self._ask("detokenise", asked, _value).value)

    def detokenise_many(
        self, domain: str, surrogates: tuple[str, ...], *, purpose: str, case: str, warrant: str
    ) -> tuple[Secret[str], ...]:
        """The values of up to a hundred surrogates, under two operators' `warrant`.

        Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
        """
        asked = DetokeniseMany(
            domain=domain, surrogates=surrogates, purpose=purpose, case=case, warrant=warrant
        )
        return tuple(Secret(one) for one in self._ask("detokenise-many", asked, _values).values)

    def renew(self, domain: str, surrogate: str, generation: int) -> SurrogateAnswer:
        """The surrogate of FF1 under the newest keys in place of one under `generation`.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        asked = RenewSurrogate(domain=domain, surrogate=surrogate, generation=generation)
        return self._ask("renew", asked, _made)

    def domains(self) -> tuple[SurrogateDomain, ...]:
        """The domains that the program may make surrogates in.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        return self._ask("domains", ListSurrogateDomains(), _domains).domains

    def _ask(self, call: str, asked: Shape, decoder: Decoder[S]) -> S:
        path, body = f"/surrogates/{call}", encode(asked)
        host, now = self._transport.host, self._clock.now()
        signed = signed_headers(self._who, path, host, _JSON, body, now)
        try:
            reply = self._transport.post_with(path, body, signed)
        except Unavailable as error:
            raise Unavailable(
                "the door did not answer", remedy="ask again: a value keeps its surrogate"
            ) from error
        if reply.status == 200:
            return decoder.decode(reply.body)
        kind = reply.headers.get("x-amzn-errortype", "")
        sort = _SHORT.get(kind, Unavailable)
        said = _error.decode(reply.body).get("message", "") if kind in _SHORT else ""
        raise sort(said or "the door cannot answer now")
