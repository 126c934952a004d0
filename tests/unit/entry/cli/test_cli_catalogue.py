"""The catalogue on the command line."""

import json
from pathlib import Path

from tests.unit.entry.cli.command_line import tallystick
from tests.unit.process.library.strict_reader import read_library

from tallystick.entry.cli.console import progress


def test_a_requirement_and_a_threat_are_shown() -> None:
    ran = tallystick("catalogue", "show", "MFS-7.3.3-01")
    assert ran.code == 0
    assert "7.3.3" in ran.out
    told = json.loads(tallystick("catalogue", "show", "THR-SMS-01", "--json").out)
    assert told["id"] == "THR-SMS-01"
    unknown = tallystick("catalogue", "show", "MFS-9.9.9-99")
    assert unknown.code == 1


def test_coverage_is_printed_for_a_repository(tmp_path: Path) -> None:
    for name in ("src", "tests"):
        (tmp_path / name).mkdir()
    ran = tallystick("catalogue", "coverage", tmp_path)
    assert ran.code == 0, ran.all
    assert "MFS-7.3.3-01" in ran.out or "7.3.3" in ran.out


def test_an_overlay_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "overlay.yaml").write_text("nothing: of the kind\n")
    ran = tallystick("catalogue", "overlay", tmp_path / "overlay.yaml")
    assert ran.code == 1
    assert ran.err.startswith("error: ")


def test_progress_is_silent_where_nobody_looks(capsys) -> None:
    with progress("events") as tell:
        tell(1, 2)
        tell(2, 2)
    assert capsys.readouterr().err == ""


def test_the_catalogue_is_written_as_a_library(tmp_path: Path) -> None:
    ran = tallystick("catalogue", "library", tmp_path / "library", "--version", 2)
    assert ran.code == 0, ran.all
    written = sorted(one.name for one in (tmp_path / "library").iterdir())
    assert written == [
        "tallystick-mfs-to-iso27001-2022.yaml",
        "tallystick-mfs-to-owasp-masvs-v2.1.0.yaml",
        "tallystick-mfs.yaml",
    ]
    for name in written:
        assert read_library((tmp_path / "library" / name).read_bytes())["version"] == 2
    assert tallystick("catalogue", "library", tmp_path, "--version", 0).code == 2
