"""The command that sets a provider up.

Source: ISO/TS 12812-2:2017, 6.1
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from tallystick.entry.cli.console import OneOf, err, example, say, say_json, table
from tallystick.entry.cli.unlocking import (
    make_secret_file,
    secret_from,
    secret_options,
    write_private,
)
from tallystick.entry.deriving import analyse_folder
from tallystick.entry.settings import ProviderFolder, PublicHalf
from tallystick.entry.setup import (
    Done,
    Plan,
    demo_policy,
    refuse_occupied,
    refuse_other_profile,
    set_up,
)
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import MfsError, Unavailable
from tallystick.kernel.secret import Secret
from tallystick.process.policy.officers import SIGNATURES
from tallystick.process.programme.organisation import staffing
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import (
    CALLING_CODES,
    PROFILES,
    profile_currency,
    profile_text,
)
from tallystick.protocol.channels import Language

_ROLES = (
    *("security-officer", "security-officer", "operations", "operations"),
    *("care-desk", "privacy-officer"),
)
_halves = Decoder(PublicHalf)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    short_help="Set up a provider: keys, first policy, invitations.",
    epilog=example(
        "tallystick init ./provider --secret-out ./secret",
        "tallystick init ./provider --secret-out ./secret --profile bank-app --currency EUR",
        "tallystick init ./provider --secret-fd 3 --profile production --policy policy.yaml"
        " 3< secret",
    ),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--provider", default="demo-wallet", show_default=True, help="The provider's name.")
@click.option("--currency", default="", help="ISO 4217 code; else the programme's.")
@click.option("--country", default="", help="Calling code without plus; else the programme's.")
@click.option(
    "--profile",
    "profiles",
    type=OneOf([*SIGNATURES, *PROFILES]),
    multiple=True,
    help="How strictly policies are approved (else demo); which programme to begin with (else"
    " mobile-money-operator). Say it twice for both.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The first policy; the demonstration policy if absent, which is of profile demo.",
)
@click.option(
    "--operators",
    default="",
    help="Roles to invite, by commas; else those that the programme needs.",
)
@click.option(
    "--language",
    type=OneOf([one.value for one in Language]),
    default=Language.ENGLISH.value,
    show_default=True,
    help="In which language customers are spoken to who chose none.",
)
@click.option("--sms-url", default="", help="Where notices are posted.")
@click.option("--core-url", default="", help="A core system whose book counts.")
@click.option(
    "--gateway", "gateways", multiple=True, metavar="NAME=FILE", help="A USSD gateway's public key."
)
@click.option("--store", default="", help="A server for the record: postgresql://...")
@click.option("--codes-file", type=click.Path(path_type=Path), help="Write the codes there (0600).")
@click.option("--secret-out", type=_FILE, help="Make a new secret and write it there (0600).")
@click.option(
    "--analysis/--no-analysis",
    default=True,
    show_default=True,
    help="Analyse the programme's risks and derive a policy, if the extra `risk` is there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print root and invited roles as JSON.")
def init(
    folder: Path,
    provider: str,
    currency: str,
    country: str,
    profiles: tuple[str, ...],
    policy_file: Path | None,
    operators: str,
    language: str,
    sms_url: str,
    core_url: str,
    gateways: tuple[str, ...],
    store: str,
    codes_file: Path | None,
    secret_out: Path | None,
    analysis: bool,
    as_json: bool,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Set up a provider in FOLDER: keys, key list, first policy, operators' invitations.

    The secret that opens the master key is made with --secret-out, or read from --secret-fd or
    --secret-file (made too, if it does not exist). It is never read from the environment.

    The programme file mfs.yaml is written there, too, unless there is one: adapt it, and check it
    with `tallystick programme check`. With the extra `risk` its risks are analysed: risk.json has
    the result, policy.derived.yaml the policy that follows, for officers to sign.

    Profile production takes a policy of its own, derived and read before; without it nothing is
    set up.
    """
    plan = replace(
        _plan(provider, currency, country, _chosen(profiles), policy_file, operators),
        language=Language(language),
        sms_url=sms_url,
        core_url=core_url,
        gateways=dict(_gateway(given) for given in gateways),
        store=store,
    )
    place = ProviderFolder(folder)
    refuse_occupied(place)
    refuse_other_profile(plan)
    secret, file, made = _initial_secret(folder, secret_out, secret_file, secret_fd)
    try:
        done = set_up(place, plan, secret, SystemClock())
    except MfsError:
        if made and file is not None and not folder.exists():
            file.unlink()
            click.echo(f"{file} was removed again: it opens nothing", err=True)
        raise
    told = _analyse(place) if analysis else ""
    codes = [(one.role, one.code.reveal()) for one in done.invited]
    if codes_file is not None:
        write_private(codes_file, "".join(f"{role} {code}\n" for role, code in codes))
    if as_json:
        shown = [] if codes_file else [{"role": role, "code": code} for role, code in codes]
        say_json({"root": done.root, "folder": str(folder), "invited": shown})
        return
    _say_done(folder, provider, done)
    if codes_file is None:
        table("\none-time codes, shown once; each enrols one operator", ("role", "code"), codes)
    else:
        say(f"one-time codes of {len(codes)} operators were written to {codes_file}")
    if told:
        say(told)
    _say_next(folder, f"--secret-file {file}" if file else "--secret-fd N")


def _plan(
    provider: str,
    currency: str,
    country: str,
    profiles: tuple[str, str],
    policy_file: Path | None,
    operators: str,
) -> Plan:
    """What is to be set up, so far as the programme says it."""
    strictness, programme = profiles
    currency = currency or profile_currency(programme)
    programme_text = profile_text(programme, provider=provider, currency=currency)
    posts = staffing(read_programme(programme_text)).rules.roles
    invited = tuple(role.strip() for role in operators.split(",") if role.strip())
    if policy_file is None:
        text, roles = demo_policy(currency, provider, posts), _roles(posts)
    else:
        text, roles = policy_file.read_text(encoding="utf-8"), _ROLES
    return Plan(
        provider=provider,
        currency=currency,
        country=country or CALLING_CODES[programme],
        profile=strictness,
        programme_text=programme_text,
        policy_text=text,
        roles=invited or roles,
    )


def _chosen(profiles: tuple[str, ...]) -> tuple[str, str]:
    """How strictly policies are approved, and which programme to begin with."""
    strictness = [one for one in profiles if one in SIGNATURES]
    programmes = [one for one in profiles if one in PROFILES]
    if len(strictness) > 1 or len(programmes) > 1:
        raise click.UsageError("--profile takes one of demo and production, and one programme")
    return (strictness or ["demo"])[0], (programmes or [PROFILES[0]])[0]


def _roles(posts: Iterable[str]) -> tuple[str, ...]:
    """Whom to invite: those of the demonstration, and two for each other post that acts."""
    others = [name for name in posts if name not in {*_ROLES, "auditor"}]
    return (*_ROLES, *(name for name in others for _ in range(2)))


def _analyse(place: ProviderFolder) -> str:
    """Analyse the programme of a new provider; gives what came of it, in words."""
    try:
        with err.status("analysing the programme ...") as status:
            analyse_folder(place, SystemClock().now(), lambda what: status.update(f"{what} ..."))
    except Unavailable as error:
        return f"the risks were not analysed: {error.detail}: tallystick risk run {place.root}"
    except MfsError as error:
        return f"no policy was derived: {error.detail.splitlines()[0]}"
    return (
        f"the risks were analysed: {place.risk_file.name}; the policy that follows, for officers to"
        f" sign: {place.derived_file.name}"
    )


def _say_done(folder: Path, provider: str, done: Done) -> None:
    say(f"provider {provider} is set up in {folder}", style="green")
    say(f"root key to pin in every SDK: {done.root.algorithm} {done.root.public}")
    offline = folder / "offline"
    say(f"move {offline} away from this machine; it has the keys of the root and of the officers:")
    for path in sorted(offline.iterdir()):
        say(f"  {path.name}")


def _say_next(folder: Path, delivered: str) -> None:
    say("\nnext:")
    say(f"  tallystick programme check {folder}")
    say(f"  tallystick serve {folder} {delivered}")
    say("  tallystick operator enrol http://127.0.0.1:8480 --name NAME --key-file KEY")


def _initial_secret(
    folder: Path, secret_out: Path | None, secret_file: Path | None, secret_fd: int | None
) -> tuple[Secret[bytes], Path | None, bool]:
    """The secret that seals the new master key, its file if it has one, and whether it is new."""
    given = sum(one is not None for one in (secret_out, secret_file, secret_fd))
    if given > 1:
        raise click.UsageError("give one of --secret-out, --secret-file and --secret-fd")
    if given == 0 and sys.stdin.isatty():
        beside = folder.with_name(f"{folder.name}.secret")
        secret_out = Path(click.prompt("write a new secret to", default=str(beside)))
    file = secret_out or secret_file
    made = file is not None and (file == secret_out or not file.exists())
    if made and file is not None:
        make_secret_file(file)
        click.echo(f"a new secret was written to {file}: keep it apart from the provider", err=True)
    return secret_from(secret_fd, file), file, made


def _gateway(given: str) -> tuple[str, PublicHalf]:
    name, _, file = given.partition("=")
    if not name or not Path(file).is_file():
        raise click.BadParameter("give NAME=FILE of an existing file", param_hint="--gateway")
    return name, _halves.decode(Path(file).read_bytes())


secret_options(init)
