"""Applications: is this very program released, are look-alikes known, do old versions end?

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
"""

from collections.abc import Iterator

from tallystick import __version__
from tallystick.entry.apps import SERVER_PACKAGE, kept_apps, own_release
from tallystick.entry.doctor.model import Finding, fine, soon
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.errors import MfsError

_HOW = "see docs/how-to/release-an-app.md"


def look_at_applications(folder: ProviderFolder) -> Iterator[Finding]:
    """Whether the program that runs is in the register, and packages without a least version.

    Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
    """
    try:
        register = kept_apps(folder).register
    except MfsError:
        return
    own = own_release(register)
    if own is None:
        says = f"{SERVER_PACKAGE} {__version__} is not a release of the register"
        yield soon("applications", says, _HOW)
    else:
        yield fine("applications", f"{own.package} {own.name} is released, bill {own.bill[:16]}")
    for platform, package in sorted({one[:2] for one in register.releases}):
        rule = register.rolled_out.get((platform, package))
        if platform != "server" and (rule is None or not rule.least):
            yield soon("applications", f"{package}: no version of it ever ends", _HOW)
