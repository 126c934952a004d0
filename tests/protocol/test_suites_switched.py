"""A policy in force moves a served provider to two signatures while people pay; no way leads back.

Clients of before pinned the root's first half and know no second; those of after pinned both.
"""

import dataclasses
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulators.cast import Cast
from tests.protocol.test_quote_key_change import Shifted
from tests.protocol.test_rotation_served import Payer, leap, until_noted
from tests.support.served import ORIGIN, PROVIDER, Served, served
from tests.support.typescript import built, customer, device, root_of
from tests.unit.entry.cli.command_line import DEMO, tallystick

from tallystick.entry.assembly import open_platform
from tallystick.entry.auditing import audit_provider, listed_keys
from tallystick.entry.cli.unlocking import open_officer_key, open_root_key
from tallystick.entry.doctor.keys import look_at_keys
from tallystick.entry.keyduties import PUBLISHED_MS
from tallystick.entry.renewing import renew_keys
from tallystick.entry.widening import adopt, told, widen
from tallystick.infrastructure.crypto.dual import DUAL, DualSigningKey, DualVerifyKey
from tallystick.infrastructure.crypto.kem import KemSuite
from tallystick.infrastructure.crypto.key_list import verify_key_list
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.infrastructure.tally.checkpoint import NoteKey
from tallystick.infrastructure.tally.verify import verify_checkpoint, verify_receipt
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import (
    Conflict,
    MfsError,
    NotAuthentic,
    NotPermitted,
    UpgradeRequired,
)
from tallystick.kernel.model import replace
from tallystick.kernel.money import Money
from tallystick.kernel.time import HOUR_MS, iso_utc
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.operators import ActivatePolicy, ActReply
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.policy_file import OfficerSignature, PolicyFile, signed_message
from tallystick.protocol.session import Purpose

WINDOW_MS = 6 * HOUR_MS


def policy(version: int, until: str, officers: str = "dual") -> str:
    text = DEMO.read_text(encoding="utf-8").replace("version: 1\n", f"version: {version}\n")
    line = "  preferred: hpke-mlkem768-x25519\n"
    assert text.count(line) == 1
    text = text.replace(line, f'{line}  classical_until: "{until}"\n')
    return f"""{text}
signatures:
  checkpoints: dual
  key_list: dual
  officers: {officers}
  classical_until: "{until}"
  because: a receipt proves for ten years
"""


def by_two(provider: Served, envelope: str) -> ActReply:
    first, second = provider.operators["security-officer"][:2]
    body = ActivatePolicy(envelope=envelope)
    waiting = first.act("activate-policy", body)
    return second.act("activate-policy", body, approves=waiting.act)


def cast_of(provider: Served, root: DualVerifyKey) -> Cast:
    """Somebody whose app pins both halves of the root."""
    return Cast(
        provider.url, PROVIDER, ORIGIN, root, provider.smsc, provider.clock,
        operators=provider.operators,
    )  # fmt: skip


def served_list(provider: Served, address: str) -> tuple[int, str]:
    reply = provider.reached.transport.get(address)
    return reply.status, str(json.loads(reply.body)["key_list"]) if reply.status == 200 else ""


def waited(provider: Served, said: bool) -> str:
    ran = tallystick("crypto", "suites", provider.folder.root)
    assert ran.code == (4 if said else 0), ran.all
    return ran.all


@dataclass(slots=True)
class Switched:
    """A provider that is being served, after the switch."""

    provider: Served
    clock: Shifted
    payers: list[Payer]
    root: DualSigningKey
    first: Ed25519SigningKey
    officer: DualSigningKey
    until: str


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    clock = Shifted()
    with served(tmp_path_factory.mktemp("suites") / "p", clock=clock) as provider:
        provider.open_customer("+254700000009", "Ben")
        payers = [Payer(provider, f"+25470000000{number}") for number in (1, 2)]
        for payer in payers:
            payer.start()
        yield _switch(provider, clock, payers)
        for payer in payers:
            payer.over.set()
            payer.join(10)
    again = open_platform(provider.folder, provider.secret, clock)
    try:
        assert again.desks.policy.version == 2
        assert again.trust.twice
    finally:
        again.close()


def _switch(provider: Served, clock: Shifted, payers: list[Payer]) -> Switched:
    """What the people of a provider do, one after the other; at each step it is told what waits."""
    folder, secret = provider.folder, provider.secret
    until = iso_utc(clock.now() + WINDOW_MS)[:19] + "Z"
    file = folder.offline / "officer-1.key"
    alone = open_officer_key(file, secret)
    with pytest.raises(NotPermitted, match="two signatures"):
        sign_policy(policy(2, until), "officer-1", alone)
    for name in ("officer-1", "officer-2"):
        adopt(folder, told(name, widen(folder.offline / f"{name}.key", secret)))
    until_noted(provider, b"the second half of an officer's key is believed", 1)
    officer = widen(file, secret)
    signed = sign_policy(policy(2, until), "officer-1", officer)
    assert "version 2 is in force" in by_two(provider, encode_canonical(signed).decode()).says
    until_noted(provider, b"mechanisms that are not in use yet", 1)
    says = waited(provider, said=True)
    assert "keys widen" in says
    assert "2 of 2 have two halves" in says
    (found,) = [x for x in look_at_keys(folder, clock.now()) if x.what == "mechanisms"]
    assert "keys widen" in found.remedy
    root_file = folder.offline / "root.key"
    first = open_root_key(root_file, secret)
    assert isinstance(first, Ed25519SigningKey)
    with pytest.raises(NotPermitted, match="two signatures under the key list"):
        renew_keys(folder, secret, first, clock)
    root = widen(root_file, secret)
    renew_keys(folder, secret, root, clock)
    until_noted(provider, b"a new key list is served", 1)
    assert "65 minutes" in waited(provider, said=True)
    leap(clock, payers, PUBLISHED_MS + 1_000)
    until_noted(provider, b"keys of the list are new in use", 1)
    until_noted(provider, b"that the policy asks for are in use", 1)
    return Switched(provider, clock, payers, root, first, officer, until)


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-7.4.2-07")
def test_nobody_who_paid_noticed_and_both_kinds_of_clients_pay(switched: Switched) -> None:
    provider, public = switched.provider, switched.root.public()
    assert "dual" in waited(provider, said=False)
    found = look_at_keys(provider.folder, switched.clock.now())
    assert "mechanisms" not in {one.what for one in found}
    before = sum(payer.paid for payer in switched.payers)
    later = cast_of(provider, public)
    carol = later.person("+254700000003", "Carol", funds=100_000)
    paid = carol.wallet.pay(PaymentKind.P2P, "+254700000009", Money(100, "KES")).receipt
    dual = later.tally_key()
    assert isinstance(dual, DualVerifyKey)
    verify_receipt(paid, dual, origin=ORIGIN)
    limit = time.monotonic() + 15
    while sum(payer.paid for payer in switched.payers) < before + 6:
        assert time.monotonic() < limit, [payer.errors for payer in switched.payers]
        time.sleep(0.05)
    assert [payer.errors for payer in switched.payers] == [[], []]
    classical = provider.tally_key()
    assert classical.algorithm == "EdDSA"
    verify_checkpoint(provider.platform.archive.note, classical, origin=ORIGIN)
    later.close()


@pytest.mark.requirement("MFS-7.4.2-12")
def test_the_two_lists_say_the_same_each_to_its_readers(switched: Switched) -> None:
    provider, now = switched.provider, switched.clock.now()
    whole, once = served_list(provider, "/v1/dual-keys"), served_list(provider, "/v1/keys")
    both = verify_key_list(whole[1], switched.root.public(), now, 0)
    one = verify_key_list(once[1], switched.first.public(), now, 0)
    assert (one.version, len(one.entries)) == (both.version, len(both.entries))
    assert [entry.kid for entry in one.entries] == [entry.kid for entry in both.entries]
    assert [x.algorithm for x in both.entries if x.purpose == "tally"] == ["EdDSA", DUAL]
    assert {x.algorithm for x in one.entries if x.purpose == "tally"} == {"EdDSA"}
    assert listed_keys(provider.folder) == both


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_who_pinned_both_halves_takes_no_list_of_one(switched: Switched) -> None:
    """Whoever broke Ed25519 has the first half; they still make no list for the new clients."""
    provider, now = switched.provider, switched.clock.now()
    whole, once = served_list(provider, "/v1/dual-keys")[1], served_list(provider, "/v1/keys")[1]
    public = switched.root.public()
    stripped = whole[: whole.rindex(".")] + once[once.rindex(".") :]
    stolen = DualSigningKey(switched.first, bytes(32))
    header, payload, _ = whole.split(".")
    signing_input = f"{header}.{payload}"
    forged = f"{signing_input}.{b64url(stolen.sign(signing_input.encode()))}"
    for attempt in (once, stripped, forged):
        with pytest.raises(NotAuthentic):
            verify_key_list(attempt, public, now, 0)


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-6.1-01")
@pytest.mark.threat("THR-KEY-01")
def test_no_act_of_fewer_signatures_leads_back(switched: Switched) -> None:
    provider, folder = switched.provider, switched.provider.folder
    text = policy(3, switched.until, officers="classical")
    octets = switched.officer.classical.sign(signed_message(text, 3))
    by_one = PolicyFile(
        version=3,
        policy_b64=b64url(text.encode()),
        signatures=(OfficerSignature(officer="officer-1", alg="ES256", sig=b64url(octets)),),
    )
    with pytest.raises(MfsError, match="two signatures"):
        by_two(provider, encode_canonical(by_one).decode())
    assert provider.platform.desks.policy.version == 2
    before = provider.platform.key_list
    with pytest.raises(NotPermitted, match="root key"):
        renew_keys(folder, provider.secret, switched.first, switched.clock)
    with pytest.raises(NotPermitted, match="asks for dual"):
        renew_keys(folder, provider.secret, switched.root, switched.clock, suite="classical")
    other = DualSigningKey(switched.first, bytes(32))
    with pytest.raises(NotPermitted, match="root key"):
        renew_keys(folder, provider.secret, other, switched.clock)
    assert provider.platform.key_list == before


def test_an_officers_second_half_is_adopted_once_and_by_both(switched: Switched) -> None:
    folder, officer = switched.provider.folder, switched.officer
    before = folder.settings()
    assert adopt(folder, told("officer-1", officer)).algorithm == "ES256-ML-DSA-65"
    with pytest.raises(Conflict):
        adopt(folder, told("officer-1", DualSigningKey(officer.classical, bytes(32))))
    with pytest.raises((Conflict, NotAuthentic)):
        adopt(folder, told("officer-2", officer))
    half = json.loads(told("officer-1", officer))
    half["sig"] = b64url(officer.classical.sign(b"x"))
    with pytest.raises(NotAuthentic):
        adopt(folder, encode_canonical(half))
    assert folder.settings() == before


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-7.3.3-07")
def test_what_was_recorded_is_audited_with_both(switched: Switched, tmp_path: Path) -> None:
    folder = switched.provider.folder
    assert not audit_provider(folder, ()).findings
    ran = tallystick("keys", "list", folder.root)
    told_key = next(one for one in ran.out.split() if one.startswith(ORIGIN) and "," in one)
    key = NoteKey.parse(told_key)
    assert str(key) == told_key
    later = cast_of(switched.provider, switched.root.public())
    erin = later.person("+254700000005", "Erin", funds=100_000)
    receipt = erin.wallet.pay(PaymentKind.P2P, "+254700000009", Money(100, "KES")).receipt
    later.close()
    text, _, tail = receipt.checkpoint.rpartition("\n\n")
    alone = replace(receipt, checkpoint=f"{text}\n\n{tail.splitlines()[0]}\n")
    for number, (one, code) in enumerate(((receipt, 0), (alone, 1))):
        file = tmp_path / f"{number}.json"
        file.write_bytes(encode_canonical(one))
        ran = tallystick("receipt", "verify", file, "--key", told_key)
        assert ran.code == code, ran.all


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
def test_a_second_client_pays_with_either_root_and_takes_no_cut_note(
    switched: Switched, tmp_path: Path
) -> None:
    """The TypeScript client: with both halves pinned a note without the second line is refused."""
    built()
    provider, found = switched.provider, {}
    roots = {"both": switched.root.public(), "first": switched.first.public()}
    for number, (name, root) in enumerate(roots.items()):
        found[name] = device(
            provider,
            tmp_path / f"{name}.json",
            **customer(provider, f"+25470000002{number}"),
            root=root_of(root),
            ahead=switched.clock.ahead_ms,
            payee="+254700000009",
            amount=100,
        )
        assert found[name].get("balance") == 99_900, found[name]
    assert found["both"]["refused"] == "not-authentic"
    assert found["first"]["refused"] == ""


@pytest.mark.requirement("MFS-7.4.2-12")
def test_when_the_window_is_over_one_signature_and_one_half_are_refused(
    switched: Switched,
) -> None:
    """The last test: it moves the clock."""
    provider = switched.provider
    for payer in switched.payers:
        payer.over.set()
        payer.join(10)
    switched.clock.ahead_ms += WINDOW_MS
    assert served_list(provider, "/v1/keys") == (426, "")
    with pytest.raises(UpgradeRequired):
        provider.platform.classical_list()
    later = cast_of(provider, switched.root.public())
    dave = later.person("+254700000004", "Dave", funds=100_000)
    dave.wallet.pay(PaymentKind.P2P, "+254700000009", Money(100, "KES"))
    peer = dataclasses.replace(later.peer(), suites=(KemSuite.X25519,))
    with pytest.raises(NotPermitted, match="no permitted suite"):
        peer.authenticated(Purpose.SESSION)
    later.close()
    renew_keys(provider.folder, provider.secret, switched.root, switched.clock)
    assert not provider.folder.classical_list_file.exists()
