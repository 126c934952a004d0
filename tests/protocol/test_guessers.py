"""Many who guess at once, over every channel and two fronts: never more than the limit."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.support.looking import leaves_of
from tests.support.served import by_one_operator, served

from tallystick.client.ownfactors import OwnFactors
from tallystick.entry.settings import PublicHalf
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError
from tallystick.kernel.secret import Secret
from tallystick.protocol.operators import IssueActivation

NUMBER = "+254700000001"
PIN = Secret("7391")
GUESSERS = 64
LIMIT = 5


@pytest.mark.requirement("MFS-7.3.2-02")
@pytest.mark.threat("THR-USD-04")
@pytest.mark.parametrize("workers", [1, 2])
def test_sixty_four_guessers_over_all_channels_never_pass_the_limit(
    tmp_path: Path, workers: int
) -> None:
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    quick = by_one_operator().replace("  backoff: PT1S", "  # backoff: PT1S")
    with served(
        tmp_path / "p", gateways={"gw1": half}, policy_text=quick, workers=workers
    ) as provider:
        gateway = UssdGateway("gw1", key, provider.url, provider.clock)
        person = provider.person(NUMBER, "Ann App", funds=100_000)
        phone = FeaturePhone(NUMBER, gateway, provider.smsc)
        provider.operators["care-desk"][0].act("issue-activation", IssueActivation(number=NUMBER))
        phone.set_pin(provider.activation_code(NUMBER, after=1), PIN)
        person.session.establish()
        factors = OwnFactors(person.session)
        codes: Counter[str] = Counter()

        def guess(number: int) -> None:
            wrong = Secret(f"{number:04d}")
            try:
                if number % 4 == 0:
                    UssdGateway("gw1", key, provider.url, provider.clock).dial(
                        NUMBER, "1", "0700000001", "1", wrong.reveal()
                    )
                elif number % 4 == 1:
                    factors.give_code(Secret(f"{number:06d}"))
                else:
                    factors.give_pin(wrong)
            except MfsError as error:
                codes[error.code] += 1

        threads = [threading.Thread(target=guess, args=(one,)) for one in range(GUESSERS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        leaves = [decode_leaf(leaf) for leaf in leaves_of(provider)]
        failed = [one for one in leaves if one.kind in FAILURES]
        counted = [one for one in failed if not one.p["held"]]
        assert 0 < len(counted) <= LIMIT
        assert max(int(one.p["failures"]) for one in failed) == LIMIT
        customer = provider.platform.desks.customers.get(person.customer)
        assert customer.pin_blocked_until > provider.clock.now()
        assert set(codes) <= {"not-authentic", "rate-limited", "unauthenticated", "replayed"}


FAILURES = {"authentication.failed", "authentication.blocked"}
