"""Which node may read which field, and what a probe hands over as evidence."""

import pytest

from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import Malformed
from tallystick.kernel.evidence import Evidence, Probe, Verdict
from tallystick.kernel.flow import Flow, Node
from tallystick.kernel.time import Instant, SimulatedClock

PAY = Flow(
    name="payment order",
    source=Node.DEVICE,
    destination=Node.WRITER,
    via=(Node.TLS_TERMINATOR, Node.FRONT),
    end_to_end=False,
    reads={Node.FRONT: ("order", "amount"), Node.WRITER: ("*",)},
)


@pytest.mark.parametrize(
    ("node", "field", "allowed"),
    [
        (Node.FRONT, "amount", True),
        (Node.FRONT, "pin", False),
        (Node.WRITER, "pin", True),
        (Node.TLS_TERMINATOR, "order", False),
        (Node.WITNESS, "order", False),
        (Node.FRONT, "*", False),
    ],
)
def test_a_node_reads_what_is_declared_for_it(node: Node, field: str, allowed: bool) -> None:
    assert PAY.may_read(node, field) is allowed


def test_a_flow_comes_back_from_its_canonical_form() -> None:
    assert Decoder(Flow).decode_canonical(encode_canonical(PAY)) == PAY


def test_a_flow_to_an_unknown_node_is_refused() -> None:
    text = encode_canonical(PAY).replace(b'"destination":"writer"', b'"destination":"cloud"')
    with pytest.raises(Malformed):
        Decoder(Flow).decode(text)


class Counting:
    """A probe that counts its own looks."""

    name = "counting"
    requirements = ("MFS-7.3.3-03",)

    def __init__(self) -> None:
        self.looks = 0

    def observe(self, now: Instant) -> Evidence:
        self.looks += 1
        return Evidence(
            probe=self.name,
            requirements=self.requirements,
            verdict=Verdict.PASS if self.looks == 1 else Verdict.UNKNOWN,
            observed_at=now,
            summary=f"{self.looks} looks",
            measured={"looks": self.looks},
        )


def test_a_probe_observes_at_the_time_handed_in() -> None:
    clock, probe = SimulatedClock(7), Counting()
    typed: Probe = probe
    first = typed.observe(clock.now())
    clock.advance(5)
    second = typed.observe(clock.now())
    assert (first.verdict, first.observed_at) == (Verdict.PASS, 7)
    assert (second.verdict, second.observed_at) == (Verdict.UNKNOWN, 12)
    assert Decoder(Evidence).decode_canonical(encode_canonical(second)) == second
