"""The life of a device as one table: in which state which act is whose, on which proof, to what.

    active -- suspend, lose, rest --> suspended, lost, dormant -- resume --> active
    active -- hand-on --> leaving -- the wait is over --> removed
    each of them -- steal, deactivate, replace --> stolen, removed -- kept long enough --> deleted

Nothing leads back from stolen, leaving or removed: whoever comes back does so with new keys.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.4.1; 7.4.5; 9.5
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from tallystick.application.devices.model import COPIED, DeviceStatus
from tallystick.application.notices import Template
from tallystick.kernel.errors import Conflict, NotPermitted
from tallystick.kernel.model import Record


class Act(StrEnum):
    """What is done about a device.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    SUSPEND = "suspend"
    RESUME = "resume"
    LOSE = "lose"
    STEAL = "steal"
    HAND_ON = "hand-on"
    DEACTIVATE = "deactivate"
    VOID_KEY = "void-key"
    REPLACE = "replace"
    REST = "rest"
    DELETE = "delete"


class By(StrEnum):
    """Who does it: the device itself, another one of its customer, a dialler, an agent whom the
    customer went to, staff, or a rule.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    THIS_DEVICE = "this-device"
    OTHER_DEVICE = "other-device"
    DIALLER = "dialler"
    AGENT = "agent"
    CARE_DESK = "care-desk"
    PROVIDER = "provider"


class Proof(StrEnum):
    """What stands behind an act: the more it lets somebody in, the more.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.4.1
    """

    SESSION = "a session"
    FRESH_FACTORS = "a session and factors given just now"
    DIALLED_PIN = "a PIN that was dialled"
    PLACE = "an agent's session, in place and time"
    SIGNATURE = "an operator's signature"
    TWO_SIGNATURES = "two operators' signatures"
    RULE = "a rule of the policy"


class Follow(StrEnum):
    """What ends, or begins, in the same turn.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    SESSIONS = "sessions end"
    CODES = "codes are void"
    REQUESTS = "requests are cancelled"
    OFFLINE = "the handset's offline authenticator ends"
    KEYS = "both keys are denied for ever"
    WIPE = "a wipe is ordered"
    DATA = "what is stored of it is erased"


class Step(Record, frozen=True, kw_only=True):
    """One cell of the table: whose act it is and on which proof, where it leads, what is told.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    to: DeviceStatus
    who: Mapping[By, Proof]
    tells: Template
    event: str
    follows: frozenset[Follow] = frozenset()


_S, _T, _B, _P, _F = DeviceStatus, Template, By, Proof, Follow

ENDED: Final = frozenset({_S.STOLEN, _S.LEAVING, _S.REMOVED, _S.DELETED})
"""States in which the keys of a device are denied for ever."""

_STOPS: Final = frozenset({_F.SESSIONS, _F.CODES, _F.REQUESTS})
_ENDS: Final = _STOPS | {_F.OFFLINE, _F.KEYS, _F.WIPE}

_OWN: Final = {_B.THIS_DEVICE: _P.SESSION, _B.OTHER_DEVICE: _P.SESSION}
_DESK: Final = {_B.CARE_DESK: _P.SIGNATURE}
_RULE: Final = {_B.PROVIDER: _P.RULE}

_SUSPEND: Final = Step(
    to=_S.SUSPENDED,
    who={**_OWN, _B.AGENT: _P.PLACE, **_DESK, **_RULE},
    tells=_T.DEVICE_SUSPENDED,
    event="device.suspended",
    follows=_STOPS,
)
_LOSE: Final = Step(
    to=_S.LOST,
    who={_B.OTHER_DEVICE: _P.SESSION, _B.DIALLER: _P.DIALLED_PIN, **_DESK},
    tells=_T.DEVICE_LOST,
    event="device.lost",
    follows=_STOPS,
)
_RESUME: Final = Step(
    to=_S.ACTIVE,
    who={_B.OTHER_DEVICE: _P.FRESH_FACTORS, _B.CARE_DESK: _P.TWO_SIGNATURES},
    tells=_T.DEVICE_RESUMED,
    event="device.resumed",
)
_STEAL: Final = Step(
    to=_S.STOLEN,
    who={_B.OTHER_DEVICE: _P.FRESH_FACTORS, **_DESK},
    tells=_T.DEVICE_STOLEN,
    event="device.stolen",
    follows=_ENDS,
)
_HAND_ON: Final = Step(
    to=_S.LEAVING,
    who={_B.THIS_DEVICE: _P.FRESH_FACTORS, _B.OTHER_DEVICE: _P.FRESH_FACTORS, **_DESK},
    tells=_T.DEVICE_LEAVING,
    event="device.leaving",
    follows=_ENDS,
)
_DEACTIVATE: Final = Step(
    to=_S.REMOVED,
    who={
        _B.THIS_DEVICE: _P.FRESH_FACTORS,
        _B.OTHER_DEVICE: _P.FRESH_FACTORS,
        **_DESK,
        **_RULE,
    },
    tells=_T.DEVICE_REMOVED,
    event="device.removed",
    follows=_ENDS,
)
_VOID_KEY: Final = Step(
    to=_S.REMOVED,
    who={_B.THIS_DEVICE: _P.SESSION},
    tells=_T.DEVICE_REMOVED,
    event="device.removed",
    follows=_ENDS,
)
_REPLACE: Final = Step(
    to=_S.REMOVED,
    who=_RULE,
    tells=_T.DEVICE_REMOVED,
    event="device.removed",
    follows=_ENDS,
)
_REST: Final = Step(
    to=_S.DORMANT,
    who=_RULE,
    tells=_T.DEVICE_DORMANT,
    event="device.dormant",
    follows=_STOPS,
)
_WAITED: Final = Step(
    to=_S.REMOVED,
    who=_RULE,
    tells=_T.DEVICE_REMOVED,
    event="device.removed",
)
_DELETE: Final = Step(
    to=_S.DELETED,
    who=_RULE,
    tells=_T.DEVICE_DELETED,
    event="device.deleted",
    follows=frozenset({_F.DATA}),
)
_STOPPED_WAYS: Final = {
    Act.RESUME: _RESUME,
    Act.STEAL: _STEAL,
    Act.DEACTIVATE: _DEACTIVATE,
    Act.REPLACE: _REPLACE,
}

LIFE: Final[Mapping[DeviceStatus, Mapping[Act, Step]]] = {
    _S.ACTIVE: {
        Act.SUSPEND: _SUSPEND,
        Act.LOSE: _LOSE,
        Act.STEAL: _STEAL,
        Act.HAND_ON: _HAND_ON,
        Act.DEACTIVATE: _DEACTIVATE,
        Act.VOID_KEY: _VOID_KEY,
        Act.REPLACE: _REPLACE,
        Act.REST: _REST,
    },
    _S.SUSPENDED: {**_STOPPED_WAYS, Act.LOSE: _LOSE, Act.SUSPEND: _SUSPEND},
    _S.LOST: _STOPPED_WAYS,
    _S.DORMANT: {**_STOPPED_WAYS, Act.LOSE: _LOSE, Act.SUSPEND: _SUSPEND},
    _S.LEAVING: {Act.DEACTIVATE: _WAITED, Act.STEAL: _STEAL, Act.REPLACE: _WAITED},
    _S.STOLEN: {Act.DELETE: _DELETE},
    _S.REMOVED: {Act.DELETE: _DELETE},
    _S.DELETED: {},
}
"""Every state with its acts; what is not here does not happen."""


def step_of(status: DeviceStatus, act: Act, by: By, because: str = "") -> Step:
    """What `act` by `by` leads to for a device that is `status`, `because` of what.

    Raises Conflict for an act that the state does not know, NotPermitted for one that is not
    theirs, and for letting a device act again whose keys were copied.
    Source: ISO/TS 12812-2:2017, 7.4.5
    """
    step = LIFE[status].get(act)
    if step is None:
        raise Conflict(
            f"a device that is {status} knows no such act ({act})", remedy="enrol the phone again"
        )
    if by not in step.who:
        raise NotPermitted(
            f"this is not for a {by} to do",
            because=f"{act} of a device",
            remedy="ask the provider who may",
        )
    if act is Act.RESUME and because == COPIED:
        raise NotPermitted(
            "the device does not act again", because=COPIED, remedy="enrol the phone again"
        )
    return step


def acts_for(status: DeviceStatus, by: By) -> tuple[Act, ...]:
    """What `by` may do about a device that is `status`.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return tuple(act for act, step in LIFE[status].items() if by in step.who)
