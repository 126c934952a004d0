"""Labels, transcripts and keys: everything that both sides of a handshake compute alike.

Every hash, signature, MAC and derivation starts with a label of its own that ends in a zero octet,
so that no octets made for one place can serve in another. With `x | y` for concatenation:

    T1     = H("hello" | m1)                          core   = canonical JSON of m2's core
    Tcore  = H("answer" | T1 | core)                  signed and MACed by the provider
    T2     = H("answered" | Tcore | signature | mac)  the device seals m3 under it
    Tclaim = H("claim" | T2 | claim)                  signed and MACed by the device
    T3     = H("proved" | Tclaim | signatures | mac)  salt of every session key

Source: ISO/TS 12812-2:2017, 3.22; 7.2.7; RFC 5869; ISO/IEC 11770-6
"""

from typing import Final

from tallystick.infrastructure.crypto.aead import AeadKey
from tallystick.infrastructure.crypto.digest import equal, hmac_sha256, sha256
from tallystick.infrastructure.crypto.kdf import hkdf_sha256
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.ids import check_id
from tallystick.kernel.secret import Secret
from tallystick.protocol.envelope import PROTOCOL

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PLAIN = "0123456789abcdefghijklmnopqrstuv"
_TO_PLAIN = str.maketrans(_CROCKFORD, _PLAIN)

SESSION_OPERATION: Final = "session.establish"
ENROLMENT_OPERATION: Final = "enrolment.complete"

KID_OCTETS = 16
KEYS_OCTETS = 32 + 32 + 12


def label(words: str) -> bytes:
    """The label `words` as octets: protocol name, a space, the words, a zero octet.

    Source: RFC 5869, 3.2
    """
    return f"{PROTOCOL} {words}".encode() + b"\x00"


HELLO: Final = label("hello")
ANSWER: Final = label("answer")
ANSWER_SEALED: Final = label("answer sealed")
ANSWER_SIGNATURE: Final = label("answer signature")
ANSWER_MAC: Final = label("answer mac")
ANSWERED: Final = label("answered")
SESSION_CLAIM: Final = label("session claim")
SESSION_SIGNATURE: Final = label("session signature")
SESSION_MAC: Final = label("session mac")
SESSION_SEALED: Final = label("session sealed")
ENROLMENT_CLAIM: Final = label("enrolment claim")
ENROLMENT_POSSESSION: Final = label("enrolment possession signature")
ENROLMENT_CONSENT: Final = label("enrolment consent signature")
ENROLMENT_MAC: Final = label("enrolment mac")
ENROLMENT_SEALED: Final = label("enrolment sealed")
ENROLMENT_CHALLENGE: Final = label("enrolment attestation challenge")
ENROLMENT_KEYS: Final = label("enrolment attested keys")
DEVICE_PROOF: Final = label("device proof")
PROVED: Final = label("proved")
REQUEST_KEY: Final = label("request key")
REQUEST_IV: Final = label("request iv")
REPLY_KEY: Final = label("reply key")
EXPORTER: Final = label("exporter")
RENEWAL_SECRET: Final = label("renewal secret")
RENEWAL_PROOF: Final = label("renewal proof")
COOKIE: Final = label("cookie")


def transcript(words: bytes, *parts: bytes) -> bytes:
    """SHA-256 over a label and parts; at most the last part has a length that varies.

    Source: ISO/IEC 10118-3
    """
    return sha256(words + b"".join(parts))


def mac_under(share: bytes, at: bytes, words: bytes, identity: str) -> bytes:
    """A party's MAC over the transcript `at` and its own identity, keyed by the shares so far.

    Source: ISO/TS 12812-2:2017, 7.2.7; ISO/IEC 9797-2
    """
    secret = hkdf_sha256(share, salt=at, info=words, length=32)
    return hmac_sha256(secret, words + at + identity.encode())


def check_mac(expected: bytes, received: bytes) -> None:
    """Pass if the two MACs are equal; raises NotAuthentic otherwise. Constant time.

    Source: ISO/IEC 9797-2
    """
    if not equal(expected, received):
        raise NotAuthentic("the handshake is not authentic", remedy="begin a new one")


def kid_of(session: str) -> bytes:
    """The 16 octets that stand for a `ses_` identifier on the wire.

    Raises Malformed for anything else, also for a body past 128 bits.
    Source: RFC 9052, 3.1
    """
    number = int(check_id(session, "ses")[4:].translate(_TO_PLAIN), 32)
    if number >> 128:
        raise Malformed("not a ses_ identifier")
    return number.to_bytes(KID_OCTETS, "big")


def session_of(kid: bytes) -> str:
    """The `ses_` identifier that 16 octets on the wire stand for.

    Raises Malformed for another length.
    Source: RFC 9052, 3.1
    """
    if len(kid) != KID_OCTETS:
        raise Malformed("a session is named by 16 octets")
    number = int.from_bytes(kid, "big")
    return "ses_" + "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


class SessionKeys:
    """The two keys and the context IV of one session; prints nothing of them.

    `kid` is the session's 16 octets, `request_iv` the context IV as an integer of 96 bits.
    Source: ISO/TS 12812-2:2017, 3.22; 7.2.7
    """

    __slots__ = ("_octets", "kid", "reply", "request", "request_iv")

    def __init__(self, kid: bytes, octets: bytes) -> None:
        """Build the keys of session `kid` from 76 octets: request key, reply key, context IV.

        Raises Malformed for other lengths.
        Source: ISO/TS 12812-2:2017, 3.22
        """
        if len(kid) != KID_OCTETS or len(octets) != KEYS_OCTETS:
            raise Malformed("session keys are 76 octets under a name of 16")
        self._octets = Secret(octets)
        self.kid = kid
        self.request = AeadKey(octets[:32])
        self.reply = AeadKey(octets[32:64])
        self.request_iv = int.from_bytes(octets[64:], "big")

    def octets(self) -> Secret[bytes]:
        """The 76 octets, to be sealed by whoever must keep the session past this process.

        Source: ISO/TS 12812-2:2017, 3.22
        """
        return self._octets

    def __repr__(self) -> str:
        return f"SessionKeys({session_of(self.kid)}, ***)"


def session_keys(session: str, shares: bytes, t3: bytes) -> SessionKeys:
    """The keys of `session` out of both 32 octet shares, provider's first, and the transcript.

    Source: RFC 5869; ISO/IEC 11770-6
    """
    request = hkdf_sha256(shares, salt=t3, info=REQUEST_KEY, length=32)
    reply = hkdf_sha256(shares, salt=t3, info=REPLY_KEY, length=32)
    request_iv = hkdf_sha256(shares, salt=t3, info=REQUEST_IV, length=12)
    return SessionKeys(kid_of(session), request + reply + request_iv)


def renewal_secret(shares: bytes, t3: bytes, counter: int) -> Secret[bytes]:
    """The 32 octet renewal secret that goes with `counter`, exported from this handshake.

    Source: ISO/TS 12812-2:2017, 7.3.5; RFC 5869
    """
    exporter = hkdf_sha256(shares, salt=t3, info=EXPORTER, length=32)
    info = RENEWAL_SECRET + counter.to_bytes(8, "big")
    return Secret(hkdf_sha256(exporter, salt=b"", info=info, length=32))


def renewal_proof(secret: Secret[bytes], counter: int, t2: bytes) -> bytes:
    """Proof of knowing the renewal secret of `counter`, good in the handshake of `t2` only.

    Source: ISO/TS 12812-2:2017, 7.3.5; ISO/IEC 9797-2
    """
    return hmac_sha256(secret.reveal(), RENEWAL_PROOF + counter.to_bytes(8, "big") + t2)


def keys_challenge(challenge: bytes, possession: bytes, consent: bytes) -> bytes:
    """What a third key answers that vouches for both keys (65 octets each): 32 octets.

    Source: ISO/TS 12812-2:2017, 7.4.1; 8.1.2
    """
    return transcript(ENROLMENT_KEYS, challenge, possession, consent)


def proof_challenge(challenge: bytes, device: str) -> bytes:
    """What a proof of `device` answers that was asked with `challenge`: 32 octets.

    Source: RFC 9334, 10.2; ISO/TS 12812-2:2017, 7.3.5
    """
    return transcript(DEVICE_PROOF, challenge, device.encode())
