"""Under which name a message may go out: names are registered with networks country by country.

No rule, no message: what is sent under a name that nobody registered is dropped by networks, or
trains customers to believe any name.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.6
"""

import re
from collections.abc import Iterable

from tallystick.application.notices.model import Template
from tallystick.kernel.errors import NotPermitted
from tallystick.kernel.model import Record

_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_MOST = 11


class SenderRule(Record, frozen=True, kw_only=True):
    """The name `sender` is registered for numbers of `country`, a calling code without plus.

    It may carry only `templates`; all of them if none is named.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    sender: str
    country: str
    templates: tuple[Template, ...] = ()


def default_sender(provider: str, country: str) -> SenderRule:
    """The rule for a provider that named none: its own name, in its own country.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    name = _NOT_OF_A_NAME.sub("", provider)[:_MOST]
    return SenderRule(sender=name.upper(), country=country)


def sender_of(rules: Iterable[SenderRule], number: str, template: Template) -> str:
    """The name under which `template` may go to `number` (E.164): that of the first rule.

    Raises NotPermitted where no name is registered.
    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    for rule in rules:
        named = not rule.templates or template in rule.templates
        if named and rule.country and number.startswith(f"+{rule.country}"):
            return rule.sender
    raise NotPermitted(
        "no sender name is registered for this message",
        because="sender registry",
        remedy="register a name for the country and the template",
    )
