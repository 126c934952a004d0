"""The eight documents are valid by the schemas that were published for OSCAL 1.2.1."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
from tests.unit.process.conformance.pictures import picture

from tallystick.kernel.codec import encode_canonical
from tallystick.process.conformance.oscal.documents import MODELS, documents, file_of

SCHEMAS = {
    "catalog": "catalog",
    "profile": "profile",
    "component-definition": "component",
    "system-security-plan": "ssp",
    "assessment-plan": "assessment-plan",
    "assessment-results": "assessment-results",
    "plan-of-action-and-milestones": "poam",
    "mapping-collection": "mapping",
}


def schema_of(test_data: Path, model: str) -> jsonschema.Draft7Validator:
    path = test_data / "oscal" / f"oscal_{SCHEMAS[model]}_schema.json"
    if not path.exists():
        pytest.skip(f"the published schemas are absent: {path}")
    text = path.read_text(encoding="utf-8")
    # Python's expressions have no properties of letters and digits.
    text = text.replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d")
    text = re.sub(r"\(\[\^\\\\W\\\\d_\]\|\[_\]\)", r"([^\\W\\d_]|_)", text)
    text = text.replace(r"([^\\W\\d_]|\\d|[.\\-_])", r"[\\w.\\-]")
    return jsonschema.Draft7Validator(json.loads(text))


@pytest.mark.parametrize("model", MODELS)
def test_each_document_is_valid_by_the_published_schema(test_data: Path, model: str) -> None:
    validator = schema_of(test_data, model)
    document = json.loads(encode_canonical(documents(picture())[file_of(model)]))
    found = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator.iter_errors(document)]
    assert not found, found[:5]
    broken = copy.deepcopy(document)
    broken[model]["uuid"] = "c232ab00-9414-11ec-b909-0242ac120002"
    assert list(validator.iter_errors(broken)), "the schema sees nothing at all"
