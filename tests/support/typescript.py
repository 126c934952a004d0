"""The TypeScript client, built where Node and its development packages are at hand."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.served import ORIGIN, PROVIDER, Served

from tallystick.infrastructure.crypto.signature import VerifyKey
from tallystick.kernel.codec import b64url

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


def node(*arguments: str, given: str = "", wycheproof: Path | None = None) -> str:
    """What Node prints for a script of the package; it may be told where Wycheproof's cases are."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, *arguments],
        cwd=FOLDER,
        env={**os.environ, **({"TALLYSTICK_WYCHEPROOF": str(wycheproof)} if wycheproof else {})},
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def customer(provider: Served, number: str) -> dict[str, Any]:
    """A new customer with money, as a device needs to know about them to enrol."""
    activation = provider.open_customer(number, "Ann Wanjiru").reference
    provider.fund(number, 100_000)
    return {"activation": activation, "code": provider.activation_code(number).reveal()}


def root_of(root: VerifyKey) -> dict[str, str]:
    """A root as the client pins it."""
    return {"algorithm": root.algorithm, "public": b64url(root.octets())}


def device(provider: Served, state: Path, **asked: Any) -> dict[str, Any]:
    """What a device in Node says that keeps its keys in the file `state`."""
    done = provider.done.root
    whole = {
        "url": provider.url,
        "provider": PROVIDER,
        "origin": ORIGIN,
        "root": {"algorithm": done.algorithm, "public": done.public},
        "state": str(state),
    }
    return dict(json.loads(node("test/pays.mjs", given=json.dumps({**whole, **asked}))))
