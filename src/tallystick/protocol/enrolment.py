"""Messages that bind a new device to a customer, and the certificate that comes of it.

m1 and m2 are those of a session with the purpose `enrolment`; m3 seals an EnrolmentProofs, m4 seals
an EnrolmentAccepted. The first renewal secret is derived by both sides and travels nowhere.

Source: ISO/TS 12812-2:2017, 7.4.1; ISO/IEC 9798-3
"""

from typing import Annotated

from tallystick.kernel.classification import (
    AUTHENTICATION,
    CREDENTIAL,
    INTERNAL,
    PERSONAL,
    PUBLIC,
    SENSITIVE,
)
from tallystick.kernel.ids import (
    AccountIdText,
    ActivationIdText,
    CustomerIdText,
    DeviceIdText,
)
from tallystick.kernel.model import ABSENT, Absent, Natural, ShortText, Wire, length, pattern
from tallystick.protocol.apps import AppClaim
from tallystick.protocol.envelope import END, Octets32, Octets64, Octets65
from tallystick.protocol.session import CertificateIdText

ENROLMENTS_PATH = "/v1/enrolments"
"""m3 of an enrolment is posted to this path, a slash and the session's identifier."""

ActivationCode = Annotated[str, pattern("^[0-9A-Z]{4,12}(?:-[0-9A-Z]{4,12}){0,3}" + END)]
"""The one-time code as the customer reads it."""

Format = Annotated[
    str, pattern("^(?:none|android-key(?:-pair)?|apple-app-attest|packed|webauthn)" + END)
]
"""How the platform vouches for the keys; `none` where it does not."""

ANDROID_KEY_PAIR = "android-key-pair"
"""Both keys of an Android keystore: CBOR with `possession` and `consent`, a certificate each, and
`above`, the certificates that both lead through."""


APPLE_APP_ATTEST = "apple-app-attest"
"""A key of the app that Apple vouches for: CBOR with `attestation` (the object as the platform gave
it) and `key` (its identifier). Its client data hash is `keys_challenge`."""

WEBAUTHN = "webauthn"
"""A credential of an authenticator beside a browser: CBOR with `attestation` (the attestation
object) and `client` (the client data as the browser gave them), whose challenge is
`keys_challenge`."""


VerdictText = Annotated[
    str, pattern(r"^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){4}" + END), length(9, 4096)
]
"""What the service of an app store says of the app that asked: a compact JWE, as it was given."""


class Attestation(Wire, frozen=True, kw_only=True):
    """The platform's word for the two keys; its challenge is derived from the transcript of m2.

    `statement` is base64url, empty for the format `none`. `verdict` is a label beside `none` or
    `android-key-pair`: a verdict of Play Integrity, asked for with `keys_challenge` (base64url) as
    its request hash or nonce.
    Source: ISO/TS 12812-2:2017, 7.4.1; 8.1.2
    """

    format: Annotated[Format, PUBLIC]
    statement: Annotated[Annotated[str, pattern("^[A-Za-z0-9_-]{0,10922}" + END)], SENSITIVE]
    verdict: Annotated[VerdictText | Absent, SENSITIVE] = ABSENT


class DeviceDescription(Wire, frozen=True, kw_only=True):
    """What the device says about itself; a claim, unless the attestation says the same.

    `protection` is how it keeps its keys, in its own words; `app` the application that it runs.
    Source: ISO/TS 12812-2:2017, 7.2.2
    """

    platform: Annotated[ShortText, INTERNAL]
    model: Annotated[ShortText, PERSONAL]
    app_version: Annotated[ShortText, INTERNAL]
    protection: Annotated[ShortText, INTERNAL]
    app: Annotated[AppClaim | Absent, INTERNAL] = ABSENT


class EnrolmentClaim(Wire, frozen=True, kw_only=True):
    """The activation and its code, the device's 32 octet share, its two public keys.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    secret: Annotated[Octets32, CREDENTIAL]
    activation: Annotated[ActivationIdText, INTERNAL]
    code: Annotated[ActivationCode, AUTHENTICATION]
    possession: Annotated[Octets65, INTERNAL]
    consent: Annotated[Octets65, INTERNAL]
    attestation: Annotated[Attestation, SENSITIVE]
    description: Annotated[DeviceDescription, PERSONAL]


class EnrolmentProofs(Wire, frozen=True, kw_only=True):
    """What m3 of an enrolment seals: the claim, a signature by each of its keys, and the MAC.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    claim: Annotated[EnrolmentClaim, AUTHENTICATION]
    possession_signature: Annotated[Octets64, INTERNAL]
    consent_signature: Annotated[Octets64, INTERNAL]
    mac: Annotated[Octets32, INTERNAL]


class EnrolmentAccepted(Wire, frozen=True, kw_only=True):
    """m4 of an enrolment: who the device is from now on, and the counter of its first renewal pair.

    Source: ISO/TS 12812-2:2017, 7.4.1
    """

    device: Annotated[DeviceIdText, PERSONAL]
    customer: Annotated[CustomerIdText, PERSONAL]
    accounts: Annotated[tuple[AccountIdText, ...], PERSONAL]
    certificate: Annotated[
        Annotated[str, pattern(r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+" + END)], PERSONAL
    ]
    counter: Annotated[Natural, INTERNAL]
    server_time: Annotated[Natural, PUBLIC]


class DeviceCertificate(Wire, frozen=True, kw_only=True):
    """What the device CA signs (compact JWS): a device, its customer and its two public keys.

    Valid from `not_before` until just before `not_after` (ms).
    Source: ISO/TS 12812-2:2017, 3.5; 7.4.1
    """

    v: Annotated[int, PUBLIC] = 1
    id: Annotated[CertificateIdText, INTERNAL]
    provider: Annotated[ShortText, PUBLIC]
    device: Annotated[DeviceIdText, PERSONAL]
    customer: Annotated[CustomerIdText, PERSONAL]
    possession: Annotated[Octets65, INTERNAL]
    consent: Annotated[Octets65, INTERNAL]
    attested: Annotated[Format, INTERNAL]
    not_before: Annotated[Natural, PUBLIC]
    not_after: Annotated[Natural, PUBLIC]
