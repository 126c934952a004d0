"""The doors of the decision point: AuthZEN evaluations over the policy in force.

Whoever asks signs the body of the request as an operator signs an act (`evaluate-policy`) and sends
the signature as a bearer token, or is a program with an identity of its own; the policy says which
roles may ask. An answer is not a permit: nothing is executed and nothing is recorded.

Source: AuthZEN Authorization API 1.0; RFC 6750, 2.1; ISO/TS 12812-2:2017, 6.2.1
"""

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from tallystick.application.desk.workloads import is_workload
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.http.asked import (
    asked_for,
    body_of,
    count_answer,
    json_of,
    problem_of_refusal,
)
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, MfsError, Unauthenticated
from tallystick.kernel.model import Wire
from tallystick.process.policy.asked import Names, Plain, answer, answers
from tallystick.protocol.authzen import EVALUATE, AccessConfiguration, AccessDecisions

MAX_BYTES = 256 * 1024
COST = 0.5
_REQUEST_ID = "x-request-id"
_BEARER = "bearer "
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_objects = Decoder(dict[str, object], limit=MAX_BYTES)


class AccessDoors:
    """Answers questions to the policy.

    Source: AuthZEN Authorization API 1.0
    """

    def __init__(
        self, platform: Platform, accounting: Accounting, names: Names = (), *, secure: bool
    ) -> None:
        """Answer by the policy in force; `secure` says that the way here is TLS.

        Source: AuthZEN Authorization API 1.0, 10
        """
        self._platform = platform
        self._accounting = accounting
        self._names = names
        self._scheme = "https" if secure else "http"

    async def evaluation(self, request: Request) -> Response:
        """Answer one question.

        Source: AuthZEN Authorization API 1.0, 6
        """
        return await self._answered(request, "access.evaluation", self._one)

    async def evaluations(self, request: Request) -> Response:
        """Answer several questions, or one where none are listed.

        Source: AuthZEN Authorization API 1.0, 7
        """
        return await self._answered(request, "access.evaluations", self._several)

    async def configuration(self, request: Request) -> Response:
        """Where the decision point answers.

        Source: AuthZEN Authorization API 1.0, 9
        """
        asked_for(request, "access.configuration")
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            raise Malformed("the request names no host")
        base = f"{self._scheme}://{host}"
        count_answer(self._accounting, request, 200, "")
        return json_of(
            AccessConfiguration(
                policy_decision_point=base,
                access_evaluation_endpoint=f"{base}/access/v1/evaluation",
                access_evaluations_endpoint=f"{base}/access/v1/evaluations",
            )
        )

    def _one(self, asked: Plain) -> Wire:
        return answer(self._platform.desks.policy.compiled, asked, self._names)

    def _several(self, asked: Plain) -> Wire:
        if not asked.get("evaluations", ()):
            return self._one(asked)
        compiled = self._platform.desks.policy.compiled
        return AccessDecisions(evaluations=answers(compiled, asked, self._names))

    async def _answered(
        self, request: Request, operation: str, reply: Callable[[Plain], Wire]
    ) -> Response:
        """What `reply` says to the body; a refusal too repeats the caller's id of the request."""
        asked_for(request, operation)
        try:
            response = json_of(reply(await self._asked(request)))
            count_answer(self._accounting, request, 200, "")
        except MfsError as error:
            response = problem_of_refusal(self._accounting, request, error)
        if _REQUEST_ID in request.headers:
            response.headers[_REQUEST_ID] = request.headers[_REQUEST_ID]
        return response

    async def _asked(self, request: Request) -> Plain:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Malformed("send content-type: application/json")
        now = self._platform.clock.now()
        body = await body_of(request, self._accounting, now, cost=COST, limit=MAX_BYTES)
        given = request.headers.get("authorization", "")
        if not given.lower().startswith(_BEARER):
            raise Unauthenticated(
                "nobody signed the question",
                remedy="sign the body as an operator and send the signature as a bearer token",
            )
        bearer = given[len(_BEARER) :].strip()
        if is_workload(bearer):
            self._platform.desks.desk.workloads.admit(bearer, body, EVALUATE, now)
            return _objects.decode(body)
        operators = self._platform.desks.operators
        signed = operators.verify(bearer, body, EVALUATE, now)
        operators.check(signed, now)
        return _objects.decode(body)
