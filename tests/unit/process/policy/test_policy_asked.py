"""From questions of others to facts: names, and what is wrong with them."""

import pytest

from tallystick.kernel.errors import Malformed
from tallystick.process.policy.asked import facts_of, read_names

ASKED = {
    "subject": {"type": "user", "id": "a", "properties": {"tier": 1, "level": True}},
    "action": {"name": "look"},
    "resource": {"type": "record", "id": "r"},
}


def named(entity: str, attribute: str, word: str, facts: str) -> str:
    return f"names: [{{entity: {entity}, attribute: {attribute}, word: {word}, facts: {facts}}}]"


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (named("action", "name", "look", "{operation: inquire}"), "operation", "inquire"),
        (named("action", "name", "see", "{operation: inquire}"), "operation", "look"),
        (named("subject", "level", "true", "{tier: 3}"), "tier", 3),
        (named("subject", "level", "1", "{tier: 3}"), "tier", 1),
        (named("subject", "level", "false", "{tier: 3}"), "tier", 1),
        (
            named("resource", "type", "record", "{degraded: [[core, 5]]}"),
            "degraded",
            (("core", 5),),
        ),
    ],
)
def test_a_name_means_its_facts_where_it_stands(text: str, field: str, value: object) -> None:
    assert getattr(facts_of(ASKED, read_names(text)), field) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (named("verb", "name", "x", "{}"), "cannot be 'verb'"),
        (named("action", "name", "x", "{colour: red}"), "has no word 'colour'"),
        (named("action", "name", "[x]", "{}"), "is one value"),
        ("names: {}", "is a list"),
    ],
)
def test_a_defective_list_of_names_is_refused(text: str, says: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_names(text)
    assert says in caught.value.detail


def test_a_name_that_means_a_wrong_type_is_refused_when_it_is_asked() -> None:
    with pytest.raises(Malformed, match="tier"):
        facts_of(ASKED, read_names(named("action", "name", "look", "{tier: high}")))
