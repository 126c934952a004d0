"""The schema in steps: forward only, as a whole, and never behind the file."""

import pytest

from tallystick.entry.schema import MIGRATIONS
from tallystick.infrastructure.store.database import Database
from tallystick.infrastructure.store.migrations import (
    Migration,
    migrate,
    only_adds,
    schema_numbers,
)
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.errors import Broken, Unavailable
from tallystick.kernel.time import Instant

NOW = Instant(1_767_225_600_000)
FIRST = Migration(
    number=1,
    name="pairs",
    statements=("CREATE TABLE pair (id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT",),
)
SECOND = Migration(
    number=2,
    name="pairs have a colour",
    statements=(
        "ALTER TABLE pair ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'",
        "UPDATE pair SET colour = 'even' WHERE number % 2 = 0",
    ),
)
OTHER = Migration(number=10, name="lines", statements=("CREATE TABLE line (seq INTEGER) STRICT",))


@pytest.fixture
def database(place: Place):
    with open_database(place) as opened:
        yield opened


def test_steps_are_applied_once_in_the_order_of_their_numbers(database: Database) -> None:
    assert schema_numbers(database) == ()
    assert migrate(database, [OTHER, SECOND, FIRST], NOW) == (1, 2, 10)
    assert migrate(database, [FIRST, SECOND, OTHER], NOW) == ()
    assert schema_numbers(database) == (1, 2, 10)
    assert database.rows("SELECT number, name, applied_at FROM schema_version") == [
        (1, "pairs", NOW),
        (2, "pairs have a colour", NOW),
        (10, "lines", NOW),
    ]


def test_the_data_of_the_version_before_come_along(place: Place) -> None:
    with open_database(place) as before:
        migrate(before, [FIRST], NOW)
        before.execute("INSERT INTO pair VALUES ('a', 1), ('b', 2)")
    with open_database(place) as after:
        assert migrate(after, [FIRST, SECOND], Instant(NOW + 1)) == (2,)
        assert after.rows("SELECT * FROM pair ORDER BY id") == [("a", 1, "none"), ("b", 2, "even")]


def test_a_capability_that_comes_later_may_have_a_lower_number(database: Database) -> None:
    migrate(database, [FIRST, OTHER], NOW)
    assert migrate(database, [FIRST, SECOND, OTHER], NOW) == (2,)


ADDED = Migration(
    number=11,
    name="what a newer version adds",
    statements=(
        "ALTER TABLE pair ADD COLUMN since INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE mark (id TEXT PRIMARY KEY, pair TEXT NOT NULL) STRICT",
        "CREATE UNIQUE INDEX mark_once ON mark (pair)",
        "CREATE INDEX pair_since ON pair (since)",
    ),
)


def test_the_version_before_goes_on_after_a_step_that_only_adds(database: Database) -> None:
    migrate(database, [FIRST, ADDED], NOW)
    assert migrate(database, [FIRST], NOW) == ()
    database.execute("INSERT INTO pair (id, number) VALUES ('a', 1)")
    assert database.rows("SELECT id, number, since FROM pair") == [("a", 1, 0)]
    assert migrate(database, [FIRST, ADDED], NOW) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE pair",
        "ALTER TABLE pair DROP COLUMN number",
        "ALTER TABLE pair ADD COLUMN must INTEGER NOT NULL",
        "CREATE UNIQUE INDEX pair_once ON pair (number)",
        "UPDATE pair SET number = 0",
        "INSERT INTO pair (id, number) VALUES ('x', 1)",
    ],
)
def test_a_step_that_an_older_version_would_stumble_over_is_told(statement: str) -> None:
    assert not only_adds(statement)
    assert not only_adds(f"CREATE TABLE other (id TEXT) STRICT;\n{statement}")


def test_every_step_of_the_product_only_adds() -> None:
    for step in MIGRATIONS:
        assert only_adds(";\n".join(" ".join(one.split()) for one in step.statements)), step.name


def test_a_file_of_a_newer_version_is_refused_untouched(database: Database) -> None:
    migrate(database, [FIRST, SECOND], NOW)
    with pytest.raises(Unavailable, match="step 2 of the schema") as caught:
        migrate(database, [FIRST, OTHER], NOW)
    assert "newer" in caught.value.remedy
    assert schema_numbers(database) == (1, 2)


def test_a_step_that_fails_leaves_nothing_of_itself(database: Database) -> None:
    wrong = Migration(
        number=2,
        name="wrong",
        statements=("CREATE TABLE half (id INTEGER) STRICT", "INSERT INTO absent VALUES (1)"),
    )
    with pytest.raises(Broken):
        migrate(database, [FIRST, wrong, OTHER], NOW)
    assert schema_numbers(database) == (1,)
    assert "half" not in {shape.table for shape in database.shapes()}
    assert migrate(database, [FIRST, SECOND, OTHER], NOW) == (2, 10)


def test_an_applied_step_must_stay_as_it_is_but_for_its_layout(database: Database) -> None:
    migrate(database, [FIRST], NOW)
    spaced = Migration(
        number=1,
        name="pairs",
        statements=("CREATE TABLE pair\n  (id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT",),
    )
    assert migrate(database, [spaced], NOW) == ()
    changed = Migration(number=1, name="pairs", statements=("CREATE TABLE pair (id TEXT) STRICT",))
    with pytest.raises(Broken, match="changed after"):
        migrate(database, [changed], NOW)


def test_two_steps_with_one_number_are_refused(database: Database) -> None:
    with pytest.raises(Broken, match="number 1"):
        migrate(database, [FIRST, Migration(number=1, name="other", statements=())], NOW)
    assert schema_numbers(database) == ()
