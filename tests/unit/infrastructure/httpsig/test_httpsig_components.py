"""What each component of a message is, after the examples of RFC 9421, section 2."""

import pytest

from tallystick.infrastructure.httpsig.components import component_of, value_of
from tallystick.infrastructure.httpsig.message import ReplyHead, RequestHead
from tallystick.infrastructure.httpsig.reading import read_item
from tallystick.kernel.errors import Malformed, NotAuthentic

FIELDS = (
    ("host", "www.example.com"),
    ("x-ows-header", "  Leading and trailing whitespace.   "),
    ("x-obs-fold-header", "Obsolete\r\n    line folding."),
    ("cache-control", "max-age=60"),
    ("cache-control", "   must-revalidate"),
    ("example-dict", " a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
    ("priority", "u=1 ,  i"),
    ("example-header", "value, with, lots"),
    ("example-header", "of, commas"),
    ("x-empty", ""),
    ("signature", "sig1=:AAAA:, sig2=:BBBB:"),
)
REQUEST = RequestHead(
    "POST", "https", "WWW.Example.com:443", "/path/a%20b?param=value&foo=bar&baz=batman", FIELDS
)
QUERY = (
    "/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace"
    "&fa%C3%A7ade%22%3A%20=something&qux="
)


def value(identifier: str, head=REQUEST) -> str:
    return value_of(component_of(read_item(identifier)), head)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ('"@method"', "POST"),
        ('"@authority"', "www.example.com"),
        ('"@scheme"', "https"),
        (
            '"@target-uri"',
            "https://www.example.com/path/a%20b?param=value&foo=bar&baz=batman",
        ),
        ('"@request-target"', "/path/a%20b?param=value&foo=bar&baz=batman"),
        ('"@path"', "/path/a%20b"),
        ('"@query"', "?param=value&foo=bar&baz=batman"),
        ('"@query-param";name="baz"', "batman"),
        ('"x-ows-header"', "Leading and trailing whitespace."),
        ('"x-obs-fold-header"', "Obsolete line folding."),
        ('"cache-control"', "max-age=60, must-revalidate"),
        ('"example-dict"', "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
        ('"example-dict";key="a"', "1"),
        ('"example-dict";key="b"', "2;x=1;y=2"),
        ('"example-dict";key="c"', "(a b c)"),
        ('"example-dict";key="d"', "?1"),
        ('"priority";sf', "u=1, i"),
        ('"example-header";bs', ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"),
        ('"x-empty"', ""),
        ('"signature";key="sig1"', ":AAAA:"),
    ],
)
def test_a_component_has_its_value(identifier: str, expected: str) -> None:
    assert value(identifier) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("var", "this%20is%20a%20big%0Amultiline%20value"),
        ("bar", "with%20plus%20whitespace"),
        ("fa%C3%A7ade%22%3A%20", "something"),
        ("qux", ""),
    ],
)
def test_a_parameter_of_the_query_is_read_and_written_anew(name: str, expected: str) -> None:
    head = RequestHead("GET", "https", "www.example.com", QUERY)
    assert value(f'"@query-param";name="{name}"', head) == expected


@pytest.mark.parametrize(
    ("scheme", "authority", "expected"),
    [
        ("http", "Example.com:80", "example.com"),
        ("https", "example.com:80", "example.com:80"),
        ("http", "127.0.0.1:8480", "127.0.0.1:8480"),
        ("https", "[2001:DB8::1]:443", "[2001:db8::1]"),
    ],
)
def test_the_authority_has_one_spelling(scheme: str, authority: str, expected: str) -> None:
    assert value('"@authority"', RequestHead("GET", scheme, authority, "/")) == expected


def test_a_target_without_query_has_a_question_mark_alone() -> None:
    head = RequestHead("GET", "https", "example.com", "/a")
    assert value('"@query"', head) == "?"
    assert value('"@query"', RequestHead("GET", "https", "example.com", "/a?")) == "?"


def test_a_reply_has_its_status_and_its_request() -> None:
    reply = ReplyHead(204, (("content-type", "text/plain"),), REQUEST)
    assert value('"@status"', reply) == "204"
    assert value('"@method";req', reply) == "POST"
    assert value('"cache-control";req', reply) == "max-age=60, must-revalidate"
    assert value('"signature";req;key="sig2"', reply) == ":BBBB:"
    for identifier in ('"@method"', '"cache-control"'):
        with pytest.raises(NotAuthentic):
            value(identifier, reply)
    with pytest.raises(NotAuthentic):
        value('"@method";req', ReplyHead(204))
    with pytest.raises(NotAuthentic):
        value('"@method";req')
    with pytest.raises(NotAuthentic):
        value('"@status"')


@pytest.mark.parametrize(
    "identifier",
    [
        '"@signature-params"', '"@unknown"', '"@method";name="a"', '"@query-param"',
        '"@query-param";name=1', '"@status";req', '"Content-Type"', '"content-type";tr',
        '"content-type";bs;sf', '"content-type";bs;key="a"', '"content-type";key=a',
        '"content-type";sf=?0', '"content-type";new', '"content type"', '""', "content-type", "1",
    ],
)  # fmt: skip
def test_what_is_not_taken_is_refused(identifier: str) -> None:
    with pytest.raises(Malformed):
        component_of(read_item(identifier))


@pytest.mark.parametrize(
    ("identifier", "refusal"),
    [
        ('"absent"', NotAuthentic),
        ('"example-dict";key="z"', NotAuthentic),
        ('"@query-param";name="none"', NotAuthentic),
        ('"example-dict";sf', Malformed),
        ('"x-ows-header";key="a"', Malformed),
    ],
)
def test_what_the_message_has_not_is_refused(identifier: str, refusal) -> None:
    with pytest.raises(refusal):
        value(identifier)


def test_a_parameter_twice_in_the_query_cannot_be_covered() -> None:
    head = RequestHead("GET", "https", "example.com", "/?a=1&a=2")
    with pytest.raises(NotAuthentic, match="exactly once"):
        value('"@query-param";name="a"', head)


@pytest.mark.parametrize("target", ["", "*", "https://example.com/", "/a b", "/ü", "/a\r\n"])
def test_another_form_of_target_is_refused(target: str) -> None:
    with pytest.raises(Malformed):
        value('"@path"', RequestHead("GET", "https", "example.com", target))


@pytest.mark.parametrize("authority", ["", "a b", "a/b", "user@host", "a:123456", "a\n"])
def test_what_names_no_host_is_refused(authority: str) -> None:
    with pytest.raises(Malformed):
        value('"@authority"', RequestHead("GET", "https", authority, "/"))


@pytest.mark.parametrize(
    ("identifier", "head"),
    [
        ('"@method"', RequestHead('POST\n"@path": /b', "https", "example.com", "/a")),
        ('"@method"', RequestHead("", "https", "example.com", "/a")),
        ('"@scheme"', RequestHead("GET", "ftp", "example.com", "/a")),
        ('"@authority"', RequestHead("GET", "", "example.com", "/a")),
    ],
)
def test_control_data_of_another_form_cannot_forge_a_line_of_the_base(
    identifier: str, head: RequestHead
) -> None:
    with pytest.raises(Malformed):
        value(identifier, head)


@pytest.mark.parametrize("line", ["a\nb", "a\r\nb", "a\x00b", "ü"])
def test_a_field_with_a_line_end_inside_cannot_forge_a_line_of_the_base(line: str) -> None:
    with pytest.raises(Malformed):
        value('"x"', RequestHead("GET", "https", "example.com", "/", (("x", line),)))


def test_the_order_of_parameters_makes_no_other_component() -> None:
    one = component_of(read_item('"signature";req;key="a"'))
    other = component_of(read_item('"signature";key="a";req'))
    assert one == other
    assert hash(one) == hash(other)
    assert one.identifier != other.identifier
