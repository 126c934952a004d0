"""Sections that every policy has, whatever the controls, with values of the profile.

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2
"""

from collections.abc import Iterable
from collections.abc import Mapping as Table
from typing import cast

from tallystick.kernel.model import Record
from tallystick.process.derivation.amounts import duration
from tallystick.process.policy.facts import FOREVER
from tallystick.process.policy.language.lives import FACTORS, DeviceRule
from tallystick.process.policy.language.model import AuthenticatorRule, Caps, OperatorRules, Policy
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

_CODES: tuple[str, ...] = ("app", "web")
"""Channels on which a code that a customer reads off a device is asked for."""

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


class Chosen(Record, frozen=True, kw_only=True):
    """What the provider decided in the policy in force and no risk derives; the next one keeps it.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6
    """

    authenticators: Table[str, AuthenticatorRule]
    terms: int
    acknowledge: tuple[str, ...]
    bounded_enrolment: bool
    caps: Caps | None
    devices: DeviceRule = DeviceRule()


def chosen_in(policy: Policy) -> Chosen:
    """What the provider decided in `policy`.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6
    """
    return Chosen(
        authenticators=policy.authenticators,
        terms=policy.education.terms,
        acknowledge=policy.education.acknowledge,
        bounded_enrolment=policy.recovery.agents.enrolment,
        caps=policy.tightening_caps,
        devices=policy.devices,
    )


def authenticators(usual: Mapping, chosen: Chosen | None, channels: Iterable[str]) -> Mapping:
    """The codes that count as a factor: those of the policy in force, or without one the `usual`.

    Only on `channels`; a kind that is left without a channel is not there.
    Source: ISO/TS 12812-2:2017, 7.3.2
    """
    if chosen is None:
        rules = {word: (one, _CODES) for word, (_, one) in usual.entries.items()}
    else:
        rules = {
            word: (
                as_tree(
                    {
                        "category": one.category,
                        "carried_by": one.carried_by,
                        "because": one.because,
                    }
                ),
                one.channels,
            )
            for word, one in chosen.authenticators.items()
        }
    found: dict[str, tuple[Position, Node]] = {}
    offered = set(channels)
    for word, (node, accepted) in rules.items():
        left = [one for one in accepted if one in offered]
        if left and isinstance(node, Mapping):
            entries = {"channels": (_AT, as_tree(left)), **node.entries}
            found[word] = (_AT, Mapping(entries, _AT))
    return Mapping(found, _AT)


def told(usual: Mapping, chosen: Chosen | None) -> Mapping:
    """What people are told before they pay, with the terms and warnings of the policy in force.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    more: dict[str, tuple[Position, Node]] = {}
    if chosen is not None and chosen.terms:
        more["terms"] = (_AT, as_tree(chosen.terms))
    if chosen is not None and chosen.acknowledge:
        more["acknowledge"] = (_AT, as_tree(list(chosen.acknowledge)))
    return Mapping({**more, **usual.entries}, usual.at)


def carried_on(usual: Mapping, chosen: Chosen | None) -> Mapping:
    """What is asked of devices: the `usual`, and whatever else the policy in force says of them.

    Where that asks for proofs and lets no older one pay less, the next one does not either.
    Source: ISO/TS 12812-2:2017, 7.3.5; 7.4.1; 7.4.5
    """
    if chosen is None or chosen.devices == DeviceRule():
        return usual
    rule = chosen.devices
    if rule.proofs.calm_ms and not rule.proofs.lowered_ms:
        usual = _without_lowered(usual)
    more: dict[str, object] = {}
    if rule.at_most:
        more["at_most"] = {str(tier): most for tier, most in enumerate(rule.at_most)}
    if rule.dormant_ms < FOREVER:
        more["dormant"] = {
            "after": duration(rule.dormant_ms),
            "told_before": duration(rule.told_ms),
        }
    more["leaving"] = duration(rule.leave_ms)
    if rule.keep_ms < FOREVER:
        more["keep"] = duration(rule.keep_ms)
    if rule.factors != FACTORS[0]:
        more["factors"] = rule.factors
    tree = as_tree(more)
    added = tree.entries if isinstance(tree, Mapping) else {}
    return Mapping({**added, **usual.entries}, usual.at)


def _without_lowered(usual: Mapping) -> Mapping:
    at, proofs = usual.entries["proofs"]
    if not isinstance(proofs, Mapping):
        return usual
    kept = {name: one for name, one in proofs.entries.items() if name != "lowered"}
    return Mapping({**usual.entries, "proofs": (at, Mapping(kept, proofs.at))}, usual.at)


def capped(chosen: Chosen | None) -> Mapping | None:
    """How much all tightenings together may touch, as the policy in force says; None for no bound.

    Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
    """
    caps = None if chosen is None else chosen.caps
    if caps is None:
        return None
    node = as_tree(
        {
            "per_action": {"customers_bp": caps.customers_bp, "value_bp": caps.value_bp},
            "per_day": {"customers_bp": caps.day_customers_bp, "value_bp": caps.day_value_bp},
        }
    )
    return node if isinstance(node, Mapping) else None


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
