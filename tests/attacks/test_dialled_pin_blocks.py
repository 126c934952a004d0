"""A PIN that was dialled is looked for in all that its payment touched, and in what stays of it."""

import gc
import logging
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.attacks.test_canaries import everything_kept
from tests.support.dialled import DIALLER, FRIEND, PIN, dialled

from tallystick.entry.hashing import Place
from tallystick.entry.http.aggregator import PartnerDoors
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.ussd import UssdDoor
from tallystick.entry.settings import PublicHalf
from tallystick.entry.tracing import Trace
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import UssdMessage

WRONG, CHOSEN = "864209", "582937"
_CODE = (types.ModuleType, types.FunctionType, types.CodeType, type)


def texts_in(*roots: object) -> Iterator[str]:
    """Every text and octet string that can be reached from `roots`, but not through code."""
    seen: dict[int, object] = {}  # what was seen stays alive, so that no id comes twice
    stack: list[object] = list(roots)
    while stack:
        one = stack.pop()
        if id(one) in seen or isinstance(one, _CODE):
            continue
        seen[id(one)] = one
        if isinstance(one, str):
            yield one
        elif isinstance(one, bytes | bytearray):
            yield bytes(one).decode("latin-1")
        elif isinstance(one, MfsError):
            stack += [one.args, one.__dict__, one.__cause__, one.__context__, str(one), repr(one)]
        else:
            names = getattr(one, "__struct_fields__", ())
            stack += [getattr(one, name) for name in names]  # not seen by the collector
            stack += [
                getattr(one, name) for name in getattr(one, "__slots__", ()) if hasattr(one, name)
            ]
            stack += gc.get_referents(one)


class Kept:
    """An exporter of traces that keeps them."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []

    def make(self, trace: Trace) -> None:
        self.traces.append(trace)

    def close(self) -> None:
        pass


class Watched:
    """Everything that is handed on between a door, the pool of hashes and the writer."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.hashed: list[tuple[object, ...]] = []
        self.commands: list[object] = []
        self.actions: list[object] = []
        self.errors: list[MfsError] = []
        self.logged: list[logging.LogRecord] = []
        self.doors: list[object] = []
        run, ask, carry = Place.run, WriterLoop.ask, DialledActions.carry_out
        error, aggregators, gateways = MfsError.__init__, PartnerDoors.__init__, UssdDoor.__init__

        async def run_seen(place, work, *args, **more):
            self.hashed.append((*args, *more.values()))
            return await run(place, work, *args, **more)

        async def ask_seen(loop, command):
            self.commands.append(command)
            recorded = await ask(loop, command)
            self.commands.append(recorded)
            return recorded

        async def carry_seen(actions, msisdn, action, evidence):
            self.actions.append((msisdn, action, evidence))
            result = await carry(actions, msisdn, action, evidence)
            self.actions.append(result)
            return result

        def error_seen(one, *args, **more):
            error(one, *args, **more)
            self.errors.append(one)

        def door_seen(made):
            def begin(door, *args, **more):
                made(door, *args, **more)
                self.doors.append(door)

            return begin

        patch.setattr(Place, "run", run_seen)
        patch.setattr(WriterLoop, "ask", ask_seen)
        patch.setattr(DialledActions, "carry_out", carry_seen)
        patch.setattr(MfsError, "__init__", error_seen)
        patch.setattr(PartnerDoors, "__init__", door_seen(aggregators))
        patch.setattr(UssdDoor, "__init__", door_seen(gateways))
        patch.setattr(logging.Logger, "handle", lambda _, one: self.logged.append(one))

    def of_dialogues(self) -> list[object]:
        """What the doors remember of their sessions."""
        return [
            getattr(inside, name)
            for door in self.doors
            for inside in (door, getattr(door, "_dialogues", door))
            for name in ("_open", "_sessions", "_ordered", "_told", "_seen")
            if hasattr(inside, name)
        ]


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.requirement("MFS-7.3.4-02")
@pytest.mark.threat("THR-USD-01")
def test_after_a_dialled_payment_nothing_has_the_pin_or_a_text_with_it(
    tmp_path: Path, monkeypatch
) -> None:
    watched, traces = Watched(monkeypatch), Kept()
    key = Es256SigningKey.generate()
    half = PublicHalf(algorithm="ES256", public=b64url(key.public().octets()))
    with dialled(tmp_path / "p", gateways={"gw1": half}, spans=traces, trace_share=1.0) as scene:
        assert scene.phone.send_money(FRIEND, "50", PIN)[-1].startswith("Done.")
        scene.phone.send_money(FRIEND, "50", Secret(WRONG))
        gateway = UssdGateway("gw1", key, scene.provider.url, SystemClock())
        phone = FeaturePhone(DIALLER, gateway, scene.provider.smsc)
        assert "Available" in phone.balance(PIN)
        for path in (("5", PIN.reveal() + "x"), ("6", "77665544", CHOSEN), ("5", "*" + CHOSEN)):
            scene.phone.dial(*path)
        assert "Too easy" in scene.phone.dial("6", "77665544", "123456")[-1]
        inside = {
            "arguments of hashes": list(texts_in(*watched.hashed)),
            "commands and what came of them": list(texts_in(*watched.commands)),
            "actions and results": list(texts_in(*watched.actions)),
            "errors": list(texts_in(*watched.errors)),
            "log records": [repr(vars(one)) for one in watched.logged],
            "sessions": list(texts_in(*watched.of_dialogues())),
        }
    outside = everything_kept(tmp_path / "p", scene.provider.log)
    inside["traces"] = list(texts_in(*traces.traces))  # the last ones leave at the end
    assert len(traces.traces) > 1
    assert sum(isinstance(one, SealedPin) for args in watched.hashed for one in args) >= 4
    assert any("ussd" in text or "menus-east" in text for text in inside["sessions"])
    for where, texts in inside.items():
        assert texts or where == "log records", where
        for text in texts:
            for secret in (PIN.reveal(), WRONG, CHOSEN):
                assert secret not in text, where
    for where, octets in outside.items():
        for secret in (PIN.reveal(), WRONG, CHOSEN):
            assert secret.encode() not in octets, where


def test_the_walk_finds_a_pin_that_is_kept() -> None:
    class Holder:
        def __init__(self) -> None:
            self.inner = [{"a": (Secret("739164"),)}]

    assert "739164" in set(texts_in(Holder()))
    assert "739164" in set(texts_in([b"739164"]))
    assert any("739164" in one for one in texts_in(MfsError("the PIN 739164 is wrong")))
    said = UssdMessage(id="1", session="s", msisdn=DIALLER, input="739164", at=1, gateway="gw1")
    assert "739164" in set(texts_in([{"said": said}]))
