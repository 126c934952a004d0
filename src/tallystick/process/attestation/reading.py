"""The policy of appraisal out of a text that people write.

Source: RFC 9334, 8.3; YAML 1.2.2, 3.2
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from tallystick.infrastructure.attestation.android.description import BOOT_STATES, ORIGINS
from tallystick.infrastructure.attestation.evidence import Level, Provisioning
from tallystick.infrastructure.crypto.x509 import Certificate, certificates_in
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.model import ABSENT
from tallystick.process.attestation.model import (
    App,
    AppraisalPolicy,
    Asked,
    Browser,
    Place,
    Risk,
    Root,
    System,
)
from tallystick.process.attestation.rules import RULES, VERDICT
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Scalar, read_nodes

BASE: Final = "base"
FORMATS: Final = (
    "android-key",
    "apple-app-attest",
    "packed",
    "webauthn-android-key",
    "apple",
    "tpm",
)
"""The formats that lead to a root."""

_ENDING: Final = (*(name for name, _ in RULES), VERDICT)
_ASKED: Final = ("required", "ignored")
_WORDS: Final = (
    "appraisal",
    "because",
    "roots",
    "levels",
    "least-version",
    "boot",
    "patch-age",
    "origins",
    "consent",
    "apps",
    "environments",
    "validity",
    "unmarked-issuers",
    "order",
    "revocation",
    "verdict",
    "freshness",
    "browser",
    "refused",
)
_HEX: Final = r"^[0-9a-f]{64}$"
_PACKAGE: Final = r"^[A-Za-z0-9_.-]{1,200}$"
_ORIGIN: Final = r"^https://[a-z0-9.:-]{1,200}$"
_LABEL: Final = r"^[a-z]+:[A-Z0-9_]{1,60}$"


def read_policy(text: str) -> AppraisalPolicy:
    """The policy in `text`.

    Raises TooLarge, or Malformed with every defect and its line.
    Source: RFC 9334, 8.3
    """
    defects = Defects(remedy="correct the appraisal policy")
    top = Section(read_nodes(text, "appraisal policy"), "", defects, _WORDS)
    boot = top.section("boot", ("states", "lock", "systems"))
    consent = top.section("consent", ("person", "timeout-s"))
    revocation = top.section("revocation", ("list-age", "without-list"))
    verdict = top.section("verdict", ("age", "labels", "asked"))
    ways = tuple(one.value for one in Provisioning)
    validity = top.section("validity", ways)
    policy = AppraisalPolicy(
        name=top.text("appraisal", r"^[a-z0-9-]{1,40}$", "a slug"),
        because=top.text("because"),
        roots=_roots(top, defects),
        levels=top.choices("levels", (one.value for one in Level)),
        least_version=top.integer("least-version", 1, 1000),
        boot_states=boot.choices("states", BOOT_STATES),
        locked=boot.choice("lock", _ASKED) == "required",
        systems=_systems(boot),
        patch_age_ms=top.duration("patch-age"),
        origins=top.choices("origins", ORIGINS),
        person_for_consent=consent.choice("person", _ASKED) == "required",
        person_timeout_s=consent.integer("timeout-s", 0, 2**31 - 1),
        apps=_apps(top),
        environments=top.choices("environments", ("production", "development")),
        validity={way: validity.choices(way, (one.value for one in Place)) for way in sorted(ways)},
        unmarked=top.choices("unmarked-issuers", ways),
        ordered=top.choice("order", _ASKED) == "required",
        list_age_ms=revocation.duration("list-age"),
        without_list=revocation.choice("without-list", ("allowed", "refused")) == "allowed",
        verdict_age_ms=verdict.duration("age"),
        labels=_texts(verdict, "labels", _LABEL),
        freshness=_freshness(top),
        browser=_browser(top),
        asked=verdict.choice("asked", tuple(Asked)) if "asked" in verdict else ABSENT,
        refused=top.choices("refused", _ENDING) if "refused" in top else ABSENT,
    )
    defects.refuse()
    return policy


def _freshness(top: Section) -> dict[str, int]:
    """All three or none: a policy without them asks for no further proof."""
    if "freshness" not in top:
        return {}
    part = top.section("freshness", (one.value for one in Risk))
    return {one.value: part.duration(one.value) for one in Risk}


def _browser(top: Section) -> Browser:
    """Where browsers enrol; nothing where a policy does not say so."""
    if "browser" not in top:
        return Browser()
    part = top.section("browser", ("relying", "origins"))
    relying = part.text("relying", r"^[a-z0-9.-]{1,200}$", "the name of a host")
    return Browser(relying=relying, origins=_texts(part, "origins", _ORIGIN))


def _texts(section: Section, word: str, shape: str) -> tuple[str, ...]:
    found: list[str] = []
    for node in section.items(word):
        holder = Section(node, word, Defects())
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str) or not _matches(shape, value):
            section.defects.add(holder.at, f"{section.trail} {word} has another shape")
        else:
            found.append(value)
    return tuple(found)


def _matches(shape: str, value: str) -> bool:
    return re.match(shape, value) is not None


def _roots(top: Section, defects: Defects) -> tuple[Root, ...]:
    found: list[Root] = []
    for one in top.sections("roots", ("name", "formats", "simulated", "pem")):
        pem = one.text("pem", r"(?s)^-----BEGIN CERTIFICATE-----.{1,8000}$", "a certificate in PEM")
        try:
            links = certificates_in(pem.encode()) if pem else ()
        except Malformed as error:
            defects.add(one.position("pem"), error.detail)
            continue
        if len(links) != 1:
            defects.add(one.position("pem"), "one root has one certificate")
            continue
        root = Root(
            name=one.text("name", r"^[a-z0-9-]{1,40}$", "a slug"),
            digest=links[0].fingerprint(),
            formats=one.choices("formats", FORMATS),
            simulated=one.choice("simulated", ("yes", "no")) == "yes",
            pem=pem,
        )
        if any(other.digest == root.digest for other in found):
            defects.add(one.position("pem"), "a root stands twice")
        found.append(root)
    return tuple(found)


def _systems(boot: Section) -> tuple[System, ...]:
    return tuple(
        System(name=one.text("name"), signer=one.text("signer", _HEX, "64 hexadecimal digits"))
        for one in boot.sections("systems", ("name", "signer"))
    )


def _apps(top: Section) -> tuple[App, ...]:
    return tuple(
        App(
            package=one.text("package", _PACKAGE, "the name of a package"),
            signers=_texts(one, "signers", _HEX),
            least=one.integer("least", 0, 2**31 - 1) if "least" in one else ABSENT,
        )
        for one in top.sections("apps", ("package", "signers", "least"))
    )


def root_links(policy: AppraisalPolicy, form: str) -> Sequence[Certificate]:
    """The roots that `policy` believes for the format `form`, read.

    Source: RFC 9334, 7.4
    """
    return _links(tuple(one.pem for one in policy.roots if form in one.formats))


@cache
def _links(pems: tuple[str, ...]) -> tuple[Certificate, ...]:
    return tuple(one for pem in pems for one in certificates_in(pem.encode()))


@cache
def shipped_policy(name: str = BASE) -> AppraisalPolicy:
    """The policy `name` that comes with the package, read once.

    Raises NotFound where there is none.
    Source: RFC 9334, 8.3
    """
    return read_policy(shipped_text(name))


def shipped_text(name: str = BASE) -> str:
    """The text of the policy `name` that comes with the package.

    Raises NotFound where there is none.
    Source: RFC 9334, 8.3
    """
    file = files(__package__ or "") / "packs" / f"{name}.yaml"
    if "/" in name or not file.is_file():
        raise NotFound(f"no appraisal policy {name[:60]!r} comes with the package")
    return file.read_text("utf-8")
