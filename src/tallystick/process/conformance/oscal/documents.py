"""The eight documents together, and where each lies in a bundle, as other tools expect it.

Source: OSCAL 1.2.1
"""

from typing import Final

from tallystick.kernel.errors import Broken
from tallystick.process.conformance.oscal.actions import plan_of_action
from tallystick.process.conformance.oscal.assessment import assessment_plan
from tallystick.process.conformance.oscal.blocks import Node
from tallystick.process.conformance.oscal.catalog import catalog
from tallystick.process.conformance.oscal.component import component_definition
from tallystick.process.conformance.oscal.mapping import mapping_collection
from tallystick.process.conformance.oscal.picture import Picture
from tallystick.process.conformance.oscal.plan import security_plan
from tallystick.process.conformance.oscal.profile import profile
from tallystick.process.conformance.oscal.results import assessment_results

MODELS: Final = (
    "catalog",
    "profile",
    "component-definition",
    "system-security-plan",
    "assessment-plan",
    "assessment-results",
    "plan-of-action-and-milestones",
    "mapping-collection",
)
"""The models, each in a file of its name, all in one folder: references between them are short."""


def file_of(model: str) -> str:
    """The file in which the document of `model` lies.

    Source: OSCAL 1.2.1
    """
    return f"{model}.json"


def documents(picture: Picture) -> dict[str, Node]:
    """Each document by its file.

    Raises Broken unless there is one finding for each row that applies.
    Source: OSCAL 1.2.1
    """
    if [one.requirement for one in picture.findings] != [one.id for one in picture.rows()]:
        raise Broken("the findings are not those of the rows that apply")
    to = {model: file_of(model) for model in MODELS}
    made = {
        "catalog": catalog(picture),
        "profile": profile(picture, to["catalog"]),
        "component-definition": component_definition(picture, to["profile"]),
        "system-security-plan": security_plan(picture, to["profile"]),
        "assessment-plan": assessment_plan(picture, to["system-security-plan"]),
        "assessment-results": assessment_results(picture, to["assessment-plan"]),
        "plan-of-action-and-milestones": plan_of_action(picture, to["system-security-plan"]),
        "mapping-collection": mapping_collection(picture, to["catalog"]),
    }
    return {file_of(model): {model: document} for model, document in made.items()}
