"""From a form to an act: the canonical body out of what was typed, and the act to be signed.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.3
"""

import re
from collections.abc import Mapping

from tallystick.application.desk.workloads import PAYMENT_CRYPTOGRAPHY, SIGNED_V4
from tallystick.application.operators.service import code_hash
from tallystick.entry.http.console.drafting import DRAFTS, Asked, Draft
from tallystick.entry.http.console.sessions import Prepared
from tallystick.entry.http.operations import SCHEMAS, operation
from tallystick.entry.setup import one_time_code
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url, encode_canonical, from_plain
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.ids import timed_id
from tallystick.kernel.model import ABSENT
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS, MINUTE_MS, Instant
from tallystick.protocol.operators import Act

ALONE_MS, SECONDED_MS = 10 * MINUTE_MS, 8 * HOUR_MS
"""How long an act is good for: one that is done at once, and one that waits for somebody."""

Plain = dict[str, str | int | bool | list[str]]

_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


def draft_of(name: str) -> Draft:
    """The draft of act `name`.

    Raises NotFound for one that the desk does not offer.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    found = DRAFTS.get(name)
    if found is None:
        raise NotFound("the desk has no such act", remedy="look at the list of acts")
    return found


def body_from(name: str, form: Mapping[str, str]) -> tuple[bytes, Secret[str] | None]:
    """The canonical body of act `name` out of a form, and what was made for it, to be shown once.

    Raises Malformed with the label of the first field that does not fit.
    Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.4
    """
    draft = draft_of(name)
    plain: Plain = dict(draft.fixed)
    for asked in draft.fields:
        value = form.get(asked.name, "").strip()
        if value or asked.required:
            plain[asked.name] = _taken(asked, value)
    if "amount" in plain:
        amount = Money.parse(str(plain.pop("amount")), str(plain.get("currency", "")))
        plain["amount_minor"] = amount.minor
    made = None
    if draft.makes:
        made = _made(draft, plain)
    try:
        return encode_canonical(from_plain(plain, SCHEMAS[operation(name).request])), made
    except Malformed as error:
        raise Malformed(_which(draft, error.detail), remedy="go back and correct it") from error


def _made(draft: Draft, plain: Plain) -> Secret[str] | None:
    """The code or secret that goes with `plain`, which is told its digest; None for a program whose
    secret the provider derives.
    """
    if plain.get("scope") == PAYMENT_CRYPTOGRAPHY:
        label = sha256(str(plain["label"]).encode())
        plain |= {"way": SIGNED_V4, "verifier": b64url(label)}
        return None
    made = one_time_code()
    if draft.makes == "code":
        plain["code_hash"] = code_hash(made.reveal())
    else:
        plain |= {"way": "secret", "verifier": b64url(sha256(made.reveal().encode()))}
    return made


def _which(draft: Draft, detail: str) -> str:
    for asked in draft.fields:
        if f"$.{asked.name}`" in detail:
            return (
                f"the field {asked.label} does not fit: {asked.hint or 'it is too short or long'}"
            )
    return "a field does not fit"


def _taken(asked: Asked, value: str) -> str | int | list[str]:
    if asked.several:
        return [one.strip() for one in value.split(",")]
    if asked.digest and value and not _DIGEST.fullmatch(value):
        return b64url(sha256(value.encode()))
    return _whole(asked, value) if asked.whole else value


def _whole(asked: Asked, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise Malformed(f"the field {asked.label} is a whole number", remedy="go back, correct it")
    return int(value)


def prepared(
    name: str,
    operator: str,
    body: bytes,
    now: Instant,
    entropy: bytes,
    *,
    approves: str = "",
    shown: str = "",
    life_ms: int = ALONE_MS,
    code: Secret[str] | None = None,
) -> Prepared:
    """The act `name` of `operator` over `body`, ready to be signed; `entropy` is 10 octets.

    `shown` is the digest of what was shown of the act that it `approves`.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    act = Act(
        id=timed_id("act", now, entropy),
        name=name,
        operator=operator,
        body_hash=b64url(sha256(body)),
        approves=approves,
        shown=shown or ABSENT,
        issued_at=now,
        expires_at=now + life_ms,
    )
    return Prepared(act=act, octets=encode_canonical(act), body=body, code=code)
