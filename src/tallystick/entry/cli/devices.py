"""Commands about devices: a verdict made again, a policy of appraisal signed, the whole fleet.

Source: ISO/TS 12812-2:2017, 6.1; 7.2.6; 7.3.3
"""

from pathlib import Path

import click

from tallystick.application.appraisals.replaying import Replayed, replayed
from tallystick.application.devices import Attesting
from tallystick.application.devices.store import kept_attestation
from tallystick.entry.attesting import known_in
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.reached import say_shut_out, say_tried
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    secret_from,
    secret_options,
)
from tallystick.entry.fleet import Fleet, fleet_of
from tallystick.entry.reaching import policy_in_force, tried
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.codec import encode_canonical, to_plain
from tallystick.kernel.errors import NotFound
from tallystick.process.attestation.environments import Environment, in_words
from tallystick.process.attestation.reading import read_policy
from tallystick.process.attestation.signing import sign_appraisal
from tallystick.protocol.appraisal_file import appraisal_text, read_appraisal_file

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(epilog=example("tallystick device verdict ./provider dev_..."))
def device() -> None:
    """Devices: what they are trusted for, and why."""


@device.command(
    "verdict",
    short_help="Make a device's verdict again and compare.",
    epilog=example("tallystick device verdict ./provider dev_01m8brm5n8dy953qhs8kqwmj0q"),
)
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print both verdicts as JSON.")
def verdict(folder: Path, name: str, as_json: bool) -> None:
    """Make the verdicts of device NAME again from the evidence, policy and list that were kept.

    Exits with 4 if a verdict comes out otherwise than it was stored, or cannot be made again.
    """
    with open_reader(ProviderFolder(folder).stored()) as reader:
        kept = kept_attestation(reader, name)
        if kept is None:
            raise NotFound("no such device", remedy="check the id")
        trust, attestation = kept
        if not attestation.startswith(b"["):
            say(f"{name}: {trust}; nothing was appraised, so there is no verdict")
            return
        found = replayed(reader, attestation)
    if as_json:
        say_json([{"same": one.same, **to_plain(one)} for one in found])
    else:
        rows = [(number, *_row(one)) for number, one in enumerate(found, 1)]
        columns = ("", "made again", "outcome", "kept in", "rules that did not hold", "policy")
        table(f"{name}: {trust}", columns, rows)
        for place in sorted({one.stored.claims.get("kept-in", "") for one in found} - {""}):
            say(in_words(Environment(place)))
    if not all(one.same for one in found):
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _row(one: Replayed) -> tuple[str, str, str, str, str]:
    stored = one.stored
    rules = " ".join(reason.rule for reason in stored.reasons)
    told = "same" if one.same else one.why or "different"
    return told, stored.outcome.value, stored.claims.get("kept-in", ""), rules, stored.policy[:16]


@device.command(
    "try",
    short_help="Say whom a policy of appraisal would touch.",
    epilog=example("tallystick device try attestation.yaml --provider ./provider"),
)
@click.argument("file", type=_FILE)
@click.option("--provider", "folder", required=True, type=_FOLDER, help="Folder of the provider.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def try_appraisal(file: Path, folder: Path, as_json: bool) -> None:
    """Judge every active device again by the appraisal policy FILE, and count whose trust changes.

    The evidence that was kept with each device is judged with the list of revoked certificates that
    the provider has now. Nothing is stored; only counts are shown.
    """
    text = file.read_text(encoding="utf-8")
    if text.lstrip().startswith("{"):
        text = appraisal_text(read_appraisal_file(text.encode()))
    place = ProviderFolder(folder)
    with open_reader(place.stored()) as reader:
        found = tried(reader, Attesting(read_policy(text), known_in(place.root, reader)))
    if as_json:
        say_json(to_plain(found))
        return
    say_tried(found)


@device.command(
    "sign",
    short_help="Approve a policy of appraisal as an officer.",
    epilog=example(
        "tallystick device sign attestation.yaml --version 2 --officer officer-1"
        " --key-file offline/officer-1.key --secret-file ./secret --out attestation.json"
    ),
)
@click.argument("file", type=_FILE)
@officer_options
@click.option("--version", required=True, type=click.IntRange(1), help="Its version.")
@click.option(
    "--out", "target", required=True, type=click.Path(path_type=Path), help="Signed file."
)
def sign(
    file: Path,
    officer: str,
    key_file: Path,
    version: int,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Approve the appraisal policy FILE; a signed file of the same text gets one more signature.

    Put the signed file into the provider's folder as attestation.json: it is in force within
    seconds, if enough officers signed and its version is above the last.
    """
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    existing = read_appraisal_file(target.read_bytes()) if target.exists() else None
    text = file.read_text(encoding="utf-8")
    signed = sign_appraisal(text, version, officer, signer, existing)
    target.write_bytes(encode_canonical(signed))
    count = len(signed.signatures)
    say(f"{target}: version {signed.version}, signed by {count} officer{'s' * (count > 1)}")


secret_options(sign)


@click.command(
    short_help="Say what devices there are and how far they are trusted.",
    epilog=example("tallystick fleet ./provider", "tallystick fleet ./provider --json"),
)
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def fleet(folder: Path, as_json: bool) -> None:
    """Count the active devices of the provider in FOLDER by sort, trust and month of enrolment.

    Who has less than full trust may pay less: that share is shown as well, with the clause of the
    policy that says so, and the rules of appraisal that did not hold. Nothing names a customer.
    """
    with open_reader(ProviderFolder(folder).stored()) as reader:
        policy = policy_in_force(reader)
        found = fleet_of(reader, SystemClock().now(), policy)
    if as_json:
        say_json(to_plain(found))
        return
    _say_fleet(found)
    if policy is not None:
        say_shut_out(found.shut_out, policy.policy.header.currency)


def _say_fleet(found: Fleet) -> None:
    share = found.shut_out_per_mille / 10
    say(f"{found.devices} active devices; {share:.1f} % have less than full trust")
    table("trust", ("trust", "devices"), list(found.by_trust.items()))
    rows = [
        (one.attested, one.kept_in, one.system, one.devices, one.trusted) for one in found.classes
    ]
    table("sorts", ("attested by", "keys kept in", "system", "devices", "trusted"), rows)
    if found.rules:
        table("why less", ("rule that did not hold", "devices"), list(found.rules.items()))
    if found.signals:
        told = [(one.signal, one.devices, one.established) for one in found.signals]
        table("signals of a day", ("signal", "devices", "established ones"), told)
    days = [(one.day, one.attested, one.software, one.unproven, one.event) for one in found.days]
    if days:
        table("days", ("day", "proven", "in software", "unproven", "event"), days)
    months = [(one.month, one.devices, one.trusted) for one in found.months]
    table("enrolments", ("enrolled in", "devices", "trusted now"), months)
