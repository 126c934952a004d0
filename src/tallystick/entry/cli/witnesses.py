"""Commands of a witness: its key, and serving.

Source: C2SP tlog-witness
"""

import socket
import sys
from pathlib import Path

import click
import uvicorn

from tallystick.entry.cli.console import example
from tallystick.entry.witnessing import open_witness, witness_application
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.tally.checkpoint import NoteKey

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_NAME = click.option("--name", required=True, help="The witness's name, such as example.org/wit1.")


@click.group(epilog=example("tallystick witness key ./witness --name example.org/wit1"))
def witness() -> None:
    """A witness of tallies: countersigns what continues."""


@witness.command("key", epilog=example("tallystick witness key ./witness --name example.org/wit1"))
@_FOLDER
@_NAME
def witness_key(folder: Path, name: str) -> None:
    """Print the public key of the witness in FOLDER, which is made if there is none.

    The line is what `serve --witness URL=...` of a provider and verifiers take.
    """
    opened = open_witness(folder, name, {})
    click.echo(opened.witness.verifier_key)
    opened.close()


@witness.command(
    "serve",
    epilog=example(
        "tallystick witness serve ./witness --name example.org/wit1"
        " --log demo-wallet/tally/1+ID+KEY"
    ),
)
@_FOLDER
@_NAME
@click.option("--log", "logs", multiple=True, required=True, help="NAME+ID+KEY of a log to watch.")
@click.option("--port", default=8490, show_default=True, help="Port; 0 takes a free one.")
def witness_serve(folder: Path, name: str, logs: tuple[str, ...], port: int) -> None:
    """Serve the witness in FOLDER on loopback until it is interrupted.

    Run it away from the provider, under another owner, with TLS terminated in front. The keys of a
    log are shown by `tallystick keys list`.
    """
    keys = [NoteKey.parse(text) for text in logs]
    opened = open_witness(folder, name, {key.name: key for key in keys})
    config = uvicorn.Config(
        witness_application(opened, SystemClock()),
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    try:
        with socket.create_server(("127.0.0.1", port)) as listening:
            sys.stdout.write(f"listening on http://127.0.0.1:{listening.getsockname()[1]}\n")
            sys.stdout.flush()
            uvicorn.Server(config).run([listening])
    finally:
        opened.close()
