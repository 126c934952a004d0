"""Vendors' lists, taken over by the writer: recorded, kept, and in force from the same turn on.

A list is kept in the store with what it says, so that another machine that becomes the writer goes
on with it. That a source says a list is still the one changes no verdict, but for those of devices
that came while it was too old.

Source: RFC 9334, 7.4; 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.3; 7.3.5
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.application.appraisals.store import APPRAISAL, BASIS, LIST, LISTED, SAID
from tallystick.application.desks import Desks
from tallystick.application.devices import Attesting
from tallystick.application.turn import Outcome, Turn
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Conflict
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.attestation.lists import ListName, VendorList
from tallystick.process.attestation.model import AppraisalPolicy, Known, known_name
from tallystick.protocol.payments import Empty
from tallystick.protocol.receipt import Scalar


@dataclass(frozen=True, slots=True)
class TakeList:
    """A list that was read and checked against the one with the digest `after`; empty for none.

    `said` is what it says: state by serial, report by model, or name by root; None where it is
    still the one in force and only `listed.at` is another.
    Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 7.2.6
    """

    listed: VendorList
    said: Mapping[str, str] | None
    after: str


def take_list(desks: Desks, turn: Turn, one: TakeList) -> Outcome:
    """Keep the list, record it if it is a new one, and judge devices by it from now on.

    Raises Conflict where another list was taken over since it was checked, or where one that is not
    in force is said to be still the same.
    Source: RFC 9334, 7.4; 10; ISO/TS 12812-2:2017, 7.2.6; 7.3.3
    """
    old = desks.devices.attesting
    if _digest(old.known, one) != one.after:
        raise Conflict("another list was taken over meanwhile", remedy="look at the list again")
    listed = one.listed
    if one.said is None and listed.digest != one.after:
        raise Conflict("this list is not the one in force", remedy="look at the list again")
    if listed.name == ListName.REVOKED:
        listed = replace(listed, fresh_since=_fresh_since(old, listed, turn.now))
    index = -1
    if one.said is not None:
        index = turn.record("vendor-list.imported", policy=desks.policy.version, public=_told(one))
        listed = replace(listed, event=index)
        said = encode_canonical(dict(one.said))
        turn.changes.upsert(SAID, listed.name, (listed.name, said))
    turn.changes.upsert(LIST, listed.name, (listed.name, encode_canonical(listed)))
    if listed.name != ListName.ROOTS:
        known = _known(old.known, listed, one.said)
        fresh = listed.fresh_since if listed.name == ListName.REVOKED else old.fresh_since
        judge_by(desks, turn, Attesting(old.policy, known, old.verdict_keys, fresh))
    return Outcome(Empty(), index)


def _digest(known: Known, one: TakeList) -> str:
    """The digest of the list in force; of roots, which are in force nowhere, the one given."""
    match one.listed.name:
        case ListName.REVOKED:
            return known.list_digest
        case ListName.MODELS:
            return known.models_digest
        case _:
            return one.after


def _told(one: TakeList) -> dict[str, Scalar]:
    listed = one.listed
    return {
        "list": listed.name,
        "origin": listed.source,
        "digest": listed.digest,
        "before": one.after,
        "issue": listed.number,
        "members": listed.members,
    }


def _known(before: Known, listed: VendorList, said: Mapping[str, str] | None) -> Known:
    if listed.name == ListName.REVOKED:
        revoked = before.revoked if said is None else said
        return replace(before, list_digest=listed.digest, list_at=listed.at, revoked=revoked)
    models = before.models if said is None else said
    return replace(before, models_digest=listed.digest, models=models)


def _fresh_since(before: Attesting, listed: VendorList, now: Instant) -> int:
    """Since when the list of revoked certificates is fresh, if it had been too old before.

    What counts is how old it is by now: a device may have come after the list was looked at.
    """
    last = before.known.list_at
    was_old = last and now - last > before.policy.list_age_ms
    return listed.at if was_old else before.fresh_since


def bases(attesting: Attesting) -> dict[str, AppraisalPolicy | Known]:
    """What verdicts of `attesting` rest on, by its digest.

    Source: RFC 9334, 8.3
    """
    known = attesting.known
    found: dict[str, AppraisalPolicy | Known] = {attesting.policy_digest: attesting.policy}
    name = known_name(known.list_digest, known.models_digest)
    if name:
        found[name] = known
    return found


def judge_by(
    desks: Desks,
    turn: Turn,
    attesting: Attesting,
    version: int = 0,
    envelope: str = "",
    *,
    anew: bool = False,
) -> Outcome:
    """Judge devices by `attesting` from now on; an event says so where that changes a verdict.

    What verdicts will rest on is kept if it is another than before, and in any case if `anew`.
    Source: RFC 9334, 8.3; 10; ISO/TS 12812-2:2017, 6.1; 7.2.6
    """
    before = desks.devices.attesting
    touched = desks.devices.appraise_by(turn, attesting)
    known = attesting.known
    past = bases(before)
    for name, said in bases(attesting).items():
        if anew or name not in past:
            turn.changes.upsert(BASIS, name, (name, encode_canonical(said)))
        if isinstance(said, Known):
            turn.changes.upsert(LISTED, name, (name, said.list_at))
    if before.basis == attesting.basis and not version:
        return Outcome(Empty())
    public: dict[str, Scalar] = {
        "version": version,
        "appraised_by": attesting.policy_digest,
        "before": before.policy_digest,
        "revocations": known.list_digest,
        "touched": touched,
    }
    if known.models_digest:
        public["models"] = known.models_digest
    index = turn.record("appraisal.changed", policy=desks.policy.version, public=public)
    if version:
        turn.changes.insert(APPRAISAL, (version, envelope, index))
    return Outcome(Empty(), index)
