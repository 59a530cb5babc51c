"""The table's stream: the writes that its filter accepts, in order, in batches, until taken."""

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud.simulation.execution import Failed
from cloud.simulation.table import Change
from cloud.simulation.template import template

if TYPE_CHECKING:
    from cloud.simulation.cloud import Cloud

Params = dict[str, Any]
_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_BATCH = 10


class Stream:
    """One shard, and the event source mapping that reads it."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._sequence = 0
        self._is_reading = False
        # What the function has not taken yet: sequence numbers and changes.
        self.pending: deque[tuple[int, Change]] = deque()

    def append(self, changes: list[Change]) -> None:
        """Take what was written to the table."""
        self._cloud.trace.wrote(self._cloud.clock.elapsed, changes)
        accepts = template().stream_accepts
        for change in changes:
            self._sequence += 1
            if change.after is not None and accepts(_record(self._sequence, change)):
                self.pending.append((self._sequence, change))
        if self.pending and not self._is_reading:
            self._is_reading = True
            self._cloud.clock.call_later(_SECONDS, self._read)

    def _read(self) -> None:
        size = min(_BATCH, len(self.pending))
        batch = [self.pending[place] for place in range(size)]
        event = {"Records": [_record(*one) for one in batch]}
        function = template().functions[template().stream_function]
        self._cloud.lambdas.start(function, event, partial(self._finish, size))

    def _finish(self, size: int, result: Any, failed: Failed | None) -> None:
        """Go on after the batch; what the function reports as failed is delivered again."""
        done, pause = size, _SECONDS
        if failed is not None:
            done, pause = 0, _RETRY_SECONDS
        elif result["batchItemFailures"]:
            first = int(result["batchItemFailures"][0]["itemIdentifier"])
            done = sum(self.pending[place][0] < first for place in range(size))
            pause = _RETRY_SECONDS
        for _ in range(done):
            self.pending.popleft()
        self._is_reading = bool(self.pending)
        if self.pending:
            self._cloud.clock.call_later(pause, self._read)


def _record(sequence: int, change: Change) -> Params:
    images: Params = {"SequenceNumber": str(sequence)}
    if change.before is not None:
        images["OldImage"] = change.before
    if change.after is not None:
        images["NewImage"] = change.after
    return {"dynamodb": images}
