"""The key list as files: signed once, signed twice, or both, as the policy in force asks.

    root of one half     keylist.jws, by it
    root of two halves   keylist.dual.jws, by both; beside it keylist.jws by the first half, for
                         clients that know no other, until the policy ends them

A root gets its second half away from the server; the first list that it signs with both makes it
the provider's root. Its first half stays what earlier clients pinned.

Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515; FIPS 204
"""

from collections.abc import Iterable

from tallystick.application.policing.store import last_policy
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.infrastructure.crypto.key_list import for_one_signature
from tallystick.infrastructure.crypto.signature import SigningKey
from tallystick.infrastructure.keys.keylist import issue_key_list
from tallystick.infrastructure.store.files import replace_file
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.policy import Policy
from tallystick.process.policy.language.suites import DUAL, SignatureRule
from tallystick.process.policy.signing import verify_policy
from tallystick.protocol.keylist import KeyEntry
from tallystick.protocol.policy_file import read_policy_file


def signature_rule(folder: ProviderFolder) -> SignatureRule:
    """What the policy in force says of signatures; nothing where there is no policy at all.

    Raises what its verification raises.
    Source: ISO/TS 12812-2:2017, 6.1; 7.4.2
    """
    found = policy_of(folder)
    return SignatureRule() if found is None else found.signatures


def policy_of(folder: ProviderFolder) -> Policy | None:
    """The policy in force, its signatures verified; before the first start, that of set-up.

    Raises what its verification raises.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    try:
        with open_reader(folder.stored()) as reader:
            stored = last_policy(reader) if reader.shapes() else None
    except NotFound:
        stored = None
    if stored is None and not folder.policy_file.exists():
        return None
    octets = folder.policy_file.read_bytes() if stored is None else stored[1].encode()
    settings, file = folder.settings(), read_policy_file(octets)
    officers = {name: half.verify_key() for name, half in settings.officers.items()}
    found = verify_policy(
        file, officers, profile=settings.profile, last_version=file.version - 1, anew=False
    )
    return found.policy


def check_root(folder: ProviderFolder, root: SigningKey, rule: SignatureRule) -> None:
    """Pass if `root` is the provider's, or the provider's with a second half, as `rule` asks.

    Raises NotPermitted for another root, or one half where two are in force or asked for.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    known = folder.settings().root
    if b64url(root.public().octets()) != known.public and _first(root) != known.public:
        lacking = known.verify_key()
        short = b64url(getattr(lacking, "classical", lacking).octets())
        raise NotPermitted(
            "this is not the root key of the provider",
            remedy="use the file of the root that has both halves"
            if short == b64url(root.public().octets())
            else "use offline/root.key of its set-up",
        )
    if rule.key_list == DUAL and not isinstance(root, DualSigningKey):
        raise NotPermitted(
            "the policy in force asks for two signatures under the key list",
            because=rule.because,
            remedy="give the root a second half: tallystick keys widen offline/root.key",
        )


def save_lists(
    folder: ProviderFolder,
    root: SigningKey,
    rule: SignatureRule,
    *,
    version: int,
    issued_at: Instant,
    expires_at: Instant,
    entries: Iterable[KeyEntry],
) -> None:
    """Sign the list with `root` and keep it; `check_root` has passed.

    Whatever is cut short leaves a list that the root of the settings signed. Raises what
    `issue_key_list` raises, before anything is written.
    Source: ISO/TS 12812-2:2017, 7.4.2; RFC 7515, 5.1
    """
    settings, every = folder.settings(), tuple(entries)

    def issue(signer: SigningKey, listed: Iterable[KeyEntry]) -> bytes:
        return issue_key_list(
            signer,
            provider=settings.provider,
            version=version,
            issued_at=issued_at,
            expires_at=expires_at,
            entries=listed,
        ).encode()

    if not isinstance(root, DualSigningKey):
        replace_file(folder.classical_list_file, issue(root, every))
        return
    whole = issue(root, every)
    once = issue(root.classical, map(for_one_signature, every))
    replace_file(folder.dual_list_file, whole)
    half = PublicHalf(algorithm=root.algorithm, public=b64url(root.public().octets()))
    if settings.root != half:
        folder.save_settings(replace(settings, root=half))
    if rule.serves_classical(issued_at):
        replace_file(folder.classical_list_file, once)
    else:
        folder.classical_list_file.unlink(missing_ok=True)


def _first(root: SigningKey) -> str:
    """The public first half of a root with two; empty for another."""
    return b64url(root.classical.public().octets()) if isinstance(root, DualSigningKey) else ""
