"""The registers of a provider's folder, and what they are held against; read beside the service.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from pathlib import Path

from tallystick.application.certification.store import CertificateRow
from tallystick.application.customers.store import active_agents
from tallystick.application.operators.store import active_roles
from tallystick.entry.certifying import certificates_in
from tallystick.entry.keykeeping import door_blocks
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.surveying import survey
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Malformed, MfsError, NotFound, NotPermitted
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant
from tallystick.process.isms.gaps import Surroundings
from tallystick.process.isms.inventory import inventory
from tallystick.process.isms.model import Register, Registers, Unreadable
from tallystick.process.isms.probes import State
from tallystick.process.isms.reading import read_register
from tallystick.process.isms.shapes import SHAPES
from tallystick.process.isms.training import why_untrained
from tallystick.process.programme.reading import read_programme
from tallystick.process.yamltext.section import suggestion
from tallystick.process.yamltext.tree import MAX_TEXT

_Mark = tuple[int, int, int]


class KeptRegisters:
    """The registers in a folder; each text is read again once its file has changed.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    def __init__(self, folder: Path) -> None:
        """Look in `folder`, which need not exist.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        self._folder = folder
        self._known: dict[Path, tuple[_Mark, Register | Unreadable]] = {}

    def read(self) -> Registers:
        """Every register as its file says now; a file that cannot be read is named, not left out.

        Source: ISO/TS 12812-2:2017, 6.2.1
        """
        found = [self._one(path) for path in sorted(self._folder.glob("*.yaml"))]
        kept = {one.name: one for one in found if isinstance(one, Register)}
        broken = tuple(one for one in found if isinstance(one, Unreadable))
        ordered = {name: kept[name] for name in SHAPES if name in kept}
        return Registers(kept=ordered, unreadable=broken)

    def why_untrained(self, operator: str, now: Instant) -> str:
        """Why the operator of this id may not approve at `now`; empty if nothing stands against it.

        Source: ISO/TS 12812-2:2017, 7.3.6; 6.2.1
        """
        return why_untrained(self.read(), operator, now)

    def _one(self, path: Path) -> Register | Unreadable:
        name = path.stem
        try:
            state = path.stat()
            mark = (state.st_mtime_ns, state.st_size, state.st_ino)
            known = self._known.get(path)
            if known is not None and known[0] == mark:
                return known[1]
            found = _read(path, name)
        except OSError as error:
            return Unreadable(name=name, defects=error.strerror or "the file cannot be read")
        self._known[path] = (mark, found)
        return found


def _read(path: Path, name: str) -> Register | Unreadable:
    try:
        if name not in SHAPES:
            raise NotFound(f"no register is called {name[:40]!r}{suggestion(name, SHAPES)}")
        octets = path.read_bytes()
        if len(octets) > 4 * MAX_TEXT:
            raise Malformed("the register is too large")
        return read_register(octets.decode(), name)
    except MfsError as error:
        return Unreadable(name=name, defects=error.detail)
    except UnicodeDecodeError:
        return Unreadable(name=name, defects="the register is not UTF-8")


class Stored(Record, frozen=True, kw_only=True):
    """What the store of a provider has that registers are held against.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """

    certificates: tuple[CertificateRow, ...] = ()
    operators: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


def stored(folder: ProviderFolder) -> Stored:
    """Certificates, operators and agents; none before the provider was served.

    Source: ISO/TS 12812-2:2017, 6.2.1; 9.1
    """
    try:
        place = folder.stored()
    except NotFound:
        return Stored()
    with open_reader(place) as reader:
        if not reader.shapes():
            return Stored()
        return Stored(
            certificates=tuple(certificates_in(reader)),
            operators=tuple(sorted(active_roles(reader))),
            agents=tuple(active_agents(reader)),
        )


def state_of(folder: ProviderFolder) -> State:
    """The registers of a provider, its certificates, operators, keys and database.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    rows = stored(folder)
    keys = inventory((*folder.blocks(), *door_blocks(folder)), survey(folder))
    found = ["database", *sorted({f"key:{one.purpose}" for one in keys.keys})]
    withdrawn = [one.withdrawal() for one in rows.certificates]
    around = Surroundings(
        certificates=tuple(one.certificate() for one in rows.certificates),
        withdrawn=tuple(one for one in withdrawn if one is not None),
        found=tuple(found),
        operators=rows.operators,
        agents=rows.agents,
        parties=_parties(folder),
    )
    registers = KeptRegisters(folder.registers).read()
    return State(registers=registers, around=around, inventory=keys)


def _parties(folder: ProviderFolder) -> tuple[str, ...]:
    """The parties that the programme names; none where there is no programme that can be read."""
    try:
        text = folder.programme_file.read_text(encoding="utf-8")
        return tuple(read_programme(text).parties)
    except (OSError, UnicodeDecodeError, MfsError):
        return ()


def new_register(folder: ProviderFolder, name: str, owner: str, today: str) -> Path:
    """Write an empty register with its fields as comments; gives the file.

    Raises NotFound for another name, NotPermitted if the register is kept already.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    shape = SHAPES.get(name)
    if shape is None:
        raise NotFound(f"no register is called {name[:40]!r}{suggestion(name, SHAPES)}")
    path = folder.registers / f"{name}.yaml"
    if path.exists():
        raise NotPermitted(f"{path} is there already", remedy="edit it")
    lines = [
        f"# {shape.says}",
        f"register: {name}",
        f"owner: {owner}",
        f"reviewed: {today}",
        "entries: {}",
        "#  ID:",
    ]
    for field in shape.fields:
        need = "" if field.required else "may be left out; "
        known = f": {', '.join(field.known)}" if field.known else ""
        lines.append(f"#    {field.name}:  # {need}{field.kind.value}{known}; {field.says}")
    folder.registers.mkdir(mode=0o700, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
