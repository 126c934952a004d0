"""Cases of asking an app store: at enrolment, on demand, and while it is silent.

A device that does not say that it asks one is not tried further.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.3.5; 7.4.1; RFC 9334, 10
"""

from typing import Any, Final

from tallystick.application.devices.store import kept_attestation
from tallystick.entry.conforming.bench import Bench, Case, demand
from tallystick.infrastructure.store.opening import open_reader
from tallystick.process.attestation.model import read_appraisals

VOUCHES: Final = "play-integrity"


def _offered(bench: Bench) -> bool:
    """Whether the device says that it asks a store; one that does not is not tried further."""
    bench.start()
    return VOUCHES in bench.offers


def _judged(bench: Bench, device: str) -> list[str]:
    """The rules that the verdict of `device` broke; `none` where nothing was handed in."""
    with open_reader(bench.stage.folder.stored()) as reader:
        kept = kept_attestation(reader, device)
    demand(kept is not None, "the provider does not know this device")
    octets = b"" if kept is None else kept[1]
    if not octets.startswith(b"["):
        return ["none"]
    return [reason.rule for one in read_appraisals(octets) for reason in one.verdict.reasons]


def _enrolled(bench: Bench) -> str:
    said = bench.enrol()
    demand(said.ok is not None, f"it cannot enrol: {said.said}")
    members: dict[str, Any] = said.ok or {}
    return str(members.get("device", ""))


def _at_enrolment(bench: Bench) -> None:
    if not _offered(bench):
        return
    broken = _judged(bench, _enrolled(bench))
    demand("none" not in broken, "it enrolled without what the store said")
    demand(not broken, "the hash that it asked the store with is another")


def _on_demand(bench: Bench) -> None:
    if not _offered(bench):
        return
    device, store = _enrolled(bench), bench.stage.store
    before = len(store.hashes)
    bench.done("prove")
    demand(len(store.hashes) > before, "it did not ask the store again")
    demand(not _judged(bench, device), "the hash that it asked the store with is another")
    bench.done("prove")
    demand(len(set(store.hashes[before:])) == 2, "two proofs answered the same")


def _silent(bench: Bench) -> None:
    if not _offered(bench):
        return
    bench.stage.store.silent = True
    try:
        demand(_judged(bench, _enrolled(bench)) == ["none"], "it made a verdict up")
    finally:
        bench.stage.store.silent = False


VOUCHING: Final = (
    Case("store-verdict", "7.4.1", "a verdict of the store comes with the keys", _at_enrolment),
    Case("store-verdict-on-demand", "7.3.5", "and again when it is asked for", _on_demand),
    Case("store-silent", "7.2.6", "without one the device enrols all the same", _silent),
)
"""Cases for devices that say that they ask a store."""
