"""What is read out of docstrings and marks, on a small tree made for it."""

from pathlib import Path

import pytest

from tallystick.kernel.errors import Malformed, NotFound
from tallystick.process.catalogue.scan import citations, code_objects, tagged_tests

MODULE = '''"""Says.

Source: ISO/TS 12812-2:2017, 7.3.3
"""

def act():
    """Act.

    Source: RFC 8785
    """

def bare(): ...

def _hidden(): ...

class Thing:
    """A thing.

    Source: ISO/TS 12812-2:2017, 3.9; 7.1; RFC 8785
    """

    async def move(self):
        """Source: none of its own line, as text follows.

        After.
        """
'''

TESTS = """import pytest
pytestmark = [pytest.mark.threat("THR-SMS-01")]

@pytest.mark.requirement("MFS-7.3.3-01", "MFS-7.3.3-02")
def test_one(): ...

@pytest.mark.requirement("MFS-7.3.4-01")
class TestGroup:
    pytestmark = pytest.mark.threat("THR-SMS-02")

    @pytest.mark.requirement(NAME)
    async def test_two(self): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.requirement("MFS-7.5-01"))])
def test_three(x): ...

@pytest.mark.requirement("MFS-6.1-01")
def not_a_test(): ...

TestMachine = Machine.TestCase
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "src" / "tallystick").mkdir(parents=True)
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "src" / "tallystick" / "thing.py").write_text(MODULE)
    (tmp_path / "tests" / "unit" / "test_thing.py").write_text(TESTS)
    (tmp_path / "tests" / "unit" / "thing_data.py").write_text("def test_no(): ...\n")
    return tmp_path


def test_public_code_and_its_sources_are_found(tree: Path) -> None:
    found = {one.name: one for one in code_objects(tree)}
    assert set(found) == {"", "act", "bare", "Thing", "Thing.move"}
    assert found[""].clauses() == ("7.3.3",)
    assert found["act"].source == "RFC 8785"
    assert found["act"].clauses() == ()
    assert not found["bare"].documented
    assert found["Thing"].clauses() == ("3.9", "7.1")
    assert found["Thing.move"].documented
    assert not found["Thing.move"].source
    assert found["Thing"].path == "src/tallystick/thing.py"


def test_tags_are_found_on_functions_classes_modules_and_cases(tree: Path) -> None:
    found = {one.name: one for one in tagged_tests(tree)}
    assert set(found) == {"test_one", "TestGroup.test_two", "test_three", "TestMachine.runTest"}
    assert found["test_one"].tagged("requirement") == {"MFS-7.3.3-01", "MFS-7.3.3-02"}
    assert found["test_one"].tagged("threat") == {"THR-SMS-01"}
    assert found["TestGroup.test_two"].tagged("requirement") == {"MFS-7.3.4-01"}
    assert found["TestGroup.test_two"].tagged("threat") == {"THR-SMS-01", "THR-SMS-02"}
    assert "" in {tag.id for tag in found["TestGroup.test_two"].tags}
    assert found["test_three"].tagged("requirement") == {"MFS-7.5-01"}
    assert found["TestMachine.runTest"].tagged("threat") == {"THR-SMS-01"}
    assert found["test_one"].report_name() == "tests.unit.test_thing.test_one"
    two = found["TestGroup.test_two"]
    assert two.report_name() == "tests.unit.test_thing.TestGroup.test_two"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("RFC 8785", (("RFC 8785", ""),)),
        ("RFC 9562, 5.7", (("RFC 9562", "5.7"),)),
        (
            "ISO/TS 12812-2:2017, 3.9; A; RFC 9052, 5.2",
            (
                ("ISO/TS 12812-2:2017", "3.9"),
                ("ISO/TS 12812-2:2017", "A"),
                ("RFC 9052", "5.2"),
            ),
        ),
        (
            "ISO/TS 12812-2:2017, 7.1, 7.2.1",
            (("ISO/TS 12812-2:2017", "7.1"), ("ISO/TS 12812-2:2017", "7.2.1")),
        ),
        ("ISO/TS 12812-2:2017", (("ISO/TS 12812-2:2017", ""),)),
        ("RFC 9052, 5.2; 5.3", (("RFC 9052", "5.2"), ("5.3", ""))),
    ],
)
def test_a_source_is_split_into_works_and_places(source: str, expected: object) -> None:
    assert citations(source) == expected


def test_no_tree_and_no_python_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="name the root"):
        code_objects(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text("def (")
    with pytest.raises(Malformed, match=r"tests/test_x\.py:1 is not Python"):
        tagged_tests(tmp_path)
    (tmp_path / "tests" / "test_x.py").write_bytes(b"x = '\xff'")
    with pytest.raises(Malformed, match=r"tests/test_x\.py is not Python"):
        tagged_tests(tmp_path)
