"""The content of education, from data files; a language that lacks something does not load.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from tallystick.infrastructure.crypto.digest import sha256
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import Broken
from tallystick.kernel.model import Record
from tallystick.process.yamltext.section import Defects, Section
from tallystick.process.yamltext.tree import Scalar, read_nodes
from tallystick.protocol.channels import Language
from tallystick.protocol.education import Topic

TOPICS: Final = (
    "phishing", "malware", "rooting", "stores", "pin", "sim-swap", "loss", "urgency",
)  # fmt: skip
"""What every language must warn of."""

TERMS: Final = "terms"
"""The name under which the terms are accepted."""

_LONG: Final = r"(?s)^.{1,2000}$"


class Content(Record, frozen=True, kw_only=True):
    """Everything that is told in one language; `digest` is of the terms as they read.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    version: int
    topics: tuple[Topic, ...]
    never_contact: tuple[str, ...]
    complaints: tuple[str, ...]
    terms_version: int
    terms: str
    digest: str


def read_content(text: str) -> Content:
    """The content in `text`.

    Raises Malformed with every defect, Broken if a topic is missing or another one is there.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    defects = Defects()
    words = ("version", "topics", "never_contact", "complaints", "terms")
    root = Section(read_nodes(text, "text of lessons"), "", defects, words)
    listed = root.section("topics")
    topics: list[Topic] = []
    for name, _ in listed.names():
        one = listed.section(name, ("title", "text"))
        topics.append(Topic(name=name, title=one.text("title"), text=one.text("text")))
    terms = root.section("terms", ("version", "text"))
    said = terms.text("text", _LONG)
    content = Content(
        version=root.integer("version", 1),
        topics=tuple(topics),
        never_contact=_lines(root, "never_contact"),
        complaints=_lines(root, "complaints"),
        terms_version=terms.integer("version", 1),
        terms=said,
        digest=b64url(sha256(said.encode())),
    )
    defects.refuse()
    if tuple(topic.name for topic in content.topics) != TOPICS:
        raise Broken("a language lacks a topic of education, or has one of its own")
    return content


def _lines(root: Section, word: str) -> tuple[str, ...]:
    return tuple(str(one.value) for one in root.items(word) if isinstance(one, Scalar))


def same_versions(content: Mapping[Language, Content]) -> Mapping[Language, Content]:
    """`content`, if all languages say the same versions.

    Raises Broken.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    if len({(one.version, one.terms_version) for one in content.values()}) != 1:
        raise Broken("the languages of education have different versions")
    return content


_FILES: Final = {Language.ENGLISH: "en", Language.FRENCH: "fr", Language.SWAHILI: "sw"}


def _load(name: str) -> Content:
    place = files("tallystick.application.education").joinpath(f"words/{name}.yaml")
    return read_content(place.read_text(encoding="utf-8"))


CONTENT: Final[Mapping[Language, Content]] = same_versions(
    {language: _load(name) for language, name in _FILES.items()}
)
"""What is told, in every language."""
