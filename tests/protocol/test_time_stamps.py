"""`openssl ts` stamps what we sign and verifies what we keep; what goes wrong is told."""

import subprocess
from pathlib import Path

import pytest
from simulators.loopback import Response
from simulators.time_authority import OTHER_POLICY, REPLY, TimeAuthority, issue
from tests.support.forged_stamps import Forger
from tests.unit.process.conformance.bundles import OFFICERS, made

from tallystick.entry.stamping import Authority, exchange
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.infrastructure.timestamps import verify_stamp
from tallystick.kernel.errors import Malformed, NotAuthentic, Unavailable
from tallystick.kernel.model import replace
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.bundle import Pinned, make_bundle, verify_bundle

DATA = b"a manifest and its signature"


def openssl_verifies(place: Path, stamp: bytes, data: bytes, root: Path, *more: str) -> bool:
    (place / "data").write_bytes(data)
    (place / "stamp.tsr").write_bytes(stamp)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", str(place / "data"), "-in", str(place / "stamp.tsr"),
         "-CAfile", str(root), *more],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (done.returncode == 0) == ("Verification: OK" in done.stdout)
    return done.returncode == 0


@pytest.mark.parametrize("curve", [False, True], ids=["rsa", "ecdsa"])
def test_openssl_stamps_and_verifies_what_we_keep(tmp_path: Path, curve: bool) -> None:
    authority = TimeAuthority(tmp_path / "tsa")
    if curve:
        signer = issue("Curved stamps", authority.root, stamps=True, curve=True)
        authority = TimeAuthority(tmp_path / "curved", signer=signer)
    root = authority.root if not curve else None
    with authority.serve() as server:
        pem = (tmp_path / "tsa" / "root.pem").read_bytes()
        stamps = Authority(f"{server.url}/tsr", certificates_in(pem), OTHER_POLICY)
        octets = stamps.stamp(DATA)
    found = verify_stamp(octets, DATA, certificates_in(pem), policy=OTHER_POLICY)
    assert found.authority.endswith("stamps")
    assert root is None or root.pem() == pem
    pinned = tmp_path / "tsa" / "root.pem"
    assert openssl_verifies(tmp_path, octets, DATA, pinned)
    assert not openssl_verifies(tmp_path, octets, DATA + b".", pinned)
    other = tmp_path / "other.pem"
    other.write_bytes(issue("Rehearsal root").pem())
    assert not openssl_verifies(tmp_path, octets, DATA, other)


def test_openssl_verifies_what_our_forger_signs_honestly_and_not_otherwise(tmp_path: Path) -> None:
    """So that the unit tests refuse the one thing that is wrong, and not everything."""
    forger = Forger()
    root = tmp_path / "root.pem"
    root.write_bytes(forger.root.pem())
    assert openssl_verifies(tmp_path, forger.authority().stamp(DATA), DATA, root)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(500, b"", REPLY), Unavailable),
        (Response(200, b"<html>", "text/html"), Unavailable),
        (None, Unavailable),
        (Response(200, b"nonsense", REPLY), NotAuthentic),
        (Response(200, b"0" * (300 * 1024), REPLY), Unavailable),
    ],
    ids=["error", "page", "silence", "nonsense", "too long"],
)
def test_what_an_authority_may_answer_instead(tmp_path: Path, answer, error) -> None:
    authority = TimeAuthority(tmp_path, change=lambda _: answer)
    with authority.serve() as server, pytest.raises(error):
        Authority(server.url, certificates_in(authority.root.pem())).stamp(DATA)


def test_an_old_answer_is_refused_and_a_closed_door_is_out_of_reach(tmp_path: Path) -> None:
    kept: list[bytes] = []

    def replayed(octets: bytes) -> Response:
        kept.append(octets)
        return Response(200, kept[0], REPLY)

    authority = TimeAuthority(tmp_path, change=replayed)
    roots = certificates_in(authority.root.pem())
    with authority.serve() as server:
        assert Authority(server.url, roots).stamp(DATA)
        with pytest.raises(NotAuthentic, match="nonce"):
            Authority(server.url, roots).stamp(DATA)
        url = server.url
    with pytest.raises(Unavailable):
        Authority(url, roots).stamp(DATA)
    for address in ("ftp://tsa.example/", "tsa.example", "https:///"):
        with pytest.raises(Malformed):
            exchange(address, b"")


def test_a_bundle_is_stamped_and_verifies_with_the_pinned_root_alone(tmp_path: Path) -> None:
    one = made()
    authority = TimeAuthority(tmp_path / "tsa")
    roots = certificates_in(authority.root.pem())
    with authority.serve() as server:
        files = make_bundle(
            one.basis, catalogue(), one.proofs, OFFICERS["officer-1"], "officer-1",
            stamp=Authority(server.url, roots).stamp,
        )  # fmt: skip
    found = verify_bundle(files, one.whose, catalogue(), Pinned(roots))
    assert found.stamped is not None
    assert found.stamped.at >= one.basis.made_at
    assert verify_bundle(files, one.whose, catalogue()).stamped is None
    assert openssl_verifies(
        tmp_path, files["manifest.tsr"], files["manifest.dsse.json"], authority.root_file
    )
    stranger = Pinned(certificates_in(issue("Rehearsal root").pem()))
    with pytest.raises(NotAuthentic, match="no path"):
        verify_bundle(files, one.whose, catalogue(), stranger)
    with pytest.raises(NotAuthentic, match="under the policy"):
        verify_bundle(files, one.whose, catalogue(), Pinned(roots, OTHER_POLICY))
    taken = {name: octets for name, octets in files.items() if name != "manifest.tsr"}
    with pytest.raises(NotAuthentic, match=r"manifest\.tsr is missing"):
        verify_bundle(taken, one.whose, catalogue())
    with pytest.raises(NotAuthentic, match="has no time stamp"):
        verify_bundle(one.files, one.whose, catalogue(), Pinned(roots))
    added = {**one.files, "manifest.tsr": files["manifest.tsr"]}
    with pytest.raises(NotAuthentic, match="does not belong"):
        verify_bundle(added, one.whose, catalogue())


def test_a_stamp_of_another_bundle_or_from_before_it_was_made_is_refused() -> None:
    one, forger = made(), Forger()
    pinned, signer = Pinned(forger.roots), OFFICERS["officer-1"]

    def bundle(basis, authority: Forger) -> dict[str, bytes]:
        return make_bundle(
            basis, catalogue(), one.proofs, signer, "officer-1", stamp=authority.authority().stamp
        )

    first, second = bundle(one.basis, forger), bundle(one.basis, forger)
    swapped = {**first, "manifest.tsr": second["manifest.tsr"]}
    with pytest.raises(NotAuthentic, match="something else"):
        verify_bundle(swapped, one.whose, catalogue(), pinned)
    early = bundle(replace(one.basis, made_at=4_000_000_000_000), forger)
    with pytest.raises(NotAuthentic, match="stamped before that"):
        verify_bundle(early, one.whose, catalogue(), pinned)


def test_in_an_outage_the_bundle_is_made_without_and_says_so() -> None:
    one = made()

    def out_of_reach(_: bytes) -> bytes:
        raise Unavailable("the authority cannot be reached")

    files = make_bundle(
        one.basis, catalogue(), one.proofs, OFFICERS["officer-1"], "officer-1", stamp=out_of_reach
    )
    found = verify_bundle(files, one.whose, catalogue())
    assert found.lock.time_stamp.startswith("none: the authority gave none")
    assert "manifest.tsr" not in files
    assert found.stamped is None
    assert b"To get one of your own" in files["README.txt"]

    def wrong(_: bytes) -> bytes:
        raise NotAuthentic("the time stamp answers another query")

    with pytest.raises(NotAuthentic):
        make_bundle(
            one.basis, catalogue(), one.proofs, OFFICERS["officer-1"], "officer-1", stamp=wrong
        )
