"""The Kotlin pieces of the documentation are compiled, and those without a platform run."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ROOT = Path(__file__).resolve().parents[2]
SIGNATURES = ROOT / "tests" / "support" / "android"
COMPILER, JAVA = shutil.which("kotlinc"), shutil.which("java")
LIMIT_S = 180
FENCE = re.compile(r"^```kotlin\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRIES = 200
MAIN = """
import java.security.interfaces.ECPublicKey
import java.security.KeyPairGenerator

fun hex(text: String) = text.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
fun said(octets: ByteArray) = octets.joinToString("") { "%02x".format(it) }

fun main() {
    generateSequence(::readLine).forEach { println(said(rawSignature(hex(it)))) }
    val made = KeyPairGenerator.getInstance("EC").apply { initialize(256) }.generateKeyPair()
    println(said(point(made.public as ECPublicKey)).length)
}
"""


def pieces() -> list[tuple[str, str]]:
    """Every Kotlin piece of the pages, with the page that it stands on."""
    pages = (*sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "clients").glob("*/*.md")))
    found = ((page, page.read_text(encoding="utf-8")) for page in pages)
    return [(page.name, piece) for page, text in found for piece in FENCE.findall(text)]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pieces in one archive; compiled once."""
    if COMPILER is None or JAVA is None:
        pytest.skip(
            "kotlinc is missing: the Kotlin pieces are not compiled (apt-get install kotlin)"
        )
    place = tmp_path_factory.mktemp("kotlin")
    for number, (_, piece) in enumerate(pieces()):
        (place / f"Piece{number}.kt").write_text(piece, encoding="utf-8")
    (place / "Main.kt").write_text(MAIN, encoding="utf-8")
    target = place / "pieces.jar"
    done = subprocess.run(
        [COMPILER, *sorted(map(str, place.glob("*.kt"))), str(SIGNATURES), "-include-runtime",
         "-d", str(target)],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
        env={**os.environ, "JAVA_OPTS": "-Xmx512m -XX:TieredStopAtLevel=1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return target


@pytest.mark.requirement("MFS-7.2.6-01")
def test_every_kotlin_piece_of_the_pages_compiles(compiled: Path) -> None:
    assert len(pieces()) >= 3
    assert compiled.stat().st_size > 0


@pytest.mark.requirement("MFS-7.2.6-01")
def test_the_piece_that_converts_signatures_does_it_for_short_numbers_too(compiled: Path) -> None:
    signer = ec.generate_private_key(ec.SECP256R1())
    made = [signer.sign(bytes([one]), ec.ECDSA(hashes.SHA256())) for one in range(TRIES)]
    made += [bytes.fromhex("3006020101020102"), bytes.fromhex("3008020200ff020200fe")]
    assert JAVA is not None
    done = subprocess.run(
        [JAVA, "-cp", str(compiled), "MainKt"], input="\n".join(one.hex() for one in made),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *given, length = done.stdout.split()
    numbers = (decode_dss_signature(one) for one in made)
    assert given == [f"{r:064x}{s:064x}" for r, s in numbers]
    assert length == "130", "a point has 65 octets"
