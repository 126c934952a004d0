"""Commands about the provider's books.

Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
"""

from collections.abc import Sequence
from pathlib import Path

import click

from tallystick.entry.cli.console import FOUND_SOMETHING, example, say, say_json, table
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.ledger.daybook import BalanceLine, TrialBalance, trial_balance
from tallystick.infrastructure.ledger.store import LedgerStore
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.money import Money


@click.group(epilog=example("tallystick ledger balance ./provider"))
def ledger() -> None:
    """The books: double entry, in minor units."""


@ledger.command(
    "balance",
    short_help="Show the trial balance.",
    epilog=example(
        "tallystick ledger balance ./provider", "tallystick ledger balance ./provider --json"
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the trial balances as JSON.")
def balance(folder: Path, as_json: bool) -> int:
    """Show the trial balance, and customers' money against what is safeguarded.

    Exits with 4 if debits and credits differ or the safeguarding account falls short.
    """
    provider = ProviderFolder(folder)
    with open_reader(provider.stored()) as reader:
        lines = LedgerStore(reader).balance_lines()
    trials = trial_balance(lines)
    wrong = any(not one.is_even() or one.shortfall() for one in trials.values())
    if as_json:
        say_json(list(trials.values()))
        return FOUND_SOMETHING if wrong else 0
    for currency, trial in trials.items():
        _say(trial, [line for line in lines if line.currency == currency])
    if not trials:
        say("no account is open yet")
    return FOUND_SOMETHING if wrong else 0


def _say(trial: TrialBalance, lines: list[BalanceLine]) -> None:
    def money(minor: int) -> Money:
        return Money(minor, trial.currency)

    rows: list[Sequence[object]] = [
        (
            line.kind.value,
            line.accounts,
            money(line.posted_debit),
            money(line.posted_credit),
            money(line.balance()),
        )
        for line in lines
    ]
    rows.append(("sum", "", money(trial.posted_debit), money(trial.posted_credit), ""))
    table(
        f"trial balance in {trial.currency}",
        ("kind", "accounts", "debit", "credit", "balance"),
        rows,
    )
    if trial.held_debit or trial.held_credit:
        say(f"waiting: {money(trial.held_debit)} debit, {money(trial.held_credit)} credit")
    if not trial.is_even():
        say("the books are not even", style="bold red")
    elif trial.shortfall():
        say(f"the safeguarding account lacks {money(trial.shortfall())}", style="bold red")
    else:
        say(
            f"even; {money(trial.owed)} is owed to others and {money(trial.safeguarded)} is"
            " safeguarded",
            style="green",
        )
