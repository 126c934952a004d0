"""Keys of the door that is compatible with AWS Payment Cryptography, kept by the writer.

    model     a key and an alias as they are kept
    store     their rows
    service   every act on them, with its event, and the count of what was done with them

Keys are kept as the module's own blocks: nothing here can use one.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.3.3
"""

from tallystick.application.paycrypt.model import AliasRow, PaymentKey
from tallystick.application.paycrypt.service import InPaycrypt, PaymentKeys

__all__ = ["AliasRow", "InPaycrypt", "PaymentKey", "PaymentKeys"]
