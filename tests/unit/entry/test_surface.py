"""A deployment against its programme: what only one of the two has is found, nothing else is."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.served import served
from tests.unit.entry.cli.command_line import tallystick

from tallystick.entry.http.operations import OPERATIONS, Protection
from tallystick.entry.settings import ProviderFolder
from tallystick.entry.surface import Difference, Discovered, Side, compare, discover
from tallystick.entry.surface.comparing import _PROTECTED, _SHOWN, _UNSHOWN
from tallystick.entry.surface.discovering import listeners_of
from tallystick.entry.surface.model import Listener
from tallystick.infrastructure.keys.table import KEY_TABLE, Role
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import NotFound
from tallystick.kernel.model import replace
from tallystick.process.programme.model import Programme
from tallystick.process.programme.organisation import staffing
from tallystick.process.programme.reading import read_programme
from tallystick.process.programme.templates import profile_text


@pytest.fixture(scope="module")
def programme() -> Programme:
    text = profile_text("mobile-money-operator")
    certified = text[text.index("  module:\n") : text.index("\n# What is of value")]
    return read_programme(
        text.replace(certified, "  module: {kind: cryptographic-module, zone: vault}\n")
    )


@pytest.fixture(scope="module")
def agreeing(programme: Programme) -> Discovered:
    """A deployment that is just what the programme says."""
    rules = staffing(programme).rules
    return Discovered(
        listeners=(Listener(host="127.0.0.1", port=8480),),
        gateways=("menu",),
        sms=True,
        core=False,
        witnessed=True,
        store_on_server=False,
        operations=OPERATIONS,
        purposes=(Purpose.QUOTE, Purpose.STORE, Purpose.TALLY),
        accounts=dict.fromkeys(rules.roles, 2),
        allowed=rules.roles,
        currency="KES",
    )


def only(found: tuple[Difference, ...], sort: str, side: Side) -> str:
    """What the one difference says; there is no other."""
    (one,) = found
    assert (one.sort, one.side) == (sort, side), one
    assert one.remedy
    return one.says


def test_what_agrees_differs_in_nothing(agreeing: Discovered, programme: Programme) -> None:
    assert compare(agreeing, programme) == ()


@pytest.mark.requirement("MFS-6.2-03")
@pytest.mark.parametrize(
    ("changes", "sort", "side", "says"),
    [
        ({"gateways": ()}, "link", Side.MODELLED, "joined to no USSD gateway"),
        ({"sms": False}, "link", Side.MODELLED, "smsc-east, smsc-west"),
        ({"witnessed": False}, "link", Side.MODELLED, "joined to no witness"),
        ({"core": True}, "link", Side.DEPLOYED, "no node is of kind core"),
        ({"currency": "UGX"}, "right", Side.DEPLOYED, "pays in UGX"),
        ({"purposes": (Purpose.PROVIDER_ROOT,)}, "key", Side.DEPLOYED, "never holds it"),
        ({"listeners": ()}, "listener", Side.MODELLED, "listens nowhere"),
        ({"accounts": None}, "account", Side.MODELLED, "nothing was served yet"),
    ],
)
def test_each_difference_is_found(
    agreeing: Discovered, programme: Programme, changes, sort: str, side: Side, says: str
) -> None:
    assert says in only(compare(replace(agreeing, **changes), programme), sort, side)


@pytest.mark.requirement("MFS-6.2-03")
def test_a_second_door_is_found(agreeing: Discovered, programme: Programme) -> None:
    doors = (Listener(host="127.0.0.1", port=8480), Listener(host="", port=9999))
    two = replace(agreeing, listeners=doors)
    assert "every address, port 9999" in only(compare(two, programme), "listener", Side.DEPLOYED)
    says = only(compare(two, programme, 9999), "listener", Side.DEPLOYED)
    assert "127.0.0.1, port 8480 beside its door at port 9999" in says


def test_a_door_to_the_world_needs_a_flow_from_there(
    agreeing: Discovered, programme: Programme
) -> None:
    wide = replace(agreeing, listeners=(Listener(host="", port=8480),))
    assert compare(wide, programme) == ()
    deaf = {
        name: flow
        for name, flow in programme.flows.items()
        if programme.nodes[flow.target].id != "platform"
    }
    found = compare(wide, replace(programme, flows=deaf))
    assert any("no flow reaches it from elsewhere" in one.says for one in found)


@pytest.mark.requirement("MFS-6.2.2-03")
@pytest.mark.parametrize(
    ("flows", "operations"),
    [
        (["dial-east", "dial-west"], ["ussd.message"]),
        (["agent-identify"], ["agent.open-customer"]),
        (["key-list-app"], ["keys.list", "keys.dual", "keys.messages"]),
        (["balance-app"], ["account.read"]),
    ],
)
def test_an_operation_without_a_flow_is_found(
    agreeing: Discovered, programme: Programme, flows: list[str], operations: list[str]
) -> None:
    fewer = {name: flow for name, flow in programme.flows.items() if name not in flows}
    found = compare(agreeing, replace(programme, flows=fewer))
    assert [one.says.partition(" ")[0] for one in found] == operations
    closed = compare(replace(agreeing, gateways=()), replace(programme, flows=fewer))
    assert ("ussd.message" in str(closed)) is False


def test_acts_without_a_console_are_found(agreeing: Discovered, programme: Programme) -> None:
    quiet = {
        name: flow
        for name, flow in programme.flows.items()
        if name not in {"operate", "care", "activate-rules"}
    }
    found = compare(agreeing, replace(programme, flows=quiet))
    acts = {one.name for one in OPERATIONS if one.protection is Protection.ACT}
    assert {one.says.partition(" ")[0] for one in found} == acts | {
        "operator.enrol",
        "certificate.state",
        "app.state",
    }


def test_keys_that_protect_what_nobody_named_are_found(
    agreeing: Discovered, programme: Programme
) -> None:
    fewer = {
        name: asset for name, asset in programme.assets.items() if asset.kind.value != "personal"
    }
    flows = {
        name: replace(flow, carries=tuple(one for one in flow.carries if one in fewer))
        for name, flow in programme.flows.items()
    }
    found = compare(agreeing, replace(programme, assets=fewer, flows=flows))
    assert any(
        "key of purpose store protects assets of class personal" in one.says for one in found
    )
    homeless = {
        name: replace(asset, kept_at=()) if asset.kind.value == "key" else asset
        for name, asset in programme.assets.items()
    }
    says = only(compare(agreeing, replace(programme, assets=homeless)), "key", Side.DEPLOYED)
    assert "no asset of class key is kept" in says


def test_a_certificate_of_a_module_that_is_not_used_is_found(agreeing: Discovered) -> None:
    certified = read_programme(profile_text("mobile-money-operator"))
    assert "fips140-3" in only(compare(agreeing, certified), "key", Side.MODELLED)


def test_accounts_and_rights_follow_the_posts(agreeing: Discovered, programme: Programme) -> None:
    more = replace(agreeing, accounts={**agreeing.accounts, "janitor": 1})
    assert "role janitor" in only(compare(more, programme), "account", Side.DEPLOYED)
    fewer = {role: count for role, count in agreeing.accounts.items() if role != "auditor"}
    says = only(compare(replace(agreeing, accounts=fewer), programme), "account", Side.MODELLED)
    assert "post auditor" in says
    greedy = {**agreeing.allowed, "auditor": ("audit-records", "fund-account", "trace-payment")}
    says = only(compare(replace(agreeing, allowed=greedy), programme), "right", Side.DEPLOYED)
    assert "lets auditor do fund-account" in says
    meagre = {**agreeing.allowed, "auditor": ("trace-payment",)}
    says = only(compare(replace(agreeing, allowed=meagre), programme), "right", Side.MODELLED)
    assert "need audit-records" in says


def test_every_operation_and_every_purpose_has_its_meaning() -> None:
    acts = {one.name for one in OPERATIONS if one.protection is Protection.ACT}
    assert {one.name for one in OPERATIONS} == acts | set(_SHOWN) | _UNSHOWN
    server = {Role.FRONT, Role.WRITER, Role.ENROLMENT}
    assert set(_PROTECTED) == {
        purpose for purpose, rule in KEY_TABLE.items() if server & set(rule.holders)
    }


def test_a_socket_of_this_process_and_of_its_children_is_seen() -> None:
    before = set(listeners_of(os.getpid()))
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        assert Listener(host="127.0.0.1", port=port) in listeners_of(os.getpid())
        listen = (
            "import socket, sys; s = socket.create_server(('::1', 0), family=socket.AF_INET6);"
            " print(s.getsockname()[1], flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", listen], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            line = child.stdout.readline()
            found = set(listeners_of(os.getpid())) - before
            child.stdin.close()
            child.wait(timeout=20)
    assert {one.port for one in found} == {port, int(line)}
    assert {one.host for one in found} == {"127.0.0.1", "::1"}
    assert all(one.is_local() for one in found)
    assert set(listeners_of(os.getpid())) == before


def test_a_process_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound, match="cannot be looked at"):
        listeners_of(2**22 + 1)


def test_a_served_provider_is_discovered(tmp_path: Path) -> None:
    folder = tmp_path / "provider"
    with served(folder) as provider:
        provider.person("+254700000001", "Ann", funds=1_000)
        found = discover(ProviderFolder(folder), os.getpid())
        assert found.listeners
    assert found.accounts
    assert set(found.accounts) <= set(found.allowed)
    assert Purpose.TALLY in found.purposes
    assert Purpose.PROVIDER_ROOT not in found.purposes
    assert not found.core


def test_the_command_says_what_a_fresh_provider_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    assert (
        tallystick("init", "--no-analysis", folder, "--secret-out", tmp_path / "secret").code == 0
    )
    ran = tallystick("surface", folder)
    assert ran.code == 4, ran.all
    assert "not deployed" in ran.out
    assert "not in the model" not in ran.out, "set-up and its programme fit"
    assert "joined to no USSD gateway" in ran.out
    found = json.loads(tallystick("surface", folder, "--json").out)
    assert {one["side"] for one in found} == {"not deployed"}
    (folder / "mfs.yaml").unlink()
    assert tallystick("surface", folder).code == 1
    small = tmp_path / "small.yaml"
    small.write_text(profile_text("wallet-start-up"))
    ran = tallystick("surface", folder, "--programme", small)
    assert "pays in KES, the programme is in EUR" in ran.out
