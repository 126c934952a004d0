"""MACs and enciphered data at the door.

What is not CMAC or HMAC takes whole blocks: the caller pads, as the service that this is compatible
with has it.

Source: ISO/IEC 9797-1; ISO/IEC 10116; AWS Payment Cryptography API, 2022-02-03
"""

from typing import Final

from tallystick.entry.paycrypt.answers import unproved
from tallystick.entry.paycrypt.asking import MECHANISM_OF, Asking, Loaded, octets_of, one_of, upper
from tallystick.entry.paycrypt.revoking import must_stand
from tallystick.entry.paycrypt.unserved import AS_2805
from tallystick.entry.paycrypt.working import working
from tallystick.infrastructure.crypto.digest import equal
from tallystick.infrastructure.modules import ciphering
from tallystick.infrastructure.modules.chip_sessions import Opening, Session
from tallystick.infrastructure.modules.ciphering import Asymmetric
from tallystick.infrastructure.modules.interface import HMAC_SHA256, HMAC_SHA512, Purpose
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_data import (
    Algorithm,
    Ciphering,
    Direction,
    Mode,
    Terminal,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.protocol.paycrypt.ciphers import (
    CipherTextAnswer,
    DecryptData,
    EmvData,
    EncryptData,
    EncryptionAttributes,
    PlainTextAnswer,
    ReEncryptData,
)
from tallystick.protocol.paycrypt.data import OfKeyAnswer
from tallystick.protocol.paycrypt.messages import (
    GenerateMac,
    MacAnswer,
    MacAttributes,
    MacDukpt,
    MacEmv,
    VerifyMac,
)

SHORTEST_MAC: Final = 4
LONGEST_MAC: Final = 16
LONGEST_CLEAR: Final = 2_048
_DIRECTIONS: Final = {
    "BIDIRECTIONAL": Direction.BOTH,
    "REQUEST": Direction.REQUEST,
    "RESPONSE": Direction.RESPONSE,
}
_STATIC: Final = {
    "ISO9797_ALGORITHM1": (Purpose.CARD_MAC_CBC, 8, 8),
    "ISO9797_ALGORITHM3": (Purpose.CARD_MAC_RETAIL, 8, 8),
    "CMAC": (Purpose.CARD_MAC, 1, 16),
}
_INVALID: Final = "INVALID_MAC"
_DATA_PAIR: Final = "TR31_D1_ASYMMETRIC_KEY_FOR_DATA_ENCRYPTION"
_OAEP: Final = {"OAEP_SHA1": "sha-1", "OAEP_SHA256": "sha-256", "OAEP_SHA512": "sha-512"}
_COUNTED: Final = {"VISA": Opening.MASKED, "EMV2000": Opening.TREE}
_HMACS: Final = {"HMAC_SHA256": HMAC_SHA256, "HMAC_SHA512": HMAC_SHA512}


def make_mac(ask: Asking, asked: GenerateMac) -> MacAnswer:
    """The MAC over the message, cut to the length that was asked for.

    Source: AWS Payment Cryptography API, GenerateMac
    """
    key = ask.usable(asked.key_identifier)
    if "generate" not in key.row.modes and "derive_key" not in key.row.modes:
        _no_restrictions(key, "making MACs")
    tag = _mac(ask, key, asked.generation_attributes, octets_of(asked.message_data))
    length = len(tag) if asked.mac_length is None else _length(asked.mac_length, len(tag))
    return MacAnswer(key_arn=key.arn, key_check_value=key.kcv, mac=upper(tag[:length]))


def verify_mac(ask: Asking, asked: VerifyMac) -> OfKeyAnswer:
    """Says that the MAC is right; a shorter one only where its length is stated.

    Raises NotAuthentic.
    Source: AWS Payment Cryptography API, VerifyMac
    """
    key = ask.usable(asked.key_identifier)
    if "verify" not in key.row.modes and "derive_key" not in key.row.modes:
        _no_restrictions(key, "verifying MACs")
    by, message = asked.verification_attributes, octets_of(asked.message_data)
    tag = bytes.fromhex(asked.mac)
    if by.algorithm in _STATIC:
        _verify_static(ask, key, asked, message, tag)
        return OfKeyAnswer(key_arn=key.arn, key_check_value=key.kcv)
    wanted = _mac(ask, key, by, message)
    length = len(wanted) if asked.mac_length is None else _length(asked.mac_length, len(wanted))
    if not equal(wanted[:length], tag):
        raise unproved(_INVALID)
    return OfKeyAnswer(key_arn=key.arn, key_check_value=key.kcv)


def encrypt(ask: Asking, asked: EncryptData) -> CipherTextAnswer:
    """The data, enciphered.

    Source: AWS Payment Cryptography API, EncryptData
    """
    data, by = octets_of(asked.plain_text), asked.encryption_attributes
    if len(data) > LONGEST_CLEAR:
        raise Malformed(f"data in clear have at most {LONGEST_CLEAR} bytes")
    with working(ask, ask.path_key, asked.wrapped_key) as key:
        if by.emv is not None and one_of(a=by.emv, b=by.dukpt, c=by.symmetric, d=by.asymmetric):
            ask.must_be(key, Purpose.CHIP_CONFIDENTIALITY)
            made = _for_chip(ask, key, by.emv, data)
        else:
            made = ciphering.encipher(ask.on.module, _way(ask, key, by), data)
        return CipherTextAnswer(key_arn=key.arn, key_check_value=key.kcv, cipher_text=upper(made))


def decrypt(ask: Asking, asked: DecryptData) -> PlainTextAnswer:
    """The data in clear.

    Source: AWS Payment Cryptography API, DecryptData
    """
    with working(ask, ask.path_key, asked.wrapped_key) as key:
        way = _way(ask, key, asked.decryption_attributes)
        clear = ciphering.decipher(ask.on.module, way, octets_of(asked.cipher_text))
        return PlainTextAnswer(key_arn=key.arn, key_check_value=key.kcv, plain_text=upper(clear))


def re_encrypt(ask: Asking, asked: ReEncryptData) -> CipherTextAnswer:
    """The data under the outgoing key.

    Source: AWS Payment Cryptography API, ReEncryptData
    """
    with (
        working(ask, ask.path_key, asked.incoming_wrapped_key) as source,
        working(ask, asked.outgoing_key_identifier, asked.outgoing_wrapped_key) as target,
    ):
        made = ciphering.re_encipher(
            ask.on.module,
            _way(ask, source, asked.incoming_encryption_attributes),
            _way(ask, target, asked.outgoing_encryption_attributes),
            octets_of(asked.cipher_text),
        )
        return CipherTextAnswer(
            key_arn=target.arn, key_check_value=target.kcv, cipher_text=upper(made)
        )


def _verify_static(ask: Asking, key: Loaded, asked: VerifyMac, message: bytes, tag: bytes) -> None:
    """Return only if `tag` is the MAC under a key of this link; a key may be for this alone."""
    one_of(a=asked.verification_attributes.algorithm, b=asked.verification_attributes.emv_mac)
    whole = _check_static(ask, key, asked.verification_attributes.algorithm or "", message)
    length = whole if asked.mac_length is None else _length(asked.mac_length, whole)
    if len(tag) != length:
        raise unproved(_INVALID)
    try:
        ask.on.module.chips.verify_mac(key.handle, message, tag, padding=1)
    except NotAuthentic as error:
        raise unproved(_INVALID) from error


def _mac(ask: Asking, key: Loaded, by: MacAttributes, message: bytes) -> bytes:
    """The whole MAC over `message`."""
    one_of(
        a=by.algorithm, b=by.emv_mac, c=by.dukpt_iso_9797_algorithm_1,
        d=by.dukpt_iso_9797_algorithm_3, e=by.dukpt_cmac,
    )  # fmt: skip
    if by.algorithm is not None:
        return _static(ask, key, by.algorithm, message)
    if by.emv_mac is not None:
        return _of_chip(ask, key, by.emv_mac, message)
    for algorithm, given in (
        (Algorithm.CBC, by.dukpt_iso_9797_algorithm_1),
        (Algorithm.RETAIL, by.dukpt_iso_9797_algorithm_3),
        (Algorithm.CMAC, by.dukpt_cmac),
    ):
        if given is not None:
            return _of_terminal(ask, key, algorithm, given, message)
    raise Malformed("nothing says which MAC is meant")


def _static(ask: Asking, key: Loaded, name: str, message: bytes) -> bytes:
    if name == "HMAC" or name in _HMACS:
        ask.must_be(key, Purpose.LINK_HMAC)
        if _HMACS.get(name, key.handle.mechanism) != key.handle.mechanism:
            raise NotPermitted("the key is for another hash")
        return ask.on.module.mac(key.handle, message)
    length = _check_static(ask, key, name, message)
    return ask.on.module.chips.make_mac(key.handle, message, length=length, padding=1)


def _check_static(ask: Asking, key: Loaded, name: str, message: bytes) -> int:
    """How long the MAC of this algorithm is; the key is for it and the message whole."""
    if name == "AS2805_4_1":
        raise NotPermitted(AS_2805)
    known = _STATIC.get(name)
    if known is None:
        raise NotPermitted(f"the algorithm {name} is not served")
    purpose, width, length = known
    ask.must_be(key, purpose)
    _whole(message, width)
    return length


def _of_chip(ask: Asking, key: Loaded, by: MacEmv, message: bytes) -> bytes:
    ask.must_be(key, Purpose.CHIP_INTEGRITY)
    session = _script_session(by)
    if not key.handle.mechanism.startswith("aes"):
        _whole(message, 8)
    card = _card(by.primary_account_number, by.pan_sequence_number, by.major_key_derivation_mode)
    return ask.on.module.issuing.script_mac(key.handle, card, session, message)


def _script_session(by: MacEmv) -> Session:
    """How the session of a command is opened: by a cryptogram or by a counter."""
    value = by.session_key_derivation_value
    cryptogram = value.application_cryptogram
    counter = value.application_transaction_counter
    one_of(a=cryptogram, b=counter)
    kind = by.session_key_derivation_mode
    if kind in {"EMV_COMMON_SESSION_KEY", "MASTERCARD_SESSION_KEY"} and cryptogram is not None:
        return Session(value=bytes.fromhex(cryptogram))
    if kind in _COUNTED and counter is not None:
        return Session(opening=_COUNTED[kind], value=bytes.fromhex(counter))
    raise NotPermitted(f"a session of {kind} is not served, or is opened by something else")


def _of_terminal(
    ask: Asking, key: Loaded, algorithm: Algorithm, given: MacDukpt, message: bytes
) -> bytes:
    ask.must_be(key, Purpose.DUKPT_BASE)
    kind = given.dukpt_derivation_type
    mechanism = MECHANISM_OF[kind] if kind else key.handle.mechanism
    if algorithm is not Algorithm.CMAC:
        _whole(message, 16 if mechanism.startswith("aes") else 8)
    terminal = Terminal(
        ksn=bytes.fromhex(given.key_serial_number),
        direction=_DIRECTIONS[given.dukpt_key_variant],
        kind=MECHANISM_OF[kind] if kind else "",
    )
    return ask.on.module.data.terminal_mac(key.handle, algorithm, terminal, message)


def _way(ask: Asking, key: Loaded, by: EncryptionAttributes) -> Ciphering | Asymmetric:
    one_of(symmetric=by.symmetric, dukpt=by.dukpt, asymmetric=by.asymmetric)
    if by.emv is not None:
        raise Malformed("data of a command to a card are enciphered only")
    if by.asymmetric is not None:
        return _under_rsa(ask, key, by.asymmetric.padding_type)
    if by.symmetric is not None:
        if by.symmetric.padding_type is not None:
            raise NotPermitted("a padding goes with keys of RSA: pad the data first")
        ask.must_be(key, Purpose.DATA_ENCRYPTION)
        if by.symmetric.mode not in {"ECB", "CBC"}:
            raise NotPermitted("data are enciphered in the modes ECB and CBC")
        return Ciphering(
            handle=key.handle,
            mode=Mode(by.symmetric.mode.lower()),
            initial=bytes.fromhex(by.symmetric.initialization_vector or ""),
        )
    if by.dukpt is None:
        raise Malformed("nothing says how the data are enciphered")
    ask.must_be(key, Purpose.DUKPT_BASE)
    kind = by.dukpt.dukpt_key_derivation_type
    return Ciphering(
        handle=key.handle,
        mode=Mode(by.dukpt.mode.lower()),
        initial=bytes.fromhex(by.dukpt.initialization_vector or ""),
        terminal=Terminal(
            ksn=bytes.fromhex(by.dukpt.key_serial_number),
            direction=_DIRECTIONS[by.dukpt.dukpt_key_variant],
            kind=MECHANISM_OF[kind] if kind else "",
        ),
    )


def _under_rsa(ask: Asking, key: Loaded, padding: str) -> Asymmetric:
    ask.take_pair()
    digest = _OAEP.get(padding)
    if digest is None:
        raise NotPermitted(
            "PKCS #1 v1.5 is not served: whoever sees refusals deciphers",
            remedy="use OAEP_SHA256",
        )
    if key.handle.purpose is Purpose.PARTNER_CERTIFICATE:
        if key.row.usage != _DATA_PAIR:
            raise NotPermitted(f"a key of usage {key.row.usage} is not for {ask.call}")
        certificate = ask.on.module.pairs.held(key.handle).certificate
        if certificate is not None:
            must_stand(ask, certificate)
    else:
        ask.must_be(key, Purpose.PAIR_DATA)
    return Asymmetric(handle=key.handle, digest=digest)


def _for_chip(ask: Asking, key: Loaded, by: EmvData, data: bytes) -> bytes:
    card = _card(by.primary_account_number, by.pan_sequence_number, by.major_key_derivation_mode)
    return ask.on.module.issuing.encipher_script(
        key.handle,
        card,
        bytes.fromhex(by.session_derivation_data),
        data,
        mode=Mode(by.mode.lower()),
        initial=bytes.fromhex(by.initialization_vector or ""),
    )


def _card(pan: str, sequence: str, major: str) -> Card:
    return Card(pan=pan, sequence=sequence, option=major[-1])


def _whole(message: bytes, width: int) -> None:
    if not message or len(message) % width:
        raise Malformed(f"the message is whole blocks of {width} bytes: pad it first")


def _length(asked: int, whole: int) -> int:
    if not SHORTEST_MAC <= asked <= min(LONGEST_MAC, whole):
        raise Malformed(f"the MAC here has {SHORTEST_MAC} to {min(LONGEST_MAC, whole)} bytes")
    return asked


def _no_restrictions(key: Loaded, what: str) -> None:
    if "no_restrictions" not in key.row.modes:
        raise NotPermitted(f"a key of usage {key.row.usage} with its modes is not for {what}")
