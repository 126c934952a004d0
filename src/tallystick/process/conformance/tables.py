"""The same findings as tables for people: the statement of applicability, and what was observed.

Comma-separated, UTF-8; a cell that a spreadsheet would take for a formula is quoted with an
apostrophe.

Source: ISO/TS 12812-2:2017, 5; 9.1; RFC 4180
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from tallystick.kernel.time import iso_utc
from tallystick.process.catalogue import Modality
from tallystick.process.conformance.certified import NEVER
from tallystick.process.conformance.findings import State
from tallystick.process.conformance.oscal.picture import Picture
from tallystick.process.conformance.oscal.plan import IMPLEMENTED
from tallystick.process.conformance.oscal.results import observations_of
from tallystick.process.conformance.workbook import workbook

_APPLICABILITY = (
    "id", "clause", "modality", "forbids", "requirement", "applies", "because", "state",
    "reason", "until", "implementation", "satisfied_of_period", "checks",
)  # fmt: skip
_OPEN = ("id", "modality", "requirement", "state", "reason", "says", "until", "missing")
_OBSERVATIONS = (
    "check", "kind", "attempts", "verdict", "observed", "fresh_until", "summary",
    "requirements", "log_size", "records",
)  # fmt: skip
_CERTIFICATES = (
    "id", "component", "scheme", "level", "protection_profile", "scope", "issuer", "laboratory",
    "recognition", "valid_from", "valid_to", "standing", "withdrawn", "because", "log_event",
    "covers",
)  # fmt: skip
_DOCUMENTS = ("file", "title", "owner", "scope", "issued", "valid_until", "sha256", "requirements")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def statement_of_applicability(picture: Picture) -> bytes:
    """Every row of the catalogue: whether it applies, why, how it stands, and on what that rests.

    Source: ISO/TS 12812-2:2017, 5
    """
    return comma_separated(_APPLICABILITY, _rows(picture))


def audit_workbook(picture: Picture) -> bytes:
    """The statement of applicability, what is open, what was observed and what is held, as sheets.

    Source: ISO/TS 12812-2:2017, 5; 9.1
    """
    return workbook(
        {
            "Applicability": (_APPLICABILITY, _rows(picture)),
            "Open findings": (_OPEN, _open(picture)),
            "Observations": (_OBSERVATIONS, _observations(picture)),
            "Certificates": (_CERTIFICATES, _certificates(picture)),
            "Documents": (_DOCUMENTS, _documents(picture)),
        }
    )


def _open(picture: Picture) -> Iterator[Sequence[object]]:
    """What is neither satisfied nor said not to apply, the requirements that shall hold first."""
    rows = picture.catalogue.requirements
    settled = {State.SATISFIED, State.NOT_APPLICABLE}
    found = [one for one in picture.findings if one.state not in settled]
    for one in sorted(found, key=lambda it: rows[it.requirement].modality is not Modality.SHALL):
        row = rows[one.requirement]
        until = iso_utc(one.until) if one.until else ""
        lacks = ", ".join(one.missing)
        yield (
            row.id, row.modality.value, row.text, one.state.value, one.reason.value, one.says,
            until, lacks,
        )  # fmt: skip


def _rows(picture: Picture) -> Iterator[Sequence[object]]:
    found = {one.requirement: one for one in picture.findings}
    offered = ", ".join(one.value for one in picture.services)
    checks: dict[str, list[str]] = {}
    for check in picture.checks:
        for identifier in check.requirements:
            checks.setdefault(identifier, []).append(check.id)
    for row in picture.catalogue.requirements.values():
        forbids = "yes" if row.prohibition else "no"
        first = (row.id, row.clause, row.modality.value, forbids, row.text)
        one = found.get(row.id)
        if one is None:
            yield (*first, "no", f"for other services than {offered}", *[""] * 6)
            continue
        applies = one.state is not State.NOT_APPLICABLE
        held = picture.effectiveness.get(row.id)
        yield (
            *first,
            "yes" if applies else "no",
            f"offered: {offered}" if applies else one.says,
            one.state.value,
            one.reason.value,
            iso_utc(one.until) if one.until else "",
            IMPLEMENTED[one.state],
            "" if held is None else held.says(),
            " ".join(checks.get(row.id, [])),
        )


def observation_table(picture: Picture) -> bytes:
    """Each observation that a finding rests on.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return comma_separated(_OBSERVATIONS, _observations(picture))


def _observations(picture: Picture) -> Iterator[Sequence[object]]:
    return (
        (
            one.check,
            one.kind.value,
            "yes" if one.attempts else "no",
            one.verdict.value,
            iso_utc(one.observed_at),
            iso_utc(one.fresh_until),
            one.summary,
            " ".join(one.requirements),
            "" if one.log is None else one.log.size,
            " ".join(str(index) for index in one.records),
        )
        for one in observations_of(picture.findings)
    )


def certificate_table(picture: Picture) -> bytes:
    """Each certificate of evaluation, and how it stands.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return comma_separated(_CERTIFICATES, _certificates(picture))


def _certificates(picture: Picture) -> Iterator[Sequence[object]]:
    for one in picture.certificates:
        found = one.certificate
        gone = one.withdrawn_event != NEVER
        yield (
            found.id,
            found.component,
            found.scheme,
            f"{found.level} {found.van}".strip(),
            found.protection_profile,
            found.scope,
            found.issuer,
            found.laboratory,
            found.recognition,
            iso_utc(found.valid_from),
            iso_utc(found.valid_to),
            one.standing(picture.made_at).value,
            iso_utc(one.withdrawn_at) if gone else "",
            one.because,
            one.event,
            " ".join(found.digests),
        )


def _documents(picture: Picture) -> Iterator[Sequence[object]]:
    return (
        (
            one.file,
            one.title,
            one.owner,
            one.scope,
            iso_utc(one.issued),
            iso_utc(one.valid_until),
            one.sha256,
            " ".join(one.requirements),
        )
        for one in picture.documents
    )


def comma_separated(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table of `head` and `rows`, which no spreadsheet takes for formulas.

    Source: RFC 4180
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(one) for one in row] for row in rows)
    return target.getvalue().encode()


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
