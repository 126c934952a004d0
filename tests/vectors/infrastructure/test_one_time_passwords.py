"""HOTP, TOTP and OCRA against the tables of their RFCs, over MAC handles of the module."""

import hmac
import random

import pytest
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.modules.interface import SEED_INFO, KeyHandle, Purpose
from tallystick.infrastructure.modules.soft import SoftModule
from tallystick.infrastructure.otp import (
    OcraInput,
    OcraSuite,
    code_at,
    matching,
    ocra_code,
    step_of,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant

SEED20 = b"12345678901234567890"
SEED32 = b"12345678901234567890123456789012"
SEED64 = b"1234567890123456789012345678901234567890123456789012345678901234"
SEEDS = {"hmac-sha1": SEED20, "hmac-sha256": SEED32, "hmac-sha512": SEED64}


def admitted(seed: bytes, mechanism: str) -> tuple[SoftModule, KeyHandle]:
    """A module into which `seed` came sealed, as an act of operators brings it."""
    module = build()
    recipient = module.generate(Purpose.OTP_TRANSPORT)
    public = KemPublicKey(KemSuite(recipient.mechanism), module.public_octets(recipient))
    sealed = public.seal(seed, info=SEED_INFO + mechanism.encode())
    return module, module.kem_admit(recipient, sealed, mechanism)


def mac_of(seed: bytes, mechanism: str):
    module, handle = admitted(seed, mechanism)
    return lambda message: module.mac(handle, message)


HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489")  # fmt: skip


@pytest.mark.requirement("MFS-7.3.2-07")
def test_hotp_gives_the_table_of_its_rfc() -> None:
    mac = mac_of(SEED20, "hmac-sha1")
    assert tuple(code_at(mac, counter, 6) for counter in range(10)) == HOTP


TOTP = (
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
)


@pytest.mark.parametrize(("at_s", "sha1", "sha256", "sha512"), TOTP)
def test_totp_gives_the_table_of_its_rfc(at_s: int, sha1: str, sha256: str, sha512: str) -> None:
    step = step_of(Instant(at_s * 1000), 30)
    for mechanism, wanted in zip(SEEDS, (sha1, sha256, sha512), strict=True):
        assert code_at(mac_of(SEEDS[mechanism], mechanism), step, 8) == wanted


def test_a_time_step_has_a_length() -> None:
    for step_s in (0, -30, 301):
        with pytest.raises(Malformed):
            step_of(Instant(59_000), step_s)


PIN = Secret("1234")
T = int("132d0b6", 16)


def repeated(digit: int, length: int = 8) -> str:
    return str(digit) * length


ONE_WAY = (
    ("OCRA-1:HOTP-SHA1-6:QN08", "hmac-sha1", [OcraInput(repeated(n)) for n in range(10)],
     "237653 243178 653583 740991 608993 388898 816933 224598 750600 294470"),
    ("OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1", "hmac-sha256",
     [OcraInput("12345678", counter=n, pin=PIN) for n in range(10)],
     "65347737 86775851 78192410 71565254 10104329 65983500 70069104 91771096 75011558 08522129"),
    ("OCRA-1:HOTP-SHA256-8:QN08-PSHA1", "hmac-sha256",
     [OcraInput(repeated(n), pin=PIN) for n in range(5)],
     "83238735 01501458 17957585 86776967 86807031"),
    ("OCRA-1:HOTP-SHA512-8:C-QN08", "hmac-sha512",
     [OcraInput(repeated(n), counter=n) for n in range(10)],
     "07016083 63947962 70123924 25341727 33203315 34205738 44343969 51946085 20403879 31409299"),
    ("OCRA-1:HOTP-SHA512-8:QN08-T1M", "hmac-sha512",
     [OcraInput(repeated(n), step=T) for n in range(5)],
     "95209754 55907591 22048402 24218844 36209546"),
    ("OCRA-1:HOTP-SHA256-8:QA08", "hmac-sha256",
     [OcraInput(q) for q in ("CLI22220SRV11110", "CLI22221SRV11111", "CLI22222SRV11112",
                             "CLI22223SRV11113", "CLI22224SRV11114")],
     "28247970 01984843 65387857 03351211 83412541"),
    ("OCRA-1:HOTP-SHA256-8:QA08", "hmac-sha256",
     [OcraInput(q) for q in ("SRV11110CLI22220", "SRV11111CLI22221", "SRV11112CLI22222",
                             "SRV11113CLI22223", "SRV11114CLI22224")],
     "15510767 90175646 33777207 95285278 28934924"),
    ("OCRA-1:HOTP-SHA512-8:QA08", "hmac-sha512",
     [OcraInput(q) for q in ("CLI22220SRV11110", "CLI22221SRV11111", "CLI22222SRV11112",
                             "CLI22223SRV11113", "CLI22224SRV11114")],
     "79496648 76831980 12250499 90856481 12761449"),
    ("OCRA-1:HOTP-SHA512-8:QA08-PSHA1", "hmac-sha512",
     [OcraInput(q, pin=PIN) for q in ("SRV11110CLI22220", "SRV11111CLI22221",
                                      "SRV11112CLI22222", "SRV11113CLI22223",
                                      "SRV11114CLI22224")],
     "18806276 70020315 01600026 18951020 32528969"),
    ("OCRA-1:HOTP-SHA256-8:QA08", "hmac-sha256",
     [OcraInput(q) for q in ("SIG10000", "SIG11000", "SIG12000", "SIG13000", "SIG14000")],
     "53095496 04110475 31331128 76028668 46554205"),
    ("OCRA-1:HOTP-SHA512-8:QA10-T1M", "hmac-sha512",
     [OcraInput(q, step=T) for q in ("SIG1000000", "SIG1100000", "SIG1200000", "SIG1300000",
                                     "SIG1400000")],
     "77537423 31970405 10235557 95213541 65360607"),
)  # fmt: skip


@pytest.mark.parametrize(("suite", "mechanism", "inputs", "codes"), ONE_WAY)
def test_ocra_gives_the_tables_of_its_rfc(
    suite: str, mechanism: str, inputs: list[OcraInput], codes: str
) -> None:
    mac, read = mac_of(SEEDS[mechanism], mechanism), OcraSuite.read(suite)
    assert [ocra_code(mac, read, one) for one in inputs] == codes.split()


@pytest.mark.parametrize(
    "text",
    [
        "OCRA-1:HOTP-MD5-6:QN08", "OCRA-2:HOTP-SHA1-6:QN08", "OCRA-1:HOTP-SHA1-5:QN08",
        "OCRA-1:HOTP-SHA1-6:QN65", "OCRA-1:HOTP-SHA1-6:QN03", "OCRA-1:HOTP-SHA1-6",
        "OCRA-1:HOTP-SHA1-6:QN08-T0M", "OCRA-1:HOTP-SHA1-6:QN08\n",
    ],
)  # fmt: skip
def test_what_is_no_suite_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        OcraSuite.read(text)


def test_a_challenge_of_another_form_is_refused() -> None:
    mac, suite = mac_of(SEED20, "hmac-sha1"), OcraSuite.read("OCRA-1:HOTP-SHA1-6:QN08-PSHA256")
    for given in (OcraInput("12a45678", pin=PIN), OcraInput("123", pin=PIN), OcraInput("1" * 17)):
        with pytest.raises(Malformed):
            ocra_code(mac, suite, given)
    with pytest.raises(Malformed, match="PIN"):
        ocra_code(mac, suite, OcraInput("12345678"))


def test_a_code_is_found_in_its_window_only() -> None:
    mac = mac_of(SEED20, "hmac-sha1")
    assert matching(mac, Secret(HOTP[7]), 0, 9, 6) == 7
    assert matching(mac, Secret(HOTP[7]), 0, 6, 6) == -1
    assert matching(mac, Secret("75522"), 0, 9, 6) == -1


def test_ten_thousand_codes_agree_with_the_formula_written_again() -> None:
    """An implementation of its own: the standard library's HMAC and shifts instead of slices."""
    draws = random.Random(7)
    for mechanism in SEEDS:
        seed = draws.randbytes(draws.randint(16, 64))
        mac = mac_of(seed, mechanism)
        for _ in range(3_400):
            counter, digits = draws.getrandbits(40), draws.choice((6, 7, 8, 9))
            tag = hmac.new(seed, counter.to_bytes(8, "big"), mechanism[5:]).digest()
            whole = int.from_bytes(tag, "big")
            shift = 8 * (len(tag) - 4 - whole % 16)
            number = (whole >> shift) % 2**31
            assert code_at(mac, counter, digits) == str(number % 10**digits).zfill(digits)


@pytest.mark.threat("THR-BE-05")
def test_a_seed_comes_in_sealed_and_never_leaves() -> None:
    module, handle = admitted(SEED20, "hmac-sha1")
    block = module.export_block(handle)
    assert SEED20 not in block
    assert module.import_block(block) == handle
    with pytest.raises(NotPermitted):
        module.public_octets(handle)
    with pytest.raises(NotPermitted):
        module.open(handle, bytes(12), bytes(32), b"")


def test_a_seed_is_bound_to_its_mechanism_and_has_a_length() -> None:
    module = build()
    recipient = module.generate(Purpose.OTP_TRANSPORT)
    public = KemPublicKey(KemSuite(recipient.mechanism), module.public_octets(recipient))
    sealed = public.seal(SEED20, info=SEED_INFO + b"hmac-sha1")
    with pytest.raises(NotAuthentic):
        module.kem_admit(recipient, sealed, "hmac-sha256")
    other = module.generate(Purpose.QUOTE)
    with pytest.raises(NotPermitted):
        module.kem_admit(other, sealed, "hmac-sha1")
    short = public.seal(b"short", info=SEED_INFO + b"hmac-sha1")
    with pytest.raises(Malformed):
        module.kem_admit(recipient, short, "hmac-sha1")


def test_what_is_legacy_checks_and_makes_nothing_new() -> None:
    with pytest.raises(NotPermitted, match="legacy"):
        build().generate(Purpose.OTP_SEED, mechanism="hmac-sha1")
    with pytest.raises(NotPermitted):
        build().generate(Purpose.QUOTE, mechanism="hmac-sha1")
