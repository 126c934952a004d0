"""Every message that crosses a process of somebody else: who sends it, and who may read it.

One row for each operation and for each message that the provider sends by itself. A node that is
not named in `reads` carries the message and reads nothing of it but what is public. The tests hold
the rows against recorded traffic (`process/conformance/flowprobe.py`).

Source: ISO/TS 12812-2:2017, 3.9; 3.14; 7.1; 7.2.3
"""

from tallystick.kernel.flow import Flow, Node
from tallystick.protocol.paycrypt.flows import DOOR_FLOWS

_ALL: tuple[str, ...] = ("*",)
_TLS = (Node.TLS_TERMINATOR,)


def _sealed(name: str) -> Flow:
    """Inside a session: whoever terminates TLS sees a session's name, a number, and a length."""
    reads = {Node.DEVICE: _ALL, Node.FRONT: _ALL, Node.WRITER: _ALL}
    return Flow(
        name=name, source=Node.DEVICE, destination=Node.WRITER, via=(*_TLS, Node.FRONT),
        end_to_end=True, reads=reads,
    )  # fmt: skip


def _handshake(name: str) -> Flow:
    """What opens a session; codes, certificates and proofs are sealed to the provider."""
    reads = {Node.DEVICE: _ALL, Node.WRITER: _ALL}
    return Flow(
        name=name, source=Node.DEVICE, destination=Node.WRITER, via=(*_TLS, Node.FRONT),
        end_to_end=True, reads=reads,
    )  # fmt: skip


def _act(name: str) -> Flow:
    """Signed by an operator and protected by TLS only: the terminator can read it."""
    nodes = (Node.OPERATOR, Node.TLS_TERMINATOR, Node.FRONT, Node.WRITER)
    return Flow(
        name=name, source=Node.OPERATOR, destination=Node.WRITER, via=(*_TLS, Node.FRONT),
        end_to_end=False, reads=dict.fromkeys(nodes, _ALL),
    )  # fmt: skip


def _public(name: str) -> Flow:
    """Anybody may read it."""
    return Flow(
        name=name, source=Node.WRITER, destination=Node.DEVICE, via=(*_TLS, Node.FRONT),
        end_to_end=False, reads=dict.fromkeys(Node, _ALL),
    )  # fmt: skip


FLOWS: tuple[Flow, ...] = (
    *map(
        _handshake,
        ("session.hello", "session.establish", "enrolment.complete", "device.wipe"),
    ),
    *map(
        _sealed,
        (
            "session.end", "payment.quote", "payment.order", "payment.receipt", "account.read",
            "agent.open-customer", "agent.stop-devices",
            "factor.challenge", "factor.code", "factor.pin", "pin.change",
            "payee.add", "device.remove", "device.key-void", "device.tries", "device.list",
            "device.steer", "session.list",
            "session.end-others",
            "approval.begin", "approval.inbox", "approval.stream", "approval.approve",
            "approval.decline", "approval.cancel", "approval.wake",
            "recovery.sign", "recovery.list", "recovery.cancel",
            "education.read", "education.acknowledge", "protection.card", "notice.list",
            "device.challenge", "device.prove", "device.report",
        ),
    ),
    *map(
        _act,
        (
            "operator.enrol", "open-customer", "issue-activation", "suspend-device",
            "resume-device", "remove-device", "fund-account", "reverse-payment", "activate-policy",
            "shadow-policy", "lift-tightening", "set-incentive", "cover-commission",
            "certificate.state", "app.state", "decline-act", "rehearse-act", "bind-passkey",
            "break-glass", "review-emergency", "issue-workload", "revoke-workload",
            "enrol-authenticator", "unlock-customer", "view-sessions", "end-sessions",
            "report-fraud", "open-recovery", "finish-recovery", "cancel-recovery",
            "rest-account", "freeze-account", "view-frozen", "release-account", "place-agent",
            "suspend-customer", "resume-customer", "change-tier", "suspend-service",
            "resume-service", "suspend-operator", "resume-operator", "remove-operator",
            "remove-passkey",
            "enrol-operator", "erase-subject", "add-webhook", "close-day", "access.evaluation",
            "access.evaluations", "approvals.begin", "approvals.status", "approvals.cancel",
            "approvals.offline", "approvals.reply", "begin-approval", "cancel-approval",
            "set-mandate", "revoke-approver", "clear-risk", "suspend-key", "resume-key",
            "retire-key", "declare-compromise", "destroy-key", "record-custody",
            "open-surrogate-domain", "step-surrogate-domain", "allow-detokenising",
        ),
    ),
    *map(
        _public,
        (
            "keys.list", "keys.dual", "keys.messages", "tally.checkpoint", "tally.consistency",
            "health.live", "health.ready",
            "access.configuration",
        ),
    ),
    Flow(
        name="ussd.message",
        source=Node.DIALLER,
        destination=Node.WRITER,
        via=(Node.USSD_GATEWAY, Node.TLS_TERMINATOR, Node.FRONT),
        end_to_end=False,
        reads=dict.fromkeys(
            (Node.DIALLER, Node.USSD_GATEWAY, Node.TLS_TERMINATOR, Node.FRONT, Node.WRITER), _ALL
        ),
    ),
    Flow(
        name="ussd.callback",
        source=Node.DIALLER,
        destination=Node.WRITER,
        via=(Node.AGGREGATOR, Node.TLS_TERMINATOR, Node.FRONT),
        end_to_end=False,
        reads=dict.fromkeys(
            (Node.DIALLER, Node.AGGREGATOR, Node.TLS_TERMINATOR, Node.FRONT, Node.WRITER), _ALL
        ),
    ),
    Flow(
        name="sms.receipt",
        source=Node.SMSC,
        destination=Node.WRITER,
        via=(Node.TLS_TERMINATOR, Node.FRONT),
        end_to_end=False,
        reads=dict.fromkeys((Node.SMSC, Node.TLS_TERMINATOR, Node.FRONT, Node.WRITER), _ALL),
    ),
    Flow(
        name="sim.change",
        source=Node.NETWORK,
        destination=Node.WRITER,
        via=(Node.TLS_TERMINATOR, Node.FRONT),
        end_to_end=False,
        reads=dict.fromkeys((Node.NETWORK, Node.TLS_TERMINATOR, Node.FRONT, Node.WRITER), _ALL),
    ),
    Flow(
        name="smpp.menu",
        source=Node.DIALLER,
        destination=Node.WRITER,
        via=(Node.NETWORK,),
        end_to_end=False,
        reads=dict.fromkeys((Node.DIALLER, Node.NETWORK, Node.WRITER), _ALL),
    ),
    Flow(
        name="smpp.message",
        source=Node.WRITER,
        destination=Node.DIALLER,
        via=(Node.NETWORK,),
        end_to_end=False,
        reads=dict.fromkeys((Node.WRITER, Node.NETWORK, Node.DIALLER), _ALL),
    ),
    Flow(
        name="sim.packet",
        source=Node.SIM,
        destination=Node.WRITER,
        via=(Node.DIALLER, Node.NETWORK),
        end_to_end=False,
        reads=dict.fromkeys((Node.SIM, Node.DIALLER, Node.NETWORK, Node.WRITER), _ALL),
    ),
    Flow(
        name="sms.message",
        source=Node.WRITER,
        destination=Node.DIALLER,
        via=(Node.SMSC,),
        end_to_end=False,
        reads=dict.fromkeys((Node.WRITER, Node.SMSC, Node.DIALLER), _ALL),
    ),
    Flow(
        name="core.transfer",
        source=Node.WRITER,
        destination=Node.CORE,
        end_to_end=False,
        reads={
            Node.WRITER: _ALL,
            Node.CORE: ("v", "id", "debit", "credit", "amount_minor", "currency", "kind"),
        },
    ),
    Flow(
        name="webhook.delivery",
        source=Node.WRITER,
        destination=Node.CORE,
        end_to_end=False,
        reads={
            Node.WRITER: _ALL,
            Node.CORE: ("id", "webhook", "provider", "origin", "index", "leaf"),
        },
    ),
    Flow(
        name="witness.checkpoint",
        source=Node.WRITER,
        destination=Node.WITNESS,
        end_to_end=False,
        reads={Node.WRITER: _ALL, Node.WITNESS: ("origin", "size", "root")},
    ),
    *DOOR_FLOWS,
)  # fmt: skip
"""What a network or a partner reads on the way, policy limits by channel and grade."""

FLOW: dict[str, Flow] = {flow.name: flow for flow in FLOWS}
"""By name: that of an operation, or of a message that the provider sends by itself."""
