"""PINs and codes that were dialled are looked for in all that they touched, and in what stays."""

import copy
import gc
import logging
import pickle
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.feature_phone import FeaturePhone
from simulators.ussd_gateway import UssdGateway
from tests.attacks.test_canaries import everything_kept
from tests.protocol.test_order_codes import with_codes
from tests.support.dialled import DIALLER, FRIEND, OTHER, PIN, Dialled, dialled
from tests.support.served import by_one_operator
from tests.support.written import is_written

from tallystick.application.channels import PayWithCode, SetPin
from tallystick.entry.hashing import Place
from tallystick.entry.http.aggregator import PartnerDoors
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.ussd import UssdDoor
from tallystick.entry.partner_settings import PartnerLink
from tallystick.entry.settings import PublicHalf
from tallystick.entry.tracing import Trace
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.signature import Es256SigningKey
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.wallet_pins import SealedPin
from tallystick.kernel.codec import b64url
from tallystick.kernel.errors import MfsError
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret
from tallystick.protocol.channels import UssdMessage
from tallystick.protocol.operators import IssueActivation
from tallystick.protocol.payments import PaymentKind

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
                assert not is_written(secret.encode(), text.encode(errors="replace")), where
    for where, octets in outside.items():
        for secret in (PIN.reveal(), WRONG, CHOSEN):
            assert not is_written(secret.encode(), octets), where


def spellings(code: str) -> tuple[str, ...]:
    """A code as it is written in a message, and as it is typed."""
    plain = code.replace("-", "").replace(" ", "")
    return plain, f"{plain[: len(plain) // 2]}-{plain[len(plain) // 2 :]}"


def reissued(scene: Dialled, number: str) -> str:
    """A second activation code for `number`, as it came by SMS."""
    desk = scene.provider.operators["care-desk"][0]
    desk.act("issue-activation", IssueActivation(number=number))
    return scene.provider.activation_code(number, after=1).reveal()


@pytest.mark.requirement("MFS-7.3.4-06")
@pytest.mark.requirement("MFS-7.3.4-02")
@pytest.mark.requirement("MFS-7.4.1-03")
@pytest.mark.threat("THR-USD-01")
def test_a_code_that_was_dialled_is_nowhere_as_a_text(tmp_path: Path, monkeypatch) -> None:
    watched = Watched(monkeypatch)
    policy = by_one_operator()
    with dialled(tmp_path / "p", policy_text=policy) as scene:
        code, session = reissued(scene, DIALLER), scene.at_menu()
        watched.actions.clear()  # setting the scene is not what is looked at
        plain = spellings(code)[0]
        wrong = f"{(int(plain) + 7) % 10**8:08d}"
        for typed in ("6", wrong, "0", plain):
            page = scene.aggregator.type(session, typed)
        assert "digits" in page.text
        halfway = [*texts_in(*watched.of_dialogues())]
        for _ in range(2):
            page = scene.aggregator.type(session, CHOSEN)
        assert "PIN is set" in page.text
        assert "not valid" in scene.phone.dial("6", wrong, CHOSEN, CHOSEN)[-1]
        assert any(isinstance(action, SetPin) for _, action, _ in watched.actions[::2])
        inside = {
            "sessions before the PIN": halfway,
            "sessions": list(texts_in(*watched.of_dialogues())),
            "commands and what came of them": list(texts_in(*watched.commands)),
            "actions and results": list(texts_in(*watched.actions)),
            "their reprs": [repr(one) for one in (*watched.actions, *watched.commands)],
            "errors": list(texts_in(*watched.errors)),
            "log records": [repr(vars(one)) for one in watched.logged],
        }
    outside = everything_kept(tmp_path / "p", scene.provider.log)
    for secret in (*spellings(code), *spellings(wrong)):
        for where, texts in inside.items():
            assert texts or where == "log records", where
            assert not any(
                is_written(secret.encode(), text.encode(errors="replace")) for text in texts
            ), where
        for where, octets in outside.items():
            assert not is_written(secret.encode(), octets), where


def test_a_code_that_was_keyed_for_one_activation_fits_no_other(tmp_path: Path) -> None:
    with dialled(tmp_path / "p", policy_text=by_one_operator()) as scene:
        access, customers = scene.provider.platform.desks.access, (DIALLER, OTHER)
        code = Secret("1234-5678")
        find = scene.provider.platform.desks.customers.by_alias
        one, other = (access.keyed(find(number).activation, code) for number in customers)
        assert one.is_of(access.keyed(find(DIALLER).activation, code).tag)
        assert not one.is_of(other.tag)
        for shown in (repr(one), str(one), f"{one}", repr([one])):
            assert "1234" not in shown
            assert one.tag.hex()[:8] not in shown
        for attempt in (lambda: one == other, lambda: hash(one), lambda: pickle.dumps(one)):
            with pytest.raises(TypeError):
                attempt()
        with pytest.raises(TypeError):
            copy.deepcopy(one)


@pytest.mark.threat("THR-USD-01")
def test_the_code_of_an_order_is_nowhere_as_a_text(tmp_path: Path, monkeypatch) -> None:
    watched = Watched(monkeypatch)
    link = PartnerLink(name="sim-east")
    with dialled(tmp_path / "p", policy_text=with_codes(), sim_changes=link) as scene:
        scene.agent.wallet.pay(PaymentKind.CASH_IN, DIALLER, Money(1_000_000, "KES"))
        session = scene.at_terms("6000")
        assert "code" in scene.aggregator.type(session, PIN.reveal()).text
        told = scene.provider.smsc.wait_for(DIALLER, lambda one: " confirms " in one.text, 10)
        code = told.text.partition(": ")[2][:7].replace(" ", "")
        watched.actions.clear()
        before = scene.balance()
        assert scene.aggregator.type(session, code).text.startswith("Done.")
        assert scene.balance() == before + 600_000
        inside = {
            "sessions": list(texts_in(*watched.of_dialogues())),
            "actions and results": list(texts_in(*watched.actions)),
            "commands": list(texts_in(*watched.commands)),
        }
        assert any(isinstance(one[1], PayWithCode) for one in watched.actions[::2])
    outside = everything_kept(tmp_path / "p", scene.provider.log)
    for where, texts in inside.items():
        assert not any(
            is_written(code.encode(), text.encode(errors="replace")) for text in texts
        ), where
    for where, octets in outside.items():
        assert not is_written(code.encode(), octets), where


def test_the_walk_finds_a_pin_that_is_kept() -> None:
    class Holder:
        def __init__(self) -> None:
            self.inner = [{"a": (Secret("739164"),)}]

    assert "739164" in set(texts_in(Holder()))
    assert "739164" in set(texts_in([b"739164"]))
    assert any("739164" in one for one in texts_in(MfsError("the PIN 739164 is wrong")))
    said = UssdMessage(id="1", session="s", msisdn=DIALLER, input="739164", at=1, gateway="gw1")
    assert "739164" in set(texts_in([{"said": said}]))
