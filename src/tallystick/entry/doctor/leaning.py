"""What the service leans on: the table of the policy in force, and what fails at this moment.

Source: ISO/TS 12812-2:2017, 6.2.3
"""

import re
from collections.abc import Iterator, Mapping

from tallystick.application.policing.store import last_policy
from tallystick.entry.doctor.model import Finding, fine, soon, wrong
from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.opening import open_reader
from tallystick.kernel.money import Money
from tallystick.process.policy import Dependency
from tallystick.process.policy.explain import in_words
from tallystick.process.policy.language.model import DependencyRule
from tallystick.process.policy.language.removed import read_kept
from tallystick.protocol.policy_file import policy_text, read_policy_file

_STATE = re.compile(
    r'^tallystick_dependency_failing\{dependency="([a-z-]+)"\} ([01])$', re.MULTILINE
)
_RUNBOOK = "see docs/how-to/runbooks.md, What it leans on fails"
_LISTS = {
    Dependency.ATTESTATION: "no vendor's list is fetched",
    Dependency.REVOCATION: "no list of revoked certificates is there, or the policy asks for none",
}
_ASSUMED = "nothing here asks it; payments by a dialled PIN are decided as if it failed"


def look_at_dependencies(folder: ProviderFolder, exposition: str) -> Iterator[Finding]:
    """Each dependency, as the policy in force and the metrics of the service in `exposition` say.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    states = {name: state == "1" for name, state in _STATE.findall(exposition)}
    rules, currency = _table(folder), folder.settings().currency
    asked = {Dependency.SIM_SIGNAL: _told(folder), **_LISTS}
    for one in Dependency:
        says = asked.get(one, "nothing here asks it")
        yield _found(one.value, says, states.get(one.value), rules.get(one.value), currency)


def _told(folder: ProviderFolder) -> str:
    untold = folder.settings().sim_changes is None and folder.mno() is None
    return _ASSUMED if untold else "a network tells of it"


def _table(folder: ProviderFolder) -> Mapping[str, DependencyRule]:
    with open_reader(folder.place()) as reader:
        stored = last_policy(reader)
    if stored is None:
        return {}
    return read_kept(policy_text(read_policy_file(stored[1].encode()))).dependencies


def _found(
    name: str, asked: str, failing: bool | None, rule: DependencyRule | None, currency: str
) -> Finding:
    what = f"dependency {name}"
    if rule is None:
        says = "the policy does not name it: if it fails, all but operators' acts are denied"
        remedy = "name it under `dependencies` in the next policy"
        return (
            fine(what, "not connected, not in the policy")
            if failing is None
            else soon(what, says, remedy)
        )
    told = f"{does(rule, currency)}; told: {', '.join(rule.tell)}"
    if failing is None:
        return fine(what, f"not connected: {asked}; if it failed, {told}")
    if not failing:
        return fine(what, f"answers; if it fails, {told}")
    found = soon if rule.on_failure == "open" else wrong
    return found(what, f"fails: {told}", _RUNBOOK)


def does(rule: DependencyRule, currency: str) -> str:
    """What the service does while the dependency of `rule` fails, in words; amounts in `currency`.

    Source: ISO/TS 12812-2:2017, 6.2.3
    """
    operations = ", ".join(rule.operations)
    match rule.on_failure:
        case "closed":
            return f"{operations} refused"
        case "stale":
            return f"{operations} refused after {in_words(rule.stale_for_ms)}"
        case "reduced-limit":
            return f"{operations} up to {Money(rule.reduced_limit_minor, currency)}"
        case _:
            return f"{operations} as ever"
