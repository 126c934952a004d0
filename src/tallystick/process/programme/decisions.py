"""Decisions about a programme: read with positions, signed by officers, verified before they count.

Whoever asks does not approve; whatever loosens takes the signatures of two officers, and ends.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.1
"""

from collections.abc import Mapping
from typing import Final

from tallystick.infrastructure.crypto.signature import SigningKey, VerifyKey
from tallystick.kernel.errors import Conflict, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import DAY_MS
from tallystick.process.catalogue import catalogue
from tallystick.process.policy.officers import Approval, check_approvals, refuse_second
from tallystick.process.programme.entries import SLUG, choice_of, entries
from tallystick.process.programme.model import Decision, DecisionKind, Programme
from tallystick.process.programme.people import BOARD
from tallystick.process.yamltext.quantities import day
from tallystick.process.yamltext.section import Defects, Section, suggestion
from tallystick.process.yamltext.tree import read_nodes
from tallystick.protocol.decisions_file import (
    PAYLOAD_TYPE,
    Envelope,
    EnvelopeSignature,
    decisions_text,
    decode_base64,
    encode_base64,
    signed_message,
)

FORM: Final = "1.0"
LOOSENING: Final = frozenset(
    {DecisionKind.ACCEPTANCE, DecisionKind.EXCEPTION, DecisionKind.NOT_APPLICABLE}
)
"""Kinds of decisions after which less is done than the analysis or the standard asks for."""

LONGEST_MS: Final = 366 * DAY_MS
"""How long a decision that loosens may hold before somebody looks again."""

_MOST: Final = 256 * 1024
_FIELDS: Final = ("kind", "subject", "who", "approved_by", "why", "since", "until")
_ON_REQUIREMENTS: Final = frozenset({DecisionKind.EXCEPTION, DecisionKind.NOT_APPLICABLE})
_DIGEST: Final = r"^[0-9a-f]{64}$"
_OF_FILE: Final = "the SHA-256 of risk.json in hexadecimal"
_SUBJECT: Final = r"^[A-Za-z0-9][A-Za-z0-9.@_-]{1,200}$"


class Decided(Record, frozen=True, kw_only=True):
    """The decisions of one text: about which programme, in which version of the text.

    `analysis` is the SHA-256 (hex) of the analysis that the officers vouch for, empty for none.
    Source: ISO/TS 12812-2:2017, 6.1
    """

    programme: str
    version: int
    decisions: Mapping[str, Decision]
    analysis: str = ""

    def holding_at(self, now: int) -> tuple[Decision, ...]:
        """Those that count at `now` (ms).

        Source: ISO/TS 12812-2:2017, 6.1
        """
        return tuple(one for one in self.decisions.values() if one.holds_at(now))

    def signatures_wanted(self) -> int:
        """How many officers sign the text: two where it loosens, or vouches for an analysis.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        if self.analysis:
            return 2
        return 2 if any(one.kind in LOOSENING for one in self.decisions.values()) else 1


def read_decisions(text: str, programme: Programme | None = None) -> Decided:
    """The decisions in `text`; with `programme`, they are about it and its posts made them.

    Raises Malformed with every defect, each with line and column.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.1
    """
    defects = Defects(remedy="correct the decisions and let them be signed again")
    nodes = read_nodes(text, "text of decisions", most=_MOST)
    root = Section(nodes, "", defects, ("decisions", "programme", "version", "analysis", "entries"))
    form, at = root.scalar("decisions")
    if form is not None and form != FORM:
        defects.add(at, f'this release reads decisions of the form decisions: "{FORM}"')
    about = root.text("programme", SLUG, "the id of the programme")
    if programme is not None and about and about != programme.offer.id:
        defects.add(root.position("programme"), f"the programme is {programme.offer.id}")
    posts = None if programme is None else (BOARD, *programme.organisation)
    only_vouches = "analysis" in root and "entries" not in root
    listed = () if only_vouches else entries(root, "entries", _FIELDS)
    found = Decided(
        programme=about,
        version=root.integer("version", 1, 2**31),
        decisions={name: _decision(name, one, posts) for name, one, _ in listed},
        analysis=root.text("analysis", _DIGEST, _OF_FILE) if "analysis" in root else "",
    )
    defects.refuse()
    return found


def _decision(name: str, section: Section, posts: tuple[str, ...] | None) -> Decision:
    found = Decision(
        id=name,
        kind=choice_of(section, "kind", DecisionKind),
        subject=section.text("subject", _SUBJECT, "an id of a risk, requirement or control"),
        who=_post(section, "who", posts),
        approved_by=_post(section, "approved_by", posts),
        why=section.text("why", r"(?s)^.{10,2000}$", "a reason of 10 to 2000 characters"),
        since=day(section, "since"),
        until=day(section, "until"),
    )
    add = section.defects.add
    if found.who == found.approved_by and found.who:
        text = f"{found.who} asked for it; somebody else approves (four eyes)"
        add(section.position("approved_by"), text)
    if found.kind in _ON_REQUIREMENTS and found.subject:
        known = catalogue().requirements
        if found.subject not in known:
            text = f"the catalogue has no requirement {found.subject[:40]!r}"
            add(section.position("subject"), f"{text}{suggestion(found.subject, known)}")
    if found.since and found.until:
        if found.until <= found.since:
            add(section.position("until"), "it would end before it begins")
        elif found.kind in LOOSENING and found.until - found.since > LONGEST_MS:
            text = f"an {found.kind.value}" if found.kind.value[0] in "ae" else found.kind.value
            add(section.position("until"), f"{text} holds for 366 days at most, then is renewed")
    return found


def _post(section: Section, word: str, posts: tuple[str, ...] | None) -> str:
    if posts is None:
        return section.text(word, SLUG, "a post of the organisation")
    return section.choice(word, posts)


def sign_decisions(
    text: str, officer: str, signer: SigningKey, existing: Envelope | None = None
) -> Envelope:
    """`text` with the signature of `officer`, beside those that `existing` has already.

    Raises Malformed if the text is defective, Conflict if `existing` is of another text or has this
    officer's signature.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    read_decisions(text)
    earlier: tuple[EnvelopeSignature, ...] = ()
    if existing is not None:
        if decisions_text(existing) != text:
            raise Conflict("the file has another text", remedy="start a new file")
        earlier = existing.signatures
        refuse_second(officer, (one.keyid for one in earlier))
    signature = EnvelopeSignature(
        keyid=officer, sig=encode_base64(signer.sign(signed_message(text)))
    )
    return Envelope(
        payload=encode_base64(text.encode()),
        payload_type=PAYLOAD_TYPE,
        signatures=(*earlier, signature),
    )


def verify_decisions(
    envelope: Envelope,
    officers: Mapping[str, VerifyKey],
    programme: Programme | None = None,
    *,
    last_version: int = 0,
) -> Decided:
    """The decisions in `envelope`, signed by as many officers as they take.

    Raises NotPermitted for an officer who is unknown or signed twice and for too few of them,
    NotAuthentic for any signature that does not verify, Conflict for a version below
    `last_version`, Malformed for the text.
    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    text = decisions_text(envelope)
    approvals = (Approval(one.keyid, one.sig) for one in envelope.signatures)
    signed = check_approvals(approvals, officers, signed_message(text), decode_base64, "decisions")
    found = read_decisions(text, programme)
    wanted = found.signatures_wanted()
    if signed < wanted:
        raise NotPermitted(
            f"these decisions take the signatures of {wanted} officers",
            remedy="let another officer sign the same file",
        )
    if found.version < last_version:
        raise Conflict(
            f"version {found.version} is below {last_version}, which was in force",
            remedy="raise the version and sign again",
        )
    return found
