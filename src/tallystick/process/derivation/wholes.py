"""Sections that every policy has, whatever the controls, with values of the profile.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2
"""

from collections.abc import Iterable
from collections.abc import Mapping as Table
from typing import cast

from tallystick.process.policy.language.model import OperatorRules
from tallystick.process.policy.regimes.baseline import Baseline
from tallystick.process.programme.model import Programme
from tallystick.process.risk.observing import expected_share
from tallystick.process.yamltext.position import Position
from tallystick.process.yamltext.tree import Mapping, Node, Scalar, Sequence

_AT = Position(line=1, column=1)
ATTESTED = "attested_floor"
"""The value below which the share of proven telephones, in thousandths, is too low."""

_HARDWARE = ("keystore", "tee", "secure-element")
_PART = 4, 5
"""Below so much of the share that the programme expects."""

DEFAULT: dict[str, str] = {
    "outcome": "deny",
    "because": "what the policy does not allow is denied",
}
"""What is not allowed is denied."""

_TWO = ("login", "pay", "add-payee", "change-profile", "change-pin", "manage-device", "operate")

_FRESH = ("add-payee", "change-profile", "change-pin", "manage-device")


def sessions(values: Table[str, str | int]) -> dict[str, dict[str, str | int]]:
    """How long a session of each channel may be idle, and last.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    idle, life, desk = values["idle"], values["app_life"], values["desk_life"]
    return {
        "app": {"idle": idle, "absolute": life},
        "web": {"idle": idle, "absolute": "PT30M"},
        "ussd": {"idle": "PT1M", "absolute": "PT3M"},
        "agent": {"idle": idle, "absolute": desk},
        "operator": {"idle": idle, "absolute": desk},
    }


def attempts(values: Table[str, str | int]) -> dict[str, str | int | dict[str, str | int]]:
    """How many failures are let pass, and how failing slows down and ends.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    return {
        "limit": values["attempts"],
        "block": values["block"],
        "backoff": values["backoff"],
        "blocks": values["blocks"],
        "activation": {"life": "PT10M", "tries": values["activation_tries"]},
    }


def factors(baseline: Baseline, values: Table[str, str | int]) -> dict[str, dict[str, str | int]]:
    """How many factors each operation takes; what changes who can pay takes fresh ones.

    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    found: dict[str, dict[str, str | int]] = {}
    for operation in _TWO:
        bound = baseline.factors.get(operation)
        least = max(2, bound.value if bound else 0)
        origin = f" [{bound.origin}]" if bound else " [MFS-7.3.2-01]"
        found[operation] = {
            "categories": least,
            **({"fresh": values["fresh"]} if operation in _FRESH else {}),
            "because": "what moves money or changes who can takes two independent factors" + origin,
        }
    found["quote"] = {"categories": 0, "because": "terms oblige nobody"}
    return found


def operators(rules: OperatorRules) -> dict[str, object]:
    """Who may act how, and what takes two people.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    return {
        "roles": {role: list(acts) for role, acts in rules.roles.items()},
        "two_people": list(rules.two_people),
    }


def halves(values: Table[str, str | int], names: Iterable[str]) -> dict[str, int]:
    """Half of each amount of `names`, for use while a control fails; at least one minor unit.

    Source: ISO/TS 12812-2:2017, 7.3.3
    """
    amounts = {name: values[name] for name in names}
    return {
        f"{name}_half": max(1, one // 2) for name, one in amounts.items() if isinstance(one, int)
    }


def attested_floor(programme: Programme) -> int:
    """Four fifths of the share of telephones that can prove a key, in thousandths, 1 to 999.

    Source: ISO/TS 12812-2:2017, 7.2.6
    """
    able = int(expected_share(programme, _HARDWARE) * 1000)
    return min(999, max(1, able * _PART[0] // _PART[1]))


def as_tree(value: object) -> Node:
    """Plain values as a tree without positions.

    Source: YAML 1.2.2, 3.2.1
    """
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        return Mapping({str(word): (_AT, as_tree(one)) for word, one in entries.items()}, _AT)
    if isinstance(value, list):
        return Sequence(tuple(as_tree(one) for one in cast("list[object]", value)), _AT)
    return Scalar(value if isinstance(value, str | int) else str(value), _AT)
