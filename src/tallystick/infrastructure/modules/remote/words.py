"""What goes between a caller and the module's process: frames, services, arguments and answers.

A frame is four octets of length and a MessagePack list of calls or of answers, in the same order.
A call is the name of a service and its arguments, packed for themselves; an answer is a code, empty
if all went well, and the result or the refusal. Arguments are decoded by the signatures of the
module itself, so that the two ends cannot differ.

Source: ISO/TS 12812-2:2017, 8.2.1; 11.2.3
"""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

from tallystick.infrastructure.modules.hardening import Hardening
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.modules.soft_blocks import SoftKeyBlocks
from tallystick.infrastructure.modules.soft_chips import SoftChips
from tallystick.infrastructure.modules.soft_data import SoftData
from tallystick.infrastructure.modules.soft_issuing import SoftIssuing
from tallystick.infrastructure.modules.soft_pins import SoftPins
from tallystick.infrastructure.modules.standing import State
from tallystick.infrastructure.modules.states import KeyStates
from tallystick.kernel.codec import Unpacker, pack
from tallystick.kernel.errors import Malformed, MfsError, TooLarge, error_by_code
from tallystick.kernel.model import Record

LENGTH: Final = 4
MAX_FRAME: Final = 2 << 20
MAX_CALLS: Final = 256
VERSION: Final = 2

Calls = list[tuple[str, bytes]]
Answers = list[tuple[str, bytes]]


class Greeting(Record, frozen=True, kw_only=True):
    """The first frame on a connection: which module this is, and what this door is for.

    `instance` is new at every start; who sees another one knows that the keys are gone.
    `may_control` says that self-tests and zeroising may be asked for here.
    Source: ISO/IEC 19790
    """

    version: int
    instance: str
    door: str
    may_control: bool


class ModuleStatus(Record, frozen=True, kw_only=True):
    """What the process says about itself, in every state.

    `calls` and `refused` count calls since the start, `turned_away` those who were not let in.
    `starts` counts the processes that there were, and `last_end` says how the last one ended.
    Source: ISO/IEC 19790
    """

    instance: str
    process: int
    state: State
    refusal: str
    proved: tuple[str, ...]
    hardening: Hardening
    calls: int
    refused: int
    turned_away: int
    starts: int = 1
    last_end: str = ""


class Refusal(Record, frozen=True, kw_only=True):
    """An error of the module on its way to the caller.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    detail: str
    remedy: str
    because: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `part` of the module that has it (empty for the module itself), and its shape.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """

    part: str
    name: str
    signature: inspect.Signature
    arguments: Unpacker[tuple[Any, ...]]
    keywords: tuple[str, ...]
    result: Unpacker[Any]

    @property
    def called(self) -> str:
        """The name in a call.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        return f"{self.part}.{self.name}" if self.part else self.name

    def ordered(self, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
        """All arguments in the order of the signature, with the defaults filled in.

        Raises TypeError as a direct call would.
        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        bound = self.signature.bind(*given, **named)
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def run(self, owner: object, arguments: tuple[Any, ...]) -> Any:
        """What the service of `owner` gives for `arguments` in the order of the signature.

        Source: ISO/TS 12812-2:2017, 8.2.1
        """
        if not self.keywords:
            return getattr(owner, self.name)(*arguments)
        split = len(arguments) - len(self.keywords)
        named = dict(zip(self.keywords, arguments[split:], strict=True))
        return getattr(owner, self.name)(*arguments[:split], **named)


def _service(part: str, name: str, function: Callable[..., Any]) -> Service:
    hints = typing.get_type_hints(function)
    every = list(inspect.signature(function).parameters.values())[1:]
    types = tuple(hints[one.name] for one in every)
    shape: Any = tuple
    return Service(
        part=part,
        name=name,
        signature=inspect.Signature(every),
        arguments=Unpacker[tuple[Any, ...]](shape[types]),
        keywords=tuple(one.name for one in every if one.kind is one.KEYWORD_ONLY),
        result=Unpacker[Any](hints["return"]),
    )


def _services_of(part: str, owner: type) -> list[Service]:
    return [
        _service(part, name, function)
        for name, function in vars(owner).items()
        if inspect.isfunction(function) and not name.startswith("_")
    ]


class Inviting(Protocol):
    """What a door of control asks of the process itself, beside what it asks of the module.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    def let_in(self, door: str, process: int) -> None:
        """Let a process in at a door by invitation, also at the processes that come after this.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...

    def shut_out(self, door: str, process: int) -> None:
        """Let a process in no more; what it has open stays open while it lives.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        ...


STATUS: Final = Service(
    part="",
    name="status",
    signature=inspect.Signature(),
    arguments=Unpacker[tuple[Any, ...]](tuple[()]),
    keywords=(),
    result=Unpacker[Any](ModuleStatus),
)

SERVICES: Final[Mapping[str, Service]] = MappingProxyType(
    {
        one.called: one
        for one in (
            STATUS,
            *_services_of("", CryptoModule),
            *_services_of("doors", Inviting),
            *_services_of("states", KeyStates),
            *_services_of("key_blocks", SoftKeyBlocks),
            *_services_of("pins", SoftPins),
            *_services_of("chips", SoftChips),
            *_services_of("data", SoftData),
            *_services_of("issuing", SoftIssuing),
        )
    }
)
"""Every service by its name in a call."""

CONTROL: Final = frozenset(
    {"self_test", "zeroise", "states.put", "states.recall", "doors.let_in", "doors.shut_out"}
)
"""What only who controls the module may ask for."""

_calls = Unpacker[Calls](Calls)
_answers = Unpacker[Answers](Answers)
_greeting = Unpacker[Greeting](Greeting)
_refusal = Unpacker[Refusal](Refusal)


def handle_in(one: object) -> KeyHandle | None:
    """The handle that an argument or a result is, or has as its `handle`; None if there is none.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    handle: object = one if isinstance(one, KeyHandle) else getattr(one, "handle", None)
    return handle if isinstance(handle, KeyHandle) else None


def frame(content: object) -> bytes:
    """One frame with `content`; raises TooLarge for what the other end would not take.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """
    octets = pack(content)
    if len(octets) > MAX_FRAME:
        raise TooLarge(f"a call of the module has at most {MAX_FRAME} bytes")
    return len(octets).to_bytes(LENGTH, "big") + octets


def length_of(head: bytes | bytearray) -> int:
    """How many octets follow the first four; raises Malformed for more than a frame may have.

    Source: ISO/TS 12812-2:2017, 8.2.1
    """
    length = int.from_bytes(head[:LENGTH], "big")
    if not 0 < length <= MAX_FRAME:
        raise Malformed("a frame of the module has another length")
    return length


def read_calls(octets: bytes) -> Calls:
    """The calls in a frame; raises Malformed for anything else, or too many.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    found = _calls.unpack(octets)
    if len(found) > MAX_CALLS:
        raise Malformed(f"a frame has at most {MAX_CALLS} calls")
    return found


def read_answers(octets: bytes) -> Answers:
    """The answers in a frame; raises Malformed for anything else.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    return _answers.unpack(octets)


def read_greeting(octets: bytes) -> Greeting:
    """The first frame of a connection; raises Malformed for anything else.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """
    return _greeting.unpack(octets)


def refused(error: MfsError) -> tuple[str, bytes]:
    """The answer that carries `error`.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    told = Refusal(detail=error.detail, remedy=error.remedy, because=error.because)
    return error.code, pack(told)


def error_in(code: str, octets: bytes) -> MfsError:
    """The error that an answer carries.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    told = _refusal.unpack(octets)
    return error_by_code(code)(told.detail, remedy=told.remedy, because=told.because)
