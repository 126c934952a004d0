"""A payment cryptography door without a writer: keys in memory, programs believed."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tallystick.application.paycrypt import AliasRow, PaymentKey, PaymentKeys
from tallystick.entry.accounting import Accounting
from tallystick.entry.paycrypt.asking import MECHANISM_OF, PURPOSE_OF, Ground
from tallystick.entry.paycrypt.authorities import Authorities
from tallystick.entry.paycrypt.door import Door, Request
from tallystick.entry.paycrypt.keys import WORDS, check_value
from tallystick.entry.paycrypt_settings import PURPOSES, PaycryptSettings, Row
from tallystick.entry.pki.partnerlists import ListFiles, PartnerLists
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.modules.master import MasterKey
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.modules.soft_chips import Card
from tallystick.infrastructure.modules.soft_issuing import Sealing
from tallystick.infrastructure.modules.soft_pins import PinBlock, Target
from tallystick.infrastructure.pin.formats import PinFormat
from tallystick.kernel.time import Clock, Instant, SimulatedClock

PROGRAM = "wkl_01h00000000000000000000000"
NOW = Instant(1_800_000_000_000)
KEYS = {
    "zpk": ("TR31_P0_PIN_ENCRYPTION_KEY", "TDES_2KEY", "B"),
    "zpk4": ("TR31_P0_PIN_ENCRYPTION_KEY", "AES_128", "B"),
    "bdk": ("TR31_B0_BASE_DERIVATION_KEY", "TDES_2KEY", "X"),
    "bdk4": ("TR31_B0_BASE_DERIVATION_KEY", "AES_128", "X"),
    "pvk": ("TR31_V2_VISA_PIN_VERIFICATION_KEY", "TDES_2KEY", "C"),
    "ibm": ("TR31_V1_IBM3624_PIN_VERIFICATION_KEY", "TDES_2KEY", "C"),
    "mac": ("TR31_M6_ISO_9797_5_CMAC_KEY", "AES_128", "C"),
    "mac3": ("TR31_M3_ISO_9797_3_MAC_KEY", "TDES_2KEY", "C"),
    "cvk": ("TR31_C0_CARD_VERIFICATION_KEY", "TDES_2KEY", "C"),
    "ac": ("TR31_E0_EMV_MKEY_APP_CRYPTOGRAMS", "TDES_2KEY", "X"),
    "dn": ("TR31_E4_EMV_MKEY_DYNAMIC_NUMBERS", "TDES_2KEY", "X"),
    "dek": ("TR31_D0_SYMMETRIC_DATA_ENCRYPTION_KEY", "AES_128", "B"),
}


SETTINGS = PaycryptSettings(
    v=1,
    use="test",
    rows=(Row(programs=("*",), actions=("*",), resources=("*",)),),
    legacy=("all",),
    weaker_formats=True,
    rate=10**9,
)


class Programs:
    """Believes every program."""

    def signs_v4(self, program: str, now: Instant) -> None:
        """Pass."""


class Kept(PaymentKeys):
    """Keys in memory, with no store behind them."""

    def __init__(self) -> None:
        self.keys: dict[str, PaymentKey] = {}
        self.aliases: dict[str, AliasRow] = {}


class OpenDoor(Door):
    """A door and its keys by short names; `signed` says whether signatures are looked at."""

    def __init__(
        self,
        *,
        write: Callable[[bytes], None] = lambda _: None,
        signed: bool = False,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SimulatedClock(NOW)
        module = SoftModule(
            MasterKey(bytes(range(32))).roots(PURPOSES),
            clock,
            entropy=random.Random(12812).randbytes,
            rules=SETTINGS.rules(),
        )
        writer: Any = None
        authorities = Authorities(module, (), lambda _name, _block: None)
        lists = PartnerLists(
            ListFiles(Path("build"))
        )  # no file: no partner's certificate is used here
        ground = Ground(SETTINGS, module, Kept(), writer, clock, authorities, lists)
        self.credential = module.generate(Purpose.DOOR_CREDENTIAL)
        programs: Any = Programs()
        super().__init__(ground, programs, Accounting(clock, write), self.credential)
        self._signed = signed
        self.names: dict[str, str] = {}
        for name, (usage, algorithm, letter) in KEYS.items():
            self._add(name, usage, algorithm, letter)

    def _add(self, name: str, usage: str, algorithm: str, letter: str) -> None:
        module, key_id = self.on.module, f"{name:x<16}"
        purpose, mechanism = PURPOSE_OF[usage], MECHANISM_OF[algorithm]
        handle = module.data.make_key(purpose, mechanism, mode=letter, exportability="E")
        how, kcv = check_value(self.on, handle, "")
        self.on.kept.keys[key_id] = PaymentKey(
            id=key_id, usage=usage, algorithm=algorithm, modes=WORDS[letter], exportable=1,
            enabled=1, state="CREATE_COMPLETE", origin="EXTERNAL", kcv=kcv, kcv_algorithm=how,
            created_at=NOW, usage_start=NOW, usage_stop=0, delete_at=0, deleted_at=0, block=b"b",
            tags="{}", event=0,
        )  # fmt: skip
        self.on.handles[key_id] = handle
        self.names[name] = self.on.arn(key_id)

    def samples(self, pan: str) -> dict[str, str]:
        """A PIN in blocks, its PVV, a CVV and a cryptogram, as the module makes them."""
        module, handles = self.on.module, self.on.handles
        held = {name: handles[f"{name:x<16}"] for name in KEYS}
        static = Sealing(target=Target(handle=held["zpk"]), form=PinFormat.ISO_0)
        block, pvv = module.issuing.new_pin(held["pvk"], static, pan=pan, length=4, index=1)
        source = PinBlock(handle=held["zpk"], form=PinFormat.ISO_0, block=block)
        ksn = bytes.fromhex("123456789012345600000555")
        four = module.pins.translate(source, held["zpk4"], PinFormat.ISO_4, pan=pan)
        target = Target(handle=held["bdk4"], ksn=ksn)
        dukpt = module.pins.translate_to(source, target, PinFormat.ISO_4, pan=pan)
        card = Card(pan=pan, sequence="01", option="A")
        arqc = module.issuing.cryptogram(held["ac"], card, b"\x00\x01", bytes(64))
        cvv = module.issuing.card_value(held["cvk"], "cvv", pan=pan, expiry="3012", service="101")
        octets = {"block 0": block, "block 4": four, "block dukpt": dukpt, "arqc": arqc}
        return {**{name: one.hex() for name, one in octets.items()}, "pvv": pvv, "cvv": cvv}

    def _proved(self, request: Request) -> str:
        return super()._proved(request) if self._signed else PROGRAM
