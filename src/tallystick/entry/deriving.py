"""From a programme to its analysis and to the policy that follows, compiled and proven.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from tallystick.entry.settings import ProviderFolder
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Unavailable
from tallystick.kernel.model import Record
from tallystick.kernel.time import Instant
from tallystick.process.derivation.basis import Header, basis_of, following
from tallystick.process.derivation.derive import Basis, Derived, Reason, derive
from tallystick.process.derivation.rules import load_rules
from tallystick.process.policy import Policy, compile_policy, read_policy
from tallystick.process.policy.language.removed import read_kept
from tallystick.process.programme.model import Programme
from tallystick.process.programme.reading import read_programme
from tallystick.process.risk.analysis import Analysis, Options, analyse, analysis_json
from tallystick.process.risk.model import Pack
from tallystick.process.risk.packs import pack_for
from tallystick.protocol.policy_file import policy_text, read_policy_file

QUICK_S = 20.0
"""How long set-up goes on with an analysis before it leaves it to a command of its own."""

_YEARS = 2_000
_SOLVER_S = 3.0


class Written(Record, frozen=True, kw_only=True):
    """What stands beside a derived policy: what it rests on, and why each row is there.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    rules: str
    rules_digest: str
    programme_digest: str
    pack_digest: str
    profile: str
    rows: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Policies:
    """A derived policy: what it was derived from, its text, what it reads as, why it is so.

    Source: ISO/TS 12812-2:2017, 6.1
    """

    basis: Basis
    derived: Derived
    policy: Policy
    written: Written


def policy_of(programme: Programme, pack: Pack, analysis: Analysis, header: Header) -> Policies:
    """The policy under `header` that follows from an analysis of `programme`.

    Raises what deriving and compiling raise, which is Malformed with every defect.
    Source: ISO/TS 12812-2:2017, 6.1
    """
    rules = load_rules()
    basis = basis_of(rules, programme, pack, analysis, header)
    derived = derive(rules, basis)
    compiled = compile_policy(read_policy(derived.text))
    written = Written(
        rules=rules.id,
        rules_digest=rules.digest,
        programme_digest=analysis.programme_digest,
        pack_digest=pack.digest,
        profile=basis.profile,
        rows=derived.reasons,
    )
    return Policies(basis=basis, derived=derived, policy=compiled.policy, written=written)


def analyse_folder(
    folder: ProviderFolder, now: Instant, stage: Callable[[str], None], longest_s: float = QUICK_S
) -> None:
    """Analyse the programme in `folder`; leave the result and the derived policy beside it.

    `stage` hears what is done next. The policy follows the one in the folder, in force from `now`.
    Raises Unavailable without the extra `risk`, or once `longest_s` have gone; what was written by
    then stays.
    Source: ISO/TS 12812-2:2017, 6.1; A
    """
    began = monotonic()

    def go_on(what: str) -> None:
        if monotonic() - began > longest_s:
            raise Unavailable(
                "the analysis takes longer than set-up waits",
                remedy=f"tallystick risk run {folder.root}",
            )
        stage(what)

    text = folder.programme_file.read_bytes().decode("utf-8", "replace")
    pack = pack_for(read_programme(text).uses)
    programme = read_programme(text, pack.controls)
    options = Options(years=_YEARS, limit_s=_SOLVER_S)
    analysis = analyse(programme, pack, options=options, stage=go_on)
    replace_file(folder.risk_file, analysis_json(analysis))
    go_on("deriving a policy")
    before = read_kept(policy_text(read_policy_file(folder.policy_file.read_bytes())))
    made = policy_of(programme, pack, analysis, following(before, now))
    replace_file(folder.derived_file, made.derived.text.encode())
    reasons = folder.derived_file.with_name(f"{folder.derived_file.name}.reasons.json")
    replace_file(reasons, encode_canonical(made.written))
