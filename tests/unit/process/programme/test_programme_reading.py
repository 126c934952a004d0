"""Every defect of a programme is found at once, where it stands, with the nearest word."""

import random
from decimal import Decimal

import pytest
from tests.unit.process.programme.programmes import LARGE, SMALL, changed, programme

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.kernel.money import Money
from tallystick.process.programme.reading import open_questions, read_programme
from tallystick.process.programme.templates import PROFILES, profile_text
from tallystick.process.programme.words import Impact, NodeKind, Role, Strength


def place(text: str, passage: str) -> str:
    """`line n, column m` of `passage`, which stands in `text` once."""
    before = text[: text.index(passage)]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


@pytest.mark.requirement("MFS-6.1-01")
def test_a_programme_is_read_whole() -> None:
    found = programme(LARGE)
    assert found.offer.id == "demo-wallet"
    assert found.offer.average_payment == Money(120_000, "KES")
    assert found.offer.objectives.decision_p95_ms == 100
    assert found.offer.objectives.rpo_ms == 0
    assert found.parties["operator"].role is Role.MFSP
    assert found.nodes["front"].kind is NodeKind.GATEWAY
    assert found.assets["pin"].impact() is Impact.SEVERE
    assert found.appetite.resistance["kyc-file"] is Strength.MODERATE
    assert [one.id for one in found.devices_at("dialler")] == ["feature-phone", "android-old"]
    assert found.flows["dial-east"].nodes() == (
        "dialler",
        "radio-east",
        "ussd-gateway",
        "front",
        "platform",
    )
    assert sum(one.share for one in found.devices.values()) == Decimal(1)
    assert len(found.nodes) + len(found.flows) >= 60


def test_an_entry_knows_where_it_stands() -> None:
    text = profile_text(SMALL)
    at = programme().nodes["console"].at
    assert text.splitlines()[at.line - 1][at.column - 1 :].startswith("console: {kind")


SPOILT = [
    ('mfs: "1.0"', 'mfs: "2.0"', '"2.0"', "form"),
    ("currency: EUR", "currency: EUX", "currency", "currency 'EUX' is not known"),
    ("average_payment: EUR 1_200 ", "average_payment: USD 1_200 ", "average_payment", "is in EUR"),
    (
        "average_payment: EUR 1_200 ",
        "average_payment: EUR 900_000 ",
        "average_payment",
        "above the largest",
    ),
    ("country: FR", "country: XX", "XX", "cannot be 'XX'"),
    ("residency: [EEA]", "residency: [EEAA]", "EEAA", "did you mean 'EEA'?"),
    ("uses: [base-2017]", "uses: [Base 2017]", "Base 2017", "list of words"),
    ("services: [remote-payment, e-money]", "services: []", "services", "at least one service"),
    ("role: mfsp,", "role: bank,", "parties", "no party has the role mfsp"),
    ("issuer: {role: bank", "issuer: {role: mfsp", "issuer: {role", "second mfsp"),
    ("valid_to: 2027-10-31", "valid_to: 2027-02-30", "valid_to: 2027-02-30", "no day '2027-02-30'"),
    ("operations: {reports_to: board", "operations: {reports_to: bord", "bord", "did you mean"),
    (
        "operations: {reports_to: board",
        "operations: {reports_to: care-desk",
        "operations: {",
        "reports to itself in the end",
    ),
    ("share: 0.38", "share: 0.28", "devices", "sum to 0.90, not to 1"),
    ("share: 0.38", "share: 1.38", "1.38", "a number from 0 to 1"),
    ("secure_env: enclave", "secure_env: enklave", "enklave", "did you mean 'enclave'?"),
    ("os: ios", "os: iso", "iso,", "did you mean 'ios'?"),
    (
        "zone: handset, runs_on: [android, iphone]",
        "zone: handset, runs_on: [android, iphon]",
        "iphon]",
        "did you mean 'iphone'?",
    ),
    ("witness: {kind: witness", "witness: {kind: witnes", "witnes,", "did you mean 'witness'?"),
    ("e-float: {class: float, c: minor,", "e-float: {class: float,", "{class: float", "lacks 'c'"),
    (
        "e-float: {class: float, c: minor",
        "e-float: {class: float, c: awful",
        "awful",
        "negligible",
    ),
    (
        "rules: {class: policy, c: minor",
        "Rules: {class: policy, c: minor",
        "Rules",
        "small letters",
    ),
    (
        "to: witness, channel: {bearer: internet, protocol: tls1.3+signed}, carries: [tally]",
        "to: witnes, channel: {bearer: internet, protocol: tls1.3+signed}, carries: [tally]",
        "witnes,",
        "did you mean 'witness'?",
    ),
    (
        "carries: [tally], end_to_end: false, reads: [platform, witness]",
        "carries: [tally], end_to_end: false, reads: [platform, app]",
        "app]}\n  write",
        "not on the way",
    ),
    (
        "write: {from: platform, to: store",
        "write: {from: platform, to: store, via: [store]",
        "store], channel",
        "an end of the flow",
    ),
    (
        "carries: [device-key, kyc-file], end_to_end: true",
        "carries: [device-key, kyc-fail], end_to_end: true",
        "kyc-fail",
        "did you mean 'kyc-file'?",
    ),
    (
        "carries: [device-key, kyc-file], end_to_end: true",
        "carries: [device-key, kyc-file], end_to_end: maybe",
        "maybe",
        "true or false",
    ),
    ('hours: "06:00-24:00"', "hours: all day", "all day", "hours of the day"),
    ("connectivity: steady", "connectivity: stedy", "stedy", "did you mean 'steady'?"),
    (
        "payments_per_week: [0, 1, 5]",
        "payments_per_week: [5, 1, 0]",
        "[5, 1, 0]",
        "[low, most likely, high]",
    ),
    ("budget: P14D", "budget: 14 days", "14 days", "ISO 8601"),
    ("resistance: {service-keys: high}", "resistance: {service-keys: hihg}", "hihg", "'high'?"),
    ("resistance: {service-keys: high}", "resistance: {keys: high}", "keys: high}", "no word"),
    ("  inclusion_weight: 5\n", "", "annual_loss", "lacks 'inclusion_weight'"),
    ("in_place: []", "in_place: [Two Factors]", "Two Factors", "list of words"),
    ("legal: minor", "legl: minor", "legl", "did you mean 'legal'?"),
]


@pytest.mark.parametrize(("old", "new", "where", "says"), SPOILT, ids=lambda part: part[:30])
def test_a_defect_is_found_where_it_stands(old: str, new: str, where: str, says: str) -> None:
    text = changed(old, new)
    with pytest.raises(Malformed) as caught:
        read_programme(text)
    found = [line for line in caught.value.detail.splitlines() if says in line]
    assert found, caught.value.detail
    line = found[0].partition(",")[0]
    assert line in {place(text, passage).partition(",")[0] for passage in (where, new)}


def test_every_defect_is_told_at_once_and_in_order() -> None:
    text = changed("os: ios", "os: iso").replace("share: 0.38", "share: 0.28")
    text = text.replace("class: float", "class: flot").replace('mfs: "1.0"', 'mfs: "9"')
    with pytest.raises(Malformed) as caught:
        read_programme(text)
    lines = caught.value.detail.splitlines()
    assert len(lines) == 4
    numbers = [int(line.removeprefix("line ").partition(",")[0]) for line in lines]
    assert numbers == sorted(numbers)
    assert "docs/reference/programme.md" in caught.value.remedy


@pytest.mark.parametrize("section", ["nodes", "devices", "parties", "appetite", "services"])
def test_a_missing_section_is_told_once(section: str) -> None:
    text = profile_text(SMALL)
    start = text.index(f"\n{section}:")
    after = text.find("\n\n", start)
    with pytest.raises(Malformed) as caught:
        read_programme(text[:start] + text[after:])
    assert caught.value.detail.count(f"lacks {section!r}") == 1


def test_an_end_to_end_flow_is_read_by_its_ends_only() -> None:
    old = (
        "order-app: {from: app, to: platform, via: [radio-east, front], channel: {bearer: internet,"
        " protocol: tls1.3+sealed}, carries: [order, consent], end_to_end: true,"
        " reads: [app, platform]}"
    )
    text = changed(old, old.replace("[app, platform]", "[app, front, platform]"), LARGE)
    with pytest.raises(Malformed, match="which only its ends read"):
        read_programme(text)
    read_programme(text.replace(old.replace("[app, platform]", "[app, front, platform]"), old))


def test_controls_are_resolved_where_the_packs_are_known() -> None:
    text = changed("in_place: []", "in_place: [two-factors]")
    assert read_programme(text).controls.in_place == ("two-factors",)
    assert read_programme(text, {"two-factors"}).controls.in_place == ("two-factors",)
    with pytest.raises(Malformed, match="did you mean 'two-factor'"):
        read_programme(text, {"two-factor", "night-limit"})
    both = text.replace("not_available: {}", "not_available: {two-factors: no room}")
    with pytest.raises(Malformed, match="cannot be in place and not available"):
        read_programme(both)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_programme("#" * (1024 * 1024 + 1))


def test_questions_left_open_are_found_with_their_place() -> None:
    text = "a: 1  # todo: how bad is it\n# a note\nb: 2 # TODO\n"
    found = open_questions(text)
    assert [(at.line, at.column, asked) for at, asked in found] == [
        (1, 7, "how bad is it"),
        (3, 6, "left open"),
    ]


@pytest.mark.parametrize("name", PROFILES)
def test_no_shipped_programme_leaves_a_question_open(name: str) -> None:
    assert not open_questions(profile_text(name))
    assert read_programme(profile_text(name)).uses == ("base-2017",)


def test_a_programme_of_another_currency_asks_for_its_amounts() -> None:
    text = profile_text(LARGE, provider="sky-cash", currency="XOF")
    found = read_programme(text)
    assert found.offer.id == "sky-cash"
    assert found.appetite.annual_loss_p95.currency == "XOF"
    assert [asked for _, asked in open_questions(text)] == ["the amounts below were meant for KES"]
    assert profile_text(LARGE, provider="demo-wallet", currency="KES") == profile_text(LARGE)


def spoilt(lines: list[str], odd: random.Random) -> str:
    """The lines with one to three accidents: a line lost or doubled, a word or a letter changed."""
    found = list(lines)
    words = " ".join(lines).split()
    for _ in range(odd.randint(1, 3)):
        at = odd.randrange(len(found))
        match odd.randrange(4):
            case 0:
                del found[at]
            case 1:
                found.insert(at, odd.choice(lines))
            case 2:
                parts = found[at].split(" ")
                parts[odd.randrange(len(parts))] = odd.choice([*words, "[]", "{}", "1", '""'])
                found[at] = " ".join(parts)
            case _:
                cut = odd.randrange(len(found[at]) + 1)
                found[at] = found[at][:cut] + odd.choice("[]{}:,#-\"' \t") + found[at][cut + 1 :]
    return "\n".join(found)


def test_an_accident_is_read_or_refused_and_never_anything_else() -> None:
    odd, lines = random.Random(12812), profile_text(SMALL).splitlines()
    refused: list[Malformed] = []
    for _ in range(150):
        try:
            read_programme(spoilt(lines, odd))
        except Malformed as error:
            refused.append(error)
    assert 75 < len(refused) < 150
    assert all(one.remedy or "line" in one.detail for one in refused)
