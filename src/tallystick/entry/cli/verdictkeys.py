"""Commands about the keys that open an app store's verdicts: add, list, remove.

Source: ISO/TS 12812-2:2017, 7.2.5; 7.4.2
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.verdictkeys import drop_verdict_keys, take_verdict_keys
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url, b64url_decode

_FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("verdict-keys", epilog=example("tallystick app verdict-keys list ./provider"))
def verdict_keys() -> None:
    """Keys that open what Play Integrity says of the provider's applications."""


@verdict_keys.command(
    "add",
    short_help="Take the keys of an application from the console of its store.",
    epilog=example(
        "tallystick app verdict-keys add ./provider org.example.wallet --decryption-file ./aes"
        " --verification-file ./ec --secret-file ./secret"
    ),
)
@_FOLDER
@click.argument("package")
@click.option("--decryption-file", type=_FILE, required=True, help="The key that decrypts, base64.")
@click.option("--verification-file", type=_FILE, required=True, help="The public key, base64.")
@click.option("--simulated", is_flag=True, help="No app store is behind them: for tests alone.")
def add(
    folder: Path,
    package: str,
    decryption_file: Path,
    verification_file: Path,
    secret_file: Path | None,
    secret_fd: int | None,
    *,
    simulated: bool,
) -> None:
    """Keep the two keys of PACKAGE for the provider in FOLDER, in place of those before.

    Choose in the console to manage the keys yourself. The first is sealed with a key of the
    service; delete its file afterwards. They count from the next start of the service on, once the
    policy of appraisal asks for verdicts.
    """
    given = (
        decryption_file.read_text(encoding="ascii"),
        verification_file.read_text(encoding="ascii"),
    )
    opener = opener_from(secret_fd, secret_file)
    provider, clock = ProviderFolder(folder), SystemClock()
    kept = take_verdict_keys(provider, opener, clock, package, given, simulated=simulated)
    named = b64url(sha256(kept.verification.spki))
    say(f"{package}: verdicts are verified with {named} from the next start on")


opener_options(add)


@verdict_keys.command(
    "list",
    short_help="Show which applications have keys for verdicts.",
    epilog=example("tallystick app verdict-keys list ./provider"),
)
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_keys(folder: Path, as_json: bool) -> None:
    """Show the applications of the provider in FOLDER with keys for verdicts; no key is shown."""
    rows = [
        (
            one.package,
            b64url(sha256(b64url_decode(one.verification))),
            "simulated" if one.simulated else "Play Integrity",
        )
        for one in ProviderFolder(folder).settings().verdict_keys
    ]
    if as_json:
        say_json([dict(zip(("package", "verified_with", "by"), row, strict=True)) for row in rows])
        return
    table("keys for verdicts", ("package", "verified with", "by"), rows)


@verdict_keys.command(
    "remove",
    short_help="Forget the keys of an application.",
    epilog=example("tallystick app verdict-keys remove ./provider org.example.wallet"),
)
@_FOLDER
@click.argument("package")
def remove(folder: Path, package: str) -> None:
    """Forget the keys of PACKAGE from the next start on; its verdicts are then not looked at."""
    drop_verdict_keys(ProviderFolder(folder), package)
    say(f"{package}: its verdicts are opened no more from the next start on")
