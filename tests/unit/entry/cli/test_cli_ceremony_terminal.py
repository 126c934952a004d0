"""A ceremony at one terminal: what is typed is not seen, and the transcript is read by others."""

import base64
import json
import os
import pty
import re
import select
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.ceremonies import CREW, SECRET, made, planned, transcript, verified

from tallystick.entry.settings import ProviderFolder

SHARE = re.compile(r"tks1(?:-[0-9a-f]{1,8})+")
PROMPT = re.compile(r"(lead|ann|bob|cid|eve)( alone)?, ([^\n:]*): \Z")


def at_a_terminal(arguments: list[str]) -> tuple[int, str, dict[str, str], list[str]]:
    """Everyone at one terminal: exit code, all that was seen, papers, what was typed."""
    child, screen = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "tallystick.entry.cli", *arguments])
    seen, at, name = "", 0, ""
    papers: dict[str, str] = {}
    typed: list[str] = []
    try:
        while select.select([screen], [], [], 60)[0]:
            try:
                octets = os.read(screen, 4096)
            except OSError:
                break
            if not octets:
                break
            seen += octets.decode().replace("\r", "")
            asked = PROMPT.search(seen[at:])
            away = seen[at:].endswith("Enter takes it away: ")
            if asked is None and not away:
                continue
            if away:
                papers[name] = SHARE.search(seen[at:]).group()
                reply = ""
            else:
                name, what = asked.group(1), asked.group(3)
                reply = said(name, what, papers)
            at = len(seen)
            typed.append(reply)
            os.write(screen, reply.encode() + b"\n")
    finally:
        os.close(screen)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen, papers, typed


def said(name: str, what: str, papers: dict[str, str]) -> str:
    if what == "passphrase of your key":
        return f"passphrase of {name}"
    if what == "secret of the master key":
        return SECRET
    return "" if "Enter shows it" in what else papers[name]


@pytest.mark.requirement("MFS-7.4.2-04")
def test_at_a_terminal_only_a_share_that_is_shown_is_seen(tmp_path: Path) -> None:
    folder: ProviderFolder = made(tmp_path / "p")
    plan = planned(folder, "master-make", "--threshold", 2)
    keys = [w for one in CREW for w in ("--key-file", f"{one}={folder.offline / one}.key")]
    code, seen, papers, typed = at_a_terminal(
        ["ceremony", "run", str(folder.root), str(plan), *keys]
    )
    assert code == 0, seen
    assert set(papers) == {"ann", "bob", "cid"}
    for one in papers.values():
        assert seen.count(one) == 1, "shown once, and not echoed when it is typed"
        assert typed.count(one) >= 1
    for reply in set(typed) - set(papers.values()) - {""}:
        assert reply not in seen
    assert seen.count("\033[2J") == 3
    assert verified(folder).code == 0
    check_with_another_library(transcript(folder).read_bytes(), folder)


def check_with_another_library(octets: bytes, folder: ProviderFolder) -> None:
    """The envelope as the protocol's page describes it, checked without our code."""
    envelope = json.loads(octets)
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    said = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    officers = json.loads(folder.settings_file.read_bytes())["officers"]
    assert sorted(one["keyid"] for one in envelope["signatures"]) == sorted(CREW)
    for one in envelope["signatures"]:
        text = officers[one["keyid"]]["public"]
        point = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        public.verify(base64.b64decode(one["sig"]), said, ec.ECDSA(hashes.SHA256()))
