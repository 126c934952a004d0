"""Signature Version 4: the published examples, botocore's own signer, and what is refused."""

import datetime as dt
from dataclasses import dataclass, field, replace

import pytest

from tallystick.infrastructure.crypto.digest import hmac_sha256
from tallystick.infrastructure.sigv4 import verifying
from tallystick.infrastructure.sigv4.canonical import canonical_path
from tallystick.infrastructure.sigv4.verifying import LONGEST_SKEW_MS, Verifier, signing_key
from tallystick.kernel.errors import Expired, NotAuthentic, NotFound, Refused, Unauthenticated
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant, instant_of

pytestmark = pytest.mark.requirement("MFS-7.3.2-01")

ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = instant_of("2015-08-30T12:36:00Z")
DATE = "20150830T123600Z"
HEAD = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Case:
    """A request of the published examples, as it stands on the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, list[str]]
    signed: str
    mark: str
    body: bytes = b""


def case(mark: str, method: str = "GET", path: str = "/", query: str = "", signed: str = "",
         body: bytes = b"", **headers: list[str]) -> Case:  # fmt: skip
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    fields = {"host": ["example.amazonaws.com"], "x-amz-date": [DATE], **named}
    return Case(method, path, query, fields, signed or ";".join(sorted(fields)), mark, body)


FORM = "application/x-www-form-urlencoded"
PUBLISHED = {
    "get-vanilla": case("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-header-key-duplicate": case(
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        my_header1=["value2", "value2", "value1"],
    ),
    "get-header-value-order": case(
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        my_header1=["value4", "value1", "value3", "value2"],
    ),
    "get-header-value-trim": case(
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        my_header1=[" value1"], my_header2=[' "a   b   c"'],
    ),
    "get-unreserved": case(
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f", path=f"/{UNRESERVED}"
    ),
    "get-utf8": case(
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85", path="/\u1234"
    ),
    "get-vanilla-empty-query-key": case(
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb", query="Param1=value1"
    ),
    "get-vanilla-query-order-key-case": case(
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        query="Param2=value2&Param1=value1",
    ),
    "get-vanilla-query-unreserved": case(
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        query=f"{UNRESERVED}={UNRESERVED}",
    ),
    "get-vanilla-utf8-query": case(
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04", query="\u1234=bar"
    ),
    "post-vanilla": case(
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", method="POST"
    ),
    "post-header-key-sort": case(
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        method="POST", my_header1=["value1"],
    ),
    "post-header-value-case": case(
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        method="POST", my_header1=["VALUE1"],
    ),
    "post-vanilla-query": case(
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        method="POST", query="Param1=value1",
    ),
    "post-x-www-form-urlencoded": case(
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        method="POST", body=b"Param1=value1", content_type=[FORM],
    ),
    "post-x-www-form-urlencoded-parameters": case(
        "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
        method="POST", body=b"Param1=value1", content_type=[f"{FORM}; charset=utf8"],
    ),
}  # fmt: skip
"""Examples of the suite that Amazon published; marks and inputs are theirs."""


def secret_of(name: str) -> Secret[str]:
    if name != ACCESS:
        raise NotFound("unknown")
    return Secret(SECRET)


def verifier(region: str = "us-east-1", service: str = "service") -> Verifier:
    return Verifier(secret_of, region, service, bytes(32))


def check(one: Case, now: int = NOW, by: Verifier | None = None, head: str = HEAD) -> str:
    signed = f"{head}SignedHeaders={one.signed}, Signature={one.mark}"
    fields = {**one.headers, "authorization": [signed]}
    return (by or verifier()).verify(
        one.method, one.path.encode(), one.query.encode(), fields, one.body, Instant(now)
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_examples_verify_and_no_changed_one_does(name: str) -> None:
    one = PUBLISHED[name]
    assert check(one) == ACCESS
    for changed in (
        replace(one, method="PUT"),
        replace(one, path=one.path + "x"),
        replace(one, query=one.query + "&a=b"),
        replace(one, body=one.body + b"x"),
        replace(one, mark=one.mark[:-1] + ("0" if one.mark[-1] != "0" else "1")),
        replace(one, headers={**one.headers, "host": ["example.com"]}),
    ):
        with pytest.raises(NotAuthentic):
            check(changed)


def test_the_published_signing_key_comes_out() -> None:
    found = signing_key(SECRET, "20120215", "us-east-1", "iam")
    assert found.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


VANILLA = PUBLISHED["get-vanilla"]


@dataclass(frozen=True)
class Wrong:
    """A request that must not pass, whatever its mark."""

    why: str
    one: Case = VANILLA
    head: str = HEAD
    error: type[Refused] = NotAuthentic
    now: int = NOW
    extra: dict[str, list[str]] = field(default_factory=dict)


WRONG = [
    Wrong("too late", now=NOW + LONGEST_SKEW_MS + 1, error=Expired),
    Wrong("too early", now=NOW - LONGEST_SKEW_MS - 1, error=Expired),
    Wrong("another day", head=HEAD.replace("20150830", "20150831")),
    Wrong("another region", head=HEAD.replace("us-east-1", "us-east-2")),
    Wrong("another service", head=HEAD.replace("/service/", "/iam/")),
    Wrong("an unknown key", head=HEAD.replace("AKIDEXAMPLE", "AKIDEXAMPLF")),
    Wrong("another algorithm", head=HEAD.replace("SHA256", "SHA512")),
    Wrong("no host signed", one=replace(VANILLA, signed="x-amz-date")),
    Wrong("no date signed", one=replace(VANILLA, signed="host")),
    Wrong("out of order", one=replace(VANILLA, signed="x-amz-date;host")),
    Wrong("twice", one=replace(VANILLA, signed="host;host;x-amz-date")),
    Wrong("a field that did not come", one=replace(VANILLA, signed="host;more;x-amz-date")),
    Wrong("capitals in the mark", one=replace(VANILLA, mark=VANILLA.mark.upper())),
    Wrong("a target unsigned", extra={"x-amz-target": ["A.B"]}),
    Wrong("a type unsigned", extra={"content-type": ["application/json"]}),
    Wrong("two dates", extra={"x-amz-date": [DATE, DATE]}),
    Wrong("no such date", extra={"x-amz-date": ["20150830T996600Z"]}),
    Wrong("two hosts", extra={"host": ["a", "b"]}),
    Wrong("a stated hash", extra={"x-amz-content-sha256": ["UNSIGNED-PAYLOAD"]}),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.why)
@pytest.mark.requirement("MFS-7.3.2-01")
def test_what_is_not_signed_as_it_has_to_be_is_refused(wrong: Wrong) -> None:
    one = replace(wrong.one, headers={**wrong.one.headers, **wrong.extra})
    with pytest.raises(wrong.error):
        check(one, now=wrong.now, head=wrong.head)


def test_a_request_without_a_signature_is_told_so() -> None:
    with pytest.raises(Unauthenticated):
        verifier().verify("GET", b"/", b"", dict(VANILLA.headers), b"", NOW)


@pytest.mark.parametrize("path", [b"/a/../b", b"/./a", b"//a", b"a", b"/a//b"])
def test_a_path_with_detours_is_refused(path: bytes) -> None:
    with pytest.raises(NotAuthentic):
        canonical_path(path)


def test_a_stranger_and_a_wrong_mark_look_alike() -> None:
    said = set()
    for head in (HEAD, HEAD.replace("AKIDEXAMPLE", "AKIDEXAMPLF")):
        with pytest.raises(NotAuthentic) as told:
            check(replace(VANILLA, mark="0" * 64), head=head)
        said.add(str(told.value))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("path", "query", "body", "more"),
    [
        ("/mac/generate", "", b'{"a":1}', {"Content-Type": "application/json"}),
        ("/keys/arn%3Aaws%3Ax%3Ay%2Fz/encrypt", "", b"{}", {}),
        ("/", "", b"", {"X-Amz-Target": "A.B", "Content-Type": "application/x-amz-json-1.0"}),
        ("/a b/c+d", "x=1&y=%2B&x=0", b"\xff" * 100, {"X-Other": "  a   b  "}),
    ],
)
def test_requests_that_botocore_signs_verify(path, query, body, more) -> None:
    auth = pytest.importorskip("botocore.auth", reason="botocore is absent")
    request_of = pytest.importorskip("botocore.awsrequest").AWSRequest
    credentials = pytest.importorskip("botocore.credentials").Credentials(ACCESS, SECRET)
    url = f"http://127.0.0.1:8490{path}" + (f"?{query}" if query else "")
    request = request_of(method="POST", url=url, data=body, headers=dict(more))
    auth.SigV4Auth(credentials, "payment-cryptography", "us-east-1").add_auth(request)
    fields = {name.lower(): [value] for name, value in request.headers.items()}
    fields.setdefault("host", ["127.0.0.1:8490"])
    signed_at = dt.datetime.strptime(fields["x-amz-date"][0], "%Y%m%dT%H%M%SZ")
    now = Instant(int(signed_at.replace(tzinfo=dt.UTC).timestamp() * 1000))
    by = verifier("us-east-1", "payment-cryptography")
    call = ("POST", path.encode(), query.encode(), fields)
    assert by.verify(*call, body, now) == ACCESS
    assert by.verify(*call, body, now) == ACCESS
    with pytest.raises(NotAuthentic):
        by.verify(*call, body + b" ", now)


def test_a_wrong_signature_costs_the_same_whoever_it_names_and_was_here_today(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def counted(octets: bytes, more: bytes) -> bytes:
        made.append("mac")
        return hmac_sha256(octets, more)

    monkeypatch.setattr(verifying, "hmac_sha256", counted)
    one, seen = next(iter(PUBLISHED.values())), verifier()

    def costs(by: Verifier, case: Case, head: str = HEAD) -> int:
        made.clear()
        with pytest.raises(NotAuthentic, match="does not verify"):
            check(case, by=by, head=head)
        return len(made)

    wrong = replace(one, mark="0" * 64)
    before = costs(seen, wrong)
    assert check(one, by=seen) == ACCESS
    made.clear()
    assert check(one, by=seen) == ACCESS
    assert len(made) == 1, "the key of the day is kept"
    assert costs(seen, wrong) == before, "it shows that the program was here today"
    assert costs(seen, wrong, HEAD.replace(ACCESS, "AKIDSTRANGER")) == before
