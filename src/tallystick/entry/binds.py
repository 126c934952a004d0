"""Networks that the service binds to: their registration, and the passwords of their binds.

A password is the network's to choose, so it cannot be derived: it is sealed by the module with the
key of the store, for this bind's name and system id, and the settings keep nothing else of it.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.2; SMPP 3.4, 4.1.5
"""

import ipaddress
import re
from contextlib import suppress

from tallystick.entry.partner_settings import SmppBind
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed, NotFound, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock

_LABEL = "tallystick smpp password v1"
_NONCE = 12
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


def seal_password(
    module: CryptoModule, store: KeyHandle, bind: SmppBind, password: Secret[str]
) -> str:
    """What the settings keep of the password of `bind`, base64url.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    nonce = module.random(_NONCE)
    return b64url(nonce + module.seal(store, nonce, password.reveal().encode(), _bound(bind)))


def open_password(module: CryptoModule, store: KeyHandle, bind: SmppBind) -> Secret[str]:
    """The password of `bind`.

    Raises NotAuthentic if it was sealed for another bind or changed.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    sealed = b64url_decode(bind.password)
    return Secret(module.open(store, sealed[:_NONCE], sealed[_NONCE:], _bound(bind)).decode())


def check_bind(bind: SmppBind) -> None:
    """Pass if the way to the network of `bind` is protected.

    Raises NotPermitted for a way beyond loopback with neither TLS nor a tunnel that is named,
    Malformed for a name, window or times that make no sense.
    Source: ISO/TS 12812-2:2017, 7.2.3
    """
    if not _NAME.fullmatch(bind.name):
        raise Malformed("the name of a network is a slug", remedy="write mno-east")
    if not 1 <= bind.window <= 1_000 or bind.answer_ms < 1 or bind.enquire_ms < 1:
        raise Malformed("the window or the times of a bind make no sense")
    loopback = bind.host == "localhost"
    with suppress(ValueError):
        loopback = loopback or ipaddress.ip_address(bind.host).is_loopback
    if not (bind.tls or bind.tunnel or loopback):
        raise NotPermitted(
            f"nothing protects the way to {bind.name}",
            because="7.2.3: PINs and notices cross it",
            remedy="use TLS, or name the tunnel",
        )


def register_bind(
    folder: ProviderFolder, opener: Opener, clock: Clock, bind: SmppBind, password: Secret[str]
) -> None:
    """Keep `bind` with its password in the settings, in place of one of the same name.

    Raises what `check_bind` raises, NotAuthentic for what does not open the master key.
    Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.2
    """
    check_bind(bind)
    settings = folder.settings()
    module = SoftModule(
        folder.master(opener).roots((Purpose.STORE,)), clock, profile=settings.profile
    )
    try:
        sealed = seal_password(module, _store_key(folder, module), bind, password)
    finally:
        module.zeroise()
    others = tuple(one for one in settings.smpp if one.name != bind.name)
    folder.save_settings(replace(settings, smpp=(*others, replace(bind, password=sealed))))


def _store_key(folder: ProviderFolder, module: SoftModule) -> KeyHandle:
    for block in folder.blocks():
        if peek(block).purpose is Purpose.STORE:
            return module.import_block(block)
    raise NotFound("the provider has no key for its store")


def _bound(bind: SmppBind) -> bytes:
    return f"{_LABEL}\x00{bind.name}\x00{bind.system_id}".encode()
