"""The rules of each use of a path; what one of them loosens has its reason beside it.

Source: RFC 5280, 6.1; RFC 3161, 2.3; RFC 6960, 4.2.2.2; RFC 9334, 8.1
"""

from dataclasses import replace
from typing import Final

from cryptography.x509.oid import ExtendedKeyUsageOID

from tallystick.infrastructure.crypto.paths import Rules

MAX_CHAIN: Final = 8
"""The most certificates that an attestation carries."""

_POLICIES: Final = frozenset(("2.5.29.32",))
_LATER: Final = "the appraisal policy judges it, at first and again whenever it changes"
_DEVICES: Final = {
    "pinned": "a maker issues its root anew under the same key, and devices go on with the old one",
    "hashed": "devices that sign with Ed25519 or ML-DSA are certified, and sold",
    "rooted": "what is believed is the key: who listed it answers for it, old ones have no marks",
    "exact": "makers leave key usages and key identifiers out, and nobody can ask them to",
}

PAYMENTS: Final = Rules(name="payments", longest=4)
"""Certificates of our own hierarchy, each for the purpose that whoever asks names (`of`)."""

RESPONDERS: Final = Rules(
    name="responders",
    longest=1,
    purpose=ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string,
    exact=False,
    because={"exact": "responders of other authorities are asked too; RFC 6960 wants the purpose"},
)
"""Whom an issuer itself lets answer for it whether a certificate was revoked."""

STAMPS: Final = Rules(
    name="time stamps",
    longest=4,
    purpose=ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,
    alone=True,
    exact=False,
    because={"exact": "authorities of others stamp too; RFC 3161 asks for the one purpose alone"},
)
"""Authorities that stamp the time; what counts is the instant that they state."""

PARTNERS: Final = Rules(
    name="partners",
    longest=3,
    exact=False,
    ends=False,
    because={
        "exact": "partners bring what their own tools made: OpenSSL leaves usages out by default",
        "ends": "an authority below one that is trusted is brought in the same way",
    },
)
"""Certificates that partners bring to exchange keys, each issued by the authority it names."""

ANDROID: Final = Rules(
    name="Android keys",
    longest=MAX_CHAIN,
    ordered=True,
    also=_POLICIES,
    dated=False,
    pinned=False,
    hashed=False,
    marked=False,
    rooted=False,
    exact=False,
    ends=False,
    because={
        "dated": f"a factory certifies once for the life of a phone, and its days pass; {_LATER}",
        "marked": f"old phones do not mark their issuers; they are counted, and {_LATER}",
        "ends": "an attested key may attest others; which description counts is judged apart",
        **_DEVICES,
    },
)
"""Chains of an Android keystore, from a factory or provisioned later."""

APPLE: Final = replace(
    ANDROID,
    name="Apple keys",
    marked=True,
    ends=True,
    because={
        "dated": f"a key is certified for days and used for years; {_LATER}",
        **_DEVICES,
    },
)
"""Keys of a Secure Enclave, for an app or for a browser."""

AUTHENTICATORS: Final = replace(
    APPLE,
    name="authenticators",
    because={
        "dated": f"a batch of authenticators is certified once for their life; {_LATER}",
        **_DEVICES,
    },
)
"""Authenticators of WebAuthn (packed) and keys of a TPM."""

MODELS: Final = replace(
    APPLE,
    name="models of authenticators",
    dated=True,
    because={
        "pinned": "the root of the alliance is issued anew under the same key",
        "hashed": "the header names the algorithm, and only ES256 and RS256 are taken",
        "rooted": _DEVICES["rooted"],
        "exact": "the alliance's file comes from a public authority, whose habits are its own",
    },
)
"""Who signs the alliance's file on models: judged now, since the file is renewed each month."""

ALL: Final = (
    PAYMENTS, RESPONDERS, STAMPS, PARTNERS, ANDROID, APPLE, AUTHENTICATORS, MODELS,
)  # fmt: skip
"""The rules of every use."""
