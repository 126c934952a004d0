"""Why something was refused, as a phone without our software tells it.

Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6
"""

import re
from typing import Final

from tallystick.application.channels import Declined, Refusal
from tallystick.kernel.errors import MfsError, NotAuthentic

_SAYS_LITTLE = {"the policy does not allow it", "a limit would be passed"}
_HELPED: Final = {
    "no PIN is set": Refusal.NO_PIN,
    "the terms were not accepted": Refusal.NO_TERMS,
    "the code is not right": Refusal.WRONG_CODE,
    "no recovery of this account runs": Refusal.NO_RECOVERY,
    "no phone of yours can act": Refusal.NO_PHONE,
    "payer and payee are the same": Refusal.YOURSELF,
    "the customer is suspended": Refusal.STOPPED,
    "the customer is dormant": Refusal.STOPPED,
    "the payee is suspended": Refusal.NOT_PAYABLE,
    "the payee is dormant": Refusal.NOT_PAYABLE,
    "the payee is erased": Refusal.NOT_PAYABLE,
}
"""Refusals after which a page can say what helps, by their detail."""
_ROW = re.compile(r"^[a-z][a-z0-9-]*: ")


def spoken(error: MfsError) -> str:
    """Why something was refused, in words for a person: without the name of the policy's row.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    reason = _ROW.sub("", error.because)
    if not reason or error.detail in _SAYS_LITTLE:
        return sentence(reason or error.detail)
    return sentence(f"{error.detail}: {reason}")


def sentence(words: str) -> str:
    """`words` as a sentence: a capital first, a mark last.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def declined_as(error: MfsError) -> Declined:
    """`error` as a menu or a SIM tells it; whoever gave a wrong secret may give another.

    Source: ISO/TS 12812-2:2017, 7.3.2; 7.3.6
    """
    code = _HELPED.get(error.detail, error.code)
    if isinstance(error, NotAuthentic):
        return Declined(says=sentence(error.detail), again=True, code=code)
    return Declined(says=spoken(error), code=code)
