"""A simulated mobile network that answers as the CAMARA definitions say, with faults on demand.

Sim Swap, Device Swap, Number Recycling, Device Roaming Status and Number Verification; errors have
`status`, `code` and `message`. It knows numbers that it was told of, and nothing of a person.

Source: ISO/TS 12812-2:2017, 7.2.3; GSMA Open Gateway
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http import HTTPStatus

from simulators.loopback import LoopbackServer, Request, Response
from tallystick.entry.partner_settings import MnoAccess
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import DAY_MS, HOUR_MS, Clock

APIS = {
    "sim-swap": "/sim-swap/v2",
    "device-swap": "/device-swap/v1",
    "number-recycling": "/number-recycling/v0.2",
    "device-roaming-status": "/device-roaming-status/v1",
    "number-verification": "/number-verification/v2",
}
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "IDENTIFIER_NOT_FOUND",
    422: "SERVICE_NOT_APPLICABLE",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_bodies = Decoder(dict[str, object])
Body = dict[str, object]


@dataclass(slots=True)
class Line:
    """What the network knows of one number; moments in ms, 0 where nothing happened.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    activated_at: int
    sim_changed_at: int = 0
    device_changed_at: int = 0
    recycled_at: int = 0
    abroad: bool = False
    phones: set[str] = field(default_factory=set)


class SimulatedMno:
    """Answers whoever has the bearer; `silent`, `fails_with` and `says` make it misbehave.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, clock: Clock, *, bearer: str = "simulated-bearer") -> None:
        """Listen on the loopback address.

        Source: RFC 9112
        """
        self.bearer = bearer
        self.lines: dict[str, Line] = {}
        self.asked: list[str] = []
        self.silent = False
        self.fails_with = 0
        self.says: bytes | None = None
        self.monitored_days = 0
        self._clock = clock
        self._server = LoopbackServer(self._handle)
        self._answers: dict[tuple[str, str], Callable[[Line, Body], Body]] = {
            ("sim-swap", "/retrieve-date"): self._sim_date,
            ("sim-swap", "/check"): self._sim_check,
            ("device-swap", "/retrieve-date"): self._device_date,
            ("device-swap", "/check"): self._device_check,
            ("number-recycling", "/check"): self._recycled,
            ("device-roaming-status", "/retrieve"): self._roaming,
        }

    @property
    def access(self) -> MnoAccess:
        """How a provider asks this network.

        Source: RFC 6750, 2.1
        """
        return MnoAccess(v=1, url=self._server.url, bearer=self.bearer, apis=APIS)

    def line(self, number: str) -> Line:
        """The number, which the network has from now on.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self.lines.setdefault(number, Line(self._clock.now() - 1000 * DAY_MS))

    def swap_sim(self, number: str, hours_ago: int = 0) -> None:
        """Give the number another SIM, so many hours ago.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        self.line(number).sim_changed_at = self._clock.now() - hours_ago * HOUR_MS

    def close(self) -> None:
        """Listen no more.

        Source: RFC 9112, 9.6
        """
        self._server.close()

    def _handle(self, request: Request) -> Response | None:
        self.asked.append(request.path)
        if self.silent:
            return None
        if self.fails_with:
            return _error(self.fails_with)
        if self.says is not None:
            return Response(200, self.says)
        for api, path in APIS.items():
            if request.path.startswith(path + "/"):
                try:
                    return self._answer(api, request.path.removeprefix(path), request)
                except (MfsError, ValueError):
                    return _error(400)
        return _error(404)

    def _answer(self, api: str, path: str, request: Request) -> Response:
        given = dict(request.fields).get("authorization", "")
        body = _bodies.decode(request.body)
        if api == "number-verification":
            return self._verified(path, given.removeprefix("Bearer "), body)
        if given != f"Bearer {self.bearer}":
            return _error(401)
        answer = self._answers.get((api, path))
        device = body.get("device", body)
        number = device.get("phoneNumber") if isinstance(device, dict) else None
        if answer is None or not isinstance(number, str):
            return _error(400)
        line = self.lines.get(number)
        if line is None:
            return _error(404)
        return Response(200, encode(answer(line, body)))

    def _date(self, changed_at: int, activated_at: int) -> str | None:
        """The last change or the activation; null where it is older than what is kept."""
        at = changed_at or activated_at
        kept = self.monitored_days * DAY_MS
        if kept and at < self._clock.now() - kept:
            return None
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")

    def _sim_date(self, line: Line, _: Body) -> Body:
        found = self._date(line.sim_changed_at, line.activated_at)
        return self._monitored("latestSimChange", found)

    def _device_date(self, line: Line, _: Body) -> Body:
        found = self._date(line.device_changed_at, line.activated_at)
        return self._monitored("latestDeviceChange", found)

    def _monitored(self, name: str, found: str | None) -> Body:
        if found is None:
            return {name: None, "monitoredPeriod": self.monitored_days}
        return {name: found}

    def _sim_check(self, line: Line, body: Body) -> Body:
        return {"swapped": self._within(line.sim_changed_at, body)}

    def _device_check(self, line: Line, body: Body) -> Body:
        return {"swapped": self._within(line.device_changed_at, body)}

    def _within(self, at: int, body: Body) -> bool:
        hours = body.get("maxAge", 240)
        if not isinstance(hours, int) or not 1 <= hours <= 2400:
            raise ValueError
        return at > self._clock.now() - hours * HOUR_MS

    def _recycled(self, line: Line, body: Body) -> Body:
        day = date.fromisoformat(str(body.get("specifiedDate")))
        since = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
        return {"phoneNumChanged": line.recycled_at > since}

    def _roaming(self, line: Line, _: Body) -> Body:
        now = datetime.fromtimestamp(self._clock.now() / 1000, UTC)
        found: Body = {"lastStatusTime": now.isoformat(), "roaming": line.abroad}
        if line.abroad:
            found |= {"countryCode": 640, "countryName": ["TZ"]}
        return found

    def _verified(self, path: str, phone: str, body: Body) -> Response:
        """Whether the phone that the bearer was given to has the number; each bearer works once."""
        number = body.get("phoneNumber")
        if path != "/verify" or not isinstance(number, str):
            return _error(400)
        for one, line in self.lines.items():
            if phone in line.phones:
                line.phones.remove(phone)
                return Response(200, encode({"devicePhoneNumberVerified": one == number}))
        return _error(401)


def _error(status: int) -> Response:
    message = HTTPStatus(status).phrase
    error = {"status": status, "code": _CODES.get(status, "UNKNOWN"), "message": message}
    return Response(status, encode(error))
