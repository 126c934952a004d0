"""Commands about the auditor's bundle.

Source: ISO/TS 12812-2:2017, 9.1; OSCAL 1.2.1
"""

from pathlib import Path

import click

from tallystick.entry.cli.builds import build_key, build_record_command
from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.cli.unlocking import (
    officer_options,
    open_officer_key,
    secret_from,
    secret_options,
)
from tallystick.entry.evidence import services_left_out
from tallystick.entry.proving.bundling import (
    basis_and_proofs,
    compare_documents,
    read_bundle,
    whose_bundle,
    write_bundle,
)
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.stamping import Authority
from tallystick.infrastructure.crypto.digest import sha256
from tallystick.infrastructure.crypto.x509 import certificates_in
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import to_plain
from tallystick.kernel.errors import NotAuthentic
from tallystick.kernel.time import DAY_MS, iso_utc
from tallystick.process.catalogue import catalogue as load_catalogue
from tallystick.process.conformance.basis import picture_of, read_basis
from tallystick.process.conformance.bundle import (
    Pinned,
    Verified,
    make_bundle,
    verify_bundle,
)
from tallystick.process.conformance.bundle.contents import EVIDENCE, STAMP
from tallystick.process.conformance.bundle.making import Stamp
from tallystick.process.conformance.findings import State
from tallystick.process.conformance.oscal.picture import Picture
from tallystick.process.conformance.tables import audit_workbook
from tallystick.process.isms.certificates import EvaluationCertificate, read_certificate
from tallystick.process.isms.comparing import lacking_findings, lacking_strength

_PATH = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_NEW = click.Path(path_type=Path)
_TSA_ROOT = click.option(
    "--tsa-root", type=_FILE, help="Believe time stamps by this certificate (PEM)."
)
_TSA_POLICY = click.option(
    "--tsa-policy", metavar="OID", default="", help="The policy that the time stamp is under."
)


@click.group(epilog=example("tallystick bundle verify ./bundle --settings ./published"))
def bundle() -> None:
    """What an auditor gets: findings, evidence and proofs, signed."""


@bundle.command(
    "make",
    short_help="Make a signed bundle of what holds.",
    epilog=example(
        "tallystick bundle make ./provider ./bundle --officer officer-1"
        " --key-file offline/officer-1.key --secret-file ./secret",
        "tallystick bundle make ./provider ./bundle --officer officer-1"
        " --key-file offline/officer-1.key --secret-file ./secret"
        " --tsa https://tsa.example/ --tsa-root tsa-root.pem",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("target", type=_NEW)
@officer_options
@click.option("--days", default=30, show_default=True, help="Length of the period looked back on.")
@click.option("--tsa", metavar="URL", help="Ask this authority for a time stamp (RFC 3161).")
@_TSA_ROOT
@_TSA_POLICY
def make(
    folder: Path,
    target: Path,
    officer: str,
    key_file: Path,
    days: int,
    tsa: str | None,
    tsa_root: Path | None,
    tsa_policy: str,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Make a bundle of the provider in FOLDER in the new folder TARGET, signed by an officer.

    It holds eight OSCAL documents, every observation, proofs from the log, tables and a recipe. The
    provider's secret is not needed: the secret here opens the officer's key file.

    With --tsa the signature is stamped by that authority, whose stamp is verified with --tsa-root
    before it is kept. Where the authority gives none, the bundle is made without, and says so.
    """
    stamp = _authority(tsa, tsa_root, tsa_policy)
    if days < 1:
        raise click.UsageError("a period has at least one day: give --days N")
    place = ProviderFolder(folder)
    settings = place.settings()
    signer = open_officer_key(key_file, secret_from(secret_fd, secret_file))
    if officer not in settings.officers:
        raise NotAuthentic(
            f"the settings name no officer {officer}", remedy="see officers in provider.json"
        )
    if settings.officers[officer].verify_key().octets() != signer.public().octets():
        raise NotAuthentic(f"this is not the key of {officer}", remedy="give that officer's file")
    basis, proofs = basis_and_proofs(place, SystemClock(), days * DAY_MS)
    files = make_bundle(basis, load_catalogue(), proofs, signer, officer, stamp=stamp)
    write_bundle(target, files)
    say(f"{target}: {len(files)} files, {len(basis.runs)} runs, {len(proofs.receipts)} records")
    if stamp is not None:
        if STAMP in files:
            say(f"stamped: {STAMP}", style="green")
        else:
            say("not stamped: the authority gave no time stamp; the bundle says so", style="yellow")
    left_out = services_left_out(place)
    if left_out:
        say(f"{left_out}: its rows are not in the bundle", style="yellow")
    say(f"check it: tallystick bundle verify {target} --settings {place.settings_file}")


@bundle.command(
    "verify",
    short_help="Check a bundle with public keys only.",
    epilog=example(
        "tallystick bundle verify ./bundle --settings ./published/provider.json",
        "tallystick bundle verify ./bundle --settings ./provider --json",
        "tallystick bundle verify ./bundle --settings ./published/provider.json"
        " --tsa-root tsa-root.pem --documents ./shown",
    ),
)
@click.argument("source", metavar="BUNDLE", type=_FOLDER)
@click.option(
    "--settings", required=True, type=_PATH, help="Believe this provider.json (or its folder)."
)
@_TSA_ROOT
@_TSA_POLICY
@click.option("--documents", type=_FOLDER, help="Compare the documents that are attested with.")
@click.option("--json", "as_json", is_flag=True, help="Print what holds as JSON.")
def verify(
    source: Path,
    settings: Path,
    tsa_root: Path | None,
    tsa_policy: str,
    documents: Path | None,
    as_json: bool,
) -> None:
    """Check BUNDLE: signature, files, documents, their derivation, and the proofs from the log.

    With --tsa-root the bundle must have a time stamp that leads to a certificate in that file. With
    --documents those that are in that folder are compared with their digests; one that is another
    is refused.
    """
    folder = ProviderFolder(settings if settings.is_dir() else settings.parent)
    whose = whose_bundle(folder.settings())
    pinned = None
    if tsa_root is not None:
        pinned = Pinned(certificates_in(tsa_root.read_bytes()), tsa_policy)
    found = verify_bundle(read_bundle(source), whose, load_catalogue(), pinned)
    shown = -1 if documents is None else compare_documents(found.documents, documents)
    lock = found.lock
    if as_json:
        say_json({"officer": found.officer, "lock": lock, "derived": found.derived,
                  "files": found.files, "runs": found.runs, "records": found.records,
                  "certificates": found.certificates, "documents": len(found.documents),
                  "documents_shown": max(shown, 0),
                  "stamped_at": 0 if found.stamped is None else found.stamped.at})  # fmt: skip
        return
    say("the bundle verifies", style="bold green")
    rows: list[tuple[str, object]] = [
        ("provider", f"{lock.provider}, {lock.tool} {lock.version}"),
        ("made", f"{iso_utc(lock.made_at)}, over the time since {iso_utc(lock.start)}"),
        ("signed by", found.officer),
        ("log", f"{lock.log_origin}, {lock.log_size} events"),
        ("recorded", f"{found.runs} runs, {found.records} records proved to be in the log"),
        ("derived again", "yes" if found.derived else "no: this version has other rows"),
        ("certificates", f"{found.certificates}, each as officers signed it and the log recorded"),
        ("documents", _documents(len(found.documents), shown)),
        ("time stamp", _stamp(found)),
        *((one.value, f"{lock.counts.get(one.value, 0)} of {lock.rows} rows") for one in State),
    ]
    table("", ("", ""), rows)


def _documents(count: int, shown: int) -> str:
    return f"{count}, by their digests" if shown < 0 else f"{shown} of {count} shown, and the same"


def _stamp(found: Verified) -> str:
    if found.stamped is None:
        verified = found.lock.time_stamp.startswith("none")
        return found.lock.time_stamp + ("" if verified else "; not verified: give --tsa-root")
    one = found.stamped
    return f"{iso_utc(one.at)}, by {one.authority}, under {one.policy}"


def _authority(url: str | None, root: Path | None, policy: str) -> Stamp | None:
    if url is None:
        return None
    if root is None:
        raise click.UsageError("a time stamp is kept only if it is verified: give --tsa-root FILE")
    return Authority(url, certificates_in(root.read_bytes()), policy).stamp


@bundle.command(
    "workbook",
    short_help="Write the tables of a bundle as a workbook.",
    epilog=example(
        "tallystick bundle workbook ./bundle --settings ./published/provider.json --out audit.xlsx"
    ),
)
@click.argument("source", metavar="BUNDLE", type=_FOLDER)
@click.option(
    "--settings", required=True, type=_PATH, help="Believe this provider.json (or its folder)."
)
@click.option("--out", "target", required=True, type=_NEW, help="File to write (.xlsx).")
def workbook(source: Path, settings: Path, target: Path) -> None:
    """Check BUNDLE, then write what applies, what is open, what was observed, and what is held.

    Spreadsheet programs open the workbook. Equal bundles give equal octets.
    """
    octets = audit_workbook(_picture(source, settings))
    replace_file(target, octets)
    say(f"{target}: {len(octets)} bytes")


@bundle.command(
    "compare",
    short_help="Say what a partner lacks that we rely on.",
    epilog=example(
        "tallystick bundle compare ./ours ./theirs --settings ./provider"
        " --their-settings ./partner/provider.json",
        "tallystick bundle compare ./ours ./theirs --settings ./provider"
        " --their-settings ./partner/provider.json --certificate module.yaml"
        " --their-certificate their-module.yaml",
    ),
)
@click.argument("ours", type=_FOLDER)
@click.argument("theirs", type=_FOLDER)
@click.option("--settings", required=True, type=_PATH, help="Our provider.json (or its folder).")
@click.option("--their-settings", required=True, type=_PATH, help="Theirs, got on another way.")
@click.option("--certificate", "mine", type=_FILE, multiple=True, help="A certificate of ours.")
@click.option("--their-certificate", "other", type=_FILE, multiple=True, help="One of theirs.")
@click.option("--json", "as_json", is_flag=True, help="Print what they lack as JSON.")
def compare(
    ours: Path,
    theirs: Path,
    settings: Path,
    their_settings: Path,
    mine: tuple[Path, ...],
    other: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check the bundles OURS and THEIRS, then name what the partner lacks that we rely on.

    Requirements count where ours hold and others have a part in them. Certificates (YAML, as for
    `tallystick certificate add`) count by component, on the scale of ISO/IEC 18045. Exits with 4
    if something is lacking.
    """
    rows, now = load_catalogue(), SystemClock().now()
    us, them = _picture(ours, settings), _picture(theirs, their_settings)
    lacks = (
        *lacking_findings(us.findings, them.findings, rows),
        *lacking_strength(_certificates(mine), _certificates(other), now),
    )
    if as_json:
        say_json(to_plain(lacks))
    elif lacks:
        shown = [(one.subject, one.ours, one.theirs, one.says) for one in lacks]
        title = f"{them.provider} lacks {len(lacks)} that {us.provider} relies on"
        table(title, ("what", "with us", "with them", "because"), shown)
    else:
        say(f"{them.provider} lacks nothing that {us.provider} relies on", style="green")
    if lacks:
        raise click.exceptions.Exit(FOUND_SOMETHING)


def _picture(source: Path, settings: Path) -> Picture:
    """What a bundle that verifies says."""
    folder = ProviderFolder(settings if settings.is_dir() else settings.parent)
    files = read_bundle(source)
    verify_bundle(files, whose_bundle(folder.settings()), load_catalogue())
    evidence = files[EVIDENCE]
    basis = read_basis(evidence)
    return picture_of(basis, load_catalogue(), file=EVIDENCE, digest=sha256(evidence).hex())


def _certificates(files: tuple[Path, ...]) -> list[EvaluationCertificate]:
    return [read_certificate(one.read_text(encoding="utf-8")) for one in files]


bundle.add_command(build_record_command)
bundle.add_command(build_key)
secret_options(make)
