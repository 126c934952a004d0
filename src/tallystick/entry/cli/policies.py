"""Commands about policies: check, sign, compare.

Source: ISO/TS 12812-2:2017, 6.1
"""

from pathlib import Path

import click

from tallystick.client.keyfile import KeyFile
from tallystick.entry.cli.console import out, secret_from, secret_options
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.entropy import operating_system
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.secret import Secret
from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.policy.explain import diff
from tallystick.process.policy.signing import sign_policy
from tallystick.protocol.policy_file import PolicyFile

_files = Decoder(PolicyFile, limit=1024 * 1024)
_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """Policies: the rules that every message meets."""


@policy.command("check", epilog="Example: tallystick policy check policy.yaml")
@click.argument("file", type=_PATH)
def check(file: Path) -> None:
    """Read FILE and say whether it is sound; every defect has its position."""
    compiled = compile_policy(read_policy(file.read_text(encoding="utf-8")))
    rules = compiled.policy
    out.print(
        f"{file.name}: version {compiled.version} of {rules.header.provider} is sound:"
        f" {len(rules.decisions)} rows, {len(rules.limits)} limits, {len(rules.tiers)} tiers",
        markup=False,
    )


@policy.command("diff", epilog="Example: tallystick policy diff v1.yaml v2.yaml")
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
def compare(old: Path, new: Path) -> None:
    """Say in words what changes from OLD to NEW."""
    before = read_policy(old.read_text(encoding="utf-8"))
    after = read_policy(new.read_text(encoding="utf-8"))
    for line in diff(before, after) or ("nothing changes",):
        out.print(line, markup=False)


@policy.command(
    "sign",
    epilog="Example: tallystick policy sign policy.yaml --officer officer-1 --key-file"
    " offline/officer-1.key --secret-file ./secret --out signed.json",
)
@click.argument("file", type=_PATH)
@click.option("--officer", required=True, help="The officer's name in the provider's settings.")
@click.option("--key-file", required=True, type=_PATH, help="The officer's sealed key.")
@click.option(
    "--out", "target", required=True, type=click.Path(path_type=Path), help="Signed file."
)
def sign(
    file: Path,
    officer: str,
    key_file: Path,
    target: Path,
    secret_file: Path | None,
    secret_fd: int | None,
) -> None:
    """Approve FILE as an officer; a signed file of the same text gets one more signature."""
    passphrase = Secret(b64url(secret_from(secret_fd, secret_file).reveal()))
    _, content = KeyFile.open(key_file, passphrase, operating_system)
    existing = _files.decode(target.read_bytes()) if target.exists() else None
    signed = sign_policy(
        file.read_text(encoding="utf-8"), officer, Es256SigningKey.from_pkcs8(content), existing
    )
    target.write_bytes(encode_canonical(signed))
    out.print(f"{target} now has {len(signed.signatures)} signatures", markup=False)


secret_options(sign)
