"""The caller's side of the module's process: the interface of every module, over a socket.

Calls from several threads go over connections of their own. When the process is lost, everything
that a call under way did is lost with it; where another process has taken its place, the call goes
there once. What this side said of keys is said again before anything else, and keys whose blocks
this side has are loaded again where a call needs them. Keys of memory only are gone.
A process that does not answer in time may be at it still: that call is not sent again.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; 8.2.3
"""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, cast

from tallystick.infrastructure.modules.interface import Capabilities, KeyHandle, Purpose
from tallystick.infrastructure.modules.remote.link import Link, Lost, away
from tallystick.infrastructure.modules.remote.parts import RemotePart, RemoteStates
from tallystick.infrastructure.modules.remote.words import (
    MAX_CALLS,
    SERVICES,
    STATUS,
    Answers,
    Inviting,
    ModuleStatus,
    Service,
    error_in,
    frame,
    handle_in,
)
from tallystick.infrastructure.modules.soft_blocks import SoftKeyBlocks
from tallystick.infrastructure.modules.soft_chips import SoftChips
from tallystick.infrastructure.modules.soft_data import SoftData
from tallystick.infrastructure.modules.soft_issuing import SoftIssuing
from tallystick.infrastructure.modules.soft_pins import SoftPins
from tallystick.kernel.codec import pack
from tallystick.kernel.errors import MfsError, NotFound, Unavailable

PATIENCE_S: Final = 10.0
_MOST_IDLE: Final = 8
_TRIES: Final = 3

_RANDOM, _GENERATE = SERVICES["random"], SERVICES["generate"]
_EXPORT, _IMPORT = SERVICES["export_block"], SERVICES["import_block"]
_PUBLIC, _DESTROY = SERVICES["public_octets"], SERVICES["destroy"]
_SIGN, _MAC, _VERIFY_MAC = SERVICES["sign"], SERVICES["mac"], SERVICES["verify_mac"]
_SEAL, _OPEN = SERVICES["seal"], SERVICES["open"]
_KEM_OPEN, _KEM_ADMIT = SERVICES["kem_open"], SERVICES["kem_admit"]
_ZEROISE, _HANDLES = SERVICES["zeroise"], SERVICES["handles"]
_CAPABILITIES, _SELF_TEST = SERVICES["capabilities"], SERVICES["self_test"]

Asked = tuple[str, tuple[Any, ...]]
"""A service's name and its arguments in the order of the signature."""


class _Kept(NamedTuple):
    """A block of a key: in which process it was loaded last, and the how manieth load that was."""

    instance: str
    block: bytes
    load: int


class RemoteModule:
    """A module in another process, at the socket file `path`.

    Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3
    """

    def __init__(self, path: str, *, patience_s: float = PATIENCE_S) -> None:
        """Connect when the first call comes; an answer is waited for `patience_s` seconds.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        self._path = path
        self._patience_s = patience_s
        self._idle: deque[Link] = deque()
        self._blocks: dict[str, _Kept] = {}
        self._loads = 0
        self._left = False
        self._told = ""
        self.states = RemoteStates(self._ask)
        self.doors = cast("Inviting", RemotePart("doors", self._ask))
        self.key_blocks = cast("SoftKeyBlocks", RemotePart("key_blocks", self._ask))
        self.pins = cast("SoftPins", RemotePart("pins", self._ask))
        self.chips = cast("SoftChips", RemotePart("chips", self._ask))
        self.data = cast("SoftData", RemotePart("data", self._ask))
        self.issuing = cast("SoftIssuing", RemotePart("issuing", self._ask))

    def random(self, length: int) -> bytes:
        """`length` random bytes of the module's own source.

        Source: ISO/IEC 18031
        """
        found: bytes = self._ask(_RANDOM, (length,))
        return found

    def generate(self, purpose: Purpose, *, mechanism: str = "") -> KeyHandle:
        """A fresh key made inside; its wrapped block is remembered on this side.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        handle: KeyHandle = self._ask(_GENERATE, (purpose, mechanism))
        if not handle.exportable:
            return handle
        try:
            self.export_block(handle)
        except NotFound:  # lost with its process before its block was here
            handle = self._ask(_GENERATE, (purpose, mechanism))
            self.export_block(handle)
        return handle

    def export_block(self, handle: KeyHandle) -> bytes:
        """The key of `handle`, wrapped with its purpose.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        block: bytes = self._ask(_EXPORT, (handle,), keep=handle.id)
        return block

    def import_block(self, block: bytes) -> KeyHandle:
        """The key in a block that this provider's modules made.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 20038
        """
        handle: KeyHandle = self._ask(_IMPORT, (block,), block=block)
        return handle

    def public_octets(self, handle: KeyHandle) -> bytes:
        """The public half of a signing or KEM key.

        Source: ISO/TS 12812-2:2017, 3.5
        """
        found: bytes = self._ask(_PUBLIC, (handle,))
        return found

    def sign(self, handle: KeyHandle, message: bytes) -> bytes:
        """The signature over `message`.

        Source: ISO/IEC 14888-3
        """
        found: bytes = self._ask(_SIGN, (handle, message))
        return found

    def mac(self, handle: KeyHandle, message: bytes) -> bytes:
        """The MAC of `message`.

        Source: ISO/IEC 9797-2
        """
        found: bytes = self._ask(_MAC, (handle, message))
        return found

    def verify_mac(self, handle: KeyHandle, message: bytes, tag: bytes) -> None:
        """Return only if `tag` is the MAC of `message`; raises NotAuthentic otherwise.

        Source: ISO/IEC 9797-2
        """
        self._ask(_VERIFY_MAC, (handle, message, tag))

    def seal(self, handle: KeyHandle, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` encrypted and authenticated with `aad` under a nonce used once.

        Source: ISO/IEC 19772
        """
        found: bytes = self._ask(_SEAL, (handle, nonce, plaintext, aad))
        return found

    def open(self, handle: KeyHandle, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext; raises NotAuthentic if anything was changed.

        Source: ISO/IEC 19772
        """
        found: bytes = self._ask(_OPEN, (handle, nonce, sealed, aad))
        return found

    def kem_open(self, handle: KeyHandle, sealed: bytes, *, info: bytes) -> bytes:
        """The plaintext of a message sealed to the public half; raises NotAuthentic otherwise.

        Source: RFC 9180, 6.1
        """
        found: bytes = self._ask(_KEM_OPEN, (handle, sealed, info))
        return found

    def kem_admit(self, handle: KeyHandle, sealed: bytes, mechanism: str) -> KeyHandle:
        """The OTP seed that was sealed to the public half, as a key inside.

        Source: RFC 9180, 6.1; RFC 4226, 4
        """
        found: KeyHandle = self._ask(_KEM_ADMIT, (handle, sealed, mechanism))
        return found

    def destroy(self, handle: KeyHandle) -> None:
        """Forget the key, there and on this side.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._ask(_DESTROY, (handle,))
        self._blocks.pop(handle.id, None)

    def zeroise(self) -> None:
        """End service: of the module where this side controls it, otherwise of this side alone.

        Source: ISO/TS 12812-2:2017, 8.2.1; ISO/IEC 19790
        """
        self._blocks.clear()
        with suppress(Unavailable):  # a process that is gone has no keys either
            if self._may_control():
                self._ask(_ZEROISE, ())
                return
        self._left = True
        self._drop_idle()

    def handles(self) -> tuple[KeyHandle, ...]:
        """The keys that are loaded and that this side may use.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        found: tuple[KeyHandle, ...] = self._ask(_HANDLES, ())
        return found

    def capabilities(self) -> Capabilities:
        """What the module is and is not.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        found: Capabilities = self._ask(_CAPABILITIES, ())
        return found

    def self_test(self) -> tuple[str, ...]:
        """Run every known answer there; the mechanisms that passed.

        Source: ISO/TS 12812-2:2017, 8.2.3; ISO/IEC 19790
        """
        found: tuple[str, ...] = self._ask(_SELF_TEST, ())
        return found

    def status(self) -> ModuleStatus:
        """What the process says about itself, whatever its state.

        Source: ISO/IEC 19790
        """
        found: ModuleStatus = self._ask(STATUS, ())
        return found

    def together(self, calls: Sequence[Asked]) -> list[Any]:
        """The results of up to 256 calls that go and come back in one frame each.

        A refusal stands in the place of its result and is not raised.
        Raises Unavailable as every call does.
        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        asked = [(SERVICES[name], arguments) for name, arguments in calls[:MAX_CALLS]]
        answers, _ = self._answers(asked)
        return [
            error_in(code, octets) if code else one.result.unpack(octets)
            for (one, _), (code, octets) in zip(asked, answers, strict=True)
        ]

    def close(self) -> None:
        """End the connections; the next call opens new ones.

        Source: unix(7)
        """
        self._drop_idle()

    def _ask(
        self, service: Service, arguments: tuple[Any, ...], *, keep: str = "", block: bytes = b""
    ) -> Any:
        """The result of a call. `keep` is the key whose block it gives, `block` what it loads."""
        ((code, octets),), instance = self._answers([(service, arguments)])
        if code:
            raise error_in(code, octets)
        result = service.result.unpack(octets)
        if keep or block:
            self._loads += 1
            kept = _Kept(instance, block or result, self._loads)
            self._blocks[keep or result.id] = kept
        return result

    def _answers(self, asked: Sequence[tuple[Service, tuple[Any, ...]]]) -> tuple[Answers, str]:
        """The answers, and the instance that gave them; keys that it misses are loaded first."""
        calls = [(service.called, pack(arguments)) for service, arguments in asked]
        begun = self._loads
        answers, instance = self._exchange(calls)
        missing = [number for number, (code, _) in enumerate(answers) if code == NotFound.code]
        loaded = [self._load_again(asked[number][1], instance, begun) for number in missing]
        if any(loaded):
            found, instance = self._exchange([calls[number] for number in missing])
            for number, answer in zip(missing, found, strict=True):
                answers[number] = answer
        return answers, instance

    def _exchange(self, calls: list[tuple[str, bytes]]) -> tuple[Answers, str]:
        """The answers, and the instance that gave them; a link that was dead before is replaced."""
        if self._left:
            raise Unavailable("the module was zeroised", remedy="unlock it again")
        asked, count, lost = frame(calls), len(calls), ""
        for _ in range(_MOST_IDLE + _TRIES):
            link = self._linked()
            instance = link.greeting.instance
            if instance == lost:  # it lives, and what it did with the call is not known
                link.close()
                break
            try:
                answers = link.exchange(asked, count)
            except Lost:
                if lost:
                    break
                lost = instance
                self._drop_idle()
                continue
            if answers is not None:
                self._keep(link)
                return answers, instance
        raise away()

    def _linked(self) -> Link:
        """A connection, to a process that was told what this side said to the one before it."""
        try:
            return self._idle.pop()
        except IndexError:
            link = Link(self._path, self._patience_s)
        instance = link.greeting.instance
        if instance != self._told:
            self._tell_again(link)
            self._told = instance
        return link

    def _tell_again(self, link: Link) -> None:
        said = [(service.called, pack(given)) for service, given in self.states.said()]
        for start in range(0, len(said), MAX_CALLS):
            part = said[start : start + MAX_CALLS]
            try:
                answers = link.exchange(frame(part), len(part))
            except Lost as error:
                raise away() from error
            if answers is None:
                raise away()

    def _keep(self, link: Link) -> None:
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(link)
        else:
            link.close()

    def _drop_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _may_control(self) -> bool:
        link = self._linked()
        self._keep(link)
        return link.greeting.may_control

    def _load_again(self, arguments: tuple[Any, ...], instance: str, begun: int) -> bool:
        """Whether a key that the call names was lost with an older process and is there again.

        Another thread may have loaded it since this call had `begun`.
        """
        loaded = False
        for one in arguments:
            handle = handle_in(one)
            kept = None if handle is None else self._blocks.get(handle.id)
            if handle is not None and kept is not None:
                if kept.instance != instance:
                    with suppress(MfsError):  # the call itself says what is wrong
                        self._ask(_IMPORT, (kept.block,), block=kept.block)
                        self.states.count_again(handle.id)
                        loaded = True
                loaded |= kept.load > begun
        return loaded

    def __repr__(self) -> str:
        return f"RemoteModule({self._path})"
