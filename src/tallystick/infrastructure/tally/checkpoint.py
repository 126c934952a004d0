"""Signed notes: how a checkpoint is signed by the log and countersigned by witnesses.

A note is a text, an empty line, and a line per signature: `— name base64(key id || signature)`.
The key id is the first four bytes of SHA-256(name || LF || kind || public key). Signatures by keys
that the reader does not know are passed over, never trusted. A log with a dual key signs two lines,
one of Ed25519 that every reader knows and one of ML-DSA-65; who has the dual key takes no note that
lacks either.

Source: C2SP signed-note; C2SP tlog-checkpoint; C2SP tlog-cosignature; ISO/TS 12812-2:2017, 7.3.3
"""

import base64
import re
from collections.abc import Callable
from enum import IntEnum

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dual import CLASSICAL_SIGNATURE, DualVerifyKey
from tallystick.infrastructure.crypto.signature import (
    Ed25519VerifyKey,
    SigningKey,
    VerifyKey,
)
from tallystick.kernel.errors import Malformed, NotAuthentic
from tallystick.kernel.model import Record
from tallystick.protocol.receipt import check_origin, decode_base64

Sign = Callable[[bytes], bytes]
"""Ed25519 signature of a message, as a module handle gives it."""

MAX_NOTE_CHARACTERS = 16_385
MAX_SIGNATURES = 32

_DASH = "\u2014 "
_UNASSIGNED = 0xFF
_LATTICE = b"tallystick/ml-dsa-65\n"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOT_SIGNED = "the checkpoint does not carry a valid signature of the expected key"


class NoteKeyKind(IntEnum):
    """What a key of a signed note signs: the text itself, or a cosigned message with the time.

    Source: C2SP signed-note; C2SP tlog-cosignature
    """

    ED25519 = 1
    COSIGNATURE_V1 = 4


class NoteSignature(Record, frozen=True, kw_only=True):
    """One signature line: the signer's name, its four-byte key id, and the signature's bytes.

    Source: C2SP signed-note
    """

    name: str
    key_id: bytes
    octets: bytes


class Note(Record, frozen=True, kw_only=True):
    """A note taken apart: the signed text (with its last line feed) and the signatures.

    Source: C2SP signed-note
    """

    text: str
    signatures: tuple[NoteSignature, ...]


class NoteKey:
    """A public key with the name it signs under.

    Source: C2SP signed-note
    """

    __slots__ = ("beside", "beside_id", "key_id", "kind", "name", "public")

    def __init__(
        self, name: str, public: VerifyKey, kind: NoteKeyKind = NoteKeyKind.ED25519
    ) -> None:
        """Bind the Ed25519 or dual key `public` to `name` and `kind`.

        Raises Malformed for a name that a note cannot carry, or a key of another algorithm.
        Source: C2SP signed-note
        """
        self.beside = public if isinstance(public, DualVerifyKey) else None
        found = public if self.beside is None else self.beside.classical
        if found.algorithm != "EdDSA":
            raise Malformed("notes are signed with Ed25519")
        self.name = check_origin(name)
        self.public = found
        self.kind = kind
        self.key_id = note_key_id(name, kind, found.octets())
        self.beside_id = b"" if self.beside is None else _beside_id(name, self.beside)

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """The key in `name+id+base64`; of a key with two halves both, with a comma between.

        Raises Malformed when the form, the kind or the id is wrong.
        Source: C2SP signed-note
        """
        name, _, rest = text.partition("+")
        stated, _, encoded = rest.partition("+")
        encoded, comma, second = encoded.partition(",")
        octets = decode_base64(encoded, length=33)
        if comma:
            return cls._parse_both(text, octets[1:], second)
        if octets[0] not in tuple(NoteKeyKind):
            raise Malformed("a note key is Ed25519 or cosignature/v1")
        found = cls(name, Ed25519VerifyKey(octets[1:]), NoteKeyKind(octets[0]))
        if found.key_id.hex() != stated:
            raise Malformed("the note key's id does not fit its name and bytes")
        return found

    @classmethod
    def _parse_both(cls, text: str, first: bytes, second: str) -> "NoteKey":
        octets = decode_base64(second.split("+", 2)[-1])
        lattice = octets.removeprefix(bytes([_UNASSIGNED]) + _LATTICE)
        found = cls(text.partition("+")[0], DualVerifyKey(first + lattice))
        if str(found) != text:
            raise Malformed("the note key's ids do not fit its name and bytes")
        return found

    def __str__(self) -> str:
        whole = _vkey(self.name, self.key_id, bytes([self.kind]) + self.public.octets())
        if self.beside is None:
            return whole
        octets = bytes([_UNASSIGNED]) + _LATTICE + self.beside.lattice_octets()
        return f"{whole},{_vkey(self.name, self.beside_id, octets)}"


def _vkey(name: str, key_id: bytes, octets: bytes) -> str:
    return f"{name}+{key_id.hex()}+{base64.b64encode(octets).decode()}"


class NoteSigner:
    """Signs notes under a name through a callable, so that the private key may stay in a module.

    Source: C2SP signed-note; ISO/TS 12812-2:2017, 8.2.1
    """

    __slots__ = ("_sign", "key")

    def __init__(self, key: NoteKey, sign: Sign) -> None:
        """Sign as `key` by `sign`.

        Source: C2SP signed-note
        """
        self.key = key
        self._sign = sign

    @classmethod
    def of(
        cls, name: str, signing: SigningKey, kind: NoteKeyKind = NoteKeyKind.ED25519
    ) -> "NoteSigner":
        """A signer with a software key.

        Source: C2SP signed-note
        """
        return cls(NoteKey(name, signing.public(), kind), signing.sign)

    def line(self, text: str, time_s: int = 0) -> str:
        """The signature line for `text`; a cosigner states `time_s` (seconds) in it.

        Raises Malformed for a time outside 64 bits, or none where the kind states one.
        Source: C2SP signed-note; C2SP tlog-cosignature
        """
        if self.key.kind is NoteKeyKind.COSIGNATURE_V1:
            if not 0 < time_s < 2**63:
                raise Malformed("a cosignature states a time in seconds")
            signature = self._sign(cosigned_message(text, time_s))
            octets = self.key.key_id + time_s.to_bytes(8, "big") + signature
        else:
            signature = self._sign(text.encode())
            octets = self.key.key_id + signature[:CLASSICAL_SIGNATURE]
            if self.key.beside is not None:
                beside = self.key.beside_id + signature[CLASSICAL_SIGNATURE:]
                return self._as_line(octets) + self._as_line(beside)
        return self._as_line(octets)

    def _as_line(self, octets: bytes) -> str:
        return f"{_DASH}{self.key.name} {base64.b64encode(octets).decode()}\n"

    def note(self, text: str) -> str:
        """`text` with this signature, as a note.

        Raises Malformed for a text that a note cannot carry.
        Source: C2SP signed-note
        """
        return f"{_check_text(text)}\n{self.line(text)}"


def note_key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that tell a key from others of the same name.

    Source: C2SP signed-note
    """
    return sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]


def _beside_id(name: str, public: DualVerifyKey) -> bytes:
    """The four bytes that tell the line of ML-DSA-65 from others of the same name."""
    return note_key_id(name, _UNASSIGNED, _LATTICE + public.lattice_octets())


def cosigned_message(text: str, time_s: int) -> bytes:
    """What a witness signs: a fixed line, the time, and the checkpoint's text.

    Source: C2SP tlog-cosignature
    """
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def parse_note(note: str) -> Note:
    """The text and the signatures of `note`.

    Raises Malformed for control characters, a missing empty line, no signature, more than 32, or a
    line of another form.
    Source: C2SP signed-note
    """
    if len(note) > MAX_NOTE_CHARACTERS:
        raise Malformed(f"a note has at most {MAX_NOTE_CHARACTERS} characters")
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or not text or lines.pop() or not 0 < len(lines) <= MAX_SIGNATURES:
        raise Malformed("a signed note is a text, an empty line, and 1 to 32 signature lines")
    return Note(
        text=_check_text(text + "\n"), signatures=tuple(_parse_line(line) for line in lines)
    )


def _parse_line(line: str) -> NoteSignature:
    dash, name, encoded = line[:2], *line[2:].partition(" ")[::2]
    if dash != _DASH:
        raise Malformed("a signature line starts with a dash and a space")
    octets = decode_base64(encoded)
    if len(octets) < 5:
        raise Malformed("a signature line holds a key id and a signature")
    return NoteSignature(name=check_origin(name), key_id=octets[:4], octets=octets[4:])


def _check_text(text: str) -> str:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Malformed("a note's text ends with a line feed and has no control characters")
    return text


def verify_note(note: Note, key: NoteKey) -> int:
    """Accept only if `note` is signed by `key`; gives the stated time in seconds, 0 without one.

    A note with several signatures that claim the key is accepted only if each of them verifies.
    Raises NotAuthentic otherwise.
    Source: C2SP signed-note; C2SP tlog-cosignature
    """
    claimed = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
    if not claimed:
        raise NotAuthentic(_NOT_SIGNED)
    if key.beside is not None:
        _verify_beside(note, key, key.beside)
    return max(_verify_signature(note.text, one.octets, key) for one in claimed)


def _verify_beside(note: Note, key: NoteKey, public: DualVerifyKey) -> None:
    """Accept only if the line of ML-DSA-65 is there too, and verifies each time it is there."""
    lines = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.beside_id)]
    if not lines:
        raise NotAuthentic("the checkpoint lacks the second signature that its key list promises")
    for one in lines:
        public.verify_lattice(one.octets, note.text.encode())


def _verify_signature(text: str, octets: bytes, key: NoteKey) -> int:
    time_s, message, signature = 0, text.encode(), octets
    if key.kind is NoteKeyKind.COSIGNATURE_V1:
        time_s, signature = int.from_bytes(octets[:8], "big"), octets[8:]
        message = cosigned_message(text, time_s)
    if len(signature) != 64:
        raise NotAuthentic(_NOT_SIGNED)
    try:
        key.public.verify(signature, message)
    except NotAuthentic as error:
        raise NotAuthentic(_NOT_SIGNED) from error
    return time_s


def append_signatures(note: str, *lines: str) -> str:
    """`note` with further signature lines, such as those that witnesses returned.

    Raises Malformed when the result is no note.
    Source: C2SP signed-note; C2SP tlog-witness
    """
    longer = note + "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    parse_note(longer)
    return longer
