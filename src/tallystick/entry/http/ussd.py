"""The door of the phone that only dials: a gateway's message in, the next page out.

    message verified -> PIN sealed -> menu steps -> action -> provider -> menu resumes -> page

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.2; 12.2
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tallystick.application.channels import (
    Door,
    MenuFacts,
    Screen,
    Typed,
    UssdSession,
    check_fresh,
    interrupted,
    open_message,
    open_session,
    resume,
    step,
    taken,
)
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.http.asked import asked_for, count_answer, problem_of_refusal
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.partners import USSD_DOOR, Knocked, partners_of
from tallystick.entry.http.takingup import Dialler, Left, TakingUp
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.codec import Decoder, b64url, encode
from tallystick.kernel.errors import MfsError, NotAuthentic, Replayed, TooLarge
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.protocol.channels import SignedUssd, UssdMessage, UssdReply

_MAX_BYTES = 8192
_FRESH_MS = MINUTE_MS
_MAX_SESSIONS = 50_000
_SWEPT_AT_ONCE = 8
_SEEN_FOR_MS = 10 * MINUTE_MS
_enveloped = Decoder(SignedUssd, limit=_MAX_BYTES)
_plain = Decoder(UssdMessage, limit=_MAX_BYTES)


class _Said:
    """A message that was found authentic, its input hidden until it is taken, and then gone.

    `evidence` is the hash of what was signed, since the payload itself carries the PIN.
    """

    __slots__ = ("_typed", "evidence", "message")

    def __init__(self, message: UssdMessage, proof: str) -> None:
        self.message = replace(message, input="")
        self._typed = Secret(message.input)
        self.evidence = "sha256:" + b64url(sha256(proof.encode()))

    def take(self, session: UssdSession, facts: MenuFacts, door: Door) -> Typed:
        """The input as the menu takes it."""
        typed, self._typed = self._typed, Secret("")
        return taken(session, typed, facts, door)


@dataclass(slots=True)
class _Kept:
    """A session as its last message left it; its first page tells of the order `reports`."""

    session: UssdSession
    reports: str
    touched_at: int
    secret_seen: bool = False


class UssdDoor:
    """Carries dialled menus between gateways and the provider.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(
        self,
        platform: Platform,
        actions: DialledActions,
        accounting: Accounting,
        *,
        secure: bool,
    ) -> None:
        """Open the door to the gateways and partners of the settings; `secure`: the way is TLS.

        Raises Malformed or NotPermitted for partners that cannot be.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._platform = platform
        self._partners = partners_of(platform, secure=secure)
        self._actions = actions
        self._accounting = accounting
        self._gateways = {
            name: half.verify_key() for name, half in platform.settings.gateways.items()
        }
        self._taking_up = TakingUp(platform, actions)
        self._sessions: dict[tuple[str, str], _Kept] = {}
        self._newest: dict[Dialler, tuple[str, str]] = {}
        self._seen: dict[tuple[str, str], int] = {}

    async def message(self, request: Request) -> Response:
        """One input of a menu session, and the page that follows.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        asked_for(request, "ussd.message")
        body = await _body_of(request)
        knocked = self._partners.knocked(request, bytes(body), USSD_DOOR)
        if knocked is None:
            return await self._answered(request, _said(body, self._gateways))
        try:
            response = await self._answered(request, _of_partner(body, knocked))
        except MfsError as error:
            response = problem_of_refusal(self._accounting, request, error)
        return self._partners.answered(knocked, response)

    async def _answered(self, request: Request, said: _Said) -> Response:
        now, message = self._platform.clock.now(), said.message
        check_fresh(message, now, _FRESH_MS)
        self._once(message, now)
        screen = await self._next_page(said, now)
        reply = UssdReply(session=message.session, text=screen.text, ends=screen.ends)
        count_answer(self._accounting, request, 200, "")
        return Response(encode(reply), media_type="application/json")

    def _once(self, message: UssdMessage, now: int) -> None:
        for old in [one for one, at in self._seen.items() if at < now - _SEEN_FOR_MS]:
            del self._seen[old]
        if (message.gateway, message.id) in self._seen:
            raise Replayed("this message was received before", remedy="send each message once")
        self._seen[message.gateway, message.id] = now

    async def _next_page(self, said: _Said, now: Instant) -> Screen:
        message = said.message
        at = (message.gateway, message.session)
        kept, dialler = self._sessions.get(at), Dialler(message.gateway, message.msisdn)
        if kept is not None and self._actions.was_ended(_named(at)):
            self._sessions.pop(at)
            return interrupted(kept.session, self._actions.facts(now, message.msisdn))[1]
        if kept is None or kept.session.msisdn != message.msisdn:
            kept = self._begun(at, dialler, now)
        facts = self._actions.facts(now, message.msisdn)
        self._actions.register(_named(at), message.msisdn, facts)
        entry = said.take(kept.session, facts, self._actions.door(dialler.msisdn))
        kept.secret_seen = kept.secret_seen or not isinstance(entry, str)
        stepped = step(kept.session, entry, facts)
        self._taking_up.stepped(dialler, kept.session, stepped.session, kept.reports)
        while not isinstance(stepped.out, Screen):
            result = await self._taking_up.carry_out(dialler, stepped.out, said.evidence)
            now = self._platform.clock.now()
            facts = self._actions.facts(now, message.msisdn)
            stepped = resume(stepped.session, result, facts)
        kept.session, kept.touched_at = stepped.session, now
        if stepped.out.ends or len(self._sessions) > _MAX_SESSIONS:
            self._forget(at, dialler)
        else:
            self._sessions.pop(at, None)
            self._sessions[at] = kept
        return stepped.out

    def _begun(self, at: tuple[str, str], dialler: Dialler, now: Instant) -> _Kept:
        """A session that was just dialled, in place of the one before from this number."""
        self._sweep(now)
        before = self._sessions.pop(self._newest.get(dialler, ("", "")), None)
        left = None
        if before is not None:
            left = Left(before.session, before.touched_at, before.secret_seen)
            self._actions.strike(_named(self._newest[dialler]))
        begins, reports = self._taking_up.begins(dialler, left)
        self._newest[dialler] = at
        language = self._actions.language_of(dialler.msisdn)
        return _Kept(open_session(at[1], dialler.msisdn, now, language, begins), reports, now)

    def _sweep(self, now: Instant) -> None:
        """Forget a few of those that were not touched for longest, if it is time."""
        keep_ms = 2 * self._taking_up.window_ms()
        for _ in range(_SWEPT_AT_ONCE):
            at = next(iter(self._sessions), None)
            if at is None or now - self._sessions[at].touched_at <= keep_ms:
                break
            self._forget(at, Dialler(at[0], self._sessions[at].session.msisdn))

    def _forget(self, at: tuple[str, str], dialler: Dialler) -> None:
        self._sessions.pop(at, None)
        if self._newest.get(dialler) == at:
            del self._newest[dialler]
        self._actions.strike(_named(at))


def _named(at: tuple[str, str]) -> str:
    """The name of a menu session in the register of sessions."""
    return f"ussd:{at[0]}:{at[1]}"


async def _body_of(request: Request) -> bytearray:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise TooLarge(f"the body is larger than {_MAX_BYTES} bytes")
    return body


def _said(body: bytearray, gateways: Mapping[str, VerifyKey]) -> _Said:
    """What a gateway signed; `body` is empty afterwards."""
    signed = _enveloped.decode(bytes(body))
    body.clear()
    return _Said(open_message(signed, gateways), signed.message)


def _of_partner(body: bytearray, knocked: Knocked) -> _Said:
    """The message that a partner signed as an HTTP message; it names no other gateway."""
    message = _plain.decode_canonical(bytes(body))
    body.clear()
    if message.gateway != knocked.partner:
        raise NotAuthentic("the message is not signed by the gateway that it names")
    return _Said(message, knocked.proof)
