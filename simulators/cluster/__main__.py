"""`python -m simulators.cluster`: a database cluster of three nodes on this machine, its faults.

Source: PostgreSQL 15, 27
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from simulators.cluster import backup, faults, nodes, whole
from simulators.cluster.commands import demand
from simulators.cluster.drill import DRILLS, drill
from simulators.cluster.layout import Layout, Node, default_layout
from tallystick.kernel.errors import MfsError, Unavailable

FAILED, INTERRUPTED = 2, 130


def main() -> int:
    """Do the command; 2 with one line of reason if it cannot be done.

    Source: PostgreSQL 15, 27
    """
    given = _parser().parse_args()
    run: Callable[[Layout, argparse.Namespace], int] = given.run
    try:
        demand()
        return run(default_layout(), given)
    except MfsError as error:
        print(f"{given.command}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{given.command}: ended before it was over", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(
        name: str, run: Callable[[Layout, argparse.Namespace], int], told: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=told)
        added.set_defaults(run=run)
        return added

    add("up", _up, "make and start what is missing, undo every fault")
    add("status", _status, "what each node says").add_argument("--json", action="store_true")
    add("url", _url, "the address for libpq, of the node that takes writes")
    fault = add("fault", _fault, "do a fault to a node")
    fault.add_argument("name", choices=sorted(faults.FAULTS))
    fault.add_argument("node", help="node1, node2, node3, primary, replica or etcd-leader")
    add("heal", _heal, "undo every fault, start what is dead")
    add("drill", _drill, "a fault under load, in figures").add_argument(
        "names", nargs="+", choices=sorted(DRILLS)
    )
    add("backup", _backup, "copy the database from a standby and verify the copy")
    restore = add("restore", _restore, "start a database of its own as it was at a moment")
    restore.add_argument("--to", required=True, help="a time with its zone, or a place in the log")
    restore.add_argument("folder", type=Path)
    add("stop", _stop, "stop a restored database").add_argument("folder", type=Path)
    down = add("down", _down, "end every process, remove the network")
    down.add_argument("--wipe", action="store_true", help="data, archive and backups as well")
    return parser


def _tell(text: str) -> None:
    print(f"- {text}", flush=True)


def _up(layout: Layout, given: argparse.Namespace) -> int:
    seconds = whole.up(layout, _tell)
    _tell(f"whole after {seconds:.1f} s: {nodes.primary(layout).name} leads")
    print(layout.url())
    return 0


def _status(layout: Layout, given: argparse.Namespace) -> int:
    lines = whole.status(layout)
    if given.json:
        print(json.dumps(lines, indent=1))
    else:
        widths = {name: max(len(name), *(len(one[name]) for one in lines)) for name in lines[0]}
        for one in [{name: name for name in widths}, *lines]:
            print("  ".join(one[name].ljust(width) for name, width in widths.items()).rstrip())
    return 0 if whole.running(layout) and nodes.whole(layout) else 1


def _url(layout: Layout, given: argparse.Namespace) -> int:
    print(layout.url())
    return 0


def _fault(layout: Layout, given: argparse.Namespace) -> int:
    node = _named(layout, given.node)
    _tell(f"{node.name}: {faults.inflict(layout, given.name, node)}")
    return 0


def _named(layout: Layout, name: str) -> Node:
    found = {
        "primary": nodes.primary,
        "replica": nodes.replica,
        "etcd-leader": nodes.etcd_leader,
    }.get(name)
    return found(layout) if found else layout.node(name)


def _heal(layout: Layout, given: argparse.Namespace) -> int:
    if not whole.running(layout):
        raise Unavailable("nothing of the cluster runs: begin with `up`")
    _tell(f"whole after {faults.heal(layout):.1f} s: {nodes.primary(layout).name} leads")
    return 0


def _drill(layout: Layout, given: argparse.Namespace) -> int:
    for name in given.names:
        print(json.dumps(drill(layout, name)), flush=True)
    return 0


def _backup(layout: Layout, given: argparse.Namespace) -> int:
    taken = backup.take(layout)
    _tell(f"copied from {taken.node} and verified; good for any moment after {taken.ended_at}")
    _tell(f"or place after {taken.end_lsn}")
    print(layout.folder / "backups" / taken.name)
    return 0


def _restore(layout: Layout, given: argparse.Namespace) -> int:
    print(backup.restore(layout, given.to, given.folder.absolute()))
    return 0


def _stop(layout: Layout, given: argparse.Namespace) -> int:
    backup.stop(given.folder.absolute())
    return 0


def _down(layout: Layout, given: argparse.Namespace) -> int:
    whole.down(layout, wipe=given.wipe, tell=_tell)
    return 0


if __name__ == "__main__":
    sys.exit(main())
