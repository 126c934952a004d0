"""A policy that the loop proposed, as it leaves it in a provider's folder."""

from pathlib import Path

from tallystick.entry.proposals import PROPOSALS, WAITS
from tallystick.infrastructure.store.files import replace_file
from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.time import DAY_MS
from tallystick.process.loop.model import STATE_FILE, LoopState, Waits

__all__ = ["DIGEST", "leave_proposal", "withdraw_proposal"]

DIGEST = "0123456789abcdef"


def leave_proposal(root: Path, at: int, *, version: int = 2) -> Waits:
    """Policy `version` is proposed since `at` (ms), for seven days."""
    waits = Waits(digest=DIGEST, version=version, at=at, until=at + 7 * DAY_MS, touched=None)
    (root / PROPOSALS).mkdir(exist_ok=True)
    replace_file(root / PROPOSALS / f"{DIGEST}{WAITS}", encode_canonical(waits))
    _state(root, at, DIGEST)
    return waits


def withdraw_proposal(root: Path, at: int) -> None:
    """The round at `at` (ms) proposes nothing any more."""
    _state(root, at, "")


def _state(root: Path, at: int, proposal: str) -> None:
    state = LoopState(
        v=1, at=at, round=1, controls={}, held=(), findings={}, residual={}, policy_version=1,
        proposal=proposal,
    )  # fmt: skip
    replace_file(root / STATE_FILE, encode_canonical(state))
