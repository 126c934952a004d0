"""Whatever certificates come along, a path is one that holds, or an error of ours says why not."""

from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.broken_paths import broken, cases
from tests.support.paths import AT, USES, made, sound

from tallystick.infrastructure.crypto.paths import Rules, path_of
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge
from tallystick.kernel.time import DAY_MS, Instant

READ = (Malformed, NotAuthentic, TooLarge)


@cache
def pool() -> tuple[bytes, ...]:
    """Certificates of sound paths and of broken ones."""
    drawings = [sound(rules) for rules in USES] + [broken(name, rules) for name, rules in cases()]
    whole = [made(one) for one in drawings if one is not None]
    return tuple(octets for one in whole for octets in (one.leaf, *one.others, *one.roots))


@cache
def shown(name: str) -> tuple[Certificate, ...]:
    """A sound path for the use `name`, the leaf first and the root last."""
    found = made(sound(next(one for one in USES if one.name == name)))
    return tuple(map(read_certificate, (found.leaf, *found.others, *found.roots)))


@cache
def certificates() -> tuple[Certificate, ...]:
    found = []
    for octets in pool():
        try:
            found.append(read_certificate(octets))
        except Malformed:
            continue
    return tuple(found)


def check(path: tuple[Certificate, ...], roots: list[Certificate], rules: Rules, at: int) -> None:
    """What has to be true of every path that was let pass, looked at by the library."""
    root = path[-1]
    assert root in roots or (
        not rules.pinned and root.public.spki in {r.public.spki for r in roots}
    )
    assert len(path) <= rules.longest + 1
    for one, issuer in pairwise(path):
        one.parsed.verify_directly_issued_by(issuer.parsed)
        assert one.parsed.signature_hash_algorithm is None or (
            one.parsed.signature_hash_algorithm.name != "sha1"
        )
    if rules.dated:
        assert all(one.begins <= at <= one.ends for one in path)


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_any_certificates_in_any_order(data: st.DataObject) -> None:
    some = st.sampled_from(certificates())
    rules = data.draw(st.sampled_from(USES))
    whole = shown(rules.name)
    leaf = data.draw(some | st.just(whole[0]))
    others = data.draw(st.lists(some | st.sampled_from(whole), max_size=10))
    roots = data.draw(st.lists(some | st.just(whole[-1]), max_size=3))
    at = AT + data.draw(st.integers(-30, 30)) * DAY_MS
    try:
        path = path_of(leaf, others, roots, rules, Instant(at))
    except READ:
        return
    check(path, roots, rules, at)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_certificate_never_passes(data: st.DataObject) -> None:
    rules = data.draw(st.sampled_from(USES))
    whole = shown(rules.name)
    leaf = bytearray(whole[0].octets)
    place = data.draw(st.integers(0, len(leaf) - 1))
    leaf[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        path_of(read_certificate(bytes(leaf)), whole[1:-1], whole[-1:], rules, AT)
    except READ:
        return
    raise AssertionError(f"octet {place} was changed and nobody saw")


@given(octets=st.binary(max_size=600) | st.sampled_from(pool()).map(lambda one: one[:-9] + one[9:]))
@settings(max_examples=200, deadline=None)
def test_any_octets_are_a_certificate_or_malformed(octets: bytes) -> None:
    try:
        assert read_certificate(octets).octets == octets
    except (Malformed, TooLarge):
        return
