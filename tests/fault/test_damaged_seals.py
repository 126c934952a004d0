"""What does not open any more holds the pass over sealed rows up neither for ever nor at all."""

import asyncio
from pathlib import Path

import pytest
from tests.support.served import served
from tests.support.stores import raw

from tallystick.application.own_commands import SealAnew
from tallystick.application.subjectkeys.service import SubjectRenewal
from tallystick.entry import tending
from tallystick.entry.assembly import Platform, open_platform
from tallystick.entry.rewrapping import begin, progress
from tallystick.infrastructure.modules.clock import SystemClock
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.infrastructure.store.opening import Place
from tallystick.kernel.errors import MfsError, NotFound

ROWS = 4
DAMAGED = (
    "UPDATE {table} SET {field} = {{octets}} WHERE id ="
    " (SELECT min(id) FROM {table} WHERE length({field}) > 0)"
)


def literal(place: Place) -> str:
    """Ten octets that open nowhere, as the engine writes them."""
    octets = "00112233445566778899"
    return f"x'{octets}'" if isinstance(place, Path) else f"'\\x{octets}'::bytea"


def passes(platform: Platform, most: int = 60) -> list[object]:
    """Replies of the pass until it is done, or `most` of them."""
    replies: list[object] = []
    while not platform.desks.seals.done and len(replies) < most:
        (recorded,) = platform.writer.run([SealAnew(ROWS)])
        replies.append(recorded.outcome.reply)
    return replies


@pytest.fixture
def opened(tmp_path: Path):
    """A provider with operators and a customer, whose keys got successors while it was away."""
    with served(tmp_path / "p") as provider:
        provider.person("+254700000001", "Ann", funds=1_000)
    begin(provider.folder, provider.secret, "aes-256-gcm", SystemClock())
    begin(provider.folder, provider.secret, "aes-256-ccm", SystemClock(), Purpose.SUBJECT_WRAP)
    return provider.folder, provider.secret


@pytest.mark.requirement("MFS-7.4.2-12")
@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (DAMAGED.format(table="operator", field="name"), "operators' names"),
        (DAMAGED.format(table="device", field="secret"), "renewal secrets"),
    ],
)
def test_a_row_that_does_not_open_is_left_and_counted(opened, sql: str, kind: str) -> None:
    folder, secret = opened
    raw(folder.place(), sql.format(octets=literal(folder.place())))
    platform = open_platform(folder, secret)
    try:
        replies = passes(platform)
        assert platform.desks.seals.done, replies[-3:]
        assert not [one for one in replies if isinstance(one, MfsError)]
    finally:
        platform.close()
    left = {one.kind: one.left for one in progress(folder) if one.left}
    assert left == {kind: 1}


def test_a_row_of_nobody_does_not_hold_up_the_others(opened, monkeypatch) -> None:
    folder, secret = opened
    platform = open_platform(folder, secret)
    customers = platform.desks.customers
    found = type(customers).get

    def lost(one, customer):
        raise NotFound("no such customer")

    monkeypatch.setattr(type(customers), "get", lost)
    try:
        replies = passes(platform)
        assert platform.desks.seals.done, replies[-3:]
        assert not [one for one in replies if isinstance(one, MfsError)]
    finally:
        monkeypatch.setattr(type(customers), "get", found)
        platform.close()


def test_a_pass_that_is_refused_again_and_again_is_asked_rarer(opened, monkeypatch) -> None:
    folder, secret = opened
    platform = open_platform(folder, secret)
    waits: list[float] = []

    class Refusing:
        async def ask(self, command):
            assert isinstance(command, SealAnew)
            (recorded,) = platform.writer.run([command])
            return recorded

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 20:
            raise asyncio.CancelledError

    def broken(*_: object) -> str:
        raise NotFound("a table is not there")

    monkeypatch.setattr(SubjectRenewal, "anew", broken)
    monkeypatch.setattr(platform.desks.seals, "_steps", (broken,))
    monkeypatch.setattr(tending.asyncio, "sleep", sleep)
    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(tending.tend_seals(platform, Refusing()))
        assert waits == sorted(waits)
        assert waits[0] < 1
        assert waits[-1] == tending.SEALS_MOST_S
    finally:
        platform.close()
