"""The door goes on, and tells again, where the writer refuses for a while."""

import asyncio
from types import SimpleNamespace
from typing import Any

from bench.door_in_memory import OpenDoor

from tallystick.entry.paycrypt import listening
from tallystick.kernel.errors import Conflict, Unavailable

AUTHORITY = "ab" * 32


class Refusing:
    """A writer that refuses twice, each time in one of its two ways, and then works."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, _: object) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("the writer is full")
        reply = Conflict("not now") if self.asked == 2 else 7
        return SimpleNamespace(outcome=SimpleNamespace(reply=reply))


def test_what_the_writer_refuses_is_told_with_the_next_look_and_the_door_stays_open(
    monkeypatch,
) -> None:
    async def nothing_to_move(_: object) -> None:
        return None

    monkeypatch.setattr(listening, "EVERY_S", 0.01)
    monkeypatch.setattr(listening, "move_surrogates", nothing_to_move)
    opened, writer = OpenDoor(), Refusing()
    opened.on.writer = writer  # type: ignore[assignment]
    opened.on.unlisted[AUTHORITY] = ("program", "ExportKey")

    async def serve() -> None:
        port: list[int] = []
        kept = asyncio.create_task(listening.keep_door(opened, ("127.0.0.1", 0), None, port.append))
        end = asyncio.get_running_loop().time() + 20
        while AUTHORITY not in opened.on.told_unlisted:
            assert not kept.done(), "the door was given up"
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.01)
        _, link = await asyncio.open_connection("127.0.0.1", port[0])
        link.close()
        await link.wait_closed()
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)

    asyncio.run(serve())
    assert writer.asked == 3
