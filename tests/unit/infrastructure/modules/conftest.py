"""Tests that build a module run twice: in this process, and behind a socket."""

import pytest
from tests.unit.infrastructure.modules.module_under_test import BACKEND

BOTH = {"test_soft_module", "test_card_flows", "test_card_matrix"}


def pytest_generate_tests(metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in BOTH:
        metafunc.fixturenames.insert(0, "_backend")
        metafunc.parametrize("_backend", ["soft", "soft-process"], indirect=True)


@pytest.fixture
def _backend(request):
    BACKEND.remote = request.param == "soft-process"
    yield
    BACKEND.remote = False
    BACKEND.end()
