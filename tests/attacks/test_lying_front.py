"""A front that was taken over passes consents that nobody gave on: the verifier finds them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.stores import raw
from tests.unit.entry.cli.command_line import tallystick

from tallystick.application.commands import PlaceOrder
from tallystick.application.consent import DeviceSigned, consent_of
from tallystick.client.consenting import consent_to
from tallystick.entry.rechecking import Rechecked, Verifier
from tallystick.entry.replay.parties import (
    Party,
    enrol_devices,
    establish_sessions,
    fund_parties,
    open_parties,
    replay_peer,
)
from tallystick.entry.replay.provider import CURRENCY, ReplayProvider
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.schedule import session_of
from tallystick.kernel.codec import Decoder, encode_canonical
from tallystick.kernel.errors import MfsError
from tallystick.kernel.time import Instant, SimulatedClock
from tallystick.protocol.payments import (
    Consent,
    PaymentKind,
    Quote,
    QuoteReply,
    QuoteRequest,
    consent_header,
)

_quotes = Decoder(QuoteReply)


class Ground:
    """A provider without sockets, with two people; what is submitted was verified by nobody."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock(Instant(1_767_225_600_000))
        self.provider = ReplayProvider(ProviderFolder(folder), self.clock)
        self.ann = Party("+254700000001", "Ann", "person", 100_000, consents=True)
        self.ben = Party("+254700000002", "Ben", "person", 100_000, consents=True)
        people = [self.ann, self.ben]
        open_parties(self.provider, people)
        fund_parties(self.provider, people)
        peer = replay_peer(self.provider)
        enrol_devices(self.provider, peer, people)
        self.clock.advance(1_000)
        establish_sessions(self.provider, peer, people)
        self._sequence = 1_000

    def quote(self, amount_minor: int) -> QuoteReply:
        phone, told = self.ann.phone(), []
        request = QuoteRequest(
            kind=PaymentKind.P2P,
            payee=self.ben.number,
            amount_minor=amount_minor,
            currency=CURRENCY,
        )
        sequence, sealed = phone.seal("payment.quote", encode_canonical(request))
        self.provider.handler("payment.quote")(
            sealed, "", lambda status, _, body, *_more: told.append((status, body))
        )
        return _quotes.decode(phone.opened("payment.quote", sequence, *told[0]))

    def pay(self, amount_minor: int) -> None:
        order = consent_to(self.quote(amount_minor), self.ann.phone().keystore, self.clock.now())
        _, sealed = self.ann.phone().seal("payment.order", order.body)
        statuses: list[int] = []
        self.provider.handler("payment.order")(
            sealed, "", lambda status, *_: statuses.append(status)
        )
        self.provider.batch.run()
        assert statuses == [200]

    def say_verified(self, consent: Consent, jws: str) -> None:
        """What a lying front does: hand the writer a consent as if it had verified it."""
        self._sequence += 1
        session = session_of(self.ann.phone()._open().kid)
        consented = DeviceSigned(consent=consent, jws=jws)
        (recorded,) = self.provider.platform.writer.run(
            [PlaceOrder(session, self._sequence, consented)]
        )
        assert not isinstance(recorded.outcome.reply, MfsError), "the writer believed it"

    def consent(self, quote: Quote) -> Consent:
        device = self.ann.phone().keystore.identity().device
        now = self.clock.now()
        return consent_of(quote, device=device, grade="device-signed", consented_at=now)

    def recheck(self, start: int = 0) -> Rechecked:
        with Verifier(self.provider.folder, self.provider.secret, self.clock) as verifier:
            return verifier.recheck(start)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    one = Ground(tmp_path / "provider")
    yield one
    one.provider.platform.close()


@pytest.mark.requirement("MFS-7.2.7-04")
def test_what_was_consented_to_is_in_no_doubt(ground: Ground) -> None:
    for amount in (100, 250, 9_900):
        ground.pay(amount)
    found = ground.recheck()
    assert (found.orders, found.doubts, found.erased) == (3, (), 0)
    ground.pay(100)
    later = ground.recheck(found.upto)
    assert (later.orders, later.doubts) == (1, ())


@pytest.mark.requirement("MFS-7.2.7-05")
@pytest.mark.threat("THR-BE-01")
def test_a_consent_that_nobody_signed_is_never_passed(ground: Ground) -> None:
    ground.pay(100)
    consent = ground.consent(ground.quote(50_000).quote)
    stranger = Es256SigningKey.generate()
    forged = sign_compact(stranger, consent_header(consent.device), encode_canonical(consent))
    ground.say_verified(consent, forged)
    found = ground.recheck()
    assert found.orders == 2
    (doubt,) = found.doubts
    assert doubt.order == consent.order
    assert doubt.wrong == ("the consent was not signed by the device",)


def test_a_signed_consent_that_was_executed_otherwise_is_never_passed(ground: Ground) -> None:
    quoted = ground.quote(100)
    order = consent_to(quoted, ground.ann.phone().keystore, ground.clock.now())
    jws = order.body.split(b'"consent":"')[1].split(b'"')[0].decode()
    given = ground.consent(quoted.quote)
    dearer = {**{n: getattr(given, n) for n in given.__struct_fields__}, "amount_minor": 60_000}
    ground.say_verified(Consent(**dearer), jws)
    (doubt,) = ground.recheck().doubts
    assert "another amount was executed than was consented to" in doubt.wrong
    assert "the ledger did not move what was consented to" not in doubt.wrong, "the row agrees"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            "UPDATE payment_order SET amount_minor = 200",
            "the ledger did not move what was consented to",
        ),
        (
            "UPDATE transfer SET amount = 200 WHERE posting_id LIKE 'ord_%'",
            "the ledger did not move",
        ),
        ("UPDATE payment_order SET body_hash = zeroblob(32)", "is not what the order was executed"),
        ("UPDATE payment_order SET device = ''", "certificate is not of this provider's authority"),
        ("UPDATE payment_order SET stage = 'refused'", "yet money was moved"),
        ("UPDATE payment_order SET evidence = zeroblob(400)", "cannot be read"),
        (
            "UPDATE device SET certificate = (SELECT other.certificate FROM device AS other"  # noqa: ISC004
            " WHERE other.id <> device.id) WHERE id = (SELECT device FROM payment_order)",
            "the device is not the payer's",
        ),
    ],
)
def test_a_change_in_the_file_is_found_and_said_by_the_command(
    tmp_path: Path, change: str, wrong: str
) -> None:
    ground = Ground(tmp_path / "provider")
    ground.pay(100)
    folder, secret = ground.provider.folder, tmp_path / "secret"
    secret.write_bytes(ground.provider.secret.reveal())
    ground.provider.platform.close()
    fine = tallystick("recheck", str(folder.root), "--secret-file", str(secret))
    assert fine.code == 0, fine.all
    assert "1 orders up to event" in fine.out
    raw(folder.stored(), change)
    found = tallystick("recheck", str(folder.root), "--secret-file", str(secret), "--json")
    assert found.code == 4, found.all
    assert wrong in found.out
