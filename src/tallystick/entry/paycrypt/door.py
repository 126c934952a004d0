"""A request to the door: its signature, its program, its limit, the call, the answer.

Nothing of a request is logged but the name of the call and how it ended.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.4; 7.5; AWS Payment Cryptography API
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from tallystick.application.desk.workloads import Workloads
from tallystick.application.surrogates.model import WHY_NOT
from tallystick.entry.accounting import Accounting
from tallystick.entry.buckets import Buckets
from tallystick.entry.paycrypt import (
    cards,
    exchanging,
    keys,
    messages,
    moving,
    naming,
    pairs,
    pins,
    scripts,
    surrogates,
    unserved,
    working,
)
from tallystick.entry.paycrypt.answers import ENDED, Answer, no_such_call, refusal
from tallystick.entry.paycrypt.asking import Asking, Ground
from tallystick.entry.paycrypt.credentials import secret_of
from tallystick.infrastructure.modules.interface import KeyHandle
from tallystick.infrastructure.sigv4.verifying import Headers, Verifier
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Broken, Malformed, MfsError, NotAuthentic, NotPermitted
from tallystick.kernel.time import Instant
from tallystick.protocol import surrogates as surrogate_shapes
from tallystick.protocol.paycrypt import ciphers, control, data, exchange, wrapped
from tallystick.protocol.paycrypt import messages as shapes
from tallystick.protocol.paycrypt import scripts as script_shapes
from tallystick.protocol.paycrypt.words import Shape

MAX_BODY: Final = 32 * 1024
NOTED: Final = WHY_NOT | {"pins-in-software"}
"""Refusals that are events of the tally: PINs that the module may not have, values kept back."""

SERVICE: Final = "payment-cryptography"
_TARGET: Final = "PaymentCryptographyControlPlane."
_KEY_PATH: Final = "/keys/"
_BURST_S: Final = 2
_STRANGERS: Final = 20.0


class Call(NamedTuple):
    """One call: its name, how its body is read, what does it.

    Source: AWS Payment Cryptography API
    """

    name: str
    decoder: Decoder[Any]
    perform: Callable[[Asking, Any], Shape | Awaitable[Shape]]


def _calls(*rows: tuple[str, type[Shape], Callable[[Asking, Any], Any]]) -> dict[str, Call]:
    return {
        name: Call(name, Decoder(shape, limit=MAX_BODY), perform) for name, shape, perform in rows
    }


CONTROL: Final = _calls(
    ("CreateKey", control.CreateKey, moving.create_key),
    ("GetKey", control.OfKey, keys.show),
    ("ListKeys", control.ListKeys, keys.listed),
    ("DeleteKey", control.DeleteKey, keys.delete),
    ("RestoreKey", control.OfKey, keys.restore),
    ("StartKeyUsage", control.OfKey, keys.start),
    ("StopKeyUsage", control.OfKey, keys.stop),
    ("CreateAlias", control.Alias, naming.create_alias),
    ("GetAlias", control.OfAlias, naming.show_alias),
    ("UpdateAlias", control.Alias, naming.update_alias),
    ("DeleteAlias", control.OfAlias, naming.delete_alias),
    ("ListAliases", control.ListAliases, naming.listed_aliases),
    ("TagResource", control.TagResource, naming.tag),
    ("UntagResource", control.UntagResource, naming.untag),
    ("ListTagsForResource", control.ListTags, naming.listed_tags),
    ("ImportKey", exchange.ImportKey, moving.import_key),
    ("GetParametersForImport", exchange.ImportParameters, exchanging.import_parameters),
    ("GetParametersForExport", exchange.ExportParameters, exchanging.export_parameters),
    ("ExportKey", exchange.ExportKey, moving.export_key),
    ("GetPublicKeyCertificate", control.OfKey, pairs.show_certificate),
    ("GetCertificateSigningRequest", exchange.SigningRequest, pairs.request),
    ("GetDefaultKeyReplicationRegions", control.NoFields, unserved.default_regions),
)
"""Calls of the control plane, by name."""

_ANYTHING: Final = Decoder(dict[str, Any], limit=MAX_BODY)
_REFUSED: Final = {
    name: Call(name, _ANYTHING, unserved.refusing(reason))
    for name, reason in unserved.UNSERVED.items()
}
_REFUSED_DATA: Final = {
    path: Call(name, _ANYTHING, unserved.refusing(reason))
    for path, (name, reason) in unserved.UNSERVED_DATA.items()
}

_DATA: Final = _calls(
    ("TranslatePinData", data.TranslatePinData, pins.translate),
    ("GeneratePinData", data.GeneratePinData, pins.generate),
    ("VerifyPinData", data.VerifyPinData, pins.verify),
    ("GenerateMac", shapes.GenerateMac, messages.make_mac),
    ("VerifyMac", shapes.VerifyMac, messages.verify_mac),
    ("GenerateCardValidationData", shapes.GenerateCardData, cards.make_value),
    ("VerifyCardValidationData", shapes.VerifyCardData, cards.verify_value),
    ("VerifyAuthRequestCryptogram", shapes.VerifyCryptogram, cards.verify_cryptogram),
    ("GenerateAuthRequestCryptogram", shapes.GenerateCryptogram, cards.make_cryptogram),
    ("TranslateKeyMaterial", wrapped.TranslateKey, working.translate_key),
    ("GenerateMacEmvPinChange", script_shapes.PinChange, scripts.pin_change),
    ("EncryptData", ciphers.EncryptData, messages.encrypt),
    ("DecryptData", ciphers.DecryptData, messages.decrypt),
    ("ReEncryptData", ciphers.ReEncryptData, messages.re_encrypt),
)

DATA: Final = {
    "/pindata/translate": _DATA["TranslatePinData"],
    "/pindata/generate": _DATA["GeneratePinData"],
    "/pindata/verify": _DATA["VerifyPinData"],
    "/mac/generate": _DATA["GenerateMac"],
    "/mac/verify": _DATA["VerifyMac"],
    "/cardvalidationdata/generate": _DATA["GenerateCardValidationData"],
    "/cardvalidationdata/verify": _DATA["VerifyCardValidationData"],
    "/cryptogram/verify": _DATA["VerifyAuthRequestCryptogram"],
    "/macemvpinchange/generate": _DATA["GenerateMacEmvPinChange"],
    "/keymaterial/translate": _DATA["TranslateKeyMaterial"],
    "/cryptogram/generate": _DATA["GenerateAuthRequestCryptogram"],
}
"""Calls of the data plane, by path."""

_SURROGATES: Final = _calls(
    ("Tokenise", surrogate_shapes.Tokenise, surrogates.tokenise),
    ("Detokenise", surrogate_shapes.Detokenise, surrogates.detokenise),
    ("DetokeniseMany", surrogate_shapes.DetokeniseMany, surrogates.detokenise_many),
    ("RenewSurrogate", surrogate_shapes.RenewSurrogate, surrogates.renew),
    ("ListSurrogateDomains", surrogate_shapes.ListSurrogateDomains, surrogates.listed),
)

SURROGATES: Final = {
    "/surrogates/tokenise": _SURROGATES["Tokenise"],
    "/surrogates/detokenise": _SURROGATES["Detokenise"],
    "/surrogates/detokenise-many": _SURROGATES["DetokeniseMany"],
    "/surrogates/renew": _SURROGATES["RenewSurrogate"],
    "/surrogates/domains": _SURROGATES["ListSurrogateDomains"],
}
"""Calls of our own about surrogates, by path."""

ON_A_KEY: Final = {
    "encrypt": _DATA["EncryptData"],
    "decrypt": _DATA["DecryptData"],
    "reencrypt": _DATA["ReEncryptData"],
}
"""Calls of the data plane whose key stands in the path, by its last part."""


class Request(NamedTuple):
    """A request as it came; `path` is raw.

    Source: RFC 9112
    """

    method: str
    path: bytes
    query: bytes
    headers: Headers
    body: bytes
    peer: str


class Door:
    """Answers requests; one object for all connections.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.5
    """

    def __init__(
        self, on: Ground, workloads: Workloads, accounting: Accounting, credential: KeyHandle
    ) -> None:
        """Stand on `on`; secrets of programs come out of `credential`.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        self.on = on
        self._workloads = workloads
        self._accounting = accounting
        self._verifier = Verifier(
            lambda program: secret_of(on.module, credential, program),
            on.settings.region,
            SERVICE,
            on.module.random(32),
        )
        rate, slow = float(on.settings.rate), float(on.settings.control_rate)
        self._rates = {
            False: Buckets(rate=rate, burst=rate * _BURST_S),
            True: Buckets(rate=slow, burst=slow * _BURST_S * 5),
        }
        self._strangers = Buckets(rate=_STRANGERS, burst=_STRANGERS * 5)
        self.counted: Counter[tuple[str, str]] = Counter()
        self.refusals: dict[tuple[str, str, str], int] = {}
        self.told: dict[str, int] = dict.fromkeys(sorted(NOTED), 0)

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        """The answer to `request`; the control plane answers later.

        Source: AWS Payment Cryptography API
        """
        is_control = "x-amz-target" in request.headers or request.path == b"/"
        signed = False
        ask: Asking | None = None
        name = "unknown"
        try:
            call, path_key = _named(request)
            name = call.name
            program = self._proved(request)
            signed = True
            self._rates[is_control].take(program, self.on.clock.now())
            ask = Asking(self.on, program, name, path_key)
            found = call.perform(ask, call.decoder.decode(request.body))
            if not isinstance(found, Shape):
                return self._later(ask, found, is_control=is_control)
            return self._done(name, found)
        except MfsError as error:
            return self._refused(name, error, ask, signed=signed, is_control=is_control)
        except Exception as error:  # noqa: BLE001 - whoever asks must be answered
            broken = Broken("the call could not be done")
            broken.__cause__ = error
            return self._refused(name, broken, ask, signed=signed, is_control=is_control)

    def request_id(self) -> bytes:
        """A name for an answer, to ask about it: 32 hexadecimal digits.

        Source: AWS Payment Cryptography API
        """
        return self.on.module.random(16).hex().encode("ascii")

    async def _later(self, ask: Asking, found: Awaitable[Shape], *, is_control: bool) -> Answer:
        try:
            done = await found
        except MfsError as error:
            return self._refused(ask.call, error, ask, signed=True, is_control=is_control)
        except Exception as error:  # noqa: BLE001 - whoever asks must be answered
            broken = Broken("the call could not be done")
            broken.__cause__ = error
            return self._refused(ask.call, broken, ask, signed=True, is_control=is_control)
        return self._done(ask.call, done)

    def _proved(self, request: Request) -> str:
        """The program that signed the request and is in force now."""
        now = self.on.clock.now()
        try:
            if "x-amz-security-token" in request.headers:
                raise NotPermitted("temporary credentials are not taken here")
            program = self._verifier.verify(
                request.method, request.path, request.query, request.headers, request.body, now
            )
            self._in_force(program, now)
        except MfsError:
            self._strangers.take(request.peer, now)
            raise
        return program

    def _in_force(self, program: str, now: Instant) -> None:
        """Return only for a program that may ask now; it has proved that it has the secret."""
        try:
            self._workloads.signs_v4(program, now)
        except NotAuthentic as error:
            raise NotAuthentic(error.detail, remedy=error.remedy, because=ENDED) from error

    def _done(self, name: str, found: Shape) -> Answer:
        self.counted[name, "done"] += 1
        self._accounting.answered(f"paycrypt.{name}", 200, "ok")
        return Answer(status=200, error="", body=encode(found))

    def _refused(
        self, name: str, error: MfsError, ask: Asking | None, *, signed: bool, is_control: bool
    ) -> Answer:
        self.counted[name, "refused"] += 1
        about = "" if ask is None else ask.about
        answer = refusal(error, signed=signed, control=is_control, about=about)
        self._accounting.answered(f"paycrypt.{name}", answer.status, error.code)
        if error.because in NOTED and ask is not None:
            self.told[error.because] = self.told.get(error.because, 0) + 1
            noted = (ask.program, name, error.because)
            self.refusals[noted] = self.refusals.get(noted, 0) + 1
        return answer


def _named(request: Request) -> tuple[Call, str]:
    """The call that the request is for, and the key that its path names."""
    if request.method != "POST":
        raise Malformed("calls are posted")
    if request.query:
        raise Malformed("a call has no query")
    target = request.headers.get("x-amz-target", ())
    if target or request.path == b"/":
        name = target[0] if len(target) == 1 and request.path == b"/" else ""
        short = name.removeprefix(_TARGET) if name.startswith(_TARGET) else ""
        call = CONTROL.get(short) or _REFUSED.get(short)
    else:
        path = request.path.decode("ascii", "replace")
        call = DATA.get(path) or SURROGATES.get(path) or _REFUSED_DATA.get(path)
        if call is None:
            return _on_a_key(request.path)
    if call is None:
        raise no_such_call()
    return call, ""


def _on_a_key(path: bytes) -> tuple[Call, str]:
    text = path.decode("ascii", "replace")
    head, _, last = text.rpartition("/")
    call = ON_A_KEY.get(last)
    if call is None or not head.startswith(_KEY_PATH):
        raise no_such_call()
    named = unquote(head.removeprefix(_KEY_PATH), errors="replace")
    _identifiers.decode(encode({"KeyIdentifier": named}))
    return call, named


_identifiers: Final = Decoder(control.OfKey)


def counts(counted: Counter[tuple[str, str]]) -> dict[str, int]:
    """How often what was done, as fields of an event.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    found: dict[str, int] = {}
    for (name, how), number in sorted(counted.items()):
        words = "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")
        short = words.replace("authrequest", "").replace("auth_request_", "")
        found[f"{short}_{how}"] = number
    return found
