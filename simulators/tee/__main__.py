"""Runs the simulated TEE: `python -m simulators.tee FOLDER MADE_AT`, until its input is closed.

MADE_AT is when the simulated factory made it, in milliseconds. It says `ready` once both sockets
are there. Simulated, no hardware.

Source: ISO/TS 12812-2:2017, 8.1.3
"""

import os
import socket
import sys
import threading
from pathlib import Path

from simulators.tee.inside import TrustedApplication, TrustedScreen
from simulators.tee.wire import APP, ASKED, SCREEN, receive, refusal, send
from tallystick.client.vault.places import private_folder
from tallystick.infrastructure.modules.hardening import harden_process
from tallystick.kernel.errors import MfsError, Unavailable


def _listening(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen()
    return listener


def _serve(link: socket.socket, inside: TrustedApplication) -> None:
    with link:
        while True:
            try:
                send(link, inside.answer(ASKED.decode(receive(link))))
            except Unavailable:
                return
            except MfsError as error:
                send(link, refusal(error))


def _apps(listener: socket.socket, inside: TrustedApplication) -> None:
    while True:
        link, _ = listener.accept()
        threading.Thread(target=_serve, args=(link, inside), daemon=True).start()


def _people(listener: socket.socket, screen: TrustedScreen) -> None:
    while True:
        link, _ = listener.accept()
        screen.sit_down(link)


def main() -> None:
    """Serve both sockets.

    Source: ISO/TS 12812-2:2017, 8.1.3
    """
    harden_process()
    folder, made_at = Path(sys.argv[1]), int(sys.argv[2])
    private_folder(folder)
    screen = TrustedScreen()
    inside = TrustedApplication(folder, screen, made_at)
    for work, name, whom in ((_apps, APP, inside), (_people, SCREEN, screen)):
        arguments = (_listening(folder / name), whom)
        threading.Thread(target=work, args=arguments, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
