"""Keys that come in and leave with pairs: cryptograms, tokens of TR-34, agreements.

Source: ISO/TS 12812-2:2017, 7.4.2; TR-34; AWS Payment Cryptography API, 2021-09-14
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tallystick.entry.paycrypt.asking import MECHANISM_OF, PURPOSE_OF, Asking, Loaded, octets_of
from tallystick.entry.paycrypt.keys import admitted
from tallystick.entry.paycrypt.pairs import certificate_in, issued, text_of
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.tr34 import named
from tallystick.infrastructure.modules.interface import CARD_LENGTHS, KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_keys import public_of
from tallystick.infrastructure.modules.soft_pairs import Agreeing, Becoming
from tallystick.infrastructure.modules.soft_transport import (
    Incoming,
    Receiver34,
    Signed34,
    Transport,
)
from tallystick.kernel.errors import Conflict, Malformed, NotFound, NotPermitted
from tallystick.protocol.paycrypt.exchange import (
    Agreement,
    ExportParameters,
    ExportParametersAnswer,
    ExportToken34,
    ImportCryptogram,
    ImportParameters,
    ImportParametersAnswer,
    ImportToken34,
)

_BITS: Final = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
_KINDS: Final = {"KEY_CRYPTOGRAM": "cryptogram", "TR34_KEY_BLOCK": "token-in"}
_FUNCTIONS: Final = {"NIST_SP800": "concat-kdf", "ANSI_X963": "x963-kdf"}
_HASHES: Final = {"SHA_256": "sha-256", "SHA_384": "sha-384", "SHA_512": "sha-512"}


class Came(NamedTuple):
    """A key that came in: its handle, the model's usage, whether it may leave again.

    Source: X9.143, 6
    """

    handle: KeyHandle
    usage: str
    exportable: bool


class Further(NamedTuple):
    """What a key that leaves may do for its receiver, and what its header says besides.

    `mode` is empty for the key's own.
    Source: X9.143, 6; 7
    """

    exportability: str
    mode: str = ""
    version_number: str = "00"
    optional: tuple[OptionalBlock, ...] = ()


async def import_parameters(ask: Asking, asked: ImportParameters) -> ImportParametersAnswer:
    """A pair to encipher a key to, certified by the authority of the door.

    Source: AWS Payment Cryptography API, GetParametersForImport
    """
    ask.allow("*")
    kind = _KINDS.get(asked.key_material_type)
    algorithm = asked.wrapping_key_algorithm
    if kind is None or algorithm not in _BITS:
        raise NotPermitted("parameters are for cryptograms and tokens of TR-34 under RSA")
    made, chain = await _parameters(ask, kind, algorithm, "import-token", again=(
        asked.reuse_last_generated_token))  # fmt: skip
    return ImportParametersAnswer(
        wrapping_key_certificate=text_of(made.certificate),
        wrapping_key_certificate_chain=chain,
        wrapping_key_algorithm=algorithm,
        import_token=made.name,
        parameters_valid_until_timestamp=made.ends_at // 1000,
    )


async def export_parameters(ask: Asking, asked: ExportParameters) -> ExportParametersAnswer:
    """A pair that signs tokens of TR-34, certified by the authority of the door.

    Source: AWS Payment Cryptography API, GetParametersForExport
    """
    ask.allow("*")
    algorithm = asked.signing_key_algorithm
    if asked.key_material_type != "TR34_KEY_BLOCK" or algorithm not in _BITS:
        raise NotPermitted("parameters are for tokens of TR-34 that RSA signs")
    made, chain = await _parameters(ask, "token-out", algorithm, "export-token", again=(
        asked.reuse_last_generated_token))  # fmt: skip
    return ExportParametersAnswer(
        signing_key_certificate=text_of(made.certificate),
        signing_key_certificate_chain=chain,
        signing_key_algorithm=algorithm,
        export_token=made.name,
        parameters_valid_until_timestamp=made.ends_at // 1000,
    )


def unsealed(ask: Asking, given: ImportCryptogram) -> KeyHandle:
    """The key that was enciphered to a pair of this door.

    Source: AWS Payment Cryptography API, ImportKeyCryptogram
    """
    purpose, mechanism, letter = admitted(given.key_attributes)
    if purpose is Purpose.LINK_HMAC:
        raise NotPermitted("HMAC keys do not come in as cryptograms")
    incoming = Incoming(
        purpose=purpose,
        mechanism=mechanism,
        mode=letter,
        exportability="E" if given.exportable else "N",
    )
    digest = digest_of(given.wrapping_spec)
    octets = octets_of(given.wrapped_key_cryptogram)
    transport, now = ask.on.module.transport, ask.on.clock.now()
    with _while_kept():
        return transport.admit(given.import_token, octets, digest, incoming, now)


def token_in(ask: Asking, given: ImportToken34) -> Came:
    """The key in a token of TR-34.

    Source: AWS Payment Cryptography API, ImportTr34KeyBlock
    """
    signer = issued(ask, given.certificate_authority_public_key_identifier,
                    given.signing_key_certificate)  # fmt: skip
    receiver = _receiver(ask, given)
    token = Signed34(
        octets=octets_of(given.wrapped_key_block),
        signer=signer,
        nonce=bytes.fromhex(given.random_nonce or ""),
    )
    now = ask.on.clock.now()
    handle, fields = ask.on.module.transport.admit_token(token, receiver, now)
    return Came(handle, usage_of(fields.usage), fields.exportability != "N")


def token_out(ask: Asking, given: ExportToken34, handle: KeyHandle, further: Further) -> bytes:
    """A key in a token of TR-34.

    Source: AWS Payment Cryptography API, ExportTr34KeyBlock
    """
    to = issued(ask, given.certificate_authority_public_key_identifier,
                given.wrapping_key_certificate)  # fmt: skip
    nonce, now = bytes.fromhex(given.random_nonce or ""), ask.on.clock.now()
    return ask.on.module.transport.seal_token(
        handle,
        to,
        _signer(ask, given),
        nonce=nonce,
        now=now,
        exportability=further.exportability,
        mode=further.mode,
        version_number=further.version_number,
    )


@contextmanager
def agreed(
    ask: Asking, key: Loaded, given: Agreement, *, wraps: bool = False
) -> Generator[KeyHandle]:
    """The key that a pair of the door and another party agree on, for as long as it is used.

    With `wraps` it protects a key block; else it is what the pair was made to agree on. Raises
    NotAuthentic for a certificate that its authority did not issue, NotPermitted for a pair that
    was made for something else.
    Source: NIST SP 800-56A, 6.2; AWS Payment Cryptography API, DiffieHellmanDerivationData
    """
    ask.must_be(key, Purpose.PAIR_AGREEMENT)
    ask.take_pair()
    purpose = PURPOSE_OF[key.row.derives]
    if wraps != (purpose is Purpose.KEY_WRAP):
        raise NotPermitted("the pair was made to agree on keys of another usage")
    mechanism = MECHANISM_OF.get(given.derive_key_algorithm, "")
    if mechanism not in CARD_LENGTHS:
        raise NotPermitted("keys of AES and TDEA are agreed on")
    other = issued(ask, given.certificate_authority_public_key_identifier,
                   given.public_key_certificate)  # fmt: skip
    how = Agreeing(
        function=_FUNCTIONS[given.key_derivation_function],
        digest=_HASHES[given.key_derivation_hash_algorithm],
        more=bytes.fromhex(given.derivation_data.shared_information),
    )
    becoming = Becoming(purpose=purpose, mechanism=mechanism, mode=_MODES.get(purpose, "N"))
    handle = ask.on.module.pairs.agree(key.handle, other, how, becoming)
    try:
        yield handle
    finally:
        ask.on.module.destroy(handle)


def usage_of(code: str) -> str:
    """The model's usage that begins with the two characters of a key block.

    Raises NotPermitted for one that is not served.
    Source: X9.143, 6; AWS Payment Cryptography API, KeyUsage
    """
    for name in PURPOSE_OF:
        if name.startswith(f"TR31_{code}_"):
            return name
    raise NotPermitted(f"the key usage {code} is not served here")


def digest_of(spec: str) -> str:
    """The hash of RSA-OAEP that a wrapping specification names.

    Source: AWS Payment Cryptography API, WrappingKeySpec
    """
    return "sha-512" if spec.endswith("512") else "sha-256"


_MODES: Final = {Purpose.KEY_WRAP: "B", Purpose.PIN_ENCRYPTION: "B", Purpose.DATA_ENCRYPTION: "B"}


async def _parameters(
    ask: Asking, kind: str, algorithm: str, head: str, *, again: bool
) -> tuple[Transport, str]:
    on, now = ask.on, ask.on.clock.now()
    authority = await asyncio.to_thread(on.authorities.of, algorithm)
    place = ask.program, kind, algorithm
    found = on.exchanges.get(place) if again else None
    if found is None or now >= found.ends_at:
        name = f"{head}-{on.module.random(16).hex()}"
        bits = _BITS[algorithm]
        found = await asyncio.to_thread(on.module.transport.make, bits, name, now, authority, kind)
        on.exchanges[place] = found
    return found, text_of(on.module.pairs.certificate_of(authority, authority))


@contextmanager
def _while_kept() -> Generator[None]:
    """Call parameters that are no more a conflict, as the service does."""
    try:
        yield
    except NotFound as error:
        raise Conflict(error.detail, remedy=error.remedy) from error


def _receiver(ask: Asking, given: ImportToken34) -> Receiver34:
    """The pair that a token is for: of an exchange, or one that was made as a key."""
    if (given.import_token is None) == (given.wrapping_key_identifier is None):
        raise Malformed("a token is for an ImportToken or a WrappingKeyIdentifier")
    if given.import_token is not None:
        with _while_kept():
            return ask.on.module.transport.receiver(given.import_token, ask.on.clock.now())
    key = ask.usable(given.wrapping_key_identifier or "")
    ask.must_be(key, Purpose.PAIR_TRANSPORT)
    text = given.wrapping_key_certificate
    found = certificate_in(_own(ask, key) if text is None else text)
    if public_of(found) != ask.on.module.pairs.held(key.handle).public():
        raise NotPermitted("the certificate is of another key than the one that is named")
    name = named(found.issuer, found.serial)
    return Receiver34(handle=key.handle, named=name, since=key.row.created_at)


def _signer(ask: Asking, given: ExportToken34) -> tuple[KeyHandle, bytes]:
    if (given.export_token is None) == (given.signing_key_identifier is None):
        raise Malformed("a token is signed by an ExportToken or a SigningKeyIdentifier")
    if given.export_token is not None:
        with _while_kept():
            return ask.on.module.transport.signer(given.export_token, ask.on.clock.now())
    key = ask.usable(given.signing_key_identifier or "")
    ask.must_be(key, Purpose.PAIR_SIGNATURE)
    text = given.signing_key_certificate
    found = certificate_in(_own(ask, key) if text is None else text)
    return key.handle, found.octets


def _own(ask: Asking, key: Loaded) -> str:
    authority = ask.on.authorities.of(key.row.algorithm)
    return text_of(ask.on.module.pairs.certificate_of(key.handle, authority))
