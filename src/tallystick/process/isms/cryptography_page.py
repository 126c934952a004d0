"""The reference pages of mechanisms and of keys, out of the registry and the table of keys.

Source: ISO/TS 12812-2:2017, C; 7.4.2
"""

from collections.abc import Iterator, Mapping, Sequence

from tallystick.infrastructure.crypto.registry import Mechanism, Sort, Status, mechanisms
from tallystick.infrastructure.keyblocks.lattice import RSA, KeyKind, lattice
from tallystick.infrastructure.keys.table import KEY_TABLE, KeyRule
from tallystick.infrastructure.modules.interface import MECHANISMS, MEMORY_ONLY
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.kernel.time import DAY_MS

_HEAD = """# Mechanisms

<!-- Written by `python dev.py docs` from infrastructure/crypto/mechanisms; change it there. -->

Every mechanism of annex C that has a number of ISO, and those of others that are met. A mechanism
is asked for by its name here; what is not here does not exist, and what is not approved is refused
for new protection. *Legacy* checks and opens only, *restricted* runs only where a profile names it,
*prohibited* never runs. A day in *until* is when new protection ends by itself.

*Bits* are the strength against who has no quantum computer; *quantum* is the category of NIST
against who has one, from 1 (as hard as a search for a key of AES-128) to 5, none where there is
nothing. Neither is given where strength comes from what is put in.

`tallystick crypto list` shows the same, `tallystick crypto inventory` what a provider uses.
"""

_KEYS_HEAD = """# Keys

<!-- Written by `python dev.py docs` from infrastructure/keys/table.py; change it there. -->

One key has one purpose for its whole life. The first mechanism is taken where none is asked for.
A life of *as long as what it protects* ends when a successor has taken over all of it. [Why each
key is where it is](../explanation/key-table.md).

| purpose | mechanisms | held by | life | vouched for by | |
|---|---|---|---|---|---|
"""

_VECTORS = """
## Published cases

Files of Wycheproof that are run through the surfaces named here. *Valid* cases were taken, all
others refused; a case that is left is not run, for the reason given.

| file | cases | valid | refused | left | through |
|---|---|---|---|---|---|
"""


_WRAPPING_HEAD = """
## Which key wraps which

<!-- From infrastructure/keyblocks/lattice.json. -->

Key blocks and enciphered keys, in and out: a key travels under one that is at least as strong, by
this table alone. What it does not name is refused (`key-strength`). Whether a kind is written at
all, or only read, is the matter of the versions of key blocks and of the profile.
"""


def mechanisms_page(vectors: Sequence[Mapping[str, str | int]]) -> str:
    """The page of every mechanism, as Markdown; `vectors` are the rows of the published cases.

    Source: ISO/TS 12812-2:2017, C
    """
    return _HEAD + "".join(_sections()) + _VECTORS + "".join(_cases(one) for one in vectors)


def _sections() -> Iterator[str]:
    for sort in Sort:
        rows = [one for one in mechanisms() if one.sort is sort]
        if not rows:
            continue
        yield f"\n## {sort.value[0].upper()}{sort.value[1:]}\n\n"
        yield "| name | standard | status | bits | quantum | until | run by | known answer or why |"
        yield "\n|---|---|---|---|---|---|---|---|\n"
        for one in rows:
            yield _row(one)


def _row(one: Mechanism) -> str:
    standard = "; ".join(part for part in (one.standard, one.parameters) if part)
    status = one.status.value if one.status is Status.APPROVED else f"*{one.status.value}*"
    life = one.life
    until = life.legacy_from or life.prohibited_from
    dated = f"{until} ({life.says})" if until else ""
    tested = ", before first use" if one.name in KNOWN_ANSWERS else ""
    answer = f"{one.known_answer}{tested}" if one.implemented_by else one.not_run
    noted = f"{answer}; {one.note}" if one.note else answer
    cells = (
        f"`{one.name}`",
        standard,
        status,
        str(one.strength_bits or ""),
        str(one.quantum_level or ""),
        dated,
        one.implemented_by,
        noted,
    )
    return f"| {' | '.join(cells)} |\n"


def _cases(one: Mapping[str, str | int]) -> str:
    through = one["through"] or "nothing"
    why = f"; left: {one['why']}" if one["why"] else ""
    name = str(one["file"]).removesuffix("_test.json")
    counts = f"{one['cases']} | {one['valid']} | {one['invalid']} | {one['left']}"
    return f"| `{name}` | {counts} | {through}{why} |\n"


def keys_page() -> str:
    """The page of every key, as Markdown.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """
    return _KEYS_HEAD + "".join(_key(rule) for rule in KEY_TABLE.values()) + _wrapping()


def _wrapping() -> str:
    """Which key wraps which: a row for each kind that travels, a column for each that wraps."""
    table = lattice()
    outer = sorted(table.wraps, key=lambda name: (table.kinds[name].bits, name))
    inner = [name for name, kind in table.kinds.items() if kind.algorithm != RSA]
    lines = [
        _WRAPPING_HEAD,
        f"| | bits | {' | '.join(f'`{name}`' for name in outer)} |",
        "|---|---|" + "---|" * len(outer),
    ]
    for name in inner:
        kind = table.kinds[name]
        marks = ["yes" if name in table.wraps[one] else "" for one in outer]
        lines.append(f"| {_lengths(name, kind)} | {kind.bits} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def _lengths(name: str, kind: KeyKind) -> str:
    if kind.least == kind.most:
        return f"`{name}`"
    return f"`{name}`, {kind.least} to {kind.most} bytes"


def _key(rule: KeyRule) -> str:
    names = ", ".join(f"`{one}`" for one in MECHANISMS[rule.purpose])
    days = rule.max_life_ms // DAY_MS
    life = f"{days} d" if days else "as long as what it protects"
    kept = " (in memory only)" if rule.purpose in MEMORY_ONLY else ""
    holders = ", ".join(one.value for one in rule.holders)
    vouched = ", ".join(one.value for one in rule.vouched_by)
    cells = (f"`{rule.purpose.value}`", names, f"{holders}{kept}", life, vouched, rule.note)
    return f"| {' | '.join(cells)} |\n"
