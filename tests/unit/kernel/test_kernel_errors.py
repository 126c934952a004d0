"""What an error carries and what it prints."""

import pytest

from tallystick.kernel.errors import (
    Broken,
    LimitExceeded,
    MfsError,
    OutOfReach,
    RateLimited,
    Refused,
    ServiceSuspended,
    Unavailable,
    error_by_code,
    error_classes,
)


@pytest.mark.parametrize("cls", error_classes(), ids=lambda cls: cls.code)
def test_every_error_carries_detail_remedy_and_reason(cls: type[MfsError]) -> None:
    error = cls("what happened", remedy="what to do", because="row 7", retry_after_s=30)
    assert (error.detail, error.remedy, error.because) == ("what happened", "what to do", "row 7")
    assert error.retry_after_s == 30
    assert str(error) == "what happened (because row 7) -> what to do"


def test_an_error_without_remedy_prints_only_its_detail() -> None:
    error = LimitExceeded("the daily limit would be passed")
    assert str(error) == "the daily limit would be passed"
    assert (error.remedy, error.because, error.retry_after_s) == ("", "", None)


def test_a_refusal_is_caught_as_one_and_a_fault_is_not() -> None:
    with pytest.raises(Refused):
        raise LimitExceeded("too much")
    assert not issubclass(Unavailable, Refused)
    assert not issubclass(Broken, Refused)


def test_only_what_may_succeed_unchanged_is_retryable() -> None:
    assert {cls for cls in error_classes() if cls.retryable} == {
        RateLimited,
        Unavailable,
        OutOfReach,
        ServiceSuspended,
    }


def test_an_unknown_code_means_broken() -> None:
    assert error_by_code("from-a-later-version") is Broken
    assert error_by_code("limit-exceeded") is LimitExceeded


def test_the_cause_stays_inside() -> None:
    with pytest.raises(Unavailable) as caught:
        raise Unavailable("the store is out of reach") from OSError("/var/lib/secret-path")
    assert "secret-path" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
