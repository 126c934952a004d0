"""Secured packets of SIMs against published values, and every way to change one."""

import json
from pathlib import Path

import pytest
from simulators.uicc import delivered
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.scp80 import (
    COMMAND_HEADER,
    Packet,
    PacketCipher,
    build_packet,
    open_answer,
    open_packet,
    triple_des_mac,
)
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

VECTORS = json.loads((Path(__file__).parent / "scp80.json").read_text(encoding="utf-8"))
COMMANDS = [pytest.param(one, id=one["id"]) for one in VECTORS["commands"]]
ANSWERS = [pytest.param(one, id=one["id"]) for one in VECTORS["answers"]]


def protection(one):
    """The MAC and the cipher of a vector, None for what it does without."""
    check, secret = (bytes.fromhex(one[name]) for name in ("check_key", "cipher_key"))
    mac = triple_des_mac(check) if one["triple_des"] else Aes(check).cmac
    cipher = PacketCipher(secret, triple_des=one["triple_des"])
    return mac if one["checked"] else None, cipher if one["ciphered"] else None


def packet_of(one) -> Packet:
    return Packet(
        spi=bytes.fromhex(one["spi"]), kic=int(one["kic"], 16), kid=int(one["kid"], 16),
        tar=bytes.fromhex(one["tar"]), counter=one["counter"], data=bytes.fromhex(one["data"]),
    )  # fmt: skip


@pytest.mark.parametrize("one", COMMANDS)
def test_a_packet_is_built_and_opened_as_published(one) -> None:
    mac, cipher = protection(one)
    built = build_packet(packet_of(one), mac, cipher)
    published = bytes.fromhex(one["packet"])
    assert built == published or (one["without_length"] and built[2:] == published)
    assert open_packet(built, mac, cipher) == packet_of(one)
    if one["deliver"]:
        assert delivered(bytes.fromhex(one["deliver"])) == COMMAND_HEADER + published


@pytest.mark.threat("THR-SIM-03")
@pytest.mark.parametrize("one", [one for one in COMMANDS if one.values[0]["checked"]])
def test_no_changed_octet_of_a_checked_packet_is_believed(one) -> None:
    mac, cipher = protection(one)
    built = build_packet(packet_of(one), mac, cipher)
    for at in range(len(built)):
        changed = built[:at] + bytes((built[at] ^ 0x10,)) + built[at + 1 :]
        with pytest.raises((NotAuthentic, Malformed)):
            open_packet(changed, mac, cipher)


@pytest.mark.threat("THR-SIM-03")
@pytest.mark.parametrize("one", COMMANDS)
def test_a_packet_with_less_protection_than_the_key_asks_for_is_refused(one) -> None:
    mac, cipher = protection(one)
    plain = Packet(spi=b"\x00\x00", kic=0, kid=0, tar=b"abc", counter=9, data=b"pay")
    octets = build_packet(plain)
    if mac is None and cipher is None:
        assert open_packet(octets) == plain
        return
    with pytest.raises(NotAuthentic):
        open_packet(octets, mac, cipher)


@pytest.mark.parametrize("one", ANSWERS)
def test_an_answer_is_opened_as_published(one) -> None:
    mac, cipher = protection(one)
    octets = bytes.fromhex(one["user_data"])
    if not one["valid"]:
        with pytest.raises(NotAuthentic):
            open_answer(octets, mac, cipher)
        return
    answer = open_answer(octets, mac, cipher)
    assert answer.tar.hex().upper() == one["tar"]
    assert answer.status == one["status"]
    assert answer.data[-2:].hex().upper() == one["status_word"]


@pytest.mark.threat("THR-SIM-03")
def test_no_key_of_a_sim_is_made_for_a_weak_algorithm() -> None:
    module = build()
    for purpose in (Purpose.SIM_PACKET, Purpose.SIM_ORDER):
        for mechanism in ("tdea-2key", "tdea-3key", "des", "retail-mac", "hmac-sha256"):
            with pytest.raises(NotPermitted):
                module.generate(purpose, mechanism=mechanism)
        assert len(module.mac(module.generate(purpose), b"m")) == 16
