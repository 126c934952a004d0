"""A customer's devices at the desk: their state, what they said of failed verifications, the stop.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from collections.abc import Iterable, Mapping

from tallystick.application.attempts import AttemptRow, reported_by
from tallystick.application.attempts.store import ATTEMPT
from tallystick.application.devicelife import Act, By, Wipe, acts_for
from tallystick.application.devices import Device, DeviceStatus
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.page import hidden, moment, note, table
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.time import iso_utc
from tallystick.process.purposes import Part

_SIMPLE = (
    (Act.SUSPEND, "suspend-device", "Suspend"),
    (Act.RESUME, "resume-device", "Resume"),
)
_ENDED = {
    Act.LOSE: "it is lost",
    Act.STEAL: "it was stolen",
    Act.HAND_ON: "it is given away",
    Act.DEACTIVATE: "it is taken out",
}


def said_of_tries(reader: Connection, devices: tuple[Device, ...]) -> dict[str, str]:
    """What each of `devices` said of failed verifications, by id, in words.

    Source: ISO/TS 12812-2:2017, 7.3.2; 8.1.5
    """
    rows = RowCache(ATTEMPT, AttemptRow, reader, capacity=2 * len(devices))
    rows.prefetch(name for one in devices for name in (one.id, reported_by(one.id)))
    return {one.id: _tries(rows, one.id) for one in devices}


def _tries(rows: RowCache[AttemptRow], device: str) -> str:
    """What a device said of failed verifications; that it said nothing proves nothing."""
    said, counted = rows.get(reported_by(device)), rows.get(device)
    if said is None:
        return "never said anything"
    in_row = 0 if counted is None else counted.failures
    less = f", {said.held} times less than before" if said.held else ""
    return f"{said.failures} in all, {in_row} tries count, last {moment(said.tried_at)}{less}"


def shown_devices(
    visit: Visit,
    devices: tuple[Device, ...],
    tries: Mapping[str, str],
    parts: frozenset[Part],
) -> Iterable[Markup]:
    """The devices of a customer, where the purpose opens them, each with what may be done about it.

    Source: ISO/TS 12812-2:2017, 7.3.4; 7.4.5
    """
    if Part.DEVICES not in parts:
        return
    yield h("h2", "Devices")
    if not devices:
        yield note("No device is enrolled.")
        return
    rows = [
        (
            h("span", one.id, class_="mono"),
            _state(visit, one),
            _trust(visit, one),
            iso_utc(one.enrolled_at)[:10],
            tries[one.id],
            _device_acts(visit, one),
        )
        for one in devices
    ]
    yield table(
        "Devices",
        ("Device", "Status", "Trust", "Enrolled", "Said of failed verifications", ""),
        rows,
    )


def _trust(visit: Visit, device: Device) -> str:
    """How far the device is trusted, and the rules of appraisal that speak against it."""
    if not device.attestation.startswith(b"["):
        return device.trust
    rules = visit.desk.desks.devices.attesting.words(device)["rules"]
    return f"{device.trust}: {rules}" if rules else device.trust


def _state(visit: Visit, device: Device) -> str:
    """Where the device stands, since when, and how far its wipe has come."""
    row = visit.desk.desks.life.row(device)
    because = f": {device.because}" if device.because else ""
    wipe = "" if row.wipe is Wipe.NONE else f", wipe {row.wipe.value}"
    return f"{device.status.value}{because}, since {iso_utc(row.since)[:10]}{wipe}"


def _device_acts(visit: Visit, device: Device) -> Markup | None:
    """What the table lets the care desk do: a reason and a signature, or two where it says so."""
    may = acts_for(device.status, By.CARE_DESK)
    forms: list[Markup] = []
    for act, name, says in _SIMPLE:
        again = act is Act.SUSPEND and device.status is DeviceStatus.SUSPENDED
        if act in may and visit.may(name) and not again:
            forms.append(_form(visit, device, name, says, None))
    ends = tuple(act for act in _ENDED if act in may)
    if ends and visit.may("remove-device"):
        choice = h(
            "select",
            *(h("option", _ENDED[one], value=one.value) for one in ends),
            name="how",
            id=f"how-{device.id}",
        )
        forms.append(_form(visit, device, "remove-device", "End", choice))
    return h("div", *forms) if forms else None


def _form(visit: Visit, device: Device, name: str, says: str, choice: Markup | None) -> Markup:
    identifier = f"because-{name}-{device.id}"
    return h(
        "form",
        hidden("secret", visit.live.form_secret.reveal()),
        hidden("name_of_act", name),
        hidden("device", device.id),
        *((h("label", "How it ends", for_=f"how-{device.id}"), choice) if choice else ()),
        h("label", "Reason", for_=identifier),
        h(
            "div",
            h(
                "input",
                type="text",
                id=identifier,
                name="because",
                required=True,
                maxlength=80,
                autocomplete="off",
            ),
            h("button", says, class_="small stop" if DRAFTS[name].dangerous else "small"),
            class_="row",
        ),
        method="post",
        action="/desk/acts",
    )
