"""Every public thing says which text it comes from, and no text is cited that does not exist."""

import re
from collections.abc import Iterator

import pytest
from tests.architecture.source_tree import ROOT

from tallystick.kernel.clause import STANDARD
from tallystick.process.catalogue import catalogue, glossary
from tallystick.process.catalogue.scan import CodeObject, citations, code_objects

# Commands, whose docstrings are the help that people read; each module says its source.
COMMANDS = {
    f"src/tallystick/entry/cli/{name}.py"
    for name in (
        "appkeys",
        "apps",
        "authentication",
        "backups",
        "beginning",
        "certificates",
        "checklists",
        "incentives",
        "registers",
        "releases",
        "builds",
        "bundles",
        "catalogue",
        "ceremonies",
        "completing",
        "crypto",
        "conforming",
        "derivations",
        "devices",
        "keys",
        "tightenings",
        "ledger",
        "loops",
        "mending",
        "main",
        "modules",
        "operators",
        "networks",
        "partners",
        "paycrypts",
        "desks",
        "staff",
        "pki",
        "policies",
        "programmes",
        "proofs",
        "provider",
        "proving",
        "widening",
        "witnesses",
        "rechecks",
        "reports",
        "risks",
        "doctors",
        "replaying",
        "rogues",
        "timelines",
        "dating",
        "verdictkeys",
        "stamps",
        "stores",
        "surfaces",
        "keylives",
        "vendors",
        "partner_lists",
    )
}

# What else may be cited: a series and a number, with parts, editions and a place behind a comma.
OTHER_WORK = re.compile(
    r"^(?!ISO/TS 12812-2)(?:"
    r"RFC \d{3,5}"
    r"|ISO(?:/IEC|/TS|/TR|/IEC TS|/IEC TR)? \d{3,6}(?:-\d{1,3})?(?::\d{4})?"
    r"|(?:IEC|ETSI (?:TS|EN|TR)|EN|ANSI X|ITU-T [A-Z]\.)\s?[\d. -]+\d(?:-\d+)?(?::\d{4})?"
    r"|FIPS (?:PUB )?\d{3}(?:-\d)?"
    r"|NIST (?:SP|IR) \d{3,4}(?:-\d{1,3}[A-Z]?)?(?:-\d|r\d)?(?: Rev\. \d)?"
    r"|SEC ?1|SEC 2|X9\.\d+|X\.\d{3,4}|TR-3[14]"
    r"|C2SP [a-z0-9-]+(?:/[a-z-]+)?"
    r"|(?:[a-z]+/)?draft-[a-z0-9-]+"
    r"|OpenAPI \d\.\d(?:\.\d)?|YAML \d\.\d(?:\.\d)?|JSON Schema [\d-]+|OSCAL \d\.\d(?:\.\d)?"
    r"|CommonMark \d\.\d+|SQLite|PostgreSQL \d+|IEEE \d{3,4}(?:\.\d+)?(?:-\d{4})?"
    r"|SMPP \d\.\d"
    r"|OpenTelemetry [A-Za-z0-9 .-]+"
    r"|OpenID Connect [A-Za-z0-9 .-]+|WCAG \d\.\d|HTML Living Standard|WHATWG [A-Za-z ]+|CWE-\d+"
    r"|W3C [A-Za-z0-9 -]+|WebAuthn(?: Level)? \d|FIDO [A-Za-z0-9 .-]+|OWASP [A-Za-z0-9 .-]+"
    r"|PKCS #\d{1,2} v\d\.\d"
    r"|PCI [A-Z]+(?: [A-Z]+)?(?: \d[\d.]*)?|EMV [A-Za-z0-9 .-]+|EMVCo [A-Za-z0-9 .-]+"
    r"|GlobalPlatform [A-Za-z0-9 .-]+|GSMA [A-Za-z0-9 .-]+|3GPP TS \d+\.\d+"
    r"|AWS [A-Za-z0-9 .-]+"
    r"|FATF R\.\d+|Regulation \(EU\) [\d/]+|Delegated Regulation \(EU\) [\d/]+"
    r"|Directive \(?E[UC]\)? ?[\d/]+(?:/E[CU])?|AuthZEN [A-Za-z0-9 .-]+"
    r"|[A-Z][a-z]+(?:[ /-][A-Za-z]+){3,12}|[A-Z]\. [A-Z][a-z]+"  # a paper: its title, its author
    r"|[a-z_]+\([2-8]\)"  # a page of the system's manual
    r")$"
)
PLACE = re.compile(r"^[\w .,():/*#\"'-]{1,80}$")
NUMBER = re.compile(r"^(?:\d{1,3}(?:\.\d{1,3}){0,4}|[A-D](?:\.\d{1,2}){0,3})$")


def missing(found: CodeObject) -> str | None:
    """What is wrong with the docstring of `found`, apart from what it cites."""
    if not found.documented:
        return "no docstring"
    if found.name and found.path in COMMANDS:
        return None
    return None if found.source else "the last line of the docstring is not `Source: ...`"


def wrong_citations(source: str) -> Iterator[str]:
    """Each citation of `source` that names no clause, or has no plausible shape."""
    previous = ""
    for work, place in citations(source):
        if work == STANDARD:
            if not (catalogue().knows_clause(place) or place in glossary()):
                yield f"{STANDARD} has no clause {place!r}"
        elif NUMBER.match(work) and previous:
            continue
        elif not OTHER_WORK.match(work):
            yield f"{work!r} does not look like the name of a text"
        elif place and not PLACE.match(place):
            yield f"{place!r} does not look like a place in {work}"
        previous = work


def line_of(found: CodeObject, said: str) -> str:
    return f"{found.path}:{found.line}: {found.name or 'module'}: {said}"


def test_every_public_thing_has_a_source_line() -> None:
    said = [(one, missing(one)) for one in code_objects(ROOT)]
    found = [line_of(one, text) for one, text in said if text is not None]
    assert not found, "\n" + "\n".join(found)


def test_every_source_that_is_cited_exists() -> None:
    found = [
        line_of(one, said)
        for one in code_objects(ROOT)
        if one.source
        for said in wrong_citations(one.source)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "ISO/TS 12812-2:2017, 7.3.3",
        "ISO/TS 12812-2:2017, 3.9; 7.2; A; RFC 8785",
        "RFC 9052, 5.2; 5.3; RFC 9053, 4.1",
        "ISO/IEC 9797-2; ISO 4217",
        "C2SP tlog-checkpoint; NIST SP 800-38D, 8.2.1",
        "FIPS 203; ISO 8601-1, 5.5.2.4",
    ],
)
def test_a_good_source_is_taken(source: str) -> None:
    assert not list(wrong_citations(source))


@pytest.mark.parametrize(
    "source",
    [
        "ISO/TS 12812-2:2017, 7.9",
        "ISO/TS 12812-2:2017, 3.26",
        "ISO/TS 12812-2:2017",
        "ISO/TS 12812-2:2017, E",
        "ISO/TS 12812-2, 7.3.3",
        "RFC",
        "the standard",
        "7.3.3",
    ],
)
def test_a_source_that_does_not_exist_is_found(source: str) -> None:
    assert len(list(wrong_citations(source))) == 1


def test_a_missing_line_is_found() -> None:
    bare = CodeObject(path="src/a.py", line=3, name="act", documented=False, source="")
    assert missing(bare) == "no docstring"
    unsourced = CodeObject(path="src/a.py", line=3, name="act", documented=True, source="")
    assert missing(unsourced) is not None
    assert line_of(unsourced, "x") == "src/a.py:3: act: x"
