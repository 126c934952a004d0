"""The command that drafts a policy without acts that no longer exist.

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1
"""

from pathlib import Path

import click

from tallystick.entry.cli.console import example, say
from tallystick.entry.mending import MENDED, stored_text
from tallystick.entry.settings import ProviderFolder
from tallystick.process.policy import compile_policy, read_policy
from tallystick.process.policy.language.removed import mend, removed_in


@click.command(
    "mend",
    short_help="Draft the policy in force without acts that are gone.",
    epilog=example("tallystick policy mend ./provider --out draft.yaml"),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", "target", required=True, type=click.Path(path_type=Path), help="Where the draft goes."
)
def mend_policy(folder: Path, target: Path) -> None:
    """Draft the policy of the provider in FOLDER without the acts that no longer exist.

    A service does not start under a policy that grants such acts. The draft is the same text
    without them, under the next version; officers sign it like any other, and the next start takes
    it. It takes nothing that differs in more.
    """
    text, stored = stored_text(ProviderFolder(folder))
    gone = removed_in(text)
    if not gone:
        say("every act that the policy grants exists: nothing is to be done")
        return
    for one in gone:
        say(f"{one.at}: {one.where} grants {one.act}, which no longer exists")
    draft = mend(text)
    version = compile_policy(read_policy(draft)).version
    target.write_text(draft, encoding="utf-8")
    say(f"{target}: version {version}, the same without them; nothing else differs")
    place = folder / (MENDED if stored else "policy.json")
    say(
        f"next, as many officers as the profile asks: tallystick policy sign {target} --out {place}"
    )
