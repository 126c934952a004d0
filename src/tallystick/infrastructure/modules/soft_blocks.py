"""Key blocks at the software module: keys come in and go out under a partner's wrapping key.

Source: ISO/TS 12812-2:2017, 7.4.2; X9.143; ISO 20038
"""

from collections.abc import Mapping

from tallystick.infrastructure.card import dukpt_aes, dukpt_tdea
from tallystick.infrastructure.keyblocks.header import BlockFields
from tallystick.infrastructure.keyblocks.optional import OptionalBlock
from tallystick.infrastructure.keyblocks.rules import check_export, check_use
from tallystick.infrastructure.keyblocks.wrapping import LEGACY
from tallystick.infrastructure.modules.card_gate import CardGate
from tallystick.infrastructure.modules.card_interface import (
    CARD_USES,
    PURPOSE_OF_USAGE,
    CardMaterial,
    CardOperation,
    ImportedKey,
    algorithm_of,
    mechanism_of,
)
from tallystick.infrastructure.modules.components import Components
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.kernel.errors import Malformed, NotPermitted

_OTHERS = LEGACY | {"E"}
_OLD_KEY = "tdea-key-imported"
_FILL = 30
PROFILE_BLOCK = "10"
"""The optional block that names the profile of its maker."""
_PROFILE = "profile"
"""Letters and digits alone, as other services take blocks: the name of the profile follows."""


class SoftKeyBlocks:
    """Writes version D and, where the rules say so, B; reads D, and others by rule.

    What is written is marked with the profile of its maker, and what is marked with another one is
    not read: a test key does not become one of production on a detour over a partner.

    Source: X9.143; ISO/TS 12812-2:2017, 7.4.2
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: CardGate) -> None:
        self._gate = gate

    def import_key(
        self,
        wrapping: KeyHandle,
        block: str,
        purposes: Mapping[str, Purpose] = PURPOSE_OF_USAGE,
        *,
        wraps: bool = False,
    ) -> ImportedKey:
        """The key in `block` as a handle of the purpose that `purposes` has for its usage.

        A key that protects key blocks itself comes in only with `wraps`.

        The reasons name what an event should say: an old version, an old algorithm. Raises
        NotAuthentic for a block that does not verify, NotPermitted for a usage, mode or algorithm
        that is not served, a version that is not admitted, or a key stronger than `wrapping`.
        Source: X9.143; ISO/TS 12812-2:2017, 7.4.2
        """
        outer = self._gate.find(wrapping, CardOperation.UNWRAP_KEY)
        version = block[:1]
        if version in _OTHERS:
            self._admit_other(version)
        elif version == "D":
            self._gate.admit("keyblock-d")
        fields, octets = outer.wrapping().open(block, LEGACY)
        check_use(fields)
        self._check_mark(fields)
        purpose = purposes.get(fields.usage)
        if purpose is None or (purpose is Purpose.KEY_WRAP and not wraps):
            raise NotPermitted(f"the module has no use for a key of usage {fields.usage}")
        if fields.mode not in CARD_USES[purpose].modes:
            raise NotPermitted(f"the mode {fields.mode} is not served for usage {fields.usage}")
        found = CardMaterial(
            mode=fields.mode,
            exportability=fields.exportability,
            ident=_ident(purpose, fields),
            octets=octets,
        )
        mechanism = mechanism_of(fields.algorithm, len(octets))
        handle = self._gate.take(purpose, mechanism, found)
        reasons = [f"key-block-version-{version.lower()}"] if version in _OTHERS else []
        if fields.algorithm == "T":
            reasons.append(_OLD_KEY)
        return ImportedKey(handle=handle, reasons=tuple(reasons))

    def export_key(
        self,
        wrapping: KeyHandle,
        handle: KeyHandle,
        *,
        optional: tuple[OptionalBlock, ...] = (),
        exportability: str = "N",
        mode: str = "",
        version_number: str = "00",
    ) -> str:
        """The key of `handle` in a block under `wrapping`: version D, or B where it is TDEA.

        What the receiver may do with it further is `exportability`, and for what it may be used is
        `mode` (the key's own where it is empty): neither is ever more than the key has.
        Version B takes the rule that lets it be written. Raises NotPermitted for a key that is not
        exportable, or stronger than `wrapping`.
        Source: X9.143; ISO/TS 12812-2:2017, 7.4.2
        """
        outer = self._gate.find(wrapping, CardOperation.WRAP_KEY)
        version = "B" if not outer.is_aes and self._gate.rules.writes_version_b else "D"
        self._gate.admit(f"keyblock-{version.lower()}")
        inner = self._gate.held(handle)
        check_export(inner.exportability)
        if exportability == "E" and inner.exportability != "E":
            raise NotPermitted("the key would become more exportable than it is")
        purpose = inner.handle.purpose
        if purpose is Purpose.DUKPT_INITIAL:
            name = "IK" if inner.is_aes else "KS"
            optional = (OptionalBlock(name=name, text=inner.ident.hex().upper()), *optional)
        mark = OptionalBlock(name=PROFILE_BLOCK, text=_PROFILE + self._gate.profile)
        optional = (*(one for one in optional if one.name != PROFILE_BLOCK), mark)
        fields = BlockFields(
            version=version,
            usage=CARD_USES[purpose].usage,
            algorithm=algorithm_of(inner.handle.mechanism),
            mode=inner.mode_for(mode),
            version_number=version_number,
            exportability=exportability,
            optional=optional,
        )
        return outer.wrapping().seal(fields, inner.reveal_to_wrapping(), self._gate.draw(_FILL))

    def begin_components(self, mechanism: str, custodians: int) -> Components:
        """Begin the entry of a wrapping key out of components of so many `custodians`.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        return Components(self._gate, mechanism, custodians)

    def _admit_other(self, version: str) -> None:
        """Pass if the rules name this version by its mechanism; approval alone is not enough."""
        name = f"keyblock-{version.lower()}"
        if name not in self._gate.rules.admitted:
            raise NotPermitted(
                f"key blocks of version {version} are not read",
                remedy="ask for version D, or let the policy name the version while keys move",
                because="key-block-version",
            )
        self._gate.admit(name)

    def _check_mark(self, fields: BlockFields) -> None:
        text = fields.text_of(PROFILE_BLOCK) or ""
        if text.startswith(_PROFILE) and text != _PROFILE + self._gate.profile:
            raise NotPermitted(
                f"a key made for {text.removeprefix(_PROFILE)[:20]} does not serve here",
                because="key-profile",
                remedy="have a key made under this profile",
            )

    def derive_initial(self, base: KeyHandle, terminal: bytes) -> KeyHandle:
        """The initial key of a terminal: 8 bytes of id for AES, a serial number of 10 for TDEA.

        Source: ANSI X9.24-3, 6.3.1; ANSI X9.24-1, A.6
        """
        source = self._gate.find(base, CardOperation.DERIVE_INITIAL)
        octets = source.reveal_to_wrapping()
        if source.is_aes:
            self._gate.admit("dukpt-aes")
            made, ident = dukpt_aes.initial_key(octets, terminal), terminal
        else:
            self._gate.admit("dukpt-tdea")
            made, ident = dukpt_tdea.initial_key(octets, terminal), dukpt_tdea.terminal_of(terminal)
        found = CardMaterial(mode="X", exportability="E", ident=ident, octets=made)
        return self._gate.take(Purpose.DUKPT_INITIAL, source.handle.mechanism, found)

    def check_value(self, handle: KeyHandle) -> bytes:
        """Three bytes that tell whether a partner has the same key.

        Source: X9.143; ANSI X9.24-3, A
        """
        return self._gate.held(handle).cipher().check_value()


def _ident(purpose: Purpose, fields: BlockFields) -> bytes:
    if purpose is not Purpose.DUKPT_INITIAL:
        return b""
    text = fields.text_of("IK" if fields.algorithm == "A" else "KS")
    if text is None:
        raise Malformed("the block of an initial key does not name its terminal")
    octets = bytes.fromhex(text)
    return octets if fields.algorithm == "A" else dukpt_tdea.terminal_of(octets)
