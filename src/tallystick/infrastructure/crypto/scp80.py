"""Secured packets between a server and a SIM: headers, counters, check values, ciphering.

    length | header length | SPI | KIc | KID | TAR | counter | padding | check value | data

The check value covers everything but itself. What is ciphered begins at the counter. Which
algorithm and key are used is the caller's: `mac` gives the check value, `cipher` ciphers whole
blocks, and nothing that a packet says about itself is believed before its check value was verified.

Source: ISO/TS 12812-2:2017, 7.2.4; 7.3.3; ETSI TS 102 225, 5.1; 5.2; 3GPP TS 31.115, 4
"""

from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tallystick.infrastructure.crypto.digest import equal
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record

CHECK_LENGTH = 8
COUNTER_LENGTH = 5
MOST_COUNTER = 2 ** (8 * COUNTER_LENGTH) - 1

CHECKED = 0x02
"""SPI, first octet: there is a cryptographic checksum."""

CIPHERED = 0x04
"""SPI, first octet: the packet is ciphered."""

COUNTER_HIGHER = 0x10
"""SPI, first octet: the receiver processes the packet only if its counter is higher than before."""

COMMAND_HEADER = bytes.fromhex("027000")
"""The user data header of a message that carries a command packet."""

ANSWER_HEADER = bytes.fromhex("027100")
"""The user data header of a message that carries a response packet."""

_FIXED = 8
_WITHIN = COUNTER_LENGTH + 1

Mac = Callable[[bytes], bytes]
"""Gives a check value of at least 8 bytes."""


class PacketCipher:
    """Ciphering of whole blocks in CBC mode with an IV of noughts, as SIMs do it; never prints.

    Source: ETSI TS 102 225, 5.1.2
    """

    __slots__ = ("_algorithm", "block")

    def __init__(self, secret: bytes, *, triple_des: bool = False) -> None:
        """AES, or two-key Triple DES where a SIM has nothing better.

        Source: ETSI TS 102 225, 5.1.2; ISO/IEC 18033-3
        """
        self._algorithm = TripleDES(secret + secret[:8]) if triple_des else AES(secret)
        self.block = self._algorithm.block_size // 8

    def seal(self, plain: bytes) -> bytes:
        """`plain`, which is whole blocks, ciphered.

        Source: ISO/IEC 10116
        """
        running = Cipher(self._algorithm, CBC(bytes(self.block))).encryptor()
        return running.update(plain) + running.finalize()

    def open(self, ciphered: bytes) -> bytes:
        """What `seal` ciphered.

        Source: ISO/IEC 10116
        """
        running = Cipher(self._algorithm, CBC(bytes(self.block))).decryptor()
        return running.update(ciphered) + running.finalize()

    def __repr__(self) -> str:
        return "PacketCipher(***)"


def triple_des_mac(secret: bytes) -> Mac:
    """The check value of SIMs with Triple DES: the last block of CBC, for vectors and old cards.

    Source: ETSI TS 102 225, 5.1.3; ISO/IEC 9797-1
    """
    cipher = PacketCipher(secret, triple_des=True)
    return lambda octets: cipher.seal(octets + bytes(-len(octets) % cipher.block))[-CHECK_LENGTH:]


class Packet(Record, frozen=True, kw_only=True):
    """A command packet apart: `spi` (2 bytes), `kic`, `kid`, `tar` (3 bytes), counter and data.

    Source: ETSI TS 102 225, 5.1
    """

    spi: bytes
    kic: int
    kid: int
    tar: bytes
    counter: int
    data: bytes

    @property
    def checked(self) -> bool:
        """Whether it has a cryptographic checksum.

        Source: ETSI TS 102 225, 5.1.1
        """
        return self.spi[0] & 0x03 == CHECKED


def build_packet(
    packet: Packet, mac: Mac | None = None, cipher: PacketCipher | None = None
) -> bytes:
    """The octets of `packet`, with its length in front, checked and ciphered as its SPI says.

    Raises Malformed where the SPI asks for what was not given.
    Source: ETSI TS 102 225, 5.1
    """
    if packet.checked != (mac is not None) or _ciphered(packet.spi) != (cipher is not None):
        raise Malformed("the packet is protected in another way than its header says")
    check_length = CHECK_LENGTH if mac else 0
    inside = _WITHIN + check_length + len(packet.data)
    padding = -inside % cipher.block if cipher else 0
    head_length = _FIXED - 1 + _WITHIN + check_length
    head = bytes((head_length,)) + packet.spi + bytes((packet.kic, packet.kid)) + packet.tar
    within = packet.counter.to_bytes(COUNTER_LENGTH, "big") + bytes((padding,))
    length = (_FIXED + inside + padding).to_bytes(2, "big")
    data = packet.data + bytes(padding)
    check = mac(length + head + within + data)[:CHECK_LENGTH] if mac else b""
    body = within + check + data
    return length + head + (cipher.seal(body) if cipher else body)


def claimed(octets: bytes) -> tuple[bytes, bytes]:
    """SPI and TAR as the packet states them, before anything is verified.

    Raises Malformed if it is no packet.
    Source: ETSI TS 102 225, 5.1
    """
    _whole(octets)
    return octets[3:5], octets[7:10]


def open_packet(
    octets: bytes, mac: Mac | None = None, cipher: PacketCipher | None = None
) -> Packet:
    """The packet in `octets`, its check value verified.

    The caller decides by key and profile what protection there must be and passes `mac` and
    `cipher` for it; a packet that claims another protection is refused. Its counter is the caller's
    to compare. Raises Malformed for the form, NotAuthentic for a wrong check value.
    Source: ETSI TS 102 225, 5.1
    """
    _whole(octets)
    spi = octets[3:5]
    if (spi[0] & 0x03 == CHECKED) != (mac is not None) or _ciphered(spi) != (cipher is not None):
        raise NotAuthentic("the packet is not protected as it must be")
    body = octets[2 + _FIXED :]
    if cipher:
        if len(body) % cipher.block:
            raise NotAuthentic("the packet does not verify")
        body = cipher.open(body)
    check_length = CHECK_LENGTH if mac else 0
    padding = body[COUNTER_LENGTH] if len(body) > COUNTER_LENGTH else 0
    data = body[_WITHIN + check_length :]
    if octets[2] != _FIXED - 1 + _WITHIN + check_length or len(body) < _WITHIN + check_length:
        raise NotAuthentic("the packet does not verify")
    if mac:
        expected = mac(octets[: 2 + _FIXED] + body[:_WITHIN] + data)[:CHECK_LENGTH]
        if not equal(expected, body[_WITHIN : _WITHIN + check_length]):
            raise NotAuthentic("the packet does not verify")
    if padding > len(data):
        raise NotAuthentic("the packet does not verify")
    return Packet(
        spi=spi,
        kic=octets[5],
        kid=octets[6],
        tar=octets[7:10],
        counter=int.from_bytes(body[:COUNTER_LENGTH], "big"),
        data=data[: len(data) - padding],
    )


class Answer(Record, frozen=True, kw_only=True):
    """What a SIM says to a packet: `status` (0 is done), its counter and data.

    Source: ETSI TS 102 225, 5.2
    """

    tar: bytes
    counter: int
    status: int
    data: bytes


def open_answer(
    octets: bytes, mac: Mac | None = None, cipher: PacketCipher | None = None
) -> Answer:
    """The response packet in `octets` with its user data header in front, its check value verified.

    Raises Malformed for the form, NotAuthentic for a wrong check value.
    Source: ETSI TS 102 225, 5.2; 3GPP TS 31.115, 4.3
    """
    packet = octets.removeprefix(ANSWER_HEADER)
    if len(packet) < 13 or int.from_bytes(packet[:2], "big") != len(packet) - 2:
        raise Malformed("this is no response packet")
    body = packet[6:]
    if cipher:
        if len(body) % cipher.block:
            raise NotAuthentic("the response does not verify")
        body = cipher.open(body)
    # an unciphered response may have room for a check value that stands empty
    check_length = packet[2] - 10
    if check_length != CHECK_LENGTH and (mac or check_length):
        raise NotAuthentic("the response is not protected as it must be")
    data = body[_WITHIN + 1 + check_length :]
    if mac:
        expected = mac(ANSWER_HEADER + packet[:6] + body[: _WITHIN + 1] + data)[:CHECK_LENGTH]
        if not equal(expected, body[_WITHIN + 1 : _WITHIN + 1 + check_length]):
            raise NotAuthentic("the response does not verify")
    padding = body[COUNTER_LENGTH]
    return Answer(
        tar=packet[3:6],
        counter=int.from_bytes(body[:COUNTER_LENGTH], "big"),
        status=body[_WITHIN],
        data=data[: len(data) - padding],
    )


def _whole(octets: bytes) -> None:
    if len(octets) < 2 + _FIXED + _WITHIN or int.from_bytes(octets[:2], "big") != len(octets) - 2:
        raise Malformed("this is no secured packet")


def _ciphered(spi: bytes) -> bool:
    return bool(spi[0] & CIPHERED)
