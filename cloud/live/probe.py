"""Real health checks: each target is asked by the settings of its target group."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future

import h11

from cloud.live.loop import Loop
from cloud.twin.clock import LiveClock
from cloud.twin.engines import ProbeResult, ProbeTarget

RECONNECT_SECONDS = 0.1
SHORTEST_INTERVAL_SECONDS = 0.1
USER_AGENT = "ELB-HealthChecker/2.0"


class LiveProbe:
    """A TargetProbe: intervals are divided by the speed, timeouts are the process's own time."""

    def __init__(self, loop: Loop, clock: LiveClock) -> None:
        self._loop = loop
        self._clock = clock
        self._watched: dict[tuple[str, str, int], Future[None]] = {}

    def watch(self, target: ProbeTarget, report: Callable[[ProbeResult], None]) -> None:
        self.unwatch(target)
        self._watched[_key(target)] = self._loop.begin(self._check_forever(target, report))

    def unwatch(self, target: ProbeTarget) -> None:
        running = self._watched.pop(_key(target), None)
        if running is not None:
            running.cancel()

    async def _check_forever(
        self, target: ProbeTarget, report: Callable[[ProbeResult], None]
    ) -> None:
        interval = target.settings["HealthCheckIntervalSeconds"] / self._clock.speed
        while True:
            result = await check(target)
            self._clock.call_later(0, lambda result=result: report(result))  # type: ignore[misc]
            await asyncio.sleep(max(interval, SHORTEST_INTERVAL_SECONDS))


async def check(target: ProbeTarget) -> ProbeResult:
    """One health check, in AWS's words. Who does not listen yet is asked until the timeout."""
    seconds = target.settings["HealthCheckTimeoutSeconds"]
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await _connect(target)
            try:
                return await _ask(target, reader, writer)
            finally:
                writer.close()
    except TimeoutError:
        return ProbeResult(False, "Target.Timeout", "Request timed out")
    except (OSError, h11.ProtocolError, EOFError):
        return ProbeResult(False, "Target.FailedHealthChecks", "Health checks failed")


def matches(matcher: str, status: int) -> bool:
    """Whether a status is one of a matcher's: `200`, `200,202` or `200-299`."""
    for part in matcher.split(","):
        first, _, last = part.partition("-")
        if int(first) <= status <= int(last or first):
            return True
    return False


async def _connect(target: ProbeTarget) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # A process that is still starting refuses connections; with intervals divided by the
    # speed it would fail all its checks before its own start is over.
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            return await asyncio.open_connection(target.address, _port(target))
        await asyncio.sleep(RECONNECT_SECONDS)


async def _ask(
    target: ProbeTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> ProbeResult:
    if target.settings["HealthCheckProtocol"] == "TCP":
        return ProbeResult(True)
    status = await _get(target, reader, writer)
    if matches(target.settings["Matcher"].get("HttpCode", "200"), status):
        return ProbeResult(True)
    words = f"Health checks failed with these codes: [{status}]"
    return ProbeResult(False, "Target.ResponseCodeMismatch", words)


async def _get(
    target: ProbeTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> int:
    """The status that the target answers on its health check path."""
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", f"{target.address}:{_port(target)}"), ("User-Agent", USER_AGENT)]
    request = h11.Request(
        method="GET",
        target=target.settings["HealthCheckPath"],
        headers=[*headers, ("Connection", "close")],
    )
    for part in (request, h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response):
            return event.status_code
        elif isinstance(event, h11.ConnectionClosed):
            raise EOFError


def _port(target: ProbeTarget) -> int:
    port = target.settings["HealthCheckPort"]
    return target.port if port == "traffic-port" else int(port)


def _key(target: ProbeTarget) -> tuple[str, str, int]:
    return target.target_group_arn, target.address, target.port
