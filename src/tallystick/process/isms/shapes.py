"""The shape of every register: its fields, its clocks, and the requirements that it bears on.

Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.2; 6.2.3; 7.3.4; 7.3.6; 9.1
"""

from collections.abc import Mapping
from types import MappingProxyType

from tallystick.process.catalogue import Party
from tallystick.process.isms.breach import REGIMES
from tallystick.process.isms.model import ClockKind, ClockRule, Field, FieldKind, Shape
from tallystick.process.isms.schemes import WORDS
from tallystick.process.programme.words import AssetClass, Impact

OBJECTIVES = ("security-policy", "organisation", "asset-management", "human-resources")
"""What every party manages and documents at least."""

FURTHER_OBJECTIVES = (
    "physical", "communications", "access-control", "development", "incidents", "continuity",
    "compliance",
)  # fmt: skip
"""What is added where the service asks for it; one that is not chosen says why."""

DEVICE_STATES = ("stored", "in-use", "in-transit", "in-repair", "decommissioned")
"""Where a secure cryptographic device may be in its life."""

_IMPACTS = tuple(one.name.lower() for one in Impact)
_TEXT, _WORDS, _DAY, _MOMENT = FieldKind.TEXT, FieldKind.WORDS, FieldKind.DAY, FieldKind.MOMENT
_DURATION, _FLAG, _NUMBER = FieldKind.DURATION, FieldKind.FLAG, FieldKind.NUMBER
_EXPIRES, _REPEATS, _ANSWER = ClockKind.EXPIRES, ClockKind.REPEATS, ClockKind.ANSWER


def _must(name: str, kind: FieldKind, says: str) -> Field:
    return Field(name=name, kind=kind, says=says)


def _may(name: str, kind: FieldKind, says: str) -> Field:
    return Field(name=name, kind=kind, says=says, required=False)


def _one(name: str, known: tuple[str, ...], says: str, *, required: bool = True) -> Field:
    return Field(name=name, kind=FieldKind.CHOICE, says=says, known=known, required=required)


def _clock(
    kind: ClockKind, what: str, start: str, length: str = "", done: str = "", unless: str = ""
) -> ClockRule:
    return ClockRule(kind=kind, what=what, start=start, length=length, done=done, unless=unless)


_SHAPES: tuple[Shape, ...] = (
    Shape(
        name="parties",
        says="who provides or contributes, how its security is managed, and until when proven",
        requirements=("MFS-6.2.1-01", "MFS-6.2.1-02"),
        fields=(
            _one("role", tuple(one.value for one in Party if one is not Party.EVERY_PARTY),
                 "part in the catalogue's requirements"),
            _must("party", _TEXT, "id in the programme"),
            _must("contact", _TEXT, "post or address that answers"),
            _may("contract", _TEXT, "contract"),
            _may("system", _TEXT, "standard of its security management, such as iso27001"),
            _may("certifier", _TEXT, "who attested it"),
            _may("system_until", _DAY, "end of the attestation"),
            _may("consumes", _WORDS, "categories of data that it gets"),
            _may("active", _FLAG, "false once it takes part no more"),
            _may("why", _TEXT, "why it needs no security management of its own"),
        ),
        clocks=(_clock(_EXPIRES, "security attestation", "system_until", unless="active"),),
    ),
    Shape(
        name="responsibilities",
        says="who answers for a requirement, a clause or all of them (`all`), and who carries out",
        requirements=("MFS-6.2.1-06", "MFS-6.2.1-09"),
        fields=(
            _must("accountable", _TEXT, "the one post of the provider that answers"),
            _may("performers", _WORDS, "parties or posts, instead of those of the catalogue"),
            _may("consulted", _WORDS, "who is asked before"),
            _may("informed", _WORDS, "who is told after"),
        ),
        least=("all",),
    ),
    Shape(
        name="objectives",
        says="the minimum control objectives, the further ones, and what proves each",
        requirements=("MFS-6.2.1-07", "MFS-6.2.1-08"),
        fields=(
            _must("owner", _TEXT, "post"),
            _may("chosen", _FLAG, "false for a further objective that is not needed"),
            _may("why", _TEXT, "why it is not chosen"),
            _may("document", _TEXT, "id in register documents"),
            _may("until", _DAY, "end of what proves it"),
        ),
        clocks=(_clock(_EXPIRES, "evidence of the objective", "until", unless="chosen"),),
        least=OBJECTIVES,
    ),
    Shape(
        name="assets",
        says="what is of value, whose it is, and what its loss would mean",
        requirements=("MFS-6.2.1-06",),
        fields=(
            _one("kind", tuple(one.value for one in AssetClass), "class"),
            _must("owner", _TEXT, "post"),
            _may("party", _TEXT, "party in whose sphere it is; the provider if absent"),
            _one("confidentiality", _IMPACTS, "harm if read"),
            _one("integrity", _IMPACTS, "harm if changed"),
            _one("availability", _IMPACTS, "harm if gone"),
            _may("covers", _WORDS, "what was found at run time and belongs to it"),
        ),
    ),
    Shape(
        name="vendors",
        says="to whom security requirements are outsourced, and when each was verified last",
        requirements=("MFS-6.2.1-10",),
        fields=(
            _must("contract", _TEXT, "contract"),
            _must("contract_until", _DAY, "its end"),
            _must("delivers", _TEXT, "what it delivers"),
            _must("requirements", _WORDS, "outsourced requirements"),
            _one("security_level", tuple(WORDS), "strength that it must keep"),
            _must("verified", _DAY, "last verification"),
            _must("verify_every", _DURATION, "how often"),
            _must("verified_by", _TEXT, "who verified"),
            _must("service_level", _TEXT, "what was agreed"),
            _must("service_level_met", _FLAG, "whether the last verification found it met"),
            _may("active", _FLAG, "false once it delivers no more"),
        ),
        clocks=(
            _clock(_EXPIRES, "contract", "contract_until", unless="active"),
            _clock(_REPEATS, "verification", "verified", "verify_every", unless="active"),
        ),
    ),
    Shape(
        name="people",
        says="staff, agents and merchants, and until when the training of each counts",
        requirements=("MFS-7.3.6-05", "MFS-6.2.1-07"),
        fields=(
            _one("kind", ("staff", "agent", "merchant"), "what the person is"),
            _may("operator", _TEXT, "operator's id, for staff who act"),
            _may("customer", _TEXT, "customer's id, for agents and merchants"),
            _must("course", _TEXT, "what was trained"),
            _must("trained", _DAY, "last training"),
            _must("valid_for", _DURATION, "how long it counts"),
            _may("active", _FLAG, "false once the person acts no more"),
        ),
        clocks=(_clock(_REPEATS, "training", "trained", "valid_for", unless="active"),),
    ),
    Shape(
        name="documents",
        says="policies, procedures and statements, with their reviews",
        requirements=("MFS-6.2.1-07",),
        fields=(
            _must("title", _TEXT, "title"),
            _must("version", _TEXT, "version"),
            _must("owner", _TEXT, "post"),
            _must("approved_by", _TEXT, "post"),
            _must("reviewed", _DAY, "last review"),
            _must("review_every", _DURATION, "how often"),
            _must("place", _TEXT, "where it is"),
        ),
        clocks=(_clock(_REPEATS, "review", "reviewed", "review_every"),),
    ),
    Shape(
        name="incidents",
        may_be_empty=True,
        says="what happened, and when whom it was told; the legal clocks run from it",
        requirements=("MFS-7.3.4-10", "MFS-6.2.1-08"),
        fields=(
            _must("title", _TEXT, "what happened"),
            _must("owner", _TEXT, "post that leads"),
            Field(name="regimes", kind=_WORDS, says="laws whose clocks run", known=tuple(REGIMES)),
            _may("began", _MOMENT, "when it began, as far as known"),
            _must("aware", _MOMENT, "when the provider became aware"),
            _may("classified", _MOMENT, "when it was found to be major"),
            _may("initial", _MOMENT, "initial notification"),
            _may("intermediate", _MOMENT, "intermediate report"),
            _may("final", _MOMENT, "final report"),
            _may("authority", _MOMENT, "notification to the data protection authority"),
            _may("ended", _MOMENT, "when it was over"),
            _may("lesson", _TEXT, "what was changed afterwards"),
        ),
    ),
    Shape(
        name="continuity",
        says="how fast what must be back, and when that was tested, by whom, with which result",
        requirements=("MFS-6.2.1-08",),
        fields=(
            _must("owner", _TEXT, "post"),
            _must("rto", _DURATION, "longest outage"),
            _must("rpo", _DURATION, "longest loss of what was recorded"),
            _must("tested", _DAY, "last test"),
            _must("test_every", _DURATION, "how often"),
            _must("tested_by", _TEXT, "who tested"),
            _must("took", _DURATION, "outage in the test"),
            _must("lost", _DURATION, "loss in the test; PT0S for none"),
        ),
        clocks=(_clock(_REPEATS, "test", "tested", "test_every"),),
    ),
    Shape(
        name="sites",
        says="places where equipment or records are, and who looks after access to them",
        requirements=("MFS-6.2.1-08",),
        fields=(
            _must("place", _TEXT, "where it is"),
            _must("owner", _TEXT, "post"),
            _must("holds", _WORDS, "what is there"),
            _must("controls", _WORDS, "how access is controlled"),
            _must("access_reviewed", _DAY, "last review of who may enter"),
            _must("review_every", _DURATION, "how often"),
        ),
        clocks=(_clock(_REPEATS, "review of access", "access_reviewed", "review_every"),),
    ),
    Shape(
        name="components",
        says="software and devices in use, what they must resist, and what was evaluated of them",
        requirements=("MFS-9.1-01",),
        fields=(
            _must("version", _TEXT, "version in use"),
            _must("owner", _TEXT, "post"),
            _may("digest", _TEXT, "SHA-256 (hex) of what is deployed"),
            _one("strength", tuple(WORDS), "what it must resist; none where it need not"),
            _may("certificate", _TEXT, "id of its certificate"),
            _may("requirements", _WORDS, "requirements that it meets"),
            _may("tested", _DAY, "last penetration test"),
            _may("test_every", _DURATION, "how often"),
        ),
        clocks=(_clock(_REPEATS, "penetration test", "tested", "test_every"),),
    ),
    Shape(
        name="exceptions",
        may_be_empty=True,
        says="deviations that somebody accepted, until when",
        requirements=("MFS-6.2.1-08",),
        fields=(
            _must("subject", _TEXT, "requirement, control or risk"),
            _must("why", _TEXT, "reason"),
            _must("asked_by", _TEXT, "who asked"),
            _must("approved_by", _TEXT, "somebody else who approved"),
            _must("until", _DAY, "end"),
            _may("compensates", _TEXT, "what is done instead"),
            _may("open", _FLAG, "false once it was resolved"),
        ),
        clocks=(_clock(_EXPIRES, "exception", "until", unless="open"),),
    ),
    Shape(
        name="requests",
        may_be_empty=True,
        says="who asked for information on the security management, and what was answered when",
        requirements=("MFS-6.2.1-03",),
        fields=(
            _must("asker", _TEXT, "who asked"),
            _one("standing", ("auditor", "partner", "supervisor", "customer"), "on which ground"),
            _must("asked", _MOMENT, "when"),
            _must("what", _TEXT, "for what"),
            _must("answer_within", _DURATION, "how long the answer may take"),
            _may("answered", _MOMENT, "when it was answered"),
            _may("given", _TEXT, "what was handed over, or why nothing was"),
        ),
        clocks=(_clock(_ANSWER, "answer", "asked", "answer_within", "answered"),),
    ),
    Shape(
        name="penetration-tests",
        says="who attacked what by order, what was found, and by when it has to be closed",
        requirements=("MFS-7.2.5-06",),
        fields=(
            _must("subject", _TEXT, "component or release that was attacked"),
            _must("tester", _TEXT, "who attacked"),
            _must("independent", _FLAG, "whether the tester has no part in what was attacked"),
            _must("tested", _DAY, "end of the test"),
            _must("test_every", _DURATION, "how often"),
            _must("report", _TEXT, "id or digest of the report"),
            _must("grave", _NUMBER, "grave findings of the test"),
            _must("grave_closed", _NUMBER, "how many of them are closed"),
            _may("close_by", _DAY, "day by which the findings are closed"),
            _may("open", _FLAG, "false once all of them are closed"),
        ),
        clocks=(
            _clock(_REPEATS, "penetration test", "tested", "test_every"),
            _clock(_EXPIRES, "closing of findings", "close_by", unless="open"),
        ),
    ),
    Shape(
        name="rogue-apps",
        may_be_empty=True,
        says="applications that pretend to be the provider's, and how long until each is gone",
        requirements=("MFS-7.4.4-03",),
        fields=(
            _must("name", _TEXT, "what it calls itself"),
            _one("platform", ("android", "ios", "web"), "what it runs on"),
            _must("place", _TEXT, "store or address where it is offered"),
            _must("found", _MOMENT, "when it was found"),
            _must("report_within", _DURATION, "how long the report to the store may take"),
            _must("gone_within", _DURATION, "how long until it has to be gone"),
            _may("package", _TEXT, "package or bundle"),
            _may("signer", _TEXT, "SHA-256 of its signer's certificate, or its team"),
            _may("digest", _TEXT, "SHA-256 of its package"),
            _may("reported_to", _TEXT, "store, registrar or host that was told"),
            _may("reported", _MOMENT, "when it was reported"),
            _may("reminded", _MOMENT, "when it was reported last"),
            _may("customers_told", _MOMENT, "when customers were warned"),
            _may("gone", _MOMENT, "when it was taken down"),
        ),
        clocks=(
            _clock(_ANSWER, "report of the look-alike", "found", "report_within", "reported"),
            _clock(_ANSWER, "take-down of the look-alike", "found", "gone_within", "gone"),
        ),
    ),
    Shape(
        name="secure-devices",
        may_be_empty=True,
        says="secure cryptographic devices from receipt to destruction: state, place, custody",
        requirements=("MFS-8.2.2-04",),
        fields=(
            _one("kind", ("module", "key-loader", "pin-pad", "secure-element"), "sort of device"),
            _must("serial", _TEXT, "number on it"),
            _one("state", DEVICE_STATES, "where in its life it is"),
            _must("place", _TEXT, "id in register sites"),
            _must("custodians", _WORDS, "posts that hold it, two while it has keys"),
            _must("received", _DAY, "day of receipt"),
            _must("received_from", _TEXT, "who handed it over"),
            _must("inspected", _DAY, "last inspection for tampering"),
            _must("inspect_every", _DURATION, "how often"),
            _may("destroyed", _DAY, "day on which its keys were destroyed"),
            _may("active", _FLAG, "false once it is destroyed"),
        ),
        clocks=(
            _clock(_REPEATS, "inspection of the device", "inspected", "inspect_every",
                   unless="active"),
        ),
    ),
)  # fmt: skip

SHAPES: Mapping[str, Shape] = MappingProxyType({one.name: one for one in _SHAPES})
"""Every register by its name, in the order in which they are kept."""
