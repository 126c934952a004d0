"""A duty that ends by a fault is noted; the others go on."""

import asyncio
import json

from tallystick.entry.accounting import Accounting
from tallystick.entry.http.duties import begun
from tallystick.kernel.time import Instant, SimulatedClock


async def fails() -> None:
    await asyncio.sleep(0)
    raise KeyError("nobody foresaw this")


async def goes_on() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    await asyncio.sleep(0)


def test_a_duty_that_ends_by_a_fault_is_noted_and_no_other() -> None:
    written: list[bytes] = []
    accounting = Accounting(SimulatedClock(Instant(1_800_000_000_000)), written.append)

    async def serve() -> None:
        tasks = begun((fails(), goes_on(), ends()), accounting)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        await asyncio.sleep(0)
        assert not tasks[1].done()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(serve())
    accounting.flush()
    told = [json.loads(line) for line in b"".join(written).splitlines()]
    assert [(one["message"], one["duty"], one["error"]) for one in told] == [
        ("a duty of the service ended by a fault", "fails", "KeyError")
    ]
    assert "foresaw" not in b"".join(written).decode()
