"""The command that derives a policy from a programme and its risk analysis.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from tallystick.entry.cli.console import OneOf, err, example, say, table
from tallystick.entry.cli.policyfiles import policy_in, tell_changes
from tallystick.entry.deriving import policy_of
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import NotFound
from tallystick.kernel.money import Money
from tallystick.process.derivation.basis import Header, asking, following
from tallystick.process.derivation.derive import Basis, Derived
from tallystick.process.derivation.rules import load_rules
from tallystick.process.policy import Policy
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import Options, analyse
from tallystick.process.risk.packs import pack_for

_PLACE = click.Path(path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PROGRAMME = "mfs.yaml"
_YEARS = 2_000


@click.command(
    "derive",
    short_help="Derive a policy from a programme and its risks.",
    epilog=example(
        "tallystick policy derive ./provider --out v2.yaml",
        "tallystick policy derive mfs.yaml --previous v2.yaml --out v3.yaml",
    ),
)
@click.argument("file", type=_PLACE, default=_PROGRAMME)
@click.option("--out", "target", required=True, type=_PLACE, help="Where the policy goes.")
@click.option(
    "--previous",
    type=_FILE,
    help="The policy before, for version, approval, local time; else the folder's first.",
)
@click.option("--provider", default="", help="The provider's name; else as before, or the offer.")
@click.option("--version", type=int, help="The policy's version; else one above the one before.")
@click.option("--utc-offset", default="", help="Local time, as +03:00; else as before, or +00:00.")
@click.option("--approval", type=OneOf(["demo", "production"]), help="Who must sign it.")
@click.option("--json", "as_json", is_flag=True, help="Print why each row is there as JSON.")
def derive_policy(
    file: Path,
    target: Path,
    previous: Path | None,
    provider: str,
    version: int | None,
    utc_offset: str,
    approval: str | None,
    as_json: bool,
) -> None:
    """Derive a policy from the programme in FILE (mfs.yaml, or its folder).

    The risk analysis chooses controls; they, the profile of the highest risk and the regimes of
    the jurisdictions give the rows, each with what it answers. The text is compiled and proven
    before it is written; officers sign it like any other. Beside it OUT.reasons.json says why each
    row is there. Needs the extra `risk`.
    """
    place = file / _PROGRAMME if file.is_dir() else file
    if not place.exists():
        raise NotFound(
            f"there is no programme at {place}",
            remedy="name the file or its folder; tallystick init writes one",
        )
    in_force = file / "policy.json"
    if previous is None and in_force.exists():
        previous = in_force
    before = None if previous is None else policy_in(previous)
    with err.status("reading ...") as status:
        programme = read_programme(place.read_bytes().decode("utf-8", "replace"))
        pack = pack_for(programme.uses)
        analysis = analyse(
            programme,
            pack,
            options=Options(years=_YEARS),
            stage=lambda what: status.update(f"{what} ..."),
        )
        status.update("deriving and proving rows ...")
        header = _header(before, provider or programme.offer.id, version, utc_offset, approval)
        made = policy_of(programme, pack, analysis, header)
    octets = encode_canonical(made.written)
    replace_file(target, made.derived.text.encode())
    replace_file(target.with_name(f"{target.name}.reasons.json"), octets)
    if as_json:
        click.echo(octets.decode())
        return
    _tell(made.basis, made.derived, before, made.policy)
    number = made.policy.header.version
    say(f"\n{target}: version {number}, compiled and proven; officers sign it next")


def _header(
    before: Policy | None,
    provider: str,
    version: int | None,
    utc_offset: str,
    approval: str | None,
) -> Header:
    if before is None:
        return Header(
            provider=provider,
            version=version or 1,
            effective_at=SystemClock().now(),
            utc_offset=utc_offset or "+00:00",
            approval=approval or "demo",
        )
    following_it = following(before, SystemClock().now())
    return replace(
        following_it,
        version=version or following_it.version,
        utc_offset=utc_offset or following_it.utc_offset,
        approval=approval or following_it.approval,
    )


def _tell(basis: Basis, derived: Derived, before: Policy | None, after: Policy) -> None:
    table(
        f"why each row is there; profile {basis.profile}, regimes {', '.join(basis.regimes)}",
        ("row", "controls", "threats", "requirements", "articles"),
        (
            (one.row, _few(one.controls), _few(one.threats), _few(one.requirements),
             ", ".join(one.articles))
            for one in derived.reasons
        ),
    )  # fmt: skip
    table("\ncaps", ("cap", "amount", "because"), _caps(basis))
    if before is None:
        return
    say("\nwhat changes")
    tell_changes(before, after, reasons=False)


def _caps(basis: Basis) -> Iterator[tuple[object, ...]]:
    currency = basis.programme.offer.currency
    for cap in load_rules().caps.values():
        if asking(basis.controls.values(), cap):
            reason = basis.caps[cap.id]
            yield cap.id, Money(reason.amount, currency), reason.because


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
