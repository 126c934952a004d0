"""Every page and form of the desk, one row each.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
"""

from starlette.responses import Response
from starlette.routing import Route

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.desk_settings import desk_settings
from tallystick.entry.http.console import (
    acting,
    approving,
    cases,
    coming,
    emergencies,
    fleet,
    payments,
    people,
    staff,
    state,
    surrogates,
)
from tallystick.entry.http.console.desk import DeskContext, Visit
from tallystick.entry.http.console.guard import Door, guarded
from tallystick.entry.http.console.oidc import OidcDoors
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.errors import NotFound


async def _nowhere(_: Visit) -> Response:
    raise NotFound("the desk has no such page", remedy="go home")


def desk_routes(platform: Platform, writer: WriterLoop, accounting: Accounting) -> list[Route]:
    """The routes of the desk; none where the provider has no desk.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    settings = desk_settings(platform.folder.root)
    if settings is None:
        return []
    desk = DeskContext(platform, writer, accounting, settings)
    oidc = OidcDoors(desk)
    public: tuple[tuple[str, str, str, Door], ...] = (
        ("sign-in", "GET", "/desk/sign-in", coming.sign_in_page),
        ("signed-in", "POST", "/desk/sign-in", coming.sign_in),
        ("join", "GET", "/desk/join", coming.join_page),
        ("joined", "POST", "/desk/join", coming.join),
        ("oidc", "GET", "/desk/oidc", oidc.begin),
        ("oidc-back", "GET", "/desk/oidc/back", oidc.back),
    )
    inner: tuple[tuple[str, str, str, Door], ...] = (
        ("home", "GET", "/desk", state.home_page),
        ("notice", "POST", "/desk/notices", state.saw_notice),
        ("sign-out", "POST", "/desk/sign-out", coming.sign_out),
        ("find-page", "GET", "/desk/find", people.find_page),
        ("find", "POST", "/desk/find", people.find),
        ("customer", "GET", "/desk/customers/{customer}", people.customer_page),
        ("trace-page", "GET", "/desk/trace", payments.trace_page),
        ("trace", "POST", "/desk/trace", payments.trace),
        ("payment", "GET", "/desk/payments/{order}", payments.payment_page),
        ("acts", "GET", "/desk/acts", acting.acts_page),
        ("draw-up", "POST", "/desk/acts", acting.draw_up),
        ("act-form", "GET", "/desk/acts/new/{name}", acting.new_act_page),
        ("act", "GET", "/desk/acts/{act}", acting.act_page),
        ("sign", "POST", "/desk/acts/{act}", acting.sign),
        ("approvals", "GET", "/desk/approvals", approving.approvals_page),
        ("approval", "GET", "/desk/approvals/{act}", approving.approval_page),
        ("answer", "POST", "/desk/approvals/{act}", approving.answer),
        ("cases", "GET", "/desk/cases", cases.cases_page),
        ("policy", "GET", "/desk/policy", state.policy_page),
        ("fleet-form", "GET", "/desk/fleet", fleet.fleet_form),
        ("fleet", "POST", "/desk/fleet", fleet.fleet_page),
        ("operators", "GET", "/desk/operators", staff.staff_page),
        ("passkeys", "GET", "/desk/passkeys", staff.passkeys_page),
        ("emergency", "GET", "/desk/emergency", emergencies.emergency_page),
        ("programs", "GET", "/desk/programs", state.programs_page),
        ("surrogates", "GET", "/desk/surrogates", surrogates.surrogates_page),
        ("oidc-link-page", "GET", "/desk/oidc/link", oidc.link_page),
        ("oidc-link", "POST", "/desk/oidc/link", oidc.link),
        ("nowhere", "GET", "/desk/{rest:path}", _nowhere),
    )
    return [
        Route(path, guarded(desk, name, door, public=any_one), methods=[method], name=name)
        for any_one, rows in ((True, public), (False, inner))
        for name, method, path, door in rows
    ]
