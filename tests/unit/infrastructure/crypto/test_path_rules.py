"""Each rule of a path is broken under each use: refused, or let pass for the reason that is given.

Two others judge beside ours where their rules are the same: `openssl verify`, and for payments the
verifier of the library.
"""

import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification
from tests.support.broken_paths import ALWAYS, BROKEN, broken, cases, refuses
from tests.support.paths import (
    AT,
    CLIENT,
    NOW,
    USES,
    Shown,
    made,
    sound,
)

from tallystick.infrastructure.crypto.certify import pem_of
from tallystick.infrastructure.crypto.path_rules import ALL, APPLE, PARTNERS, RESPONDERS, STAMPS
from tallystick.infrastructure.crypto.paths import Rules
from tallystick.kernel.errors import Malformed, NotAuthentic, TooLarge


@pytest.mark.parametrize("rules", USES, ids=lambda one: one.name)
def test_a_sound_path_holds(rules: Rules) -> None:
    drawing = sound(rules)
    assert len(made(drawing).verified(rules)) == len(drawing.path)
    if rules.ordered:
        assert len(made(replace(drawing, shown=True)).verified(rules)) == len(drawing.path)


@pytest.mark.requirement("MFS-7.4.2-11")
@pytest.mark.parametrize(("name", "rules"), cases(), ids=lambda one: getattr(one, "name", one))
def test_each_rule_is_broken_under_each_use(name: str, rules: Rules) -> None:
    drawing = broken(name, rules)
    assert drawing is not None
    if refuses(rules, name):
        with pytest.raises((NotAuthentic, Malformed, TooLarge)):
            made(drawing).verified(rules)
    else:
        assert rules.because[BROKEN[name][0]]
        assert made(drawing).verified(rules)


def test_whatever_is_loosened_has_a_reason_and_is_tried() -> None:
    flags = {one.name for one in fields(Rules) if one.default is True}
    assert flags == {field for field, _ in BROKEN.values()} - {ALWAYS, "purpose", "alone"}
    for rules in ALL:
        assert set(rules.because) == {one for one in flags if not getattr(rules, one)}


def test_the_page_shows_the_rules_as_they_are() -> None:
    page = (Path(__file__).parents[4] / "docs/explanation/pki-and-time.md").read_text("utf-8")
    columns = ("dated", "pinned", "hashed", "marked", "rooted", "exact", "ends")
    assert f"| use | longest | {' | '.join(columns)} |" in page
    for rules in ALL:
        words = " | ".join("yes" if getattr(rules, one) else "no" for one in columns)
        assert f"| {rules.name} | {rules.longest} | {words} |" in page


PURPOSES = {
    CLIENT.dotted_string: "sslclient", STAMPS.purpose: "timestampsign",
    RESPONDERS.purpose: "ocsphelper", "": "any",
}  # fmt: skip
STRICTER = {
    "too long": "it has no limit below a hundred",
    "leaf on a short curve": "112 bits are enough at its second level",
    "leaf on Ed25519": "it takes every sort of key that it knows",
    "issuer on Ed25519": "it takes every sort of key that it knows",
    "issuer has no limits": "it takes a root whose key signs certificates",
    "leaf of version 1": "it asks nothing of a leaf that says nothing",
    "leaf says nothing of its key": "it asks for the usage where one is said",
    "leaf is an issuer": "it takes an issuer for a leaf",
    "leaf may sign certificates": "it takes an issuer for a leaf",
    "another purpose": "what it calls the purpose of a responder asks for nothing",
    "no purpose": "a leaf that says none is for every one",
    "any purpose": "it takes any beside the one that is due",
    "key does not sign": "its client of TLS may agree on a key instead",
}
"""What we refuse and openssl lets pass, and why it does."""
LOOSER = {
    "root issued anew": "it believes certificates, never keys",
    "leaf on ML-DSA": "its older versions do not know it",
    "leaf names another key": "it compares the names of keys wherever they are",
    **dict.fromkeys(
        (one for one, (field, _) in BROKEN.items() if field in {"marked", "rooted"}),
        "marks are judged apart, or not asked of a root, and it asks for them always",
    ),
}
"""What a use lets pass for its reason, and openssl refuses."""


def openssl(shown: Shown, rules: Rules, folder: Path) -> bool:
    """What `openssl verify` says of it."""
    (folder / "roots.pem").write_text("".join(map(pem_of, shown.roots)))
    (folder / "others.pem").write_text("".join(map(pem_of, shown.others)))
    (folder / "leaf.pem").write_text(pem_of(shown.leaf))
    time = ["-attime", str(AT // 1000)] if rules.dated else ["-no_check_time"]
    strict = ["-x509_strict"] if rules.exact else []
    others = ["-untrusted", "others.pem"] if shown.others else []
    command = [
        "openssl", "verify", *time, *strict, "-auth_level", "2", "-no-CApath", "-no-CAstore",
        "-purpose", PURPOSES[rules.purpose], "-CAfile", "roots.pem", *others, "leaf.pem",
    ]  # fmt: skip
    return not subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


def library(shown: Shown, rules: Rules) -> bool:
    """What the verifier of the library says of it."""
    parsed = [x509.load_der_x509_certificate(one) for one in (*shown.roots, *shown.others)]
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(parsed[:1]))
        .time(NOW)
        .max_chain_depth(rules.longest - 1)
        .build_client_verifier()
    )
    try:
        verifier.verify(x509.load_der_x509_certificate(shown.leaf), parsed[1:])
    except verification.VerificationError:
        return False
    return True


def passes(shown: Shown, rules: Rules) -> bool:
    try:
        shown.verified(rules)
    except (NotAuthentic, Malformed, TooLarge):
        return False
    return True


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there")
@pytest.mark.parametrize("rules", [USES[0], STAMPS, PARTNERS, APPLE], ids=lambda one: one.name)
def test_openssl_judges_likewise_where_its_rules_are_the_same(rules: Rules, tmp_path: Path) -> None:
    assert openssl(made(sound(rules)), rules, tmp_path)
    agreed = 0
    for name, under in cases():
        if under is not rules:
            continue
        shown = made(broken(name, rules))
        ours, theirs = passes(shown, rules), openssl(shown, rules, tmp_path)
        agreed += not ours and not theirs
        assert ours == theirs or name in (LOOSER if ours else STRICTER), name
    assert agreed >= 12


def test_nothing_that_the_library_refuses_passes_as_a_payment() -> None:
    rules = USES[0]
    assert library(made(sound(rules)), rules)
    refused = 0
    for name, under in cases():
        if under is rules and not library(made(broken(name, rules)), rules):
            assert not passes(made(broken(name, rules)), rules)
            refused += 1
    assert refused > 20
