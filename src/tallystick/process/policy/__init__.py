"""The policy: who decides how much is allowed, to whom, on whose word, and why.

    text --read_policy--> Policy --compile_policy--> CompiledPolicy
    decide(CompiledPolicy, Facts, subject=order) -> Permit | Denied | StepUp | Delayed

1. `facts`     what a decision is made from: the closed vocabulary
2. `language`  typed YAML with one meaning; every defect has a position
3. `compile`   rows indexed by words; answers in microseconds
4. `decision`  the only place that makes permits
5. `signing`   officers' signatures over the text; version and profile
6. `failing`   what a failing dependency closes
7. `explain`   why a row matched or not; what changes from one version to the next

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2; 7.3.3
"""

from tallystick.process.policy.compile import CompiledPolicy, compile_policy
from tallystick.process.policy.decision import (
    Decided,
    Decision,
    Delayed,
    Denied,
    Permit,
    StepUp,
    decide,
    held_back,
)
from tallystick.process.policy.facts import (
    FOREVER,
    AccountStatus,
    Channel,
    Dependency,
    DeviceTrust,
    Factor,
    Facts,
    Grade,
    Kind,
    Operation,
    OperatorAct,
    Outcome,
)
from tallystick.process.policy.language.model import LimitRule, Policy
from tallystick.process.policy.language.reading import read_policy

__all__ = [
    "FOREVER",
    "AccountStatus",
    "Channel",
    "CompiledPolicy",
    "Decided",
    "Decision",
    "Delayed",
    "Denied",
    "Dependency",
    "DeviceTrust",
    "Factor",
    "Facts",
    "Grade",
    "Kind",
    "LimitRule",
    "Operation",
    "OperatorAct",
    "Outcome",
    "Permit",
    "Policy",
    "StepUp",
    "compile_policy",
    "decide",
    "held_back",
    "read_policy",
]
