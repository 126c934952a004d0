"""SIMs for the provider's stock: their keys are made here, and leave only as key blocks.

    make_sims -> FOLDER/sims/BATCH.json, key blocks -> the bureau, which opens them with the roots
                                                       of these two purposes and no others
              -> stock_sims, at the next start of the service -> the store

Source: ISO/TS 12812-2:2017, 7.2.4; 7.4.2
"""

from collections.abc import Sequence

from tallystick.application.simcommands import StockSim
from tallystick.application.writer import Writer
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.opening import Opener
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import Decoder, b64url, b64url_decode, encode_canonical
from tallystick.kernel.errors import Conflict, MfsError
from tallystick.kernel.model import Record
from tallystick.kernel.time import Clock
from tallystick.protocol.toolkit import iccid_octets

PURPOSES = (Purpose.SIM_PACKET, Purpose.SIM_ORDER)
"""What the two keys of a SIM are for."""


class SimKeys(Record, frozen=True, kw_only=True):
    """A SIM and its keys as key blocks, base64url.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    iccid: str
    packet: str
    order: str


class SimBatch(Record, frozen=True, kw_only=True):
    """SIMs that were made together.

    Source: ISO/TS 12812-2:2017, 7.2.4
    """

    v: int = 1
    sims: tuple[SimKeys, ...]


_batches = Decoder(SimBatch, limit=64 * 1024 * 1024)


def make_sims(
    folder: ProviderFolder, opener: Opener, clock: Clock, batch: str, iccids: Sequence[str]
) -> SimBatch:
    """Make the keys of SIMs and leave them as key blocks in the folder, under the name `batch`.

    Raises Malformed for what is no serial number, Conflict for a batch that waits already.
    Source: ISO/TS 12812-2:2017, 7.2.4; 7.4.2
    """
    for iccid in iccids:
        iccid_octets(iccid)
    file = folder.root / "sims" / f"{batch}.json"
    if file.exists():
        raise Conflict(f"the batch {batch} waits already", remedy="choose another name")
    roots = folder.master(opener).roots(PURPOSES)
    module = SoftModule(roots, clock, profile=folder.settings().profile)
    try:
        sims = tuple(_made(module, iccid) for iccid in iccids)
    finally:
        module.zeroise()
    made = SimBatch(sims=sims)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(file, encode_canonical(made))
    return made


def stock_sims(folder: ProviderFolder, writer: Writer) -> int:
    """Take every waiting batch into the store; how many SIMs are new. A SIM that is known stays.

    Source: ISO/TS 12812-2:2017, 7.2.4; 7.4.2
    """
    new = 0
    for file in sorted((folder.root / "sims").glob("*.json")):
        batch = _batches.decode(file.read_bytes())
        commands = [
            StockSim(one.iccid, b64url_decode(one.packet), b64url_decode(one.order))
            for one in batch.sims
        ]
        for recorded in writer.run(list(commands)):
            reply = recorded.outcome.reply
            if isinstance(reply, MfsError) and not isinstance(reply, Conflict):
                raise reply
            new += not isinstance(reply, MfsError)
        file.unlink()
    return new


def _made(module: SoftModule, iccid: str) -> SimKeys:
    packet, order = (b64url(module.export_block(module.generate(purpose))) for purpose in PURPOSES)
    return SimKeys(iccid=iccid, packet=packet, order=order)
