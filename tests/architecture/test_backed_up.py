"""Every file of a provider's folder that the source names is taken by a backup or left with why."""

import ast
from collections.abc import Iterator

import pytest
from tests.architecture.source_tree import Module, modules, parse

from tallystick.entry.contents import CONTENTS, content_of

FOLDERS = {"root", "folder", "_root", "_folder"}
"""What a provider's folder is called where something is joined to it."""

ELSEWHERE = {
    "entry/cli/keys.py": {"share-*"},  # where shares are handed out
    "entry/http/workers/place.py": {"doors"},  # a temporary folder of fronts
    "entry/setup.py": {"*.key"},  # below offline/
    "entry/witnessing/server.py": {"key.der"},  # a witness's own folder
    "entry/cli/bundles.py": {"evidence.json"},  # a file of a bundle
    "entry/keyfiles.py": {"*.block"},  # below keys/
    "entry/looping.py": {"*.yaml"},  # below proposals/
    "entry/cli/pki.py": {"authority-roots.pem"},  # below pki/
    "entry/dating/duty.py": {"stamps.lock"},
    "entry/pki/checkpoints.py": {"former-roots.pem"},
    "entry/pki/places.py": {"certificates.json", "stamps", "register.log", "lists"},
}
"""What is joined to a folder of such a name that is not a provider's, or to one below it."""

Constants = dict[str, tuple[str, ...]]


def names_in(module: Module, constants: Constants) -> Iterator[str]:
    """The names of files that `module` joins to a provider's folder, or says it decodes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = node.left
            name = left.attr if isinstance(left, ast.Attribute) else getattr(left, "id", "")
            if name in FOLDERS:
                yield from texts_of(node.right, constants)
        elif isinstance(node, ast.keyword) and node.arg == "file":
            yield from (one for one in texts_of(node.value, constants) if "." in one)


def texts_of(node: ast.expr, constants: Constants) -> tuple[str, ...]:
    """What the expression `node` may be as text; a star for what only a run knows."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    if isinstance(node, ast.Name):
        return constants.get(node.id, ())
    if isinstance(node, ast.Subscript):
        return texts_of(node.value, constants)
    if isinstance(node, ast.Dict):
        return tuple(text for one in node.values for text in texts_of(one, constants))
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "*" for one in node.values]
        return ("".join(map(str, parts)),)
    return ()


def constants_of(all_of: tuple[Module, ...]) -> dict[str, Constants]:
    """Texts that modules give a name, by module, with those that they import."""
    found: dict[str, Constants] = {one.dotted: {} for one in all_of}
    for _ in range(3):  # a package may hand on what its module says
        for one in all_of:
            for node in one.tree.body:
                own = found[one.dotted]
                if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                    texts = texts_of(node.value, own)
                    if isinstance(target, ast.Name) and texts:
                        own[target.id] = texts
                elif isinstance(node, ast.ImportFrom) and node.module in found:
                    for alias in node.names:
                        texts = found[node.module].get(alias.name, ())
                        if texts:
                            own[alias.asname or alias.name] = texts
    return found


def unnamed(all_of: tuple[Module, ...]) -> set[tuple[str, str]]:
    """Modules of `entry/` with the names in them that no row of the list is for."""
    constants = constants_of(all_of)
    return {
        (one.path, name)
        for one in all_of
        if one.within("entry/")
        for name in names_in(one, constants[one.dotted])
        if content_of(name) is None and not any(row.path.startswith(f"{name}/") for row in CONTENTS)
    }


def test_every_file_of_a_provider_is_taken_or_left_with_a_reason() -> None:
    elsewhere = {(path, name) for path, names in ELSEWHERE.items() for name in names}
    assert unnamed(modules()) == elsewhere, "name it in entry/contents.py: taken, or left and why"


@pytest.mark.parametrize(
    "text",
    [
        'FILE = "fresh.json"\ndef read(root): return (root / FILE).read_bytes()',
        'def read(self): return self._folder.root / "fresh.json"',
        'FILES = {1: "fresh.json"}\ndef read(root): return root / FILES[1]',
        "from tallystick.entry.other import FILE as THIS\ndef read(folder): return folder / THIS",
        '_settings = Decoder(Fresh, file="fresh.json")',
    ],
)
def test_a_file_that_nobody_named_is_found(text: str) -> None:
    other = parse("entry/other.py", 'FILE: Final = "fresh.json"')
    assert unnamed((other, parse("entry/fresh.py", text))) == {("entry/fresh.py", "fresh.json")}


def test_every_row_is_of_files_that_the_source_knows() -> None:
    beside = tuple(one.text for one in modules() if one.path != "entry/contents.py")
    heads = {row.path.split("/")[0].split("*")[0] for row in CONTENTS}
    unknown = {head for head in heads if not any(head in text for text in beside)}
    assert unknown == {"policy.derived.yaml.reasons.json"}, "it is made of the name of the other"
    assert len({row.path for row in CONTENTS}) == len(CONTENTS)
