"""Small files that several replace at once: each time one of them whole."""

import threading
from pathlib import Path

from tallystick.infrastructure.store.files import replace_file

SIZES = (200_000, 300_000, 50_000)


def test_a_file_that_several_replace_at_once_is_whole_each_time(tmp_path: Path) -> None:
    path, errors = tmp_path / "west.fetched.crl", list[BaseException]()

    def write(mark: bytes, size: int) -> None:
        try:
            for _ in range(20):
                replace_file(path, mark * size)
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    writers = [
        threading.Thread(target=write, args=(bytes((65 + turn,)), size))
        for turn, size in enumerate(SIZES)
    ]
    for one in writers:
        one.start()
    torn = 0
    while any(one.is_alive() for one in writers):
        if path.exists():
            found = path.read_bytes()
            torn += len(set(found)) != 1 or len(found) not in SIZES
    for one in writers:
        one.join()
    assert (errors, torn) == ([], 0)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
