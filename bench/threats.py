"""A pack of any size for the measurements: rules with trees, and controls that answer them.

Every rule can be answered: each step has a few controls of its own sort, as in a real pack, where a
control of devices helps against many threats and one of key management against few.
"""

import random
from decimal import Decimal

from tallystick.process.catalogue import Layer
from tallystick.process.programme.words import AssetClass, Impact, Strength
from tallystick.process.risk.model import (
    Condition,
    Control,
    ControlUse,
    Gate,
    Harm,
    Over,
    Pack,
    ScoringTable,
    Step,
    ThreatRule,
    Tree,
)
from tallystick.process.yamltext.position import Position

FACTORS = {
    "time": {"P1D": 0, "P7D": 1, "P30D": 4, "P60D": 7, "P90D": 10, "P150D": 15, "beyond": 19},
    "expertise": {"layman": 0, "proficient": 3, "expert": 6, "multiple-experts": 8},
    "knowledge": {"public": 0, "restricted": 3, "sensitive": 7, "critical": 11},
    "window": {"unlimited": 0, "easy": 1, "moderate": 4, "difficult": 10},
    "equipment": {"standard": 0, "specialised": 4, "bespoke": 7, "multiple-bespoke": 9},
}
TABLE = ScoringTable(
    id="iso-18045",
    label="ISO/IEC 18045 attack potential",
    factors=FACTORS,
    thresholds={
        Strength.BASIC: 10,
        Strength.ENHANCED_BASIC: 14,
        Strength.MODERATE: 20,
        Strength.HIGH: 25,
    },
)
REQUIRED = {
    Impact.NEGLIGIBLE: Strength.NONE,
    Impact.MINOR: Strength.BASIC,
    Impact.MODERATE: Strength.ENHANCED_BASIC,
    Impact.MAJOR: Strength.MODERATE,
    Impact.SEVERE: Strength.HIGH,
}
AT = Position(line=1, column=1)


def large_pack(rules: int, controls: int, seed: int = 1) -> Pack:
    """A pack with so many rules and controls; one in eight controls is mandatory."""
    source = random.Random(seed)
    found = {one.id: one for one in (_control(source, n) for n in range(controls))}
    return Pack(
        id="large",
        digest=f"{seed:064x}",
        tables={TABLE.id: TABLE},
        required=REQUIRED,
        controls=found,
        rules={one.id: one for one in (_rule(source, n, found) for n in range(rules))},
    )


def _control(source: random.Random, number: int) -> Control:
    factors = source.sample(sorted(FACTORS), source.choice([1, 2, 2, 3]))
    lifts = {factor: source.choice(list(FACTORS[factor])[2:]) for factor in factors}
    devices = ("keystore", "tee", "secure-element") if number % 5 == 4 else ()
    return Control(
        id=f"control-{number:03d}",
        label=f"control {number}",
        layer=source.choice(list(Layer)),
        requirements=("MFS-7.3.2-08",),
        mandatory=("MFS-7.3.2-08",) if number % 8 == 7 else (),
        cost=source.randint(1, 40),
        friction=source.choice([0, 0, 0, 1, 2, 3, 5]),
        lifts=lifts,
        caps=source.choice([Impact.MINOR, Impact.MODERATE]) if number % 16 == 3 else None,
        environments=devices,
        needs=(f"control-{number - 1:03d}",) if number % 20 == 19 else (),
        excludes=(f"control-{number - 2:03d}",) if number % 25 == 24 else (),
        enforced_by=(),
        observed_by=(),
    )


def _rule(source: random.Random, number: int, controls: dict[str, Control]) -> ThreatRule:
    kinds = tuple(one.value for one in source.sample(list(AssetClass), 5))
    steps = [_step(source, f"r{number}-s{n}", controls) for n in range(source.choice([3, 5, 6]))]
    branches = Tree(gate=Gate.ANY, steps=tuple(steps[1:]), trees=())
    return ThreatRule(
        id=f"rule-{number:03d}",
        threat="THR-SIM-01",
        label=f"threat {number}",
        layer=source.choice(list(Layer)),
        over=source.choice([Over.FLOW, Over.NODE, Over.ASSET, Over.DEVICE]),
        when=(Condition(subject="asset", field="kind", words=kinds, negated=False, at=AT),),
        harm=source.choice(list(Harm)),
        table=TABLE.id,
        tree=Tree(gate=Gate.ALL, steps=(steps[0],), trees=(branches,)),
        scales=source.random() < 0.2,
        gain_share=Decimal(source.choice(["0", "0.5", "1", "5", "50"])),
        tags=(),
        references=(),
    )


def _step(source: random.Random, name: str, controls: dict[str, Control]) -> Step:
    rating = {factor: source.choice(list(words)[:3]) for factor, words in FACTORS.items()}
    several = source.sample(sorted(controls), min(len(controls), source.randint(5, 10)))
    return Step(
        id=name,
        text=f"step {name}",
        rating=rating,
        controls=tuple(ControlUse(control=one, lifts=controls[one].lifts) for one in several),
    )
