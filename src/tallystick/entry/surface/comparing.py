"""Each thing that a deployment offers against the programme, and the other way round.

Source: ISO/TS 12812-2:2017, 6.2; 6.2.1; 7.1
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.entry.http.operations import Operation, Protection
from tallystick.entry.surface.model import Difference, Discovered, Side
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.process.policy.facts import OperatorAct
from tallystick.process.programme.model import Programme
from tallystick.process.programme.organisation import staffing
from tallystick.process.programme.words import AssetClass, Bearer, NodeKind

_APPS: Final = (
    NodeKind.MOBILE_APP,
    NodeKind.BROWSER,
    NodeKind.AGENT_APP,
    NodeKind.MERCHANT_TERMINAL,
)
_DOORS: Final = frozenset({NodeKind.PLATFORM, NodeKind.GATEWAY})
_FAR: Final = frozenset({Bearer.INTERNET, Bearer.CELLULAR, Bearer.LAN})
_IDENTITY: Final = (AssetClass.AUTHENTICATION, AssetClass.KEY)
_ACTS: Final = (AssetClass.MANAGEMENT, AssetClass.POLICY)

_SHOWN: Final[Mapping[str, tuple[tuple[NodeKind, ...], tuple[AssetClass, ...]]]] = {
    "session.hello": (_APPS, _IDENTITY),
    "session.establish": (_APPS, _IDENTITY),
    "session.end": (_APPS, _IDENTITY),
    "enrolment.complete": (_APPS, _IDENTITY),
    "factor.challenge": (_APPS, (AssetClass.AUTHENTICATION,)),
    "factor.code": (_APPS, (AssetClass.AUTHENTICATION,)),
    "factor.pin": (_APPS, (AssetClass.AUTHENTICATION,)),
    "pin.change": (_APPS, (AssetClass.AUTHENTICATION,)),
    "payee.add": (_APPS, (AssetClass.PERSONAL,)),
    "device.remove": (_APPS, _IDENTITY),
    "device.key-void": (_APPS, _IDENTITY),
    "device.tries": (_APPS, _IDENTITY),
    "device.challenge": (_APPS, _IDENTITY),
    "device.prove": (_APPS, _IDENTITY),
    "device.report": (_APPS, _IDENTITY),
    "device.list": (_APPS, _IDENTITY),
    "device.steer": (_APPS, _IDENTITY),
    "device.wipe": (_APPS, _IDENTITY),
    "session.list": (_APPS, _IDENTITY),
    "session.end-others": (_APPS, _IDENTITY),
    "recovery.sign": (_APPS, _IDENTITY),
    "recovery.list": (_APPS, _IDENTITY),
    "recovery.cancel": (_APPS, _IDENTITY),
    "education.acknowledge": (_APPS, (AssetClass.CONSENT,)),
    "notice.list": (_APPS, _IDENTITY),
    "approval.begin": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "approval.inbox": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "approval.stream": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "approval.approve": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "approval.decline": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "approval.cancel": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "approval.wake": (_APPS, _IDENTITY),
    "approvals.begin": ((NodeKind.PARTNER, *_APPS), (AssetClass.ORDER, AssetClass.CONSENT)),
    "approvals.status": ((NodeKind.PARTNER, *_APPS), (AssetClass.ORDER, AssetClass.CONSENT)),
    "approvals.cancel": ((NodeKind.PARTNER, *_APPS), (AssetClass.ORDER, AssetClass.CONSENT)),
    "approvals.offline": ((NodeKind.PARTNER, *_APPS), (AssetClass.ORDER, AssetClass.CONSENT)),
    "approvals.reply": ((NodeKind.PARTNER, *_APPS), (AssetClass.ORDER, AssetClass.CONSENT)),
    "payment.quote": (_APPS, (AssetClass.ORDER,)),
    "payment.order": (_APPS, (AssetClass.ORDER, AssetClass.CONSENT)),
    "payment.receipt": (_APPS, (AssetClass.EVIDENCE, AssetClass.ORDER)),
    "account.read": (_APPS, (AssetClass.VALUE,)),
    "agent.open-customer": ((NodeKind.AGENT_APP,), (AssetClass.PERSONAL,)),
    "agent.stop-devices": ((NodeKind.AGENT_APP,), (AssetClass.PERSONAL, AssetClass.KEY)),
    "ussd.message": ((NodeKind.USSD_GATEWAY,), (AssetClass.ORDER,)),
    "ussd.callback": ((NodeKind.USSD_GATEWAY,), (AssetClass.ORDER,)),
    "sms.receipt": ((NodeKind.SMS_CENTRE,), (AssetClass.EVIDENCE,)),
    "sim.change": ((NodeKind.PARTNER, NodeKind.MOBILE_NETWORK), (AssetClass.PERSONAL,)),
    "operator.enrol": ((NodeKind.CONSOLE,), _ACTS),
    "certificate.state": ((NodeKind.CONSOLE,), _ACTS),
    "app.state": ((NodeKind.CONSOLE,), _ACTS),
    "keys.list": (_APPS, (AssetClass.CERTIFICATE,)),
    "keys.dual": (_APPS, (AssetClass.CERTIFICATE,)),
    "keys.messages": ((*_APPS, NodeKind.PARTNER), (AssetClass.CERTIFICATE,)),
    "access.evaluation": ((NodeKind.PARTNER,), tuple(AssetClass)),
    "access.evaluations": ((NodeKind.PARTNER,), tuple(AssetClass)),
    "tally.checkpoint": ((NodeKind.WITNESS, *_APPS), (AssetClass.EVIDENCE,)),
    "tally.consistency": ((NodeKind.WITNESS, *_APPS), (AssetClass.EVIDENCE,)),
}
"""Kinds of nodes that ask for an operation, and classes of assets that it moves."""

_PARTNERS: Final = frozenset({OperatorAct.EVALUATE_POLICY.value})
"""Acts of parties outside: no post has a duty for them."""

_BY_AGENTS: Final = frozenset({"agent.open-customer", "agent.stop-devices"})
"""Operations that nobody but a placed agent is let do."""

_UNSHOWN: Final = frozenset(
    {"health.live", "health.ready", "access.configuration", "education.read", "protection.card"}
)
"""Operations that move nothing of value."""

_PROTECTED: Final[Mapping[Purpose, AssetClass]] = {
    Purpose.SESSION_SIGNATURE: AssetClass.KEY,
    Purpose.DEVICE_CA: AssetClass.KEY,
    Purpose.SESSION_WRAP: AssetClass.KEY,
    Purpose.WEBHOOK: AssetClass.KEY,
    Purpose.TIGHTENING: AssetClass.KEY,
    Purpose.PARTNER_LINK: AssetClass.KEY,
    Purpose.OCSP_RESPONDER: AssetClass.KEY,
    Purpose.SIM_PACKET: AssetClass.KEY,
    Purpose.SIM_ORDER: AssetClass.KEY,
    Purpose.TALLY: AssetClass.EVIDENCE,
    Purpose.TIME_STAMP: AssetClass.EVIDENCE,
    Purpose.RECEIPT_CODE: AssetClass.EVIDENCE,
    Purpose.QUOTE: AssetClass.ORDER,
    Purpose.ACTIVATION: AssetClass.AUTHENTICATION,
    Purpose.PIN_PEPPER: AssetClass.AUTHENTICATION,
    Purpose.DIALLED_PIN: AssetClass.AUTHENTICATION,
    Purpose.OTP_SEED: AssetClass.AUTHENTICATION,
    Purpose.OTP_TRANSPORT: AssetClass.AUTHENTICATION,
    Purpose.ALIAS_INDEX: AssetClass.PERSONAL,
    Purpose.SUBJECT: AssetClass.PERSONAL,
    Purpose.SUBJECT_WRAP: AssetClass.PERSONAL,
    Purpose.STORE: AssetClass.PERSONAL,
}
"""What a key of each purpose protects; the provider's root and others' keys are elsewhere."""


def compare(found: Discovered, programme: Programme, door: int = 0) -> tuple[Difference, ...]:
    """Everything that only the deployment or only the programme has.

    `door` is the port at which the service is meant to listen, 0 for the first that does.
    Source: ISO/TS 12812-2:2017, 6.2; 7.1
    """
    return (
        *_listeners(found, programme, door),
        *_links(found, programme),
        *_operations(found, programme),
        *_keys(found, programme),
        *_accounts(found, programme),
        *_rights(found, programme),
    )


def _listeners(found: Discovered, programme: Programme, door: int) -> Iterator[Difference]:
    if found.listeners is None:
        return
    ports = sorted({one.port for one in found.listeners})
    meant = door or (ports[0] if ports else 0)
    if meant not in ports:
        yield _modelled(
            "listener",
            "flows lead to the platform, but the process listens nowhere",
            "give the id of the service's own process, or start it",
        )
    open_doors = any(
        programme.nodes[flow.target].kind in _DOORS and flow.bearer in _FAR
        for flow in programme.flows.values()
    )
    for one in found.listeners:
        where = f"{one.host or 'every address'}, port {one.port}"
        if one.port != meant:
            yield _deployed(
                "listener",
                f"the process listens at {where} beside its door at port {meant}",
                "find out what it serves there; close it, or model it",
            )
        elif not one.is_local() and not open_doors:
            yield _deployed(
                "listener",
                f"the process listens at {where}, but no flow reaches it from elsewhere",
                "listen on 127.0.0.1, or model the flow that comes in",
            )


def _links(found: Discovered, programme: Programme) -> Iterator[Difference]:
    """Other systems, by the settings and by the nodes."""
    pairs = (
        (NodeKind.USSD_GATEWAY, bool(found.gateways), "USSD gateway", "--gateway NAME=FILE"),
        (NodeKind.SMS_CENTRE, found.sms, "message centre", "--sms-url URL"),
        (NodeKind.CORE, found.core, "core system", "--core-url URL"),
        (NodeKind.WITNESS, found.witnessed, "witness", "serve with --witness"),
    )
    for kind, present, name, option in pairs:
        nodes = [one.id for one in programme.nodes.values() if one.kind is kind]
        if present and not nodes:
            yield _deployed(
                "link",
                f"the service is joined to a {name}, and no node is of kind {kind.value}",
                "add the node and its flows",
            )
        elif nodes and not present:
            yield _modelled(
                "link",
                f"the programme has {', '.join(nodes)}, and the service is joined to no {name}",
                f"join it ({option}), or take the node out",
            )
    databases = [one for one in programme.nodes.values() if one.kind is NodeKind.DATABASE]
    if not databases:
        where = "on a server" if found.store_on_server else "in the provider's folder"
        yield _deployed(
            "link",
            f"the record is kept {where}, and no node is of kind database",
            "add the node, what is kept there, and the flow that writes it",
        )


def _operations(found: Discovered, programme: Programme) -> Iterator[Difference]:
    for one in found.operations:
        if one.name in _UNSHOWN or (one.protection is Protection.GATEWAY and not found.gateways):
            continue
        if one.protection is Protection.CALLBACK and one.name not in found.callbacks:
            continue
        if one.name in _BY_AGENTS and not _places_agents(found):
            continue
        kinds, classes = _meaning(one)
        if _flows_show(programme, kinds, classes):
            continue
        yield _deployed(
            "operation",
            f"{one.name} ({one.use_case}) answers, and no flow shows it",
            f"add a flow between a {_either(kind.value for kind in kinds)} and the platform that"
            f" carries an asset of class {_either(one.value for one in classes)}",
        )


def _places_agents(found: Discovered) -> bool:
    """Whether any role may place an agent; without one, what only agents ask for is refused."""
    return any(OperatorAct.PLACE_AGENT.value in acts for acts in found.allowed.values())


def _meaning(one: Operation) -> tuple[tuple[NodeKind, ...], tuple[AssetClass, ...]]:
    if one.protection is Protection.ACT:
        return (NodeKind.CONSOLE,), _ACTS
    return _SHOWN.get(one.name, (_APPS, tuple(AssetClass)))


def _flows_show(
    programme: Programme, kinds: tuple[NodeKind, ...], classes: tuple[AssetClass, ...]
) -> bool:
    for flow in programme.flows.values():
        touched = {programme.nodes[node].kind for node in flow.nodes()}
        carried = {programme.assets[asset].kind for asset in flow.carries}
        if NodeKind.PLATFORM in touched and touched & set(kinds) and carried & set(classes):
            return True
    return False


def _keys(found: Discovered, programme: Programme) -> Iterator[Difference]:
    classes = {one.kind for one in programme.assets.values()}
    for purpose in found.purposes:
        protected = _PROTECTED.get(purpose)
        if protected is None:
            yield _deployed(
                "key",
                f"a key of purpose {purpose.value} is with the service, which never holds it",
                "move it away from this machine",
            )
        elif protected not in classes:
            yield _deployed(
                "key",
                f"a key of purpose {purpose.value} protects assets of class {protected.value},"
                " and there is none",
                "name what it protects as an asset",
            )
    holders = {NodeKind.MODULE, NodeKind.PLATFORM}
    kept = {
        programme.nodes[node].kind
        for asset in programme.assets.values()
        if asset.kind is AssetClass.KEY
        for node in asset.kept_at
    }
    if found.purposes and not kept & holders:
        yield _deployed(
            "key",
            f"{len(found.purposes)} keys are with the service, and no asset of class key is kept"
            " at the platform or at a cryptographic module",
            "name the service's keys as an asset, and where they are kept",
        )
    for node in programme.nodes.values():
        if node.kind is NodeKind.MODULE and node.certificates and found.purposes:
            yield _modelled(
                "key",
                f"{node.id} is certified ({node.certificates[0].scheme}), but the keys are files"
                " that software opens",
                "take the certificate out until keys are in the device, or say so in a decision",
            )


def _accounts(found: Discovered, programme: Programme) -> Iterator[Difference]:
    if found.accounts is None:
        yield _modelled(
            "account",
            "the programme has posts, and nothing was served yet: no operator is enrolled",
            "serve the provider and let its operators enrol",
        )
        return
    for role in sorted(found.accounts):
        if role not in programme.organisation:
            yield _deployed(
                "account",
                f"{found.accounts[role]} operators have the role {role}, and no post is called so",
                "add the post with its duties, or remove the operators",
            )
    for role in staffing(programme).rules.roles:
        if role not in found.accounts:
            yield _modelled(
                "account",
                f"the post {role} acts in the service, and nobody is enrolled for it",
                "invite somebody: tallystick operator act enrol-operator",
            )


def _rights(found: Discovered, programme: Programme) -> Iterator[Difference]:
    """What the first policy lets roles do against what the duties of the posts need."""
    needed = staffing(programme).rules.roles
    for role, acts in sorted(found.allowed.items()):
        beyond = sorted(set(acts) - set(needed.get(role, ())) - _PARTNERS)
        if beyond:
            yield _deployed(
                "right",
                f"the policy lets {role} do {', '.join(beyond)}, for which the post has no duty",
                "take it out of the policy, or give the post the duty",
            )
    for role, acts in sorted(needed.items()):
        lacking = sorted(set(acts) - set(found.allowed.get(role, ())))
        if lacking:
            yield _modelled(
                "right",
                f"the duties of {role} need {', '.join(lacking)}, which the policy does not allow",
                "put the section that `tallystick programme operators` prints into the policy",
            )
    if found.currency != programme.offer.currency:
        yield _deployed(
            "right",
            f"the service pays in {found.currency}, the programme is in {programme.offer.currency}",
            "correct the currency of the programme, and its amounts",
        )


def _either(words: Iterator[str]) -> str:
    return " or ".join(words)


def _deployed(sort: str, says: str, remedy: str) -> Difference:
    return Difference(sort=sort, side=Side.DEPLOYED, says=says, remedy=remedy)


def _modelled(sort: str, says: str, remedy: str) -> Difference:
    return Difference(sort=sort, side=Side.MODELLED, says=says, remedy=remedy)
