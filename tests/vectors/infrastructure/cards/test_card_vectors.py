"""Key blocks, PIN blocks, DUKPT and chip cryptograms against published values."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tallystick.infrastructure.card import dukpt_aes, dukpt_tdea
from tallystick.infrastructure.card.emv import ChipKey
from tallystick.infrastructure.card.values import dynamic_cvc3
from tallystick.infrastructure.crypto.blocks import Aes, Tdea
from tallystick.infrastructure.crypto.iso9797 import RetailMac
from tallystick.infrastructure.keyblocks.wrapping import LEGACY, Wrapping
from tallystick.infrastructure.pin.clear import ClearPin
from tallystick.infrastructure.pin.formats import (
    PinFormat,
    decipher_4,
    decode,
    encipher_4,
    encode,
    pan_field_4,
    read_field_4,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted

DATA = Path(__file__).parents[2] / "data"
octets = bytes.fromhex


def cases(name: str) -> list[dict[str, Any]]:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))["cases"]


def named(name: str, **wanted: str) -> list[Any]:
    found = [
        one for one in cases(name) if all(one.get(field) == text for field, text in wanted.items())
    ]
    assert found
    return [pytest.param(one, id=one["id"]) for one in found]


def wrapping_of(case: dict[str, Any]) -> Wrapping:
    return Wrapping(octets(case["kbpk"]), is_aes=case["key_block"][0] in "DE")


@pytest.mark.requirement("MFS-7.4.2-03")
@pytest.mark.parametrize("case", named("tr31", result="valid"))
def test_a_published_key_block_opens_to_its_key(case: dict[str, Any]) -> None:
    fields, material = wrapping_of(case).open(case["key_block"], LEGACY)
    assert material == octets(case["expected_key"])
    wanted = case["header"]
    assert (fields.version, fields.usage, fields.algorithm, fields.mode) == (
        wanted["version"], wanted["key_usage"], wanted["algorithm"], wanted["mode_of_use"],
    )  # fmt: skip
    assert fields.version_number == wanted["key_version"]
    assert fields.exportability == wanted["exportability"]
    found = [{"id": one.name, "data": one.text} for one in fields.optional]
    assert len(found) == wanted["optional_blocks"]
    if "optional" in wanted:
        assert found == wanted["optional"]
    value = case.get("key_check_value")
    if value is not None:
        cipher = (Aes if fields.algorithm == "A" else Tdea)(material)
        assert cipher.check_value(len(value) // 2) == octets(value)
    if fields.version in LEGACY:
        with pytest.raises(NotPermitted, match="are not read"):
            wrapping_of(case).open(case["key_block"])


@pytest.mark.parametrize("case", named("tr31", result="invalid"))
def test_a_misprinted_or_altered_key_block_does_not_open(case: dict[str, Any]) -> None:
    with pytest.raises((Malformed, NotAuthentic)):
        wrapping_of(case).open(case["key_block"], LEGACY)


def test_published_blocks_of_format_4() -> None:
    seen: Counter[str] = Counter()
    for case in cases("pin_block_format4"):
        kind = (case.get("type", "block"), case["result"])
        if kind == ("block", "valid"):
            aes, pin = Aes(octets(case["key"])), ClearPin(case["pin"])
            block = encipher_4(aes, pin, case["pan"], octets(case["random"]))
            assert block == octets(case["enciphered"])
            assert decipher_4(aes, block, case["pan"]).same(pin)
            assert pan_field_4(case["pan"]) == int(case["pan_field"], 16)
        elif kind == ("block", "invalid"):
            with pytest.raises(NotAuthentic):
                decipher_4(Aes(octets(case["key"])), octets(case["enciphered"]), case["pan"])
        elif kind[0] == "pan_field":
            assert pan_field_4(case["pan"]) == int(case["pan_field"], 16)
        elif kind[1] == "valid":
            assert read_field_4(octets(case["pin_field"])).same(ClearPin(case["pin"]))
        else:
            with pytest.raises(NotAuthentic):
                read_field_4(octets(case["pin_field"]))
        seen[":".join(kind)] += 1
    assert seen == {
        "block:valid": 11, "block:invalid": 4, "pan_field:valid": 1,
        "pin_field:valid": 1, "pin_field:invalid": 4,
    }  # fmt: skip


KEY_TYPES = {"2TDEA": "TDEA_2KEY", "3TDEA": "TDEA_3KEY", "AES128": "AES_128", "AES256": "AES_256"}


def test_published_keys_of_aes_dukpt() -> None:
    seen: Counter[str] = Counter()
    for case in cases("aes_dukpt"):
        initial_id = octets(case["initial_key_id"])
        initial = dukpt_aes.initial_key(octets(case["bdk"]), initial_id)
        assert initial == octets(case["initial_key"])
        terminal = dukpt_aes.InitialKey(initial, initial_id)
        if case["type"] == "update_key":
            kind = dukpt_aes.KeyType[KEY_TYPES[case["key_type"]]]
            usage = dukpt_aes.WorkingUsage.KEY_ENCRYPTION
            found = terminal.working_key(dukpt_aes.UPDATE_COUNTER, usage, kind)
            assert found == octets(case["key"])
        elif case["type"] != "initial_key":
            seen[case["type"]] += check_counter(terminal, case)
        seen["initial"] += 1
    assert seen["initial"] == 39
    assert seen["working_keys"] >= 40


def check_counter(terminal: dukpt_aes.InitialKey, case: dict[str, Any]) -> int:
    ksn = octets(case["ksn"])
    counter = int(case["counter"], 16)
    assert terminal.derivation_key(counter) == octets(case["derivation_key"])
    if case["result"] == "invalid":
        with pytest.raises(Malformed, match="counter"):
            dukpt_aes.split_ksn(ksn)
    else:
        assert dukpt_aes.split_ksn(ksn) == (ksn[:8], counter)
    keys = case.get("working_keys", [])
    for one in keys:
        usage = dukpt_aes.WorkingUsage(int(one["usage_code"], 16))
        kind = dukpt_aes.KeyType[one["key_type"].replace("-", "_")]
        assert terminal.working_key(counter, usage, kind) == octets(one["key"])
        assert terminal.working_key(counter, usage, kind) == octets(one["key"])
    block = case.get("pin_block_format_4")
    if block:
        aes = Aes(octets(block["pin_key"]))
        found = decipher_4(aes, octets(block["enciphered"]), block["pan"])
        assert found.same(ClearPin(block["pin"]))
    return len(keys)


def test_published_keys_of_tdea_dukpt() -> None:
    variant = dukpt_tdea.Variant
    seen = 0
    for case in cases("tdes_dukpt"):
        ksn = octets(case["ksn"])
        initial = dukpt_tdea.initial_key(octets(case["bdk"]), ksn)
        assert initial == octets(case["initial_key"])
        if "transaction_key" not in case:
            continue
        assert dukpt_tdea.transaction_key(initial, ksn) == octets(case["transaction_key"])
        made = dukpt_tdea.working_key(initial, ksn, variant.PIN)
        assert made == octets(case["pin_key"])
        clear = octets(case["pin_block_format_0"])
        assert encode(PinFormat.ISO_0, ClearPin(case["pin"]), case["pan"], b"") == clear
        assert Tdea(made).encrypt(clear) == octets(case["enciphered_pin_block"])
        assert decode(PinFormat.ISO_0, clear, case["pan"]).same(ClearPin(case["pin"]))
        for field, use in (("request", variant.MAC_REQUEST), ("response", variant.MAC_RESPONSE)):
            if f"mac_{field}" in case:
                mac = RetailMac(dukpt_tdea.working_key(initial, ksn, use))
                found = mac.mac(case["mac_data_ascii"].encode(), padding=1)
                assert found[:4] == octets(case[f"mac_{field}"])
        if case.get("data_request_key"):
            made = dukpt_tdea.working_key(initial, ksn, variant.DATA_REQUEST)
            assert made == octets(case["data_request_key"])
            plain = octets(case["data_plain"])
            assert Tdea(made).encrypt_chain(bytes(8), plain) == octets(case["data_request"])
        seen += 1
    assert seen >= 14


def chip_result(kind: str, given: dict[str, Any]) -> bytes:
    """What this code makes of a published input."""
    if kind in {"icc_master_key_option_a", "icc_master_key_option_b"}:
        issuer, option = ChipKey(octets(given["iss_mk"]), is_aes=False), kind[-1].upper()
        return issuer.master_octets(given["pan"], given.get("psn", "00"), option)
    if kind == "common_session_key":
        return ChipKey(octets(given["icc_mk"]), is_aes=False).session_octets(octets(given["r"]))
    if kind == "application_cryptogram":
        padding = 1 if given["padding_type"] == "VISA" else 2
        return ChipKey(octets(given["sk_ac"]), is_aes=False).mac(
            octets(given["data"]), padding=padding
        )
    if kind == "arpc_method_1":
        return ChipKey(octets(given["sk_ac"]), is_aes=False).response_1(
            octets(given["arqc"]), octets(given["arpc_rc"])
        )
    if kind == "arpc_method_2":
        more = octets(given.get("prop_auth_data") or "")
        return ChipKey(octets(given["sk_ac"]), is_aes=False).response_2(
            octets(given["arqc"]), octets(given["csu"]), more
        )
    if kind == "script_mac":
        mac = ChipKey(octets(given["sk_smi"]), is_aes=False).mac(octets(given["command"]))
        return mac[: given.get("length", 8)]
    if kind == "script_encipherment":
        return ChipKey(octets(given["sk_smc"]), is_aes=False).encipher_script(
            octets(given["command_data"])
        )
    if kind == "iso_format_2_pin_block":
        return encode(PinFormat.ISO_2, ClearPin(given["pin"]), "", b"")
    assert kind == "iso9797_1_algorithm_3_mac"
    mac = RetailMac(octets(given["key1"]) + octets(given["key2"]))
    return mac.mac(octets(given["data"]), padding=given["padding"])


def test_published_values_of_chips() -> None:
    seen: Counter[str] = Counter()
    for case in cases("emv_cryptograms"):
        given, kind = case["input"], case["type"]
        if kind == "dynamic_cvc3":
            found = dynamic_cvc3(
                octets(given["icc_cvc3"]),
                template=octets(given["track_template"]),
                counter=int(given["atc"], 16),
                number=octets(given["un"]),
            )
            assert found == int(case["output"]), case["id"]
        else:
            assert chip_result(kind, given).hex().upper() == case["output"], case["id"]
        seen[kind] += 1
    assert sum(seen.values()) > 90
    assert seen["application_cryptogram"] == 18
