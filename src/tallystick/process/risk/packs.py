"""Packs: the tables, controls and threat rules of one version, named by the hash of their texts.

A pack is a folder with `tables.yaml`, `controls.yaml` and `threats/*.yaml`. Reading finds every
defect of every text in one pass, each with its file, line and column.

Source: ISO/TS 12812-2:2017, A; D
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tallystick.infrastructure.crypto.digest import sha256_of
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.process.catalogue import catalogue
from tallystick.process.risk.model import Pack, ThreatRule
from tallystick.process.risk.reading.controls import read_controls
from tallystick.process.risk.reading.rules import RuleReader
from tallystick.process.risk.reading.tables import read_required, read_tables
from tallystick.process.risk.reading.words import THREAT, checked_id
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Mapping as MappingNode
from tallystick.process.yamltext.tree import read_nodes

BASE = "base-2017"
"""The pack that a programme uses unless it says another."""

MOST_CHARACTERS = 1024 * 1024
DEEPEST = 20
_TABLES, _CONTROLS, _THREATS = "tables.yaml", "controls.yaml", "threats/"
_START = Position(line=1, column=1)


@cache
def shipped_pack(name: str = BASE) -> Pack:
    """The pack `name` that comes with the package, read once.

    Raises NotFound where there is none, Malformed where it is damaged.
    Source: ISO/TS 12812-2:2017, A
    """
    folder = files(__package__ or "") / "packs" / name
    if "/" in name or not folder.is_dir():
        raise NotFound(f"no pack {name[:60]!r} comes with the package")
    return read_pack({one: (folder / one).read_text("utf-8") for one in _names_below(folder)})


def pack_for(uses: Iterable[str]) -> Pack:
    """The first shipped pack that a programme says it uses; `BASE` where it names none.

    A programme also uses regimes, which are packs of another sort and are passed over.
    Source: ISO/TS 12812-2:2017, A
    """
    root = files(__package__ or "") / "packs"
    for name in (one.removeprefix("packs/") for one in uses):
        if "/" not in name and (root / name / _TABLES).is_file():
            return shipped_pack(name)
    return shipped_pack(BASE)


def pack_in(folder: Path) -> Pack:
    """The pack in a folder of the file system.

    Source: ISO/TS 12812-2:2017, A
    """
    return read_pack({one: (folder / one).read_text("utf-8") for one in _names_below(folder)})


def pack_digest(texts: Mapping[str, str]) -> str:
    """SHA-256 in hexadecimal over every text with its name and length, in order of name.

    Source: ISO/TS 12812-2:2017, A
    """
    parts: list[bytes] = []
    for name in sorted(texts):
        octets = texts[name].encode()
        parts += [f"{name}\n{len(octets)}\n".encode(), octets]
    return sha256_of(parts).hex()


def read_pack(texts: Mapping[str, str]) -> Pack:
    """The pack in `texts`, which maps names such as `threats/sms.yaml` to what stands there.

    Raises Malformed with every defect of every text, each with file, line and column.
    Source: ISO/TS 12812-2:2017, A; D
    """
    found = _Texts(texts)
    tables_root = found.root(_TABLES, ("pack", "tables", "required"))
    header = tables_root.section("pack", ("id", "version"))
    name = header.text("id")
    checked_id(header, name, header.position("id"))
    header.integer("version", 1, 2**31)
    tables = read_tables(tables_root)
    required = read_required(tables_root)
    controls = read_controls(found.root(_CONTROLS, ("controls",)), tables)
    roots = {
        one: found.root(one, ("threats", "added"))
        for one in sorted(texts)
        if one.startswith(_THREATS)
    }
    added = _added(roots.values())
    reader = RuleReader(tables, controls, {*catalogue().threats, *added})
    rules: dict[str, ThreatRule] = {}
    for root in roots.values():
        for rule in reader.rules(root).values() if "threats" in root else ():
            if rule.id in rules:
                at = root.section("threats").position(rule.id)
                root.defects.add(at, f"rule {rule.id} stands in two files")
            rules[rule.id] = rule
    found.refuse()
    if not rules:
        raise Malformed("the pack has no threat rule", remedy="write one in threats/*.yaml")
    return Pack(
        id=name,
        digest=pack_digest(texts),
        tables=tables,
        required=required,
        controls=controls,
        rules=rules,
    )


def _added(roots: Iterable[Section]) -> dict[str, str]:
    """Threats that the pack adds to the catalogue: id to why; the ids are not the catalogue's."""
    found: dict[str, str] = {}
    for root in roots:
        if "added" not in root:
            continue
        section = root.section("added")
        for name, at in section.names():
            one = section.section(name, ("label", "why"))
            one.text("label")
            if not THREAT.match(name):
                root.defects.add(at, f"a threat is called THR-XXX-01, not {name[:20]!r}")
            elif name in catalogue().threats or name in found:
                root.defects.add(at, f"threat {name} is known already")
            found[name] = one.text("why")
    return found


class _Texts:
    """The texts of a pack with the defects of each."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._defects: dict[str, Defects] = {}
        for name in texts:
            if name not in {_TABLES, _CONTROLS} and not name.startswith(_THREATS):
                self._note(name).add(
                    _START, "a pack has tables.yaml, controls.yaml, threats/*.yaml"
                )

    def root(self, name: str, words: tuple[str, ...]) -> Section:
        """The top of one text; an empty one and a defect where it is missing or no YAML."""
        defects = self._note(name)
        if name not in self._texts:
            defects.add(_START, "the pack lacks this text")
            return Section(MappingNode({}, _START), "", Defects())
        try:
            node = read_nodes(
                self._texts[name], "pack", most=MOST_CHARACTERS, decimals=True, deepest=DEEPEST
            )
        except Malformed as error:
            defects.add(_START, error.detail)
            return Section(MappingNode({}, _START), "", Defects())
        return Section(node, "", defects, words)

    def refuse(self) -> None:
        """Pass if no text has a defect; raises Malformed with all of them."""
        lines = [
            f"{name}: {at}: {text}"
            for name, defects in sorted(self._defects.items())
            for at, text in sorted(defects.found)
        ]
        if lines:
            raise Malformed("\n".join(lines), remedy="correct the pack")

    def _note(self, name: str) -> Defects:
        return self._defects.setdefault(name, Defects())


def _names_below(folder: Traversable) -> list[str]:
    """The texts of a pack in `folder`; whatever else lies there is not part of it."""
    names = [_TABLES, _CONTROLS]
    found = {one.name: one for one in folder.iterdir()}
    threats = found.get(_THREATS.rstrip("/"))
    if threats is not None and threats.is_dir():
        names += [_THREATS + one.name for one in threats.iterdir() if one.name.endswith(".yaml")]
    return sorted(name for name in names if name.partition("/")[0] in found)
