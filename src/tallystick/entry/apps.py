"""The register of applications, read beside the running service, and the files of a release.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
"""

from dataclasses import dataclass
from pathlib import Path

from tallystick import __version__
from tallystick.application.apps.service import register_of
from tallystick.application.apps.store import every_statement, versions_seen
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.database import Connection
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import NotFound
from tallystick.process.apps.manifest import AppRelease, Platform
from tallystick.process.apps.reading import manifest_of, read_release_text
from tallystick.process.apps.rules import AppRegister

SERVER_PACKAGE = "tallystick"


@dataclass(frozen=True, slots=True)
class KeptApps:
    """What officers stated, and how many devices were last seen with each version.

    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
    """

    register: AppRegister
    seen: dict[tuple[str, str, int], int]


def kept_apps(folder: ProviderFolder) -> KeptApps:
    """The register of the provider in `folder`; empty before it was served.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    try:
        place = folder.stored()
    except NotFound:
        return KeptApps(register=AppRegister(), seen={})
    with open_reader(place) as reader:
        return apps_in(reader)


def apps_in(reader: Connection) -> KeptApps:
    """The register in a store; empty in one that an older version served last.

    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    if not {"app_stated", "app_seen"} <= {shape.table for shape in reader.shapes()}:
        return KeptApps(register=AppRegister(), seen={})
    return KeptApps(register=register_of(every_statement(reader)), seen=versions_seen(reader))


def manifest_in(file: Path) -> AppRelease:
    """The manifest of the release in `file`, read out of the package and the bill beside it.

    Raises what reading them raises, and OSError for a file that is not there.
    Source: ISO/TS 12812-2:2017, 7.4.4
    """
    said = read_release_text(file.read_text(encoding="utf-8"))
    beside = file.parent
    artifact = (beside / said.artifact).read_bytes()
    return manifest_of(said, artifact, (beside / said.bill).read_bytes())


def release_says(register: AppRegister) -> str:
    """Which release this program is, and whether it is in the register, in words.

    Source: ISO/TS 12812-2:2017, 7.4.4; 6.2.2
    """
    found = own_release(register)
    known = "not in the register of releases" if found is None else f"package {found.digest}"
    return f"{SERVER_PACKAGE} {__version__}: {known}"


def own_release(register: AppRegister) -> AppRelease | None:
    """The release that this program is, if it is in the register and was not withdrawn.

    It is found by its version: what was installed no longer has the octets of the package.
    Source: ISO/TS 12812-2:2017, 7.4.4; 6.2.2
    """
    found = register.of(Platform.SERVER.value, SERVER_PACKAGE)
    here = (one for one in reversed(found) if one.name == __version__)
    gone = register.withdrawn
    return next(
        (one for one in here if (one.platform.value, one.package, one.version) not in gone), None
    )
