"""Two people put a customer on another tier: limits follow at once, and nobody loses money."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.recovered import PAPERS, Recovered, recovered
from tests.support.served import Person

from tallystick.application.daybook.store import above_ceiling
from tallystick.client.wallet import Refusal
from tallystick.kernel.errors import Conflict, LimitExceeded, MfsError, NotFound, NotPermitted
from tallystick.kernel.money import Money
from tallystick.protocol.payments import PaymentKind
from tallystick.protocol.recovery import ChangeTier


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Recovered]:
    with recovered(tmp_path / "p") as found:
        yield found


def change(person: Person, tier: int) -> ChangeTier:
    return ChangeTier(number=person.number, tier=tier, evidence=PAPERS, because="papers were seen")


def pay(payer: Person, payee: str, minor: int) -> None:
    payer.wallet.pay(PaymentKind.P2P, payee, Money(minor, "KES"))


def refused(payer: Person, payee: str, minor: int) -> MfsError:
    with pytest.raises((Refusal, MfsError)) as found:
        pay(payer, payee, minor)
    error = found.value
    return error.error if isinstance(error, Refusal) else error


@pytest.mark.requirement("MFS-7.3.3-04")
@pytest.mark.requirement("MFS-13.2-04")
@pytest.mark.requirement("MFS-13.3-03")
def test_a_lower_tier_binds_the_next_order_and_what_is_over_may_only_go_out(
    scene: Recovered,
) -> None:
    person, other = scene.person(funds=1_500_000), scene.friend
    pay(person, other.number, 600_000)
    changed = scene.both("care-desk", "change-tier", change(person, 0))
    assert "tier 0" in changed.says
    assert "your limits are lower" in scene.told(person.number, "limits are lower")
    assert isinstance(refused(person, other.number, 600_000), LimitExceeded)
    pay(person, other.number, 100_000)
    scene.provider.fund(person.number, 200_000)
    assert person.wallet.account().available_minor == 1_000_000
    over = refused(other, person.number, 1)
    assert isinstance(over, LimitExceeded)
    with scene.provider.platform.database.reader() as reader:
        assert above_ceiling(reader)[1] == 0


@pytest.mark.requirement("MFS-13.3-03")
def test_a_balance_over_the_new_ceiling_stays_and_shrinks(scene: Recovered) -> None:
    person = scene.person(funds=1_400_000)
    says = scene.both("care-desk", "change-tier", change(person, 0)).says
    assert "may only go out" in says
    assert person.wallet.account().available_minor == 1_400_000
    with pytest.raises(MfsError):
        scene.provider.fund(person.number, 1)
    assert isinstance(refused(scene.friend, person.number, 1), MfsError)
    pay(person, scene.friend.number, 300_000)
    pay(person, scene.friend.number, 300_000)
    pay(scene.friend, person.number, 1_000)
    with scene.provider.platform.database.reader() as reader:
        assert above_ceiling(reader)[1] == 0
        (kept,) = reader.rows("SELECT kept_minor FROM kept_over")
    assert kept == (400_000,)
    scene.both("care-desk", "change-tier", change(person, 2))
    scene.told(person.number, "limits are higher")
    scene.provider.fund(person.number, 2_000_000)
    pay(person, scene.friend.number, 1_000_000)


@pytest.mark.threat("THR-INS-01")
def test_nobody_changes_a_tier_alone_or_to_what_the_policy_does_not_know(scene: Recovered) -> None:
    person = scene.person()
    first = scene.provider.operators["care-desk"][0]
    waiting = first.act("change-tier", change(person, 3))
    assert waiting.state == "waiting"
    with pytest.raises(NotPermitted, match="agree with themselves"):
        first.act("change-tier", change(person, 3), approves=waiting.act)
    with pytest.raises(NotPermitted):
        scene.provider.operators["operations"][0].act("change-tier", change(person, 3))
    with pytest.raises(NotPermitted, match="no such tier"):
        scene.both("care-desk", "change-tier", change(person, 7))
    with pytest.raises(Conflict, match="already"):
        scene.both("care-desk", "change-tier", change(person, 2))
    nobody = ChangeTier(number="+254799999999", tier=1, evidence=PAPERS, because="x")
    with pytest.raises(NotFound):
        scene.both("care-desk", "change-tier", nobody)
    assert scene.provider.platform.desks.customers.get(person.customer).tier == 2
