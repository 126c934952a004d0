"""The list of ISO/IEC 19790, and how each item is tried.

What is tried is tried on modules of a moment, under a master key of a moment; of the provider's own
module only its state and its words are asked.

Source: ISO/TS 12812-2:2017, 8.2.1; 8.2.3; ISO/IEC 19790
"""

import importlib.metadata
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from typing import Final

import tallystick
from tallystick.entry.selfchecking.model import Examined, Holds, Item, is_refused
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.registry import Status
from tallystick.infrastructure.crypto.registry import mechanism as registered
from tallystick.infrastructure.crypto.signature import (
    EDDSA,
    Ed25519SigningKey,
    Ed25519VerifyKey,
)
from tallystick.infrastructure.modules.clock import core_ms
from tallystick.infrastructure.modules.entropy import WatchedEntropy
from tallystick.infrastructure.modules.interface import ED25519, CryptoModule, Purpose
from tallystick.infrastructure.modules.known_answers import KNOWN_ANSWERS
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.remote.client import RemoteModule
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.standing import State
from tallystick.infrastructure.modules.tables import check_signer
from tallystick.kernel.errors import Broken, MfsError, NotPermitted, Unavailable
from tallystick.kernel.time import Clock

MOST_START_MS: Final = 150
_SHELVES: Final = ("crypto", "modules", "card", "pin", "keyblocks")

Found = tuple[Holds, str]
_HOLDS, _FAILS, _NOT_HERE = Holds.SATISFIED, Holds.NOT, Holds.NOT_HERE


def examine_module(module: CryptoModule, clock: Clock) -> tuple[Item, ...]:
    """Every item of the list, tried now; takes about a second.

    Source: ISO/IEC 19790; ISO/TS 12812-2:2017, 8.2.1
    """
    examined = Examined(module, clock)
    return tuple(_item(examined, *row) for row in _LIST)


def _item(
    examined: Examined, section: str, name: str, asks: str, look: Callable[[Examined], Found]
) -> Item:
    try:
        holds, says = look(examined)
    except MfsError as error:
        holds, says = _FAILS, f"could not be tried: {error.detail}"
    return Item(section=section, name=name, asks=asks, holds=holds, says=says)


def _stated(examined: Examined) -> Found:
    told = examined.told()
    honest = bool(told.validated_as) or "not validated" in told.statement
    return (_HOLDS if honest else _FAILS), f"{told.name}: {told.statement}"


def _validated(examined: Examined) -> Found:
    told = examined.told()
    if told.validated_as and told.validated_until > examined.clock.now():
        return _HOLDS, f"certificate {told.validated_as}"
    if told.validated_as:
        return _FAILS, f"certificate {told.validated_as} is past its time, or names no end"
    return _FAILS, "designed to the requirements of level 1, not validated: there is no certificate"


def _approved(examined: Examined) -> Found:
    names = examined.told().mechanisms
    others = [one for one in names if registered(one).status is not Status.APPROVED]
    says = f"{len(names) - len(others)} approved; besides, to check codes only or by its rules: "
    return _HOLDS, says + (", ".join(others) or "none")


def _inhibited(examined: Examined) -> Found:
    failed = examined.beside(wrong=ED25519)
    quote = failed.generate(Purpose.QUOTE)
    acts: tuple[Callable[[], object], ...] = (
        lambda: failed.generate(Purpose.TALLY),
        lambda: failed.mac(quote, b"x"),
        lambda: failed.random(16),
        lambda: failed.export_block(quote),
    )
    silent = all(is_refused(act, Broken) for act in acts)
    failed.zeroise()
    stays = failed.standing.state is State.FAILED
    return (_HOLDS if silent and stays else _FAILS), (
        "one wrong known answer was planted: each call was refused, also after zeroising"
        if silent and stays
        else "a module with a wrong known answer still gave something out"
    )


def _status_told(examined: Examined) -> Found:
    with_status = isinstance(examined.module, RemoteModule)
    failed = examined.beside(wrong=ED25519)
    is_refused(failed.self_test, Broken)
    told = ED25519 in failed.standing.refusal
    if not told:
        return _FAILS, "a failed module does not say why"
    where = "at every door of its process" if with_status else "to its own process"
    return _HOLDS, f"state and reason are told {where}, in every state"


def _authenticated(examined: Examined) -> Found:
    if not isinstance(examined.module, RemoteModule):
        return _NOT_HERE, "the module has no caller but its own process: set soft-process"
    held = examined.process_beside()
    quotes, control = held.module("quotes"), held.module("control")
    try:
        handle = quotes.generate(Purpose.QUOTE)
        acts: tuple[Callable[[], object], ...] = (
            quotes.self_test,
            lambda: quotes.generate(Purpose.TALLY),
            lambda: control.mac(handle, b"x"),
        )
        closed = all(is_refused(act, NotPermitted) for act in acts)
        control.self_test()
    finally:
        quotes.close()
        control.close()
        held.close()
    return (_HOLDS if closed else _FAILS), (
        "the kernel names who connects; a door without control does not control, and has its"
        " purposes only"
        if closed
        else "a door gave more than it is for"
    )


def _bound_to_use(examined: Examined) -> Found:
    module = examined.beside()
    quote, tally = module.generate(Purpose.QUOTE), module.generate(Purpose.TALLY)
    acts: tuple[Callable[[], object], ...] = (
        lambda: module.sign(quote, b"x"),
        lambda: module.mac(tally, b"x"),
        lambda: module.seal(tally, bytes(12), b"x", b""),
    )
    bound = all(is_refused(act, NotPermitted) for act in acts)
    return (_HOLDS if bound else _FAILS), "keys were used for what they are not for; each refused"


def _intact(_: Examined) -> Found:
    """The files of the shelves that touch keys, against the digests that the package carries."""
    try:
        files = importlib.metadata.files(tallystick.__name__) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    wanted = [
        one
        for one in files
        if one.hash is not None
        and one.suffix == ".py"
        and any(f"infrastructure/{shelf}/" in one.as_posix() for shelf in _SHELVES)
    ]
    if not wanted:
        return _FAILS, "runs from a source tree, which carries no digests: install the package"
    changed = [one.as_posix() for one in wanted if not _is_intact(one)]
    if changed:
        return _FAILS, f"{len(changed)} files were changed after installing: {changed[0]}"
    return _HOLDS, f"{len(wanted)} files are as they were packed (SHA-256; nobody signs the list)"


def _is_intact(file: importlib.metadata.PackagePath) -> bool:
    try:
        octets = file.read_binary()
    except OSError:
        return False
    digest = urlsafe_b64encode(sha256(octets)).rstrip(b"=").decode()
    return file.hash is not None and file.hash.value == digest


def _kept_in_memory(examined: Examined) -> Found:
    found = examined.hardened()
    if not isinstance(examined.module, RemoteModule) and found.dumpable:
        return _NOT_HERE, "this command's own process; the service hardens its process at start"
    if found.core_limit or found.dumpable:
        return _FAILS, "the memory of the process can be dumped"
    if not found.locked_kib:
        return _FAILS, "no core file, no debugger; but it may be swapped out: allow LimitMEMLOCK"
    return _HOLDS, f"no core file, no debugger, {found.locked_kib} KiB never swapped out"


def _confined(examined: Examined) -> Found:
    found = examined.hardened()
    if not isinstance(examined.module, RemoteModule):
        return _NOT_HERE, "the module shares the process of the service: set soft-process"
    if found.file_limit or not found.confined:
        return _FAILS, "the process may write files or gain rights"
    return _HOLDS, "writes no file, starts nothing, gains no rights, has no environment"


def _physical(examined: Examined) -> Found:
    told = examined.told()
    if told.hardware_boundary:
        return _HOLDS, f"a device: {told.statement}"
    return _NOT_HERE, "software: the boundary is a process, and the machine is protected by others"


def _not_claimed(_: Examined) -> Found:
    return _NOT_HERE, "software at level 1: nothing is claimed"


def _wrapped(examined: Examined) -> Found:
    module = examined.beside()
    wrap = module.generate(Purpose.SESSION_WRAP)
    stays = is_refused(lambda: module.export_block(wrap), NotPermitted)
    block = bytearray(module.export_block(module.generate(Purpose.STORE)))
    block[-1] ^= 1
    whole = is_refused(lambda: module.import_block(bytes(block)), MfsError)
    return (_HOLDS if stays and whole else _FAILS), (
        "keys leave wrapped with their purpose, or not at all; a changed block was refused"
    )


def _zeroised(examined: Examined) -> Found:
    module = examined.beside()
    handle = module.generate(Purpose.QUOTE)
    module.zeroise()
    gone = is_refused(lambda: module.mac(handle, b"x"), Unavailable) and not module.handles()
    return (_HOLDS if gone else _FAILS), (
        "no key is found after it; that Python overwrites every copy is not promised"
    )


def _answered(examined: Examined) -> Found:
    module = examined.beside()
    begun = core_ms()
    proved = module.self_test()
    took = core_ms() - begun
    missing = set(KNOWN_ANSWERS) - set(proved)
    holds = _HOLDS if not missing and took <= MOST_START_MS else _FAILS
    return holds, f"{len(proved)} mechanisms proved themselves in {took} ms of a core"


def _answered_first(examined: Examined) -> Found:
    missing = [one for one in examined.told().mechanisms if one not in KNOWN_ANSWERS]
    bare = SoftModule(
        MasterKey(bytes(32)).roots((Purpose.QUOTE,)), examined.clock, known_answers={}
    )
    holds = not missing and is_refused(lambda: bare.generate(Purpose.QUOTE), Broken)
    return (_HOLDS if holds else _FAILS), "a mechanism without a known answer did not run"


class _Mismatched:
    """A signature key whose public half belongs to another."""

    algorithm = EDDSA

    def __init__(self) -> None:
        self._one, self._other = Ed25519SigningKey.generate(), Ed25519SigningKey.generate()

    def sign(self, message: bytes) -> bytes:
        return self._one.sign(message)

    def public(self) -> Ed25519VerifyKey:
        return self._other.public()


def _paired(_: Examined) -> Found:
    holds = is_refused(lambda: check_signer(_Mismatched()), Broken)
    return (_HOLDS if holds else _FAILS), "two halves that do not fit together were refused"


def _drawn_from(source: Callable[[int], bytes]) -> bytes:
    return WatchedEntropy(source)(16)


def _watched(_: Examined) -> Found:
    def stuck(length: int) -> bytes:
        return b"\xa5" * length

    turns = iter(range(1 << 16))

    def biased(length: int) -> bytes:
        octets = next(turns).to_bytes(2, "big") + bytes(range(16)) * (length // 16 + 1)
        return octets[:length]

    for source in (stuck, biased):
        if not is_refused(partial(_drawn_from, source), Broken):
            return _FAILS, "a source that is not random was taken"
    return _HOLDS, "a source that repeats itself and a biased one were refused; SP 800-90B, 4.4"


def _versioned(_: Examined) -> Found:
    return _HOLDS, f"tallystick {tallystick.__version__}; builds and tests: tallystick prove"


_Row = tuple[str, str, str, Callable[[Examined], Found]]

_LIST: Final[tuple[_Row, ...]] = (
    ("7.2", "statement", "what the module is and is not is stated", _stated),
    ("7.2", "validation", "the module is validated, and its certificate in force", _validated),
    ("7.2", "approved", "approved mechanisms are told from others", _approved),
    ("7.3", "inhibition", "no output in the state of error", _inhibited),
    ("7.3", "status", "the state is told, and why", _status_told),
    ("7.4", "roles", "callers are known, and do no more than their role", _authenticated),
    ("7.4", "services", "a key does nothing but its purpose", _bound_to_use),
    ("7.5", "integrity", "the software is what was packed", _intact),
    ("7.6", "memory", "keys in memory are not dumped or swapped out", _kept_in_memory),
    ("7.6", "confinement", "the process does nothing but this", _confined),
    ("7.7", "physical", "physical protection", _physical),
    ("7.8", "non-invasive", "protection against measuring from outside", _not_claimed),
    ("7.9", "wrapping", "keys enter and leave wrapped", _wrapped),
    ("7.9", "zeroisation", "keys can be zeroised at once", _zeroised),
    ("7.10", "known-answers", "every mechanism proves itself, within 150 ms of a core", _answered),
    ("7.10", "before-use", "no mechanism runs unproved", _answered_first),
    ("7.10", "pairs", "new key pairs fit together", _paired),
    ("7.10", "entropy", "the source of random bytes is watched", _watched),
    ("7.11", "life-cycle", "the version is told", _versioned),
    ("7.12", "other-attacks", "mitigation of other attacks", _not_claimed),
)
"""Section of ISO/IEC 19790, name, what is asked, and how it is tried."""
