"""Whatever octets come in, only our own errors come out of the readers of certificates and time."""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.hierarchy import Hierarchy, certificate_request
from tests.support.stamping import authority, roots_of

from tallystick.infrastructure.crypto.certify import read_request
from tallystick.infrastructure.crypto.crl import read_list
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.ocsp import read_answer, read_question, write_question
from tallystick.infrastructure.crypto.x509 import certificates_in, read_certificate
from tallystick.infrastructure.pki.profiles import CLIENT_AUTH
from tallystick.infrastructure.pki.validation import Known, validate
from tallystick.infrastructure.timestamps import Query, verify_stamp
from tallystick.infrastructure.timestamps.asked import read_asking
from tallystick.infrastructure.timestamps.chain import read_chain
from tallystick.kernel.errors import Malformed, MfsError, NotAuthentic

SORTS = ("certificate", "list", "question", "answer", "request", "asking", "stamp")


@cache
def made() -> Hierarchy:
    return Hierarchy(Path(mkdtemp()))


@cache
def sound() -> dict[str, bytes]:
    """One of each, all of them sound."""
    found = made()
    leaf = found.issue("partner", "menus-east")
    partners = found.authorities["partners"]
    question = write_question(leaf, partners.certificate, b"n" * 16)
    asking = Query(digest=sha256(b"data"), nonce=77).octets()
    return {
        "certificate": leaf.octets,
        "list": partners.list_whole(found.now),
        "question": question,
        "answer": found.responder().answer(question, found.now),
        "request": certificate_request()[0],
        "asking": asking,
        "stamp": authority(found).answer(asking, found.now),
    }


def reader(sort: str) -> Callable[[bytes], object]:
    found = made()
    partners = found.authorities["partners"].certificate
    leaf = read_certificate(sound()["certificate"])
    readers: dict[str, Callable[[bytes], object]] = {
        "certificate": lambda octets: validate(
            read_certificate(octets), (), found.trust(), Known(), found.now, CLIENT_AUTH, hard=False
        ),
        "list": lambda octets: read_list(octets, partners),
        "question": read_question,
        "answer": lambda octets: read_answer(octets, leaf, partners, found.now),
        "request": read_request,
        "asking": read_asking,
        "stamp": lambda octets: verify_stamp(octets, b"data", roots_of(found)),
    }
    return readers[sort]


@pytest.mark.parametrize("sort", SORTS)
def test_a_changed_one_raises_our_errors_or_is_read(sort: str) -> None:
    octets, read, dice = sound()[sort], reader(sort), random.Random(sort)
    raised = 0
    for _ in range(1_500):
        changed = bytearray(octets)
        for _ in range(dice.randrange(1, 5)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        if dice.random() < 0.2:
            del changed[dice.randrange(len(changed)) :]
        try:
            read(bytes(changed))
        except (Malformed, NotAuthentic):
            raised += 1
        except MfsError:
            pytest.fail("another of our errors than promised")
    assert raised > 500


@pytest.mark.parametrize("sort", [one for one in SORTS if one not in {"question", "asking"}])
def test_what_is_signed_cannot_be_changed_anywhere(sort: str) -> None:
    octets, read = sound()[sort], reader(sort)
    if sort != "stamp":
        read(octets)
    for place in range(0, len(octets), 3):
        changed = bytearray(octets)
        changed[place] ^= 1 << place % 8
        with pytest.raises((Malformed, NotAuthentic)):
            read(bytes(changed))


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_noise_raises_our_errors(noise: bytes) -> None:
    for sort in SORTS:
        with pytest.raises((Malformed, NotAuthentic)):
            reader(sort)(noise)
    for read in (read_chain, certificates_in):
        with pytest.raises(MfsError):
            read(noise)
