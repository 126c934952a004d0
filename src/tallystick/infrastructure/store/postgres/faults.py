"""What a failure of the server means for the caller, in the words of the error tree.

Source: PostgreSQL 15, appendix A; ISO/TS 12812-2:2017, 6.2.3; 7.3.4
"""

from tallystick.infrastructure.store.fencing import fenced
from tallystick.kernel.errors import Broken, MfsError, Unavailable

FENCE = "22012"
"""The state that the fence's statement fails with: see `lease`."""

_OUT_OF_REACH = {
    "08000": ("the connection to the database broke", "ask again with the same id"),
    "08003": ("the connection to the database broke", "ask again with the same id"),
    "08006": ("the connection to the database broke", "ask again with the same id"),
    "25": ("the database server takes no writes: it is a replica", "ask again with the same id"),
    "40": ("the database undid the batch", "ask again with the same id"),
    "53": ("the database server has no room left", "free disk, memory or connections, then retry"),
    "55P03": ("the database is locked by another process", "ask again with the same id"),
    "57": ("the database server is stopping", "ask again with the same id"),
    "58": ("the disk of the database server fails", "check the disk, then retry"),
    "28": ("the database server refuses this account", "check pg_hba.conf and the certificate"),
    "3D": ("the database does not exist on the server", "create it: see docs/how-to/postgresql.md"),
    "42501": ("the database account may not do this", "make it the owner of the database"),
}


def fault_of_state(state: str) -> MfsError:
    """The error of ours that says what SQLSTATE `state` means.

    The server's own text is left out: it may quote values.
    Source: PostgreSQL 15, appendix A; ISO/TS 12812-2:2017, 7.3.4
    """
    if state == FENCE:
        return fenced()
    known = _OUT_OF_REACH.get(state) or _OUT_OF_REACH.get(state[:2])
    if known is not None:
        detail, remedy = known
        return Unavailable(detail, remedy=remedy, retry_after_s=1)
    if state.startswith("23"):
        return Broken("a row breaks a rule of its table", remedy="nothing of it was written")
    if state.startswith("XX"):
        return Broken(
            "the database is damaged",
            remedy="stop, keep the server's files, fail over or restore, compare with the tally",
        )
    return Broken(f"the database refused a statement ({state})", remedy="see the server's log")


def unreachable(why: str) -> Unavailable:
    """Nobody answers as a database that takes writes.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    return Unavailable(
        f"the database server cannot be reached: {why}",
        remedy="check that it runs and takes writes, then try again; an order keeps its id",
        retry_after_s=1,
    )
