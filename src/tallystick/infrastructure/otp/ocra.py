"""OCRA: a code out of a challenge and, as the suite says, counter, PIN, session and time.

    OCRA-1:HOTP-SHA512-8:C-QN08-PSHA1-S064-T1M
           function            what goes in

Source: RFC 6287
"""

import re
from dataclasses import dataclass

from tallystick.infrastructure.crypto.digest import legacy_digest
from tallystick.infrastructure.otp.hotp import MOST_DIGITS, Mac, truncated
from tallystick.kernel.errors import Malformed
from tallystick.kernel.secret import Secret

_SUITE = re.compile(
    r"^OCRA-1:HOTP-(?P<hash>SHA1|SHA256|SHA512)-(?P<digits>[4-9]|10):"
    r"(?P<counter>C-)?Q(?P<form>[ANH])(?P<length>0[4-9]|[1-5][0-9]|6[0-4])"
    r"(?:-P(?P<pin>SHA1|SHA256|SHA512))?(?:-S(?P<session>[0-9]{3}))?"
    r"(?:-T(?P<step>[1-9][0-9]?)(?P<unit>[SMH]))?$"
)
_UNIT_S = {"S": 1, "M": 60, "H": 3600}
_FORMS = {"A": r"^[\x21-\x7e]+$", "N": r"^[0-9]+$", "H": r"^[0-9A-Fa-f]+$"}
_QUESTION_BYTES = 128


@dataclass(frozen=True, slots=True)
class OcraSuite:
    """What a suite says: `step_s` is 0 without a time, `session_bytes` without a session.

    `hashed` is SHA1, SHA256 or SHA512, `pin` as well, or empty.
    Source: RFC 6287, 6
    """

    text: str
    hashed: str
    digits: int
    counted: bool
    form: str
    longest: int
    pin: str
    session_bytes: int
    step_s: int

    @classmethod
    def read(cls, text: str) -> "OcraSuite":
        """The suite that `text` names.

        Raises Malformed for any other text and for codes of fewer than six digits.
        Source: RFC 6287, 6
        """
        found = _SUITE.fullmatch(text)
        if found is None:
            raise Malformed("this is no OCRA suite", remedy="as in OCRA-1:HOTP-SHA256-8:QN08")
        digits = int(found["digits"])
        if not 6 <= digits <= MOST_DIGITS:
            raise Malformed("a code has six digits at least")
        step = int(found["step"] or 0) * _UNIT_S[found["unit"] or "S"]
        return cls(
            text=text,
            hashed=found["hash"],
            digits=digits,
            counted=found["counter"] is not None,
            form=found["form"],
            longest=int(found["length"]),
            pin=found["pin"] or "",
            session_bytes=int(found["session"] or 0),
            step_s=step,
        )


@dataclass(frozen=True, slots=True)
class OcraInput:
    """What goes into one code, as far as the suite asks for it; `session` in octets.

    Source: RFC 6287, 5.1
    """

    question: str
    counter: int = 0
    pin: Secret[str] | None = None
    session: bytes = b""
    step: int = 0


def ocra_code(mac: Mac, suite: OcraSuite, given: OcraInput) -> str:
    """The code of `given` under `suite`.

    Raises Malformed for a challenge of another form, a missing PIN and a session that is too long.
    Source: RFC 6287, 5.1; 5.2
    """
    message = suite.text.encode() + b"\x00"
    if suite.counted:
        message += given.counter.to_bytes(8, "big")
    message += _question(suite, given.question)
    if suite.pin:
        if given.pin is None:
            raise Malformed("the suite asks for a PIN")
        message += legacy_digest(suite.pin, given.pin.reveal().encode())
    if suite.session_bytes:
        if len(given.session) > suite.session_bytes:
            raise Malformed("the session is longer than the suite says")
        message += given.session.rjust(suite.session_bytes, b"\x00")
    if suite.step_s:
        message += given.step.to_bytes(8, "big")
    return truncated(mac(message), suite.digits)


def _question(suite: OcraSuite, question: str) -> bytes:
    """The challenge in 128 octets: hexadecimal digits from the left, zeros behind."""
    # Two challenges of a mutual authentication stand one after the other.
    if not 4 <= len(question) <= 2 * suite.longest or not re.fullmatch(
        _FORMS[suite.form], question
    ):
        raise Malformed("the challenge does not have the form that the suite says")
    if suite.form == "A":
        octets = question.encode()
    else:
        digits = f"{int(question):X}" if suite.form == "N" else question
        octets = bytes.fromhex(digits + "0" * (len(digits) % 2))
    return octets.ljust(_QUESTION_BYTES, b"\x00")
