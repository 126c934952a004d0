"""The security matrix and the default parameters."""

import pytest

from tallystick.kernel.errors import Broken, NotFound
from tallystick.kernel.model import replace
from tallystick.process.catalogue import (
    Need,
    SecurityService,
    catalogue,
    matrix,
    parameter,
    parameters,
    security_matrix,
)
from tallystick.process.catalogue.matrix import Bound, MatrixFile, ParametersFile, Unit


@pytest.mark.requirement("MFS-7.5-01")
def test_every_operation_says_of_every_service_whether_it_needs_it() -> None:
    rows = security_matrix()
    assert len(rows) == 13
    for one in rows.values():
        assert set(one.needs) == set(SecurityService)
        for identifier in one.requirements:
            catalogue().requirement(identifier)
    assert rows["remote-payment"].needs[SecurityService.NON_REPUDIATION] is Need.MANDATORY
    assert rows["login"].needs[SecurityService.NON_REPUDIATION] is Need.NOT_APPLICABLE
    assert rows["proximate-payment"].requirements[0] == "MFS-10.2.1-01"
    assert len(rows["proximate-payment"].requirements) == 8


def test_every_parameter_serves_a_requirement() -> None:
    for one in parameters().values():
        assert one.requirements
        for identifier in one.requirements:
            catalogue().requirement(identifier)
    failures = parameter("failures-before-block")
    assert (failures.value, failures.unit, failures.bound) == (5, Unit.COUNT, Bound.AT_MOST)
    assert parameter("session-idle").value == 300
    assert parameter("contactless-amount").value == 50_00
    with pytest.raises(NotFound):
        parameter("no-such")


@pytest.fixture
def fresh_caches():
    matrix.security_matrix.cache_clear()
    matrix.parameters.cache_clear()
    yield
    matrix.security_matrix.cache_clear()
    matrix.parameters.cache_clear()


@pytest.mark.usefixtures("fresh_caches")
def test_an_empty_cell_a_double_row_and_an_orphan_are_refused(monkeypatch) -> None:
    rows = matrix.read("matrix.json", MatrixFile)
    first = replace(rows.operations[0], needs={}, requirements=())
    damaged = replace(rows, operations=(first, *rows.operations))
    monkeypatch.setattr(matrix, "read", lambda *_: damaged)
    with pytest.raises(Broken, match="says nothing about confidentiality") as caught:
        security_matrix()
    assert "operation enrolment stands twice" in str(caught.value)
    assert "operation enrolment serves no requirement" in str(caught.value)


@pytest.mark.usefixtures("fresh_caches")
def test_a_parameter_of_an_unknown_requirement_is_refused(monkeypatch) -> None:
    rows = matrix.read("parameters.json", ParametersFile)
    first = replace(rows.parameters[0], requirements=("MFS-7.3.3-99",))
    monkeypatch.setattr(matrix, "read", lambda *_: replace(rows, parameters=(first,)))
    with pytest.raises(Broken, match=r"requirement MFS-7\.3\.3-99 is not in the catalogue"):
        parameters()
