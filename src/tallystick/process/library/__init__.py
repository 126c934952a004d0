"""The catalogue as a library of CISO Assistant, which others keep their assessments in.

    framework   clauses and rows as requirement nodes, services as implementation groups,
                the pack's controls as reference controls, threats
    mappings    which rows name which nodes of two libraries that come with that program
    writing     all of it as YAML

Only the shape is that program's; the words are ours, and of other works there are identifiers only.

Source: ISO/TS 12812-2:2017, 5
"""

from collections.abc import Iterator, Mapping

from tallystick.process.catalogue.model import Catalogue
from tallystick.process.library.framework import FRAMEWORK, framework_library
from tallystick.process.library.mappings import TARGETS, mapping_library
from tallystick.process.library.writing import yaml_text
from tallystick.process.risk.model import Pack

__all__ = ["library_files"]


def library_files(found: Catalogue, pack: Pack, version: int) -> Mapping[str, bytes]:
    """The libraries by file: the framework's, and one for each set of mappings.

    `version` grows whenever a library that was loaded is to be replaced.
    Source: ISO/TS 12812-2:2017, 5
    """
    return dict(_files(found, pack, version))


def _files(found: Catalogue, pack: Pack, version: int) -> Iterator[tuple[str, bytes]]:
    yield f"{FRAMEWORK}.yaml", yaml_text(framework_library(found, pack, version)).encode()
    for target in TARGETS:
        library = mapping_library(found, target, version)
        yield f"{FRAMEWORK}-to-{target.library}.yaml", yaml_text(library).encode()
