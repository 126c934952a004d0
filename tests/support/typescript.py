"""The TypeScript client, built where Node and its development packages are at hand."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "clients" / "typescript"
NODE = shutil.which("node")
COMPILER = FOLDER / "node_modules" / "typescript" / "bin" / "tsc"
SECOND = FOLDER / "node_modules" / "@noble" / "post-quantum"


def built() -> Path:
    """The folder of the built package; skips, and says why, where it cannot be built."""
    if NODE is None:
        pytest.skip("node is missing: the TypeScript client is not tried (install Node 20)")
    if not (COMPILER.exists() and SECOND.exists()):
        pytest.skip("the TypeScript client is not tried: run npm ci in clients/typescript")
    dist = FOLDER / "dist"
    newest = max(one.stat().st_mtime for one in (FOLDER / "src").glob("*.ts"))
    if not (dist / "driven.js").exists() or (dist / "driven.js").stat().st_mtime < newest:
        shutil.rmtree(dist, ignore_errors=True)
        node("node_modules/typescript/bin/tsc", "-p", "tsconfig.json")
    return dist


def node(*arguments: str, given: str = "") -> str:
    """What Node prints for a script of the package."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, *arguments],
        cwd=FOLDER,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout
