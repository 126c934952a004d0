"""Cases of proof: receipts that hold, receipts that do not, and one history.

Source: ISO/TS 12812-2:2017, 7.3.3; 11.2.2; RFC 9162, 2.1
"""

import copy
import json
from collections.abc import Callable
from typing import Any

from tallystick.entry.conforming.bench import Bench, Case, demand, receipt_in
from tallystick.entry.conforming.relay import Answered, Asked, Rule, flipped, with_body
from tallystick.entry.conforming.stage import ORIGIN
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey
from tallystick.kernel.codec import b64url, b64url_decode, encode

Change = Callable[[dict[str, Any]], object]
CONSISTENCY = "/v1/tally/consistency"


def _receipt(bench: Bench) -> dict[str, Any]:
    """The receipt of a second payment, so that there is a way to the root."""
    bench.enrolled()
    bench.paid()
    return receipt_in(bench.paid())


def _holds(bench: Bench) -> None:
    receipt = _receipt(bench)
    bench.done("verify", receipt=receipt, tally_key=bench.tally_key(), origin=ORIGIN)


def _altered(what: str, change: Change) -> Callable[[Bench], None]:
    """A case: one thing of a true receipt is another, and it must be refused."""

    def run(bench: Bench) -> None:
        true = _receipt(bench)
        receipt = copy.deepcopy(true)
        change(receipt)
        demand(receipt != true, "the kit changed nothing")
        known = {"tally_key": bench.tally_key(), "origin": ORIGIN}
        bench.refused(what, "verify", "not-authentic", "malformed", receipt=receipt, **known)
        bench.done("verify", receipt=true, **known)

    return run


def _disclosed(receipt: dict[str, Any], field: str) -> dict[str, Any]:
    return next(one for one in receipt["disclosures"] if one["field"] == field)


def _amount(receipt: dict[str, Any]) -> None:
    _disclosed(receipt, "amount_minor")["value"] += 1


def _shown_twice(receipt: dict[str, Any]) -> None:
    receipt["disclosures"].append(receipt["disclosures"][0])


def _invented(receipt: dict[str, Any]) -> None:
    receipt["disclosures"].append({**receipt["disclosures"][0], "field": "invented"})


def _neighbour(receipt: dict[str, Any]) -> None:
    receipt["index"] -= 1


def _proof(receipt: dict[str, Any]) -> None:
    receipt["proof"] = b64url(flipped(b64url_decode(receipt["proof"])))


def _short(receipt: dict[str, Any]) -> None:
    receipt["proof"] = b64url(b64url_decode(receipt["proof"])[:-32])


def _spaced(receipt: dict[str, Any]) -> None:
    leaf = b64url_decode(receipt["leaf"])
    receipt["leaf"] = b64url(leaf.replace(b'":', b'": ', 1))


def _stage(receipt: dict[str, Any]) -> None:
    leaf = b64url_decode(receipt["leaf"])
    receipt["leaf"] = b64url(leaf.replace(b'"settled"', b'"refused"'))


def _unsigned(receipt: dict[str, Any]) -> None:
    text, _, _ = receipt["checkpoint"].partition("\n\n")
    receipt["checkpoint"] = f"{text}\n\n"


def _grown(receipt: dict[str, Any]) -> None:
    origin, size, rest = receipt["checkpoint"].split("\n", 2)
    receipt["checkpoint"] = f"{origin}\n{int(size) + 1}\n{rest}"


def _unknown(receipt: dict[str, Any]) -> None:
    receipt["approved"] = True


def _elsewhere(bench: Bench) -> None:
    """A true receipt, under the key or the name of another log."""
    receipt = _receipt(bench)
    other = b64url(Ed25519SigningKey.generate().public().octets())
    strange = {"algorithm": "EdDSA", "public": other}
    bench.refused(
        "a receipt under another log's key",
        "verify",
        "not-authentic",
        receipt=receipt,
        tally_key=strange,
        origin=ORIGIN,
    )
    bench.refused(
        "a receipt of another log's name",
        "verify",
        "not-authentic",
        receipt=receipt,
        tally_key=bench.tally_key(),
        origin="another/tally/1",
    )


def _forked(bench: Bench) -> None:
    """The proof that the history continues is another: the payment is not to be called made."""
    bench.enrolled()
    bench.paid()
    asked: list[Asked] = []

    def after(request: Asked, reply: Answered) -> Answered:
        asked.append(request)
        answer = json.loads(reply.body)
        answer["proof"] = b64url(flipped(b64url_decode(answer["proof"])))
        return with_body(reply, encode(answer))

    with bench.relay.playing(Rule(CONSISTENCY, after=after)):
        said = bench.pay()
    demand(asked, "it did not ask whether the history continues")
    demand(said.ok is None, "two histories were taken for one")
    demand(said.error == "not-authentic", f"two histories are called {said.error}")


PROVING: tuple[Case, ...] = (
    Case("receipt", "7.3.3", "takes a true receipt", _holds),
    *(
        Case(f"receipt-{name}", "7.3.3", f"refuses {what}", _altered(what, change))
        for name, what, change in (
            ("amount", "another amount", _amount),
            ("shown-twice", "a field that is shown twice", _shown_twice),
            ("invented-field", "a field that was not recorded", _invented),
            ("stage", "another stage", _stage),
            ("other-spelling", "an event in another spelling", _spaced),
            ("neighbour", "the place of a neighbour", _neighbour),
            ("proof-altered", "another way to the root", _proof),
            ("proof-short", "a way that ends before the root", _short),
            ("unsigned", "a checkpoint without signature", _unsigned),
            ("grown", "a checkpoint of another size", _grown),
            ("unknown-member", "a member that receipts do not have", _unknown),
        )
    ),
    Case("receipt-of-another-log", "7.3.3", "knows key and name of its log", _elsewhere),
    Case("history-forked", "7.3.3", "demands that the record continues", _forked),
)
"""In the order in which they are run."""
