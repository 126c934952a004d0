"""In which language a customer is spoken to: menu and messages alike.

Source: ISO/TS 12812-2:2017, 7.3.6
"""

from tallystick.application.customers.store import LANGUAGE
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.store.rowcache import RowCache
from tallystick.kernel.model import Record
from tallystick.protocol.channels import Language
from tallystick.protocol.payments import Empty


class LanguageRow(Record, frozen=True, kw_only=True):
    """A customer who chose a language; who did not has no row.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    customer: str
    language: Language


class Languages:
    """Keeps what customers chose; `default` is the provider's.

    Source: ISO/TS 12812-2:2017, 7.3.6
    """

    def __init__(self, reader: Reader, default: Language, *, capacity: int) -> None:
        self._rows = RowCache(LANGUAGE, LanguageRow, reader, capacity=capacity)
        self.default = default

    def of(self, customer: str) -> Language:
        """The language of the customer with this id.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        row = self._rows.get(customer)
        return self.default if row is None else row.language

    def choose(self, turn: Turn, customer: str, language: Language) -> Outcome:
        """Keep that `customer` chose `language`.

        Source: ISO/TS 12812-2:2017, 7.3.6
        """
        self._rows.put(customer, LanguageRow(customer=customer, language=language), turn.changes)
        return Outcome(Empty())

    def trim(self) -> None:
        """Forget what is over capacity; it is on disk.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.trim()

    def reset(self) -> None:
        """Forget what a batch may have changed.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        self._rows.reset()
