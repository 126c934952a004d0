"""The grades of consent that this version knows, each with the proof that it leaves behind.

Source: ISO/TS 12812-2:2017, 11.2.2
"""

from tallystick.kernel.model import Record
from tallystick.protocol.payments import Consent


class DeviceSigned(Record, frozen=True, kw_only=True):
    """Signed by the consent key of an enrolled device; `jws` is the signed order itself.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    consent: Consent
    jws: str


class PinVerified(Record, frozen=True, kw_only=True):
    """Confirmed on a dialled menu with a PIN that the provider verified.

    The payer holds no signing key: the evidence is the provider's word about `channel_message`.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    consent: Consent
    channel_message: str


class SimSigned(Record, frozen=True, kw_only=True):
    """Agreed to on the SIM, which showed `text` and made `tag` over it and the terms' digest.

    `channel_message` keeps SIM, text and tag as evidence. The SIM's key is the provider's as well:
    whoever has the key table could have made the tag.
    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    consent: Consent
    channel_message: str


class SimEvidence(Record, frozen=True, kw_only=True):
    """What is kept of a consent given on a SIM: its serial number, what it showed, its tag.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    iccid: str
    text: str
    tag: str


class TwoOperators(Record, frozen=True, kw_only=True):
    """Ordered by one operator and approved by another; `acts` are both signed acts.

    Source: ISO/TS 12812-2:2017, 11.2.2
    """

    consent: Consent
    acts: tuple[str, str]


Consented = DeviceSigned | PinVerified | SimSigned | TwoOperators
