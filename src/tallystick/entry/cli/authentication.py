"""Commands about authenticators and the fraud rate.

Source: ISO/TS 12812-2:2017, 7.3.2; Delegated Regulation (EU) 2018/389, 19
"""

from datetime import UTC, datetime
from pathlib import Path

import click

from tallystick.entry.cli.console import OneOf, example, say, say_json, table
from tallystick.entry.cli.unlocking import opener_from, opener_options
from tallystick.entry.frauds import FraudRates, fraud_rates, transport_key
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.crypto.kem import KemPublicKey, KemSuite
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import SEED_INFO
from tallystick.kernel.codec import b64url, b64url_decode
from tallystick.kernel.errors import Malformed
from tallystick.kernel.time import Instant, iso_utc

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_HASHES = ("hmac-sha1", "hmac-sha256", "hmac-sha512")


@click.group(epilog=example("tallystick authentication fraud-rate ./provider"))
def authentication() -> None:
    """How customers prove who they are: authenticators, and what fraud there was."""


@authentication.command(
    "fraud-rate",
    short_help="Show the fraud rate of each exemption over 90 days.",
    epilog=example(
        "tallystick authentication fraud-rate ./provider",
        "tallystick authentication fraud-rate ./provider --until 2026-04-01 --json",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.option("--until", help="First day after the 90, YYYY-MM-DD; today if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the rates as JSON.")
def fraud_rate(folder: Path, until: str | None, as_json: bool) -> None:
    """Show what share of the value of payments was fraud, by exemption, and what it permits.

    Payments are counted while the policy in force is held to the pack eu-psd2-rts, in euros.
    """
    now = SystemClock().now() if until is None else _midnight(until)
    found = fraud_rates(ProviderFolder(folder), now)
    if as_json:
        say_json(found)
    else:
        _say_rates(found)


@authentication.command(
    "transport-key",
    short_help="Show the key that seeds are sealed to.",
    epilog=example("tallystick authentication transport-key ./provider --secret-file ./secret"),
)
@click.argument("folder", type=_FOLDER)
def show_transport_key(folder: Path, secret_fd: int | None, secret_file: Path | None) -> None:
    """Show id, mechanism and public half of the key that makers of authenticators seal seeds to."""
    provider = ProviderFolder(folder)
    say_json(transport_key(provider, opener_from(secret_fd, secret_file), SystemClock()))


@authentication.command(
    "seal-seed",
    short_help="Seal the seed of an authenticator.",
    epilog=example(
        "tallystick authentication seal-seed seed.bin --mechanism hmac-sha256 --suite hpke-x25519"
        " --public ..."
    ),
)
@click.argument("file", type=_FILE)
@click.option("--mechanism", required=True, type=OneOf(_HASHES), help="The seed's hash.")
@click.option("--suite", required=True, help="Mechanism of the transport key.")
@click.option("--public", required=True, help="Public half of the transport key, base64url.")
def seal_seed(file: Path, mechanism: str, suite: str, public: str) -> None:
    """Seal the octets of FILE to a transport key; what comes out is for `enrol-authenticator`."""
    if suite not in {one.value for one in KemSuite}:
        raise Malformed(f"there is no suite {suite[:40]!r}")
    recipient = KemPublicKey(KemSuite(suite), b64url_decode(public))
    sealed = recipient.seal(file.read_bytes(), info=SEED_INFO + mechanism.encode())
    say(b64url(sealed))


def _midnight(day: str) -> Instant:
    try:
        at = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed("a day is written YYYY-MM-DD") from error
    return Instant(int(at.timestamp()) * 1000)


def _say_rates(found: FraudRates) -> None:
    rows = [
        (
            one.exemption,
            "remote" if one.remote else "at a till",
            one.count,
            one.amount_minor,
            one.fraud_count,
            one.fraud_minor,
            one.rate_percent,
        )
        for one in found.kinds
    ]
    head = ("exemption", "where", "payments", "value", "frauds", "value", "rate %")
    table(f"90 days to {iso_utc(Instant(found.until))[:10]}, minor units", head, rows)
    say(f"fraud rate of remote payments: {found.remote_rate_percent} %")
    say(f"it permits: {', '.join(found.permits) or 'no exemption by risk'}")


opener_options(show_transport_key)
