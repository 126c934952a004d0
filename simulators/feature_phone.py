"""A simulated person with a feature phone: dials, reads messages, and doubts them.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.3.3
"""

import re

from simulators.smsc import Predicate, Smsc
from simulators.ussd_gateway import UssdGateway
from tallystick.kernel.errors import NotFound
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import SmsMessage

_ACTIVATION = re.compile(r"activation code ([0-9A-Z-]{6,24})")
_RECEIPT = re.compile(r"\b([0-9]{4,16}-[0-9]{6})\b")
_GENUINE = "Genuine"


class FeaturePhone:
    """The simulated phone with `number`; its person knows the menu and keeps a PIN.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(self, number: str, gateway: UssdGateway, smsc: Smsc) -> None:
        """Dial through `gateway`, receive from `smsc`.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self.number = number
        self._gateway = gateway
        self._smsc = smsc

    def dial(self, *inputs: str) -> list[str]:
        """Every page shown while typing `inputs`. Raises the provider's refusal.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self._gateway.dial(self.number, *inputs)

    def send_money(self, number: str, amount: str, pin: Secret[str]) -> list[str]:
        """Send `amount`, in whole units or with decimals, to another number.

        Source: ISO/TS 12812-2:2017, 11.1
        """
        return self.dial("1", number, amount, pin.reveal())

    def withdraw(self, till: str, amount: str, pin: Secret[str]) -> list[str]:
        """Take cash from the agent with `till`.

        Source: ISO/TS 12812-2:2017, 11.1
        """
        return self.dial("2", till, amount, pin.reveal())

    def pay_merchant(self, till: str, amount: str, pin: Secret[str]) -> list[str]:
        """Pay the merchant with `till`.

        Source: ISO/TS 12812-2:2017, 11.1
        """
        return self.dial("3", till, amount, pin.reveal())

    def check_code(self, code: str) -> str:
        """What the provider says about a receipt code.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return self.dial("4", code)[-1]

    def balance(self, pin: Secret[str]) -> str:
        """The page with the balance.

        Source: ISO/TS 12812-2:2017, 12.3
        """
        return self.dial("5", pin.reveal())[-1]

    def block(self, pin: Secret[str]) -> str:
        """Block the app on every phone of one's own; gives the last page.

        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        return self.dial("8", "3", pin.reveal())[-1]

    def set_pin(self, code: Secret[str], pin: Secret[str]) -> str:
        """The last page of setting a PIN with an activation code.

        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        return self.dial("6", code.reveal(), pin.reveal(), pin.reveal())[-1]

    def inbox(self) -> list[SmsMessage]:
        """Every message on the phone, oldest first.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self._smsc.inbox(self.number)

    def wait_for(
        self, predicate: Predicate = lambda _: True, timeout_s: float = 20.0
    ) -> SmsMessage:
        """The newest message that fits. Raises Unavailable if none comes in time.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        return self._smsc.wait_for(self.number, predicate, timeout_s)

    def activation_code(self, timeout_s: float = 20.0) -> Secret[str]:
        """The activation code of the newest message that has one.

        Raises Unavailable if none comes in time.
        Source: ISO/TS 12812-2:2017, 7.4.1
        """
        message = self.wait_for(lambda one: bool(_ACTIVATION.search(one.text)), timeout_s)
        return Secret(_found(_ACTIVATION, message))

    def receipt_code(self, message: SmsMessage) -> str:
        """The receipt code that a message shows. Raises NotFound without one.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        return _found(_RECEIPT, message)

    def is_genuine(self, message: SmsMessage) -> bool:
        """Whether the provider, dialled and asked, knows the payment that `message` tells of.

        The amount that the provider names must stand in the message too.
        Source: ISO/TS 12812-2:2017, 7.3.3; 7.3.6
        """
        try:
            said = self.check_code(self.receipt_code(message))
        except NotFound:
            return False
        amount = re.search(r"[A-Z]{3} [0-9][0-9,.]*[0-9]", said)
        return said.startswith(_GENUINE) and amount is not None and amount.group() in message.text


def _found(pattern: re.Pattern[str], message: SmsMessage) -> str:
    match = pattern.search(message.text)
    if match is None:
        raise NotFound("the message has no such code")
    return match.group(1)
