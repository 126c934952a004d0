"""Probes of enrolment, consent and surface turn when what they look at is broken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.proved import CLOCK, new_provider, proved, verdicts, with_programme

from tallystick.application.authentication.service import Access
from tallystick.application.devicelife import DeviceLife
from tallystick.application.devices.service import Devices
from tallystick.application.devices.store import trust_counts
from tallystick.client.keystore import SoftwareKeystore
from tallystick.client.session import Peer
from tallystick.client.wallet import Wallet
from tallystick.entry.accounting import Accounting
from tallystick.entry.http.sealed import SealedOperations
from tallystick.entry.proving import consenting, enrolling, outside
from tallystick.entry.proving.customers import NAMES
from tallystick.entry.proving.enrolling import EnrolmentProbes
from tallystick.entry.proving.phone import Tape
from tallystick.entry.proving.site import Site
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.setup import demo_policy
from tallystick.infrastructure.crypto.signature import Es256VerifyKey
from tallystick.infrastructure.envelope import renewal
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.evidence import Verdict
from tallystick.kernel.model import replace
from tallystick.kernel.secret import Secret
from tallystick.process.policy.facts import DeviceTrust
from tallystick.protocol.payments import PaymentKind, consent_header

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass
class Place:
    """A provider whose probe phone is enrolled."""

    folder: ProviderFolder
    secret: Secret[bytes]

    def prove(self, *names: str) -> Mapping[str, Verdict]:
        return verdicts(proved(self.folder, self.secret, names))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    few = "at_most: {0: 1, 1: 3, 2: 4, 3: 8}"
    assert few in demo_policy()
    text = demo_policy().replace(few, "at_most: {0: 60, 1: 60, 2: 60, 3: 60}")
    # a breach lets phones in that nobody removes
    folder, secret, _ = new_provider(tmp_path_factory.mktemp("doors") / "provider", text)
    return Place(folder, secret)


HERE = (
    "enrol.wrong-code", "enrol.bound", "enrol.code-again", "enrol.mixed", "enrol.strange-key",
    "enrol.same-keys", "enrol.claimed-hardware", "phone.unlinkable", "phone.copied",
    "phone.suspended", "phone.login-key", "phone.declined", "phone.shown", "phone.strange-refund",
    "phone.other-name", "phone.other-handshake", "phone.suites", "phone.sealed-on-the-way",
    "receipt.bare", "doors.undeclared", "doors.throttled",
)  # fmt: skip


@pytest.mark.requirement("MFS-7.4.1-02")
@pytest.mark.requirement("MFS-7.4.1-03")
@pytest.mark.requirement("MFS-7.4.1-04")
@pytest.mark.requirement("MFS-8.1.1-01")
@pytest.mark.requirement("MFS-7.3.5-05")
@pytest.mark.requirement("MFS-7.4.5-01")
@pytest.mark.requirement("MFS-12.2-02")
def test_what_thieves_try_is_refused_by_a_provider_as_it_is(place: Place) -> None:
    for _ in range(2):
        assert place.prove(*HERE) == dict.fromkeys(HERE, Verdict.PASS)


@pytest.mark.requirement("MFS-7.4.2-12")
def test_a_policy_that_takes_one_suite_only_does_not_lock_the_probes_out(tmp_path: Path) -> None:
    """As the strictest derived policy does."""
    every = "suites: [hpke-mlkem768-x25519, hpke-x25519, hpke-p256]"
    assert every in demo_policy()
    text = demo_policy().replace(every, "suites: [hpke-mlkem768-x25519]")
    folder, secret, _ = new_provider(tmp_path / "provider", text)
    names = ("doors.rogue-provider", "phone.login", "phone.twice", "phone.suites")
    assert Place(folder, secret).prove(*names) == dict.fromkeys(names, Verdict.PASS)


def test_a_second_phone_is_lost_whichever_probe_enrolled_it(place: Place) -> None:
    assert place.prove("enrol.bound") == {"enrol.bound": Verdict.PASS}
    with open_reader(place.folder.stored()) as reader:
        assert sum(trust_counts(reader).values()) == 1, "only the probe phone is active"
    assert not (place.folder.root / "probes" / "second.key").exists()
    assert not (place.folder.root / "probes" / "copy.key").exists()


def always_in_force(record, claim, now):
    return renewal._accepted(record, claim, now)


def login_key_consents(patch: pytest.MonkeyPatch) -> None:
    """The provider holds consents against the key that logs in."""

    def signer(self, device: str):
        row = self._desks.devices.get(device)
        return b64url(consent_header(device)), Es256VerifyKey(row.possession)

    patch.setattr(SealedOperations, "_signer", signer)


def any_code(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Access, "_code_mac", lambda *_: b"always the same")


def codes_for_ever(patch: pytest.MonkeyPatch) -> None:
    def redeem(self, turn, activation, code, source=""):
        return self._customers.get(self._activations.get(activation).customer)

    patch.setattr(Access, "redeem", redeem)


def whatever_is_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(enrolling, "_send", lambda *_: b"")


def same_keys_taken(patch: pytest.MonkeyPatch) -> None:
    real, seen = enrolling._enrol, set()

    def enrol(peer, keys, code, said):
        if keys.possession_public() in seen:
            return None
        seen.add(keys.possession_public())
        return real(peer, keys, code, said)

    patch.setattr(enrolling, "_enrol", enrol)


def another_row(patch: pytest.MonkeyPatch) -> None:
    real = EnrolmentProbes._row
    patch.setattr(
        EnrolmentProbes, "_row", lambda self, phone: replace(real(self, phone), consent=b"other")
    )


def claims_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "tallystick.application.devices.service.trust_of", lambda _: DeviceTrust.ATTESTED_HARDWARE
    )


def device_in_clear(patch: pytest.MonkeyPatch) -> None:
    real = enrolling._login
    patch.setattr(
        enrolling,
        "_login",
        lambda phone: real(phone) + b" " + phone.keystore.identity().device.encode(),
    )


def copies_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tallystick.application.devices.service.judge_renewal", always_in_force)


def nobody_suspended(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DeviceLife, "act", lambda *_: 0)


def suspended_still_acts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Devices, "active", Devices.get)


def never_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        SoftwareKeystore,
        "consent_sign",
        lambda self, message, *, shown: self._kept.consent.sign(message),
    )


def little_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(consenting, "shown", lambda quote: f"Pay {quote.payee_name}?")


def refunds_to_anybody(patch: pytest.MonkeyPatch) -> None:
    real = Wallet.quote
    patch.setattr(
        Wallet,
        "quote",
        lambda self, kind, payee, amount, *, original="": real(
            self, PaymentKind.P2P, payee, amount
        ),
    )
    patch.setattr(Wallet, "place", lambda *_, **__: "paid")


def any_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        consenting, "Peer", lambda link, name, *more: Peer(link, name.removesuffix("-x"), *more)
    )


def any_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(consenting, "authenticate_provider", lambda *_, **__: None)


def one_suite_less(patch: pytest.MonkeyPatch) -> None:
    real = consenting.KemSuite

    def suite(name: str):
        if name == "hpke-p256":
            raise Unavailable("not served")
        return real(name)

    patch.setattr(consenting, "KemSuite", suite)


def payee_in_clear(patch: pytest.MonkeyPatch) -> None:
    real = Tape.cut
    patch.setattr(Tape, "cut", lambda self: real(self) + NAMES[1].encode())


def name_in_log(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(consenting, "b64url_decode", lambda _: NAMES[1].encode())


def one_more_door(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outside, "_ELSEWHERE", (*outside._ELSEWHERE, "/health/live"))


def undeclared_door(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outside, "OPERATIONS", outside.OPERATIONS[1:])


def no_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Accounting, "admit_source", lambda *_: None)


BREACHES: tuple[tuple[Patch, tuple[str, ...]], ...] = (
    (any_code, ("enrol.wrong-code",)),
    (codes_for_ever, ("enrol.code-again",)),
    (whatever_is_sent, ("enrol.mixed", "enrol.strange-key")),
    (same_keys_taken, ("enrol.same-keys",)),
    (another_row, ("enrol.bound",)),
    (claims_believed, ("enrol.claimed-hardware",)),
    (device_in_clear, ("phone.unlinkable",)),
    (copies_believed, ("phone.copied",)),
    (nobody_suspended, ("phone.copied",)),
    (login_key_consents, ("phone.login-key",)),
    (never_asked, ("phone.declined",)),
    (little_shown, ("phone.shown",)),
    (refunds_to_anybody, ("phone.strange-refund",)),
    (any_name, ("phone.other-name",)),
    (any_answer, ("phone.other-handshake",)),
    (one_suite_less, ("phone.suites",)),
    (payee_in_clear, ("phone.sealed-on-the-way",)),
    (name_in_log, ("receipt.bare",)),
    (one_more_door, ("doors.undeclared",)),
    (undeclared_door, ("doors.undeclared",)),
    (no_limit, ("doors.throttled",)),
)


@pytest.mark.parametrize(
    ("breach", "names"), BREACHES, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_breach_is_seen(place: Place, monkeypatch, breach: Patch, names) -> None:
    breach(monkeypatch)
    assert place.prove(*names) == dict.fromkeys(names, Verdict.FAIL)


def test_a_suspended_phone_that_still_acts_is_seen(place: Place, monkeypatch) -> None:
    suspended_still_acts(monkeypatch)
    names = ("phone.copied", "phone.suspended")
    assert place.prove(*names)["phone.suspended"] is Verdict.FAIL


def test_a_surface_that_differs_from_the_programme_is_seen(tmp_path: Path, monkeypatch) -> None:
    folder, secret, _ = new_provider(tmp_path / "provider")
    with_programme(folder)
    name = ("doors.surface",)
    differing = proved(folder, secret, name).run.observations[0]
    assert differing.verdict is Verdict.FAIL
    assert "witness" in differing.summary
    monkeypatch.setattr(outside, "compare", lambda *_: ())
    assert verdicts(proved(folder, secret, name)) == {"doors.surface": Verdict.PASS}
    beside = outside.OutsideProbes(Site(folder, CLOCK, url="http://127.0.0.1:9"))
    assert beside.surface(0).verdict is Verdict.UNKNOWN, "its listeners are not here"
