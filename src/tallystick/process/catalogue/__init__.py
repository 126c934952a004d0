"""What the standard asks, as data: 250 requirements and 102 threats over its 61 clauses.

The rows are an own-words reconstruction, aligned with ISO/TS 12812-2:2017, and each says how
sure it is. Read in this order:

    model       the rows: Clause, Requirement, Threat, and the words they may use
    load        reads data/*.json once; a catalogue that contradicts itself is refused
    overlay     marks and added rows of somebody who has the standard
    matrix      which operation needs which security service; default numbers of the policy
    glossary    the standard's terms in our words, each with a place to look
    scan        which code cites which clause, which test carries which tag
    coverage    requirement to code to test, and the reference page of it

`scan` and `coverage` look at a source tree; a running service does not need them, so they are
imported by name.

Source: ISO/TS 12812-2:2017, 5; 7.3.1; 7.5; A; D
"""

from tallystick.process.catalogue.glossary import GlossaryEntry, glossary, term
from tallystick.process.catalogue.load import catalogue
from tallystick.process.catalogue.matrix import (
    Need,
    Operation,
    Parameter,
    SecurityService,
    parameter,
    parameters,
    security_matrix,
)
from tallystick.process.catalogue.model import (
    Catalogue,
    Channel,
    Clause,
    Confidence,
    Kind,
    Layer,
    Modality,
    Origin,
    Party,
    Requirement,
    Service,
    Threat,
    VerificationClass,
    VerificationDepth,
)
from tallystick.process.catalogue.overlay import (
    OverlaidCatalogue,
    Overlay,
    Standing,
    apply_overlay,
    load_overlay,
    read_overlay,
)

__all__ = [
    "Catalogue",
    "Channel",
    "Clause",
    "Confidence",
    "GlossaryEntry",
    "Kind",
    "Layer",
    "Modality",
    "Need",
    "Operation",
    "Origin",
    "OverlaidCatalogue",
    "Overlay",
    "Parameter",
    "Party",
    "Requirement",
    "SecurityService",
    "Service",
    "Standing",
    "Threat",
    "VerificationClass",
    "VerificationDepth",
    "apply_overlay",
    "catalogue",
    "glossary",
    "load_overlay",
    "parameter",
    "parameters",
    "read_overlay",
    "security_matrix",
    "term",
]
