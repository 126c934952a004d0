"""The error tree as its docstring draws it, as its classes are, and as the reference prints it."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from docs.generate import errors_page
from tests.architecture.source_tree import ROOT, Module, modules, parse
from tests.architecture.test_classification import import_everything

from tallystick.kernel import errors
from tallystick.kernel.errors import Refused, error_by_code, error_classes

ROW = re.compile(
    r"^ {4}(?P<indent>(?:[| ] {2})*)[|`]- (?P<name>\w+) +(?P<status>\d{3})?", re.MULTILINE
)


def drawn_tree() -> dict[str, tuple[str, int | None]]:
    """Name -> (name of the parent, status) as the docstring of kernel.errors draws it."""
    found: dict[str, tuple[str, int | None]] = {}
    parents = ["MfsError"]
    for row in ROW.finditer(errors.__doc__ or ""):
        depth = len(row["indent"]) // 3
        del parents[depth + 1 :]
        found[row["name"]] = (parents[depth], int(row["status"]) if row["status"] else None)
        parents.append(row["name"])
    return found


def test_the_docstring_draws_the_classes_and_their_statuses() -> None:
    drawn = drawn_tree()
    assert [name for name, (_, status) in drawn.items() if status is None] == ["Refused"]
    assert set(drawn) == {cls.__name__ for cls in error_classes()} - {"MfsError"}
    for cls in error_classes()[1:]:
        parent, status = drawn[cls.__name__]
        assert cls.__bases__[0].__name__ == parent
        assert status in {None, cls.status}


def test_every_code_is_its_own_and_leads_back_to_its_class() -> None:
    count = Counter(cls.code for cls in error_classes())
    assert set(count.values()) == {1}
    for cls in error_classes():
        assert error_by_code(cls.code) is cls
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", cls.code)


def test_a_refusal_is_the_senders_matter_and_a_fault_is_ours() -> None:
    for cls in error_classes()[1:]:
        assert (400 <= cls.status < 500) is issubclass(cls, Refused)
        assert cls.status < 600


def test_no_other_module_grows_the_tree() -> None:
    import_everything()
    assert {cls.__module__ for cls in error_classes()} == {"tallystick.kernel.errors"}


def test_the_reference_page_is_the_tree() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert page == errors_page(), "write it again: python dev.py docs"
    for cls in error_classes():
        assert f"| `{cls.code}` | {cls.status} |" in page


def swallowing(found: Iterable[Module]) -> Iterator[str]:
    """Handlers that stop the end of the process, and asserts, which vanish under -O."""
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Assert):
                yield f"{module.path}:{node.lineno}: assert guards nothing under -O"
            if isinstance(node, ast.ExceptHandler) and catches_everything(node):
                yield f"{module.path}:{node.lineno}: catches everything, raises nothing"


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Whether it catches even the end of the process, and does not raise again."""
    named = handler.type
    widest = named is None or (isinstance(named, ast.Name) and named.id == "BaseException")
    return widest and not any(isinstance(one, ast.Raise) for one in ast.walk(handler))


def raised_bare(found: Iterable[Module]) -> Iterator[str]:
    """The root and `Refused` say too little to be raised themselves."""
    for module in found:
        for node in ast.walk(module.tree):
            made = node.exc if isinstance(node, ast.Raise) else None
            name = made.func if isinstance(made, ast.Call) else made
            if isinstance(name, ast.Name) and name.id in {"MfsError", "Refused"}:
                yield f"{module.path}:{node.lineno}: raise {name.id}"


@pytest.mark.parametrize("rule", [swallowing, raised_bare], ids=lambda rule: rule.__name__)
def test_every_module_raises_and_catches_with_care(rule) -> None:
    found = sorted(rule(modules()))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (swallowing, "assert x\n"),
        (swallowing, "try: act()\nexcept: pass\n"),
        (swallowing, "try: act()\nexcept BaseException as e: print(e)\n"),
        (raised_bare, "raise MfsError('no')\n"),
        (raised_bare, "raise Refused\n"),
    ],
)
def test_a_breach_is_found(rule, text: str) -> None:
    assert len(list(rule([parse("kernel/a.py", text)]))) == 1
    careful = "try: act()\nexcept BaseException: undo(); raise\nraise Malformed('no')\n"
    assert not list(rule([parse("kernel/a.py", careful)]))
