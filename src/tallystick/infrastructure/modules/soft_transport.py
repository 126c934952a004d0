"""Keys that come in and leave under RSA at the software module: cryptograms, and tokens of TR-34.

Pairs for one exchange live in memory and are forgotten after their days or with the process; pairs
that were made as keys serve as well. What a partner signed is verified before anything of it is
deciphered.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; RFC 8017, 7.1; TR-34
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tallystick.infrastructure.crypto.blocks import with_odd_parity
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.crypto.x509 import Certificate, read_pem
from tallystick.infrastructure.keyblocks import tr34, tr34_writing
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.infrastructure.keyblocks.lattice import RSA, check_lattice, kind_of
from tallystick.infrastructure.keyblocks.rules import check_export, check_use
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import (
    CARD_USES,
    PURPOSE_AT_A_DOOR,
    CardMaterial,
    algorithm_of,
    mechanism_of,
)
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_interface import (
    LENGTHS,
    RSA_OAEP_2048,
    RSA_OAEP_3072,
    RSA_SIGNATURE,
    PairOperation,
)
from tallystick.infrastructure.modules.pair_keys import PairKey, public_of, sealed_oaep
from tallystick.infrastructure.modules.soft_pairs import SoftPairs
from tallystick.kernel.errors import Conflict, Malformed, NotAuthentic, NotFound, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS, MINUTE_MS, Instant

LIFE_DAYS: Final = 7
MOST_PAIRS: Final = 512
MOST_OF_ONE: Final = 16
ASKEW_MS: Final = 5 * MINUTE_MS
_RECEIVES, _SIGNS = Purpose.PAIR_TRANSPORT, Purpose.PAIR_SIGNATURE


@dataclass(frozen=True, slots=True)
class _Kept:
    handle: KeyHandle
    certificate: bytes
    kind: str
    owner: str
    began: int
    ends_at: int


class Transport(Record, frozen=True, kw_only=True):
    """The public half of a pair: its name, its certificate (PEM), until when it serves (ms).

    Source: ISO 11568; RFC 5280
    """

    name: str
    certificate: bytes
    ends_at: int


class Incoming(Record, frozen=True, kw_only=True):
    """What a key becomes that comes in under a pair.

    Source: X9.143, 6
    """

    purpose: Purpose
    mechanism: str
    mode: str
    exportability: str


class Signed34(Record, frozen=True, kw_only=True):
    """A token, the signer's certificate that was led back to its authority, and the nonce.

    `nonce` is what the receiver had sent, empty for a token of one pass.
    Source: TR-34
    """

    octets: bytes
    signer: Certificate
    nonce: bytes


class Receiver34(Record, frozen=True, kw_only=True):
    """To whom a token is: a pair, the name of its certificate (DER), and since when it is (ms).

    Source: TR-34; RFC 5652, 6.2.1
    """

    handle: KeyHandle
    named: bytes
    since: int


class SoftTransport:
    """Takes keys in that were enciphered to public halves, and enciphers those that leave.

    Source: ISO 11568; RFC 8017, 7.1; TR-34
    """

    __slots__ = ("_destroy", "_gate", "_kept", "_pairs")

    def __init__(
        self, gate: CardGate, pairs: SoftPairs, destroy: Callable[[KeyHandle], None]
    ) -> None:
        self._gate = gate
        self._pairs = pairs
        self._destroy = destroy
        self._kept: dict[str, _Kept] = {}

    def make(
        self,
        bits: int,
        name: str,
        now: Instant,
        authority: KeyHandle,
        kind: str = "cryptogram",
        owner: str = "",
    ) -> Transport:
        """A fresh pair called `name` for one sort of exchange; takes up to seconds, on any thread.

        `kind` is `cryptogram`, `token-in` or `token-out`. Whoever has as many as it may loses its
        oldest. Raises Malformed for another length, NotPermitted where the rules do not admit it,
        Conflict for more pairs than are kept of all.
        Source: ISO 11568; ISO/IEC 19790
        """
        if bits not in LENGTHS:
            raise Malformed("a transport key has 2048, 3072 or 4096 bits")
        self._forget(now, owner)
        if len(self._kept) >= MOST_PAIRS:
            raise Conflict("there are as many transport keys as are kept", remedy="use one again")
        if kind == "token-out":
            handle = self._pairs.make(_SIGNS, RSA_SIGNATURE, bits, "S")
        else:
            mechanism = RSA_OAEP_2048 if bits == 2048 else RSA_OAEP_3072
            handle = self._pairs.make(_RECEIVES, mechanism, bits, "D")
        certificate = self._pairs.certificate_of(handle, authority, name, timedelta(LIFE_DAYS))
        ends_at = now + LIFE_DAYS * DAY_MS
        self._kept[name] = _Kept(handle, certificate, kind, owner, now, ends_at)
        return Transport(name=name, certificate=certificate, ends_at=ends_at)

    def admit(
        self, name: str, sealed: bytes, digest: str, incoming: Incoming, now: Instant
    ) -> KeyHandle:
        """The key that was enciphered to the pair called `name`.

        Raises NotFound for a pair that is not there any more, NotAuthentic for what does not open
        or has another length, NotPermitted for a key that is stronger than the pair.
        Source: RFC 8017, 7.1; ISO 11568
        """
        pair = self._pairs.find(self._named(name, "cryptogram", now).handle, PairOperation.RECEIVE)
        self._gate.admit(pair.handle.mechanism)
        length, letter = CARD_LENGTHS[incoming.mechanism], algorithm_of(incoming.mechanism)
        check_lattice(kind_of(RSA, pair.bits // 8), kind_of(letter, length))
        octets = pair.open_oaep(sealed, digest).reveal()
        if len(octets) != length:
            raise NotAuthentic("the key cryptogram does not open")
        found = CardMaterial(
            mode=incoming.mode,
            exportability=incoming.exportability,
            ident=b"",
            octets=with_odd_parity(octets) if letter == "T" else octets,
        )
        return self._gate.take(incoming.purpose, incoming.mechanism, found)

    def receiver(self, name: str, now: Instant) -> Receiver34:
        """Who receives tokens under the pair called `name`; raises NotFound.

        Source: TR-34
        """
        kept = self._named(name, "token-in", now)
        return Receiver34(handle=kept.handle, named=_name_in(kept.certificate), since=kept.began)

    def signer(self, name: str, now: Instant) -> tuple[KeyHandle, bytes]:
        """The pair called `name` that signs tokens, and its certificate (PEM); raises NotFound.

        Source: TR-34
        """
        kept = self._named(name, "token-out", now)
        return kept.handle, kept.certificate

    def admit_token(
        self, token: Signed34, receiver: Receiver34, now: Instant
    ) -> tuple[KeyHandle, BlockFields]:
        """The key in a token, and its header.

        A token of two passes has the nonce that was sent; one of one pass was signed since the
        receiver's pair is. Raises NotAuthentic for a token of another signer, for another receiver,
        with another nonce, too old, or changed in any bit; NotPermitted for a usage or a key that
        is not served.
        Source: TR-34; ISO 11568
        """
        pair = self._pairs.find(receiver.handle, PairOperation.RECEIVE)
        self._gate.admit(pair.handle.mechanism)
        self._gate.admit(RSA_SIGNATURE)
        said = tr34.read_token(token.octets)
        if said.signer != tr34.named(token.signer.issuer, token.signer.serial):
            raise NotAuthentic("the token names another signer than the certificate")
        token.signer.verify("rsa", "sha256", said.signature, said.signed)
        if said.envelope.recipient != receiver.named:
            raise NotAuthentic("the token is for another receiver")
        _check_fresh(said, token.nonce, receiver.since, now)
        try:
            ephemeral = pair.open_oaep(said.envelope.sealed, said.envelope.digest).reveal()
        except NotAuthentic as error:
            raise NotAuthentic("the token does not open") from error
        fields, octets = tr34.opened(said, ephemeral)
        return self._admitted(fields, octets, pair), fields

    def seal_cryptogram(self, handle: KeyHandle, to: Certificate, digest: str) -> bytes:
        """The key of `handle` enciphered to a partner's certificate.

        Raises NotPermitted for a key that is not exportable or stronger than the partner's.
        Source: RFC 8017, 7.1.1; ISO 11568
        """
        inner = self._gate.held(handle)
        check_export(inner.exportability)
        self._check_receiver(to, handle.mechanism)
        return sealed_oaep(public_of(to), inner.reveal_to_wrapping(), digest)

    def seal_token(self, handle: KeyHandle, to: Certificate, signer: tuple[KeyHandle, bytes], *,
                   exportability: str, nonce: bytes, now: Instant, mode: str = "",
                   version_number: str = "00") -> bytes:  # fmt: skip
        """The key of `handle` in a token for a partner's certificate, signed by `signer`.

        `signer` is a pair and its certificate (PEM). Without `nonce` the token is of one pass.
        `mode` and `version_number` are as in a key block that leaves.
        Raises NotPermitted for a key that is not exportable or stronger than the partner's.
        Source: TR-34; ISO 11568
        """
        inner = self._gate.held(handle)
        check_export(inner.exportability)
        if exportability == "E" and inner.exportability != "E":
            raise NotPermitted("the key would become more exportable than it is")
        self._check_receiver(to, handle.mechanism)
        self._gate.admit(RSA_SIGNATURE)
        key, certificate = self._pairs.find(signer[0], PairOperation.SIGN), signer[1]
        own = read_pem(certificate)
        if public_of(own) != key.public():
            raise NotPermitted("the certificate is of another key than the one that signs")
        parties = tr34_writing.Parties34(
            signer=_name_in(certificate), recipient=tr34.named(to.issuer, to.serial)
        )
        fields = BlockFields(
            version="D",
            usage=CARD_USES[inner.handle.purpose].usage,
            algorithm=algorithm_of(inner.handle.mechanism),
            mode=inner.mode_for(mode),
            version_number=version_number,
            exportability=exportability,
        )
        header, public = tr34_writing.header_of(fields), public_of(to)
        part = tr34_writing.key_part(parties, header, inner.reveal_to_wrapping())
        envelope = tr34_writing.enciphered_part(
            parties,
            part,
            self._gate.draw,
            lambda octets: sealed_oaep(public, octets, "sha-256"),
            is_aes=inner.is_aes,
        )
        return tr34_writing.signed_token(parties, envelope, header, key.sign, nonce=nonce, at=now)

    def _admitted(self, fields: BlockFields, octets: bytes, pair: PairKey) -> KeyHandle:
        check_use(fields)
        purpose = PURPOSE_AT_A_DOOR.get("K1" if fields.usage == "K0" else fields.usage)
        if purpose is None or fields.mode not in CARD_USES[purpose].modes:
            raise NotPermitted(
                f"the module has no use for a key of usage {fields.usage} and mode {fields.mode}"
            )
        if fields.exportability not in {"E", "N", "S"}:
            raise Malformed("a field of the token's header does not have its form")
        check_lattice(kind_of(RSA, pair.bits // 8), kind_of(fields.algorithm, len(octets)))
        if purpose is Purpose.DUKPT_INITIAL:
            raise NotPermitted("the initial key of a terminal comes in in a key block")
        found = CardMaterial(
            mode=fields.mode,
            exportability=fields.exportability,
            ident=b"",
            octets=with_odd_parity(octets) if fields.algorithm == "T" else octets,
        )
        return self._gate.take(purpose, mechanism_of(fields.algorithm, len(octets)), found)

    def _check_receiver(self, to: Certificate, mechanism: str) -> None:
        """Return only if a key of `mechanism` may leave under the key of `to`."""
        bits = public_of(to).key_size
        if bits not in LENGTHS:
            raise NotPermitted("a partner's key has 2048, 3072 or 4096 bits")
        self._gate.admit(RSA_OAEP_2048 if bits == 2048 else RSA_OAEP_3072)
        letter, length = algorithm_of(mechanism), CARD_LENGTHS[mechanism]
        check_lattice(kind_of(RSA, bits // 8), kind_of(letter, length))

    def _named(self, name: str, kind: str, now: Instant) -> _Kept:
        kept = self._kept.get(name)
        if kept is None or now >= kept.ends_at:
            raise NotFound("the transport key is no more", remedy="ask for new parameters")
        if kept.kind != kind:
            raise NotPermitted("the parameters were asked for another sort of key material")
        return kept

    def _forget(self, now: Instant, owner: str) -> None:
        ended = [one for one, kept in self._kept.items() if now >= kept.ends_at]
        own = [one for one, kept in self._kept.items() if kept.owner == owner and one not in ended]
        for old in (*ended, *own[: max(0, len(own) - MOST_OF_ONE + 1)]):
            self._destroy(self._kept.pop(old).handle)


def _check_fresh(said: tr34.Token34, nonce: bytes, since: int, now: Instant) -> None:
    if said.nonce and not nonce:
        raise NotAuthentic("the token has a nonce", remedy="give the RandomNonce that was sent")
    if nonce:
        if not equal(said.nonce, nonce):
            raise NotAuthentic("the token has another nonce than the one that was sent")
        return
    if not since - ASKEW_MS <= said.signed_at <= now + ASKEW_MS:
        raise NotAuthentic("the token has no nonce, and was not signed since the pair is")


def _name_in(certificate: bytes) -> bytes:
    found = read_pem(certificate)
    return tr34.named(found.issuer, found.serial)
