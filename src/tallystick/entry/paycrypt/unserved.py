"""Calls of the service that a door has no use for: each is refused with the reason.

Source: AWS Payment Cryptography API, 2022-02-03
"""

from collections.abc import Callable
from typing import Any, Final

from tallystick.entry.paycrypt.asking import Asking
from tallystick.kernel.errors import NotPermitted
from tallystick.protocol.paycrypt.control import DefaultRegions, NoFields

AS_2805: Final = "AS 2805 is not served: use a key block of TR-31 and DUKPT"
_REGIONS: Final = "keys are not replicated: a door has one region; export the key to the other door"
_POLICIES: Final = "who may do what stands in the rows of the settings, not in policies of keys"
_TEAMS: Final = "two operators let a program in; no team is asked for a single call"

UNSERVED: Final = {
    "AddKeyReplicationRegions": _REGIONS,
    "RemoveKeyReplicationRegions": _REGIONS,
    "EnableDefaultKeyReplicationRegions": _REGIONS,
    "DisableDefaultKeyReplicationRegions": _REGIONS,
    "GetResourcePolicy": _POLICIES,
    "PutResourcePolicy": _POLICIES,
    "DeleteResourcePolicy": _POLICIES,
    "AssociateMpaTeam": _TEAMS,
    "DisassociateMpaTeam": _TEAMS,
    "GetMpaTeamAssociation": _TEAMS,
}
"""Why a call of the control plane is not served, by its name."""

UNSERVED_DATA: Final = {"/as2805kekvalidation/generate": ("GenerateAs2805KekValidation", AS_2805)}
"""The same of the data plane, by path."""


def refusing(reason: str) -> Callable[[Asking, Any], Any]:
    """What refuses a call with `reason`.

    Source: AWS Payment Cryptography API, ValidationException
    """

    def refuse(ask: Asking, asked: object) -> object:
        raise NotPermitted(f"{ask.call} is not served here: {reason}", because="not-served")

    return refuse


def default_regions(ask: Asking, asked: NoFields) -> DefaultRegions:
    """The regions that new keys are replicated to: none.

    Source: AWS Payment Cryptography API, GetDefaultKeyReplicationRegions
    """
    ask.allow("*")
    return DefaultRegions(enabled_replication_regions=())
