"""The header of a key block: what the wrapped key is for, in clear and under the MAC.

Source: X9.143, 6; TR-31; ISO 20038
"""

from typing import Final

from tallystick.infrastructure.keyblocks.optional import (
    MOST_BLOCKS,
    OptionalBlock,
    read_blocks,
    write_blocks,
)
from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.model import Record

MOST_CHARACTERS: Final = 9_999
FIXED: Final = 16
VERSIONS: Final = "ABCDE"
_UPPER: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DECIMAL: Final = frozenset("0123456789")
_WIDTH: Final = {"A": 8, "B": 8, "C": 8, "D": 16, "E": 1}


class BlockFields(Record, frozen=True, kw_only=True):
    """The fields of a header, as single letters and pairs of the standard.

    `usage` such as `P0`, `algorithm` such as `A`, `mode` such as `E`, `version_number` of the key,
    `exportability` one of `E`, `N`, `S`.
    Source: X9.143, 6
    """

    version: str
    usage: str
    algorithm: str
    mode: str
    version_number: str = "00"
    exportability: str = "N"
    optional: tuple[OptionalBlock, ...] = ()

    def text_of(self, name: str) -> str | None:
        """The text of the optional block called `name`; None if there is none.

        Source: X9.143, 7
        """
        return next((one.text for one in self.optional if one.name == name), None)


def width_of(version: str) -> int:
    """The block length in characters that a header of `version` is a multiple of.

    Raises Malformed for a version that does not exist.
    Source: X9.143, 6
    """
    width = _WIDTH.get(version)
    if width is None:
        raise Malformed("a key block has one of the versions A to E")
    return width


def read_header(block: str) -> tuple[BlockFields, int]:
    """The fields of the header of `block` and where it ends; nothing is authenticated.

    Raises Malformed for another form, a wrong length, or characters outside of it, and TooLarge.
    Source: X9.143, 6
    """
    if len(block) > MOST_CHARACTERS:
        raise TooLarge("a key block has at most 9999 characters")
    if len(block) < FIXED or not block.isascii():
        raise Malformed("the header of a key block has 16 characters")
    width = width_of(block[0])
    if _decimal(block[1:5]) != len(block):
        raise Malformed("the key block has another length than its header says")
    if block[14:16] != "00":
        raise Malformed("the reserved field of a key block is 00")
    optional, end = read_blocks(block[FIXED:], _decimal(block[12:14]))
    if end % width:
        raise Malformed("optional blocks are not a multiple of the block length")
    fields = BlockFields(
        version=block[0],
        usage=block[5:7],
        algorithm=block[7],
        mode=block[8],
        version_number=block[9:11],
        exportability=block[11],
        optional=optional,
    )
    _check(fields)
    return fields, FIXED + end


def write_header(fields: BlockFields, body: int) -> str:
    """The header of a block whose key and MAC take `body` characters.

    Raises Malformed for fields of another form, TooLarge for a block that gets too long.
    Source: X9.143, 6
    """
    _check(fields)
    text, count = write_blocks(fields.optional, width_of(fields.version))
    length = FIXED + len(text) + body
    if length > MOST_CHARACTERS or count > MOST_BLOCKS:
        raise TooLarge("a key block has at most 9999 characters")
    return (
        f"{fields.version}{length:04d}{fields.usage}{fields.algorithm}{fields.mode}"
        f"{fields.version_number}{fields.exportability}{count:02d}00{text}"
    )


def _check(fields: BlockFields) -> None:
    usage = fields.usage
    good = (
        len(usage) == 2
        and (usage[0] in _UPPER or usage[0] in _DECIMAL)
        and (usage[1] in _UPPER or usage[1] in _DECIMAL)
        and len(fields.algorithm) == 1
        and fields.algorithm in _UPPER
        and len(fields.mode) == 1
        and fields.mode in _UPPER
        and len(fields.version_number) == 2
        and (fields.version_number.isascii() and fields.version_number.isalnum())
        and fields.exportability in {"E", "N", "S"}
    )
    if not good:
        raise Malformed("a field of the key block's header does not have its form")


def _decimal(text: str) -> int:
    if not _DECIMAL.issuperset(text):
        raise Malformed("a length of the key block is not decimal")
    return int(text)
