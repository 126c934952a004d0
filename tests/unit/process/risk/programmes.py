"""A small programme and the small pack for the tests, and a generator of programmes of any size."""

import random
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.process.catalogue import Service
from tallystick.process.programme.model import (
    Actor,
    Appetite,
    Asset,
    Behaviour,
    ControlsWanted,
    DeviceClass,
    FlowEntry,
    NodeEntry,
    Objectives,
    Offer,
    PartyEntry,
    Programme,
    SecureEnvironment,
    Surroundings,
    Zone,
)
from tallystick.process.programme.words import (
    AssetClass,
    Bearer,
    Environment,
    Equipment,
    Expertise,
    Impact,
    Knowledge,
    Motivation,
    NodeKind,
    Role,
)
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_in
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.quantities import Spread

HERE = Path(__file__).parent
AT = Position(line=1, column=1)
DAY_MS = 86_400_000


@cache
def small_pack() -> Pack:
    return pack_in(HERE / "packs" / "small")


def texts() -> dict[str, str]:
    folder = HERE / "packs" / "small"
    return {
        one.relative_to(folder).as_posix(): one.read_text()
        for one in sorted(folder.rglob("*.yaml"))
    }


def spread(low: str, mode: str, high: str) -> Spread:
    return Spread(low=Decimal(low), mode=Decimal(mode), high=Decimal(high))


def asset(name: str, kind: AssetClass, c: int, i: int, a: int, *kept: str, **more: Any) -> Asset:
    values = {
        "id": name, "kind": kind, "confidentiality": Impact(c), "integrity": Impact(i),
        "availability": Impact(a), "owner": "mfsp", "kept_at": kept, "max_life_ms": 0,
        "retention_ms": 0, "personal": False, "at": AT,
    }  # fmt: skip
    return Asset(**(values | more))


def node(
    name: str, kind: NodeKind, zone: str, party: str = "", runs_on: tuple[str, ...] = ()
) -> Any:
    return NodeEntry(
        id=name, kind=kind, zone=zone, party=party, runs_on=runs_on, certificates=(), at=AT
    )


def flow(name: str, way: str, bearer: Bearer, carries: str, reads: str, party: str = "") -> Any:
    source, *via, target = way.split()
    return FlowEntry(
        id=name, source=source, target=target, via=tuple(via), bearer=bearer, protocol="tls1.3",
        party=party, carries=tuple(carries.split()), end_to_end=not via,
        reads=tuple(reads.split()), at=AT,
    )  # fmt: skip


def device(name: str, env: str, share: str, patch_days: int = 90) -> DeviceClass:
    return DeviceClass(
        id=name, os="android", max_patch_age_ms=patch_days * DAY_MS, secure_env=env,
        share=Decimal(share), at=AT,
    )  # fmt: skip


def actor(name: str, expertise: Expertise, low: str, mode: str, high: str) -> Actor:
    return Actor(
        id=name, motivation=Motivation.FINANCIAL, expertise=expertise,
        knowledge=Knowledge.RESTRICTED, equipment=Equipment.STANDARD, budget_ms=14 * DAY_MS,
        attempts_per_year=spread(low, mode, high), at=AT,
    )  # fmt: skip


def named(*entries: Any) -> dict[str, Any]:
    return {one.id: one for one in entries}


def programme(**changes: Any) -> Programme:
    """Two classes of telephones, a gateway of another party, a platform and a module."""
    appetite = Appetite(
        annual_loss_p95=Money(10_000_000, "KES"), reputational=Impact.MODERATE,
        legal=Impact.MODERATE, resistance={}, friction_budget=0, inclusion_weight=2,
    )  # fmt: skip
    plain = Programme(
        offer=Offer(
            id="demo", owner="Example MFSP", currency="KES", customers=100_000,
            payments_per_year=5_000_000, average_payment=Money(120_000, "KES"),
            largest_payment=Money(15_000_000, "KES"),
            objectives=Objectives(
                decision_p95_ms=100, availability=Decimal("0.999"), rto_ms=300_000, rpo_ms=0
            ),
        ),
        uses=("packs/small",),
        services=(Service.REMOTE_PAYMENT,),
        jurisdictions={},
        parties=named(
            PartyEntry(
                id="aggregator", role=Role.USSD_AGGREGATOR, contract="msa-19",
                delegated=("ussd-transport",), system=None, at=AT,
            )
        ),
        organisation={},
        devices=named(device("modern", "keystore1", "0.45"), device("dialling", "none1", "0.55")),
        secure_envs=named(
            SecureEnvironment(
                id="keystore1", kind=Environment.KEYSTORE, hardening=(), certificates=(), at=AT
            ),
            SecureEnvironment(
                id="none1", kind=Environment.NONE, hardening=(), certificates=(), at=AT
            ),
        ),
        zones=named(
            Zone(id="handset", trust=0, at=AT), Zone(id="carrier", trust=20, at=AT),
            Zone(id="trusted", trust=70, at=AT), Zone(id="vault", trust=99, at=AT),
        ),
        nodes=named(
            node("app", NodeKind.MOBILE_APP, "handset", runs_on=("modern",)),
            node("dialler", NodeKind.PERSON_INTERFACE, "handset", runs_on=("dialling",)),
            node("gateway", NodeKind.USSD_GATEWAY, "carrier", "aggregator"),
            node("platform", NodeKind.PLATFORM, "trusted"),
            node("module", NodeKind.MODULE, "vault"),
        ),
        assets=named(
            asset("pin", AssetClass.AUTHENTICATION, 4, 4, 2),
            asset("credential", AssetClass.PAYMENT_CREDENTIAL, 3, 4, 2, "app"),
            asset("master", AssetClass.KEY, 5, 5, 4, "platform", "module"),
        ),
        flows=named(
            flow("order-app", "app platform", Bearer.INTERNET, "pin", "app platform"),
            flow(
                "order-ussd", "dialler gateway platform", Bearer.USSD, "pin",
                "dialler gateway platform", "aggregator",
            ),
        ),
        behaviour=Behaviour(
            payments_per_week=spread("1", "6", "20"), hours="06:00-22:00",
            new_payees_per_month=spread("0", "2", "6"),
        ),
        surroundings=Surroundings(
            connectivity="intermittent", shared_phones=Decimal("0.12"),
            agent_assisted=Decimal("0.30"),
        ),
        actors=named(
            actor("fraudster", Expertise.PROFICIENT, "50", "200", "800"),
            actor("organised", Expertise.MULTIPLE_EXPERTS, "0.2", "1", "5"),
        ),
        appetite=appetite,
        controls=ControlsWanted(in_place=(), not_available={}, costs={}),
    )  # fmt: skip
    return replace(plain, **changes) if changes else plain


def appetite(**changes: Any) -> Appetite:
    return replace(programme().appetite, **changes)


def wanted(**changes: Any) -> ControlsWanted:
    return replace(programme().controls, **changes)


def large_programme(nodes: int, assets: int, seed: int = 1) -> Programme:
    """A programme of a realistic shape with as many nodes, assets and flows as wanted."""
    source = random.Random(seed)
    start = programme()
    kinds = list(AssetClass)
    found = named(*start.nodes.values())
    for number in range(nodes):
        kind = source.choice(
            [NodeKind.GATEWAY, NodeKind.PLATFORM, NodeKind.DATABASE, NodeKind.CORE]
        )
        one = node(f"node-{number}", kind, source.choice(["carrier", "trusted", "vault"]))
        found[one.id] = one
    listed = named(*start.assets.values())
    for number in range(assets):
        kept = source.sample(sorted(found), 3)
        one = asset(
            f"asset-{number}", source.choice(kinds), *source.choices(range(1, 6), k=3), *kept
        )
        listed[one.id] = one
    flows = named(*start.flows.values())
    for number in range(nodes):
        way = " ".join(source.sample(sorted(found), source.choice([2, 3])))
        carried = " ".join(source.sample(sorted(listed), 3))
        bearer = source.choice([Bearer.INTERNET, Bearer.LAN, Bearer.USSD, Bearer.SMS])
        one = flow(f"flow-{number}", way, bearer, carried, way)
        flows[one.id] = one
    return replace(start, nodes=found, assets=listed, flows=flows)
