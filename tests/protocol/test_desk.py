"""The operators' desk without a screen: what each page does, four eyes, break-glass, programs."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from simulators.identity_provider import IdentityProvider
from tests.support.desks import DeskBrowser, come_in, events, served_desk, text_of
from tests.support.looking import rows_of
from tests.unit.entry.cli.command_line import DEMO

from tallystick.client.operator import OperatorDesk
from tallystick.entry.cli.unlocking import open_officer_key
from tallystick.entry.desk_settings import DeskSettings, OidcSettings, check_desk
from tallystick.entry.rechecking import Verifier
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.envelope.acts import read_signature
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import Malformed, MfsError
from tallystick.kernel.money import Money
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.desk import SCOPES, WorkloadAsks, workload_header
from tallystick.protocol.operators import ActivatePolicy
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import SuspendCustomer

NUMBER, NAME = "+254700000001", "Ann <script>alert(1)</script>"


class Town:
    """A served desk with two people who paid each other, and somebody for each role."""

    def __init__(self, provider, origin, codes, idp) -> None:
        self.provider, self.origin, self.idp = provider, origin, idp
        self.payer = provider.person(NUMBER, NAME, funds=500_000)
        self.payee = provider.person("+254700000002", "Ben Otieno")
        paid = self.payer.wallet.pay(PaymentKind.P2P, "+254700000002", Money(125_000, "KES"))
        leaf = json.loads(_plain(paid.receipt.leaf))
        self.order = leaf["p"]["order"]
        self.care = come_in(origin, codes["care-desk"][0], "Cem")
        self.first, self.second = (
            come_in(origin, code, name)
            for code, name in zip(codes["operations"], ("Oda", "Otto"), strict=True)
        )
        self.officers = [
            come_in(origin, code, name)
            for code, name in zip(codes["security-officer"], ("Sia", "Sol"), strict=True)
        ]
        self.auditor = come_in(origin, codes["auditor"][0], "Ada")

    def find(self, browser: DeskBrowser, who: str = NUMBER, purpose: str = "lost-device"):
        return browser.post("/desk/find", {"who": who, "purpose": purpose})

    def customer(self, browser: DeskBrowser, purpose: str) -> str:
        return browser.follow(self.find(browser, purpose=purpose)).text


def _plain(text: str) -> bytes:
    import base64  # noqa: PLC0415 - beside its only use

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    idp = IdentityProvider("desk", SystemClock())
    oidc = OidcSettings(
        issuer=idp.issuer,
        client_id="desk",
        authorization_endpoint=f"{idp.issuer}/authorize",
        token_endpoint=f"{idp.issuer}/token",
        jwks_uri=f"{idp.issuer}/jwks",
        acr=("phr",),
        amr=("hwk",),
    )
    folder = tmp_path_factory.mktemp("desk") / "p"
    with served_desk(folder, oidc=oidc) as (provider, origin, codes):
        yield Town(provider, origin, codes, idp)
    idp.close()


PAGES = (
    "",
    "/find",
    "/trace",
    "/approvals",
    "/acts",
    "/policy",
    "/emergency",
    "/programs",
    "/surrogates",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_recorded_before_it_is_shown(town, page):
    before = len(events(town.provider, "operator.viewed"))
    assert town.care.get("/desk" + page).status == 200
    viewed = events(town.provider, "operator.viewed")
    assert len(viewed) == before + 1
    assert viewed[-1]["p"]["grade"] == "passkey"
    assert viewed[-1]["p"]["purpose"] == "operations"


def test_home_shows_the_doctor_the_dependencies_and_the_queue(town):
    text = text_of(town.care.get("/desk").text)
    assert "takes orders" in text
    assert "commands wait" in text
    assert "all but operators" in text or "refused" in text
    assert "sim-signal" in text
    assert re.search(r"All \d+ lines of the doctor", text)


@pytest.mark.requirement("MFS-7.3.4-01")
@pytest.mark.parametrize(
    ("purpose", "shown", "hidden"),
    [
        ("lost-device", ["Devices", "Ann &lt;script&gt;"], ["Last payments", NUMBER, "Available"]),
        ("disputed-payment", ["Last payments", "KES 1,250.00"], ["Devices", "Available"]),
        ("customer-asked", ["Limits", "Notices sent"], ["Last payments", "Available"]),
        ("fraud-inquiry", ["Available", "Last payments"], ["Ann &lt;script&gt;"]),
    ],
)
def test_a_purpose_opens_what_it_serves_and_masks_the_rest(town, purpose, shown, hidden):
    page = town.customer(town.care, purpose)
    for one in shown:
        assert one in page, one
    for one in (*hidden, NUMBER):
        assert one not in page, one
    assert "••01" in page


def test_a_view_commits_to_the_customer_and_names_nobody(town):
    town.customer(town.care, "lost-device")
    last = events(town.provider, "operator.viewed")[-1]
    assert last["p"]["page"] == "customer"
    assert last["p"]["purpose"] == "lost-device"
    assert set(last["c"]) == {"customer"}
    assert town.payer.customer not in json.dumps(last)
    assert "700000001" not in json.dumps(last)


def test_a_purpose_of_another_role_is_refused_and_none_is_no_purpose(town):
    assert town.find(town.first, purpose="lost-device").status == 403
    assert town.find(town.care, purpose="").status == 400
    assert town.auditor.get(f"/desk/customers/{town.payer.customer}").status == 403


@pytest.mark.parametrize("typed", ["+254799999999", "0700", "someone", "cus_x"])
def test_a_mistyped_number_is_told_kindly_and_recorded(town, typed):
    answer = town.find(town.care, typed)
    assert answer.status in {400, 404}
    text = text_of(answer.text)
    assert "digit by digit" in text
    assert typed not in text
    assert 'aria-invalid="true"' in answer.text
    assert events(town.provider, "operator.viewed")[-1]["p"]["found"] == "nothing"


def test_a_number_with_spaces_is_found(town):
    assert town.find(town.care, "+254 700-000 001").status == 303


def test_one_passkey_stops_a_device_at_once(town):
    phone = town.provider.person("+254700000003", "Lost One")
    page = town.care.follow(town.find(town.care, "+254700000003")).text
    device = re.search(r'name="device" value="(dev_[^"]+)"', page)[1]
    place = town.care.draw_up("suspend-device", device=device, because="stolen")
    shown = town.care.get(place).text
    assert device in shown
    assert "stolen" in shown
    done = town.care.sign(place)
    assert "suspended" in text_of(done.text)
    signed = events(town.provider, "operator.signed")[-1]
    assert signed["p"]["grade"] == "passkey"
    assert signed["p"]["name"] == "suspend-device"
    with pytest.raises(MfsError):
        phone.wallet.pay(PaymentKind.P2P, NUMBER, Money(100, "KES"))


def test_a_payment_is_traced_to_a_proof_that_the_browser_can_check(town):
    answer = town.care.post("/desk/trace", {"order": town.order, "purpose": "disputed-payment"})
    page = town.care.follow(answer).text
    given = json.loads(re.search(r'id="receipt">(.*?)</script>', page, re.DOTALL)[1])
    opened = {one["field"] for one in given["receipt"]["disclosures"]}
    assert "amount_minor" in opened
    assert "In the tree" in page
    assert given["origin"] in given["receipt"]["checkpoint"]
    answer = town.auditor.post("/desk/trace", {"order": town.order, "purpose": "audit"})
    page = town.auditor.follow(answer).text
    given = json.loads(re.search(r'id="receipt">(.*?)</script>', page, re.DOTALL)[1])
    assert "amount_minor" not in {one["field"] for one in given["receipt"]["disclosures"]}
    assert "KES 1,250.00" not in page


def propose(town, because="twice") -> str:
    done = town.first.act("reverse-payment", order=town.order, because=because)
    assert "second" in text_of(done.text)
    return re.search(r"act_[0-9a-z]{26}", text_of(done.text))[0]


def test_a_second_person_reads_the_same_text_and_declines_with_a_reason(town):
    act = propose(town)
    own = town.first.get(f"/desk/approvals/{act}").text
    other = town.second.get(f"/desk/approvals/{act}").text
    text = re.compile(r'id="canonical-body">(.*?)</pre>', re.DOTALL)
    assert text.search(own)[1] == text.search(other)[1]
    assert "another person has to approve" in own
    assert town.first.approve(act).status == 403
    answer = town.second.post(
        f"/desk/approvals/{act}", {"answer": "decline", "because": "not agreed"}
    )
    town.second.sign(answer.headers["location"])
    assert "declined: not agreed" in text_of(town.first.get(f"/desk/approvals/{act}").text)
    assert events(town.provider, "operator.declined")[-1]["p"]["act"] == act
    answer = town.second.approve(act)
    assert town.second.sign(answer.headers["location"]).status == 409


def pays(town, number: str, name: str, minor: int) -> tuple[Any, str]:
    """Somebody new who paid Ann, and the order."""
    payer = town.provider.person(number, name, funds=900_000)
    paid = payer.wallet.pay(PaymentKind.P2P, NUMBER, Money(minor, "KES"))
    return payer, json.loads(_plain(paid.receipt.leaf))["p"]["order"]


def proposed_by(browser, act: str, **fields: str) -> str:
    done = browser.act(act, **fields)
    return re.search(r"act_[0-9a-z]{26}", text_of(done.text))[0]


def test_the_second_person_reads_what_would_change_and_signs_that(town):
    _, order = pays(town, "+254700000071", "Rita Revoke", 7_700)
    act = proposed_by(town.first, "reverse-payment", order=order, because="sent twice")
    assert "would be done" in text_of(town.second.get("/desk/approvals").text)
    shown = text_of(town.second.get(f"/desk/approvals/{act}").text)
    assert "It would be done: order" in shown
    assert "stage settled \N{RIGHTWARDS ARROW} returned" in shown
    assert "+KES 77.00" in shown
    assert "recorded as payment" in shown
    answer = town.second.approve(act)
    page = town.second.get(answer.headers["location"]).text
    assert "+KES 77.00" in text_of(page)
    assert '"shown":"' in page.replace("&quot;", '"')
    assert "given back" in text_of(town.second.sign(answer.headers["location"]).text)


def test_a_list_that_is_loaded_again_and_again_tries_nothing_anew(town, monkeypatch):
    proposed_by(
        town.first, "fund-account", number=NUMBER, amount="1.00", currency="KES",
        bank_reference="b-8",
    )  # fmt: skip
    operators, tried = town.provider.platform.desks.operators, []
    rehearse = operators.rehearse

    def noting(turn, name, *more):
        tried.append(name)
        return rehearse(turn, name, *more)

    monkeypatch.setattr(operators, "rehearse", noting)
    assert "would be done" in text_of(town.second.get("/desk/approvals").text)
    before = list(tried)
    assert "fund-account" in before
    assert "would be done" in text_of(town.second.get("/desk/approvals").text)
    assert tried == before


@pytest.mark.threat("THR-INS-01")
def test_what_changed_since_it_was_shown_is_told_and_nothing_is_done(town):
    person = town.provider.person("+254700000072", "Tilda Tier")
    care = town.provider.operators["care-desk"][0]
    act = proposed_by(
        town.first, "fund-account", number=person.number, amount="25.00", currency="KES",
        bank_reference="b-7",
    )  # fmt: skip
    other = town.second
    answer = other.approve(act)
    suspend = SuspendCustomer(number=person.number, because="somebody else calls")
    care.act("suspend-customer", suspend)
    refused = other.sign(answer.headers["location"])
    assert refused.status == 409
    told = text_of(refused.text)
    assert "It was not done" in told
    assert "is not so any more" in told
    assert "is new it cannot be done" in told
    assert f'href="/desk/approvals/{act}"' in refused.text
    again = text_of(other.get(f"/desk/approvals/{act}").text)
    assert "This changed since it was shown to you" in again
    assert "It cannot be done now" in again
    assert "Go on to approve" not in again
    account = town.provider.platform.desks.customers.get(person.customer).account
    assert town.provider.platform.desks.book.available(account) == 0


def test_an_answer_needs_the_page_that_it_answers(town):
    _, order = pays(town, "+254700000073", "Una Unseen", 5_500)
    act = proposed_by(town.first, "reverse-payment", order=order, because="sent twice")
    blind = town.second.post(f"/desk/approvals/{act}", {"answer": "approve"})
    assert blind.status == 400
    town.second.get(f"/desk/approvals/{act}")
    forged = town.second.post(f"/desk/approvals/{act}", {"answer": "approve", "shown": "A" * 43})
    assert forged.status == 400
    assert "load the page again" in text_of(forged.text)


@pytest.mark.requirement("MFS-7.3.3-01")
def test_two_passkeys_give_a_payment_back_and_the_verifier_finds_it_right(town):
    act = propose(town, "sent twice")
    listed = town.second.get("/desk/approvals").text
    assert act in listed
    answer = town.second.approve(act)
    done = town.second.sign(answer.headers["location"])
    assert "given back" in text_of(done.text)
    with Verifier(town.provider.folder, town.provider.secret, SystemClock()) as verifier:
        found = verifier.recheck()
    assert found.orders >= 2
    assert found.doubts == ()
    grades = {one["p"].get("grade") for one in events(town.provider, "payment")}
    assert "two-operators" in grades


def test_tries_of_a_pin_are_unlocked_by_two(town):
    place = town.care.draw_up("unlock-customer", number=NUMBER, because="identified")
    assert "second" in text_of(town.care.sign(place).text)
    assert "Begin failed tries" not in town.first.get("/desk/approvals").text


def test_break_glass_is_loud_short_and_reviewed_by_another(town):
    done = town.first.act("break-glass", minutes="10", because="thefts, nobody else here")
    assert "every officer is told" in text_of(done.text)
    assert "emergency role until" in town.care.get("/desk").text
    home = town.officers[0].get("/desk").text
    assert "I have seen this" in home
    notice = re.search(r'name="notice" value="([^"]+)"', home)[1]
    town.officers[0].post("/desk/notices", {"notice": notice})
    assert notice not in town.officers[0].get("/desk").text
    assert "I have seen this" in town.officers[1].get("/desk").text
    town.provider.person("+254700000004", "Robbed One")
    device = _device_of(town, "+254700000004")
    stopped = town.first.act("suspend-device", device=device, because="robbed")
    assert "suspended" in text_of(stopped.text)
    signed = events(town.provider, "operator.signed")[-1]["p"]
    assert signed["emergency"].startswith("emg_")
    assert (
        town.first.post(
            "/desk/acts", {"name_of_act": "enrol-operator", "role": "operations"}
        ).status
        == 403
    )
    again = town.first.act("break-glass", minutes="10", because="once more")
    assert again.status == 409
    emergency = signed["emergency"]
    page = text_of(town.officers[0].get("/desk/emergency").text)
    assert "thefts, nobody else here" in page
    own = town.first.post(
        "/desk/acts", {"name_of_act": "review-emergency", "emergency": emergency, "found": "fine"}
    )
    assert own.status == 403
    town.officers[0].act("review-emergency", emergency=emergency, found="as it had to be")
    assert "emergency role until" not in town.care.get("/desk").text
    assert (
        town.first.post(
            "/desk/acts",
            {
                "name_of_act": "suspend-device",
                "device": _device_of(town, NUMBER),
                "because": "x y z",
            },
        ).status
        == 403
    )
    assert events(town.provider, "operator.emergency")


def _device_of(town, number: str) -> str:
    page = town.care.follow(town.find(town.care, number)).text
    return re.search(r"dev_[0-9a-z]{26}", page)[0]


def asked(town, bearer: str, body: bytes) -> int:
    import http.client  # noqa: PLC0415 - beside its only use

    link = http.client.HTTPConnection("127.0.0.1", urlsplit(town.origin).port, timeout=10)
    headers = {"content-type": "application/json", "authorization": f"Bearer {bearer}"}
    link.request("POST", "/access/v1/evaluation", body, headers)
    status = link.getresponse().status
    link.close()
    return status


QUESTION = encode_canonical(
    {
        "subject": {"type": "customer", "id": "1", "properties": {}},
        "action": {"name": "quote"},
        "resource": {"type": "payment", "id": "1", "properties": {}},
    }
)


def test_a_programs_secret_is_shown_once_hashed_scoped_and_revoked(town):
    first, second = town.officers
    done = first.act("issue-workload", label="switch", scope="evaluate-policy", days="30")
    shown = re.search(r'id="once">([^<]+)<', done.text)[1]
    assert shown not in first.get(f"/desk/acts/{first_act(done)}").text
    answer = second.approve(first_act(done))
    issued = second.sign(answer.headers["location"])
    identity = re.search(r"wkl_[0-9a-z]{26}", issued.text)[0]
    secret = shown.rpartition(".")[2]
    bearer = f"{identity}.{secret}"
    assert asked(town, bearer, QUESTION) == 200
    assert asked(town, bearer[:-1] + ("3" if bearer.endswith("2") else "2"), QUESTION) == 401
    log = b"".join(town.provider.log)
    assert secret.encode() not in log
    files = b"".join(one.read_bytes() for one in town.provider.folder.root.glob("tallystick.db*"))
    assert secret.encode() not in files
    first.act("revoke-workload", workload=identity, because="left the partner")
    assert asked(town, bearer, QUESTION) == 401
    assert "revoked" in first.get("/desk/programs").text


def test_the_desk_offers_every_scope_and_shows_no_secret_that_the_provider_derives(town):
    first, second = town.officers
    form = first.get("/desk/acts/new/issue-workload").text
    assert all(f'value="{scope}"' in form for scope in SCOPES)
    ways = (("begin-approval", "secret", 1), ("payment-cryptography", "signature-v4", 0))
    for scope, way, shown in ways:
        done = first.act("issue-workload", label=f"of {scope}", scope=scope, days="30")
        assert len(re.findall(r'id="once">', done.text)) == shown
        answer = second.approve(first_act(done))
        assert re.search(r"wkl_[0-9a-z]{26}", second.sign(answer.headers["location"]).text)
        assert f"{scope}, by {way}" in text_of(first.get("/desk/programs").text)


@pytest.mark.requirement("MFS-7.3.4-07")
def test_two_officers_open_a_domain_of_surrogates_and_the_desk_shows_it(town):
    first, second = town.officers
    assert "There is no domain" in first.get("/desk/surrogates").text
    assert "Open a domain" not in town.care.get("/desk/surrogates").text
    done = first.act(
        "open-surrogate-domain", domain="shop", kind="pan", way="random", keeps="4",
        purposes="settlement:600, dispute:20", because="in the contract",
    )  # fmt: skip
    answer = second.approve(first_act(done))
    assert "The domain shop is open" in text_of(second.sign(answer.headers["location"]).text)
    shown = text_of(first.get("/desk/surrogates").text)
    assert "dispute 0 of 20, settlement 0 of 600" in shown
    assert "Change the keys of a domain" in shown


def first_act(done) -> str:
    return re.search(r"act_[0-9a-z]{26}", text_of(done.text))[0]


def test_a_program_with_a_key_signs_each_question(town):
    from tallystick.protocol.desk import IssueWorkload  # noqa: PLC0415 - beside its only use

    key = Es256SigningKey.generate()
    officers: list[OperatorDesk] = town.provider.operators["security-officer"]
    body = IssueWorkload(
        label="gateway",
        scope="evaluate-policy",
        way="key",
        verifier=b64url(key.public().octets()),
        days=3,
    )
    waits = officers[0].act("issue-workload", body)
    identity = officers[1].act("issue-workload", body, approves=waits.act).reference

    def bearer(octets: bytes, at: int) -> str:
        asks = WorkloadAsks(
            workload=identity, name="evaluate-policy", body_hash=b64url(sha256(octets)),
            issued_at=at,
        )  # fmt: skip
        return sign_compact(key, workload_header(identity), encode_canonical(asks))

    now = town.provider.clock.now()
    assert asked(town, bearer(QUESTION, now), QUESTION) == 200
    assert asked(town, bearer(QUESTION + b" ", now), QUESTION) == 401
    assert asked(town, bearer(QUESTION, now - 600_000), QUESTION) == 401


def walked(town, browser: DeskBrowser):
    """Begin at the desk, pass the identity provider, come back as a browser does."""
    begun = browser.ask("GET", "/desk/oidc")
    assert begun.status == 303
    back = town.idp.leads_to(begun.headers["location"])
    path = back.removeprefix(town.origin)
    return browser.ask("GET", path, sec_fetch_site="cross-site")


def linked(town, browser: DeskBrowser, person: str):
    town.idp.person = person
    answer = walked(town, browser)
    to = re.search(r'url=(/desk/oidc/link[^"]+)"', answer.text)[1]
    page = browser.get(to.replace("&amp;", "&"))
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)[1]
    return browser.post("/desk/oidc/link", {"ticket": ticket})


def test_oidc_signs_in_to_read_and_an_act_still_takes_the_passkey(town):
    stranger = DeskBrowser(town.origin)
    town.idp.person = "cem"
    assert walked(town, stranger).status == 401
    assert linked(town, town.care, "cem").status == 303
    reader = DeskBrowser(town.origin)
    reader.passkey = town.care.passkey
    answer = walked(town, reader)
    assert answer.status == 200
    assert "url=/desk" in answer.text
    assert "reads only" in reader.get("/desk").text
    assert events(town.provider, "operator.signed-in")[-1]["p"]["grade"] == "oidc"
    assert reader.post("/desk/oidc/link", {"ticket": "x"}).status == 410
    place = reader.draw_up("issue-activation", number=NUMBER)
    assert "challenge" in reader.get(place).text


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": ["desk", "another"]},
        {"iss": "http://localhost:1"},
        {"acr": "0"},
        {"amr": ["pwd"]},
        {"exp": 1},
        {"iat": 1},
    ],
    ids=str,
)
def test_what_the_identity_provider_must_say_is_demanded(town, changed):
    town.idp.changed = changed
    try:
        assert walked(town, DeskBrowser(town.origin)).status == 401
    finally:
        town.idp.changed = {}


def test_another_issuer_another_key_and_another_browser_are_refused(town):
    town.idp.issuer_in_answer = "http://localhost:1"
    assert walked(town, DeskBrowser(town.origin)).status == 401
    town.idp.issuer_in_answer = ""
    right, town.idp.signer = town.idp.signer, Es256SigningKey.generate()
    assert walked(town, DeskBrowser(town.origin)).status == 401
    town.idp.signer = right
    one, other = DeskBrowser(town.origin), DeskBrowser(town.origin)
    begun = one.ask("GET", "/desk/oidc")
    other.ask("GET", "/desk/oidc")
    path = town.idp.leads_to(begun.headers["location"]).removeprefix(town.origin)
    assert other.ask("GET", path, sec_fetch_site="cross-site").status == 410


def test_an_operator_with_a_key_brings_a_passkey_by_an_act_of_their_own(town):
    from tallystick.application.operators.service import code_hash  # noqa: PLC0415
    from tallystick.protocol.desk import BindPasskey  # noqa: PLC0415

    desk: OperatorDesk = town.provider.operators["privacy-officer"][0]
    code = "ABCDE-FGHJK-LMNPQ-RSTUV"
    desk.act("bind-passkey", BindPasskey(code_hash=code_hash(code)))
    browser = come_in(town.origin, code, "not looked at")
    assert "privacy-officer person" in browser.get("/desk").text
    added = events(town.provider, "operator.passkey-added")[-1]["p"]
    assert added["role"] == "privacy-officer"
    again = DeskBrowser(town.origin)
    assert again.join(code, "somebody").status == 401


def test_the_signature_in_the_record_can_be_read_again(town):
    town.provider.person("+254700000005", "Lost Another")
    town.care.act("suspend-device", device=_device_of(town, "+254700000005"), because="lost")
    rows = rows_of(town.provider, "SELECT jws FROM act WHERE jws LIKE 'passkey.%'")
    assert rows
    read = read_signature(rows[0][0].partition("\n")[0])
    assert read.grade == "passkey"
    assert read.credential


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "http://desk.example", "rp_id": "desk.example"},
        {"origin": "https://desk.example/x", "rp_id": "desk.example"},
        {"origin": "https://192.0.2.1", "rp_id": "192.0.2.1"},
        {"origin": "https://desk.example", "rp_id": "other.example"},
        {"origin": "https://baddesk.example", "rp_id": "desk.example"},
    ],
    ids=str,
)
def test_settings_that_protect_nothing_are_refused(changed):
    with pytest.raises(Malformed):
        check_desk(DeskSettings(v=1, **changed))


def test_the_policy_page_says_for_whom_a_new_version_decides_otherwise(town):
    assert "This is the first policy" in text_of(town.care.get("/desk/policy").text)
    text = DEMO.read_text(encoding="utf-8").replace("version: 1\n", "version: 2\n")
    old = "because: the payer can still say no within the hour"
    assert text.count(old) == 1
    text = text.replace("risk_score: {at_least: 600}", "risk_score: {at_least: 500}")
    offline = town.provider.folder.root / "offline" / "officer-1.key"
    officer = open_officer_key(offline, town.provider.secret)
    envelope = encode_canonical(sign_policy(text, "officer-1", officer)).decode()
    first, second = town.provider.operators["security-officer"][:2]
    body = ActivatePolicy(envelope=envelope)
    waits = first.act("activate-policy", body)
    second.act("activate-policy", body, approves=waits.act)
    shown = text_of(town.care.get("/desk/policy").text)
    assert "Version 1 to 2" in shown
    assert "odd-and-risky" in shown
    assert "500" in shown
