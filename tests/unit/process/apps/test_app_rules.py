"""What an application may do by the register: shares that grow, steps in order, no way round."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.kernel.errors import Malformed, NotAuthentic, NotPermitted
from tallystick.kernel.model import replace
from tallystick.kernel.time import Instant
from tallystick.process.apps.manifest import (
    ALL,
    RELEASED,
    WITHDRAWN,
    AppDenial,
    AppRelease,
    AppWithdrawal,
    Platform,
    RollOut,
    checked,
    read_stated,
)
from tallystick.process.apps.rules import AppIdentity, AppRegister, May, in_share, judge
from tallystick.process.isms.signing import sign_statement, verify_statement

SIGNER, OTHER, DIGEST = "a" * 64, "b" * 64, "d" * 64
PACKAGE = "org.example.wallet"
RELEASE = AppRelease(
    platform=Platform.ANDROID, package=PACKAGE, version=42, name="4.2", digest=DIGEST,
    signers=(SIGNER,), system="API 26", bill="c" * 64, notes="new",
)  # fmt: skip
RULE = RollOut(
    number=1, platform=Platform.ANDROID, package=PACKAGE, version=50, share=ALL, least=50,
    warn_from=100, limit_from=200, refuse_from=300, attested=False, says="install 5",
)  # fmt: skip
OURS = AppIdentity(
    platform="android", package=PACKAGE, version=42, signers=(SIGNER,), attested=True
)
PLACE = ("android", PACKAGE, 42)


def register(**more: object) -> AppRegister:
    return AppRegister(releases={PLACE: RELEASE}, **more)  # type: ignore[arg-type]


@pytest.mark.requirement("MFS-7.2.8-02")
@pytest.mark.parametrize(
    ("now", "may", "at"),
    [(99, May.RUN, 0), (100, May.WARN, 200), (199, May.WARN, 200), (200, May.LIMIT, 300),
     (300, May.REFUSE, 0), (10**15, May.REFUSE, 0)],
)  # fmt: skip
def test_an_old_version_ends_step_by_step(now: int, may: May, at: int) -> None:
    found = judge(register(rolled_out={PLACE[:2]: RULE}), OURS, "dev", Instant(now))
    assert (found.may, found.at) == (may, at)
    assert found.offered == 50


@pytest.mark.requirement("MFS-7.2.8-02")
def test_a_version_that_is_new_enough_is_left_alone() -> None:
    rule = replace(RULE, least=42)
    found = judge(register(rolled_out={PLACE[:2]: rule}), OURS, "dev", Instant(10**15))
    assert (found.may, found.offered) == (May.RUN, 50)


@pytest.mark.requirement("MFS-7.4.4-02")
@pytest.mark.threat("THR-APP-01")
@pytest.mark.parametrize(
    "app",
    [
        replace(OURS, signers=(OTHER,)),
        replace(OURS, signers=(SIGNER, OTHER)),
        replace(OURS, signers=()),
        replace(OURS, version=43),
        replace(OURS, package="org.example.wallet2"),
        replace(OURS, package=""),
        replace(OURS, digest="e" * 64),
        replace(OURS, signers=(), digest="e" * 64, attested=False),
        replace(OURS, signers=(), digest="", attested=False),
    ],
)
def test_what_is_not_exactly_ours_is_refused(app: AppIdentity) -> None:
    found = judge(register(), app, "dev", Instant(1))
    assert (found.may, found.because) == (May.REFUSE, "app/not-ours")


@pytest.mark.requirement("MFS-7.4.4-02")
def test_the_very_package_counts_where_no_signer_is_proved() -> None:
    app = replace(OURS, signers=(), digest=DIGEST, attested=False)
    assert judge(register(), app, "dev", Instant(1)).may is May.RUN
    assert judge(register(), None, "dev", Instant(1)).may is May.RUN
    proving = register(rolled_out={PLACE[:2]: replace(RULE, attested=True)})
    for one in (app, None):
        found = judge(proving, one, "dev", Instant(1))
        assert (found.may, found.because) == (May.REFUSE, "app/not-attested")


@pytest.mark.requirement("MFS-7.4.4-03")
@pytest.mark.threat("THR-MAL-07")
@pytest.mark.parametrize("subject", [SIGNER, DIGEST])
def test_what_is_denied_is_refused_whatever_else_is_said(subject: str) -> None:
    denied = {subject: AppDenial(subject=subject, at=1, because="stolen key")}
    for held in (register(denied=denied), AppRegister(denied=denied)):
        found = judge(held, replace(OURS, digest=DIGEST), "dev", Instant(1))
        assert (found.may, found.because) == (May.REFUSE, "app/denied")


@pytest.mark.requirement("MFS-7.2.8-02")
def test_a_withdrawal_counts_from_its_moment() -> None:
    gone = AppWithdrawal(
        platform=Platform.ANDROID, package=PACKAGE, version=42, at=50, because="a hole"
    )
    held = register(withdrawn={PLACE: gone})
    assert judge(held, OURS, "dev", Instant(49)).may is May.RUN
    assert judge(held, OURS, "dev", Instant(50)).because == "app/withdrawn"


def test_where_nothing_is_registered_nothing_is_asked() -> None:
    ios = replace(OURS, platform="ios")
    assert judge(register(), ios, "dev", Instant(1)).may is May.RUN
    assert judge(AppRegister(), replace(OURS, signers=(OTHER,)), "dev", Instant(1)).may is May.RUN


@pytest.mark.requirement("MFS-7.2.8-02")
@settings(max_examples=200, deadline=None)
@given(device=st.text(min_size=1, max_size=30), share=st.integers(0, ALL), more=st.integers(0, ALL))
def test_a_share_only_grows(device: str, share: int, more: int) -> None:
    low, high = sorted((share, more))
    if in_share(replace(RULE, share=low), device):
        assert in_share(replace(RULE, share=high), device)
    assert in_share(replace(RULE, share=ALL), device)
    assert not in_share(replace(RULE, share=0), device)


@pytest.mark.requirement("MFS-7.2.8-02")
def test_a_share_is_the_share_of_devices_and_another_draw_for_each_version() -> None:
    rule = replace(RULE, share=2500)
    devices = [f"dev_{place}" for place in range(4000)]
    first = {one for one in devices if in_share(rule, one)}
    second = {one for one in devices if in_share(replace(rule, version=51), one)}
    assert abs(len(first) / 4000 - 0.25) < 0.03
    assert abs(len(first & second) / 4000 - 0.0625) < 0.02


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RULE, share=ALL + 1),
        replace(RULE, least=51),
        replace(RULE, warn_from=250),
        replace(RULE, limit_from=301),
        replace(RULE, platform=Platform.SERVER),
        replace(RULE, says=""),
    ],
)
def test_a_roll_out_that_makes_no_sense_is_malformed(wrong: RollOut) -> None:
    with pytest.raises(Malformed):
        checked(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RELEASE, signers=()),
        replace(RELEASE, signers=(OTHER, SIGNER)),
        replace(RELEASE, signers=("nobody",)),
        replace(RELEASE, platform=Platform.SERVER),
        replace(RELEASE, digest="D" * 64),
        replace(RELEASE, package="a b"),
    ],
)
def test_a_release_that_makes_no_sense_is_malformed(wrong: AppRelease) -> None:
    with pytest.raises(Malformed):
        checked(wrong)


@pytest.mark.requirement("MFS-7.4.4-01")
@pytest.mark.threat("THR-APP-07")
def test_one_officer_alone_releases_nothing_in_production() -> None:
    first, second = Es256SigningKey.generate(), Es256SigningKey.generate()
    officers = {"officer-1": first.public(), "officer-2": second.public()}
    alone = sign_statement(RELEASED, RELEASE, "officer-1", first)
    with pytest.raises(NotPermitted, match="2 officers"):
        verify_statement(alone, officers, "production")
    both = sign_statement(RELEASED, RELEASE, "officer-2", second, alone)
    body = verify_statement(both, officers, "production")
    assert read_stated(RELEASED, body) == RELEASE
    for about in (WITHDRAWN, "certificate-added"):
        with pytest.raises(Malformed):
            read_stated(about, body)
    forged = replace(both, about=WITHDRAWN)
    with pytest.raises(NotAuthentic):
        verify_statement(forged, officers, "production")


IPHONE = AppRelease(
    platform=Platform.IOS, package=PACKAGE, version=42, name="4.2", digest=DIGEST,
    signers=("A1B2C3D4E5",), system="iOS 15", bill="c" * 64, notes="new",
)  # fmt: skip


@pytest.mark.requirement("MFS-7.2.5-02")
@pytest.mark.parametrize(
    ("app", "may"),
    [
        (AppIdentity(platform="ios", package=PACKAGE, signers=IPHONE.signers, attested=True),
         May.RUN),
        (AppIdentity(platform="ios", package=PACKAGE, signers=("Z1B2C3D4E5",), attested=True),
         May.REFUSE),
        (AppIdentity(platform="ios", package="org.other", signers=IPHONE.signers, attested=True),
         May.REFUSE),
        (AppIdentity(platform="ios", package=PACKAGE, signers=IPHONE.signers), May.REFUSE),
        (AppIdentity(platform="ios", package="", signers=IPHONE.signers, attested=True),
         May.REFUSE),
    ],
    ids=["ours", "another team", "another bundle", "its own word", "no name"],
)  # fmt: skip
def test_a_platform_that_proves_no_version_is_held_against_package_and_signer(
    app: AppIdentity, may: May
) -> None:
    held = AppRegister(releases={("ios", PACKAGE, 42): IPHONE})
    assert judge(held, app, "dev", Instant(1)).may is may
