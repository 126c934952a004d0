"""A refusal that a person reads says what to do: in the app, in the menu, at the desk."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "tallystick"
TOLD = frozenset(("Conflict", "NotPermitted", "Expired", "RateLimited"))
INNER = {
    "application/desks.py": "what no client of ours sends: orders of others, an agent out of reach",
    "application/simcommands.py": "an order that no SIM of ours signs",
    "application/payments/service.py": "a permit that another process made",
    "application/exemptions/service.py": "a setting that the compiler checks before",
    "application/policing/tightening.py": "told to the writer alone, which notes the reason",
    "application/tightenings/sealing.py": "a stored measure that the doctor finds",
    "application/sims/service.py": "a key that the assembly hands in",
    "application/channels/ussd.py": "the page of the menu says it in each language",
}
"""Files with refusals that reach no person, or reach them in other words, and why."""


def silent(path: Path) -> Iterator[str]:
    """Each refusal of the file at `path` that comes without a remedy."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in TOLD
            and not any(one.arg in {"remedy", None} for one in node.keywords)
        ):
            yield f"{path.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)[:90]}"


def test_every_refusal_that_a_person_reads_says_what_to_do() -> None:
    folders = (SOURCE / "application", SOURCE / "entry" / "http")
    files = [one for folder in folders for one in sorted(folder.rglob("*.py"))]
    inner = [str(one.relative_to(SOURCE)) for one in files if any(silent(one))]
    assert sorted(inner) == sorted(INNER), [line for one in files for line in silent(one)]


def test_a_silent_refusal_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.architecture.test_remedies.SOURCE", tmp_path)
    place = tmp_path / "one.py"
    place.write_text('raise Conflict("no")\nraise Conflict("no", remedy="go")\n', encoding="utf-8")
    assert list(silent(place)) == ["one.py:1: Conflict('no')"]
