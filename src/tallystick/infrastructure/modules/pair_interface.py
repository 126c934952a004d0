"""Pairs of keys at the payment cryptography door: what each is for, and how long its modulus is.

A private half stays in the module; of partners there are certificates, whose keys verify or
encipher.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; X9.143, 6
"""

from enum import StrEnum
from typing import Final

RSA_OAEP_2048: Final = "rsa-oaep-2048"
RSA_OAEP_3072: Final = "rsa-oaep-3072"
RSA_SIGNATURE: Final = "rsa-pkcs1-v1.5"
ECDSA_P384: Final = "ecdsa-p384-sha384"
ECDH_P256: Final = "ecdh-p256"
ECDH_P384: Final = "ecdh-p384"
ECDH_P521: Final = "ecdh-p521"
CERTIFICATE: Final = "certificate"

PAIR_MECHANISMS: Final = (
    *(RSA_OAEP_3072, RSA_OAEP_2048, RSA_SIGNATURE),
    *(ECDSA_P384, ECDH_P256, ECDH_P384, ECDH_P521),
)
"""The mechanisms of pairs, by the registry's names."""

PAIRS_OF: Final = {
    "pair-data": (RSA_OAEP_3072, RSA_OAEP_2048),
    "pair-transport": (RSA_OAEP_3072, RSA_OAEP_2048),
    "pair-signature": (RSA_SIGNATURE,),
    "pair-agreement": (ECDH_P256, ECDH_P384, ECDH_P521),
    "partner-certificate": (CERTIFICATE,),
    "door-authority": (ECDSA_P384, RSA_SIGNATURE),
}
"""The mechanisms of each purpose, by its value; the first is taken where none is asked for."""

PAIR_SIZES: Final[dict[str, tuple[int, ...]]] = {
    RSA_OAEP_2048: (2048,),
    RSA_OAEP_3072: (3072, 4096),
    RSA_SIGNATURE: (3072, 2048, 4096),
    ECDSA_P384: (384,),
    ECDH_P256: (256,),
    ECDH_P384: (384,),
    ECDH_P521: (521,),
}
"""The lengths in bits that a mechanism admits; the first is taken where none is asked for."""

LENGTHS: Final = frozenset({2048, 3072, 4096})
"""The lengths of a modulus in bits; what it may wrap is in the table of wrapping keys."""


class PairOperation(StrEnum):
    """What can be done with a half of a pair.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    ENCIPHER = "encipher"
    DECIPHER = "decipher"
    RECEIVE = "receive-key"
    SIGN = "sign"
    AGREE = "agree"
    VOUCH = "vouch"


_OP = PairOperation

PAIR_USES: Final[dict[str, dict[str, frozenset[PairOperation]]]] = {
    "pair-data": {
        "B": frozenset({_OP.ENCIPHER, _OP.DECIPHER}),
        "E": frozenset({_OP.ENCIPHER}),
        "D": frozenset({_OP.DECIPHER}),
    },
    "pair-transport": {"D": frozenset({_OP.RECEIVE})},
    "pair-signature": {"S": frozenset({_OP.SIGN})},
    "pair-agreement": {"X": frozenset({_OP.AGREE})},
    "partner-certificate": {"V": frozenset({_OP.VOUCH}), "E": frozenset({_OP.ENCIPHER})},
    "door-authority": {"S": frozenset({_OP.SIGN})},
}
"""The operations of each mode of use, by the value of the purpose; the first mode is made here."""
