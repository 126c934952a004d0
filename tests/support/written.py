"""Whether a secret was written down somewhere, told from digits that come about by chance."""

import re

_BY_CHANCE = re.compile(rb'"[0-9A-Za-z_.=/+-]{40,}"|[0-9a-f]{32,}')
"""A signature, a sealed value or a certificate as text; a digest."""


def is_written(secret: bytes, octets: bytes) -> bool:
    """Whether `secret` stands in `octets`.

    Six digits are a part of some time in milliseconds, or of a digest, in one run of some hundred:
    a secret of digits is one that stands there as a number of its own.
    """
    if not secret.isdigit() or secret not in octets:
        return secret in octets
    text = _BY_CHANCE.sub(b"", octets)
    return re.search(rb"(?<![0-9])%s(?![0-9])" % secret, text) is not None
