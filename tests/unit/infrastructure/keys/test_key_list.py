"""The key list: only the pinned root's, only the newest, only in its time."""

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey
from tests.unit.infrastructure.modules.module_under_test import build

from tallystick.infrastructure.crypto import key_list as reader
from tallystick.infrastructure.crypto.jws import sign_compact, split_compact
from tallystick.infrastructure.crypto.key_list import (
    CLOCK_TOLERANCE_MS,
    keys_in_force,
    list_header,
    signature_key,
    verify_key_list,
)
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.infrastructure.keys.keylist import entry_of, issue_key_list
from tallystick.infrastructure.keys.table import KEY_TABLE
from tallystick.infrastructure.modules.interface import MECHANISMS, Purpose
from tallystick.infrastructure.modules.signer import ModuleSigner
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    Expired,
    Malformed,
    NotAuthentic,
    NotFound,
    NotPermitted,
    Refused,
)
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, Instant
from tallystick.protocol.keylist import KeyEntry, KeyList, ListedPurpose

NOW = Instant(1_767_225_600_000)


@pytest.fixture
def module():
    return build()


@pytest.fixture
def root(module):
    return ModuleSigner(module, module.generate(Purpose.PROVIDER_ROOT))


@pytest.fixture
def entries(module) -> tuple[KeyEntry, ...]:
    return tuple(
        entry_of(
            module,
            module.generate(Purpose(listed.value)),
            not_before=NOW,
            not_after=Instant(NOW + DAY_MS),
        )
        for listed in ListedPurpose
    )


def issue(root, entries, **change) -> str:
    return issue_key_list(
        root,
        **{
            "provider": "Examplebank",
            "version": 7,
            "issued_at": NOW,
            "expires_at": Instant(NOW + 7 * DAY_MS),
            "entries": entries,
        }
        | change,
    )


def signed(root, found: KeyList, header: bytes | None = None) -> str:
    """A list that the root signed although it should not have."""
    return sign_compact(root, header or list_header(root.algorithm), encode_canonical(found))


@pytest.fixture
def sound(root, entries) -> KeyList:
    return verify_key_list(issue(root, entries), root.public(), NOW, 0)


@pytest.mark.parametrize("mechanism", MECHANISMS[Purpose.PROVIDER_ROOT])
def test_a_list_of_the_pinned_root_is_read(module, entries, mechanism: str) -> None:
    root = ModuleSigner(module, module.generate(Purpose.PROVIDER_ROOT, mechanism=mechanism))
    found = verify_key_list(issue(root, entries), root.public(), NOW, 7)
    assert (found.provider, found.version) == ("Examplebank", 7)
    assert set(found.entries) == set(entries)


def test_the_keys_in_it_do_their_work(module, sound) -> None:
    for listed in ListedPurpose:
        (entry,) = keys_in_force(sound, listed, NOW)
        handle = next(h for h in module.handles() if h.id == entry.kid)
        signature_key(entry).verify(module.sign(handle, b"m"), b"m")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_another_library_reads_the_list(root, entries) -> None:
    public = OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": b64url(root.public().octets())}
    )
    found = joserfc_jws.deserialize_compact(issue(root, entries), public, algorithms=["EdDSA"])
    assert found.protected == {"alg": "EdDSA", "typ": "tallystick-keylist"}
    assert b'"version":7' in found.payload


def test_another_roots_list_is_refused(root, entries) -> None:
    text = issue(root, entries)
    for other in (Ed25519SigningKey.generate(), Es256SigningKey.generate()):
        with pytest.raises(NotAuthentic):
            verify_key_list(text, other.public(), NOW, 0)


def test_every_changed_character_is_refused(root, entries) -> None:
    text = issue(root, [entry for entry in entries if entry.purpose == "tally"])
    verifier = root.public()
    for place, character in enumerate(text):
        changed = text[:place] + ("B" if character == "A" else "A") + text[place + 1 :]
        with pytest.raises(NotAuthentic):
            verify_key_list(changed, verifier, NOW, 0)


def test_an_older_list_does_not_replace_a_newer_one(root, entries) -> None:
    text = issue(root, entries)
    for last in (8, 100, 2**53):
        with pytest.raises(Conflict, match="seen before"):
            verify_key_list(text, root.public(), NOW, last)
    assert verify_key_list(text, root.public(), NOW, 7).version == 7


def test_a_list_counts_in_its_time_only(root, entries) -> None:
    text, public = issue(root, entries), root.public()
    for sound in (NOW - CLOCK_TOLERANCE_MS, NOW, NOW + 7 * DAY_MS - 1):
        verify_key_list(text, public, Instant(sound), 0)
    with pytest.raises(Expired, match="past its time"):
        verify_key_list(text, public, Instant(NOW + 7 * DAY_MS), 0)
    with pytest.raises(Expired, match="not yet"):
        verify_key_list(text, public, Instant(NOW - CLOCK_TOLERANCE_MS - 1), 0)


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","typ":"tallystick-keylist"}',
        b'{"alg":"HS256","typ":"tallystick-keylist"}',
        b'{"alg":"ES256","typ":"tallystick-keylist"}',
        b'{"alg":"EdDSA"}',
        b'{"alg":"EdDSA","typ":"JWT"}',
        b'{"typ":"tallystick-keylist","alg":"EdDSA"}',
        b'{"alg":"EdDSA","kid":"x","typ":"tallystick-keylist"}',
        b'{"alg":"EdDSA", "typ":"tallystick-keylist"}',
    ],
)
def test_no_other_header_is_accepted(root, sound, header: bytes) -> None:
    with pytest.raises(NotAuthentic):
        verify_key_list(signed(root, sound, header), root.public(), NOW, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "provider-root"},
        {"purpose": "quote"},
        {"purpose": "officer"},
        {"algorithm": "ES256"},
        {"algorithm": "none"},
        {"public": "AAAA"},
        {"public": b64url(bytes(32))},
        {"public": b64url(b"\x04" + bytes(64))},
        {"not_after": 0},
    ],
)
def test_a_signed_list_that_makes_no_sense_is_refused(root, sound, change) -> None:
    tally = next(entry for entry in sound.entries if entry.purpose == "tally")
    wrong = replace(sound, entries=(replace(tally, **change),))
    with pytest.raises(NotAuthentic):
        verify_key_list(signed(root, wrong), root.public(), NOW, 0)


def test_a_key_named_twice_or_a_list_without_a_time_is_refused(root, sound) -> None:
    for wrong in (
        replace(sound, entries=sound.entries + sound.entries[:1]),
        replace(sound, expires_at=sound.issued_at),
    ):
        with pytest.raises(NotAuthentic):
            verify_key_list(signed(root, wrong), root.public(), NOW, 0)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"[]", b'{"v":1}', b"\xff"],
)
def test_a_signed_payload_of_another_form_is_refused(root, payload: bytes) -> None:
    text = sign_compact(root, list_header("EdDSA"), payload)
    with pytest.raises(NotAuthentic):
        verify_key_list(text, root.public(), NOW, 0)


def test_a_signed_payload_that_is_not_canonical_is_refused(root, entries) -> None:
    _, payload, _, _ = split_compact(issue(root, entries))
    for other in (
        payload.replace(b":", b": ", 1),
        payload[:-1] + b',"version":7}',
        payload[:-1] + b',"extra":7}',
    ):
        text = sign_compact(root, list_header("EdDSA"), other)
        with pytest.raises(NotAuthentic):
            verify_key_list(text, root.public(), NOW, 0)


@pytest.mark.parametrize("text", ["", "a.b.c", "....", "x" * 70_000])
def test_what_is_no_signed_object_is_refused(root, text: str) -> None:
    with pytest.raises(NotAuthentic):
        verify_key_list(text, root.public(), NOW, 0)


def test_keys_are_found_in_their_time_the_newest_first(module, root) -> None:
    starts = [NOW, NOW + DAY_MS // 2, NOW + DAY_MS]
    entries = [
        entry_of(
            module,
            module.generate(Purpose.SESSION_SIGNATURE),
            not_before=Instant(start),
            not_after=Instant(start + DAY_MS),
        )
        for start in starts
    ]
    found = verify_key_list(issue(root, entries), root.public(), NOW, 0)
    wanted = ListedPurpose.SESSION_SIGNATURE
    assert [e.not_before for e in keys_in_force(found, wanted, NOW)] == starts[:1]
    later = keys_in_force(found, wanted, Instant(NOW + DAY_MS // 2))
    assert [e.not_before for e in later] == [starts[1], starts[0]]
    with pytest.raises(NotFound, match="session-signature"):
        keys_in_force(found, wanted, Instant(NOW - 1))
    with pytest.raises(NotFound, match="session-signature"):
        keys_in_force(found, wanted, Instant(NOW + 2 * DAY_MS))
    with pytest.raises(NotFound, match="tally"):
        keys_in_force(found, ListedPurpose.TALLY, NOW)


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - set(map(Purpose, ListedPurpose))))
def test_other_keys_are_not_listed(module, purpose: Purpose) -> None:
    with pytest.raises(NotPermitted):
        entry_of(module, module.generate(purpose), not_before=NOW, not_after=Instant(NOW + 1))


@pytest.mark.parametrize("listed", ListedPurpose)
def test_no_key_is_listed_for_longer_than_the_table_allows(module, root, listed) -> None:
    purpose = Purpose(listed.value)
    life = KEY_TABLE[purpose].max_life_ms
    entry = entry_of(
        module, module.generate(purpose), not_before=NOW, not_after=Instant(NOW + life)
    )
    issue(root, [entry])
    with pytest.raises(NotPermitted, match="too long"):
        issue(root, [replace(entry, not_after=entry.not_after + 1)])


def test_nothing_is_issued_that_a_reader_would_refuse(root, entries) -> None:
    for change in (
        {"version": 0},
        {"version": -1},
        {"expires_at": NOW},
        {"entries": entries + entries},
        {"entries": [replace(entries[0], purpose="quote")]},
        {"entries": [replace(entries[0], public="AAAA")]},
    ):
        with pytest.raises(Refused):
            issue(root, **({"entries": entries} | change))


def test_the_two_lists_of_algorithms_agree() -> None:
    names = {
        "ecdsa-p256-sha256": "ES256",
        "ed25519": "EdDSA",
        "ed25519-ml-dsa-65": "EdDSA-ML-DSA-65",
    }
    for listed, algorithms in reader.ALGORITHMS.items():
        made = {names.get(name, name) for name in MECHANISMS[Purpose(listed.value)]}
        assert algorithms == made


def test_a_key_that_receives_verifies_no_signature_and_no_list_names_one() -> None:
    with pytest.raises(Malformed):
        signature_key(
            KeyEntry(
                kid="key_" + "0" * 26,
                purpose="tally",
                algorithm="hpke-p256",
                public="AAAA",
                not_before=0,
                not_after=1,
            )
        )
    assert not {
        one for names in reader.ALGORITHMS.values() for one in names if one.startswith("hpke")
    }
