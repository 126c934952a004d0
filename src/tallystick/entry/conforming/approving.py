"""Cases of an order that somebody else begins: its warnings are shown, and acknowledged or refused.

A device that does not say that it approves is not tried further.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.3.6; 11.2.2
"""

from typing import Final

from tallystick.entry.conforming.bench import AMOUNT_MINOR, Bench, Case, demand, sent_to

APPROVE: Final = "/v1/approvals/approve"
_SEEN: Final = ("remote-tool", "urgency")


def _asked(bench: Bench) -> tuple[str, str] | None:
    """A request to an enrolled device and its number; None for a device that approves nothing."""
    bench.start()
    if not bench.approves:
        return None
    bench.enrolled()
    bench.done("open")
    return bench.stage.begun(bench.activation, AMOUNT_MINOR)


def _warned(bench: Bench) -> None:
    """The person sees what is known of the payee and what the phone notices, and says yes."""
    asked = _asked(bench)
    if asked is None:
        return
    before = bench.stage.arrived_minor()
    approval, number = asked
    said = bench.done("approve", approval=approval, number=number, seen=_SEEN, agrees=True)
    demand(said.get("shown") == ["new-payee", *_SEEN], f"it showed {said.get('shown')}")
    demand(said.get("stage") == "approved", f"the request is {said.get('stage')}")
    arrived = bench.stage.arrived_minor() - before
    demand(arrived == AMOUNT_MINOR, f"{arrived} minor units arrived, not {AMOUNT_MINOR}")


def _unacknowledged(bench: Bench) -> None:
    """The person does not say yes to the warnings: nothing is signed and nothing is sent."""
    asked = _asked(bench)
    if asked is None:
        return
    approval, number = asked
    members = {"approval": approval, "number": number, "seen": _SEEN, "agrees": False}
    with bench.relay.playing() as passed:
        bench.refused("a warning without a yes", "approve", "not-permitted", **members)
    demand(not sent_to(passed, APPROVE), "the device approved, though nobody said yes")


APPROVING: tuple[Case, ...] = (
    Case("request-warned", "7.3.6", "shows what it warns of, and says so in the consent", _warned),
    Case(
        "request-unacknowledged",
        "7.3.6",
        "approves nothing without a yes to its warnings",
        _unacknowledged,
    ),
)
"""In the order in which they are run."""
