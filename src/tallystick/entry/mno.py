"""The mobile network as the CAMARA definitions describe it, asked before acts that rest on a SIM.

    POST /sim-swap/.../retrieve-date            phoneNumber -> latestSimChange, monitoredPeriod
    POST /device-swap/.../retrieve-date         phoneNumber -> latestDeviceChange, monitoredPeriod
    POST /number-recycling/.../check            phoneNumber, specifiedDate -> phoneNumChanged
    POST /device-roaming-status/.../retrieve    device -> roaming
    POST /number-verification/.../verify        phoneNumber, under the phone's own access

Which of them a network offers, at which version, and the bearer are in FOLDER/mno.json, which is
read again at every question, so that a new bearer needs no restart. A refusal of the bearer, a
limit or a silence is a failure of the dependency; a number that the network does not know is not.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; GSMA Open Gateway
"""

import asyncio
import http.client
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from tallystick.application.customers import Customer
from tallystick.application.own_commands import SignalsSeen
from tallystick.application.signals import UNKNOWN, Answers
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.notes import Note
from tallystick.entry.partner_settings import MnoAccess
from tallystick.entry.writing import WriterLoop
from tallystick.kernel.codec import Decoder, encode
from tallystick.kernel.errors import Malformed, MfsError, Unavailable
from tallystick.kernel.time import DAY_MS
from tallystick.process.policy import Dependency

TIMEOUT_S = 2.0
SIGNAL = Dependency.SIM_SIGNAL.value
SIM_SWAP = "sim-swap"
DEVICE_SWAP = "device-swap"
RECYCLING = "number-recycling"
ROAMING = "device-roaming-status"
VERIFICATION = "number-verification"
_MOST_ANSWER = 16 * 1024
_AT_ONCE = 8
_UNKNOWN_NUMBER = frozenset({404, 422})
_objects = Decoder(dict[str, object], limit=_MOST_ANSWER)


class Mno:
    """One network as `access` says it is reached now.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, access: MnoAccess, timeout_s: float = TIMEOUT_S) -> None:
        self._access = access
        self._parts = urlsplit(access.url)
        self._timeout_s = timeout_s

    def answers(self, msisdn: str, opened_at: int) -> Answers:
        """Everything that the network says of `msisdn`, whose account was opened at `opened_at`.

        Raises Unavailable if a question goes unanswered, Malformed for an answer that is none.
        Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.5
        """
        number = {"phoneNumber": msisdn}
        sim_at, sim_seen = self._changed(SIM_SWAP, "latestSimChange", number)
        device_at, device_seen = self._changed(DEVICE_SWAP, "latestDeviceChange", number)
        day = datetime.fromtimestamp(opened_at / 1000, UTC).date().isoformat()
        recycled = self._ask(RECYCLING, "/check", {**number, "specifiedDate": day})
        roaming = self._ask(ROAMING, "/retrieve", {"device": number})
        return Answers(
            sim_changed_at=sim_at,
            sim_seen_ms=sim_seen,
            device_changed_at=device_at,
            device_seen_ms=device_seen,
            recycled=_truth(recycled, "phoneNumChanged"),
            roaming=_truth(roaming, "roaming"),
        )

    def is_number_of(self, msisdn: str, bearer: str) -> bool:
        """Whether the phone that got `bearer` over the network's own way has this number.

        Raises Unavailable where the network does not say.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        found = self._ask(VERIFICATION, "/verify", {"phoneNumber": msisdn}, bearer)
        if found is None:
            raise Unavailable("the network does not say whose number it is")
        return _truth(found, "devicePhoneNumberVerified")

    def _changed(self, api: str, member: str, number: dict[str, str]) -> tuple[int, int]:
        found = self._ask(api, "/retrieve-date", number)
        if found is None:
            return UNKNOWN, 0
        if member not in found:
            raise Malformed("the network's answer has no date")
        days = found.get("monitoredPeriod", 0)
        if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= 100_000:
            raise Malformed("the network's monitored period is no number of days")
        moment = found[member]
        if moment is None:
            return (0, days * DAY_MS) if days else (UNKNOWN, 0)
        return _moment(moment), 0

    def _ask(self, api: str, path: str, body: object, bearer: str = "") -> dict[str, object] | None:
        """The answer of one interface; None where it is not offered or does not know the number."""
        base = self._access.apis.get(api)
        if base is None:
            return None
        if not (bearer or self._access.bearer):
            raise Unavailable(
                "mno.json has no bearer, which a backup leaves out",
                remedy="write the bearer that the network gave you into mno.json",
            )
        secure = self._parts.scheme == "https"
        link = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = link(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        fields = {
            "content-type": "application/json",
            "authorization": f"Bearer {bearer or self._access.bearer}",
        }
        try:
            where = self._parts.path.rstrip("/") + base + path
            connection.request("POST", where, encode(body), fields)
            response = connection.getresponse()
            octets = response.read(_MOST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable("the mobile network does not answer") from error
        finally:
            connection.close()
        if response.status in _UNKNOWN_NUMBER:
            return None
        if response.status != 200:
            raise Unavailable(f"the mobile network refuses with {response.status}")
        return _objects.decode(octets)


class MnoLink:
    """Asks the network about a customer unless it was just asked, and hands on what it says.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """

    def __init__(self, platform: Platform, writer: WriterLoop, accounting: Accounting) -> None:
        """Ask the network of the provider's folder, if there is one.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._platform = platform
        self._writer = writer
        self._accounting = accounting
        self._signals = platform.desks.signals
        self._watch = platform.desks.policy.watch
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self._asking: dict[str, asyncio.Task[None]] = {}
        if self._signals.connected:
            self._watch.connect(SIGNAL)

    async def refresh(self, customer: Customer) -> None:
        """See to it that what is known of the SIM of `customer` is of now, if anybody says it.

        Never raises: what is not known is for the policy to judge.
        Source: ISO/TS 12812-2:2017, 7.3.2
        """
        if self._signals.fresh(customer, self._platform.clock.now()):
            return
        asking = self._asking.get(customer.id)
        if asking is None:
            asking = asyncio.create_task(self._ask(customer))
            self._asking[customer.id] = asking
            asking.add_done_callback(lambda _: self._asking.pop(customer.id, None))
        await asyncio.shield(asking)

    async def _ask(self, customer: Customer) -> None:
        try:
            msisdn = self._platform.desks.customers.profile(customer).msisdn
        except MfsError:
            return
        async with self._limit:
            answers = await asyncio.to_thread(
                _asked, self._platform.folder.mno, msisdn, customer.opened_at
            )
        now = self._platform.clock.now()
        if isinstance(answers, MfsError):
            self._watch.failed(SIGNAL, now)
            self._accounting.note(Note.NETWORK_DID_NOT_SAY, why=answers.detail)
            return
        self._watch.answered(SIGNAL, now)
        await self._writer.ask(SignalsSeen(customer.id, answers))


def _asked(
    access: Callable[[], MnoAccess | None], msisdn: str, opened_at: int
) -> Answers | MfsError:
    try:
        found = access()
        if found is None:
            return Unavailable("there is no access to a mobile network any more")
        return Mno(found).answers(msisdn, opened_at)
    except MfsError as error:
        return error


def _truth(found: dict[str, object] | None, member: str) -> bool:
    if found is None:
        return False
    value = found.get(member)
    if not isinstance(value, bool):
        raise Malformed("the network's answer is neither yes nor no")
    return value


def _moment(text: object) -> int:
    """Milliseconds of an RFC 3339 time, which names its time zone."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.timestamp() <= 0:
        raise Malformed("the network's answer has a time that is none")
    return int(moment.timestamp() * 1000)
