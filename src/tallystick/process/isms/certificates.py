"""Certificates of evaluation, and how far one may be trusted now.

    certificate -> in time? withdrawn? of this very component? -> scheme table -> recognition
                -> a strength of ISO/IEC 18045, and in words why it is not more

Source: ISO/TS 12812-2:2017, 9.1; 9.2; 9.4
"""

from typing import Annotated

from tallystick.kernel.codec import Decoder, from_plain, to_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Natural, Record, ShortText, pattern
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.isms.schemes import SchemeTable, schemes, wire_word
from tallystick.process.programme.model import Certificate
from tallystick.process.programme.words import Strength
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import UNBOUNDED, Defects, Section
from tallystick.process.yamltext.tree import Scalar, read_nodes

CertificateIdText = Annotated[str, pattern(r"^[A-Za-z0-9][A-Za-z0-9 ._/:-]{2,79}$")]
Sha256Hex = Annotated[str, pattern("^[0-9a-f]{64}$")]

_WORDS = (
    "id", "component", "scheme", "level", "van", "protection_profile", "scope", "issuer",
    "laboratory", "recognition", "valid_from", "valid_to", "digests",
)  # fmt: skip


class EvaluationCertificate(Record, frozen=True, kw_only=True):
    """What was evaluated, under which scheme and level, by whom, and from when to when (ms).

    `issuer` is the country code of the issuing body, `recognition` the arrangement under which the
    provider believes it (empty: it believes the issuer itself). `digests` are the SHA-256 of what
    was evaluated; where they are named, nothing else is covered.
    Source: ISO/TS 12812-2:2017, 9.1; 9.4
    """

    id: CertificateIdText
    component: ShortText
    scheme: ShortText
    level: ShortText
    van: str = ""
    protection_profile: str = ""
    scope: str = ""
    issuer: str = ""
    laboratory: str = ""
    recognition: str = ""
    valid_from: Natural
    valid_to: Natural
    digests: tuple[Sha256Hex, ...] = ()


class Withdrawal(Record, frozen=True, kw_only=True):
    """That a certificate counts no more, from when (ms), and why.

    Source: ISO/TS 12812-2:2017, 9.1
    """

    certificate: CertificateIdText
    at: Natural
    because: ShortText


_withdrawals = Decoder(Withdrawal)


class Trust(Record, frozen=True, kw_only=True):
    """How far a certificate is trusted; `mapped` is false where the table does not know its level.

    `wire` is the strength as policies and other systems read it.
    Source: ISO/TS 12812-2:2017, 9.4; ISO/IEC 18045, B.4
    """

    strength: Strength
    wire: str
    mapped: bool
    says: str


def trust(
    certificate: EvaluationCertificate,
    now: Instant,
    *,
    withdrawn: Withdrawal | None = None,
    deployed: str = "",
    table: SchemeTable | None = None,
) -> Trust:
    """How far `certificate` is trusted at `now`; `deployed` is the SHA-256 of what is in use.

    It ends at once when the certificate ends, is withdrawn, is of something else than what is
    deployed, or its scheme ends.
    Source: ISO/TS 12812-2:2017, 9.1; 9.2; 9.4
    """
    rows = schemes() if table is None else table
    worth = rows.strength(certificate.scheme, certificate.level, certificate.van)
    against = _against(certificate, now, withdrawn, deployed)
    if worth is None:
        level = f"{certificate.scheme} {certificate.level} {certificate.van}".rstrip()
        return _none(against or f"the table of schemes does not know {level}", mapped=False)
    ends = rows.schemes[certificate.scheme].ends
    if not against and now >= ends:
        against = f"the scheme {certificate.scheme} ended at {iso_utc(ends)}"
    if against:
        return _none(against)
    return _recognised(certificate, worth, rows)


def _against(
    certificate: EvaluationCertificate, now: Instant, withdrawn: Withdrawal | None, deployed: str
) -> str:
    """Why the certificate counts for nothing, whatever its level; empty if it counts."""
    if withdrawn is not None and withdrawn.certificate == certificate.id and withdrawn.at <= now:
        return f"withdrawn at {iso_utc(withdrawn.at)}: {withdrawn.because}"
    if now >= certificate.valid_to:
        return f"it ended at {iso_utc(certificate.valid_to)}"
    if now < certificate.valid_from:
        return f"it begins at {iso_utc(certificate.valid_from)}"
    if certificate.digests and deployed and deployed not in certificate.digests:
        return "what is deployed is not what was evaluated"
    return ""


def _recognised(certificate: EvaluationCertificate, worth: Strength, rows: SchemeTable) -> Trust:
    level = f"{certificate.scheme} {certificate.level} {certificate.van}".rstrip()
    if not certificate.recognition:
        return Trust(strength=worth, wire=wire_word(worth), mapped=True, says=level)
    found = rows.arrangements.get(certificate.recognition)
    if found is None:
        return _none(f"no arrangement is called {certificate.recognition[:40]!r}")
    if certificate.scheme not in found.schemes or certificate.issuer not in found.members:
        return _none(
            f"{found.id} does not recognise {certificate.scheme} of {certificate.issuer or '?'}"
        )
    most = found.with_profile if certificate.protection_profile else found.most
    counted = min(worth, most)
    says = level if counted == worth else f"{level}, recognised under {found.id} so far only"
    return Trust(strength=counted, wire=wire_word(counted), mapped=True, says=says)


def _none(says: str, *, mapped: bool = True) -> Trust:
    return Trust(strength=Strength.NONE, wire=wire_word(Strength.NONE), mapped=mapped, says=says)


def of_programme(certificate: Certificate, component: str) -> EvaluationCertificate:
    """A certificate that the programme names, as one of `component`; it has no known beginning.

    Source: ISO/TS 12812-2:2017, 9.1
    """
    return EvaluationCertificate(
        id=certificate.id,
        component=component,
        scheme=certificate.scheme,
        level=certificate.level,
        van=certificate.van,
        protection_profile=certificate.protection_profile,
        valid_from=0,
        valid_to=certificate.valid_to,
    )


def read_certificate(text: str) -> EvaluationCertificate:
    """The certificate that a person wrote as YAML.

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    defects = Defects(remedy="correct the certificate's file")
    part = Section(read_nodes(text, "certificate"), "certificate", defects, _WORDS)
    found = {
        word: part.text(word)
        for word in ("id", "component", "scheme", "level")
    }  # fmt: skip
    optional = {
        word: part.text(word)
        for word in _WORDS[4:10]
        if word in part
    }  # fmt: skip
    digests = [
        str(one.value) if isinstance(one, Scalar) else ""
        for one in (part.items("digests") if "digests" in part else ())
    ]
    start = day(part, "valid_from")
    end = day(part, "valid_to")
    if not 0 <= start < end < UNBOUNDED:
        defects.add(part.position("valid_to"), "certificate valid_to is after valid_from")
    defects.refuse()
    return checked(
        EvaluationCertificate(
            **found, **optional, valid_from=start, valid_to=end, digests=tuple(digests)
        )
    )


def read_withdrawal(octets: bytes) -> Withdrawal:
    """The withdrawal that a statement has as its body.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    return _withdrawals.decode_canonical(octets)


def checked(certificate: EvaluationCertificate) -> EvaluationCertificate:
    """`certificate`, if it keeps the form of its fields.

    Raises Malformed.
    Source: ISO/TS 12812-2:2017, 9.1
    """
    decoded = from_plain(to_plain(certificate), EvaluationCertificate)
    if decoded.valid_from >= decoded.valid_to:
        raise Malformed("a certificate ends after it begins")
    return decoded
