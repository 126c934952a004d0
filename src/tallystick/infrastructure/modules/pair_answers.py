"""Known answers for pairs of keys: published values, and values that openssl made, before each use.

Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790; RFC 5903, 8; RFC 6979, A.2.6; RFC 7518, C
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tallystick.infrastructure.crypto.pkcs8 import write_pkcs8
from tallystick.infrastructure.crypto.x509 import read_certificate
from tallystick.infrastructure.modules import pair_interface
from tallystick.infrastructure.modules.answering import expect, refuses
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.pair_keys import PairKey, derived, packed

_hex = bytes.fromhex
_P = (
    "fa77251db8f7f79d61e9028568b4ee26cd1b54e795a114b437d2a83c992fcbb153374e0c66ac2106bf22b9aa"
    "4bea60c0d19431c0edf3a1d1e2d877b5909dedb64901c099ef64705fbc2aa8e4a5be99c4f5fd05352797527b"
    "4cf7eedc22eb2f1f1eeeb445cf7023ddd838f73e819d9ab402e9fd4d2b1375f4ef712ef95c3d4615"
)
_Q = (
    "bfc977e1c657635bbc975796f0480a493862bfe26912a39bdc1a0ab5beaa02d247b91f032ffd3ffcad44eeab"
    "d8b1a3d01f366d1982a71148b087a951f7312eb3b4e7001318e32b5bee5b2ecc6bbf2da41645964142749d6b"
    "07648dd412bed1a8c7ef3798aa1bde4dab301ec1e802bb08e39fedbf8b1b92a53d2bdd75f893856d"
)
_ENCIPHERED = (
    "1a7c9f0b5efaf09576a0af91506d070f48a1b3bc9c2c54aa13b99459605927127f54c90d167cbcdd89c80d7f"
    "141387e4acbd6468b4141df3646c5b1d15b473c47ab14a5da9a8c22a6a19e877b1de0fd74868e183213435f7"
    "663cf588f462e688d8565571d68aa1b4c909fc9ee796c82bd21e7f90d3758522e0c9eee187fd9547e19eb184"
    "4b2ce9fcfc2521f87854a9cc79fdb414e8abed819d045a3e4d4cd5ec50468b982b024c581b0f2f1adc9783fe"
    "af1a10afe5336fdc56944895fd605c4cbded611beb51c109c5d0ccb97f6c87d6709b973d11a9028387b0ee4c"
    "73dc178de8bfc43bde37dd1c004c1836e4bda5bd3c2cf42a71cb9d6d1448dd123c434554"
)
_SIGNATURE = (
    "0179c0b1114583526ac75c9abec25c511d484e174e93722f3feb7b89049c3291879114c9074dc11d965adace"
    "76c0c8b80987eda5b57e411e0077ea3d69c355c31b36f1028c230ee3d4fb7e4cf0ecbf4a8cc06d832cae077b"
    "eb753f8ab85f6262c0d4933ae26989ba4ca2bf3d4e748251d70e400dbb9387848e427a1854c5c5b6844c8845"
    "c64eade4e3841d8aaad1fbf2adf621def6549ef5fccf7b2671566e32b6d1baceb3ebc6c92582357e8e56eece"
    "70aebd0032c8972bf06d768069033d05ceeed22013db05ea4e7fa334c731f172fe4d7a95d6c019bfabe58d0f"
    "69a0af7346a144d4c29fbdc17273fe0d20eb45f44dc9dafb9f609f5a55e40342af2c6b35"
)
_CERTIFICATE = (
    "308201793082011fa003020102021467c42118f125ab52f2b208ef4a63c58bb6b662a9300a06082a8648ce3d"
    "0403023011310f300d06035504030c0673616d706c653020170d3236313132363134303334335a180f323132"
    "36313130323134303334335a3011310f300d06035504030c0673616d706c653059301306072a8648ce3d0201"
    "06082a8648ce3d0301070342000417c5d8de54bba5bf378a9ca1b009fec8a9bc0959df11a3690834631191ce"
    "3fd997100e1dec8e2e666aabe138100ae12f097dd01ac86bfa7b5e51fbad4e5f829fa3533051301d0603551d"
    "0e0416041499bb03c41a377630d5d12cf7ed83a714ad948c97301f0603551d2304183016801499bb03c41a37"
    "7630d5d12cf7ed83a714ad948c97300f0603551d130101ff040530030101ff300a06082a8648ce3d04030203"
    "48003045022011e7499973bd7ec68d9901130e3cc8e4dc07e5b79701ce16641b8e88a5508dac022100c655c1"
    "6156fd9a2fe262603d3e37275fa4622b089f61c9adeb102d8431098593"
)
_SHARED: Mapping[str, tuple[type[ec.EllipticCurve], str, str, str]] = MappingProxyType(
    {
        pair_interface.ECDH_P256: (
            ec.SECP256R1,
            "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
            "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
            "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
        ),
        pair_interface.ECDH_P384: (
            ec.SECP384R1,
            (
                "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f16"
                "0647b67414dce655e35b538041e649ee3faef896783ab194"
            ),
            (
                "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060"
                "855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc"
            ),
            (
                "11187331c279962d93d604243fd592cb9d0a926f422e4718"
                "7521287e7156c5c4d603135569b9e9d09cf5d4a270f59746"
            ),
        ),
        pair_interface.ECDH_P521: (
            ec.SECP521R1,
            (
                "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa"
                "85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52"
            ),
            (
                "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e9c67"
                "7d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9"
            ),
            (
                "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d142"
                "7e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"
            ),
        ),
    }
)


def _key(purpose: Purpose, mechanism: str, octets: bytes) -> PairKey:
    handle = KeyHandle(
        id="key_answer", purpose=purpose, mechanism=mechanism, exportable=False, created_at=0
    )
    return PairKey(handle, packed(purpose, octets))


def _factors() -> bytes:
    """The private key of the two factors, in PKCS #8.

    Source: RFC 8017, 3.2
    """
    first, second, exponent = int(_P, 16), int(_Q, 16), 65_537
    private = rsa.rsa_recover_private_exponent(exponent, first, second)
    numbers = rsa.RSAPrivateNumbers(
        p=first,
        q=second,
        d=private,
        dmp1=rsa.rsa_crt_dmp1(private, first),
        dmq1=rsa.rsa_crt_dmq1(private, second),
        iqmp=rsa.rsa_crt_iqmp(first, second),
        public_numbers=rsa.RSAPublicNumbers(exponent, first * second),
    )
    return write_pkcs8(numbers.private_key(unsafe_skip_rsa_key_validation=True)).reveal()


def oaep_answer() -> None:
    """What openssl enciphered opens; a flipped bit does not, nor does another hash.

    Source: RFC 8017, 7.1
    """
    pair = _key(Purpose.PAIR_TRANSPORT, pair_interface.RSA_OAEP_2048, _factors())
    sealed = _hex(_ENCIPHERED)
    expect(pair.open_oaep(sealed, "sha-256").reveal(), b"sample")
    changed = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    refuses(lambda: pair.open_oaep(changed, "sha-256"))
    refuses(lambda: pair.open_oaep(sealed, "sha-512"))


def rsa_signature_answer() -> None:
    """The signature of openssl, bit by bit.

    Source: RFC 8017, 8.2
    """
    pair = _key(Purpose.PAIR_SIGNATURE, pair_interface.RSA_SIGNATURE, _factors())
    expect(pair.sign(b"sample"), _hex(_SIGNATURE))


def curve_signature_answer() -> None:
    """The signature of P-384 and SHA-384 over `sample`, whose secret number follows from it.

    Source: RFC 6979, A.2.6
    """
    scalar = int(
        "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba"
        "9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
        16,
    )
    octets = write_pkcs8(ec.derive_private_key(scalar, ec.SECP384R1())).reveal()
    pair = _key(Purpose.DOOR_AUTHORITY, pair_interface.ECDSA_P384, octets)
    first = (
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa7"
        "3d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
    )
    second = (
        "99ef4aeb15f178cea1fe40db2603138f130e740a19624526"
        "203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"
    )
    expect(_numbers(pair.sign(b"sample")), (int(first, 16), int(second, 16)))


def agreement_answer(name: str) -> None:
    """The shared secret of the published pair, from both sides.

    Source: RFC 5903, 8
    """
    curve, one, other, wanted = _SHARED[name]
    sides = [ec.derive_private_key(int(text, 16), curve()) for text in (one, other)]
    for own, peer in (sides, reversed(sides)):
        pair = _key(Purpose.PAIR_AGREEMENT, name, write_pkcs8(own).reveal())
        expect(pair.agree(peer.public_key()).reveal(), _hex(wanted))


def x963_answer() -> None:
    """A key of 16 bytes with SHA-256 and no shared information.

    Source: SEC 1, 3.6.1; NIST SP 800-135, 4.2
    """
    shared = _hex("96c05619d56c328ab95fe84b18264b08725b85e33fd34f08")
    found = derived("x963-kdf", "sha-256", shared, b"", 16)
    expect(found, _hex("443024c3dae66b95e6f5670601558f71"))


def concat_answer() -> None:
    """The key of Alice and Bob.

    Source: RFC 7518, C
    """
    shared = _hex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4")
    parts = (b"A128GCM", b"Alice", b"Bob")
    more = b"".join(len(one).to_bytes(4, "big") + one for one in parts) + bytes((0, 0, 0, 128))
    found = derived("concat-kdf", "sha-256", shared, more, 16)
    expect(found, _hex("56aa8deaf8236d205c2228cd71a7101a"))


def certificate_answer() -> None:
    """A certificate that openssl signed with its own key holds; with a changed number it does not.

    Source: RFC 5280, 6.1
    """
    octets = _hex(_CERTIFICATE)
    found = read_certificate(octets)
    expect(found.issued_by(found), wanted=True)
    place = octets.index(found.serial.to_bytes((found.serial.bit_length() + 7) // 8, "big"))
    changed = octets[: place + 5] + bytes((octets[place + 5] ^ 1,)) + octets[place + 6 :]
    expect(read_certificate(changed).issued_by(found), wanted=False)


def _numbers(signature: bytes) -> tuple[int, int]:
    from_der = signature[2:]
    first = from_der[2 : 2 + from_der[1]]
    rest = from_der[2 + from_der[1] :]
    return int.from_bytes(first, "big"), int.from_bytes(rest[2 : 2 + rest[1]], "big")


PAIR_ANSWERS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        pair_interface.RSA_OAEP_3072: oaep_answer,
        pair_interface.RSA_OAEP_2048: oaep_answer,
        pair_interface.RSA_SIGNATURE: rsa_signature_answer,
        pair_interface.ECDSA_P384: curve_signature_answer,
        **{name: partial(agreement_answer, name) for name in _SHARED},
        pair_interface.CERTIFICATE: certificate_answer,
        "x963-kdf": x963_answer,
        "concat-kdf": concat_answer,
    }
)
"""The test of every mechanism of pairs, by the registry's name."""
