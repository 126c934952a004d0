"""A policy in force that grants acts which are gone: drafted without them, signed, taken in.

    FOLDER/policy.mended.json   the draft as officers signed it; the next start puts it in place

The service does not start under the other one. What a start takes differs from it in the acts that
are gone and in the version, in nothing else.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from pathlib import Path
from typing import Final

from tallystick.application.policing.store import last_policy
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.protocol.policy_file import policy_text, read_policy_file

MENDED: Final = "policy.mended.json"


def mended_in(root: Path) -> str:
    """The signed file in `root` that a start may put in place of a policy; empty without one.

    Raises Malformed for another form.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    try:
        octets = (root / MENDED).read_bytes()
    except FileNotFoundError:
        return ""
    try:
        read_policy_file(octets)
    except Malformed as error:
        raise Malformed(f"{MENDED}: {error.detail}", remedy="sign the draft again") from error
    return octets.decode()


def stored_text(folder: ProviderFolder) -> tuple[str, bool]:
    """The text of the policy in force in `folder`, or of its first one, and whether it is stored.

    Raises NotFound where there is neither.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    try:
        with open_reader(folder.stored()) as reader:
            stored = last_policy(reader) if reader.shapes() else None
    except NotFound:
        folder.settings()
        stored = None
    octets = folder.policy_file.read_bytes() if stored is None else stored[1].encode()
    return policy_text(read_policy_file(octets)), stored is not None
