"""A secret shows itself to whoever calls reveal(), and to nobody else."""

import copy
import json
import logging
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernel.codec import encode, to_plain
from tallystick.kernel.secret import Secret

VALUE = "hunter2-canary"
secrets = st.binary(max_size=40) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(secrets)
def test_reveal_gives_the_value_back(value: bytes | str) -> None:
    assert Secret(value).reveal() == value


@pytest.mark.parametrize("secret", [Secret(VALUE), Secret(VALUE.encode())], ids=["str", "bytes"])
def test_no_way_of_printing_shows_it(secret: Secret[str]) -> None:
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        f"{secret:>40}",
        "%s %r" % (secret, secret),  # noqa: UP031 - this way of formatting too
        "{} {!r}".format(secret, secret),  # noqa: UP032 - and this one
        str([secret]),
        str({"pin": secret}),
        repr((secret,)),
    ]
    assert all("canary" not in text for text in shown)
    assert all("***" in text for text in shown)


def _fail_with(secret: Secret[str]) -> None:
    raise ValueError(secret)


def test_a_log_line_and_a_traceback_never_show_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(VALUE)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("t").warning("opened with %s and %r", secret, [secret])
    with pytest.raises(ValueError, match="Secret") as caught:
        _fail_with(secret)
    captured = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(captured.format())
    assert "opened with Secret(***)" in caplog.text
    assert "secret = Secret(***)" in text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("act", [copy.copy, copy.deepcopy, pickle.dumps, hash, encode, to_plain])
def test_it_cannot_be_copied_pickled_hashed_or_encoded(act) -> None:
    with pytest.raises(TypeError) as caught:
        act(Secret(VALUE))
    assert "canary" not in str(caught.value)


def test_json_and_vars_do_not_reach_it() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(VALUE))
    with pytest.raises(TypeError):
        vars(Secret(VALUE))
    with pytest.raises(AttributeError):
        Secret(VALUE).note = "kept"  # type: ignore[attr-defined]


@given(secrets, secrets)
def test_equality_is_that_of_the_octets(one: bytes | str, other: bytes | str) -> None:
    first = one.encode() if isinstance(one, str) else one
    second = other.encode() if isinstance(other, str) else other
    assert (Secret(one) == Secret(other)) is (first == second)


def test_a_bare_value_is_not_equal_to_its_secret() -> None:
    assert Secret(VALUE) != VALUE
    assert Secret(b"a") != b"a"
