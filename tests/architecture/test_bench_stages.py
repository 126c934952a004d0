"""The stop-watch of a payment's stages finds every function that it is put around."""

import pytest
from bench.stages import STAGES, place_of


@pytest.mark.parametrize("path", [path for path, _, _ in STAGES])
def test_a_stage_is_a_function_that_exists(path: str) -> None:
    owner, name = place_of(path)
    assert callable(getattr(owner, name, None)), f"{path} is gone: name what took its place"
