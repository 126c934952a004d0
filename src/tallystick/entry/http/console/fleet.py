"""Devices at the desk, all together: trust, sorts, signals, the trend, and whom which clause holds.

The page is about nobody, and yet it is opened for a purpose and recorded: small numbers can be one
person's.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.4; 8.1.1
"""

from collections.abc import Iterable, Iterator
from typing import Final

from starlette.responses import Response

from tallystick.entry.fleet import LOOKED_AT, Fleet, ShutOut, fleet_of
from tallystick.entry.http.console.charts import course, stacked_bar
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.markup import Child, Markup, h
from tallystick.entry.http.console.page import hidden, moment, note, page, table
from tallystick.entry.http.console.people import purpose_field
from tallystick.entry.reaching import touched_by
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.money import Money
from tallystick.kernel.time import MINUTE_MS
from tallystick.process.policy.compile import compile_policy
from tallystick.process.policy.facts import FOREVER, DeviceTrust, OperatorAct
from tallystick.process.policy.language.reading import read_policy
from tallystick.process.policy.reach import People
from tallystick.process.purposes import PURPOSES, Part, Purpose, purposes_for, visible
from tallystick.protocol.operators import ActivatePolicy
from tallystick.protocol.policy_file import policy_text, read_policy_file

HERE: Final = "/desk/fleet"
_activations: Final = Decoder(ActivatePolicy)
_KEPT_MS: Final = 5 * MINUTE_MS
_TRUSTS: Final = (
    (DeviceTrust.ATTESTED_HARDWARE.value, "keys proven in hardware", "mix-attested"),
    (DeviceTrust.SOFTWARE.value, "keys in software", "mix-software"),
    (DeviceTrust.UNKNOWN.value, "nothing vouches", "mix-unknown"),
)
_DAY_KINDS: Final = tuple((word, kind) for _, word, kind in _TRUSTS)
_WORDS: Final = {name: word for name, word, _ in _TRUSTS} | {
    DeviceTrust.NONE.value: "no device, dials"
}


def _purposes(visit: Visit) -> tuple[Purpose, ...]:
    return tuple(one for one in purposes_for(visit.acts()) if Part.DEVICES in visible(one))


async def fleet_form(visit: Visit) -> Response:
    """The question why somebody looks.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """
    await visit.view("fleet-form")
    purposes = _purposes(visit)
    asked = h(
        "form",
        hidden("secret", visit.live.form_secret.reveal()),
        h("div", purpose_field(purposes), class_="fields"),
        h("button", "Show the devices"),
        method="post",
        action=HERE,
    )
    inside = (
        h("h1", "Devices of all customers"),
        h(
            "p",
            "How many devices there are of which sort, how far they are trusted, and who may pay"
            " less for it. Every look is recorded with its purpose. Choose the true one.",
            class_="lead",
        ),
        asked if purposes else note("Your role has no purpose to look at devices."),
    )
    return page("Fleet", inside, frame=await visit.frame(), here=HERE, narrow=True)


async def fleet_page(visit: Visit) -> Response:
    """The fleet in numbers, for the purpose that the form names.

    Raises NotPermitted for a purpose that opens no devices.
    Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.4
    """
    purpose = visit.purpose(visit.form.get("purpose", ""))
    if purpose not in _purposes(visit):
        raise NotPermitted("this purpose opens no devices", remedy="choose one of the list")
    await visit.view("fleet", purpose.value)
    found = await _counted(visit)
    currency = visit.desk.desks.policy.compiled.policy.header.currency
    inside = (
        h("h1", "Devices of all customers"),
        h(
            "p",
            f"As of {moment(found.at)}, looked at because {PURPOSES[purpose].says}."
            " Nothing here names a customer.",
            class_="lead",
        ),
        *_trust(found),
        h("h2", "Who may pay less, and by which clause"),
        *_shut_out(found, currency),
        h("h2", "Trust over time"),
        *_trend(found),
        h("h2", "Signals of the last day"),
        *_signals(found),
        h("h2", "Sorts of devices"),
        *_sorts(found),
        h("h2", "Why trust is less"),
        *_rules(found),
    )
    return page("Fleet", inside, frame=await visit.frame(), here=HERE)


async def _counted(visit: Visit) -> Fleet:
    """The fleet as counted a little while ago, or now, beside the loop."""
    desk = visit.desk
    name, now = f"fleet {desk.desks.policy.version}", desk.now()
    known = desk.kept.get(name)
    if known is not None and now - known[0] <= _KEPT_MS and isinstance(known[1], Fleet):
        return known[1]
    policy = desk.desks.policy.compiled
    found = await desk.read(lambda reader: fleet_of(reader, now, policy, most=LOOKED_AT))
    desk.kept[name] = (now, found)
    return found


def _trust(found: Fleet) -> Iterator[Markup]:
    tiles = (
        (f"{found.devices:,}", "active devices"),
        (f"{found.shut_out_per_mille / 10:.1f} %", "of them with less than full trust"),
        (f"{sum(one.customers for one in found.people):,}", "customers"),
        (f"{found.watched:,}", "trusted for more than 30 days"),
    )
    yield h(
        "ul", *(h("li", h("b", value), h("span", label)) for value, label in tiles), class_="tiles"
    )
    yield h("h2", "Trust")
    parts = [(word, kind, found.by_trust.get(name, 0)) for name, word, kind in _TRUSTS]
    says = "Trust of active devices: " + ", ".join(f"{word} {many:,}" for word, _, many in parts)
    yield stacked_bar(parts, says)
    ended = [f"{many:,} {name}" for name, many in found.by_status.items() if name != "active"]
    if ended:
        yield h("p", f"Besides: {', '.join(ended)}.", class_="soft")


def _shut_out(found: Fleet, currency: str) -> Iterator[Markup]:
    if not found.shut_out:
        yield note("Nobody may pay less than with a proven device.", kind="good")
        return
    yield h(
        "p",
        "The most in one payment to somebody who was paid before, at noon, by an account known for"
        " long. What stops one minor unit more is the clause.",
        class_="soft",
    )
    columns = (
        "Devices", "Tier", "Counted", "Customers", "Payment", "At most", "With a proven device",
        "Clause",
    )  # fmt: skip
    rows: dict[tuple[People, int, str, int], list[ShutOut]] = {}
    for one in found.shut_out:
        alike = (one.people, one.reach.most_minor, one.reach.by, one.full_minor)
        rows.setdefault(alike, []).append(one)
    yield table("Who may pay less", columns, (_less(alike, currency) for alike in rows.values()))


def _less(alike: list[ShutOut], currency: str) -> tuple[Child, ...]:
    """Kinds of payment that the same clause holds at the same amount are one row."""
    one = alike[0]
    stopped = "" if one.reach.outcome == "deny" else f" ({one.reach.outcome})"
    return (
        _called(one.people),
        one.people.tier,
        f"{one.people.devices:,}",
        f"{one.people.customers:,}",
        ", ".join(each.reach.kind for each in alike),
        _amount(one.reach.most_minor, currency),
        _amount(one.full_minor, currency),
        h("span", h("b", one.reach.by), f"{stopped}: {one.reach.because}"),
    )


def _amount(minor: int, currency: str) -> str:
    if minor >= FOREVER:
        return "no bound"
    return str(Money(minor, currency)) if minor else "nothing"


def _trend(found: Fleet) -> Iterator[Markup]:
    days = [(one.day, (one.attested, one.software, one.unproven)) for one in found.days]
    if days:
        first, last = days[0], days[-1]
        says = (
            f"Shares of trust from {first[0]} to {last[0]}: proven {_percent(first[1])} at first,"
            f" {_percent(last[1])} at last"
        )
        yield course(days, _DAY_KINDS, says)
        rows = [
            (one.day, f"{one.attested:,}", f"{one.software:,}", f"{one.unproven:,}",
             ", ".join(f"{name} {many:,}" for name, many in one.signals.items()) or "none",
             one.event)
            for one in reversed(found.days)
        ]  # fmt: skip
        columns = ("Day", "Proven", "In software", "Unproven", "Signals of proven ones", "Event")
        yield _more("Day by day, each an event of the log",
                    table("Days", columns, rows))  # fmt: skip
    else:
        yield note("No day was counted yet.", "Devices are counted every hour.")
    months = [(one.month, f"{one.devices:,}", f"{one.trusted:,}") for one in found.months]
    if months:
        shown = table("Months", ("Enrolled in", "Devices", "Proven now"), reversed(months))
        yield _more("By month of enrolment", shown)


def _percent(counts: tuple[int, int, int]) -> str:
    return f"{100 * counts[0] / (sum(counts) or 1):.0f} %"


def _more(says: str, inside: Markup) -> Markup:
    return h("details", h("summary", says), inside)


def _signals(found: Fleet) -> Iterator[Markup]:
    if not found.signals:
        yield note("No app reported anything.")
        return
    yield h(
        "p",
        f"An app's word about its own telephone. Of the {found.watched:,} devices that were trusted"
        " for more than 30 days these reports count for the risk of all.",
        class_="soft",
    )
    rows = [(one.signal, f"{one.devices:,}", f"{one.established:,}") for one in found.signals]
    yield table("Signals", ("Signal", "Devices", "Of these trusted for long"), rows)


def _sorts(found: Fleet) -> Iterable[Markup]:
    if not found.classes:
        return (note("No device is enrolled."),)
    rows = [
        (one.attested, one.kept_in, one.system or "not said", f"{one.devices:,}",
         f"{one.trusted:,}")
        for one in found.classes
    ]  # fmt: skip
    columns = ("Attested by", "Keys kept in", "System", "Devices", "Trusted")
    newest = (
        h("p", f"Of the newest {found.looked_at:,} devices.", class_="soft")
        if found.looked_at < found.devices
        else None
    )
    shown = table("Sorts", columns, rows)
    return (shown,) if newest is None else (newest, shown)


def _rules(found: Fleet) -> Iterable[Markup]:
    if not found.rules:
        return (note("Every rule of appraisal held, or nothing was appraised."),)
    rows = [(name, f"{many:,}") for name, many in found.rules.items()]
    return (table("Rules", ("Rule of appraisal that did not hold", "Devices"), rows),)


def _called(people: People) -> str:
    """The devices of a class in words, and what they can show where that counts."""
    shows = f", show {' and '.join(people.factors)}" if people.factors else ""
    return _WORDS[people.trust] + shows


async def whom_it_touches(visit: Visit, act: str, body: bytes) -> Iterable[Markup]:
    """Whom the policy in the `body` of an act would give less; nothing for another act.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.3
    """
    if act != OperatorAct.ACTIVATE_POLICY.value:
        return ()
    envelope = _activations.decode(body).envelope
    compiled = compile_policy(read_policy(policy_text(read_policy_file(envelope.encode()))))
    found = await visit.desk.read(lambda reader: touched_by(reader, compiled))
    title = h("h2", "Who may pay less than now")
    if not found.narrowed:
        return (title, note("It gives nobody less.", kind="good"))
    currency = compiled.policy.header.currency
    rows = [
        (
            _called(one.people),
            one.people.tier,
            f"{one.people.devices:,}",
            f"{one.people.customers:,}",
            one.was.kind,
            _amount(one.was.most_minor, currency),
            _amount(one.now.most_minor, currency),
            h("span", h("b", one.now.by), f": {one.now.because}"),
        )
        for one in found.narrowed
    ]
    columns = (
        "Devices", "Tier", "Counted", "Customers", "Payment", "Now", "Then", "Clause",
    )  # fmt: skip
    return (title, table("Who may pay less than now", columns, rows))
