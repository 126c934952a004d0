"""How a path is looked for, what an ordered one looks like, and which names are allowed below."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.support.paths import (
    AT,
    MIDDLE,
    ROOT,
    USES,
    Drawing,
    Drawn,
    made,
    private_key,
    signed,
    sound,
)

from tallystick.infrastructure.crypto.der import INTEGER, SEQUENCE, single, values, write
from tallystick.infrastructure.crypto.path_rules import ANDROID, APPLE, PARTNERS, STAMPS
from tallystick.infrastructure.crypto.paths import MOST_TRIES, path_of, unmarked
from tallystick.infrastructure.crypto.x509 import (
    MAX_CERTIFICATE,
    Certificate,
    certificates_in,
    read_certificate,
    read_pem,
)
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.time import Instant

PAYMENTS = USES[0]
LEAF = sound(PAYMENTS).path[0]


def read(one: Drawn, above: Drawn) -> Certificate:
    return read_certificate(signed(one, above))


ROOT_READ = read(ROOT, ROOT)
MIDDLE_READ = read(MIDDLE, ROOT)
LEAF_READ = read(LEAF, MIDDLE)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A line for each signature that was looked at."""
    found: list[int] = []
    true = Certificate.issued_by

    def counting(self: Certificate, other: Certificate, *, hashless: bool = False) -> bool:
        found.append(1)
        return true(self, other, hashless=hashless)

    monkeypatch.setattr(Certificate, "issued_by", counting)
    return found


def test_issuers_are_found_among_what_comes_along_in_any_order() -> None:
    stranger, second = read(replace(ROOT, name="Stranger"), ROOT), replace(MIDDLE, name="Second")
    leaf, between = read(LEAF, second), read(second, MIDDLE)
    for others in ((stranger, MIDDLE_READ, between), (between, ROOT_READ, MIDDLE_READ)):
        found = path_of(leaf, others, (ROOT_READ,), PAYMENTS, AT)
        assert found == (leaf, between, MIDDLE_READ, ROOT_READ)


def test_another_way_is_taken_where_the_first_does_not_hold() -> None:
    """Two certificates of one authority: one past, one in its time."""
    past = read(replace(MIDDLE, days=(-9, -1)), ROOT)
    for others in ((past, MIDDLE_READ), (MIDDLE_READ, past)):
        found = path_of(LEAF_READ, others, (ROOT_READ,), PAYMENTS, AT)
        assert found == (LEAF_READ, MIDDLE_READ, ROOT_READ)
    with pytest.raises(NotAuthentic, match="not valid then"):
        path_of(LEAF_READ, (past,), (ROOT_READ,), PAYMENTS, AT)


def test_few_signatures_are_looked_at_whatever_comes_along(tries: list[int]) -> None:
    """A thousand authorities of one name, of which none issued the leaf; then a circle."""
    false = read(replace(MIDDLE, key="Somebody else"), ROOT)
    with pytest.raises(NotAuthentic, match="no path"):
        path_of(LEAF_READ, (false,) * 1_000, (ROOT_READ,), PAYMENTS, AT)
    assert len(tries) == MOST_TRIES
    tries.clear()
    first, second = replace(MIDDLE, name="First"), replace(MIDDLE, name="Second")
    circle = (read(first, second), read(second, first))
    with pytest.raises(NotAuthentic, match="no path"):
        path_of(read(LEAF, first), circle, (ROOT_READ,), PAYMENTS, AT)
    assert len(tries) <= 4


def test_nobody_is_believed_without_a_root_or_an_instant() -> None:
    for rules in USES:
        with pytest.raises(NotAuthentic, match="no root"):
            path_of(LEAF_READ, (MIDDLE_READ,), (), rules, AT)
        if rules.dated:
            drawing = made(sound(rules))
            with pytest.raises(NotAuthentic, match="not valid then"):
                path_of(
                    read_certificate(drawing.leaf),
                    [read_certificate(one) for one in drawing.others],
                    [read_certificate(one) for one in drawing.roots],
                    rules,
                )


def test_both_ends_of_its_time_belong_to_a_certificate() -> None:
    begins, ends = LEAF_READ.begins, LEAF_READ.ends
    for at, holds in ((begins, True), (ends, True), (begins - 1, False), (ends + 1, False)):
        if holds:
            assert path_of(LEAF_READ, (MIDDLE_READ,), (ROOT_READ,), PAYMENTS, Instant(at))
        else:
            with pytest.raises(NotAuthentic, match="not valid then"):
                path_of(LEAF_READ, (MIDDLE_READ,), (ROOT_READ,), PAYMENTS, Instant(at))


def test_an_ordered_path_is_whole_in_order_and_without_a_copy() -> None:
    leaf, roots = read(sound(APPLE).path[0], MIDDLE), (ROOT_READ,)
    for others in ((MIDDLE_READ,), (MIDDLE_READ, ROOT_READ)):
        assert path_of(leaf, others, roots, APPLE) == (leaf, MIDDLE_READ, ROOT_READ)
    for others, said in (
        ((), "no root"),
        ((ROOT_READ, MIDDLE_READ), "broken"),
        ((MIDDLE_READ, MIDDLE_READ), "twice"),
        ((MIDDLE_READ, ROOT_READ, MIDDLE_READ), "twice"),
        ((MIDDLE_READ, read(replace(ROOT, name="Stranger"), ROOT)), "broken"),
    ):
        with pytest.raises(NotAuthentic, match=said):
            path_of(leaf, others, roots, APPLE)
    with pytest.raises(TooLarge):
        path_of(leaf, (MIDDLE_READ,) * 8, roots, APPLE)


def test_an_end_with_the_key_of_a_root_that_nobody_signed_is_refused() -> None:
    cross = replace(ROOT, issuer_name="Elsewhere", issuer_key="Elsewhere")
    drawing = replace(sound(APPLE), shown=True, pinned=ROOT)
    assert made(drawing).verified(APPLE)
    with pytest.raises(NotAuthentic, match="not signed by itself"):
        made(replace(drawing, path=(*drawing.path[:-1], cross))).verified(APPLE)


def test_issuers_without_marks_are_counted() -> None:
    plain = Drawn("Middle")
    path = (read(LEAF, plain), read(plain, ROOT), ROOT_READ)
    assert (unmarked(path), unmarked((LEAF_READ, MIDDLE_READ, ROOT_READ))) == (1, 0)
    assert path_of(path[0], path[1:], (ROOT_READ,), ANDROID)[-1] == ROOT_READ


FOLDER = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]))
ELSEWHERE = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Other")]))
SHOUTED = x509.DirectoryName(
    x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, " EXAMPLE ")])
)
MAIL = x509.RFC822Name("example.org")


@pytest.mark.parametrize(
    ("permitted", "excluded", "hosts", "holds"),
    [
        (["example.org"], None, ("pay.example.org", "EXAMPLE.org"), True),
        ([".example.org"], None, ("pay.example.org",), True),
        (["example.org"], None, ("pay.example.org", "example.net"), False),
        (["example.org"], None, ("notexample.org",), False),
        (["example.org", "example.net"], None, ("example.net",), True),
        (["pay.example.org"], None, ("example.org",), False),
        (None, ["example.org"], ("pay.example.net",), True),
        (None, ["example.org"], ("pay.example.org",), False),
        (["example.org"], ["bad.example.org"], ("a.bad.example.org",), False),
        (None, [""], ("pay.example.net",), False),
        (["example.org"], None, (), True),
        ([FOLDER], None, (), True),
        ([ELSEWHERE], None, (), False),
        (None, [ELSEWHERE], (), True),
        (None, [FOLDER], (), False),
        ([SHOUTED], None, (), True),
        (None, [SHOUTED], (), False),
        ([MAIL], None, ("pay.example.org",), True),
    ],
)
def test_names_below_an_issuer(permitted, excluded, hosts, holds: bool) -> None:
    def trees(given):
        return given and [x509.DNSName(one) if isinstance(one, str) else one for one in given]

    limits = x509.NameConstraints(trees(permitted), trees(excluded))
    above = replace(MIDDLE, more=((limits, True),))
    drawing = Drawing((replace(LEAF, hosts=hosts), above, ROOT))
    if holds:
        assert made(drawing).verified(PAYMENTS)
    else:
        with pytest.raises(NotAuthentic, match="does not allow"):
            made(drawing).verified(PAYMENTS)


@pytest.mark.parametrize("permits", [True, False])
def test_a_limit_on_a_form_that_is_not_compared_lets_none_of_it_pass(permits: bool) -> None:
    limits = x509.NameConstraints([MAIL] if permits else None, None if permits else [MAIL])
    named = x509.SubjectAlternativeName([x509.RFC822Name("till@example.org")])
    leaf = replace(LEAF, hosts=(), more=((named, False),))
    with pytest.raises(NotAuthentic, match="does not allow"):
        made(Drawing((leaf, replace(MIDDLE, more=((limits, True),)), ROOT))).verified(PAYMENTS)


def test_a_limit_of_the_root_binds_all_below() -> None:
    limits = x509.NameConstraints([x509.DNSName("example.net")], None)
    for rules in (PAYMENTS, STAMPS, PARTNERS, APPLE):
        with pytest.raises(NotAuthentic, match="does not allow"):
            made(sound(rules).at(-1, more=((limits, True),))).verified(rules)


def test_many_names_are_not_held_against_many_limits() -> None:
    """One phone's key can sign such a path; compared, each pair of these took three seconds."""
    few, many = 127, 1_300
    for rules in (ANDROID, PAYMENTS):
        for names, trees in ((few, few), (many, many)):
            limits = x509.NameConstraints(None, [x509.DNSName("b")] * trees)
            drawing = sound(rules).at(0, hosts=("a",) * names).at(1, more=((limits, True),))
            if names == few:
                assert made(drawing).verified(rules)
            else:
                with pytest.raises(NotAuthentic, match="than are compared"):
                    made(drawing).verified(rules)


def test_a_certificate_has_one_form_a_number_and_an_end() -> None:
    octets = LEAF_READ.octets
    for changed in (octets + b"\x00", octets[:-1], b""):
        with pytest.raises(Malformed):
            read_certificate(changed)
    body, *after = values(single(octets, SEQUENCE).body)
    version, _, *rest = (one.octets for one in body.inside())
    for number, said in ((b"\x00", "no number"), (b"\x80", "below"), (b"\x00\x01", "shortest")):
        changed = write(SEQUENCE, version, write(INTEGER, number), *rest)
        with pytest.raises(Malformed, match=said):
            read_certificate(write(SEQUENCE, changed, *(one.octets for one in after)))
    with pytest.raises(TooLarge):
        read_certificate(b"\x30" * (MAX_CERTIFICATE + 1))
    with pytest.raises(Malformed, match="several"):
        read_pem(b"".join(map(pem, (ROOT_READ, MIDDLE_READ))))
    assert read_pem(pem(ROOT_READ)) == read_pem(ROOT_READ.octets) == ROOT_READ
    assert certificates_in(pem(ROOT_READ) + pem(MIDDLE_READ)) == (ROOT_READ, MIDDLE_READ)
    assert private_key("Root", "p256").public_key() == ROOT_READ.key


def pem(one: Certificate) -> bytes:
    return one.parsed.public_bytes(Encoding.PEM)
