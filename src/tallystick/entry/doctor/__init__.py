"""What is wrong with a deployment, or soon will be, and what to do about it.

    files    who may read them, room on the disk, how long it takes to make a write durable
    trust    the key list and its keys, the clock
    keys     what ends within 90 days, is used up, or out of service
    certificates  what ends within 90 days, lists that are past, stamps that are missing
    record   the database, the tally and its witness, orders and notices that wait
    programme   would its service be let start: what is missing of the minimum set
    tightening  its key, the stored measures, proposals that wait for officers
    registers   what is overdue in the registers of the management of security
    applications  is this program released, do old versions of applications end
    vendors  is each list of a vendor as young as it is to be, are its roots those of the policy
    operators  can every act of two people be done, who is suspended, which programs end
    service  the running service: does it take orders, has it the newest key list
    unsealing  the key service that opens the master key, the device or process that has keys
    leaning  what it leans on: what fails now, what the policy does then, who is told

Nothing is changed, but for a file of a few bytes that is written and removed to time the disk.

Source: ISO/TS 12812-2:2017, 6.2.3; 7.4.2
"""

from tallystick.entry.doctor.applications import look_at_applications
from tallystick.entry.doctor.certificates import look_at_certificates
from tallystick.entry.doctor.files import look_at_files
from tallystick.entry.doctor.keys import look_at_keys
from tallystick.entry.doctor.model import Finding, State
from tallystick.entry.doctor.operators import look_at_operators
from tallystick.entry.doctor.programme import look_at_gate, look_at_services
from tallystick.entry.doctor.record import look_at_record
from tallystick.entry.doctor.registers import look_at_registers
from tallystick.entry.doctor.service import look_at_service
from tallystick.entry.doctor.tightening import look_at_tightening
from tallystick.entry.doctor.trust import look_at_trust
from tallystick.entry.doctor.unsealing import look_at_unsealing
from tallystick.entry.doctor.vendors import look_at_vendors
from tallystick.entry.settings import ProviderFolder
from tallystick.kernel.time import Clock

__all__ = ["Finding", "State", "examine"]


def examine(folder: ProviderFolder, clock: Clock, url: str = "", unseal: str = "") -> list[Finding]:
    """Everything that was looked at, in order; with `url` the running service too.

    `unseal` is the address of the key service that opens the master key.

    Raises NotFound where nothing was set up.
    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    settings = folder.settings()
    found = [
        *look_at_files(folder),
        *look_at_unsealing(folder, unseal),
        *look_at_trust(folder, clock.now()),
        *look_at_keys(folder, clock.now()),
        *look_at_certificates(folder, clock.now()),
        *look_at_record(folder, settings, clock.now()),
        *look_at_gate(folder, clock.now()),
        *look_at_services(folder),
        *look_at_tightening(folder, settings, clock.now()),
        *look_at_registers(folder, clock.now()),
        *look_at_applications(folder),
        *look_at_operators(folder, clock.now()),
        *look_at_vendors(folder, clock.now()),
    ]
    if url:
        found += look_at_service(folder, url)
    return found
