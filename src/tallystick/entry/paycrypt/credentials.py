"""Secrets of programs at the door: derived in the module, stored nowhere.

A program of a partner that two operators let in (`issue-workload` with the scope
`payment-cryptography`) has its id as access key id; its secret is the MAC of that id. Who revokes
the program ends the secret.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.5; AWS Signature Version 4
"""

from tallystick.application.desk.store import workloads
from tallystick.application.desk.workloads import PAYMENT_CRYPTOGRAPHY
from tallystick.entry.paycrypt_settings import must_have
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.block import peek
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle, Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Conflict, NotFound
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Clock

_LABEL = b"tallystick signature v4 secret v1\x00"


def secret_of(module: CryptoModule, credential: KeyHandle, program: str) -> Secret[str]:
    """The secret access key of `program`: 43 characters.

    Source: AWS Signature Version 4
    """
    return Secret(b64url(module.mac(credential, _LABEL + program.encode())))


def credential_key(folder: ProviderFolder, module: CryptoModule) -> KeyHandle:
    """The key that secrets come out of, loaded into `module`; made where there is none yet.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    for block in folder.blocks():
        if peek(block).purpose is Purpose.DOOR_CREDENTIAL:
            return module.import_block(block)
    made = module.generate(Purpose.DOOR_CREDENTIAL)
    folder.save_block(Purpose.DOOR_CREDENTIAL.value, module.export_block(made))
    return made


def hand_over(folder: ProviderFolder, opener: Opener, clock: Clock, program: str) -> Secret[str]:
    """The secret of `program`, to be handed over on a way of its own.

    Raises NotFound for what is no program of the door or where there is no door, Conflict for a
    program that was revoked or whose days are over.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    must_have(folder.root)
    _check_let_in(folder, clock, program)
    roots = folder.master(opener).roots((Purpose.DOOR_CREDENTIAL,))
    module = SoftModule(roots, clock, profile=folder.settings().profile)
    try:
        return secret_of(module, credential_key(folder, module), program)
    finally:
        module.zeroise()


def _check_let_in(folder: ProviderFolder, clock: Clock, program: str) -> None:
    with open_reader(folder.stored()) as reader:
        known = next((one for one in workloads(reader) if one.id == program), None)
    if known is None or known.scope != PAYMENT_CRYPTOGRAPHY:
        raise NotFound(
            "the door has no such program",
            remedy="let one in: tallystick operator act issue-workload",
        )
    if known.status != "active" or known.expires_at <= clock.now():
        raise Conflict(
            "the program may ask nothing any more",
            remedy="let another in: tallystick operator act issue-workload",
        )
