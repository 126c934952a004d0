"""Commands about applications: release, withdraw, deny, roll out, send, show.

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.8
"""

from datetime import UTC, datetime
from pathlib import Path

import click

from tallystick.entry.apps import kept_apps, manifest_in
from tallystick.entry.cli.appkeys import manifest
from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.rogues import rogue
from tallystick.entry.cli.stating import SIGNED_FILE, sending, sign_into, statement_in
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    secret_from,
    secret_options,
)
from tallystick.entry.cli.verdictkeys import verdict_keys
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url_decode, to_plain
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.model import Record, replace
from tallystick.kernel.time import Instant, iso_utc
from tallystick.process.apps.manifest import (
    ALL,
    DENIED,
    RELEASED,
    ROLLED_OUT,
    WITHDRAWN,
    AppDenial,
    AppWithdrawal,
    Platform,
    RollOut,
    checked,
    read_stated,
)

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PLATFORM = click.argument("platform", type=click.Choice([one.value for one in Platform]))
_BECAUSE = click.option("--because", required=True, help="The reason, as customers will read it.")
_SIGN = "--officer officer-1 --key-file officer-1.key --secret-file ./secret --out signed.json"


@click.group(epilog=example("tallystick app release list ./provider"))
def app() -> None:
    """Applications of the provider, those that may still run, and those that pretend to be."""


@app.group(epilog=example(f"tallystick app release add wallet.yaml {_SIGN}"))
def release() -> None:
    """The register of releases; officers sign what enters it, two in profile production."""


app.add_command(rogue)
app.add_command(manifest)
app.add_command(verdict_keys)


def _sign(
    about: str,
    body: Record,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    existing = statement_in(target)
    if existing is not None and hasattr(body, "at"):
        earlier = read_stated(existing.about, b64url_decode(existing.body))
        body = replace(body, at=getattr(earlier, "at", 0))
    say(f"{target}: {sign_into(target, about, body, officer, signer)}")
    say(f"next: tallystick app release send {target} URL")


@release.command(
    "add",
    short_help="Sign the release of an application as an officer.",
    epilog=example(f"tallystick app release add wallet.yaml {_SIGN}"),
)
@click.argument("file", type=_FILE)
@officer_options
@SIGNED_FILE
def add(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the release in FILE (YAML): its package is read and verified, its manifest signed."""
    found = manifest_in(file)
    say(f"{found.platform} {found.package} {found.version} ({found.name}), from {found.system}")
    say(f"package {found.digest}")
    for one in found.signers:
        say(f"signed by {one}")
    _sign(RELEASED, found, officer, key_file, target, secret_file, secret_fd)


@release.command(
    "withdraw",
    short_help="Sign that a release may run no more.",
    epilog=example(
        f'tallystick app release withdraw android org.example.wallet 42 --because "a hole" {_SIGN}'
    ),
)
@_PLATFORM
@click.argument("package")
@click.argument("version", type=click.IntRange(min=0))
@_BECAUSE
@officer_options
@SIGNED_FILE
def withdraw(
    platform: str,
    package: str,
    version: int,
    because: str,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign that VERSION of PACKAGE may run no more, from now on; it is refused at once."""
    body = AppWithdrawal(
        platform=Platform(platform),
        package=package,
        version=version,
        at=SystemClock().now(),
        because=because,
    )
    _sign(WITHDRAWN, checked(body), officer, key_file, target, secret_file, secret_fd)


@release.command(
    "deny",
    short_help="Sign that a signer or a package is never the provider's.",
    epilog=example(f'tallystick app release deny SHA256 --because "a look-alike" {_SIGN}'),
)
@click.argument("subject")
@_BECAUSE
@officer_options
@SIGNED_FILE
def deny(
    subject: str,
    because: str,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign that SUBJECT is refused: the SHA-256 of a signer or of a package, or a team of iOS."""
    body = AppDenial(subject=subject, at=SystemClock().now(), because=because)
    try:
        body = checked(body)
    except Malformed as error:
        raise Malformed(
            f"{subject[:80]!r} is no SHA-256 and no team, or the reason is too long",
            remedy="write 64 digits in hex, or the ten letters and digits of a team",
        ) from error
    _sign(DENIED, body, officer, key_file, target, secret_file, secret_fd)


_DAY = click.DateTime(formats=["%Y-%m-%d"])


@release.command(
    "roll-out",
    short_help="Sign which version is offered to whom, and which versions end.",
    epilog=example(
        "tallystick app release roll-out 3 android org.example.wallet 50 --share 25 --least 42"
        f' --warn 2026-12-01 --refuse 2027-01-15 --says "install version 5" {_SIGN}'
    ),
)
@click.argument("number", type=click.IntRange(min=1))
@_PLATFORM
@click.argument("package")
@click.argument("version", type=click.IntRange(min=0))
@click.option("--share", type=click.FloatRange(0, 100), default=100.0, help="Percent of devices.")
@click.option("--least", type=click.IntRange(min=0), default=0, help="Least version to go on.")
@click.option("--warn", type=_DAY, help="Day from which older versions are warned of.")
@click.option("--limit", type=_DAY, help="Day from which older versions order nothing.")
@click.option("--refuse", type=_DAY, help="Day from which older versions are refused.")
@click.option("--attested", is_flag=True, help="Refuse devices that do not prove what they run.")
@click.option("--says", default="a newer version is there", help="What customers are told.")
@officer_options
@SIGNED_FILE
def roll_out(
    number: int,
    platform: str,
    package: str,
    version: int,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
    *,
    share: float,
    attested: bool,
    **rest: object,
) -> None:
    """Sign roll-out NUMBER of VERSION of PACKAGE; it takes the place of lower numbers."""
    days = {name: _ms(rest[name]) for name in ("warn", "limit", "refuse")}
    body = RollOut(
        number=number,
        platform=Platform(platform),
        package=package,
        version=version,
        share=round(share * ALL / 100),
        least=int(str(rest["least"])),
        warn_from=days["warn"],
        limit_from=days["limit"],
        refuse_from=days["refuse"],
        attested=attested,
        says=str(rest["says"]),
    )
    _sign(ROLLED_OUT, checked(body), officer, key_file, target, secret_file, secret_fd)


def _ms(day: object) -> int:
    """The beginning (UTC) of a day of the command line; 0 for none."""
    return int(day.replace(tzinfo=UTC).timestamp()) * 1000 if isinstance(day, datetime) else 0


release.add_command(sending("app release", "/v1/apps"))


@release.command(
    "list",
    short_help="Show the register of releases.",
    epilog=example("tallystick app release list ./provider"),
)
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def list_releases(folder: Path, as_json: bool) -> None:
    """Show releases, roll-outs and denials of the provider in FOLDER, and how many devices run."""
    kept = kept_apps(ProviderFolder(folder))
    register = kept.register
    places = sorted(register.releases)
    if as_json:
        say_json(
            {
                "releases": [
                    to_plain(register.releases[one])
                    | {"withdrawn": one in register.withdrawn, "devices": kept.seen.get(one, 0)}
                    for one in places
                ],
                "roll_outs": [to_plain(one) for one in register.rolled_out.values()],
                "denied": [to_plain(one) for one in register.denied.values()],
            }
        )
        return
    rows = [
        (
            *(one[0], one[1], f"{one[2]} ({register.releases[one].name})"),
            "withdrawn" if one in register.withdrawn else "released",
            str(kept.seen.get(one, 0)),
        )
        for one in places
    ]
    table("", ("platform", "package", "version", "", "devices"), rows)
    for rule in register.rolled_out.values():
        say(f"{rule.package}: {_told(rule)}")
    for denial in register.denied.values():
        say(f"denied {denial.subject}: {denial.because}")


def _told(rule: RollOut) -> str:
    steps = (("warn", rule.warn_from), ("limit", rule.limit_from), ("refuse", rule.refuse_from))
    told = [f"{word} from {iso_utc(Instant(at))[:10]}" for word, at in steps if at]
    ends = f"; below {rule.least} {', '.join(told)}" if told else ""
    proved = "; only where the phone proves it" if rule.attested else ""
    return f"{rule.version} for {rule.share / 100:g} % of devices{ends}{proved}"


@release.command(
    "show",
    short_help="Show the manifest of one release.",
    epilog=example("tallystick app release show ./provider android org.example.wallet 42"),
)
@click.argument("folder", type=_FOLDER)
@_PLATFORM
@click.argument("package")
@click.argument("version", type=click.IntRange(min=0))
def show(folder: Path, platform: str, package: str, version: int) -> None:
    """Show the manifest of VERSION of PACKAGE, as officers signed it, as JSON."""
    register = kept_apps(ProviderFolder(folder)).register
    found = register.releases.get((platform, package, version))
    if found is None:
        raise NotFound("no such release is in the register")
    gone = register.withdrawn.get((platform, package, version))
    say_json(to_plain(found) | ({} if gone is None else {"withdrawn": gone.because}))


for _command in (add, withdraw, deny, roll_out):
    secret_options(_command)
