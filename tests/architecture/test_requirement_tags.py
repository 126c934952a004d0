"""Every tag in the tests names a row of the catalogue, in writing that a reader can search for."""

from collections.abc import Iterable, Iterator

from tests.architecture.source_tree import ROOT

from tallystick.process.catalogue import catalogue
from tallystick.process.catalogue.scan import Tag, TaggedTest, tagged_tests


def wrong_tags(found: Iterable[TaggedTest]) -> Iterator[str]:
    rows = {"requirement": catalogue().requirements, "threat": catalogue().threats}
    for test in found:
        for tag in test.tags:
            where = f"{test.path}:{tag.line}: {test.name}"
            if not tag.id:
                yield f"{where}: write the id of the {tag.sort} as a text"
            elif tag.id not in rows[tag.sort]:
                yield f"{where}: the catalogue has no {tag.sort} {tag.id}"


def test_every_tag_names_a_row() -> None:
    found = sorted(set(wrong_tags(tagged_tests(ROOT))))
    assert not found, "\n" + "\n".join(found)


def test_the_scan_sees_the_tags_of_this_repository() -> None:
    tagged = {one.path for one in tagged_tests(ROOT) if one.tags}
    assert "tests/unit/process/catalogue/test_catalogue_matrix.py" in tagged


def test_a_wrong_tag_is_found() -> None:
    tags = (
        Tag(sort="requirement", id="MFS-7.3.3-01", line=1),
        Tag(sort="requirement", id="MFS-7.3.3-99", line=2),
        Tag(sort="threat", id="MFS-7.3.3-01", line=3),
        Tag(sort="threat", id="", line=4),
    )
    test = TaggedTest(path="tests/test_a.py", line=1, name="test_x", tags=tags)
    assert list(wrong_tags([test])) == [
        "tests/test_a.py:2: test_x: the catalogue has no requirement MFS-7.3.3-99",
        "tests/test_a.py:3: test_x: the catalogue has no threat MFS-7.3.3-01",
        "tests/test_a.py:4: test_x: write the id of the threat as a text",
    ]
