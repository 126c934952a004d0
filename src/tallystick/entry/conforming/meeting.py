"""Cases of meeting: enrolment, the key list, the handshake, and the renewal of a device's secret.

Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.5; 7.4.1; 7.4.2
"""

import json
from collections.abc import Callable
from typing import Any

from tallystick.client.meeting import HYBRID
from tallystick.entry.conforming.bench import (
    ENROLMENTS,
    FUNDS_MINOR,
    HOUR_S,
    PROVES,
    SESSIONS,
    Bench,
    Case,
    demand,
    plain,
    sent_to,
)
from tallystick.entry.conforming.relay import (
    Answered,
    Asked,
    Passed,
    Rule,
    flipped,
    in_clear,
    with_body,
)
from tallystick.infrastructure.crypto.jws import sign_compact
from tallystick.infrastructure.crypto.key_list import list_header
from tallystick.infrastructure.crypto.signature import Ed25519SigningKey, Es256SigningKey
from tallystick.kernel.codec import b64url, b64url_decode, encode_canonical
from tallystick.kernel.time import DAY_MS

Change = Callable[[dict[str, Any]], object]


def _signed(bench: Bench, signer: Ed25519SigningKey, change: Change) -> str:
    """The provider's list, changed, under a signature of `signer`."""
    listed = plain(bench.stage.listed())
    change(listed)
    return sign_compact(signer, list_header(signer.algorithm), encode_canonical(listed))


def _serving(signed: str) -> Rule:
    body = encode_canonical({"key_list": signed})
    return Rule("/v1/keys", before=lambda _: in_clear(200, body))


def _as_it_is(_: dict[str, Any]) -> None:
    """Nothing is changed."""


def _past(listed: dict[str, Any]) -> None:
    listed["issued_at"] -= 8 * DAY_MS
    listed["expires_at"] = listed["issued_at"] + DAY_MS


def _nothing_was_told(bench: Bench, signed: str, what: str, *codes: str) -> None:
    """Enrolment under a list that must not be believed: refused, and the code is not sent."""
    bench.start()
    activation, code = bench.stage.customer(FUNDS_MINOR, bench.beside)
    with bench.relay.playing(_serving(signed)) as passed:
        bench.refused(what, "enrol", *codes, activation=activation, code=code.reveal())
    demand(not sent_to(passed, ENROLMENTS), f"the code was sent, under {what}")


def _enrols(bench: Bench) -> None:
    said = bench.enrol()
    demand(said.ok is not None, f"it cannot enrol: {said.said}")
    device = str((said.ok or {}).get("device", ""))
    demand(device.startswith("dev_") and len(device) == 30, "it does not say which device it is")
    bench.done("open")


def _another_root(bench: Bench) -> None:
    signed = _signed(bench, Ed25519SigningKey.generate(), _as_it_is)
    _nothing_was_told(bench, signed, "a key list of another root", "not-authentic")


def _altered_list(bench: Bench) -> None:
    listed = plain(bench.stage.listed())
    listed["expires_at"] += 1
    right = _signed(bench, bench.stage.root, _as_it_is)
    header, _, signature = right.split(".")
    signed = f"{header}.{b64url(encode_canonical(listed))}.{signature}"
    _nothing_was_told(bench, signed, "an altered key list", "not-authentic")


def _past_list(bench: Bench) -> None:
    signed = _signed(bench, bench.stage.root, _past)
    _nothing_was_told(bench, signed, "a key list past its time", "expired")


def _spaced_list(bench: Bench) -> None:
    """The root's own signature, over a payload that is not canonical."""
    listed = encode_canonical(bench.stage.listed()).replace(b'":', b'": ', 1)
    root = bench.stage.root
    signed = sign_compact(root, list_header(root.algorithm), listed)
    _nothing_was_told(bench, signed, "a key list in another spelling", "not-authentic", "malformed")


def _older_list(bench: Bench) -> None:
    bench.enrolled()
    newer = _signed(bench, bench.stage.root, lambda listed: listed.update(version=7))
    bench.done("later", seconds=HOUR_S)
    bench.under(_serving(newer), lambda: bench.done("open"))
    bench.done("later", seconds=HOUR_S)
    older = _signed(bench, bench.stage.root, lambda listed: listed.update(version=6))
    bench.under(
        _serving(older), lambda: bench.refused("a key list older than the last", "open", "conflict")
    )


def _successor(listed: dict[str, Any]) -> None:
    """A second key that signs handshakes, newer than the one in use, and keys of other purposes."""
    signing = next(one for one in listed["entries"] if one["purpose"] == "session-signature")
    public = b64url(Es256SigningKey.generate().public().octets())
    fresh = {
        **signing,
        "kid": "key_" + "7" * 26,
        "algorithm": "ES256",
        "public": public,
        "not_before": signing["not_before"] + 1,
    }
    listed["entries"].insert(0, fresh)
    for number, purpose in enumerate(("app-signing", "time-stamp")):
        listed["entries"].append({**fresh, "kid": f"key_{number}" + "7" * 25, "purpose": purpose})
    listed["version"] += 1


def _keys_change(bench: Bench) -> None:
    bench.enrolled()
    signed = _signed(bench, bench.stage.root, _successor)
    bench.done("later", seconds=HOUR_S)
    bench.under(_serving(signed), lambda: bench.done("open"))


def _renamed(listed: dict[str, Any]) -> None:
    """The list of before: what signs handshakes now is not on it."""
    for entry in listed["entries"]:
        if entry["purpose"] == "session-signature":
            entry["kid"] = "key_" + "6" * 26


def _list_behind(bench: Bench) -> None:
    bench.enrolled()
    behind = _serving(_signed(bench, bench.stage.root, _renamed))
    behind.times = 1
    bench.done("later", seconds=HOUR_S)
    bench.under(behind, lambda: bench.done("open"))


def _core(change: Change) -> Callable[[Asked, Answered], Answered]:
    def after(_: Asked, reply: Answered) -> Answered:
        answer = json.loads(reply.body)
        change(answer)
        return with_body(reply, encode_canonical(answer))

    return after


def _flip(member: str) -> Change:
    def change(answer: dict[str, Any]) -> None:
        answer[member] = b64url(flipped(b64url_decode(answer[member])))

    return change


def _own_share(answer: dict[str, Any]) -> None:
    public = b64url_decode(answer["core"]["kem_public"])
    answer["core"]["kem_public"] = b64url(flipped(public, -1 if len(public) == 32 else 0))


def _other_name(answer: dict[str, Any]) -> None:
    answer["core"]["provider"] = "another-provider"


def _impostor(what: str, change: Change) -> Callable[[Bench], None]:
    """An answer to the hello that was changed on the way: refused before the device says who it is.

    The answers to a second hello are changed as well, so that trying again does not help.
    """

    def run(bench: Bench) -> None:
        bench.enrolled()
        rule = Rule(SESSIONS, after=_only_hello(_core(change)))
        passed = bench.under(rule, lambda: bench.refused(what, "open"))
        demand(not sent_to(passed, PROVES), f"the device said who it is, after {what}")
        bench.done("open")

    return run


def _only_hello(
    after: Callable[[Asked, Answered], Answered],
) -> Callable[[Asked, Answered], Answered]:
    return lambda asked, reply: after(asked, reply) if asked.path == SESSIONS else reply


def _downgraded(bench: Bench) -> None:
    """The best suite is taken out of the hello; the provider answers what is left."""
    bench.enrolled()

    def before(asked: Asked) -> Asked:
        if asked.path != SESSIONS:
            return asked
        hello = json.loads(asked.body)
        if len(hello["suites"]) > 1:
            hello["kem_public"].pop(hello["suites"].pop(0))
        else:
            hello["versions"].append(2)
        return Asked(asked.method, asked.path, encode_canonical(hello), asked.content_type)

    passed = bench.under(
        Rule(SESSIONS, before=before), lambda: bench.refused("a changed offer", "open")
    )
    demand(not sent_to(passed, PROVES), "the device said who it is, though its offer was changed")


def _offers(passed: list[Passed]) -> list[set[str]]:
    """The suites of each hello among what passed."""
    return [set(json.loads(one.asked.body)["suites"]) for one in sent_to(passed, SESSIONS)]


def _kept_offer(bench: Bench) -> None:
    """A hello is refused in clear, as anybody on the way could; it is not made smaller for that."""
    bench.enrolled()
    with bench.relay.playing() as passed:
        bench.done("open")
    demand(_offers(passed), "it opened a session without a hello")
    whole = _offers(passed)[0]
    problem = {"type": "urn:tallystick:problem:not-permitted", "title": "", "status": 403}
    refusal = in_clear(403, encode_canonical({**problem, "detail": "no permitted suite"}))
    rule = Rule(SESSIONS, before=lambda asked: refusal if asked.path == SESSIONS else asked)
    during = bench.under(rule, lambda: bench.refused("a hello refused in clear", "open"))
    with bench.relay.playing() as after:
        bench.done("open")
    demand(_offers(after), "after a refusal in clear it sent no further hello")
    kept = all(whole <= one for one in _offers(during) + _offers(after))
    demand(kept, "after a refusal in clear it offered fewer suites")


def _no_way_back(bench: Bench) -> None:
    """The provider was met with the hybrid: nothing less is offered, over a restart as well."""
    with bench.relay.playing() as first:
        bench.enrolled()
        bench.done("open")
    if not any(HYBRID.value in one for one in _offers(first)):
        return  # a device without the hybrid has nothing to keep
    bench.program.kill()
    bench.start(same=True)
    problem = {"type": "urn:tallystick:problem:not-permitted", "title": "", "status": 403}
    refusal = in_clear(403, encode_canonical({**problem, "detail": "no permitted suite"}))
    rule = Rule(SESSIONS, before=lambda asked: refusal if asked.path == SESSIONS else asked)
    later = bench.under(rule, lambda: bench.refused("a hello refused in clear", "open"))
    with bench.relay.playing() as after:
        bench.done("open")
    offers = _offers(later) + _offers(after)
    demand(_offers(after), "it opened a session without a hello")
    alone = all(one == {HYBRID.value} for one in offers)
    demand(alone, "met with the hybrid, it offered something less again")


def _old_answer(bench: Bench) -> None:
    """The true answer to another hello of the same device."""
    bench.enrolled()
    with bench.relay.playing() as passed:
        bench.done("open")
    old = next((one.reply for one in sent_to(passed, SESSIONS) if one.reply), None)
    demand(old is not None, "it opened a session without a hello")
    rule = Rule(SESSIONS, before=lambda asked: old if asked.path == SESSIONS else asked)
    again = bench.under(rule, lambda: bench.refused("an answer to another hello", "open"))
    demand(not sent_to(again, PROVES), "the device said who it is to an old answer")


def _lost(times: int) -> Rule:
    return Rule(PROVES, after=lambda _, __: None, times=times)


def _answer_lost(bench: Bench) -> None:
    bench.enrolled()
    bench.under(_lost(1), lambda: bench.ask("open"))
    bench.done("open")


def _many_lost(bench: Bench) -> None:
    bench.enrolled()
    for _ in range(6):
        bench.under(_lost(1), lambda: bench.ask("open"))
    bench.done("open")


def _battery_out(bench: Bench) -> None:
    """m4 is lost and the program killed: what was proposed must be on the disk."""
    bench.enrolled()
    bench.done("open")
    bench.under(_lost(1), lambda: bench.ask("open"))
    bench.program.kill()
    bench.start(same=True)
    bench.done("open")
    bench.program.kill()
    bench.start(same=True)
    bench.paid()


def _altered_acceptance(bench: Bench) -> None:
    bench.enrolled()
    rule = Rule(PROVES, after=lambda _, reply: with_body(reply, flipped(reply.body)))
    bench.under(rule, lambda: bench.refused("an altered acceptance", "open", "not-authentic"))
    bench.done("open")


def _fresh(bench: Bench) -> None:
    bench.enrolled()
    with bench.relay.playing() as passed:
        for _ in range(3):
            bench.done("open")
    hellos = [json.loads(one.asked.body) for one in sent_to(passed, SESSIONS)]
    demand(len(hellos) >= 3, "open did not open a new session each time")
    nonces = [one["nonce"] for one in hellos]
    fresh = [public for one in hellos for public in one["kem_public"].values()]
    demand(len(set(nonces)) == len(nonces), "a nonce was used twice")
    demand(len(set(fresh)) == len(fresh), "a fresh key was used twice")


MEETING: tuple[Case, ...] = (
    Case("enrol", "7.4.1", "enrols with a code and opens a session", _enrols),
    Case("key-list-of-another-root", "7.4.2", "believes the pinned root alone", _another_root),
    Case("key-list-altered", "7.4.2", "verifies the list's signature", _altered_list),
    Case("key-list-past-its-time", "7.4.2", "refuses a list past its time", _past_list),
    Case("key-list-other-spelling", "7.2.6", "reads canonical JSON alone", _spaced_list),
    Case("key-list-older", "7.4.2", "refuses a list older than the last it saw", _older_list),
    Case("key-rotation", "7.4.2", "finds the provider's key by its kid", _keys_change),
    Case("key-list-behind", "7.4.2", "fetches the list anew for a kid it lacks", _list_behind),
    Case(
        "provider-signature-altered",
        "7.2.7",
        "verifies the provider's signature",
        _impostor("an altered signature of the provider", _flip("signature")),
    ),
    Case(
        "provider-mac-altered",
        "7.2.7",
        "verifies the provider's MAC",
        _impostor("an altered MAC of the provider", _flip("mac")),
    ),
    Case(
        "provider-share-altered",
        "7.2.7",
        "binds the provider's fresh key",
        _impostor("another fresh key of the provider", _own_share),
    ),
    Case(
        "provider-name-altered",
        "7.2.7",
        "expects the provider's name",
        _impostor("another name of the provider", _other_name),
    ),
    Case("downgrade", "7.2.6", "sees that its offer was changed", _downgraded),
    Case("offer-kept", "7.2.6", "offers no less after a refusal in clear", _kept_offer),
    Case("hybrid-kept", "7.2.6", "met with the hybrid, offers nothing less", _no_way_back),
    Case("answer-replayed", "7.2.7", "takes an answer to its own hello alone", _old_answer),
    Case("acceptance-altered", "7.2.7", "opens m4 under the new key", _altered_acceptance),
    Case("acceptance-lost", "7.3.5", "opens again after a lost m4", _answer_lost),
    Case("acceptance-lost-often", "7.3.5", "asks with 0 when four pairs are kept", _many_lost),
    Case("renewal-durable", "7.3.5", "keeps the proposed pair over a restart", _battery_out),
    Case("fresh-keys", "7.2.7", "makes nonce and keys anew each time", _fresh),
)
"""In the order in which they are run."""
