"""Keys of subjects are wrapped anew and what they seal is sealed anew, while people pay and go."""

import sqlite3
import time

import pytest
from simulators.cast import Cast
from simulators.tour.provider import TourProvider
from tests.fault.test_store_key_succession import Paying
from tests.support.toured import toured
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.rechecking import Verifier
from tallystick.entry.rewrapping import progress, store_keys
from tallystick.infrastructure.modules.block import wrapped_under
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.money import Money
from tallystick.protocol.operators import EraseSubject
from tallystick.protocol.payments import PaymentKind

PAYEE = "+254700000099"
MORE_ORDERS = 8_000
OF = ("--of", "subject-wrap")


@pytest.fixture
def provider_and_cast(tmp_path):
    with toured(tmp_path) as made:
        yield made


def rows(provider: TourProvider, sql: str) -> list[tuple]:
    with sqlite3.connect(provider.folder.database_file) as database:
        return database.execute(sql).fetchall()


def more_orders(provider: TourProvider) -> None:
    """Orders as a year leaves them: what was sealed comes again under lower ids."""
    with sqlite3.connect(provider.folder.database_file) as database:
        names = [one[1] for one in database.execute("PRAGMA table_info(payment_order)")]
        fields = ", ".join(names)
        taken = ", ".join("'ord_0' || i || substr(id, 8)" if one == "id" else one for one in names)
        database.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            f" INSERT INTO payment_order ({fields}) SELECT {taken} FROM (SELECT * FROM"
            " payment_order WHERE length(evidence) > 0 ORDER BY id LIMIT 1), n",
            (10_000 + MORE_ORDERS - 1,),
        )


def left(provider: TourProvider) -> dict[str, int]:
    found = progress(provider.folder, (Purpose.SUBJECT_WRAP,))
    return {one.kind: one.left for one in found}


def erase(cast: Cast, customer: str) -> None:
    first, second = cast.operators["privacy-officer"]
    body = EraseSubject(customer=customer, because="asked to be forgotten")
    waiting = first.act("erase-subject", body)
    second.act("erase-subject", body, approves=waiting.act)


@pytest.mark.requirement("MFS-7.4.2-07", "MFS-7.4.2-12", "MFS-14.2.1-04")
def test_what_is_under_subjects_moves_while_they_pay_and_leave(provider_and_cast) -> None:
    provider, cast = provider_and_cast
    cast.person(PAYEE, "Payee")
    gone = [cast.person(f"+2547000002{n:02}", "Leaver", funds=100) for n in range(4)]
    receipts = [one.wallet.pay(PaymentKind.P2P, PAYEE, Money(100, "KES")) for one in gone]
    paying = Paying(cast)
    provider.stop()
    more_orders(provider)
    folder, secret = provider.folder.root, ("--secret-file", provider.folder.root.parent / "secret")
    made = tallystick("crypto", "rewrap", folder, *OF, "--to", "aes-256-ccm", *secret)
    assert made.code == 0, made.all
    again = tallystick("crypto", "rewrap", folder, *OF, "--to", "aes-256-ccm", *secret)
    assert again.out == made.out, "a second generation was made"
    total = left(provider)
    assert total["consents"] > MORE_ORDERS
    assert total["subject keys"] >= 6
    assert tallystick("crypto", "rewrap", folder, *OF, "--finish").code == 1

    provider.serve(provider.port)
    limit = time.monotonic() + 30
    while left(provider)["consents"] > total["consents"] - 200 and time.monotonic() < limit:
        time.sleep(0.02)
    erase(cast, gone[0].customer)
    provider.kill()
    between = left(provider)
    assert 0 < between["consents"] < total["consents"], "the kill met no work on its way"
    assert tallystick("crypto", "progress", folder).code == 4

    provider.serve(provider.port)
    with paying:
        limit = time.monotonic() + 90
        while not paying.paid and time.monotonic() < limit:
            time.sleep(0.02)
        assert left(provider)["consents"] > 0, "nobody paid while it moved"
        for one in gone[1:]:
            erase(cast, one.customer)
        while any(left(provider).values()) or paying.paid < 5:
            assert time.monotonic() < limit, "it does not come to an end"
            time.sleep(0.05)
    assert paying.wrong == []
    for one, receipt in zip(gone, receipts, strict=True):
        found = rows(provider, f"SELECT status, subject, profile FROM customer"
                     f" WHERE id = '{one.customer}'")  # fmt: skip
        assert found == [("erased", b"", b"")], "what was destroyed came back"
        assert one.wallet.verified(receipt.receipt).event.id == receipt.verified.event.id
    provider.stop()

    newest = store_keys(provider.folder, Purpose.SUBJECT_WRAP)[0][0]
    wraps = {wrapped_under(one[0]) for one in rows(
        provider, "SELECT subject FROM customer WHERE length(subject) > 0")}  # fmt: skip
    assert wraps == {newest.id[-8:]}
    assert tallystick("crypto", "progress", folder).code == 0
    with Verifier(provider.folder, provider.secret(), SystemClock()) as verifier:
        found = verifier.recheck()
    assert found.orders > 5, "nothing that the log committed to was opened again"
    assert found.erased == len(gone)
    assert found.doubts == ()


@pytest.mark.requirement("MFS-7.4.2-07")
def test_a_generation_follows_another_and_ends_it(provider_and_cast) -> None:
    provider, cast = provider_and_cast
    person = cast.person("+254700000101", "Stays", funds=90_000)
    cast.person(PAYEE, "Payee")
    paid = person.wallet.pay(PaymentKind.P2P, PAYEE, Money(100, "KES"))
    folder, secret = provider.folder.root, ("--secret-file", provider.folder.root.parent / "secret")
    for mechanism in ("aes-256-ccm", "aes-256-gcm"):
        provider.stop()
        made = tallystick("crypto", "rewrap", folder, *OF, "--to", mechanism, *secret)
        assert made.code == 0, made.all
        provider.serve(provider.port)
        limit = time.monotonic() + 30
        while any(left(provider).values()) and time.monotonic() < limit:
            time.sleep(0.05)
        assert not any(left(provider).values())
    provider.stop()
    assert len(store_keys(provider.folder, Purpose.SUBJECT_WRAP)) == 2
    done = tallystick("crypto", "rewrap", folder, *OF, "--finish")
    assert done.code == 0, done.all
    assert len(store_keys(provider.folder, Purpose.SUBJECT_WRAP)) == 1
    provider.serve(provider.port)
    assert person.wallet.pay(PaymentKind.P2P, PAYEE, Money(100, "KES")).receipt != paid.receipt


@pytest.mark.requirement("MFS-7.4.2-07", "MFS-7.4.2-12")
def test_a_key_that_a_running_service_still_uses_is_not_ended(provider_and_cast) -> None:
    """Nothing is under any generation yet, so that nothing is left; the service knows the first."""
    provider, cast = provider_and_cast
    folder, secret = provider.folder.root, ("--secret-file", provider.folder.root.parent / "secret")

    def rewrap(*more: object, of: str = "subject-wrap"):
        return tallystick("crypto", "rewrap", folder, "--of", of, *more)

    provider.stop()
    assert rewrap("--to", "aes-256-ccm", *secret).code == 0
    provider.serve(provider.port)
    assert not any(left(provider).values())
    assert rewrap("--to", "aes-256-gcm", *secret).code == 0
    assert rewrap("--to", "hmac-sha256", *secret, of="pin-pepper").code == 0
    for of, purpose in (("subject-wrap", Purpose.SUBJECT_WRAP), ("pin-pepper", Purpose.PIN_PEPPER)):
        refused = rewrap("--finish", of=of)
        assert refused.code == 1
        assert "restart the service" in refused.err
        assert len(store_keys(provider.folder, purpose)) == 2
    person = cast.person("+254700000101", "Comes meanwhile", funds=90_000)
    cast.person(PAYEE, "Payee")
    provider.kill()
    assert rewrap("--finish").code == 1, "one that was killed may have left something"

    provider.serve(provider.port)
    limit = time.monotonic() + 30
    while any(left(provider).values()) and time.monotonic() < limit:
        time.sleep(0.05)
    done = rewrap("--finish")
    assert done.code == 0, done.all
    assert len(store_keys(provider.folder, Purpose.SUBJECT_WRAP)) == 1
    assert rewrap("--finish", of="pin-pepper").code == 0
    provider.stop()
    provider.serve(provider.port)
    assert person.wallet.pay(PaymentKind.P2P, PAYEE, Money(100, "KES"))
