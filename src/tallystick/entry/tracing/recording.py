"""Traces as numbers: when each step of a payment or act ended.

Nothing personal is in a trace: order id, event, policy's code of a refusal and the status, no more.

Source: W3C Trace Context; OpenTelemetry Trace API; ISO/TS 12812-2:2017, 7.3.4
"""

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from tallystick.entry.tracing.parents import Parent

MOST_WAITING = 2_048
_OPEN, _VERIFY, _WAIT, _COMMIT, _ANSWER = "open", "verify", "wait for the batch", "commit", "answer"


class Trace:
    """One payment or act on its way: `steps` are names and the moments (monotonic) they ended.

    Source: OpenTelemetry Trace API
    """

    __slots__ = (
        "_tracing", "began", "code", "event", "name", "order", "parent", "received_at", "span",
        "status", "steps", "trace",
    )  # fmt: skip

    def __init__(self, tracing: "Tracing", name: str, began: float, received_at: int) -> None:
        """Begin at `began`; `received_at` is the same moment by the clock, in ms.

        Source: OpenTelemetry Trace API
        """
        self._tracing = tracing
        self.name = name
        self.began = began
        self.received_at = received_at
        self.steps: list[tuple[str, float]] = []
        self.order = ""
        self.event = -1
        self.status = 0
        self.code = ""
        self.parent: Parent | None = None
        self.trace = self.span = ""

    def opened(self) -> None:
        """The request is authentic and decrypted.

        Source: ISO/TS 12812-2:2017, 7.2.7
        """
        self.steps.append((_OPEN, monotonic()))

    def verified(self, order: str = "") -> None:
        """What it asks for is understood, and its signatures hold.

        Source: ISO/TS 12812-2:2017, 11.2.2
        """
        self.order = order
        self.steps.append((_VERIFY, monotonic()))

    def durable(self, event: int) -> None:
        """The batch that had it is durable; what it waited before is a step of its own.

        Source: ISO/TS 12812-2:2017, 7.3.3
        """
        began, ended = self._tracing.batch()
        last = self.steps[-1][1] if self.steps else self.began
        if began >= last and ended >= began:
            self.steps += [(_WAIT, began), (_COMMIT, ended)]
        self.event = event

    def answered(self, status: int, code: str) -> None:
        """The answer has left; nothing more will be added.

        Source: OpenTelemetry Trace API
        """
        self.status, self.code = status, code
        self.steps.append((_ANSWER, monotonic()))
        self._tracing.finish(self)

    def spent_us(self) -> tuple[int, ...]:
        """How long each step so far took, in microseconds.

        Source: OpenTelemetry Trace API
        """
        spent: list[int] = []
        before = self.began
        for _, ended in self.steps:
            spent.append(int((ended - before) * 1_000_000))
            before = ended
        return tuple(spent)

    def named(self) -> Parent:
        """Itself as the parent of what is called from here, or as told to its caller.

        Source: W3C Trace Context, 3.2.2
        """
        return Parent(self.trace, self.span, sampled=True)


class Tracing:
    """Decides what is traced, and keeps what ended until it is exported.

    Source: OpenTelemetry Trace API
    """

    def __init__(
        self,
        share: float,
        entropy: Callable[[int], bytes],
        batch: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0),
    ) -> None:
        """Trace `share` of payments (0 to 1); `batch` says when the last batch began and ended.

        Source: OpenTelemetry Trace SDK, Sampling
        """
        self._share = share
        self._entropy = entropy
        self._level = 0.0
        self._ended: deque[Trace] = deque()
        self.batch = batch
        self.dropped = 0

    @property
    def share(self) -> float:
        """Which share of payments is traced.

        Source: OpenTelemetry Trace SDK, Sampling
        """
        return self._share

    def payment(self, name: str, began: float, now: int) -> Trace | None:
        """A trace of this request if it is one of the share: evenly spread, not at random.

        Source: OpenTelemetry Trace SDK, Sampling
        """
        self._level += self._share
        if self._level < 1.0:
            return None
        self._level -= 1.0
        return Trace(self, name, began, now)

    def resumed(self, name: str, spent_us: Sequence[int], now: int) -> Trace:
        """The trace of a request of which another process did the first steps.

        Source: OpenTelemetry Trace API
        """
        total = sum(spent_us)
        began = monotonic() - total / 1_000_000
        trace = Trace(self, name, began, now - total // 1_000)
        at = began
        for step, spent in zip((_OPEN, _VERIFY), spent_us, strict=False):
            at += spent / 1_000_000
            trace.steps.append((step, at))
        return trace

    def act(self, name: str, parent: Parent | None, began: float, now: int) -> Trace | None:
        """A trace of an operator's act since `began`, unless its caller says not to record it.

        Source: W3C Trace Context, 3.2.2; 3.3
        """
        if parent is not None and not parent.sampled:
            return None
        trace = Trace(self, name, began, now - int((monotonic() - began) * 1_000))
        trace.parent = parent
        trace.trace = parent.trace if parent is not None else self._entropy(16).hex()
        trace.span = self._entropy(8).hex()
        return trace

    def finish(self, trace: Trace) -> None:
        """Keep `trace` for the export, if there is room.

        Source: OpenTelemetry Trace SDK, Span Processor
        """
        if len(self._ended) >= MOST_WAITING:
            self.dropped += 1
            return
        self._ended.append(trace)

    def taken(self) -> list[Trace]:
        """What ended since the last call.

        Source: OpenTelemetry Trace SDK, Span Processor
        """
        ended, self._ended = self._ended, deque()
        return list(ended)
