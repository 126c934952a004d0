"""FF1 against every sample that NIST published for it, and against the text written out anew."""

import math

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.infrastructure.crypto.blocks import Aes
from tallystick.infrastructure.crypto.ff1 import (
    DIGITS,
    DIGITS_AND_LETTERS,
    LEAST_DOMAIN,
    LONGEST,
    Ff1,
)
from tallystick.kernel.errors import Malformed

pytestmark = pytest.mark.requirement("MFS-C-01")

KEYS = {
    128: "2b7e151628aed2a6abf7158809cf4f3c",
    192: "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f",
    256: "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94",
}
NO_TWEAK, DECIMAL_TWEAK, LETTERS_TWEAK = "", "39383736353433323130", "3737373770717273373737"
CLEAR_DIGITS, CLEAR_LETTERS = "0123456789", "0123456789abcdefghi"
SAMPLES = [
    (128, DIGITS, NO_TWEAK, CLEAR_DIGITS, "2433477484"),
    (128, DIGITS, DECIMAL_TWEAK, CLEAR_DIGITS, "6124200773"),
    (128, DIGITS_AND_LETTERS, LETTERS_TWEAK, CLEAR_LETTERS, "a9tv40mll9kdu509eum"),
    (192, DIGITS, NO_TWEAK, CLEAR_DIGITS, "2830668132"),
    (192, DIGITS, DECIMAL_TWEAK, CLEAR_DIGITS, "2496655549"),
    (192, DIGITS_AND_LETTERS, LETTERS_TWEAK, CLEAR_LETTERS, "xbj3kv35jrawxv32ysr"),
    (256, DIGITS, NO_TWEAK, CLEAR_DIGITS, "6657667009"),
    (256, DIGITS, DECIMAL_TWEAK, CLEAR_DIGITS, "1001623463"),
    (256, DIGITS_AND_LETTERS, LETTERS_TWEAK, CLEAR_LETTERS, "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize("sample", range(len(SAMPLES)), ids=lambda at: f"sample {at + 1}")
def test_a_sample_of_nist(sample: int) -> None:
    size, alphabet, tweak, clear, enciphered = SAMPLES[sample]
    cipher = Ff1(Aes(bytes.fromhex(KEYS[size])), alphabet)
    assert cipher.encrypt(clear, bytes.fromhex(tweak)) == enciphered
    assert cipher.decrypt(enciphered, bytes.fromhex(tweak)) == clear


def by_the_book(octets: bytes, radix: int, tweak: bytes, text: list[int]) -> list[int]:
    """Algorithm 7 step by step on lists of numerals, with a CBC-MAC of the library's own."""
    ecb = Cipher(algorithms.AES(octets), modes.ECB()).encryptor()

    def prf(data: bytes) -> bytes:
        chain = Cipher(algorithms.AES(octets), modes.CBC(bytes(16))).encryptor()
        return (chain.update(data) + chain.finalize())[-16:]

    def num(numerals: list[int]) -> int:
        value = 0
        for one in numerals:
            value = value * radix + one
        return value

    n = len(text)
    u = math.floor(n / 2)
    v = n - u
    left, right = text[:u], text[u:]
    b, power = 0, 1
    while power < radix**v:
        power, b = power * 256, b + 1
    d = 4 * math.ceil(b / 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    for turn in range(10):
        q = (
            tweak
            + bytes((-len(tweak) - b - 1) % 16)
            + bytes([turn])
            + num(right).to_bytes(b, "big")
        )
        r = prf(p + q)
        s = r
        for j in range(1, math.ceil(d / 16)):
            mask = j.to_bytes(16, "big")
            s += ecb.update(bytes(x ^ y for x, y in zip(r, mask, strict=True)))
        y = int.from_bytes(s[:d], "big")
        m = u if turn % 2 == 0 else v
        c = (num(left) + y) % radix**m
        numerals = []
        for _ in range(m):
            numerals.append(c % radix)
            c //= radix
        left, right = right, numerals[::-1]
    return left + right


@settings(max_examples=150, deadline=None)
@given(
    octets=st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
    alphabet=st.sampled_from((DIGITS, DIGITS_AND_LETTERS)),
    tweak=st.binary(max_size=64),
    drawn=st.data(),
)
def test_it_is_what_the_text_says_written_out_anew(octets, alphabet, tweak, drawn) -> None:
    least = 6 if alphabet == DIGITS else 4
    clear = drawn.draw(st.text(alphabet, min_size=least, max_size=80))
    found = Ff1(Aes(octets), alphabet).encrypt(clear, tweak)
    numerals = by_the_book(octets, len(alphabet), tweak, [alphabet.index(one) for one in clear])
    assert found == "".join(alphabet[one] for one in numerals)
    assert Ff1(Aes(octets), alphabet).decrypt(found, tweak) == clear


@pytest.mark.parametrize(("alphabet", "least"), [(DIGITS, 6), (DIGITS_AND_LETTERS, 4)])
def test_a_domain_under_a_million_is_refused_and_the_least_one_is_a_permutation_of_it(
    alphabet: str, least: int
) -> None:
    cipher = Ff1(Aes(bytes(16)), alphabet)
    assert len(alphabet) ** (least - 1) < LEAST_DOMAIN <= len(alphabet) ** least
    for length in (*range(least), LONGEST + 1):
        for way in (cipher.encrypt, cipher.decrypt):
            with pytest.raises(Malformed):
                way("1" * length, b"")
    some = [f"{one:0{least}d}" for one in range(0, 10**least, 10**least // 500)]
    assert len({cipher.encrypt(one, b"") for one in some}) == len(some)


@pytest.mark.parametrize("bad", ["12345A", "12345é", "12345-", "12345\u0661", "12345\n"])
def test_characters_of_another_alphabet_are_refused(bad: str) -> None:
    for alphabet in (DIGITS, DIGITS_AND_LETTERS):
        with pytest.raises(Malformed):
            Ff1(Aes(bytes(16)), alphabet).encrypt(bad, b"")
    with pytest.raises(Malformed):
        Ff1(Aes(bytes(16)), "01")
