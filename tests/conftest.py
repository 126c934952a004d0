"""What every test may ask for: the repository, the public test data, a seeded source of bytes."""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.support.postgres import fresh_schema

from tallystick.infrastructure.store.opening import Place

ROOT = Path(__file__).resolve().parent.parent

# One profile for everybody: the same examples on every run, so that a red test is red again.
settings.register_profile(
    "tallystick",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("search", parent=settings.get_profile("tallystick"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tallystick"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of public test data; the test is skipped, loudly, where it is absent."""
    folder = Path(os.environ.get("TALLYSTICK_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"public test data is absent: set TALLYSTICK_TEST_DATA (looked in {folder})")
    return folder


@pytest.fixture
def seeded_bytes() -> Callable[[int], bytes]:
    """A source of bytes that gives the same bytes on every run."""
    return random.Random(12812).randbytes


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Where an empty store can be opened, on each engine in turn."""
    if request.param == "sqlite":
        yield tmp_path / "book.db"
        return
    with fresh_schema() as address:
        yield address
