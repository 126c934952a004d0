"""Floors of the same machine in the same run: one P-256 verify, sampled by a process of its own."""

import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import Self

from tallystick.infrastructure.crypto.signature import Es256SigningKey


def _sample(pipe: Connection) -> None:
    key = Es256SigningKey.generate()
    public = key.public()
    signature = key.sign(b"floor")
    while not pipe.poll(0.02):
        started = time.process_time()
        for _ in range(10):
            public.verify(signature, b"floor")
        pipe.send((time.process_time() - started) / 10 * 1e6)
    pipe.recv()
    pipe.close()


class VerifySampler:
    """Verifies a signature now and then while something else runs."""

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_sample, args=(theirs,), daemon=True)
        self._process.start()
        self._samples: list[float] = [self._ours.recv()]
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        try:
            while True:
                self._samples.append(self._ours.recv())
        except EOFError:
            pass
        self._process.join(timeout=5)

    def median_us(self) -> float:
        """Median CPU microseconds of one verify."""
        return statistics.median(self._samples)
