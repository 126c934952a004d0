"""Probes of what messages may carry: each field has a class, and what is not needed is refused.

Source: ISO/TS 12812-2:2017, 7.3.4; 7.3.5; 14.2.1
"""

import typing
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final

from tallystick.entry.http.operations import SCHEMAS
from tallystick.entry.proving.looking import (
    Declared,
    Seen,
    all_attempted,
    attempted,
    declare,
    judged,
    part,
)
from tallystick.kernel.classification import AUTHENTICATION, Classification
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Wire
from tallystick.kernel.time import Instant
from tallystick.process.conformance.checks import CheckKind
from tallystick.process.conformance.registry import Registry
from tallystick.protocol.enrolment import DeviceDescription
from tallystick.protocol.operators import OpenCustomer
from tallystick.protocol.payments import PaymentRequest, QuoteRequest

_DESCRIPTION: Final[Mapping[str, object]] = {
    "platform": "probe", "model": "probe", "app_version": "1", "protection": "software",
}  # fmt: skip
_CUSTOMER: Final[Mapping[str, object]] = {
    "name": "Probe", "msisdn": "+25400000000", "kind": "person", "tier": 1,
}  # fmt: skip
_QUOTE: Final[Mapping[str, object]] = {
    "kind": "p2p", "payee": "+25400000000", "amount_minor": 1, "currency": "KES", "original": "",
}  # fmt: skip
_EXTRA: Final[tuple[tuple[type[Wire], Mapping[str, object], str, object], ...]] = (
    (DeviceDescription, _DESCRIPTION, "imei", "490154203237518"),
    (DeviceDescription, _DESCRIPTION, "imsi", "639020000000000"),
    (DeviceDescription, _DESCRIPTION, "contacts", ["+25400000001"]),
    (OpenCustomer, _CUSTOMER, "religion", "none"),
    (OpenCustomer, _CUSTOMER, "pin", "0000"),
    (QuoteRequest, _QUOTE, "location", "0,0"),
    (QuoteRequest, _QUOTE, "pan", "4000000000000002"),
    (QuoteRequest, _QUOTE, "cvv", "123"),
)

_DECLARED: Final[tuple[Declared, ...]] = (
    ("fields.classified", CheckKind.STATIC, (part("MFS-7.3.4-01"),),
     "each field of each message says how sensitive it is"),
    ("fields.refused", CheckKind.NEGATIVE,
     (part("MFS-14.2.1-01"), "MFS-7.3.5-03", part("MFS-11.2.3-03")),
     "numbers of hardware, of cards and what no operation needs are refused in messages"),
    ("fields.unanswered", CheckKind.STATIC, ("MFS-7.4.1-05",),
     "no reply to an operator or a device has a code, a PIN or another secret in it"),
)  # fmt: skip
"""What each probe is called, how it looks, which rows it bears on, and what holds if it passes."""

_TOLD: Final = ("ActReply", "CustomerOpened", "OperatorEnrolled", "EnrolmentAccepted",
                "AccountReply", "PaymentReply", "ReceiptReply", "QuoteReply")  # fmt: skip


class FieldProbes:
    """Looks at the messages that operations take and give.

    Source: ISO/TS 12812-2:2017, 7.3.4; 14.2.1
    """

    def __init__(self, schemas: Mapping[str, type[Wire]] = SCHEMAS) -> None:
        self._schemas = schemas

    def register(self, registry: Registry) -> None:
        """Add every probe.

        Source: ISO/TS 12812-2:2017, 9.1
        """
        looks = {
            "fields.classified": self.classified,
            "fields.refused": self.refused,
            "fields.unanswered": self.unanswered,
        }
        declare(registry, _DECLARED, looks)

    def classified(self, now: Instant) -> Seen:
        """Whether each field of each message, at any depth, has exactly one class.

        Source: ISO/TS 12812-2:2017, 7.3.4
        """
        found = list(_messages(self._schemas.values()))
        fields = [(cls, name, marks) for cls in found for name, marks in _fields(cls)]
        bare = [f"{cls.__name__}.{name}" for cls, name, marks in fields if len(marks) != 1]
        return judged(
            bool(fields) and not bare,
            f"{len(fields)} fields of {len(found)} messages, each with its class",
            f"without a class: {', '.join(bare[:3]) or 'there are no messages'}",
            messages=len(found),
            fields=len(fields),
            bare=len(bare),
        )

    def refused(self, now: Instant) -> Seen:
        """Puts fields into messages that nothing needs, and has them read as the service does.

        Source: ISO/TS 12812-2:2017, 14.2.1; 7.3.5
        """
        seen: dict[str, Seen] = {}
        for cls, usual, name, value in _EXTRA:
            decoder = Decoder(cls)
            decoder.decode(encode(dict(usual)))
            octets = encode({**usual, name: value})
            seen[f"{cls.__name__}.{name}"] = attempted(partial(decoder.decode, octets), Malformed)
        order = Decoder(PaymentRequest)
        seen["PaymentRequest.cvv"] = attempted(
            partial(order.decode, encode({"consent": "", "proof": "", "cvv": "123"})), Malformed
        )
        return all_attempted(seen)

    def unanswered(self, now: Instant) -> Seen:
        """Whether a reply could carry what authenticates somebody.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        replies = [one for name, one in self._schemas.items() if name in _TOLD]
        secret = [
            f"{cls.__name__}.{name}"
            for cls in _messages(replies)
            for name, marks in _fields(cls)
            if AUTHENTICATION in marks
        ]
        return judged(
            bool(replies) and not secret,
            f"{len(replies)} replies, none with a secret",
            f"with a secret: {', '.join(secret[:3]) or 'there are no replies'}",
            replies=len(replies),
            secrets=len(secret),
        )


def _messages(roots: Iterable[type[Wire]]) -> Iterator[type[Wire]]:
    """`roots` and every message inside of them, each once."""
    seen: dict[type[Wire], None] = dict.fromkeys(roots)
    waiting = list(seen)
    while waiting:
        cls = waiting.pop()
        yield cls
        for hint in _hints(cls).values():
            for inner in _inside(hint):
                if inner not in seen:
                    seen[inner] = None
                    waiting.append(inner)


def _inside(hint: object) -> Iterator[type[Wire]]:
    if isinstance(hint, type) and issubclass(hint, Wire):
        yield hint
    for inner in typing.get_args(hint):
        yield from _inside(inner)


def _fields(cls: type[Wire]) -> Iterator[tuple[str, tuple[Classification, ...]]]:
    for name, hint in _hints(cls).items():
        metadata: tuple[object, ...] = getattr(hint, "__metadata__", ())
        yield name, tuple(mark for mark in metadata if isinstance(mark, Classification))


def _hints(cls: type[Wire]) -> dict[str, object]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {name: hints[name] for name in cls.__struct_fields__}
