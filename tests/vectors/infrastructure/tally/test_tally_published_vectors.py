"""The tree against the published RFC 9162 cases, notes against the published C2SP and Go cases."""

import json
from pathlib import Path

import pytest

from tallystick.infrastructure.tally.checkpoint import (
    NoteKey,
    cosigned_message,
    note_key_id,
    parse_note,
    verify_note,
)
from tallystick.infrastructure.tally.merkle import (
    Frontier,
    append_batch,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from tallystick.infrastructure.tally.verify import verify_cosignature
from tallystick.kernel.errors import NotAuthentic
from tallystick.protocol.receipt import Checkpoint, format_checkpoint, parse_checkpoint

NOT_HASHES = "consistency/additional/sizes-are-equal-one-and-proof-is-empty"
"""Published as valid, but its roots are 12 bytes of text: here a root is 32 bytes, always."""


def load(folder: Path, name: str) -> list[dict]:
    return json.loads((folder / "vectors" / name).read_text(encoding="utf-8"))["cases"]


def run(case: dict) -> None:
    proof = tuple(bytes.fromhex(one) for one in case["proof"])
    if case["type"] == "inclusion":
        verify_inclusion(
            index=case["leaf_index"],
            size=case["tree_size"],
            leaf=bytes.fromhex(case["leaf_hash"]),
            proof=proof,
            root=bytes.fromhex(case["root"]),
        )
    else:
        verify_consistency(
            old_size=case["size_1"],
            new_size=case["size_2"],
            old_root=bytes.fromhex(case["root_1"]),
            new_root=bytes.fromhex(case["root_2"]),
            proof=proof,
        )


def test_every_published_proof_has_the_published_result_but_one_that_is_refused(
    test_data: Path,
) -> None:
    cases = load(test_data, "merkle.json")
    assert len(cases) == 195
    seen = {"valid": 0, "invalid": 0}
    for case in cases:
        if case["type"] == "tree":
            continue
        seen[case["result"]] += 1
        if case["id"] == NOT_HASHES:
            assert case["root_1"] == case["root_2"] == b"don't care 2".hex()
            with pytest.raises(NotAuthentic):
                run(case)
            run(case | {"root_1": "ab" * 32, "root_2": "ab" * 32})
        elif case["result"] == "valid":
            run(case)
        else:
            with pytest.raises(NotAuthentic):
                run(case)
    assert seen == {"valid": 12, "invalid": 182}


def test_the_published_tree_grows_alike_in_one_batch_and_leaf_by_leaf(test_data: Path) -> None:
    (tree,) = (case for case in load(test_data, "merkle.json") if case["type"] == "tree")
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in tree["leaves"]]
    assert [one.hex() for one in hashes] == tree["leaf_hashes"]
    frontier = Frontier()
    for size, root in enumerate(tree["roots_by_size"]):
        assert frontier.root().hex() == root
        if size:
            assert append_batch(Frontier(), hashes[:size]).root.hex() == root
        if size < len(hashes):
            frontier = frontier.append(hashes[size])


def test_every_published_note_has_the_published_result(test_data: Path) -> None:
    cases = load(test_data, "checkpoint.json")
    kinds = [case["type"] for case in cases]
    assert set(kinds) == {"signed_note", "verifier_key", "checkpoint", "cosigned_checkpoint"}
    for case in cases:
        if case["type"] == "signed_note":
            note, key = parse_note(case["note"]), NoteKey.parse(case["verifier_key"])
            assert str(key) == case["verifier_key"]
            if case["result"] == "valid":
                assert verify_note(note, key) == 0
            else:
                with pytest.raises(NotAuthentic):
                    verify_note(note, key)
        elif case["type"] == "verifier_key":
            key = NoteKey.parse(case["verifier_key"])
            assert (key.name, key.key_id.hex()) == (case["key_name"], case["key_id"])
            assert key.public.octets().hex() == case["public_key"]
            assert note_key_id(key.name, 1, key.public.octets()) == key.key_id
        else:
            parse_published(case)


def parse_published(case: dict) -> None:
    note = parse_note(case["note"])
    assert note.text == case["text"]
    assert format_checkpoint(parse_checkpoint(note.text)) == note.text
    for signature, expected in zip(note.signatures, case["signatures"], strict=True):
        assert signature.name == expected["key_name"]
        assert signature.key_id.hex() == expected["key_id"]
        assert signature.octets[-64:].hex() == expected["signature"]
        if expected.get("cosignature"):
            time_s = int.from_bytes(signature.octets[:8], "big")
            assert time_s == expected["timestamp"]
            assert cosigned_message(note.text, time_s).decode() == case["cosigned_message"]
    if case["type"] == "checkpoint":
        assert parse_checkpoint(note.text) == Checkpoint(
            origin=case["origin_line"],
            size=case["tree_size"],
            root=bytes.fromhex(case["root_hash"]),
        )


def test_the_published_cosignature_names_no_key_that_we_could_take_for_another(
    test_data: Path,
) -> None:
    (case,) = (
        one for one in load(test_data, "checkpoint.json") if one["type"] == "cosigned_checkpoint"
    )
    key = NoteKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    with pytest.raises(NotAuthentic):
        verify_cosignature(case["note"], key)
