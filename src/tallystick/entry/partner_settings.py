"""What a provider fixes of others: partners that call it or sign to it, and mobile networks.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7
"""

from typing import Literal

from tallystick.kernel.model import Record
from tallystick.protocol.http_signatures import KeyId


class PartnerLink(Record, frozen=True, kw_only=True):
    """How the callbacks of the partner `name` are authenticated.

    `proof` is `mac` (a shared secret, derived in the module for `generation`) or `certificate`: the
    terminator of TLS names the certificate that it verified, whose SHA-256 is `certificate`
    (base64url), and only the networks in `sources` may say so. The lists of its authority say
    whether it was revoked; it is `unlisted` where the authority was declared to publish none. With
    `mac`, `sources` narrows where callbacks may come from and proves nothing by itself. With `tls`
    the service itself sees the certificate, which the provider's authority for partners issued to
    `name`.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7
    """

    name: str
    proof: Literal["mac", "certificate", "tls"] = "mac"
    generation: int = 1
    certificate: str = ""
    sources: tuple[str, ...] = ()
    unlisted: bool = False


class Partner(Record, frozen=True, kw_only=True):
    """A system of another party that signs HTTP messages: its key and the doors open to it.

    `algorithm` is a name of the registry of HTTP signature algorithms, `public` base64url: a point
    of 65 bytes, 32 bytes, or a SubjectPublicKeyInfo in DER for RSA. `doors` are operations.
    Source: ISO/TS 12812-2:2017, 3.5; 7.3.3; RFC 9421, 6.2
    """

    name: str
    keyid: KeyId
    algorithm: str
    public: str
    doors: tuple[str, ...]


class MnoAccess(Record, frozen=True, kw_only=True):
    """How a mobile network is asked: its address, the bearer, and which interfaces it offers.

    `apis` has the path of each with its version, such as `/sim-swap/v2`; what is not in it is not
    asked. The bearer is a secret: the file is readable by the service alone.
    Source: ISO/TS 12812-2:2017, 7.2.3; RFC 6750, 2.1
    """

    v: int
    url: str
    bearer: str
    apis: dict[str, str]


class SmppBind(Record, frozen=True, kw_only=True):
    """How the service binds to a network's message centre or USSD gateway.

    `password` is sealed by the module (`entry/binds.py`). Beyond loopback the way is TLS, or
    `tunnel` names what protects it instead. `service_code` is what customers dial (`*384*57#`),
    empty where no menu is offered; with `messages` notices go out here. `number` is the provider's
    short code.
    Source: ISO/TS 12812-2:2017, 7.2.3; SMPP 3.4, 4.1.5
    """

    name: str
    host: str
    port: int
    system_id: str
    password: str
    number: str
    system_type: str = ""
    tls: bool = True
    tunnel: str = ""
    service_code: str = ""
    messages: bool = False
    window: int = 10
    enquire_ms: int = 30_000
    answer_ms: int = 5_000


class SealedVerdictKeys(Record, frozen=True, kw_only=True):
    """The keys of the app `package` for verdicts of an app store.

    `decryption` is sealed by the module (`entry/verdictkeys.py`), `verification` a
    SubjectPublicKeyInfo, both base64url; `simulated` where no app store is behind them.
    Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.2
    """

    package: str
    decryption: str
    verification: str
    simulated: bool = False
