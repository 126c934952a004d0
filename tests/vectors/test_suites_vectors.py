"""Two signatures of which both count: the vectors hold here, and the generator still makes such."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from vectors.generate.suites import document

from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.crypto.signature import VerifyKey, verify_key
from tallystick.infrastructure.tally.checkpoint import NoteKey
from tallystick.infrastructure.tally.verify import verify_checkpoint
from tallystick.kernel.codec import b64url_decode
from tallystick.kernel.errors import Conflict, NotAuthentic
from tallystick.kernel.time import Instant
from tallystick.protocol.policy_file import signed_message

FILE = Path(__file__).parents[2] / "vectors" / "suites.json"
Vectors = dict[str, Any]


def read() -> Vectors:
    found: Vectors = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def key(half: Mapping[str, str]) -> VerifyKey:
    return verify_key(half["algorithm"], b64url_decode(half["public"]))


@pytest.fixture(params=[read, document], ids=["kept", "made anew"], scope="module")
def vectors(request: pytest.FixtureRequest) -> Vectors:
    made: Callable[[], Vectors] = request.param
    return made()


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_key_lists(vectors: Vectors) -> None:
    lists = vectors["key_list"]
    root, first, now = key(lists["root"]), key(lists["first_half"]), Instant(lists["now"])
    both = verify_key_list(lists["dual_list"], root, now, 3)
    one = verify_key_list(lists["classical_list"], first, now, 3)
    assert [x.kid for x in both.entries] == [x.kid for x in one.entries]
    assert [x.algorithm for x in both.entries] == ["EdDSA", "EdDSA-ML-DSA-65"]
    assert [x.algorithm for x in one.entries] == ["EdDSA", "EdDSA"]
    with pytest.raises(NotAuthentic):
        verify_key_list(lists["dual_list"], first, now, 3)
    with pytest.raises(Conflict):
        verify_key_list(lists["dual_list"], root, now, 4)
    assert len(lists["refused_under_both_halves"]) == 7
    for case in lists["refused_under_both_halves"]:
        with pytest.raises(NotAuthentic):
            verify_key_list(case["jws"], root, now, 3)


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-7.3.3-07")
@pytest.mark.threat("THR-KEY-01")
def test_checkpoints(vectors: Vectors) -> None:
    found = vectors["checkpoint"]
    public = key(found["key"])
    assert verify_checkpoint(found["note"], public, origin=found["origin"]).size == 7
    parsed = NoteKey.parse(found["key_as_text"])
    assert parsed.beside is not None
    assert parsed.beside.octets() == public.octets()
    for case in found["refused"]:
        with pytest.raises(NotAuthentic):
            verify_checkpoint(case["note"], public, origin=found["origin"])


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_approvals(vectors: Vectors) -> None:
    found = vectors["approval"]
    message = signed_message(found["text"], found["version"])
    assert b64url_decode(found["message"]) == message
    public = key(found["public"])
    public.verify(b64url_decode(found["signature"]), message)
    for case in found["refused"]:
        with pytest.raises(NotAuthentic):
            public.verify(b64url_decode(case["signature"]), message)
