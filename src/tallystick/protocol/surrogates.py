"""What operators say about domains of surrogates, and what programs ask of them at the door.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4; 7.4.2
"""

from typing import Annotated, Literal

from tallystick.kernel.classification import INTERNAL, PUBLIC, SENSITIVE
from tallystick.kernel.model import Natural, ShortText, Wire, length, pattern
from tallystick.protocol.paycrypt.words import Shape

MOST_AT_ONCE = 100
"""How many values come back with one call."""

DomainName = Annotated[str, pattern("^[a-z][a-z0-9-]{1,30}$")]
"""The name of a domain."""

_Purpose = Annotated[str, pattern("^[a-z][a-z0-9-]{1,30}$")]
_HourlyPurpose = Annotated[str, pattern("^[a-z][a-z0-9-]{1,30}:[1-9][0-9]{0,5}$")]
_Case = Annotated[str, pattern("^[0-9A-Za-z._/-]{1,64}$")]
_Value = Annotated[str, pattern("^[+]?[0-9A-Z]{6,40}$")]
_Surrogate = Annotated[str, pattern("^[+]?[0-9A-Z]{6,40}$")]
_Warrant = Annotated[str, pattern("^wrt_[0-9a-z]{26}$")]


class OpenSurrogateDomain(Wire, frozen=True, kw_only=True):
    """Opens a domain: what its values are, how surrogates are made, what for values come back.

    A purpose is `NAME:VALUES-AN-HOUR`; `keeps` is how many last digits of a card's number stay, 0
    or 4. Both are fixed; purposes are those of the last such act on the domain.
    Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.4
    """

    domain: Annotated[DomainName, PUBLIC]
    kind: Annotated[Literal["pan", "account", "phone"], PUBLIC]
    way: Annotated[Literal["random", "ff1"], PUBLIC]
    purposes: Annotated[Annotated[tuple[_HourlyPurpose, ...], length(0, 32)], INTERNAL]
    because: Annotated[ShortText, INTERNAL]
    keeps: Annotated[Natural, PUBLIC] = 0


class StepSurrogateDomain(Wire, frozen=True, kw_only=True):
    """Takes a domain to new keys, ends its old ones, or destroys it with all that is held in it.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.4.2
    """

    domain: Annotated[DomainName, PUBLIC]
    turn_to: Annotated[Literal["new-keys", "no-old-keys", "destroyed"], PUBLIC]
    because: Annotated[ShortText, INTERNAL]


class AllowDetokenising(Wire, frozen=True, kw_only=True):
    """Lets one program have up to `most` values of a domain back at once, for so many minutes.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """

    domain: Annotated[DomainName, PUBLIC]
    purpose: Annotated[_Purpose, PUBLIC]
    workload: Annotated[ShortText, INTERNAL]
    most: Annotated[Natural, INTERNAL]
    minutes: Annotated[Natural, INTERNAL]
    because: Annotated[ShortText, INTERNAL]


class Tokenise(Shape, frozen=True, kw_only=True):
    """Asks for the surrogate of a value.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    domain: Annotated[DomainName, PUBLIC]
    value: Annotated[_Value, SENSITIVE]


class SurrogateAnswer(Shape, frozen=True, kw_only=True):
    """A surrogate, and the generation of keys that it was made under, which FF1 needs back.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    surrogate: Annotated[str, INTERNAL]
    generation: Annotated[int, PUBLIC]


class Detokenise(Shape, frozen=True, kw_only=True):
    """Asks for the value of a surrogate, for a purpose and about a case.

    `generation` is needed for FF1 where keys were changed since; 0 is the newest.
    Source: ISO/TS 12812-2:2017, 7.3.4; 7.5
    """

    domain: Annotated[DomainName, PUBLIC]
    surrogate: Annotated[_Surrogate, INTERNAL]
    purpose: Annotated[_Purpose, PUBLIC]
    case: Annotated[_Case, INTERNAL]
    generation: Annotated[Natural, PUBLIC] = 0


class ValueAnswer(Shape, frozen=True, kw_only=True):
    """A value in clear.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    value: Annotated[str, SENSITIVE]


class DetokeniseMany(Shape, frozen=True, kw_only=True):
    """Asks for the values of up to a hundred surrogates, under two operators' leave.

    Source: ISO/TS 12812-2:2017, 6.2.1; 7.5
    """

    domain: Annotated[DomainName, PUBLIC]
    surrogates: Annotated[Annotated[tuple[_Surrogate, ...], length(1, MOST_AT_ONCE)], INTERNAL]
    purpose: Annotated[_Purpose, PUBLIC]
    case: Annotated[_Case, INTERNAL]
    warrant: Annotated[_Warrant, INTERNAL]
    generation: Annotated[Natural, PUBLIC] = 0


class ValuesAnswer(Shape, frozen=True, kw_only=True):
    """Values in clear, in the order of their surrogates.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    values: Annotated[tuple[str, ...], SENSITIVE]


class RenewSurrogate(Shape, frozen=True, kw_only=True):
    """Asks for a surrogate of FF1 under the newest keys in place of one under `generation`.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    domain: Annotated[DomainName, PUBLIC]
    surrogate: Annotated[_Surrogate, INTERNAL]
    generation: Annotated[Natural, PUBLIC]


class ListSurrogateDomains(Shape, frozen=True, kw_only=True):
    """Asks which domains the program may make surrogates in.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """


class SurrogateDomain(Shape, frozen=True, kw_only=True, omit_defaults=False):
    """A domain as a program sees it: no purposes that it does not have itself, no keys.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    domain: Annotated[str, PUBLIC]
    kind: Annotated[str, PUBLIC]
    way: Annotated[str, PUBLIC]
    keeps: Annotated[int, PUBLIC]
    generation: Annotated[int, PUBLIC]
    oldest_generation: Annotated[int, PUBLIC]


class SurrogateDomains(Shape, frozen=True, kw_only=True, omit_defaults=False):
    """The domains of a program.

    Source: ISO/TS 12812-2:2017, 7.3.4
    """

    domains: Annotated[tuple[SurrogateDomain, ...], PUBLIC]


MESSAGES = (OpenSurrogateDomain, StepSurrogateDomain, AllowDetokenising)
"""Every struct of the operations table; the others are the door's."""
