"""Orders that a SIM signs, over SMPP, against a served provider."""

from collections.abc import Iterator

import pytest
from simulators.loopback import exchange
from simulators.toolkit_phone import ToolkitPhone
from tests.support.looking import row_of, rows_of
from tests.support.networks import DIALLER, FRIEND, OTHER, PIN, Network, network
from tests.support.served import by_one_operator

from tallystick.application.sims import SimState
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import link_secret
from tallystick.entry.rechecking import Verifier
from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.codec import encode
from tallystick.kernel.errors import NotPermitted, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import HOUR_MS
from tallystick.protocol.callbacks import CALLBACK_HEADER, callback_header
from tallystick.protocol.channels import SimChange

LINK = PartnerLink(name="sim-east")
CHANGES = "/v1/sim/changes"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("sims") / "p"
    with network(folder, sim_changes=LINK, policy_text=by_one_operator()) as found:
        yield found


@pytest.fixture(scope="module")
def phone(scene: Network):
    return scene.toolkit(0, DIALLER)


def row(scene: Network, which: int):
    sims = scene.provider.platform.desks.sims
    return sims.get(sims.id_of(scene.batch[0].sims[which].iccid))


def bound_before(scene: Network, which: int):
    """A SIM of who only dials, bound by a test above or now."""
    if row(scene, which).state is not SimState.BOUND:
        scene.toolkit(which, OTHER)
    assert row(scene, which).state is SimState.BOUND
    return row(scene, which)


def orders(scene: Network) -> int:
    rows = rows_of(scene.provider, "SELECT count(*) FROM payment_order")
    return next(iter(rows))[0]


@pytest.mark.requirement("MFS-7.3.3-11")
@pytest.mark.requirement("MFS-11.2.2-01")
def test_a_sim_shows_the_order_asks_for_the_pin_and_signs(scene: Network, phone) -> None:
    before = scene.balance()
    pages = scene.centre.dial(DIALLER, "1", FRIEND, "6000", PIN.reveal())
    assert "sim-signed" in pages[-1] or "too weak" in pages[-1], pages[-1]
    shown, came = phone.pay("+254700000001", "6000", PIN.reveal())
    assert shown == "Send KES 6,000.00 to Ann A. Fee KES 0.00."
    assert came.startswith("Done. Receipt ")
    assert scene.balance() == before + 600_000
    grade = row_of(scene.provider, "SELECT grade FROM payment_order ORDER BY id DESC LIMIT 1")
    assert grade == ("sim-signed",)


@pytest.mark.requirement("MFS-11.2.2-01")
def test_the_order_is_shown_and_signed_in_the_language_of_the_customer(
    scene: Network, phone
) -> None:
    before = scene.balance()
    scene.centre.dial(DIALLER, "7", "3")
    try:
        shown, _ = phone.pay("+254700000001", "11", PIN.reveal())
    finally:
        scene.centre.dial(DIALLER, "7", "1")
    assert shown == "Tuma KES 11.00 kwa Ann A. Ada KES 0.00."
    assert scene.balance() == before + 1_100
    with Verifier(scene.provider.folder, scene.provider.secret, scene.provider.clock) as verifier:
        assert verifier.recheck().doubts == ()


@pytest.mark.threat("THR-USD-01")
@pytest.mark.requirement("MFS-7.2.3-03")
def test_the_pin_never_leaves_the_sim(scene: Network, phone) -> None:
    phone.pay("+254700000001", "10", PIN.reveal())
    assert phone.sent
    assert not any(PIN.reveal().encode() in octets for octets in phone.sent)


@pytest.mark.threat("THR-SIM-04")
def test_a_stolen_sim_without_its_pin_pays_nothing_and_blocks(scene: Network) -> None:
    phone = scene.toolkit(1, OTHER)
    before = scene.balance()
    shown, came = phone.pay("+254700000001", "10", "000001", "000002", "000003", PIN.reveal())
    assert came == "Cancelled. Nothing was paid."
    assert shown
    assert phone.pay("+254700000001", "10", PIN.reveal())[1] == came
    assert scene.balance() == before


@pytest.mark.requirement("MFS-11.2.2-01")
def test_whoever_refuses_pays_nothing(scene: Network, phone) -> None:
    before = scene.balance()
    assert phone.pay("+254700000001", "10")[1] == "Cancelled. Nothing was paid."
    assert scene.balance() == before


@pytest.mark.threat("THR-SMS-03")
@pytest.mark.requirement("MFS-7.3.3-03")
def test_a_packet_counts_once(scene: Network, phone) -> None:
    before = scene.balance()
    phone.pay("+254700000001", "11", PIN.reveal())
    known, heard = orders(scene), row(scene, 0).heard
    for octets in phone.sent[-2:]:
        phone.send(octets)
    assert orders(scene) == known
    assert row(scene, 0).heard == heard == phone.uicc.counter
    assert scene.balance() == before + 1_100
    with pytest.raises(Unavailable):
        phone.receive(within_s=1.0)


@pytest.mark.threat("THR-SMS-03")
@pytest.mark.requirement("MFS-7.3.3-02")
def test_a_packet_of_another_number_another_key_or_with_a_flipped_bit_does_nothing(
    scene: Network, phone
) -> None:
    phone.relays = False
    phone.ask("+254700000001", "12")
    phone.relays = True
    genuine, heard = phone.sent[-1], row(scene, 0).heard
    for at in range(5, len(genuine)):
        phone.send(genuine[:at] + bytes((genuine[at] ^ 1,)) + genuine[at + 1 :])
    assert row(scene, 0).heard == heard
    phone.number, number = OTHER, phone.number
    phone.send(genuine)
    phone.number = number
    assert row(scene, 0).heard == heard
    phone.send(genuine)
    assert row(scene, 0).heard == heard + 1
    assert "Send KES 12.00" in phone.receive(PIN.reveal())
    assert phone.receive().startswith("Done.")


@pytest.mark.threat("THR-USD-03")
def test_the_sim_refuses_what_the_provider_did_not_say_and_what_it_said_before(
    scene: Network, phone
) -> None:
    phone.pay("+254700000001", "13", PIN.reveal())
    said, screens = phone.received[-2], len(phone.screens)
    assert phone.envelope(said) == 0x6A80
    for at in range(3, len(said)):
        assert phone.envelope(said[:at] + bytes((said[at] ^ 1,)) + said[at + 1 :]) == 0x6A80
    assert phone.envelope(bytes.fromhex("027000") + bytes(40)) == 0x6A80
    assert len(phone.screens) == screens


@pytest.mark.threat("THR-SMS-03")
@pytest.mark.requirement("MFS-7.3.3-01")
def test_a_tag_over_another_text_is_refused(scene: Network, phone) -> None:
    before = scene.balance()
    phone.ask("+254700000001", "14")
    genuine = phone.uicc._orders.cmac
    phone.uicc._orders = type("Other", (), {"cmac": lambda _, octets: genuine(octets + b"!")})()
    phone.receive(PIN.reveal())
    phone.uicc._orders = type("Same", (), {"cmac": lambda _, octets: genuine(octets)})()
    assert "does not verify" in phone.receive()
    assert scene.balance() == before


@pytest.mark.requirement("MFS-7.3.3-04")
def test_what_the_policy_caps_is_capped_for_sims_too(scene: Network, phone) -> None:
    before = scene.balance()
    phone.ask("+254700000001", "21000")
    assert "above your limit" in phone.receive()
    assert scene.balance() == before


def change(scene: Network, msisdn: str, secret: Secret[bytes] | None = None) -> int:
    """The status with which the network's word that a SIM changed is answered."""
    platform = scene.provider.platform
    secret = secret or link_secret(
        platform.module, platform.keys.newest(Purpose.PARTNER_LINK), LINK
    )
    now = scene.provider.clock.now()
    body = encode(SimChange(msisdn=msisdn, at=now))
    header = callback_header(CHANGES, now, body, lambda one: hmac_sha256(secret.reveal(), one))
    fields = ((CALLBACK_HEADER, header),)
    return exchange(scene.provider.url, "POST", CHANGES, body, fields=fields).status


@pytest.mark.requirement("MFS-11.2.2-01")
def test_every_order_of_a_sim_is_found_consented_to_again(scene: Network, phone) -> None:
    provider = scene.provider
    phone.pay("+254700000001", "10", PIN.reveal())
    with Verifier(provider.folder, provider.secret, provider.clock) as verifier:
        found = verifier.recheck()
    assert found.doubts == ()
    assert found.orders > 2, "money was brought to two who dial, and one of them paid"


@pytest.mark.threat("THR-SIM-01")
@pytest.mark.requirement("MFS-7.3.2-10")
def test_after_a_changed_sim_the_old_one_signs_nothing_and_dialling_pauses(
    scene: Network, phone
) -> None:
    before = scene.balance()
    assert change(scene, DIALLER, Secret(bytes(32))) == 401
    assert row(scene, 0).state is SimState.BOUND
    phone.ask("+254700000001", "15")
    assert change(scene, DIALLER) == 200
    assert row(scene, 0).state is SimState.VOID
    phone.receive(PIN.reveal())  # terms from before: agreed to, and refused
    with pytest.raises(Unavailable):
        phone.receive(within_s=1.0)
    pages = scene.centre.dial(DIALLER, "1", FRIEND, "10", PIN.reveal())
    assert not pages[-1].startswith("Done")
    assert scene.balance() == before
    assert change(scene, "+254799999999") == 404


@pytest.mark.threat("THR-SIM-02")
def test_a_new_sim_takes_a_new_code_and_voids_the_one_before(scene: Network) -> None:
    phone = ToolkitPhone(OTHER, scene.sim(3), scene.centre)
    assert "not valid" in phone.bind(Secret("AAAA-BBBB"), PIN)
    assert row(scene, 3).state is SimState.STOCKED
    bound_before(scene, 1)
    code = scene.new_code(OTHER)
    bound = ToolkitPhone(OTHER, scene.sim(1), scene.centre)
    bound.uicc.counter = row(scene, 1).heard
    assert "bound before" in bound.bind(code, PIN)
    new = ToolkitPhone(OTHER, scene.sim(2), scene.centre)
    assert "can order now" in new.bind(code, PIN)  # the refusal did not use it up
    assert row(scene, 2).state is SimState.BOUND
    assert row(scene, 1).state is SimState.VOID


@pytest.mark.threat("THR-SIM-05")
@pytest.mark.requirement("MFS-7.4.2-06")
def test_the_keys_taken_out_of_one_sim_are_refused_for_another(scene: Network) -> None:
    bound, taken = bound_before(scene, 2), scene.sim(4)
    forger = ToolkitPhone(OTHER, scene.sim(2), scene.centre)
    forger.uicc.counter = bound.heard
    forger.uicc._packets, forger.uicc._orders = taken._packets, taken._orders
    forger.ask("+254700000001", "16")
    assert row(scene, 2).heard == bound.heard
    with pytest.raises(Unavailable):
        forger.receive(within_s=0.5)
    assert taken._packets.cmac(b"m") != taken._orders.cmac(b"m")
    forger.uicc._packets = scene.sim(2)._packets
    forger.ask("+254700000001", "16")
    assert row(scene, 2).heard == forger.uicc.counter > bound.heard


HELD = "72 hours"


@pytest.mark.threat("THR-SIM-01")
@pytest.mark.requirement("MFS-7.3.2-10")
@pytest.mark.requirement("MFS-7.3.2-08")
def test_after_a_reported_change_a_code_sets_no_pin_and_binds_neither_phone_nor_sim(
    scene: Network,
) -> None:
    assert change(scene, OTHER) == 200
    customers, before = scene.provider.platform.desks.customers, scene.balance()
    pin = customers.by_alias(OTHER).pin
    code = scene.new_code(OTHER)
    pages = scene.centre.dial(OTHER, "6", code.reveal(), "826413", "826413")
    assert HELD in pages[-1], pages
    phone = ToolkitPhone(OTHER, scene.sim(5), scene.centre)
    assert HELD in phone.bind(code, PIN)
    assert row(scene, 5).state is SimState.STOCKED
    with pytest.raises(NotPermitted) as refused:
        scene.provider.enrol_phone(OTHER, customers.by_alias(OTHER).activation, code)
    assert HELD in refused.value.because
    held = customers.by_alias(OTHER)
    assert (held.pin, held.devices) == (pin, 0)
    pages = scene.centre.dial(OTHER, "1", FRIEND, "10", PIN.reveal())
    assert HELD in pages[-1], pages
    assert scene.balance() == before


@pytest.mark.requirement("MFS-7.3.2-10")
def test_what_was_held_goes_on_with_the_same_code_once_the_time_is_over(
    scene: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    desks = scene.provider.platform.desks
    customer = desks.customers.by_alias(OTHER)
    assert change(scene, OTHER) == 200
    code = scene.new_code(OTHER)
    changed = desks.sims.age_ms
    monkeypatch.setattr(desks.sims, "age_ms", lambda one, now: changed(one, now) + 71 * HOUR_MS)
    held = scene.centre.dial(OTHER, "6", code.reveal(), "826413", "826413")
    assert HELD in held[-1]
    monkeypatch.setattr(desks.sims, "age_ms", lambda one, now: changed(one, now) + 72 * HOUR_MS)
    pages = scene.centre.dial(OTHER, "6", code.reveal(), "826413", "826413")
    assert "PIN is set" in pages[-1], pages
    assert desks.customers.by_alias(OTHER).pin != customer.pin
