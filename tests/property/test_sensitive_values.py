"""No way of showing, storing or copying an object tells a PIN, a code, a track or a key in it.

Every type that holds one is tried with every way that Python, the codec and the libraries for logs
and screens have. What a way does not refuse must not show the value, in any of its spellings.
"""

import base64
import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import reprlib
import traceback
import typing
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.pretty import pretty_repr
from tests.architecture.test_classification import hints, marks, structs

from tallystick.infrastructure.card.dukpt_aes import InitialKey
from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.crypto.ff1 import Ff1
from tallystick.infrastructure.keyblocks.wrapping import Wrapping
from tallystick.infrastructure.modules.card_interface import CardMaterial
from tallystick.infrastructure.modules.card_keys import CardKey
from tallystick.infrastructure.modules.interface import KeyHandle, Purpose
from tallystick.infrastructure.modules.soft_pins import PinBlock
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.kernel.classification import AUTHENTICATION
from tallystick.kernel.model import Wire
from tallystick.kernel.secret import Secret, SecretBuffer
from tallystick.protocol.authentication import GivePin

pytestmark = [pytest.mark.requirement("MFS-7.3.4-02"), pytest.mark.requirement("MFS-7.3.4-06")]

PIN = "739158264013"
OCTETS = b"s3cret-octets-16"
HANDLE = KeyHandle(
    id="key_1", purpose=Purpose.PIN_ENCRYPTION, mechanism="aes-128", exportable=False, created_at=0
)
MATERIAL = {"mode": "B", "exportability": "N", "ident": b"", "octets": OCTETS}

HOLDERS: dict[str, Callable[[], Any]] = {
    "ClearPin": lambda: ClearPin(PIN),
    "Secret[str]": lambda: Secret(PIN),
    "Secret[bytes]": lambda: Secret(OCTETS),
    "SecretBuffer": lambda: SecretBuffer(OCTETS),
    "SealedPin": lambda: SealedPin(OCTETS),
    "PinBlock": lambda: PinBlock(handle=HANDLE, form=PinFormat.ISO_4, block=OCTETS),
    "CardMaterial": lambda: CardMaterial(**MATERIAL),
    "CardKey": lambda: CardKey(HANDLE, CardMaterial(**MATERIAL).pack()),
    "Aes": lambda: Aes(OCTETS),
    "Tdea": lambda: Tdea(OCTETS),
    "Ff1": lambda: Ff1(Aes(OCTETS)),
    "Wrapping": lambda: Wrapping(OCTETS, is_aes=True),
    "InitialKey": lambda: InitialKey(OCTETS, bytes(8)),
}
"""One of every type that holds a PIN, a block of one or a key of cards."""


def messages() -> Iterator[type[Wire]]:
    """Every struct with a field of sensitive authentication data."""
    for one in structs(Wire, "tallystick.protocol"):
        if any(AUTHENTICATION in marks(hint) for hint in hints(one).values()):
            yield typing.cast("type[Wire]", one)


MESSAGES = {one.__name__: one for one in messages()}


def message(of: type[Wire], told: str = PIN) -> Wire:
    """A message of this type, the same text in each field that is sensitive."""
    given = {
        name: told if AUTHENTICATION in marks(hint) else "x" for name, hint in hints(of).items()
    }
    return of(**given)


def fail(*held: Any) -> None:
    raise ValueError(*held)


def logged(one: Any) -> str:
    stream = io.StringIO()
    logger, handler = logging.getLogger("tried"), logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.error("it was %s, %r and %s", one, one, {"held": [one]}, extra={"held": one})
    try:
        fail(one)
    except ValueError:
        logger.exception("with %s", one)
    logger.removeHandler(handler)
    return stream.getvalue()


def raised(one: Any) -> str:
    try:
        fail(one, [one])
    except ValueError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format()) + repr(error) + str(error) + repr(error.args)


def on_screen(one: Any) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=200)
    console.print(one)
    return stream.getvalue() + pretty_repr(one) + pretty_repr({"held": [one]})


@dataclasses.dataclass
class Around:
    """A dataclass that holds something."""

    held: Any


SHOWN: dict[str, Callable[[Any], Any]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": lambda one: f"{one}{one!r}{one!s}{one!a}",
    "percent": lambda one: "%s %r" % (one, one),  # noqa: UP031 - the way itself is tried
    "format with a specification": lambda one: format(one, ">40"),
    "in containers": lambda one: repr(([one], {"held": one}, Around(one))),
    "pprint": pprint.pformat,
    "reprlib": reprlib.repr,
    "log": logged,
    "exception": raised,
    "screen": on_screen,
    "JSON with str": lambda one: json.dumps([one], default=str),
    "JSON with repr": lambda one: json.dumps({"held": one}, default=repr),
}
"""Ways to show an object: none may tell what is in it."""

GIVEN_AWAY: dict[str, Callable[[Any], Any]] = {
    "pickle": pickle.dumps,
    "pickle 2": lambda one: pickle.dumps(one, protocol=2),
    "pickle in a list": lambda one: pickle.dumps([{"held": one}]),
    "deep copy": copy.deepcopy,
    "deep copy in a dataclass": lambda one: dataclasses.asdict(Around([one])),
    "state": lambda one: one.__getstate__(),
    "reduce": lambda one: one.__reduce_ex__(4),
    "JSON": lambda one: json.dumps({"held": one}),
    "vars": vars,
    "JSON with vars": lambda one: json.dumps(one, default=vars),
    "msgspec JSON": lambda one: msgspec.json.encode({"held": one}),
    "msgspec msgpack": lambda one: msgspec.msgpack.encode([one]),
    "msgspec plain": msgspec.to_builtins,
    "bytes": bytes,
    "joined": lambda one: " ".join([*[one] * 2]),
    "listed": list,
}
"""Ways to have the value of an object out of it: each is refused, or gives nothing of it."""


def spellings(secret: str | bytes) -> list[str]:
    octets = secret.encode() if isinstance(secret, str) else secret
    text = octets.decode("ascii")
    encoded = base64.b64encode(octets).decode("ascii").rstrip("=")
    return [text, encoded, octets.hex(), octets.hex().upper(), str(list(octets))[1:-1]]


def tells(found: Any) -> bool:
    """Whether the value stands in what came out, as text or octets."""
    if isinstance(found, bytes | bytearray):
        said = f"{bytes(found)!r} {bytes(found).hex()}"
    else:
        said = f"{found!r} {found}"
    return any(one in said for secret in (PIN, OCTETS) for one in spellings(secret))


def telling(ways: dict[str, Callable[[Any], Any]], one: Any) -> list[str]:
    """The ways by which the value in `one` came out; a way that is refused is none."""
    found: list[str] = []
    for name, way in ways.items():
        try:
            came = way(one)
        except (TypeError, AttributeError, ValueError):
            continue
        if tells(came):
            found.append(name)
    return found


@pytest.mark.parametrize("holder", HOLDERS)
def test_no_way_of_showing_a_holder_tells_what_is_in_it(holder: str) -> None:
    one = HOLDERS[holder]()
    assert not telling(SHOWN, one)


@pytest.mark.parametrize("holder", HOLDERS)
def test_no_way_of_copying_or_encoding_a_holder_gives_it_away(holder: str) -> None:
    """A PIN block is enciphered and goes to the process of the module, packed, as it is."""
    found = telling(GIVEN_AWAY | {"copy": copy.copy}, HOLDERS[holder]())
    packed = [way for way in found if way.startswith("msgspec")]
    assert found == (packed if holder == "PinBlock" else [])


@pytest.mark.parametrize("name", MESSAGES)
def test_no_way_of_showing_a_message_tells_what_is_sensitive_in_it(name: str) -> None:
    one = message(MESSAGES[name])
    assert not telling(SHOWN, one)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_with_sensitive_data_is_neither_pickled_nor_copied_deeply(name: str) -> None:
    one = message(MESSAGES[name])
    for way in (pickle.dumps, copy.deepcopy, lambda held: dataclasses.asdict(Around(held))):
        with pytest.raises(TypeError, match="not pickled or copied"):
            way(one)


def test_messages_of_every_sort_are_tried() -> None:
    """PINs, one-time codes, blocks of PINs, values and tracks of cards."""
    assert {
        "GivePin", "ChangePin", "GiveCode", "EnrolOperator", "TranslatePinData", "PinBlockAnswer",
        "VerifyPinData", "GeneratedPin", "VerifyCardData", "CardDataAnswer",
    } <= set(MESSAGES)  # fmt: skip
    assert any("track" in name for one in MESSAGES.values() for name in hints(one))


def test_holders_are_not_hashed_and_compare_in_constant_time_or_not_at_all() -> None:
    for holder in ("ClearPin", "Secret[str]", "Secret[bytes]", "SealedPin"):
        with pytest.raises(TypeError):
            hash(HOLDERS[holder]())
    for holder in ("ClearPin", "SealedPin"):
        with pytest.raises(TypeError):
            assert HOLDERS[holder]() == HOLDERS[holder]()
    assert Secret(PIN) == Secret(PIN)
    assert Secret(PIN) != PIN


@settings(max_examples=60, deadline=None)
@given(digits=st.text("0123456789", min_size=6, max_size=12), way=st.sampled_from(sorted(SHOWN)))
def test_whatever_the_pin_is_it_is_not_shown(digits: str, way: str) -> None:
    held = ClearPin(digits), Secret(digits), GivePin(pin=digits)
    for one in held:
        try:
            found = SHOWN[way](one)
        except TypeError:
            continue
        assert digits not in f"{found}"


class Loose(msgspec.Struct):
    """What somebody may write who does not know."""

    pin: str


def test_a_way_that_tells_would_be_noticed() -> None:
    assert {"repr", "log", "exception", "screen", "pprint"} <= set(telling(SHOWN, Loose(PIN)))
    away = {"pickle", "msgspec JSON", "deep copy in a dataclass"}
    assert away <= set(telling(GIVEN_AWAY, Loose(PIN)))
