"""Before the tests, what builds the TypeScript client is installed once, or its lack is said."""

import dev
import pytest


@pytest.fixture
def package(tmp_path):
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_it_is_installed_from_the_lock_file_once(package, capsys):
    calls = []

    def call(command, **named):
        calls.append((command, named))
        (package / "node_modules").mkdir()
        return 0

    for _ in range(2):
        dev.typescript(folder=package, call=call, npm="npm")
    command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
    assert calls == [(command, {"cwd": package})]
    assert capsys.readouterr().out == ""


def test_without_npm_or_where_it_fails_the_skipping_is_said(package, capsys, monkeypatch):
    monkeypatch.setattr(dev.shutil, "which", lambda _: None)
    dev.typescript(folder=package, call=lambda *_, **__: 1)
    assert "missing: node 20" in capsys.readouterr().out
    dev.typescript(folder=package, call=lambda *_, **__: 1, npm="npm")
    assert "npm ci failed" in capsys.readouterr().out


def test_a_tree_without_the_client_says_nothing(tmp_path, capsys):
    dev.typescript(folder=tmp_path, call=lambda *_, **__: pytest.fail("called"), npm="npm")
    assert capsys.readouterr().out == ""
