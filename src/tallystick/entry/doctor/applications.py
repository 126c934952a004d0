"""Applications: is this very program released, are look-alikes known, do old versions end?

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
"""

from collections.abc import Iterator

from tallystick import __version__
from tallystick.entry.apps import SERVER_PACKAGE, kept_apps, own_release
from tallystick.entry.attesting import attesting_in
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import MfsError
from tallystick.process.attestation.model import Asked

_HOW = "see docs/how-to/release-an-app.md"
_ASK = "see docs/how-to/ask-for-store-verdicts.md"


def look_at_applications(folder: ProviderFolder) -> Iterator[Finding]:
    """Whether this program is in the register, packages without a least version, store verdicts.

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
    yield from _verdicts(folder)


def _verdicts(folder: ProviderFolder) -> Iterator[Finding]:
    """Whether the policy of appraisal asks for verdicts of a store and there are keys for them."""
    keys = folder.settings().verdict_keys
    try:
        with open_reader(folder.stored()) as reader:
            asked = attesting_in(folder.root, reader).policy.verdicts()
    except MfsError:
        return
    packages = " ".join(one.package for one in keys)
    if asked is Asked.IGNORED:
        if keys:
            says = f"keys for {packages}, and the policy of appraisal looks at no verdict"
            yield soon("store verdicts", says, _ASK)
    elif not keys:
        says = f"{asked} by the policy of appraisal, and there are no keys that open them"
        yield wrong("store verdicts", says, _ASK)
    else:
        yield fine("store verdicts", f"{asked}, for {packages}")
