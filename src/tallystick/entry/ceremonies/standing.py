"""Whether a ceremony that was held still fits: its people, its profile, what it left in the folder.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.1; ISO 11568
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tallystick.entry.ceremonies.outcome import file_result
from tallystick.entry.ceremonies.planning import known_people
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.dual import DualVerifyKey
from tallystick.infrastructure.crypto.signature import verify_key
from tallystick.infrastructure.modules.block import peek
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import MfsError, NotAuthentic, NotPermitted
from tallystick.kernel.model import Record
from tallystick.process.ceremonies import Result, Transcript, open_transcript


class Verified(Record, frozen=True, kw_only=True):
    """A transcript that verifies: what it is of, and where the present state does not fit it.

    `superseded` names what a later ceremony changed again; `digest` is that of the file.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    id: str
    script: str
    profile: str
    held_at: int
    people: tuple[str, ...]
    digest: str
    misfits: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()


def verify_file(path: Path, folder: ProviderFolder | None) -> Verified:
    """Check signatures, quorum and order of the transcript at `path`, and what it left in `folder`.

    Without a folder the people are believed to be who the transcript says. Raises NotAuthentic for
    a transcript that does not verify or people whom the provider does not know, NotPermitted for
    another profile or provider.
    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    octets = path.read_bytes()
    found = open_transcript(octets)
    if folder is None:
        return _verified(found, octets, (), ())
    check_provider(found, folder, known_people(folder))
    later = {
        (one.what, one.name)
        for other in held(folder)
        if other.held_at > found.held_at
        for one in last_results(other)
    }
    left = last_results(found)
    present = [one for one in left if (one.what, one.name) not in later]
    gone = tuple(one.name for one in left if (one.what, one.name) in later)
    return _verified(found, octets, misfits(folder, present), gone)


def check_provider(
    found: Transcript, folder: ProviderFolder, known: Mapping[str, tuple[str, str]]
) -> None:
    """Pass if a transcript is of this provider and profile, with people who are `known`.

    Raises NotPermitted or NotAuthentic otherwise.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    settings = folder.settings()
    if (found.plan.provider, found.plan.profile) != (settings.provider, settings.profile):
        raise NotPermitted(
            f"this ceremony was of profile {found.plan.profile[:20]!r} and provider"
            f" {found.plan.provider[:40]!r}",
            because="key-profile", remedy="name the folder that it was held in",
        )  # fmt: skip
    for one in found.plan.people:
        if (one.algorithm, one.public) not in _keys_of(known.get(one.name)):
            raise NotAuthentic(f"the provider does not know {one.name[:40]!r} with this key")


def _keys_of(known: tuple[str, str] | None) -> set[tuple[str, str]]:
    """The key that the provider knows, and its first half: a second was perhaps made since."""
    if known is None:
        return set()
    whole = verify_key(known[0], b64url_decode(known[1]))
    if not isinstance(whole, DualVerifyKey):
        return {known}
    first = whole.classical
    return {known, (first.algorithm, b64url(first.octets()))}


def held(folder: ProviderFolder) -> Iterator[Transcript]:
    """The transcripts in the folder that verify, are of it, and have people whom it knows.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    for found, _ in _held(folder):
        yield found


def held_here(folder: ProviderFolder) -> tuple[Verified, ...]:
    """What the record says of every ceremony that was held in the folder, by id.

    Source: ISO/TS 12812-2:2017, 7.4.2; 7.3.3
    """
    return tuple(_verified(found, octets, (), ()) for found, octets in _held(folder))


def _held(folder: ProviderFolder) -> Iterator[tuple[Transcript, bytes]]:
    paths = sorted((folder.root / "ceremonies").glob("*.dsse"))
    known = known_people(folder) if paths else {}
    for path in paths:
        octets = path.read_bytes()
        try:
            found = open_transcript(octets)
            check_provider(found, folder, known)
        except MfsError:
            continue  # `ceremony verify` tells what is wrong with it
        yield found, octets


def last_results(found: Transcript) -> list[Result]:
    """What the ceremony left in the end: of each thing the last that a step says.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    last = {(one.what, one.name): one for step in found.steps for one in step.done.results}
    return list(last.values())


def misfits(folder: ProviderFolder, results: Iterable[Result]) -> tuple[str, ...]:
    """Which of `results` the folder does not fit now, in words.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    return tuple(word for one in results if (word := _misfit(folder, one)))


def _misfit(folder: ProviderFolder, one: Result) -> str:
    if one.what == "file":
        try:
            fits = file_result(folder, one.name).digest == one.digest
        except FileNotFoundError:
            return f"{one.name} is not there"
        return "" if fits else f"{one.name} is another file"
    if one.what == "absent-file":
        return f"{one.name} is there" if (folder.root / one.name).exists() else ""
    if one.what == "absent-key":
        there = any(peek(block).id == one.name for block in folder.blocks())
        return f"the key {one.name} is there" if there else ""
    half = folder.settings().root
    return "" if (half.algorithm, half.public) == (one.name, one.digest) else "another root"


def _verified(
    found: Transcript, octets: bytes, wrong: Sequence[str], gone: Sequence[str]
) -> Verified:
    return Verified(
        id=found.plan.id,
        script=found.plan.script.id,
        profile=found.plan.profile,
        held_at=found.held_at,
        people=tuple(one.name for one in found.plan.people),
        digest=b64url(sha256(octets)),
        misfits=tuple(wrong),
        superseded=tuple(gone),
    )
