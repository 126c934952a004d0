"""Operators and their desk, joined: who may do what, what they look at, emergencies, programs.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from dataclasses import dataclass

from tallystick.application.customers import Customers
from tallystick.application.desk import Emergencies, Emergency, Views, Workloads
from tallystick.application.operators import Operators
from tallystick.application.policing import PolicyInForce
from tallystick.entry.accounting import Accounting
from tallystick.entry.desk_settings import DeskSettings
from tallystick.entry.notes import Note
from tallystick.entry.registering import KeptRegisters
from tallystick.infrastructure.modules.interface import CryptoModule, KeyHandle
from tallystick.infrastructure.store.database import Reader


@dataclass(frozen=True, slots=True)
class OperatorsDesk:
    """What the acts of operators stand on.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """

    operators: Operators
    views: Views
    emergencies: Emergencies
    workloads: Workloads


def operators_desk(
    module: CryptoModule,
    codes: KeyHandle,
    store_key: KeyHandle,
    customers: Customers,
    policy: PolicyInForce,
    reader: Reader,
    registers: KeptRegisters,
    settings: DeskSettings | None,
) -> OperatorsDesk:
    """Everything of the desk that the writer owns; without `settings` no passkey signs anything.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    emergencies = Emergencies(module, store_key, policy, reader)
    operators = Operators(
        module,
        codes,
        store_key,
        policy,
        reader,
        untrained=registers.why_untrained,
        in_emergency=emergencies.running,
        relying=None if settings is None else settings.relying(),
    )
    return OperatorsDesk(
        operators=operators,
        views=Views(module, codes, customers, policy, reader),
        emergencies=emergencies,
        workloads=Workloads(module, codes, policy, reader),
    )


def tell_emergencies(emergencies: Emergencies, accounting: Accounting) -> None:
    """Note every emergency as it begins, and expose how many nobody has reviewed.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    def told(one: Emergency) -> None:
        accounting.note(Note.EMERGENCY, emergency=one.id, operator=one.operator, until=one.until)

    emergencies.tell = told
    accounting.gauges["emergencies_unreviewed"] = lambda: len(emergencies.open())
