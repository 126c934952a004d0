"""Holds the declared flows against recorded traffic: no node reads what it may not.

Whoever taps a node hands over the octets that passed there and the fields of the messages that
they carried. A field is exposed where the node may not read it and its value stands in the octets:
as it is, in JSON's escapes, in base64 or in base64url at any of the three alignments.

Source: ISO/TS 12812-2:2017, 3.9; 7.1; 7.2.3; 7.2.7
"""

import base64
import json
from collections.abc import Iterator, Mapping

from tallystick.kernel.errors import NotFound
from tallystick.kernel.evidence import Evidence, Verdict
from tallystick.kernel.flow import Flow, Node
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant

LEAST_CHARACTERS = 6
"""A shorter value may stand in any octets by chance and shows nothing."""

_URL = bytes.maketrans(b"+/", b"-_")


class Exposure(Record, frozen=True, kw_only=True):
    """A field whose value a node could read although it may not; the value itself is not kept.

    Source: ISO/TS 12812-2:2017, 7.1; 7.3.4
    """

    flow: str
    node: Node
    field: str


class FlowProbe:
    """Watches nodes; a probe as `kernel.evidence` describes it.

    Source: ISO/TS 12812-2:2017, 7.1; 9
    """

    name = "flows"
    requirements = ("MFS-7.2.3-01", "MFS-7.2.7-02")

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self._flows = flows
        self._looked = 0
        self._fields = 0
        self._exposed: dict[tuple[str, Node, str], Exposure] = {}

    def saw(
        self, flow: str, node: Node, octets: bytes, fields: Mapping[str, str | int]
    ) -> list[Exposure]:
        """What `octets`, seen at `node`, show of the message's `fields` beyond what is allowed.

        Raises NotFound for a flow that nobody declared.
        Source: ISO/TS 12812-2:2017, 7.1
        """
        declared = self._flows.get(flow)
        if declared is None:
            raise NotFound(f"no flow {flow[:60]!r} is declared", remedy="see protocol/flows.py")
        self._looked += 1
        found: list[Exposure] = []
        for field, value in fields.items():
            text = str(value)
            if len(text) < LEAST_CHARACTERS or declared.may_read(node, field):
                continue
            self._fields += 1
            if any(form in octets for form in _forms(text)):
                exposure = Exposure(flow=flow, node=node, field=field)
                self._exposed[flow, node, field] = exposure
                found.append(exposure)
        return found

    def observe(self, now: Instant) -> Evidence:
        """What was seen until now; unknown if no field that could have been exposed passed.

        Source: ISO/TS 12812-2:2017, 9
        """
        verdict = Verdict.PASS if self._fields else Verdict.UNKNOWN
        summary = "no node read what it may not"
        if self._exposed:
            verdict = Verdict.FAIL
            shown = sorted(
                f"{one.flow}.{one.field} at {one.node}" for one in self._exposed.values()
            )
            summary = "exposed: " + ", ".join(shown)[:400]
        elif not self._fields:
            summary = "nothing passed that could have been exposed"
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=verdict,
            observed_at=now,
            summary=summary,
            measured={
                "messages": self._looked,
                "fields": self._fields,
                "exposed": len(self._exposed),
            },
        )


def _forms(text: str) -> Iterator[bytes]:
    octets = text.encode()
    yield octets
    yield json.dumps(text)[1:-1].encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + octets)
        inner = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4, 4)[(shift + len(octets)) % 3]]
        if len(inner) >= LEAST_CHARACTERS:
            yield inner
            yield inner.translate(_URL)
