"""The state of the service at the desk: home, the policy in force, programs.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 6.2.3
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from starlette.responses import Response

from tallystick.application.appraisals.store import kept_lists
from tallystick.application.desk import Workload
from tallystick.application.desk.model import SawNotice
from tallystick.application.desk.store import unseen_notices, workloads
from tallystick.application.policing.store import policies_until
from tallystick.entry.doctor import Finding, State, examine
from tallystick.entry.doctor.leaning import does
from tallystick.entry.http.console.acting import act_form
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.guard import redirect
from tallystick.entry.http.console.markup import Child, Markup, h
from tallystick.entry.http.console.page import hidden, moment, note, page, pairs, table
from tallystick.entry.suites import served_ways
from tallystick.entry.threads import to_its_end
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import MINUTE_MS, SECOND_MS, iso_utc
from tallystick.process.policy.changes import Change, changes
from tallystick.process.policy.facts import Dependency
from tallystick.process.policy.language.removed import read_kept
from tallystick.protocol.policy_file import policy_text, read_policy_file

T = TypeVar("T")
_DOCTOR_MS = 30 * SECOND_MS
_WORDS = {State.FINE: "good", State.SOON: "warn", State.WRONG: "bad"}
_MOST_CHANGES = 60


async def home_page(visit: Visit) -> Response:
    """How the service is, what is to be seen to, and what waits.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    await visit.view("home")
    operator = visit.operator.id
    notices = await visit.desk.read(lambda reader: unseen_notices(reader, operator))
    findings = await _findings(visit)
    wrong = [one for one in findings if one.state is not State.FINE]
    inside = (
        h("h1", "How the service is"),
        h("p", f"At {moment(visit.desk.now())}.", class_="lead"),
        *(_notice(visit, one.id, one.kind, one.reference, one.at) for one in notices),
        _tiles(visit),
        *_suspended(visit),
        h("h2", "To be seen to"),
        _doctor("To be seen to", wrong) if wrong else note("Nothing.", kind="good"),
        h("h2", "What it leans on"),
        table("Dependencies", ("Dependency", "State", "If it fails"), _dependencies(visit)),
        h("h2", "Lists of vendors"),
        await _lists(visit),
        h("h2", "Alerts"),
        _alerts(visit),
        h(
            "details",
            h("summary", f"All {len(findings)} lines of the doctor"),
            _doctor("All lines of the doctor", findings),
        ),
    )
    return page("Home", inside, frame=await visit.frame(), here="/desk")


def _notice(visit: Visit, notice: str, kind: str, reference: str, at: int) -> Markup:
    return h(
        "div",
        h(
            "p",
            f"An {kind} began at {moment(at)}: ",
            h("a", reference, href="/desk/emergency", class_="mono"),
        ),
        h(
            "form",
            hidden("secret", visit.live.form_secret.reveal()),
            hidden("notice", notice),
            h("button", "I have seen this", class_="small plain"),
            method="post",
            action="/desk/notices",
        ),
        class_="note bad",
        role="alert",
    )


async def saw_notice(visit: Visit) -> Response:
    """Note that the officer has seen a notice.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    await visit.desk.told(SawNotice(visit.form.get("notice", ""), visit.operator.id))
    return redirect("/desk")


async def _findings(visit: Visit) -> list[Finding]:
    platform = visit.desk.platform
    return await _fresh(
        visit, "doctor", lambda: examine(platform.folder, platform.clock), _DOCTOR_MS
    )


async def _fresh(visit: Visit, name: str, work: Callable[[], T], life_ms: int) -> T:
    """What `work` gave a little while ago, or gives now, beside the loop."""
    known = visit.desk.kept.get(name)
    now = visit.desk.now()
    if known is None or now - known[0] > life_ms:
        found: T = await to_its_end(work)
        visit.desk.kept[name] = (now, found)
        return found
    kept: T = known[1]  # type: ignore[assignment]  # the same name has the same kind
    return kept


def _tiles(visit: Visit) -> Markup:
    desk = visit.desk
    stopped = desk.writer.stopped
    tiles = (
        ("stopped" if stopped else "takes orders", "the service"),
        (f"{desk.writer.waiting:,}", "commands wait"),
        (f"{len(desk.desks.sessions):,}", "sessions of customers"),
        (f"{desk.platform.archive.size:,}", "events in the log"),
        (str(desk.desks.policy.version), "policy in force"),
        (str(len(desk.desks.desk.emergencies.open())), "emergencies to review"),
        (str(len(desk.desks.policy.services.current)), "services suspended"),
    )
    return h("ul", *(h("li", h("b", value), h("span", label)) for value, label in tiles),
             class_="tiles")  # fmt: skip


def _suspended(visit: Visit) -> Iterable[Markup]:
    """What is suspended for everybody, why, and the acts about it."""
    current = visit.desk.desks.policy.services.current
    if not current and not visit.may("suspend-service"):
        return
    yield h("h2", "Suspended for everybody")
    for one in current:
        says = f"since {moment(one.since)}: {one.because}"
        yield note(f"{one.what()} is suspended.", says, "bad")
        if visit.may("resume-service"):
            known = {"kind": one.kind, "channel": one.channel}
            draft = DRAFTS["resume-service"]
            yield act_form(visit, "resume-service", draft, known, draft.says, mark=one.id)
    if not current:
        yield note("Nothing.", kind="good")
    if visit.may("suspend-service"):
        draft = DRAFTS["suspend-service"]
        yield h(
            "details",
            h("summary", draft.says),
            act_form(visit, "suspend-service", draft, says=draft.says, mark="suspend"),
        )


def _doctor(label: str, findings: Iterable[Finding]) -> Markup:
    rows = [
        (
            one.what,
            h("span", one.state.value, class_=_WORDS[one.state]),
            one.says,
            one.remedy,
        )
        for one in findings
    ]
    return table(label, ("What", "State", "Says", "What to do"), rows)


def _dependencies(visit: Visit) -> list[tuple[str, Markup, str]]:
    policy, currency = visit.desk.desks.policy, visit.desk.platform.settings.currency
    rules = policy.compiled.policy.dependencies
    states = policy.watch.states()
    rows: list[tuple[str, Markup, str]] = []
    for one in Dependency:
        failing = states.get(one.value)
        says, kind = ("not asked here", "soft")
        if failing is not None:
            says, kind = ("fails", "bad") if failing else ("answers", "good")
        rule = rules.get(one.value)
        then = "all but operators' acts are denied" if rule is None else does(rule, currency)
        rows.append((one.value, h("span", says, class_=kind), then))
    return rows


async def _lists(visit: Visit) -> Markup:
    """Each list: where it comes from, how many entries it has, since when it is not confirmed."""
    kept = await visit.desk.read(kept_lists)
    if not kept:
        return note("None was taken over.")
    rows = [
        (one.name, one.source, f"{one.members:,}", moment(one.at), f"event {one.event}")
        for one in kept.values()
    ]
    columns = ("List", "From", "Entries", "Newest at", "Recorded as")
    return table("Lists of vendors", columns, rows)


def _alerts(visit: Visit) -> Markup:
    recent = list(visit.desk.heard)[::-1]
    if not recent:
        return note("None since the service started.")
    rows = [(moment(at), says, more) for at, says, more in recent]
    return table("Alerts", ("At", "Alert", "More"), rows)


async def policy_page(visit: Visit) -> Response:
    """The policy in force, and for whom it decides otherwise than the one before.

    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    await visit.view("policy")
    policy = visit.desk.desks.policy
    compiled = policy.compiled
    stored = await visit.desk.read(lambda reader: policies_until(reader, compiled.version, 2))
    measures = policy.measures.current
    header = compiled.policy.header
    facts: list[tuple[str, Child]] = [
        ("Version", str(compiled.version)),
        ("Good from", moment(header.effective_at)),
        ("Approved by", _officers(stored[0][1])),
        ("Recorded as", f"event {stored[0][2]}"),
        ("Rows", f"{len(compiled.policy.decisions)} rows, {len(compiled.policy.limits)} limits"),
        ("In shadow", str(policy.shadow_version or "none")),
    ]
    tightened = [(one.entry, moment(one.since), str(one.event)) for one in measures]
    inside = (
        h("h1", "Policy in force"),
        pairs(facts),
        h("h2", "What changed, and for whom"),
        *await _changed(visit, stored),
        h("h2", "Tightenings in force"),
        table("Tightenings", ("Entry", "Since", "Event"), tightened)
        if tightened
        else note("None."),
        h("h2", "Mechanisms that it asks for"),
        table("Mechanisms", ("What", "Asked", "In use", "Waits for"), _mechanisms(visit)),
        h("h2", "Who may do what"),
        table("Roles", ("Role", "Acts"), _roles(visit)),
    )
    return page("Policy", inside, frame=await visit.frame(), here="/desk/policy")


def _mechanisms(visit: Visit) -> list[tuple[Child, ...]]:
    nothing = h("span", "nothing", class_="good")
    return [
        (one.what, one.asked or "nothing", one.now, one.waits or nothing)
        for one in served_ways(visit.desk.platform)
    ]


def _officers(envelope: str) -> str:
    return ", ".join(one.officer for one in read_policy_file(envelope.encode()).signatures)


def _roles(visit: Visit) -> list[tuple[str, str]]:
    rules = visit.desk.desks.policy.compiled.policy.operators
    return [
        (role, ", ".join(f"{act} (two)" if act in rules.two_people else act for act in acts))
        for role, acts in rules.roles.items()
    ]


async def _changed(visit: Visit, stored: list[tuple[int, str, int]]) -> Iterable[Markup]:
    if len(stored) < 2:
        return (note("This is the first policy."),)
    (new, new_file, _), (old, old_file, _) = stored

    def work() -> tuple[Change, ...]:
        before, after = (
            read_kept(policy_text(read_policy_file(one.encode()))) for one in (old_file, new_file)
        )
        return changes(before, after)

    try:
        found = await _fresh(visit, f"changes {old} {new}", work, 24 * 60 * MINUTE_MS)
    except MfsError as error:
        return (note("The two versions could not be compared.", error.detail, "bad"),)
    if not found:
        return (note(f"Version {new} decides as version {old} did."),)
    rows = [
        (f"{one.was} \N{RIGHTWARDS ARROW} {one.now}", one.conditions, one.example,
         f"{one.before} \N{RIGHTWARDS ARROW} {one.after}")
        for one in found[:_MOST_CHANGES]
    ]  # fmt: skip
    more = len(found) - len(rows)
    return (
        h("p", f"Version {old} to {new}: {len(found)} changes.", class_="soft"),
        table("Changes", ("Decided", "For whom", "As with", "By"), rows),
        *((h("p", f"{more} more are not shown.", class_="soft"),) if more else ()),
    )


async def programs_page(visit: Visit) -> Response:
    """The identities of partners' programs.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """
    await visit.view("programs")
    rows = await visit.desk.read(workloads)
    issue = visit.may("issue-workload")
    inside = (
        h("h1", "Programs of partners"),
        h(
            "p",
            "A program asks under an identity of its own, never under a person's. A secret is shown"
            " once when it is made, and only its digest is kept.",
            class_="lead",
        ),
        table("Programs", ("Program", "Id", "May ask", "State", "Ends", ""),
              [_program(visit, one) for one in rows])
        if rows
        else note("There is none."),
        h("h2", "Let a program ask") if issue else None,
        act_form(visit, "issue-workload", DRAFTS["issue-workload"]) if issue else None,
    )  # fmt: skip
    return page("Programs", inside, frame=await visit.frame(), here="/desk/programs")


def _program(visit: Visit, one: Workload) -> tuple[Child, ...]:
    ended = one.expires_at <= visit.desk.now()
    state = "expired" if ended and one.status == "active" else one.status
    revokes = state == "active" and visit.may("revoke-workload")
    return (
        one.label,
        h("span", one.id, class_="mono"),
        f"{one.scope}, by {one.way}",
        state,
        iso_utc(one.expires_at)[:10],
        act_form(visit, "revoke-workload", DRAFTS["revoke-workload"], {"workload": one.id})
        if revokes
        else None,
    )
