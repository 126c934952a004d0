"""From the duties of an organisation to the roles of its operators, and what does not go together.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.policy.facts import OperatorAct
from tallystick.process.policy.language.model import OperatorRules
from tallystick.process.programme.checks import ModelFinding
from tallystick.process.programme.model import Post, Programme
from tallystick.process.programme.words import Duty

_A = OperatorAct

ACTS: Final[Mapping[Duty, tuple[OperatorAct, ...]]] = {
    Duty.POLICY_APPROVAL: (
        _A.ACTIVATE_POLICY,
        _A.SHADOW_POLICY,
        _A.LIFT_TIGHTENING,
        _A.REVIEW_EMERGENCY,
        _A.SET_INCENTIVE,
    ),
    Duty.RISK_ACCEPTANCE: (),
    Duty.KEY_CUSTODY: (
        _A.ENROL_OPERATOR,
        _A.SUSPEND_OPERATOR,
        _A.RESUME_OPERATOR,
        _A.REMOVE_OPERATOR,
        _A.ISSUE_WORKLOAD,
        _A.REVOKE_WORKLOAD,
        _A.SUSPEND_KEY,
        _A.RESUME_KEY,
        _A.RETIRE_KEY,
        _A.DECLARE_COMPROMISE,
        _A.DESTROY_KEY,
        _A.RECORD_CUSTODY,
        _A.OPEN_SURROGATE_DOMAIN,
        _A.STEP_SURROGATE_DOMAIN,
        _A.ALLOW_DETOKENISING,
    ),
    Duty.INCIDENT: (
        _A.SUSPEND_KEY,
        _A.SUSPEND_OPERATOR,
        _A.SUSPEND_CUSTOMER,
        _A.SUSPEND_DEVICE,
        _A.AUDIT_RECORDS,
        _A.VIEW_SESSIONS,
        _A.END_SESSIONS,
        _A.BREAK_GLASS,
        _A.CANCEL_RECOVERY,
        _A.FREEZE_ACCOUNT,
        _A.VIEW_FROZEN,
        _A.RELEASE_ACCOUNT,
    ),
    Duty.RELEASE: (),
    Duty.SUSPEND_SERVICE: (
        _A.SUSPEND_SERVICE,
        _A.RESUME_SERVICE,
        _A.SUSPEND_OPERATOR,
        _A.RESUME_OPERATOR,
        _A.BREAK_GLASS,
    ),
    Duty.OPEN_CUSTOMER: (
        _A.OPEN_CUSTOMER,
        _A.BEGIN_APPROVAL,
        _A.CANCEL_APPROVAL,
        _A.REVOKE_APPROVER,
    ),
    Duty.ACTIVATION: (
        _A.ISSUE_ACTIVATION,
        _A.ENROL_AUTHENTICATOR,
        _A.OPEN_RECOVERY,
        _A.FINISH_RECOVERY,
        _A.CANCEL_RECOVERY,
    ),
    Duty.SUSPEND_CUSTOMER: (
        _A.SUSPEND_CUSTOMER,
        _A.RESUME_CUSTOMER,
        _A.UNLOCK_CUSTOMER,
        _A.REST_ACCOUNT,
        _A.VIEW_FROZEN,
    ),
    Duty.SUSPEND_DEVICE: (
        _A.SUSPEND_DEVICE,
        _A.RESUME_DEVICE,
        _A.REMOVE_DEVICE,
        _A.VIEW_SESSIONS,
        _A.END_SESSIONS,
        _A.BREAK_GLASS,
    ),
    Duty.TRACE_PAYMENT: (_A.TRACE_PAYMENT,),
    Duty.REVERSE_PAYMENT: (_A.REVERSE_PAYMENT, _A.REPORT_FRAUD, _A.CLEAR_RISK),
    Duty.CHANGE_TIER: (_A.CHANGE_TIER,),
    Duty.FUND_ACCOUNT: (_A.FUND_ACCOUNT, _A.COVER_COMMISSION),
    Duty.CLOSE_DAY: (_A.CLOSE_DAY,),
    Duty.WEBHOOKS: (_A.ADD_WEBHOOK, _A.SET_MANDATE),
    Duty.PRIVACY: (_A.ERASE_SUBJECT, _A.AUDIT_RECORDS),
    Duty.AUDIT: (_A.TRACE_PAYMENT, _A.AUDIT_RECORDS),
    Duty.TRAINING: (),
    Duty.VENDOR_REVIEW: (_A.PLACE_AGENT,),
}
"""What an operator with each duty may do in the service."""

TWO_PEOPLE: Final = (
    _A.ACTIVATE_POLICY,
    _A.SHADOW_POLICY,
    _A.LIFT_TIGHTENING,
    _A.SET_INCENTIVE,
    _A.ENROL_OPERATOR,
    _A.FUND_ACCOUNT,
    _A.COVER_COMMISSION,
    _A.REVERSE_PAYMENT,
    _A.ERASE_SUBJECT,
    _A.CHANGE_TIER,
    _A.RESUME_CUSTOMER,
    _A.RESUME_SERVICE,
    _A.RESUME_OPERATOR,
    _A.REMOVE_OPERATOR,
    _A.ENROL_AUTHENTICATOR,
    _A.UNLOCK_CUSTOMER,
    _A.ISSUE_WORKLOAD,
    _A.SET_MANDATE,
    _A.CLEAR_RISK,
    _A.RESUME_DEVICE,
    _A.OPEN_RECOVERY,
    _A.RELEASE_ACCOUNT,
    _A.RESUME_KEY,
    _A.RETIRE_KEY,
    _A.DECLARE_COMPROMISE,
    _A.DESTROY_KEY,
    _A.RECORD_CUSTODY,
    _A.OPEN_SURROGATE_DOMAIN,
    _A.STEP_SURROGATE_DOMAIN,
    _A.ALLOW_DETOKENISING,
)
"""Acts that loosen, move money or destroy: nobody does them alone."""

_CONFLICTS: Final[tuple[tuple[Duty, Duty, str], ...]] = (
    (Duty.POLICY_APPROVAL, Duty.FUND_ACCOUNT, "who sets the limits would issue the money"),
    (Duty.POLICY_APPROVAL, Duty.REVERSE_PAYMENT, "who sets the rules would move payments back"),
    (Duty.KEY_CUSTODY, Duty.FUND_ACCOUNT, "who enrols operators could be both who issue money"),
    (Duty.KEY_CUSTODY, Duty.RELEASE, "who keeps the keys would ship what uses them"),
    (Duty.RISK_ACCEPTANCE, Duty.RELEASE, "who ships would accept the risk of shipping"),
    (Duty.OPEN_CUSTOMER, Duty.FUND_ACCOUNT, "who opens accounts would fill them"),
    (Duty.CHANGE_TIER, Duty.FUND_ACCOUNT, "who raises a customer's limits would fill the account"),
    (Duty.CHANGE_TIER, Duty.POLICY_APPROVAL, "who sets the tiers would grant them"),
)
_OVERSIGHT: Final = frozenset({Duty.AUDIT, Duty.PRIVACY, Duty.TRAINING})


class Staffing(Record, frozen=True, kw_only=True):
    """Roles of operators out of the posts, and how many steps each post is below the board.

    Posts whose duties need no act in the service have a tier but no role.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    rules: OperatorRules
    tiers: Mapping[str, int]


def staffing(programme: Programme) -> Staffing:
    """The operators' roles that the organisation of `programme` needs.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    posts = programme.organisation
    granted = {post.id: acts_of(post) for post in posts.values()}
    roles = {name: tuple(act.value for act in acts) for name, acts in granted.items() if acts}
    allowed = {act for acts in granted.values() for act in acts}
    return Staffing(
        rules=OperatorRules(
            roles=roles,
            two_people=tuple(act.value for act in TWO_PEOPLE if act in allowed),
        ),
        tiers={name: _steps(post, posts) for name, post in posts.items()},
    )


def acts_of(post: Post) -> tuple[OperatorAct, ...]:
    """What an operator in `post` may do, in the order of the vocabulary.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    granted = {act for duty in post.duties for act in ACTS[duty]}
    return tuple(act for act in OperatorAct if act in granted)


def operators_text(rules: OperatorRules) -> str:
    """The `operators:` section of a policy with these roles, as YAML.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    lines = ["operators:", "  roles:"]
    lines += [f"    {role}: [{', '.join(acts)}]" for role, acts in rules.roles.items()]
    lines.append(f"  two_people: [{', '.join(rules.two_people)}]")
    return "\n".join(lines) + "\n"


def check_organisation(programme: Programme) -> tuple[ModelFinding, ...]:
    """Duties that do not go together in one post, and oversight that reports to whom it oversees.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    posts = programme.organisation
    found = [one for post in posts.values() for one in (*_conflicts(post), *_lines(post, posts))]
    return tuple(sorted(found, key=lambda one: (one.at, one.says)))


def _conflicts(post: Post) -> Iterator[ModelFinding]:
    duties = frozenset(post.duties)
    for one, other, why in _CONFLICTS:
        if one in duties and other in duties:
            yield ModelFinding(
                at=post.at,
                sort="conflict-of-duties",
                says=f"{post.id} has {one.value} and {other.value}: {why}",
                remedy="give one of the two to another post",
            )
    acting = sorted(duty.value for duty in duties - _OVERSIGHT)
    if Duty.AUDIT in duties and acting:
        yield ModelFinding(
            at=post.at,
            sort="conflict-of-duties",
            says=f"{post.id} has audit and {', '.join(acting)}: nobody audits their own work",
            remedy="give the audit to a post that does nothing else in operation",
        )


def _lines(post: Post, posts: Mapping[str, Post]) -> Iterator[ModelFinding]:
    above = posts.get(post.reports_to)
    if Duty.AUDIT in post.duties and above is not None and acts_of(above):
        yield ModelFinding(
            at=post.at,
            sort="line-of-report",
            says=f"{post.id} audits and reports to {above.id}, whose work it audits",
            remedy="let it report to the board",
        )


def _steps(post: Post, posts: Mapping[str, Post]) -> int:
    steps, above = 1, post.reports_to
    while above in posts:
        steps, above = steps + 1, posts[above].reports_to
    return steps
