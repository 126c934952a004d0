"""Operators and their desk, joined: who may do what, what they look at, emergencies, programs.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

from tallystick.application.customers import Customers
from tallystick.application.desk import Desk, Emergencies, Emergency, Views, Workloads
from tallystick.application.operators import Operator, Operators
from tallystick.application.operators.model import ACTIVE, REMOVED, SUSPENDED
from tallystick.application.policing import PolicyInForce
from tallystick.application.suspensions import SuspendedServices, Suspension
from tallystick.entry.accounting import Accounting
from tallystick.entry.desk_settings import DeskSettings
from tallystick.entry.notes import Note
from tallystick.entry.registering import KeptRegisters
from tallystick.infrastructure.keys.table import LoadedKeys
from tallystick.infrastructure.modules.interface import CryptoModule, Purpose
from tallystick.infrastructure.modules.sealing import StoreSeals
from tallystick.infrastructure.store.database import Reader


def operators_desk(
    module: CryptoModule,
    keys: LoadedKeys,
    customers: Customers,
    policy: PolicyInForce,
    reader: Reader,
    registers: KeptRegisters,
    settings: DeskSettings | None,
) -> tuple[Operators, Desk]:
    """Operators and what the desk keeps; without `settings` no passkey signs anything.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    codes, seals = keys.newest(Purpose.ACTIVATION), StoreSeals(module, keys.every(Purpose.STORE))
    emergencies = Emergencies(seals, policy, reader)
    operators = Operators(
        module,
        codes,
        seals,
        policy,
        reader,
        untrained=registers.why_untrained,
        in_emergency=emergencies.running,
        relying=None if settings is None else settings.relying(),
    )
    desk = Desk(
        views=Views(module, codes, customers, policy, reader),
        emergencies=emergencies,
        workloads=Workloads(module, codes, policy, reader),
    )
    return operators, desk


def tell_emergencies(emergencies: Emergencies, accounting: Accounting) -> None:
    """Note every emergency as it begins, and expose how many nobody has reviewed.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    def told(one: Emergency) -> None:
        accounting.note(Note.EMERGENCY, emergency=one.id, operator=one.operator, until=one.until)

    emergencies.tell = told
    accounting.gauges["emergencies_unreviewed"] = lambda: len(emergencies.open())


def tell_operators(operators: Operators, accounting: Accounting) -> None:
    """Note every operator who is suspended, resumed or removed; expose how many are suspended.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """
    notes = {
        ACTIVE: Note.OPERATOR_RESUMED,
        SUSPENDED: Note.OPERATOR_SUSPENDED,
        REMOVED: Note.OPERATOR_REMOVED,
    }

    def told(one: Operator) -> None:
        accounting.note(notes[one.status], operator=one.id, role=one.role, by=one.stood_by)

    operators.tell = told
    accounting.gauges["operators_suspended"] = lambda: len(operators.suspended)


def tell_suspensions(services: SuspendedServices, accounting: Accounting) -> None:
    """Note every service that is suspended or resumed, and expose how many are suspended.

    Source: ISO/TS 12812-2:2017, 6.2.1; 6.2.3
    """

    def told(one: Suspension) -> None:
        note = Note.SERVICE_RESUMED if one.ended_at else Note.SERVICE_SUSPENDED
        accounting.note(
            note,
            kind=one.kind,
            channel=one.channel,
            suspension=one.id,
            operator=one.ended_by or one.begun_by,
        )

    services.tell = told
    accounting.gauges["services_suspended"] = lambda: len(services.current)
