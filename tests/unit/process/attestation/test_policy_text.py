"""The policy of appraisal as people write it."""

import pytest

from tallystick.kernel.codec import encode_canonical
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.process.attestation.model import Asked
from tallystick.process.attestation.reading import (
    read_policy,
    root_links,
    shipped_policy,
    shipped_text,
)

TEXT = shipped_text()


def test_the_shipped_policy_believes_three_roots_and_nothing_simulated() -> None:
    policy = shipped_policy()
    assert [one.name for one in policy.roots] == [
        "android-rsa-2016",
        "android-ec-2025",
        "apple-app-attest",
    ]
    assert not any(one.simulated for one in policy.roots)
    assert len(root_links(policy, "android-key")) == 2
    assert len(root_links(policy, "apple-app-attest")) == 1
    assert not root_links(policy, "tpm")
    assert not policy.without_list


def test_the_same_text_has_the_same_digest_and_another_one_another() -> None:
    digest = shipped_policy().digest()
    assert read_policy(TEXT + "# a remark\n").digest() == digest
    assert read_policy(TEXT.replace("P365D", "P200D")).digest() != digest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("levels: [", "levels: [hardware, ", "cannot be 'hardware'"),
        ("lock: required", "lock: maybe", "cannot be 'maybe'"),
        ("apps: []", 'apps: [{package: a.b, signers: ["00"]}]', "another shape"),
        ("apps: []", "apps: [{package: a/b, signers: []}]", "the name of a package"),
        ("least-version: 3", "least-versions: 3", "did you mean 'least-version'"),
        ("patch-age: P365D", "patch-age: a year", "ISO 8601 duration"),
        ("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n      AA\n", "certificate"),
        ("simulated: no", "simulated: perhaps", "cannot be 'perhaps'"),
        ("remote: [issuers]", "remote: [issuer]", "did you mean 'issuers'"),
    ],
)
def test_a_wrong_text_is_refused_with_its_place(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(Malformed, match=said) as refused:
        read_policy(TEXT.replace(old, new, 1))
    assert refused.value.detail.startswith("line")


def test_a_root_stands_once() -> None:
    head, _, rest = TEXT.partition("roots:\n")
    first = rest[: rest.index("  - name: android-ec-2025")]
    with pytest.raises(Malformed, match="twice"):
        read_policy(f"{head}roots:\n{first}{rest}")


def test_an_unknown_policy_is_not_found() -> None:
    with pytest.raises(NotFound):
        shipped_text("another")


def test_freshness_and_browsers_are_there_where_a_policy_says_so() -> None:
    assert (shipped_policy().freshness, shipped_policy().browser.relying) == ({}, "")
    said = TEXT.replace(
        "verdict:\n",
        "freshness: {calm: PT24H, raised: PT1H, high: PT5M}\n"
        'browser: {relying: wallet.example, origins: ["https://wallet.example"]}\nverdict:\n',
    )
    policy = read_policy(said)
    assert policy.freshness == {"calm": 86_400_000, "raised": 3_600_000, "high": 300_000}
    assert policy.browser.origins == ("https://wallet.example",)
    for wrong in ("high: PT5M, ", "raised: PT1H, "):
        with pytest.raises(Malformed):
            read_policy(said.replace(wrong, "").replace(", high: PT5M", ""))
    with pytest.raises(Malformed):
        read_policy(said.replace("https://wallet", "http://wallet"))


def test_verdicts_and_refusals_are_there_where_a_policy_says_so() -> None:
    shipped = shipped_policy()
    assert (shipped.verdicts(), shipped.ending()) == (Asked.IGNORED, ())
    octets = encode_canonical(shipped)
    assert not any(word in octets for word in (b'"asked"', b'"refused"', b'"least"'))
    said = TEXT.replace("verdict:\n", "refused: [application, verdict]\nverdict:\n  asked: taken\n")
    policy = read_policy(said)
    assert (policy.verdicts(), policy.ending()) == (Asked.TAKEN, ("application", "verdict"))
    for right, wrong in (("asked: taken", "asked: perhaps"), ("[application,", "[aplication,")):
        with pytest.raises(Malformed):
            read_policy(said.replace(right, wrong))
