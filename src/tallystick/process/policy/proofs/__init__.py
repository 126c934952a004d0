"""Proofs over a whole policy before it is signed or in force: over sets of facts, not samples.

    totality, no conflict   rows in order end in a default that denies: every fact meets one row
    coverage                every row is reached, every payment is capped, every limit binds
    monotone                more security never means less permission
    floor                   the policy is not below what its regimes ask
    independence            no single broken element gives two factors

    space     many boxes of facts at once, exactly; `table` puts a policy into it
    order     what counts as better

Source: ISO/TS 12812-2:2017, 6.1; 7.3.2; 7.3.3
"""

from tallystick.process.policy.language.model import Policy
from tallystick.process.policy.proofs.coverage import check_coverage
from tallystick.process.policy.proofs.floor import baseline_for, check_floor, regions
from tallystick.process.policy.proofs.independence import check_independence
from tallystick.process.policy.proofs.monotone import Breach, breaches, check_monotone
from tallystick.process.policy.proofs.space import Box, Point, Space, box_of, in_words
from tallystick.process.policy.proofs.table import PAYING, Table
from tallystick.process.policy.regimes import Baseline
from tallystick.process.yamltext.section import Defects

__all__ = [
    "Box",
    "Breach",
    "Point",
    "Space",
    "Table",
    "baseline_for",
    "box_of",
    "breaches",
    "in_words",
    "prove",
]


def prove(policy: Policy) -> Baseline:
    """Pass if every proof holds; gives what the policy was held to.

    Raises Malformed with every defect and its position.
    Source: ISO/TS 12812-2:2017, 6.1; 7.3.3
    """
    defects = Defects()
    baseline = baseline_for(policy)
    table = Table(policy, (PAYING, *regions(baseline)))
    check_coverage(table, table.more(0), defects)
    check_monotone(table, defects)
    check_floor(table, baseline, 1, defects)
    check_independence(policy, defects)
    defects.refuse()
    return baseline
