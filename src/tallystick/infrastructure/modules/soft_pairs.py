"""Pairs of keys at the software module: made, certified, and used to move keys and to protect data.

A partner's certificate counts where a certificate that was let in as an authority issued it. Keys
that come in or are agreed on are handles at once; none is in clear outside.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.3; ISO 11568
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tallystick.infrastructure.crypto.blocks import with_odd_parity
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.path_rules import PARTNERS
from tallystick.infrastructure.crypto.paths import path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.card_gate import CardGate, CardHost
from tallystick.infrastructure.modules.card_interface import CardMaterial, algorithm_of
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_interface import CERTIFICATE, PairOperation
from tallystick.infrastructure.modules.pair_keys import (
    CurvePublic,
    PairKey,
    derived,
    fresh_pair,
    packed,
    public_of,
    sealed_oaep,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant

CERTIFIED: Final = timedelta(days=730)
AUTHORITY: Final = timedelta(days=3650)
_LONGEST: Final = 3_000


class Agreeing(Record, frozen=True, kw_only=True):
    """How a key comes out of an agreement: its function and hash, and what it is bound to.

    Source: NIST SP 800-56C, 4.1; SEC 1, 3.6.1
    """

    function: str
    digest: str
    more: bytes


class Becoming(Record, frozen=True, kw_only=True):
    """What an agreed key becomes.

    Source: X9.143, 6
    """

    purpose: Purpose
    mechanism: str
    mode: str


class SoftPairs:
    """Makes pairs, certifies their public halves, and uses both sorts of halves.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    __slots__ = ("_gate", "_host", "_pairs")

    def __init__(self, host: CardHost, gate: CardGate, pairs: Mapping[str, PairKey]) -> None:
        self._host = host
        self._gate = gate
        self._pairs = pairs

    def make(self, purpose: Purpose, mechanism: str, bits: int, mode: str) -> KeyHandle:
        """A fresh pair; takes up to seconds, on any thread.

        Raises NotPermitted for a mechanism or mode that the purpose or the rules exclude.
        Source: ISO/IEC 18032; X9.143, 6
        """
        self._gate.admit(mechanism)
        return self._host.take(purpose, mechanism, packed(purpose, fresh_pair(mechanism, bits),
                                                          mode))  # fmt: skip

    def trust(self, octets: bytes, mode: str) -> KeyHandle:
        """The certificate of a partner (DER) as a key whose mode says what it is for.

        Raises Malformed for what is none or too long.
        Source: RFC 5280, 4.1
        """
        self._gate.admit(CERTIFICATE)
        if len(octets) > _LONGEST:
            raise Malformed(f"a certificate here has at most {_LONGEST} bytes")
        public_of(read_certificate(octets))
        return self._host.take(
            Purpose.PARTNER_CERTIFICATE, CERTIFICATE, packed(Purpose.PARTNER_CERTIFICATE, octets,
                                                             mode)
        )  # fmt: skip

    def find(self, handle: KeyHandle, *operations: PairOperation) -> PairKey:
        """The key of `handle`, only if its purpose and mode have one of these operations.

        Raises NotPermitted otherwise, NotFound for one that is not loaded.
        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found = self._pairs.get(handle.id)
        if found is None or not found.operations.intersection(operations):
            self._host.refuse(self._host.known(handle), operations[0].value)
        return found

    def held(self, handle: KeyHandle) -> PairKey:
        """The key of `handle` for what only shows its public half; NotPermitted for others.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        found = self._pairs.get(handle.id)
        if found is None:
            known = self._host.known(handle)
            raise NotPermitted(f"a {known.purpose.value} key has no public half")
        return found

    def check_value(self, handle: KeyHandle) -> bytes:
        """Three bytes that show which key it is: of the key identifier by SHA-1.

        Source: RFC 5280, 4.2.1.2
        """
        return x509.SubjectKeyIdentifier.from_public_key(self.held(handle).public()).digest[:3]

    def issued(self, authority: KeyHandle, octets: bytes, at: Instant) -> Certificate:
        """The certificate in `octets` (DER), only if `authority` issued it and it holds at `at`.

        Raises Malformed for what is none, NotAuthentic for one of another issuer, one whose days
        are over, and an authority that may not issue.
        Source: RFC 5280, 6.1
        """
        above = self.find(authority, PairOperation.VOUCH).certificate
        found = read_certificate(octets)
        if above is None or not found.issued_by(above):
            raise NotAuthentic("the certificate was not issued by the authority that is named")
        path_of(found, (), (above,), PARTNERS, at)
        public_of(found)
        return found

    def certificate_of(
        self,
        handle: KeyHandle,
        authority: KeyHandle,
        name: str = "",
        life: timedelta = CERTIFIED,
    ) -> bytes:
        """The certificate (PEM) of a pair under the door's authority; the same one each time.

        Source: RFC 5280, 4.1
        """
        found, root = self.held(handle), self.find(authority, PairOperation.SIGN)
        if root is found:
            return _certificate(root, root, root_name(root), AUTHORITY)
        chosen = name or f"{found.handle.purpose.value} {_short(found)}"
        return _certificate(root, found, x509.Name([_common(chosen)]), life)

    def request_of(self, handle: KeyHandle, subject: Mapping[str, str], digest: str) -> bytes:
        """A request (PEM) for a certificate of the pair, signed with its private half.

        `subject` has names of attributes of X.520 in short; raises Malformed for one of another
        form.
        Source: RFC 2986, 4
        """
        found = self.held(handle)
        try:
            named = x509.Name(
                [x509.NameAttribute(_SUBJECT[name], value) for name, value in subject.items()]
            )
        except ValueError as error:
            raise Malformed("the subject of the request has another form") from error
        hashed = _REQUEST_HASHES.get(digest)
        if hashed is None:
            raise NotPermitted("requests are signed with SHA-256 and SHA-384")
        if found.is_rsa:
            self._gate.admit("rsa-pkcs1-v1.5")
        request = x509.CertificateSigningRequestBuilder().subject_name(named)
        return request.sign(found.private(), hashed()).public_bytes(Encoding.PEM)

    def encipher(self, handle: KeyHandle, data: bytes, digest: str) -> bytes:
        """`data` enciphered to the public half; raises Malformed for what is too long.

        Source: RFC 8017, 7.1.1
        """
        return sealed_oaep(self.find(handle, PairOperation.ENCIPHER).public(), data, digest)

    def decipher(self, handle: KeyHandle, sealed: bytes, digest: str) -> bytes:
        """The inverse of `encipher`; raises NotAuthentic for what does not open.

        Source: RFC 8017, 7.1.2
        """
        return self.find(handle, PairOperation.DECIPHER).open_oaep(sealed, digest).reveal()

    def agree(
        self, handle: KeyHandle, other: Certificate, how: Agreeing, becoming: Becoming
    ) -> KeyHandle:
        """A key that only the two parties can compute; it stays here and does not leave.

        Raises NotPermitted for keys on different curves, and for a key stronger than the curve.
        Source: NIST SP 800-56A, 6.2; NIST SP 800-56C, 4.1
        """
        own, public = self.find(handle, PairOperation.AGREE), public_of(other)
        if not isinstance(public, CurvePublic):
            raise NotPermitted("the certificate has no key on a curve")
        self._gate.admit(how.function)
        length = CARD_LENGTHS[becoming.mechanism]
        if own.bits // 2 < min(length * 8, 256) and algorithm_of(becoming.mechanism) == "A":
            raise NotPermitted(
                f"a curve of {own.bits} bits does not carry a key of {length * 8} bits",
                because="key-strength",
            )
        shared = own.agree(public)
        octets = derived(how.function, how.digest, shared.reveal(), how.more, length)
        if algorithm_of(becoming.mechanism) == "T":
            octets = with_odd_parity(octets)
        found = CardMaterial(mode=becoming.mode, exportability="N", ident=b"", octets=octets)
        return self._gate.take(becoming.purpose, becoming.mechanism, found)


_SUBJECT: Final = {
    "CN": NameOID.COMMON_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "O": NameOID.ORGANIZATION_NAME, "L": NameOID.LOCALITY_NAME, "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME, "E": NameOID.EMAIL_ADDRESS,
}  # fmt: skip
_REQUEST_HASHES: Final[dict[str, type[SHA256 | SHA384]]] = {"SHA256": SHA256, "SHA384": SHA384}


def root_name(root: PairKey) -> x509.Name:
    """What the door's authority is called: its key is in its name.

    Source: RFC 5280, 4.1.2.4
    """
    return x509.Name([_common(f"door-authority {_short(root)}")])


def _short(one: PairKey) -> str:
    return sha256(one.public_octets())[:8].hex()


def _common(text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, text)


def _certificate(root: PairKey, one: PairKey, name: x509.Name, life: timedelta) -> bytes:
    """The certificate in PEM; its number follows from the key, so that it is the same each time."""
    public = one.public()
    begins = datetime.fromtimestamp(one.handle.created_at // 1000, UTC)
    own = x509.SubjectKeyIdentifier.from_public_key(public)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public())
    octets = name.public_bytes() + own.digest
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(root_name(root))
        .public_key(public)
        .serial_number(int.from_bytes(sha256(octets)[:16], "big") >> 1 | 1)
        .not_valid_before(begins)
        .not_valid_after(begins + life)
        .add_extension(x509.BasicConstraints(ca=one is root, path_length=None), critical=True)
        .add_extension(_use(one), critical=True)
        .add_extension(own, critical=False)
        .add_extension(above, critical=False)
    )
    hashed = SHA256() if root.is_rsa else SHA384()
    deterministic = None if root.is_rsa else True
    signed = built.sign(root.private(), hashed, ecdsa_deterministic=deterministic)
    return signed.public_bytes(Encoding.PEM)


def _use(one: PairKey) -> x509.KeyUsage:
    purpose = one.handle.purpose
    is_root = purpose is Purpose.DOOR_AUTHORITY
    return x509.KeyUsage(
        digital_signature=purpose is Purpose.PAIR_SIGNATURE,
        content_commitment=False,
        key_encipherment=purpose is Purpose.PAIR_TRANSPORT,
        data_encipherment=purpose is Purpose.PAIR_DATA,
        key_agreement=purpose is Purpose.PAIR_AGREEMENT,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
