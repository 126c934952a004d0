"""The AuthZEN Authorization API: what may be asked of the decision point, and what it answers.

A request may have members that are not named here; they are ignored. Facts are properties of the
subject, the action or the resource, or members of the context, under the names of the policy.

Source: AuthZEN Authorization API 1.0, 5; 6; 9
"""

from typing import Annotated, Any

from tallystick.kernel.classification import INTERNAL, PERSONAL, PUBLIC
from tallystick.kernel.model import Natural, Wire

EVALUATE = "evaluate-policy"
"""The act that the signature over a request is for."""

STEP_UP = "step-up"
"""The obligation that asks for a stronger consent."""


class AccessSubject(Wire, frozen=True, kw_only=True):
    """Who asks; `properties` are facts.

    Source: AuthZEN Authorization API 1.0, 5.1
    """

    type: Annotated[str, INTERNAL]
    id: Annotated[str, PERSONAL]
    properties: Annotated[dict[str, Any] | None, PERSONAL] = None


class AccessAction(Wire, frozen=True, kw_only=True):
    """What is asked for: an operation of the policy; `properties` are facts.

    Source: AuthZEN Authorization API 1.0, 5.3
    """

    name: Annotated[str, INTERNAL]
    properties: Annotated[dict[str, Any] | None, PERSONAL] = None


class AccessResource(Wire, frozen=True, kw_only=True):
    """What it is asked of; `properties` are facts.

    Source: AuthZEN Authorization API 1.0, 5.2
    """

    type: Annotated[str, INTERNAL]
    id: Annotated[str, PERSONAL]
    properties: Annotated[dict[str, Any] | None, PERSONAL] = None


class AccessRequest(Wire, frozen=True, kw_only=True):
    """One question to the decision point.

    Source: AuthZEN Authorization API 1.0, 6.1
    """

    subject: Annotated[AccessSubject, PERSONAL]
    action: Annotated[AccessAction, INTERNAL]
    resource: Annotated[AccessResource, PERSONAL]
    context: Annotated[dict[str, Any] | None, PERSONAL] = None


class AccessBatch(Wire, frozen=True, kw_only=True):
    """Several questions; what an evaluation leaves out is taken from the top, entity by entity.

    Source: AuthZEN Authorization API 1.0, 7.1
    """

    subject: Annotated[AccessSubject | None, PERSONAL] = None
    action: Annotated[AccessAction | None, INTERNAL] = None
    resource: Annotated[AccessResource | None, PERSONAL] = None
    context: Annotated[dict[str, Any] | None, PERSONAL] = None
    options: Annotated[dict[str, Any] | None, INTERNAL] = None
    evaluations: Annotated[tuple[dict[str, Any], ...], PERSONAL] = ()


class Obligation(Wire, frozen=True, kw_only=True):
    """What must be done: `step-up` asks for a consent of grade `acr_value`, then to ask again.

    Source: AuthZEN Profile for Obligations, step-up
    """

    type: Annotated[str, PUBLIC]
    id: Annotated[str, INTERNAL]
    acr_value: Annotated[str, INTERNAL]


class RollingLimit(Wire, frozen=True, kw_only=True):
    """A limit over time that whoever lets the payment pass has to hold; absent parts cap nothing.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """

    id: Annotated[str, INTERNAL]
    window_s: Annotated[Natural, INTERNAL]
    amount_minor: Annotated[int | None, INTERNAL] = None
    count: Annotated[int | None, INTERNAL] = None


class AccessContext(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Why: outcome, row and reason, by which version; what to do; what else to hold.

    `error` says what was wrong with one evaluation of several.
    Source: AuthZEN Authorization API 1.0, 6.2
    """

    outcome: Annotated[str, INTERNAL] = ""
    row: Annotated[str, INTERNAL] = ""
    because: Annotated[str, INTERNAL] = ""
    policy_version: Annotated[int, INTERNAL] = 0
    retry_after_s: Annotated[int, INTERNAL] = 0
    obligations: Annotated[tuple[Obligation, ...], INTERNAL] = ()
    limits: Annotated[tuple[RollingLimit, ...], INTERNAL] = ()
    error: Annotated[str, INTERNAL] = ""


class AccessDecision(Wire, frozen=True, kw_only=True):
    """The answer to one question.

    Source: AuthZEN Authorization API 1.0, 6.2
    """

    decision: Annotated[bool, INTERNAL]
    context: Annotated[AccessContext, INTERNAL]


class AccessDecisions(Wire, frozen=True, kw_only=True):
    """The answers to several questions, in their order.

    Source: AuthZEN Authorization API 1.0, 7.2
    """

    evaluations: Annotated[tuple[AccessDecision, ...], INTERNAL]


class AccessConfiguration(Wire, frozen=True, kw_only=True):
    """Where the decision point answers, and which obligations it may give.

    Source: AuthZEN Authorization API 1.0, 9.2
    """

    policy_decision_point: Annotated[str, PUBLIC]
    access_evaluation_endpoint: Annotated[str, PUBLIC]
    access_evaluations_endpoint: Annotated[str, PUBLIC]
    obligations_supported: Annotated[tuple[str, ...], PUBLIC] = (STEP_UP,)
