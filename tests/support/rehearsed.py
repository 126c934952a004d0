"""A provider that was served and is looked at in peace, with somebody for each act to be about."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.protocol.test_policy_shadow import signed as signed_policy
from tests.support.looking import rows_of
from tests.support.recovered import PAPERS, TILL, Recovered, recovered
from tests.support.served import Person, Served
from tests.unit.process.policy.ladders import LADDER

from tallystick.application.commands import Command, PerformAct
from tallystick.application.operators.acts.rehearsing import Rehearsed
from tallystick.application.operators.service import code_hash
from tallystick.application.turn import Turn
from tallystick.client.operator import OperatorDesk
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.http.operations import SCHEMAS, operation
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.infrastructure.modules.interface import SEED_INFO, Purpose
from tallystick.kernel.codec import b64url, encode_canonical, from_plain
from tallystick.kernel.money import Money
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.payments import PaymentKind

SEED = b"a seed of twenty byte"
Body = dict[str, Any]
LEFT_OUT = {"rehearse-act", "decline-act"}
"""What looks at an act that waits and what ends one: neither is ever one that waits."""

WHY = "as the test asks"
LATER_MS = {"finish-recovery": 4 * DAY_MS}
"""How long after everything else an act is tried: a recovery cools off first."""


@dataclass
class Peace:
    """The provider after its service ended, opened again, and a body for each act."""

    platform: Platform
    folder: Path
    signatures: dict[str, tuple[str, ...]]
    bodies: dict[str, Body]
    officers: list[OperatorDesk]

    def signed(self, officer: int, act: str, body: Body, **more: str) -> PerformAct:
        """The command for an act that an officer signs now."""
        wire = from_plain(body, SCHEMAS[operation(act).request])
        request = json.loads(self.officers[officer].signed(act, wire, **more).body)
        now = self.platform.clock.now()
        inner = encoded(act, body)
        return PerformAct(self.platform.desks.operators.verify(request["jws"], inner, act, now))

    def operator(self, officer: int) -> str:
        """The id of an officer."""
        return read_signature(self.signatures["fund-account"][officer]).act.operator

    def run(self, *commands: Command) -> list[Any]:
        """What `commands` come to as one batch."""
        return [one.outcome.reply for one in self.platform.writer.run(commands)]

    def rehearse(self, act: str) -> Rehearsed:
        platform = self.platform
        turn = Turn(
            now=Instant(platform.clock.now() + LATER_MS.get(act, 0)),
            first_event=platform.archive.size,
            provider=platform.settings.provider,
            entropy=platform.module.random,
        )
        found = platform.rehearsal.rehearse(
            turn, act, encoded(act, self.bodies[act]), self.signatures[act], None
        )
        assert not turn.leaves
        assert turn.changes.is_empty()
        assert not turn.durable
        assert not turn.undo
        return found

    def standing(self) -> dict[str, Any]:
        """All that a rehearsal might change, by its digest: rows, log, files, keys, messages."""
        platform = self.platform
        with platform.database.reader() as reader:
            rows = {
                one.table: digest(repr(sorted(map(repr, _all(reader, one.table)))))
                for one in reader.shapes()
            }
        module = platform.module
        handles = sorted(module.handles(), key=lambda one: one.id)
        return {
            **rows,
            "files": {
                str(one.relative_to(self.folder)): digest(one.read_bytes())
                for one in sorted(self.folder.rglob("*"))
                if one.is_file()
            },
            "keys": [(one, module.states.of(one.id)) for one in handles],
            "log": (platform.archive.size, platform.desks.policy.version),
            "sessions": len(platform.desks.sessions),
        }


def _all(reader: Any, table: str) -> list[tuple[Any, ...]]:
    return list(reader.rows(f"SELECT * FROM {table}"))


def digest(of: bytes | str) -> str:
    return hashlib.sha256(of if isinstance(of, bytes) else of.encode()).hexdigest()


def encoded(act: str, body: Body) -> bytes:
    return encode_canonical(from_plain(body, SCHEMAS[operation(act).request]))


def device_of(scene: Recovered, person: Person) -> str:
    found = rows_of(scene.provider, "SELECT id FROM device WHERE customer = ?", (person.customer,))
    return str(found[0][0])


def seed_for(provider: Served) -> dict[str, str]:
    handle = provider.platform.keys.newest(Purpose.OTP_TRANSPORT)
    public = provider.platform.module.public_octets(handle)
    recipient = KemPublicKey(KemSuite(handle.mechanism), public)
    sealed = recipient.seal(SEED, info=SEED_INFO + b"hmac-sha1")
    return {"mechanism": "hmac-sha1", "sealed_to": handle.id, "sealed": b64url(sealed)}


class Scene:
    """Does what has to be there before each act, and says what each act would be about."""

    def __init__(self, scene: Recovered) -> None:
        self.on = scene
        self.provider = scene.provider

    def alone(self, role: str, act: str, body: Body) -> str:
        done = self.provider.operators[role][0].act(act, self.wire(act, body))
        assert done.state == "done", act
        return done.reference

    def both(self, role: str, act: str, body: Body) -> str:
        return self.on.both(role, act, self.wire(act, body)).reference

    def staff(self, role: str) -> list[str]:
        """The ids of who has a role, in the order in which they enrolled."""
        found = "SELECT id FROM operator WHERE role = ? ORDER BY enrolled_at, id"
        return [str(one[0]) for one in rows_of(self.provider, found, (role,))]

    def wire(self, act: str, body: Body) -> Any:
        return from_plain(body, SCHEMAS[operation(act).request])

    def key(self, purpose: Purpose) -> str:
        return self.provider.platform.keys.newest(purpose).id

    def bodies(self) -> dict[str, Body]:
        return {
            **self._people(),
            **self._devices(),
            **self._money(),
            **self._keys(),
            **self._policy(),
            **self._desk(),
        }

    def _people(self) -> dict[str, Body]:
        on, because = self.on, {"because": WHY}
        plain, frozen, suspended = on.person(), on.person(), on.person()
        runs, cools, empty = on.person(), on.person(), on.person(funds=0)
        newcomer = on.number()
        self.alone(
            "care-desk", "open-customer",
            {"name": "Nia New", "msisdn": newcomer, "kind": "person", "tier": 1},
        )  # fmt: skip
        freeze = {
            "number": frozen.number, "kind": "death", "evidence": PAPERS,
            "operators": self.staff("security-officer"), **because,
        }  # fmt: skip
        self.alone("security-officer", "freeze-account", freeze)
        self.alone("care-desk", "suspend-customer", {"number": suspended.number, **because})
        number = {"number": plain.number}
        recovery = {"kind": "lost-phone", "evidence": PAPERS, **because}
        return {
            "open-customer": {"name": "Zoe", "msisdn": on.number(), "kind": "person", "tier": 1},
            "issue-activation": {"number": newcomer},
            "unlock-customer": {**number, **because},
            "view-sessions": {"customer": plain.customer},
            "end-sessions": {"customer": plain.customer, **because},
            "enrol-authenticator": {**number, "kind": "totp", **seed_for(self.provider)},
            "open-recovery": {**number, **recovery},
            "cancel-recovery": {"recovery": on.opened(runs.number), **because},
            "finish-recovery": {"recovery": on.opened(cools.number)},
            "rest-account": {**number, **because},
            "freeze-account": {**freeze, "number": plain.number},
            "view-frozen": {"customer": frozen.customer},
            "release-account": {"customer": frozen.customer, "evidence": PAPERS, **because},
            "suspend-customer": {**number, **because},
            "resume-customer": {"number": suspended.number, **because},
            "change-tier": {**number, "tier": 1, "evidence": PAPERS, **because},
            "place-agent": {
                "number": TILL, "zones": ["mombasa-1"], "trained_until": "2099-01-01T00:00:00Z",
            },
            "erase-subject": {"customer": empty.customer, **because},
            "clear-risk": {"customer": plain.customer, **because},
        }  # fmt: skip

    def _devices(self) -> dict[str, Body]:
        acts, stopped = device_of(self.on, self.on.person()), device_of(self.on, self.on.person())
        suspend = {"suspend": True, "because": WHY}
        self.alone("care-desk", "suspend-device", {"device": stopped, **suspend})
        return {
            "suspend-device": {"device": acts, **suspend},
            "resume-device": {"device": stopped, "suspend": False, "because": WHY},
            "remove-device": {"device": acts, "how": "steal", "because": WHY},
        }

    def _money(self) -> dict[str, Body]:
        on, because = self.on, {"because": WHY}
        payer, payee = on.person(), on.person()
        paid = payer.wallet.pay(PaymentKind.P2P, payee.number, Money(12_500, "KES"))
        order = json.loads(_plain(paid.receipt.leaf))["p"]["order"]
        shop = self.provider.person(
            on.number(), "Shop", kind="merchant", tier=3, till="554433", funds=5_000_000
        )
        both = f"900000:1:{payer.customer},{payee.customer}"
        mandate = {"number": shop.number, "bands": [both], **because}
        self.both("operations", "set-mandate", mandate)
        asked = {
            "payer": payer.number, "kind": "p2p", "payee": payee.number, "amount_minor": 900,
            "currency": "KES", "asked_by": "care desk",
        }  # fmt: skip
        begun = self.alone("care-desk", "begin-approval", asked)
        cover = {"amount_minor": 5_000, "currency": "KES", "bank_reference": "b-2"}
        return {
            "fund-account": {"number": payer.number, **cover},
            "cover-commission": cover,
            "reverse-payment": {"order": order, **because},
            "report-fraud": {"order": order, **because},
            "begin-approval": asked,
            "cancel-approval": {"approval": begun, **because},
            "set-mandate": {**mandate, "bands": [f"100:1:{payee.customer}"]},
            "revoke-approver": {"number": shop.number, "customer": payer.customer, **because},
            "close-day": {"day": "2026-01-01"},
            "add-webhook": {"url": "https://core.example/events", "kinds": ["payment"]},
        }

    def _keys(self) -> dict[str, Body]:
        because = {"because": WHY}
        held, over = self.key(Purpose.WEBHOOK), self.key(Purpose.PARTNER_LINK)
        self.alone("security-officer", "suspend-key", {"key": held, **because})
        self.both("security-officer", "retire-key", {"key": over, **because})
        used = {"key": self.key(Purpose.RECEIPT_CODE), **because}
        domain = {
            "domain": "merchants", "kind": "pan", "way": "random", "purposes": ["settlement:60"],
            **because,
        }  # fmt: skip
        self.both("security-officer", "open-surrogate-domain", domain)
        return {
            "suspend-key": used,
            "retire-key": used,
            "declare-compromise": used,
            "resume-key": {"key": held, **because},
            "destroy-key": {"key": over, **because},
            "record-custody": {
                "device": "hsm-1", "what": "received", "custodians": ["ann", "bob"],
                "kind": "software-module", "serial": "4711", "place": "vault", "seal": "A-1",
                "inspect_days": 180, **because,
            },
            "open-surrogate-domain": {**domain, "purposes": ["settlement:90"]},
            "step-surrogate-domain": {"domain": "merchants", "turn_to": "destroyed", **because},
            "allow-detokenising": {
                "domain": "merchants", "purpose": "settlement", "workload": "wkl_x", "most": 5,
                "minutes": 5, **because,
            },
        }  # fmt: skip

    def _policy(self) -> dict[str, Body]:
        because = {"because": WHY}
        services = {"kind": "salary", "channel": "app", **because}
        self.alone("operations", "suspend-service", services)
        agent = self.on.agent.customer
        return {
            "activate-policy": {"envelope": signed_policy(self.provider, 2)},
            "shadow-policy": {"envelope": signed_policy(self.provider, 3)},
            "lift-tightening": {"entry": "record-in-doubt", **because},
            "set-incentive": {"ladder": "agents", "subject": agent, "step": 1, **because},
            "suspend-service": {**services, "channel": "ussd"},
            "resume-service": services,
        }

    def _desk(self) -> dict[str, Body]:
        because = {"because": WHY}
        hashed = {"code_hash": code_hash("ABCD-EFGH")}
        program = {
            "label": "switch", "scope": "evaluate-policy", "way": "secret",
            "verifier": b64url(sha256(b"secret")), "days": 9,
        }  # fmt: skip
        issued = self.both("security-officer", "issue-workload", program)
        emergency = self.alone("operations", "break-glass", {"minutes": 5, **because})
        works, stopped = self.staff("operations")[:2]
        self.alone("operations", "suspend-operator", {"operator": stopped, **because})
        return {
            "suspend-operator": {"operator": works, **because},
            "resume-operator": {"operator": stopped, **because},
            "remove-operator": {"operator": stopped, **because},
            "remove-passkey": {"credential": b64url(b"a passkey"), **because},
            "enrol-operator": {"role": "care-desk", **hashed},
            "bind-passkey": hashed,
            "break-glass": {"minutes": 9, **because},
            "review-emergency": {"emergency": emergency, "found": WHY},
            "issue-workload": program,
            "revoke-workload": {"workload": issued, **because},
        }


def _plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@contextmanager
def peace(folder: Path) -> Iterator[Peace]:
    """The provider with everything in place, its service over and its store open again."""
    with recovered(folder, policy_text=demo_policy() + LADDER) as scene:
        made = Scene(scene)
        bodies = made.bodies()
        officers = scene.provider.operators["security-officer"]
        signatures = {
            act: tuple(
                json.loads(one.signed(act, made.wire(act, body)).body)["jws"]
                for one in officers[:2]
            )
            for act, body in bodies.items()
        }
        provider, clock = scene.provider, scene.clock
    platform = open_platform(provider.folder, provider.secret, clock)
    try:
        yield Peace(platform, folder, signatures, bodies, officers)
    finally:
        platform.close()


__all__ = ["LEFT_OUT", "Peace", "peace"]
