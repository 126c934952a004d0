"""Who calls back is proved; what is new in all inputs is found, and no PIN can be tried."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.entry.cli.command_line import ROOT

from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import Headers, check_callback, check_links
from tallystick.entry.settings import ProviderSettings, PublicHalf
from tallystick.infrastructure.crypto.digest import hmac_sha256, sha256
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Expired, Malformed, NotAuthentic
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.protocol.callbacks import (
    TOLERANCE_MS,
    Compared,
    History,
    callback_header,
    no_history,
    skips_a_step,
)

NOW = Instant(1_767_225_600_000)
SECRET = Secret(b"s" * 32)
PATH, BODY = "/v1/aggregators/east", b"text="
LINK = PartnerLink(name="east")


def mac(message: bytes) -> bytes:
    return hmac_sha256(SECRET.reveal(), message)


def history_mac(message: bytes) -> bytes:
    return hmac_sha256(b"h" * 32, message)


def proved(at: int = NOW, peer: str = "192.0.2.7") -> Headers:
    return Headers(proof=callback_header(PATH, at, BODY, mac), certificate="", peer=peer)


def test_a_callback_header_reads_so() -> None:
    assert callback_header(PATH, 1_767_225_600_000, b"text=", mac) == (
        "t=1767225600000,mac="
        + b64url(
            hmac_sha256(
                b"s" * 32,
                b"tallystick callback v1\x00/v1/aggregators/east\x001767225600000\x00text=",
            )
        )
    )


def test_a_callback_under_the_shared_secret_passes_and_names_itself() -> None:
    assert len(check_callback(LINK, SECRET, PATH, BODY, proved(), NOW)) == 43


@pytest.mark.threat("THR-USD-02")
@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [
        ("/v1/aggregators/west", BODY, SECRET),
        (PATH, b"text=1", SECRET),
        (PATH, BODY, Secret(b"t" * 32)),
    ],
)
def test_a_moved_changed_or_invented_callback_is_refused(path, body, secret) -> None:
    with pytest.raises(NotAuthentic):
        check_callback(LINK, secret, path, body, proved(), NOW)


@pytest.mark.parametrize("off", [-TOLERANCE_MS - 1, TOLERANCE_MS + 1])
def test_an_old_callback_is_refused(off: int) -> None:
    with pytest.raises(Expired):
        check_callback(LINK, SECRET, PATH, BODY, proved(NOW + off), NOW)


@pytest.mark.threat("THR-USD-02")
def test_an_address_or_a_path_alone_proves_nothing() -> None:
    listed = PartnerLink(name="east", sources=("192.0.2.0/24",))
    assert check_callback(listed, SECRET, PATH, BODY, proved(), NOW)
    with pytest.raises(NotAuthentic):
        check_callback(listed, SECRET, PATH, BODY, Headers("", "", "192.0.2.7"), NOW)
    for peer in ("192.0.3.7", "", "x"):
        with pytest.raises(NotAuthentic):
            check_callback(listed, SECRET, PATH, BODY, proved(peer=peer), NOW)


def test_a_certificate_counts_only_from_the_terminator() -> None:
    der = b"\x30\x82 a certificate"
    link = PartnerLink(
        name="east", proof="certificate", certificate=b64url(sha256(der)), sources=("10.0.0.1/32",)
    )
    field = f":{base64.b64encode(der).decode()}:"
    assert check_callback(link, SECRET, PATH, BODY, Headers("", field, "10.0.0.1"), NOW) == ""
    other = f":{base64.b64encode(der + b'x').decode()}:"
    for headers in (
        Headers("", field, "10.0.0.2"),
        Headers("", other, "10.0.0.1"),
        Headers("", "", "10.0.0.1"),
        Headers("", ":***:", "10.0.0.1"),
        Headers(proved().proof, "", "10.0.0.1"),
    ):
        with pytest.raises(NotAuthentic):
            check_callback(link, SECRET, PATH, BODY, headers, NOW)


def settings(**changes: Any) -> ProviderSettings:
    half = PublicHalf(algorithm="ES256", public="AAAA")
    fields: dict[str, Any] = {
        "v": 1, "provider": "p", "origin": "p", "currency": "KES", "country": "254",
        "profile": "demo", "root": half, "officers": {}, "invitations": (), "fees_flat_minor": {},
        "fees_basis_points": {}, "gateways": {}, "sms_url": "", "core_url": "",
        "pin_memory_kib": 8, "pin_passes": 1,
    }  # fmt: skip
    return ProviderSettings(**{**fields, **changes})


DIGEST = "A" * 43


@pytest.mark.parametrize(
    "links",
    [
        (PartnerLink(name="East"),),
        (PartnerLink(name="east", generation=0),),
        (PartnerLink(name="east"), PartnerLink(name="east", generation=2)),
        (PartnerLink(name="east", proof="certificate", certificate=DIGEST),),
        (PartnerLink(name="east", proof="certificate", sources=("10.0.0.1",)),),
        (PartnerLink(name="east", sources=("10.0.0.1/8",)),),
        (PartnerLink(name="east", sources=("everywhere",)),),
    ],
)
def test_partners_who_could_be_mistaken_are_refused_at_the_start(links) -> None:
    with pytest.raises(Malformed):
        check_links(settings(aggregators=links))


def test_partners_who_can_be_told_apart_pass() -> None:
    certified = PartnerLink(
        name="west", proof="certificate", certificate=DIGEST, sources=("10.0.0.1",)
    )
    check_links(settings(aggregators=(LINK, certified), sms_receipts=PartnerLink(name="sms")))
    with pytest.raises(Malformed):
        check_links(settings(aggregators=(LINK,), sms_receipts=LINK))


def seen(*steps: tuple[str, bool]) -> tuple[History, str]:
    """The history after these inputs, each with whether it may be a secret, and the whole text."""
    history, text = no_history("s", history_mac), ""
    for typed, secret in steps:
        text = f"{text}*{typed}" if text else typed
        history = history.with_newest(Secret(text), "s", history_mac, secret=secret)
    return history, text


STEPS = (("1", False), ("0700000001", False), ("50", False))


def test_the_new_input_is_what_was_not_seen() -> None:
    history, text = seen(*STEPS)
    for typed in ("739164", "", "*", "7*", "*7", "7*8"):
        longer = Secret(f"{text}*{typed}")
        assert history.compare(longer, "s", history_mac) is Compared.NEXT
        assert history.newest(longer) == Secret(typed)


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("1*0700000001*50", Compared.REPEATED),
        ("1*0700000001", Compared.SHORTER),
        ("", Compared.SHORTER),
        ("1*0700000002*50", Compared.ALTERED),
        ("1*0700000001*5*0", Compared.ALTERED),
        ("1*07000000015*0*1", Compared.ALTERED),
        ("0700000001*1*50", Compared.ALTERED),
    ],
)
def test_another_history_is_told_apart(text: str, compared: Compared) -> None:
    history, _ = seen(*STEPS)
    assert history.compare(Secret(text), "s", history_mac) is compared
    assert history.compare(Secret("1*0700000001*50"), "t", history_mac) is Compared.ALTERED


@pytest.mark.threat("THR-USD-01")
def test_the_mac_of_a_history_says_nothing_of_a_pin() -> None:
    tags = {seen(*STEPS, (pin, True))[0].tag for pin in ("739164", "000000", "1")}
    assert len(tags) == 1
    history, text = seen(*STEPS, ("739164", True))
    assert history.compare(Secret(text), "s", history_mac) is Compared.REPEATED
    other = Secret(text.replace("739164", "111111"))
    assert history.compare(other, "s", history_mac) is Compared.REPEATED, "no PIN can be tried"
    assert "739164" not in repr(history)


@pytest.mark.parametrize(
    ("typed", "skips"),
    [("1", False), ("", False), ("*", False), ("1*", False), ("*1", False), ("1*2", True),
     ("1*2*3", True), ("1**2", False)],
)  # fmt: skip
def test_two_inputs_at_once_are_told_from_a_typed_star(typed: str, skips: bool) -> None:
    assert skips_a_step(Secret(typed)) is skips


@given(st.lists(st.tuples(st.text("0123456789*", max_size=6), st.booleans()), max_size=6))
def test_whatever_is_typed_each_text_is_once_new_and_then_repeated(steps) -> None:
    history, text = no_history("s", history_mac), ""
    for typed, secret in steps:
        longer = f"{text}*{typed}" if text else typed
        if not longer:
            continue
        assert history.compare(Secret(longer), "s", history_mac) is Compared.NEXT
        assert history.newest(Secret(longer)) == Secret(typed)
        history = history.with_newest(Secret(longer), "s", history_mac, secret=secret)
        text = longer
        assert history.compare(Secret(text), "s", history_mac) is Compared.REPEATED


def test_the_vectors_of_the_page_are_right() -> None:
    page = (ROOT / "docs" / "protocol" / "channels.md").read_text(encoding="utf-8")
    body = (
        b"sessionId=ATUid_1&serviceCode=%2A384%2A57%23&phoneNumber=%2B254722000001"
        b"&networkCode=63902&text=1"
    )
    header = callback_header("/v1/aggregators/menus-east", NOW, body, mac)
    assert body.decode() in page
    assert f"`{header.partition(',')[2]}`" in page
    session = "menus-east ATUid_1 +254722000001"
    history, shown = no_history(session, history_mac), []
    for text, secret in (
        ("", False),
        ("1", False),
        ("1*0700000001", False),
        ("1*0700000001*50", False),
        ("1*0700000001*50*739164", True),
    ):
        history = history.with_newest(Secret(text), session, history_mac, secret=secret)
        shown.append(b64url(history.tag))
    assert [tag in page for tag in shown] == [True, True, False, True, True]
