"""A sketch as the text of an `mfs.yaml`: careful values, and a mark wherever nothing was said.

Whatever is not said is taken for the worst: severe, not trusted, read by everybody on the way.

Source: ISO/TS 12812-2:2017, 6.1; A
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.process.programme.checks import TELEPHONES
from tallystick.process.programme.entries import spelt
from tallystick.process.programme.exchange.sketch import (
    Sketch,
    SketchedAsset,
    SketchedFlow,
    SketchedNode,
)

UNPLACED: Final = "unplaced"

_PROTOCOL: Final = re.compile(r"[^a-z0-9.+/-]+")
_HEAD: Final = """\
# Imported from {origin}. Every `todo` is a question that the source does not answer; the value
# beside it is a careful guess. Answer it, take the mark out, and check:
# tallystick programme check

mfs: "1.0"

service:
  id: {id}
  owner: {owner}
  currency: USD                           # todo: in which currency
  volumes:                                # todo: how much of it is there
    customers: 1
    payments_per_year: 1
    average_payment: USD 1
    largest_payment: USD 1
  objectives:                             # todo: what does the service promise
    {{decision_p95_ms: 1000, availability: 0.99, rto: PT1H, rpo: PT0S}}

uses: [base-2017]
services: [remote-payment]                # todo: which services are offered

jurisdictions:
  home: {{country: US, regimes: []}}        # todo: where, and under which laws

parties:
  provider: {{role: mfsp}}                  # todo: who else takes part, and how is each proven

organisation:                             # todo: which posts are there
  security-officer:
    reports_to: board
    duties: [policy-approval, risk-acceptance, key-custody, incident]

devices:                                  # todo: which telephones have the customers
  any-phone: {{os: android, secure_env: app-software, share: 1.0}}

secure_envs:
  app-software: {{kind: software}}          # todo: where do keys live
"""
_TAIL: Final = """
behaviour:                                # todo: what does a typical customer do
  payments_per_week: [0, 1, 10]
  hours: "00:00-24:00"
  new_payees_per_month: [0, 1, 10]

environment:                              # todo: how is the service used
  connectivity: steady
  shared_phones: 0.0
  agent_assisted: 0.0

actors:                                   # todo: who attacks, and how often
  organised:
    motivation: financial
    expertise: multiple-experts
    knowledge: sensitive
    equipment: bespoke
    budget: P180D
    attempts_per_year: [1, 10, 100]

appetite:                                 # todo: how much risk is the provider willing to take
  annual_loss: {p95: USD 0, reputational: negligible, legal: negligible}
  inclusion_weight: 1
"""


def programme_text(sketch: Sketch) -> str:
    """`sketch` as a text that reads as a programme, with a mark at every open question.

    Source: ISO/TS 12812-2:2017, 6.1
    """
    head = _HEAD.format(origin=_line(sketch.origin), id=sketch.id, owner=_quoted(sketch.owner))
    lost = [f"# not taken over: {_line(one)}\n" for one in sketch.lost]
    return "".join(
        (
            head,
            _section("zones", _zones(sketch)),
            _section("nodes", (_node(one) for one in sketch.nodes)),
            _section("assets", (_asset(one) for one in sketch.assets)),
            _section("flows", (_flow(one) for one in sketch.flows)),
            _TAIL,
            *(["\n", *lost] if lost else []),
        )
    )


def _section(word: str, lines: Iterable[str]) -> str:
    found = list(lines)
    return f"\n{word}:\n" + "".join(f"  {line}\n" for line in found)


def _entry(name: str, fields: Iterable[str], questions: Iterable[str]) -> str:
    asked = _line("; ".join(questions))
    mark = f"  # todo: {asked}" if asked else ""
    return f"{_word(name)}: {{{', '.join(fields)}}}{mark}"


def _zones(sketch: Sketch) -> Iterator[str]:
    for one in sketch.zones:
        yield _entry(one.id, (f"trust: {one.trust}",), one.open)
    if any(not node.zone for node in sketch.nodes):
        yield _entry(UNPLACED, ("trust: 0",), ("which zones are there",))


def _node(one: SketchedNode) -> str:
    fields = [f"kind: {one.kind.value}", f"zone: {_word(one.zone or UNPLACED)}"]
    questions = list(one.open)
    if one.kind in TELEPHONES:
        fields.append("runs_on: [any-phone]")
        questions.append("on which telephones")
    return _entry(one.id, fields, questions)


def _asset(one: SketchedAsset) -> str:
    fields = [
        f"class: {one.kind}",
        f"c: {spelt(one.confidentiality)}",
        f"i: {spelt(one.integrity)}",
        f"a: {spelt(one.availability)}",
        "owner: provider",
    ]
    questions = list(one.open)
    if one.kept_at:
        fields.append(f"kept_at: [{_words(one.kept_at)}]")
    if one.personal:
        fields.append("personal: true")
        questions.append("how long is it kept")
    return _entry(one.id, fields, questions)


def _flow(one: SketchedFlow) -> str:
    protocol = _PROTOCOL.sub("-", one.protocol).strip("-./+")[:40] or "none"
    fields = [f"from: {_word(one.source)}", f"to: {_word(one.target)}"]
    if one.via:
        fields.append(f"via: [{_words(one.via)}]")
    fields += [
        f"channel: {{bearer: {one.bearer}, protocol: {_word(protocol)}}}",
        f"carries: [{_words(one.carries)}]",
        f"end_to_end: {'true' if one.end_to_end else 'false'}",
        f"reads: [{_words(one.reads)}]",
    ]
    return _entry(one.id, fields, one.open)


def _words(names: Iterable[str]) -> str:
    return ", ".join(_word(name) for name in names)


def _word(name: str) -> str:
    """A slug as YAML 1.2 and 1.1 both read it: quoted where a reader may see something else."""
    odd = name in {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    return f'"{name}"' if odd or name[:1].isdigit() else name


def _quoted(text: str) -> str:
    plain = _line(text)[:80].strip()
    plain = plain if len(plain) > 1 else f"{plain}-"
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(text: str) -> str:
    """Foreign `text` on one line, without what a reader of YAML may stumble over."""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())
