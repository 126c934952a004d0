"""The shipped rows: their numbers, their links, and that a damaged catalogue is refused."""

from collections import Counter
from collections.abc import Callable

import pytest

from tallystick.kernel.errors import Broken, NotFound
from tallystick.kernel.model import replace
from tallystick.process.catalogue import (
    Catalogue,
    Confidence,
    Kind,
    Layer,
    Modality,
    Origin,
    Party,
    Service,
    VerificationClass,
    VerificationDepth,
    catalogue,
)
from tallystick.process.catalogue.load import (
    ClausesFile,
    RequirementsFile,
    ThreatsFile,
    build,
    read,
)

Files = tuple[ClausesFile, RequirementsFile, ThreatsFile]


@pytest.fixture(scope="module")
def files() -> Files:
    return (
        read("clauses.json", ClausesFile),
        read("requirements.json", RequirementsFile),
        read("threats.json", ThreatsFile),
    )


@pytest.fixture(scope="module")
def rows() -> Catalogue:
    return catalogue()


def test_the_numbers_are_those_of_the_reconstruction(rows: Catalogue) -> None:
    found = rows.requirements.values()
    assert (len(rows.clauses), len(found), len(rows.threats)) == (61, 250, 102)
    assert Counter(one.modality for one in found) == {Modality.SHALL: 149, Modality.SHOULD: 101}
    assert Counter(one.origin for one in found) == {
        Origin.STATED: 23,
        Origin.DEDUCED: 63,
        Origin.RECONSTRUCTED: 164,
    }
    assert Counter(one.confidence for one in found) == {
        Confidence.HIGH: 46,
        Confidence.MEDIUM: 188,
        Confidence.LOW: 16,
    }
    assert Counter(one.depth for one in found) == {
        VerificationDepth.BEHAVIOUR: 173,
        VerificationDepth.TELEMETRY: 34,
        VerificationDepth.RECORD: 34,
        VerificationDepth.THIRD_PARTY: 9,
    }
    assert [sum(one.verified_by(how) for one in found) for how in VerificationClass] == [
        130,
        177,
        26,
    ]
    assert [len(rows.on_layer(layer)) for layer in Layer] == [69, 123, 68]


def test_the_three_layers_page_gives_these_numbers(rows: Catalogue, repository) -> None:
    page = (repository / "docs/explanation/three-layers.md").read_text(encoding="utf-8")
    for layer in Layer:
        line = next(one for one in page.splitlines() if one.startswith(f"| {layer} |"))
        assert line.endswith(f"| {len(rows.on_layer(layer))} |")


def test_links_lead_both_ways(rows: Catalogue) -> None:
    forth = {(one.id, threat) for one in rows.requirements.values() for threat in one.threats}
    back = {(row, one.id) for one in rows.threats.values() for row in one.mitigations}
    assert forth == back
    assert len(forth) == 372


def test_rows_are_found_by_id_clause_layer_and_service(rows: Catalogue) -> None:
    linking = rows.requirement("MFS-7.3.3-01")
    assert linking.clause == "7.3.3"
    assert linking in rows.by_clause("7.3.3")
    assert len(rows.by_clause("7.3")) == 46
    assert sum(len(rows.by_clause(n)) for n in ("6", "7", "8", "9", "10", "11", "12", "13")) == 225
    assert rows.clause("7.3.3").kind is Kind.REQUIREMENT
    assert rows.threat("THR-SIM-01") in rows.mitigated_by("MFS-7.3.2-10")
    for service in Service:
        assert len(rows.for_service(service)) > 192
    for lookup in (rows.requirement, rows.threat, rows.clause, rows.by_clause):
        with pytest.raises(NotFound):
            lookup("MFS-99.9-01")


def test_rows_stand_in_the_order_of_the_standard(rows: Catalogue) -> None:
    order = {number: place for place, number in enumerate(rows.clauses)}
    places = [(order[one.clause], one.id) for one in rows.requirements.values()]
    assert places == sorted(places)
    assert list(rows.clauses)[-4:] == ["A", "B", "C", "D"]
    assert list(rows.clauses).index("9.5") < list(rows.clauses).index("10.1")


@pytest.mark.requirement("MFS-6.2.1-09")
def test_the_provider_is_accountable_for_every_row_whoever_performs_it(rows: Catalogue) -> None:
    for one in rows.requirements.values():
        assert one.accountable is Party.MFSP
        assert one.performers
    elsewhere = [one for one in rows.requirements.values() if not one.performed_by(Party.MFSP)]
    assert len(elsewhere) == 9
    assert rows.requirement("MFS-6.2.1-01").performed_by(Party.MNO)
    assert not rows.requirement("MFS-6.2.1-01").performed_by(Party.CUSTOMER)


def test_prohibitions_are_marked_where_the_text_forbids(rows: Catalogue) -> None:
    marked = {one.id for one in rows.requirements.values() if one.prohibition}
    assert {"MFS-7.3.4-02", "MFS-13.3-01", "MFS-8.1.2-02", "MFS-7.2.5-04"} <= marked
    assert "MFS-7.3.3-01" not in marked
    for one in rows.requirements.values():
        words = set(one.text.lower().replace(",", " ").split())
        if words & {"never", "cannot", "prohibited"} and one.id != "MFS-7.3.6-02":
            assert one.prohibition, one.id


def test_the_catalogue_cannot_be_changed(rows: Catalogue) -> None:
    with pytest.raises(TypeError):
        rows.requirements["MFS-7.3.3-01"] = rows.requirement("MFS-7.3.3-02")  # type: ignore[index]
    with pytest.raises(AttributeError):
        rows.requirement("MFS-7.3.3-01").text = ""  # type: ignore[misc]


def _without_last_row(files: Files) -> Files:
    clauses, rows, threats = files
    return clauses, replace(rows, requirements=rows.requirements[:-1]), threats


def _with_a_row_twice(files: Files) -> Files:
    clauses, rows, threats = files
    doubled = (*rows.requirements[1:], rows.requirements[-1])
    return clauses, replace(rows, requirements=doubled), threats


def _with_first(files: Files, **changes: object) -> Files:
    clauses, rows, threats = files
    first = replace(rows.requirements[0], **changes)
    return clauses, replace(rows, requirements=(first, *rows.requirements[1:])), threats


def _with_first_threat(files: Files, **changes: object) -> Files:
    clauses, rows, threats = files
    first = replace(threats.threats[0], **changes)
    return clauses, rows, replace(threats, threats=(first, *threats.threats[1:]))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_last_row, "249 rows of sort requirement instead of 250"),
        (_with_a_row_twice, "MFS-D-02 stands 2 times"),
        (lambda files: _with_first(files, clause="7.9"), "MFS-6.1-01: clause 7.9 is not in"),
        (lambda files: _with_first(files, clause="6.2"), "MFS-6.1-01 stands under clause 6.2"),
        (lambda files: _with_first(files, threats=("THR-XX-99",)), "threat THR-XX-99 is not in"),
        (lambda files: _with_first(files, threats=("THR-SMS-01",)), "which does not name it"),
        (lambda files: _with_first(files, performers=()), "MFS-6.1-01 has no layer, service, p"),
        (lambda files: _with_first_threat(files, mitigations=()), "has no mitigation"),
        (
            lambda files: _with_first_threat(files, mitigations=("MFS-6.1-99",)),
            "requirement MFS-6.1-99 is not in",
        ),
    ],
)
def test_a_damaged_catalogue_is_refused_with_the_id(
    files: Files, damage: Callable[[Files], Files], said: str
) -> None:
    with pytest.raises(Broken, match=said):
        build(*damage(files))


def test_a_file_of_another_shape_or_an_absent_one_is_refused() -> None:
    with pytest.raises(Broken, match=r"threats\.json"):
        read("threats.json", ClausesFile)
    with pytest.raises(Broken, match=r"absent\.json"):
        read("absent.json", ClausesFile)
