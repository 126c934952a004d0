"""Reads certificates out of a JSON export of the sec-certs project: CC, FIPS 140 and EUCC.

Only what `EvaluationCertificate` holds is taken. Such an export names no vulnerability analysis
apart from the augmentations of the level, and no digests.

Source: ISO/TS 12812-2:2017, 9.1; 9.4
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

from tallystick.kernel.errors import Malformed, MfsError, TooLarge
from tallystick.kernel.model import Record
from tallystick.process.isms.certificates import EvaluationCertificate, Withdrawal, checked
from tallystick.process.yamltext.quantities import day_ms
from tallystick.process.yamltext.section import UNBOUNDED

MOST_BYTES = 512 * 1024 * 1024
_EAL = re.compile(r"^(EAL[1-7])\+?$")
_VAN = re.compile(r"^AVA_VAN\.[1-5]$")
_NAME = re.compile(r"[^A-Za-z0-9 ._/:-]+")
_NO_END = 2**53 - 1
_FIVE_YEARS_MS = 5 * 365 * 86_400_000


class Imported(Record, frozen=True, kw_only=True):
    """What an export has: certificates, those that are withdrawn, and what could not be taken.

    Source: ISO/TS 12812-2:2017, 9.4
    """

    certificates: tuple[EvaluationCertificate, ...]
    withdrawn: tuple[Withdrawal, ...]
    left: tuple[str, ...]


def read_seccerts(octets: bytes) -> Imported:
    """The certificates in an export, a whole data set or one certificate.

    What lacks a level, a date or a name is left, and named. Raises TooLarge, Malformed.
    Source: ISO/TS 12812-2:2017, 9.4
    """
    if len(octets) > MOST_BYTES:
        raise TooLarge("the export is larger than 512 MiB", remedy="export fewer certificates")
    try:
        root: object = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise Malformed("the export is not JSON") from error
    alone: list[object] = [root]
    fields = cast("dict[str, object]", root) if isinstance(root, dict) else {}
    rows = fields.get("certs", alone) if fields else None
    if not isinstance(rows, list):
        raise Malformed("the export has no list of certificates", remedy="use to_json of sec-certs")
    taken: list[EvaluationCertificate] = []
    ended: list[Withdrawal] = []
    left: list[str] = []
    for row in cast("list[object]", rows):
        try:
            certificate, withdrawal = _certificate(row)
        except MfsError as error:
            left.append(f"{_shown(row)}: {error.detail}")
            continue
        taken.append(certificate)
        ended += [] if withdrawal is None else [withdrawal]
    return Imported(certificates=tuple(taken), withdrawn=tuple(ended), left=tuple(left))


def _certificate(row: object) -> tuple[EvaluationCertificate, Withdrawal | None]:
    if not isinstance(row, dict):
        raise Malformed("not a certificate")
    fields = cast("dict[str, object]", row)
    sort = str(fields.get("_type", ""))
    if sort.endswith("FIPSCertificate"):
        return _fips(fields)
    if sort.endswith("EUCCCertificate"):
        return _criteria(fields, "eucc")
    if sort.endswith(("CommonCriteriaCert", "CCCertificate")):
        return _criteria(fields, "cc")
    raise Malformed(f"no known sort of certificate: {sort[:60]!r}")


def _criteria(
    fields: Mapping[str, object], scheme: str
) -> tuple[EvaluationCertificate, Withdrawal | None]:
    named = [str(one) for one in _elements(fields.get("security_level"))]
    levels = sorted(match[1] for one in named if (match := _EAL.match(one)))
    if not levels:
        raise Malformed("it names no level")
    found = _part(fields, "heuristics").get("cert_id") or fields.get("cert_id")
    identifier = str(found or f"{scheme}-{fields.get('dgst', '')}")
    profiles = [
        str(cast("dict[str, object]", one).get("pp_name", ""))
        for one in _elements(fields.get("protection_profiles"))
        if isinstance(one, dict)
    ]
    certificate = checked(
        EvaluationCertificate(
            id=_word(identifier.removeprefix("CERTIFICATE ")),
            component=_word(fields.get("name")),
            scheme=scheme,
            level=levels[-1],
            van=max((one for one in named if _VAN.match(one)), default=""),
            protection_profile=(profiles[0] if profiles else "")[:200],
            issuer=str(fields.get("scheme", ""))[:8],
            laboratory=str(_part(fields, "heuristics").get("cert_lab") or "")[:80],
            valid_from=_day(fields.get("not_valid_before")),
            valid_to=_day(fields.get("not_valid_after")),
        )
    )
    return certificate, _ended(certificate, str(fields.get("status") or "active"), "")


def _fips(fields: Mapping[str, object]) -> tuple[EvaluationCertificate, Withdrawal | None]:
    web = _part(fields, "web_data")
    standard = str(web.get("standard", "")).lower().replace(" ", "-")
    history = [_day(one.get("date")) for one in _dated(web)]
    if not history:
        raise Malformed("it names no day of validation")
    sunset = web.get("date_sunset")
    certificate = checked(
        EvaluationCertificate(
            id=f"CMVP-{fields.get('cert_id', '')}",
            component=_word(web.get("module_name")),
            scheme=standard[:20],
            level=str(web.get("level", "")),
            scope=str(web.get("caveat") or "")[:400],
            issuer="US",
            laboratory=str(_dated(web)[-1].get("lab") or "")[:80],
            valid_from=min(history),
            valid_to=_day(sunset) if sunset else max(history) + _FIVE_YEARS_MS,
        )
    )
    why = str(web.get("revoked_reason") or web.get("historical_reason") or "")
    return certificate, _ended(certificate, str(web.get("status") or "active"), why)


def _ended(certificate: EvaluationCertificate, status: str, why: str) -> Withdrawal | None:
    """That it counts no more; an export does not say since when, so it never counted here."""
    if status == "active":
        return None
    because = (why or f"its scheme says {status}").strip()[:80]
    return Withdrawal(certificate=certificate.id, at=certificate.valid_from, because=because)


def _dated(web: Mapping[str, object]) -> list[dict[str, object]]:
    rows = web.get("validation_history")
    kept = cast("list[object]", rows) if isinstance(rows, list) else []
    return [cast("dict[str, object]", one) for one in kept if isinstance(one, dict)]


def _part(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = fields.get(name)
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _elements(value: object) -> Iterator[object]:
    """The members of a set as the export writes one."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).get("elements")
        yield from cast("list[object]", members) if isinstance(members, list) else ()


def _word(value: object) -> str:
    text = _NAME.sub("-", str(value or "")).strip(" -")[:80].strip()
    if not text:
        raise Malformed("it has no name")
    return text


def _day(value: object) -> int:
    at = day_ms(str(value)[:10]) if value else UNBOUNDED
    if not 0 <= at <= _NO_END:
        raise Malformed("a day is missing, or before 1970")
    return at


def _shown(row: object) -> str:
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    return str(fields.get("name") or fields.get("cert_id") or fields.get("dgst") or "?")[:60]
