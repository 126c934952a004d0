"""What a pack may say: shapes of ids, words of strengths and impacts, emitters of the policy.

Source: ISO/TS 12812-2:2017, A
"""

import re
from collections.abc import Iterable

from tallystick.process.programme.words import Impact, Strength
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.section import Section, suggestion
from tallystick.process.yamltext.tree import Scalar

ID = re.compile(r"^[a-z][a-z0-9-]{1,60}\Z")
PROBE = re.compile(r"^[a-z][a-z0-9-]{1,40}(\.[a-z][a-z0-9-]{1,60})?\Z")
THREAT = re.compile(r"^THR-[A-Z]{2,4}-[0-9]{2}\Z")
STRENGTHS = {one.name.lower().replace("_", "-"): one for one in Strength}
IMPACTS = {one.name.lower(): one for one in Impact}
ISO_18045 = "iso-18045"
"""The table in whose words the defaults of a control are."""

EMITTERS = (
    "two-factors", "step-up-large", "step-up-night", "sim-change-hold", "new-device-delay",
    "new-payee-delay", "attested-grade-above", "software-device-cap", "dialled-cap",
    "unknown-payee-cap", "agent-cap", "mandate-cap", "tier-limits", "attempts-limit",
    "idle-timeout", "session-life", "quote-life", "attestation-age", "risk-score-deny",
    "two-operators", "hybrid-suites", "dependency-closed", "shared-phone-cap", "merchant-cap",
)  # fmt: skip
"""What the derivation of a policy can emit for a control."""


def checked_id(section: Section, name: str, at: Position) -> None:
    """Note a defect where `name` is not a slug of 2 to 61 characters.

    Source: ISO/TS 12812-2:2017, A
    """
    if not ID.match(name):
        text = f"an id is a slug such as sim-swap, not {name[:40]!r}"
        section.defects.add(at, text)


def listed(section: Section, word: str) -> tuple[tuple[str, Position], ...]:
    """The words of an optional list with their positions; none where it is missing.

    Source: ISO/TS 12812-2:2017, A
    """
    if word not in section:
        return ()
    found: list[tuple[str, Position]] = []
    for item in section.items(word):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            if item.value in {one for one, _ in found}:
                section.defects.add(item.at, f"{section.trail} {word} names {item.value!r} twice")
            found.append((item.value, item.at))
        else:
            section.defects.add(item.at, f"{section.trail} {word} is a list of words")
    return tuple(found)


def listed_of(section: Section, word: str, known: Iterable[str], what: str) -> tuple[str, ...]:
    """The words of an optional list, each one of `known`; `what` names the sort in errors.

    Source: ISO/TS 12812-2:2017, A
    """
    words = frozenset(known)
    found: list[str] = []
    for name, at in listed(section, word):
        if name in words:
            found.append(name)
        else:
            near = suggestion(name, words) if _near(name, words) else ""
            section.defects.add(at, f"{section.trail} {word}: no {what} {name[:40]!r}{near}")
    return tuple(found)


def _near(name: str, words: frozenset[str]) -> bool:
    """Whether a suggestion would be short: a near word, or a short list."""
    return len(words) <= 30 or "did you mean" in suggestion(name, words)
