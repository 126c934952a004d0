"""Whoever attacks the operators' desk: forged forms, replayed assertions, climbed roles."""

import json
import re
from dataclasses import replace as changed_copy

import pytest
from tests.support.desks import DeskBrowser, SoftPasskey, come_in, events, served_desk, text_of
from tests.support.served import by_one_operator

from tallystick.entry.http.console.challenges import Challenges
from tallystick.entry.http.console.guard import place_in_desk
from tallystick.entry.http.console.markup import data, h
from tallystick.entry.http.console.sessions import ABSOLUTE_MS, FINDS, IDLE_MS, DeskSessions
from tallystick.infrastructure.crypto.passkeys import registered
from tallystick.infrastructure.crypto.webauthn import Assertion, Relying, check_assertion
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Broken, Expired, NotAuthentic, NotPermitted, RateLimited
from tallystick.kernel.time import Instant, SimulatedClock

NUMBER = "+254700000001"
SPOILT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


class Attacked:
    def __init__(self, provider, origin, codes) -> None:
        self.provider, self.origin, self.codes = provider, origin, codes
        provider.person(NUMBER, SPOILT, funds=10_000)
        self.care = come_in(origin, codes["care-desk"][0], "Cem")
        self.ops = come_in(origin, codes["operations"][0], "Oda")
        self.other = come_in(origin, codes["operations"][1], "Otto")
        page = self.care.follow(
            self.care.post("/desk/find", {"who": NUMBER, "purpose": "lost-device"})
        ).text
        self.device = re.search(r"dev_[0-9a-z]{26}", page)[0]
        self.customer = re.search(r"cus_[0-9a-z]{26}", page)[0]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with served_desk(tmp_path_factory.mktemp("attacked") / "p", policy_text=by_one_operator()) as (
        provider,
        origin,
        codes,
    ):
        yield Attacked(provider, origin, codes)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
    ],
    ids=str,
)
def test_a_form_of_another_page_is_refused(desk, headers):
    form = {"name_of_act": "suspend-device", "device": desk.device, "because": "forged"}
    assert desk.care.post("/desk/acts", form, **headers).status == 403
    assert desk.care.post("/desk/sign-out", {}, **headers).status == 403
    assert desk.care.get("/desk").status == 200


def test_a_form_without_the_secret_of_the_session_is_refused(desk):
    form = {"name_of_act": "suspend-device", "device": desk.device, "because": "forged"}
    assert desk.care.post("/desk/acts", form, secret=False).status == 403
    theirs = desk.ops.secret()
    assert desk.care.post("/desk/acts", {**form, "secret": theirs}, secret=False).status == 403


def test_a_form_as_json_or_too_large_is_refused(desk):
    answer = desk.care.post("/desk/acts", {}, content_type="application/json")
    assert answer.status == 400
    assert desk.care.post("/desk/acts", {"because": "x" * 200_000}).status == 413


def test_a_session_that_was_planted_is_not_taken_over(desk):
    browser = DeskBrowser(desk.origin)
    browser.passkey = desk.care.passkey
    browser.cookies["__Host-desk"] = "planted"
    browser.sign_in()
    assert browser.cookies["__Host-desk"] != "planted"
    before = browser.cookies["__Host-desk"]
    browser.sign_in()
    old = DeskBrowser(desk.origin)
    old.cookies["__Host-desk"] = before
    assert old.get("/desk").status == 303
    assert browser.get("/desk").status == 200


def test_the_cookie_keeps_to_its_origin_and_away_from_scripts(desk):
    browser = DeskBrowser(desk.origin)
    browser.passkey = desk.care.passkey
    (cookie,) = browser.sign_in().cookies
    assert cookie.startswith("__Host-desk=")
    words = {one.strip().lower() for one in cookie.split(";")[1:]}
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= words
    assert not any(one.startswith("domain") for one in words)


def test_signing_out_ends_the_session_on_the_server(desk):
    browser = DeskBrowser(desk.origin)
    browser.passkey = desk.care.passkey
    browser.sign_in()
    kept = dict(browser.cookies)
    browser.post("/desk/sign-out", {})
    browser.cookies = kept
    assert browser.get("/desk").status == 303


@pytest.mark.requirement("MFS-7.3.2-03")
def test_a_session_ends_when_idle_and_after_its_whole_life():
    sessions = DeskSessions(lambda count: bytes(range(count)))
    start = 1_700_000_000_000
    cookie = sessions.open("opr_1", "passkey", Instant(start)).reveal()
    assert sessions.find(cookie, Instant(start + IDLE_MS - 1))
    assert sessions.find(cookie, Instant(start + 2 * IDLE_MS)) is None
    cookie = sessions.open("opr_1", "passkey", Instant(start)).reveal()
    for at in range(start, start + ABSOLUTE_MS, IDLE_MS // 2):
        assert sessions.find(cookie, Instant(at))
    assert sessions.find(cookie, Instant(start + ABSOLUTE_MS)) is None


def test_who_is_not_signed_in_returns_to_where_they_were_and_nowhere_else(desk):
    stranger = DeskBrowser(desk.origin)
    answer = stranger.get("/desk/policy")
    assert answer.headers["location"] == "/desk/sign-in?then=%2Fdesk%2Fpolicy"
    assert 'value="/desk/policy"' in stranger.get(answer.headers["location"]).text
    for to in ("https://evil.example", "//evil.example", "/desk/..//x", "/\\evil", "/desk/a\nb",
               "javascript:alert(1)", "/deskevil", "/desk/x:y"):  # fmt: skip
        assert place_in_desk(to) == "/desk"


@pytest.mark.parametrize("path", ["/desk/sign-in", "/desk/join", "/desk", "/desk/nothing"])
def test_no_page_may_be_framed_sniffed_or_kept(desk, path):
    headers = desk.care.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_what_people_write_is_text_on_every_page(desk):
    place = desk.care.draw_up("suspend-device", device=desk.device, because=SPOILT[:70])
    waiting = desk.ops.act("fund-account", number=NUMBER, amount="1.00", currency="KES",
                           bank_reference=SPOILT[:70])  # fmt: skip
    act = re.search(r"act_[0-9a-z]{26}", text_of(waiting.text))[0]
    pages = [
        desk.care.get(place).text,
        desk.care.get(f"/desk/customers/{desk.customer}").text,
        desk.other.get(f"/desk/approvals/{act}").text,
        desk.care.post("/desk/find", {"who": SPOILT, "purpose": "lost-device"}).text,
        desk.care.get(f"/desk/{SPOILT.replace(' ', '%20')}").text,
        desk.care.get("/desk/sign-in?then=/desk/%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text,
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert not re.search(r"<[^>]+\son\w+=", page)
    assert "&lt;script&gt;alert(1)" in pages[0]


def test_markup_cannot_be_broken_out_of():
    assert h("p", '<b>"', title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">&lt;b&gt;&quot;</p>'
    assert "</script><" not in data("x", json.dumps("</script><b>"))
    for wrong in ({"onclick": "x"}, {"href": "javascript:x"}, {"style": "x"}, {"href": "//x"}):
        with pytest.raises(Broken):
            h("a", "x", **wrong)


def test_an_assertion_is_taken_once(desk):
    browser = DeskBrowser(desk.origin)
    browser.passkey = desk.ops.passkey
    challenge = browser.options(browser.get("/desk/sign-in").text)["challenge"]
    given = browser.passkey.sign(challenge)
    assert browser.post("/desk/sign-in", {"given": given}, secret=False).status == 303
    thief = DeskBrowser(desk.origin)
    assert thief.post("/desk/sign-in", {"given": given}, secret=False).status == 410


def test_a_challenge_is_of_this_service_of_its_kind_and_of_now():
    made = Challenges(SimulatedEntropy())
    challenge = made.make(b"sign-in", Instant(1_000))
    with pytest.raises(Expired):
        made.take(b"join", challenge, Instant(1_001))
    with pytest.raises(Expired):
        made.take(b"sign-in", challenge, Instant(1_000 + 300_000))
    with pytest.raises(Expired):
        made.take(b"sign-in", bytes(56), Instant(1_001))
    with pytest.raises(Expired):
        made.take(b"sign-in", b"", Instant(1_001))
    made.take(b"sign-in", challenge, Instant(1_001))
    with pytest.raises(Expired):
        made.take(b"sign-in", challenge, Instant(1_002))


class SimulatedEntropy:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, length: int) -> bytes:
        self.count += 1
        return bytes((self.count + one) % 256 for one in range(length))


def test_an_assertion_for_another_act_signs_nothing(desk):
    harmless = desk.ops.draw_up("close-day", day="2026-01-01")
    worse = desk.ops.draw_up("fund-account", number=NUMBER, amount="90.00", currency="KES",
                             bank_reference="b-1")  # fmt: skip
    challenge = desk.ops.options(desk.ops.get(harmless).text)["challenge"]
    given = desk.ops.passkey.sign(challenge)
    before = len(events(desk.provider, "operator.signed"))
    assert desk.ops.post(worse, {"given": given}).status == 401
    assert desk.ops.post(worse, {"given": given}).status == 404, "a tried act is used up"
    assert len(events(desk.provider, "operator.signed")) == before


def test_what_a_form_says_beside_the_assertion_changes_no_act(desk):
    place = desk.ops.draw_up("fund-account", number=NUMBER, amount="1.00", currency="KES",
                             bank_reference="small")  # fmt: skip
    challenge = desk.ops.options(desk.ops.get(place).text)["challenge"]
    given = desk.ops.passkey.sign(challenge)
    more = {"given": given, "amount_minor": "9000000", "body": "{}", "act": "x"}
    page = desk.ops.follow(desk.ops.post(place, more)).text
    act = re.search(r"act_[0-9a-z]{26}", text_of(page))[0]
    assert "&quot;amount_minor&quot;:100," in desk.other.get(f"/desk/approvals/{act}").text


def test_anothers_passkey_does_not_sign_for_me(desk):
    place = desk.ops.draw_up("close-day", day="2026-01-01")
    challenge = desk.ops.options(desk.ops.get(place).text)["challenge"]
    assert desk.ops.post(place, {"given": desk.other.passkey.sign(challenge)}).status == 401


def test_an_act_of_another_session_cannot_be_opened_or_signed(desk):
    place = desk.ops.draw_up("close-day", day="2026-01-02")
    assert desk.other.get(place).status == 404
    challenge = desk.ops.options(desk.ops.get(place).text)["challenge"]
    assert desk.other.post(place, {"given": desk.other.passkey.sign(challenge)}).status == 404


@pytest.mark.parametrize(
    ("browser", "act"),
    [
        ("care", {"name_of_act": "fund-account", "number": NUMBER, "amount": "5.00",
                  "currency": "KES", "bank_reference": "x"}),
        ("care", {"name_of_act": "enrol-operator", "role": "security-officer"}),
        ("care", {"name_of_act": "issue-workload", "label": "x", "scope": "evaluate-policy",
                  "days": "3"}),
        ("ops", {"name_of_act": "unlock-customer", "number": NUMBER, "because": "xyz"}),
        ("ops", {"name_of_act": "review-emergency", "emergency": "emg_" + "0" * 26,
                 "found": "fine"}),
        ("ops", {"name_of_act": "activate-policy", "envelope": "{}"}),
        ("ops", {"name_of_act": "erase-subject", "customer": "cus_" + "0" * 26,
                 "because": "xyz"}),
    ],
    ids=lambda one: one if isinstance(one, str) else one["name_of_act"],
)  # fmt: skip
def test_a_role_does_not_climb(desk, browser, act):
    assert getattr(desk, browser).post("/desk/acts", act).status in {403, 404}


@pytest.mark.threat("THR-SOC-02")
def test_the_care_desk_sees_no_secret_and_changes_no_number(desk):
    page = desk.care.get(f"/desk/customers/{desk.customer}").text
    issue = desk.care.act("issue-activation", number=NUMBER)
    codes = desk.provider.activation_code(NUMBER).reveal()
    shown = page + issue.text + desk.care.get("/desk/acts").text
    assert codes not in shown
    assert NUMBER not in text_of(page)
    acts = re.findall(r'href="/desk/acts/new/([a-z-]+)"', desk.care.get("/desk/acts").text)
    assert "open-customer" in acts
    assert not [one for one in acts if "number" in one or "msisdn" in one or "profile" in one]


def test_searching_is_limited_and_each_search_is_recorded(desk):
    operator = come_in(desk.origin, desk.codes["auditor"][0], "Ada")
    before = len(events(desk.provider, "operator.viewed"))
    secret = operator.secret()
    statuses = [
        operator.post(
            "/desk/find",
            {"who": f"+2547111{number:05d}", "purpose": "audit", "secret": secret},
            secret=False,
        ).status
        for number in range(FINDS + 2)
    ]
    assert statuses == [404] * FINDS + [429, 429]
    found = events(desk.provider, "operator.viewed")[before:]
    assert sum(one["p"]["found"] == "nothing" for one in found) == FINDS


def test_the_limit_of_searches_holds_over_sessions_and_ends():
    sessions, clock = DeskSessions(SimulatedEntropy()), SimulatedClock()
    for _ in range(FINDS):
        sessions.count_find("opr_1", clock.now())
    with pytest.raises(RateLimited):
        sessions.count_find("opr_1", clock.now())
    sessions.count_find("opr_2", clock.now())
    clock.advance(600_001)
    sessions.count_find("opr_1", clock.now())


def test_an_unknown_passkey_and_a_wrong_signature_are_refused_alike(desk):
    browser = DeskBrowser(desk.origin)
    challenge = browser.options(browser.get("/desk/sign-in").text)["challenge"]
    browser.passkey.make(challenge)
    unknown = browser.post(
        "/desk/sign-in", {"given": browser.passkey.sign(challenge)}, secret=False
    )
    challenge = browser.options(browser.get("/desk/sign-in").text)["challenge"]
    given = json.loads(desk.care.passkey.sign(challenge))
    given["signature"] = json.loads(desk.ops.passkey.sign(challenge))["signature"]
    wrong = browser.post("/desk/sign-in", {"given": json.dumps(given)}, secret=False)
    assert unknown.status == wrong.status == 401


def test_a_copied_passkey_is_suspended_and_told(desk):
    browser = come_in(desk.origin, desk.codes["security-officer"][0], "Sia")
    assert browser.get("/desk").status == 200
    browser.passkey.counter -= 1
    assert browser.sign_in().status == 401
    assert events(desk.provider, "operator.passkey-copied")
    browser.passkey.counter += 10
    assert browser.sign_in().status == 401, "it stays suspended"


ORIGIN, RP = "https://desk.example", "desk.example"
RELYING = Relying(RP, ORIGIN)
CHALLENGE = bytes(range(32))


def asserted(passkey: SoftPasskey, kind: str = "webauthn.get") -> Assertion:
    given = json.loads(passkey.sign(b64url(CHALLENGE), kind))
    return Assertion(
        b64url_decode(given["authenticator_data"]),
        b64url_decode(given["client_data"]),
        b64url_decode(given["signature"]),
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://desk.example"},
        {"origin": "https://desk.example.evil.example"},
        {"rp": "evil.example"},
        {"flags": 0x01},
        {"flags": 0x04},
        {"cross": True},
    ],
    ids=str,
)
def test_an_assertion_of_elsewhere_or_of_nobody_is_refused(changed):
    right = SoftPasskey(ORIGIN, RP)
    public = right.key.public().octets()
    assert check_assertion(asserted(right), challenge=CHALLENGE, public=public, relying=RELYING)
    wrong = changed_copy(right, **changed)
    with pytest.raises(NotAuthentic):
        check_assertion(asserted(wrong), challenge=CHALLENGE, public=public, relying=RELYING)


def test_an_assertion_over_another_challenge_or_of_another_kind_is_refused():
    passkey = SoftPasskey(ORIGIN, RP)
    public = passkey.key.public().octets()
    with pytest.raises(NotAuthentic):
        check_assertion(asserted(passkey), challenge=bytes(32), public=public, relying=RELYING)
    created = asserted(passkey, "webauthn.create")
    with pytest.raises(NotAuthentic):
        check_assertion(created, challenge=CHALLENGE, public=public, relying=RELYING)


def test_every_flipped_byte_of_an_assertion_is_found():
    passkey = SoftPasskey(ORIGIN, RP)
    public, right = passkey.key.public().octets(), asserted(passkey)
    for part in ("authenticator_data", "client_data", "signature"):
        octets = getattr(right, part)
        for at in range(0, len(octets), 3):
            spoilt = octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]
            with pytest.raises(NotAuthentic):
                check_assertion(
                    changed_copy(right, **{part: spoilt}),
                    challenge=CHALLENGE,
                    public=public,
                    relying=RELYING,
                )


def made(passkey: SoftPasskey, challenge: bytes = CHALLENGE) -> dict[str, str]:
    given = json.loads(passkey.make(b64url(challenge)))
    return {
        "id": given["credential"],
        "clientDataJSON": given["client_data"],
        "attestationObject": given["attestation"],
    }


def test_only_a_passkey_for_this_desk_with_a_verified_person_is_registered():
    assert registered(RELYING, CHALLENGE, made(SoftPasskey(ORIGIN, RP))).counter == 0
    for wrong in (
        SoftPasskey("https://evil.example", RP),
        SoftPasskey(ORIGIN, "evil.example"),
        SoftPasskey(ORIGIN, RP, flags=0x01),
    ):
        with pytest.raises(NotAuthentic):
            registered(RELYING, CHALLENGE, made(wrong))
    with pytest.raises(NotAuthentic):
        registered(RELYING, bytes(32), made(SoftPasskey(ORIGIN, RP)))
    listed = frozenset({"ee882879-721c-4913-9775-3dfcce97072a"})
    with pytest.raises(NotPermitted):
        registered(RELYING, CHALLENGE, made(SoftPasskey(ORIGIN, RP)), listed)


def test_a_code_enrols_one_passkey_and_a_guess_none(desk):
    browser = DeskBrowser(desk.origin)
    assert browser.join(desk.codes["care-desk"][0], "Thief").status == 401
    assert browser.join("AAAAA-AAAAA-AAAAA-AAAAA", "Guess").status == 401


def test_nothing_secret_is_in_the_log(desk):
    log = b"".join(desk.provider.log).decode()
    for browser in (desk.care, desk.ops, desk.other):
        assert browser.cookies["__Host-desk"] not in log
        assert browser.secret() not in log
    assert NUMBER not in log
