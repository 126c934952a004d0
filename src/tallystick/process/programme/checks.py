"""What is odd about a programme that reads well: parts that nothing uses, proofs that ended.

Each is a finding, not an error: the programme can be analysed, but says less than it seems to.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; A
"""

from collections.abc import Iterator
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.catalogue import Service
from tallystick.process.programme.model import Certificate, Programme
from tallystick.process.programme.words import Bearer, Duty, NodeKind, Role
from tallystick.process.yamltext.position import Position

TELEPHONES: Final = frozenset(
    {NodeKind.MOBILE_APP, NodeKind.PERSON_INTERFACE, NodeKind.AGENT_APP, NodeKind.MERCHANT_TERMINAL}
)
"""Kinds of nodes that run on telephones."""

NEAR: Final = frozenset({Bearer.NFC, Bearer.BLUETOOTH, Bearer.CODE})
"""Bearers that reach across a counter."""

_NEEDED: Final = (
    Duty.POLICY_APPROVAL,
    Duty.RISK_ACCEPTANCE,
    Duty.KEY_CUSTODY,
    Duty.INCIDENT,
    Duty.PRIVACY,
    Duty.AUDIT,
)
_WITHOUT_PROOF: Final = frozenset({Role.MFSP, Role.SUPERVISOR, Role.APP_STORE})


class ModelFinding(Record, frozen=True, kw_only=True):
    """One oddity: where it stands, its sort, what it is, and what to do.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    at: Position
    sort: str
    says: str
    remedy: str


def check_programme(programme: Programme, now: int) -> tuple[ModelFinding, ...]:
    """Every oddity of `programme` at `now` (ms), in the order of the text.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    found = [
        *_unused(programme),
        *_unused_devices(programme),
        *_empty(programme),
        *_telephones(programme),
        *_services(programme),
        *_parties(programme, now),
        *_certificates(programme, now),
        *_data(programme),
        *_duties(programme),
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.sort, one.says)))


def _unused(programme: Programme) -> Iterator[ModelFinding]:
    """Assets, zones and nodes that nothing refers to."""
    carried = {asset for flow in programme.flows.values() for asset in flow.carries}
    filled = {node.zone for node in programme.nodes.values()}
    touched = {node for flow in programme.flows.values() for node in flow.nodes()}
    for asset in programme.assets.values():
        if asset.id not in carried and not asset.kept_at:
            yield _finding(
                asset.at,
                "unused-asset",
                f"the asset {asset.id} is carried by no flow and kept nowhere",
                "say which flow carries it or where it is kept, or take it out",
            )
    for zone in programme.zones.values():
        if zone.id not in filled:
            yield _finding(
                zone.at,
                "empty-zone",
                f"no node stands in the zone {zone.id}",
                "put a node there, or take the zone out",
            )
    for node in programme.nodes.values():
        if node.id not in touched:
            yield _finding(
                node.at,
                "lonely-node",
                f"no flow touches the node {node.id}",
                "say what it sends or gets, or take it out",
            )


def _unused_devices(programme: Programme) -> Iterator[ModelFinding]:
    """Device classes and environments that nothing refers to."""
    run = {device for node in programme.nodes.values() for device in node.runs_on}
    carriers = {one.secure_env for one in programme.devices.values()}
    for device in programme.devices.values():
        if device.id not in run:
            yield _finding(
                device.at,
                "unused-device",
                f"nothing runs on the device class {device.id}",
                "name it under runs_on of an app or of the dialler, or take it out",
            )
    for environment in programme.secure_envs.values():
        if environment.id not in carriers:
            yield _finding(
                environment.at,
                "unused-environment",
                f"no device has the environment {environment.id}",
                "name it as secure_env of a device class, or take it out",
            )


def _empty(programme: Programme) -> Iterator[ModelFinding]:
    """Flows that carry nothing, and flows to the outside that nobody protects."""
    for flow in programme.flows.values():
        if not flow.carries:
            yield _finding(
                flow.at,
                "flow-without-asset",
                f"the flow {flow.id} carries nothing of value",
                "name the assets that it carries; without any, no threat is found on it",
            )
        elif flow.end_to_end and flow.protocol == "none":
            yield _finding(
                flow.at,
                "unprotected-end-to-end",
                f"the flow {flow.id} is called end-to-end but has no protocol",
                "name what protects it, or say end_to_end: false and who reads it",
            )


def _telephones(programme: Programme) -> Iterator[ModelFinding]:
    for node in programme.nodes.values():
        if node.kind in TELEPHONES and not node.runs_on:
            yield _finding(
                node.at,
                "app-without-device",
                f"{node.id} runs on no device class",
                "name the classes under runs_on: its keys are as safe as the weakest of them",
            )
        elif node.runs_on and node.kind not in TELEPHONES | {NodeKind.BROWSER}:
            yield _finding(
                node.at,
                "device-under-node",
                f"{node.id} is of kind {node.kind.value} and runs on telephones",
                "take runs_on out, or say another kind",
            )


def _services(programme: Programme) -> Iterator[ModelFinding]:
    """Services that the flows do not show."""
    at = next(iter(programme.flows.values())).at if programme.flows else None
    bearers = {flow.bearer for flow in programme.flows.values()}
    if at is None:
        return
    near = bool(bearers & NEAR)
    if Service.PROXIMATE_PAYMENT in programme.services and not near:
        yield _finding(
            at,
            "service-without-flow",
            "proximate payments are offered, but no flow goes by nfc, bluetooth or code",
            "add the flow across the counter, or take the service out",
        )
    if Service.PROXIMATE_PAYMENT not in programme.services and near:
        yield _finding(
            at,
            "flow-without-service",
            "a flow goes across a counter, but proximate payments are not offered",
            "add proximate-payment to services: its requirements apply",
        )


def _parties(programme: Programme, now: int) -> Iterator[ModelFinding]:
    """Parties that do nothing here, without contract, or whose security is not proven now."""
    busy = {node.party for node in programme.nodes.values()}
    busy |= {flow.party for flow in programme.flows.values()}
    busy |= {asset.owner for asset in programme.assets.values()}
    for party in programme.parties.values():
        provider = party.role is Role.MFSP
        if not provider and party.id not in busy:
            yield _finding(
                party.at,
                "idle-party",
                f"the party {party.id} runs no node, carries no flow and owns nothing",
                "name it where it takes part, or take it out",
            )
        if not provider and not party.contract:
            yield _finding(
                party.at,
                "party-without-contract",
                f"nothing is agreed with the party {party.id}",
                "name the contract that says who answers for security",
            )
        if party.system is None and (provider or party.role not in _WITHOUT_PROOF):
            yield _finding(
                party.at,
                "party-without-proof",
                f"the party {party.id} shows no management system for information security",
                "ask for its certificate or report and note it under isms",
            )
        elif party.system is not None and party.system.valid_to <= now:
            yield _finding(
                party.at,
                "expired-proof",
                f"the proof of {party.id}'s security ({party.system.standard}) has ended",
                "ask for the new one, and note until when it is valid",
            )


def _certificates(programme: Programme, now: int) -> Iterator[ModelFinding]:
    held: list[tuple[str, Position, tuple[Certificate, ...]]] = [
        *((one.id, one.at, one.certificates) for one in programme.nodes.values()),
        *((one.id, one.at, one.certificates) for one in programme.secure_envs.values()),
    ]
    for holder, at, certificates in held:
        for one in certificates:
            if one.valid_to <= now:
                yield _finding(
                    at,
                    "expired-certificate",
                    f"the {one.scheme} certificate {one.id} of {holder} has ended",
                    "replace the component, or find out whether it was evaluated again",
                )


def _data(programme: Programme) -> Iterator[ModelFinding]:
    for asset in programme.assets.values():
        if asset.personal and not asset.retention_ms:
            yield _finding(
                asset.at,
                "kept-for-ever",
                f"nothing says how long the personal data {asset.id} is kept",
                "add retention: the time after which it is destroyed",
            )
    for place in programme.jurisdictions.values():
        if not place.regimes:
            yield _finding(
                place.at,
                "no-regime",
                f"no regime is named for {place.country}",
                "name the laws that bind there: a regime pack brings their parameters",
            )


def _duties(programme: Programme) -> Iterator[ModelFinding]:
    held = {duty for post in programme.organisation.values() for duty in post.duties}
    posts = programme.organisation.values()
    at = min((post.at for post in posts), default=Position(line=1, column=1))
    for duty in _NEEDED:
        if duty not in held:
            yield _finding(
                at,
                "duty-of-nobody",
                f"no post has the duty {duty.value}",
                "give it to a post of the organisation",
            )


def _finding(at: Position, sort: str, says: str, remedy: str) -> ModelFinding:
    return ModelFinding(at=at, sort=sort, says=says, remedy=remedy)
