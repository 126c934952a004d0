"""The policy: who decides how much is allowed, to whom, on whose word, and why.

    text --read_policy--> Policy --compile_policy--> CompiledPolicy
    decide(CompiledPolicy, Facts, subject=order) -> Permit | Denied | StepUp | Delayed

1. `facts`     what a decision is made from: the closed vocabulary
2. `language`  typed YAML with one meaning; every defect has a position
3. `regimes`   what laws and supervisors ask, as dated data
4. `proofs`    what holds for all facts, or a counter-example
5. `compile`   rows indexed by words; answers in microseconds
6. `decision`  the only place that makes permits
7. `signing`   officers' signatures over the text; `officers` who may sign, once each
8. `failing`   what a failing dependency closes
9. `explain`   why a row matched or not; what changes from one version to the next
10. `changes`   for whom a new version decides differently, exactly
11. `asked`    questions of partners (AuthZEN); `cedar` the policy in another language

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2; 7.3.3
"""

from tallystick.process.policy.compile import CompiledPolicy, compile_policy, recompile
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
    "recompile",
]
