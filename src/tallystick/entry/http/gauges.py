"""Which numbers the service tells about itself.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.hashing import HashingPool
from tallystick.entry.notes import Note
from tallystick.entry.tightening import tell_measures
from tallystick.entry.writing import WriterLoop


def tell_gauges(
    accounting: Accounting, platform: Platform, writer: WriterLoop, hashing: HashingPool
) -> None:
    """Let `accounting` tell the numbers of the platform, the writer and the pool.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    accounting.gauges |= {
        "batches_total": lambda: platform.writer.batches,
        "commands_total": lambda: platform.writer.commands,
        "commands_waiting": lambda: writer.waiting,
        "batch_wait_microseconds_total": lambda: writer.waited_us,
        "refused_for_overload_total": lambda: accounting.shed + writer.shed,
        "sessions": lambda: len(platform.desks.sessions),
        "tally_size": lambda: platform.archive.size,
        "policy_version": lambda: platform.desks.policy.version,
        "shadow_policy_version": lambda: platform.desks.policy.shadow_version,
        "shadow_decisions_total": lambda: platform.desks.policy.beside.decisions,
        "shadow_differences_total": lambda: platform.desks.policy.beside.differences,
        "writes_stopped": lambda: int(writer.stopped is not None),
        "keys_ending": lambda: len(platform.desks.keylife.ending(platform.clock.now())),
        "key_list_ends_seconds": lambda: platform.key_list_ends // 1000,
    }
    accounting.gauges |= hashing.gauges()
    tell_measures(platform, accounting)
    platform.desks.policy.beside.tell = lambda one: accounting.note(
        Note.SHADOW_DIFFERS, **one._asdict()
    )
