"""The attestations are valid by the schema that was published for CycloneDX 1.6.

The schema comes with cyclonedx-python-lib, which is no dependency; without it these tests are
skipped, loudly.
"""

import copy
import json

import pytest
from tests.unit.process.conformance.bundles import made

from tallystick.process.conformance.bundle.contents import ATTESTATIONS

validation = pytest.importorskip(
    "cyclonedx.validation.json", reason="cyclonedx-python-lib[json-validation] is not installed"
)
schema = pytest.importorskip("cyclonedx.schema")


def defects(document: object) -> object:
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    return validator.validate_str(json.dumps(document))


def test_the_document_is_valid_in_the_strict_schema() -> None:
    document = json.loads(made().files[ATTESTATIONS])
    assert defects(document) is None


def test_the_schema_sees_what_is_wrong() -> None:
    document = json.loads(made().files[ATTESTATIONS])
    for change in (
        lambda d: d["declarations"].update(standards=[]),
        lambda d: d["declarations"]["attestations"][0]["map"][0]["conformance"].update(score=2),
        lambda d: d["declarations"]["claims"][0].update(says="more"),
        lambda d: d.update(serialNumber="1"),
        lambda d: d["declarations"]["affirmation"]["signatories"][0].pop("organization"),
    ):
        broken = copy.deepcopy(document)
        change(broken)
        assert defects(broken) is not None
