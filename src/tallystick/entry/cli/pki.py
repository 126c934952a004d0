"""Commands about certificates and time: root, issue, renew, revoke, lists, responders, stamps.

Source: ISO/TS 12812-2:2017, 3.5; 3.23; 7.4.2
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, OneOf, example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.pki.archiving import archive, authority_of
from tallystick.entry.pki.checkpoints import keep_former_roots
from tallystick.entry.pki.making import DELTA_LIFE_MS, LIST_LIFE_MS, expiring, making
from tallystick.entry.pki.places import CertificateFolder
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.certify import names_of, pem_of
from tallystick.infrastructure.crypto.crl import REASONS
from tallystick.infrastructure.crypto.der import write_object
from tallystick.infrastructure.crypto.x509 import Certificate, read_certificate
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.pki.profiles import AUTHORITIES, PROFILES, ROOT
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace
from tallystick.kernel.time import DAY_MS, instant_of, iso_utc

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_READ = click.Path(exists=True, dir_okay=False, path_type=Path)
_root_block = click.option(
    "--root-block", type=_READ, help="The key of the root, where it is kept off line."
)


@click.group(epilog=example("tallystick pki list ./provider"))
def pki() -> None:
    """Certificates that the provider issues, what it revoked, and time stamps."""


@pki.command(
    "root",
    short_help="Make a root and the authorities below it.",
    epilog=example(
        'tallystick pki root ./provider --organisation "Example Pay" --url https://pay.example'
        " --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--organisation", default="", help="The name in every certificate.")
@click.option("--url", default="", help="Where lists and answers are reached from outside.")
@click.option("--permit", multiple=True, metavar="DOMAIN", help="Limit the names of servers.")
def root(
    folder: Path,
    organisation: str,
    url: str,
    permit: tuple[str, ...],
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Make a root in FOLDER, four authorities below it, responders and first lists.

    Move offline/certificate-root.block away from the server afterwards: it is needed for new lists
    of the root and for nothing else in daily life.
    """
    place = CertificateFolder(ProviderFolder(folder))
    place.save_settings(replace(place.settings(), url=url))
    named = organisation or place.provider.settings().provider
    with making(place, opener_from(secret_fd, secret_file), SystemClock()) as made:
        certificate = made.hierarchy(named, permit)
    say(f"root {named}: {certificate.serial:x}, until {iso_utc(certificate.ends)[:10]}")
    say(f"authorities: {', '.join(AUTHORITIES)}")
    say(f"move {place.root_block} away from the server; restart the service")


@pki.command(
    "issue",
    short_help="Issue a certificate for a request.",
    epilog=example(
        "tallystick pki issue ./provider partner menus-east --request ./menus-east.csr"
        " --out ./menus-east.pem --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("profile", type=OneOf(tuple(PROFILES)))
@click.argument("names", nargs=-1, required=True)
@click.option("--request", "request_file", type=_READ, required=True, help="The request (CSR).")
@click.option("--days", type=int, default=0, help="How long; the profile's life if absent.")
@click.option("--out", type=_FILE, required=True, help="Write certificate and issuer there (PEM).")
def issue(
    folder: Path,
    profile: str,
    names: tuple[str, ...],
    request_file: Path,
    days: int,
    out: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Issue a certificate of PROFILE for NAMES to whoever has the key of the request.

    The names are yours to say: those in the request are not looked at.
    """
    place = CertificateFolder(ProviderFolder(folder))
    octets = request_file.read_bytes()
    with making(place, opener_from(secret_fd, secret_file), SystemClock()) as made:
        certificate = made.issue(profile, names, octets, days * DAY_MS)
    _write(place, out, certificate, PROFILES[profile].authority)


@pki.command(
    "renew",
    short_help="Renew the certificate of a device.",
    epilog=example(
        "tallystick pki renew ./provider 5f2c --request ./device.csr --out ./device.pem"
        " --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("number")
@click.option("--request", "request_file", type=_READ, required=True, help="The request (CSR).")
@click.option("--out", type=_FILE, required=True, help="Write certificate and issuer there (PEM).")
def renew(
    folder: Path,
    number: str,
    request_file: Path,
    out: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Issue the successor of the certificate NUMBER (hex), in the last third of its life."""
    place = CertificateFolder(ProviderFolder(folder))
    octets = request_file.read_bytes()
    with making(place, opener_from(secret_fd, secret_file), SystemClock()) as made:
        certificate = made.renew(_serial(number), octets)
    _write(place, out, certificate, "devices")


@pki.command(
    "revoke",
    short_help="Revoke a certificate.",
    epilog=example(
        "tallystick pki revoke ./provider 5f2c --reason key-compromise --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("number")
@click.option(
    "--reason", type=OneOf(tuple(REASONS)), default="unspecified", help="Why it is revoked."
)
@_root_block
def revoke(
    folder: Path,
    number: str,
    reason: str,
    root_block: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Revoke the certificate NUMBER (hex) and sign the list of its authority anew.

    The running service counts it within a second. `on-hold` can be taken back with `released`.
    """
    place = CertificateFolder(ProviderFolder(folder))
    opener = opener_from(secret_fd, secret_file)
    with making(place, opener, SystemClock(), root_block) as made:
        found = made.revoke(_serial(number), reason)
    say(f"{found.profile} {number} of {found.authority}: {reason}")


@pki.command(
    "crl",
    short_help="Sign lists of revoked certificates.",
    epilog=example(
        "tallystick pki crl ./provider --secret-file ./secret",
        "tallystick pki crl ./provider partners --delta --secret-file ./secret",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("authorities", nargs=-1, type=OneOf((ROOT, *AUTHORITIES)))
@click.option("--delta", is_flag=True, help="Only what changed since the last whole list.")
@_root_block
def crl(
    folder: Path,
    authorities: tuple[str, ...],
    delta: bool,
    root_block: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Sign the lists of AUTHORITIES anew, of all where none is named.

    A whole list is good for seven days, a delta for an hour: run this from a timer.
    """
    place = CertificateFolder(ProviderFolder(folder))
    opener = opener_from(secret_fd, secret_file)
    with making(place, opener, SystemClock(), root_block) as made:
        for name in authorities or (ROOT, *AUTHORITIES):
            file = made.sign_list(name, delta=delta)
            say(f"{name}: {file}")
    days = LIST_LIFE_MS // DAY_MS
    say(f"good for {DELTA_LIFE_MS // 60_000} minutes" if delta else f"good for {days} days")


@pki.command(
    "responder",
    short_help="New keys and certificates for the responders.",
    epilog=example("tallystick pki responder ./provider --secret-file ./secret"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("authorities", nargs=-1, type=OneOf((ROOT, *AUTHORITIES)))
@_root_block
def responder(
    folder: Path,
    authorities: tuple[str, ...],
    root_block: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Make new keys of the responders under AUTHORITIES, certified for 90 days."""
    place = CertificateFolder(ProviderFolder(folder))
    opener = opener_from(secret_fd, secret_file)
    with making(place, opener, SystemClock(), root_block) as made:
        for name in authorities or (ROOT, *AUTHORITIES):
            certificate = made.responder(name)
            say(f"{name}: {certificate.serial:x}, until {iso_utc(certificate.ends)[:10]}")
    say("restart the service to take them into use")


@pki.command(
    "stamping",
    short_help="Make a time-stamping authority.",
    epilog=example(
        "tallystick pki stamping ./provider --policy 1.3.6.1.4.1.99999.1 --secret-file ./secret"
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--policy", required=True, metavar="OID", help="Under which it stamps.")
def stamping(folder: Path, policy: str, secret_file: Path | None, secret_fd: int | None) -> None:
    """Make a key and a certificate that stamp the time, under the policy that you published."""
    write_object(policy)
    place = CertificateFolder(ProviderFolder(folder))
    with making(place, opener_from(secret_fd, secret_file), SystemClock()) as made:
        certificate = made.stamping()
    place.save_settings(replace(place.settings(), policy=policy))
    say(f"time stamps: {certificate.serial:x}, until {iso_utc(certificate.ends)[:10]}")
    say("restart the service to take it into use")


@pki.command(
    "time",
    short_help="Say how the clock is kept, and who stamps the log.",
    epilog=example(
        "tallystick pki time ./provider --clock declared --accuracy-ms 500",
        "tallystick pki time ./provider --authority http://tsa.example --roots ./tsa-roots.pem",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--clock", type=OneOf(("kernel", "declared")), help="Who answers for it.")
@click.option("--accuracy-ms", type=click.IntRange(1, 60_000), help="What is promised.")
@click.option("--authority", help="The address of another authority; empty for the own one.")
@click.option("--roots", type=_READ, help="The roots of the other authority (PEM).")
def clock(
    folder: Path,
    clock: str | None,
    accuracy_ms: int | None,
    authority: str | None,
    roots: Path | None,
) -> None:
    """Set how time is stamped in FOLDER; what is not given stays as it is."""
    place = CertificateFolder(ProviderFolder(folder))
    settings = place.settings()
    if clock is not None:
        settings = replace(settings, clock=clock)
    if accuracy_ms is not None:
        settings = replace(settings, accuracy_ms=accuracy_ms)
    if authority is not None:
        settings = replace(settings, authority_url=authority)
    if roots is not None:
        keep_former_roots(place)
        place.keep(place.root / "authority-roots.pem", roots.read_bytes())
        settings = replace(settings, authority_roots="authority-roots.pem")
    place.save_settings(settings)
    say(f"clock: {settings.clock}, right to {settings.accuracy_ms} ms")
    say(f"the log is stamped by {settings.authority_url or 'the own authority'}")


@pki.command(
    "archive",
    short_help="Stamp documents, and again before a stamp ends.",
    epilog=example(
        "tallystick pki archive ./provider ./consents/2026-01.json --url http://127.0.0.1:8480",
        "tallystick pki archive ./provider ./consents/2026-01.json --weak-from 2035-01-01",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("files", nargs=-1, required=True, type=_READ)
@click.option("--url", default="", help="The running service, if the own authority stamps.")
@click.option("--weak-from", metavar="DATE", help="When the mechanism of the stamps ends.")
def archived(folder: Path, files: tuple[Path, ...], url: str, weak_from: str | None) -> None:
    """Stamp FILES, each in FILE.stamps; those whose newest stamp ends within 90 days again.

    Run it from a timer: a stamp that is renewed in time proves for ever what it proved first.
    """
    place = CertificateFolder(ProviderFolder(folder))
    ends = None if weak_from is None else instant_of(f"{weak_from}T00:00:00Z")
    authority, roots = authority_of(place, url)
    for file in files:
        found = archive(file, authority.stamp, roots, SystemClock().now(), ends)
        since, until = iso_utc(found.since), iso_utc(found.until)[:10]
        say(f"{found.name}: {found.done}; there since {since}, proved until {until}")


@pki.command("list", epilog=example("tallystick pki list ./provider --days 30"))
@click.argument("folder", type=_FOLDER)
@click.option("--days", type=int, default=0, help="Only what ends within so many days; exits 4.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_certificates(folder: Path, days: int, as_json: bool) -> None:
    """Show the certificates in FOLDER: number, for whom, until when, and whether revoked."""
    register = CertificateFolder(ProviderFolder(folder)).register()
    now = SystemClock().now()
    ending = {one.serial for one, _ in expiring(register, now, days * DAY_MS)}
    found = [one for one in register.certificates() if not days or one.serial in ending]
    if as_json:
        say_json(to_plain(found))
    else:
        table(
            "certificates",
            ("number", "authority", "profile", "for", "until", "now"),
            [
                (
                    f"{one.serial:x}",
                    one.authority,
                    one.profile,
                    names_of(read_certificate(one.octets))[1],
                    iso_utc(read_certificate(one.octets).ends)[:10],
                    f"revoked: {one.reason}"
                    if one.revoked_at
                    else "in force"
                    if now < read_certificate(one.octets).ends
                    else "past",
                )
                for one in found
            ],
        )
    if days and found:
        raise click.exceptions.Exit(FOUND_SOMETHING)


@pki.command("show", epilog=example("tallystick pki show ./provider root > root.pem"))
@click.argument("folder", type=_FOLDER)
@click.argument("authority", type=OneOf((ROOT, *AUTHORITIES)))
def show(folder: Path, authority: str) -> None:
    """Print the certificate of an AUTHORITY in PEM, to be pinned by whoever relies on it."""
    register = CertificateFolder(ProviderFolder(folder)).register()
    click.echo(pem_of(register.authority(authority).octets), nl=False)


def _write(place: CertificateFolder, out: Path, certificate: Certificate, above: str) -> None:
    issuer = place.register().authority(above)
    out.write_text(pem_of(certificate.octets) + pem_of(issuer.octets), encoding="ascii")
    say(f"{certificate.serial:x}, until {iso_utc(certificate.ends)[:10]}: {out}")


def _serial(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise Malformed("a number is in hex", remedy="see tallystick pki list") from None


for _command in (root, issue, renew, revoke, crl, responder, stamping):
    opener_options(_command)
