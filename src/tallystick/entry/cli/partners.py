"""Commands about partners who call back: aggregators of menus, and the SMSC with its receipts.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.4.2
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options, write_private
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.partners import register
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.terminated import authorities_in, keep_authorities
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import b64url

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog=example("tallystick partner list ./provider"))
def partner() -> None:
    """The partners whose callbacks are taken."""


@partner.command("list", epilog=example("tallystick partner list ./provider"))
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the partners as JSON.")
def list_partners(folder: Path, as_json: bool) -> None:
    """Show the partners of the provider in FOLDER, and what their callbacks are proved by."""
    settings = ProviderFolder(folder).settings()
    found = [("menus", one) for one in settings.aggregators]
    if settings.sms_receipts is not None:
        found.append(("receipts", settings.sms_receipts))
    if settings.sim_changes is not None:
        found.append(("SIM changes", settings.sim_changes))
    if as_json:
        say_json([{"for": sort, "partner": one} for sort, one in found])
        return
    rows = [
        (sort, one.name, one.proof, str(one.generation), ", ".join(one.sources) or "anywhere")
        for sort, one in found
    ]
    table("partners", ("for", "name", "proof", "generation", "from"), rows)


@partner.command(
    "add",
    short_help="Register a partner, or give one a new secret.",
    epilog=example(
        "tallystick partner add ./provider menus-east --out ./menus-east.secret"
        " --secret-file ./secret",
        "tallystick partner add ./provider sms-east --receipts --from 192.0.2.0/24"
        " --out ./sms-east.secret --secret-file ./secret",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.option("--receipts", is_flag=True, help="It is the SMSC, with receipts of messages.")
@click.option("--sim-changes", is_flag=True, help="It tells of SIMs that were replaced.")
@click.option("--from", "sources", multiple=True, metavar="NETWORK", help="Where it calls from.")
@click.option(
    "--certificate",
    default="",
    metavar="SHA-256",
    help="Digest (base64url) of the certificate that the terminator at --from verifies; no secret.",
)
@click.option(
    "--authority",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --certificate: who issued it, then those above, up to the root (PEM).",
)
@click.option(
    "--without-lists",
    is_flag=True,
    help="With --certificate: declare that who issued it publishes no list of what is revoked.",
)
@click.option("--tls", is_flag=True, help="Proved by the certificate that `pki issue` made for it.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the shared secret there (0600), base64url.",
)
def add(
    folder: Path,
    name: str,
    receipts: bool,
    sim_changes: bool,
    sources: tuple[str, ...],
    certificate: str,
    authority: Path | None,
    without_lists: bool,
    tls: bool,
    out: Path | None,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Register the partner NAME with the provider in FOLDER.

    A callback is proved by a MAC under a secret that is made here: hand it over on a way of its
    own. Registering a partner again makes a new secret and ends the one before. The service knows
    a partner from its next start on.
    """
    if [bool(certificate), tls, out is not None].count(True) != 1:
        raise click.UsageError("say what proves its callbacks: --out, --certificate, or --tls")
    if bool(certificate) != (authority is not None) + without_lists:
        raise click.UsageError("a --certificate takes its --authority, or --without-lists")
    link = PartnerLink(
        name=name,
        proof="certificate" if certificate else "tls" if tls else "mac",
        certificate=certificate,
        sources=sources,
        unlisted=without_lists,
    )
    opener = opener_from(secret_fd, secret_file)
    if receipts and sim_changes:
        raise click.UsageError("a partner has one task: --receipts, or --sim-changes")
    issuer = None if authority is None else authority.read_bytes()
    if issuer is not None:
        authorities_in(issuer)
    secret = register(
        *(ProviderFolder(folder), opener, SystemClock(), link),
        receipts=receipts,
        sim_changes=sim_changes,
    )
    if issuer is not None:
        keep_authorities(folder, name, issuer)
    if out is not None:
        write_private(out, b64url(secret.reveal()) + "\n")
        say(f"the secret shared with {name} was written to {out}")
    say(f"{name} is registered; restart the service to take it into use")


opener_options(add)
