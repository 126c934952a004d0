"""Reads who takes part: jurisdictions, parties, the organisation, and who attacks.

Source: ISO/TS 12812-2:2017, 6.2.1; 14.1; A
"""

from typing import Final

from tallystick.process.programme.entries import (
    SLUG,
    Named,
    choice_of,
    choices_of,
    entries,
    listed,
    plain,
    slugs,
)
from tallystick.process.programme.model import (
    Actor,
    Jurisdiction,
    PartyEntry,
    Post,
    SecuritySystem,
)
from tallystick.process.programme.places import COUNTRIES, REGIONS
from tallystick.process.programme.words import (
    Duty,
    Equipment,
    Expertise,
    Knowledge,
    Motivation,
    Role,
)
from tallystick.process.yamltext.quantities import day, spread
from tallystick.process.yamltext.section import Section

BOARD: Final = "board"
"""Where every line of the organisation ends; it is no post."""

_ACTOR: Final = (
    "motivation",
    "expertise",
    "knowledge",
    "equipment",
    "budget",
    "attempts_per_year",
)


def read_jurisdictions(root: Section) -> dict[str, Jurisdiction]:
    """Every country with its regimes and where personal data may live.

    Source: ISO/TS 12812-2:2017, 14.1
    """
    return {
        name: Jurisdiction(
            id=name,
            country=one.choice("country", COUNTRIES),
            regimes=slugs(one, "regimes"),
            residency=listed(one, "residency", (*REGIONS, *COUNTRIES)),
            at=at,
        )
        for name, one, at in entries(root, "jurisdictions", ("country", "regimes", "residency"))
    }


def read_parties(root: Section) -> dict[str, PartyEntry]:
    """Everybody who takes part; exactly one of them is the provider itself.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    words = ("role", "contract", "delegated", "isms")
    found = {
        name: PartyEntry(
            id=name,
            role=choice_of(one, "role", Role),
            contract=plain(one, "contract"),
            delegated=slugs(one, "delegated"),
            system=_system(one),
            at=at,
        )
        for name, one, at in entries(root, "parties", words)
    }
    providers = [one for one in found.values() if one.role is Role.MFSP]
    if found and not providers:
        root.defects.add(root.position("parties"), "no party has the role mfsp: the provider")
    for one in providers[1:]:
        text = f"{one.id} is a second mfsp; {providers[0].id} is the provider"
        root.defects.add(one.at, text)
    return found


def _system(section: Section) -> SecuritySystem | None:
    if "isms" not in section:
        return None
    one = section.section("isms", ("standard", "valid_to"))
    standard = one.text("standard", SLUG, "a word such as iso27001")
    return SecuritySystem(standard=standard, valid_to=day(one, "valid_to"))


def read_organisation(root: Section, named: Named) -> dict[str, Post]:
    """The posts: a tree that ends at the board.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    known = (BOARD, *named.of("organisation"))
    posts = {
        name: Post(
            id=name,
            reports_to=one.choice("reports_to", known),
            duties=choices_of(one, "duties", Duty),
            at=at,
        )
        for name, one, at in entries(root, "organisation", ("reports_to", "duties"))
    }
    if BOARD in posts:
        root.defects.add(posts[BOARD].at, f"{BOARD} is above every post and is none itself")
    for post in posts.values():
        if _circles(post, posts):
            text = f"organisation {post.id} reports to itself in the end, not to the {BOARD}"
            root.defects.add(post.at, text)
    return posts


def _circles(post: Post, posts: dict[str, Post]) -> bool:
    """Whether the line above `post` comes back to it."""
    above, seen = post.reports_to, set[str]()
    while above in posts and above not in seen and above != post.id:
        seen.add(above)
        above = posts[above].reports_to
    return above == post.id


def read_actors(root: Section) -> dict[str, Actor]:
    """Who attacks.

    Source: ISO/TS 12812-2:2017, 3.3; A
    """
    return {
        name: Actor(
            id=name,
            motivation=choice_of(one, "motivation", Motivation),
            expertise=choice_of(one, "expertise", Expertise),
            knowledge=choice_of(one, "knowledge", Knowledge, Knowledge.PUBLIC),
            equipment=choice_of(one, "equipment", Equipment, Equipment.STANDARD),
            budget_ms=one.duration("budget"),
            attempts_per_year=spread(one, "attempts_per_year"),
            at=at,
        )
        for name, one, at in entries(root, "actors", _ACTOR)
    }
