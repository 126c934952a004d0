"""A bundle for an auditor who pinned both halves: two signatures all the way, or nothing."""

from collections.abc import Callable

import pytest
from tests.unit.process.conformance.bundles import OFFICERS, ROOT, TALLY, Made, made

from tallystick.infrastructure.crypto.dual import DualSigningKey
from tallystick.kernel.errors import NotAuthentic
from tallystick.process.catalogue import catalogue
from tallystick.process.conformance.bundle import verify_bundle

BOTH, LOG = DualSigningKey.beside(ROOT), DualSigningKey.beside(TALLY)
SIGNERS = {name: DualSigningKey.beside(key) for name, key in OFFICERS.items()}
NAME = "officer-1"


@pytest.fixture(scope="module")
def whole() -> Made:
    return made(root=BOTH, tally=LOG, officers=SIGNERS)


@pytest.mark.requirement("MFS-7.4.2-12", "MFS-7.3.3-07")
def test_a_bundle_of_two_signatures_verifies(whole: Made) -> None:
    assert verify_bundle(whole.files, whole.whose, catalogue()).officer == NAME


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.threat("THR-KEY-01")
@pytest.mark.parametrize(
    "attempt",
    [
        lambda: made(root=ROOT, tally=LOG, officers=SIGNERS),
        lambda: made(root=BOTH, tally=LOG, signs=TALLY, officers=SIGNERS),
        lambda: made(root=BOTH, tally=LOG, officers=OFFICERS),
        lambda: made(
            root=DualSigningKey(ROOT, bytes(32)), tally=LOG, officers=SIGNERS
        ),
        lambda: made(
            root=BOTH, tally=LOG, signs=DualSigningKey(TALLY, bytes(32)), officers=SIGNERS
        ),
    ],
    ids=["list once", "log once", "officer once", "another second root", "another second log"],
)  # fmt: skip
def test_one_signature_anywhere_is_no_bundle(whole: Made, attempt: Callable[[], Made]) -> None:
    with pytest.raises(NotAuthentic):
        verify_bundle(attempt().files, whole.whose, catalogue())
