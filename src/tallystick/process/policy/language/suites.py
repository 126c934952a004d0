"""What a policy says of mechanisms: suites of sessions, and where two signatures count.

Two signatures are Ed25519 or ECDSA, and ML-DSA-65, of which both must verify. Clients that know one
only go on until a stated moment; nothing goes on without one.

Source: ISO/TS 12812-2:2017, 3.22; 7.3.2; 7.4.2; C; FIPS 203; FIPS 204
"""

import re
from datetime import datetime
from typing import Final

from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.kernel.model import Record
from tallystick.process.yamltext.section import Section

SUITES: Final = tuple(suite.value for suite in KemSuite)
CLASSICAL: Final = "classical"
DUAL: Final = "dual"
_WORDS: Final = (CLASSICAL, DUAL)
_SIGNED: Final = ("checkpoints", "key_list", "officers")
_INSTANT: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_HYBRID: Final = KemSuite.MLKEM768_X25519.value


class HandshakeRule(Record, frozen=True, kw_only=True):
    """The key establishment suites that devices may use, and the one to prefer.

    From `classical_until` (ms; 0 is never) on only hybrid suites are left.
    Source: ISO/TS 12812-2:2017, 3.22; 7.3.2; C
    """

    suites: tuple[str, ...]
    preferred: str
    classical_until: int = 0

    def at(self, now: int) -> tuple[str, ...]:
        """The suites that a device may use at `now` (ms), the preferred one first.

        Source: ISO/TS 12812-2:2017, 3.22
        """
        over = 0 < self.classical_until <= now
        left = [one for one in self.suites if one == _HYBRID or not over]
        return tuple(sorted(left, key=lambda name: name != self.preferred))


class SignatureRule(Record, frozen=True, kw_only=True):
    """By what the log, the key list and the officers sign: `classical`, `dual`, or empty: unsaid.

    Until `classical_until` (ms) the key list is served with one signature beside the one with two,
    to clients that know no other.
    Source: ISO/TS 12812-2:2017, 7.4.2; C; FIPS 204
    """

    checkpoints: str = ""
    key_list: str = ""
    officers: str = ""
    classical_until: int = 0
    because: str = ""

    def serves_classical(self, now: int) -> bool:
        """Whether a list with one signature is served at `now` (ms).

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        return self.key_list != DUAL or now < self.classical_until


def read_handshake(root: Section) -> HandshakeRule:
    """The section `handshake`.

    Source: ISO/TS 12812-2:2017, 3.22; 7.3.2
    """
    section = root.section("handshake", ("suites", "preferred", "classical_until"))
    suites = section.choices("suites", SUITES)
    preferred = section.choice("preferred", suites or SUITES)
    until = 0
    if "classical_until" in section:
        until = read_instant(section, "classical_until")
        if _HYBRID not in suites or preferred != _HYBRID:
            at = section.position("classical_until")
            section.defects.add(at, f"classical_until goes with {_HYBRID}, preferred: what is left")
    return HandshakeRule(suites=suites, preferred=preferred, classical_until=until)


def read_signatures(root: Section) -> SignatureRule:
    """The section `signatures`; one that says nothing where there is none.

    Source: ISO/TS 12812-2:2017, 7.4.2; FIPS 204
    """
    if "signatures" not in root:
        return SignatureRule()
    section = root.section("signatures", (*_SIGNED, "classical_until", "because"))
    said = {name: section.choice(name, _WORDS) for name in _SIGNED}
    until, dual = 0, said["key_list"] == DUAL
    if dual != ("classical_until" in section):
        section.defects.add(
            section.at,
            "key_list: dual takes classical_until, and nothing else does: when clients end that"
            " know one signature only",
        )
    elif dual:
        until = read_instant(section, "classical_until")
    if dual and said["checkpoints"] != DUAL:
        section.defects.add(
            section.at, "whoever takes two signatures under the list takes them of the log too"
        )
    return SignatureRule(**said, classical_until=until, because=section.text("because"))


def read_instant(section: Section, word: str) -> int:
    """The instant (ms) under `word`; 0 with a defect for what is none.

    Source: RFC 3339
    """
    text = section.text(word)
    try:
        if _INSTANT.match(text):
            return int(datetime.fromisoformat(text).timestamp()) * 1000
    except ValueError:
        pass
    if text:
        at = section.position(word)
        section.defects.add(at, f"{word} is a UTC instant such as 2026-01-01T00:00:00Z")
    return 0
