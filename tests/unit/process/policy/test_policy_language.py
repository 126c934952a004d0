"""The language: every defect is refused, with its position and what to write instead."""

from pathlib import Path

import pytest
from tests.unit.process.policy.policy_texts import changed, demo_text

from tallystick.kernel.errors import Malformed, TooLarge
from tallystick.process.policy import (
    Dependency,
    OperatorAct,
    Outcome,
    compile_policy,
    read_policy,
)
from tallystick.process.policy.facts import MEASURED, VOCABULARY
from tallystick.process.policy.language.reading import (
    ON_FAILURE,
    PROFILES,
    TWO_FACTORS,
)
from tallystick.process.policy.language.rows import RESERVED
from tallystick.process.policy.language.suites import SUITES
from tallystick.process.yamltext.section import duration_ms
from tallystick.process.yamltext.tree import MAX_DEPTH, MAX_TEXT, read_nodes


def defect(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        compile_policy(read_policy(text))
    return caught.value.detail


def place(text: str, passage: str) -> str:
    """Where `passage` stands in `text`, as the errors say it."""
    before = text[: text.index(passage)]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


YAML = [
    ("", "empty"),
    ("a: [1", "line 1, column 6"),
    ("a: 1\na: 2\n", "line 2, column 1: 'a' stands twice, first at line 1, column 1"),
    ("a: &x 1\nb: *x\n", "line 1, column 4: anchors"),
    ("a: !!str 1\n", "line 1, column 4: tags"),
    ("a: !python/name:os.system x\n", "line 1, column 4: tags"),
    ("%YAML 1.1\n---\na: yes\n", "directives"),
    ("a: 1\n---\nb: 2\n", "line 2, column 1"),
    ("? [a]\n: 1\n", "line 1, column 3: a key is a word"),
    ("a: 1.5\n", "line 1, column 4: '1.5'"),
    ("a: 1e3\n", "line 1, column 4"),
    ("a: 0x10\n", "line 1, column 4"),
    ("a: 0o17\n", "line 1, column 4"),
    ("a: 017\n", "line 1, column 4"),
    ("a: +1\n", "line 1, column 4"),
    ("a: 1_0\n", "line 1, column 4"),
    ("a: ~\n", "line 1, column 4"),
    ("a:\n", "line 2, column 1"),
    ("a: True\n", "line 1, column 4"),
    ("a: \x00\n", "not YAML"),
    ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"deeper than {MAX_DEPTH} levels"),
    ("[" * 20_000, f"deeper than {MAX_DEPTH} levels"),
]


@pytest.mark.parametrize(("text", "says"), YAML)
def test_yaml_with_two_readings_is_refused(text: str, says: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_nodes(text)
    assert says in caught.value.detail


def test_a_text_past_its_size_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_nodes("a: 1\n" + "#" * MAX_TEXT)


def test_no_and_on_are_words_and_underscores_group() -> None:
    node = read_nodes("a: [no, on, 'true', true, 1_000_000, -5]\n")
    found = [item.value for item in node.entries["a"][1].items]  # type: ignore[union-attr]
    assert found == ["no", "on", "true", True, 1_000_000, -5]


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("PT1S", 1000),
        ("PT90M", 5_400_000),
        ("P1DT2H3M4S", 93_784_000),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("P1M", None),
        ("1h", None),
        ("PT1.5S", None),
        ("-PT1S", None),
        ("PT1M1H", None),
    ],
)
def test_durations(text: str, milliseconds: int | None) -> None:
    assert duration_ms(text) == milliseconds


# passage of the demonstration policy, what replaces it, where the defect stands, what it says
DEFECTS = [
    # words
    ("attempts:\n", "atempts:\n", "atempts", "did you mean 'attempts'?"),
    ("channel: ussd, sim_age", "chanel: ussd, sim_age", "chanel", "did you mean 'channel'?"),
    ("kind: cash-in, channel", "kind: cashin, channel", "cashin", "did you mean 'cash-in'?"),
    ("account_status: erased}", "account_status: vanished}", "vanished}", "use one of active"),
    ("tier: 3, account_status", "tier: 7, account_status", "7, account_status", "use one of 0"),
    ("payee_known: true}", "payee_known: 1}", "1}\n    outcome", "use one of false, true"),
    ("scheduled, grade", "[scheduled, scheduled], grade", "scheduled], grade", "twice"),
    ("{operation: inquire}", "{operation: []}", "[]}", "names no word"),
    ("{operation: inquire}", "{operation: operate}", "operate}", "not compared with 'operate'"),
    ("{operation: inquire}", "{operation: {above: 1}}", "{above: 1}}", "not compared"),
    # header
    ("version: 1\n", "version: 0\n", "0\n  effective", "integer from 1"),
    ("version: 1\n", 'version: "1"\n', '"1"\n', "integer from 1"),
    ("currency: KES", "currency: KEX", "currency: KEX", "currency 'KEX' is not known"),
    ("profile: demo ", "profile: test ", "test ", "use one of demo, production"),
    ("2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "effective_at", "UTC instant"),
    ("2026-01-01T00:00:00Z", "tomorrow", "effective_at", "UTC instant"),
    ('"+03:00"', "east", "east", "quoted, as in"),
    ("  provider: demo-wallet\n", "", "provider|version: 1", "lacks 'provider'"),
    # bounds that no policy loosens
    ("limit: 5 ", "limit: 6 ", "6 ", "integer from 1 to 5"),
    ("app: {idle: PT5M", "app: {idle: PT6M", "PT6M", "MFS-7.3.2-03"),
    ("ussd: {idle: PT1M", "ussd: {idle: PT5M", "ussd: {idle", "shorter than on app"),
    ("absolute: PT3M", "absolute: PT30S", "absolute: PT30S", "shorter than idle"),
    ("life: PT10M, tries: 5", "life: PT11M, tries: 5", "PT11M", "MFS-7.4.1-03"),
    ("life: PT10M, tries: 5", "life: PT10M, tries: 6", "6}", "from 1 to 5"),
    ("quotes: {life: PT2M}", "quotes: {life: PT11M}", "PT11M}", "MFS-7.3.2-07"),
    ("quotes: {life: PT2M}", "quotes: {life: 120}", "120}", "ISO 8601 duration"),
    (
        "pay: {categories: 2, because: initiating",
        "pay: {categories: 1, because: initiating",
        "categories: 1",
        "MFS-7.3.2-01",
    ),
    ("  change-pin: {cat", "  enrol: {cat", "login: {cat", "lacks 'change-pin'"),
    # handshake
    ("suites: [hpke-mlkem768-x25519, hpke-x25519, hpke-p256]", "suites: [hpke-p256]",
     "hpke-mlkem768-x25519\n", "use one of hpke-p256"),
    # rows
    ("- id: account-erased", "- id: Account Erased", "Account", "slug"),
    ("- id: account-stopped", "- id: account-erased", "id: account-erased\n    when:\n", "twice"),
    ("- id: login", "- id: operators-login", "id: operators-login", "reserved"),
    ("    because: a stopped account can still be read\n", "", "id: login", "lacks 'because'"),
    ("because: people see what is theirs", 'because: ""', '""', "because is text"),
    ("    delay: PT1H\n    because: the payer", "    because: the payer", "id: odd",
     "lacks 'delay'"),
    ("allow\n    because: signed by the payer", "allow\n    grade: passkey\n    because: x",
     "grade: passkey\n", "step-up only"),
    ("allow\n    because: signed by the payer", "allow\n    delay: PT1H\n    because: x",
     "delay: PT1H\n    because: x", "outcome delay only"),
    ("grade: sim-signed\n    because: a PIN", "grade: pin-verified\n    because: a PIN",
     "grade: pin-verified\n    because", "asked for pin-verified"),
    ("grade: sim-signed\n    because: a PIN", "grade: none\n    because: a PIN",
     "none\n    because", "cannot be 'none'"),
    ("{operation: inquire}", "inquire", "inquire\n    outcome", "is a mapping"),
    ("outcome: deny, because: what", "outcome: allow, because: what", "allow, because: what",
     "cannot be 'allow'"),
    # measures
    ("{below: PT72H}", "{below: 72}", "72}", "ISO 8601 duration"),
    ("{below: PT72H}", "PT72H", "PT72H}", "is compared with above"),
    ("{below: PT72H}", "{}", "{}}", "is compared with above"),
    ("{below: PT72H}", "{bellow: PT72H}", "bellow", "did you mean 'below'?"),
    ("{below: PT72H}", "{below: PT72H, at_most: PT1H}", "at_most: PT1H}", "two upper bounds"),
    ("{at_least: 3}", "{at_least: 3, above: 4}", "above: 4}", "two lower bounds"),
    ("{at_least: 3}", "{at_least: 3, below: 3}", "{at_least: 3, below: 3}", "never lie"),
    ("{at_least: 3}", "{at_least: three}", "three}", "an integer; amounts"),
    ('{below: "05:00"}', '{below: "25:00"}', '"25:00"', "a time such as 22:30"),
    ("amount_minor: {above: 500_000}", "amount_minor: {above: KES 5}", "KES 5}", "minor units"),
    ("amount_minor: {above: 500_000}", "amount_minor: {above: -1}", "-1}", "minor units"),
    # limits
    ("per_payment: 500_000", "per_payment: 0", "0\n    windows", "integer of at least 1"),
    ("{window: PT24H, count: 500}", "{window: PT24H}", "{window: PT24H}\n    because: two",
     "an amount, a count or both"),
    ("{window: P30D, amount: 5_000_000}", "{window: PT24H, amount: 5_000_000}",
     "windows:\n      - {window: PT24H, amount: 1_000_000", "same length"),
    ("when: {grade: agent-assisted}", "when: {operation: pay}", "operation: pay}\n    per",
     "has no word 'operation'"),
    ("windows:\n      - {window: PT24H, count: 500}", "windows: none", "none\n    because: two",
     "is a list"),
    ("per_payment: 500_000", "per_payment: [500_000]", "[500_000]", "is one value"),
    # tiers, dependencies, operators
    ("  0: {label: tel", "  zero: {label: tel", "zero", "a tier is a number"),
    ("core: {on_failure: closed", "core: {on_failure: open, stale_for: PT1H", "stale_for: PT1H",
     "goes with on_failure stale only"),
    ("core: {on_failure: closed", "core: {on_failure: ajar", "ajar", "use one of closed, open"),
    ("  core: {", "  coral: {", "coral", "did you mean 'core'?"),
    ("tell: [operations], because: the book", "tell: [], because: the book",
     "core: {on_failure: closed, operations: [pay], tell: []",
     "told to nobody"),
    ("tell: [operations], because: the book", "tell: [board], because: the book", "board]",
     "cannot be 'board'"),
    ("auditor: [trace-payment", "auditor: [trace-paiment", "trace-paiment", "did you mean"),
    ("  auditor: [", "  Auditor: [", "Auditor", "a role is a slug"),
    ("enrol-operator, suspend-operator, resume", "suspend-operator, resume", "two_people",
     "no role may do enrol-operator"),
    ("issue-workload]\n", "[issue-workload]]\n", "[issue-workload]]", "a list of words"),
    ("issue-workload]\n", "'change-tier']\n", "'change-tier']", "twice"),
    ("default: {outcome", "defaults: {outcome", "defaults", "did you mean 'default'?"),
    # what no single line shows
    ("- id: inquire\n    when: {operation: inquire}",
     "- id: late\n    when: {operation: login, account_status: active, channel: app}",
     "id: late", "never reached"),
    ("when: {device_trust: [software, unknown], kind",
     "when: {device_trust: [software, unknown], tier: 0, kind", "id: software-device",
     "never binds: 'tier-0'"),
    ("when: {tier: 0, kind", "when: {tier: 0, channel: app, kind", "id: ", "no limit caps"),
]  # fmt: skip


@pytest.mark.parametrize(("passage", "instead", "where", "says"), DEFECTS)
def test_every_defect_has_its_position(passage: str, instead: str, where: str, says: str) -> None:
    text = changed(passage, instead)
    found = defect(text)
    assert says in found
    lines = [line for line in found.splitlines() if says in line]
    if where in {"id: ", "provider|version: 1", "login: {cat"}:
        assert all(line.startswith("line ") for line in lines)
    else:
        assert any(line.startswith(place(text, where)) for line in lines), (
            place(text, where),
            found,
        )


def test_all_defects_come_at_once_in_the_order_of_the_text() -> None:
    text = changed("currency: KES", "currency: XXX").replace("outcome: allow", "outcome: alow")
    lines = defect(text).splitlines()
    assert len(lines) == 1 + demo_text().count("outcome: allow")
    numbers = [int(line.split()[1].rstrip(",")) for line in lines]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("text", ["[]", "a", "5", "{}"])
def test_a_text_that_is_no_policy_is_refused(text: str) -> None:
    assert defect(text).startswith("line 1, column 1")


def test_two_equal_limits_are_one_too_many() -> None:
    limit = demo_text()[demo_text().index("  - id: mandate-cap") :].partition("  - id: two-")[0]
    text = demo_text().replace(limit, limit + limit.replace("mandate-cap", "mandate-again"))
    assert "'mandate-again' never binds: 'mandate-cap'" in defect(text)
    assert "'mandate-cap' never binds" not in defect(text)


def test_an_uncapped_payment_is_named_by_example() -> None:
    found = defect(changed("when: {tier: 0, kind", "when: {tier: 0, channel: app, kind"))
    assert "tier 0" in found
    found = "\n".join(line for line in found.splitlines() if "no limit caps" in line)
    assert "'dialled'" not in found
    assert "'person-attested'" in found
    assert "'cash-in' lets a payment pass" in found


def test_the_reference_names_every_word_of_the_language(repository: Path) -> None:
    text = (repository / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    words = [str(word).lower() for known in VOCABULARY.values() for word in known]
    words += [*MEASURED, *SUITES, *ON_FAILURE, *PROFILES, *TWO_FACTORS, *RESERVED]
    words += [word.value for kind in (OperatorAct, Dependency, Outcome) for word in kind]
    assert [word for word in words if f"`{word}`" not in text] == []


def test_a_table_too_entangled_to_be_checked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.process.policy.proofs.space.MAX_STEPS", 0)
    assert "is too entangled to be proved" in defect(demo_text())


@pytest.mark.parametrize(
    ("when", "reached"),
    [
        ("{operation: login, account_status: active, channel: app}", False),
        ("{operation: [login, inquire], account_status: active, channel: app}", False),
        ("{operation: [login, inquire], account_status: none, channel: app}", True),
        ("{operation: pay, risk_score: {above: 899}}", False),
        ("{operation: pay, risk_score: {above: 898}}", True),
        ("{operation: change-pin, channel: web, account_status: active}", False),
        ("{operation: change-pin, channel: agent, account_status: active}", True),
    ],
)
def test_a_row_is_reached_unless_rows_before_it_together_take_all(when: str, reached: bool) -> None:
    row = f"  - {{id: late, when: {when}, outcome: deny, because: late}}\n\ndefault:"
    text = changed("\ndefault:", row)
    if reached:
        assert compile_policy(read_policy(text)).version == 1
    else:
        assert "the row 'late' is never reached" in defect(text)


DIALLED_WHEN = "channel: ussd, grade: [sim-signed, pin-verified]"


@pytest.mark.parametrize(
    ("when", "per_payment", "window", "idle"),
    [
        (DIALLED_WHEN, 2_000_000, "window: PT24H, amount: 5_000_000, count: 30", True),
        (DIALLED_WHEN, 1_999_999, "window: PT24H, amount: 5_000_000, count: 30", False),
        (DIALLED_WHEN, 2_000_000, "window: PT24H, amount: 4_999_999, count: 30", False),
        (DIALLED_WHEN, 2_000_000, "window: PT24H, amount: 5_000_000, count: 29", False),
        (DIALLED_WHEN, 2_000_000, "window: PT24H, count: 29", False),
        (DIALLED_WHEN, 2_000_000, "window: PT1H, amount: 5_000_000, count: 30", True),
        (DIALLED_WHEN, 2_000_000, "window: PT25H, amount: 5_000_000, count: 30", False),
        (DIALLED_WHEN + ", tier: 1", 2_000_000, "window: PT24H, amount: 5_000_000", True),
        ("channel: ussd", 2_000_000, "window: PT24H, amount: 5_000_000", False),
    ],
)
def test_a_limit_is_idle_only_if_another_is_as_wide_and_as_strict(
    when: str, per_payment: int, window: str, idle: bool
) -> None:
    limit = (
        f"  - {{id: extra, when: {{{when}}}, per_payment: {per_payment}, "
        f"windows: [{{{window}}}], because: x}}\n\n# Ordered; the first"
    )
    text = changed("\n# Ordered; the first", limit)
    if idle:
        assert "the limit 'extra' never binds: 'dialled-cap'" in defect(text)
    else:
        assert "limit 'extra' never binds" not in defects_of(text)


def defects_of(text: str) -> str:
    try:
        compile_policy(read_policy(text))
    except Malformed as error:
        return error.detail
    return ""


def test_a_delayed_payment_needs_a_limit_as_well() -> None:
    old = "kind: [p2p, cash-out], channel: [app, web], risk_score"
    found = defect(changed(old, "kind: [p2p, settlement], channel: [app, web], risk_score"))
    assert found.count("no limit caps") == 1
    assert "the row 'odd-and-risky' lets a payment pass" in found
    assert "kind settlement" in found
