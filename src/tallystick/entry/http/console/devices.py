"""A customer's devices at the desk: their state, what they said of failed verifications, the stop.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.5
"""

from collections.abc import Iterable, Mapping

from tallystick.application.attempts import AttemptRow, reported_by
from tallystick.application.attempts.store import ATTEMPT
from tallystick.application.devices import Device
from tallystick.entry.http.console.desk import Visit
from tallystick.entry.http.console.drafting import DRAFTS
from tallystick.entry.http.console.markup import Markup, h
from tallystick.entry.http.console.page import hidden, moment, note, table
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.time import iso_utc
from tallystick.process.purposes import Part


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
    """The devices of a customer, where the purpose opens them, each with its kill switch.

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
            one.status.value + (f": {one.because}" if one.because else ""),
            one.trust,
            iso_utc(one.enrolled_at)[:10],
            tries[one.id],
            _device_act(visit, one),
        )
        for one in devices
    ]
    yield table(
        "Devices",
        ("Device", "Status", "Trust", "Enrolled", "Said of failed verifications", ""),
        rows,
    )


def _device_act(visit: Visit, device: Device) -> Markup | None:
    """The kill switch: a reason and one signature."""
    name = "suspend-device" if device.status.value == "active" else "resume-device"
    if device.status.value == "removed" or not visit.may(name):
        return None
    draft = DRAFTS[name]
    identifier = f"because-{device.id}"
    return h(
        "form",
        hidden("secret", visit.live.form_secret.reveal()),
        hidden("name_of_act", name),
        hidden("device", device.id),
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
            h(
                "button",
                "Suspend" if name == "suspend-device" else "Resume",
                class_="small stop" if draft.dangerous else "small",
            ),
            class_="row",
        ),
        method="post",
        action="/desk/acts",
    )
