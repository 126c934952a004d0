"""The order that a SIM shows, in three languages, and what a recheck takes for the terms."""

from itertools import product

import pytest

from tallystick.kernel.errors import Malformed
from tallystick.kernel.ids import random_id, timed_id
from tallystick.protocol.channels import Language
from tallystick.protocol.gsm7 import places
from tallystick.protocol.payments import PaymentKind, Quote
from tallystick.protocol.toolkit import ORDERS, TEXT_PLACES, order_text, order_texts, read_to_sim
from tallystick.protocol.toolkit import show_order as shown

NOW = 1_767_225_600_000


def quote(
    kind: PaymentKind = PaymentKind.P2P, minor: int = 5_000, name: str = "Ann A.", fee: int = 0
) -> Quote:
    return Quote(
        provider="tally",
        order=timed_id("ord", NOW, bytes(10)),
        kind=kind,
        payer=random_id("acc", bytes(16)),
        payee=random_id("acc", bytes(15) + b"1"),
        payee_name=name,
        amount_minor=minor,
        fee_minor=fee,
        currency="KES",
        original="",
        policy=1,
        issued_at=NOW,
        expires_at=NOW + 120_000,
    )


@pytest.mark.requirement("MFS-11.2.2-01")
def test_an_order_is_shown_in_the_language_of_its_customer() -> None:
    assert order_text(quote()) == "Send KES 50.00 to Ann A. Fee KES 0.00."
    french = order_text(quote(), Language.FRENCH)
    assert french == "Envoyer KES 50.00 à Ann A. Frais KES 0.00."
    assert order_text(quote(), Language.SWAHILI) == "Tuma KES 50.00 kwa Ann A. Ada KES 0.00."
    merchant, cash = quote(PaymentKind.MERCHANT), quote(PaymentKind.CASH_OUT)
    assert order_text(merchant, Language.FRENCH).startswith("Payer KES 50.00 à ")
    assert order_text(cash, Language.SWAHILI).startswith("Toa KES 50.00 kwa ")
    assert read_to_sim(shown(bytes(32), french)) == (bytes(32), french)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", ORDERS[Language.ENGLISH])
def test_it_fits_or_is_english_or_is_no_order(language: Language, kind: PaymentKind) -> None:
    usual = order_text(quote(kind, 10**7, "W" * 30), language)
    assert usual != order_text(quote(kind, 10**7, "W" * 30)) or language is Language.ENGLISH
    english = 0
    for digits, name in product(range(3, 16), range(10, 21)):
        terms = quote(kind, 10**digits, "W" * name, fee=10**digits)
        try:
            text = order_text(terms, language)
        except Malformed:
            with pytest.raises(Malformed):
                order_text(terms)
            continue
        assert places(text) <= TEXT_PLACES
        assert text in order_texts(terms)
        english += text.startswith(ORDERS[Language.ENGLISH][kind].split()[0] + " ")
    assert english or language is not Language.FRENCH, "French takes more room than English"


def test_a_recheck_takes_no_text_of_other_terms() -> None:
    said = order_texts(quote())
    assert len(said) == len(Language)
    assert not said & order_texts(quote(minor=5_001))
    assert not order_texts(quote(PaymentKind.SALARY))
    with pytest.raises(Malformed):
        order_text(quote(PaymentKind.SALARY))
